"""The company goes on working: what its connectors promise of each other holds after any changes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from asking import asking

from afas_sandbox import Sandbox, stored
from afas_sandbox.data import dataset

if TYPE_CHECKING:
    from collections.abc import Callable

    from afas_sandbox import Cell

NOW = dt.datetime(2026, 11, 22, 12, 30, 15, 123_000)  # noqa: DTZ001 - wall time
FEEDS = [
    ("Profit_Transactions", "EntryDate", "Profit_Fin_ChangedEntrydate"),
    ("Profit_Realization", "DateTime", "Profit_Rea_ChangedEntryDate"),
]

FOLLOWING = {
    *(feed for _, _, feed in FEEDS),
    "Facturen_en_opzeggingen",
    "Verwijderde_nacalculatie",
    "Verwijderde_verkoopfacturen",
}


class _Company:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.now = NOW
        sandbox.clock = lambda: self.now

    def named(self, connector_id: str) -> list[dict[str, Cell]]:
        ids = [field.id for field in self.sandbox.connectors[connector_id].fields]
        return [dict(zip(ids, row, strict=True)) for row in self.sandbox.rows(connector_id)]

    def later(self) -> str:
        self.now += dt.timedelta(hours=1)
        return stored(self.now)


@pytest.fixture(scope="module")
def make() -> Callable[[], Any]:
    tables = list(dataset(scale=0.05, now=NOW))
    return lambda: tables


@pytest.fixture
def company(sandbox: Sandbox, make: Callable[[], Any]) -> _Company:
    sandbox.load(make())
    return _Company(sandbox)


@pytest.mark.parametrize(("source", "day", "feed"), FEEDS)
def test_a_day_is_listed_with_the_moment_at_which_it_was_touched(
    company: _Company, source: str, day: str, feed: str
) -> None:
    listed = {row["EntryDate"]: row["Modified"] for row in company.named(feed)}
    for kind in ("updates", "inserts", "deletes", "reinserts", "moves", "updates"):
        moment = company.later()
        number: dict[str, Any] = {kind: 3}
        done = company.sandbox.change(source, **number)
        assert len(done) == 3
        place = company.sandbox.connectors[source].position(day)
        listed |= {row[place]: moment for change in done for row in (change.before, change.after) if row}
        assert {row["EntryDate"]: row["Modified"] for row in company.named(feed)} == listed
    company.sandbox.purge(source, skip=-1, take=-1)
    assert company.sandbox.count(source) == 0
    assert {row["EntryDate"] for row in company.named(feed)} == set(listed)


@pytest.mark.parametrize(("source", "day", "feed"), FEEDS)
def test_a_moved_booking_stays_in_its_year_and_period(company: _Company, source: str, day: str, feed: str) -> None:
    moved = company.sandbox.change(source, moves=20)
    assert len(moved) == 20
    period = "PeriodId" if source == "Profit_Realization" else "Period"
    for row in company.named(source):
        assert str(row[day])[:7] == f"{row['Year']}-{int(row[period] or 0):02}"


def _named_rows(rows: list[dict[str, Cell]], *fields: str) -> dict[tuple[Cell, ...], dict[str, Cell]]:
    return {tuple(row[field] for field in fields): row for row in rows}


def test_the_join_is_true_from_the_start(make: Callable[[], Any], company: _Company) -> None:
    (joined,) = (table for table in make() if table.connector.id == "Facturen_en_opzeggingen")
    assert list(joined.rows) == list(company.sandbox.rows("Facturen_en_opzeggingen"))


def test_the_stamps_of_the_join_move_apart(company: _Company) -> None:
    contracts = [row for row in company.named("Contracten") if row["Opgezegd"]]
    assert contracts
    for contract in contracts:
        before = _named_rows(company.named("Facturen_en_opzeggingen"), "Administratie", "Factuurnummer")
        moment = company.later()
        company.sandbox.update("Contracten", contract["Contractnummer"], {"Omschrijving": "Anders"})
        after = _named_rows(company.named("Facturen_en_opzeggingen"), "Administratie", "Factuurnummer")
        assert after == {
            key: row | {"Omschrijving_2": "Anders", "Gewijzigd_op_2": moment}
            if row["Contractnummer"] == contract["Contractnummer"]
            else row
            for key, row in before.items()
        }
    key = company.sandbox.change("Verkoop-facturen", updates=1)[0].key
    (row,) = (
        one for one in company.named("Facturen_en_opzeggingen") if (one["Administratie"], one["Factuurnummer"]) == key
    )
    assert row["Gewijzigd_op"] == stored(company.now)
    company.later()
    for _ in range(20):
        company.sandbox.change("Facturen_en_opzeggingen", updates=1, inserts=1, deletes=1, reinserts=1)
    assert company.sandbox.count("Facturen_en_opzeggingen") == company.sandbox.count("Verkoop-facturen")


@pytest.mark.parametrize(
    ("source", "key", "feed", "moment_in"),
    [
        ("Profit_Realization", {"Identity": "Regelnummer"}, "Verwijderde_nacalculatie", "Aangemaakt_op"),
        (
            "Verkoop-facturen",
            {"Administratie": "Administratie", "Factuurnummer": "Factuurnummer"},
            "Verwijderde_verkoopfacturen",
            "Gewijzigd_op",
        ),
    ],
)
def test_deletions_are_listed_and_what_comes_back_is_live(
    company: _Company, source: str, key: dict[str, str], feed: str, moment_in: str
) -> None:
    live, listed = _named_rows(company.named(source), *key), _named_rows(company.named(feed), *key.values())
    assert listed
    assert not live.keys() & listed.keys()
    one = company.later()
    gone = {change.key for change in company.sandbox.change(source, deletes=5)}
    found = _named_rows(company.named(feed), *key.values())
    assert found.keys() == listed.keys() | gone
    assert {found[where][moment_in] for where in gone} == {one}
    two = company.later()
    back = {change.key for change in company.sandbox.change(source, reinserts=2)}
    assert len(back) == 2
    assert back < gone
    assert _named_rows(company.named(feed), *key.values()) == found
    changed_on = company.sandbox.connectors[source].stamp or ""
    live = _named_rows(company.named(source), *key)
    assert {live[where][changed_on] for where in back} == {two}
    assert live.keys() & gone == back


def test_changed_leave_is_in_whole_hours_as_it_was(company: _Company) -> None:
    company.sandbox.change("Profit_Leaves", updates=200)
    assert all(str(row["Hours"]).endswith(".00") for row in company.named("Profit_Leaves"))


def test_a_feed_is_changed_where_its_days_are(company: _Company) -> None:
    for source, _, feed in FEEDS:
        done = company.sandbox.change(feed, updates=2, inserts=2, deletes=2)
        assert [change.connector for change in done] == [source] * 6


def test_all_that_goes_can_be_asked_for(company: _Company) -> None:
    company.sandbox.options.change(changes_per_request=3, changes_mix={"deletes": 1})
    before = sum(map(company.sandbox.count, company.sandbox.connectors))
    with asking(company.sandbox) as ask:
        for connector_id in company.sandbox.connectors:
            assert ask.rows(connector_id, take=1).status == 200
    assert sum(map(company.sandbox.count, company.sandbox.connectors)) < before


def test_a_round_deletes_from_every_connector(company: _Company) -> None:
    counts = {connector_id: company.sandbox.count(connector_id) for connector_id in company.sandbox.connectors}
    company.later()
    done = company.sandbox.change_everywhere(updates=0, inserts=0, reinserts=0, moves=0, deletes=0.3)
    emptied = {change.connector for change in done}
    own = {connector_id for connector_id, count in counts.items() if count >= 10} - FOLLOWING
    assert own <= emptied
    for connector_id in own & emptied:
        gone = sum(change.connector == connector_id for change in done)
        assert company.sandbox.count(connector_id) == counts[connector_id] - gone

"""Rows that follow from others are kept true: lists of touched days and of deleted rows, and joins of two tables."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from typing import TYPE_CHECKING

import pytest
from asking import asking

from afas_sandbox import KEEP, Cell, ChangedDays, Connector, DeletedRows, Field, Joined, Sandbox, Table, stored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from afas_sandbox import Change, Row

_NOW = dt.datetime(2024, 5, 1, 9, 30, 15, 250000)  # noqa: DTZ001 - wall time has no zone
_BEFORE = "2024-01-01T12:00:00.000"


def _string(name: str) -> Field:
    return Field(name, "string", name, name, 20)


def _date(name: str, control_type: int = 8) -> Field:
    return Field(name, "date", name, name, control_type=control_type)


BOOKED = Connector(
    "Booked",
    "Booked",
    "Geboekt",
    (_string("Id"), _date("Day", 4), _string("Relation"), _string("Text"), _date("Made"), _date("Changed")),
    key=("Id",),
    stamp="Changed",
    created="Made",
    changeable=("Text",),
)
DAYS = Connector("Days", "Days", "Dagen", (_date("Touched", 4), _date("At")), key=("Touched",), stamp="At")
GONE = Connector(
    "Gone",
    "Gone",
    "Verwijderd",
    (_string("Number"), Field("Deleted", "boolean", "Deleted", "Verwijderd"), _date("Made")),
    key=("Number",),
    created="Made",
)
PARTNERS = Connector(
    "Partners",
    "Partners",
    "Relaties",
    (_string("Code"), _string("Name"), Field("Active", "boolean", "Active", "Actief"), _date("Changed")),
    key=("Code",),
    stamp="Changed",
    changeable=("Name", "Active"),
)
BOTH = Connector(
    "Both",
    "Both",
    "Samen",
    (_string("Id"), _string("Text"), _string("Name"), _date("Gewijzigd_op"), _date("Gewijzigd_op_2")),
    key=("Id",),
    stamp="Gewijzigd_op",
)
LISTED = ChangedDays("Booked", "Day")
DELETED = DeletedRows("Booked", {"Number": "Id"}, {"Deleted": True})
JOIN = Joined(
    "Booked",
    "Partners",
    {"Relation": "Code"},
    {"Id": "Id", "Text": "Text", "Gewijzigd_op": "Changed"},
    {"Name": "Name", "Gewijzigd_op_2": "Changed"},
    {"Active": True},
)


def _day(number: int) -> str:
    return f"2024-04-{number:02}T00:00:00.000"


def _booked(key: str, day: int | None, relation: str | None = None) -> Row:
    return (key, None if day is None else _day(day), relation, "x", _BEFORE, _BEFORE)


def _tables(join: Joined = JOIN) -> list[Table]:
    def partner(number: int) -> Row:
        return (f"P{number}", "new", True, None)

    # What follows stands before what it follows: the order of an environment says nothing.
    return [
        Table(BOTH, [], lambda number: (f"N{number}", None, None, None, None), follows=join),
        Table(DAYS, [(_day(number), _BEFORE) for number in (1, 2)], lambda number: (None, None), follows=LISTED),
        Table(GONE, [], lambda number: (f"N{number}", True, None), follows=DELETED),
        Table(
            BOOKED,
            [_booked("a", 1, "P"), _booked("b", 1, "P"), _booked("c", 2, "Q"), _booked("d", None)],
            lambda number: _booked(f"N{number}", 1 + number % 28, random.Random(number).choice("PQR")),  # noqa: S311 - rows
        ),
        Table(PARTNERS, [("P", "Piet", True, _BEFORE), ("Q", "Quinten", False, _BEFORE)], partner),
    ]


@pytest.fixture
def company(sandbox: Sandbox) -> Sandbox:
    sandbox.clock = lambda: _NOW
    sandbox.load(_tables())
    return sandbox


def _at(company: Sandbox, minutes: int) -> str:
    """Set the clock so many minutes on."""
    moment = _NOW + dt.timedelta(minutes=minutes)
    company.clock = lambda: moment
    return stored(moment)


def _days(company: Sandbox) -> dict[Cell, Cell]:
    return {row[0]: row[1] for row in company.rows("Days")}


def _joined(company: Sandbox) -> dict[Cell, Row]:
    return {row[0]: row[1:] for row in company.rows("Both")}


class TestTouchedDays:
    def test_every_kind_of_change_touches_its_day(self, company: Sandbox) -> None:
        one = _at(company, 1)
        company.update("Booked", "a", {"Text": "y"})
        assert _days(company) == {_day(1): one, _day(2): _BEFORE}
        two = _at(company, 2)
        company.insert("Booked", _booked("e", 9))
        assert _days(company) == {_day(1): one, _day(2): _BEFORE, _day(9): two}
        three = _at(company, 3)
        company.delete("Booked", "e")
        assert _days(company)[_day(9)] == three

    def test_an_emptied_day_stays_listed(self, company: Sandbox) -> None:
        moment = _at(company, 1)
        company.delete("Booked", "c")
        assert _days(company) == {_day(1): _BEFORE, _day(2): moment}

    def test_a_row_that_moves_touches_both_days(self, company: Sandbox) -> None:
        moment = _at(company, 1)
        company.update("Booked", "c", {"Day": "2024-04-03"})
        assert _days(company) == {_day(1): _BEFORE, _day(2): moment, _day(3): moment}
        later = _at(company, 2)
        company.update("Booked", "c", {"Day": None}, stamp=KEEP)
        assert _days(company) == {_day(1): _BEFORE, _day(2): moment, _day(3): later}
        company.update("Booked", "d", {"Text": "on no day"})
        assert len(_days(company)) == 3

    def test_a_day_has_the_moment_of_the_row(self, company: Sandbox) -> None:
        change = company.change("Booked", updates=1, late_seconds=90)[0]
        assert change.after
        assert _days(company).get(change.after[1]) in {change.after[5], None}
        told = "2024-03-03T00:00:00.999"
        company.insert("Booked", _booked("e", 20), stamp=told)
        assert _days(company)[_day(20)] == told
        company.delete("Booked", "e", stamp="2024-03-04")
        assert _days(company)[_day(20)] == "2024-03-04T00:00:00.000"

    def test_what_comes_late_takes_nothing_back(self, company: Sandbox) -> None:
        moment = _at(company, 5)
        company.update("Booked", "a", {"Text": "y"})
        company.update("Booked", "b", {"Text": "y"}, stamp="2024-02-02")
        assert _days(company)[_day(1)] == moment

    def test_purges_touch_and_backups_do_not(self, company: Sandbox) -> None:
        backup = company.snapshot("Booked")
        moment = _at(company, 5)
        company.purge("Booked", skip=-1, take=-1)
        assert _days(company) == {_day(1): moment, _day(2): moment}
        _at(company, 6)
        company.restore("Booked", backup)
        assert _days(company) == {_day(1): moment, _day(2): moment}

    def test_rows_move_at_random_within_their_month(self, company: Sandbox) -> None:
        company.delete("Booked", "d")
        for minute in range(1, 200):
            moment = _at(company, minute)
            (change,) = company.change(moves=1)
            assert change.before
            assert change.after
            old, new = str(change.before[1]), str(change.after[1])
            assert old != new
            assert old[:8] == new[:8]
            assert (_days(company)[old], _days(company)[new]) == (moment, moment)
        assert company.change("Partners", moves=1) == []

    def test_row_and_day_have_one_moment_however_the_clock_runs(self, company: Sandbox) -> None:
        ticks = iter(range(1000))
        company.clock = lambda: _NOW + dt.timedelta(milliseconds=next(ticks))
        for key in ("e", "f"):
            change = company.insert("Booked", (key, _day(7), None, "x", None, None))
            assert _days(company)[_day(7)] == (change.after or ())[5]
        change = company.update("Booked", "e", {"Text": "y"})
        assert _days(company)[_day(7)] == (change.after or ())[5]

    def test_it_is_read_as_any_connector(self, company: Sandbox) -> None:
        company.update("Booked", "a", {"Text": "y"})
        with asking(company) as ask:
            asked = {"filterfieldids": "At", "filtervalues": "2024-05-01T09:30:15", "operatortypes": 2}
            assert ask.rows("Days", **asked).rows == [{"Touched": "2024-04-01T00:00:00Z", "At": "2024-05-01T09:30:15Z"}]


class TestDeletedRows:
    def test_a_deletion_may_come_late(self, company: Sandbox) -> None:
        company.change("Booked", deletes=1, late_seconds=90)
        assert [row[2] for row in company.rows("Gone")] == ["2024-05-01T09:28:45.250"]

    def test_a_deletion_is_listed(self, company: Sandbox) -> None:
        company.update("Booked", "a", {"Text": "y"})
        company.insert("Booked", _booked("e", 1))
        assert list(company.rows("Gone")) == []
        company.delete("Booked", "a")
        assert list(company.rows("Gone")) == [("a", True, stored(_NOW))]

    def test_a_key_that_comes_back_is_live_and_may_go_again(self, company: Sandbox) -> None:
        one = _at(company, 1)
        company.change("Booked", deletes=1)
        (listed,) = company.rows("Gone")
        assert listed[2] == one
        two = _at(company, 2)
        (back,) = company.change("Booked", reinserts=1)
        assert back.key == (listed[0],)
        assert (back.after or ())[4:] == (two, two)
        assert list(company.rows("Gone")) == [listed]
        three = _at(company, 3)
        company.delete("Booked", back.key)
        assert list(company.rows("Gone")) == [(*listed[:2], three)]

    def test_with_the_moment_in_its_key_every_deletion_is_a_row(self, company: Sandbox) -> None:
        twice = dataclasses.replace(GONE, key=("Number", "Made"))
        company.add(Table(twice, [], lambda number: (f"N{number}", True, None), follows=DELETED))
        company.delete("Booked", "a")
        company.change("Booked", reinserts=1)
        _at(company, 1)
        company.delete("Booked", "a")
        assert [row[0] for row in company.rows("Gone")] == ["a", "a"]


class TestJoin:
    def test_it_begins_true(self, company: Sandbox) -> None:
        assert _joined(company) == {
            "a": ("x", "Piet", _BEFORE, _BEFORE),
            "b": ("x", "Piet", _BEFORE, _BEFORE),
            "c": ("x", None, _BEFORE, None),
            "d": ("x", None, _BEFORE, None),
        }

    def test_the_stamps_move_apart(self, company: Sandbox) -> None:
        one = _at(company, 1)
        company.update("Partners", "P", {"Name": "Pieter"})
        assert _joined(company)["a"] == _joined(company)["b"] == ("x", "Pieter", _BEFORE, one)
        two = _at(company, 2)
        company.update("Booked", "a", {"Text": "y"})
        assert _joined(company)["a"] == ("y", "Pieter", two, one)
        assert _joined(company)["b"] == ("x", "Pieter", _BEFORE, one)

    def test_a_partner_goes_and_comes(self, company: Sandbox) -> None:
        company.delete("Partners", "P")
        assert _joined(company)["a"] == ("x", None, _BEFORE, None)
        company.insert("Partners", ("P", "Paula", True, None))
        assert _joined(company)["b"] == ("x", "Paula", _BEFORE, stored(_NOW))
        company.update("Partners", "P", {"Active": False})
        assert _joined(company)["b"] == ("x", None, _BEFORE, None)
        company.update("Partners", "Q", {"Code": "P", "Active": True})
        assert _joined(company)["b"][1] == "Quinten"

    def test_rows_come_and_go(self, company: Sandbox) -> None:
        company.delete("Booked", "a")
        company.insert("Booked", _booked("e", 1, "P"))
        company.update("Booked", "b", {"Id": "f", "Relation": "Q"})
        assert set(_joined(company)) == {"c", "d", "e", "f"}
        assert _joined(company)["e"] == ("x", "Piet", _BEFORE, _BEFORE)
        assert _joined(company)["f"] == ("x", None, stored(_NOW), None)

    def test_an_inner_join_leaves_rows_out(self, sandbox: Sandbox) -> None:
        sandbox.load(_tables(dataclasses.replace(JOIN, outer=False)))
        assert set(_joined(sandbox)) == {"a", "b"}
        sandbox.update("Partners", "P", {"Active": False})
        sandbox.update("Partners", "Q", {"Active": True})
        assert set(_joined(sandbox)) == {"c"}
        sandbox.update("Booked", "a", {"Relation": "Q"})
        assert set(_joined(sandbox)) == {"a", "c"}

    def test_it_is_joined_anew_when_a_table_is_replaced(self, company: Sandbox) -> None:
        backup = company.snapshot("Booked")
        company.replace("Booked", [_booked("z", 1, "P")])
        assert _joined(company) == {"z": ("x", "Piet", _BEFORE, _BEFORE)}
        company.restore("Booked", backup)
        assert set(_joined(company)) == set("abcd")
        company.add(Table(PARTNERS, [("Q", "Q", True, None)], lambda number: (f"P{number}", "new", True, None)))
        assert [row[1] for row in _joined(company).values()] == [None, None, "Q", None]

    def test_of_two_partners_the_first_counts(self, company: Sandbox) -> None:
        company.insert("Partners", ("P", "Paula", True, None))
        for _ in range(2):
            assert _joined(company)["a"][1] == "Piet"
            company.restore("Booked", company.snapshot("Booked"))

    def test_changes_asked_of_it_are_made_in_either_table(self, company: Sandbox) -> None:
        done = company.change("Both", updates=30)
        assert {change.connector for change in done} == {"Booked", "Partners"}
        assert {change.connector for change in company.change("Both", inserts=5, deletes=5, reinserts=2)} == {"Booked"}

    def test_it_goes_on_when_a_field_returns(self, company: Sandbox) -> None:
        company.alter("Booked", [field for field in BOOKED.fields if field.id != "Text"])
        company.delete("Booked", "a")
        assert set(_joined(company)) == set("abcd")
        company.alter("Booked", BOOKED.fields)
        assert set(_joined(company)) == set("bcd")

    def test_of_an_empty_field_there_is_no_partner(self, company: Sandbox) -> None:
        company.insert("Partners", (None, "Nobody", True, None))
        company.insert("Booked", _booked("e", 1))
        assert _joined(company)["e"][1] is None
        company.replace("Booked", [_booked("e", 1)])
        assert _joined(company)["e"][1] is None


def test_a_round_leaves_alone_what_follows(company: Sandbox) -> None:
    own = company.count("Booked") + company.count("Partners")
    assert len(company.change_everywhere(updates=0, inserts=1, deletes=0, moves=0)) == own


def test_what_can_not_happen_in_one_connector_happens_in_another(company: Sandbox) -> None:
    for _ in range(20):
        (gone,) = company.change("Partners", deletes=1)
        (back,) = company.change(reinserts=1)
        assert (back.connector, back.key) == ("Partners", gone.key)


def _truth(company: Sandbox) -> dict[Cell, Row]:
    """The join, worked out another way."""
    partners: dict[Cell, Row] = {}
    for row in company.rows("Partners"):
        if row[2]:
            partners.setdefault(row[0], row)
    rows: Iterable[Row] = company.rows("Booked")
    none: Row = (None,) * 4
    return {row[0]: (row[3], partners.get(row[2], none)[1], row[5], partners.get(row[2], none)[3]) for row in rows}


@pytest.mark.parametrize("seed", range(10))
def test_after_any_changes_all_is_true(seed: int) -> None:
    minutes = 0

    def clock() -> dt.datetime:
        return _NOW + dt.timedelta(minutes=minutes)

    with Sandbox(_tables(), seed=seed, clock=clock, changes_per_request=3) as company:
        touched = _days(company)
        gone: dict[Cell, Cell] = {}
        chance = random.Random(seed)  # noqa: S311 - the play of a test
        for minutes in range(1, 60):  # noqa: B007 - the clock reads it
            done: list[Change] = company.change(
                chance.choice([None, "Booked", "Partners", "Both", "Days", "Gone"]),
                updates=chance.randrange(3),
                inserts=chance.randrange(3),
                deletes=chance.randrange(3),
                reinserts=chance.randrange(2),
                moves=chance.randrange(2),
            )
            for change in done:
                assert change.connector in {"Booked", "Partners"}
                if change.connector == "Booked":
                    rows = [row for row in (change.before, change.after) if row]
                    touched |= {row[1]: stored(clock()) for row in rows if row[1]}
                    if change.before and not change.after:
                        gone[change.before[0]] = stored(clock())
            assert _joined(company) == _truth(company)
            assert _days(company) == touched
            assert {row[0]: row[2] for row in company.rows("Gone")} == gone
        with asking(company) as ask:
            for connector_id in ["Both", "Days", "Gone", "Booked", "Partners"] * 5:
                ask.rows(connector_id)
        assert _joined(company) == _truth(company)
        assert {row[1] for row in company.rows("Booked") if row[1]} <= set(_days(company))


@pytest.mark.parametrize(
    ("connector", "follows"),
    [
        (dataclasses.replace(DAYS, stamp=None), LISTED),
        (dataclasses.replace(DAYS, key=("Touched", "At")), LISTED),
        (DAYS, ChangedDays("Days", "Touched")),
        (dataclasses.replace(GONE, created=None), DELETED),
        (GONE, DeletedRows("Booked", {"Nope": "Id"})),
        (GONE, DeletedRows("Booked", {}, {"Deleted": True})),
        (dataclasses.replace(BOTH, key=()), JOIN),
        (dataclasses.replace(BOTH, key=("Name",)), JOIN),
        (BOTH, dataclasses.replace(JOIN, second_fields={"Nope": "Name"})),
    ],
)
def test_what_can_not_follow(
    sandbox: Sandbox, connector: Connector, follows: Joined | ChangedDays | DeletedRows
) -> None:
    with pytest.raises(ValueError, match=f"^{connector.id} can't follow .*: it lacks a key or a field$"):
        sandbox.add(Table(connector, [], lambda number: (), follows=follows))
    assert connector.id not in sandbox.connectors


def test_without_what_they_follow_rows_are_their_own(company: Sandbox) -> None:
    company.remove("Booked")
    assert len(_joined(company)) == 4
    assert [change.connector for change in company.change("Days", inserts=1)] == ["Days"]
    company.update("Partners", "P", {"Name": "Pieter"})
    assert _joined(company)["a"][1] == "Piet"


def test_definitions_that_change(company: Sandbox) -> None:
    company.alter("Days", [*DAYS.fields, _string("More")])
    moment = _at(company, 1)
    company.update("Booked", "a", {"Text": "y"})
    assert next(company.rows("Days")) == (_day(1), moment, None)
    company.alter("Both", [field for field in BOTH.fields if field.id != "Gewijzigd_op_2"])
    company.update("Partners", "P", {"Name": "Pieter"})
    assert _joined(company)["a"] == ("y", "Pieter", moment)
    company.alter("Both", [field for field in BOTH.fields if field.id != "Id"])
    company.update("Partners", "P", {"Name": "Petra"})
    assert ("y", "Pieter", moment, None) in list(company.rows("Both"))
    company.alter("Gone", [field for field in GONE.fields if field.id != "Deleted"])
    company.delete("Booked", "c")
    assert list(company.rows("Gone")) == [("c", moment)]
    company.alter("Booked", [field for field in BOOKED.fields if field.id != "Day"])
    _at(company, 2)
    company.update("Booked", "a", {"Text": "z"})
    assert next(company.rows("Days")) == (_day(1), moment, None)

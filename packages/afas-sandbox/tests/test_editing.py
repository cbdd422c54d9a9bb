"""What is done to an environment: purges, backups put back, rows that move out of view, pages read in pieces."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from asking import ITEM, Asking, asking, item, items, structured

from afas_sandbox import KEEP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox import Request, Sandbox

_CODES = [f"{number:02}" for number in range(20)]


@pytest.fixture
def alive(sandbox: Sandbox) -> Sandbox:
    sandbox.load([items(*(item(code, Name="x", Number=int(code), Blocked=False) for code in _CODES))])
    return sandbox


@pytest.fixture
def ask(alive: Sandbox) -> Iterator[Asking]:
    with asking(alive) as client:
        yield client


def _all(ask: Asking, **asked: Any) -> list[str]:
    everything: dict[str, Any] = {"orderbyfieldids": "Code", "take": 1000}
    return ask.rows(**everything | asked).codes


def test_neighbours_go(alive: Sandbox, ask: Asking) -> None:
    gone = alive.purge("Item", orderbyfieldids="Code", skip=5, take=10)
    assert [change.key for change in gone] == [(code,) for code in _CODES[5:15]]
    assert {change.kind for change in gone} == {"delete"}
    assert _all(ask) == _CODES[:5] + _CODES[15:]
    alive.purge("Item", filterfieldids="Number", filtervalues=3, operatortypes=2, orderbyfieldids="-Code", take=2)
    assert _all(ask) == [*_CODES[:5], "15", "16", "17"]
    alive.purge("Item", skip=-1, take=-1)
    assert _all(ask) == []


def test_a_purge_takes_the_order_of_the_database_and_no_notice_of_caps(alive: Sandbox, ask: Asking) -> None:
    alive.options.change(take_cap=1, padded={"Code": 5})
    alive.replace("Item", map(item, ("9", "100", "10")))
    assert [change.key for change in alive.purge("Item", orderbyfieldids="Code", take=2)] == [("9",), ("10",)]
    assert ask.rows().codes == ["100"]


def test_rows_without_a_key_are_purged_by_their_number(sandbox: Sandbox) -> None:
    sandbox.load([items(*map(item, "ABCD"), connector=dataclasses.replace(ITEM, key=()))])
    assert [change.key for change in sandbox.purge("Item", orderbyfieldids="Code", skip=1, take=2)] == [(2,), (3,)]


def test_a_backup_is_put_back(alive: Sandbox, ask: Asking) -> None:
    backup = alive.snapshot("Item")
    before = ask.rows(orderbyfieldids="Code").body
    alive.purge("Item", orderbyfieldids="Code", take=5)
    alive.update("Item", "07", {"Name": "y"})
    alive.insert("Item", item("20"))
    assert ask.rows(orderbyfieldids="Code").body != before
    alive.restore("Item", backup)
    assert ask.rows(orderbyfieldids="Code").body == before
    assert alive.snapshot("Item") == backup
    alive.insert("Item", item("21"))
    assert [number for number, row in alive.numbered_rows("Item") if row[0] == "21"] == [22]


def test_a_row_moves_out_of_a_clients_filter_and_keeps_its_stamp(alive: Sandbox, ask: Asking) -> None:
    before = ask.where("Code", 1, "03").rows[0]
    alive.update("Item", "03", {"Blocked": True}, stamp=KEEP)
    assert "03" not in ask.where("Blocked", 1, "false").codes
    assert ask.where("Code", 1, "03").rows[0] == before | {"Blocked": True}


def test_a_connector_has_a_filter_of_its_own(alive: Sandbox, ask: Asking) -> None:
    own = {"filterfieldids": "Blocked,Number;Code", "filtervalues": "0,18;19", "operatortypes": "1,5;1"}
    alive.options.own_filters = {"Item": own}
    assert _all(ask) == [*_CODES[:18], "19"]
    assert ask.where("Number", 2, 17).codes == ["17", "19"]
    either = structured([("Number", 5, 1)], [("Number", 4, 17)])
    assert _all(ask, filterjson=either) == ["00", "19"]
    alive.update("Item", "00", {"Blocked": True}, stamp=KEEP)
    assert _all(ask, filterjson=either) == ["19"]
    assert alive.count("Item") == 20
    alive.options.own_filters = {}
    assert _all(ask) == _CODES
    alive.faults = [{"ignore_filter": True}]
    alive.options.own_filters = {"Item": own}
    assert ask.where("Code", 1, "00").codes == [*_CODES[1:18], "19"]


def test_a_filter_of_its_own_is_read_as_stored(sandbox: Sandbox, ask: Asking) -> None:
    today = {"filterfieldids": "Modified", "filtervalues": "2024-01-01T12:00:00", "operatortypes": "2"}
    sandbox.load([items(item("A"))], own_filters={"Item": today}, shifted_literals=7200)
    assert _all(ask) == ["A"]
    assert ask.where("Modified", 2, "2024-01-01T12:00:00").codes == []


@pytest.mark.parametrize("pieces", [1, 2, 3, 7, 20, 100])
def test_a_page_in_pieces_is_the_same_page_when_nothing_happens(alive: Sandbox, ask: Asking, pieces: int) -> None:
    alive.replace("Item", [item(code, Number=None if number % 3 else number % 2) for number, code in enumerate(_CODES)])
    asked: list[dict[str, Any]] = [
        {"orderbyfieldids": "Number,-Code"},
        {"orderbyfieldids": "-Number,Code", "skip": 3, "take": 9},
        {"orderbyfieldids": "-Number,-Modified,Code", "skip": -1, "take": -1},
        {"orderbyfieldids": "Code", "filterjson": structured([("Number", 1, 0)], [("Code", 4, "12")])},
        {"orderbyfieldids": "Code", "filterfieldids": "Code", "filtervalues": "X", "operatortypes": "1"},
    ]
    at_once = [ask.rows(**one).body for one in asked]
    times: list[Request] = []
    alive.options.pieces = pieces
    alive.within_request = times.append
    assert [ask.rows(**one).body for one in asked] == at_once
    assert len(times) == (pieces - 1) * len(asked)
    assert sorted(_all(ask, orderbyfieldids="Number")) == sorted(_all(ask, orderbyfieldids="")) == _CODES


@pytest.mark.parametrize("collation", ["ci_as", "ci_ai", "cs_as", "binary"])
def test_pieces_follow_each_other_in_every_order(alive: Sandbox, ask: Asking, collation: str) -> None:
    names = ["a", "A", "\u00e1", "co-op", "coop", "\u00e6", "ae", "\uff21", "", None, " a", "a "]
    alive.replace("Item", [item(f"{number:02}", Name=name) for number, name in enumerate(names)])
    alive.options.change(collation=collation, padded={"Code": 4}, shuffle_ties=False)
    orders = ["Name,Code", "-Name,-Code", "Name", "-Name", "Code"]
    at_once = [ask.rows(orderbyfieldids=order).codes for order in orders]
    alive.options.pieces = 5
    alive.within_request = lambda _: None
    assert [ask.rows(orderbyfieldids=order).codes for order in orders] == at_once


def test_what_changes_while_a_page_is_read(alive: Sandbox, ask: Asking) -> None:
    moments: list[str] = []

    def meanwhile(request: Request) -> None:
        moments.append(request.parameters["orderbyfieldids"])
        for code in ("02", "12"):
            alive.update("Item", code, {"Name": "y"}, stamp=KEEP)
        alive.purge("Item", orderbyfieldids="Code", skip=8, take=4)
        alive.insert("Item", item("05a"))
        alive.insert("Item", item("15a"))

    alive.within_request = meanwhile
    rows = ask.rows(orderbyfieldids="Code", take=20).rows
    assert moments == ["Code"]
    assert [row["Code"] for row in rows] == [*_CODES[:10], *_CODES[12:16], "15a", *_CODES[16:]]
    assert {row["Code"]: row["Name"] for row in rows if row["Code"] in {"02", "12"}} == {"02": "x", "12": "y"}


def test_a_row_that_moves_ahead_comes_twice_and_one_that_moves_behind_never(alive: Sandbox, ask: Asking) -> None:
    now = dt.datetime(2024, 5, 1, 12)  # noqa: DTZ001 - wall time has no zone
    alive.clock = lambda: now
    alive.replace("Item", [item(code, Modified=f"2024-01-{number + 1:02}") for number, code in enumerate("ABCDEF")])

    def meanwhile(_: Request) -> None:
        nonlocal now
        now += dt.timedelta(minutes=5)
        alive.update("Item", "A")
        alive.update("Item", "F", {"Modified": "2023-01-01"})

    alive.within_request = meanwhile
    heard = ask.rows(orderbyfieldids="Modified,Code")
    assert heard.codes == ["A", "B", "C", "D", "E", "A"]
    assert heard.rows[-1]["Modified"] == "2024-05-01T12:05:00Z"
    assert heard.headers["Date"] == "Wed, 01 May 2024 10:05:00 GMT"


def test_a_page_stays_as_long_as_asked_and_new_rows_fill_one_that_was_not_full(alive: Sandbox, ask: Asking) -> None:
    alive.options.pieces = 4

    def meanwhile(request: Request) -> None:
        alive.insert("Item", item(f"9{request.number}{alive.count('Item')}"))

    alive.within_request = meanwhile
    assert _all(ask, take=10) == _CODES[:10]
    assert len(_all(ask, take=30)) == 26


def test_a_definition_that_changes_while_a_page_is_read(alive: Sandbox, ask: Asking) -> None:
    alive.within_request = lambda _: alive.alter("Item", ITEM.fields[:2])
    assert ask.rows(orderbyfieldids="Code").message == "Er is een onverwachte fout opgetreden."


def test_the_hook_ends_with_the_environment(alive: Sandbox) -> None:
    alive.within_request = lambda _: None
    alive.load()
    assert alive.within_request is None

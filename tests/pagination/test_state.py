"""What a stream's part of the STATE holds, and what becomes of one that was written elsewhere."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afas_sandbox import Fault, Field
from harness.depth import depth
from harness.source import FIELDS, WALKS, Source, Ticking, Walk, row
from harness.syncing import run
from harness.targets import Target, record

if TYPE_CHECKING:
    from afas_sandbox import Row, Sandbox
    from harness.run import Run

_EMPTY = {
    "replication_key": "Modified",
    "replication_key_value": None,
    "bookmark": None,
    "settled": None,
    "pending": None,
    "pending_at": None,
    "unit": None,
    "witness": None,
    "place": "",
    "version": None,
    "active_version": None,
    "refreshed_at": None,
    "refresh_tried_at": None,
    "rows_read": None,
    "rows_whole": None,
    "key": None,
    "loaded_under": "",
    "environment": "",
    "rows_fit": None,
    "further": "",
    # Of the version before.
    "delivered": None,
    "empties_read": None,
}
_BY_DAY = (*FIELDS[:4], Field("Modified", "date", "Changed on", "Gewijzigd op", control_type=4))
# What the version before wrote, as it wrote it. Its rows: `_rows`, or in a killed run, `_same`.
_RECORDED: dict[str, dict[str, Any]] = json.loads("""{
  "complete": {"replication_key": "Modified", "replication_key_value": "2024-05-15T08:00:00+00:00",
    "empties_read": true, "delivered": "HHpV6Z2zjxpvu8STI+2N8G2HiGeNd8FRmY4qeO0FPrib8FAMs5z8xA==", "rows_read": 13},
  "killed": {"replication_key": "Modified", "replication_key_value": "2024-05-15T06:00:00+00:00",
    "empties_read": true, "delivered": "MPnuF5fhAOVELP4t06Innaio9K5RJHieVRH+uwQsSjhYy+fhR+SnRw==",
    "place": {"keys": ["Id"], "after": ["4"], "since": "2024-05-15T07:59:59", "until": "2024-05-15T08:00:02"}},
  "killed at once": {"replication_key": "Modified", "empties_read": true},
  "number": {"replication_key": "Number", "replication_key_value": 5, "empties_read": true,
    "delivered": "mY4qeO0FPrib8FAMs5z8xA==", "rows_read": 13},
  "day": {"replication_key": "Modified", "replication_key_value": "2024-05-15", "empties_read": true,
    "delivered": "D4rAnLNB2evelRUpq0nzyg==", "rows_read": 13},
  "full table": {"rows_read": 13}
}""")


def _rows(clock: Ticking) -> list[Row]:
    return [
        *(row(n, clock.ago(1000 - n * 100), code=f"C{n:02}", name=f"row {n}", amount=n // 2) for n in range(12)),
        row(90, None, name="no stamp"),
    ]


def _same(clock: Ticking) -> list[Row]:
    return [row(n, clock.ago(7200), code=f"C{n:02}", name=f"row {n}") for n in range(12)]


def _parts(ran: Run) -> list[dict[str, Any]]:
    """The stream's part of each STATE, in the form of this version."""
    states = [one["value"].get("bookmarks", {}).get("Item", {}) for one in ran.messages if one["type"] == "STATE"]
    return [part for part in states if "bookmark" in part]


def _record(found: Row, name: str) -> dict[str, Any]:
    return record(found) | ({"Modified": found[4] and str(found[4])[:10]} if name == "day" else {})


def _state(part: dict[str, Any]) -> dict[str, Any]:
    return {"bookmarks": {"Item": part}}


@pytest.mark.slow
@pytest.mark.parametrize("walk", [*WALKS, "number"])
@depth(8)
@given(page_size=st.integers(1, 20), fails=st.one_of(st.none(), st.integers(1, 9)), versions=st.booleans())
def test_every_state_holds_all_keys(
    sandbox: Sandbox, *, walk: str, page_size: int, fails: int | None, versions: bool
) -> None:
    clock = Ticking()
    source = Source(sandbox, Walk(("Id",), "Number") if walk == "number" else Walk.named(walk), _rows(clock), clock)
    state: dict[str, Any] = {}
    for nth in (None, fails, None):
        sandbox.faults = [Fault(kind="rows", nth=nth, refuse="blocked")] if nth else []
        ran = run(source, state, page_size=page_size, emit_activate_version_messages=versions)
        parts = _parts(ran)
        assert parts
        for part in parts:
            assert part.keys() == _EMPTY.keys()
            assert all(value is None or type(value) in {str, int} for value in part.values()), part
            assert part["delivered"] is part["empties_read"] is None
            assert type(part["place"]) is str
        kinds = [message["type"] for message in ran.messages]
        before = kinds[: kinds.index("RECORD")] if "RECORD" in kinds else kinds
        assert "STATE" in before
        state = ran.state
        source.update(1, clock.ago(0), Name="changed")
        clock.tick(60)


def _own(**values: Any) -> dict[str, Any]:
    at = {"pending": "2024-05-15T10:00:00", "pending_at": "2024-05-15T08:00:03+00:00", "unit": "second"}
    value = {"replication_key_value": "2024-05-15T08:00:00+00:00", "bookmark": "2024-05-15T10:00:00"}
    return {**_EMPTY, **value, **at, "witness": "[10]", "rows_read": 13, **values}


_PLACE = json.dumps({
    "reading": "changed",
    "cursor": ["[4]"],
    "lower": "2024-05-15T09:54:58",
    "highest": "2024-05-15T10:00:00",
    "witness": "[10]",
    "asked": True,
    "cap": "2024-05-15T10:00:00",
    "met": False,
    "keys": ["Id"],
    "start": "2024-05-15T08:00:00+00:00",
})


@pytest.mark.parametrize(
    ("found", "first"),
    [
        ({}, _EMPTY),
        (_own(), _own()),
        (_own(place=_PLACE), _own(place=_PLACE)),
        (_own(replication_key="Number", bookmark=7, place=_PLACE), _EMPTY | {"rows_read": 13}),
        (
            _RECORDED["complete"],
            _EMPTY
            | {
                "replication_key_value": "2024-05-15T08:00:00+00:00",
                "bookmark": "2024-05-15T10:00:00",
                "rows_read": 13,
                "key": '["Id"]',
            },
        ),
        (
            _RECORDED["killed"],
            _EMPTY
            | {
                "replication_key_value": "2024-05-15T06:00:00+00:00",
                "bookmark": "2024-05-15T08:00:00",
                "key": '["Id"]',
            },
        ),
        (_RECORDED["killed at once"], _EMPTY | {"key": '["Id"]'}),
    ],
    ids=["none", "own", "own, killed", "another replication key", "complete", "killed", "killed at once"],
)
def test_before_the_first_page_the_state_is_what_was_found(
    sandbox: Sandbox, found: dict[str, Any], first: dict[str, Any]
) -> None:
    clock = Ticking()
    source = Source(sandbox, Walk.named("by stamp"), _rows(clock), clock)
    sandbox.faults = [Fault(kind="rows", refuse="blocked")]
    ran = run(source, _state(found) if found else {})
    assert ran.error is not None
    assert _parts(ran)[-1] == first
    sandbox.faults = []
    whole = run(source, _state(found) if found else {})
    assert first in _parts(whole)[:2]


@pytest.mark.parametrize(
    ("name", "walk", "delivered"),
    [
        ("complete", Walk(("Id",), "Modified"), None),
        ("complete", Walk(("Code", "Id"), "Modified"), None),
        ("complete", Walk((), "Modified"), None),
        ("killed", Walk(("Id",), "Modified"), range(5)),
        ("killed at once", Walk(("Id",), "Modified"), ()),
        ("number", Walk(("Id",), "Number"), None),
        ("day", Walk(("Id",), "Modified"), None),
        ("full table", Walk(("Id",), None), None),
    ],
)
def test_a_state_of_the_version_before_is_taken_over_with_all_rows(
    sandbox: Sandbox, name: str, walk: Walk, delivered: range | tuple[int, ...] | None
) -> None:
    clock = Ticking()
    rows = _rows(clock) if delivered is None else _same(clock)
    if name == "day":
        rows = [
            (*found[:4], found[4] and f"{clock.ago(86_400 * int(found[0] or 0))[:10]}T00:00:00.000") for found in rows
        ]
    source = Source(sandbox, walk, rows, clock, fields=_BY_DAY if name == "day" else FIELDS)
    target = Target(walk.key)
    for found in rows:
        if delivered is None or found[0] in delivered:
            target.rows[tuple(_record(found, name)[field] for field in walk.key) or (-1, found[0])] = _record(
                found, name
            )
    # What came late, in the second of the bookmark, and since.
    reached = 7200 if name.startswith("killed") else 0
    for number, ago in ((2, reached + 290), (3, reached), (4, -1)):
        stamp = clock.ago(ago) if name != "day" else f"{clock.ago(max(0, ago))[:10]}T00:00:00.000"
        source.update(1 + number, stamp, Name="changed", **({"Number": 5} if name == "number" else {}))
    state = _state(_RECORDED[name])
    for pause in (5, 400, 86_400 * 3):
        clock.tick(pause)
        ran = run(source, state, page_size=3)
        assert ran.error is None, ran.said
        target.load(ran.output)
        state = ran.state
        lost = [found for found in source.rows.values() if _record(found, name) not in target.rows.values()]
        # Without a key, what is younger than the overlap may yet come.
        assert not lost or not walk.key, pause
    assert not lost


def test_a_number_of_the_version_before_has_settled(sandbox: Sandbox) -> None:
    source = Source(sandbox, Walk(("Id",), "Number"), _rows(Ticking()))
    ran = run(source, _state(_RECORDED["number"]))
    first, *_, last = _parts(ran)
    assert (first["bookmark"], first["settled"], first["pending"]) == (5, 5, None)
    assert (last["bookmark"], last["settled"], last["pending"]) == (5, 5, 5)
    assert {found["Id"] for found in ran.records()} == {10, 11}


def test_the_hour_that_comes_twice_is_taken_over_as_the_earliest_that_it_can_mean(sandbox: Sandbox) -> None:
    # As the version before wrote it on 28 October, its overlap in UTC.
    part = {"replication_key": "Modified", "replication_key_value": "2024-10-27T00:30:00+00:00", "empties_read": True}
    clock = Ticking(dt.datetime(2024, 10, 28))  # noqa: DTZ001 - wall time
    source = Source(sandbox, Walk.named("by stamp"), [row(1, "2024-10-27T02:30:00.000")], clock)
    ran = run(source, _state({**part, "delivered": "bZ1N5/BruiM=", "rows_read": 2}))
    # What changed a minute before the clock went back, or in its second pass, bears an earlier wall time.
    assert _parts(ran)[0]["bookmark"] == "2024-10-27T01:30:00"


@pytest.mark.parametrize(
    "part",
    [
        {"replication_key": "Modified", "replication_key_value": "2024-05-15T07:50:00Z"},
        {
            "replication_key": "Modified",
            "replication_key_value": "2024-05-15T07:50:00.123456+00:00",
            "stranger": {"a": 1},
        },
        {"replication_key": "Modified", "replication_key_value": "2024-05-15T07:50:00"},
        {"replication_key": "Modified", "replication_key_value": "2024-05-15"},
        {"replication_key": "Modified", "replication_key_value": "2024-05-15T09:50:00+02:00"},
        # Another tap of this SDK, killed.
        {"replication_key": "Modified", "starting_replication_value": "2024-05-15T07:50:00Z", "progress_markers": {}},
        # Wound back by hand, with all that stood there.
        _own(
            replication_key_value="2024-05-15T07:50:00+00:00",
            bookmark=None,
            place=_PLACE,
            settled="2024-05-15T10:00:00",
        ),
    ],
)
@pytest.mark.parametrize("walk", ["by stamp", "by stamp, no key"])
def test_a_state_of_another_tap_or_of_a_person_is_taken_over(sandbox: Sandbox, walk: str, part: dict[str, Any]) -> None:
    clock = Ticking()
    rows = [row(number, clock.ago(900 - number * 100), name=f"row {number}") for number in range(10)]
    source = Source(sandbox, Walk.named(walk), rows, clock)
    target = Target(source.walk.key)
    state = _state(part)
    for pause in (0, 400, 400):
        clock.tick(pause)
        ran = run(source, state, page_size=3)
        assert ran.error is None, ran.said
        target.load(ran.output)
        state = ran.state
    # From five minutes before 09:50 on.
    assert not target.missing(rows[1:])
    assert ran.bookmark.keys() == _EMPTY.keys()
    assert ran.records() == []


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("nowhere", "is not one that this version writes"),
        ('{"keys": 5}', "is not one that this version writes"),
        ("[" * 100_000, "is not one that this version writes"),
        (_PLACE.replace('["Id"]', '["Code"]'), "is about the key Code, and the key is Id now"),
        (_PLACE.replace('["Id"]', '["Id", "Code"]'), "is about the key Id, Code, and the key is Id now"),
        (_PLACE.replace('"[4]"', '"[\\\\"four\\\\"]"'), "is not one that this version writes"),
        (_PLACE.replace('"2024-05-15T09:54:58"', "5"), "is not one that this version writes"),
        (_PLACE.replace('"cap"', '"cup"'), "is not one that this version writes"),
        (_PLACE.replace("+00:00", ""), "is not one that this version writes"),
        (
            _PLACE.replace('"changed"', '"changed 2"'),
            "is in rows (changed 2) that this run doesn't read: the `filter` may",
        ),
    ],
)
def test_a_place_that_can_not_be_used_is_an_error_before_rows_are_asked(
    sandbox: Sandbox, place: str, told: str
) -> None:
    clock = Ticking()
    source = Source(sandbox, Walk.named("by stamp"), _rows(clock), clock)
    ran = run(source, _state(_own(place=place)))
    assert ran.error is not None
    assert f"Item: the state's `place` {told}" in ran.said
    assert "start anew: without --state, or `meltano run --full-refresh`" in ran.said
    assert (ran.pages, ran.records()) == ([], [])
    fresh = run(source)
    assert (fresh.error, len(fresh.records())) == (None, 13)

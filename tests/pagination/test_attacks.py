"""What broke the walks and the bookmark when they were attacked; each of these once lost rows or failed for nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from decimal import Decimal
from typing import Any

import pytest

from harness.world import Oddities, Rows, World, run
from tap_afas.bookmark import read_bookmark
from tap_afas.filters import split_filter
from tap_afas.inputs import StateError
from tap_afas.profit.metainfo import Connector, Field
from tap_afas.profit.pagination.key import KeyField
from tap_afas.profit.pagination.keyset import KeysetPaginator
from tap_afas.profit.pagination.lower_bound_check import StampComparisonError, StampWentBackError
from tap_afas.profit.pagination.offset import OffsetPaginator
from tap_afas.profit.pagination.page_size import PageSize
from tap_afas.profit.pagination.scan import Scan, StartingPoint
from tap_afas.profit.pagination.selection import all_rows
from tap_afas.profit.pagination.stamp_tracker import StampTracker
from tap_afas.profit.pagination.stream_paginator import Phase, StreamPaginator
from tap_afas.profit.query import Condition
from tap_afas.profit.wall_time import WallClock
from tap_afas.replication_key import ReplicationKey

_LONG = tuple(KeyField(name, "text") for name in "ABC")


def _world(**odd: Any) -> World:
    world = World(random.Random(1), Oddities(busy=False, kills=False, **odd))  # noqa: S311 - test data
    world.alive = False
    return world


def _witness(world: World, state: dict[str, Any]) -> list[Any]:
    return next(row for row in world.rows.values() if f"[{row[0][0]}]" == state["witness"])


@pytest.mark.parametrize("kill", range(1, 8))
def test_a_run_that_goes_on_asks_for_the_witness_as_well(kill: int) -> None:
    world = _world()
    state = run(world, {}, {})
    # What changes within two hours doesn't come from a server that reads literals two hours later than it shows stamps.
    world.odd = dataclasses.replace(world.odd, shift=7200)
    for wait, names in [(3600, list(world.rows)[:5]), (10_800, list(world.rows)[5:])]:
        world.wait(wait)
        for name in names:
            world.rows[name][2] = world.wall()
    killed = run(world, state, {}, kill)
    with pytest.raises(StampComparisonError):
        run(world, killed, {})


def test_a_restored_environment_fails_again_when_it_is_run_again() -> None:
    world = _world(empties=0.5)
    state = run(world, {}, {})
    world.wait(10_000)
    _witness(world, state)[2] -= dt.timedelta(hours=3)
    killed = run(world, state, {}, 4)
    assert killed["place"]
    with pytest.raises(StampWentBackError):
        run(world, killed, {})


def test_a_witness_that_met_its_run_before_it_was_killed_costs_no_question() -> None:
    world = _world(empties=0.5)
    state = run(world, {}, {})
    killed = run(world, state, {}, 3)
    readings: list[Any] = []
    run(world, killed, {}, trace=readings)
    assert killed["place"]
    assert Phase.LOWER_BOUND not in {step[-1] for step in readings}


def test_a_witness_without_a_stamp_proves_nothing() -> None:
    world = _world()
    state = run(world, {}, {})
    _witness(world, state)[2] = None
    world.wait(3600)
    next(iter(world.rows.values()))[2] = world.wall()
    world.odd = dataclasses.replace(world.odd, shift=7200)
    with pytest.raises(StampComparisonError):
        run(world, state, {})


def test_a_row_with_an_empty_key_is_no_witness() -> None:
    stamps = StampTracker(StartingPoint(), None)
    stamps.raise_highest(Rows([(1, None, None, 1, "2024-05-15T09:00:00")], 2), range(1), None)
    assert (stamps.highest, stamps.witness) == ("2024-05-15T09:00:00", None)


def test_whole_pages_may_go_as_often_as_they_like() -> None:
    keys = (KeyField("A", "int"),)
    walk = KeysetPaginator(keys, PageSize(2), ())
    rows = list(range(100))
    read: set[Any] = set()
    for _ in range(400):
        query = walk.next_query()
        low = max((int(one.value) for group in query.filter for one in group if one.operator == ">="), default=0)
        found = [key for key in rows if key >= low and not any(one.operator == "empty" for (one,) in query.filter)]
        page = Rows([(key, None, None, 1, None) for key in found[: query.take]], 1)
        before = walk.cursor
        read.update(page.keys[place][0] for place in walk.advance(query, page))
        if walk.cursor != before and len(rows) > 20:
            rows = [key for key in rows if (key,) not in walk.cursor]
        if walk.done:
            break
    assert walk.done
    assert read >= set(rows)


@pytest.mark.parametrize("groups", [0, 4])
@pytest.mark.parametrize("letter", ["x", "é", '"'])
def test_a_resumed_walk_uses_as_many_fields_as_a_question_holds(letter: str, groups: int) -> None:
    where = tuple((Condition("V", "=", str(number)),) for number in range(groups))
    last = tuple(name * 3 + letter * (100 if letter == "x" or not groups else 15) for name in "abc")
    assert KeysetPaginator(_LONG, PageSize(10), where, [last]).next_query().fits


def test_a_witness_whose_key_fills_the_query_string_is_not_asked_for() -> None:
    bore = "2024-05-15T09:00:00"
    size = PageSize(10)
    readings = StreamPaginator(
        [Scan(all_rows(), name="all")],
        walk=lambda where, cursor: KeysetPaginator(_LONG, size, where, cursor),
        by_offset=lambda where: OffsetPaginator(_LONG, size, where),
        order=[key.id for key in _LONG],
        keys=_LONG,
        size=size,
        stamp="S",
        since=StartingPoint(bore, bore, tuple(letter * 1000 for letter in "abc"), at_once=True),
    )
    readings.advance(readings.next_query(), Rows([], 3))
    assert readings.done


def test_a_filter_is_asked_in_parts_where_long_keys_leave_no_room_for_it() -> None:
    where = tuple((Condition("V", "=", str(number)),) for number in range(4))
    for length, count in ((10, 1), (250, 2)):
        connector = Connector("X", "", {"A": Field("A", "string", length=length)})
        assert len(split_filter(where, ["A"], "S", connector)) == count


@pytest.mark.parametrize("number", ["123456789012345678901234567890.12", "-0", "-99999999999999999999999999999.999"])
def test_the_number_before_one_with_many_digits_lies_before_it(number: str) -> None:
    assert Decimal(KeyField("A", "decimal").before(Decimal(number))) < Decimal(number)


@pytest.mark.parametrize("name", ["bookmark", "settled", "pending"])
@pytest.mark.parametrize(
    "literal", ["2026-03-01", "2026-03-01T09:15:00Z", "2026-03-01T09:15:00+01:00", "20260301T091500", "2026-W10-1"]
)
def test_a_literal_of_another_form_is_told_before_anything_is_asked(name: str, literal: str) -> None:
    key = ReplicationKey("S", "date-time", WallClock(), 300)
    state = {"replication_key": "S", "bookmark": "2026-03-01T09:15:00", name: literal}
    with pytest.raises(StateError, match=f"the state's `{name}` is '.*', not a wall time such as"):
        read_bookmark("X", state, key)


def test_a_bookmark_that_no_record_can_hold_is_told_with_its_record() -> None:
    key = ReplicationKey("S", "date-time", WallClock(), 300)
    bookmark = dataclasses.replace(read_bookmark("X", {}, key), bookmark="0001-01-01T00:00:00")
    assert bookmark.to_state(key)["replication_key_value"] == "0001-01-01T00:00:00+00:00"


@pytest.mark.parametrize("about", [[], {}, 5])
def test_a_replication_key_that_is_no_name_is_another_one(about: Any) -> None:
    key = ReplicationKey("S", "date-time", WallClock(), 300)
    assert read_bookmark("X", {"replication_key": about, "bookmark": "2026-03-01T09:15:00"}, key).bookmark is None

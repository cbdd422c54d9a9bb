"""Where a walk ends, and keys that AFAS holds equal: caps, collations, rows that all sort alike, runs that go on."""

from __future__ import annotations

import collections
import itertools
from typing import TYPE_CHECKING, Any

import pytest

from harness.source import Ticking
from harness.story import Story, item

if TYPE_CHECKING:
    from afas_sandbox import Request, Row, Sandbox

_COLLATIONS = ["ci_as", "ci_ai", "cs_as", "binary"]
_LOOKALIKES = ("strasse", "STRASSE", "straße", "Cæsar", "caesar", "café", "CAFE", "cafe ", "co-op", "coop", "\uff23oop")


def _rows(count: int, newest: float = 3000, **values: Any) -> list[Row]:
    clock = Ticking()
    return [
        item(number, clock.ago(newest + number), **{name: make(number) for name, make in values.items()})
        for number in range(count)
    ]


def _lookalike(number: int) -> str:
    return f"{_LOOKALIKES[number % 11]}{number // 33}"


@pytest.mark.slow
@pytest.mark.parametrize("key", [("Id",), ("Kind", "Code"), ()], ids=str)
@pytest.mark.parametrize("stamp", [None, "Modified"])
@pytest.mark.parametrize("cap", [100, 128, 250])
def test_a_cap_anywhere_at_or_above_afas_own_page(
    sandbox: Sandbox, *, key: tuple[str, ...], stamp: str | None, cap: int
) -> None:
    story = Story(sandbox, _rows(510), key=key, stamp=stamp, settings={"page_size": 300}, take_cap=cap)
    story.whole()
    if key and stamp:
        for count in (99, 100, 128, cap, 250):
            story.clock.tick(700)
            for number in range(count):
                story.touch(number + 1)
            story.whole()


@pytest.mark.parametrize("key", [("Id",), ("Kind", "Id")], ids=str)
@pytest.mark.parametrize("cap", [None, 100, 150])
def test_rows_that_come_at_the_end_while_it_is_looked_for(sandbox: Sandbox, key: tuple[str, ...], cap: int) -> None:
    story = Story(sandbox, _rows(300), key=key, settings={"page_size": 200}, take_cap=cap)
    numbers = itertools.count(1000)

    def insert(_: Request) -> None:
        if next(numbers) < 1030:
            story.insert(item(next(numbers), story.clock.ago(0), Kind=2))

    story.watch()
    with story.before_each(insert):
        ran = story.sync()
    assert ran.error is None, ran.said
    assert not story.lost(story.due)
    story.whole()


@pytest.mark.slow
@pytest.mark.parametrize("collation", _COLLATIONS)
@pytest.mark.parametrize("key", [("Code", "Id"), ("Kind", "Code", "Id"), ("Id",), ()], ids=str)
@pytest.mark.parametrize("stamp", [None, "Modified"])
def test_texts_that_only_afas_holds_equal(
    sandbox: Sandbox, *, collation: str, key: tuple[str, ...], stamp: str | None
) -> None:
    rows = _rows(120, Code=_lookalike, Name=_lookalike)
    story = Story(sandbox, rows, key=key, stamp=stamp, settings={"page_size": 7}, collation=collation)
    story.whole()
    if key and stamp:
        for number in range(1, 121, 2):
            story.touch(number)
        story.whole()


@pytest.mark.slow
@pytest.mark.parametrize("collation", _COLLATIONS)
@pytest.mark.parametrize("page_size", [3, 7, 30])
def test_rows_that_only_their_texts_tell_apart(sandbox: Sandbox, collation: str, page_size: int) -> None:
    rows = [
        item(1, "2024-03-01T00:00:00", Price="1.00", At=None, Kind=0, Code=_lookalike(number)) for number in range(66)
    ]
    for _ in range(3):
        ran = Story(sandbox, rows, key=(), stamp=None, settings={"page_size": page_size}, collation=collation).sync()
        have = {one["Code"] for one in ran.records()}
        assert ran.error is not None or have == {_lookalike(number) for number in range(66)}


@pytest.mark.slow
@pytest.mark.parametrize("stamp", [None, "Modified"])
@pytest.mark.parametrize("page_size", [2, 10, 400])
def test_a_key_of_which_the_first_fields_are_all_the_same(sandbox: Sandbox, stamp: str | None, page_size: int) -> None:
    rows = _rows(300, Kind=lambda _: 7, Code=lambda number: f"C{number // 60}")
    story = Story(sandbox, rows, key=("Kind", "Code", "Id"), stamp=stamp, settings={"page_size": page_size})
    ran = story.whole()
    assert len(ran.pages) <= 4 + 300 // max(1, page_size - 1)


# Runs that go on


@pytest.mark.slow
@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("days", [0, 3, 40])
def test_a_killed_run_goes_on_weeks_later(sandbox: Sandbox, cut: float, days: int) -> None:
    story = Story(sandbox, _rows(200), settings={"page_size": 20})
    story.sync(cut=cut)
    read = len(story.target.rows)
    assert 0 < read < 200
    for number in (1, read, read + 1, 200):
        story.clock.tick(days * 21_600 + 1)
        story.touch(number)
    ran = story.sync()
    assert ran.error is None, ran.said
    # It neither asks for the highest stamp again nor for what was read.
    assert not [page for page in ran.pages if "orderbyfieldids=-" in page.query]
    assert len(ran.records()) <= 200 - read + 1
    story.whole()


def test_a_killed_incremental_run_goes_on_too(sandbox: Sandbox) -> None:
    story = Story(sandbox, _rows(200), settings={"page_size": 20})
    story.whole()
    for number in range(1, 151):
        story.clock.tick(1)
        story.touch(number)
    story.sync(cut=0.5)
    story.clock.tick(86_400)
    story.touch(1)
    story.touch(150)
    assert len(story.sync().records()) < 120
    story.whole()


def test_a_full_table_that_was_killed_starts_again_under_a_higher_version(sandbox: Sandbox) -> None:
    settings = {"page_size": 20, "emit_activate_version_messages": True}
    story = Story(sandbox, _rows(100), stamp=None, settings=settings)
    versions = []
    for cut in (0.5, None, 0.5, None):
        ran = story.sync(cut=cut)
        assert len(ran.records()) == 100
        versions += [{one["version"] for one in ran.messages if "version" in one}]
        story.clock.tick()
    assert all(len(found) == 1 for found in versions)
    assert versions == sorted(versions, key=min)
    assert len(set.union(*versions)) == 4


# Streams that append


@pytest.mark.parametrize("compared", ["stored", "shown"])
@pytest.mark.parametrize("unit", ["second", "minute", "hour", "day"])
def test_each_version_is_appended_once(sandbox: Sandbox, unit: str, compared: str) -> None:
    rows = [*_rows(30), *(item(100 + number, None) for number in range(5))]
    story = Story(sandbox, rows, key=(), settings={"page_size": 9}, stamp_unit=unit, stamps_compared=compared)
    for wait in (0, 30, 400, 90_000, 5, 3000, 200_000, 1):
        ran = story.sync()
        assert ran.error is None, ran.said
        number = wait % 30 + 1
        story.clock.tick(wait)
        story.update(number, story.clock.ago(200), Name=f"committed late {story.clock.now}")
    for _ in range(4):
        story.clock.tick(3 * 86_400)
        ran = story.sync()
    assert not ran.records()
    assert not story.lost()
    have = collections.Counter(one["Name"] for one in story.target.rows.values())
    assert set(have.values()) == {1}

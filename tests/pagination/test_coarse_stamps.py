"""Stamps that don't tell rows apart: shown by the minute or the day, many in one second, an hour that comes twice."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from afas_sandbox import stored
from harness.source import NOW
from harness.story import Moments, Story, item

if TYPE_CHECKING:
    from afas_sandbox import Request, Row, Sandbox

_UNITS = ["minute", "hour", "day"]
_COMPARED = ["stored", "shown"]


def _within(count: int, seconds: float, ends: dt.datetime = NOW) -> list[Row]:
    """Rows that changed within so many seconds, in another order than that of their key."""
    return [
        item(number, stored(ends - dt.timedelta(seconds=1 + number * 37 % count * seconds / count)))
        for number in range(count)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("compared", _COMPARED)
@pytest.mark.parametrize("unit", _UNITS)
def test_many_rows_in_one_step_cost_no_more_than_their_pages(sandbox: Sandbox, unit: str, compared: str) -> None:
    rows = _within(2900, 3500)
    story = Story(sandbox, rows, settings={"page_size": 100}, stamp_unit=unit, stamps_compared=compared)
    assert len(story.whole().pages) <= 2 + 2900 // 99 + 1
    story.clock.tick(1)
    # Where AFAS compares what it shows, a run reads the whole step again, until that is over.
    asked = len(story.whole().pages)
    assert asked <= 4 + 2900 // 99 + 2


@pytest.mark.slow
@pytest.mark.parametrize("compared", _COMPARED)
@pytest.mark.parametrize("unit", _UNITS)
@pytest.mark.parametrize("wait", [5, 70, 700, 30_000])
def test_changes_within_a_step(sandbox: Sandbox, *, unit: str, compared: str, wait: int) -> None:
    story = Story(sandbox, _within(60, 9000), settings={"page_size": 25}, stamp_unit=unit, stamps_compared=compared)
    for turn in range(6):
        story.whole()
        story.clock.tick(wait)
        story.touch(turn + 1)
        story.touch(10)
        story.update(20 + turn, story.clock.ago(290), Name=f"committed late {turn}")
    story.whole()


@pytest.mark.slow
@pytest.mark.parametrize("compared", _COMPARED)
@pytest.mark.parametrize("unit", _UNITS)
def test_changes_while_it_reads(sandbox: Sandbox, unit: str, compared: str) -> None:
    story = Story(sandbox, _within(60, 9000), settings={"page_size": 7}, stamp_unit=unit, stamps_compared=compared)
    for _ in range(4):
        asked = 0

        def change(_: Request) -> None:
            nonlocal asked
            asked += 1
            story.clock.tick(20)
            # Every page finds that a row behind it has changed, and one before it.
            story.touch(asked * 5 % 60 + 1)
            story.touch(61 - (asked * 3 % 60 + 1))

        story.watch()
        with story.before_each(change):
            ran = story.sync()
        assert ran.error is None, ran.said
        assert not story.lost(story.due)
        assert asked < 60
        story.clock.tick(500)
    story.whole()


def test_rows_that_change_all_the_time_do_not_keep_the_end_away(sandbox: Sandbox) -> None:
    story = Story(sandbox, _within(100, 9000), settings={"page_size": 10})
    story.whole()

    def change(_: Request) -> None:
        for number in range(1, 101):
            story.clock.tick(0.1)
            story.touch(number)

    with story.before_each(change):
        assert len(story.sync().pages) < 30
    story.whole()


@pytest.mark.parametrize("display", ["rounded", "cut", "exact"])
def test_a_mass_import_that_fills_a_second(sandbox: Sandbox, display: str) -> None:
    rows = [
        item(number, "2024-05-15T09:30:07.250" if number % 7 else "2024-05-15T09:30:07.750") for number in range(500)
    ]
    story = Story(sandbox, rows, settings={"page_size": 20}, display=display)
    assert len(story.whole().pages) < 40
    story.clock.tick(600)
    # And another, of which a page is read while it is under way.
    for number in range(1, 501):
        story.touch(number)

    def go_on(request: Request) -> None:
        if request.number < 9:
            story.touch(request.number)
            story.touch(500 - request.number)

    with story.before_each(go_on):
        assert len(story.sync().pages) < 40
    story.whole()


@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_value_that_goes_and_comes_back_inside_a_second(sandbox: Sandbox, page: int) -> None:
    seconds = ["09:59:30", *["09:59:31"] * 2, "09:59:32", "09:59:33"]
    rows = [item(number, f"2024-05-15T{second}.000", Name="A") for number, second in enumerate(seconds)]
    story = Story(sandbox, rows, settings={"page_size": 3})
    asked = 0

    def become(name: str) -> None:
        for number in story.rows:
            story.update(number, None, Name=name)

    def change(_: Request) -> None:
        nonlocal asked
        asked += 1
        if asked == page:
            become("B")

    # The stamps stay what they are: all of it happens inside their seconds.
    with story.before_each(change):
        story.sync()
    become("A")
    story.whole()


@pytest.mark.slow
@pytest.mark.parametrize("evening", ["2024-10-27T01:20:00", "2024-03-31T01:20:00"], ids=["October", "March"])
@pytest.mark.parametrize("unit", ["second", "minute", "hour", "day"])
@pytest.mark.parametrize("compared", _COMPARED)
@pytest.mark.parametrize("cut", [None, 0.6])
def test_the_night_the_clock_changes(
    sandbox: Sandbox, *, evening: str, unit: str, compared: str, cut: float | None
) -> None:
    clock = Moments(dt.datetime.fromisoformat(evening))
    story = Story(
        sandbox,
        _within(40, 9000, clock.now),
        clock=clock,
        settings={"page_size": 9},
        stamp_unit=unit,
        stamps_compared=compared,
    )
    asked = 0

    def change(_: Request) -> None:
        nonlocal asked
        asked += 1
        clock.tick(13)
        story.touch(asked * 7 % 40 + 1)

    for turn in range(11):
        for number in (turn, turn + 1, turn + 20):
            clock.tick(10)
            story.touch(number % 40 + 1)
        with story.before_each(change):
            ran = story.sync(cut=cut if turn % 2 else None)
        assert ran.error is None, ran.said
        clock.tick(60 * 23)
    # One that goes on for a run that was killed leaves to the next what changed since.
    story.sync()
    clock.tick(600)
    story.whole()

"""Where a run begins: clocks that are apart, stamps of the future, late commits, and an overlap that settles."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Fault
from harness.source import Ticking
from harness.story import Story, item

if TYPE_CHECKING:
    from afas_sandbox import Request, Row, Sandbox

_COUNT = 40


def _rows(count: int = _COUNT, newest: float = 60, **values: Any) -> list[Row]:
    """Rows that changed in the last hours, the first one last."""
    clock = Ticking()
    return [item(number, clock.ago(newest + 200 * number), **values) for number in range(count)]


def _asked(story: Story, **settings: Any) -> tuple[int, int]:
    """How many questions a run asks for rows, and how many records it writes."""
    ran = story.whole(**settings)
    return len(ran.pages), len(ran.records())


# Clocks


@pytest.mark.slow
@pytest.mark.parametrize("date", [0, 20, -20, 200, -200, -4000, None])
@pytest.mark.parametrize("offsets", [(0,), (0, 90), (-60,), (0, -60, 30)])
def test_clocks_that_are_apart(sandbox: Sandbox, date: float | None, offsets: tuple[float, ...]) -> None:
    story = Story(sandbox, _rows(), settings={"page_size": 15}, date_offset=date, stamp_offsets=offsets)
    turn = 0

    def change(number: int) -> None:
        story.clock.tick(3)
        sandbox.update("Item", number, {"Name": f"changed {story.clock.now}"})

    def meanwhile(_: Request) -> None:
        nonlocal turn
        turn += 1
        change(turn * 7 % _COUNT + 1)
        change(turn * 3 % _COUNT + 1)

    for wait in (0, 10, 100, 290, 400, 5000, 1, 90_000, 2):
        with story.before_each(meanwhile):
            ran = story.sync()
        assert ran.error is None, ran.said
        story.clock.tick(wait)
        change(wait % _COUNT + 1)
    story.whole()
    story.clock.tick(400)
    story.whole()


def test_stamps_of_the_future_do_not_become_the_bookmark(sandbox: Sandbox) -> None:
    rows = [*_rows(), item(90, "2099-01-01T00:00:00"), item(91, "2024-05-15T10:20:00"), item(92, "2024-05-16T23:00:00")]
    story = Story(sandbox, rows, settings={"page_size": 15})
    assert story.whole().bookmark["replication_key_value"] == "2024-05-15T07:59:00+00:00"
    for wait in (30, 600, 600, 86_400, 86_400, 86_400 * 30):
        story.clock.tick(wait)
        story.touch(wait % 7 + 1)
        ran = story.whole()
        # Two questions more where the very row that bore the bookmark has changed, and no other of the overlap came.
        assert len(ran.pages) in {1, 3}
        # The one of 2099 comes again by every run.
        assert 90 in {one["Id"] for one in ran.records()}
        assert ran.bookmark["replication_key_value"] < "2024-07"


@pytest.mark.parametrize(("hours", "anew"), [(-1, False), (2, False), (23, False), (25, True), (24 * 400, True)])
def test_a_bookmark_later_than_the_start(sandbox: Sandbox, hours: int, *, anew: bool) -> None:
    story = Story(sandbox, _rows(), settings={"page_size": 15})
    before = story.whole().bookmark
    wall = story.clock.now + dt.timedelta(hours=hours)
    later = {"bookmark": wall.isoformat(), "replication_key_value": f"{wall.isoformat()}+02:00", "witness": None}
    story.state = {"bookmarks": {"Item": {**before, **later}}}
    ran = story.sync()
    assert ran.error is None, ran.said
    assert (len(ran.records()) == _COUNT) == anew
    assert ("lies in the future: starting anew" in ran.said) == anew


@pytest.mark.parametrize("wrong", ["Pacific/Honolulu", "Pacific/Auckland"])
def test_a_time_zone_that_is_corrected_is_read_anew_once(sandbox: Sandbox, wrong: str) -> None:
    clock = Ticking()
    story = Story(sandbox, [item(number, clock.ago(60 + 4000 * number)) for number in range(_COUNT)])
    story.sync(timezone=wrong)
    for number in (1, 2, 3):
        story.clock.tick(400)
        story.touch(number)
        ran = story.sync(timezone="Europe/Amsterdam")
        assert ran.error is None, ran.said
        assert number - 1 in {one["Id"] for one in ran.records()}
        # What was loaded under the wrong one is two hours off.
        assert (len(ran.records()) == _COUNT) == (number == 1)
        assert any("Reading the stream anew, since `timezone` changed." in line for line in ran.log) == (number == 1)


# The overlap


def test_the_overlap_settles(sandbox: Sandbox) -> None:
    story = Story(sandbox, _rows(newest=10))
    assert _asked(story) == (2, _COUNT)
    # The overlap of five minutes holds the rows of 10 and 210 seconds ago, until a run has read it that began later.
    story.clock.tick(60)
    assert _asked(story) == (1, 2)
    story.clock.tick(400)
    assert _asked(story) == (1, 2)
    story.clock.tick(400)
    assert _asked(story) == (1, 0)
    story.touch(30)
    assert _asked(story) == (1, 1)
    story.clock.tick(400)
    assert _asked(story) == (1, 1)
    assert _asked(story) == (1, 0)


@pytest.mark.parametrize("overlap", [0, 5, 300, 4000])
def test_what_commits_late_is_found(sandbox: Sandbox, overlap: int) -> None:
    story = Story(sandbox, _rows(), settings={"overlap_seconds": overlap})
    for turn in range(5):
        story.whole()
        story.clock.tick(overlap + 10)
        story.touch(1)
        story.whole()
        story.update(2 + turn, story.clock.ago(overlap), Name=f"committed late {turn}")
    story.whole()


def test_without_a_time_nothing_settles(sandbox: Sandbox) -> None:
    story = Story(sandbox, _rows(newest=10), date_offset=None)
    story.whole()
    for _ in range(4):
        story.clock.tick(4000)
        assert _asked(story) == (1, 2)


def test_a_bookmark_of_yesterday_is_settled_at_once(sandbox: Sandbox) -> None:
    story = Story(sandbox, _rows(newest=86_400 + 310))
    story.whole()
    assert _asked(story) == (1, 0)


@pytest.mark.parametrize("compared", ["stored", "shown"])
@pytest.mark.parametrize(("unit", "again"), [("minute", 2), ("hour", 19), ("day", 20)])
def test_the_overlap_of_coarse_stamps(sandbox: Sandbox, unit: str, again: int, compared: str) -> None:
    story = Story(sandbox, _rows(20, newest=3600), stamp_unit=unit, stamps_compared=compared)
    story.whole()
    story.clock.tick(30)
    # Down to where the step begins in which the bookmark less the overlap lies.
    assert again >= _asked(story)[1] > 0
    story.clock.tick(2 * 86_400 + 400)
    story.whole()
    assert _asked(story) == (1, 0)


# Rows without a stamp


@pytest.mark.parametrize(("empties", "warned"), [(0, 0), (7, 0), (8, 1), (30, 1)])
def test_empty_stamps_come_again_and_one_warning_says_what_they_cost(
    sandbox: Sandbox, empties: int, warned: int
) -> None:
    rows = [*_rows(5, newest=90_000), *(item(100 + number, None) for number in range(empties))]
    story = Story(sandbox, rows, settings={"page_size": 15})
    for _ in range(3):
        ran = story.whole()
        said = [line for line in ran.log if "have an empty Modified" in line]
        assert len(said) == len(ran.log) == warned
        story.clock.tick(400)
    assert len(ran.records()) == empties
    if empties:
        story.update(6, None, Name="still without a stamp")
    story.touch(5)
    assert _asked(story)[1] == empties + 1


# The highest stamp can't be told


@pytest.mark.parametrize("refusal", ["timeout", "out_of_memory", "gateway_timeout"])
def test_the_highest_stamp_is_too_much_for_afas(sandbox: Sandbox, refusal: str) -> None:
    story = Story(sandbox, _rows(), settings={"page_size": 15})
    for turn in range(3):
        sandbox.faults = [Fault(kind="rows", nth=1 if not turn else 2, refuse=refusal)]
        ran = story.whole()
        said = ran.log[-1]
        assert "AFAS can't tell the highest Modified" in said
        assert "`timezone`, must be right" in said
        # It is asked for once, and the rest of the run goes well.
        assert [page.status >= 500 for page in ran.pages].count(True) == 1
        story.clock.tick(500)
        for number in range(turn, 20):
            story.touch(number + 1)
    story.whole()

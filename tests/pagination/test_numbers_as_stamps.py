"""Whole numbers as replication key: a number is drawn before its row commits, and tells no time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Fault
from harness.story import COUNT, Story, item

if TYPE_CHECKING:
    from afas_sandbox import Request, Sandbox

_ROWS = 50


class Numbers(Story):
    """A connector whose rows count their changes."""

    def __init__(self, sandbox: Sandbox, rows: int = _ROWS, **more: Any) -> None:
        numbered = [item(number, None, Count=1000 + number * 7 % rows) for number in range(rows)]
        super().__init__(sandbox, numbered, stamp="Count", **more)
        self.highest = 1000 + rows
        self.drawn: list[tuple[int, int]] = []

    def draw(self, number: int) -> None:
        """A change begins."""
        self.highest += 1
        self.drawn.append((number, self.highest))

    def commit(self) -> None:
        """All changes that began end."""
        for number, count in self.drawn:
            self.update(number, None, Count=count, Name=f"changed {self.clock.now}")
        self.drawn.clear()

    def change(self, number: int) -> None:
        """A change that begins after all others and ends at once."""
        self.highest += 1
        self.update(number, None, Count=self.highest, Name=f"changed {self.clock.now}")


def _numbers(sandbox: Sandbox, **settings: Any) -> Numbers:
    return Numbers(sandbox, settings={"page_size": 20, **settings})


def test_the_second_run_reads_all_and_later_ones_what_is_new(sandbox: Sandbox) -> None:
    story = _numbers(sandbox)
    story.whole()
    story.clock.tick(400)
    assert len(story.whole().records()) == _ROWS
    story.clock.tick(400)
    # From the number on that settled.
    assert len(story.whole().records()) == 1
    story.clock.tick(400)
    story.change(3)
    assert len(story.whole().records()) == 2
    # It is pending now, and settles where a run begins after the overlap.
    story.clock.tick(400)
    assert len(story.whole().records()) == 2
    assert len(story.whole().records()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("wait", [1, 100, 299, 301, 4000])
def test_numbers_drawn_before_they_commit(sandbox: Sandbox, wait: int) -> None:
    story = _numbers(sandbox)
    for turn in range(8):
        story.sync()
        story.draw(turn + 1)
        story.change(turn + 20)
        story.sync()
        story.clock.tick(min(wait, 290))
        story.commit()
        story.clock.tick(max(0, wait - 290))
    story.whole()


def test_numbers_drawn_while_pages_are_read(sandbox: Sandbox) -> None:
    story = _numbers(sandbox)

    def meanwhile(request: Request) -> None:
        story.clock.tick(40)
        if request.number % 3 == 0:
            story.commit()
        story.draw(request.number * 7 % _ROWS + 1)
        story.change(_ROWS - request.number * 5 % _ROWS)

    for wait in (0, 100, 400, 50, 5000):
        with story.before_each(meanwhile):
            ran = story.sync()
        assert ran.error is None, ran.said
        story.clock.tick(wait)
    story.commit()
    story.whole()


def test_without_a_time_all_rows_come_by_every_run(sandbox: Sandbox) -> None:
    story = Numbers(sandbox, settings={"page_size": 20}, date_offset=None)
    for turn in range(4):
        assert len(story.whole().records()) == _ROWS
        story.clock.tick(4000)
        story.change(turn + 1)


def test_a_number_of_the_version_before_is_settled(sandbox: Sandbox) -> None:
    story = _numbers(sandbox)
    story.state = {"bookmarks": {"Item": {"replication_key": "Count", "replication_key_value": 1040, "delivered": "x"}}}
    ran = story.sync()
    assert sorted(one["Count"] for one in ran.records()) == list(range(1040, 1000 + _ROWS))
    assert ran.bookmark["delivered"] is None


def test_rows_without_a_number_come_by_every_run(sandbox: Sandbox) -> None:
    story = _numbers(sandbox)
    for number in (1, 2, 3):
        story.update(number, None, Count=None)
    for _ in range(3):
        story.whole()
        story.clock.tick(400)
    assert len(story.whole().records()) == 4
    story.update(2, None, Name="still without a number")
    story.whole()


# Streams that append


@pytest.mark.parametrize("wait", [1, 299])
def test_each_version_is_appended_once(sandbox: Sandbox, wait: int) -> None:
    story = Numbers(sandbox, key=(), settings={"page_size": 20})
    for turn in range(8):
        ran = story.sync()
        assert ran.error is None, ran.said
        story.draw(turn + 1)
        story.change(turn + 20)
        story.clock.tick(wait)
        story.sync()
        story.commit()
    for _ in range(3):
        story.clock.tick(400)
        ran = story.sync()
        assert ran.error is None, ran.said
    assert not story.lost()
    have = [one["Count"] for one in story.target.rows.values()]
    assert len(have) == len(set(have))
    assert not ran.records()


def test_numbers_without_a_key_and_a_time_fail_with_a_sentence(sandbox: Sandbox) -> None:
    ran = Numbers(sandbox, key=(), date_offset=None).sync()
    assert "AFAS tells no time (`Date`), without which nobody knows which Count can still come." in ran.said
    assert not ran.records()


def test_the_highest_number_is_asked_for_before_the_first_page(sandbox: Sandbox) -> None:
    story = _numbers(sandbox)

    def meanwhile(_: Request) -> None:
        story.change(_ROWS)

    with story.before_each(meanwhile):
        ran = story.sync()
    assert ran.bookmark["replication_key_value"] == 1000 + _ROWS + 1
    assert max(int(one[COUNT] or 0) for one in story.rows.values()) > 1000 + _ROWS + 3
    story.whole()


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_a_stream_that_appends_where_the_highest_number_is_too_much_for_afas(sandbox: Sandbox, turn: int) -> None:
    story = Numbers(sandbox, key=(), settings={"page_size": 20})
    for number in range(5):
        sandbox.faults = [Fault(kind="rows", nth=1, refuse="timeout")] if number == turn else []
        ran = story.sync()
        assert ran.error is None, ran.said
        assert any("AFAS can't tell the highest Count" in line for line in ran.log) == (number == turn)
        story.clock.tick(400)
        if number < 2:
            story.change(number + 1)
    assert not story.lost()
    have = [one["Count"] for one in story.target.rows.values()]
    assert len(have) == len(set(have))

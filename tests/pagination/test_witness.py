"""The lower bound of a run: does AFAS compare stamps as it shows them, and is it the same environment?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Fault
from harness.source import Ticking
from harness.story import Story, item

if TYPE_CHECKING:
    from afas_sandbox import Request, Row, Sandbox
    from harness.run import Run

_COUNT = 40
_WITNESS = _COUNT
_KEYS = [("Id",), ("Code",), ("Price",), ("At",), ("Kind", "Code", "Id"), ("Kind", "At")]


def _rows(newest: float = 100, *, twins: int = 1) -> list[Row]:
    """Rows of which the last ones were changed last, all at once."""
    clock = Ticking()
    return [item(number, clock.ago(newest if number >= _COUNT - twins else 9000 - number)) for number in range(_COUNT)]


def _filtered(condition: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"Item": {"filter": [condition or {"field": "Kind", "operator": "<", "value": 3}]}}


@pytest.mark.slow
@pytest.mark.parametrize("key", _KEYS, ids=", ".join)
@pytest.mark.parametrize(
    "became", ["deleted", "changed", "emptied", "out of the filter", "deleted, with a twin", "all deleted"]
)
def test_a_witness_that_does_not_come(sandbox: Sandbox, key: tuple[str, ...], became: str) -> None:
    story = Story(
        sandbox, _rows(twins=2 if "twin" in became else 1), key=key, settings={"streams": _filtered(), "page_size": 20}
    )
    story.whole()
    story.clock.tick(60)
    match became:
        case "changed":
            story.touch(_WITNESS)
        case "emptied":
            story.update(_WITNESS, None, Modified=None)
        case "out of the filter":
            story.update(_WITNESS, None, Kind=3)
        case "all deleted":
            sandbox.purge("Item", skip=-1, take=-1)
        case _:
            story.delete(_WITNESS)
    if story.rows:
        story.touch(1)
    seen = [one for one in story.rows.values() if one[4] != 3]
    for _ in range(3):
        ran = story.sync()
        assert ran.error is None, ran.said
        assert not story.lost(seen)
        # One question for what changed, and up to three that tell what became of it.
        assert len(ran.pages) <= 4
        story.clock.tick(400)
    assert len(story.sync().pages) == 1


@pytest.mark.parametrize("nth", [2, 3, 4])
@pytest.mark.parametrize("refusal", ["timeout", "out_of_memory"])
def test_a_question_for_the_witness_that_is_too_much_for_afas(sandbox: Sandbox, nth: int, refusal: str) -> None:
    story = Story(sandbox, _rows())
    story.whole()
    story.delete(_WITNESS)
    story.touch(1)
    sandbox.faults = [Fault(kind="rows", nth=nth, refuse=refusal)]
    ran = story.whole()
    assert "The stream goes on without holding its bookmark against a row." in ran.said
    assert len(ran.pages) == nth
    sandbox.faults = []
    for _ in range(3):
        story.clock.tick(400)
        asked = len(story.whole().pages)
    assert asked == 1


def test_a_witness_that_is_gone_is_replaced_by_another_row_of_its_stamp(sandbox: Sandbox) -> None:
    story = Story(sandbox, _rows(twins=2))
    witness = story.sync().bookmark["witness"]
    story.delete(_WITNESS if witness == f"[{_WITNESS - 1}]" else _WITNESS - 1)
    replaced = story.whole()
    assert len(replaced.pages) == 2
    assert replaced.bookmark["witness"] not in {witness, None}
    assert len(story.whole().pages) == 1
    story.delete(_WITNESS if witness != f"[{_WITNESS - 1}]" else _WITNESS - 1)
    assert story.whole().bookmark["witness"] is None


@pytest.mark.parametrize("key", _KEYS, ids=", ".join)
@pytest.mark.parametrize("wait", [0, 1000])
def test_a_restored_environment(sandbox: Sandbox, key: tuple[str, ...], wait: int) -> None:
    story = Story(sandbox, _rows(newest=2000), key=key)
    story.whole()
    snapshot = sandbox.snapshot("Item")
    for number in (3, 4, _WITNESS):
        story.clock.tick(30)
        story.touch(number)
    story.clock.tick(30)
    before = story.whole()
    story.clock.tick(wait)
    sandbox.restore("Item", snapshot)
    assert story.lost()
    for _ in range(2):
        story.clock.tick()
        ran = story.sync()
        _failed(ran, "has 2024-05-15T09:26:40 in Modified now", "restored from a backup or copied")
        assert ran.bookmark == before.bookmark
    story.state = {}
    story.whole()


@pytest.mark.parametrize("shown_as", ["second", "minute"])
@pytest.mark.parametrize("released", [False, True])
def test_stamps_whose_literals_are_read_as_later(sandbox: Sandbox, shown_as: str, *, released: bool) -> None:
    rows = _rows()
    since: dict[str, Any] = {"shifted_from": "2024-05-15T10:00:30"} if released else {}
    story = Story(sandbox, rows, shifted_literals=7200, stamp_unit=shown_as, **since)
    story.whole()
    story.clock.tick(60)
    for number in (1, 2, 3):
        story.touch(number)
        story.clock.tick(60)
        ran = story.sync()
        _failed(ran, "AFAS compares Modified differently from how it shows it", "come when all from", "Asked: where")


@pytest.mark.parametrize("key", [("Code",), ("At",)], ids=", ".join)
@pytest.mark.parametrize("changes", [0, 1, 15])
@pytest.mark.parametrize("busy", [False, True])
def test_stamps_whose_literals_are_read_as_later_and_a_key_that_is_compared_otherwise_too(
    sandbox: Sandbox, *, key: tuple[str, ...], changes: int, busy: bool
) -> None:
    clock = Ticking()
    rows = [item(number, clock.ago(60 if number % 5 else 200), Code=str(number)) for number in range(_COUNT)]
    story = Story(sandbox, rows, key=key, settings={"page_size": 10}, shifted_literals=7200, padded={"Code": 10})
    story.whole()
    for number in range(changes):
        story.clock.tick()
        story.touch(number + 1)

    def change(request: Request) -> None:
        story.clock.tick()
        story.touch(request.number % _COUNT + 1)

    with story.before_each(change if busy else lambda _: None):
        ran = story.sync()
    _failed(ran, "AFAS compares Modified differently from how it shows it")


def test_stamps_whose_literals_are_read_as_earlier(sandbox: Sandbox) -> None:
    story = Story(sandbox, _rows(), shifted_literals=-7200)
    story.whole()
    for number in (1, 2, 3):
        story.clock.tick(200)
        story.touch(number)
        ran = story.sync()
    # Nothing is lost by it, but nothing can be told of a row from before the lower bound either.
    _failed(ran, "AFAS sends rows with Modified", "earlier than the", "Asked: where Modified >=")


@pytest.mark.parametrize("seconds", [-1, 1, 250])
def test_stamps_whose_literals_are_read_as_hardly_another_time(sandbox: Sandbox, seconds: int) -> None:
    story = Story(sandbox, _rows(), shifted_literals=seconds)
    for wait in (200, 400, 100, 900, 2, 1, 0):
        ran = story.sync()
        if ran.error is not None:
            # Within the overlap it does no harm, and is told all the same where it shows.
            assert seconds == 250
            assert "Item: AFAS compares Modified differently from how it shows it" in ran.said
            return
        assert not story.lost()
        story.clock.tick(wait)
        story.touch(wait % _COUNT + 1)
        story.clock.tick()


def _failed(ran: Run, *parts: str) -> None:
    assert isinstance(ran.error, Exception)
    assert not ran.records()
    (said,) = [line for line in ran.log if line.startswith("Failed: Item: ")]
    for part in parts:
        assert part in said


def test_a_plain_environment_is_asked_nothing_more(sandbox: Sandbox) -> None:
    story = Story(sandbox, _rows(), settings={"page_size": 10})
    # The highest stamp, the pages (each begins with the last row of the one before), and whether a key is empty.
    assert len(story.whole().pages) == 1 + 5 + 1
    for number in (1, 2, _WITNESS, 5):
        story.clock.tick(60)
        story.touch(number)
        assert len(story.whole().pages) == 1
    for number in range(1, 21):
        story.touch(number)
    # More than a page: the highest stamp, and the walk from its first page, through what changed and what is empty.
    assert len(story.whole().pages) <= 2 + 3 + 3
    for _ in range(3):
        story.clock.tick(400)
        asked = len(story.whole().pages)
    assert asked == 1

"""What a run learns from the stamps that pass: the next bookmark and its row, and whether the old one's row came."""

from __future__ import annotations

from typing import Any

import pytest

from harness.source import Answer
from tap_afas.profit.pagination.scan import StartingPoint
from tap_afas.profit.pagination.stamp_tracker import StampTracker

_EARLIER, _BOOKMARK, _LATER, _LAST = (f"2024-03-0{day}T12:00:00" for day in range(1, 5))
_OTHER, _WITNESS = (1,), (7,)


def _tracker() -> StampTracker:
    return StampTracker(StartingPoint(bookmark=_BOOKMARK, witness=_WITNESS), None)


@pytest.mark.parametrize(
    ("stamps", "met", "witness", "same_stamp"),
    [
        ({_WITNESS: _BOOKMARK}, True, _WITNESS, _WITNESS),
        ({_OTHER: _BOOKMARK, _WITNESS: _BOOKMARK}, True, _WITNESS, _OTHER),
        # It has changed since, and comes however AFAS compares: only another row proves something.
        ({_WITNESS: _LATER}, False, _WITNESS, None),
        ({_OTHER: _LATER, _WITNESS: _LATER}, False, _WITNESS, None),
        ({_OTHER: _BOOKMARK, _WITNESS: _LATER}, True, _WITNESS, _OTHER),
        ({_OTHER: _EARLIER, _WITNESS: _LATER}, True, _WITNESS, None),
        # A late commit gave it an earlier stamp: another row must be the next run's witness.
        ({_WITNESS: _EARLIER, _OTHER: _BOOKMARK}, True, None, _OTHER),
        ({_WITNESS: _EARLIER}, True, None, None),
        # Without a stamp it doesn't count, and without it nothing does.
        ({_OTHER: _BOOKMARK, _WITNESS: None}, False, _WITNESS, _OTHER),
        ({_OTHER: _BOOKMARK}, False, _WITNESS, _OTHER),
    ],
)
@pytest.mark.parametrize("one_page", [True, False], ids=["one page", "a page each"])
def test_the_witness(stamps: dict[Any, Any], *, met: bool, witness: Any, same_stamp: Any, one_page: bool) -> None:
    tracker = _tracker()
    pages = [stamps] if one_page else [{key: stamp} for key, stamp in stamps.items()]
    for page in pages:
        tracker.add_page(Answer(list(page), list(page.values())), range(len(page)))
    assert (tracker.met, tracker.old_witness, tracker.same_stamp) == (met, witness, same_stamp)
    assert tracker.empties == list(stamps.values()).count(None)


def test_the_highest_stamp_up_to_the_cap() -> None:
    tracker = _tracker()
    page = Answer([(1,), (2,), (3,), (4,)], [_LATER, _LAST, _BOOKMARK, None])
    tracker.raise_highest(page, [0, 2, 3], None)
    assert (tracker.highest, tracker.witness) == (_LATER, (1,))
    tracker.raise_highest(page, [1], _LATER)
    assert (tracker.highest, tracker.witness) == (_LATER, (1,))
    # Of rows with the same stamp, the first one stays.
    tracker.raise_highest(Answer([(9,)], [_LATER]), [0], _LATER)
    assert (tracker.highest, tracker.witness) == (_LATER, (1,))
    tracker.raise_highest(page, [1], _LAST)
    assert (tracker.highest, tracker.witness) == (_LAST, (2,))
    tracker.reset()
    assert (tracker.highest, tracker.witness, tracker.empties) == (None, None, 0)


@pytest.mark.parametrize("key", [None, (), (None,), (1, None)])
def test_a_row_without_a_whole_key_is_no_witness(key: Any) -> None:
    tracker = _tracker()
    tracker.raise_highest(Answer([key], [_LATER]), [0], None)
    assert (tracker.highest, tracker.witness) == (_LATER, None)


def test_the_coarsest_unit_that_all_stamps_show() -> None:
    tracker = StampTracker(StartingPoint(unit="day"), None)
    units = []
    for stamp in ["2024-03-01T00:00:00", "2024-03-01T12:00:00", "2024-03-01T12:30:00", None, "2024-03-01T12:30:01"]:
        tracker.learn_unit(Answer([(1,)], [stamp]))
        units.append(tracker.unit)
    tracker.learn_unit(Answer([(1,)], ["2024-03-01T00:00:00"]))
    assert [*units, tracker.unit] == ["day", "hour", "minute", "minute", "second", "second"]

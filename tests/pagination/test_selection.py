"""Rows from outside the selection that was asked for: an answer to another question, unless the stamps are coarse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_afas.profit.pagination.errors import MisbehavedError
from tap_afas.profit.pagination.selection import all_rows, changed_since, empty_stamp, on_days, stamps_between
from tap_afas.profit.query import Condition, Query

if TYPE_CHECKING:
    from tap_afas.profit.pagination.selection import Selection
    from tap_afas.profit.wall_time import Unit

_LOW, _HIGH = "2024-03-01T10:00:00", "2024-03-02T00:00:00"
_CHANGED = changed_since("At", _LOW)
_BOTH = changed_since("At", _LOW, or_empty=True)
_BETWEEN = stamps_between("At", _LOW, _HIGH, behind=True)
_EMPTY = empty_stamp("At")
_NUMBERS = stamps_between("At", 5, 9, behind=False)
_QUERY = Query(("Id",), _BETWEEN.groups)


@pytest.mark.parametrize(
    ("selection", "unit", "stamp", "said"),
    [
        (_CHANGED, "second", "2024-03-01T09:59:58", "earlier than the 2024-03-01T10:00:00 asked for"),
        (_CHANGED, "minute", "2024-03-01T09:58:00", "earlier than the"),
        (_CHANGED, "hour", "2024-03-01T08:00:00", "earlier than the"),
        (_CHANGED, "day", "2024-02-29T00:00:00", "earlier than the"),
        (_CHANGED, "second", None, "with an empty At"),
        (_BOTH, "second", "2024-03-01T09:59:58", "earlier than the"),
        (_BETWEEN, "second", "2024-03-02T00:00:02", "later than the 2024-03-02T00:00:00 asked for"),
        (_BETWEEN, "second", None, "with an empty At"),
        (_EMPTY, "second", "2024-03-02T00:00:00", "only those without one were asked for"),
        (_NUMBERS, "day", 4, "earlier than the 5 asked for"),
        (_NUMBERS, "day", 10, "later than the 9 asked for"),
    ],
)
def test_a_row_from_outside(selection: Selection, unit: Unit, stamp: Any, said: str) -> None:
    inside = {_EMPTY: None, _NUMBERS: 7}.get(selection, "2024-03-01T12:00:00")
    with pytest.raises(MisbehavedError, match=said) as caught:
        selection.check(_QUERY, [inside, stamp, inside], unit)
    assert "Asked: where At > and At <=" in str(caught.value)


@pytest.mark.parametrize(
    ("selection", "unit", "stamps"),
    [
        (_CHANGED, "second", [_LOW, "2099-01-01T00:00:00"]),
        # Stored finer than shown, or shown by the unit: up to one of them is no breach.
        (_CHANGED, "second", ["2024-03-01T09:59:59"]),
        (_CHANGED, "minute", ["2024-03-01T09:59:00"]),
        (_CHANGED, "hour", ["2024-03-01T09:00:00"]),
        (_CHANGED, "day", ["2024-03-01T00:00:00"]),
        (_BETWEEN, "second", ["2024-03-02T00:00:01"]),
        (_BOTH, "second", [None, _LOW]),
        (_EMPTY, "second", [None, None]),
        (_NUMBERS, "day", [5, 9]),
        (all_rows(), "second", [None, "1900-01-01T00:00:00"]),
        (_CHANGED, "second", []),
    ],
)
def test_rows_from_inside(selection: Selection, unit: Unit, stamps: list[Any]) -> None:
    selection.check(_QUERY, stamps, unit)


def test_days_that_follow_each_other_are_one_range() -> None:
    selection = on_days("D", ["2024-03-01", "2024-02-29", "2024-03-05", "2024-02-29"])
    assert selection.groups == (
        (Condition("D", ">=", "2024-02-29T00:00:00"), Condition("D", "<", "2024-03-02T00:00:00")),
        (Condition("D", ">=", "2024-03-05T00:00:00"), Condition("D", "<", "2024-03-06T00:00:00")),
    )

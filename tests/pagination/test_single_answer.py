"""One answer that may hold all: when it does, when it doesn't, and when its end is asked for once more."""

from __future__ import annotations

import pytest

from harness.source import Answer
from tap_afas.profit.pagination.page_size import PageSize
from tap_afas.profit.pagination.single_answer import SingleAnswer
from tap_afas.profit.query import Condition, Query

_ORDER = ("Modified", "Id")
_WHERE = ((Condition("Modified", ">=", "2026-01-01T00:00:00Z"),),)
_TAKE = 1000
_FIRST = Query(_ORDER, _WHERE, take=_TAKE)


def _rows(*numbers: int) -> Answer:
    return Answer([(number,) for number in numbers], ["2026-01-02T00:00:00Z"] * len(numbers))


@pytest.mark.parametrize(
    ("rows", "seconds", "whole"),
    [
        (0, 0.0, True),
        (99, 0.0, True),
        # As many as AFAS gives unasked: it may hold back more.
        (100, 0.0, None),
        (_TAKE - 1, 0.0, None),
        (_TAKE, 0.0, False),
        # AFAS never gives more than were asked for; if it did, nothing would be sure.
        (_TAKE + 1, 0.0, False),
        (99, 60.0, True),
        (99, 60.1, False),
        (99, 3600.0, False),
        (500, 60.1, False),
    ],
)
def test_whether_the_first_answer_holds_all(rows: int, seconds: float, whole: bool | None) -> None:  # noqa: FBT001 - a parameter of pytest
    asking = SingleAnswer(_ORDER, _WHERE, PageSize(_TAKE))
    assert asking.next_query() == _FIRST
    assert asking.advance(_FIRST, _rows(*range(rows)), seconds) is whole


@pytest.mark.parametrize(
    ("end", "whole"),
    [
        ((498, 499), True),
        # More, fewer, others before or behind, and the same in another order.
        ((498, 499, 500), False),
        ((498, 499, 500, 501), False),
        ((499,), False),
        ((), False),
        ((497, 499), False),
        ((499, 500), False),
        ((498, 497), False),
        ((499, 498), False),
    ],
)
def test_the_end_of_an_answer_that_may_be_capped_is_asked_again(end: tuple[int, ...], whole: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    asking = SingleAnswer(_ORDER, _WHERE, PageSize(_TAKE))
    assert asking.advance(_FIRST, _rows(*range(500)), 1.0) is None
    again = asking.next_query()
    assert again == Query(_ORDER, _WHERE, take=4, skip=498)
    assert asking.advance(again, _rows(*end), 1.0) is whole

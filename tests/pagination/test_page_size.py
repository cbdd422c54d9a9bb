"""How many rows a page asks for: less after what was too much for AFAS, slowly more again, never more than wanted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.source import Answer
from tap_afas.profit.pagination.key import KeyField
from tap_afas.profit.pagination.keyset import KeysetPaginator
from tap_afas.profit.pagination.offset import OffsetPaginator
from tap_afas.profit.pagination.page_size import PageSize, is_last_page

_LARGEST = 75_000_000
_GOOD = 8


def _count(size: PageSize, pages: int, answered: int = 1) -> int:
    """Take some full pages of so many bytes."""
    for _ in range(pages):
        size.answered = answered
        size.count_full_page()
    return size.take


def test_less_after_too_much_and_slowly_more_again() -> None:
    size = PageSize(1000)
    assert size.shrink()
    assert (size.take, size.fits) == (500, None)
    assert [_count(size, _GOOD - 1), _count(size, 1), _count(size, _GOOD)] == [500, 751, 1000]
    assert _count(size, 3 * _GOOD) == 1000


def test_a_single_row_grows_too() -> None:
    size = PageSize(3)
    assert size.shrink()
    assert [size.take, _count(size, _GOOD), _count(size, _GOOD)] == [1, 2, 3]


def test_one_row_is_the_least() -> None:
    size = PageSize(1)
    assert (size.shrink(), size.shrink(too_large=True, rows_fit=1), size.take, size.fits) == (False, False, 1, None)


def test_only_too_many_bytes_are_kept_for_the_next_run() -> None:
    size = PageSize(1000)
    assert size.shrink(too_large=True)
    assert (size.take, size.fits) == (500, 500)
    assert size.shrink()
    assert (size.take, size.fits) == (250, 500)


def test_by_what_would_have_fitted() -> None:
    size = PageSize(1000)
    assert size.shrink(too_large=True, rows_fit=800)
    assert size.take == 600
    # More than were asked for is no reason to ask for as many again.
    assert size.shrink(too_large=True, rows_fit=5000)
    assert size.take == 599
    assert size.shrink(too_large=True, rows_fit=1)
    assert size.take == 1


def test_large_answers_do_not_grow_and_what_grew_too_far_goes_back() -> None:
    size = PageSize(1000, 40)
    assert _count(size, 9, _LARGEST) == 40
    # Half as many rows again are far from the largest answer, but not for what is a quarter of it.
    assert _count(size, _GOOD, _LARGEST // 4 + 1) == 40
    assert [_count(size, _GOOD - 1, _LARGEST // 4), _count(size, 1, _LARGEST // 4)] == [40, 61]
    assert size.fits == 61
    assert size.shrink(too_large=True, rows_fit=50)
    assert (size.take, size.fits) == (40, 40)
    assert _count(size, 3 * _GOOD) == 40
    assert size.shrink()
    assert (size.take, size.fits) == (20, 40)


def test_all_that_is_wanted_fits() -> None:
    assert (PageSize(30, 40).fits, PageSize(40, 40).fits, PageSize(40, 0).fits) == (None, None, None)
    size = PageSize(41, 40)
    assert (_count(size, _GOOD), size.fits) == (41, None)


@given(
    st.integers(1, 2000),
    st.none() | st.integers(-1, 2500),
    st.lists(
        st.tuples(st.just("full"), st.integers(0, _LARGEST))
        | st.tuples(st.just("too much"), st.none() | st.integers(0, 3000))
    ),
)
def test_always_at_least_one_row_and_at_most_what_is_wanted(
    wanted: int, fits: int | None, happened: list[tuple[str, int | None]]
) -> None:
    size = PageSize(wanted, fits)
    for what, number in happened:
        before = size.take
        if what == "full":
            size.answered = number or 0
            size.count_full_page()
            assert before <= size.take <= max(before + 1, before * 3 // 2 + 1)
        else:
            assert size.shrink(too_large=True, rows_fit=number) == (before > 1)
            assert size.take < before or before == 1
        assert 1 <= size.take <= wanted
        assert size.fits is None or 1 <= size.fits < wanted


@pytest.mark.parametrize("paginator", [KeysetPaginator, OffsetPaginator])
def test_full_pages_of_a_walk_make_the_next_ones_larger(
    paginator: type[KeysetPaginator | OffsetPaginator],
) -> None:
    walk = paginator([KeyField("Id", "int")], PageSize(400), ())
    walk.size.shrink()
    walk.size.answered = 1
    takes, read = [walk.size.take], 0
    while read < 200 * _GOOD + 301:
        query = walk.next_query()
        # From the row on that the query tells, overlaps and all.
        first = int(max((one.value for group in query.filter for one in group), default=0)) + query.skip
        page = Answer([(place,) for place in range(first, first + query.take)], [None] * query.take)
        read += len(walk.advance(query, page))
        takes.append(walk.size.take)
    assert sorted(set(takes)) == [200, 301]
    assert takes == sorted(takes)


def test_the_last_page() -> None:
    # AFAS may cap a larger `take` anywhere: only fewer than its own default tell.
    told = [(0, 1), (1, 1), (99, 1000), (100, 1000), (999, 1000), (49, 50), (50, 50)]
    assert [is_last_page(rows, take) for rows, take in told] == [True, False, True, False, False, True, False]

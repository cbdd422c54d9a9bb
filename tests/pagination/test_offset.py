"""Rows that nothing tells apart, or that all sort alike: they are read by offset, and each comes once."""

from __future__ import annotations

import collections
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afas_sandbox import Field
from harness.depth import depth
from harness.source import Answer, Source, Walk, row, source_of
from harness.syncing import run
from tap_afas.profit.errors import QueryTooLongError
from tap_afas.profit.pagination.key import KeyField
from tap_afas.profit.pagination.offset import OffsetPaginator, ShiftedError, UnsortableError, offset_order
from tap_afas.profit.pagination.page_size import PageSize
from tap_afas.profit.query import LONGEST_QUERY, Condition, Query

if TYPE_CHECKING:
    from afas_sandbox import Sandbox
    from tap_afas.profit.pagination.key import KeyKind


@pytest.mark.parametrize("count", [500, 2000])
def test_more_rows_sort_alike_than_a_page_holds(sandbox: Sandbox, count: int) -> None:
    fields = (Field("Code", "string", "Code", "Code", 30), Field("Memo", "blob", "Memo", "Memo"))
    ran = run(
        source_of(sandbox, fields, (), None, [("same", f"memo {number}") for number in range(count)]), page_size=100
    )
    assert ran.error is None, ran.said
    assert collections.Counter(record["Memo"] for record in ran.records()) == collections.Counter(
        f"memo {number}" for number in range(count)
    )


@pytest.mark.parametrize("count", [100, 200, 300])
def test_equal_rows_in_a_round_number_end(sandbox: Sandbox, count: int) -> None:
    source = Source(sandbox, Walk.named("by offset"), [row(1, "2024-01-01T00:00:00")] * count)
    ran = run(source, page_size=1000)
    assert ran.error is None, ran.said
    assert len(ran.records()) == count


def test_more_equal_rows_than_a_capped_page_holds(sandbox: Sandbox) -> None:
    source = Source(sandbox, Walk.named("by offset"), [row(1, "2024-01-01T00:00:00")] * 250, take_cap=100)
    ran = run(source, page_size=1000)
    assert "AFAS sends fewer rows than asked, and more rows sort alike than it sends." in ran.said


# In memory, against rows that come and go between the pages and tie in another order each time.

Pair = tuple[Any, Any]

_PAIRS = st.tuples(st.integers(0, 4), st.sampled_from("abc"))
_CHANGES = st.lists(st.tuples(st.booleans(), st.integers(0), _PAIRS), max_size=4)
_ORDER = [KeyField("Id", "int")]


class _Server:
    """Rows sorted by a number; those that sort alike come in any order, another one each time."""

    def __init__(self, rows: list[Pair], seed: int) -> None:
        self.rows = list(rows)
        self.untouched, self.ever = collections.Counter(rows), collections.Counter(rows)
        self._random = random.Random(seed)  # noqa: S311  # no secret

    def answer(self, query: Query) -> Answer:
        shuffled = self._random.sample(self.rows, len(self.rows))
        rows = sorted(shuffled, key=lambda pair: pair[0])[query.skip : query.skip + query.take]
        return Answer([(number,) for number, _ in rows], [memo for _, memo in rows])

    def change(self, changes: list[tuple[bool, int, Pair]]) -> None:
        for insert, place, pair in changes:
            if insert:
                self.rows.insert(place % (len(self.rows) + 1), pair)
                self.ever[pair] += 1
            elif self.rows:
                gone = self.rows.pop(place % len(self.rows))
                # Of rows that nothing tells apart, one that stood from the start may be the one that went.
                self.untouched[gone] = min(self.untouched[gone], self.rows.count(gone))


def _read(server: _Server, take: int, changes: list[list[tuple[bool, int, Pair]]]) -> collections.Counter[Pair]:
    """All rows that a walk delivers while rows change between its pages."""
    walk = OffsetPaginator(_ORDER, PageSize(take))
    found: collections.Counter[Pair] = collections.Counter()
    pending = iter(changes)
    for _ in range(400):
        query = walk.next_query()
        page = server.answer(query)
        found.update((page.keys[place][0], page.stamps[place]) for place in walk.advance(query, page))
        if walk.done:
            return found
        server.change(next(pending, []))
    pytest.fail("The walk doesn't end.")


@depth(300)
@given(
    rows=st.lists(_PAIRS, max_size=40),
    take=st.integers(1, 12),
    changes=st.lists(_CHANGES, max_size=8),
    seed=st.integers(0, 2**16),
)
def test_no_untouched_row_is_lost_and_none_comes_twice(
    rows: list[Pair], take: int, changes: list[list[tuple[bool, int, Pair]]], seed: int
) -> None:
    server = _Server(rows, seed)
    try:
        found = _read(server, take, changes)
    except ShiftedError:
        return
    assert not server.untouched - found
    assert not found - server.ever


@depth(300)
@given(rows=st.lists(_PAIRS, max_size=40), take=st.integers(1, 12), seed=st.integers(0, 2**16))
def test_each_comes_once_where_nothing_changes(rows: list[Pair], take: int, seed: int) -> None:
    try:
        found = _read(_Server(rows, seed), take, [])
    except ShiftedError:
        # More rows sort alike than a page holds, and AFAS sent others of them each time.
        assert len(rows) > take
        return
    assert found == collections.Counter(rows)


def test_what_a_walk_by_offset_remembers_is_bounded() -> None:
    server = _Server([(number, "a") for number in range(2000)], 1)
    walk = OffsetPaginator(_ORDER, PageSize(20))
    moved = read = 0
    while not walk.done:
        query = walk.next_query()
        moved += bool(walk._back)
        page = server.answer(query)
        read += len(walk.advance(query, page))
        if moved < 60 and not walk._back:
            # It pushes all others along.
            server.rows.append((-1, "a"))
        assert sum(walk._displaced.values()) <= 80
        assert len(walk._tail) <= 80
    assert (moved, read) == (60, 2000)


# What to sort by


def _fields(count: int, length: int, kind: KeyKind = "int") -> list[KeyField]:
    return [KeyField(f"{'F' * (length - 3)}{number:03}", kind) for number in range(count)]


def test_what_sorts_fast_comes_first() -> None:
    kinds: tuple[KeyKind, ...] = ("text", "boolean", "decimal", "moment", "int", "date")
    fields = [KeyField(kind, kind) for kind in kinds]
    assert [field.id for field in offset_order(fields, ())] == ["int", "moment", "date", "boolean", "text", "decimal"]


def test_as_many_fields_as_the_query_string_holds() -> None:
    fields = _fields(200, 50)
    order = offset_order(fields, ())
    assert order == fields[: len(order)]
    assert 1 < len(order) < len(fields)
    ids = tuple(field.id for field in order)
    assert len(Query(ids, take=10**6, skip=10**9).encode()) <= LONGEST_QUERY
    where = ((Condition("Id", "=", "x" * 500),),)
    assert 1 < len(offset_order(fields, where)) < len(order)


def test_one_field_however_long_the_filter() -> None:
    where = ((Condition("Id", "=", "x" * (LONGEST_QUERY - 150)),),)
    assert offset_order(_fields(3, 10), where) == _fields(1, 10)


def test_a_filter_that_leaves_no_room() -> None:
    with pytest.raises(QueryTooLongError):
        offset_order(_fields(3, 10), ((Condition("Id", "=", "x" * LONGEST_QUERY),),))


def test_nothing_to_sort_by() -> None:
    with pytest.raises(UnsortableError, match="no field that AFAS can sort on"):
        offset_order([], ())

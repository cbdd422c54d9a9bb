"""Reads rows by `skip`, where no key orders them: each page overlaps the one before, to prove that nothing moved."""

from __future__ import annotations

import collections
import dataclasses
import itertools
from typing import TYPE_CHECKING

from tap_afas.profit.errors import ProfitError, QueryTooLongError
from tap_afas.profit.pagination.errors import MisbehavedError
from tap_afas.profit.pagination.key import KeyField, check_keys, in_order
from tap_afas.profit.pagination.page_size import is_last_page
from tap_afas.profit.query import LONGEST_QUERY, Filter, Query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.page import Page
    from tap_afas.profit.pagination.page_size import PageSize

_MOST_REALIGNMENTS = 10
# Room in the query string for the bounds of a selection and for large numbers.
_ROOM = 300
_MOVED = "Rows moved while they were read, further than the tap can follow: some were inserted or deleted."
_ORDER_FIRST = {"int": 0, "date": 1, "moment": 1, "boolean": 2}


@dataclasses.dataclass(eq=False)
class ShiftedError(MisbehavedError):
    """Rows were inserted or deleted during a walk by offset, more than it can make up for."""

    advice: str = (
        "Without a key, rows that are inserted or deleted during the run push others along. Set `primary_keys` of this"
        " connector if there is a key, or run at a time when nobody works in AFAS."
    )


class UnsortableError(ProfitError):
    """AFAS can't sort the rows, so they can't be read page by page."""


class OffsetPaginator:
    """Reads rows by offset. At any moment, all untouched rows up to and including the last one have been delivered.

    The next page begins with the rows that sort like that last one, and one row more that sorts before them: if they
    are all there, the rest of the page follows on them. If not, rows moved: the walk goes back, page by page, until it
    meets the nearest delivered row that is still there, and goes on behind it.

    Args:
        order: Fields to sort by: as many as AFAS can sort and the query string holds.
        size: Rows a page.
        where: Which rows.
        keys: The key's fields, if one is known.
    """

    cursor = ()

    def __init__(
        self, order: Sequence[KeyField], size: PageSize, where: Filter = (), keys: Sequence[KeyField] = ()
    ) -> None:
        self.order = tuple(order)
        self.size = size
        self.where = where
        self.keys = tuple(keys)
        self.done = False
        self._ids = tuple(field.id for field in order)
        self._delivered = 0
        # What was delivered: the last rows as they stand in AFAS, and those that no longer stand among them or before.
        self._tail: list[bytes] = []
        self._displaced: collections.Counter[bytes] = collections.Counter()
        # Whether some of the latter may sort behind the last row.
        self._ahead = False
        self._overlap = 0
        self._back = 0
        self._realignments = 0
        self._at_end = False

    def next_query(self) -> Query:
        """The page that begins with the last rows of the one before; earlier ones where rows have moved."""
        if self._at_end:
            return Query(self._ids, self.where, take=self.size.take, skip=self._delivered)
        back = min(self._delivered, self._overlap + self._back)
        return Query(self._ids, self.where, take=self.size.take + back, skip=self._delivered - back)

    def advance(self, query: Query, page: Page) -> Sequence[int]:
        """Take a page; none of its rows is delivered while the walk looks for where it was."""
        check_keys(page, self.keys)
        if self._at_end:
            self._check_end(page, query)
            return ()
        self._check_order(page, query)
        marks = [page.fingerprint(position) for position in range(len(page))]
        new = self._aligned(marks) if not self._back else self._realigned(page, marks, query)
        if new is None:
            self._go_further_back(query)
            return ()
        short = len(marks) < query.take and not self._back
        # Only a page that begins where the one before ended proves where the end is.
        self.done = short and is_last_page(len(marks), query.take)
        further = query.skip + len(marks) > self._delivered
        self._realignments = 0 if new or further else self._realignments + 1
        if self._realignments > _MOST_REALIGNMENTS:
            raise ShiftedError(_MOVED)
        # Asked again as it was, such a page would come again for ever.
        self._at_end = short and not self.done and not further
        # What a page overlaps stands in the tail already.
        overlap = min(self._overlap, self._delivered)
        kept = [] if self._back else self._tail[: len(self._tail) - overlap]
        self._delivered = query.skip + len(marks)
        longest = max(2 * self.size.take, len(marks))
        if marks:
            tie = self._tie_start(page, len(marks) - 1)
            if not self._ahead and tie > (marks.index(self._tail[-1]) if self._back else overlap - 1):
                # All of them sort before the last row now.
                self._displaced.clear()
            self._overlap = min(len(marks), len(marks) - tie + 1)
            self._tail = (kept + marks)[-max(longest, self._overlap) :]
        self._back = 0
        if len(marks) >= query.take:
            self.size.count_full_page()
        return new

    def _aligned(self, marks: list[bytes]) -> list[int] | None:
        """The new rows of a page that begins where the one before ended; None when it doesn't."""
        overlap = min(self._overlap, self._delivered)
        expected = self._tail[len(self._tail) - overlap :]
        if collections.Counter(marks[:overlap]) != collections.Counter(expected):
            return None
        return [
            position for position in range(overlap, len(marks)) if not _remove_one(self._displaced, marks[position])
        ]

    def _realigned(self, page: Page, marks: list[bytes], query: Query) -> list[int] | None:
        """The new rows of a page that goes further back; None when that can't be told from it."""
        places = {mark: position for position, mark in enumerate(marks)}
        last = next((places[mark] for mark in reversed(self._tail) if mark in places), None)
        if last is None:
            return None
        # Rows that sort alike may come in another order the next time: those of them that were never delivered are
        # new as well.
        tie = self._tie_start(page, last)
        if not tie and query.skip:
            return None
        self._ahead = self._ahead or self._tail[-1] not in places
        known = collections.Counter(self._tail) + self._displaced
        # Rows that were delivered and don't come again now may yet: those that sort alike come in any order.
        self._displaced = known - collections.Counter(marks)
        return [position for position in range(tie, len(marks)) if not _remove_one(known, marks[position])]

    def _go_further_back(self, query: Query) -> None:
        if self._back and (not query.skip or self._back > 4 * self.size.take):
            raise ShiftedError(_MOVED)
        self._back = max(self.size.take, 2 * self._back)

    def _check_end(self, page: Page, query: Query) -> None:
        if len(page):
            raise ShiftedError(
                f"AFAS sends fewer rows than asked, and more rows sort alike than it sends. Asked: {query}."
            )
        self.done = True

    def _check_order(self, page: Page, query: Query) -> None:
        columns = {}
        for field in itertools.takewhile(lambda field: field.kind not in {"text", "boolean"}, self.order):
            column = page.column(field.id)
            # An empty value stands before or behind all others: the server knows.
            if None in column:
                break
            columns[field] = column
        if not in_order(list(columns), list(zip(*columns.values(), strict=True))):
            raise MisbehavedError(f"AFAS sends rows in another order than asked. Asked: {query}.")

    def _tie_start(self, page: Page, position: int) -> int:
        """The first row that sorts like the one at the position."""
        start = 0
        for field in self.order:
            column = page.column(field.id)
            last = column[position]
            place = position
            while place > start and _ties(field, column[place - 1], last):
                place -= 1
            start = place
            if start == position:
                break
        return start


def _ties(field: KeyField, one: object, other: object) -> bool:
    return one == other or (one is not None and other is not None and field.ties(one, other))  # type: ignore[arg-type]  # values


def _remove_one(known: collections.Counter[bytes], mark: bytes) -> bool:
    """Whether a row is among the known ones; takes one of its kind from the count."""
    if known[mark] <= 0:
        return False
    known[mark] -= 1
    return True


def offset_order(sortable: Sequence[KeyField], where: Filter) -> list[KeyField]:
    """What to sort by where no key is known: as many fields as the query string holds, those that sort fast first.

    Args:
        sortable: The fields that AFAS can sort on.
        where: The filter that the query string must hold as well.

    Raises:
        QueryTooLongError: The filter alone is too long.
        UnsortableError: There is no field to sort by.
    """
    order: list[KeyField] = []
    for field in sorted(sortable, key=lambda field: _ORDER_FIRST.get(field.kind, 3)):
        query = Query(tuple(one.id for one in (*order, field)), where, take=10**6, skip=10**9)
        try:
            length = len(query.encode())
        except QueryTooLongError:
            if not order:
                raise
            break
        if length > LONGEST_QUERY - _ROOM and order:
            break
        order.append(field)
    if not order:
        raise UnsortableError(
            "The connector has no key, and no field that AFAS can sort on: its rows can't be read page by page"
            " without losing some.",
            "Add an id field to the GetConnector in AFAS.",
        )
    return order

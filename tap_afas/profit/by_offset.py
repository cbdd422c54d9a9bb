"""The walk by offset; `walk` says what it promises."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

from tap_afas.profit.page import MisbehavedError, strike
from tap_afas.profit.query import Filter, Query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.page import Page, PageSize


class ShiftedError(MisbehavedError):
    """Rows moved under a walk by offset, further than it can follow."""

    advice = (
        "Without a key or a stamp, rows that are inserted or deleted during the run push others along. Set `primary_keys` of this connector if"
        " there is a key, or run when nobody works in AFAS."
    )


class ByOffset:
    """By offset, for rows without a key: each page begins with the last rows of the one before, to prove that nothing moved.

    What was delivered is, at any moment, all untouched rows up to and with the last one. As long as the next page begins with that
    row, the rest of the page follows on it. If it doesn't, rows moved: the walk goes back, page by page, until it meets the nearest
    delivered row that is still there, and goes on behind it.

    Args:
        order: Fields to sort by: as many as AFAS can sort and the query string holds.
        size: Rows a page.
        where: Which rows.
    """

    def __init__(self, order: Sequence[str], size: PageSize, where: Filter = ()) -> None:
        self.order = tuple(order)
        self.size = size
        self.where = where
        self.done = False
        self._delivered = 0
        self._tail: list[bytes] = []
        self._overlap = 0
        self._back = 0

    def question(self) -> Query:
        """The page that begins with the last rows of the one before, or earlier while a shift is healed."""
        back = min(self._delivered, self._overlap + self._back)
        return Query(self.order, self.where, take=self.size.take + back, skip=self._delivered - back)

    def learn(self, page: Page) -> Sequence[int]:
        """Take a page; while a shift is healed none of its rows may be new."""
        asked = self.question()
        marks = [page.mark(position) for position in range(len(page))]
        behind = self._behind_delivered(marks)
        if behind is None:
            self._go_further_back(asked)
            return ()
        # Rows that sort alike may come in another order the next time: those before the place that were never delivered are new as well.
        new: list[int] = []
        if self._back and behind:
            known = collections.Counter(self._tail)
            ties = range(self._tie_start(page, behind - 1), behind)
            new = [position for position in ties if not strike(known, marks[position])]
        new.extend(range(behind, len(marks)))
        self._delivered = asked.skip + len(marks)
        self._back = 0
        self.done = self.size.is_last(len(marks), asked.take, new=bool(new))
        if marks:
            self._overlap = len(marks) - self._tie_start(page, len(marks) - 1)
            self._tail = (self._tail + marks)[-max(2 * self.size.take, self._overlap, len(marks)) :]
        return new

    def _behind_delivered(self, marks: list[bytes]) -> int | None:
        """Where in the page the undelivered rows begin; None when that can't be told from this page."""
        if not self._delivered:
            return 0
        if not self._back:
            aligned = collections.Counter(marks[: self._overlap]) == collections.Counter(self._tail[-self._overlap :])
            return self._overlap if aligned else None
        places = {mark: position for position, mark in enumerate(marks)}
        for mark in reversed(self._tail):
            if mark in places:
                return places[mark] + 1
        return None

    def _go_further_back(self, asked: Query) -> None:
        if self._back and (not asked.skip or self._back > 4 * self.size.take):
            raise ShiftedError("Rows moved while they were read, further than the tap can follow.")
        self._back = max(self.size.take, 2 * self._back)

    def _tie_start(self, page: Page, position: int) -> int:
        """The first row that sorts like the one at the position."""
        columns = [page.column(field) for field in self.order]
        last = [column[position] for column in columns]
        while position and all(column[position - 1] == value for column, value in zip(columns, last, strict=True)):
            position -= 1
        return position

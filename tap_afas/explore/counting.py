"""How many rows a connector has, found with few questions: is there a row behind so many?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_afas.profit.query import Query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.page import Page
    from tap_afas.profit.query import Filter


class RowCounter:
    """A paginator that counts, each time with one row to bring: doubling first, then halving what is left.

    Args:
        order: Fields to sort by.
        where: Which rows.
        at_least: How many there are for sure.
        exactness: It ends when no more than this share of the number is uncertain; 0: at the number itself.
    """

    def __init__(self, order: Sequence[str], where: Filter = (), *, at_least: int = 0, exactness: float = 0.01) -> None:
        self._order = tuple(order)
        self._where = where
        self._exactness = exactness
        # There are more than `low` rows, or just so many; and no more than `high`, if that is known.
        self._low = at_least
        self._high: int | None = None

    @property
    def done(self) -> bool:
        """Whether the number is known."""
        return self._high is not None and self._high - self._low <= self._low * self._exactness

    @property
    def rows(self) -> int:
        """How many rows: in the middle of what is possible."""
        return self._low if self._high is None else (self._low + self._high) // 2

    def next_query(self) -> Query:
        """What to ask next; the same until `advance` is called."""
        return Query(self._order, self._where, take=1, skip=self._skip)

    @property
    def _skip(self) -> int:
        return max(100, 2 * self._low) if self._high is None else (self._low + self._high) // 2

    def advance(self, query: Query, page: Page) -> None:
        """Take the answer to a query."""
        if len(page):
            self._low = query.skip + 1
        else:
            self._high = query.skip

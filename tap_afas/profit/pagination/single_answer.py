"""The first question after a bookmark: can one answer hold every row that changed or has no stamp?"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tap_afas.profit.pagination.page_size import is_last_page
from tap_afas.profit.query import Query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.page import Page
    from tap_afas.profit.pagination.page_size import PageSize
    from tap_afas.profit.query import Filter

_ONE_MOMENT = 60.0
"""Seconds within which an answer counts as one moment; a longer one may have been read in pieces."""
_OVERLAP = 2


class SingleAnswer:
    """Asks for all rows of a selection at once, and tells whether the answer was all of them at one moment.

    Where it wasn't, the rows are to be read again page by page.

    Args:
        order: The fields to sort by.
        where: Which rows.
        size: Rows a page.
    """

    def __init__(self, order: Sequence[str], where: Filter, size: PageSize) -> None:
        self._order = tuple(order)
        self._where = where
        self._size = size
        # Asked after an answer that may be capped: its last rows, and more.
        self._tail: Query | None = None
        self._last: list[bytes] = []

    def next_query(self) -> Query:
        """What to ask next; the same until `advance` is called."""
        return self._tail or Query(self._order, self._where, take=self._size.take)

    def advance(self, query: Query, page: Page, seconds: float) -> bool | None:
        """Take the answer to a query.

        Returns:
            Whether the first answer held all rows, as they were at one moment; None: the next answer tells.
        """
        if self._tail is not None:
            return [page.fingerprint(place) for place in range(len(page))] == self._last
        if len(page) >= query.take or seconds > _ONE_MOMENT:
            return False
        if is_last_page(len(page), query.take):
            return True
        self._last = [page.fingerprint(len(page) - back) for back in range(_OVERLAP, 0, -1)]
        self._tail = dataclasses.replace(query, take=2 * _OVERLAP, skip=len(page) - _OVERLAP)
        return None

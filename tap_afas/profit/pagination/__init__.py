"""Which page to ask for next, so that no row is lost while rows are added, changed and deleted between requests.

A **selection** says which rows: all; those that changed since a lower bound; those whose stamp is empty. A **walk**
reads a selection page by page: in the order of the key (`KeysetPaginator`) or, where there is no key to go by, by
offset (`OffsetPaginator`). The stamp only selects and never orders, since it moves when rows change and a key doesn't.
`StreamPaginator` reads the selections of one run one after the other, and asks for what the bookmark needs.

What must hold; comments elsewhere refer to it. *Untouched* is a row that exists, with the same values and key, from
before the first request until after the last.

1. **Complete.** When a walk is done, every untouched row of its selection has been delivered.
2. **The bookmark** is the highest stamp that AFAS showed before the first page was asked, at or before the earliest
   wall time of the run's start. What a walk misses, because it changed behind it, bears a later stamp. Only a complete
   run moves it.
3. **No skip.** A walk by key asks for what comes at or after a key, never for a number of rows to pass over: a
   deletion or insertion in front of that place can't move rows across it. A walk by offset skips, and proves at each
   page that nothing has moved, or goes back to where it can prove it.
4. **Compared as shown.** AFAS may compare another value than it shows. A page that continues holds the last known row
   before any unknown one; where it doesn't, further questions tell whether that row is gone, or AFAS compares keys
   differently from how it shows them.
5. **Progress.** A page that brings nothing new is never asked again as it was: one field of the key more, then a
   larger page, then a failure that says so.
6. **Trust nothing.** An answer that breaks the order or the bounds asked for fails the walk; so does a key that
   repeats or is empty. The tap compares text for being the same, never for its order: that is the server's.
7. **Killed.** The resume point in the STATE holds all that a run needs to go on; that run counts as begun when the
   killed one began.

Paginators are plain state machines without IO: `next_query()` gives the next query, `advance(query, page)` takes its
answer and tells which rows are new. None of them knows a client, a stream or the STATE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.page import Page
    from tap_afas.profit.pagination.key import Key
    from tap_afas.profit.query import Query


class Paginator(Protocol):
    """A way through the rows of a connector, page by page."""

    @property
    def done(self) -> bool:
        """Whether all has been read."""

    @property
    def cursor(self) -> Sequence[Key]:
        """Keys to go on from, the last one first; empty where a walk can only begin anew."""

    def next_query(self) -> Query:
        """What to ask next; the same until `advance` is called."""

    def advance(self, query: Query, page: Page) -> Sequence[int]:
        """Take the answer to a query.

        Returns:
            The positions in the page of the rows to deliver, ascending.

        Raises:
            ProfitError: The walk can't go on without losing rows.
        """

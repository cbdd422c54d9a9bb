"""Which page to ask next so that nothing is lost, while rows come, change and go before every single request.

What must hold, in words that each line below answers to. *Untouched* is a row that exists, with the same values, from
before the first request until after the last.

1. **Complete.** When a walk is done, every untouched row of what it walks over has been delivered.
2. **No skip.** A walk by stamp or by key asks for what comes after a place in the order, never for a number of rows
   to pass over. So a deletion or insertion in front of that place can't move rows across it. Only a walk by offset
   skips, and it proves at each page that nothing has moved, or goes back to where it can prove it.
3. **Overlap.** Each page begins with the end of the one before: by stamp, because stamps are stored finer than they
   are shown, and shown rounded or cut off; by key, because AFAS may hold different keys equal (case, accents,
   trailing spaces). The tap compares text only for being the same, never for its order: that is the server's. Rows
   that come again are dropped.
4. **Progress.** A page that is full and does not move the place forward is never asked again as it was: within a
   second, the walk goes by key; among equal keys, the page grows; and where that doesn't help the walk fails and says
   so. So no walk is endless.
5. **Bookmark.** All rows whose stamp is at or below `reached` and that were visible when their page was asked have
   been delivered, and `reached` is a stamp that AFAS sent, never later than the start of the run. A row that changes
   while the walk runs bears a stamp of after that start, less the seconds AFAS needs to commit (`overlap_seconds`):
   the next run, which begins that much below `reached`, reads it.
6. **Trust nothing.** An answer that breaks the order or the bounds asked for fails the walk; so does a key that
   repeats or is null. What can't be told from a right answer isn't noticed: text out of order (see 3), and rows kept
   back at the end of an answer that is shorter than asked by no round number.
7. **Killed.** What a STATE says was delivered stands before it. A place inside a second that goes by key is kept only
   where no row can come up behind it any more; a walk without bookmark starts again.

The walks are plain state machines: `question()` gives the next query, `learn(page)` takes the answer and tells which
rows to deliver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.page import PageSize
    from tap_afas.profit.query import Query
    from tap_afas.profit.rows import Page


class Walk(Protocol):
    """A way through the rows of a connector, page by page: `ByStamp`, `ByKey` or `ByOffset`."""

    size: PageSize

    @property
    def done(self) -> bool:
        """Whether all has been read."""

    def question(self) -> Query:
        """What to ask next; the same until `learn` is called."""

    def learn(self, page: Page) -> Sequence[int]:
        """Take the answer to `question()`.

        Returns:
            The positions in the page of the rows to deliver, ascending.

        Raises:
            ProfitError: The walk can't go on without losing rows.
        """

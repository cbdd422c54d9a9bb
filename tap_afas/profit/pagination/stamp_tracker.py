"""Collects from the pages of a run what the next bookmark is made of: the highest stamp, its row, the unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_afas.profit.wall_time import coarsest_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.page import Page
    from tap_afas.profit.pagination.key import Key
    from tap_afas.profit.pagination.scan import ResumePoint, StartingPoint
    from tap_afas.profit.pagination.selection import Stamp


class StampTracker:
    """What is known of a run's stamps so far; each page adds to it.

    Args:
        since: What earlier runs left.
        resume_point: Where a killed run stood, if this one goes on from there.

    Attributes:
        highest: The bookmark to be, once all has been read; None where there is none.
        witness: The key of the row with that stamp.
        old_witness: The key of a row whose stamp is the bookmark of the run before.
        until: Up to which stamp a stream that appends reads, and from which the next run goes on.
        unit: In which stamps are shown, as far as is known.
        empties: How many rows had an empty stamp.
        met: Whether the old witness came, with a stamp, and also some row at or before the old bookmark (a witness
            that has changed since proves nothing: it comes however AFAS compares).
        same_stamp: The key of a row that came and whose stamp is the old bookmark.
    """

    def __init__(self, since: StartingPoint, resume_point: ResumePoint | None) -> None:
        self.highest: Stamp = resume_point.highest if resume_point else None
        self.witness: Key | None = resume_point.witness if resume_point else None
        self.old_witness = since.witness
        self.until: Stamp = None
        self.unit = since.unit
        self.empties = 0
        self.met = bool(resume_point and resume_point.met)
        self._came = self._proven = False
        self.same_stamp: Key | None = None
        self._bookmark = since.bookmark

    def add_page(self, page: Page, new: Sequence[int]) -> None:
        """Learn from a page.

        Args:
            page: The page.
            new: The positions of the rows that are delivered.
        """
        stamps = page.stamps
        self.empties += sum(stamps[position] is None for position in new) if None in stamps else 0
        self.learn_unit(page)
        if self._bookmark is None or (self.met and self.old_witness is not None):
            return
        if self.same_stamp is None and self._bookmark in stamps:
            self.same_stamp = page.keys[stamps.index(self._bookmark)]
        stamp = stamps[page.keys.index(self.old_witness)] if self.old_witness in page.keys else None
        if stamp is not None:
            self._came = True
            if stamp < self._bookmark:
                # A late commit gave it an earlier stamp: it came, but is no longer a row with the bookmark.
                self.old_witness = None
        self._proven = self._proven or any(stamp is not None and stamp <= self._bookmark for stamp in stamps)
        self.met = self._came and self._proven

    def learn_unit(self, page: Page, field: str | None = None) -> None:
        """Learn from a page in which unit stamps are shown.

        Args:
            page: The page.
            field: The stamp's, where it isn't the page's.
        """
        if self.unit != "second":
            stamps = page.stamps if field is None else page.by(field).stamps
            self.unit = coarsest_unit((stamp for stamp in stamps if isinstance(stamp, str)), self.unit)

    def raise_highest(self, page: Page, positions: Sequence[int], cap: Stamp) -> None:
        """Raise the highest stamp to that of the rows at some positions; stamps after `cap` don't count."""
        for position in positions:
            stamp = page.stamps[position]
            if stamp is None or (cap is not None and stamp > cap):
                continue
            if self.highest is None or stamp > self.highest:
                key = page.keys[position]
                self.highest, self.witness = stamp, key if key and None not in key else None

    def reset(self) -> None:
        """Forget the highest stamp and the rows without one: what was read will be read again."""
        self.highest = self.witness = None
        self.empties = 0

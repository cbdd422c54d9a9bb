"""What the pages of a run tell about its stamps: all that the bookmark needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_afas.profit.wall_time import coarsest_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.pagination.key import Key
    from tap_afas.profit.pagination.scan import ResumePoint, StartingPoint
    from tap_afas.profit.pagination.selection import Stamp
    from tap_afas.profit.rows import Page


class StampTracker:
    """The stamps of a run.

    Args:
        since: What earlier runs left.
        resume_point: Where a killed run stood, if this one goes on from there.

    Attributes:
        highest: The bookmark to be, once all has been read; None where there is none.
        witness: The key of the row that bears it.
        old_witness: The key of a row that bears the old bookmark.
        until: Up to which stamp a stream that appends reads, and from which the next run goes on.
        unit: In which stamps are shown, as far as is known.
        empties: How many rows had an empty stamp.
        met: Whether the row that bore the old bookmark came, with a stamp, and some row from before that bookmark: one
            that changed since comes however literals are read.
        same_stamp: The key of another row that bears it.
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
        """Take note of a page, of which some rows are new."""
        stamps = page.stamps
        self.empties += sum(stamps[position] is None for position in new) if None in stamps else 0
        if self.unit != "second":
            self.unit = coarsest_unit((stamp for stamp in stamps if isinstance(stamp, str)), self.unit)
        if self._bookmark is None or (self.met and self.old_witness is not None):
            return
        if self.same_stamp is None and self._bookmark in stamps:
            self.same_stamp = page.keys[stamps.index(self._bookmark)]
        stamp = stamps[page.keys.index(self.old_witness)] if self.old_witness in page.keys else None
        if stamp is not None:
            self._came = True
            if stamp < self._bookmark:
                # A late commit took it back: it came, but isn't a row that bears the bookmark any more.
                self.old_witness = None
        self._proven = self._proven or any(stamp is not None and stamp <= self._bookmark for stamp in stamps)
        self.met = self._came and self._proven

    def raise_highest(self, page: Page, positions: Sequence[int], cap: Stamp) -> None:
        """Lift the highest stamp to that of rows, as far as the cap allows."""
        for position in positions:
            stamp = page.stamps[position]
            if stamp is None or (cap is not None and stamp > cap):
                continue
            if self.highest is None or stamp > self.highest:
                key = page.keys[position]
                self.highest, self.witness = stamp, key if key and None not in key else None

    def reset(self) -> None:
        """What was read is read again, or doesn't tell the highest stamp."""
        self.highest = self.witness = None
        self.empties = 0

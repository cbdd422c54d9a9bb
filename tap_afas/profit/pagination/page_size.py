"""How large the next page should be, and where a page ends a walk."""

from __future__ import annotations

SURELY_WHOLE = 100
"""AFAS' own default `take`. It may cap a larger one anywhere (its documentation doesn't say where), so a page of
fewer rows than this is the end, and a longer one that isn't full leaves it open."""

_GROW_AFTER = 8
_GROWTH = 1.5


class PageSize:
    """How many rows to ask for: as many as wanted, fewer where AFAS can't, slowly more again.

    Args:
        wanted: Rows a page at best.
    """

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.take = wanted
        self._good = 0
        self._largest_good = 0

    def shrink(self) -> bool:
        """Halve the page after AFAS found it too much; False when it can't be smaller."""
        if self.take <= 1:
            return False
        if 0 < self._largest_good < self.take:
            # It had grown too far: what went well before is as much as there is to have.
            self.wanted = self.take = self._largest_good
        else:
            self.take = max(1, self.take // 2)
        self._good = self._largest_good = 0
        return True

    def went_well(self) -> None:
        """Take note of a full page: after some of them the next may be larger again."""
        self._good += 1
        self._largest_good = max(self._largest_good, self.take)
        if self._good >= _GROW_AFTER and self.take < self.wanted:
            self.take = min(self.wanted, int(self.take * _GROWTH) + 1)
            self._good = 0


def is_end(rows: int, take: int) -> bool:
    """Whether an answer of so many rows, where `take` were asked, is surely all there is."""
    return rows < min(take, SURELY_WHOLE)

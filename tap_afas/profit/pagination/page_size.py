"""How many rows to ask for in the next page, and whether a short page is the last one."""

from __future__ import annotations

DEFAULT_TAKE = 100
"""AFAS' own default `take`. It may cap a larger one anywhere (its documentation doesn't say where), so a page of
fewer rows than this is the end, and a longer one that isn't full leaves it open."""

_GROW_AFTER = 8
_GROWTH = 1.5


class PageSize:
    """How many rows to ask for: `wanted` at first, half after each page that was too much for AFAS, slowly more again.

    Args:
        wanted: Rows a page at best.
    """

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.take = wanted
        self._good = 0
        self._largest_good = 0

    def shrink(self) -> bool:
        """Ask for half as many rows after a page that was too much for AFAS; False when it is one row already."""
        if self.take <= 1:
            return False
        if 0 < self._largest_good < self.take:
            # It had grown too far: what went well before is as much as there is to have.
            self.wanted = self.take = self._largest_good
        else:
            self.take = max(1, self.take // 2)
        self._good = self._largest_good = 0
        return True

    def count_full_page(self) -> None:
        """Count a full page; after eight of them the next one is half as large again, up to `wanted`."""
        self._good += 1
        self._largest_good = max(self._largest_good, self.take)
        if self._good >= _GROW_AFTER and self.take < self.wanted:
            self.take = min(self.wanted, int(self.take * _GROWTH) + 1)
            self._good = 0


def is_last_page(rows: int, take: int) -> bool:
    """Whether `rows` rows, where `take` were asked for, are surely all there is; False leaves it open."""
    return rows < min(take, DEFAULT_TAKE)

"""How many rows to ask for in the next page, and whether a short page is the last one."""

from __future__ import annotations

DEFAULT_TAKE = 100
"""AFAS' own default `take`. It may cap a larger one anywhere (its documentation doesn't say where), so a page of
fewer rows than this is the end, and a longer one that isn't full leaves it open."""

_GROW_AFTER = 8
_GROWTH = 1.5
# Of the largest answer that AFAS sends (75 MB); half as many rows again are far from it.
_SMALL = 75_000_000 // 4
# Rows differ in size.
_SAFE = 0.75


class PageSize:
    """How many rows to ask for: `wanted` at first, less after each page that was too much for AFAS, slowly more again.

    Args:
        wanted: Rows a page at best.
        fits: As many as were known to fit into an answer; None: nothing is known.

    Attributes:
        fits: How many rows are known to fit into an answer, where that is fewer than are wanted.
        answered: Bytes of the last answer.
    """

    def __init__(self, wanted: int, fits: int | None = None) -> None:
        self._most = self.wanted = wanted
        self.fits = fits if fits is not None and 0 < fits < wanted else None
        self.take = self.fits or wanted
        self.answered = 0
        self._good = 0
        self._largest_good = 0

    def shrink(self, *, too_large: bool = False, rows_fit: int | None = None) -> bool:
        """Ask for fewer rows after a page that was too much for AFAS; False when it is one row already.

        Args:
            too_large: Whether it was too many bytes, which is so in the next run too.
            rows_fit: How many rows would have fitted; None where nothing tells.
        """
        if self.take <= 1:
            return False
        if 0 < self._largest_good < self.take:
            # It had grown too far: what went well before is as much as there is to have.
            self.wanted = self.take = self._largest_good
        elif rows_fit is not None:
            self.take = max(1, min(self.take - 1, int(rows_fit * _SAFE)))
        else:
            self.take = max(1, self.take // 2)
        if too_large:
            self.fits = self.take
        self._good = self._largest_good = 0
        return True

    def count_full_page(self) -> None:
        """Count a full page; after eight small ones the next one is half as large again, up to `wanted`."""
        self._largest_good = max(self._largest_good, self.take)
        if self.answered > _SMALL:
            self._good = 0
            return
        self._good += 1
        if self._good >= _GROW_AFTER and self.take < self.wanted:
            self.take = min(self.wanted, int(self.take * _GROWTH) + 1)
            self._good = 0
            if self.fits is not None:
                self.fits = self.take if self.take < self._most else None


def is_last_page(rows: int, take: int) -> bool:
    """Whether `rows` rows, where `take` were asked for, are surely all there is; False leaves it open."""
    return rows < min(take, DEFAULT_TAKE)

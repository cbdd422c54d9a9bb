"""A key held against the rows that are read: whether it repeats, or is empty."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.page import Page
    from tap_afas.profit.pagination.key import Key, Value

# Some 30 MB. A walk in the order of the key brings equal keys one behind the other, so the last ones are enough there.
_MOST_KNOWN = 300_000
_HASH_BYTES = 8


class KeyProof:
    """Holds a key against rows, each of which is to come once.

    Args:
        fields: The key's fields.

    Attributes:
        fields: Likewise.
        rows: How many rows have come.
        repeated: The values of the first key that came twice.
        empty: The values of the first key with an empty part; None is one, an empty text isn't.
        empties: In how many rows a part was empty.
    """

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = tuple(fields)
        self.rows = 0
        self.repeated: dict[str, Value] | None = None
        self.empty: dict[str, Value] | None = None
        self.empties = 0
        self._known: set[bytes] = set()

    def add(self, page: Page, positions: Sequence[int] | None = None) -> None:
        """Take rows of a page.

        Args:
            page: The page.
            positions: Which of its rows; None: all.
        """
        keys: list[Key] = list(zip(*(page.column(field) for field in self.fields), strict=True))
        for key in keys if positions is None else [keys[position] for position in positions]:
            self.rows += 1
            if None in key:
                self.empties += 1
                self.empty = self.empty or dict(zip(self.fields, key, strict=True))
            elif self.repeated is None:
                mark = hashlib.blake2b(repr(key).encode(errors="surrogatepass"), digest_size=_HASH_BYTES).digest()
                if mark in self._known:
                    self.repeated = dict(zip(self.fields, key, strict=True))
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known.add(mark)

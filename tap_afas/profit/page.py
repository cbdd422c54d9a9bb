"""The rows of one answer: their keys, stamps and fingerprints."""

from __future__ import annotations

import decimal
import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from tap_afas.profit.metainfo import REPLACED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.pagination.key import Key, Value
    from tap_afas.profit.rows import RowReader

FINGERPRINT_BYTES = 8

_encoder = msgspec.json.Encoder(decimal_format="number")
_decimals = msgspec.json.Decoder(list[decimal.Decimal | None])


class Page:
    """The rows of one answer, in AFAS' order.

    Attributes:
        rows: As AFAS wrote them.
        hints: For where the key turns out not to be one.
        keys: The key of each row; empty tuples when no key is known.
        stamps: The stamp of each row (wall time without `Z`, a number, or None); empty when the stream has none.

    Args:
        reader: Who read them.
        rows: The rows.
        stamp: The stamp's field; None: the reader's.

    Raises:
        UnfitValueError: A number of a key is not one.
    """

    def __init__(self, reader: RowReader, rows: list[Any], stamp: str | None = None) -> None:
        self.rows = rows
        self.hints = reader.hints
        self._reader = reader
        self._columns: dict[str, Sequence[Value]] = {}
        self._fingerprints: dict[int, bytes] = {}
        self.keys: Sequence[Key] = (
            list(zip(*(self.column(field) for field in reader.key), strict=True)) if reader.key else [()] * len(rows)
        )
        stamp = stamp or reader.stamp
        stamps: Sequence[Any] = self.column(stamp) if stamp else ()
        if stamp and reader.kinds[stamp] != "integer":
            stamps = [stamp.removesuffix("Z") if stamp is not None else None for stamp in stamps]
        self.stamps: Sequence[Any] = stamps

    def __len__(self) -> int:
        """How many rows."""
        return len(self.rows)

    def by(self, stamp: str, positions: Sequence[int] | None = None) -> Page:
        """The same rows, or those at the positions, with another field's stamps."""
        return Page(self._reader, self.rows if positions is None else self.rows_at(positions), stamp)

    def fingerprint(self, position: int) -> bytes:
        """Eight bytes of a row as AFAS wrote it: equal for equal rows, and in practice only for them."""
        found = self._fingerprints.get(position)
        if found is None:
            row = _encoder.encode(self.rows[position])
            found = self._fingerprints[position] = hashlib.blake2b(row, digest_size=FINGERPRINT_BYTES).digest()
        return found

    def column(self, field: str) -> Sequence[Value]:
        """The values of one field; None for what says that it is gone.

        Raises:
            UnfitValueError: A number is not one.
        """
        column = self._columns.get(field)
        if column is None:
            values = self._reader.column(field, self.rows)
            if self._reader.kinds[field] == "number":
                mended = self._reader.repaired_numbers(field, self.rows, gone=field not in self._reader.needed)
                values = _decimals.decode(_encoder.encode(mended or values))
            elif self._reader.kinds[field] != "string" and any(constant in values for constant in REPLACED):
                values = [None if value in REPLACED else value for value in values]
            column = self._columns[field] = values
        return column

    def first(self, field: str) -> Any:
        """The field's value in the first row, as AFAS wrote it."""
        return getattr(self.rows[0], self._reader.attributes[field])

    def rows_at(self, positions: Sequence[int]) -> list[Any]:
        """The rows at the positions."""
        return self.rows if len(positions) == len(self.rows) else list(map(self.rows.__getitem__, positions))

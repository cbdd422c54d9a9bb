"""Fields that AFAS no longer has: in every row, `(replaced)` or `(vervangen)` then stands in place of their values."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

import msgspec

from tap_afas.profit.json_repair import NO_NUMBER
from tap_afas.profit.metainfo import REPLACED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_afas.profit.metainfo import Kind
    from tap_afas.profit.rows import RowReader

_IN_JSON = tuple(f'"{constant}"'.encode() for constant in sorted(REPLACED))
# Numbers are JSON.
_CONSTANTS = {*REPLACED, *_IN_JSON}
_NO_VALUE = {None, b"null", *_CONSTANTS}

_encoder = msgspec.json.Encoder()


class GoneFields:
    """Tells fields that are gone from those that hold values.

    Text stays as AFAS writes it. In a field of another type null takes its place, as long as no row held a value.

    Args:
        reader: Who read the rows.
        kinds: The fields of the records, with their kinds.
    """

    def __init__(self, reader: RowReader, kinds: Mapping[str, Kind]) -> None:
        self._reader = reader
        self._texts = {field for field in kinds if reader.kinds[field] == "string"}
        # Fields of which no row held a value yet, and those of them that are known to be gone.
        self._typed = frozenset(kinds) - self._texts - reader.needed
        self._unknown = set(self._typed)
        self._gone: set[str] = set()
        self._rows = 0

    def add_page(self, rows: Sequence[Any]) -> None:
        """Take rows as they were read; null is set in those fields that are gone.

        Raises:
            UnfitValueError: A field holds values in some rows and is gone in others.
        """
        self._rows += len(rows)
        for field in tuple(self._texts):
            # Most fields are cleared by their first row.
            if self._value(field, rows[0]) not in REPLACED or not REPLACED.issuperset(self._reader.column(field, rows)):
                self._texts.discard(field)
        for field in tuple(self._unknown):
            if field in self._gone or self._value(field, rows[0]) in _NO_VALUE:
                self._look_closely(field, rows)
            else:
                self._unknown.discard(field)
        # Numbers and dates are converted, which tells; these two go out as they were read.
        for field in self._reader.replaced & self._typed - self._unknown:
            for row, value in zip(rows, self._reader.column(field, rows), strict=True):
                if value in REPLACED:
                    raise self._reader.unfit_value_error(field, row)

    def _value(self, field: str, row: Any) -> Any:
        value = getattr(row, self._reader.attributes[field])
        return bytes(value) if isinstance(value, msgspec.Raw) else value

    def _look_closely(self, field: str, rows: Sequence[Any]) -> None:
        column = self._reader.column(field, rows)
        # A field without any value comes here with each block.
        if column.count(None) == len(column):
            return
        # As JSON, it takes no loop to see whether there is a value.
        written = _encoder.encode(column)
        if written.count(b"null") == len(column):
            return
        without = functools.reduce(lambda text, constant: text.replace(constant, b""), _IN_JSON, written)
        is_replaced = len(without) < len(written)
        if without.replace(b"null", b"").strip(b"[,]"):
            self._unknown.discard(field)
            if field in self._gone or is_replaced:
                # The first that is at odds: gone among values, or a value where rows before were gone.
                values = [self._value(field, row) for row in rows]
                odd = (value in _CONSTANTS if is_replaced else value not in _NO_VALUE for value in values)
                raise self._reader.unfit_value_error(field, next(itertools.compress(rows, odd)), mixed=True)
        elif is_replaced:
            self._gone.add(field)
            attribute = self._reader.attributes[field]
            nothing = NO_NUMBER if self._reader.kinds[field] == "number" else None
            for row in rows:
                setattr(row, attribute, nothing)

    @property
    def found(self) -> list[str]:
        """The fields that are gone, after the last row."""
        return sorted(self._gone & self._unknown | self._texts) if self._rows else []

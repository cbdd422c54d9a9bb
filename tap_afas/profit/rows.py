"""Pages of rows: from the bytes of AFAS' answer to typed rows, as AFAS wrote them.

A page that is as metainfo says goes through msgspec alone: only the fields asked for are read, straight into typed
rows. A page that isn't is read again, field by field, with what other versions of AFAS do in mind; what fits nowhere
is reported with connector, field and the key of its row.
"""

from __future__ import annotations

import contextlib
import decimal
import logging
import operator
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tap_afas.profit.errors import UnexpectedAnswerError
from tap_afas.profit.json_repair import MOST_DIGITS, NO_NUMBER, is_utf8, json_number, repair_json
from tap_afas.profit.key_advice import KeyHints
from tap_afas.profit.metainfo import REPLACED
from tap_afas.profit.page import Page
from tap_afas.profit.refusals import error_from_response
from tap_afas.profit.unfit_value import replaced_value, told, unfit_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_afas.profit.metainfo import Kind
    from tap_afas.profit.unfit_value import UnfitValueError

logger = logging.getLogger("tap-afas.rows")

_T = TypeVar("_T")

# More than this on an average, and beside one number of `MOST_DIGITS`, is looked at.
_USUAL_DIGITS = 24

_TYPES: dict[Kind, Any] = {
    "string": str | None,
    "integer": int | None,
    # As AFAS wrote it, digit by digit: nothing is more exact, or faster. `repaired_numbers` sees that it is one.
    "number": msgspec.Raw,
    "boolean": bool | None,
    "date": str | None,
    "date-time": str | None,
    "time": str | None,
}
"""What the values of a row are, by the kind of their field."""

_REPLACED_JSON = {f'"{constant}"'.encode() for constant in REPLACED}

_encoder = msgspec.json.Encoder(decimal_format="number")
_row = msgspec.json.Decoder(dict[str, msgspec.Raw])
_floats = msgspec.json.Decoder(list[float | None])


class _Loose(msgspec.Struct):
    rows: list[msgspec.Raw] | None = None


_rows = msgspec.json.Decoder(_Loose)


class RowReader:
    """Reads the pages of one connector.

    Args:
        connector_id: For what is reported.
        kinds: The fields to read with their kinds, in the order of the rows' values.
        key: The key's fields.
        stamp: The stamp's field, if there is one.
        further: The fields of further stamps.

    Attributes:
        needed: The fields of key and stamps.
        replaced: Whole numbers and booleans of which rows hold a text that says that the field is gone (`REPLACED`).

    Raises:
        ValueError: A field's id can't be read.
    """

    def __init__(
        self,
        connector_id: str,
        kinds: Mapping[str, Kind],
        *,
        key: Sequence[str] = (),
        stamp: str | None = None,
        further: Sequence[str] = (),
    ) -> None:
        self.connector_id = connector_id
        self.kinds = dict(kinds)
        self.key = tuple(key)
        self.stamp = stamp
        # For where the key turns out not to be one.
        self.hints = KeyHints()
        self.needed = frozenset((*self.key, *([stamp] if stamp else []), *further))
        # Field ids can be anything, attribute names can't.
        self.attributes = {field: f"f{number}" for number, field in enumerate(self.kinds)}
        self._row = self.row_struct(self.kinds)
        rows: Any = list[self._row]  # type: ignore[name-defined]  # a type that is made here
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(msgspec.defstruct("Answer", [("rows", rows)]))
        self.replaced: set[str] = set()
        self._warned: set[str] = set()

    def row_struct(self, fields: Iterable[str]) -> type[msgspec.Struct]:
        """A class of rows with these of the fields, which JSON holds under their ids."""
        names = {self.attributes[field]: field for field in fields}
        members = [
            (name, _TYPES[self.kinds[field]], NO_NUMBER if self.kinds[field] == "number" else None)
            for name, field in names.items()
        ]
        return msgspec.defstruct("Row", members, rename=names, gc=False)

    def read(self, body: bytes) -> Page:
        """Read AFAS' answer.

        Raises:
            UnexpectedAnswerError: It is not a page of rows.
            UnfitValueError: A value doesn't fit its field's type.
        """
        try:
            rows: list[Any] = self._decoder.decode(body).rows
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            rows = self._read_tolerantly(body)
        return Page(self, rows)

    def _read_tolerantly(self, body: bytes) -> list[Any]:
        try:
            if not is_utf8(body):  # The values are looked at one by one, and only then for their encoding.
                raise ValueError  # noqa: TRY301 - as the decoder tells the rest
            rows = _rows.decode(body).rows
        except (msgspec.DecodeError, ValueError, RecursionError):
            try:
                mended = repair_json(body)
                with contextlib.suppress(msgspec.DecodeError, RecursionError):
                    return self._told_of(self._decoder.decode(mended).rows)
                rows = self._told_of(_rows.decode(mended).rows)
            except (msgspec.DecodeError, ValueError, RecursionError):
                raise _no_page() from None
        if not isinstance(rows, list):
            error = error_from_response(200, {}, body)
            raise UnexpectedAnswerError("AFAS' answer holds no rows.", error.said and f"AFAS says: “{error.said}”.")
        return [self._read_row(row) for row in rows]

    def _told_of(self, rows: _T) -> _T:
        self._warn_once("repaired", "AFAS' JSON was not valid (as old versions write it); it was repaired.")
        return rows

    def _read_row(self, row: msgspec.Raw) -> Any:
        try:
            raw = _row.decode(row)
        except (msgspec.DecodeError, RecursionError):
            raise _no_page() from None
        return self._read_values(raw)

    def _read_values(self, raw: dict[str, msgspec.Raw]) -> Any:
        values: dict[str, Any] = {}
        for field, attribute in self.attributes.items():
            text = bytes(raw.get(field, b"null")).strip()
            kind = self.kinds[field]
            try:
                values[attribute] = msgspec.Raw(text) if kind == "number" else self._convert(field, kind, text)
            except (ValueError, ArithmeticError, RecursionError):
                raise self._unfit_value_error(field, raw) from None
        return self._row(**values)

    def _convert(self, field: str, kind: Kind, text: bytes) -> Any:
        """A JSON value, as a value of the kind; raises ValueError or ArithmeticError where it is not one."""
        if text == b"null":
            return None
        if kind == "string":
            if text[:1] == b'"':
                return msgspec.json.decode(text, type=str)
            self._warn_once(field, f"AFAS sends something other than text in {field}; it is kept as AFAS writes it.")
            return text.decode()
        if kind == "integer" and text[:1] != b'"':
            value = msgspec.json.decode(bytes(json_number(text)), type=decimal.Decimal)
            if value.adjusted() < MOST_DIGITS and value == value.to_integral_value():
                return int(value)
        if kind == "boolean" and text in {b"true", b"false", b"1", b"0"}:
            return text in {b"true", b"1"}
        gone = text in _REPLACED_JSON and field not in self.needed
        if gone:  # Whether that can be, those tell who see all rows.
            self.replaced.add(field)
        if gone or (kind in {"date", "date-time", "time"} and text[:1] == b'"'):
            return msgspec.json.decode(text, type=str)
        raise ValueError

    def unfit_value_error(
        self, field: str, row: Any, kind: Kind | None = None, *, mixed: bool = False
    ) -> UnfitValueError:
        """The error for a field's value in a row.

        It is that of a field which is gone in some rows only, where that is known (`mixed`) or the value says so.
        """
        found = {name: getattr(row, self.attributes[name]) for name in (*self.key, field)}
        return self._unfit_value_error(field, found, kind, mixed=mixed)

    def _unfit_value_error(
        self, field: str, found: Mapping[str, Any], kind: Kind | None = None, *, mixed: bool = False
    ) -> UnfitValueError:
        key = {name: told(found.get(name, NO_NUMBER)) for name in self.key}
        if mixed or told(found.get(field)).strip('"') in REPLACED:
            return replaced_value(self.connector_id, field, key, needed=field in self.needed)
        return unfit_value(self.connector_id, field, key, kind or self.kinds[field])

    def _warn_once(self, about: str, sentence: str) -> None:
        if about not in self._warned:
            self._warned.add(about)
            logger.warning("%s: %s", self.connector_id, sentence)

    def column(self, field: str, rows: Sequence[Any]) -> list[Any]:
        """The values of one field as AFAS wrote them: a number as `msgspec.Raw`."""
        return list(map(operator.attrgetter(self.attributes[field]), rows))

    def converted(self, field: str, kind: Kind, rows: Sequence[Any]) -> list[Any]:
        """The values of a field that was read as AFAS has it, as values of another kind.

        Raises:
            UnfitValueError: A value isn't of that kind.
        """
        values = []
        for row, value in zip(rows, self.column(field, rows), strict=True):
            text = _encoder.encode(value)
            try:
                values.append(json_number(text) if kind == "number" else self._convert(field, kind, text))
            except (ValueError, ArithmeticError, RecursionError):
                raise self.unfit_value_error(field, row, kind) from None
        return values

    def repaired_numbers(self, field: str, rows: Sequence[Any], *, gone: bool = False) -> list[msgspec.Raw] | None:
        """The numbers of a column where AFAS wrote some as text; None where all are numbers.

        Args:
            field: The field.
            rows: The rows.
            gone: Whether null is taken for what says that the field is gone.

        Raises:
            UnfitValueError: A value is neither a number nor a text that holds one.
        """
        column = self.column(field, rows)
        with contextlib.suppress(msgspec.DecodeError, RecursionError):
            encoded = _encoder.encode(column)
            _floats.decode(encoded)
            usual = len(encoded) <= _USUAL_DIGITS * len(rows) + MOST_DIGITS
            if usual and b"e" not in encoded and b"E" not in encoded:
                return None
        numbers = []
        for row, value in zip(rows, column, strict=True):
            try:
                written = bytes(value)
                numbers.append(NO_NUMBER if gone and written in _REPLACED_JSON else json_number(written))
            except (ValueError, ArithmeticError, RecursionError):
                raise self.unfit_value_error(field, row) from None
        return numbers


def _no_page() -> UnexpectedAnswerError:
    return UnexpectedAnswerError(
        "AFAS' answer is not a page of rows in JSON.",
        "Run again; if it comes back, check `base_url` and what stands in between.",
        later=True,
    )

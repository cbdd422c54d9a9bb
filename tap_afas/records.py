"""A page of rows: from the bytes of AFAS' answer to typed rows, and on to the lines of RECORD messages.

The page is the unit of work. A page that is as metainfo says goes through msgspec alone: only the selected fields are
read, straight into typed rows. A page that isn't is read again, field by field, with what other versions of AFAS do
in mind; what fits nowhere is reported with connector, field and the key of its row.
"""

from __future__ import annotations

import collections
import contextlib
import datetime
import decimal
import hashlib
import itertools
import logging
import operator
import re
from typing import TYPE_CHECKING, Any

import msgspec

from tap_afas.profit.errors import NotUnderstoodError, ProfitError, error_from_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_afas.profit.clock import Clock
    from tap_afas.profit.page import Key, Value
    from tap_afas.schema import Kind

logger = logging.getLogger("tap-afas.records")

_TYPES: dict[Kind, Any] = {
    "string": str | None,
    "integer": int | None,
    # As AFAS wrote it, digit by digit: nothing can be exacter, or faster. `_mended` sees that it is one.
    "number": msgspec.Raw,
    "boolean": bool | None,
    "date": str | None,
    "date-time": str | None,
}
_WORDS: dict[Kind, str] = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date without a time",
    "date-time": "a date and time",
}
MARK_BYTES = 8
_MIDNIGHT = ("T00:00:00Z", "T00:00:00", "")
_REPLACED = {"(replaced)", "(vervangen)"}

_NO_NUMBER = msgspec.Raw(b"null")

_encoder = msgspec.json.Encoder(decimal_format="number")
_decimals = msgspec.json.Decoder(list[decimal.Decimal | None])
_floats = msgspec.json.Decoder(list[float | None])


class UnfitValueError(ProfitError):
    """A value that doesn't fit its field's type."""


class RowReader:
    """Reads the pages of one connector.

    Args:
        connector_id: For what is reported.
        kinds: The fields to read with their kinds, in the order of the records.
        key: The key's fields.
        stamp: The stamp's field, if there is one.
        clock: Of AFAS' wall time.
        hidden: Fields that are read for the walk but are not part of the records.
    """

    def __init__(  # noqa: PLR0913 - made in one place, with names
        self,
        connector_id: str,
        kinds: Mapping[str, Kind],
        *,
        key: Sequence[str],
        stamp: str | None,
        clock: Clock,
        hidden: Iterable[str] = (),
    ) -> None:
        self.connector_id = connector_id
        self.kinds = dict(kinds)
        self.key = tuple(key)
        self.stamp = stamp
        self.clock = clock
        hidden = set(hidden)
        # Field ids can be anything, attribute names can't.
        self.attributes = {field: f"f{number}" for number, field in enumerate(self.kinds)}
        self._row = self._struct([field for field in self.kinds if field not in hidden], hidden)
        self._visible = [field for field in self.kinds if field not in hidden]
        self._record = self._struct(self._visible, ()) if hidden else self._row
        self._decoder = msgspec.json.Decoder(msgspec.defstruct("Answer", [("rows", list[self._row])]))  # type: ignore[name-defined]
        self._values: Callable[[Any], Any] = operator.attrgetter(
            *(self.attributes[field] for field in self._visible), "__class__", "__class__"
        )
        self._warned: set[str] = set()

    def _struct(self, fields: Sequence[str], hidden: Iterable[str]) -> type[msgspec.Struct]:
        ids = [*fields, *hidden]
        return msgspec.defstruct(
            "Row",
            [
                (self.attributes[field], _TYPES[kind], _NO_NUMBER if kind == "number" else None)
                for field, kind in ((field, self.kinds[field]) for field in ids)
            ],
            rename={self.attributes[field]: field for field in ids},
            gc=False,
        )

    def read(self, body: bytes) -> Rows:
        """Read AFAS' answer.

        Raises:
            NotUnderstoodError: It is not a page of rows.
            UnfitValueError: A value doesn't fit its field's type.
        """
        try:
            rows: list[Any] = self._decoder.decode(body).rows  # type: ignore[attr-defined]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            rows = self._read_tolerantly(body)
        return Rows(self, rows)

    def _read_tolerantly(self, body: bytes) -> list[Any]:
        loose = msgspec.json.Decoder(_Loose)
        try:
            body.decode()  # The values are looked at one by one, and only then for their encoding.
            answer = loose.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            try:
                answer = loose.decode(_repair(body))
                self.warn_once("repaired", "AFAS' JSON was not valid (as old versions write it); it was repaired.")
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                raise NotUnderstoodError(
                    "AFAS' answer is not a page of rows in JSON.",
                    "Run again; if it comes back, check `base_url` and what stands in between.",
                ) from None
        if not isinstance(answer.rows, list):
            error = error_from_response(200, {}, body)
            raise NotUnderstoodError("AFAS' answer holds no rows.", error.said and f"AFAS says: “{error.said}”.")
        return [self._read_row(raw) for raw in answer.rows]

    def _read_row(self, raw: dict[str, msgspec.Raw]) -> Any:
        values: dict[str, Any] = {}
        for field, attribute in self.attributes.items():
            text = bytes(raw.get(field, b"null")).strip()
            kind = self.kinds[field]
            try:
                values[attribute] = msgspec.Raw(text) if kind == "number" else self._convert(field, kind, text)
            except (ValueError, ArithmeticError, RecursionError):
                raise self._unfit(field, kind, self._raw_key(raw)) from None
        return self._row(**values)

    def _convert(self, field: str, kind: Kind, text: bytes) -> Any:
        """A JSON value, as a value of the kind; raises ValueError or ArithmeticError where it is none."""
        if text == b"null":
            return None
        if kind == "string":
            if text[:1] == b'"':
                return msgspec.json.decode(text, type=str)
            self.warn_once(field, f"AFAS sends something other than text in {field}; it is kept as AFAS writes it.")
            return text.decode()
        if kind == "integer" and text[:1] != b'"':
            value = msgspec.json.decode(text, type=decimal.Decimal)
            if value == value.to_integral_value():
                return int(value)
        if kind == "boolean" and text in {b"true", b"false", b"1", b"0"}:
            return text in {b"true", b"1"}
        if kind in {"date", "date-time"} and text[:1] == b'"':
            return msgspec.json.decode(text, type=str)
        raise ValueError

    def _raw_key(self, raw: Mapping[str, msgspec.Raw]) -> str:
        return ", ".join(
            f"{name} = {bytes(raw.get(name, b'null'))[:80].decode('utf-8', 'replace')}" for name in self.key
        )

    def _unfit(self, field: str, kind: Kind, key: str) -> UnfitValueError:
        where = f"in the row with {key}" if key else "in a row (its connector has no key to name it by)"
        return UnfitValueError(
            f"The value of {field} {where} is not {_WORDS[kind]}.",
            f"If that is right in AFAS, give the field another type in `streams.{self.connector_id}.types` and run"
            " discovery again.",
        )

    def warn_once(self, about: str, sentence: str) -> None:
        """Log a warning, once per connector and matter."""
        if about not in self._warned:
            self._warned.add(about)
            logger.warning("%s: %s", self.connector_id, sentence)

    def finish(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Turn the numbers, wall times and dates of rows into what is emitted; the rows are changed.

        Raises:
            UnfitValueError: A number or date is none, or a date has a time where it may not.
        """
        for field in self._visible:
            kind = self.kinds[field]
            if kind == "number":
                for row, number in zip(rows, self._mended(field, rows) or (), strict=False):
                    setattr(row, self.attributes[field], number)
            elif kind in {"date", "date-time"}:
                self._convert_dates(field, kind, rows)
        if self._record is not self._row:
            rows = [self._record(*self._values(row)[:-2]) for row in rows]
        return rows

    def _convert_dates(self, field: str, kind: Kind, rows: Sequence[Any]) -> None:
        attribute = self.attributes[field]
        convert = self.clock.to_utc if kind == "date-time" else _day
        column = list(map(operator.attrgetter(attribute), rows))
        converted = dict.fromkeys(column)
        wall = None
        try:
            for wall in converted:
                if wall is not None:
                    converted[wall] = convert(wall)
        except ValueError:
            raise self._unfit(field, kind, self._key_of(rows[column.index(wall)])) from None
        # As a loop, but in C: there are millions.
        collections.deque(map(setattr, rows, itertools.repeat(attribute), map(converted.get, column)), maxlen=0)

    def _mended(self, field: str, rows: Sequence[Any]) -> list[msgspec.Raw] | None:
        """The numbers of a column where some are written as text; None where all are numbers. Rows stay as they are."""
        column = operator.attrgetter(self.attributes[field])
        with contextlib.suppress(msgspec.DecodeError, RecursionError):
            _floats.decode(_encoder.encode(list(map(column, rows))))
            return None
        numbers = []
        for row in rows:
            try:
                numbers.append(_number(bytes(column(row))))
            except (ValueError, ArithmeticError, RecursionError):
                raise self._unfit(field, "number", self._key_of(row)) from None
        return numbers

    def _key_of(self, row: Any) -> str:
        values = {name: getattr(row, self.attributes[name]) for name in self.key}
        return ", ".join(
            f"{name} = {bytes(value)[:80].decode('utf-8', 'replace') if isinstance(value, msgspec.Raw) else value}"
            for name, value in values.items()
        )

    def column(self, field: str, rows: Sequence[Any]) -> list[Any]:
        """The values of one field.

        Raises:
            UnfitValueError: A number is none.
        """
        values = list(map(operator.attrgetter(self.attributes[field]), rows))
        if self.kinds[field] == "number":
            return _decimals.decode(_encoder.encode(self._mended(field, rows) or values))
        return values

    def lines(self, stream: str, rows: Sequence[Any], version: int | None) -> bytes:
        """RECORD messages of finished rows, a line each."""
        if not rows:
            return b""
        head = _encoder.encode({"type": "RECORD", "stream": stream})[:-1] + b',"record":'
        extracted = {"time_extracted": datetime.datetime.now(tz=datetime.UTC).isoformat()}
        tail = b"," + _encoder.encode(extracted if version is None else {"version": version, **extracted})[1:] + b"\n"
        # In JSON, a line break is always the end of a row: within text it is written as \\n.
        return b"".join((head, _encoder.encode_lines(rows)[:-1].replace(b"\n", tail + head), tail))

    def as_dict(self, row: Any) -> dict[str, Any]:
        """A finished row as a record."""
        values = zip(self._visible, self._values(row), strict=False)
        return {
            field: msgspec.json.decode(value, type=decimal.Decimal | None) if isinstance(value, msgspec.Raw) else value
            for field, value in values
        }


def _number(text: bytes) -> msgspec.Raw:
    """A JSON value as a JSON number, or null; raises ValueError or ArithmeticError where it is none."""
    if text[:1] == b'"':
        number = decimal.Decimal(msgspec.json.decode(text, type=str))
    elif text == b"null":
        return _NO_NUMBER
    else:
        number = msgspec.json.decode(text, type=decimal.Decimal)
    if not number.is_finite():
        raise ValueError
    return msgspec.Raw(_encoder.encode(number))


def _day(wall: str) -> str:
    day = wall[:10]
    if wall[10:] not in _MIDNIGHT:
        raise ValueError
    datetime.date.fromisoformat(day)
    return day


class _Loose(msgspec.Struct):
    rows: list[dict[str, msgspec.Raw]] | None = None


_BAD_NUMBER_OR_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"|(?<![\d"])(-?)\.(?=\d)', re.DOTALL)
_CONTROL = re.compile(rb"[\x00-\x1f]")
_LONE_SURROGATE = re.compile(
    rb"(\\\\)|\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def _repair(body: bytes) -> bytes:
    """JSON out of what some versions send: `-.5`, raw control characters, half an emoji, stray bytes."""

    def mend(match: re.Match[bytes]) -> bytes:
        text = match.group()
        if text[:1] != b'"':
            return match.group(1) + b"0."
        text = _CONTROL.sub(lambda found: b"\\u%04x" % found.group()[0], text)
        return _LONE_SURROGATE.sub(
            lambda found: found.group() if found.group(1) or found.group(2) else b"\\ufffd", text
        )

    return _BAD_NUMBER_OR_STRING.sub(mend, body.decode("utf-8", "replace").encode())


class Rows:
    """The rows of one answer; a `profit.page.Page`.

    Args:
        reader: Who read them.
        rows: The rows as AFAS wrote them.
    """

    def __init__(self, reader: RowReader, rows: list[Any]) -> None:
        self.rows = rows
        self.fields = tuple(reader.attributes)
        self._reader = reader
        self.keys: Sequence[Key] = (
            list(zip(*(self.column(field) for field in reader.key), strict=True)) if reader.key else [()] * len(rows)
        )
        stamps: Sequence[Any] = self.column(reader.stamp) if reader.stamp else ()
        if reader.stamp and reader.kinds[reader.stamp] != "integer":
            stamps = [stamp.removesuffix("Z") if stamp is not None else None for stamp in stamps]
        self.stamps: Sequence[Any] = stamps

    def __len__(self) -> int:
        """How many rows."""
        return len(self.rows)

    def mark(self, position: int) -> bytes:
        """A fingerprint of a row as AFAS wrote it."""
        return hashlib.blake2b(_encoder.encode(self.rows[position]), digest_size=MARK_BYTES).digest()

    def column(self, field: str) -> Sequence[Value]:
        """The values of one field."""
        return self._reader.column(field, self.rows)

    def first(self, field: str) -> Value:
        """The field's value in the first row."""
        value: Value = getattr(self.rows[0], self._reader.attributes[field])
        return value

    def pick(self, positions: Sequence[int]) -> list[Any]:
        """The rows at the positions."""
        return self.rows if len(positions) == len(self.rows) else list(map(self.rows.__getitem__, positions))


class ReplacedFields:
    """Notices fields that AFAS no longer has: every row then bears the constant `(replaced)` or `(vervangen)` in them.

    Args:
        kinds: The fields with their kinds.
    """

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self._suspects = {field for field, kind in kinds.items() if kind == "string"}
        self._rows = 0

    def look(self, page: Rows) -> None:
        """Take a page; a field is suspected as long as all its values are the constant."""
        self._rows += len(page)
        for field in tuple(self._suspects) if len(page) else ():
            if page.first(field) not in _REPLACED or not _REPLACED.issuperset(page.column(field)):
                self._suspects.discard(field)

    @property
    def found(self) -> list[str]:
        """The fields, after the last page."""
        return sorted(self._suspects) if self._rows else []

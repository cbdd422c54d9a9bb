"""Records: from rows, as AFAS wrote them, to RECORD messages or dicts."""

from __future__ import annotations

import collections
import datetime
import decimal
import itertools
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_afas.profit.metainfo import Kind
    from tap_afas.profit.rows import Page, RowReader
    from tap_afas.profit.wall_time import WallClock

# Rows turned into lines at a time: they stay in the processor's cache, and a page's lines are never in memory all at
# once.
_BLOCK = 1000
_MIDNIGHT = ("T00:00:00Z", "T00:00:00", "")
_REPLACED = {"(replaced)", "(vervangen)"}

_encoder = msgspec.json.Encoder(decimal_format="number")


class RecordEncoder:
    """Makes records of the rows of one stream.

    Args:
        stream: The stream's name.
        reader: Who reads the rows.
        emitted: The fields that records hold, with their kinds: the first ones of what is read.
        clock: Of AFAS' wall time.
    """

    def __init__(self, stream: str, reader: RowReader, emitted: Mapping[str, Kind], clock: WallClock) -> None:
        self._head = _encoder.encode({"type": "RECORD", "stream": stream})[:-1] + b',"record":'
        self._reader = reader
        self._kinds = dict(emitted)
        self._fields = tuple(emitted)
        self._record = None if len(emitted) == len(reader.kinds) else reader.row_struct(emitted)
        self._clock = clock

    def lines(self, rows: Sequence[Any], version: int | None) -> Iterator[bytes]:
        """RECORD messages, a line each, some at a time; the rows are used up.

        Raises:
            UnfitValueError: A number or date is not one, or a date has a time where it may not.
        """
        extracted = {"time_extracted": datetime.datetime.now(tz=datetime.UTC).isoformat()}
        tail = b"," + _encoder.encode(extracted if version is None else {"version": version, **extracted})[1:] + b"\n"
        for block in self._emitted(rows):
            # In JSON, a line break is always the end of a row: within text it is written as \\n.
            lines = _encoder.encode_lines(block)[:-1].replace(b"\n", tail + self._head)
            yield b"".join((self._head, lines, tail))

    def records(self, rows: Sequence[Any]) -> Iterator[dict[str, Any]]:
        """Records as dicts, with exact numbers; the rows are used up.

        Raises:
            UnfitValueError: As `lines`.
        """
        for row in itertools.chain.from_iterable(self._emitted(rows)):
            yield {
                field: msgspec.json.decode(value, type=decimal.Decimal | None)
                if isinstance(value, msgspec.Raw)
                else value
                for field, value in zip(self._fields, msgspec.structs.astuple(row), strict=True)
            }

    def _emitted(self, rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
        """Rows with what is emitted in place of what AFAS wrote, in blocks."""
        # In place, since a new row for each costs a tenth of a run.
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            for field in self._fields:
                kind = self._kinds[field]
                if kind != self._reader.kinds[field]:
                    self._replace(field, block, self._reader.converted(field, kind, block))
                if kind == "number":
                    self._replace(field, block, self._reader.repaired_numbers(field, block) or ())
                elif kind in {"date", "date-time"}:
                    self._replace(field, block, self._dates(field, kind, block))
            if self._record is None:
                yield block
            else:
                yield [self._record(*msgspec.structs.astuple(row)[: len(self._fields)]) for row in block]

    def _replace(self, field: str, rows: Sequence[Any], values: Iterable[Any]) -> None:
        attribute = itertools.repeat(self._reader.attributes[field])
        # As a loop, but in C: there are millions.
        collections.deque(map(setattr, rows, attribute, values), maxlen=0)

    def _dates(self, field: str, kind: Kind, rows: Sequence[Any]) -> Sequence[str | None]:
        column = self._reader.column(field, rows)
        convert = _days if kind == "date" else self._clock.column_to_utc
        try:
            return convert(column)
        except ValueError:
            # Only now is it worth the time to look which one it is.
            for row, wall in zip(rows, column, strict=True):
                try:
                    convert([wall])
                except ValueError:
                    raise self._reader.unfit_value_error(field, row, kind) from None
            raise


def _days(walls: Sequence[str | None]) -> list[str | None]:
    days: dict[str | None, str | None] = {wall: _day(wall) for wall in set(walls) if wall is not None}
    return list(map(days.get, walls))


def _day(wall: str) -> str:
    day = wall[:10]
    if wall[10:] not in _MIDNIGHT:
        raise ValueError
    datetime.date.fromisoformat(day)
    return day


class ReplacedFields:
    """Notices fields that AFAS no longer has: every row then bears the constant `(replaced)` or `(vervangen)` in them.

    Args:
        kinds: The fields with their kinds.
    """

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self._suspects = {field for field, kind in kinds.items() if kind == "string"}
        self._rows = 0

    def add_page(self, page: Page) -> None:
        """Take a page; a field is suspected as long as all its values are the constant."""
        self._rows += len(page)
        for field in tuple(self._suspects) if len(page) else ():
            # Most fields are cleared by their first row.
            if page.first(field) not in _REPLACED or not _REPLACED.issuperset(page.column(field)):
                self._suspects.discard(field)

    @property
    def found(self) -> list[str]:
        """The fields, after the last page."""
        return sorted(self._suspects) if self._rows else []

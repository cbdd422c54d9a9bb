"""Records: from rows, as AFAS wrote them, to RECORD messages or dicts."""

from __future__ import annotations

import collections
import datetime
import decimal
import functools
import itertools
from typing import TYPE_CHECKING, Any

import msgspec

from tap_afas.gone_fields import GoneFields
from tap_afas.profit.wall_time import day, time_of_day

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_afas.profit.metainfo import Kind
    from tap_afas.profit.rows import RowReader
    from tap_afas.profit.wall_time import WallClock

# Rows turned into lines at a time: they stay in the processor's cache, and a page's lines are never in memory all at
# once.
_BLOCK = 1000

_encoder = msgspec.json.Encoder(decimal_format="number")


class RecordEncoder:
    """Makes records of the rows of one stream.

    Args:
        stream: The stream's name.
        reader: Who reads the rows.
        emitted: The fields that records hold, with their kinds: the first ones of what is read.
        clock: Of AFAS' wall time.

    Attributes:
        replaced: Notices fields that AFAS no longer has.
    """

    def __init__(self, stream: str, reader: RowReader, emitted: Mapping[str, Kind], clock: WallClock) -> None:
        self._head = _encoder.encode({"type": "RECORD", "stream": stream})[:-1] + b',"record":'
        self.replaced = GoneFields(reader, emitted)
        self._reader = reader
        self._kinds = dict(emitted)
        self._fields = tuple(emitted)
        self._record = None if len(emitted) == len(reader.kinds) else reader.row_struct(emitted)
        self._converters: dict[Kind, Callable[[Sequence[str | None]], Sequence[str | None]]] = {
            "date": functools.partial(_each, day),
            "time": functools.partial(_each, time_of_day),
            "date-time": clock.column_to_utc,
        }

    def lines(
        self, rows: Sequence[Any], version: int | None, extracted_at: datetime.datetime | None = None
    ) -> Iterator[bytes]:
        """RECORD messages, a line each, some at a time; the rows are used up.

        Args:
            rows: The rows.
            version: Their version, if they have one.
            extracted_at: Their time; None: now.

        Raises:
            UnfitValueError: A number or date is not one, or a date has a time where it may not.
        """
        extracted = {"time_extracted": (extracted_at or datetime.datetime.now(tz=datetime.UTC)).isoformat()}
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

    def check_dates(self, rows: Sequence[Any]) -> None:
        """Check the dates by which rows are read, before anything is made of the rows.

        Raises:
            UnfitValueError: A date of the key or the stamp is none.
        """
        for field in self._reader.needed:
            if (kind := self._reader.kinds[field]) in self._converters:
                self._dates(field, kind, rows)

    def _emitted(self, rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
        """Rows with what is emitted in place of what AFAS wrote, in blocks."""
        # In place, since a new row for each costs a tenth of a run.
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            self.replaced.add_page(block)
            for field in self._fields:
                kind = self._kinds[field]
                if kind != self._reader.kinds[field]:
                    self._replace(field, block, self._reader.converted(field, kind, block))
                if kind == "number":
                    self._replace(field, block, self._reader.repaired_numbers(field, block) or ())
                elif kind in self._converters:
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
        convert = self._converters[kind]
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


def _each(convert: Callable[[str], str], walls: Sequence[str | None]) -> list[str | None]:
    converted: dict[str | None, str | None] = {wall: convert(wall) for wall in set(walls) if wall is not None}
    return list(map(converted.get, walls))

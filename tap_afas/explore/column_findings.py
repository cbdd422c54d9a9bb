"""What a target can't hold, or can hold but shouldn't: names, values of another type, blobs, fields that are gone."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

from tap_afas.discovery import alike_but_for_case, stream_name
from tap_afas.explore.findings import Finding
from tap_afas.profit.json_repair import NO_NUMBER
from tap_afas.profit.metainfo import REPLACED
from tap_afas.profit.rows import RowReader
from tap_afas.profit.unfit_value import UnfitValueError, told
from tap_afas.profit.wall_time import day, time_of_day
from tap_afas.records import RecordEncoder

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import msgspec

    from tap_afas.profit.metainfo import Connector, Kind
    from tap_afas.profit.wall_time import WallClock

_LONGEST_NAME = 63
_LARGE = 8192


def findings_about_names(connector: Connector) -> list[Finding]:
    """Names that are too long for PostgreSQL, or that differ by case only."""
    name = stream_name(connector.id)
    long = [one for one in connector.fields if len(one.encode()) > _LONGEST_NAME]
    found = []
    if len(name.encode()) > _LONGEST_NAME:
        found.append(Finding(code="name_too_long", severity="warning", facts={"stream": name}))
    if long:
        found.append(Finding(code="name_too_long", severity="warning", fields=tuple(long)))
    found += [
        Finding(code="names_collide", severity="warning", fields=tuple(alike))
        for alike in alike_but_for_case(connector.fields, str)
    ]
    return found


class TolerantReader(RowReader):
    """Reads rows as the tap does, and goes on where the tap would fail: a value that doesn't fit is null, and noted.

    Attributes:
        unfit: By field, how many values don't fit their type, and the key of the first row with one.
    """

    @override
    def __init__(
        self, connector_id: str, kinds: Mapping[str, Kind], *, key: Sequence[str] = (), stamp: str | None = None
    ) -> None:
        super().__init__(connector_id, kinds, key=key, stamp=stamp)
        self.unfit: dict[str, tuple[int, dict[str, str]]] = {}

    @override
    def _read_values(self, raw: dict[str, msgspec.Raw]) -> Any:
        while True:
            try:
                return super()._read_values(raw)
            except UnfitValueError as error:
                self.note(error.field, {name: told(raw.get(name)) for name in self.key})
                raw = {**raw, error.field: NO_NUMBER}

    def note(self, field: str, key: dict[str, str]) -> None:
        """Count a value that doesn't fit."""
        count, first = self.unfit.get(field, (0, key))
        self.unfit[field] = (count + 1, first)


class Fit:
    """Holds rows against their types as the tap does when it makes records of them.

    Args:
        stream: The stream's name.
        reader: Who reads the rows.
        emitted: The kinds of the records' fields.
        clock: Of AFAS' wall time.
    """

    def __init__(self, stream: str, reader: TolerantReader, emitted: Mapping[str, Kind], clock: WallClock) -> None:
        self._reader = reader
        self._emitted = dict(emitted)
        self._encoder = RecordEncoder(stream, reader, emitted, clock)
        self._convert: dict[str, Callable[[Any], object]] = {
            "date": day,
            "time": time_of_day,
            "date-time": clock.to_utc,
        }
        self._failed = False

    def add(self, rows: Sequence[Any], again: Callable[[], Sequence[Any]]) -> None:
        """Take rows; they are used up.

        Args:
            rows: The rows.
            again: The same rows once more, for where one doesn't fit.
        """
        try:
            for _ in self._encoder.lines(rows, None):
                pass
        except UnfitValueError as error:
            self._failed = True
            found = again()
            looked = [self._look(field, kind, found) for field, kind in self._emitted.items()]
            if not any(looked):
                # It holds values, and “(replaced)” in other rows.
                self._reader.note(error.field, {})

    def _look(self, field: str, kind: Kind, rows: Sequence[Any]) -> bool:
        """Note which rows hold something in a field that doesn't fit; whether there are any."""
        fits = functools.partial(self._fits, field, kind)
        unfit = [] if fits(rows) else [row for row in rows if not fits([row])]
        for row in unfit:
            self._reader.note(
                field, {name: told(getattr(row, self._reader.attributes[name])) for name in self._reader.key}
            )
        return bool(unfit)

    def _fits(self, field: str, kind: Kind, rows: Sequence[Any]) -> bool:
        try:
            values: Sequence[Any] = self._reader.column(field, rows)
            if kind != self._reader.kinds[field]:
                values = self._reader.converted(field, kind, rows)
            if kind == "number" and kind == self._reader.kinds[field]:
                self._reader.repaired_numbers(field, rows, gone=True)
            elif kind in self._convert:
                for value in {one for one in values if one is not None and one not in REPLACED}:
                    self._convert[kind](value)
        except (UnfitValueError, ValueError):
            return False
        return True

    def findings(self) -> list[Finding]:
        """Values that don't fit, and fields that are gone."""
        found = [
            Finding(
                code="unfit_value",
                severity="error",
                fields=(field,),
                facts={"count": count, "kind": self._emitted.get(field, "string")},
                values=key,
            )
            for field, (count, key) in self._reader.unfit.items()
        ]
        gone = [] if self._failed else self._encoder.replaced.found
        return [*found, *([Finding(code="replaced_field", severity="warning", fields=tuple(gone))] if gone else [])]


class LargeValues:
    """How large the values of blobs are.

    Args:
        connector: The connector.
    """

    def __init__(self, connector: Connector) -> None:
        self._sizes = {field.id: [0, 0, 0] for field in connector.fields.values() if field.data_type == "blob"}

    def add(self, columns: Callable[[str], Sequence[Any]], positions: Sequence[int]) -> None:
        """Take rows: their columns, and which of them."""
        for field, size in self._sizes.items():
            column = columns(field)
            lengths = [len(column[position]) for position in positions if column[position]]
            if lengths:
                size[0] += len(lengths)
                size[1] += sum(lengths)
                size[2] = max(size[2], *lengths)

    def findings(self) -> list[Finding]:
        """Blobs of over 8 KB on average."""
        return [
            Finding(
                code="large_values",
                severity="note",
                fields=(field,),
                facts={"filled": filled, "average": total // filled, "largest": largest, "total": total},
            )
            for field, (filled, total, largest) in self._sizes.items()
            if filled and (largest > _LARGE)
        ]

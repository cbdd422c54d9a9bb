"""What must be in PostgreSQL, worked out from the sandbox' stored rows alone, and what differs from it.

Nothing of the tap is used here: a mistake in how it reads a value would hide in both.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import zoneinfo
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from afas_sandbox import Cell, Connector, Field, Row

Values: TypeAlias = tuple[Any, ...]
"""A row as PostgreSQL gives it, in the order of the connector's fields."""

_AMSTERDAM = zoneinfo.ZoneInfo("Europe/Amsterdam")
_HALF_A_SECOND = datetime.timedelta(milliseconds=500)
_DATE_ONLY, _TIME_ONLY = 4, 7
# What is before it comes as shown, in no zone's history.
_FIRST_YEAR = 1950


class Way(enum.Enum):
    """How a stream goes into a table, which decides what becomes of rows that are no longer in AFAS as they were."""

    WHOLE = "whole"
    """Read whole each time: the table is as AFAS is now."""
    UPSERT = "by stamp"
    """Read since the last run, with a key, and refreshed when that is due: the table is as AFAS is now."""
    APPEND = "by stamp, no key"
    """Read since the last run, without a key: what rows looked like before stays too."""


def as_loaded(connector: Connector, row: Row) -> Values:
    """A stored row as it must be in PostgreSQL.

    AFAS shows moments rounded to the second, as wall time; PostgreSQL gets them as UTC, and those before 1950 as shown.
    A wall time that comes twice in October is its first pass; one that March skips is read as if the clock hadn't
    changed.
    """
    return tuple(_value(field, cell) for field, cell in zip(connector.fields, row, strict=True))


def _value(field: Field, cell: Cell) -> Any:
    if cell is None:
        return None
    match field.data_type:
        case "decimal":
            return decimal.Decimal(str(cell))
        case "date":
            return _date(field, datetime.datetime.fromisoformat(str(cell)))
        case _:
            return cell


def _date(field: Field, wall: datetime.datetime) -> datetime.date | datetime.time:
    if field.control_type == _DATE_ONLY:
        return wall.date()
    shown = (wall + _HALF_A_SECOND).replace(microsecond=0)
    if field.control_type == _TIME_ONLY:
        return shown.time()
    if shown.year < _FIRST_YEAR:
        return shown
    return shown.replace(tzinfo=_AMSTERDAM).astimezone(datetime.UTC).replace(tzinfo=None)


def expected(way: Way, before: Sequence[Values], now: Sequence[Values]) -> list[Values]:
    """The rows that must be in a table after two runs, of which the second had a refresh due.

    Args:
        way: How the stream goes into the table.
        before: The rows at the first run.
        now: The rows at the second.
    """
    if way is not Way.APPEND:
        return list(now)
    new = collections.Counter(now) - collections.Counter(before)
    return [*before, *new.elements()]


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """One row that isn't the same at both ends.

    Attributes:
        key: The row's key, or the whole row when there is no key.
        what: What differs.
    """

    key: Values
    what: str


def differences(
    connector: Connector, key: Sequence[int], wanted: Iterable[Values], found: Iterable[Mapping[str, Any]]
) -> Iterator[Difference]:
    """Every row that isn't the same: values, types, and how often it is there.

    Args:
        connector: The connector.
        key: The places of its key in a row; empty when it has none.
        wanted: The rows that must be there.
        found: The rows of the table, by column.
    """
    fields = [field.id for field in connector.fields]
    absent = object()
    there = collections.Counter(_told_apart(tuple(row.get(field, absent) for field in fields)) for row in found)
    wanted_rows = collections.Counter(_told_apart(row) for row in wanted)
    missing = list((wanted_rows - there).elements())
    stray = collections.defaultdict(list)
    for row in (there - wanted_rows).elements():
        stray[_key(row, key)].append(row)
    for row in missing:
        row_key = _key(row, key)
        if not stray[row_key]:
            yield Difference(row_key, "is in AFAS, and not in PostgreSQL")
            continue
        other = stray[row_key].pop()
        unequal = [
            f"{field}: {mine[1]!r} in AFAS, {'no column' if its[1] is absent else repr(its[1])} in PostgreSQL"
            for field, mine, its in zip(fields, row, other, strict=True)
            if mine != its
        ]
        yield Difference(row_key, "; ".join(unequal))
    for row_key, rows in stray.items():
        for _ in rows:
            yield Difference(row_key, "is in PostgreSQL, and not in AFAS (or more often)")


def _told_apart(row: Values) -> Values:
    # Python takes True for 1, and 1 for Decimal("1.0"): with their types, they differ.
    return tuple((type(value), value) for value in row)


def _key(row: Values, key: Sequence[int]) -> Values:
    cells = [value for _, value in row]
    return tuple(cells[place] for place in key) if key else tuple(cells)

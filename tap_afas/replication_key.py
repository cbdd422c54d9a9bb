"""The replication key: its stamps as AFAS shows them, as records hold them, and how late a row may come after one."""

from __future__ import annotations

import dataclasses
import datetime
import re
from typing import TYPE_CHECKING, Any, Literal

from tap_afas.profit.wall_time import SECONDS, Unit, UnreadableError, floor, shift

if TYPE_CHECKING:
    from tap_afas.profit.pagination.selection import Stamp
    from tap_afas.profit.wall_time import WallClock

_LITERAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class ReplicationKey:
    """The replication key, and what its stamps can tell about late commits.

    Attributes:
        id: The field.
        kind: What AFAS says that it holds.
        clock: Of AFAS' wall time.
        overlap: Seconds that a commit may come after its stamp.
        by_day: Whether AFAS shows days, whatever records hold.
    """

    id: str
    kind: Literal["int", "date", "date-time"]
    clock: WallClock
    overlap: int
    by_day: bool = False

    def unit(self, unit: Unit | None) -> Unit:
        """In which steps stamps count: as far as they were seen, but days where AFAS shows days."""
        return "day" if self.by_day else unit or "day"

    def cap(self, start: datetime.datetime) -> Stamp:
        """The highest stamp that may become the bookmark of a run; None: any may."""
        return None if self.kind == "int" else self.clock.earliest_wall(start)

    def lag(self, unit: Unit | None) -> int:
        """Seconds that a commit may come after its stamp: the overlap, and twice the unit in which stamps are shown."""
        return self.overlap + (0 if self.kind == "int" else 2 * SECONDS[self.unit(unit)])

    def lagged(self, start: datetime.datetime, unit: Unit) -> Stamp:
        """The stamp up to which all had been committed at `start`; None for numbers, which tell no time."""
        return None if self.kind == "int" else shift(self.clock.earliest_wall(start), -self.lag(unit))

    def beyond(self, stamp: Stamp, unit: Unit | None) -> Stamp:
        """A stamp after every row that is shown with this one: rows may be stored finer than shown."""
        return stamp if stamp is None or self.kind == "int" else shift(stamp, SECONDS[self.unit(unit)])

    def first(self, start_date: str) -> Stamp:
        """Where a first sync begins; a start date without a zone is wall time, as a filter's values are."""
        moment = datetime.datetime.fromisoformat(start_date)
        wall = self.clock.earliest_wall(moment) if moment.tzinfo else moment.isoformat(timespec="seconds")
        return floor(wall, "day") if self.by_day else wall

    def value(self, literal: Stamp) -> str | int | None:
        """A stamp as records hold it: UTC, a day, or a number."""
        if literal is None or self.kind == "int":
            return literal  # type: ignore[no-any-return]  # an int
        if self.kind == "date":
            return str(literal)[:10]
        try:
            return self.clock.to_utc(f"{literal}Z")
        except ValueError:
            # A day from either end of the calendar, UTC has no word for it.
            return f"{literal}+00:00"

    def literal(self, value: Any) -> Stamp:
        """The earliest stamp that a value of a record can stand for.

        Raises:
            UnreadableError: It is no stamp of this kind.
        """
        if (self.kind == "int") != (isinstance(value, int) and not isinstance(value, bool)):
            raise UnreadableError("another type")
        if self.kind == "int":
            return value
        if not isinstance(value, str):
            raise UnreadableError("another type")
        try:
            moment = _parse_datetime(value)
        except ValueError:
            raise UnreadableError("not a moment") from None
        return f"{value}T00:00:00" if len(value) == len("2026-03-01") else self.clock.earliest_wall(moment)

    def check(self, literal: Any) -> None:
        """Check that a value in the STATE has the form of a stamp.

        Raises:
            UnreadableError: It has another type or form.
        """
        if literal is not None and (self.kind != "int" or not isinstance(literal, int) or isinstance(literal, bool)):
            if self.kind == "int" or not isinstance(literal, str):
                raise UnreadableError("another type")
            # Literals are compared as text: the moment alone won't do.
            if _LITERAL.fullmatch(literal) is None:
                raise UnreadableError("another form")
            shift(literal, 0)


def _parse_datetime(value: str) -> datetime.datetime:
    parsed = datetime.datetime.fromisoformat(value)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.UTC)

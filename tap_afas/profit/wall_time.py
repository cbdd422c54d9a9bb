"""AFAS' wall time and the moments it stands for.

AFAS writes a `Z` behind every date, but the time is always the Netherlands' wall time (docs.afas.help,
"GetConnector"); a filter value is wall time too, and is refused with a `Z`. So the tap keeps wall time wherever it
talks to AFAS (text, `YYYY-MM-DDTHH:MM:SS`, which sorts as time does) and turns it into UTC only in what it emits.

The clock change makes two hours special. A wall time of the hour that comes twice in October is read as its first
pass; one of the hour that March skips (typed in by hand, or imported) as if the clock had not changed yet. Both are
what PEP 495 calls `fold=0`.
"""

from __future__ import annotations

import contextlib
import datetime
import re
import zoneinfo
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_SECOND = datetime.timedelta(seconds=1)
_HOUR = datetime.timedelta(hours=1)
_WALL = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z?", re.ASCII)
_HOUR_DIGITS = len("2015-01-26T16")
_SECOND_DIGITS = len("2015-01-26T16:57:43")
# What stands behind the hour, before and after.
_TAILS = {
    f":{minute:02}:{second:02}Z": f":{minute:02}:{second:02}+00:00" for minute in range(60) for second in range(60)
}
# Six years of hours, some 10 MB: rows in the order of a key jump about in them.
_MOST_HOURS = 50_000
# A clock change moves the clock by less than this anywhere in the world.
_WIDEST_CHANGE = datetime.timedelta(hours=3)


class _Hours(dict[str, str]):
    """Hours of wall time and the same in UTC; a KeyError where only the slow way tells."""

    def __init__(self, find: Callable[[str], str | None]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, hour: str) -> str:
        found = self._find(hour)
        if found is None:
            raise KeyError(hour)
        if len(self) >= _MOST_HOURS:
            self.clear()
        self[hour] = found
        return found


class WallClock:
    """Turns AFAS' wall time into UTC and back.

    Args:
        timezone: IANA name of AFAS' time zone.

    Raises:
        ValueError: There is no such time zone.
    """

    def __init__(self, timezone: str = "Europe/Amsterdam") -> None:
        try:
            self.zone = zoneinfo.ZoneInfo(timezone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"'{timezone}' is not a time zone name such as Europe/Amsterdam.") from error
        self._hours = _Hours(self._utc_hour)

    def column_to_utc(self, walls: Sequence[str | None]) -> list[str | None]:
        """`to_utc` for a column of values, where None stays None.

        Raises:
            ValueError: As `to_utc`; which value it was isn't told.
        """
        distinct: dict[str | None, str | None] = dict.fromkeys(walls)
        if len(distinct) * 2 < len(walls):
            for wall in distinct:
                distinct[wall] = None if wall is None else self.to_utc(wall)
            return list(map(distinct.get, walls))
        hours, tails = self._hours, _TAILS
        with contextlib.suppress(KeyError):
            return [None if wall is None else hours[wall[:_HOUR_DIGITS]] + tails[wall[_HOUR_DIGITS:]] for wall in walls]
        return [None if wall is None else self.to_utc(wall) for wall in walls]

    def to_utc(self, wall: str) -> str:
        """A date as AFAS writes it, as the UTC moment it stands for.

        Args:
            wall: `2015-01-26T16:57:43Z`; the `Z` is ignored, a fraction of a second is kept.

        Returns:
            `2015-01-26T15:57:43+00:00`: one fixed form, so that its text order is its order in time.

        Raises:
            ValueError: Not a date and time, or one that UTC can't express (in year 1 or 9999).
        """
        try:
            return self._hours[wall[:_HOUR_DIGITS]] + _TAILS[wall[_HOUR_DIGITS:]]
        except KeyError:
            return self._to_utc_slowly(wall)

    def _utc_hour(self, hour: str) -> str | None:
        """The same hour in UTC (`2015-01-26T15`), or None where minutes change as well."""
        try:
            start = datetime.datetime.fromisoformat(f"{hour}:00:00")
            offset = self.zone.utcoffset(start)
            if offset is None or offset % _HOUR or offset != self.zone.utcoffset(start + _HOUR - _SECOND):
                return None
            return (start - offset).isoformat()[:_HOUR_DIGITS]
        except (ValueError, OverflowError):
            return None

    def _to_utc_slowly(self, wall: str) -> str:
        form = _WALL.fullmatch(wall)
        if form is None:
            raise ValueError("not a date and time")
        second, fraction = form.groups(default="")
        try:
            utc = datetime.datetime.fromisoformat(second).replace(tzinfo=self.zone).astimezone(datetime.UTC)
        except OverflowError:
            raise ValueError("not a date and time that UTC can express") from None
        return f"{utc.isoformat()[:_SECOND_DIGITS]}{fraction}+00:00"

    def to_wall(self, moment: datetime.datetime) -> str:
        """The wall time at a moment, `YYYY-MM-DDTHH:MM:SS`."""
        return moment.astimezone(self.zone).replace(tzinfo=None).isoformat()[:_SECOND_DIGITS]

    def earliest_wall(self, moment: datetime.datetime) -> str:
        """The lowest wall time that a change after the moment can bear, `YYYY-MM-DDTHH:MM:SS`.

        That is the wall time of the moment, but near a clock change the earlier of both readings: what changes in the
        second pass of October's hour bears wall times that the first pass had already.
        """
        try:
            naive = moment.astimezone(datetime.UTC).replace(tzinfo=None)
            offsets = [self._offset(moment + step) for step in (-_WIDEST_CHANGE, datetime.timedelta(0), _WIDEST_CHANGE)]
            return (naive + min(offsets)).isoformat()[:_SECOND_DIGITS]
        except OverflowError:
            return moment.replace(tzinfo=None).isoformat()[:_SECOND_DIGITS]

    def _offset(self, moment: datetime.datetime) -> datetime.timedelta:
        return moment.astimezone(self.zone).utcoffset() or datetime.timedelta(0)


def shift(wall: str, seconds: int) -> str:
    """A wall time some seconds later (or earlier), to the second: 2015-01-26T16:57:43.5 less 1 is 2015-01-26T16:57:42.

    Wall time is counted as it is written; clock changes play no part. Where the calendar ends, so does the shift.
    """
    start = datetime.datetime.fromisoformat(wall[:_SECOND_DIGITS])
    try:
        return (start + seconds * _SECOND).isoformat()
    except OverflowError:
        return "9999-12-31T23:59:59" if seconds > 0 else "0001-01-01T00:00:00"


Unit = Literal["day", "hour", "minute", "second"]
"""In what steps a stamp is shown."""

SECONDS: dict[Unit, int] = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
_CUTS: dict[Unit, tuple[int, str]] = {
    "day": (10, "T00:00:00"),
    "hour": (13, ":00:00"),
    "minute": (16, ":00"),
    "second": (19, ""),
}


def coarsest_unit(stamps: Iterable[str], before: Unit | None = None) -> Unit | None:
    """The coarsest unit that fits all the wall times, and is no coarser than `before`; None where there are none.

    `["2024-03-31T09:00:00", "2024-03-31T10:30:00"]` can have been shown by the minute.
    """
    if before == "second":
        return before
    allowed = list(SECONDS)[list(SECONDS).index(before) if before else 0 :]
    shown = set(stamps)
    if not shown:
        return before
    return next(
        unit
        for unit in allowed
        if unit == "second" or all(stamp[_CUTS[unit][0] :] == _CUTS[unit][1] for stamp in shown)
    )


def floor(wall: str, unit: Unit) -> str:
    """A wall time cut off to a unit: `floor("2024-03-31T09:30:12", "hour")` is `2024-03-31T09:00:00`."""
    length, rest = _CUTS[unit]
    return wall[:length] + rest


def lower_bound_after(wall: str, unit: Unit) -> str:
    """The lower bound for reading what comes after a wall time, where stamps are shown in steps of a unit.

    `lower_bound_after("2024-03-31T09:00:00", "hour")` is `2024-03-31T10:00:00`. Within a step it is where the step
    begins: `lower_bound_after("2024-03-31T09:30:00", "hour")` is `2024-03-31T09:00:00`.
    """
    start = floor(wall, unit)
    return shift(start, SECONDS[unit]) if start == wall[:_SECOND_DIGITS] else start

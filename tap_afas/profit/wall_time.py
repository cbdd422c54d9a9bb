"""AFAS' wall time and the moments it stands for.

AFAS writes a `Z` behind every date, but the time is always the Netherlands' wall time (docs.afas.help,
"GetConnector"); a filter value is wall time too, and is refused with a `Z`. So the tap keeps wall time wherever it
talks to AFAS (text, `YYYY-MM-DDTHH:MM:SS`, which sorts as time does) and turns it into UTC only in what it emits.

The clock change makes two hours special. A wall time of the hour that comes twice in October is read as its first
pass; one of the hour that March skips (typed in by hand, or imported) as if the clock had not changed yet. Both are
what PEP 495 calls `fold=0`.

Before 1950, wall time isn't turned into UTC but goes out as shown: what AFAS holds of those years are days (of birth,
"since ever") and the ends of a calendar, and of the clocks of that time each time zone database tells another tale.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import importlib.resources
import re
import zoneinfo
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_SECOND = datetime.timedelta(seconds=1)
_HOUR = datetime.timedelta(hours=1)
# What AFAS writes, and nothing else that ISO 8601 takes for a date or a time; a fraction of zero is none.
_HOUR_FORM = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3])", re.ASCII)
_WALL = re.compile(rf"({_HOUR_FORM.pattern}:\d\d:\d\d)(?:\.0+|(\.\d+))?Z?", re.ASCII)
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:T00:00:00(?:\.0+)?Z?)?", re.ASCII)
_TIME = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.0+|(\.\d+))?", re.ASCII)
_TIMES_DAY = "1900-01-01T"
"""The day that AFAS writes before a time of day."""
_AS_SHOWN_BEFORE = "1950"
_HOUR_DIGITS = len("2015-01-26T16")
_SECOND_DIGITS = len("2015-01-26T16:57:43")
# What stands behind the hour, before and after.
_TAILS = {
    f":{minute:02}:{second:02}Z": f":{minute:02}:{second:02}+00:00" for minute in range(60) for second in range(60)
}
# Six years of hours, some 10 MB: rows in the order of a key jump about in them.
_MOST_HOURS = 50_000
# Forty years of days, some 3 MB.
_MOST_DAYS = 15_000
# A clock change moves the clock by less than this anywhere in the world.
_WIDEST_CHANGE = datetime.timedelta(hours=3)


class UnreadableError(ValueError):
    """What should hold a wall time, a stamp or a key doesn't. No other error of a value is one: that would be a bug."""


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
            # Not the machine's, so that no result depends on where the tap runs, nor on whether there is any.
            file = importlib.resources.files("tzdata").joinpath("zoneinfo", *timezone.split("/"))
            with file.open("rb") as rules:
                self.zone = zoneinfo.ZoneInfo.from_file(rules, key=timezone)
        except (ValueError, OSError) as error:
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
            wall: `2015-01-26T16:57:43Z`; the `Z` is ignored, a fraction of a second is kept unless it is zero.

        Returns:
            `2015-01-26T15:57:43+00:00`: one fixed form, so that its text order is its order in time. What is before
            1950 comes as shown, with `+00:00`.

        Raises:
            ValueError: Not a date and time as AFAS writes it, or one that UTC can't express (in year 9999).
        """
        try:
            return self._hours[wall[:_HOUR_DIGITS]] + _TAILS[wall[_HOUR_DIGITS:]]
        except KeyError:
            return self._to_utc_slowly(wall)

    def _utc_hour(self, hour: str) -> str | None:
        """The same hour in UTC (`2015-01-26T15`), or None where minutes change as well, or it isn't one."""
        if _HOUR_FORM.fullmatch(hour) is None:
            return None
        try:
            start = datetime.datetime.fromisoformat(f"{hour}:00:00")
            if hour < _AS_SHOWN_BEFORE:
                return hour
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
        shown = datetime.datetime.fromisoformat(second)
        if second < _AS_SHOWN_BEFORE:
            return f"{second}{fraction}+00:00"
        try:
            utc = shown.replace(tzinfo=self.zone).astimezone(datetime.UTC)
        except OverflowError:
            raise ValueError("not a date and time that UTC can express") from None
        return f"{utc.isoformat()[:_SECOND_DIGITS]}{fraction}+00:00"

    def to_wall(self, moment: datetime.datetime) -> str:
        """The wall time at a moment, `YYYY-MM-DDTHH:MM:SS`; before 1950 it is the moment's own, as in `to_utc`."""
        wall = moment.astimezone(self.zone).replace(tzinfo=None).isoformat()[:_SECOND_DIGITS]
        return _as_told(moment) if wall < _AS_SHOWN_BEFORE else wall

    def earliest_wall(self, moment: datetime.datetime) -> str:
        """The lowest wall time that a change after the moment can bear, `YYYY-MM-DDTHH:MM:SS`.

        That is the wall time of the moment, but near a clock change the earlier of both readings: what changes in the
        second pass of October's hour bears wall times that the first pass had already. What is before 1950 may be a
        wall time as shown.
        """
        try:
            naive = moment.astimezone(datetime.UTC).replace(tzinfo=None)
            offsets = [self._offset(moment + step) for step in (-_WIDEST_CHANGE, datetime.timedelta(0), _WIDEST_CHANGE)]
            wall = (naive + min(offsets)).isoformat()[:_SECOND_DIGITS]
        except OverflowError:
            return moment.replace(tzinfo=None).isoformat()[:_SECOND_DIGITS]
        told = _as_told(moment)
        return min(wall, told) if told < _AS_SHOWN_BEFORE else wall

    def _offset(self, moment: datetime.datetime) -> datetime.timedelta:
        return moment.astimezone(self.zone).utcoffset() or datetime.timedelta(0)


def _as_told(moment: datetime.datetime) -> str:
    """A moment in UTC, without saying so."""
    return moment.astimezone(datetime.UTC).replace(tzinfo=None).isoformat()[:_SECOND_DIGITS]


@functools.lru_cache(_MOST_DAYS)
def day(wall: str) -> str:
    """The day of a date without a time, `2015-01-26`, which no zone moves.

    Args:
        wall: `2015-01-26T00:00:00Z`, or the day alone.

    Raises:
        ValueError: It is no such date, in AFAS' form.
    """
    form = _DAY.fullmatch(wall)
    if form is None:
        raise ValueError("not a date without a time")
    datetime.date.fromisoformat(form[1])
    return form[1]


@functools.lru_cache(_MOST_DAYS)
def time_of_day(wall: str) -> str:
    """A time of day, `08:30:00`, which no zone moves; a fraction of a second is kept unless it is zero.

    Args:
        wall: `1900-01-01T08:30:00Z`, as AFAS writes one, or the time alone.

    Raises:
        ValueError: It is no time of day in this form, or it bears another date.
    """
    time = wall.removeprefix(_TIMES_DAY).removesuffix("Z") if wall.startswith(_TIMES_DAY) else wall
    form = _TIME.fullmatch(time)
    if form is None:
        raise ValueError("not a time of day")
    return form[1] + (form[2] or "")


def literal_of_time(time: str) -> str:
    """A time of day as AFAS compares it: `1900-01-01T08:30:00`.

    Raises:
        ValueError: As `time_of_day`.
    """
    return _TIMES_DAY + time_of_day(time).partition(".")[0]


def shift(wall: str, seconds: int) -> str:
    """A wall time some seconds later (or earlier), to the second: 2015-01-26T16:57:43.5 less 1 is 2015-01-26T16:57:42.

    Wall time is counted as it is written; clock changes play no part. Where the calendar ends, so does the shift.

    Raises:
        UnreadableError: It is none.
    """
    try:
        start = datetime.datetime.fromisoformat(wall[:_SECOND_DIGITS])
    except ValueError:
        raise UnreadableError("not a wall time") from None
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


def moment_of(text: Any) -> datetime.datetime:
    """The moment that a text with an offset stands for.

    Raises:
        UnreadableError: It stands for none.
    """
    try:
        moment = datetime.datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UnreadableError("not a moment")
    return moment


def moment_or_none(text: Any) -> datetime.datetime | None:
    """Likewise; None for a text that stands for none, or no text."""
    try:
        return moment_of(text)
    except UnreadableError:
        return None


def lower_bound_after(wall: str, unit: Unit) -> str:
    """The lower bound for reading what comes after a wall time, where stamps are shown in steps of a unit.

    `lower_bound_after("2024-03-31T09:00:00", "hour")` is `2024-03-31T10:00:00`. Within a step it is where the step
    begins: `lower_bound_after("2024-03-31T09:30:00", "hour")` is `2024-03-31T09:00:00`.
    """
    start = floor(wall, unit)
    return shift(start, SECONDS[unit]) if start == wall[:_SECOND_DIGITS] else start

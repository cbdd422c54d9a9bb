"""The clock of the environment: Amsterdam wall time, as AFAS stores it."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable
from typing import TypeAlias

Clock: TypeAlias = Callable[[], dt.datetime]
"""Gives the naive wall time in Amsterdam; `fold=1` for the second pass through the October hour."""

_AMSTERDAM = zoneinfo.ZoneInfo("Europe/Amsterdam")


def amsterdam() -> dt.datetime:
    """The wall time in Amsterdam right now."""
    return dt.datetime.now(_AMSTERDAM).replace(tzinfo=None)


def to_utc(wall_time: dt.datetime) -> dt.datetime:
    """The moment at which clocks in Amsterdam show this time."""
    return wall_time.replace(tzinfo=_AMSTERDAM).astimezone(dt.UTC)


def stored(wall_time: dt.datetime) -> str:
    """A wall time as a row stores it, to the millisecond."""
    return wall_time.isoformat(timespec="milliseconds")


def later(wall_time: dt.datetime, seconds: float) -> dt.datetime:
    """What the clocks in Amsterdam show so many seconds after they show this."""
    if not seconds:
        return wall_time
    return (to_utc(wall_time) + dt.timedelta(seconds=seconds)).astimezone(_AMSTERDAM).replace(tzinfo=None)

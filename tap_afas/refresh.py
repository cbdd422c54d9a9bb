"""When a stream is read whole again, so that rows that AFAS deleted leave the target too (`full_refresh_every`)."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import re
from typing import TYPE_CHECKING

from msgspec import UNSET

from tap_afas.inputs import InputError
from tap_afas.profit.wall_time import moment_or_none

if TYPE_CHECKING:
    from tap_afas.bookmark import Bookmark
    from tap_afas.settings import Settings

_DURATION = re.compile(r"([1-9]\d{0,3})([dh])", re.ASCII)
_HOUR = datetime.timedelta(hours=1)
_DAY = datetime.timedelta(days=1)
# An hourly job doesn't take all streams in one night, and a weekly one that starts early doesn't skip a week.
_EARLIEST, _SPREAD = 0.85, 0.1


class RefreshPendingError(InputError):
    """A stream whose settings changed has to be read whole first, which failed a short time ago."""


def duration(text: str) -> datetime.timedelta | None:
    """A duration as the settings have it: `7d`, `12h`; None for an empty one.

    Raises:
        ValueError: It is none.
    """
    if not text:
        return None
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    return int(found[1]) * (_DAY if found[2] == "d" else _HOUR)


def refreshes_every(settings: Settings, connector_id: str, *, incremental: bool) -> str:
    """How often a stream is read whole; empty: an incremental one never, a full table by every run.

    Args:
        settings: Of the run.
        connector_id: Whose stream.
        incremental: Whether it has a replication key; the setting for all streams is about those.
    """
    mine = settings.stream(connector_id)
    if mine.full_refresh_every is not UNSET:
        return mine.full_refresh_every or ""
    return settings.full_refresh_every or "" if incremental else ""


@dataclasses.dataclass(frozen=True, slots=True)
class RefreshSchedule:
    """When the next refresh of a stream is due.

    Attributes:
        stream: Its name: each has its own place between 0.85 and 0.95 of the period.
        period: How often.
        refreshed_at: When the last complete one began; None: there was none.
        tried_at: When one began that didn't complete, if the last one didn't.
    """

    stream: str
    period: datetime.timedelta
    refreshed_at: datetime.datetime | None
    tried_at: datetime.datetime | None

    @classmethod
    def of(cls, stream: str, every: str, bookmark: Bookmark) -> RefreshSchedule | None:
        """The schedule of a stream; None where it is never refreshed.

        Args:
            stream: Its name.
            every: How often, as the settings have it.
            bookmark: What the state says.
        """
        period = duration(every)
        if period is None:
            return None
        return cls(stream, period, moment_or_none(bookmark.refreshed_at), moment_or_none(bookmark.refresh_tried_at))

    @property
    def next(self) -> datetime.datetime | None:
        """From when on it is due, were it not tried before; None: at once."""
        if self.refreshed_at is None:
            return None
        number = int.from_bytes(hashlib.sha256(self.stream.encode()).digest()[:4])
        return self.refreshed_at + self.period * (_EARLIEST + _SPREAD * number / 2**32)

    def waits_until(self, now: datetime.datetime, *, changed: bool = False) -> datetime.datetime | None:
        """Until when a refresh waits; None: it is due now.

        Args:
            now: AFAS' `Date`.
            changed: Whether settings changed, so that the rows that are loaded aren't those that are wanted.
        """
        again = None
        if self.tried_at is not None and self.tried_at <= now:
            again = self.tried_at + (_HOUR if changed else max(self.period / 10, _HOUR))
        due = None if changed else self.next
        # A clock that was ahead by more than a day told no time.
        if self.refreshed_at is not None and self.refreshed_at > now + _DAY:
            due = None
        waits = max((one for one in (again, due) if one is not None), default=None)
        return waits if waits is not None and waits > now else None


@dataclasses.dataclass(frozen=True, slots=True)
class Course:
    """What the run of one stream does, beside reading what changed.

    Attributes:
        version: The `version` of its RECORD messages, if they have one.
        refresh: Whether all is read once more, between two readings of what changed.
        activates: Whether the target may take out the rows of other versions at its end.
        waits_until: Until when a full table isn't read; None: it is.
    """

    version: int | None = None
    refresh: bool = False
    activates: bool = False
    waits_until: datetime.datetime | None = None


def course_of(  # noqa: PLR0913 - called in one place, with names
    schedule: RefreshSchedule | None,
    bookmark: Bookmark,
    *,
    incremental: bool,
    now: datetime.datetime,
    version: int | None,
    changed: bool = False,
    resumed: bool = False,
    place_version: int | None = None,
) -> tuple[Course, Bookmark]:
    """Decide what the run of a stream does, and note in its bookmark what the next run has to know of it.

    In a refresh, and in a first reading, every record bears the new version: what the target takes out at its end is
    what AFAS no longer had.

    Args:
        schedule: Of its refreshes, if there are any.
        bookmark: What the state says.
        incremental: Whether it has a replication key.
        now: AFAS' `Date`.
        version: The lowest that a new version may be; None: no versions are wanted.
        changed: Whether settings changed, so that the rows that are loaded aren't those that are wanted.
        resumed: Whether a killed run is gone on with.
        place_version: Under which version that one read.

    Raises:
        RefreshPendingError: Settings changed, and the refresh that this takes failed a short time ago.
    """
    new = None if version is None else max(version, (bookmark.version or 0) + 1)
    if not incremental:
        return _course_of_full_table(schedule, bookmark, now, new, changed=changed)
    if schedule is None or new is None:
        return Course(), bookmark
    if bookmark.bookmark is None:
        if resumed:
            return Course(place_version, activates=place_version is not None), bookmark
        return Course(new, activates=True), dataclasses.replace(bookmark, version=new)
    until = schedule.waits_until(now, changed=changed)
    if until is not None and changed:
        raise RefreshPendingError(
            f"{schedule.stream}: settings changed that say which rows are wanted, so that all must be read once more."
            f" That failed at {bookmark.refresh_tried_at}; see the log of that run. It is tried again from"
            f" {until.isoformat(timespec='minutes')} on.",
            may_pass=True,
        )
    if until is not None:
        return Course(bookmark.active_version), bookmark
    begun = dataclasses.replace(bookmark, version=new, refresh_tried_at=now.isoformat())
    return Course(new, refresh=True, activates=True), begun


def _course_of_full_table(
    schedule: RefreshSchedule | None, bookmark: Bookmark, now: datetime.datetime, new: int | None, *, changed: bool
) -> tuple[Course, Bookmark]:
    until = schedule.waits_until(now, changed=changed) if schedule else None
    if until is not None:
        return Course(waits_until=until), bookmark
    # One that was never read to its end is tried again by the next run.
    tried = now.isoformat() if schedule and bookmark.refreshed_at else None
    begun = dataclasses.replace(bookmark, version=new or bookmark.version, refresh_tried_at=tried)
    return Course(new, activates=new is not None), begun

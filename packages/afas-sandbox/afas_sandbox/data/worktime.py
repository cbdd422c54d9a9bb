# ruff: noqa: PLR2004 - made-up data are made of plain numbers
"""When things happen in a Dutch office: working days, office hours, and the stamps these leave behind."""

from __future__ import annotations

import bisect
import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

YEARS = 8
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)

OFFICE_HOURS = (8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 12, 13, 13, 14, 14, 14, 15, 15, 16, 16, 17, 18, 20, 22)
CLOSED = {(1, 1), (4, 27), (12, 25), (12, 26)}
UNTOUCHED = 0.35
SOON = 0.75


def stamp(moment: dt.datetime) -> str:
    """The moment as a cell."""
    return moment.isoformat(timespec="milliseconds")


def midnight(day: dt.date) -> str:
    """The day as a cell: its midnight."""
    return f"{day.isoformat()}T00:00:00.000"


def last_sunday(year: int, month: int) -> dt.date:
    """The Sunday on which summer time begins (March) or ends (October)."""
    last = dt.date(year, month, 31)
    return last - DAY * ((last.weekday() + 1) % 7)


def _out_of_the_gap(moment: dt.datetime) -> dt.datetime:
    """No clock shows the hour that is left out in March."""
    if moment.month == 3 and moment.hour == 2 and moment.date() == last_sunday(moment.year, 3):
        return moment - HOUR
    return moment


class Worktime:
    """The years the environment has been in use, up to now.

    Attributes:
        now: The present, Amsterdam wall time.
        days: The working days from the start until yesterday.
    """

    def __init__(self, now: dt.datetime) -> None:
        self.now = now.replace(microsecond=now.microsecond // 1000 * 1000, tzinfo=None)
        today = self.now.date()
        start = today - DAY * round(365.25 * YEARS)
        every_day = (start + DAY * number for number in range((today - start).days))
        self.days = [day for day in every_day if day.weekday() < 5 and (day.month, day.day) not in CLOSED]
        self._autumns = [
            dt.datetime.combine(last_sunday(year, 10), dt.time(2)) for year in range(start.year, today.year + 1)
        ]

    def day(self, share: float) -> dt.date:
        """The working day at a share (0 to 1) of the years."""
        return self.days[min(int(share * len(self.days)), len(self.days) - 1)]

    def working_day(self, day: dt.date) -> dt.date:
        """The day itself or the first working day after it; may be later than now."""
        place = bisect.bisect_left(self.days, day)
        if place < len(self.days):
            return self.days[place]
        return day + DAY * max(0, 7 - day.weekday()) if day.weekday() >= 5 else day

    def at_work(self, rng: random.Random, day: dt.date) -> dt.datetime:
        """A moment on that day, mostly in office hours."""
        seconds = int(rng.random() * 3_600_000)
        hour = OFFICE_HOURS[int(rng.random() * len(OFFICE_HOURS))]
        return dt.datetime(day.year, day.month, day.day, hour) + dt.timedelta(milliseconds=seconds)  # noqa: DTZ001 - wall time

    def created(self, rng: random.Random, share: float) -> dt.datetime:
        """When something was made, at about a share (0 to 1) of the years."""
        return self.at_work(rng, self.day(share))

    def modified(self, rng: random.Random, created: dt.datetime) -> dt.datetime:
        """When something was last changed: never before it was made, never after now."""
        chance = rng.random()
        if chance < UNTOUCHED or created >= self.now:
            return created
        if chance < SOON:
            later = created + dt.timedelta(milliseconds=int(rng.expovariate(1 / 7_200_000)))
        elif chance < 0.997:
            span = self.now.date() - created.date()
            later = self.at_work(rng, self.working_day(created.date() + DAY * (1 + int(rng.random() ** 2 * span.days))))
        else:
            later = self._by_the_night_run(rng, created)
        if created <= later <= self.now:
            return _out_of_the_gap(later)
        return _out_of_the_gap(created + _whole_ms((self.now - created) * rng.random() * 0.99))

    def audit(self, rng: random.Random, share: float) -> tuple[str, str]:
        """The created and modified stamps of a row."""
        created = self.created(rng, share)
        return stamp(created), stamp(self.modified(rng, created))

    def _by_the_night_run(self, rng: random.Random, created: dt.datetime) -> dt.datetime:
        """A moment in the hour that October has twice, when a batch job ran."""
        place = bisect.bisect_left(self._autumns, created)
        if place == len(self._autumns):
            return created
        return self._autumns[place] + dt.timedelta(milliseconds=int(rng.random() * 3_600_000))


def _whole_ms(span: dt.timedelta) -> dt.timedelta:
    return dt.timedelta(milliseconds=span // dt.timedelta(milliseconds=1))

"""The walk by stamp; `walk` says what it promises."""

from __future__ import annotations

import bisect
import collections
import dataclasses
import itertools
import operator
from typing import TYPE_CHECKING, Any, TypeAlias

from tap_afas.profit.by_key import ByKey
from tap_afas.profit.by_offset import ByOffset
from tap_afas.profit.clock import LAST_SECOND, shift
from tap_afas.profit.keys import SeenKeys, check_keys
from tap_afas.profit.page import MisbehavedError, PageSize, strike
from tap_afas.profit.query import Condition, Filter, Group, Query, both

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_afas.profit.page import KeyField
    from tap_afas.profit.rows import Page
    from tap_afas.profit.walk import Walk

Stamp: TypeAlias = Any
"""A wall time without its `Z` (text), or the value of an int replication key. Stamps of one stream compare."""

_HOUR = 3600
_DAY = 24 * _HOUR
_SECOND_DIGITS = len("2015-01-26T16:57:43")


@dataclasses.dataclass(frozen=True, slots=True)
class StampField:
    """The field that tells when a row was last changed.

    Attributes:
        id: The field.
        is_date: Whether it holds wall times; otherwise ints that grow with each change.
    """

    id: str
    is_date: bool = True

    def move(self, stamp: Stamp, units: int) -> Stamp:
        """A stamp some seconds, or numbers, later."""
        return shift(stamp, units) if self.is_date else stamp + units

    def bound(self, stamp: Stamp) -> Stamp:
        """Where to ask from so that no row after this one is missed.

        Dates are stored finer than shown, and shown rounded or cut off.
        """
        return shift(stamp, -1) if self.is_date else stamp


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a walk by stamp stands inside a part that it walks by key, so that a killed run can go on there.

    Attributes:
        keys: The key's fields.
        after: The last key delivered, as filter literals.
        since: First second of the part; None for the rows without a stamp.
        until: Last second of the part; None for the rows without a stamp.
    """

    keys: tuple[str, ...]
    after: tuple[str, ...]
    since: Stamp = None
    until: Stamp = None


@dataclasses.dataclass(frozen=True, slots=True)
class Start:
    """Where a walk by stamp begins, and what earlier runs left.

    Attributes:
        bound: The stamp to begin at; None for all rows that have one.
        empties: Whether the rows with an empty stamp are to be read first.
        limit: The start of the run; `reached` never passes it. None: it may be any stamp.
        settled: Stamps below this can't come up any more, so a later run may go on inside a part up to here. None:
            none are.
        delivered: Marks of rows that an earlier run delivered.
        place: Where an earlier run stood inside a part.
    """

    bound: Stamp = None
    empties: bool = False
    limit: Stamp = None
    settled: Stamp = None
    delivered: Sequence[bytes] = ()
    place: Place | None = None


class ByStamp:
    """By stamp: `stamp >= bound`, in the order of the stamp. For what changed since a bookmark, and for a first sync.

    Rows that the stamp doesn't tell apart are *parts*, walked by key (by offset where no key is known): the rows with
    an empty stamp, and the seconds that hold more rows than a page.

    Attributes:
        reached: The bookmark: all rows up to this stamp that were visible when asked for have been delivered. None:
            not yet told.

    Args:
        stamp: The stamp field.
        keys: The key's fields; empty when no key is known.
        order: Fields to sort by behind the stamp.
        size: Rows a page.
        where: Which rows.
        start: Where to begin.
        repeated: Tells whether a wall time is of the hour that comes twice.
    """

    def __init__(  # noqa: PLR0913 - made in one place, with names
        self,
        stamp: StampField,
        *,
        keys: Sequence[KeyField],
        order: Sequence[str],
        size: PageSize,
        where: Filter = (),
        start: Start | None = None,
        repeated: Callable[[str], bool] = lambda _: False,
    ) -> None:
        start = start or Start()
        self.stamp = stamp
        self.keys = tuple(keys)
        self.order = tuple(order)
        self.size = size
        self.where = where
        self.start = start
        self.reached: Stamp = None
        self.done = False
        self._repeated = repeated
        self._bound = start.bound
        dated = stamp.is_date and start.settled is not None
        self._seen = SeenKeys(self.keys, stamp.move(start.settled, -_DAY) if dated else None)
        self._delivered_before = collections.Counter(start.delivered)
        # Rows of the page before that will come again, and the stamp after which they can't.
        self._known: collections.Counter[bytes] = collections.Counter()
        self._horizon: Stamp = None
        self._part: Walk | None = None
        self._since: Stamp = None
        self._until: Stamp = None
        self._part_reached: Stamp = None
        self._part_end: list[bytes] = []
        self._resume: Place | None = None
        place = start.place
        if place is not None and place.keys != tuple(key.id for key in self.keys):
            place = None
        if start.empties:
            after = place.after if place is not None and place.since is None else None
            self._part = self._walk_part((Condition(stamp.id, "empty"),), after)
        elif place is not None and place.since is not None:
            self._resume = place

    @property
    def in_empties(self) -> bool:
        """Whether the rows with an empty stamp are still being read."""
        return self._part is not None and self._since is None

    @property
    def place(self) -> Place | None:
        """Where a later run can go on inside a part, if it stands in one and no row can come up there any more."""
        if self._resume is not None:
            return self._resume
        after = self._part.after if isinstance(self._part, ByKey) else None
        if after is None:
            return None
        settled = self._since is None or (self.start.settled is not None and self._until < self.start.settled)
        # What was settled in the first pass of the hour that comes twice is not so in the second.
        if self._since is not None and self.stamp.is_date:
            settled = settled and not self._repeated(self._since) and not self._repeated(self._until)
        return Place(tuple(key.id for key in self.keys), after, self._since, self._until) if settled else None

    def question(self) -> Query:
        """The page that begins a second before the last stamp read."""
        if self._part is not None:
            return self._part.question()
        if self._bound is None:
            group: Group = (Condition(self.stamp.id, "not empty"),)
        else:
            group = (Condition(self.stamp.id, ">=", str(self._bound)),)
        if self._resume is not None:
            group = (*group, Condition(self.stamp.id, "<", str(self._resume.since)))
        return Query((self.stamp.id, *self.order), both(self.where, (group,)), take=self.size.take)

    def learn(self, page: Page) -> Sequence[int]:
        """Take a page; rows known from the page or the run before are dropped."""
        if self._part is not None:
            return self._learn_part(self._part, page)
        asked = self.question()
        stamps = page.stamps
        in_order = self._in_order(asked, stamps)
        check_keys(page, self.keys)
        self._seen.check(page)
        new = self._unknown(page, in_order=in_order)
        if not in_order:
            hour = f"{max(filter(self._repeated, stamps))[:13]}:00:00"
            self._enter_part(min(hour, *stamps), shift(hour, _HOUR + 1))
            self._known.update(map(page.fingerprint, range(len(stamps))))
            return new
        if self.size.is_last(len(stamps), asked.take, new=bool(new)):
            self._advance(stamps)
            if self._resume is None:
                self.done = True
            else:
                place, self._resume = self._resume, None
                self._enter_part(place.since, place.until, place.after)
            return new
        bound = self.stamp.bound(stamps[-1])
        if self._bound is not None and bound <= self._bound:
            # More rows in this second than a page holds; they come by key, and this page's come again.
            self._enter_part(self._bound, self.stamp.move(stamps[-1], 2))
            self._known.update(map(page.fingerprint, range(len(stamps))))
            return new
        self._advance(stamps)
        self._bound = bound
        if self._horizon is None or self._horizon <= stamps[-1]:
            self._known.clear()
            self._horizon = stamps[-1]
        self._known.update(map(page.fingerprint, range(bisect.bisect_left(stamps, bound), len(stamps))))
        return new

    def _unknown(self, page: Page, *, in_order: bool) -> Sequence[int]:
        stamps = page.stamps
        last = len(stamps)
        if not self._delivered_before:
            if not self._known:
                return range(last)
            if in_order and self._horizon is not None:
                last = bisect.bisect_right(stamps, self._horizon)
        unknown = [position for position in range(last) if not self._strike(page.fingerprint(position))]
        return [*unknown, *range(last, len(stamps))]

    def _strike(self, mark: bytes) -> bool:
        return strike(self._known, mark) or strike(self._delivered_before, mark)

    def _advance(self, stamps: Sequence[Stamp]) -> None:
        """Move `reached` to the last stamp that is not later than the start of the run."""
        count = len(stamps) if self.start.limit is None else bisect.bisect_right(stamps, self.start.limit)
        if count:
            self.reached = stamps[count - 1] if self.reached is None else max(self.reached, stamps[count - 1])

    def _walk_part(self, group: Group, after: Sequence[str] | None) -> Walk:
        where = both(self.where, (group,))
        if self.keys and self.order == tuple(key.id for key in self.keys):
            return ByKey(self.keys, self.size, where, after)
        return ByOffset((self.stamp.id, *self.order), self.size, where)

    def _enter_part(self, since: Stamp, until: Stamp, after: Sequence[str] | None = None) -> None:
        self._since, self._until, self._part_reached, self._part_end = since, until, None, []
        self.size.trust()
        group: Group = (Condition(self.stamp.id, ">=", str(since)),)
        if until != LAST_SECOND:
            group = (*group, Condition(self.stamp.id, "<=", str(until)))
        self._part = self._walk_part(group, after)

    def _learn_part(self, part: Walk, page: Page) -> Sequence[int]:
        asked = part.question()
        check_keys(page, self.keys)
        new = part.learn(page)
        if self._since is None:
            if any(stamp is not None for stamp in page.stamps):
                raise MisbehavedError(
                    f"AFAS sends rows with a {self.stamp.id} where it was asked for those without. Asked: {asked}."
                )
        else:
            new = self._unknown_in_part(page, new, asked)
        self._seen.check(page)
        if part.done:
            self._leave_part()
        return new

    def _unknown_in_part(self, page: Page, positions: Sequence[int], asked: Query) -> Sequence[int]:
        stamps = page.stamps
        if None in stamps or (
            stamps and (min(stamps) < self.stamp.bound(self._since) or self.stamp.bound(max(stamps)) > self._until)
        ):
            raise MisbehavedError(
                f"AFAS sends rows from outside the asked bounds {self._since} to {self._until}. Asked: {asked}."
            )
        end = self.stamp.move(self._until, -1)
        fresh = []
        for position in positions:
            stamp, mark = stamps[position], page.fingerprint(position)
            if stamp >= end:
                self._part_end.append(mark)
            if (self.start.limit is None or stamp <= self.start.limit) and (
                self._part_reached is None or stamp > self._part_reached
            ):
                self._part_reached = stamp
            if not self._strike(mark):
                fresh.append(position)
        return fresh

    def _leave_part(self) -> None:
        if self._since is not None:
            if self._part_reached is not None:
                self.reached = self._part_reached if self.reached is None else max(self.reached, self._part_reached)
            # Nothing lies behind the end of the calendar.
            self.done = self._until == LAST_SECOND
            # A second of overlap where the part ends; its rows come again.
            self._bound = self.stamp.move(self._until, -1)
            self._known, self._horizon = collections.Counter(self._part_end), self.stamp.move(self._until, 1)
        self._part = self._since = self._until = None

    def _in_order(self, asked: Query, stamps: Sequence[Stamp]) -> bool:
        """Whether the rows stand in the asked bounds and order; False where only the hour that comes twice doesn't."""
        if None in stamps:
            raise MisbehavedError(f"AFAS sends rows with an empty {self.stamp.id}. Asked: {asked}.")
        if not stamps:
            return True
        in_order = not any(map(operator.gt, stamps, itertools.islice(stamps, 1, None)))
        first, last = (stamps[0], stamps[-1]) if in_order else (min(stamps), max(stamps))
        if self._resume is not None and self.stamp.bound(last) > self._resume.since:
            raise MisbehavedError(
                f"AFAS sends rows with {self.stamp.id} {last}, not before the asked {self._resume.since}."
                f" Asked: {asked}."
            )
        early = self._bound is not None and first < self._bound
        if early and not self._both_passes(self._bound, first) and first < self.stamp.bound(self._bound):
            raise MisbehavedError(
                f"AFAS sends rows with {self.stamp.id} {first}, from before the asked {self._bound}. Asked: {asked}."
            )
        falls = [] if in_order else [pair for pair in itertools.pairwise(stamps) if pair[1] < pair[0]]
        for earlier, later in falls:
            if not self._both_passes(earlier, later):
                raise MisbehavedError(f"AFAS sends {self.stamp.id} {later} after {earlier}. Asked: {asked}.")
        return not falls and not (early and self._both_passes(self._bound, first))

    def _both_passes(self, earlier: Stamp, later: Stamp) -> bool:
        """Whether a stamp may come after a higher one, since the hour of both comes twice."""
        return self.stamp.is_date and self._repeated(earlier) and self._repeated(later)

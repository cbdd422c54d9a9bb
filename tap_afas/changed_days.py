"""Booking days that AFAS lists as changed, read again: so rows that were deleted there can be told (`changed_days`).

A feed such as `Profit_Fin_ChangedEntrydate` lists each day on which something was booked, changed or deleted, with the
time of that. What must hold:

1. The feed is read before the stream's own rows, as any incremental stream; the days that it lists are read after
   them, each completely. What changes meanwhile is listed with a later time.
2. Its bookmark moves once all those days have been read. A killed run repeats days, and skips none; a day that is
   listed again is read again.
3. A day's `read_at` is later than the `time_extracted` of every record sent before that reading began, and no later
   than that of any record sent after: whatever a clock says. So a row extracted before the `read_at` of its day is no
   longer in AFAS.
4. A first reading reads all days: they count as read when it began.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
import functools
from typing import TYPE_CHECKING, Any

from tap_afas.bookmark import Bookmark, read_bookmark
from tap_afas.feed import Feed, days_name, fields_of
from tap_afas.filters import FilterError, split_filter
from tap_afas.profit.pagination.errors import MisbehavedError
from tap_afas.profit.pagination.key import KeyField
from tap_afas.profit.pagination.offset import OffsetPaginator, offset_order
from tap_afas.profit.pagination.page_size import PageSize
from tap_afas.profit.pagination.selection import on_days
from tap_afas.profit.query import and_filters
from tap_afas.profit.rows import RowReader
from tap_afas.profit.wall_time import moment_or_none
from tap_afas.readings import Reading, ReadingFactory
from tap_afas.replication_key import ReplicationKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_afas.profit.metainfo import Connector
    from tap_afas.profit.page import Page
    from tap_afas.profit.pagination.key import Key
    from tap_afas.profit.query import Filter
    from tap_afas.profit.wall_time import WallClock
    from tap_afas.settings import Settings

_SECOND = datetime.timedelta(seconds=1)
_DAY = len("2024-03-31")


class ExtractionClock:
    """The time of records, which never goes back: neither with a clock that does, nor on another machine.

    Args:
        mark: The latest one that was used.
    """

    def __init__(self, mark: datetime.datetime | None) -> None:
        self.mark = mark or datetime.datetime.fromtimestamp(0, datetime.UTC)

    def now(self) -> datetime.datetime:
        """A time for records."""
        self.mark = max(self.mark, datetime.datetime.now(tz=datetime.UTC))
        return self.mark

    def next_second(self) -> datetime.datetime:
        """A whole second later than any time that was used: targets may keep no finer ones."""
        self.mark = self.now().replace(microsecond=0) + _SECOND
        return self.mark


class ChangedDays:
    """The changed days of one stream's run.

    Args:
        stream: The stream's name.
        connector: Its connector.
        feed: Where its days are listed.
        listing: That connector.
        state: The part of the STATE of the stream that tells of the days.
        settings: Of the run.
        clock: Of AFAS' wall time.
        is_first: Whether the run reads all rows of the stream from the first one on, or goes on with that.
        resumes: Whether it goes on with a killed run.

    Raises:
        ChangedDaysError: The connectors don't fit.
        StateError: The state can't be used.
    """

    def __init__(  # noqa: PLR0913 - made in one place, with names
        self,
        stream: str,
        connector: Connector,
        feed: Feed,
        listing: Connector,
        state: Mapping[str, Any],
        *,
        settings: Settings,
        clock: WallClock,
        is_first: bool,
        resumes: bool,
    ) -> None:
        self.feed = feed
        self.is_first = is_first
        self.records: list[dict[str, Any]] = []
        self._connector = connector
        self._listed, stamp, kinds = fields_of(connector, feed, listing)
        self._key = ReplicationKey(stamp, "date-time", clock, settings.overlap_seconds, by_day=kinds[stamp] == "date")
        about_this = state.get("loaded_under") == listing.id
        self._counts_whole = is_first and not resumes
        # All days that are listed, where all rows are read.
        known = state if about_this and not self._counts_whole else {}
        self._bookmark = read_bookmark(days_name(stream), known, self._key)
        self._begun: datetime.datetime | None = listing.described_at
        self.clock = ExtractionClock(moment_or_none(state.get("extracted_at")))
        # When the first reading began, all rows were still to come.
        self._began = self.clock.next_second() if self._counts_whole else None
        if is_first and resumes and about_this:
            self._began = moment_or_none(state.get("began"))
        self._next: Bookmark | None = None
        self._days: set[str] = set()
        self._all: set[str] = set()
        self._counts: collections.Counter[str] = collections.Counter()
        self._reader = RowReader(listing.id, kinds, stamp=stamp)
        order = tuple(offset_order([KeyField(name, "moment") for name in kinds if listing.fields[name].sortable], ()))
        pages = PageSize(settings.page_size_for(settings.stream(listing.id), len(listing.fields)))

        def by_offset(selected: Filter) -> OffsetPaginator:
            return OffsetPaginator(order, pages, selected)

        def walk(selected: Filter, _: Sequence[Key]) -> OffsetPaginator:
            return by_offset(selected)

        self._readings = ReadingFactory(
            days_name(stream),
            ((),),
            walk,
            by_offset,
            order=[field.id for field in order],
            keys=(),
            size=pages,
            start=listing.described_at or datetime.datetime.now(tz=datetime.UTC),
            start_date=settings.start_date,
            version=None,
        )

    # The feed

    def listed(self) -> Iterator[Reading]:
        """Read what the feed lists since its bookmark; in a first reading that goes on, then all that it lists."""
        yield self._of_feed(self._readings.changed(self._bookmark, self._key))
        if self._began is not None and not self._counts_whole:
            yield self._of_feed(self._readings.whole(self._bookmark, self._key), ends=False)

    def _of_feed(self, reading: Reading, *, ends: bool = True) -> Reading:
        every: set[str] = set()

        def look(page: Page, new: Sequence[int]) -> None:
            days = page.column(self._listed)
            every.update(str(days[position])[:_DAY] for position in new if days[position] is not None)

        def end(now: datetime.datetime | None) -> None:
            if not ends:
                self._all = every
                return
            self._next = dataclasses.replace(
                self._bookmark.completed(
                    self._key, reading.paginator.stamps, start=self._readings.start, began=self._begun, now=now
                ),
                loaded_under=self.feed_id,
            )
            self._days = every
            if self._counts_whole:
                # The stream's own reading reads them all.
                self._bookmark = self._next

        return dataclasses.replace(
            reading,
            moves_bookmark=False,
            is_whole=False,
            connector_id=self.feed_id,
            reader=self._reader,
            look=look,
            end=end,
        )

    @property
    def feed_id(self) -> str:
        """The feed's id, as AFAS spells it."""
        return self._reader.connector_id

    # The days

    def first(self, reading: Reading) -> Reading:
        """A stream's first reading, at whose end all listed days have been read."""
        if not self.is_first:
            return reading
        if self._counts_whole:
            return dataclasses.replace(reading, look=self._count, end=self._end_of_first)
        return dataclasses.replace(reading, end=lambda _: self._tell(self._all, None))

    def _end_of_first(self, _: datetime.datetime | None) -> None:
        self._tell(self._days, self._counts)
        self._days = set()

    def again(self, readings: ReadingFactory, key: Sequence[str]) -> Iterator[Reading]:
        """Read the listed days again, as many at once as a question holds.

        Args:
            readings: Of the stream.
            key: The fields that its rows are read by.
        """
        self._began = self.clock.next_second() if self._days else self._began
        for days in self._batches(readings, key):
            self._counts.clear()
            yield dataclasses.replace(
                readings.selected(on_days(self.feed.day, days)),
                look=functools.partial(self._count, days=days),
                end=functools.partial(self._end_of_days, days),
            )
        self._bookmark = self._next or self._bookmark

    def _end_of_days(self, days: Sequence[str], _: datetime.datetime | None) -> None:
        self._tell(days, self._counts)

    def _batches(self, readings: ReadingFactory, key: Sequence[str]) -> Iterator[list[str]]:
        batch: list[str] = []
        for day in sorted(self._days):
            if batch and not self._fits([*batch, day], readings, key):
                yield batch
                batch = []
            batch.append(day)
        if batch:
            yield batch

    def _fits(self, days: Sequence[str], readings: ReadingFactory, key: Sequence[str]) -> bool:
        groups = on_days(self.feed.day, days).groups
        try:
            return all(
                len(split_filter(and_filters(part, groups), key, None, self._connector)) == 1 for part in readings.parts
            )
        except FilterError:
            return False

    def _count(self, page: Page, new: Sequence[int], days: Sequence[str] | None = None) -> None:
        found = page.column(self.feed.day)
        counts = collections.Counter(str(found[position])[:_DAY] for position in new)
        if days is not None and (strange := counts.keys() - set(days)):
            raise MisbehavedError(
                f"AFAS sends rows of other days than those asked for by {self.feed.day}: {len(strange)} days."
            )
        self._counts += counts

    def _tell(self, days: Iterable[str], counts: Mapping[str, int] | None) -> None:
        read_at = self._began.isoformat() if self._began else None
        self.records += [
            {self.feed.day: day, "read_at": read_at, "rows": None if counts is None else counts.get(day, 0)}
            for day in sorted(days)
        ]

    # The STATE

    def to_state(self, *, done: bool) -> dict[str, Any]:
        """The part of the STATE of the stream that tells of the days.

        Args:
            done: Whether the stream's run is complete.
        """
        began = None if done or not self.is_first or self._began is None else self._began.isoformat()
        own = dataclasses.replace(self._bookmark, loaded_under=self.feed_id).to_state(self._key)
        return {**own, "extracted_at": self.clock.mark.isoformat(), "began": began}

"""What the run of one stream reads, one thing after the other: each a walk, the version of its records, and its end."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tap_afas.appending import starting_point_without_key
from tap_afas.bookmark import Bookmark
from tap_afas.further_stamps import noted, read_further
from tap_afas.inputs import StateError
from tap_afas.profit.pagination.further_stamp import FurtherStamp, not_selected
from tap_afas.profit.pagination.key import key_from_text
from tap_afas.profit.pagination.scan import Scan, StartingPoint
from tap_afas.profit.pagination.selection import (
    Selection,
    all_rows,
    changed_since,
    empty_stamp,
    filled_stamp,
)
from tap_afas.profit.pagination.several_stamps import SeveralStampsPaginator
from tap_afas.profit.pagination.stream_paginator import StreamPaginator
from tap_afas.profit.query import Condition, Query, and_filters
from tap_afas.profit.wall_time import UnreadableError, floor

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterable, Sequence

    from tap_afas.profit.page import Page
    from tap_afas.profit.pagination import Paginator
    from tap_afas.profit.pagination.key import Key, KeyField
    from tap_afas.profit.pagination.page_size import PageSize
    from tap_afas.profit.pagination.scan import ResumePoint
    from tap_afas.profit.pagination.selection import Stamp
    from tap_afas.profit.query import Filter
    from tap_afas.profit.rows import RowReader
    from tap_afas.refresh import Course
    from tap_afas.replication_key import ReplicationKey


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """One of the things that a run of a stream reads.

    Attributes:
        paginator: What is asked for.
        moves_bookmark: Whether its end moves the bookmark, and a killed one can go on.
        is_whole: Whether it reads all that `filter` and `start_date` let through, from the first row on.
        connector_id: Of which connector; empty: the stream's own.
        reader: Reads its pages; None: that of the stream. Rows of another connector become no records.
        look: Looks at the rows of a page that are new.
        end: What its end does, with AFAS' `Date` then.
        further: The stream's further stamps.
        keys: The key's fields, where they can be sorted on.
    """

    paginator: StreamPaginator | SeveralStampsPaginator
    moves_bookmark: bool = True
    is_whole: bool = False
    connector_id: str = ""
    reader: RowReader | None = None
    look: Callable[[Page, Sequence[int]], None] = lambda _, __: None
    end: Callable[[datetime.datetime | None], None] = lambda _: None
    further: Sequence[ReplicationKey] = ()
    keys: Sequence[KeyField] = ()

    def noted(
        self,
        bookmark: Bookmark,
        *,
        start: datetime.datetime,
        began: datetime.datetime | None,
        now: datetime.datetime | None,
    ) -> Bookmark:
        """The bookmark with what has become of the further stamps.

        Args:
            bookmark: The one before.
            start: When the run started.
            began: AFAS' `Date` then; None: it told none, or the run went on from a place.
            now: AFAS' `Date` now.
        """
        if not isinstance(self.paginator, SeveralStampsPaginator):
            return bookmark
        return noted(bookmark, self.paginator, self.further, self.keys, start=start, began=began, now=now)


@dataclasses.dataclass(frozen=True, slots=True)
class ReadingFactory:
    """Makes the readings of one stream's run.

    Attributes:
        stream: The stream's name, for errors.
        parts: The filter of the settings, in parts that fit into a question.
        walk: Makes the walk of a scan, from its filter and a cursor.
        by_offset: Makes the walk where AFAS compares the key differently from how it shows it.
        order: Fields to sort by where a single question is asked.
        keys: The key's fields, where they can be sorted on.
        size: Rows a page.
        start: When the run started.
        start_date: The setting.
        version: The `version` of its RECORD messages, if they have one.
        appends: Whether each change is sent as one row more.
        further: The further stamps.
    """

    stream: str
    parts: Sequence[Filter]
    walk: Callable[[Filter, Sequence[Key]], Paginator]
    by_offset: Callable[[Filter], Paginator]
    order: Sequence[str]
    keys: Sequence[KeyField]
    size: PageSize
    start: datetime.datetime
    start_date: str | None
    version: int | None
    appends: bool = False
    further: Sequence[ReplicationKey] = ()

    def of_run(
        self,
        course: Course,
        key: ReplicationKey | None,
        resume_point: ResumePoint | None,
        where: Filter,
    ) -> list[Callable[[Bookmark], Iterable[Reading]]]:
        """What the run reads, one after the other: each made from the bookmark as it is by then.

        Args:
            course: What the run does beside reading what changed.
            key: The replication key; None for a full table.
            resume_point: Where a killed run stood.
            where: The filter of the settings.
        """
        if key is None:
            return [lambda _: [self.full_table()]]
        if self.appends:
            return [lambda now: [self.appended(now, key, where)]]
        first: list[Callable[[Bookmark], Iterable[Reading]]] = [lambda now: [self.changed(now, key, resume_point)]]

        def again(now: Bookmark) -> list[Reading]:
            # Where no row has a stamp, all has just been read.
            return [] if now.bookmark is None else [self.changed(now, key)]

        if course.refresh:
            # A row whose key changed behind the walk through all has changed since the first reading.
            return [*first, lambda now: [self.whole(now, key)], again]
        return [*first, again] if course.activates else first

    def full_table(self) -> Reading:
        """All rows of a stream that has no replication key."""
        return Reading(self._paginator([all_rows()]), moves_bookmark=False, is_whole=True)

    def whole(self, bookmark: Bookmark, key: ReplicationKey) -> Reading:
        """All rows of an incremental stream once more; it tells nothing of what will have changed.

        But of further stamps that the STATE doesn't know yet: by them all is then known up to here.
        """
        run = self._paginator(self._all(key))
        known = read_further(self.stream, bookmark.further, self.further, self.keys).stamps
        new = [FurtherStamp(one.id, self._since(Bookmark(one.id), one)) for one in self.further if one.id not in known]
        if not new:
            return Reading(run, moves_bookmark=False, is_whole=True)
        paginator = SeveralStampsPaginator(run, new, parts=self.parts, order=self.order, keys=self.keys, at_once=False)
        return Reading(paginator, moves_bookmark=False, is_whole=True, further=self.further, keys=self.keys)

    def changed(self, bookmark: Bookmark, key: ReplicationKey, resume_point: ResumePoint | None = None) -> Reading:
        """What changed since the bookmark, or by a further stamp since its own; all rows where there is none yet."""
        first = bookmark.bookmark is None
        lower = resume_point.lower if resume_point else self._first(key) if first else bookmark.lower_bound(key)
        since = dataclasses.replace(
            self._since(bookmark, key, lower),
            at_once=lower is not None and not first and resume_point is None,
        )
        is_whole = first and resume_point is None
        selections = self._all(key) if first else _selections(key, lower)
        known = read_further(self.stream, bookmark.further, self.further, self.keys)
        # One that the STATE doesn't know yet is asked for before all rows are read.
        further = [one for one in self.further if first or one.id in known.stamps]
        if not further:
            return Reading(self._paginator(selections, key.id, since, resume_point), is_whole=is_whole)
        at_once, since = since.at_once, dataclasses.replace(since, at_once=False)
        run = self._paginator(selections, key.id, since, resume_point)
        stamps: list[FurtherStamp] = []
        for one in further:
            own = known.stamps.get(one.id) or Bookmark(one.id)
            low = None if first or own.bookmark is None else own.lower_bound(one)
            stamp = FurtherStamp(one.id, self._since(own, one, low))
            if not first and lower is not None:
                stamp = dataclasses.replace(stamp, run=self._run_by(stamp, self._unselected(stamp, key, lower, stamps)))
            stamps.append(stamp)
        paginator = SeveralStampsPaginator(
            run,
            stamps,
            parts=self.parts,
            order=self.order,
            keys=self.keys,
            at_once=at_once,
            highest=known.asked if resume_point else None,
        )
        return Reading(paginator, is_whole=is_whole, further=self.further, keys=self.keys)

    def _unselected(
        self, stamp: FurtherStamp, key: ReplicationKey, lower: Stamp, before: Sequence[FurtherStamp]
    ) -> Filter:
        """The rows that no stamp before selects; where a question is too long, those that the first one does not."""
        found = not_selected(key.id, lower, before)
        at = tuple(Condition(one.id, ">=", "9" * 20) for one in self.keys)
        for part in self.parts:
            where = and_filters(and_filters(part, stamp.selection.groups), and_filters(found, (at,) if at else ()))
            if not Query(tuple(self.order), where, self.size.take, 10**9).fits:
                return not_selected(key.id, lower, ())
        return found

    def _run_by(self, stamp: FurtherStamp, where: Filter) -> Callable[[StartingPoint, ResumePoint], StreamPaginator]:
        """Makes the run by a further stamp, through those of its rows that pass a filter."""
        groups = and_filters(stamp.selection.groups, where)
        selection = dataclasses.replace(stamp.selection, name=f"also {stamp.id}", groups=groups)

        def run(since: StartingPoint, begin: ResumePoint) -> StreamPaginator:
            point = dataclasses.replace(begin, scan=selection.name, version=self.version)
            return self._paginator([selection], stamp.id, since, point)

        return run

    def _since(self, bookmark: Bookmark, key: ReplicationKey, lower: Stamp = None) -> StartingPoint:
        """Where a run by a stamp begins."""
        reached = bookmark.bookmark
        try:
            witness = key_from_text(bookmark.witness, self.keys) if bookmark.witness and self.keys else None
        except UnreadableError:
            witness = None
        return StartingPoint(
            lower,
            floor(reached, "day") if reached is not None and key.by_day else reached,
            witness,
            key.unit(bookmark.unit) if bookmark.unit or key.by_day else None,
            key.cap(self.start),
        )

    def _all(self, key: ReplicationKey) -> list[Selection]:
        """All rows from `start_date` on, by any of the stamps, no row in two of the selections."""
        start = self._first(key)
        found = _selections(key, start)
        before: list[FurtherStamp] = []
        for one in self.further if start is not None else ():
            low = self._first(one)
            selection = filled_stamp(one.id) if low is None else changed_since(one.id, low)
            own = FurtherStamp(one.id, StartingPoint(low))
            groups = and_filters(selection.groups, self._unselected(own, key, start, before))
            # The stamps of its pages are those of the replication key.
            found.append(Selection(f"also {one.id}", key.id, groups, high=start, empty=False))
            before.append(own)
        return found

    def selected(self, selection: Selection) -> Reading:
        """The rows of a selection once more, whatever their stamps."""
        return Reading(self._paginator([selection]), moves_bookmark=False)

    def appended(self, bookmark: Bookmark, key: ReplicationKey, where: Filter) -> Reading:
        """Each version of a row without a key once, as soon as no other can come before it."""
        since = starting_point_without_key(bookmark, key, self.start_date, self.start, where)
        return Reading(self._paginator([all_rows()], key.id, since))

    def _first(self, key: ReplicationKey) -> Stamp:
        return key.first(self.start_date) if self.start_date and key.kind != "int" else None

    def _paginator(
        self,
        selections: Sequence[Selection],
        stamp: str | None = None,
        since: StartingPoint | None = None,
        resume_point: ResumePoint | None = None,
    ) -> StreamPaginator:
        """The paginator of a scan for each selection and part of the filter; the resume point is in one of them."""
        scans = [
            Scan(selection, part, selection.name + (f" {number}" if number > 1 else ""), self.version)
            for selection in selections
            for number, part in enumerate(self.parts, start=1)
        ]
        if resume_point is not None and resume_point.scan not in {one.name for one in scans}:
            raise StateError(
                f"{self.stream}: the state's `place` is in rows ({resume_point.scan}) that this run doesn't read: the"
                " `filter` may have changed."
            )
        return StreamPaginator(
            scans,
            walk=self.walk,
            by_offset=self.by_offset,
            order=self.order,
            keys=self.keys,
            size=self.size,
            stamp=stamp,
            since=since,
            resume_point=resume_point,
        )


def _selections(key: ReplicationKey, lower: Stamp) -> list[Selection]:
    return [all_rows()] if lower is None else [changed_since(key.id, lower), empty_stamp(key.id)]

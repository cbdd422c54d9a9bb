"""What the run of one stream reads, one thing after the other: each a walk, the version of its records, and its end."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tap_afas.inputs import StateError
from tap_afas.profit.pagination.key import key_from_text
from tap_afas.profit.pagination.run_paginator import RunPaginator
from tap_afas.profit.pagination.scan import Scan, StartingPoint
from tap_afas.profit.pagination.selection import all_rows, changed_since, empty_stamp, stamps_between
from tap_afas.profit.wall_time import UnreadableError, floor

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterable, Sequence

    from tap_afas.bookmark import Bookmark, ReplicationKey
    from tap_afas.profit.pagination import Paginator
    from tap_afas.profit.pagination.key import Key, KeyField
    from tap_afas.profit.pagination.page_size import PageSize
    from tap_afas.profit.pagination.scan import ResumePoint
    from tap_afas.profit.pagination.selection import Selection, Stamp
    from tap_afas.profit.query import Filter
    from tap_afas.profit.rows import Page, RowReader
    from tap_afas.refresh import Course


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
    """

    paginator: RunPaginator
    moves_bookmark: bool = True
    is_whole: bool = False
    connector_id: str = ""
    reader: RowReader | None = None
    look: Callable[[Page, Sequence[int]], None] = lambda _, __: None
    end: Callable[[datetime.datetime | None], None] = lambda _: None


@dataclasses.dataclass(frozen=True, slots=True)
class Readings:
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
            return [*first, lambda _: [self.whole(key)], again]
        return [*first, again] if course.activates else first

    def full_table(self) -> Reading:
        """All rows of a stream that has no replication key."""
        return Reading(self._paginator([all_rows()]), moves_bookmark=False, is_whole=True)

    def whole(self, key: ReplicationKey) -> Reading:
        """All rows of an incremental stream once more; it tells nothing of what will have changed."""
        selections = _selections(key, self._first(key))
        return Reading(self._paginator(selections), moves_bookmark=False, is_whole=True)

    def changed(self, bookmark: Bookmark, key: ReplicationKey, resume_point: ResumePoint | None = None) -> Reading:
        """What changed since the bookmark; all rows where there is none yet."""
        first = bookmark.bookmark is None
        lower = resume_point.lower if resume_point else self._first(key) if first else bookmark.lower_bound(key)
        reached = bookmark.bookmark
        try:
            witness = key_from_text(bookmark.witness, self.keys) if bookmark.witness and self.keys else None
        except UnreadableError:
            witness = None
        since = StartingPoint(
            lower,
            floor(reached, "day") if reached is not None and key.by_day else reached,
            witness,
            key.unit(bookmark.unit) if bookmark.unit or key.by_day else None,
            key.cap(self.start),
            at_once=lower is not None and reached is not None and resume_point is None,
        )
        paginator = self._paginator(_selections(key, lower), key.id, since, resume_point)
        return Reading(paginator, is_whole=first and resume_point is None)

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
    ) -> RunPaginator:
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
        return RunPaginator(
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


def starting_point_without_key(
    bookmark: Bookmark, key: ReplicationKey, start_date: str | None, start: datetime.datetime, where: Filter
) -> StartingPoint:
    """Where a stream that appends begins, and what it reads up to which stamp.

    Args:
        bookmark: What the state says.
        key: The replication key.
        start_date: The setting.
        start: When the run started.
        where: The filter of the settings.
    """
    low = max((one for one in (bookmark.settled, bookmark.bookmark) if one is not None), default=None)
    first = bookmark.bookmark is None

    def scans_up_to(high: Stamp) -> list[Scan]:
        begin, end = low, high
        if key.kind == "int":
            begin, end = bookmark.settled, bookmark.pending if bookmark.settles_pending(key, start) else None
        elif first and start_date:
            begin = key.first(start_date)
        found = []
        if end is not None and (begin is None or end > begin or first):
            behind = key.kind == "int" or not first
            found.append(Scan(stamps_between(key.id, begin, end, behind=behind), where, "changed"))
        return [*found, Scan(empty_stamp(key.id), where, "empty")] if first else found

    return StartingPoint(
        unit=bookmark.unit, lagged=lambda unit: key.lagged(start, unit), beyond=key.beyond, scans_up_to=scans_up_to
    )

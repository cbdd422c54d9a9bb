"""Decides what the run of one stream reads and emits, before anything is written.

The stream's definition is held against the connector as it is now: definitions are edited at any time in AFAS, and a
target can't alter its columns. What comes of it is a list of readings, each a walk through some of the rows.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from typing import TYPE_CHECKING, Literal

from msgspec import UNSET

from tap_afas.filters import split_filter, with_longest_bounds
from tap_afas.further_stamps import read_further
from tap_afas.loaded_key import IncompatibleStateError
from tap_afas.profit.key_advice import key_hints
from tap_afas.profit.known_connectors import is_assumed
from tap_afas.profit.metainfo import kinds_of
from tap_afas.profit.pagination.key import KeyField
from tap_afas.profit.pagination.keyset import KeysetPaginator
from tap_afas.profit.pagination.offset import OffsetPaginator, offset_order
from tap_afas.profit.pagination.page_size import PageSize
from tap_afas.profit.rows import RowReader
from tap_afas.profit.wall_time import SECONDS, shift
from tap_afas.readings import Reading, ReadingFactory
from tap_afas.refresh import Course, RefreshSchedule, course_of
from tap_afas.replication_key import ReplicationKey
from tap_afas.resume_point import read_resume_point
from tap_afas.stream_definition import SchemaChangedError, StreamDefinition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tap_afas.bookmark import Bookmark
    from tap_afas.profit.metainfo import Connector, Kind
    from tap_afas.profit.pagination import Paginator
    from tap_afas.profit.pagination.key import Key, KeyKind
    from tap_afas.profit.pagination.scan import ResumePoint
    from tap_afas.profit.query import Filter
    from tap_afas.profit.wall_time import WallClock
    from tap_afas.settings import Settings

# What msgspec takes for no name.
_UNREADABLE = re.compile(r'["\\\x00-\x1f]')
_KEY_KINDS: dict[Kind, KeyKind] = {
    "string": "text",
    "integer": "int",
    "number": "decimal",
    "boolean": "boolean",
    "date": "date",
    "date-time": "moment",
    "time": "moment",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """How one stream is read in this run.

    Attributes:
        reader: Reads the pages.
        emitted: The fields that records hold, with the kinds of their columns; the first ones of what is read.
        first: What is read first.
        then: What is read after that, one after the other, from the bookmark as it is by then.
        readings: Makes further ones.
        bookmark: What the state says, as far as it can be used.
        keys: The key's fields, as AFAS compares them.
        course: What the run does beside reading what changed.
        start: When the run started.
        began: AFAS' `Date` then; None: it told none, or the run goes on from a resume point.
        appends: Whether each change is sent as one row more.
    """

    reader: RowReader
    emitted: dict[str, Kind]
    first: Reading
    then: tuple[Callable[[Bookmark], Iterable[Reading]], ...]
    readings: ReadingFactory
    bookmark: Bookmark
    keys: tuple[KeyField, ...]
    course: Course
    start: datetime.datetime
    began: datetime.datetime | None
    appends: bool = False

    @property
    def is_first(self) -> bool:
        """Whether all rows are read: one that goes on from a bookmark or a place may well find nothing."""
        return self.bookmark.bookmark is None and not self.bookmark.place


def make_plan(  # noqa: PLR0913 - made in one place, with names
    definition: StreamDefinition,
    connector: Connector,
    bookmark: Bookmark,
    replication_key: ReplicationKey | None,
    *,
    settings: Settings,
    where: Filter,
    every: str = "",
    version: int | None = None,
    changed: bool = False,
    most_rows: int | None = None,
    also: Sequence[str] = (),
) -> Plan:
    """Hold a stream against its connector, filter and state, and decide how it is read.

    Args:
        definition: The stream.
        connector: The connector as it is now.
        bookmark: What the state says.
        replication_key: The stream's replication key; None for a full table.
        settings: The settings of the run.
        where: Which rows; the stream's `filter`.
        every: How often the stream is read whole; empty: an incremental one never, a full table now.
        version: The lowest that a new version may be; None: no versions are wanted.
        changed: Whether settings changed, so that the rows that are loaded aren't those that are wanted.
        most_rows: How many rows are wanted at most.
        also: Fields to read that may not be emitted.

    Raises:
        SchemaChangedError: The definition or the settings don't fit the connector.
        FilterError: The filter is too long.
        UnsortableError: AFAS can't sort the rows.
        StateError: The state's `place` can't be used.
        IncompatibleStateError: The state's bookmark can't be used, and the stream appends.
    """
    mine = settings.stream(definition.connector_id)
    own, now = kinds_of(connector, {}), kinds_of(connector, mine.types)
    columns = definition.columns_after_drift_check(connector, now)
    # What conditions compare is read as AFAS has it, whatever is made of it; the rest as it is emitted.
    compared = {*definition.primary_keys, definition.replication_key, *definition.further}
    read_as = {name: kind if name in compared else columns.get(name, now[name]) for name, kind in own.items()}
    fields = [
        KeyField(name, _KEY_KINDS[own[name]] if read_as[name] == own[name] else "text")
        for name, one in connector.fields.items()
        if one.sortable
    ]
    keys = tuple(KeyField(name, _KEY_KINDS[own[name]]) for name in definition.primary_keys)
    sorting_key = definition.sorting_key(connector)
    by_key = bool(sorting_key)
    size = settings.page_size_for(mine, len(connector.fields))
    pages = PageSize(size if most_rows is None else min(size, max(1, most_rows)), bookmark.rows_fit)
    stamp, appends = definition.stamp, replication_key is not None and not keys
    if stamp is not None:
        definition.check_stamp(connector, columns[stamp])
        definition.check_further(connector, own)
    parts = split_filter(where, sorting_key, stamp, connector, definition.further)
    order = keys if by_key else tuple(offset_order(fields, with_longest_bounds(where, stamp, definition.further)))
    further: list[ReplicationKey] = []
    now_at = start = connector.described_at or datetime.datetime.now(tz=datetime.UTC)
    resume_point: ResumePoint | None = None
    if replication_key is not None:
        replication_key = dataclasses.replace(replication_key, by_day=own[replication_key.id] == "date")
        further = [_further_key(name, own[name], replication_key) for name in definition.further]
        bookmark = _usable_bookmark(bookmark, definition, replication_key, start, appends=appends)
        known = read_further(definition.name, bookmark.further, further, keys if by_key else ())
        for one in further:
            found = known.stamps.get(one.id)
            if found is not None and _usable_bookmark(found, definition, one, start, appends=False) is not found:
                bookmark = bookmark.anew()
                break
        if bookmark.place:
            resume_point, start = read_resume_point(definition.name, bookmark.place, keys, replication_key)

    def by_offset(selected: Filter) -> Paginator:
        return OffsetPaginator(order, pages, selected, keys)

    def walk(selected: Filter, cursor: Sequence[Key]) -> Paginator:
        return KeysetPaginator(keys, pages, selected, cursor) if by_key else by_offset(selected)

    if appends and own[stamp or ""] == "integer" and connector.described_at is None:
        raise SchemaChangedError(
            f"AFAS tells no time (`Date`), without which nobody knows which {stamp} can still come.",
            f"Set `streams.{definition.connector_id}.primary_keys`, or its `replication_key` to a date.",
        )
    course, bookmark = course_of(
        RefreshSchedule.of(definition.name, every, bookmark),
        bookmark,
        incremental=replication_key is not None,
        now=now_at,
        version=version,
        changed=changed,
        resumed=resume_point is not None,
        place_version=resume_point.version if resume_point else None,
    )
    readings = ReadingFactory(
        definition.name,
        parts,
        walk,
        by_offset,
        order=[field.id for field in order],
        keys=keys if by_key else (),
        size=pages,
        start=start,
        start_date=settings.start_date,
        version=course.version,
        appends=appends,
        further=further,
    )
    first, *then = readings.of_run(course, replication_key, resume_point, where)
    emitted = definition.emitted
    read = {name: read_as.get(name, kind) for name, kind in emitted.items()}
    read |= {name: read_as[name] for name in (*(field.id for field in order), *also) if name not in read}
    read |= {name: read_as[name] for name in definition.further}
    if any(map(_UNREADABLE.search, read)):
        raise SchemaChangedError(
            "A field's id holds a quotation mark or a backslash, with which it can't be read.",
            "Give it another id in AFAS, or take it out of the selection.",
        )
    reader = RowReader(
        definition.connector_id, read, key=definition.primary_keys, stamp=stamp, further=definition.further
    )
    assumed = mine.primary_keys is UNSET and is_assumed(connector.id, definition.primary_keys)
    reader.hints = key_hints(connector, read, assumed=assumed)
    return Plan(
        reader,
        emitted,
        next(iter(first(bookmark))),
        tuple(then),
        readings,
        bookmark,
        keys if by_key else (),
        course,
        start,
        None if resume_point else connector.described_at,
        appends=appends,
    )


def _usable_bookmark(
    bookmark: Bookmark, definition: StreamDefinition, key: ReplicationKey, start: datetime.datetime, *, appends: bool
) -> Bookmark:
    """The bookmark; an empty one where it lies further in the future than two clocks of AFAS can differ."""
    cap = key.cap(start)
    # One that no run of this tap has completed may be the stamp of any row.
    taken_over = bookmark.pending is None
    if cap is None or bookmark.bookmark is None or bookmark.bookmark <= shift(cap, 0 if taken_over else SECONDS["day"]):
        if not (appends and taken_over):
            return bookmark
        # What came late may be lacking, and nothing is read again later on.
        low = bookmark.lower_bound(key)
        return dataclasses.replace(bookmark, bookmark=low, pending=low)
    # When the run that wrote it took place, and so what changed since, can't be known.
    if appends:
        raise IncompatibleStateError(
            definition,
            f"The state's bookmark {key.value(bookmark.bookmark)} lies in the future, and the stream appends: to start"
            " anew would double its rows.",
        )
    definition.logger.warning(
        "The state's bookmark %s lies in the future: starting anew.", key.value(bookmark.bookmark)
    )
    return bookmark.anew()


def replication_key_of(definition: StreamDefinition, overlap: int, clock: WallClock) -> ReplicationKey | None:
    """The stream's replication key, as its catalog has it; None for a full table.

    Args:
        definition: The stream.
        overlap: Seconds that a commit may come after its stamp.
        clock: Of AFAS' wall time.
    """
    if definition.replication_method != "INCREMENTAL" or not definition.replication_key:
        return None
    kind = definition.kinds.get(definition.replication_key)
    return ReplicationKey(definition.replication_key, _named(kind), clock, overlap)


def _further_key(name: str, kind: Kind, key: ReplicationKey) -> ReplicationKey:
    return dataclasses.replace(key, id=name, kind=_named(kind), by_day=kind == "date")


def _named(kind: Kind | None) -> Literal["int", "date", "date-time"]:
    return "int" if kind == "integer" else "date" if kind == "date" else "date-time"

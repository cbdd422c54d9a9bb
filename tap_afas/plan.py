"""What the run of one stream does, decided before anything is written.

The stream's definition is held against the connector as it is now: definitions are edited at any time in AFAS, and a
target can't alter its columns. What comes of it is a list of readings, each a walk through some of the rows.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Any

from tap_afas.bookmark_by_stamp import Bookmark, MovingBookmark, StampScale, moment
from tap_afas.profit.by_key import ByKey
from tap_afas.profit.by_offset import ByOffset, offset_order
from tap_afas.profit.by_stamp import ByStamp, StampField, Start
from tap_afas.profit.clock import shift
from tap_afas.profit.errors import ProfitError
from tap_afas.profit.metainfo import kinds_of
from tap_afas.profit.page import KeyField, PageSize
from tap_afas.profit.rows import RowReader
from tap_afas.schema import fits, kind_in_schema

if TYPE_CHECKING:
    import datetime

    from tap_afas.profit.clock import Clock
    from tap_afas.profit.metainfo import Connector, Kind
    from tap_afas.profit.page import KeyKind
    from tap_afas.profit.query import Filter
    from tap_afas.profit.walk import Walk
    from tap_afas.settings import Settings

_KEY_KINDS: dict[Kind, KeyKind] = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "date": "date",
    "date-time": "moment",
}


class SchemaChangedError(ProfitError):
    """The connector doesn't fit the stream, or no longer."""


@dataclasses.dataclass(frozen=True, slots=True)
class Definition:
    """A stream as discovery or a catalog defines it.

    Attributes:
        connector_id: As AFAS spells it.
        name: The stream's name for targets.
        schema: JSON Schema of its records.
        primary_keys: Its key; empty when none is known.
        replication_key: Its stamp, if it has one.
        replication_method: In Singer's words.
        selected: The fields that records hold; the keys are among them in any case. None: all.
    """

    connector_id: str
    name: str
    schema: dict[str, Any]
    primary_keys: tuple[str, ...] = ()
    replication_key: str | None = None
    replication_method: str = "FULL_TABLE"
    selected: frozenset[str] | None = None

    @property
    def kinds(self) -> dict[str, Kind]:
        """The kinds of its fields: what its target has columns for."""
        return {field: kind_in_schema(schema) for field, schema in self.schema.get("properties", {}).items()}

    @property
    def logger(self) -> logging.Logger:
        """Where is said what concerns the stream; the SDK's logger of it."""
        return logging.getLogger(f"tap-afas.{self.name}")


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """A walk through some of a stream's rows, and what comes of it.

    Attributes:
        walk: Which rows, page by page.
        version: The version under which their records go, if any.
        activates: Whether its end lets the target take out the rows of other versions.
        bookmark: What its pages move, if anything.
        checked_key: The key's fields, where the walk doesn't itself see to it that keys don't repeat.
    """

    walk: Walk
    version: int | None = None
    activates: bool = False
    bookmark: MovingBookmark | None = None
    checked_key: tuple[KeyField, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What the run of one stream does.

    Attributes:
        reader: Reads the pages.
        emitted: The fields that records hold, with the kinds of their columns; the first ones of what is read.
        readings: One after the other.
    """

    reader: RowReader
    emitted: dict[str, Kind]
    readings: tuple[Reading, ...]


def make_plan(  # noqa: PLR0913 - made in one place, with names
    definition: Definition,
    connector: Connector,
    bookmark: Bookmark | None,
    *,
    settings: Settings,
    where: Filter,
    clock: Clock,
    started: datetime.datetime,
    version: int | None = None,
    most_rows: int | None = None,
) -> Plan:
    """Decide what the run of a stream does.

    Args:
        definition: The stream.
        connector: The connector as it is now.
        bookmark: What the state says.
        settings: The settings of the run.
        where: Which rows; the stream's `filter`.
        clock: Of AFAS' wall time.
        started: When the run began, by AFAS' clock or this machine's, whichever is earlier.
        version: The version of the records of a full table, where versions are wanted.
        most_rows: How many rows are wanted at most.

    Raises:
        SchemaChangedError: The definition or the settings don't fit the connector.
        UnsortableError: AFAS can't sort the rows.
    """
    mine = settings.stream(definition.connector_id)
    now = kinds_of(connector, mine.types)
    columns = _columns(definition, connector, now)
    keys = tuple(KeyField(field, _KEY_KINDS[columns[field]]) for field in definition.primary_keys)
    size = settings.page_size_for(mine, len(connector.fields))
    size = size if most_rows is None else min(size, max(1, most_rows))
    stamp = _stamp(definition)
    sortable = all(connector.fields[key.id].sortable for key in keys)
    by_key = bool(keys) and sortable
    order = [key.id for key in keys] if by_key else offset_order(connector, where, stamp)
    if stamp is not None:
        _check_stamp(definition, connector, columns[stamp])
        scale = StampScale(columns[stamp], clock, settings.overlap_seconds)
        found = _usable(bookmark, definition, scale, started)
        start = _start(found, scale, settings.start_date, started)
        by_stamp = ByStamp(
            StampField(stamp, is_date=scale.kind != "integer"),
            keys=keys,
            order=order,
            size=PageSize(size),
            where=where,
            start=start,
            repeated=clock.repeated,
        )
        reading = Reading(by_stamp, bookmark=MovingBookmark(found, by_stamp, scale))
    else:
        walk = ByKey(keys, PageSize(size), where) if by_key else ByOffset(order, PageSize(size), where)
        reading = Reading(walk, version, version is not None, checked_key=() if by_key else keys)
    selected = columns if definition.selected is None else definition.selected
    emitted = {field: columns[field] for field in columns if field in {*selected, *definition.primary_keys, stamp}}
    read = {**emitted, **{field: columns.get(field) or now[field] for field in order if field not in emitted}}
    try:
        reader = RowReader(definition.connector_id, read, key=definition.primary_keys, stamp=stamp)
    except ValueError:
        raise SchemaChangedError(
            "A field's id holds a quotation mark or a backslash, with which it can't be read.",
            "Give it another id in AFAS, or take it out of the selection.",
        ) from None
    return Plan(reader, emitted, (reading,))


def _columns(definition: Definition, connector: Connector, now: dict[str, Kind]) -> dict[str, Kind]:
    """The kinds of a stream's fields, from its schema; says what changed since that was made."""
    columns = definition.kinds
    needed = [*definition.primary_keys, *([definition.replication_key] if definition.replication_key else [])]
    unknown = [field for field in needed if field not in columns or field not in connector.fields]
    if unknown:
        raise SchemaChangedError(
            f"The key or replication key names {', '.join(unknown)}, which the connector doesn't have.",
            "Run discovery again, and correct `primary_keys`, `replication_key` or the catalog.",
        )
    for field, column in columns.items():
        if field in now and not fits(now[field], column):
            raise SchemaChangedError(
                f"The field {field} was {column} when the catalog was made, and is {now[field]} now.",
                "Run discovery again and give the target a new column, or keep the old type with"
                f" `streams.{definition.connector_id}.types`.",
            )
    added = [field for field in now if field not in columns]
    removed = [field for field in columns if field not in now]
    if added:
        definition.logger.warning("New in AFAS, left out until discovery runs again: %s.", ", ".join(added))
    if removed:
        definition.logger.warning("No longer in AFAS, null from now on: %s.", ", ".join(removed))
    return columns


def _stamp(definition: Definition) -> str | None:
    """The replication key; None for a full table."""
    method, stamp = definition.replication_method, definition.replication_key
    if method == "FULL_TABLE":
        return None
    if method == "INCREMENTAL" and stamp:
        return stamp
    why = " without a replication key." if method == "INCREMENTAL" else ", which AFAS has no way to give."
    raise SchemaChangedError(
        f"The catalog asks for {method} replication{why}",
        "Set `replication-method` to FULL_TABLE, or to INCREMENTAL with a `replication-key`.",
    )


def _check_stamp(definition: Definition, connector: Connector, kind: Kind) -> None:
    stamp = definition.replication_key or ""
    setting = f"`streams.{definition.connector_id}.replication_key`"
    if not connector.fields[stamp].sortable:
        raise SchemaChangedError(
            f"AFAS can't sort on the replication key {stamp}.", f"Set {setting} to another field, or empty."
        )
    if kind not in {"date", "date-time", "integer"}:
        raise SchemaChangedError(
            f"The replication key {stamp} is {kind}; it must be a date or a whole number.",
            f"Set {setting} to another field, or empty for full table.",
        )


def _usable(
    bookmark: Bookmark | None, definition: Definition, scale: StampScale, started: datetime.datetime
) -> Bookmark:
    """The bookmark, or a new one where it is of another replication key or of the future."""
    stamp = definition.replication_key or ""
    if bookmark is None:
        return Bookmark(stamp)
    if bookmark.key != stamp:
        definition.logger.warning(
            "The state is about %s, and the replication key is %s now: starting anew.", bookmark.key, stamp
        )
        return Bookmark(stamp)
    if scale.is_after(bookmark.value, started):
        # This tap writes none. When the run that wrote it took place, and so what changed since, can't be known.
        definition.logger.warning("The state's bookmark %s lies in the future: starting anew.", bookmark.value)
        return Bookmark(stamp)
    return bookmark


def _start(bookmark: Bookmark, scale: StampScale, start_date: str | None, started: datetime.datetime) -> Start:
    is_date = scale.kind != "integer"
    bound = None
    if bookmark.value is not None:
        bound = scale.start(bookmark.value)
    elif start_date and is_date:
        bound = scale.first_of(scale.clock.earliest_wall(moment(start_date)))
    limit = scale.clock.to_wall(started) if is_date else None
    return Start(
        bound=bound,
        empties=not bookmark.empties_read,
        limit=limit,
        settled=scale.first_of(shift(limit, -scale.overlap_seconds)) if limit else None,
        delivered=bookmark.delivered,
        place=bookmark.place,
    )

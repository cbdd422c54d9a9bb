"""How a connector is synced as configured: by a catalog, by the settings, or as the tap itself knows it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from msgspec import UNSET

from tap_afas.bookmark import Bookmark
from tap_afas.discovery import define_stream
from tap_afas.filters import read_filter
from tap_afas.plan import make_plan
from tap_afas.profit.metainfo import kinds_of
from tap_afas.schema import json_schema

if TYPE_CHECKING:
    from tap_afas.connection import Connection
    from tap_afas.explore.findings import KeySource, SyncKind
    from tap_afas.plan import Plan
    from tap_afas.profit.metainfo import Connector
    from tap_afas.profit.query import Filter
    from tap_afas.stream_definition import StreamDefinition


@dataclasses.dataclass(frozen=True, slots=True)
class Configured:
    """How a connector is synced.

    Attributes:
        definition: Its stream.
        key_source: Where its key is from; also where settings say that there is none. None: nobody says anything.
        stamp: The stamp that settings or catalog name; empty: they name none. None: they say that there is none.
        where: Which of its rows.
        page_size: Rows a page of the tap.
    """

    definition: StreamDefinition
    key_source: KeySource | None
    stamp: str | None
    where: Filter
    page_size: int

    @property
    def key(self) -> tuple[str, ...]:
        """Its key."""
        return self.definition.primary_keys

    @property
    def sync(self) -> SyncKind:
        """How its rows are read."""
        if self.definition.replication_method != "INCREMENTAL":
            return "full_table"
        return "incremental" if self.key else "append"


def configured(connector: Connector, connection: Connection, given: StreamDefinition | None) -> Configured:
    """How a connector is synced.

    Args:
        connector: The connector.
        connection: With the settings.
        given: Its stream as a catalog defines it.

    Raises:
        InputError: The settings don't fit it.
    """
    mine = connection.settings.stream(connector.id)
    where = read_filter(mine.filter, connector, connection.clock)
    definition = given or define_stream(connector, mine)
    stamp = mine.replication_key
    if stamp is UNSET and mine.also_changed_on is not UNSET:
        # The other one is meant.
        stamp = definition.replication_key or UNSET
    if given is not None and given.replication_key:
        stamp = given.replication_key
    source: KeySource | None = "standard" if definition.primary_keys else None
    if given is not None and given.primary_keys:
        source = "catalog"
    elif mine.primary_keys is not UNSET:
        source = "settings"
    size = connection.settings.page_size_for(mine, len(connector.fields))
    return Configured(definition, source, "" if stamp is UNSET else stamp or None, where, size)


def whole_table(
    connector: Connector, how: Configured, connection: Connection, key: tuple[str, ...], rows: int | None
) -> Plan:
    """The plan that the tap would make to read all of a connector's rows and fields.

    Args:
        connector: The connector.
        how: How it is synced; its filter counts.
        connection: With the settings.
        key: The key to read by; empty: by offset.
        rows: How many rows are wanted at most.

    Raises:
        ProfitError: It can't be read.
    """
    kinds = kinds_of(connector, connection.settings.stream(connector.id).types)
    definition = dataclasses.replace(
        how.definition,
        schema=json_schema(connector, kinds),
        primary_keys=key,
        replication_key=None,
        replication_method="FULL_TABLE",
        selected=None,
    )
    return make_plan(
        definition, connector, Bookmark(), None, settings=connection.settings, where=how.where, most_rows=rows
    )

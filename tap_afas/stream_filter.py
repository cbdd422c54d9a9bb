"""Which rows of its connector a stream has, by `filter` and `start_date` in the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_afas.filters import read_filter, split_filter
from tap_afas.keyless import first_stamp, from_start
from tap_afas.profit.metainfo import kind_of
from tap_afas.replication_key import ReplicationKey

if TYPE_CHECKING:
    from tap_afas.connection import Connection
    from tap_afas.profit.metainfo import Connector
    from tap_afas.profit.query import Filter
    from tap_afas.stream_definition import StreamDefinition


def stream_filter(
    definition: StreamDefinition, connector: Connector, connection: Connection, key: ReplicationKey | None
) -> Filter:
    """The filter of a stream, which fits into questions.

    Args:
        definition: The stream.
        connector: Its connector.
        connection: To AFAS, with the settings.
        key: The replication key, by which `start_date` selects; None for a full table.

    Raises:
        FilterError: The filter doesn't go with the connector, or into no question.
    """
    where = read_filter(connection.settings.stream(connector.id).filter, connector, connection.clock)
    start_date = connection.settings.start_date
    if start_date and key is None and not definition.primary_keys:
        where = _from_start(where, connector, connection, start_date)
    split_filter(where, definition.sorting_key(connector), key.id if key else None, connector, definition.further)
    return where


def _from_start(where: Filter, connector: Connector, connection: Connection, start_date: str) -> Filter:
    """The filter of a stream without a key, which is read whole: `start_date` selects by the first stamp found."""
    stamp = first_stamp(connector, connection.settings.stream(connector.id).replication_key or None)
    if stamp is None or stamp not in connector.fields or connector.fields[stamp].data_type != "date":
        return where
    by_day = kind_of(connector.fields[stamp]) == "date"
    return from_start(where, ReplicationKey(stamp, "date-time", connection.clock, 0, by_day), start_date)

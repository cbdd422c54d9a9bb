"""The tables that a run would load, as its SCHEMA messages describe them: selection, maps and all."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tap_afas.explore.listing import fail_for_unread
from tap_afas.explore.session import written_as
from tap_afas.profit.errors import ProfitError
from tap_afas.schema import kind_in_schema

if TYPE_CHECKING:
    from typing import Any

    from tap_afas.explore.session import Session
    from tap_afas.profit.metainfo import Connector, Field, Kind
    from tap_afas.stream import AfasStream


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        name: Its name.
        label: AFAS' name for people, in the language of the settings; empty where there is none.
        kind: What its values are.
        field: The field that it holds as it is; None for what a map makes.
    """

    name: str
    label: str
    kind: Kind
    field: Field | None


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        name: Its name.
        connector_id: The GetConnector that it is loaded from.
        description: The connector's.
        columns: Its columns.
        key: The columns that tell each row from every other; empty where none are known.
        stamp: The column that tells when a row was last changed in AFAS, if the stream is read by one.
        sync: How it is loaded.
    """

    name: str
    connector_id: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    stamp: str | None
    sync: str

    def column(self, name: str) -> Column:
        """The column of a name."""
        return next(column for column in self.columns if column.name == name)


def tables(session: Session) -> list[Table]:
    """The tables that a run with these settings, and this catalog, would load.

    Raises:
        FailedRunError: AFAS doesn't describe some of the connectors: the list would lack their tables.
        InputError: The settings don't fit what AFAS has.
    """
    connection = session.connection
    tap = session.tap()
    streams = tap.chosen
    tap.check_inputs()
    there = [stream for stream in streams if stream.connector_id in connection.environment.connectors]
    described = connection.describe([stream.connector_id for stream in there])
    failures = {name: found for name, found in described.items() if isinstance(found, ProfitError)}
    session.ending.failures |= failures
    session.ending.streams = len(streams) + len(failures)
    fail_for_unread(session)
    found = []
    for stream in sorted(streams, key=lambda stream: stream.name):
        connector = described.get(stream.connector_id)
        description = connection.environment.connectors.get(stream.connector_id, "")
        found += _tables_of(stream, None if isinstance(connector, ProfitError) else connector, description)
    return found


def _tables_of(stream: AfasStream, connector: Connector | None, description: str) -> list[Table]:
    definition = stream.definition()
    fields = connector.fields if connector is not None else {}
    sync = "full table"
    if definition.stamp is not None:
        sync = "incremental" if definition.primary_keys else "append"
    found = []
    for one in written_as(stream):
        properties: dict[str, dict[str, Any]] = one.transformed_schema.get("properties", {})
        if stream.writes_whole_pages:
            properties = {name: properties[name] for name in definition.emitted}
        columns = tuple(_column(name, schema, definition.schema, fields) for name, schema in properties.items())
        kept = definition.stamp is not None and any(
            column.name == definition.stamp and column.field is not None for column in columns
        )
        key = tuple(name for name in one.transformed_key_properties or () if name in properties)
        stamp = definition.stamp if kept else None
        found.append(Table(one.stream_alias, stream.connector_id, description, columns, key, stamp, sync))
    return found


def _column(name: str, schema: dict[str, Any], raw: dict[str, Any], fields: dict[str, Field]) -> Column:
    # A map that makes a field anew makes its schema anew.
    own = schema == raw["properties"].get(name)
    label = str(schema.get("description") or "") if own else ""
    return Column(name, label, kind_in_schema(schema), fields.get(name) if own else None)

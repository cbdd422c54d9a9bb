"""A catalog that was passed in, which somebody may have edited, made into what the streams need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk.singerlib import Metadata, Schema

from tap_afas.profit.errors import ProfitError
from tap_afas.profit.metainfo import kinds_of
from tap_afas.schema import kinds_in_schema, with_kind

if TYPE_CHECKING:
    from singer_sdk.singerlib import Catalog

    from tap_afas.connection import Connection


def prepare(catalog: Catalog, connection: Connection) -> None:
    """Name each stream, select what no record can do without, and give each property one kind.

    Args:
        catalog: It is changed.
        connection: To AFAS, which is asked only where a property allows several kinds, or names none.
    """
    for entry in catalog.streams:
        # Where a catalog has none, the SDK takes the id, with dashes and all.
        entry.stream = entry.stream or entry.tap_stream_id.replace("-", "_")
    select_keys(catalog)
    settle_kinds(catalog, connection)


def select_keys(catalog: Catalog) -> None:
    """Select keys and replication keys, whatever the catalog says, and have keys stand where targets learn of them.

    No record can do without them.
    """
    for entry in catalog.streams:
        root = entry.metadata.root
        keys = entry.key_properties or root.table_key_properties or ()
        # In the metadata alone it would order pages, and tell no target of itself.
        entry.key_properties = list(keys)
        for field in (*keys, entry.replication_key or root.replication_key):
            if field in (entry.schema.properties or {}):
                entry.metadata["properties", str(field)].inclusion = Metadata.InclusionType.AUTOMATIC


def settle_kinds(catalog: Catalog, connection: Connection) -> None:
    """Give each property that isn't of the form `type: [x, null]` the kind that AFAS has, if it allows that.

    Meltano's `schema` leaves only what it was told of a property (an `x-sql-datatype`), and others write `anyOf`.
    """
    unsettled = {
        entry.tap_stream_id: entry
        for entry in catalog.streams
        if entry.metadata.resolve_selection().get((), True)
        and any(len(kinds_in_schema(one.to_dict())) != 1 or one.type is None for one in _properties(entry.schema))
    }
    there = [one for one in unsettled if one in connection.environment.connectors] if unsettled else []
    for connector_id, connector in connection.describe(there).items():
        if isinstance(connector, ProfitError):
            continue  # The stream itself will say so.
        own = kinds_of(connector, connection.settings.stream(connector_id).types)
        properties = unsettled[connector_id].schema.properties or {}
        for field, schema in properties.items():
            said = schema.to_dict()
            allowed = kinds_in_schema(said)
            if len(allowed) == 1 and schema.type is not None:
                continue
            kind = own.get(field)
            if allowed and kind not in allowed:
                kind = next((one for one in ("string", "number") if one in allowed), min(allowed))
            if kind is not None:
                properties[field] = Schema.from_dict(with_kind(said, kind))


def _properties(schema: Schema) -> list[Schema]:
    return list((schema.properties or {}).values())

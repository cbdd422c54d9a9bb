"""A connector held against the catalog: definitions are edited at any time, and a target can't alter its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_afas.profit.errors import ProfitError
from tap_afas.profit.metainfo import kinds_of
from tap_afas.schema import fits, kind_in_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_afas.profit.metainfo import Connector, Kind
    from tap_afas.stream import AfasStream


class SchemaChangedError(ProfitError):
    """The connector no longer fits the catalog."""


def stamp_of(stream: AfasStream) -> str | None:
    """The stream's replication key; None for a full table.

    Raises:
        SchemaChangedError: The catalog asks for a replication that can't be given.
    """
    if stream.replication_method == "FULL_TABLE":
        return None
    if stream.replication_method != "INCREMENTAL" or not stream.replication_key:
        raise SchemaChangedError(
            f"The catalog asks for {stream.replication_method} replication"
            + (
                " without a replication key."
                if stream.replication_method == "INCREMENTAL"
                else ", which AFAS has no way to give."
            ),
            "Set `replication-method` to FULL_TABLE, or to INCREMENTAL with a `replication-key`.",
        )
    return stream.replication_key


def columns(stream: AfasStream, connector: Connector, types: Mapping[str, Kind]) -> dict[str, Kind]:
    """The kinds of a stream's fields, from its schema; says what changed since that was made.

    Args:
        stream: The stream, with the schema that its target knows.
        connector: The connector as it is now.
        types: Kinds from the settings.

    Raises:
        SchemaChangedError: A key is gone, or a type no longer fits its column.
    """
    properties: Mapping[str, Any] = stream.effective_schema.get("properties", {})
    made_for = {field: kind_in_schema(schema) for field, schema in properties.items()}
    needed = [*stream.primary_keys, *([stream.replication_key] if stream.replication_key else [])]
    unknown = [field for field in needed if field not in made_for or field not in connector.fields]
    if unknown:
        raise SchemaChangedError(
            f"The key or replication key names {', '.join(unknown)}, which the connector doesn't have.",
            "Run discovery again, and correct `primary_keys`, `replication_key` or the catalog.",
        )
    now = kinds_of(connector, types)
    for field, column in made_for.items():
        if field in now and not fits(now[field], column):
            raise SchemaChangedError(
                f"The field {field} was {column} when the catalog was made, and is {now[field]} now.",
                "Run discovery again and give the target a new column, or keep the old type with"
                f" `streams.{stream.connector_id}.types`.",
            )
    added = [field for field in now if field not in made_for]
    removed = [field for field in made_for if field not in now]
    if added:
        stream.logger.warning("New in AFAS, left out until discovery runs again: %s.", ", ".join(added))
    if removed:
        stream.logger.warning("No longer in AFAS, null from now on: %s.", ", ".join(removed))
    return made_for

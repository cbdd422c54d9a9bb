"""A stream as discovery or a catalog defines it, held against the connector as it is now (drift)."""

from __future__ import annotations

import dataclasses
import logging
import sys
from typing import TYPE_CHECKING, Any

from tap_afas.profit.errors import ProfitError
from tap_afas.schema import fits_column, kind_in_schema

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from tap_afas.profit.metainfo import Connector, Kind


class StreamLogger(logging.LoggerAdapter[logging.Logger]):
    """Logs what is about a stream, with the connector's id in front: Meltano shows no logger's name.

    Args:
        connector_id: As AFAS spells it; a field `connector` of each line too.
    """

    def __init__(self, connector_id: str) -> None:
        super().__init__(logging.getLogger("tap-afas"), {"connector": connector_id})
        self._connector_id = connector_id

    @override
    def log(self, level: int, msg: object, *args: object, **options: Any) -> None:
        super().log(level, f"%s: {msg}", self._connector_id, *args, **options)


class SchemaChangedError(ProfitError):
    """The connector in AFAS no longer fits the stream's catalog entry, or the entry can't be synced."""


@dataclasses.dataclass(frozen=True, slots=True)
class StreamDefinition:
    """A stream as discovery or a catalog defines it.

    Attributes:
        connector_id: As AFAS spells it.
        name: The stream's name for targets.
        schema: JSON Schema of its records.
        primary_keys: Its key; empty when none is known.
        replication_key: Its stamp, if it has one.
        replication_method: In Singer's words.
        selected: The fields that records hold; the keys are among them in any case. None: all.
        further: Further stamps, by which rows are selected too; known once the connector is.
        table: What stream maps call it for targets; empty: its name.
    """

    connector_id: str
    name: str
    schema: dict[str, Any]
    primary_keys: tuple[str, ...] = ()
    replication_key: str | None = None
    replication_method: str = "FULL_TABLE"
    selected: frozenset[str] | None = None
    further: tuple[str, ...] = ()
    table: str = ""

    @property
    def kinds(self) -> dict[str, Kind]:
        """The kinds of its fields: what its target has columns for."""
        return {field: kind_in_schema(schema) for field, schema in self.schema.get("properties", {}).items()}

    @property
    def emitted(self) -> dict[str, Kind]:
        """The kinds of the fields that its records hold."""
        kinds = self.kinds
        wanted = {*(kinds if self.selected is None else self.selected), *self.primary_keys, self.stamp}
        return {name: kind for name, kind in kinds.items() if name in wanted}

    @property
    def logger(self) -> StreamLogger:
        """For what is to be said of the stream."""
        return StreamLogger(self.connector_id)

    def sorting_key(self, connector: Connector) -> tuple[str, ...]:
        """The key, where AFAS can sort on all of it; otherwise none, and rows are read by offset."""
        fields = [connector.fields.get(name) for name in self.primary_keys]
        return self.primary_keys if all(field is not None and field.sortable for field in fields) else ()

    def columns_after_drift_check(self, connector: Connector, now: dict[str, Kind]) -> dict[str, Kind]:
        """The kinds of a stream's fields, from its schema; says what changed since that was made."""
        columns = self.kinds
        needed = [*self.primary_keys, *([self.replication_key] if self.replication_key else [])]
        unknown = [field for field in needed if field not in columns or field not in connector.fields]
        if unknown:
            raise SchemaChangedError(
                f"The key or replication key names {', '.join(unknown)}, which the connector doesn't have.",
                "Run discovery again, and correct `primary_keys`, `replication_key` or the catalog.",
            )
        for field, column in columns.items():
            if field in now and not fits_column(now[field], column):
                raise SchemaChangedError(
                    f"The field {field} was {column} when the catalog was made, and is {now[field]} now.",
                    "Run discovery again and give the target a new column, or keep the old type with"
                    f" `streams.{self.connector_id}.types`.",
                )
        added = [field for field in now if field not in columns]
        removed = [field for field in columns if field not in now]
        if added:
            self.logger.warning("New in AFAS, left out until discovery runs again: %s.", ", ".join(added))
        if removed:
            self.logger.warning("No longer in AFAS, null from now on: %s.", ", ".join(removed))
        return columns

    @property
    def stamp(self) -> str | None:
        """The replication key; None for a full table."""
        method, stamp = self.replication_method, self.replication_key
        if method == "FULL_TABLE":
            return None
        if method == "INCREMENTAL" and stamp:
            return stamp
        why = " without a replication key." if method == "INCREMENTAL" else ", which AFAS has no way to give."
        raise SchemaChangedError(
            f"The catalog asks for {method} replication{why}",
            "Set `replication-method` to FULL_TABLE, or to INCREMENTAL with a `replication-key`.",
        )

    def check_further(self, connector: Connector, kinds: dict[str, Kind]) -> None:
        """Check that a connector's rows can be selected by the further stamps.

        Raises:
            SchemaChangedError: One is gone, AFAS can't sort on it, or it is neither a date nor a whole number.
        """
        for stamp in self.further:
            if (
                stamp not in connector.fields
                or not connector.fields[stamp].sortable
                or kinds[stamp] not in {"date", "date-time", "integer"}
            ):
                raise SchemaChangedError(
                    f"The connector's rows can't be selected by {stamp}: it must be a date or a whole number on which"
                    " AFAS can sort.",
                    f"Take it out of `streams.{self.connector_id}.also_changed_on`.",
                )

    def check_stamp(self, connector: Connector, kind: Kind) -> None:
        """Check that a connector's rows can be selected by the replication key.

        Raises:
            SchemaChangedError: AFAS can't sort on it, or it is neither a date nor a whole number.
        """
        stamp = self.replication_key or ""
        setting = f"`streams.{self.connector_id}.replication_key`"
        if not connector.fields[stamp].sortable:
            raise SchemaChangedError(
                f"AFAS can't sort on the replication key {stamp}.", f"Set {setting} to another field, or empty."
            )
        if kind not in {"date", "date-time", "integer"}:
            raise SchemaChangedError(
                f"The replication key {stamp} is {kind}; it must be a date or a whole number.",
                f"Set {setting} to another field, or empty for full table.",
            )

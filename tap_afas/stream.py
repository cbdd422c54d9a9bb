"""One GetConnector as a Singer stream."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol, cast

from singer_sdk.exceptions import MaxRecordsLimitException
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.streams import Stream

from tap_afas.bookmark import read_bookmark
from tap_afas.schema import kind_in_schema

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import Catalog

    from tap_afas.bookmark import Bookmark
    from tap_afas.records import RecordEncoder
    from tap_afas.writer import LineWriter


class Owner(Protocol):
    """What a stream asks of the session that it is read in."""

    def sync_alone(self, stream: AfasStream) -> None:
        """Sync one stream, whatever the others do."""

    def records_of(self, stream: AfasStream) -> Iterable[Record]:
        """Its records, without writing any."""


class AfasStream(Stream):
    """A GetConnector.

    Args:
        tap: The tap.
        owner: The session that it is read in.
        connector_id: As AFAS spells it; also the stream's id in the catalog.
        name: The stream's name for targets.
        schema: JSON Schema of its records.
        primary_keys: Its key; empty when none is known.
        replication_key: Its stamp, if it has one.
    """

    # Rows come typed from the decoder; the SDK would check each value again.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(  # noqa: PLR0913 - made in one place, with names
        self,
        tap: Tap,
        *,
        owner: Owner,
        connector_id: str,
        name: str,
        schema: dict[str, Any],
        primary_keys: Sequence[str] = (),
        replication_key: str | None = None,
    ) -> None:
        self.connector_id = connector_id
        self._owner = owner
        super().__init__(tap, schema=schema, name=name)
        self.primary_keys = primary_keys
        self.replication_key = replication_key
        self._schema_written = False
        self._complete = False

    @property
    @override
    def tap_stream_id(self) -> str:
        """The connector's id: what selections and messages to people use."""
        return self.connector_id

    @property
    @override
    def is_sorted(self) -> bool:
        """A killed sync goes on where its last STATE stands."""
        return True

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take keys, replication and selection from a catalog, whose entries bear the connector's id."""
        entry = catalog.get_stream(self.tap_stream_id)
        if entry is None:
            return
        root = entry.metadata.root
        self._tap_input_catalog = catalog
        self._input_schema = entry.schema.to_dict()
        self.primary_keys = entry.key_properties or root.table_key_properties or ()
        self.replication_key = entry.replication_key or root.replication_key
        self.forced_replication_method = entry.replication_method or root.forced_replication_method

    def bookmark(self) -> Bookmark | None:
        """Where an earlier run stood; None when the state doesn't tell, or not about this replication key.

        Raises:
            StateError: What it tells can't be used.
        """
        key = self.replication_key
        if key is None or self.replication_method != "INCREMENTAL":
            return None
        kind = kind_in_schema(self.effective_schema.get("properties", {}).get(key, {}))
        return read_bookmark(self.name, self.stream_state, key, is_date=kind != "integer")

    def is_field_selected(self, field: str) -> bool:
        """Whether records hold the field."""
        return self.mask["properties", field]

    @property
    def page_at_once(self) -> bool:
        """Whether records go out as they are, a page at a time; otherwise the SDK maps or flattens each."""
        maps = self.stream_maps
        return len(maps) == 1 and type(maps[0]) is SameRecordTransform and not maps[0].flattening_enabled

    def write_schema(self) -> None:
        """Write the SCHEMA message."""
        if self.replication_method == "FULL_TABLE" and self.emit_activate_version_messages:
            self._stream_version = self._initialized_at // 1000
        self._write_schema_message()

    @override
    def _write_schema_message(self) -> None:
        # The SDK's `sync` has written it already when it hands over.
        if not self._schema_written:
            self._schema_written = True
            super()._write_schema_message()

    @override
    def _write_activate_version_message(self, full_table_version: int) -> None:
        # The SDK's `sync` sends it before the first row: a run that dies then would leave the target's table empty.
        if self._complete:
            super()._write_activate_version_message(full_table_version)

    def write_rows(self, encoder: RecordEncoder, rows: Sequence[Any]) -> None:
        """Write RECORD messages of rows as they were read."""
        if self.page_at_once:
            writer = cast("LineWriter", self._tap.message_writer)
            for lines in encoder.lines(rows, self._stream_version):
                writer.write_lines(lines)
        else:
            for record in encoder.records(rows):
                self._write_record_message(record)

    def write_complete(self) -> None:
        """Tell the target that all rows have come: now, and not before, may it take out what wasn't among them."""
        self._complete = True
        if self._stream_version is not None:
            self._write_activate_version_message(self._stream_version)

    def write_state(self, state: dict[str, Any]) -> None:
        """Write the STATE with this part for the stream."""
        self.tap_state.setdefault("bookmarks", {})[self.name] = state
        self._tap.state_writer.write_state(self.tap_state)

    @property
    @override
    def stream_state(self) -> dict[str, Any]:
        """The stream's part of the STATE."""
        bookmarks: dict[str, Any] = self.tap_state.get("bookmarks", {})
        state: dict[str, Any] = bookmarks.get(self.name, {})
        return state

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        """The records, for who uses the stream as a library; nothing is written and no state moves."""
        return self._owner.records_of(self)

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        # What the SDK's own `sync_all`, `--test` and tests call: this stream alone, by the same way as a run.
        if self.ABORT_AT_RECORD_COUNT is None:
            self._owner.sync_alone(self)
            return
        for number, record in enumerate(self.get_records(context)):
            if number >= self.ABORT_AT_RECORD_COUNT:
                self._abort_sync(MaxRecordsLimitException(f"{number} records, as asked"))
            self._write_record_message(record)
            yield record

"""One GetConnector as a Singer stream."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any, cast

from msgspec import UNSET
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.streams import Stream

from tap_afas.feed import ChangedDaysError
from tap_afas.keyless import read_whole
from tap_afas.loaded_under import SdkShaping
from tap_afas.maps import MappedStream
from tap_afas.stream_definition import StreamDefinition
from tap_afas.sync import Sync
from tap_afas.writer import writing

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Generator, Iterable

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import Catalog, RecordMessage

    from tap_afas.connection import Connection
    from tap_afas.days_stream import DaysStream
    from tap_afas.delivery import Delivery
    from tap_afas.records import RecordEncoder
    from tap_afas.scheduler import Scheduler
    from tap_afas.writer import LineWriter


_SHAPING = ("stream_maps", "stream_map_config", "flattening_enabled", "flattening_max_depth", "flattening_separator")


class AfasStream(Stream):
    """The stream of one GetConnector. Its rows are read by `Sync`; this writes SCHEMA, RECORD and STATE messages.

    Args:
        tap: The tap.
        definition: What discovery or the catalog tells of it.
        connection: To AFAS.
        scheduler: Runs its sync, when it is synced alone.
        check_inputs: Called before a row is read; raises an InputError where the run may not read.
        appends: Whether the catalog asks for each change as one row more, where there is no key.
        days: The stream that tells which of its days were read again, if there is one.
    """

    # Rows come typed from the decoder; the SDK would check each value again.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(  # noqa: PLR0913 - made in one place, with names
        self,
        tap: Tap,
        definition: StreamDefinition,
        *,
        connection: Connection,
        scheduler: Scheduler,
        check_inputs: Callable[[], None],
        appends: bool = False,
        days: DaysStream | None = None,
    ) -> None:
        self.days = days
        self.connector_id = definition.connector_id
        self._settings = connection.settings.stream(definition.connector_id)
        self._appends = appends or self._settings.append
        self._connection = connection
        self._scheduler = scheduler
        self._check_inputs = check_inputs
        super().__init__(tap, schema=definition.schema, name=definition.name)
        self.primary_keys = definition.primary_keys
        self.replication_key = definition.replication_key
        self._schema_written = False
        self._complete = False
        self._extracted_at: datetime.datetime | None = None

    @property
    @override
    def tap_stream_id(self) -> str:
        """The connector's id: what selections and messages to people use."""
        return self.connector_id

    @property
    @override
    def is_sorted(self) -> bool:
        """True, since a killed sync goes on from its last STATE; records come in the order of the key, though."""
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

    def definition(self) -> StreamDefinition:
        """The stream as it is now: with what a catalog, or who uses it as a library, has changed."""
        schema, mask = self.effective_schema, self.mask
        definition = StreamDefinition(
            self.connector_id,
            self.name,
            schema,
            tuple(self.primary_keys),
            self.replication_key,
            self.replication_method,
            frozenset(field for field in schema.get("properties", {}) if mask["properties", field]),
        )
        return read_whole(definition) if self.is_made_whole else definition

    @property
    def is_made_whole(self) -> bool:
        """Whether a catalog has it as INCREMENTAL, and it is read whole for want of a key."""
        return self.replication_method == "INCREMENTAL" and not self.primary_keys and not self._appends

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Whether a full table's records bear a version, and its end takes out those of other versions."""
        mine = self._settings.emit_activate_version_messages
        return self._connection.settings.emit_activate_version_messages if mine is UNSET else mine

    def new_sync(self) -> Sync:
        """A sync of the stream, from where its state stands.

        Raises:
            InputError: The state, or what the settings say of the stream, can't be used.
        """
        if self.days is not None and self.selected and not self.days.selected:
            raise ChangedDaysError(
                f"{self.connector_id}: `changed_days` needs the stream {self.days.tap_stream_id}, which isn't selected:"
                f" without it, nobody can tell which rows are gone. Select it too (`{self.connector_id}.*` doesn't):"
                f" `{self.days.tap_stream_id}.*`."
            )
        alias = next((one.stream_alias for one in self.stream_maps), "")
        sync = Sync(
            dataclasses.replace(self.definition(), table=alias),
            self.stream_state,
            connection=self._connection,
            version=self._initialized_at // 1000 if self.emit_activate_version_messages else None,
            most_rows=self.ABORT_AT_RECORD_COUNT,
            shape=SdkShaping(
                alias,
                {name: self.config[name] for name in _SHAPING if self.config.get(name)} or None,
            ),
            days_state=self.tap_state.get("bookmarks", {}).get(self.days.name) if self.days is not None else None,
        )
        if sync.definition.primary_keys != tuple(self.primary_keys):
            self._take_key(sync.definition.primary_keys)
        if sync.definition.replication_method == "INCREMENTAL":
            self.replication_key = sync.definition.replication_key
        return sync

    def _take_key(self, key: tuple[str, ...]) -> None:
        """Take the key that the stream was loaded under, which SCHEMA has to have as well."""
        self.primary_keys = key
        schema = self.stream_maps[0].raw_schema
        self._tap.mapper.register_raw_stream_schema(self.name, schema, list(key))
        self._stream_maps = self._tap.mapper.stream_maps[self.name]

    def as_mapped(self) -> MappedStream:
        """The stream as `stream_maps` sees it."""
        found = self.definition()
        emitted = found.selected if self.selected else None
        return MappedStream(
            self.connector_id,
            self.name,
            frozenset(self.schema.get("properties", {})),
            emitted or frozenset(),
            found.primary_keys,
            self.emit_activate_version_messages,
        )

    # What is written

    @property
    def writes_whole_pages(self) -> bool:
        """Whether records go out as they are, a page at a time; otherwise the SDK maps or flattens each."""
        maps = self.stream_maps
        return len(maps) == 1 and type(maps[0]) is SameRecordTransform and not maps[0].flattening_enabled

    def write_schema(self) -> None:
        """Write the SCHEMA message, once."""
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

    def write(self, encoder: RecordEncoder, delivery: Delivery) -> None:
        """Write RECORD messages of rows, and the STATE that is true behind them.

        Raises:
            UnfitValueError: A value doesn't fit its field's type.
        """
        with writing:
            self._write(encoder, delivery)

    def _write(self, encoder: RecordEncoder, delivery: Delivery) -> None:
        self._stream_version, self._extracted_at = delivery.version, delivery.extracted_at
        if self.writes_whole_pages:
            writer = cast("LineWriter", self._tap.message_writer)
            for lines in encoder.lines(delivery.rows, delivery.version, delivery.extracted_at):
                writer.write_lines(lines)
        else:
            for record in encoder.records(delivery.rows):
                self._write_record_message(record)
        if self.days is not None:
            self.days.write(delivery.days, delivery.extracted_at)
        if delivery.activates and delivery.version is not None:
            # All rows have come: now, and not before, may the target take out what wasn't among them.
            self._complete = True
            self._write_activate_version_message(delivery.version)
        bookmarks = self.tap_state.setdefault("bookmarks", {})
        bookmarks[self.name] = delivery.state
        if self.days is not None and delivery.days_state is not None:
            bookmarks[self.days.name] = delivery.days_state
        self._tap.state_writer.write_state(self.tap_state)

    @override
    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        for message in super()._generate_record_messages(record):
            message.time_extracted = self._extracted_at or message.time_extracted
            yield message

    @property
    @override
    def stream_state(self) -> dict[str, Any]:
        """The stream's part of the STATE."""
        bookmarks: dict[str, Any] = self.tap_state.get("bookmarks", {})
        state: dict[str, Any] = bookmarks.get(self.name, {})
        return state

    # What the SDK calls

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        """The records, for who uses the stream as a library; nothing is written and no state moves."""
        self._check_inputs()
        return self.new_sync().records()

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        # What the SDK's own `sync_all`, its dry run and its tests call: this stream alone, by the same way as a run.
        self._check_inputs()
        for failure in self._scheduler.run({self.new_sync(): self}, parallel=1).values():
            raise failure
        yield from ()

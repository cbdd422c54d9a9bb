"""The stream that tells which days of another one were read again (`changed_days`)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.streams import Stream

from tap_afas.feed import days_name, days_schema

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import datetime
    from collections.abc import Generator, Iterable

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import RecordMessage


class DaysStream(Stream):
    """Which days of a connector's stream were read again, and when. That stream's sync says so; AFAS isn't asked.

    Args:
        tap: The tap.
        connector_id: Of the connector whose days they are.
        stream: The name of its stream.
        day: Its field that holds the day.
    """

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(self, tap: Tap, connector_id: str, stream: str, day: str) -> None:
        self._id = days_name(connector_id)
        super().__init__(tap, schema=days_schema(day), name=days_name(stream))
        self.primary_keys = (day,)
        self.replication_key = "read_at"
        self._schema_written = False
        self._at: datetime.datetime | None = None

    @property
    @override
    def tap_stream_id(self) -> str:
        """The connector's id, and what the catalog calls its days."""
        return self._id

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        """None: the stream whose days they are writes them."""
        return ()

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        # What the SDK's own `sync_all` calls; by then they may have been written.
        yield from ()

    @override
    def _write_schema_message(self) -> None:
        if not self._schema_written:
            self._schema_written = True
            super()._write_schema_message()

    def write(self, records: Iterable[dict[str, Any]], at: datetime.datetime | None) -> None:
        """Write RECORD messages, behind the rows that they tell of.

        Args:
            records: What to write.
            at: Their time; None: now.
        """
        self._at = at
        for record in records:
            self._write_schema_message()
            self._write_record_message(record)

    @override
    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        for message in super()._generate_record_messages(record):
            message.time_extracted = self._at or message.time_extracted
            yield message

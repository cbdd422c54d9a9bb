"""Some rows of a connector, as the tap would emit them."""

from __future__ import annotations

import csv
import dataclasses
import glob
import io
import itertools
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.contrib.msgspec import enc_hook

from tap_afas.explore.conditions import narrowed, period
from tap_afas.explore.listing import fail_for_unread, look
from tap_afas.explore.session import written_as
from tap_afas.explore.terminal import escaped, neutral, on_terminal, plain, show, show_records, write
from tap_afas.inputs import InputError
from tap_afas.spelling import did_you_mean
from tap_afas.sync import Sync

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_afas.explore.session import Session
    from tap_afas.settings import FilterCondition
    from tap_afas.stream import AfasStream

# Lines of CSV and JSON are written so many at a time.
_BLOCK = 500
_FEWEST_TO_MAP = 500

_encoder = msgspec.json.Encoder(enc_hook=enc_hook, decimal_format="number")


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows, and what of them.

    Attributes:
        name: The connector, as somebody wrote it.
        conditions: All must hold.
        since: Changed since then.
        until: Changed until then.
        fields: Those to show, of the records; empty: all.
        limit: How many rows at most.
    """

    name: str
    conditions: tuple[FilterCondition, ...] = ()
    since: str | None = None
    until: str | None = None
    fields: tuple[str, ...] = ()
    limit: int = 20


def preview(session: Session, wanted: Wanted, form: str) -> None:
    """`preview`: read rows and print them.

    Args:
        session: What the command works with.
        wanted: Which rows.
        form: `table`, `csv` or `jsonl`.

    Raises:
        InputError: What was asked for doesn't fit the connector.
        ProfitError: AFAS refused, or a value doesn't fit.
        OutputError: It can't be written.
    """
    stream = _stream(session, wanted)
    columns = _columns(stream, wanted.fields)
    records = itertools.islice(_records(session, stream, wanted), wanted.limit)
    if form == "table":
        found = list(records)
        if found:
            show_records(found, columns)
        else:
            show(plain("No rows."))
        return
    lines = _csv(records, columns) if form == "csv" else _jsonl(records, columns if wanted.fields else ())
    for block in iter(lambda: list(itertools.islice(lines, _BLOCK)), []):
        write("".join(block))


def _stream(session: Session, wanted: Wanted) -> AfasStream:
    """The stream, in a tap that reads nothing else."""
    connection = session.connection
    connector_id = session.connector_id(wanted.name)
    (seen,) = look(session, [connector_id])
    if seen.connector is None or seen.definition is None:
        fail_for_unread(session)
        raise AssertionError(connector_id)
    if session.catalog is not None and not seen.selected:
        raise InputError(f"The catalog has no stream for {connector_id}, or doesn't select it.")
    settings = connection.settings
    changed = period(seen.connector, seen.definition, settings.stream(connector_id), wanted.since, wanted.until)
    added = {"`--since` or `--until`": changed, "`--where`": wanted.conditions}
    mine = narrowed(settings, seen.connector, added, connection.clock)
    connection.settings = msgspec.structs.replace(
        settings, connectors=(glob.escape(connector_id),), streams={connector_id: mine}
    )
    tap = session.tap()
    tap.check_inputs()
    stream = next(stream for stream in tap.chosen if stream.connector_id == connector_id)
    # A map may let few rows through.
    rows = wanted.limit if stream.writes_whole_pages else max(wanted.limit, _FEWEST_TO_MAP)
    size = min(rows, settings.page_size_for(mine, len(seen.connector.fields)))
    connection.settings.streams[connector_id] = msgspec.structs.replace(mine, page_size=size)
    return stream


def _records(session: Session, stream: AfasStream, wanted: Wanted) -> Iterator[Mapping[str, Any]]:
    """The records as the tap writes them, maps and all; AFAS is asked for no more pages than are needed."""
    definition = stream.definition()
    if wanted.fields and stream.writes_whole_pages:
        # What isn't to be seen needn't be readable.
        definition = dataclasses.replace(definition, selected=frozenset(wanted.fields))
    sync = Sync(definition, {}, connection=session.connection)
    for delivery in sync.deliveries():
        for record in sync.encoder.records(delivery.rows):
            for message in stream._generate_record_messages(record):  # noqa: SLF001 - what the SDK writes
                yield message.record
        if sync.progress.read or not (wanted.conditions or wanted.since or wanted.until):
            sync.count_written(delivery)


def _columns(stream: AfasStream, fields: Sequence[str]) -> list[str]:
    """The fields to show.

    Raises:
        InputError: One isn't in the records, or there are none.
    """
    emitted = stream.definition().emitted
    if stream.writes_whole_pages:
        columns = list(emitted)
    else:
        columns = list(
            dict.fromkeys(name for one in written_as(stream) for name in one.transformed_schema["properties"])
        )
    if not columns:
        raise InputError(f"{stream.connector_id}: `stream_maps` takes the stream out: the tap emits no row of it.")
    unknown = [name for name in fields if name not in columns]
    if unknown:
        meant = "".join(dict.fromkeys(did_you_mean(name, columns) for name in unknown))
        raise InputError(
            f"{stream.connector_id}: records have no field {', '.join(unknown)}."
            + (meant or f" They have: {', '.join(columns)}.")
        )
    return list(dict.fromkeys(fields)) or columns


def _csv(records: Iterator[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    safe = neutral if on_terminal() else str
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    for row in itertools.chain([columns], ([_cell(record.get(name)) for name in columns] for record in records)):
        writer.writerow([safe(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else _encoder.encode(value).decode()


def _jsonl(records: Iterator[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    for record in records:
        chosen = {name: record.get(name) for name in columns} if columns else record
        yield f"{escaped(_encoder.encode(chosen).decode())}\n"

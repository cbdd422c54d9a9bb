"""A model of the source and of a target, and the tap run in this process: what the property tests share."""

from __future__ import annotations

import base64
import collections
import contextlib
import dataclasses
import datetime as dt
import io
import itertools
import json
import logging
import zoneinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from running import without_waiting

from tap_afas.profit.rows import Page
from tap_afas.sandbox import KEEP, Connector, Field, Sandbox, Table, stored
from tap_afas.scheduler import InterruptedRunError
from tap_afas.tap import TapAfas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_afas.sandbox import Cell, Request, Row

NOW = dt.datetime(2024, 5, 15, 10, 0, 0)  # noqa: DTZ001 - wall time has no zone
TOKEN = base64.b64encode(b"<token><version>1</version><data>" + b"5A" * 32 + b"</data></token>").decode()
ID, CODE, NAME, NUMBER, MODIFIED = range(5)
FIELDS = (
    Field("Id", "int", "Id", "Id", 9),
    Field("Code", "string", "Code", "Code", 20, control_type=5),
    Field("Name", "string", "Name", "Naam", 80),
    Field("Number", "int", "Number", "Aantal", 9),
    Field("Modified", "date", "Changed on", "Gewijzigd op", control_type=8),
)
LAG = 3 * 86_400
"""Seconds after which a stream that appends has sent all: more than the overlap and twice a day."""
WALKS = ("by stamp", "by stamp, key of two", "by stamp, no key", "by key", "by key of two", "by offset")


@dataclasses.dataclass(frozen=True)
class Walk:
    """How the tap is to read the rows.

    Attributes:
        key: The key's fields.
        stamp: The replication key, if there is one.
    """

    key: tuple[str, ...]
    stamp: str | None

    @classmethod
    def named(cls, name: str) -> Walk:
        stamp = "Modified" if name.startswith("by stamp") else None
        if name.endswith(("no key", "offset")):
            return cls((), stamp)
        return cls(("Code", "Id") if name.endswith("two") else ("Id",), stamp)

    @property
    def appends(self) -> bool:
        """Whether each version of a row is sent once, some time after it came."""
        return self.stamp is not None and not self.key


def connector(fields: Sequence[Field] = FIELDS) -> Connector:
    """The connector `Item`; without a key, so that the sandbox numbers the rows and can tell equal ones apart."""
    ids = {field.id for field in fields}
    stamp = "Modified" if "Modified" in ids else None
    changeable = ("Name",) if "Name" in ids else ()
    return Connector("Item", "Items", "Artikelen", tuple(fields), stamp=stamp, changeable=changeable)


def row(number: int, stamp: str | None, *, code: str = "", name: str = "", amount: int = 0) -> Row:
    """A row of `Item`."""
    return (number, code, name, amount, stamp)


class Ticking:
    """A clock that stands still until it is told to tick."""

    def __init__(self, now: dt.datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now

    def tick(self, seconds: float = 1.0) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def ago(self, seconds: float) -> str:
        """A stamp of some seconds ago."""
        return stored(self.now - dt.timedelta(seconds=seconds))


class Source:
    """A sandbox with the one connector, and what became of each row of it.

    Args:
        sandbox: Loaded anew.
        walk: How the tap is to read it.
        rows: The rows.
        clock: Of the sandbox.
        fields: Of the connector.
        options: Of the sandbox.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        walk: Walk,
        rows: Iterable[Row],
        clock: Ticking | None = None,
        fields: Sequence[Field] = FIELDS,
        **options: Any,
    ) -> None:
        self.sandbox = sandbox
        self.walk = walk
        self.clock = clock or Ticking()
        sandbox.clock = self.clock
        sandbox.load([Table(connector(fields), rows, lambda number: row(number, None))], **options)
        self._touched: set[int] = set()
        self._old = self.clock.ago(LAG)

    @property
    def rows(self) -> dict[int, Row]:
        """All rows there are, by their number."""
        return dict(self.sandbox.numbered_rows("Item"))

    @property
    def due(self) -> list[Row]:
        """The rows that nothing happened to since `watch`, and that a run which began then has to bring."""
        untouched = [found for number, found in self.rows.items() if number not in self._touched]
        lag = self.walk.appends
        return [found for found in untouched if not lag or found[MODIFIED] is None or str(found[MODIFIED]) < self._old]

    def watch(self) -> None:
        """From now on all rows are untouched."""
        self._touched.clear()
        self._old = self.clock.ago(LAG)

    def update(self, number: int, stamp: str | None, **values: Cell) -> None:
        self.sandbox.update("Item", number, values, stamp=KEEP if stamp is None else stamp)
        self._touched.add(number)

    def insert(self, new: Row) -> None:
        change = self.sandbox.insert("Item", new, stamp=KEEP)
        self._touched.add(int(change.key[0] or 0))

    def delete(self, number: int) -> None:
        self.sandbox.delete("Item", number)

    @contextlib.contextmanager
    def before_each(self, hook: Callable[[Request], object]) -> Iterator[None]:
        """Have something happen before each page."""
        wrong: list[Exception] = []

        def careful(request: Request) -> None:
            try:
                hook(request)
            except Exception as error:  # noqa: BLE001 - raised again where the test sees it
                wrong.append(error)

        self.sandbox.before_request = careful
        try:
            yield
        finally:
            self.sandbox.before_request = None
        if wrong:
            raise wrong[0]

    def config(self, **settings: Any) -> dict[str, Any]:
        """Settings for the tap."""
        return {"base_url": self.sandbox.base_url, "token": TOKEN, **settings}

    def catalog(self) -> dict[str, Any]:
        """What discovery would make of the connector."""
        formats = {"int": {"type": ["integer", "null"]}, "decimal": {"type": ["number", "null"]}}
        formats["boolean"] = {"type": ["boolean", "null"]}
        properties: dict[str, Any] = {}
        for field in self.sandbox.connectors["Item"].fields:
            properties[field.id] = formats.get(field.data_type, {"type": ["string", "null"]})
            if field.data_type == "date":
                properties[field.id] = {
                    "type": ["string", "null"],
                    "format": "date" if field.control_type == 4 else "date-time",
                }
        entry = {
            "tap_stream_id": "Item",
            "stream": "Item",
            "schema": {"type": "object", "properties": properties},
            "key_properties": list(self.walk.key),
            "replication_method": "INCREMENTAL" if self.walk.stamp else "FULL_TABLE",
            "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}],
        }
        if self.walk.stamp:
            entry["replication_key"] = self.walk.stamp
        return {"streams": [entry]}


def source_of(
    sandbox: Sandbox,
    fields: Sequence[Field],
    key: Sequence[str],
    stamp: str | None,
    rows: Sequence[Row],
    **options: Any,
) -> Source:
    """A source with fields of its own."""
    source = Source(sandbox, Walk(tuple(key), stamp), [])
    kept = dataclasses.replace(sandbox.connectors["Item"], fields=tuple(fields), stamp=None, changeable=())
    sandbox.load([Table(kept, rows, lambda _: rows[0])])
    return source


@dataclasses.dataclass
class Ran:
    """What a run of the tap left.

    Attributes:
        output: What it wrote.
        error: What it ended with, if it failed.
        log: Its warnings and errors.
        requests: What it asked of the sandbox.
    """

    output: bytes
    error: Exception | None
    log: list[str]
    requests: list[Request]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(line, parse_float=Decimal) for line in self.output.splitlines()]

    @property
    def records(self) -> list[dict[str, Any]]:
        return [message["record"] for message in self.messages if message["type"] == "RECORD"]

    @property
    def state(self) -> dict[str, Any]:
        """The last STATE; empty when there is none."""
        return last_state(self.output)

    @property
    def bookmark(self) -> dict[str, Any]:
        found: dict[str, Any] = self.state["bookmarks"]["Item"]
        return found

    @property
    def pages(self) -> list[Request]:
        """The requests for rows."""
        return [request for request in self.requests if request.kind == "rows"]

    @property
    def said(self) -> str:
        """Log and error in one text."""
        return "\n".join([*self.log, str(self.error or "")])


def last_state(output: bytes) -> dict[str, Any]:
    """The last STATE in an output; empty when there is none."""
    states = [line for line in output.splitlines() if line.startswith(b'{"type":"STATE"')]
    return json.loads(states[-1])["value"] if states else {}


def committed(output: bytes) -> bytes:
    """What of an output that breaks off a target has for sure: all up to the last whole STATE."""
    lines = output.split(b"\n")[:-1]
    states = [number for number, line in enumerate(lines) if line.startswith(b'{"type":"STATE"')]
    return b"".join(line + b"\n" for line in lines[: states[-1] + 1]) if states else b""


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


def run(
    source: Source,
    state: Mapping[str, Any] | None = None,
    *,
    catalog: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Ran:
    """Run the tap in this process."""
    buffer = io.BytesIO()
    out = io.TextIOWrapper(buffer, encoding="utf-8", write_through=True)
    listener = _Listener()
    loggers = [logging.getLogger(name) for name in ("tap-afas", "singer_sdk")]
    for logger in loggers:
        logger.addHandler(listener)
    source.sandbox.clear_log()
    error: Exception | None = None
    try:
        with contextlib.redirect_stdout(out), without_waiting():
            # The tap may write into what it is given.
            given = json.loads(json.dumps([catalog or source.catalog(), state or {}]))
            tap = TapAfas(config=source.config(**settings), catalog=given[0], state=given[1])
            try:
                tap.run()
            except InterruptedRunError:
                raise
            except Exception as failure:  # noqa: BLE001 - what it is, the tests tell
                error = failure
    finally:
        for logger in loggers:
            logger.removeHandler(listener)
    out.flush()
    return Ran(buffer.getvalue(), error, listener.heard, list(source.sandbox.log))


def catch_up(source: Source, state: Mapping[str, Any], target: Target, *, runs: int = 1, **settings: Any) -> Ran:
    """Run, with nothing else going on, until the target has all there is; what the last run left.

    It takes two runs where one was killed: the first ends that one's walk, the second brings what changed behind it.
    A stream that appends waits until nothing can come any more that is earlier.
    """
    for _ in range(runs):
        if source.walk.appends:
            source.clock.tick(LAG)
        ran = run(source, state, **settings)
        assert ran.error is None, ran.said
        target.take(ran.output)
        state = ran.state
    return ran


class Answer(Page):
    """A page of rows with a key and a stamp."""

    def __init__(self, keys: Sequence[Any], stamps: Sequence[Any] = ()) -> None:
        self.keys = keys
        self.stamps = stamps
        self.fields = ("Id", "Modified")

    def __len__(self) -> int:
        return len(self.keys)

    def fingerprint(self, position: int) -> bytes:
        return repr((self.keys[position], self.stamps[position])).encode()

    def column(self, field: str) -> Sequence[Any]:
        return [key[0] for key in self.keys] if field == "Id" else self.stamps


class Target:
    """A target that upserts by key, or appends where there is no key."""

    def __init__(self, key: Sequence[str]) -> None:
        self.key = tuple(key)
        self._numbers = itertools.count()
        self.rows: dict[tuple[Any, ...], dict[str, Any]] = {}

    def take(self, output: bytes) -> None:
        """Take the lines of a run."""
        for line in output.splitlines():
            message = json.loads(line, parse_float=Decimal)
            if message["type"] == "RECORD":
                record = message["record"]
                key = tuple(record[field] for field in self.key) if self.key else (next(self._numbers),)
                self.rows[key] = record

    def missing(self, rows: Iterable[Row], display: str = "rounded") -> list[dict[str, Any]]:
        """Which of the rows, as they are, it doesn't have."""
        have = collections.Counter(map(freeze, self.rows.values()))
        want = collections.Counter(freeze(record(found, display)) for found in rows)
        return [dict(lost) for lost in (want - have).elements()]


def freeze(record: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(record.items())


_ZONE = zoneinfo.ZoneInfo("Europe/Amsterdam")


def record(found: Row, display: str = "rounded") -> dict[str, Any]:
    """The record that a row of `Item` is to become; worked out without the tap."""
    stamp = found[MODIFIED]
    return {
        "Id": found[ID],
        "Code": found[CODE],
        "Name": found[NAME],
        "Number": found[NUMBER],
        "Modified": None if stamp is None else in_utc(shown(str(stamp), display)),
    }


def shown(stamp: str, display: str) -> dt.datetime:
    """The wall time that AFAS shows for a stored stamp."""
    moment = dt.datetime.fromisoformat(stamp)
    if display == "exact":
        return moment
    up = display == "rounded" and moment.microsecond >= 500_000
    return moment.replace(microsecond=0) + dt.timedelta(seconds=int(up))


def in_utc(wall: dt.datetime) -> str:
    """The moment of a wall time, as records hold it."""
    utc = wall.replace(tzinfo=_ZONE).astimezone(dt.UTC)
    fraction = f".{utc.microsecond // 1000:03}" if utc.microsecond else ""
    return f"{utc.isoformat()[:19]}{fraction}+00:00"

"""A sandbox with one connector, and what became of each of its rows."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

from afas_sandbox import KEEP, Connector, Field, Sandbox, Table, stored
from tap_afas.profit.key_advice import KeyHints
from tap_afas.profit.page import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from afas_sandbox import Cell, Request, Row

NOW = dt.datetime(2024, 5, 15, 10, 0, 0)  # noqa: DTZ001 - wall time has no zone
LAG = 3 * 86_400
"""Seconds after which a stream that appends has sent all: more than the overlap and twice a day."""
TOKEN = base64.b64encode(b"<token><version>1</version><data>" + b"5A" * 32 + b"</data></token>").decode()
ID, CODE, NAME, NUMBER, MODIFIED = range(5)
FIELDS = (
    Field("Id", "int", "Id", "Id", 9),
    Field("Code", "string", "Code", "Code", 20, control_type=5),
    Field("Name", "string", "Name", "Naam", 80),
    Field("Number", "int", "Number", "Aantal", 9),
    Field("Modified", "date", "Changed on", "Gewijzigd op", control_type=8),
)
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
        if self.walk.stamp is None or self.walk.key:
            return untouched
        place = self.sandbox.connectors["Item"].position(self.walk.stamp)
        return [found for found in untouched if found[place] is None or str(found[place]) < self._old]

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
                    "format": {4: "date", 7: "time"}.get(field.control_type, "date-time"),
                }
        root: dict[str, Any] = {"breadcrumb": [], "metadata": {"selected": True}}
        entry = {
            "tap_stream_id": "Item",
            "stream": "Item",
            "schema": {"type": "object", "properties": properties},
            "key_properties": list(self.walk.key),
            "replication_method": "INCREMENTAL" if self.walk.stamp else "FULL_TABLE",
            "metadata": [root],
        }
        if self.walk.stamp:
            entry["replication_key"] = self.walk.stamp
        if self.walk.appends:
            # What `metadata: {"Item": {replication-method: INCREMENTAL, …}}` becomes in Meltano.
            root["metadata"] |= {"replication-method": "INCREMENTAL", "replication-key": self.walk.stamp}
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


class Answer(Page):
    """A page of rows with a key and a stamp."""

    def __init__(self, keys: Sequence[Any], stamps: Sequence[Any] = ()) -> None:
        self.keys = keys
        self.stamps = stamps
        self.hints = KeyHints()

    def __len__(self) -> int:
        return len(self.keys)

    def fingerprint(self, position: int) -> bytes:
        return repr((self.keys[position], self.stamps[position])).encode()

    def column(self, field: str) -> Sequence[Any]:
        return [key[0] for key in self.keys] if field == "Id" else self.stamps

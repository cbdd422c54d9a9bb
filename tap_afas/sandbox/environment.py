"""An AFAS Profit environment to try and to test against."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING, Any, Self

from tap_afas.sandbox.changes import Bustle, Change, Changes
from tap_afas.sandbox.clock import Clock, amsterdam
from tap_afas.sandbox.control import Control
from tap_afas.sandbox.model import Cell, Connector, Dataset, Field, Row, Table
from tap_afas.sandbox.options import Options
from tap_afas.sandbox.refusals import NAMED, write
from tap_afas.sandbox.server import Server
from tap_afas.sandbox.services import Services
from tap_afas.sandbox.store import Store

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_afas.sandbox.exchange import Answer, Asked, Request
    from tap_afas.sandbox.faults import Fault

_ROOT = "/ProfitRestServices"


class Sandbox:
    """An environment with an HTTP server of its own, from the moment it is made until it is closed.

    Args:
        dataset: The connectors and their rows.
        host: Address to listen on.
        port: Port; 0 for any that is free.
        clock: Gives the wall time in Amsterdam, to the millisecond.
        seed: Of all chance.
        changes_per_minute: How many rows change by themselves.
        options: See `Options`; by name.

    Attributes:
        options: May be changed while it runs.
    """

    def __init__(  # noqa: PLR0913 - all but the first by name
        self,
        dataset: Dataset = (),
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Clock = amsterdam,
        seed: int = 1,
        changes_per_minute: float = 0.0,
        **options: Any,
    ) -> None:
        self.options = Options(**options)
        self._made_with = options
        self._clock = clock
        self._seed = seed
        self._closing = threading.Event()
        self._bustle: Bustle | None = None
        self._store = Store()
        self._begin(dataset)
        self._server = Server(host, port, self._answer, self._now)
        if changes_per_minute > 0:
            self._bustle = Bustle(self._changes, changes_per_minute, seed)

    def _begin(self, dataset: Dataset) -> None:
        for table in dataset:
            self._store.add(table)
        self._changes = Changes(self._store, self._now, self._seed)
        self._services = Services(self._store, self.options, self._now, self._seed, self._rest)
        self._control = Control(self._store, self._services, self._changes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop, and let go of port, threads and rows."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._bustle:
            self._bustle.close()
        self._server.close()
        self._store.close()

    def load(self, dataset: Dataset = (), **options: Any) -> None:
        """Be another environment at the same address: other rows, an empty log, no faults, options as at first.

        Args:
            dataset: The connectors and their rows.
            options: Options that differ from those it was made with.
        """
        self.options = Options(**(self._made_with | options))
        for connector_id in self._store.connectors:
            self._store.remove(connector_id)
        self._begin(dataset)

    @property
    def root_url(self) -> str:
        """The address of the server, without a path."""
        return f"http://{self._server.reached_at}:{self._server.server_port}"

    @property
    def base_url(self) -> str:
        """The address up to and including `ProfitRestServices`."""
        return self.root_url + _ROOT

    @property
    def token(self) -> str:
        """The classic token as AFAS shows it: the whole XML."""
        return self.options.token_xml

    @property
    def client_id(self) -> str:
        """OAuth client."""
        return self.options.client_id

    @property
    def client_secret(self) -> str:
        """Secret of the OAuth client."""
        return self.options.client_secret

    @property
    def clock(self) -> Clock:
        """The clock; may be set."""
        return self._clock

    @clock.setter
    def clock(self, clock: Clock) -> None:
        self._clock = clock

    @property
    def connectors(self) -> dict[str, Connector]:
        """The connectors by id."""
        return self._store.connectors

    def rows(self, connector_id: str) -> Iterator[Row]:
        """Every row with its stored values, in the order in which they were added."""
        return (row for _, row in self._store.rows(connector_id))

    def numbered_rows(self, connector_id: str) -> Iterator[tuple[int, Row]]:
        """Likewise, with the number by which a row without a key is changed."""
        return self._store.rows(connector_id)

    def count(self, connector_id: str) -> int:
        """How many rows a connector has."""
        return self._store.count(connector_id)

    def insert(self, connector_id: str, row: Row, *, stamp: str | None = None) -> Change:
        """Add a row.

        Args:
            connector_id: The connector.
            row: Its values, in the order of the fields.
            stamp: Its stamp; by default the row's own, else the clock's. `KEEP`: the row's own, even if that is none.
        """
        return self._changes.insert(connector_id, row, stamp)

    def update(
        self,
        connector_id: str,
        key: Sequence[Cell] | Cell,
        values: Mapping[str, Cell] | None = None,
        *,
        stamp: str | None = None,
    ) -> Change:
        """Change a row.

        Args:
            connector_id: The connector.
            key: The values of its key, or the value of a single one; the row's number when there is no key.
            values: The new values by field id.
            stamp: Its stamp; by default the one among the values, or the clock's. `KEEP`: as it was.
        """
        return self._changes.update(connector_id, self._number(connector_id, key), dict(values or {}), stamp)

    def delete(self, connector_id: str, key: Sequence[Cell] | Cell) -> Change:
        """Delete a row; for its key see `update`."""
        return self._changes.delete(connector_id, self._number(connector_id, key))

    def _number(self, connector_id: str, key: Sequence[Cell] | Cell) -> int:
        whole = (key,) if isinstance(key, str | int | None) else tuple(key)
        if self.connectors[connector_id].key:
            return self._store.find(connector_id, whole)
        return int(whole[0] or 0)

    def replace(self, connector_id: str, rows: Iterable[Row]) -> None:
        """Give a connector other rows, stored as they are."""
        self._store.replace(connector_id, rows)

    def add(self, table: Table) -> None:
        """Add a connector, or put another in the place of one."""
        self._store.add(table)

    def remove(self, connector_id: str) -> None:
        """Remove a connector."""
        self._store.remove(connector_id)

    def alter(self, connector_id: str, fields: Sequence[Field]) -> None:
        """Give a connector another definition: values stay with their field id, new fields are empty."""
        with self._store.lock:
            shelf = self._store.shelf(connector_id)
            before = shelf.connector
            ids = {field.id for field in fields}
            after = dataclasses.replace(
                before,
                fields=tuple(fields),
                key=before.key if ids.issuperset(before.key) else (),
                stamp=before.stamp if before.stamp in ids else None,
                created=before.created if before.created in ids else None,
                changeable=tuple(field_id for field_id in before.changeable if field_id in ids),
            )
            places = {field.id: place for place, field in enumerate(before.fields)}
            taken = [places.get(field.id) for field in fields]

            def fitted(row: Row) -> Row:
                return tuple(None if place is None else row[place] for place in taken)

            rows = [fitted(row) for row in self.rows(connector_id)]
            number = shelf.next_number
            self._store.add(Table(after, rows, lambda n: fitted(shelf.new_row(n))))
            self._store.shelf(connector_id).next_number = number

    def change(  # noqa: PLR0913 - all but the first by name
        self,
        connector_id: str | None = None,
        *,
        updates: int = 0,
        inserts: int = 0,
        deletes: int = 0,
        stamp: str | None = None,
        late_seconds: float = 0.0,
    ) -> list[Change]:
        """Change rows taken at random, and tell which.

        Args:
            connector_id: The connector; by default any with a stamp, another at each change.
            updates: How many rows to change,
            inserts: to add,
            deletes: and to delete.
            stamp: The stamp of changed and new rows; by default the clock's.
            late_seconds: How far that lies back, as after a transaction that took so long.
        """
        return self._changes.some(
            connector_id, updates=updates, inserts=inserts, deletes=deletes, stamp=stamp, late_seconds=late_seconds
        )

    @property
    def log(self) -> list[Request]:
        """The requests on the REST services, oldest first."""
        return self._services.traffic.requests

    @property
    def peak(self) -> int:
        """The most requests that were under way at once."""
        return self._services.traffic.peak

    @property
    def peaks(self) -> dict[str, int]:
        """Likewise by connector."""
        return dict(self._services.traffic.peaks)

    def clear_log(self) -> None:
        """Forget requests and peaks."""
        self._services.traffic.clear()

    @property
    def faults(self) -> list[Fault]:
        """What goes wrong; set it to begin a new plan."""
        return self._services.faults.faults

    @faults.setter
    def faults(self, faults: Iterable[Fault | Mapping[str, Any]]) -> None:
        self._services.plan(faults)

    @property
    def before_request(self) -> Callable[[Request], object] | None:
        """Called before each query on rows; may change them."""
        return self._services.before_request

    @before_request.setter
    def before_request(self, hook: Callable[[Request], object] | None) -> None:
        self._services.before_request = hook

    def expire_bearers(self) -> None:
        """End all bearer tokens given out so far."""
        self._services.access.expire_bearers()

    def _now(self) -> dt.datetime:
        return self._clock()

    def _rest(self, seconds: float) -> None:
        if seconds > 0:
            self._closing.wait(seconds)

    def _answer(self, asked: Asked) -> Answer:
        path = asked.path.lower()
        if path == _ROOT.lower() or path.startswith(_ROOT.lower() + "/"):
            return self._services.answer(asked)
        if path.startswith("/sandbox/"):
            return self._control.answer(asked)
        return write(NAMED["not_found"], language="en")

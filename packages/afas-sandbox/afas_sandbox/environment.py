"""An AFAS Profit environment to try and to test against."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Any, Self

from afas_sandbox.clock import Clock, amsterdam, to_utc
from afas_sandbox.control import Control
from afas_sandbox.editing import Editing
from afas_sandbox.options import Options
from afas_sandbox.random_changes import BackgroundChanges, RandomChanges
from afas_sandbox.refusals import NAMED, write
from afas_sandbox.server import Server
from afas_sandbox.services import Services
from afas_sandbox.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from afas_sandbox.exchange import Answer, Asked, Request
    from afas_sandbox.faults import Fault
    from afas_sandbox.model import Dataset

_ROOT = "/ProfitRestServices"


class Sandbox(Editing):
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
        self._background_changes: BackgroundChanges | None = None
        self._store = Store()
        self._begin(dataset)
        self._server = Server(host, port, self._answer, self._date)
        if changes_per_minute > 0:
            self._background_changes = BackgroundChanges(self._changes, changes_per_minute, seed)

    def _begin(self, dataset: Dataset) -> None:
        for table in dataset:
            self._store.add(table)
        self._changes = RandomChanges(self._store, self.options, self._now, self._seed)
        self._services = Services(self._store, self.options, self._now, self._seed, self._rest)
        self._services.meanwhile = self._changes.meanwhile
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
        if self._background_changes:
            self._background_changes.close()
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

    @property
    def within_request(self) -> Callable[[Request], object] | None:
        """Called between the pieces in which a page is read (`Options.pieces`); may change rows."""
        return self._services.within_request

    @within_request.setter
    def within_request(self, hook: Callable[[Request], object] | None) -> None:
        self._services.within_request = hook

    def expire_bearers(self) -> None:
        """End all bearer tokens given out so far."""
        self._services.access.expire_bearers()

    def _now(self) -> dt.datetime:
        return self._clock()

    def _date(self) -> dt.datetime | None:
        offset = self.options.date_offset
        return None if offset is None else to_utc(self._clock()) + dt.timedelta(seconds=offset)

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

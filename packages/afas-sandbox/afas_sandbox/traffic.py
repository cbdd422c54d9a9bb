"""The requests seen, and how many were under way at once."""

from __future__ import annotations

import collections
import contextlib
import itertools
import threading
import time
import urllib.parse
import uuid
from typing import TYPE_CHECKING

from afas_sandbox.exchange import Asked, Request
from afas_sandbox.query import parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox.clock import Clock

_HEADERS = ("Accept-Language", "IntegrationId", "User-Agent", "Accept", "Accept-Encoding", "Connection")
_ROOT = "/profitrestservices"


class Traffic:
    """The log of the requests on the REST services.

    Attributes:
        peak: The most requests that were under way at once.
        peaks: Likewise by connector.
    """

    def __init__(self, length: int, clock: Clock) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._requests: collections.deque[Request] = collections.deque(maxlen=length)
        self._numbers = itertools.count(1)
        self._now = 0
        self._now_by_connector: collections.Counter[str] = collections.Counter()
        self.peak = 0
        self.peaks: dict[str, int] = {}

    @property
    def requests(self) -> list[Request]:
        """The requests seen, oldest first."""
        with self._lock:
            return list(self._requests)

    def clear(self) -> None:
        """Forget the requests and the peaks."""
        with self._lock:
            self._requests.clear()
            self._numbers = itertools.count(1)
            self.peak = self._now
            self.peaks = {connector_id: number for connector_id, number in self._now_by_connector.items() if number}

    @contextlib.contextmanager
    def under_way(self, asked: Asked) -> Iterator[Request]:
        """Count a request as under way, and remember it."""
        kind, connector_id = _subject(asked.path)
        request = Request(
            number=next(self._numbers),
            method=asked.method,
            path=asked.path,
            query=asked.query,
            connector=connector_id,
            kind=kind,
            parameters=parameters(asked.query),
            headers={name: asked.headers[name.lower()] for name in _HEADERS if name.lower() in asked.headers},
            authorization=asked.headers.get("authorization", "").partition(" ")[0],
            started=self._clock(),
            trace=uuid.uuid4().hex,
        )
        began = time.monotonic()
        with self._lock:
            self._requests.append(request)
            self._now += 1
            request.in_flight = self._now
            self.peak = max(self.peak, self._now)
            if connector_id is not None and kind == "rows":
                self._now_by_connector[connector_id] += 1
                request.in_flight_connector = self._now_by_connector[connector_id]
                self.peaks[connector_id] = max(self.peaks.get(connector_id, 0), request.in_flight_connector)
        try:
            yield request
        finally:
            with self._lock:
                self._now -= 1
                if request.in_flight_connector:
                    self._now_by_connector[request.connector or ""] -= 1
            request.ended = self._clock()
            request.seconds = time.monotonic() - began


def _subject(path: str) -> tuple[str, str | None]:
    """What kind of request this is, and on which connector: the fixed parts in any case, the id as it is spelled."""
    parts = path[len(_ROOT) :].strip("/").split("/")
    match [part.lower() for part in parts]:
        case ["connectors", _]:
            return "rows", urllib.parse.unquote(parts[1])
        case ["metainfo", "get", _]:
            return "metainfo", urllib.parse.unquote(parts[2])
        case ["metainfo"]:
            return "metainfo", None
        case ["oauth", "token"]:
            return "token", None
        case ["profitversion"]:
            return "version", None
        case _:
            return "other", None

"""A request as it came in, the answer that goes out, and what is remembered of both."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in.

    Attributes:
        method: `GET` or `POST`.
        path: The path as sent, without the query string.
        query: The query string as sent, without the `?`.
        headers: The headers, by their names in lower case.
        body: The body.
        client: The address it came from.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    client: str

    @property
    def query_length(self) -> int:
        """How long the query string is, from the `?` on."""
        return len(self.query) + 1 if self.query else 0


@dataclasses.dataclass(slots=True)
class Answer:
    """An answer, or the way in which there is none.

    Attributes:
        status: HTTP status.
        body: The whole body, or its pieces.
        headers: Headers besides those every answer has.
        rows: How many rows it holds.
        skipped: How many rows the database passed over for it.
        sent: Which part of the body is really sent before the connection breaks, from 0 to 1.
        reset: The connection is reset and nothing is sent.
    """

    status: int = 200
    body: bytes | Iterator[bytes] = b""
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    rows: int = 0
    skipped: int = 0
    sent: float = 1.0
    reset: bool = False


@dataclasses.dataclass(slots=True)
class Request:
    """What the log remembers of a request.

    Attributes:
        number: 1 for the first since the log was cleared.
        method: HTTP method.
        path: Path as sent.
        query: Query string as sent, still encoded.
        connector: The GetConnector whose rows or metainfo were asked.
        kind: `rows`, `metainfo`, `token`, `version` or `other`.
        parameters: The decoded query string; names in lower case.
        headers: `Accept-Language`, `IntegrationId`, `User-Agent`, `Accept`, `Accept-Encoding` and `Connection` as sent.
        authorization: The scheme only: `AfasToken`, `Bearer`, `Basic` or nothing.
        started: Wall time of the sandbox' clock.
        ended: Likewise, when the answer was ready.
        seconds: How long that took.
        in_flight: How many requests were under way, this one included.
        in_flight_connector: How many of them on this connector.
        status: HTTP status; 0 when the connection was reset or nothing was answered yet.
        rows: How many rows the answer holds.
        size: Bytes in the body of the answer.
        fault: Whether a fault was at work.
        trace: The `X-Trace-Identifier` of the answer.
    """

    number: int
    method: str
    path: str
    query: str
    connector: str | None
    kind: str
    parameters: dict[str, str]
    headers: dict[str, str]
    authorization: str
    started: dt.datetime
    trace: str
    ended: dt.datetime | None = None
    seconds: float = 0.0
    in_flight: int = 1
    in_flight_connector: int = 0
    status: int = 0
    rows: int = 0
    size: int = 0
    fault: bool = False

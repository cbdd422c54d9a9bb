"""The client of the REST API: at most one request at a time per connector, and a set number of them in all.

Retries are for what may pass: a broken connection, 429, 502, 503, 504, and the 500 whose words tell of a
lock or of nothing. What is final is raised at once, and a page that was too much is raised too: the walk asks for a
smaller one.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime
import itertools
import logging
import re
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import backoff
import msgspec

from tap_afas.profit.errors import (
    ADDRESS,
    AnswerTooLargeError,
    CredentialsError,
    ProfitError,
    StoppedError,
    UnexpectedAnswerError,
    about,
)
from tap_afas.profit.metainfo import Connector, Environment, read_connector, read_environment
from tap_afas.profit.refusals import error_for_listed_connector, error_from_response
from tap_afas.profit.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_afas.profit.auth import Credentials
    from tap_afas.profit.query import Query
    from tap_afas.profit.transport import Response

logger = logging.getLogger("tap-afas.profit")

_TRIES = 5
_FIRST_PAUSE = 2.0
# AFAS gives up on a question after this long; until then it may still work on one whose connection has broken off.
_AFAS_TIMEOUT = 900.0
# AFAS sends at most 75 MB an answer (help.afas.nl); somewhat more is read, so that the limit is AFAS' and not the
# tap's.
LARGEST_ANSWER = 80_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer of AFAS, and what it took to get it.

    Attributes:
        body: The bytes, decompressed.
        date: AFAS' clock when it answered, if it said.
        retries: How many tries failed before.
        seconds: From the last try's beginning to its last byte.
    """

    body: bytes
    date: datetime.datetime | None
    retries: int
    seconds: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class RequestLimits:
    """How many requests at once, how long to wait, and how to connect.

    Attributes:
        max_parallel_requests: Requests at once, over all connectors.
        request_timeout: Seconds to wait for an answer.
        max_retry_wait: The longest wait in seconds that AFAS may ask for.
        certificate: The files of a client certificate and its key, if there is one.
    """

    max_parallel_requests: int = 4
    request_timeout: float = 930.0
    max_retry_wait: float = 600.0
    certificate: tuple[str, str] | None = None


def retry_pauses() -> Iterator[float]:
    """Seconds before the second try, the third, …: twice as long each, and up to a second more, at random."""
    doubling = backoff.expo(factor=_FIRST_PAUSE)
    next(doubling)  # The first value is for `backoff`'s decorators.
    return map(backoff.random_jitter, itertools.islice(doubling, _TRIES - 1))


class ProfitClient:
    """The REST API of one AFAS environment, read only. Safe to use from several threads.

    Args:
        base_url: Up to and including `ProfitRestServices`.
        credentials: Make the `Authorization` header.
        limits: Parallel requests, time-out and longest wait.
        headers: Sent with each request.
        address: The setting that `base_url` comes from.

    Attributes:
        request_counts: How many requests were sent, by connector id; those that concern none under "".
        asked_for_rows: Whether a question for rows was sent.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        limits: RequestLimits,
        headers: Mapping[str, str] | None = None,
        address: str = "",
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.limits = limits
        self.request_counts: collections.Counter[str] = collections.Counter()
        self.asked_for_rows = False
        self._credentials = credentials
        self._address = address
        self._slots = threading.BoundedSemaphore(limits.max_parallel_requests)
        self._connector_locks: dict[str, threading.Lock] = {}
        self._listed: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._transport = Transport(
            timeout=limits.request_timeout,
            largest=LARGEST_ANSWER,
            connections=limits.max_parallel_requests,
            headers=headers,
            certificate=limits.certificate,
        )

    def environment(self) -> tuple[Environment, datetime.datetime | None]:
        """The environment as `/metainfo` describes it, and AFAS' `Date`.

        Raises:
            ProfitError: AFAS refused, or could not be reached.
        """
        answer = self._ask("metainfo", "", pages=False)
        environment = read_environment(_content(answer.body))
        self._listed = frozenset(environment.connectors)
        return environment, answer.date

    def connector(self, connector_id: str) -> Connector:
        """The fields of a GetConnector.

        Raises:
            ProfitError: AFAS refused, or could not be reached.
            StoppedError: `stop` was called.
        """
        answer = self._description(connector_id)
        connector = read_connector(connector_id, _content(answer.body))
        return dataclasses.replace(connector, described_at=answer.date)

    def description(self, connector_id: str) -> Any:
        """What AFAS says of a GetConnector, as it says it; whatever goes wrong is raised at once.

        Raises:
            ProfitError: AFAS refused, or could not be reached.
            StoppedError: `stop` was called.
        """
        return _content(self._description(connector_id, patient=False).body)

    def _description(self, connector_id: str, *, patient: bool = True) -> Answer:
        return self._ask(f"metainfo/get/{quote(connector_id, safe='')}", connector_id, pages=False, patient=patient)

    def rows(self, connector_id: str, query: Query, *, once: bool = False, patient: bool = True) -> Answer:
        """One page of a GetConnector's rows, undecoded.

        Args:
            connector_id: The connector.
            query: The page.
            once: Don't ask again what was too much for AFAS.
            patient: Ask again what may pass; otherwise whatever goes wrong is raised.

        Raises:
            ProfitError: AFAS didn't answer; with `retry_smaller`, a smaller page may do.
            StoppedError: `stop` was called.
        """
        path = f"connectors/{quote(connector_id, safe='')}{query.encode()}"
        try:
            return self._ask(path, connector_id, pages=True, once=once, patient=patient)
        except AnswerTooLargeError as error:
            if not error.beginning:
                raise
            told = dataclasses.replace(error, beginning=b"", rows_fit=rows_in(error.beginning, query))
        # Outside: what had come is no longer held by the exception that this one would come from.
        raise told

    def stop(self) -> None:
        """End all waiting: requests that are waiting for their turn or for a retry raise."""
        self._stopped.set()
        self._transport.close()

    def _ask(self, path: str, connector_id: str, *, pages: bool, once: bool = False, patient: bool = True) -> Answer:
        url = f"{self.base_url}/{path}"
        with self._turn(connector_id):
            try:
                return self._send_with_retries(url, connector_id, pages=pages, once=once, patient=patient)
            except ProfitError as error:
                told = error_for_listed_connector(error) if connector_id in self._listed else None
                told = about(told or error, self._address)
                if told is error:
                    raise
                raise told from error

    @contextlib.contextmanager
    def _turn(self, connector_id: str) -> Iterator[None]:
        with self._lock:
            own = self._connector_locks.setdefault(connector_id, threading.Lock())
        with own, self._slots:
            if self._stopped.is_set():
                raise StoppedError
            yield

    def _send_with_retries(self, url: str, connector_id: str, *, pages: bool, once: bool, patient: bool) -> Answer:
        # `backoff`'s own loop sleeps with `time.sleep`, which no signal ends; this one waits for `stop` too.
        pauses = retry_pauses()
        retries = 0
        renewed = False
        while True:
            header = ""
            began = time.monotonic()
            try:
                header = self._credentials.header()
                self.asked_for_rows |= pages
                response = self._get(url, header, connector_id)
                return Answer(response.body, response.date, retries, time.monotonic() - began)
            except CredentialsError as error:
                refused = error.status == HTTPStatus.UNAUTHORIZED and header and not renewed
                if not refused or not self._credentials.renew(header):
                    raise
                renewed = True
            except ProfitError as error:
                if not patient:
                    raise
                if error.still_busy:
                    self._wait_for_server(error, connector_id, time.monotonic() - began)
                # A page can be asked smaller, a description can't.
                if (once and error.retry_smaller) or (not error.retry and (pages or not error.retry_smaller)):
                    raise
                asked = self._requested_wait(error)
                pause = next(pauses, None)
                retries += 1
                if pause is None:
                    raise dataclasses.replace(error, sentence=f"{error.sentence} Tried {retries} times.") from error
                pause = max(pause, asked)
                logger.warning("%s: %s Trying again in %.0f s.", connector_id or "metainfo", error, pause)
                self._sleep(pause)

    def _requested_wait(self, error: ProfitError) -> float:
        """Seconds that AFAS asks to wait; raises the error where they are more than allowed."""
        asked = error.retry_after or 0.0
        if asked > self.limits.max_retry_wait:
            until = datetime.datetime.now().astimezone() + datetime.timedelta(seconds=asked)
            advice = (
                f"AFAS asks to come back after {until:%Y-%m-%d %H:%M %Z}, which is later than `max_retry_wait` "
                f"({self.limits.max_retry_wait:.0f} s) allows: run again then."
            )
            raise dataclasses.replace(error, advice=advice) from error
        return asked

    def _wait_for_server(self, error: ProfitError, connector_id: str, passed: float) -> None:
        """Wait until AFAS has ended a question whose connection broke off: asking at once would double its load."""
        pause = min(max(_AFAS_TIMEOUT - passed, _FIRST_PAUSE), self.limits.max_retry_wait)
        logger.warning(
            "%s: %s Waiting %.0f s, since AFAS may still be busy with the question.",
            connector_id or "metainfo",
            error,
            pause,
        )
        self._sleep(pause)

    def _sleep(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise StoppedError

    def _get(self, url: str, authorization: str, connector_id: str) -> Response:
        with self._lock:
            self.request_counts[connector_id] += 1
        response = self._transport.exchange("GET", url, authorization)
        if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
            elsewhere = _host(response.headers.get("Location", "")) or "another address"
            raise UnexpectedAnswerError(
                f"{urlsplit(url).netloc} redirects to {elsewhere[:100]}; the tap sends its credentials to no other"
                " host.",
                f"Check {ADDRESS}.",
            )
        if response.status != HTTPStatus.OK:
            raise error_from_response(response.status, response.headers, response.body)
        return response


def rows_in(beginning: bytes, query: Query) -> int | None:
    """How many whole rows the beginning of an answer holds; None where nothing tells."""
    if not query.order:
        return None
    # In a text, its quotes have a backslash before them.
    name = re.escape(msgspec.json.encode(query.order[0].removeprefix("-")))
    begun = sum(1 for _ in re.finditer(name + rb"\s*:", beginning))
    return begun - 1 if begun else None


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _content(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise UnexpectedAnswerError(
            "The answer is not JSON.", f"Check that {ADDRESS} leads to the root of an AFAS environment."
        ) from None

"""Asks AFAS, gently: never two requests at once on one connector, never more than the set number in all.

Retries are for what may pass (design 6): a broken connection, 429, 502, 503, 504, and the 500 whose words tell of a lock or of nothing. What
is final is raised at once, and a page that was too much is raised too: the walk asks for a smaller one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import email.utils
import logging
import random
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
import requests
import requests.adapters

from tap_afas.profit.errors import (
    CredentialsError,
    NotUnderstoodError,
    ProfitError,
    TimeOutError,
    TooMuchError,
    UnreachableError,
    refuse,
)
from tap_afas.profit.metainfo import Connector, Environment, read_connector, read_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_afas.profit.auth import Credentials
    from tap_afas.profit.query import Query

logger = logging.getLogger("tap-afas.profit")

_TRIES = 5
_CONNECT_TIMEOUT = 30.0
# AFAS gives up on a question after this long; until then it may be busy with one that nobody waits for any more.
_AFAS_TIMEOUT = 900.0
# AFAS sends at most 75 MB an answer (help.afas.nl); somewhat more is read, so that the limit is AFAS' and not the tap's.
_LARGEST_ANSWER = 80_000_000
_CHUNK = 1 << 20
_OK = 200
_REDIRECTS = range(300, 400)


class StoppedError(Exception):
    """The run was stopped while a request was waiting."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What AFAS answered.

    Attributes:
        body: The bytes, decompressed.
        date: AFAS' clock when it answered, if it said.
        seconds: How long it took, retries and waits included.
        retries: How many tries failed before.
    """

    body: bytes
    date: datetime.datetime | None
    seconds: float
    retries: int


@dataclasses.dataclass(frozen=True, slots=True)
class Manners:
    """How AFAS is asked.

    Attributes:
        max_parallel_requests: At once, over all connectors.
        request_timeout: Seconds to wait for an answer.
        max_retry_wait: The longest wait in seconds that AFAS may ask for.
        retry_pause: Seconds before the second try; doubles with each.
        headers: Sent with each request.
    """

    max_parallel_requests: int = 4
    request_timeout: float = 930.0
    max_retry_wait: float = 600.0
    retry_pause: float = 2.0
    headers: dict[str, str] = dataclasses.field(default_factory=dict)


class ProfitClient:
    """The REST API of one AFAS environment, read only. Safe to use from several threads.

    Args:
        base_url: Up to and including `ProfitRestServices`.
        credentials: Who asks.
        manners: How.
    """

    def __init__(self, base_url: str, credentials: Credentials, manners: Manners) -> None:
        self.base_url = base_url.rstrip("/")
        self.manners = manners
        self.requests = 0
        self._credentials = credentials
        self._slots = threading.BoundedSemaphore(manners.max_parallel_requests)
        self._connector_locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._threads = threading.local()
        self._stopped = threading.Event()

    def environment(self) -> tuple[Environment, datetime.datetime | None]:
        """What the token may read, and AFAS' clock.

        Raises:
            ProfitError: AFAS didn't tell.
        """
        answer = self._ask("metainfo", "")
        return read_environment(_content(answer.body)), answer.date

    def connector(self, connector_id: str) -> Connector:
        """The fields of a GetConnector.

        Raises:
            ProfitError: AFAS didn't tell.
        """
        answer = self._ask(f"metainfo/get/{quote(connector_id, safe='')}", connector_id)
        return read_connector(connector_id, _content(answer.body))

    def rows(self, connector_id: str, query: Query) -> Answer:
        """A page of rows of a GetConnector, as AFAS wrote it.

        Raises:
            ProfitError: AFAS didn't answer.
            StoppedError: `stop` was called.
        """
        return self._ask(f"connectors/{quote(connector_id, safe='')}{query.encode()}", connector_id)

    def stop(self) -> None:
        """End all waiting: requests that are waiting for their turn or for a retry raise."""
        self._stopped.set()

    def _ask(self, path: str, connector_id: str) -> Answer:
        with self._turn(connector_id):
            return self._try_often(f"{self.base_url}/{path}", connector_id)

    @contextlib.contextmanager
    def _turn(self, connector_id: str) -> Iterator[None]:
        with self._lock:
            own = self._connector_locks.setdefault(connector_id, threading.Lock())
        with own, self._slots:
            if self._stopped.is_set():
                raise StoppedError
            yield

    def _try_often(self, url: str, connector_id: str) -> Answer:
        start = time.monotonic()
        renewed = False
        retries = 0
        while True:
            header = ""
            try:
                header = self._credentials.header()
                body, date = self._get(url, header)
                return Answer(body, date, time.monotonic() - start, retries)
            except CredentialsError as error:
                if (
                    error.status != requests.codes.unauthorized
                    or not header
                    or renewed
                    or not self._credentials.renew(header)
                ):
                    raise
                renewed = True
            except ProfitError as error:
                if error.still_busy:
                    self._wait_out(error, connector_id)
                if not error.retry:
                    raise
                retries += 1
                pause = self._pause(error, retries)
                logger.warning("%s: %s Trying again in %.0f s.", connector_id or "metainfo", error, pause)
                self._sleep(pause)

    def _pause(self, error: ProfitError, tries: int) -> float:
        """Seconds to wait before the next try; raises the error when there is none."""
        asked = error.retry_after
        if asked is not None and asked > self.manners.max_retry_wait:
            until = datetime.datetime.now().astimezone() + datetime.timedelta(seconds=asked)
            error.advice = (
                f"AFAS asks to come back after {until:%Y-%m-%d %H:%M %Z}, which is later than `max_retry_wait` "
                f"({self.manners.max_retry_wait:.0f} s) allows: run again then."
            )
            raise error
        if tries >= _TRIES:
            error.sentence += f" Tried {tries} times."
            raise error
        grown = self.manners.retry_pause * 2 ** (tries - 1) * random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries
        return max(asked or 0.0, grown)

    def _wait_out(self, error: ProfitError, connector_id: str) -> None:
        """Give AFAS the time to end a question that nobody waits for any more; asking again at once would double its load."""
        pause = min(
            max(_AFAS_TIMEOUT - self.manners.request_timeout, self.manners.retry_pause), self.manners.max_retry_wait
        )
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

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._threads, "session", None)
        if session is None:
            session = requests.Session()
            session.headers.update({"Accept": "application/json", **self.manners.headers})
            self._threads.session = session
        return session

    def _get(self, url: str, authorization: str) -> tuple[bytes, datetime.datetime | None]:
        with self._lock:
            self.requests += 1

        def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers["Authorization"] = authorization
            return request

        try:
            with self._session().get(
                url,
                auth=sign,
                timeout=(min(_CONNECT_TIMEOUT, self.manners.request_timeout), self.manners.request_timeout),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = self._read(response)
                status, headers = response.status_code, response.headers
        except requests.exceptions.ConnectTimeout as error:
            raise UnreachableError(
                f"{_host(url)} doesn't answer.", "Check the network and `environment_id` or `base_url`."
            ) from error
        except requests.exceptions.Timeout as error:
            raise self._timed_out() from error
        except requests.exceptions.SSLError as error:
            failed = UnreachableError(
                f"No trusted connection to {_host(url)}: its certificate isn't accepted.",
                "Check `base_url`, and the certificates of a proxy in between (REQUESTS_CA_BUNDLE).",
            )
            failed.retry = False
            raise failed from error
        except requests.exceptions.ConnectionError as error:
            if "Read timed out" in str(error):
                raise self._timed_out() from error
            raise UnreachableError(
                f"The connection to {_host(url)} failed or broke off.",
                "Check the network and `environment_id` or `base_url`.",
            ) from error
        except requests.RequestException as error:
            raise UnreachableError(
                f"The answer of {_host(url)} broke off or can't be read ({type(error).__name__})."
            ) from error
        if status in _REDIRECTS:
            raise NotUnderstoodError(
                f"{_host(url)} redirects to {_host(headers.get('Location', '')) or 'another address'}; the tap sends its credentials to no"
                " other host.",
                "Check `base_url`.",
            )
        if status != _OK:
            raise refuse(status, headers, body)
        return body, _date(headers.get("Date", ""))

    def _read(self, response: requests.Response) -> bytes:
        deadline = time.monotonic() + self.manners.request_timeout
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_content(_CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > _LARGEST_ANSWER:
                raise TooMuchError(
                    "The answer is larger than AFAS sends (75 MB).", "Set a smaller `page_size` for this connector."
                )
            if time.monotonic() > deadline:
                raise self._timed_out()
        return b"".join(chunks)

    def _timed_out(self) -> TimeOutError:
        error = TimeOutError(
            f"No whole answer within {self.manners.request_timeout:.0f} seconds (`request_timeout`).",
            "Set a smaller `page_size` for this connector, or make it lighter in AFAS: fewer joins and calculated fields.",
        )
        error.still_busy = True
        return error


def _content(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise NotUnderstoodError(
            "The answer is not JSON.", "Check that `base_url` is the root of an AFAS environment."
        ) from None


def _host(url: str) -> str:
    return url.split("/")[2] if url.count("/") > 1 else ""


def _date(text: str) -> datetime.datetime | None:
    try:
        date = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return date if date.tzinfo else None

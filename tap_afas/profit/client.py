"""Asks AFAS, gently: never two requests at once on one connector, never more than the set number in all.

Retries are for what may pass: a broken connection, 429, 502, 503, 504, and the 500 whose words tell of a
lock or of nothing. What is final is raised at once, and a page that was too much is raised too: the walk asks for a
smaller one.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime
import email.utils
import io
import logging
import random
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import msgspec
import requests
import requests.adapters
import urllib3.exceptions

from tap_afas.profit.errors import (
    CredentialsError,
    NotAllowedError,
    NotUnderstoodError,
    ProfitError,
    StoppedError,
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
# On DEBUG it writes the URL of each request, and the bounds of a walk by key are in it: somebody's data.
logging.getLogger("urllib3").setLevel(logging.INFO)

_TRIES = 5
_CONNECT_TIMEOUT = 30.0
# AFAS gives up on a question after this long; until then it may be busy with one that nobody waits for any more.
_AFAS_TIMEOUT = 900.0
# A connection that breaks off after this long has left AFAS with a question that is at work.
_LONG = 30.0
# AFAS sends at most 75 MB an answer (help.afas.nl); somewhat more is read, so that the limit is AFAS' and not the
# tap's. Of a refusal the beginning is enough.
_LARGEST_ANSWER = 80_000_000
_LARGEST_REFUSAL = 100_000
_CHUNK = 1 << 18
_OK = 200
_REDIRECTS = range(300, 400)
_CHECK_ADDRESS = "Check the network and `environment_id` or `base_url`."
_LIGHTER = (
    "Set a smaller `page_size` for this connector, or make it lighter in AFAS: fewer joins and calculated fields."
)


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What AFAS answered.

    Attributes:
        body: The bytes, decompressed.
        date: AFAS' clock when it answered, if it said.
        retries: How many tries failed before.
    """

    body: bytes
    date: datetime.datetime | None
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

    Attributes:
        asked: How many requests were sent, by connector id; those that concern none under "".
    """

    def __init__(self, base_url: str, credentials: Credentials, manners: Manners) -> None:
        self.base_url = base_url.rstrip("/")
        self.manners = manners
        self.asked: collections.Counter[str] = collections.Counter()
        self._host = urlsplit(self.base_url).netloc
        self._credentials = credentials
        self._slots = threading.BoundedSemaphore(manners.max_parallel_requests)
        self._connector_locks: dict[str, threading.Lock] = {}
        self._listed: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", **manners.headers})
        pool = requests.adapters.HTTPAdapter(pool_maxsize=manners.max_parallel_requests)
        self._session.mount(f"{urlsplit(self.base_url).scheme}://", pool)

    def environment(self) -> tuple[Environment, datetime.datetime | None]:
        """What the token may read, and AFAS' clock.

        Raises:
            ProfitError: AFAS didn't tell.
        """
        answer = self._ask("metainfo", "", pages=False)
        environment = read_environment(_content(answer.body))
        self._listed = frozenset(environment.connectors)
        return environment, answer.date

    def connector(self, connector_id: str) -> Connector:
        """The fields of a GetConnector.

        Raises:
            ProfitError: AFAS didn't tell.
            StoppedError: `stop` was called.
        """
        answer = self._ask(f"metainfo/get/{quote(connector_id, safe='')}", connector_id, pages=False)
        return read_connector(connector_id, _content(answer.body))

    def rows(self, connector_id: str, query: Query) -> Answer:
        """A page of rows of a GetConnector, as AFAS wrote it.

        Raises:
            ProfitError: AFAS didn't answer; with `smaller`, a smaller page may do.
            StoppedError: `stop` was called.
        """
        return self._ask(f"connectors/{quote(connector_id, safe='')}{query.encode()}", connector_id, pages=True)

    def stop(self) -> None:
        """End all waiting: requests that are waiting for their turn or for a retry raise."""
        self._stopped.set()
        self._session.close()

    def _ask(self, path: str, connector_id: str, *, pages: bool) -> Answer:
        with self._turn(connector_id):
            try:
                return self._try_often(f"{self.base_url}/{path}", connector_id, pages=pages)
            except (NotAllowedError, CredentialsError) as error:
                if connector_id in self._listed:
                    _explain_listed(error)
                raise

    @contextlib.contextmanager
    def _turn(self, connector_id: str) -> Iterator[None]:
        with self._lock:
            own = self._connector_locks.setdefault(connector_id, threading.Lock())
        with own, self._slots:
            if self._stopped.is_set():
                raise StoppedError
            yield

    def _try_often(self, url: str, connector_id: str, *, pages: bool) -> Answer:
        renewed = False
        retries = 0
        while True:
            header = ""
            began = time.monotonic()
            try:
                header = self._credentials.header()
                body, date = self._get(url, header, connector_id)
                return Answer(body, date, retries)
            except CredentialsError as error:
                refused = error.status == requests.codes.unauthorized and header and not renewed
                if not refused or not self._credentials.renew(header):
                    raise
                renewed = True
            except ProfitError as error:
                passed = time.monotonic() - began
                if error.still_busy or (isinstance(error, UnreachableError) and passed > _LONG):
                    self._wait_out(error, connector_id, passed)
                # A page can be asked smaller, a description can't.
                if not error.retry and (pages or not error.smaller):
                    raise
                retries += 1
                pause = self._pause(error, retries)
                logger.warning("%s: %s Trying again in %.0f s.", connector_id or "metainfo", error, pause)
                self._sleep(pause)

    def _pause(self, error: ProfitError, tries: int) -> float:
        """Seconds to wait before the next try; raises the error when there is none."""
        asked = error.retry_after or 0.0
        if asked > self.manners.max_retry_wait:
            until = datetime.datetime.now().astimezone() + datetime.timedelta(seconds=asked)
            error.advice = (
                f"AFAS asks to come back after {until:%Y-%m-%d %H:%M %Z}, which is later than `max_retry_wait` "
                f"({self.manners.max_retry_wait:.0f} s) allows: run again then."
            )
            raise error
        if tries >= _TRIES:
            error.sentence += f" Tried {tries} times."
            raise error
        spread = random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, guards nothing
        return max(asked, self.manners.retry_pause * float(2 ** (tries - 1)) * spread)

    def _wait_out(self, error: ProfitError, connector_id: str, passed: float) -> None:
        """Give AFAS the time to end a question that nobody waits for any more: asking at once would double its load."""
        pause = min(max(_AFAS_TIMEOUT - passed, self.manners.retry_pause), self.manners.max_retry_wait)
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

    def _get(self, url: str, authorization: str, connector_id: str) -> tuple[bytes, datetime.datetime | None]:
        with self._lock:
            self.asked[connector_id] += 1

        def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers["Authorization"] = authorization
            return request

        with (
            self._explained(),
            self._session.get(
                url,
                auth=sign,
                timeout=(min(_CONNECT_TIMEOUT, self.manners.request_timeout), self.manners.request_timeout),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            body = self._read(response)
            status, headers = response.status_code, response.headers
        if status in _REDIRECTS:
            elsewhere = urlsplit(headers.get("Location", "")).hostname or "another address"
            raise NotUnderstoodError(
                f"{self._host} redirects to {elsewhere[:100]}; the tap sends its credentials to no other host.",
                "Check `base_url`.",
            )
        if status != _OK:
            raise refuse(status, headers, body)
        return body, _date(headers.get("Date", ""))

    def _read(self, response: requests.Response) -> bytes:
        """The body, whatever its length, within the time; of a refusal no more than its beginning."""
        deadline = time.monotonic() + self.manners.request_timeout
        body = io.BytesIO()
        # `read1` hands over what has come: `read` would wait for a whole chunk from a server that sends drop by drop.
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body.write(chunk)
            if response.status_code != _OK and body.tell() > _LARGEST_REFUSAL:
                break
            if body.tell() > _LARGEST_ANSWER:
                raise TooMuchError(
                    "The answer is larger than AFAS sends (75 MB).", "Set a smaller `page_size` for this connector."
                )
            if time.monotonic() > deadline:
                raise self._timed_out()
        return body.getvalue()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what the network raises into sentences; what lies below can hold URLs, and so values of rows."""
        try:
            yield
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            explained = self._explain(error)
        else:
            return
        raise explained

    def _explain(self, error: Exception) -> ProfitError:
        causes = _causes(error)
        if causes & {"InvalidURL", "LocationParseError"}:
            wrong = UnreachableError(f"{self._host} can't be the name of a host.", _CHECK_ADDRESS)
            wrong.retry = False
            return wrong
        if causes & {"ConnectTimeout", "ConnectTimeoutError", "NewConnectionError", "NameResolutionError"}:
            how = "is not a known host" if "NameResolutionError" in causes else "doesn't answer"
            return UnreachableError(f"{self._host} {how}.", _CHECK_ADDRESS)
        if causes & {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
            return self._timed_out()
        if "SSLCertVerificationError" in causes:
            untrusted = UnreachableError(
                f"No trusted connection to {self._host}: its certificate isn't accepted.",
                "Check `base_url`, and the certificates of a proxy in between (REQUESTS_CA_BUNDLE).",
            )
            untrusted.retry = False
            return untrusted
        return UnreachableError(
            f"The connection to {self._host} failed or broke off ({type(error).__name__}).", _CHECK_ADDRESS
        )

    def _timed_out(self) -> TimeOutError:
        error = TimeOutError(
            f"No whole answer within {self.manners.request_timeout:.0f} seconds (`request_timeout`).", _LIGHTER
        )
        error.still_busy = True
        return error


def _explain_listed(error: ProfitError) -> None:
    """Say more of a refusal of a connector that is in the app connector."""
    if isinstance(error, NotAllowedError):
        error.sentence = "The app connector has this GetConnector, but its user has no rights to it (any more)."
        error.advice = "Have the user of the app connector authorised for the GetConnector in AFAS."
    elif error.status == requests.codes.unauthorized:
        error.sentence = "AFAS took the credentials at first, and doesn't take them for this GetConnector."
        error.advice = (
            "Check that the token has not ended meanwhile, and that the user of the app connector is authorised for the"
            " GetConnector in AFAS."
        )


def _causes(error: BaseException) -> set[str]:
    """The names of the exceptions that an exception came from, and of those it wraps."""
    found: set[str] = set()
    left: list[BaseException] = [error]
    while left and len(found) < 50:  # noqa: PLR2004 - chains are short; a ring in one must not hang
        one = left.pop()
        found.add(type(one).__name__)
        wrapped = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        left.extend(
            other for other in wrapped if isinstance(other, BaseException) and type(other).__name__ not in found
        )
    return found


def _content(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise NotUnderstoodError(
            "The answer is not JSON.", "Check that `base_url` is the root of an AFAS environment."
        ) from None


def _date(text: str) -> datetime.datetime | None:
    try:
        date = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else None

"""Sends one HTTP request: with a time limit, a size limit, and no redirects."""

from __future__ import annotations

import codecs
import dataclasses
import email.utils
import http.client
import io
import ipaddress
import logging
import ssl
import sys
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

import requests
from requests.exceptions import ConnectTimeout, InvalidProxyURL, InvalidURL, ReadTimeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)

from tap_afas.profit.deadline import Adapter, Deadline
from tap_afas.profit.errors import ADDRESS, AnswerTooLargeError, ProfitError, TimeOutError, UnreachableError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator, Mapping

# It writes URLs, on WARNING those whose answer has a malformed header: the bounds of a walk by key are in them,
# somebody's data.
logging.getLogger("urllib3").setLevel(logging.ERROR)

_CONNECT_TIMEOUT = 30.0
# No clock counts further than some centuries.
_LONGEST_TIMEOUT = 366 * 86400.0
# A connection that breaks off after this long has left AFAS with a question that is at work.
_LONG = 30.0
# Of a refusal the beginning is enough.
_LARGEST_REFUSAL = 100_000
_CHUNK = 1 << 18
CHECK_ADDRESS = f"Check the network and {ADDRESS}."
_LIGHTER = (
    "Set a smaller `page_size` for this connector, or make it lighter in AFAS: fewer joins and calculated fields."
)

_Kinds: TypeAlias = tuple[type[Exception], ...]
_CAUSES: tuple[tuple[_Kinds, str, str, bool], ...] = (
    ((InvalidProxyURL,), "The address of the proxy before {host} is malformed.", "Check HTTPS_PROXY.", False),
    ((InvalidURL, LocationParseError, UnicodeError), "{host} can't be the name of a host.", CHECK_ADDRESS, False),
    ((NameResolutionError,), "{host} is not a known host.", CHECK_ADDRESS, True),
    ((ConnectTimeout, ConnectTimeoutError, NewConnectionError), "{host} doesn't answer.", CHECK_ADDRESS, True),
    (
        (ssl.SSLCertVerificationError,),
        "No trusted connection to {host}: its certificate isn't accepted.",
        f"Check {ADDRESS}, and the certificates of a proxy in between (REQUESTS_CA_BUNDLE).",
        False,
    ),
)
"""Why no question reached AFAS: what is in the chain of an exception, the sentence, the advice, whether it may pass."""
# As OpenSSL calls what the other side says; older versions of TLS have no words of their own for it.
_ASKS_FOR_CERTIFICATE = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "SSLV3_ALERT_BAD_CERTIFICATE",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "SSLV3_ALERT_CERTIFICATE_REVOKED",
    "TLSV1_ALERT_UNKNOWN_CA",
    "TLSV1_ALERT_ACCESS_DENIED",
}
_TIMED_OUT: _Kinds = (ReadTimeout, ReadTimeoutError, TimeoutError)


# In place of what the environment says.
_NO_PROXIES = dict.fromkeys(("http", "https", "all"), "")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, to which nothing goes through a proxy."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class _Session(requests.Session):
    """It doesn't look for where a redirect leads: to do so, it would read all of its body."""

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: no redirect is followed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Response:
    """What came back, whatever its status; a redirect is never followed.

    Attributes:
        status: Of HTTP.
        headers: Their names in any case.
        body: The bytes, decompressed; where the status is not 200, no more than their beginning.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def date(self) -> datetime.datetime | None:
        """The server's clock when it answered, if it said."""
        try:
            date = email.utils.parsedate_to_datetime(self.headers.get("Date", ""))
        except (ValueError, TypeError, OverflowError):
            return None
        return date if date.tzinfo else None


class Transport:
    """Exchanges over one pool of connections. Safe to use from several threads.

    Args:
        timeout: Seconds that an exchange may take, from its beginning to the last byte.
        largest: Bytes of an answer, decompressed, that are still taken.
        connections: Kept open at once.
        headers: Sent with each request.
        certificate: The files of a client certificate and its key, if there is one.
    """

    def __init__(
        self,
        *,
        timeout: float,
        largest: int,
        connections: int = 1,
        headers: Mapping[str, str] | None = None,
        certificate: tuple[str, str] | None = None,
    ) -> None:
        self._timeout = min(timeout, _LONGEST_TIMEOUT)
        self._largest = largest
        self._session = _Session()
        self._session.cert = certificate
        self._session.headers.update({"Accept": "application/json", **(headers or {})})
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, Adapter(pool_maxsize=connections))

    def close(self) -> None:
        """Close the connections that no request is using."""
        self._session.close()

    def exchange(
        self, method: str, url: str, authorization: str = "", form: Mapping[str, str] | None = None
    ) -> Response:
        """Send a request and read its answer.

        Args:
            method: `GET` or `POST`.
            url: The whole address.
            authorization: The header of that name; a .netrc adds none.
            form: The body's fields.

        Raises:
            UnreachableError: No answer came, or it broke off.
            TimeOutError: It took longer than the time-out.
            AnswerTooLargeError: It is larger than what is taken.
        """

        def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
            if authorization:
                request.headers["Authorization"] = authorization
            return request

        began = time.monotonic()
        explained: ProfitError
        deadline = Deadline(self._timeout)
        try:
            with (
                deadline,
                self._session.request(
                    method,
                    url,
                    data=form,
                    auth=sign,
                    timeout=(min(_CONNECT_TIMEOUT, self._timeout), self._timeout),
                    allow_redirects=False,
                    stream=True,
                    proxies={**_NO_PROXIES} if is_loopback(urlsplit(url).hostname or "") else None,
                ) as response,
            ):
                answer = Response(response.status_code, response.headers, self._read(response))
            # An answer that has no length ends wherever the connection does.
            if not deadline.passed:
                return answer
            explained = self._timed_out()
        except (requests.RequestException, HTTPError, OSError, UnicodeError, http.client.HTTPException) as error:
            passed = time.monotonic() - began
            explained = self._timed_out() if deadline.passed else self._explain(error, urlsplit(url).netloc, passed)
        # Outside, without the cause: its text can hold the URL or the form, and so values of rows or the secret.
        raise explained

    def _read(self, response: requests.Response) -> bytes:
        body = io.BytesIO()
        # `read1` hands over what has come: `read` would wait for a whole chunk from a server that sends drop by drop.
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body.write(chunk)
            if response.status_code != HTTPStatus.OK and body.tell() > _LARGEST_REFUSAL:
                break
            if body.tell() > self._largest:
                raise AnswerTooLargeError(
                    "The answer is larger than AFAS sends (75 MB).",
                    "Set a smaller `page_size` for this connector.",
                    beginning=body.getvalue(),
                )
        return body.getvalue().removeprefix(codecs.BOM_UTF8)

    def _explain(self, error: Exception, host: str, passed: float) -> ProfitError:
        causes = list(_causes(error))
        if any(
            _ASKS_FOR_CERTIFICATE & {getattr(cause, "reason", None)}
            for cause in causes
            if isinstance(cause, ssl.SSLError)
        ):
            return self._no_certificate(host)
        for kinds, sentence, advice, retry in _CAUSES:
            if any(isinstance(cause, kinds) for cause in causes):
                return UnreachableError(sentence.format(host=host), advice, retry=retry)
        if any(isinstance(cause, _TIMED_OUT) for cause in causes):
            return self._timed_out()
        how = f"failed or broke off ({type(error).__name__})"
        return UnreachableError(f"The connection to {host} {how}.", CHECK_ADDRESS, still_busy=passed > _LONG)

    def _no_certificate(self, host: str) -> UnreachableError:
        if self._session.cert:
            return UnreachableError(
                f"{host} doesn't accept the client certificate.",
                "Check that the certificate in `client_certificate` is the one that AFAS knows, and hasn't expired.",
                retry=False,
            )
        return UnreachableError(
            f"{host} asks for a client certificate (mTLS), or breaks off TLS for another reason of its own.",
            "Set `client_certificate`, and `client_certificate_key` where its key has a file of its own.",
            retry=False,
        )

    def _timed_out(self) -> TimeOutError:
        return TimeOutError(
            f"No whole answer within {self._timeout:.0f} seconds (`request_timeout`).", _LIGHTER, still_busy=True
        )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, those it came from, and those it wraps."""
    left = [error]
    seen: set[int] = set()
    while left:
        one = left.pop()
        # A chain can be a ring.
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            wrapped = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
            left += [other for other in wrapped if isinstance(other, BaseException)]

"""The `Authorization` header: a classic token, or a bearer token for OAuth client credentials.

Source: docs.afas.help, "Authentication". Classic tokens stop on 31 August 2027.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote_plus

import msgspec

from tap_afas.known_secrets import SECRETS, SHORTEST_NAME
from tap_afas.profit.errors import (
    ADDRESS,
    AnswerTooLargeError,
    BusyError,
    CredentialsError,
    ProfitError,
    TimeOutError,
    UnexpectedAnswerError,
    UnreachableError,
)
from tap_afas.profit.refusals import DPOP, error_from_response
from tap_afas.profit.transport import CHECK_ADDRESS, Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_afas.profit.transport import Response

_FRAME = "<token><version>1</version><data>{}</data></token>"
_WHOLE = re.compile(r"<token><version>\d+</version><data>[^<>]+</data></token>")
_INNER = re.compile(r"^.*<data>|</data>.*$")
_DATA = re.compile(r"[0-9A-Za-z]{16,}")
_PLACEHOLDERS = ("…", "...")
_REFUSALS = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}
# A bearer is renewed this long before its end, so that it can't end while a request travels.
_MARGIN = 60.0
_LIFE_UNTOLD = 300.0
_LONGEST_LIFE = 366 * 86400.0
_TOKENS = ("access_token", "refresh_token", "id_token")
_BEARER = re.compile(r"[!-~]+")
# A token answers in a moment, and is a few hundred characters long.
_TIMEOUT = 60.0
_LARGEST_ANSWER = 100_000
_CHECK_URL = f"Check {ADDRESS}."


class Credentials(Protocol):
    """What puts the `Authorization` header on a request."""

    def header(self) -> str:
        """Its value, such as `Bearer …`; may ask AFAS for a bearer token first."""

    def renew(self, refused: str) -> bool:
        """Get a new value in place of one that AFAS refused; False when there is none to get."""


class ClassicToken:
    """An AfasToken: base64 of `<token><version>1</version><data>…</data></token>`.

    Args:
        token: The whole XML, its data part alone, or the XML already in base64; white space around or inside is
            ignored.

    Raises:
        ValueError: The token is written in another form.
    """

    def __init__(self, token: str) -> None:
        text = "".join(token.split()).removeprefix("AfasToken")
        decoded = text if text.startswith("<") else _decode(text)
        if not decoded.startswith("<") and _DATA.fullmatch(text):
            decoded = _FRAME.format(text)
        if any(dots in decoded or dots in text for dots in _PLACEHOLDERS):
            raise ValueError("`token` is the placeholder of an example: put the app connector's token in its place.")
        if not _WHOLE.fullmatch(decoded):
            raise ValueError(
                "`token` is not an AFAS token: give the whole <token>…</token>, its data part, or the base64 of the"
                " whole."
            )
        encoded = base64.b64encode(decoded.encode()).decode()
        SECRETS.add(token, decoded, encoded, _INNER.sub("", decoded))
        self._header = f"AfasToken {encoded}"

    def header(self) -> str:
        """`AfasToken` and the token in base64; asks AFAS nothing."""
        return self._header

    def renew(self, refused: str) -> bool:  # noqa: ARG002 - the protocol's signature
        """False: a classic token can't be renewed."""
        return False


def _decode(text: str) -> str:
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        # PowerShell's own way to base64 makes two bytes of a letter.
        return "".join(content.decode("utf-16-le" if b"\0" in content else "utf-8-sig").split())
    except (binascii.Error, ValueError):
        return ""


class ClientCredentials:
    """OAuth 2 client credentials: a bearer that is used until shortly before its end, by all threads.

    Args:
        client_id: Of the app connector.
        client_secret: One of its secrets; the default life of one is 180 days.
        url: `{base}/oauth/token`.
        clock: Seconds, for the bearer's age.
        timeout: Seconds to wait for a token; at most a minute.
        certificate: The files of a client certificate and its key, if there is one.
    """

    def __init__(  # noqa: PLR0913 - made in one place, with names
        self,
        client_id: str,
        client_secret: str,
        url: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        timeout: float = _TIMEOUT,
        certificate: tuple[str, str] | None = None,
    ) -> None:
        self._id = client_id.strip()
        self._secret = client_secret.strip()
        self._url = url
        self._certificate = certificate
        self._timeout = min(timeout, _TIMEOUT)
        self._clock = clock
        self._lock = threading.Lock()
        self._bearer = ""
        self._until = 0.0
        self._in_header = False
        # Each half is form-encoded first (RFC 6749, 2.3.1).
        pair = f"{quote_plus(self._id)}:{quote_plus(self._secret)}"
        self._basic = base64.b64encode(pair.encode()).decode()
        SECRETS.add(self._secret, pair, self._basic)
        # A short one is a name, and not hidden.
        SECRETS.add(self._id, shortest=SHORTEST_NAME)

    def header(self) -> str:
        """`Bearer` and a token; asks AFAS for one where there is none yet, or it is about to end.

        Raises:
            CredentialsError: AFAS doesn't accept the client.
            BusyError: AFAS can't hand out a token just now.
            UnexpectedAnswerError: The answer holds no token; `base_url` may be wrong.
            UnreachableError: No answer came.
        """
        with self._lock:
            if self._clock() >= self._until:
                self._fetch()
            return f"Bearer {self._bearer}"

    def renew(self, refused: str) -> bool:
        """Forget the bearer that AFAS refused, unless another thread has renewed it already."""
        with self._lock:
            if refused == f"Bearer {self._bearer}":
                self._until = 0.0
        return True

    def _fetch(self) -> None:
        # Asked for about once an hour: no connection stays open for it.
        with contextlib.closing(
            Transport(timeout=self._timeout, largest=_LARGEST_ANSWER, certificate=self._certificate)
        ) as transport:
            response = self._post(transport)
            if response.status in _REFUSALS and not self._in_header:
                # The other way of the standard, `client_secret_basic`; AFAS takes it from Profit 9 on.
                self._in_header = True
                other = self._post(transport)
                self._in_header = other.status == HTTPStatus.OK
                response = response if other.status in _REFUSALS else other
        content = _json(response.body)
        bearer = content.get("access_token")
        SECRETS.add(*(content[name] for name in _TOKENS if isinstance(content.get(name), str)), passing=True)
        if response.status != HTTPStatus.OK or not isinstance(bearer, str) or not bearer:
            raise self._refused(response, content)
        kind = content.get("token_type", "Bearer")
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise CredentialsError(
                f"{self._url} hands out tokens of another kind than Bearer, such as DPoP, which the tap can't use.",
                "Have the client in the app connector use plain bearer tokens.",
            )
        if not _BEARER.fullmatch(bearer):
            raise UnexpectedAnswerError(
                f"{self._url} hands out an access token with letters that no header can hold.", _CHECK_URL
            )
        seconds = content.get("expires_in")
        life = _LIFE_UNTOLD
        if isinstance(seconds, int | float) and not isinstance(seconds, bool):
            life = min(max(seconds, 0.0), _LONGEST_LIFE)
        self._bearer = bearer
        self._until = self._clock() + max(life - _MARGIN, life / 2)

    def _post(self, transport: Transport) -> Response:
        form = {"grant_type": "client_credentials"}
        authorization = ""
        if self._in_header:
            authorization = f"Basic {self._basic}"
        else:
            form |= {"client_id": self._id, "client_secret": self._secret}
        try:
            return transport.exchange("POST", self._url, authorization, form)
        except UnreachableError as error:
            # No question is at work at AFAS: `still_busy` doesn't go along.
            raise UnreachableError(f"No access token: {error.sentence}", error.advice, retry=error.retry) from error
        except TimeOutError as error:
            raise UnreachableError(
                f"No access token: no whole answer from {self._url} within {self._timeout:.0f} seconds.", CHECK_ADDRESS
            ) from error
        except AnswerTooLargeError as error:
            raise UnexpectedAnswerError(f"{self._url} hands out no access tokens.", _CHECK_URL) from error

    def _refused(self, response: Response, content: dict[str, Any]) -> ProfitError:
        told = error_from_response(response.status, response.headers, response.body)
        kind: type[ProfitError] = UnexpectedAnswerError
        sentence, advice = f"{self._url} hands out no access tokens.", _CHECK_URL
        if isinstance(told, BusyError) or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            kind = BusyError
            sentence = "AFAS can't hand out an access token just now; the credentials may well be right."
            advice = told.advice
        elif response.status in _REFUSALS:
            kind, sentence, advice = CredentialsError, "AFAS doesn't accept the client credentials.", _advice(content)
            if content.get("error") == "use_dpop_nonce" or told.sentence == DPOP.cause:
                sentence, advice = DPOP.cause, DPOP.advice
        return kind(
            sentence,
            advice,
            # What came with 200 and says of no error may hold a token.
            said=told.said if response.status != HTTPStatus.OK or content.get("error") else "",
            reference=told.reference,
            trace=told.trace,
            status=response.status,
            retry_after=told.retry_after,
        )


def _advice(content: dict[str, Any]) -> str:
    if content.get("error") == "invalid_client":
        return (
            "Check `client_id` and `client_secret`, and that they belong to this environment. A client secret ends"
            " after 180 days unless set otherwise: make a new one in the app connector."
        )
    return "Check that the app connector allows OAuth with client credentials."


def _json(body: bytes) -> dict[str, Any]:
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}

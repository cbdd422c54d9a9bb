"""Who asks: the classic token, or OAuth client credentials.

Source: docs.afas.help, "Authentication". Classic tokens stop on 31 August 2027.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
import time
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote_plus

import requests

from tap_afas.profit.errors import BusyError, CredentialsError, UnreachableError, read_refusal

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN_XML = "<token><version>1</version><data>{}</data></token>"  # noqa: S105 - the frame of a token, not one
_DATA = re.compile(r"[0-9A-Za-z]{16,}")
_OK = 200
_SERVER_ERROR = 500
_BUSY = {429, 500, 502, 503, 504}
# A bearer is renewed this long before its end, so that it can't end while a request travels.
_MARGIN = 60.0
_OAUTH_TIMEOUT = 60.0


class Credentials(Protocol):
    """What puts the `Authorization` header on a request."""

    def header(self) -> str:
        """The header's value; may ask AFAS for a bearer."""

    def renew(self, refused: str) -> bool:
        """Get a new value in place of one that AFAS refused; False when there is none to get."""


class ClassicToken:
    """An AfasToken: base64 of `<token><version>1</version><data>…</data></token>`.

    Args:
        token: The whole XML, its data part alone, or the XML already in base64; white space around or inside is ignored.

    Raises:
        ValueError: It is none of these.
    """

    def __init__(self, token: str) -> None:
        text = "".join(token.split()).removeprefix("AfasToken")
        if text.startswith("<"):
            xml = text
        elif _DATA.fullmatch(text) and not _decode(text).startswith("<token"):
            xml = _TOKEN_XML.format(text)
        else:
            xml = _decode(text)
        if not re.fullmatch(r"<token><version>\d+</version><data>[^<>]+</data></token>", xml):
            raise ValueError(
                "`token` is not an AFAS token: give the whole <token>…</token>, its data part, or the base64 of the whole."
            )
        self._header = "AfasToken " + base64.b64encode(xml.encode()).decode()

    def header(self) -> str:
        """The header's value."""
        return self._header

    def renew(self, refused: str) -> bool:  # noqa: ARG002, PLR6301 - the protocol's signature; a classic token can't be renewed
        """No: a classic token stays what it is."""
        return False


def _decode(text: str) -> str:
    try:
        return "".join(base64.b64decode(text, validate=True).decode().split())
    except (binascii.Error, ValueError):
        return ""


class ClientCredentials:
    """OAuth 2 client credentials: a bearer that is used until shortly before its end, by all threads.

    Args:
        client_id: Of the app connector.
        client_secret: One of its secrets; the default life of one is 180 days.
        url: `{base}/oauth/token`.
        clock: Seconds, for the bearer's age.
    """

    def __init__(
        self, client_id: str, client_secret: str, url: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._id = client_id
        self._secret = client_secret
        self._url = url
        self._clock = clock
        self._lock = threading.Lock()
        self._bearer = ""
        self._until = 0.0

    def header(self) -> str:
        """The header's value; asks AFAS for a bearer when there is none that lasts.

        Raises:
            CredentialsError: AFAS doesn't accept the client.
            BusyError: AFAS can't tell just now.
            UnreachableError: No answer.
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
        answer = self._post({"client_id": self._id, "client_secret": self._secret}, {})
        if answer.status_code == requests.codes.unauthorized or _error(answer) == "invalid_request":
            # The other way of the standard: AFAS takes `client_secret_basic` from Profit 9 on; each half is form-encoded first.
            pair = f"{quote_plus(self._id)}:{quote_plus(self._secret)}"
            answer = self._post({}, {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()})
        if answer.status_code in _BUSY:
            said = read_refusal(answer.headers, answer.content)
            busy = BusyError(
                f"AFAS can't hand out an access token just now (HTTP {answer.status_code}); the credentials may well be right."
            )
            busy.said, busy.status, busy.retry_after = said.message, answer.status_code, said.retry_after
            raise busy
        content = _json(answer)
        bearer = content.get("access_token")
        if answer.status_code != _OK or not isinstance(bearer, str) or not bearer:
            self._refuse(answer)
        seconds = content.get("expires_in")
        life = float(seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else 300.0
        self._bearer = str(bearer)
        self._until = self._clock() + max(life - _MARGIN, life / 2)

    def _post(self, data: dict[str, str], headers: dict[str, str]) -> requests.Response:
        try:
            return requests.post(
                self._url,
                data={"grant_type": "client_credentials", **data},
                headers={"Accept": "application/json", **headers},
                auth=_keep_headers,
                timeout=_OAUTH_TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            # The exception's text can hold the request's body: the secret.
            raise UnreachableError(f"No access token: {type(error).__name__} at {self._url}.") from None

    @staticmethod
    def _refuse(answer: requests.Response) -> None:
        name = _error(answer)
        error = CredentialsError(
            "AFAS doesn't accept the client credentials.",
            "Check `client_id` and `client_secret`, and that they belong to this environment; a client secret ends after 180 days unless"
            " set otherwise: make a new one in the app connector."
            if name == "invalid_client"
            else "Check that the app connector allows OAuth with client credentials.",
        )
        error.said = name or read_refusal(answer.headers, answer.content).message or "(nothing)"
        error.status = answer.status_code
        raise error


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    # Without an `auth`, requests would take a matching entry of the user's .netrc.
    return request


def _json(answer: requests.Response) -> dict[str, object]:
    try:
        content = answer.json()
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _error(answer: requests.Response) -> str:
    error = _json(answer).get("error")
    return error if isinstance(error, str) else ""

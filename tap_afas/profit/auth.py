"""Who asks: the classic token, or OAuth client credentials.

Source: docs.afas.help, "Authentication". Classic tokens stop on 31 August 2027.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote_plus

import requests

from tap_afas.profit.errors import (
    BusyError,
    CredentialsError,
    NotUnderstoodError,
    ProfitError,
    UnreachableError,
    refuse,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_FRAME = "<token><version>1</version><data>{}</data></token>"
_WHOLE = re.compile(r"<token><version>\d+</version><data>[^<>]+</data></token>")
_DATA = re.compile(r"[0-9A-Za-z]{16,}")
_OK = 200
_SERVER_ERROR = 500
_REFUSALS = {400, 401}
# A bearer is renewed this long before its end, so that it can't end while a request travels.
_MARGIN = 60.0
_LIFE_UNTOLD = 300.0
_TIMEOUT = 60.0


class Credentials(Protocol):
    """What puts the `Authorization` header on a request."""

    def header(self) -> str:
        """The header's value; may ask AFAS for a bearer."""

    def renew(self, refused: str) -> bool:
        """Get a new value in place of one that AFAS refused; False when there is none to get."""


class ClassicToken:
    """An AfasToken: base64 of `<token><version>1</version><data>…</data></token>`.

    Args:
        token: The whole XML, its data part alone, or the XML already in base64; white space around or inside is
            ignored.

    Raises:
        ValueError: It is none of these.
    """

    def __init__(self, token: str) -> None:
        text = "".join(token.split()).removeprefix("AfasToken")
        decoded = text if text.startswith("<") else _decode(text)
        if not decoded.startswith("<") and _DATA.fullmatch(text):
            decoded = _FRAME.format(text)
        if not _WHOLE.fullmatch(decoded):
            raise ValueError(
                "`token` is not an AFAS token: give the whole <token>…</token>, its data part, or the base64 of the"
                " whole."
            )
        self._header = "AfasToken " + base64.b64encode(decoded.encode()).decode()

    def header(self) -> str:
        """The header's value."""
        return self._header

    def renew(self, refused: str) -> bool:  # noqa: ARG002 - the protocol's signature
        """No: a classic token stays what it is."""
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
    """

    def __init__(
        self, client_id: str, client_secret: str, url: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._id = client_id.strip()
        self._secret = client_secret.strip()
        self._url = url
        self._clock = clock
        self._lock = threading.Lock()
        self._bearer = ""
        self._until = 0.0
        self._in_header = False

    def header(self) -> str:
        """The header's value; asks AFAS for a bearer when there is none that lasts.

        Raises:
            CredentialsError: AFAS doesn't accept the client.
            BusyError: AFAS can't tell just now.
            NotUnderstoodError: What answers is no AFAS.
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
        answer = self._post()
        if answer.status_code in _REFUSALS and not self._in_header:
            # The other way of the standard, `client_secret_basic`; AFAS takes it from Profit 9 on.
            self._in_header = True
            other = self._post()
            self._in_header = other.status_code == _OK
            answer = answer if other.status_code in _REFUSALS else other
        content = _json(answer)
        bearer = content.get("access_token")
        if answer.status_code != _OK or not isinstance(bearer, str) or not bearer:
            self._refuse(answer, content)
        seconds = content.get("expires_in")
        life = _LIFE_UNTOLD if isinstance(seconds, bool) or not isinstance(seconds, int | float) else float(seconds)
        self._bearer = str(bearer)
        self._until = self._clock() + max(life - _MARGIN, life / 2)

    def _post(self) -> requests.Response:
        data = {"grant_type": "client_credentials"}
        headers = {"Accept": "application/json"}
        if self._in_header:
            # Each half is form-encoded first (RFC 6749, 2.3.1).
            pair = f"{quote_plus(self._id)}:{quote_plus(self._secret)}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            data |= {"client_id": self._id, "client_secret": self._secret}
        try:
            return requests.post(
                self._url, data=data, headers=headers, auth=_as_it_is, timeout=_TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            # Without the cause: its text can hold the body of the request, and so the secret.
            raise UnreachableError(
                f"No access token: {type(error).__name__} at {self._url}.",
                "Check the network and `environment_id` or `base_url`.",
            ) from None

    def _refuse(self, answer: requests.Response, content: dict[str, Any]) -> None:
        status = answer.status_code
        refused = refuse(status, answer.headers, answer.content)
        if isinstance(refused, BusyError) or status >= _SERVER_ERROR:
            error: ProfitError = BusyError(
                "AFAS can't hand out an access token just now; the credentials may well be right.", refused.advice
            )
            error.retry_after = refused.retry_after
        elif status in _REFUSALS:
            error = CredentialsError("AFAS doesn't accept the client credentials.", _advice(content))
        else:
            error = NotUnderstoodError(
                f"{self._url} hands out no access tokens.", "Check `environment_id` or `base_url`."
            )
        for secret in filter(None, (self._secret, self._id)):
            refused.said = refused.said.replace(secret, "…")
        error.said, error.reference, error.trace = refused.said, refused.reference, refused.trace
        error.status = status
        raise error


def _advice(content: dict[str, Any]) -> str:
    if content.get("error") == "invalid_client":
        return (
            "Check `client_id` and `client_secret`, and that they belong to this environment. A client secret ends"
            " after 180 days unless set otherwise: make a new one in the app connector."
        )
    return "Check that the app connector allows OAuth with client credentials."


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    # Without an `auth`, requests would take a matching entry of the user's .netrc.
    return request


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}

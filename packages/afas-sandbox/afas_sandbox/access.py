"""Who may come in: the classic token and OAuth client credentials."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import threading
import time
import urllib.parse
from typing import TYPE_CHECKING

from afas_sandbox.exchange import Answer, Asked
from afas_sandbox.refusals import RefusedError

if TYPE_CHECKING:
    from afas_sandbox.options import Options


class Access:
    """The door of an environment."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._bearers: dict[str, float] = {}
        self._lock = threading.Lock()

    def check(self, asked: Asked) -> Answer | None:
        """Let a request in, or answer it here.

        Raises:
            RefusedError: It is refused.
        """
        scheme, _, credentials = asked.headers.get("authorization", "").partition(" ")
        match scheme.lower():
            case "afastoken" if self._options.sign_in != "oauth":
                self._check_token(credentials.strip())
                return None
            case "bearer" if self._options.sign_in != "classic":
                with self._lock:
                    ends = self._bearers.get(credentials.strip(), 0.0)
                if time.monotonic() < ends:
                    return None
                return Answer(401, b"", {"WWW-Authenticate": 'Bearer error="invalid_token"'})
            case _:
                raise RefusedError("unauthorized")

    def _check_token(self, credentials: str) -> None:
        if credentials.startswith("<"):
            raise RefusedError("plain_token")
        try:
            xml = base64.b64decode(credentials, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise RefusedError("unauthorized") from None
        if xml != self._options.token_xml:
            raise RefusedError("unauthorized")

    def expire_bearers(self) -> None:
        """End all bearer tokens given out so far."""
        with self._lock:
            self._bearers.clear()

    def give_bearer(self, asked: Asked) -> Answer:
        """Answer a request for a bearer token."""
        kind = asked.headers.get("content-type", "").partition(";")[0].strip().lower()
        if asked.method != "POST" or kind != "application/x-www-form-urlencoded":
            return _oauth_error("invalid_request")
        form = dict(urllib.parse.parse_qsl(asked.body.decode(errors="replace"), keep_blank_values=True))
        if form.get("grant_type") != "client_credentials":
            return _oauth_error("unsupported_grant_type" if "grant_type" in form else "invalid_request")
        basic = _basic(asked.headers.get("authorization", ""))
        options = self._options
        if options.sign_in == "classic":
            return _oauth_error("unauthorized_client")
        wanted = options.client_id, options.client_secret
        if basic is not None:
            if options.client_authentication == "post" or basic != wanted:
                return _oauth_error("invalid_client", 401)
        elif options.client_authentication == "basic" or (form.get("client_id"), form.get("client_secret")) != wanted:
            return _oauth_error("invalid_client")
        bearer = secrets.token_urlsafe(32)
        with self._lock:
            self._bearers[bearer] = time.monotonic() + options.bearer_seconds
        body = {"access_token": bearer, "token_type": "Bearer", "expires_in": int(options.bearer_seconds)}
        return Answer(200, json.dumps(body).encode(), {"Content-Type": "application/json", "Cache-Control": "no-store"})


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return urllib.parse.unquote_plus(name), urllib.parse.unquote_plus(secret)


def _oauth_error(error: str, status: int = 400) -> Answer:
    headers = {"Content-Type": "application/json"}
    if status != 400:  # noqa: PLR2004 - a plain HTTP status
        headers["WWW-Authenticate"] = "Basic"
    return Answer(status, json.dumps({"error": error}).encode(), headers)

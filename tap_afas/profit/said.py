"""What AFAS says in an answer that is no page: JSON in several shapes, XML, HTML, plain text, a header, or nothing."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import email.utils
import html
import json
import re
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_QUOTE = 300
_LONGEST_BODY = 100_000
_LONGEST_REFERENCE = 64

_PREFIX = re.compile(r"^(General message|Algemene melding): *", re.IGNORECASE)
_ELEMENT = re.compile(
    r"<(?:\w+:)?(message|externalMessage|title|h1)\b[^>]*>\s*(?:<!\[CDATA\[)?([^<\]]{1,2000})", re.IGNORECASE
)
# A proxy's error page may show the request, and with it who asked.
_CREDENTIALS = re.compile(
    r"(?i:<token>.*|\b(?:AfasToken|Bearer|Basic)\s+\S+|client_secret\S*)|[A-Za-z0-9+/_=-]{40,}", re.DOTALL
)


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """What could be read.

    Attributes:
        message: AFAS' words, shortened, without what looks like credentials.
        reference: Its `profitLogReference`.
        trace: Its `X-Trace-Identifier` (from Profit 7 on).
        retry_after: Seconds that it asks to wait.
    """

    message: str = ""
    reference: str = ""
    trace: str = ""
    retry_after: float | None = None


def read_said(headers: Mapping[str, str], body: bytes) -> Said:
    """Read AFAS' words; never raises.

    The body decides, not `Content-Type`: AFAS' own specification shows an XML type on JSON bodies.
    """
    text = body[:_LONGEST_BODY].decode("utf-8-sig", "replace").strip()
    content = _parse(text)
    if content is not None:
        message = _message(content)
    elif text.startswith("<"):
        found = _ELEMENT.search(text)
        message = html.unescape(found.group(2)) if found else ""
    elif text.startswith(("{", "[")) or "\N{REPLACEMENT CHARACTER}" in text:
        # Half a page of rows, or bytes: nobody's words.
        message = ""
    else:
        message = text.partition("\n")[0]
    wait = _wait_of(headers.get("Retry-After", ""))
    return Said(
        _clean(message or _from_header(headers)),
        _identifier(_plain((content or {}).get("profitlogreference"))),
        _identifier(headers.get("X-Trace-Identifier", "")),
        _seconds(_plain((content or {}).get("retry_after"))) if wait is None else wait,
    )


def _parse(text: str) -> dict[str, Any] | None:
    """The JSON object, its names in lower case; a JSON text becomes its message."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(content, str):
        return {"message": content}
    if not isinstance(content, dict):
        return {}
    return {name.lower(): value for name, value in content.items()}


def _message(content: Mapping[str, Any]) -> str:
    error = content.get("error")
    candidates = (
        content.get("externalmessage"),
        content.get("message"),
        error.get("message") if isinstance(error, dict) else None,
        content.get("error_description"),
        error,
    )
    return next((text for text in map(_plain, candidates) if text), "")


def _plain(value: Any) -> str:
    # In the documentation's own sample the values stand in {"example": …}.
    if isinstance(value, dict):
        value = value.get("example")
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _clean(message: str) -> str:
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in message[:2000]).split())
    return _CREDENTIALS.sub("…", _PREFIX.sub("", words))[:_LONGEST_QUOTE]


def _identifier(text: str) -> str:
    return re.sub(r"[^\w-]", "", text)[:_LONGEST_REFERENCE]


def _from_header(headers: Mapping[str, str]) -> str:
    # Obsolete, gone by the end of 2026 (docs.afas.help, news of Profit 6).
    try:
        return base64.b64decode(headers.get("X-PROFIT-ERROR", ""), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _wait_of(header: str) -> float | None:
    seconds = _seconds(header)
    if seconds is not None or not header:
        return seconds
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


_LONGEST_WAIT = 366 * 86400.0


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return min(seconds, _LONGEST_WAIT) if 0 <= seconds < float("inf") else None

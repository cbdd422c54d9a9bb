"""What AFAS, or what stands before it, says in an error: JSON in several shapes, XML, HTML, plain text, or nothing."""

from __future__ import annotations

import dataclasses
import html
import json
import re
from typing import TYPE_CHECKING, Any

import urllib3

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_QUOTE = 300
_LONGEST_BODY = 100_000

_IDENTIFIER = re.compile(r"[\w-]{0,64}", re.ASCII)
_PREFIX = re.compile(r"^(General message|Algemene melding): *", re.IGNORECASE)
_ELEMENT = re.compile(
    r"<(?:\w+:)?(message|externalMessage|title|h1)\b[^>]*>\s*(?:<!\[CDATA\[)?([^<\]]{1,2000})", re.IGNORECASE
)


@dataclasses.dataclass(frozen=True, slots=True)
class ErrorBody:
    """What an error answer says, as far as it could be read; empty where it says nothing.

    Attributes:
        message: AFAS' words, shortened.
        reference: Its `profitLogReference`.
        trace: Its `X-Trace-Identifier` (from Profit 7 on).
        retry_after: Seconds that it asks to wait.
    """

    message: str = ""
    reference: str = ""
    trace: str = ""
    retry_after: float | None = None


def read_error_body(headers: Mapping[str, str], body: bytes) -> ErrorBody:
    """Read the message and the references of an error; never raises.

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
        # JSON that was cut off, or bytes: no message for people.
        message = ""
    else:
        message = text.partition("\n")[0]
    wait = _seconds(headers.get("Retry-After", ""))
    return ErrorBody(
        _clean(message),
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
    return _PREFIX.sub("", words)[:_LONGEST_QUOTE]


def _identifier(text: str) -> str:
    # What isn't one isn't made one: a secret could be taken for another text then.
    return _IDENTIFIER.match(text).group()  # type: ignore[union-attr]  # it matches any text


_LONGEST_WAIT = 366 * 86400
_DATES = urllib3.Retry(retry_after_max=_LONGEST_WAIT)


def _seconds(text: str) -> float | None:
    """What `Retry-After` asks for, in seconds or as a date; at most a year."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            return _DATES.parse_retry_after(text)
        except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
            return None
    return min(seconds, _LONGEST_WAIT) if 0 <= seconds < float("inf") else None

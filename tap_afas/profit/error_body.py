"""What AFAS, or what stands before it, says in an error: JSON in several shapes, XML, HTML, plain text, or nothing."""

from __future__ import annotations

import collections
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

_LONGEST_CHALLENGE = 2000
_LONGEST_HEAD = 5000

_WORDS = (
    *("externalmessage", "message", "errormessage", "error_description", "description", "detail", "details"),
    *("faultstring", "reason", "title", "msg", "errors", "error"),
)
"""Under which names the words of an error stand, the best first."""
_JSON_BEGINS = re.compile(r"[{\[]")
# Inside of a message: brackets alone may be words of it.
_JSON_INSIDE = re.compile(r"[{\[]\s*[{\[\"]")
_PARAMETER = re.compile(r"(\w+)\s*=\s*\"([^\"]{0,500})\"")
_SCHEMES = {name: re.compile(rf"(?:^|[\s,]){name}\b(?!\s*=)", re.IGNORECASE) for name in ("bearer", "dpop")}
_GATEWAY = re.compile(
    r"cloudflare|cloudfront|akamai|incapsula|imperva|fastly|azure front door|application gateway|varnish|haproxy|big-ip"
    r"|squid|zscaler|fortigate|netscaler|nginx",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"[\w-]{0,64}", re.ASCII)
_PREFIX = re.compile(r"^(General message|Algemene melding): *", re.IGNORECASE)
_ELEMENT = re.compile(
    r"<(?:\w+:)?(message|externalMessage|title|h1)\b[^<>]*>\s*(?:<!\[CDATA\[)?([^<\]]{1,2000})", re.IGNORECASE
)


@dataclasses.dataclass(frozen=True, slots=True)
class ErrorBody:
    """What an error answer says, as far as it could be read; empty where it says nothing.

    Attributes:
        message: AFAS' words, shortened.
        reference: Its `profitLogReference`.
        trace: Its `X-Trace-Identifier` (from Profit 7 on).
        retry_after: Seconds that it asks to wait.
        stands_before: What wrote it, where that isn't AFAS: the name of a gateway, or words for one.
        challenge: What `WWW-Authenticate` says is wrong: `invalid_token`, `insufficient_scope`; `dpop` where that is
            asked for.
    """

    message: str = ""
    reference: str = ""
    trace: str = ""
    retry_after: float | None = None
    stands_before: str = ""
    challenge: str = ""


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
        # Behind that there may be rows.
        message = _JSON_BEGINS.split(text.partition("\n")[0], 1)[0]
    challenge, described = _challenge(headers.get("WWW-Authenticate", "")[:_LONGEST_CHALLENGE])
    wait = _seconds(headers.get("Retry-After", ""))
    return ErrorBody(
        _clean(message) or _clean(described),
        _identifier(_plain((content or {}).get("profitlogreference"))),
        _identifier(headers.get("X-Trace-Identifier", "")),
        _seconds(_plain((content or {}).get("retry_after"))) if wait is None else wait,
        _gateway(headers, text) if content is None else "",
        challenge,
    )


def _parse(text: str) -> dict[str, Any] | None:
    """The JSON object, its names in lower case; a JSON text becomes its message."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return {"message": content}
    return {name.lower(): value for name, value in content.items()}


def _message(content: Mapping[str, Any]) -> str:
    """The words of an error, wherever they stand in it; none where there are rows."""
    found: dict[str, str] = {}
    left: collections.deque[tuple[str, Any]] = collections.deque([("", content)])
    while left:
        name, value = left.popleft()
        if name == "rows":
            return ""
        text = _plain(value)
        inner = _parse(text) if text.startswith(("{", "[")) else None
        if inner is not None:
            left.append((name, inner.get("message", inner)))
        elif text and not text.isdecimal():
            found.setdefault(name, _JSON_INSIDE.split(text, maxsplit=1)[0])
        elif isinstance(value, dict):
            left += [(inner.lower(), one) for inner, one in value.items()]
        elif isinstance(value, list):
            left += [(name, one) for one in value]
    return next((found[name] for name in _WORDS if found.get(name)), "")


def _challenge(header: str) -> tuple[str, str]:
    """What `WWW-Authenticate` (RFC 6750, RFC 9449) says is wrong, and in which words."""
    said = {name.lower(): text for name, text in _PARAMETER.findall(header)}
    error = said.get("error", "")
    scopes = f" (scope {said['scope']})" if said.get("scope") and error == "insufficient_scope" else ""
    dpop = error == "use_dpop_nonce" or (_SCHEMES["dpop"].search(header) and not _SCHEMES["bearer"].search(header))
    return "dpop" if dpop else error, (said.get("error_description") or error) + scopes


def _gateway(headers: Mapping[str, str], text: str) -> str:
    """What stands before AFAS, where a page of HTML bears its name."""
    if not text.startswith("<"):
        return ""
    named = _GATEWAY.search(f"{headers.get('Server', '')} {headers.get('Via', '')} {text[:_LONGEST_HEAD]}")
    return named[0].title() if named else ""


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

"""What AFAS says when it refuses, in Dutch and in English, and the shapes in which it has been seen to say it."""

from __future__ import annotations

import dataclasses
import json
import uuid
from typing import Literal, TypeAlias

from afas_sandbox.exchange import Answer

Language: TypeAlias = Literal["nl", "en"]
Shape: TypeAlias = Literal["json", "message", "nested", "example", "xml", "html", "empty"]

_CATCH_ALL = -2147180996
_UNEXPECTED = -2147180999


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal; `{}` in a text is the name of the field it is about.

    Attributes:
        status: HTTP status.
        en: The text in English.
        nl: The text in Dutch.
        number: AFAS' `errorNumber`; the same number stands for many causes.
        shape: How the body is written.
        retry_after: Seconds to wait, in the header and in the body.
    """

    status: int
    en: str = ""
    nl: str = ""
    number: int = _CATCH_ALL
    shape: Shape = "json"
    retry_after: int | None = None


NAMED: dict[str, Refusal] = {
    "unexpected": Refusal(
        500, "An unexpected error has occurred.", "Er is een onverwachte fout opgetreden.", _UNEXPECTED
    ),
    "field_not_found": Refusal(500, "Connector field '{}' not found", "Connector-veld '{}' niet gevonden"),
    "invalid_index": Refusal(500, "General message: Invalid Index field", "Algemene melding: Invalid Index field"),
    "not_authorized": Refusal(
        500,
        "GetConnector not supported for this app or the user is not authorized",
        "GetConnector niet ondersteund voor deze app of de gebruiker is niet geautoriseerd",
    ),
    "blocked": Refusal(
        500, "This GetConnector (definition) is blocked", "Deze GetConnector (definitie) is geblokkeerd"
    ),
    "out_of_memory": Refusal(500, "Out of memory", "Out of memory"),
    "out_of_string_space": Refusal(500, "Out of String space", "Out of String space"),
    "timeout": Refusal(
        500,
        "The maximum duration for performing the assignment has been exceeded.",
        "De maximale tijdsduur voor het uitvoeren van de opdracht is verstreken.",
    ),
    "command_timeout": Refusal(500, "Command timeout expired.", "Command timeout expired."),
    "plain_token": Refusal(500, "General message: Invalid token", "Algemene melding: Ongeldige token"),
    "invalid_json": Refusal(400, "Invalid json", "Invalid json", shape="message"),
    "bad_request": Refusal(400, "Bad Request", "Bad Request", shape="html"),
    "unauthorized": Refusal(401, shape="empty"),
    "forbidden": Refusal(403, "Forbidden: Access is denied.", "Forbidden: Access is denied.", shape="html"),
    "not_found": Refusal(404, shape="empty"),
    "method_not_allowed": Refusal(405, shape="empty"),
    "too_large": Refusal(413, shape="empty"),
    "too_many_requests": Refusal(429, shape="empty", retry_after=1),
    "bad_gateway": Refusal(502, "Bad Gateway", "Bad Gateway", shape="html"),
    "maintenance": Refusal(
        503,
        "Service temporarily unavailable due to scheduled maintenance. Please try again later.",
        "De service is tijdelijk niet beschikbaar wegens gepland onderhoud. Probeer het later opnieuw.",
        shape="nested",
        retry_after=7200,
    ),
    "unavailable": Refusal(503, shape="empty"),
    "gateway_timeout": Refusal(504, "Gateway Timeout", "Gateway Timeout", shape="html"),
}
"""The refusals by the name that a fault plan calls them by."""


class RefusedError(Exception):
    """The request is refused.

    Attributes:
        refusal: The refusal.
        subject: The name of the field it is about.
    """

    def __init__(self, name: str, subject: str = "") -> None:
        super().__init__(name)
        self.refusal = NAMED[name]
        self.subject = subject


def language_of(accept_language: str | None, default: Language) -> Language:
    """Dutch for `nl…`, English for any other language, the environment's own when none is asked."""
    if not accept_language:
        return default
    return "nl" if accept_language.strip().lower().startswith("nl") else "en"


def write(refusal: Refusal, *, language: Language, subject: str = "", content_type_lies: bool = True) -> Answer:
    """Write a refusal as an answer.

    Args:
        refusal: The refusal.
        language: In which language.
        subject: The name of the field it is about.
        content_type_lies: Whether JSON is announced as XML, as AFAS' own specification has it.
    """
    text = (refusal.nl if language == "nl" else refusal.en).replace("{}", subject)
    reference = uuid.uuid4().hex.upper()
    headers: dict[str, str] = {}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    if refusal.status == 401:  # noqa: PLR2004 - a plain HTTP status
        headers["WWW-Authenticate"] = "Bearer"
    kind, body = _body(refusal, text, reference)
    if kind == "application/json" and content_type_lies:
        kind = "application/xml"
    if kind:
        headers["Content-Type"] = f"{kind}; charset=utf-8"
    return Answer(refusal.status, body, headers)


def _body(refusal: Refusal, text: str, reference: str) -> tuple[str, bytes]:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    match refusal.shape:
        case "json":
            error = {"externalMessage": text, "errorNumber": refusal.number, "profitLogReference": reference}
            return "application/json", _json(error)
        case "message":
            return "application/json", _json({"message": text})
        case "nested" | "example":
            # AFAS' documentation has, word for word, examples in the place of these values.
            parts = {"code": str(refusal.status), "message": text}
            shown = {name: {"example": part} for name, part in parts.items()} if refusal.shape == "example" else parts
            wait = {} if refusal.retry_after is None else {"retry_after": refusal.retry_after}
            return "application/json", _json({"error": shown, **wait})
        case "xml":
            return "application/xml", f"<error><message>{escaped}</message></error>".encode()
        case "html":
            return (
                "text/html",
                f"<html><head><title>{escaped}</title></head><body><h1>{escaped}</h1></body></html>".encode(),
            )
        case "empty":
            return "", b""


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

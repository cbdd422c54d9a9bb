"""What AFAS says when it refuses: the exception, the cause in plain words, and what to do.

AFAS answers nearly every refusal with status 500 and a sentence in Dutch or English; `errorNumber` says nothing (the same number stands for
unrelated causes, docs.afas.help, "Troubleshooting"). So a refusal is told by its sentence, and what no sentence matches keeps AFAS' words
and its log reference. Bodies come as JSON in several shapes, as XML, as HTML, empty, or as a base64 header.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import email.utils
import json
import re
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_QUOTE = 300


class ProfitError(Exception):
    """Reading AFAS failed; `str()` is a sentence for the person who runs the tap.

    Attributes:
        retry: Whether the same question may succeed a little later.
        smaller: Whether a smaller page may succeed.
        said: AFAS' own words, if it said any.
        reference: AFAS' `profitLogReference`, with which an administrator finds the entry in its log.
        advice: What to do.
        retry_after: Seconds that AFAS asks to wait, if it does.
        still_busy: Whether AFAS may still be working on the question.
    """

    retry = False
    smaller = False
    advice = ""
    said = ""
    reference = ""
    status: int | None = None
    retry_after: float | None = None
    still_busy = False

    def __init__(self, sentence: str, advice: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        if advice:
            self.advice = advice

    def __str__(self) -> str:
        """The sentence, AFAS' words with the log reference, the advice."""
        parts = [self.sentence]
        if self.said:
            where = f"HTTP {self.status}" + (f", log reference {self.reference}" if self.reference else "")
            parts.append(f"AFAS says: “{self.said}” ({where}).")
        if self.advice:
            parts.append(self.advice)
        return " ".join(parts)


class UnreachableError(ProfitError):
    """No answer came, or it broke off."""

    retry = True


class TimeOutError(ProfitError):
    """The answer took too long, here or at AFAS."""

    smaller = True


class TooMuchError(ProfitError):
    """The page is more than AFAS can put into one answer."""

    smaller = True


class BusyError(ProfitError):
    """AFAS can't answer just now: maintenance, load, a locked row."""

    retry = True


class NotUnderstoodError(ProfitError):
    """An answer that is not what the API promises."""


class CredentialsError(ProfitError):
    """The token or the client credentials are not accepted."""


class ConnectorError(ProfitError):
    """The connector is blocked, gone, or not allowed for this token."""


class QuestionError(ProfitError):
    """AFAS doesn't accept the question: a field, an order, a value."""


class UnknownRefusalError(ProfitError):
    """A refusal in words that the tap doesn't know."""


class QueryTooLongError(ProfitError):
    """The query string is longer than AFAS takes.

    Args:
        length: Characters of the query string.
        longest: Characters that AFAS takes.
    """

    def __init__(self, length: int, longest: int) -> None:
        super().__init__(
            f"The question is {length} characters long, and AFAS takes {longest} (it would answer 404).",
            "Shorten the filter in `streams.<connector>.filter`, or the list of `primary_keys`.",
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """How a refusal is recognised and what it means.

    Attributes:
        name: A short name.
        pattern: Matches AFAS' sentence, in Dutch and in English.
        error: What is raised.
        cause: What happened, for the person who runs the tap.
        advice: What to do.
        retry: Whether to ask again later, where that differs from the exception's own.
    """

    name: str
    pattern: re.Pattern[str]
    error: type[ProfitError]
    cause: str
    advice: str
    retry: bool | None = None


def _refusal(  # noqa: PLR0913, PLR0917 - a row of the table
    name: str, pattern: str, error: type[ProfitError], cause: str, advice: str, retry: bool | None = None
) -> Refusal:
    return Refusal(name, re.compile(pattern, re.IGNORECASE), error, cause, advice, retry)


_SET_RIGHT = "Correct the field in `streams`, or run discovery again if the connector was changed in AFAS."

REFUSALS = (
    _refusal(
        "blocked",
        r"getconnector \(defini\w+\) is (blocked|geblokkeerd)",
        ConnectorError,
        "The GetConnector is blocked.",
        "AFAS or an administrator blocks a connector that asks too much; unblock it in AFAS (General > Output > Management > GetConnector)"
        " and see which process overloaded it.",
    ),
    _refusal(
        "not allowed",
        r"getconnector (not supported for this app or the user is not authori[sz]ed"
        r"|(wordt )?niet ondersteund( voor deze app)? of de gebruiker is niet geautoriseerd)",
        ConnectorError,
        "The GetConnector is not in the app connector, doesn't exist under this name, or its user has no rights to it.",
        "Add it to the app connector in AFAS and check the rights of the connector's user; or take it out of `connectors`.",
    ),
    _refusal(
        "unknown field",
        r"connector(-| )(field|veld) .*(not found|niet gevonden)",
        QuestionError,
        "The GetConnector has no such field.",
        _SET_RIGHT,
    ),
    _refusal(
        "unsortable field",
        r"invalid index field|ongeldig indexveld",
        QuestionError,
        "AFAS can't sort or filter on one of the fields asked for.",
        "Fields with a dot or other odd character in their id, blobs and texts of over 250 characters don't sort: choose other `primary_keys`,"
        " another `replication_key`, or give the field another name in AFAS.",
    ),
    _refusal(
        "out of memory",
        r"out of memory|out of string space|onvoldoende geheugen",
        TooMuchError,
        "The page is too large for AFAS.",
        "Set a smaller `page_size` for this connector.",
    ),
    _refusal(
        "time-out",
        r"maximum duration .*exceeded|maximale tijdsduur .*verstreken|command ?time-?out|time-?out expired|execution timeout",
        TimeOutError,
        "AFAS took longer than it allows itself (900 seconds).",
        "Set a smaller `page_size`, or make the GetConnector lighter in AFAS: fewer joins and calculated fields.",
    ),
    _refusal(
        "locked",
        r"deadlock|lock request|locked by|vergrendeld|geblokkeerd door een andere",
        BusyError,
        "The rows are locked by another process in AFAS.",
        "Run again at a quieter moment.",
    ),
    _refusal(
        "token not base64",
        r"(token|authori[sz]ation).*(base ?64|niet geldig|invalid|ongeldig)",
        CredentialsError,
        "AFAS doesn't accept the token.",
        "Check `token`, and that it belongs to this environment.",
    ),
    _refusal(
        "unexpected",
        r"unexpected error has occurred|onverwachte fout opgetreden",
        UnknownRefusalError,
        "AFAS reports an error without saying which.",
        "The AFAS administrator finds the cause in the log under the log reference.",
        retry=True,
    ),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """What could be read from the body and headers of a refusal."""

    message: str = ""
    reference: str = ""
    retry_after: float | None = None


def read_refusal(headers: Mapping[str, str], body: bytes) -> Said:
    """Read AFAS' words from an answer that isn't a page; never raises.

    The body decides, not `Content-Type`: AFAS' specification shows an XML type on JSON bodies.
    """
    text = body[:100_000].decode("utf-8", "replace").strip()
    said = _from_json(text)
    if said is None:
        said = Said(_from_markup(text) if text.startswith("<") else text)
    message = said.message or _from_header(headers)
    message = re.sub(r"^(General message|Algemene melding): *", "", " ".join(message.split()))
    wait = _wait(headers)
    return Said(message[:_LONGEST_QUOTE], said.reference[:64], said.retry_after if wait is None else wait)


def _from_json(text: str) -> Said | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return Said(content) if isinstance(content, str) else Said()
    error = content.get("error")
    nested = error if isinstance(error, dict) else {}
    # In the documentation's own sample the values stand in {"example": …}.
    candidates = [
        content.get("externalMessage"),
        content.get("message"),
        nested.get("message"),
        content.get("error_description"),
        error if isinstance(error, str) else None,
    ]
    message = next((_plain(candidate) for candidate in candidates if _plain(candidate)), "")
    return Said(message, _plain(content.get("profitLogReference")), _seconds(_plain(content.get("retry_after"))))


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("example")
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _from_markup(text: str) -> str:
    found = re.search(r"<(message|externalMessage|title|h1)\b[^>]*>([^<]{1,500})</\1>", text, re.IGNORECASE)
    return found.group(2).strip() if found else ""


def _from_header(headers: Mapping[str, str]) -> str:
    # Obsolete, gone by the end of 2026 (docs.afas.help, news of Profit 6).
    try:
        return base64.b64decode(headers.get("X-PROFIT-ERROR", ""), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _wait(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After", "")
    seconds = _seconds(value)
    if seconds is not None or not value:
        return seconds
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


_CHECK_TOKEN = (
    "Check that the token or client belongs to this environment (`environment_id`, `environment_type`), has not expired, and that the"
    " connector is in its app connector."
)

# For what no sentence tells: the status alone.
_BY_STATUS: dict[int, tuple[type[ProfitError], str, str]] = {
    400: (QuestionError, "AFAS calls the request malformed.", "Check the filter in `streams`."),
    401: (CredentialsError, "AFAS doesn't accept the credentials.", _CHECK_TOKEN),
    403: (
        CredentialsError,
        "AFAS refuses this machine's address.",
        "Add the address to the app connector's IP rules in AFAS, or run from an allowed one.",
    ),
    404: (ConnectorError, "AFAS knows no such address.", "Check `environment_id`, `environment_type` or `base_url`."),
    413: (
        TooMuchError,
        "The answer is larger than AFAS sends (75 MB).",
        "Set a smaller `page_size` for this connector.",
    ),
}
_BUSY = {429, 502, 503, 504}
_SERVER_ERROR = 500


def refuse(status: int, headers: Mapping[str, str], body: bytes) -> ProfitError:
    """The exception for an answer with a status other than 200.

    Sentences that name a cause win over the status: AFAS answers "not allowed" with 401 as well as with 500.
    """
    said = read_refusal(headers, body)
    refusal = next((refusal for refusal in REFUSALS if refusal.pattern.search(said.message)), None)
    error: ProfitError
    if status in _BUSY:
        error = BusyError(
            f"AFAS can't answer just now (HTTP {status}).",
            "Maintenance runs at night and in weekends: see afasstatus.nl.",
        )
    elif refusal is not None and (status in {400, 401, 404, 413} or status >= _SERVER_ERROR):
        error = refusal.error(refusal.cause, refusal.advice)
        error.retry = error.retry if refusal.retry is None else refusal.retry
    elif status in _BY_STATUS:
        kind, cause, advice = _BY_STATUS[status]
        error = kind(cause, advice)
    else:
        error = UnknownRefusalError(
            f"AFAS answers with HTTP {status}.", "The AFAS administrator finds more in the log under the log reference."
        )
        error.retry = status == _SERVER_ERROR
    error.said, error.reference, error.status, error.retry_after = (
        said.message,
        said.reference,
        status,
        said.retry_after,
    )
    return error

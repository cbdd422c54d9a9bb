"""A table from AFAS' messages to the exceptions that they become, each with what to do.

AFAS answers nearly every refusal with status 500 and a sentence in Dutch or English; `errorNumber` says nothing, since
the same number stands for unrelated causes (docs.afas.help, "Troubleshooting"). So a refusal is told by its sentence,
and what no sentence matches keeps AFAS' words and its log reference.
"""

from __future__ import annotations

import dataclasses
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_afas.profit.error_body import read_error_body
from tap_afas.profit.errors import (
    ADDRESS,
    AnswerTooLargeError,
    BusyError,
    ConnectorError,
    CredentialsError,
    InvalidQueryError,
    NotAllowedError,
    ProfitError,
    TimeOutError,
    UnexpectedAnswerError,
    UnknownRefusalError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer of AFAS: how it is recognised, and the exception it becomes.

    Attributes:
        pattern: Regular expression for AFAS' sentence, in Dutch and in English; case doesn't count.
        error: What is raised.
        cause: What happened, for the person who runs the tap.
        advice: What to do.
    """

    pattern: str
    error: type[ProfitError]
    cause: str
    advice: str


_ASK_ADMINISTRATOR = "The AFAS administrator finds the cause in the log, under the log reference."
_CHECK_CREDENTIALS = (
    f"Check that the token or client belongs to this environment ({ADDRESS}), has not expired, and that the connector"
    " is in its app connector."
)

REFUSALS = (
    Refusal(
        r"getconnector \(defini\w+\) is (blocked|geblokkeerd)",
        ConnectorError,
        "The GetConnector is blocked.",
        "AFAS or an administrator blocks a connector that asks too much: find out which process did, and unblock it in"
        " AFAS (General > Output > Management > GetConnector).",
    ),
    Refusal(
        r"getconnector (is )?(not supported for this app or the user is not authori[sz]ed"
        r"|(wordt )?niet ondersteund( voor deze app)? of de gebruiker is niet geautoriseerd)",
        NotAllowedError,
        "The GetConnector is not in the app connector, doesn't exist under this name, or its user has no rights to it.",
        "Add it to the app connector in AFAS and check the rights of the connector's user; or take it out of"
        " `connectors`.",
    ),
    Refusal(
        r"connector[- ](field|veld) .*(not found|niet gevonden)",
        InvalidQueryError,
        "The GetConnector has no such field.",
        "Correct the field in `streams`, or run discovery again if the connector was changed in AFAS.",
    ),
    Refusal(
        r"(invalid|ongeldig) index ?(field|veld)",
        InvalidQueryError,
        "AFAS can't sort or filter on one of the fields asked for.",
        "Blobs, texts of over 250 characters, and fields with a dot or other odd character in their id don't sort:"
        " choose other `primary_keys` or another `replication_key`, or give the field another name in AFAS.",
    ),
    Refusal(
        r"out ?of ?memory|out of string space|onvoldoende geheugen",
        AnswerTooLargeError,
        "The page is too large for AFAS.",
        "Set a smaller `page_size` for this connector.",
    ),
    Refusal(
        r"deadlock|lock request|(is|are|was|were) locked|locked by|vergrendeld|geblokkeerd door een ander",
        BusyError,
        "The rows are locked by another process in AFAS.",
        "Run again at a quieter moment.",
    ),
    Refusal(
        r"maximum duration .*exceeded|maximale tijdsduur .*verstreken|command ?time-?out"
        r"|time-?out (expired|verlopen|verstreken|occurred|opgetreden)|execution time-?out",
        TimeOutError,
        "AFAS took longer than it allows itself (900 seconds).",
        "Set a smaller `page_size`, or make the GetConnector lighter in AFAS: fewer joins and calculated fields.",
    ),
    Refusal(
        r"(invalid|ongeldige?) token|token .*(invalid|not valid|expired|ongeldig|niet geldig|verlopen)|base ?64",
        CredentialsError,
        "AFAS doesn't accept the token.",
        _CHECK_CREDENTIALS,
    ),
    Refusal(
        r"(no required|client) (ssl |tls )?certificate",
        CredentialsError,
        "A client certificate (mTLS) is asked for, or the one that was sent isn't accepted.",
        "Set `client_certificate` and `client_certificate_key` to the files of one that AFAS knows.",
    ),
)
"""The sentences that name a cause. "An unexpected error has occurred" is not among them: it names none."""

# For what no sentence tells: the status alone.
_BY_STATUS: dict[int, Refusal] = {
    HTTPStatus.BAD_REQUEST: Refusal(
        "", InvalidQueryError, "AFAS calls the request malformed.", "Check the filter in `streams`."
    ),
    HTTPStatus.UNAUTHORIZED: Refusal("", CredentialsError, "AFAS doesn't accept the credentials.", _CHECK_CREDENTIALS),
    HTTPStatus.FORBIDDEN: Refusal(
        "",
        CredentialsError,
        "AFAS refuses requests from this machine's address, or is overloaded.",
        "Check the IP rules of the app connector in AFAS; if they are right, run again later.",
    ),
    HTTPStatus.NOT_FOUND: Refusal(
        "",
        ConnectorError,
        "AFAS knows no such address.",
        f"Check {ADDRESS}.",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Refusal(
        "",
        AnswerTooLargeError,
        "The answer is larger than AFAS sends (75 MB).",
        "Set a smaller `page_size` for this connector.",
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: Refusal(
        "", UnknownRefusalError, "AFAS reports an error without a cause known here.", _ASK_ADMINISTRATOR
    ),
}
_UNKNOWN = Refusal("", UnknownRefusalError, "AFAS gives an answer that its API doesn't know.", _ASK_ADMINISTRATOR)
_BUSY = Refusal(
    "",
    BusyError,
    "AFAS can't answer just now.",
    "Maintenance is at night and in weekends: see afasstatus.nl. Run again later.",
)
_BUSY_STATUSES = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


DPOP = Refusal(
    "",
    CredentialsError,
    "AFAS asks for DPoP, proof of who sends a token, which the tap can't give.",
    "Have the client in the app connector use plain bearer tokens: without DPoP.",
)
_BY_CHALLENGE = {
    "dpop": DPOP,
    "insufficient_scope": Refusal(
        "",
        CredentialsError,
        "The access token doesn't cover what was asked for.",
        "Give the client in the app connector the scope that AFAS names, and check its GetConnectors.",
    ),
}
"""By what `WWW-Authenticate` says is wrong."""


def _before_afas(name: str) -> Refusal:
    return Refusal(
        "",
        UnexpectedAnswerError,
        f"{name}, which stands between the tap and AFAS, answers with a page of HTML.",
        "Run again later; if it comes back, ask who runs it to let the tap's requests pass.",
    )


def error_from_response(status: int, headers: Mapping[str, str], body: bytes) -> ProfitError:
    """The error that an answer with a status other than 200 stands for.

    A sentence that names a cause wins over the status: AFAS answers "not allowed" with 401 as well as with 500.
    """
    told = read_error_body(headers, body)
    if status in _BUSY_STATUSES:
        refusal = _BUSY
        retry = True
    else:
        named = (one for one in REFUSALS if re.search(one.pattern, told.message, re.IGNORECASE))
        refusal = next(named, _BY_STATUS.get(status, _UNKNOWN))
        # Whatever the words, 400, 401, 403, 404 and 413 come back the same; a 500 without a known cause may not.
        retry = status == HTTPStatus.INTERNAL_SERVER_ERROR and refusal.error.retry
    if told.stands_before and refusal in {_BY_STATUS.get(status), _UNKNOWN}:
        refusal = _before_afas(told.stands_before)
        retry = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN}:
        refusal = _BY_CHALLENGE.get(told.challenge, refusal)
    # The gateway has given up; AFAS itself may not have.
    gave_up = status == HTTPStatus.GATEWAY_TIMEOUT
    return refusal.error(
        refusal.cause,
        refusal.advice,
        said=told.message,
        reference=told.reference,
        trace=told.trace,
        status=status,
        speaker=told.stands_before or "AFAS",
        retry_after=told.retry_after,
        retry=retry,
        retry_smaller=gave_up or refusal.error.retry_smaller,
        still_busy=gave_up,
    )


def error_for_listed_connector(error: ProfitError) -> ProfitError | None:
    """A better error for a refusal, where `/metainfo` has listed the connector; None: there is nothing to add."""
    if isinstance(error, NotAllowedError):
        return dataclasses.replace(
            error,
            sentence="The app connector has this GetConnector, but its user has no rights to it (any more).",
            advice="Have the user of the app connector authorised for the GetConnector in AFAS.",
        )
    if isinstance(error, CredentialsError) and error.status == HTTPStatus.UNAUTHORIZED:
        return dataclasses.replace(
            error,
            sentence="AFAS took the credentials at first, and doesn't take them for this GetConnector.",
            advice="Check that the token has not ended meanwhile, and that the user of the app connector is authorised"
            " for the GetConnector in AFAS.",
        )
    return None

"""The exceptions of this package: what failed, and what to do."""

from __future__ import annotations

import dataclasses

ADDRESS = "`environment_id` or `base_url`"
"""The settings of the address; `about` names the one that is set."""


@dataclasses.dataclass(eq=False)
class ProfitError(Exception):
    """Reading AFAS failed; `str()` is a sentence for the person who runs the tap.

    It is complete when it is raised. What is learned later is another error: `dataclasses.replace`, raised from it.

    Attributes:
        sentence: What failed.
        advice: What to do.
        said: AFAS' own words, if it said any.
        speaker: Whose words they are, where it isn't AFAS but what stands before it.
        reference: AFAS' `profitLogReference`, with which an administrator finds the entry in its log.
        trace: AFAS' `X-Trace-Identifier`.
        status: HTTP status, if AFAS answered.
        retry_after: Seconds that AFAS asks to wait, if it does.
        retry: Whether the same question may succeed a little later.
        retry_smaller: Whether a smaller page may succeed.
        still_busy: Whether AFAS may still be working on the question.
        later: Whether a later run may succeed, though the same question at once is not to be asked.
    """

    sentence: str
    advice: str = ""
    _: dataclasses.KW_ONLY
    said: str = ""
    speaker: str = "AFAS"
    reference: str = ""
    trace: str = ""
    status: int | None = None
    retry_after: float | None = None
    retry: bool = False
    retry_smaller: bool = False
    still_busy: bool = False
    later: bool = False

    @property
    def may_pass(self) -> bool:
        """Whether a later run may succeed without anybody changing anything."""
        return self.retry or self.later

    def __str__(self) -> str:
        """The sentence, AFAS' words with the log reference, the advice."""
        parts = [self.sentence]
        if self.status is not None:
            where = [f"HTTP {self.status}"]
            if self.reference:
                where.append(f"log reference {self.reference}")
            elif self.trace:
                where.append(f"trace {self.trace}")
            said = f"says: “{self.said}”" if self.said else "says no more"
            parts.append(f"{self.speaker} {said} ({', '.join(where)}).")
        if self.advice:
            parts.append(self.advice)
        return " ".join(parts)


def about(error: ProfitError, address: str) -> ProfitError:
    """The error, with an advice that names no other setting of the address than the one that is set.

    Args:
        error: The error.
        address: The setting; empty where it isn't known.
    """
    if not address or ADDRESS not in error.advice:
        return error
    return dataclasses.replace(error, advice=error.advice.replace(ADDRESS, f"`{address}`"))


class StoppedError(Exception):
    """The run was stopped while a request was waiting."""


@dataclasses.dataclass(eq=False)
class UnreachableError(ProfitError):
    """AFAS could not be reached, or the connection broke off before the answer was complete."""

    retry: bool = True


@dataclasses.dataclass(eq=False)
class TimeOutError(ProfitError):
    """The answer took too long, here or at AFAS: how long it takes differs by the hour."""

    retry_smaller: bool = True
    later: bool = True


@dataclasses.dataclass(eq=False)
class AnswerTooLargeError(ProfitError):
    """The page is more than AFAS can put into one answer.

    Attributes:
        beginning: Of an answer that was broken off for its size, what had come.
        rows_fit: How many rows that was; None where nothing tells.
    """

    retry_smaller: bool = True
    beginning: bytes = dataclasses.field(default=b"", repr=False)
    rows_fit: int | None = None


@dataclasses.dataclass(eq=False)
class BusyError(ProfitError):
    """AFAS can't answer just now: maintenance, load, a locked row."""

    retry: bool = True
    later: bool = True


class UnexpectedAnswerError(ProfitError):
    """The answer is not what the API documents, such as HTML where JSON should be; `base_url` is often wrong."""


class CredentialsError(ProfitError):
    """The token or the client credentials are not accepted."""


class ConnectorError(ProfitError):
    """The connector is blocked, gone, or not allowed for this token."""


class NotAllowedError(ConnectorError):
    """The connector is not in the app connector, or not for its user: AFAS doesn't tell which."""


@dataclasses.dataclass(eq=False)
class AbsentError(ConnectorError):
    """The connector is not in the app connector."""

    sentence: str = "The app connector doesn't have this GetConnector (any more)."
    advice: str = "Add it to the app connector in AFAS, or run discovery again and take it out of the selection."


class InvalidQueryError(ProfitError):
    """AFAS refuses the query: it names an unknown field, or one that can't be sorted or filtered on."""


@dataclasses.dataclass(eq=False)
class UnknownRefusalError(ProfitError):
    """AFAS refuses with a message that no entry of `REFUSALS` matches."""

    retry: bool = True


class QueryTooLongError(ProfitError):
    """The query string is longer than AFAS takes."""

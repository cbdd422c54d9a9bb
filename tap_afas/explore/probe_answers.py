"""How a point is asked, and what may be told of the answer."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from tap_afas.profit.errors import ProfitError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_afas.explore.prober import Prober, Sample
    from tap_afas.profit.query import Condition


class UnsettledError(Exception):
    """The environment has nothing to settle a point by; `str()` says what is lacking."""


def refusal(error: ProfitError) -> str:
    """How AFAS refused, without its words, which may name somebody."""
    status = f"HTTP {error.status}" if error.status is not None else "no answer"
    body = ("words" * bool(error.said), "a log reference" * bool(error.reference))
    return f"{status}, {type(error).__name__}, with {' and '.join(filter(None, body)) or 'no words'}"


def taken(ask: Callable[[], object]) -> str:
    """Whether AFAS takes a question: `answered`, or how it refused."""
    try:
        ask()
    except ProfitError as error:
        return f"refused ({refusal(error)})"
    return "answered"


def or_refused(settle: Callable[[Prober], str]) -> Callable[[Prober], str]:
    """Of a point that a refusal settles too: how AFAS refused."""

    @functools.wraps(settle)
    def settled(prober: Prober) -> str:
        try:
            return settle(prober)
        except ProfitError as error:
            return f"refused ({refusal(error)})"

    return settled


def asks(prober: Prober, sample: Sample, order: Sequence[str] = (), *conditions: Condition) -> str:
    """Whether AFAS takes a question for one row of a connector."""
    where = (conditions,) if conditions else ()
    return taken(lambda: prober.rows(sample.connector, order or sample.order, where, take=1))


def finds(prober: Prober, sample: Sample, row: dict[str, Any], condition: Condition) -> bool:
    """Whether AFAS finds a row by its key and one condition more."""
    return bool(prober.rows(sample.connector, sample.order, ((*sample.one_row(row), condition),), take=1))

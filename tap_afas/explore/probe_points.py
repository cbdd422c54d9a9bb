"""The points that nobody documents, and how each is settled."""

from __future__ import annotations

import dataclasses
import datetime
import re
from typing import TYPE_CHECKING

from tap_afas.explore import probe_texts
from tap_afas.explore.probe_answers import UnsettledError, asks, finds, refusal, taken
from tap_afas.profit.errors import ProfitError
from tap_afas.profit.metainfo import REPLACED
from tap_afas.profit.query import Condition, Query
from tap_afas.profit.wall_time import coarsest_unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_afas.explore.probe import Prober, Sample
    from tap_afas.profit.query import Group, Operator

_STEPS = (100, 1_000, 5_000, 10_000, 20_000, 50_000)
_MINUTE = datetime.timedelta(minutes=1)
_NOWHERE = "tap_afas_probe"


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    """A point.

    Attributes:
        name: Its name, for programs.
        question: What is asked.
        assumed: What the tap assumes, or that it does without.
        settle: Settles it, in a few words that hold nothing of the customer's.
    """

    name: str
    question: str
    assumed: str
    settle: Callable[[Prober], str]


def _date(prober: Prober) -> str:
    if prober.date is None:
        return "no"
    return "yes, within a minute" if abs(prober.date - prober.local) <= _MINUTE else "yes, over a minute apart"


def _environment(prober: Prober) -> str:
    return "yes" if prober.environment.id else "no"


def _expiry(prober: Prober) -> str:
    text = prober.environment.token_expiry
    if not text:
        return "nothing, or 0"
    return "a day that the tap reads" if prober.environment.token_ends else re.sub(r"\w", "9", text)[:40]


def _cap(prober: Prober) -> str:
    """Larger and larger pages of the connector that has the rows; none has more cells than AFAS advises."""
    settings = prober.opened.connection.settings
    candidates = sorted(prober.samples, key=lambda one: (-len(one.rows), len(one.connector.fields)))
    longest = 0
    for take in _STEPS:
        while candidates:
            connector, order = candidates[0].connector, candidates[0].order
            if take <= max(settings.page_size_for(settings.stream(connector.id), len(connector.fields)), _STEPS[0]):
                first = take == _STEPS[0]
                rows = len(candidates[0].rows if first else prober.rows(connector, order, take=take))
                if rows >= take:
                    longest = take
                    break
                # Twice the same: or it may be a table that grows, and its number of rows the customer's.
                more = rows and prober.rows(connector, order, take=1, skip=rows)
                if more and len(prober.rows(connector, order, take=take)) == rows:
                    return f"yes, at {rows}"
            candidates.pop(0)
    if not longest:
        raise UnsettledError("no connector has a hundred rows.")
    return f"not up to {longest}"


def _stamped(prober: Prober) -> tuple[Sample, list[tuple[Group, str]]]:
    """Rows that can be found by their key, with their stamps: as many as go into a question."""
    for sample in prober.samples:
        stamp = sample.stamp
        found = [
            (sample.one_row(row), str(row[stamp]).removesuffix("Z"))
            for row in sample.findable
            if stamp is not None and row[stamp]
        ]
        while len(found) > 1 and not Query(sample.order, _versus(found, stamp or "", ">=", ".999"), len(found)).fits:
            found.pop()
        if found:
            return sample, found
    raise UnsettledError("no connector with a known key has a stamp.")


def _versus(
    found: list[tuple[Group, str]], stamp: str, operator: Operator, fraction: str = ""
) -> tuple[tuple[Condition, ...], ...]:
    return tuple((*group, Condition(stamp, operator, f"{wall}{fraction}")) for group, wall in found)


def _compared(prober: Prober, operator: Operator, fraction: str = "") -> int:
    """How many stamps are, for AFAS, before or after what it shows of them."""
    sample, found = _stamped(prober)
    where = _versus(found, sample.stamp or "", operator, fraction)
    return len(prober.rows(sample.connector, sample.order, where, take=len(found)))


def _display(prober: Prober) -> str:
    if any("." in wall for _, wall in _stamped(prober)[1]):
        return "shown with fractions"
    if _compared(prober, "<"):
        return "stored finer than shown, and rounded"
    return "stored finer than shown, and cut off" if _compared(prober, ">") else "compared as shown"


def _unit(prober: Prober) -> str:
    stamps = [str(row[one.stamp]).removesuffix("Z") for one in prober.samples if one.stamp for row in one.rows]
    walls = [stamp[:19] for stamp in stamps if stamp != "None"]
    if not walls:
        raise UnsettledError("no connector has a stamp.")
    return f"the {coarsest_unit(walls)}"


def _fractions(prober: Prober) -> str:
    _stamped(prober)
    try:
        return "taken, and not heeded" if _compared(prober, ">=", ".999") else "taken, and heeded"
    except ProfitError as error:
        return f"refused ({refusal(error)})"


def _days(prober: Prober) -> str:
    sample, _ = _stamped(prober)
    return asks(prober, sample, (), Condition(sample.stamp or "", ">=", "2000-01-01"))


def _booleans(prober: Prober) -> str:
    for sample in prober.samples:
        for field in sample.fields("boolean"):
            row = next((one for one in sample.findable if one[field.id] is True), None)
            if row is not None:
                found = []
                for word in ("true", "1"):
                    condition = Condition(field.id, "=", word)
                    answered = asks(prober, sample, (), *sample.one_row(row), condition) == "answered"
                    found += [word] if answered and finds(prober, sample, row, condition) else []
                return " and ".join(found) or "neither true nor 1"
    raise UnsettledError("no row with a known key has a boolean that is true.")


def _connector_case(prober: Prober) -> str:
    client, listed = prober.opened.connection.client, prober.environment.connectors
    others = (sample.connector.id.swapcase() for sample in prober.samples)
    other = next((one for one in others if one not in listed), None)
    if other is None:
        raise UnsettledError("no connector that was read has a letter in its id.")
    said = taken(lambda: client.connector(other))
    return "doesn't count" if said == "answered" else f"counts: {said}"


def _field_case(prober: Prober) -> str:
    for sample in prober.samples:
        other = sample.order[0].swapcase()
        if other not in sample.connector.fields:
            said = asks(prober, sample, (other,))
            return "doesn't count" if said == "answered" else f"counts: {said}"
    raise UnsettledError("no field that was read has a letter in its id.")


def _first(prober: Prober) -> Sample:
    if not prober.samples:
        raise UnsettledError("no connector could be read.")
    return prober.samples[0]


def _no_connector(prober: Prober) -> str:
    client = prober.opened.connection.client
    return taken(lambda: client.rows(_NOWHERE, Query((_NOWHERE,), take=1), patient=False))


def _no_order(prober: Prober) -> str:
    return asks(prober, _first(prober), (_NOWHERE,))


def _no_filter(prober: Prober) -> str:
    return asks(prober, _first(prober), (), Condition(_NOWHERE, "=", "1"))


def _no_number(prober: Prober) -> str:
    for sample in prober.samples:
        for field in sample.fields("int")[:1]:
            return asks(prober, sample, (), Condition(field.id, "=", _NOWHERE))
    raise UnsettledError("no connector that was read has a whole number.")


def _parallel(prober: Prober) -> str:
    most = prober.opened.connection.settings.max_parallel_requests
    chosen = prober.samples[:most]
    if len(chosen) < most or most == 1:
        raise UnsettledError("there are too few connectors, or one request at a time is set.")
    refused = prober.at_once(chosen)
    return f"{most} at once: " + (f"{len(refused)} refused ({refusal(refused[0])})" if refused else "none refused")


def _control_types(prober: Prober) -> str:
    seen: dict[str, set[int]] = {}
    for sample in prober.samples:
        for field in sample.connector.fields.values():
            seen.setdefault(field.data_type if field.data_type.isalpha() else "?", set()).add(field.control_type)
    return "; ".join(f"{name} {', '.join(map(str, sorted(seen[name])))}" for name in sorted(seen)) or "none"


def _replaced(prober: Prober) -> str:
    for sample in prober.samples:
        for row in sample.rows:
            if any(value in REPLACED for value in row.values() if isinstance(value, str)):
                return "seen"
    return "not seen"


POINTS = (
    Point("date", "Do answers have a `Date` header?", "either", _date),
    Point("environment", "Does `/metainfo` tell the environment?", "either", _environment),
    Point("token_expiry", "How is the token's end written?", "ISO, day-month-year, or year month day", _expiry),
    Point("take_cap", "Is `take` capped?", "either; a page that isn't full is asked on", _cap),
    Point("stamp_display", "How are stamps shown?", "any of these; it reads from earlier on", _display),
    Point("stamp_unit", "How finely are stamps shown?", "seconds, until they show otherwise", _unit),
    Point("stamp_fractions", "May a filter on a stamp have a fraction?", "it sends none", _fractions),
    Point("day_literal", "May a filter on a date be a day alone?", "it sends `T00:00:00`", _days),
    Point("empty_text", "What is an empty text in a row?", "either; it is emitted as it comes", probe_texts.empty),
    Point(
        "case", "Does case count where texts are compared?", "either; keys are checked as they come", probe_texts.case
    ),
    Point("accents", "Do accents count there?", "either; likewise", probe_texts.accents),
    Point("text_order", "In which order do texts come?", "any; AFAS' own counts", probe_texts.order),
    Point("wildcards", "What does “contains” take?", "plain text", probe_texts.wildcards),
    Point("booleans", "How is a boolean written in a filter?", "true", _booleans),
    Point(
        "connector_case", "Does case count in a connector's id?", "it writes them as `/metainfo` does", _connector_case
    ),
    Point("field_case", "Does case count in a field's id?", "it writes them as `/metainfo` does", _field_case),
    Point("unknown_connector", "A connector that there isn't?", "a refusal that is final", _no_connector),
    Point("unknown_order", "An order by a field that there isn't?", "a refusal that is final", _no_order),
    Point("unknown_filter", "A filter on a field that there isn't?", "a refusal that is final", _no_filter),
    Point("unfit_literal", "A text where a number belongs?", "a refusal that is final", _no_number),
    Point("parallel", "Are parallel calls refused?", "4 at once are fine; what is refused is asked again", _parallel),
    Point("control_types", "Which control types are there?", "4 is a day, 7 a time of day", _control_types),
    Point("replaced", "“(replaced)” in place of values?", "the field is gone where all rows have it", _replaced),
)
"""In the order in which they are asked and told."""

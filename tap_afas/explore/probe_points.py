"""The points that nobody documents, and how each is settled."""

from __future__ import annotations

import dataclasses
import datetime
import re
from typing import TYPE_CHECKING

from tap_afas.explore import probe_filters, probe_stamps, probe_texts
from tap_afas.explore.probe_answers import UnsettledError, asks, refusal, taken
from tap_afas.explore.prober import rows_of
from tap_afas.profit.errors import ProfitError
from tap_afas.profit.metainfo import REPLACED
from tap_afas.profit.query import Condition, Query

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_afas.explore.prober import Prober, Sample
    from tap_afas.profit.client import Answer

_STEPS = (100, 1_000, 5_000, 10_000, 20_000, 50_000)
_MINUTE = datetime.timedelta(minutes=1)
_NOWHERE = "tap_afas_probe"
_TAKE = re.compile(rb'"take"\s*:\s*(-?\d{1,9})\b')
_DOCUMENTED = {"id", "fieldId", "dataType", "label", "length", "controlType", "decimals", "decimalsFieldId"}
_NAME = re.compile(r"[A-Za-z]{1,30}")
_MIDNIGHT = "T00:00:00"
# Where programs count days from: what is on them is a time of day.
_FIRST_DAYS = ("1899-12-30", "1899-12-31", "1900-01-01", "0001-01-01")


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
    settings = prober.session.connection.settings
    candidates = sorted(prober.samples, key=lambda one: (-len(one.rows), len(one.connector.fields)))
    longest = 0
    for take in _STEPS:
        while candidates:
            sample = candidates[0]
            connector, order = sample.connector, sample.order
            if take <= max(settings.page_size_for(settings.stream(connector.id), len(connector.fields)), _STEPS[0]):
                try:
                    rows = len(sample.rows if take == _STEPS[0] else prober.rows(connector, order, take=take))
                except ProfitError as error:
                    return f"not up to {longest}; {take} are refused ({refusal(error)})"
                if rows >= take:
                    longest = take
                    break
                # Twice the same: or it may be a table that grows, and its number of rows the customer's.
                if rows and prober.rows(connector, order, take=1, skip=rows):
                    answer = prober.answer(connector, Query(order, take=take))
                    if len(rows_of(connector, answer)) == rows:
                        return f"yes, at {rows}; the answer tells {_echo(answer, take)}"
            candidates.pop(0)
    if not longest:
        raise UnsettledError("no connector has a hundred rows.")
    return f"not up to {longest}"


def _echo(answer: Answer, asked: int) -> str:
    told = _TAKE.search(answer.body)
    if told is None:
        return "none"
    return "the `take` that was asked for" if int(told[1]) == asked else "another `take`"


def _connector_case(prober: Prober) -> str:
    client, listed = prober.session.connection.client, prober.environment.connectors
    others = (sample.connector.id.swapcase() for sample in prober.samples)
    other = next((one for one in others if one not in listed), None)
    if other is None:
        raise UnsettledError("no connector that was read has a letter in its id.")
    said = taken(lambda: client.description(other))
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
    client = prober.session.connection.client
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
    most = prober.session.connection.settings.max_parallel_requests
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


def _days(prober: Prober) -> str:
    seen: dict[int, set[str]] = {}
    for sample in prober.samples:
        for field in sample.connector.fields.values():
            if field.data_type == "date":
                shown = {_form(str(row[field.id])) for row in sample.rows if row[field.id]}
                seen.setdefault(field.control_type, set()).update(shown)
    told = [f"{control}: {' and '.join(sorted(seen[control]))}" for control in sorted(seen) if seen[control]]
    if not told:
        raise UnsettledError("no field that was read has a date.")
    return "; ".join(told)


def _form(value: str) -> str:
    if value in REPLACED:
        return "“(replaced)”"
    if value[10:19] in {"", _MIDNIGHT}:
        return "days"
    return "times of day" if value.startswith(_FIRST_DAYS) else "moments"


def _code_values(prober: Prober) -> str:
    client, sample = prober.session.connection.client, _first(prober)
    told = client.description(sample.connector.id)
    fields = told.get("fields") if isinstance(told, dict) else None
    more = {name for one in fields or () if isinstance(one, dict) for name in one} - _DOCUMENTED
    return ", ".join(sorted(name if _NAME.fullmatch(name) else "?" for name in more)) or "nothing more"


def _old_decimals(prober: Prober) -> str:
    if not any(field.data_type == "decimal" for one in prober.samples for field in one.connector.fields.values()):
        raise UnsettledError("no connector that was read has a decimal.")
    return "seen" if any(sample.repaired for sample in prober.samples) else "not seen"


def _replaced(prober: Prober) -> str:
    seen = {
        field.data_type if field.data_type.isalpha() else "?"
        for sample in prober.samples
        for field in sample.connector.fields.values()
        if field.id in sample.gone
    }
    return f"seen, in fields of type {', '.join(sorted(seen))}" if seen else "not seen"


POINTS = (
    Point("date", "Do answers have a `Date` header?", "either", _date),
    Point("environment", "Does `/metainfo` tell the environment?", "either", _environment),
    Point("token_expiry", "How is the token's end written?", "ISO, day-month-year, or year month day", _expiry),
    Point("take_cap", "Is `take` capped?", "either; a page that isn't full is asked on", _cap),
    Point("stamp_display", "How are stamps shown?", "any of these; it reads from earlier on", probe_stamps.display),
    Point("stamp_unit", "How finely are stamps shown?", "seconds, until they show otherwise", probe_stamps.unit),
    Point("stamp_fractions", "May a filter on a stamp have a fraction?", "it sends none", probe_stamps.fractions),
    Point("zone_literal", "May it end in `Z`?", "it sends none", probe_stamps.zone),
    Point("day_literal", "May a filter on a date be a day alone?", "it sends `T00:00:00`", probe_stamps.day),
    Point("day_first_literal", "May a day be written `01-01-2000`?", "it writes years first", probe_stamps.day_first),
    Point("empty_text", "What is an empty text in a row?", "either; it is emitted as it comes", probe_texts.empty),
    Point("nulls_order", "Where do rows come that have no value to sort by?", "either", probe_filters.nulls_first),
    Point(
        "nulls_unequal", "Does “not equal” find rows without a value?", "it doesn't ask so", probe_filters.nulls_unequal
    ),
    Point(
        "case", "Does case count where texts are compared?", "either; keys are checked as they come", probe_texts.case
    ),
    Point("accents", "Do accents count there?", "either; likewise", probe_texts.accents),
    Point("text_order", "In which order do texts come?", "any; AFAS' own counts", probe_texts.order),
    Point("wildcards", "What do “contains”, “starts with” and “ends with” take?", "plain text", probe_texts.wildcards),
    Point("booleans", "How is a boolean written in a filter?", "true", probe_filters.booleans),
    Point("mixed", "`,` and `;` in the short filter: which binds tighter?", "it never mixes them", probe_filters.mixed),
    Point("comma", "May a value there have a comma?", "it writes `filterjson` then", probe_filters.comma),
    Point("json_single", "Does `filterjson` take objects for lists of one?", "it sends lists", probe_filters.single),
    Point("both_filters", "Do short filter and `filterjson` go together?", "it sends one of them", probe_filters.both),
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
    Point("days", "What do dates hold, by control type?", "4 days, 7 times of day, others moments", _days),
    Point("code_values", "What do descriptions tell of a field, besides what is documented?", "nothing", _code_values),
    Point("old_decimals", "Decimals that aren't JSON, such as `-.5`?", "either; they are mended", _old_decimals),
    Point("replaced", "“(replaced)” in place of values?", "the field is gone where all rows have it", _replaced),
)
"""In the order in which they are asked and told."""

NOT_ASKED = (
    ("Calls a minute or a day, and whether 429 is answered", "it would take very many questions"),
    ("A wrong or ended token", "a wrong one could lock somebody out; documented: 401"),
    ("A user that is blocked or has left, a licence that ends", "somebody would have to change them"),
    ("Stamps in the hour that October repeats", "rows would have to change in it"),
    ("Rows as XML or CSV, or asked by POST", "the tap only sends GET for JSON"),
    ("The fields of the HR connectors", "what is told holds no names"),
    ("How long a changed definition or filter is still answered as it was", "somebody would have to change one"),
)
"""What can't be settled by a few questions that only read: what, and why not."""

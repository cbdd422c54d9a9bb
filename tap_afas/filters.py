"""Filters from the settings: checked against the fields of the connector, and written as AFAS wants them."""

from __future__ import annotations

import datetime
import decimal
import re
from typing import TYPE_CHECKING, Any

from tap_afas.inputs import InputError
from tap_afas.profit.metainfo import kind_of
from tap_afas.profit.query import LONGEST_QUERY, Condition, Filter, Query, and_filters
from tap_afas.profit.wall_time import literal_of_time
from tap_afas.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_afas.profit.metainfo import Connector, Field, Kind
    from tap_afas.profit.wall_time import WallClock
    from tap_afas.settings import FilterCondition, Settings

_VALUELESS = {"empty", "not empty"}
_ON_TEXT = {"contains", "not contains", "starts with", "not starts with", "ends with", "not ends with"}
_BOOLEANS = {"true": "true", "1": "true", "false": "false", "0": "false"}
_MOST_DIGITS = 40
# A range, "contains", a tag or "empty" (with "!" not empty), "starts with", "ends with".
_PROFITS_SIGNS = re.compile(r"\S\.\.\S|\*|^!?\[.*\]$|^@|&$")
_PROFITS_OWN = (
    "looks like Profit's own notation, which the REST API doesn't know: write a range (`..`) as two conditions with >="
    " and <=, `*` as “contains” or “starts with”, `[]` as “empty”, and a tag such as [Vandaag] as a date."
)
# A literal as long as those that a walk compares with, and the largest numbers of a question.
_LITERAL = "9" * 20
_TAKE, _SKIP = 10**6, 10**9
_WORDS: dict[Kind, str] = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date such as 2024-03-31",
    "date-time": "a date and time such as 2024-03-31T09:30:00",
    "time": "a time of day such as 09:30:00",
}


class FilterError(InputError):
    """A `filter` names an unknown field, or an operator or value that doesn't go with the field."""


def read_filter(
    setting: tuple[FilterCondition | tuple[FilterCondition, ...], ...],
    connector: Connector,
    clock: WallClock,
    name: str = "`filter`",
) -> Filter:
    """The filter that `streams.<connector>.filter` describes.

    Args:
        setting: A list of conditions, or a list of such lists.
        connector: Whose fields it is about. Their types are AFAS' own: `types` is about what the tap makes of them.
        clock: Of AFAS' wall time.
        name: What it is called in errors.

    Raises:
        FilterError: An unknown field, an operator that doesn't go with it, or a value of another kind than the field.
    """
    if not setting:
        return ()
    groups = [entry for entry in setting if isinstance(entry, tuple)]
    conditions = tuple(entry for entry in setting if not isinstance(entry, tuple))
    if groups and conditions:
        raise FilterError(
            f"{connector.id}: {name} mixes conditions and lists of conditions: give one kind or the other."
        )
    try:
        return tuple(
            tuple(_condition(entry, connector, clock, name) for entry in group) for group in groups or [conditions]
        )
    except FilterError as error:
        raise FilterError(f"{connector.id}: {error}") from None


def split_filter(
    where: Filter, key: Sequence[str], stamp: str | None, connector: Connector, further: Sequence[str] = ()
) -> tuple[Filter, ...]:
    """Split a filter that is too long for one query into filters that fit, of which each is read for itself.

    That takes a key: rows that pass several of them come several times, and the key tells which came already.

    Args:
        where: The filter.
        key: The fields that the rows are read by; empty: they are read by offset.
        stamp: The replication key, if the rows are selected by one.
        connector: The connector.
        further: Further stamps, if the rows are selected by some.

    Raises:
        FilterError: AFAS would refuse the questions.
    """
    # Where they can be long, the parts leave room for it; where there is none, values may still be short.
    long = {field: "9" * max(len(_LITERAL), connector.fields[field].length) for field in key}
    parts: list[Filter] = []
    for group in where:
        more = (*parts[-1], group) if parts else (group,)
        if parts and key and _length(more, long, stamp, further) > LONGEST_QUERY:
            parts.append((group,))
        else:
            parts[-1:] = [more]
    literals = dict.fromkeys(key, _LITERAL)
    length = max((_length(part, literals, stamp, further) for part in parts), default=0)
    if length > LONGEST_QUERY:
        raise FilterError(
            f"{connector.id}: `filter` is too long: with it, a question has {length} characters, and AFAS takes"
            f" {LONGEST_QUERY}. Shorten it"
            + ("." if key else ", or set `primary_keys`: where AFAS can sort on them, its lists are asked in turn.")
        )
    return tuple(parts) or ((),)


def nothing_passed(settings: Settings, connector_id: str) -> str:
    """What to say where a connector's filter let no row through, without a value of it; empty where there is none."""
    setting = settings.stream(connector_id).filter
    if not setting:
        return ""
    conditions = [one for entry in setting for one in (entry if isinstance(entry, tuple) else (entry,))]
    odd = sorted({one.field for one in conditions if isinstance(one.value, str) and _is_profits(one.value)})
    said = f"No row passed the `filter`{' and `start_date`' if settings.start_date else ''}."
    return f"{said} The value for {' and '.join(odd)} {_PROFITS_OWN}" if odd else said


def _is_profits(value: str) -> bool:
    return _PROFITS_SIGNS.search(value.strip()) is not None


def with_longest_bounds(where: Filter, stamp: str | None, further: Sequence[str] = ()) -> Filter:
    """A filter with the longest conditions that a selection may add to it; for measuring only."""
    if not stamp:
        return where
    where = and_filters(where, ((Condition(stamp, ">=", _LITERAL), Condition(stamp, "<=", _LITERAL)),))
    # Of further stamps, one at a time; what else their selections leave out, they do where it fits.
    longest = max(further, key=len, default=None)
    return and_filters(where, ((Condition(longest, ">=", _LITERAL),),)) if longest else where


def _length(where: Filter, key: Mapping[str, str], stamp: str | None, further: Sequence[str] = ()) -> int:
    """The length in characters of the longest query with this filter, where keys have values like these."""
    if not key:
        return Query((), with_longest_bounds(where, stamp, further), _TAKE, _SKIP).length
    group = tuple(Condition(field, ">=", value) for field, value in key.items())
    if stamp is None:
        return Query(tuple(key), and_filters(where, (group,)), _TAKE).length
    page = Query(tuple(key), and_filters(where, ((*group, Condition(stamp, ">=", _LITERAL)),)), _TAKE)
    if further:
        page = Query(tuple(key), and_filters(with_longest_bounds(where, stamp, further), (group,)), _TAKE)
    highest = Query(
        (f"-{stamp}",), and_filters(with_longest_bounds(where, stamp), ((Condition(stamp, "not empty"),),)), take=1
    )
    return max(page.length, highest.length)


def _condition(entry: FilterCondition, connector: Connector, clock: WallClock, called: str) -> Condition:
    name, operator, value = entry.field, entry.operator, entry.value
    field = connector.fields.get(name)
    if field is None:
        meant = did_you_mean(name, connector.fields)
        raise FilterError(f"{called} names the field {name}, which the connector doesn't have.{meant}")
    if not field.filterable:
        raise FilterError(f"AFAS can't filter on {name}: it is a blob, or has an odd character in its id.")
    if operator in _VALUELESS:
        return Condition(name, operator)
    if value is None or value == "":
        raise FilterError(f"{called} compares {name} with nothing: give a `value`, or use the operator “empty”.")
    kind = kind_of(field)
    if operator in _ON_TEXT and kind != "string":
        raise FilterError(f"the operator “{operator}” in {called} is for text, and {name} is {_WORDS[kind]}.")
    if kind == "boolean" and operator not in {"=", "!="}:
        raise FilterError(f"the operator “{operator}” in {called} doesn't go with {name}, which is true or false.")
    return Condition(name, operator, _literal(value, field, clock, called))


def _literal(value: Any, field: Field, clock: WallClock, called: str) -> str:
    """The value in AFAS' notation."""
    kind = kind_of(field)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        if kind == "string":
            return text
        if kind == "boolean":
            return _BOOLEANS[text.lower()]
        if kind in {"integer", "number"}:
            return _number(text, whole=kind == "integer")
        if kind == "time":
            return literal_of_time(text.strip())
        moment = datetime.datetime.fromisoformat(text.strip())
        return clock.to_wall(moment) if moment.tzinfo else moment.isoformat(timespec="seconds")
    except (LookupError, ValueError, ArithmeticError):
        hint = f" It {_PROFITS_OWN}" if _is_profits(text) else ""
        raise FilterError(f"the value for {field.id} in {called} is not {_WORDS[kind]}.{hint}") from None


def _number(text: str, *, whole: bool) -> str:
    number = decimal.Decimal(text)
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS or (whole and number % 1):
        raise ValueError
    return f"{number:f}" if not whole else str(int(number))

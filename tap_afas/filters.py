"""Filters from the settings: checked against the fields of the connector, and written as AFAS wants them."""

from __future__ import annotations

import datetime
import decimal
from typing import TYPE_CHECKING, Any, get_args

from tap_afas.profit.query import Condition, Filter, Operator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_afas.profit.clock import Clock
    from tap_afas.profit.metainfo import Connector
    from tap_afas.schema import Kind

_VALUELESS = {"empty", "not empty"}
_ON_TEXT = {"contains", "not contains", "starts with", "not starts with", "ends with", "not ends with"}


class FilterError(Exception):
    """A filter that AFAS wouldn't understand, or would misunderstand; `str()` is a sentence for the person who runs the tap."""


def read_filter(setting: Any, connector: Connector, kinds: Mapping[str, Kind], clock: Clock) -> Filter:
    """The filter that `streams.<connector>.filter` describes.

    Args:
        setting: A list of conditions, or a list of such lists; its form has been checked.
        connector: Whose fields it is about.
        kinds: Of the fields.
        clock: Of AFAS' wall time.

    Raises:
        FilterError: An unknown field, an operator that doesn't go with it, or a value that is none.
    """
    if not setting:
        return ()
    groups = setting if all(isinstance(group, list) for group in setting) else [setting]
    if any(isinstance(condition, list) for group in groups for condition in group):
        raise FilterError(
            f"{connector.id}: `filter` mixes conditions and lists of conditions: give one kind or the other."
        )
    return tuple(tuple(_condition(entry, connector, kinds, clock) for entry in group) for group in groups)


def _condition(entry: Mapping[str, Any], connector: Connector, kinds: Mapping[str, Kind], clock: Clock) -> Condition:
    name, operator, value = entry["field"], entry["operator"], entry.get("value")
    assert operator in get_args(Operator)  # noqa: S101 - the settings' schema says so
    field = connector.fields.get(name)
    if field is None:
        raise FilterError(f"{connector.id}: `filter` names the field {name}, which the connector doesn't have.")
    if not field.sortable:
        raise FilterError(
            f"{connector.id}: AFAS can't filter on {name} (a blob, a text of over 250 characters, or an odd character in its id)."
        )
    if operator in _VALUELESS:
        return Condition(name, operator)
    if value is None:
        raise FilterError(
            f"{connector.id}: `filter` compares {name} with nothing: give a `value`, or use the operator empty."
        )
    kind = kinds[name]
    if operator in _ON_TEXT and kind != "string":
        raise FilterError(f"{connector.id}: the operator “{operator}” in `filter` is for text, and {name} is not text.")
    if kind == "boolean" and operator not in {"=", "!="}:
        raise FilterError(
            f"{connector.id}: the operator “{operator}” in `filter` doesn't go with {name}, which is true or false."
        )
    try:
        return Condition(name, operator, _literal(value, kind, clock))
    except (ValueError, ArithmeticError):
        raise FilterError(f"{connector.id}: the value for {name} in `filter` can't be read as {kind}.") from None


def _literal(value: Any, kind: Kind, clock: Clock) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "string":
        return text
    if kind == "boolean":
        return {"true": "true", "1": "true", "false": "false", "0": "false"}.get(text.lower()) or _fail()
    if kind in {"integer", "number"}:
        number = decimal.Decimal(text)
        if (
            isinstance(value, bool)
            or not number.is_finite()
            or (kind == "integer" and number != number.to_integral_value())
        ):
            return _fail()
        return f"{number:f}"
    moment = datetime.datetime.fromisoformat(text)
    return clock.to_wall(moment) if moment.tzinfo else moment.isoformat()[:19]


def _fail() -> str:
    raise ValueError

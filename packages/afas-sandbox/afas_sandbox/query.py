"""What a query string asks of a GetConnector, or the refusal it meets."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import json
import re
import urllib.parse
from typing import TYPE_CHECKING, Any

from afas_sandbox.collation import weigh
from afas_sandbox.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from afas_sandbox.model import Connector, Field

EQUAL, AT_LEAST, AT_MOST, MORE, LESS, CONTAINS, UNEQUAL, EMPTY, NOT_EMPTY = range(1, 10)
STARTS, NOT_CONTAINS, NOT_STARTS, ENDS, NOT_ENDS, QUICK = range(10, 16)

COMPARISONS = {EQUAL: "=", AT_LEAST: ">=", AT_MOST: "<=", MORE: ">", LESS: "<", UNEQUAL: "<>"}
"""The operators that compare, as SQL writes them."""

_LONGEST_SORTABLE = 250
_ID = re.compile(r"[A-Za-z0-9_-]+")
_INT = re.compile(r"[+-]?\d{1,18}")
_DECIMAL = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,20})?|\.\d{1,20})")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d)?")
_BOOLEANS = {"true": 1, "1": 1, "false": 0, "0": 0}
_DEFAULT_TAKE = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Term:
    """One condition.

    Attributes:
        position: Where in a row the field stands.
        field: The field.
        operator: 1 to 15.
        value: What to compare with: a decimal as its sortable text, a text as it was sent.
    """

    position: int
    field: Field
    operator: int
    value: str | int


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """One field to sort by."""

    position: int
    field: Field
    descending: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Query:
    """What is asked.

    Attributes:
        skip: As sent, for the echo.
        take: As sent, for the echo.
        order: The fields to sort by.
        groups: The rows for which all terms of one of these groups hold; none: every row.
    """

    skip: int = 0
    take: int = _DEFAULT_TAKE
    order: tuple[Order, ...] = ()
    groups: tuple[tuple[Term, ...], ...] = ()

    @property
    def offset(self) -> int:
        """How many rows to pass over."""
        return max(self.skip, 0)

    @property
    def limit(self) -> int | None:
        """How many rows at most; a `take` of 0 has been seen to give one row."""
        return None if self.take == -1 else max(self.take, 1)

    def within(self, other: Query) -> Query:
        """Likewise, of the rows that another query lets through."""
        return dataclasses.replace(self, groups=_both(self.groups, other.groups))


def parameters(query: str) -> dict[str, str]:
    """The decoded parts of a query string; names in lower case, the last of equal names counts."""
    found: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name:
            found[urllib.parse.unquote_plus(name).lower()] = urllib.parse.unquote_plus(value)
    return found


def parse(connector: Connector, asked: Mapping[str, str]) -> Query:
    """Understand the parameters of a request for rows.

    Raises:
        RefusedError: AFAS would refuse them.
    """
    skip, take = _page(asked)
    return Query(skip, take, _order(connector, asked.get("orderbyfieldids", "")), _groups(connector, asked))


def _page(asked: Mapping[str, str]) -> tuple[int, int]:
    try:
        skip = int(asked.get("skip") or 0)
        take = int(asked.get("take") or _DEFAULT_TAKE)
    except ValueError:
        raise RefusedError("unexpected") from None
    if (skip == -1) != (take == -1) or take < -1:
        raise RefusedError("unexpected")
    return skip, take


def _order(connector: Connector, ids: str) -> tuple[Order, ...]:
    orders = []
    for part in ids.split(",") if ids else ():
        descending = part.startswith("-")
        position, field = _field(connector, part.removeprefix("-"))
        if field.data_type == "string" and field.length > _LONGEST_SORTABLE:
            raise RefusedError("invalid_index")
        orders.append(Order(position, field, descending))
    return tuple(orders)


def _field(connector: Connector, field_id: str) -> tuple[int, Field]:
    try:
        position = connector.position(field_id)
    except KeyError:
        raise RefusedError("field_not_found", field_id) from None
    field = connector.fields[position]
    if field.data_type == "blob" or not _ID.fullmatch(field_id):
        raise RefusedError("invalid_index")
    return position, field


def _groups(connector: Connector, asked: Mapping[str, str]) -> tuple[tuple[Term, ...], ...]:
    compact = _compact(connector, asked)
    structured = _structured(connector, asked.get("filterjson", ""))
    return _both(compact, structured)


def _both(some: tuple[tuple[Term, ...], ...], others: tuple[tuple[Term, ...], ...]) -> tuple[tuple[Term, ...], ...]:
    if some and others:
        return tuple(one + other for one, other in itertools.product(some, others))
    return some or others


def _compact(connector: Connector, asked: Mapping[str, str]) -> tuple[tuple[Term, ...], ...]:
    ids = asked.get("filterfieldids", "")
    if not ids:
        return ()
    lists = [
        [group.split(",") for group in listed.split(";")]
        for listed in (ids, asked.get("filtervalues", ""), asked.get("operatortypes", ""))
    ]
    if len({tuple(map(len, groups)) for groups in lists}) > 1:
        raise RefusedError("unexpected")
    return tuple(
        tuple(_term(connector, field_id, operator, value) for field_id, value, operator in zip(*group, strict=True))
        for group in zip(*lists, strict=True)
    )


def _structured(connector: Connector, text: str) -> tuple[tuple[Term, ...], ...]:
    if not text:
        return ()
    try:
        filters = json.loads(text)["Filters"]["Filter"]
        listed = [[_parts(field) for field in _list(one["Field"])] for one in _list(filters)]
    except (ValueError, KeyError, TypeError):
        raise RefusedError("unexpected") from None
    return tuple(
        tuple(_term(connector, field_id, operator, value) for field_id, operator, value in group) for group in listed
    )


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _parts(field: dict[str, Any]) -> tuple[str, str, str]:
    parts = field["@FieldId"], field["@OperatorType"], field.get("#text", "")
    if not all(isinstance(part, str) for part in parts):
        raise TypeError
    return parts


def _term(connector: Connector, field_id: str, operator: str, value: str) -> Term:
    position, field = _field(connector, field_id)
    if not operator.isdecimal() or not EQUAL <= int(operator) <= QUICK:
        raise RefusedError("unexpected")
    code = int(operator)
    if code in COMPARISONS:
        return Term(position, field, code, _value(field, value))
    return Term(position, field, code, value)


def _value(field: Field, text: str) -> str | int:
    found: str | int | None
    match field.data_type:
        case "int":
            found = int(text) if _INT.fullmatch(text) else None
        case "decimal":
            found = weigh(text) if _DECIMAL.fullmatch(text) else None
        case "boolean":
            found = _BOOLEANS.get(text.lower())
        case "date":
            found = _date(text)
        case _:
            found = text
    if found is None:
        raise RefusedError("unexpected")
    return found


def _date(text: str) -> str | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        return dt.datetime.fromisoformat(text).isoformat(timespec="milliseconds")
    except ValueError:
        return None

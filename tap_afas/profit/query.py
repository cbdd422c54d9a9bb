"""What to ask a GetConnector: conditions, order and page, and the query string that says so.

Two notations exist (docs.afas.help, "GetConnector"): the compact lists `filterfieldids`, `filtervalues` and
`operatortypes`, and `filterjson`. Compact lists are short, but have no way to write a `,` or `;` inside a value, mixing
AND with OR is ambiguous in them, and AFAS' own OpenAPI files know one operator there: they carry one condition.
`filterjson` carries all, as an OR of ANDs.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args
from urllib.parse import quote

from tap_afas.profit.errors import QueryTooLongError

if TYPE_CHECKING:
    from collections.abc import Sequence

Operator = Literal[
    "=",
    "!=",
    ">",
    ">=",
    "<",
    "<=",
    "contains",
    "not contains",
    "starts with",
    "not starts with",
    "ends with",
    "not ends with",
    "empty",
    "not empty",
]
OPERATORS: tuple[Operator, ...] = get_args(Operator)

# docs.afas.help, "GetConnector", filter operators; 15 (the quick filter) is left out: it is slow and not exact.
_NUMBERS: dict[Operator, int] = {
    "=": 1,
    ">=": 2,
    "<=": 3,
    ">": 4,
    "<": 5,
    "contains": 6,
    "!=": 7,
    "empty": 8,
    "not empty": 9,
    "starts with": 10,
    "not contains": 11,
    "not starts with": 12,
    "ends with": 13,
    "not ends with": 14,
}

# Operators 8 and 9 need a value all the same; this is what AFAS' own tool sends.
_NO_VALUE = "[is leeg]"

LONGEST_QUERY = 2049
"""Characters of a query string, the `?` included; one more and AFAS answers 404 (docs.afas.help, "GetConnector")."""


@dataclasses.dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a field with a value in AFAS' notation (dates as wall time without `Z`)."""

    field: str
    operator: Operator
    value: str = ""


Group: TypeAlias = tuple[Condition, ...]
"""Conditions that must all hold."""

Filter: TypeAlias = tuple[Group, ...]
"""Groups of which one must hold; empty: every row."""


def and_filters(left: Filter, right: Filter) -> Filter:
    """Rows that pass both filters: `(a or b) and c` as `(a and c) or (b and c)`."""
    if not left or not right:
        return left or right
    return tuple((*one, *other) for one in left for other in right)


@dataclasses.dataclass(frozen=True, slots=True)
class Query:
    """One page of rows to ask for.

    Attributes:
        order: Fields to sort by, ascending, or with `-` before their id descending. AFAS calls an order mandatory:
            without one, two calls may differ in theirs.
        filter: Which rows.
        take: How many rows at most.
        skip: How many rows of that order to pass over.
    """

    order: tuple[str, ...]
    filter: Filter = ()
    take: int = 100
    skip: int = 0

    @property
    def length(self) -> int:
        """Characters of the query string, the `?` included."""
        return len(self._text())

    @property
    def fits(self) -> bool:
        """Whether AFAS takes a query string of this length."""
        return self.length <= LONGEST_QUERY

    def encode(self) -> str:
        """The query string, from the `?` on.

        Raises:
            QueryTooLongError: AFAS would answer 404.
        """
        text = self._text()
        if len(text) > LONGEST_QUERY:
            raise QueryTooLongError(
                f"The question is {len(text)} characters long, and AFAS takes {LONGEST_QUERY} (it would answer 404).",
                "Shorten the filter in `streams.<connector>.filter`, or the list of `primary_keys`.",
            )
        return text

    def _text(self) -> str:
        parts = [
            f"skip={self.skip}",
            f"take={self.take}",
            f"orderbyfieldids={_names(self.order)}",
            *self._encode_filter(),
        ]
        return "?" + "&".join(parts)

    def _encode_filter(self) -> list[str]:
        if not self.filter:
            return []
        conditions = [condition for group in self.filter for condition in group]
        if len(conditions) == 1 and _fits_compact(conditions[0]):
            (only,) = conditions
            return [
                f"filterfieldids={quote(only.field, safe=':')}",
                f"filtervalues={quote(_NO_VALUE if _has_no_value(only) else only.value, safe=':')}",
                f"operatortypes={_NUMBERS[only.operator]}",
            ]
        groups = [
            {"@FilterId": str(number), "Field": [_as_json(condition) for condition in group]}
            for number, group in enumerate(self.filter, start=1)
        ]
        text = json.dumps({"Filters": {"Filter": groups}}, ensure_ascii=False, separators=(",", ":"))
        return [f"filterjson={quote(text, safe=',:@')}"]

    def __str__(self) -> str:
        """The query in words, for logs and errors; without values, which may be personal data."""
        words = [f"order {', '.join(self.order)}", f"take {self.take}"]
        if self.skip:
            words.append(f"skip {self.skip}")
        if self.filter:
            groups = (
                " and ".join(f"{condition.field} {condition.operator}" for condition in group) for group in self.filter
            )
            words.insert(0, f"where {' or '.join(groups)}")
        return ", ".join(words)


def _has_no_value(condition: Condition) -> bool:
    return condition.operator in {"empty", "not empty"}


def longest_fitting_query(
    order: tuple[str, ...], where: Filter, groups: Sequence[Group], take: int, skip: int
) -> tuple[Query, int]:
    """The query for rows that pass a filter and one of the first groups: as many groups as fit into its length.

    Returns:
        The query, and of how many groups: as many as the query string holds, and one at least.
    """
    for count in range(len(groups), 0, -1):
        query = Query(order, and_filters(where, tuple(filter(None, groups[:count]))), take, skip)
        if query.fits or count == 1:
            break
    return query, count


def _fits_compact(condition: Condition) -> bool:
    if "," in condition.field or ";" in condition.field:
        return False
    return _has_no_value(condition) or (condition.value != "" and not set(condition.value) & set(",;"))


def _as_json(condition: Condition) -> dict[str, str]:
    value = _NO_VALUE if _has_no_value(condition) else condition.value
    return {"@FieldId": condition.field, "@OperatorType": str(_NUMBERS[condition.operator]), "#text": value}


def _names(names: Sequence[str]) -> str:
    return ",".join(quote(name, safe=":") for name in names)

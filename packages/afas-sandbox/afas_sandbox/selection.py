"""A query as SQL: which rows, in which order.

The walks of a careful client (`a > 1, or a = 1 and b >= 5`, ordered by `a, b`) must start where they say in an index of
millions of rows. SQLite doesn't see that in an OR, so the bound it implies, `(a, b) >= (1, 5)`, is written beside it.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal, TypeAlias

from afas_sandbox.collation import COLLATIONS
from afas_sandbox.query import (
    AT_LEAST,
    COMPARISONS,
    CONTAINS,
    EMPTY,
    ENDS,
    EQUAL,
    MORE,
    NOT_CONTAINS,
    NOT_EMPTY,
    NOT_ENDS,
    NOT_STARTS,
    QUICK,
    STARTS,
    Order,
    Query,
    Term,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from afas_sandbox.options import Collation
    from afas_sandbox.sides import Sides

_Mark: TypeAlias = tuple[int, str | int]
_BELOW_ALL: _Mark = (0, 0)
_ABOVE_ALL: _Mark = (2, 0)

_NEGATED = {NOT_CONTAINS: CONTAINS, NOT_STARTS: STARTS, NOT_ENDS: ENDS}
_PRIME = 2147483647


@dataclasses.dataclass(frozen=True, slots=True)
class Selection:
    """Which rows of a table, in SQL.

    Attributes:
        where: What must hold for them.
        values: The values in it.
        order: Their order: what to sort by, and whether down. No two rows have the same place in it.
        limit: How many at most.
        offset: How many to pass over first.
    """

    where: str
    values: tuple[str | int | None, ...]
    order: tuple[tuple[str, bool], ...]
    limit: int | None
    offset: int

    @property
    def order_by(self) -> str:
        """The order in SQL."""
        return ", ".join(f"{sql} {'DESC' if down else 'ASC'}" for sql, down in self.order)

    def behind(self, place: Sequence[str | int | None], rows: int) -> Selection:
        """What comes behind so many rows, the last of which has this place in the order."""
        alternatives: list[str] = []
        values: list[str | int | None] = []
        for depth, (last, (sql, down)) in enumerate(zip(place, self.order, strict=True)):
            equal = [f"{one} IS ?" for one, _ in self.order[:depth]]
            # Nothing comes first, or last when it goes down.
            if last is None:
                later, bound = ("0" if down else f"{sql} IS NOT NULL"), []
            else:
                later, bound = (f"({sql} < ? OR {sql} IS NULL)" if down else f"{sql} > ?"), [last]
            alternatives.append(" AND ".join([*equal, later]))
            values += [*place[:depth], *bound]
        where = f"({self.where}) AND ({' OR '.join(alternatives)})"
        limit = None if self.limit is None else self.limit - rows
        return dataclasses.replace(self, where=where, values=(*self.values, *values), limit=limit, offset=0)


@dataclasses.dataclass(frozen=True, slots=True)
class DatabaseHabits:
    """What the database does as it pleases.

    Attributes:
        wildcards: Whether "contains" and the like take `%` and need it.
        shuffle: Rows without an order come in another order at every call.
        shuffle_ties: So do rows about which the order says nothing.
    """

    wildcards: Literal["plain", "percent"] = "plain"
    shuffle: bool = True
    shuffle_ties: bool = True


def select(query: Query, sides: Sides, habits: DatabaseHabits, chance: random.Random) -> Selection:
    """A query in SQL.

    Args:
        query: The query; its limit is the selection's.
        sides: Tells by what each field is compared and sorted.
        habits: What the database does as it pleases.
        chance: For what it does in no order.
    """
    where, values = _where(query, sides, habits)
    return Selection(where, tuple(values), _order(query, sides, habits, chance), query.limit, query.offset)


def _where(query: Query, sides: Sides, habits: DatabaseHabits) -> tuple[str, list[str | int]]:
    if not query.groups:
        return "1", []
    # What all alternatives have in common stands apart, where SQLite can see it.
    common = [term for term in query.groups[0] if all(term in group for group in query.groups)]
    groups = [[term for term in group if term not in common] for group in query.groups]
    pieces: list[str] = []
    values: list[str | int] = []
    if len(groups) > 1 and (bound := _bound(query, sides)):
        columns = ", ".join(sides.compared(order.position) for order in query.order[: len(bound)])
        pieces.append(f"({columns}) >= ({', '.join('?' * len(bound))})")
        values += bound
    for term in common:
        sql, compared = _condition(term, sides, habits)
        pieces.append(sql)
        values += compared
    alternatives = []
    for group in groups:
        conditions = [_condition(term, sides, habits) for term in group]
        alternatives.append(" AND ".join(sql for sql, _ in conditions) or "1")
        values += [value for _, compared in conditions for value in compared]
    if len(groups) > 1:
        # The plus keeps SQLite from looking up each alternative by itself and sorting what comes together.
        pieces.append("+(" + " OR ".join(f"({one})" for one in alternatives) + ")")
    return " AND ".join(pieces) or "1", values


def _order(query: Query, sides: Sides, habits: DatabaseHabits, chance: random.Random) -> tuple[tuple[str, bool], ...]:
    order = [(sides.compared(one.position), one.descending) for one in query.order]
    shuffled = f"(n * {chance.randrange(1, _PRIME)} + {chance.randrange(_PRIME)}) % {_PRIME}"
    last = shuffled if (habits.shuffle_ties if order else habits.shuffle) else "n"
    return (*order, (last, False))


def matches(
    text: str | int | None, operator: int, value: str, percent: int, collation: Collation = "ci_as"
) -> bool | None:
    """Whether a text contains, starts or ends with a value; unknown for null."""
    if text is None:
        return None
    if operator in _NEGATED:
        return not matches(text, _NEGATED[operator], value, percent, collation)
    plain = COLLATIONS[collation].plain
    there, wanted = plain(str(text)), plain(value)
    if percent and operator != QUICK:
        return _like(there, wanted)
    if operator == STARTS:
        return there.startswith(wanted)
    if operator == ENDS:
        return there.rstrip(" ").endswith(wanted.rstrip(" "))
    return wanted in there


def _like(there: str, pattern: str) -> bool:
    first, *middle = pattern.split("%")
    if not middle:
        return there == first
    *between, last = middle
    if not there.startswith(first) or not there.endswith(last) or len(there) < len(first) + len(last):
        return False
    rest = there[len(first) : len(there) - len(last)]
    for part in between:
        _, found, rest = rest.partition(part) if part else ("", "yes", rest)
        if not found:
            return False
    return True


def _condition(term: Term, sides: Sides, habits: DatabaseHabits) -> tuple[str, list[str | int]]:
    stored = f"c{term.position}"
    textual = term.field.data_type == "string"
    if term.operator == EMPTY:
        return (f"({stored} IS NULL OR {stored} = '')" if textual else f"{stored} IS NULL"), []
    if term.operator == NOT_EMPTY:
        return (f"({stored} <> '')" if textual else f"{stored} IS NOT NULL"), []
    if term.operator in COMPARISONS:
        return f"{sides.compared(term.position)} {COMPARISONS[term.operator]} ?", [sides.comparable(term)]
    percent = int(habits.wildcards == "percent")
    held, collation = sides.held(term.position), sides.options.collation
    return f"matches({held}, {term.operator}, ?, {percent}, '{collation}')", [term.value]


def _bound(query: Query, sides: Sides) -> list[str | int]:
    """The values from which on rows in this order can match at all, as far as they can be told."""
    lowest = min(_group_bound(group, query.order, sides) for group in query.groups)
    known = []
    for mark in lowest:
        if mark in {_BELOW_ALL, _ABOVE_ALL}:
            break
        known.append(mark[1])
    return known


def _group_bound(group: tuple[Term, ...], orders: tuple[Order, ...], sides: Sides) -> tuple[_Mark, ...]:
    marks: list[_Mark] = []
    for order in orders:
        terms = [] if order.descending else [term for term in group if term.position == order.position]
        exact = next((term for term in terms if term.operator == EQUAL), None)
        if exact:
            marks.append((1, sides.comparable(exact)))
            continue
        start = next((term for term in terms if term.operator in {MORE, AT_LEAST}), None)
        if start is None:
            break
        marks += [(1, sides.comparable(start)), _ABOVE_ALL if start.operator == MORE else _BELOW_ALL]
        return tuple(marks)
    return (*marks, _BELOW_ALL)

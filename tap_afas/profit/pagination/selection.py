"""Which rows a walk reads. The stamp selects; the order is the walk's."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeAlias

from tap_afas.profit.pagination.errors import MisbehavedError
from tap_afas.profit.query import Condition, Filter, Group, Query, and_filters
from tap_afas.profit.wall_time import SECONDS, Unit, shift

if TYPE_CHECKING:
    from collections.abc import Sequence


Stamp: TypeAlias = Any
"""A wall time without its `Z` (text), or the value of an int replication key. Stamps of one stream compare."""


@dataclasses.dataclass(frozen=True, slots=True)
class Selection:
    """Some rows of a connector.

    Attributes:
        name: `all`, `changed` or `empty`; the place in the STATE names it.
        stamp: The stamp's field; empty where none selects.
        groups: The conditions, besides the filter of the settings.
        low: No row bears an earlier stamp.
        high: No row bears a later one.
        empty: Whether rows may have an empty stamp.
    """

    name: str
    stamp: str = ""
    groups: Filter = ()
    low: Stamp = None
    high: Stamp = None
    empty: bool = True

    def where(self, filter_: Filter) -> Filter:
        """The rows that a filter lets through as well."""
        return and_filters(filter_, self.groups)

    def check(self, query: Query, stamps: Sequence[Stamp], unit: Unit) -> None:
        """Check that rows lie in the selection.

        A row may be stored finer than shown, and so be shown up to a unit below the low end, or above the high one.

        Raises:
            MisbehavedError: They don't.
        """
        if not self.groups:
            return
        filled = [stamp for stamp in stamps if stamp is not None]
        if len(filled) < len(stamps) and not self.empty:
            raise MisbehavedError(f"AFAS sends rows with an empty {self.stamp}. Asked: {query}.")
        if filled and self.low is None and self.high is None and self.name == "empty":
            raise MisbehavedError(
                f"AFAS sends rows with a {self.stamp} where it was asked for those without. Asked: {query}."
            )
        if filled and self.low is not None and _earlier(low := min(filled), self.low, unit):
            raise MisbehavedError(
                f"AFAS sends rows with {self.stamp} {low}, from before the asked {self.low}. Asked: {query}."
            )
        if filled and self.high is not None and _earlier(self.high, high := max(filled), unit):
            raise MisbehavedError(
                f"AFAS sends rows with {self.stamp} {high}, from behind the asked {self.high}. Asked: {query}."
            )


def _earlier(stamp: Stamp, other: Stamp, unit: Unit) -> bool:
    """Whether a stamp lies before another by more than a unit."""
    return bool(stamp < (other if isinstance(other, int) else shift(other, -SECONDS[unit])))


def all_rows() -> Selection:
    """All rows that the filter lets through."""
    return Selection("all")


def changed_since(stamp: str, low: Stamp, *, or_empty: bool = False) -> Selection:
    """The rows with a stamp at or after a low end, and where asked those with an empty one."""
    groups: Filter = ((Condition(stamp, ">=", str(low)),),)
    if or_empty:
        groups = (*groups, (Condition(stamp, "empty"),))
    return Selection("changed", stamp, groups, low=low, empty=or_empty)


def empty_stamp(stamp: str) -> Selection:
    """The rows with an empty stamp."""
    return Selection("empty", stamp, ((Condition(stamp, "empty"),),))


def stamps_between(stamp: str, low: Stamp, high: Stamp, *, behind: bool) -> Selection:
    """The rows with a stamp up to and with a high end: behind a low one, or from it on, or all where it is None."""
    group: Group = (Condition(stamp, "<=", str(high)),)
    if low is not None:
        group = (Condition(stamp, ">" if behind else ">=", str(low)), *group)
    return Selection("changed", stamp, (group,), low=low, high=high, empty=False)


def highest_stamp_query(stamp: str, selection: Selection, filter_: Filter, cap: Stamp) -> Query:
    """The one row of a selection with the highest stamp, at or before a cap (None: whatever it is)."""
    group: Group = (Condition(stamp, "not empty"),)
    if cap is not None:
        group = (*group, Condition(stamp, "<=", str(cap)))
    groups = tuple(one for one in selection.groups if one != (Condition(stamp, "empty"),))
    return Query((f"-{stamp}",), and_filters(and_filters(filter_, groups), (group,)), take=1)

"""Which rows of a connector a scan reads: all, those with a stamp from a lower bound on, or those without a stamp."""

from __future__ import annotations

import dataclasses
import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from tap_afas.profit.pagination.errors import MisbehavedError
from tap_afas.profit.query import Condition, Filter, Group, Query, and_filters
from tap_afas.profit.wall_time import SECONDS, Unit, shift

if TYPE_CHECKING:
    from collections.abc import Sequence


_DAY = datetime.timedelta(days=1)

Stamp: TypeAlias = Any
"""A wall time without its `Z` (text), or the value of an int replication key. Stamps of one stream compare."""


@dataclasses.dataclass(frozen=True, slots=True)
class Selection:
    """The conditions for the rows that a scan reads, and the bounds that their stamps must keep.

    Attributes:
        name: `all`, `changed`, `empty` or `days`; `place` in the STATE holds it.
        stamp: The stamp's field; empty where none selects.
        groups: The conditions, besides the filter of the settings.
        low: The earliest stamp among its rows may be this; None: no bound.
        high: The latest stamp among its rows may be this; None: no bound.
        empty: Whether rows may have an empty stamp.
    """

    name: str
    stamp: str = ""
    groups: Filter = ()
    low: Stamp = None
    high: Stamp = None
    empty: bool = True

    def where(self, filter_: Filter) -> Filter:
        """The filter to ask with: the selection's conditions and those of `filter_`."""
        return and_filters(filter_, self.groups)

    def check(self, query: Query, stamps: Sequence[Stamp], unit: Unit) -> None:
        """Check that the stamps of a page lie within the selection.

        A row may be stored finer than shown, and so be shown up to a unit before the lower bound, or after the upper.

        Raises:
            MisbehavedError: One lies outside.
        """
        if not self.groups:
            return
        filled = [stamp for stamp in stamps if stamp is not None]
        if len(filled) < len(stamps) and not self.empty:
            raise MisbehavedError(
                f"AFAS sends rows with an empty {self.stamp}, which the query excludes. Asked: {query}."
            )
        if filled and self.low is None and self.high is None and self.name == "empty":
            raise MisbehavedError(
                f"AFAS sends rows with a {self.stamp}, though only those without one were asked for. Asked: {query}."
            )
        if filled and self.low is not None and is_earlier(low := min(filled), self.low, unit):
            raise MisbehavedError(
                f"AFAS sends rows with {self.stamp} {low}, earlier than the {self.low} asked for. Asked: {query}."
            )
        if filled and self.high is not None and is_earlier(self.high, high := max(filled), unit):
            raise MisbehavedError(
                f"AFAS sends rows with {self.stamp} {high}, later than the {self.high} asked for. Asked: {query}."
            )


def is_earlier(stamp: Stamp, other: Stamp, unit: Unit) -> bool:
    """Whether a stamp lies before another by more than a unit."""
    return bool(stamp < (other if isinstance(other, int) else shift(other, -SECONDS[unit])))


def all_rows() -> Selection:
    """All rows; only the filter of the settings counts."""
    return Selection("all")


def changed_since(stamp: str, low: Stamp, *, or_empty: bool = False) -> Selection:
    """The rows with a stamp at or after `low`, and with `or_empty` those without a stamp too."""
    groups: Filter = ((Condition(stamp, ">=", str(low)),),)
    if or_empty:
        groups = (*groups, (Condition(stamp, "empty"),))
    return Selection("changed", stamp, groups, low=low, empty=or_empty)


def empty_stamp(stamp: str) -> Selection:
    """The rows without a stamp."""
    return Selection("empty", stamp, ((Condition(stamp, "empty"),),))


def filled_stamp(stamp: str) -> Selection:
    """The rows with a stamp."""
    return Selection("changed", stamp, ((Condition(stamp, "not empty"),),), empty=False)


def stamps_between(stamp: str, low: Stamp, high: Stamp, *, behind: bool) -> Selection:
    """The rows with a stamp from `low` (None: the first) to `high`, both included; `behind` leaves out `low` itself."""
    group: Group = (Condition(stamp, "<=", str(high)),)
    if low is not None:
        group = (Condition(stamp, ">" if behind else ">=", str(low)), *group)
    return Selection("changed", stamp, (group,), low=low, high=high, empty=False)


def on_days(field: str, days: Sequence[str]) -> Selection:
    """The rows of some days, such as `2024-03-31`.

    A day is asked for by its bounds, and days that follow each other by theirs: `=` would leave out what is stored with
    a time of day.
    """
    groups: list[Group] = []
    first = last = None
    for day in [*sorted({datetime.date.fromisoformat(one) for one in days}), None]:
        if last is not None and day != last + _DAY:
            groups.append((Condition(field, ">=", _midnight(first)), Condition(field, "<", _midnight(last + _DAY))))
            first = None
        first, last = first or day, day
    return Selection("days", groups=tuple(groups))


def _midnight(day: datetime.date | None) -> str:
    return f"{day}T00:00:00"


def highest_stamp_query(stamp: str, selection: Selection, filter_: Filter, cap: Stamp) -> Query:
    """The query for one row: the one with the highest stamp of a selection, at or before `cap` (None: no bound)."""
    group: Group = (Condition(stamp, "not empty"),)
    if cap is not None:
        group = (*group, Condition(stamp, "<=", str(cap)))
    groups = tuple(one for one in selection.groups if one != (Condition(stamp, "empty"),))
    return Query((f"-{stamp}",), and_filters(and_filters(filter_, groups), (group,)), take=1)

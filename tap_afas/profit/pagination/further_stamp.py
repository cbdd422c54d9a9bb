"""A further stamp of a connector, as where it joins tables that have one each: which rows it selects."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from tap_afas.profit.pagination.selection import changed_since, filled_stamp
from tap_afas.profit.query import Condition, Filter, and_filters

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_afas.profit.pagination.scan import ResumePoint, StartingPoint
    from tap_afas.profit.pagination.selection import Selection
    from tap_afas.profit.pagination.stream_paginator import StreamPaginator


@dataclasses.dataclass(frozen=True, slots=True)
class FurtherStamp:
    """A further stamp, and where the run begins by it.

    Attributes:
        id: Its field.
        since: What earlier runs left; without a lower bound, all rows count that have the stamp.
        run: Makes the run by it, from a resume point before its first page; None: all rows are read anyway.
    """

    id: str
    since: StartingPoint
    run: Callable[[StartingPoint, ResumePoint], StreamPaginator] | None = None

    @property
    def selection(self) -> Selection:
        """The rows that have it, from its lower bound on."""
        return filled_stamp(self.id) if self.since.lower is None else changed_since(self.id, self.since.lower)


def not_selected(replication_key: str, lower: Any, before: Sequence[FurtherStamp]) -> Filter:
    """The rows that are in the selections of neither the replication key nor the stamps before.

    Args:
        replication_key: The field.
        lower: The lower bound of the replication key.
        before: The further stamps before.
    """
    groups: Filter = ((Condition(replication_key, "<", str(lower)),),)
    for one in before:
        without: Filter = ((Condition(one.id, "empty"),),)
        if one.since.lower is not None:
            without = (*without, (Condition(one.id, "<", str(one.since.lower)),))
        groups = and_filters(groups, without)
    return groups

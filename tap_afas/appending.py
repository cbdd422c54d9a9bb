"""What a stream reads that sends each change as one row more: each version once, when no other can precede it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_afas.profit.pagination.scan import Scan, StartingPoint
from tap_afas.profit.pagination.selection import empty_stamp, stamps_between

if TYPE_CHECKING:
    import datetime

    from tap_afas.bookmark import Bookmark
    from tap_afas.profit.pagination.selection import Stamp
    from tap_afas.profit.query import Filter
    from tap_afas.replication_key import ReplicationKey


def starting_point_without_key(
    bookmark: Bookmark, key: ReplicationKey, start_date: str | None, start: datetime.datetime, where: Filter
) -> StartingPoint:
    """Where a stream that appends begins, and what it reads up to which stamp.

    Args:
        bookmark: What the state says.
        key: The replication key.
        start_date: The setting.
        start: When the run started.
        where: The filter of the settings.
    """
    low = max((one for one in (bookmark.settled, bookmark.bookmark) if one is not None), default=None)
    first = bookmark.bookmark is None

    def scans_up_to(high: Stamp) -> list[Scan]:
        begin, end = low, high
        if key.kind == "int":
            begin, end = bookmark.settled, bookmark.pending if bookmark.settles_pending(key, start) else None
        elif first and start_date:
            begin = key.first(start_date)
        found = []
        if end is not None and (begin is None or end > begin or first):
            behind = key.kind == "int" or not first
            found.append(Scan(stamps_between(key.id, begin, end, behind=behind), where, "changed"))
        return [*found, Scan(empty_stamp(key.id), where, "empty")] if first else found

    return StartingPoint(
        unit=bookmark.unit, lagged=lambda unit: key.lagged(start, unit), beyond=key.beyond, scans_up_to=scans_up_to
    )

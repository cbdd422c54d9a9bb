"""What changed by any of several stamps, in one answer: the question, and what the answer tells of each stamp."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tap_afas.profit.pagination.errors import MisbehavedError
from tap_afas.profit.pagination.key import check_keys
from tap_afas.profit.pagination.lower_bound_check import LowerBoundCheck
from tap_afas.profit.pagination.selection import changed_since, is_earlier
from tap_afas.profit.pagination.single_answer import SingleAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_afas.profit.page import Page
    from tap_afas.profit.pagination.further_stamp import FurtherStamp
    from tap_afas.profit.pagination.key import KeyField
    from tap_afas.profit.pagination.stamp_tracker import StampTracker
    from tap_afas.profit.pagination.stream_paginator import StreamPaginator
    from tap_afas.profit.query import Filter, Query


class ChangedByAny:
    """Asks for all that changed by any of the stamps at once, and learns of each stamp from such an answer.

    Args:
        first: The run by the replication key, which has a lower bound.
        further: The further stamps.
        trackers: By field, what is known of the further stamps.
        where: The filter of the settings.
        order: The fields to sort by.
        keys: The key's fields, if they can be sorted on.
    """

    def __init__(  # noqa: PLR0913 - made in one place, with names
        self,
        first: StreamPaginator,
        further: Sequence[FurtherStamp],
        trackers: Mapping[str, StampTracker],
        *,
        where: Filter,
        order: Sequence[str],
        keys: Sequence[KeyField],
    ) -> None:
        self._replication_key = first.stamp or ""
        self._sinces = {self._replication_key: first.since} | {one.id: one.since for one in further}
        self._trackers = {self._replication_key: first.stamps, **trackers}
        self._where, self._keys = where, tuple(keys)
        own = changed_since(self._replication_key, first.since.lower, or_empty=True)
        groups = tuple(group for one in further for group in one.selection.groups)
        self._answer = SingleAnswer(
            order, dataclasses.replace(own, groups=(*own.groups, *groups)).where(where), first.size
        )

    def next_query(self) -> Query:
        """What to ask next; the same until `advance` is called."""
        return self._answer.next_query()

    def advance(self, query: Query, page: Page, seconds: float) -> tuple[Sequence[int], bool | None]:
        """Take the answer to a query.

        Returns:
            The positions in the page of the rows to deliver, ascending; and whether the first answer held all rows, as
            they were at one moment (None: the next answer tells).

        Raises:
            ProfitError: The answer can't be what was asked for.
        """
        rows: Sequence[int] = ()
        if not query.skip:
            check_keys(page, self._keys)
            self._check_bounds(query, page)
            # A full page is the runs' to deliver.
            rows = range(len(page)) if len(page) < query.take else ()
            self._learn(page, rows)
        whole = self._answer.advance(query, page, seconds)
        if whole is False:
            for tracker in self._trackers.values():
                tracker.reset()
            rows = ()
        return rows, whole

    def wanted_checks(self) -> list[LowerBoundCheck]:
        """Checks of the lower bounds that no row which came has proven."""
        checks = [
            LowerBoundCheck(field, self._keys, self._where, since, other=self._trackers[field].same_stamp)
            for field, since in self._sinces.items()
            if since.meets_witness and not self._trackers[field].met and self._keys
        ]
        # A row whose key and a filter fill the query string can't be asked for.
        return [check for check in checks if check.next_query().fits]

    def _check_bounds(self, query: Query, page: Page) -> None:
        """Check that each row lies within the selection of some stamp.

        Raises:
            MisbehavedError: One lies in none.
        """
        within = [stamp is None for stamp in page.stamps]
        for field, since in self._sinces.items():
            low, unit = since.lower, since.unit or "day"
            for place, stamp in enumerate(page.by(field).stamps):
                within[place] |= stamp is not None and (low is None or not is_earlier(stamp, low, unit))
        if not all(within):
            raise MisbehavedError(
                f"AFAS sends rows of which no stamp ({', '.join(self._sinces)}) is as late as asked for."
                f" Asked: {query}."
            )

    def _learn(self, page: Page, rows: Sequence[int]) -> None:
        """Learn from an answer that holds what changed by any stamp."""
        columns = {field: page.by(field).stamps for field in self._sinces}
        # What comes by another stamp, however AFAS compares this one, proves nothing of it: a row that changed since by
        # that one, or has no replication key.
        unchanged = {
            field: {
                place
                for place, stamp in enumerate(columns[field])
                if (
                    field != self._replication_key
                    if stamp is None
                    else since.bookmark is not None and stamp <= since.bookmark
                )
            }
            for field, since in self._sinces.items()
        }
        for field, since in self._sinces.items():
            tracker = self._trackers[field]
            telling = set(range(len(page))).intersection(*(unchanged[other] for other in unchanged if other != field))
            shown = page.by(field, sorted(telling))
            tracker.add_page(shown, range(len(shown)) if rows else ())
            tracker.learn_unit(page, field)
            tracker.raise_highest(page.by(field), rows, since.cap)

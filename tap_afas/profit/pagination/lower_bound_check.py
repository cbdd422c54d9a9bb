"""Checks the lower bound of a run: does AFAS compare stamps as it shows them?

A run whose lower bound is at or before the bookmark should read the witness again, the row whose stamp was the
bookmark. Where it didn't come, a few questions tell why: the row is gone or has changed, which is fine; or AFAS
compares stamps differently from how it shows them (in another time zone, say), and would leave out rows without any
error.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING

from tap_afas.profit.pagination.errors import MisbehavedError
from tap_afas.profit.pagination.page_size import DEFAULT_TAKE
from tap_afas.profit.query import Condition, Filter, Group, Query, and_filters
from tap_afas.profit.wall_time import shift

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.page import Page
    from tap_afas.profit.pagination.key import Key, KeyField
    from tap_afas.profit.pagination.scan import StartingPoint
    from tap_afas.profit.pagination.selection import Stamp


# How often a row may change just when it is asked for.
_MOST_TRIES = 5


class Phase(enum.Enum):
    """What is asked next."""

    WITNESS = "the row whose stamp was the bookmark, by its key"
    NEWEST = "the row with the highest stamp, where that one is gone"
    BY_STAMP = "the row, from its stamp on"
    ONCE_MORE = "the row as before"
    DONE = "nothing more"


TRANSITIONS: dict[Phase, dict[str, Phase]] = {
    Phase.WITNESS: {
        "it went, and another row of its stamp came": Phase.DONE,
        "it went, or lost its stamp": Phase.NEWEST,
        "it should have come": Phase.BY_STAMP,
    },
    Phase.NEWEST: {"there is none": Phase.DONE, "a row": Phase.BY_STAMP},
    Phase.BY_STAMP: {"it comes": Phase.DONE, "it doesn't come": Phase.ONCE_MORE},
    Phase.ONCE_MORE: {
        "it went, or lost its stamp": Phase.NEWEST,
        "it changed meanwhile": Phase.BY_STAMP,
    },
    Phase.DONE: {},
}
"""Every step, and why."""


@dataclasses.dataclass(eq=False)
class StampComparisonError(MisbehavedError):
    """AFAS compares stamps differently from how it shows them, so rows that changed would be left out."""

    advice: str = (
        "Rows that changed would be left out without any error. Set `streams.<connector>.replication_key` to a field"
        " that AFAS compares as it shows it, or empty for a full table."
    )
    later: bool = False


@dataclasses.dataclass(eq=False)
class StampWentBackError(MisbehavedError):
    """The witness has an earlier stamp than the run before saw, by more than a late commit explains."""

    advice: str = (
        "This happens when an environment is restored from a backup or copied. Load this stream anew: without its part"
        " of the state, or `meltano run --full-refresh`."
    )
    later: bool = False


class LowerBoundCheck:
    """Asks for the witness by its key and by its stamp; where it is gone, for the newest row.

    Args:
        stamp: The stamp's field.
        keys: The key's fields, all sortable.
        where: The filter of the settings.
        since: The run's lower bound, the bookmark, and the key of the witness, where it is known.
        other: The key of another row that came and whose stamp is the bookmark.
    """

    def __init__(
        self, stamp: str, keys: Sequence[KeyField], where: Filter, since: StartingPoint, *, other: Key | None
    ) -> None:
        self.stamp = stamp
        self.keys = tuple(keys)
        self.where = where
        self.witness = since.witness
        self.phase = Phase.WITNESS if since.witness is not None else Phase.NEWEST
        self._since = since
        self._other = other
        # The key of the row that is asked for; None: the newest, by its stamp alone, since AFAS may compare keys
        # differently from how it shows them as well. What its stamp was, and a fingerprint of it.
        self._key = since.witness
        self._found: tuple[Stamp, bytes] = (None, b"")
        self._tries = 0

    @property
    def done(self) -> bool:
        """Whether the check has passed; where it fails, `advance` raises."""
        return self.phase is Phase.DONE

    def next_query(self) -> Query:
        """What to ask next; the same until `advance` is called."""
        group: Group = ()
        if self.phase is Phase.BY_STAMP:
            stamp = self._found[0]
            group = (Condition(self.stamp, ">=", str(stamp if isinstance(stamp, int) else shift(stamp, -1))),)
        if self._key is None:
            group = group or (Condition(self.stamp, "not empty"),)
            return Query((f"-{self.stamp}",), and_filters(self.where, (group,)), take=1)
        for field, value in zip(self.keys, self._key, strict=True):
            exact = field.kind not in {"moment", "decimal"}
            literal = field.literal(value) if exact else field.before(value)
            group = (*group, Condition(field.id, "=" if exact else ">=", literal))
        return Query(tuple(field.id for field in self.keys), and_filters(self.where, (group,)), take=DEFAULT_TAKE)

    def give_up(self) -> None:
        """End the check without a result: the query for a row would be too long for AFAS."""
        self.phase = Phase.DONE

    def _transition(self, reason: str) -> None:
        self.phase = TRANSITIONS[self.phase][reason]
        if self.phase is Phase.NEWEST:
            self._key = None

    def _find_row(self, page: Page) -> tuple[Stamp, bytes]:
        """The stamp of the row asked for, and a fingerprint of it; None where it isn't there, or has no stamp."""
        rows = [place for place in range(len(page)) if self._key is None or page.keys[place] == self._key]
        return (page.stamps[rows[0]], page.fingerprint(rows[0])) if rows else (None, b"")

    def advance(self, query: Query, page: Page) -> Sequence[int]:
        """Take the answer to a query; none of its rows is new.

        Raises:
            StampComparisonError: AFAS compares the stamp differently from how it shows it.
            StampWentBackError: The witness has an earlier stamp than before.
        """
        found = self._find_row(page)
        stamp = found[0]
        if self.phase is Phase.NEWEST:
            self._found = found
            self._transition("there is none" if stamp is None else "a row")
        elif self.phase is Phase.BY_STAMP:
            self._transition("it doesn't come" if stamp is None else "it comes")
        elif self.phase is Phase.ONCE_MORE:
            self._tries += 1
            if found == self._found or self._tries >= _MOST_TRIES:
                raise StampComparisonError(
                    f"AFAS compares {self.stamp} differently from how it shows it: a row with {self._found[0]} doesn't"
                    f" come when all from {self._since.lower} on are asked for. Asked: {query}."
                )
            self._found = found
            self._transition("it went, or lost its stamp" if stamp is None else "it changed meanwhile")
        elif stamp is None:
            self.witness = self._other
            gone = "it went, or lost its stamp"
            self._transition(gone if self._other is None else "it went, and another row of its stamp came")
        elif stamp < self._since.lower:
            raise StampWentBackError(
                f"The row that was last changed on {self._since.bookmark} has {stamp} in {self.stamp} now."
                f" Asked: {query}."
            )
        else:
            if stamp < self._since.bookmark:
                # A late commit, with a stamp that the run selects as well: it is no longer a row with the bookmark.
                self.witness = self._other
            self._found = found
            self._transition("it should have come")
        return ()

"""Reads rows in the order of their key: each page starts at the last key of the one before, and never by `skip`."""

from __future__ import annotations

import collections
import enum
import itertools
from typing import TYPE_CHECKING

from tap_afas.profit.pagination.errors import KeyComparisonError, MisbehavedError
from tap_afas.profit.pagination.key import at_or_after, check_keys, in_order, keys_tie, shortest_prefix, usable_depth
from tap_afas.profit.pagination.page_size import is_last_page
from tap_afas.profit.query import Condition, Filter, Group, Query, longest_fitting_query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.page import Page
    from tap_afas.profit.pagination.key import Key, KeyField
    from tap_afas.profit.pagination.page_size import PageSize

_MOST_STUCK = 12
# How often the first row may go just when it is asked for.
_MOST_FIRSTS = 20
# How often rows that go may take the walk back to where it was.
_MOST_RETURNS = 12


class Phase(enum.Enum):
    """What a walk by key asks next."""

    WALK = "the page that begins with the last row"
    BACK = "the same from an earlier row of the page before"
    FIRST = "the first row there is now"
    ITSELF = "that row by its own key"
    AGAIN = "the first row once more"
    TAIL = "the end of a page without news, and one row more"
    EMPTY = "rows with an empty field in the key"
    DONE = "nothing more"


TRANSITIONS: dict[Phase, dict[str, Phase]] = {
    Phase.WALK: {
        "a page that continues": Phase.WALK,
        "the last row didn't come": Phase.BACK,
        "it didn't, and there is no other to ask for": Phase.FIRST,
        "a long page without news": Phase.TAIL,
        "the end of several pages": Phase.EMPTY,
        "the end of the only page": Phase.DONE,
    },
    Phase.BACK: {
        "a page that continues": Phase.WALK,
        "the last row didn't come": Phase.BACK,
        "it didn't, and there is no other to ask for": Phase.FIRST,
        "a long page without news": Phase.TAIL,
        "the end of several pages": Phase.EMPTY,
    },
    Phase.TAIL: {
        "there is more, or it moved": Phase.WALK,
        "a page that continues": Phase.WALK,
        "the end of several pages": Phase.EMPTY,
    },
    Phase.FIRST: {"a row": Phase.ITSELF, "no row is left": Phase.WALK},
    Phase.ITSELF: {"it came, so the others are gone": Phase.WALK, "it didn't come": Phase.AGAIN},
    Phase.AGAIN: {"a row": Phase.ITSELF, "no row is left": Phase.WALK},
    Phase.EMPTY: {"there is another field": Phase.EMPTY, "that was the last field": Phase.DONE},
    Phase.DONE: {},
}
"""Every step a walk can take, and why."""


class KeysetPaginator:
    """Reads rows in the order of their key: each page asks for `key >= last key of the page before`.

    The condition uses as few fields of the key as it can, from the first one on, as long as at most half of the page
    before has the same values in them as its last row. A row that came in the page before is not delivered again,
    unless it has changed since.

    Args:
        keys: The key's fields, all sortable.
        size: Rows a page.
        where: Which rows.
        cursor: Keys to go on from, the last one first; empty to begin.
    """

    def __init__(self, keys: Sequence[KeyField], size: PageSize, where: Filter, cursor: Sequence[Key] = ()) -> None:
        self.keys = tuple(keys)
        self.size = size
        self.where = where
        self.phase = Phase.WALK
        # Some keys of the page before, the last one first: the last, and further and further ones.
        self.cursor: tuple[Key, ...] = tuple(cursor)
        self._order = tuple(key.id for key in keys)
        self._resumed = bool(cursor)
        self._pages = 0
        self._longest = 0
        # Which of the cursor's keys is asked for, and by how many fields.
        self._back = 0
        # Decimals that aren't stored as they are shown: they end the prefix, one unit before.
        self._cautious = False
        self._depth = self._fitting(self.cursor[0]) if cursor else usable_depth(self.keys, cautious=self._cautious)
        # Rows of the page before that come again, as they were.
        self._known: dict[Key, bytes] = {}
        self._gone = False  # The last row is known to be gone: that it doesn't come tells nothing.
        self._stuck = 0
        # The last keys of pages, and how often each was one.
        self._ends: collections.Counter[Key] = collections.Counter()
        # How many of the groups of `_behind` are exhausted; a question holds as many of the others as fit.
        self._exhausted = 0
        self._tail: Sequence[Key] = ()
        self._first: tuple[Key, bytes] = ((), b"")
        self._firsts = 0
        self._empties = [(Condition(key.id, "empty"),) for key in keys]

    @property
    def done(self) -> bool:
        """Whether all has been read."""
        return self.phase is Phase.DONE

    # What to ask

    def _fitting(self, key: Key) -> int:
        """How many fields of a key fit into the query string; with fewer of them, more rows come twice."""
        depths = range(usable_depth(self.keys, cautious=self._cautious), 1, -1)
        return next((depth for depth in depths if self._ask(self._behind(key, depth)[:1], take=10**6)[0].fits), 1)

    def next_query(self) -> Query:
        """What to ask next; the same until `advance` is called."""
        if self.phase is Phase.EMPTY:
            return self._ask(self._empties, take=1)[0]
        if self.phase in {Phase.FIRST, Phase.AGAIN}:
            return Query(self._order, self.where, take=1)
        if self.phase is Phase.ITSELF:
            first = self._first[0]
            return self._ask(self._behind(first, self._fitting(first)), take=max(2, self.size.take))[0]
        if self.phase is Phase.TAIL:
            return self._ask(self._left(), take=2, skip=len(self._tail) - 1)[0]
        return self._ask(self._left(), take=max(2, self.size.take << self._stuck) if self.cursor else self.size.take)[0]

    def _left(self) -> list[Group]:
        return self._behind(self.cursor[self._back], self._depth)[self._exhausted :] if self.cursor else [()]

    def _ask(self, groups: Sequence[Group], take: int, skip: int = 0) -> tuple[Query, int]:
        return longest_fitting_query(self._order, self.where, groups, take, skip)

    def _behind(self, key: Key, depth: int) -> list[Group]:
        return at_or_after(self.keys[:depth], key, cautious=self._cautious)

    # What came

    def _transition(self, reason: str) -> None:
        self.phase = TRANSITIONS[self.phase][reason]

    def advance(self, query: Query, page: Page) -> Sequence[int]:
        """Take a page; rows that came in the page before, unchanged, are not among those to deliver."""
        check_keys(page, self.keys)
        if self.phase in {Phase.WALK, Phase.BACK}:
            return self._accept_page(query, page)
        if self.phase is Phase.EMPTY:
            del self._empties[: self._ask(self._empties, take=1)[1]]
            self._transition("there is another field" if self._empties else "that was the last field")
        elif self.phase is Phase.ITSELF:
            self._accept_itself(page)
        elif self.phase is Phase.TAIL:
            self._accept_tail(query, page)
        else:
            self._accept_first(query, page)
        return ()

    def _accept_page(self, query: Query, page: Page) -> Sequence[int]:
        keys = page.keys
        asked = self.cursor[self._back] if self.cursor else None
        if not in_order(self.keys, keys, asked and asked[: self._depth]):
            raise MisbehavedError(
                f"AFAS sends rows in another order than asked, or from before the key asked for. Asked: {query}."
            )
        if asked is not None and not self._exhausted and not self._is_met(asked, keys):
            if asked in keys and not self._may_be_cautious:
                raise KeyComparisonError.for_key(self._order, "rows before it")
            if asked in keys or not self._gone:
                self._look_further_back(query, keys, asked)
                return ()
        new: Sequence[int] = range(len(keys))
        known = self._known
        if not known.keys().isdisjoint(keys):
            new = [n for n, key in enumerate(keys) if key not in known or known[key] != page.fingerprint(n)]
        self._pages += 1
        moved = bool(keys) and keys[-1] not in self._known and keys[-1] not in self.cursor[:1]
        longest, self._longest = self._longest, max(self._longest, len(keys))
        if is_last_page(len(keys), query.take) or (not moved and len(keys) < min(query.take, longest)):
            self._exhaust(query, keys[-1] if moved else None)
        elif moved:
            self._go_on_from(page)
        else:
            self._known.update((keys[place], page.fingerprint(place)) for place in new)
            self._tail = keys
            if len(keys) < query.take:
                self._transition("a long page without news")
            else:
                self._ask_for_more(query)
        if len(keys) >= query.take:
            self.size.count_full_page()
        return new

    def _is_met(self, asked: Key, keys: Sequence[Key]) -> bool:
        """Whether the page starts with the row asked for, or with rows that AFAS may treat as equal to it."""
        if keys and keys[0] == asked:
            return True
        return asked in itertools.takewhile(lambda key: keys_tie(self.keys[: self._depth], key, asked), keys)

    def _go_on_from(self, page: Page) -> None:
        """Choose by how many fields of the key the next page is asked for; remember the rows that will come again."""
        keys = page.keys
        last = keys[-1]
        self._ends[last] += 1
        if self._ends[last] > _MOST_RETURNS:
            raise KeyComparisonError.for_key(self._order, "the same rows again and again")
        # Where rows tie by the score, the next page needs about as many rows.
        self._stuck = max(0, self._stuck - 1)
        self._exhausted = self._back = 0
        self._gone = False
        fields = shortest_prefix(self.keys[: self._fitting(last)], keys)
        self._depth = len(fields)
        ties = sum(1 for _ in itertools.takewhile(lambda key: keys_tie(fields, key, last), reversed(keys)))
        self._known = {keys[place]: page.fingerprint(place) for place in range(len(keys) - ties, len(keys))}
        steps = (0, *(1 << power for power in range(len(keys).bit_length())), len(keys) - 1)
        self.cursor = tuple(dict.fromkeys(keys[-1 - step] for step in steps if step < len(keys)))
        self._transition("a page that continues")

    def _ask_for_more(self, query: Query) -> None:
        """After a full page without a new row: ask by one field of the key more, then for a larger page."""
        if not self._exhausted and self._depth < self._fitting(self.cursor[self._back]):
            self._depth += 1
            return
        self._stuck += 1
        if self._stuck > _MOST_STUCK:
            raise MisbehavedError(
                f"AFAS sends the same rows again and again, since it treats their keys as equal. Asked: {query}."
            )

    def _accept_tail(self, query: Query, page: Page) -> None:
        if [*page.keys] == [self._tail[-1]]:
            self._exhaust(query, None)
        else:
            self._ask_for_more(query)
            self._back = 0
            self._transition("there is more, or it moved")

    def _exhaust(self, query: Query, last: Key | None) -> None:
        """Go on to the groups that didn't fit into the query; after the last of them, the walk ends."""
        groups = len(self._behind(self.cursor[self._back], self._depth)) if self.cursor else 1
        self._exhausted += self._ask(self._left(), query.take, query.skip)[1]
        if self._exhausted < groups:
            if last is not None:
                # As far as the groups left are concerned, the same place.
                self.cursor, self._back, self._known = (last, *self.cursor), 0, {}
                self._transition("a page that continues")
        elif self._pages == 1 and not self._resumed:
            # The only page has shown rows with an empty key, too; "at or after" a key lets none through.
            self._transition("the end of the only page")
        else:
            self._transition("the end of several pages")

    @property
    def _may_be_cautious(self) -> bool:
        return not self._cautious and any(field.kind == "decimal" for field in self.keys[: self._depth])

    def _look_further_back(self, query: Query, keys: Sequence[Key], asked: Key) -> None:
        if len(keys) >= query.take and asked not in keys and keys_tie(self.keys[: self._depth], keys[-1], asked):
            # The page ended before the row could come.
            self._ask_for_more(query)
        elif self._may_be_cautious:
            self._cautious = True
            self._depth = self._fitting(self.cursor[self._back])
        elif self._back + 1 < len(self.cursor):
            self._back += 1
            self._depth = self._fitting(self.cursor[self._back])
            self._transition("the last row didn't come")
        else:
            self._transition("it didn't, and there is no other to ask for")

    def _accept_first(self, query: Query, page: Page) -> None:
        if not len(page):
            # Nothing is left, so nothing can be lost.
            self._back, self._gone = 0, True
            self._transition("no row is left")
            return
        first = page.keys[0], page.fingerprint(0)
        self._firsts += 1
        if (self.phase is Phase.AGAIN and first == self._first) or self._firsts > _MOST_FIRSTS:
            raise KeyComparisonError.for_key(self._order, f"other rows. Asked: {query}")
        self._first = first
        self._transition("a row")

    def _accept_itself(self, page: Page) -> None:
        came = self._first[0] in page.keys
        if came:
            self._back, self._gone, self._firsts = 0, True, 0
        self._transition("it came, so the others are gone" if came else "it didn't come")

"""The walk by key; `walk` says what it promises."""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import operator
from typing import TYPE_CHECKING, Any

from tap_afas.profit.clock import shift
from tap_afas.profit.keys import check_keys
from tap_afas.profit.page import MisbehavedError
from tap_afas.profit.query import Condition, Filter, Group, Query, both

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.page import Key, KeyField, PageSize
    from tap_afas.profit.rows import Page

_COMPARABLE = {"number", "date", "moment"}
_MOST_STUCK = 6


class ByKey:
    """By key: `key >= last`, in the key's order. For full tables, and for what a stamp doesn't tell apart.

    Args:
        keys: The key's fields, all sortable.
        size: Rows a page.
        where: Which rows.
        after: The key, as filter literals, to go on after; None to begin.
    """

    def __init__(
        self, keys: Sequence[KeyField], size: PageSize, where: Filter = (), after: Sequence[str] | None = None
    ) -> None:
        self.keys = tuple(keys)
        self.size = size
        self.where = where
        self.after = tuple(after) if after is not None else None
        self.done = False
        # Delivered rows that may come again, and the least place in the order that a row can still have.
        self._previous: set[Key] = set()
        self._last: Any = None
        self._floor: tuple[Any, ...] = ()
        self._pages = 0
        self._stuck = 0
        # How many of the groups of `_behind` are exhausted; a question holds as many of the others as fit.
        self._exhausted = 0
        self._beyond = False
        # Rows to pass over, when a page was short, round and without news: is there anything behind it?
        self._passed = 0
        self._null_keys: list[Group] = []
        self._partial = after is not None
        kinds = [key.kind for key in keys]
        self._comparable = next((place for place, kind in enumerate(kinds) if kind not in _COMPARABLE), len(kinds))
        if "moment" in kinds:
            # Stored finer than shown: what seems equal need not be, and further fields say nothing.
            self._comparable = min(self._comparable, kinds.index("moment") + 1)

    def question(self) -> Query:
        """The page that begins with the last row of the one before."""
        if self._null_keys:
            return self._ask(self._null_keys, take=1)[0]
        query = self._ask(self._behind()[self._exhausted :], take=max(2, self.size.take << self._stuck))[0]
        return dataclasses.replace(query, skip=self._passed)

    def _ask(self, groups: Sequence[Group], take: int) -> tuple[Query, int]:
        """A question for what the first groups let through: as many as the query string holds, and how many that is.

        Raises:
            QueryTooLongError: It doesn't hold a single one.
        """
        order = tuple(key.id for key in self.keys)
        for count in range(len(groups), 0, -1):
            query = Query(order, both(self.where, tuple(groups[:count])), take=take)
            if query.fits or count == 1:
                return query, count
        return Query(order, self.where, take=take), 0

    def _behind(self) -> list[Group]:
        """`(a, b, c) >= last` in parts, in the order of the key: `a = x, b = y, c >= z`; `a = x, b > y`; `a > x`."""
        groups: list[Group] = []
        equal: Group = ()
        for key, value in zip(self.keys, self.after or (), strict=self.after is not None):
            if key.kind == "moment":
                # Stored finer than shown: take the whole second before; it covers all that a further field could add.
                groups.insert(0, (*equal, Condition(key.id, ">=", shift(value, 2 if self._beyond else -1))))
                break
            at_last = key is self.keys[-1] and not self._beyond
            groups.insert(0, (*equal, Condition(key.id, ">=" if at_last else ">", value)))
            equal = (*equal, Condition(key.id, "=", value))
        return groups

    def learn(self, page: Page) -> Sequence[int]:
        """Take a page; rows of the page before are dropped."""
        if self._null_keys:
            check_keys(page, self.keys)
            del self._null_keys[: self._ask(self._null_keys, take=1)[1]]
            self.done = not self._null_keys
            return ()
        asked = self.question()
        if self._passed:
            self._look_behind(page, asked)
            return ()
        check_keys(page, self.keys)
        keys = page.keys
        self._check_order(asked, keys)
        new: Sequence[int] = range(len(keys))
        if not self._previous.isdisjoint(keys):
            new = [position for position in new if keys[position] not in self._previous]
        # Only a page that begins with the last row, and holds no other known one, is past all keys that AFAS holds
        # equal to it.
        past_equals = bool(self._exhausted) or (bool(len(keys)) and keys[0] == self._last and len(new) == len(keys) - 1)
        forward = self._last is None or not keys or self._place(keys[-1]) >= self._place(self._last)
        self._pages += 1
        if self._beyond and len(keys) and not new:
            raise MisbehavedError(f"AFAS sends rows from before the asked place. Asked: {asked}.")
        if self.size.is_last(len(keys), asked.take, new=bool(new)):
            self._exhaust(asked, doubtful=len(new) < len(keys) and not past_equals)
        elif new and forward:
            self._stuck = self._exhausted = 0
            self._beyond = False
        elif len(keys) < asked.take:
            self._passed = len(keys)
        else:
            self._grow(asked)
        if len(keys):
            self._remember(keys, past_equals=past_equals, forward=forward)
        return new

    def _remember(self, keys: Sequence[Key], *, past_equals: bool, forward: bool) -> None:
        """Keep the place to go on from, and the rows that may come again there."""
        if past_equals:
            self._previous.clear()
        if forward:
            self._go_on_from(keys[-1])
        self._previous.update(keys[bisect.bisect_left(self._places(keys), self._floor) :])

    def _go_on_from(self, last: Key) -> None:
        self._last = last
        self.after = tuple(field.literal(value) for field, value in zip(self.keys, last, strict=True))
        # A moment is asked for from a second before on.
        self._floor = tuple(
            shift(str(value), -1) if field.kind == "moment" else _plain(value)
            for field, value in zip(self.keys[: self._comparable], last, strict=False)
        )
        self._previous = {key for key in self._previous if self._place(key) >= self._floor}

    def _look_behind(self, page: Page, asked: Query) -> None:
        """Take the answer to whether anything stands behind a page that was short, round and without news."""
        self._passed = 0
        if len(page):
            self._grow(asked)
        else:
            self._exhaust(asked, doubtful=False)

    def _grow(self, asked: Query) -> None:
        """Ask for more at once, where a page brought nothing new though there is more."""
        self._stuck += 1
        if self._stuck > _MOST_STUCK:
            raise MisbehavedError(
                f"AFAS sends the same rows again and again: it holds their keys equal. Asked: {asked}."
            )

    def _exhaust(self, asked: Query, *, doubtful: bool) -> None:
        """Go on to the groups that the question didn't hold; behind the last of them is the end."""
        behind = self._behind()
        self._exhausted += self._ask(behind[self._exhausted :], asked.take)[1]
        if self._exhausted >= len(behind):
            self._end(doubtful=doubtful)

    def _end(self, *, doubtful: bool) -> None:
        """All rows have been read but for those with an empty key, which is not "at or after" any."""
        # A first page that is the last has shown them too.
        self.done = self._pages == 1 and not self._partial
        # Known rows besides the last one may be what AFAS sends whatever it is asked.
        if doubtful and not self.done and not self._beyond:
            self._beyond, self._exhausted = True, 0
        elif not self.done:
            self._null_keys = [(Condition(key.id, "empty"),) for key in self.keys]

    def _check_order(self, asked: Query, keys: Sequence[Any]) -> None:
        places = self._places(keys)
        falls = any(map(operator.gt, places, itertools.islice(places, 1, None)))
        if falls or (self._last is not None and places and places[0] < self._floor):
            raise MisbehavedError(
                f"AFAS sends rows out of the asked order or from before the asked place. Asked: {asked}."
            )

    def _place(self, key: Key) -> Any:
        return self._places([key])[0]

    def _places(self, keys: Sequence[Key]) -> Sequence[Any]:
        """Where keys stand in the order, as far as the tap can tell: by the numbers and dates before the first text."""
        fields = self.keys[: self._comparable]
        if all(field.kind == "number" for field in fields):
            return keys if len(fields) == len(self.keys) else [key[: len(fields)] for key in keys]
        return [tuple(map(_plain, key[: len(fields)])) for key in keys]


def _plain(value: Any) -> Any:
    # "12:00:00.5Z" is later than "12:00:00Z", but sorts before it.
    return value.removesuffix("Z") if isinstance(value, str) else value

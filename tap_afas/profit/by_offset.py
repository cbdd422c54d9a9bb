"""The walk by offset; `walk` says what it promises."""

from __future__ import annotations

import collections
import dataclasses
import itertools
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from tap_afas.profit.errors import ProfitError, QueryTooLongError
from tap_afas.profit.page import MisbehavedError, strike
from tap_afas.profit.query import LONGEST_QUERY, Condition, Filter, Query, both

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.metainfo import Connector
    from tap_afas.profit.page import PageSize
    from tap_afas.profit.rows import Page

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?")
_MOST_HEALS = 10
_ORDER_FIRST = {"int": 0, "date": 1, "boolean": 2}
# Room in the query string for the bounds of a part and for large numbers.
_ROOM = 250
_MOVED = "Rows moved while they were read, further than the tap can follow."


@dataclasses.dataclass(eq=False)
class ShiftedError(MisbehavedError):
    """Rows moved under a walk by offset, further than it can follow."""

    advice: str = (
        "Without a key, rows that are inserted or deleted during the run push others along. Set `primary_keys` of this"
        " connector if there is a key, or run when nobody works in AFAS."
    )


class UnsortableError(ProfitError):
    """AFAS can't sort the rows, so they can't be read page by page."""


class ByOffset:
    """By offset, for rows without a key: each page begins with the end of the one before, to prove that nothing moved.

    What was delivered is, at any moment, all untouched rows up to and with the last one. The next page begins with
    the rows that sort like that last one, and one row more that sorts before them: if they are all there, the rest of
    the page follows on them. If not, rows moved: the walk goes back, page by page, until it meets the nearest
    delivered row that is still there, and goes on behind it.

    Args:
        order: Fields to sort by: as many as AFAS can sort and the query string holds.
        size: Rows a page.
        where: Which rows.
    """

    def __init__(self, order: Sequence[str], size: PageSize, where: Filter = ()) -> None:
        self.order = tuple(order)
        self.size = size
        self.where = where
        self.done = False
        self._delivered = 0
        self._tail: list[bytes] = []
        self._overlap = 0
        self._back = 0
        self._heals = 0
        self._at_end = False

    def question(self) -> Query:
        """The page that begins with the last rows of the one before, or earlier while a shift is healed."""
        if self._at_end:
            return Query(self.order, self.where, take=self.size.take, skip=self._delivered)
        back = min(self._delivered, self._overlap + self._back)
        return Query(self.order, self.where, take=self.size.take + back, skip=self._delivered - back)

    def learn(self, page: Page) -> Sequence[int]:
        """Take a page; while a shift is healed none of its rows may be new."""
        asked = self.question()
        if self._at_end:
            self._check_end(page, asked)
            return ()
        self._check_order(page, asked)
        marks = [page.fingerprint(position) for position in range(len(page))]
        new = self._aligned(marks) if not self._back else self._healed(page, marks, asked)
        if new is None:
            self._go_further_back(asked)
            return ()
        last = self.size.is_last(len(marks), asked.take, new=bool(new))
        # Only a page that begins where the one before ended proves where the end is.
        self.done = last and not self._back
        self._heals = 0 if new else self._heals + 1
        if self._heals > _MOST_HEALS:
            raise ShiftedError(_MOVED)
        # Asked again as it was, such a page would come again for ever.
        self._at_end = not self.done and not new and not self._back and len(marks) < asked.take
        # What a page overlaps stands in the tail already.
        # Rows that were delivered and didn't come again now may yet: those that sort alike come in any order.
        kept = (
            list((collections.Counter(self._tail) - collections.Counter(marks)).elements())
            if self._back
            else self._tail[: len(self._tail) - min(self._overlap, self._delivered)]
        )
        self._delivered = asked.skip + len(marks)
        longest = max(2 * self.size.take, len(marks) + (len(kept) if self._back else 0))
        self._back = 0
        if marks:
            self._overlap = min(len(marks), len(marks) - self._tie_start(page, len(marks) - 1) + 1)
            self._tail = (kept + marks)[-max(longest, self._overlap) :]
        return new

    def _aligned(self, marks: list[bytes]) -> list[int] | None:
        """The new rows of a page that begins where the one before ended; None when it doesn't."""
        overlap = min(self._overlap, self._delivered)
        expected = self._tail[len(self._tail) - overlap :]
        if collections.Counter(marks[:overlap]) != collections.Counter(expected):
            return None
        return list(range(overlap, len(marks)))

    def _healed(self, page: Page, marks: list[bytes], asked: Query) -> list[int] | None:
        """The new rows of a page that goes further back; None when that can't be told from it."""
        places = {mark: position for position, mark in enumerate(marks)}
        last = next((places[mark] for mark in reversed(self._tail) if mark in places), None)
        if last is None:
            return None
        # Rows that sort alike may come in another order the next time: those of them that were never delivered are
        # new as well.
        tie = self._tie_start(page, last)
        if not tie and asked.skip:
            return None
        known = collections.Counter(self._tail)
        return [position for position in range(tie, len(marks)) if not strike(known, marks[position])]

    def _go_further_back(self, asked: Query) -> None:
        if self._back and (not asked.skip or self._back > 4 * self.size.take):
            raise ShiftedError(_MOVED)
        self._back = max(self.size.take, 2 * self._back)

    def _check_end(self, page: Page, asked: Query) -> None:
        if len(page):
            raise ShiftedError(
                f"AFAS sends fewer rows than asked, and more rows sort alike than it sends. Asked: {asked}."
            )
        self.done = True

    def _check_order(self, page: Page, asked: Query) -> None:
        """See to it that rows stand in the asked order, as far as numbers and dates tell; text is the server's."""
        columns: list[Sequence[Any]] = []
        for field in self.order:
            column: Sequence[Any] = page.column(field) if field in page.fields else ()
            if not column or not all(map(_is_comparable, column)):
                break
            if isinstance(column[0], str):
                columns.append([str(value).removesuffix("Z") for value in column])
                # Stored finer than shown: what seems equal need not be, and further fields say nothing.
                break
            columns.append(column)
        places: list[tuple[Any, ...]] = list(zip(*columns, strict=True))
        if any(later < earlier for earlier, later in itertools.pairwise(places)):
            raise MisbehavedError(f"AFAS sends rows out of the asked order. Asked: {asked}.")

    def _tie_start(self, page: Page, position: int) -> int:
        """The first row that sorts like the one at the position."""
        columns = [list(map(_loose, page.column(field))) for field in self.order if field in page.fields]
        last = [column[position] for column in columns]
        while position and all(column[position - 1] == value for column, value in zip(columns, last, strict=True)):
            position -= 1
        return position


def _is_comparable(value: Any) -> bool:
    if isinstance(value, str):
        return _DATE.fullmatch(value) is not None
    return value is not None


def _loose(value: Any) -> Any:
    """What AFAS may hold equal: case, accents, width and trailing spaces."""
    if not isinstance(value, str):
        return value
    letters = unicodedata.normalize("NFKD", value.casefold().rstrip())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def offset_order(connector: Connector, where: Filter, stamp: str | None) -> list[str]:
    """What to sort by where no key is known: as many fields as the query string holds, those that sort fast first.

    Args:
        connector: Whose fields.
        where: The filter that the query string must hold as well.
        stamp: The stamp's field, if the rows are walked by stamp; it stands before these.

    Raises:
        UnsortableError: There is no field to sort by.
    """
    fields = sorted(
        (field for field in connector.fields.values() if field.sortable and field.id != stamp),
        key=lambda field: _ORDER_FIRST.get(field.data_type, 3),
    )
    order: list[str] = []
    for field in fields:
        longer = [*order, field.id]
        bounded = both(where, ((Condition(stamp, "not empty"),),)) if stamp else where
        try:
            length = len(Query(tuple(longer), bounded, take=10**6, skip=10**9).encode())
        except QueryTooLongError:
            break
        if length > LONGEST_QUERY - _ROOM:
            break
        order = longer
    if not order and stamp is None:
        raise UnsortableError(
            "The connector has no key, and no field that AFAS can sort on: its rows can't be read page by page"
            " without losing some.",
            "Add an id field to the GetConnector in AFAS.",
        )
    return order

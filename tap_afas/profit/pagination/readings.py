"""What one run reads of a connector: its selections one after the other, and what the bookmark needs."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from tap_afas.profit.pagination.contact import Contact
from tap_afas.profit.pagination.key import check_keys
from tap_afas.profit.pagination.moment import Moment
from tap_afas.profit.pagination.page import NoContactError
from tap_afas.profit.pagination.reading import Place, Since
from tap_afas.profit.pagination.selection import changed, highest
from tap_afas.profit.pagination.stamps import Stamps
from tap_afas.profit.wall_time import coarsest_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_afas.profit.pagination import Paginator
    from tap_afas.profit.pagination.key import Key, KeyField
    from tap_afas.profit.pagination.page import PageSize
    from tap_afas.profit.pagination.reading import Reading
    from tap_afas.profit.pagination.selection import Selection
    from tap_afas.profit.query import Filter, Query
    from tap_afas.profit.rows import Page


class Phase(enum.Enum):
    """What a run asks next."""

    MOMENT = "what changed and what is empty, in one question"
    HIGHEST = "the row with the highest stamp"
    WALK = "a page of a reading"
    CONTACT = "whether the row that bore the bookmark should have come"
    DONE = "nothing more"


TRANSITIONS: dict[Phase, dict[str, Phase]] = {
    Phase.MOMENT: {
        "all there is": Phase.DONE,
        "all there is, without the witness": Phase.CONTACT,
        "perhaps all": Phase.MOMENT,
        "more than a page, or slow": Phase.HIGHEST,
    },
    Phase.HIGHEST: {
        "another part, or an earlier cap": Phase.HIGHEST,
        "known, or too much for AFAS": Phase.WALK,
        "nothing to read": Phase.DONE,
    },
    Phase.WALK: {
        "there is more": Phase.WALK,
        "all there is": Phase.DONE,
        "all there is, without the witness": Phase.CONTACT,
    },
    Phase.CONTACT: {"another question": Phase.CONTACT, "AFAS reads stamps as it shows them": Phase.DONE},
    Phase.DONE: {},
}
"""Every step a run can take, and why."""


class Readings:
    """The paginator of one run.

    Args:
        readings: What to read, in this order.
        walk: Makes the walk of a reading, from its filter and a cursor.
        by_offset: Makes the walk where there is no contact.
        order: Fields to sort by where a single question is asked.
        keys: The key's fields, if a key is known and can be sorted on.
        size: Rows a page.
        stamp: The replication key, if there is one.
        since: Where to begin.
        place: Where a killed run stood; it counts as begun then.

    Attributes:
        stamps: What the bookmark needs of them, once `done`.
        notes: What people should know; whoever tells them takes them out.
    """

    def __init__(  # noqa: PLR0913 - made in one place, with names
        self,
        readings: Sequence[Reading],
        *,
        walk: Callable[[Filter, Sequence[Key]], Paginator],
        by_offset: Callable[[Filter], Paginator],
        order: Sequence[str],
        keys: Sequence[KeyField] = (),
        size: PageSize,
        stamp: str | None = None,
        since: Since | None = None,
        place: Place | None = None,
    ) -> None:
        self.readings = tuple(readings)
        self.size = size
        self.stamp = stamp
        self.since = since or Since()
        self.stamps = Stamps(self.since, place)
        self.notes: list[str] = []
        self._asked = bool(place and place.asked)
        self._cap = place.cap if place else self.since.cap
        if place is None and self.since.lagged:
            self._cap = self.since.lagged(self.stamps.unit or "second")
        self._walk_of = walk
        self._by_offset = by_offset
        self._keys = tuple(keys)
        self._has_place = bool(stamp and keys)
        # The parts of a filter that doesn't fit into a question as a whole, and those asked for their highest stamp.
        self._parts = list(dict.fromkeys(reading.where for reading in readings))
        # Keys that another part has brought already.
        self._sent: set[Key] = set()
        self._moment = Moment(order, self._at_once.where(self._parts[0]), size)
        self._contact: Contact | None = None
        self._part = 0
        self._number = [one.name for one in readings].index(place.reading) if place else 0
        self._walk = walk(self._where, place.cursor if place else ())
        in_one = self.since.at_once and len(self._parts) == 1 and self._moment.next_query().fits
        first = Phase.MOMENT if in_one else Phase.HIGHEST
        self.phase = Phase.WALK if place or stamp is None else first

    @property
    def done(self) -> bool:
        """Whether all has been read."""
        return self.phase is Phase.DONE

    @property
    def reading(self) -> Reading:
        """What is being read."""
        return self.readings[self._number]

    @property
    def place(self) -> Place | None:
        """Where a later run can go on; None before the walk and behind it."""
        if self.phase is not Phase.WALK or not self._has_place:
            return None
        run, name, cursor = self.stamps, self.reading.name, tuple(self._walk.cursor)
        return Place(name, cursor, self.since.lower, run.highest, run.witness, self._asked, self._cap, run.met)

    def _go(self, reason: str) -> None:
        self.phase = TRANSITIONS[self.phase][reason]

    # What to ask

    @property
    def _where(self) -> Filter:
        return self.reading.selection.where(self.reading.where)

    @property
    def _at_once(self) -> Selection:
        return changed(self.stamp or "", self.since.lower, or_empty=True)

    def next_query(self) -> Query:
        """What to ask next; the same until `advance` or `shrink` is called."""
        if self.phase is Phase.MOMENT:
            return self._moment.next_query()
        if self.phase is Phase.HIGHEST:
            return highest(self.stamp or "", self.readings[0].selection, self._parts[self._part], self._cap)
        if self.phase is Phase.WALK:
            return self._walk.next_query()
        assert self._contact is not None  # noqa: S101 - the phase says so
        return self._contact.next_query()

    @property
    def reads_rows(self) -> bool:
        """Whether the next question is for rows to deliver, and not about some of them."""
        return self.phase in {Phase.MOMENT, Phase.WALK}

    @property
    def asks_once(self) -> bool:
        """Whether the next question is worth one try only."""
        return self.phase in {Phase.HIGHEST, Phase.CONTACT}

    def shrink(self) -> str | None:
        """What to do about a question that was too much for AFAS, as a sentence; None when there is nothing to do."""
        if self.phase is Phase.CONTACT:
            self._go("AFAS reads stamps as it shows them")
            return "The stream goes on without holding its bookmark against a row."
        if self.phase is not Phase.HIGHEST:
            return f"Asking for {self.size.take} rows at a time." if self.size.shrink() else None
        self.stamps.forget()
        reached = "this run's bookmark is the highest one it reads"
        if self.since.lagged:
            self.stamps.highest = self.since.lagged(self.stamps.unit or "day")
            reached = f"this run reads up to {self.stamps.highest}"
        self._begin()
        return (
            f"AFAS can't tell the highest {self.stamp}: {reached}, and for that to be safe the clocks of AFAS and its"
            " database, and `timezone`, must be right."
        )

    # What came

    def advance(self, query: Query, page: Page, seconds: float = 0.0) -> Sequence[int]:
        """Take the answer to a query.

        Args:
            query: The query.
            page: Its answer.
            seconds: How long AFAS took.

        Returns:
            The positions in the page of the rows to deliver, ascending.

        Raises:
            ProfitError: The run can't go on without losing rows.
        """
        if self.phase is Phase.MOMENT:
            return self._take_moment(query, page, seconds)
        if self.phase is Phase.WALK:
            return self._take(query, page)
        if self.phase is Phase.HIGHEST:
            self._take_highest(page)
        elif self._contact is not None:
            self._contact.advance(query, page)
            self.stamps.old_witness = self._contact.witness
            if not self._contact.done and not self._contact.next_query().fits:
                self._contact.give_up()
            self._go("AFAS reads stamps as it shows them" if self._contact.done else "another question")
        return ()

    def _take_moment(self, query: Query, page: Page, seconds: float) -> Sequence[int]:
        rows: Sequence[int] = ()
        if not query.skip:
            check_keys(page, self._keys)
            # A full page is the walk's to deliver.
            rows = range(len(page)) if len(page) < query.take else ()
            self._look(query, self._at_once, page, rows)
            self.stamps.lift(page, rows, self._cap)
        whole = self._moment.advance(query, page, seconds)
        if whole is None:
            self._go("perhaps all")
        elif whole:
            self._end()
        else:
            self.stamps.forget()
            self._go("more than a page, or slow")
        return rows

    def _take_highest(self, page: Page) -> None:
        if len(page) and page.stamps[0] is not None:
            self.stamps.lift(page, range(1), self._cap)
        self._asked = True
        if self._part + 1 < len(self._parts):
            self._part += 1
            self._go("another part, or an earlier cap")
            return
        if self.since.lagged and isinstance(self.stamps.highest, str):
            self.stamps.unit = coarsest_unit([self.stamps.highest], self.stamps.unit)
            cap = self.since.lagged(self.stamps.unit or "day")
            if self.stamps.highest > cap:
                self._cap, self._part, self.stamps.highest = cap, 0, None
                self._go("another part, or an earlier cap")
                return
        self._begin()

    def _begin(self) -> None:
        if self.since.bounded and self.since.beyond:
            self.stamps.until = self.since.beyond(self.stamps.highest, self.stamps.unit)
            self.readings = tuple(self.since.bounded(self.stamps.until))
            if not self.readings:
                self._go("nothing to read")
                return
        self._number = 0
        self._walk = self._walk_of(self._where, ())
        self._go("known, or too much for AFAS")

    def _take(self, query: Query, page: Page) -> Sequence[int]:
        try:
            new = self._walk.advance(query, page)
        except NoContactError as error:
            self.notes.append(f"{error.sentence} The rows are read by offset, which takes longer.")
            self._walk_of = lambda where, _: self._by_offset(where)
            self._walk, self._has_place = self._by_offset(self._where), False
            return ()
        self._look(query, self.reading.selection, page, new)
        if self.stamp is not None and not self._asked and not self.since.lagged:
            self.stamps.lift(page, new, self._cap)
        if len(self._parts) > 1 and self._keys:
            new = [place for place in new if page.keys[place] not in self._sent]
            self._sent.update(page.keys[place] for place in new)
        if self._walk.done and self._number + 1 == len(self.readings):
            self._end()
            return new
        if self._walk.done:
            self._number += 1
            self._walk = self._walk_of(self._where, ())
        self._go("there is more")
        return new

    def _look(self, query: Query, selection: Selection, page: Page, new: Sequence[int]) -> None:
        """Hold a page against what was asked, and take from it what the bookmark needs."""
        if self.stamp is not None:
            selection.check(query, page.stamps, self.since.unit or "day")
            self.stamps.look(page, new)

    def _end(self) -> None:
        if not self.since.meets_witness or self.stamps.met or not (self.stamp and self._keys):
            self._go("all there is")
            return
        where = self._parts[0] if len(self._parts) == 1 else ()
        self._contact = Contact(self.stamp, self._keys, where, self.since, other=self.stamps.same_stamp)
        # A row whose key and a filter fill the query string can't be asked for.
        self._go("all there is, without the witness" if self._contact.next_query().fits else "all there is")

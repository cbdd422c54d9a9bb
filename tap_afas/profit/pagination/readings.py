"""What one run reads of a connector: its selections one after the other, and what the bookmark needs."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING

from tap_afas.profit.clock import Unit, coarsest_unit
from tap_afas.profit.pagination.contact import Contact
from tap_afas.profit.pagination.key import check_keys
from tap_afas.profit.pagination.keyset import NoContactError
from tap_afas.profit.pagination.page import is_end
from tap_afas.profit.pagination.selection import Selection, changed, highest
from tap_afas.profit.query import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_afas.profit.pagination import Paginator
    from tap_afas.profit.pagination.key import Key, KeyField
    from tap_afas.profit.pagination.page import PageSize
    from tap_afas.profit.pagination.selection import Stamp
    from tap_afas.profit.query import Filter
    from tap_afas.profit.rows import Page

_ONE_MOMENT = 60.0
"""Seconds within which an answer counts as one moment; a longer one may have been read in pieces."""


class Phase(enum.Enum):
    """What a run asks next."""

    MOMENT = "what changed and what is empty, in one question"
    TAIL = "the end of that answer, and more"
    HIGHEST = "the row with the highest stamp"
    WALK = "a page of a reading"
    CONTACT = "whether the row that bore the bookmark should have come"
    DONE = "nothing more"


TRANSITIONS: dict[Phase, dict[str, Phase]] = {
    Phase.MOMENT: {
        "all there is": Phase.DONE,
        "all there is, without the witness": Phase.CONTACT,
        "perhaps all": Phase.TAIL,
        "more than a page, or slow": Phase.HIGHEST,
    },
    Phase.TAIL: {
        "all there is": Phase.DONE,
        "all there is, without the witness": Phase.CONTACT,
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


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """A selection, read from its first page to its last.

    Attributes:
        selection: Which rows.
        where: The filter of the settings, or a part of one that doesn't fit into a question as a whole.
        name: Of the selection and the part; the place in the STATE names it.
        version: Under which its records go, if they bear one.
    """

    selection: Selection
    where: Filter = ()
    name: str = ""
    version: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """All that a walk stands on, so that a killed run can go on.

    Attributes:
        reading: The name of the reading it stands in.
        cursor: Keys to go on from, the last one first; empty: it has not begun.
        lower: The lower end of the run, if it has one.
        highest: The highest stamp as answered before the first page, at or before `cap`; or of the rows read so far.
        witness: The key of the row that bears it.
        asked: Whether AFAS answered it.
        cap: The earliest wall time of the run's start.
    """

    reading: str
    cursor: tuple[Key, ...] = ()
    lower: Stamp = None
    highest: Stamp = None
    witness: Key | None = None
    asked: bool = False
    cap: Stamp = None


@dataclasses.dataclass(frozen=True, slots=True)
class Since:
    """What earlier runs left, and where this one begins.

    Attributes:
        lower: The stamp to begin at; None for a first sync.
        bookmark: The highest stamp that earlier runs reached.
        witness: The key of a row that bore it.
        unit: In which stamps were shown so far.
        cap: No later stamp becomes the bookmark. None: any may.
        at_once: Whether one question may do for all that changed.
        lagged: For a stream that appends: the cap, by the unit in which stamps are shown.
        bounded: For a stream that appends: what to read up to a stamp (None: there is none).
    """

    lower: Stamp = None
    bookmark: Stamp = None
    witness: Key | None = None
    unit: Unit | None = None
    cap: Stamp = None
    at_once: bool = False
    lagged: Callable[[Unit], Stamp] | None = None
    bounded: Callable[[Stamp], Sequence[Reading]] | None = None


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
        highest: The bookmark to be, once `done`; None where there is none.
        witness: The key of the row that bears it.
        unit: In which stamps are shown, as far as is known.
        empties: How many rows had an empty stamp.
        notes: What people should know; whoever tells them takes them out.
    """

    def __init__(  # noqa: PLR0913 - made in one place, with names
        self,
        readings: Sequence[Reading],
        *,
        walk: Callable[[Filter, Sequence[Key]], Paginator],
        by_offset: Callable[[Filter], Paginator] | None = None,
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
        self.highest: Stamp = place.highest if place else None
        self.witness: Key | None = place.witness if place else None
        self.unit = self.since.unit
        self.empties = 0
        self.notes: list[str] = []
        self._asked = bool(place and place.asked)
        self._cap = place.cap if place else self.since.cap
        if place is None and self.since.lagged:
            self._cap = self.since.lagged(self.unit or "second")
        self._walk_of = walk
        self._by_offset = by_offset
        self._order = tuple(order)
        self._keys = tuple(keys)
        self._resumed = place is not None
        # The parts of a filter that doesn't fit into a question as a whole, and those asked for their highest stamp.
        self._parts = list(dict.fromkeys(reading.where for reading in readings))
        self._part = 0
        # Keys that another part has brought already.
        self._sent: set[Key] = set()
        self._moment: list[bytes] = []
        self._met = False
        self._same_stamp: Key | None = None
        self._contact: Contact | None = None
        self._number = next((n for n, one in enumerate(readings) if place and one.name == place.reading), 0)
        self._walk = walk(self._where, place.cursor if place else ())
        self.phase = Phase.WALK
        if stamp is not None and place is None:
            self.phase = Phase.MOMENT if self._fits_in_one else Phase.HIGHEST

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
        if self.phase is not Phase.WALK or self.stamp is None or not self._keys:
            return None
        return Place(
            self.reading.name,
            tuple(self._walk.cursor),
            self.since.lower,
            self.highest,
            self.witness,
            self._asked,
            self._cap,
        )

    def _go(self, reason: str) -> None:
        self.phase = TRANSITIONS[self.phase][reason]

    # What to ask

    @property
    def _where(self) -> Filter:
        return self.reading.selection.where(self.reading.where)

    @property
    def _at_once(self) -> Selection:
        return changed(self.stamp or "", self.since.lower, or_empty=True)

    @property
    def _fits_in_one(self) -> bool:
        return self.since.at_once and len(self._parts) == 1 and self._moment_query.fits

    @property
    def _moment_query(self) -> Query:
        return Query(self._order, self._at_once.where(self._parts[0]), take=self.size.take)

    def next_query(self) -> Query:
        """What to ask next; the same until `advance` or `shrink` is called."""
        if self.phase is Phase.MOMENT:
            return self._moment_query
        if self.phase is Phase.TAIL:
            return dataclasses.replace(self._moment_query, take=4, skip=len(self._moment) - 2)
        if self.phase is Phase.HIGHEST:
            return highest(self.stamp or "", self.readings[0].selection, self._parts[self._part], self._cap)
        if self.phase is Phase.WALK:
            return self._walk.next_query()
        assert self._contact is not None  # noqa: S101 - the phase says so
        return self._contact.next_query()

    @property
    def asks_for_highest(self) -> bool:
        """Whether the next question is worth one try only."""
        return self.phase in {Phase.HIGHEST, Phase.CONTACT}

    def shrink(self) -> str | None:
        """What to do about a question that was too much for AFAS, as a sentence; None when there is nothing to do."""
        if self.phase is Phase.CONTACT and self._contact is not None:
            self._contact.give_up()
            self._go("AFAS reads stamps as it shows them")
            return "The stream goes on without holding its bookmark against a row."
        if self.phase is not Phase.HIGHEST:
            return f"Asking for {self.size.take} rows at a time." if self.size.shrink() else None
        self.highest = self.witness = None
        if self.since.lagged:
            self.highest = self.since.lagged(self.unit or "day")
        self._begin()
        return (
            f"AFAS can't tell the highest {self.stamp}: this run's bookmark is the highest one it reads, and for that"
            " to be safe the clocks of AFAS and its database, and `timezone`, must be right."
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
        if self.phase is Phase.TAIL:
            rows = [page.fingerprint(place) for place in range(len(page))]
            self._end_moment(whole=rows == self._moment[-2:])
        elif self.phase is Phase.HIGHEST:
            self._take_highest(page)
        elif self._contact is not None:
            self._contact.advance(query, page)
            self._go("AFAS reads stamps as it shows them" if self._contact.done else "another question")
        return ()

    def _take_moment(self, query: Query, page: Page, seconds: float) -> Sequence[int]:
        check_keys(page, self._keys)
        self._look(query, self._at_once, page, range(len(page)))
        if len(page) >= query.take:
            self._go("more than a page, or slow")
            return ()
        self._take_top(page, range(len(page)))
        if seconds > _ONE_MOMENT:
            self._end_moment(whole=False)
        elif is_end(len(page), query.take):
            self._end_moment(whole=True)
        else:
            self._moment = [page.fingerprint(place) for place in (len(page) - 2, len(page) - 1)]
            self._moment = [b""] * (len(page) - 2) + self._moment
            self._go("perhaps all")
        return range(len(page))

    def _end_moment(self, *, whole: bool) -> None:
        if whole:
            self._end()
        else:
            self.highest = self.witness = None
            self._go("more than a page, or slow")

    def _take_highest(self, page: Page) -> None:
        if len(page) and page.stamps[0] is not None:
            self._take_top(page, range(1))
        self._asked = True
        if self._part + 1 < len(self._parts):
            self._part += 1
            self._go("another part, or an earlier cap")
            return
        if self.since.lagged and isinstance(self.highest, str):
            self.unit = coarsest_unit([self.highest], self.unit)
            cap = self.since.lagged(self.unit or "day")
            if self.highest > cap:
                self._cap, self._part, self.highest = cap, 0, None
                self._go("another part, or an earlier cap")
                return
        self._begin()

    def _begin(self) -> None:
        if self.since.bounded:
            self.readings = tuple(self.since.bounded(self.highest))
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
            if self._by_offset is None:
                raise
            self.notes.append(f"{error.sentence} The rows are read by offset, which takes longer.")
            self._walk_of = lambda where, _: self._by_offset(where)  # type: ignore[misc]  # told apart above
            self._walk, self._keys = self._by_offset(self._where), ()
            return ()
        self._look(query, self.reading.selection, page, new)
        if not self._asked and not self.since.lagged:
            self._take_top(page, new)
        if len(self._parts) > 1 and self._keys:
            new = [place for place in new if page.keys[place] not in self._sent]
            self._sent.update(page.keys[place] for place in new)
        if not self._walk.done:
            self._go("there is more")
        elif self._number + 1 < len(self.readings):
            self._number += 1
            self._walk = self._walk_of(self._where, ())
            self._go("there is more")
        else:
            self._end()
        return new

    def _look(self, query: Query, selection: Selection, page: Page, new: Sequence[int]) -> None:
        """Hold a page against what was asked, and take from it what the bookmark needs."""
        if self.stamp is None:
            return
        stamps = page.stamps
        selection.check(query, stamps, self.since.unit or "day")
        self.empties += sum(stamps[place] is None for place in new) if None in stamps else 0
        if self.unit != "second":
            self.unit = coarsest_unit((stamp for stamp in stamps if isinstance(stamp, str)), self.unit)
        if not self._met and self.since.bookmark is not None:
            self._met = self.since.witness in page.keys
            if self._same_stamp is None and self.since.bookmark in stamps:
                self._same_stamp = page.keys[stamps.index(self.since.bookmark)]

    def _take_top(self, page: Page, places: Sequence[int]) -> None:
        """Lift the highest stamp to that of rows, as far as the cap allows."""
        for place in places:
            stamp = page.stamps[place]
            if stamp is None or (self._cap is not None and stamp > self._cap):
                continue
            if self.highest is None or stamp > self.highest:
                self.highest, self.witness = stamp, page.keys[place] if self._keys else None

    def _end(self) -> None:
        since = self.since
        at_bookmark = since.lower is not None and since.bookmark is not None and since.lower <= since.bookmark
        if self.stamp is None or not at_bookmark or self._met or self._resumed or not self._keys or since.lagged:
            self._go("all there is")
            return
        self._contact = Contact(
            self.stamp,
            self._keys,
            self._parts[0] if len(self._parts) == 1 else (),
            lower=since.lower,
            bookmark=since.bookmark,
            witness=since.witness,
            other=self._same_stamp,
        )
        self._go("all there is, without the witness")

    @property
    def old_witness(self) -> Key | None:
        """The key of a row that bears the old bookmark, where that stands."""
        return self._contact.witness if self._contact else self.since.witness

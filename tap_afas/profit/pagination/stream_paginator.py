"""The paginator of one run: which page to ask for next, over all of its scans."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from tap_afas.profit.pagination.errors import KeyComparisonError
from tap_afas.profit.pagination.key import check_keys
from tap_afas.profit.pagination.lower_bound_check import LowerBoundCheck
from tap_afas.profit.pagination.scan import ResumePoint, StartingPoint
from tap_afas.profit.pagination.selection import changed_since, highest_stamp_query
from tap_afas.profit.pagination.single_answer import SingleAnswer
from tap_afas.profit.pagination.stamp_tracker import StampTracker
from tap_afas.profit.wall_time import coarsest_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_afas.profit.page import Page
    from tap_afas.profit.pagination import Paginator
    from tap_afas.profit.pagination.key import Key, KeyField
    from tap_afas.profit.pagination.page_size import PageSize
    from tap_afas.profit.pagination.scan import Scan
    from tap_afas.profit.pagination.selection import Selection
    from tap_afas.profit.query import Filter, Query


class Phase(enum.Enum):
    """What a run asks next."""

    SINGLE_ANSWER = "what changed and what is empty, in one question"
    HIGHEST = "the row with the highest stamp"
    SCAN = "the next page of a scan"
    LOWER_BOUND = "whether the witness, which didn't come, should have come"
    DONE = "nothing more"


TRANSITIONS: dict[Phase, dict[str, Phase]] = {
    Phase.SINGLE_ANSWER: {
        "all there is": Phase.DONE,
        "all there is, without the witness": Phase.LOWER_BOUND,
        "perhaps all": Phase.SINGLE_ANSWER,
        "more than a page, or slow": Phase.HIGHEST,
    },
    Phase.HIGHEST: {
        "another part, or an earlier cap": Phase.HIGHEST,
        "known, or too much for AFAS": Phase.SCAN,
        "nothing to read": Phase.DONE,
    },
    Phase.SCAN: {
        "there is more": Phase.SCAN,
        "all there is": Phase.DONE,
        "all there is, without the witness": Phase.LOWER_BOUND,
    },
    Phase.LOWER_BOUND: {"another question": Phase.LOWER_BOUND, "AFAS reads stamps as it shows them": Phase.DONE},
    Phase.DONE: {},
}
"""Every step a run can take, and why."""


class StreamPaginator:
    """Decides what one run asks for: its scans one after the other, and the questions that the bookmark needs.

    Args:
        scans: What to read, in this order.
        walk: Makes the walk of a scan, from its filter and a cursor.
        by_offset: Makes the walk where AFAS compares the key differently from how it shows it.
        order: Fields to sort by where a single question is asked.
        keys: The key's fields, if a key is known and can be sorted on.
        size: Rows a page.
        stamp: The replication key, if there is one.
        since: Where to begin.
        resume_point: Where a killed run stood; it counts as begun then.

    Attributes:
        stamps: What the next bookmark is made of, once `done`.
        notes: Sentences to log as warnings; whoever logs them removes them.
    """

    def __init__(  # noqa: PLR0913 - made in one place, with names
        self,
        scans: Sequence[Scan],
        *,
        walk: Callable[[Filter, Sequence[Key]], Paginator],
        by_offset: Callable[[Filter], Paginator],
        order: Sequence[str],
        keys: Sequence[KeyField] = (),
        size: PageSize,
        stamp: str | None = None,
        since: StartingPoint | None = None,
        resume_point: ResumePoint | None = None,
    ) -> None:
        self.scans = tuple(scans)
        self.size = size
        self.stamp = stamp
        self.since = since or StartingPoint()
        self.stamps = StampTracker(self.since, resume_point)
        self.notes: list[str] = []
        self._asked = bool(resume_point and resume_point.asked)
        self._cap = resume_point.cap if resume_point else self.since.cap
        if resume_point is None and self.since.lagged:
            self._cap = self.since.lagged(self.stamps.unit or "second")
        self._walk_of = walk
        self._by_offset = by_offset
        self._keys = tuple(keys)
        self._can_resume = bool(stamp and keys)
        # The parts of a filter that doesn't fit into a question as a whole, and those asked for their highest stamp.
        self._parts = list(dict.fromkeys(scan.where for scan in scans))
        # Keys that another part has brought already.
        self._sent: set[Key] = set()
        self._single_answer = SingleAnswer(order, self._changed_or_empty.where(self._parts[0]), size)
        self._lower_bound_check: LowerBoundCheck | None = None
        self._part = 0
        self._number = [one.name for one in scans].index(resume_point.scan) if resume_point else 0
        self._walk = walk(self._where, resume_point.cursor if resume_point else ())
        in_one = self.since.at_once and len(self._parts) == 1 and self._single_answer.next_query().fits
        first = Phase.SINGLE_ANSWER if in_one else Phase.HIGHEST
        self.phase = Phase.SCAN if resume_point or stamp is None else first

    @property
    def done(self) -> bool:
        """Whether all has been read."""
        return self.phase is Phase.DONE

    @property
    def scan(self) -> Scan:
        """The scan that is being read."""
        return self.scans[self._number]

    @property
    def resume_point(self) -> ResumePoint | None:
        """Where a later run can go on; None outside a scan, and where there is no key to go on from."""
        if self.phase is not Phase.SCAN or not self._can_resume:
            return None
        run, scan, cursor = self.stamps, self.scan, tuple(self._walk.cursor)
        lower, version = self.since.lower, scan.version
        return ResumePoint(scan.name, cursor, lower, run.highest, run.witness, self._asked, self._cap, run.met, version)

    def _transition(self, reason: str) -> None:
        self.phase = TRANSITIONS[self.phase][reason]

    # What to ask

    @property
    def _where(self) -> Filter:
        return self.scan.selection.where(self.scan.where)

    @property
    def _changed_or_empty(self) -> Selection:
        return changed_since(self.stamp or "", self.since.lower, or_empty=True)

    def next_query(self) -> Query:
        """What to ask next; the same until `advance` or `shrink` is called."""
        if self.phase is Phase.SINGLE_ANSWER:
            return self._single_answer.next_query()
        if self.phase is Phase.HIGHEST:
            return highest_stamp_query(self.stamp or "", self.scans[0].selection, self._parts[self._part], self._cap)
        if self.phase is Phase.SCAN:
            return self._walk.next_query()
        assert self._lower_bound_check is not None  # noqa: S101 - the phase says so
        return self._lower_bound_check.next_query()

    @property
    def reads_rows(self) -> bool:
        """Whether the next question is for rows to deliver, and not about some of them."""
        return self.phase in {Phase.SINGLE_ANSWER, Phase.SCAN}

    @property
    def tries_once(self) -> bool:
        """Whether the next query is optional, so that it isn't sent again when it is too much for AFAS."""
        return self.phase in {Phase.HIGHEST, Phase.LOWER_BOUND}

    def shrink(self, *, too_large: bool = False, rows_fit: int | None = None) -> str | None:
        """Ask for less, and say so in a sentence for the log; None where nothing less can be asked for.

        Args:
            too_large: Whether the answer was too large.
            rows_fit: How many of its rows would have fitted.
        """
        if self.phase is Phase.LOWER_BOUND:
            self._transition("AFAS reads stamps as it shows them")
            return "The stream goes on without holding its bookmark against a row."
        if self.phase is not Phase.HIGHEST:
            return (
                f"Asking for {self.size.take} rows at a time."
                if self.size.shrink(too_large=too_large, rows_fit=rows_fit)
                else None
            )
        self.stamps.reset()
        reached = "this run's bookmark is the highest one it reads"
        if self.since.lagged:
            self.stamps.highest = self.since.lagged(self.stamps.unit or "day")
            reached = f"this run reads up to {self.stamps.highest}"
        self._start_scans()
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
        if self.phase is Phase.SINGLE_ANSWER:
            return self._accept_single_answer(query, page, seconds)
        if self.phase is Phase.SCAN:
            return self._accept_page(query, page)
        if self.phase is Phase.HIGHEST:
            self._accept_highest(page)
        elif (check := self._lower_bound_check) is not None:
            check.advance(query, page)
            self.stamps.old_witness = check.witness
            if not check.done and not check.next_query().fits:
                check.give_up()
            self._transition("AFAS reads stamps as it shows them" if check.done else "another question")
        return ()

    def _accept_single_answer(self, query: Query, page: Page, seconds: float) -> Sequence[int]:
        rows: Sequence[int] = ()
        if not query.skip:
            check_keys(page, self._keys)
            # A full page is the walk's to deliver.
            rows = range(len(page)) if len(page) < query.take else ()
            self._check_and_track(query, self._changed_or_empty, page, rows)
            self.stamps.raise_highest(page, rows, self._cap)
        whole = self._single_answer.advance(query, page, seconds)
        if whole is None:
            self._transition("perhaps all")
        elif whole:
            self._end_or_check_lower_bound()
        else:
            self.stamps.reset()
            self._transition("more than a page, or slow")
        return rows

    def _accept_highest(self, page: Page) -> None:
        if len(page) and page.stamps[0] is not None:
            self.stamps.raise_highest(page, range(1), self._cap)
        self._asked = True
        if self._part + 1 < len(self._parts):
            self._part += 1
            self._transition("another part, or an earlier cap")
            return
        if self.since.lagged and isinstance(self.stamps.highest, str):
            self.stamps.unit = coarsest_unit([self.stamps.highest], self.stamps.unit)
            cap = self.since.lagged(self.stamps.unit or "day")
            if self.stamps.highest > cap:
                self._cap, self._part, self.stamps.highest = cap, 0, None
                self._transition("another part, or an earlier cap")
                return
        self._start_scans()

    def _start_scans(self) -> None:
        if self.since.scans_up_to and self.since.beyond:
            self.stamps.until = self.since.beyond(self.stamps.highest, self.stamps.unit)
            self.scans = tuple(self.since.scans_up_to(self.stamps.until))
            if not self.scans:
                self._transition("nothing to read")
                return
        self._number = 0
        self._walk = self._walk_of(self._where, ())
        self._transition("known, or too much for AFAS")

    def _accept_page(self, query: Query, page: Page) -> Sequence[int]:
        try:
            new = self._walk.advance(query, page)
        except KeyComparisonError as error:
            self.notes.append(f"{error.sentence} The rows are read by offset, which takes longer.")
            self._walk_of = lambda where, _: self._by_offset(where)
            self._walk, self._can_resume = self._by_offset(self._where), False
            return ()
        self._check_and_track(query, self.scan.selection, page, new)
        if self.stamp is not None and not self._asked and not self.since.lagged:
            self.stamps.raise_highest(page, new, self._cap)
        if len(self._parts) > 1 and self._keys:
            new = [position for position in new if page.keys[position] not in self._sent]
            self._sent.update(page.keys[position] for position in new)
        if self._walk.done and self._number + 1 == len(self.scans):
            self._end_or_check_lower_bound()
            return new
        if self._walk.done:
            self._number += 1
            self._walk = self._walk_of(self._where, ())
        self._transition("there is more")
        return new

    def _check_and_track(self, query: Query, selection: Selection, page: Page, new: Sequence[int]) -> None:
        """Check that a page's stamps lie in the selection, and learn from them."""
        if self.stamp is not None:
            selection.check(query, page.stamps, self.since.unit or "day")
            self.stamps.add_page(page, new)

    def _end_or_check_lower_bound(self) -> None:
        if not self.since.meets_witness or self.stamps.met or not (self.stamp and self._keys):
            self._transition("all there is")
            return
        where = self._parts[0] if len(self._parts) == 1 else ()
        check = LowerBoundCheck(self.stamp, self._keys, where, self.since, other=self.stamps.same_stamp)
        self._lower_bound_check = check
        # A row whose key and a filter fill the query string can't be asked for.
        self._transition("all there is, without the witness" if check.next_query().fits else "all there is")

"""Reads what changed by any of several stamps, as where a connector joins tables that have one each.

What must hold, beside what holds for every run (`tap_afas.profit.pagination`):

1. **Complete.** When it is done, every untouched row has been delivered that has some stamp at or after that stamp's
   lower bound, or an empty replication key.
2. **Each bookmark by itself.** The bookmark of a stamp is the highest one in an answer that held all rows of one
   moment; or else what AFAS answered to a question about that stamp alone, before the first page was asked. A row that
   came by another stamp raises none.
3. **Once.** The stamps' selections share no row: one that was in the selection of an earlier stamp is left out of the
   later ones' (as far as a question holds that; else rows that several further stamps bring may come with each).
   What passes from a later one to an earlier one meanwhile has changed, and bears a later stamp.
4. **Empty further stamps** select nothing: in an outer join they are empty in most rows.
5. **One question** where it can hold all: for a run in which nothing changed, that is the only one.
"""

from __future__ import annotations

import collections
import dataclasses
import enum
from typing import TYPE_CHECKING

from tap_afas.profit.pagination.changed_by_any import ChangedByAny
from tap_afas.profit.pagination.scan import ResumePoint
from tap_afas.profit.pagination.selection import highest_stamp_query
from tap_afas.profit.pagination.stamp_tracker import StampTracker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_afas.profit.page import Page
    from tap_afas.profit.pagination.further_stamp import FurtherStamp
    from tap_afas.profit.pagination.key import KeyField
    from tap_afas.profit.pagination.lower_bound_check import LowerBoundCheck
    from tap_afas.profit.pagination.page_size import PageSize
    from tap_afas.profit.pagination.scan import Scan
    from tap_afas.profit.pagination.stream_paginator import StreamPaginator
    from tap_afas.profit.query import Filter, Query


class Phase(enum.Enum):
    """What a run by several stamps asks next."""

    ONE_ANSWER = "what changed by any stamp and what is empty, in one question"
    HIGHEST = "the row with the highest of a further stamp"
    RUN = "what a run by one stamp asks, the replication key first"
    LOWER_BOUND = "whether a witness, which didn't come, should have come"
    DONE = "nothing more"


TRANSITIONS: dict[Phase, dict[str, Phase]] = {
    Phase.ONE_ANSWER: {
        "all there is": Phase.DONE,
        "all there is, without a witness": Phase.LOWER_BOUND,
        "perhaps all": Phase.ONE_ANSWER,
        "more than a page, or slow": Phase.HIGHEST,
    },
    Phase.HIGHEST: {"another part, or another stamp": Phase.HIGHEST, "known, or too much for AFAS": Phase.RUN},
    Phase.RUN: {"there is more": Phase.RUN, "another stamp": Phase.RUN, "all there is": Phase.DONE},
    Phase.LOWER_BOUND: {"another question": Phase.LOWER_BOUND, "AFAS reads stamps as it shows them": Phase.DONE},
    Phase.DONE: {},
}
"""Every step, and why."""


class SeveralStampsPaginator:
    """The paginator of a run that is about further stamps too.

    Args:
        first: The run by the replication key, or through all rows.
        further: The further stamps.
        parts: The filter of the settings, in parts that fit into a question.
        order: Fields to sort by where a single question is asked.
        keys: The key's fields, if they can be sorted on.
        at_once: Whether one question may do for all that changed.
        highest: Of a killed run that this one goes on from: what was answered of the further stamps.

    Attributes:
        further: By field, what the next bookmarks of the further stamps are made of, once `done`.
        notes: Sentences to log as warnings; whoever logs them removes them.
    """

    def __init__(  # noqa: PLR0913 - made in one place, with names
        self,
        first: StreamPaginator,
        further: Sequence[FurtherStamp],
        *,
        parts: Sequence[Filter],
        order: Sequence[str],
        keys: Sequence[KeyField],
        at_once: bool,
        highest: Mapping[str, ResumePoint] | None = None,
    ) -> None:
        self.run = self.first = first
        self.further = {one.id: StampTracker(one.since, (highest or {}).get(one.id)) for one in further}
        self.notes: list[str] = []
        self._stamps = tuple(further)
        self._parts = tuple(parts)
        self._asked = {one.id: one.id in (highest or {}) for one in further}
        self._questions = collections.deque((one, part) for one in further for part in parts)
        self._runs = collections.deque(one for one in further if one.run is not None)
        self._running: FurtherStamp | None = None
        self._checks: collections.deque[LowerBoundCheck] = collections.deque()
        self.phase = Phase.RUN if highest is not None else Phase.HIGHEST
        self._changed: ChangedByAny | None = None
        if at_once and len(parts) == 1:
            self._changed = ChangedByAny(first, further, self.further, where=parts[0], order=order, keys=keys)
            if self._changed.next_query().fits:
                self.phase = Phase.ONE_ANSWER

    @property
    def done(self) -> bool:
        """Whether all has been read."""
        return self.phase is Phase.DONE

    @property
    def scan(self) -> Scan:
        """The scan that is being read."""
        return self.run.scan

    @property
    def size(self) -> PageSize:
        """Rows a page."""
        return self.first.size

    @property
    def stamps(self) -> StampTracker:
        """What the next bookmark of the replication key is made of, once `done`."""
        return self.first.stamps

    @property
    def resume_point(self) -> ResumePoint | None:
        """Where a later run can go on: in the first run; the further stamps' own are read from their beginning."""
        return self.first.resume_point if self.phase is Phase.RUN and self.run is self.first else None

    def asked(self, field: str) -> ResumePoint:
        """What was answered of a further stamp, for a later run that goes on from `resume_point`."""
        tracker = self.further[field]
        return ResumePoint("", highest=tracker.highest, witness=tracker.witness, asked=self._asked[field])

    @property
    def reads_rows(self) -> bool:
        """Whether the next question is for rows to deliver, and not about some of them."""
        return self.phase is Phase.ONE_ANSWER or (self.phase is Phase.RUN and self.run.reads_rows)

    @property
    def tries_once(self) -> bool:
        """Whether the next query is optional, so that it isn't sent again when it is too much for AFAS."""
        return self.phase in {Phase.HIGHEST, Phase.LOWER_BOUND} or (self.phase is Phase.RUN and self.run.tries_once)

    def _transition(self, reason: str) -> None:
        self.phase = TRANSITIONS[self.phase][reason]

    # What to ask

    def next_query(self) -> Query:
        """What to ask next; the same until `advance` or `shrink` is called."""
        if self.phase is Phase.ONE_ANSWER and self._changed is not None:
            return self._changed.next_query()
        if self.phase is Phase.HIGHEST:
            one, part = self._questions[0]
            return highest_stamp_query(one.id, one.selection, part, one.since.cap)
        if self.phase is Phase.RUN:
            return self.run.next_query()
        return self._checks[0].next_query()

    def shrink(self, *, too_large: bool = False, rows_fit: int | None = None) -> str | None:
        """Ask for less, and say so in a sentence for the log; None where nothing less can be asked for.

        Args:
            too_large: Whether the answer was too large.
            rows_fit: How many of its rows would have fitted.
        """
        if self.phase is Phase.RUN:
            told = self.run.shrink(too_large=too_large, rows_fit=rows_fit)
            if self.run.done:
                self._end_run()
            return told
        if self.phase is Phase.ONE_ANSWER:
            shrunk = self.size.shrink(too_large=too_large, rows_fit=rows_fit)
            return f"Asking for {self.size.take} rows at a time." if shrunk else None
        if self.phase is Phase.LOWER_BOUND:
            self._checks.popleft()
            self._end_check()
            return "The stream goes on without holding its bookmark against a row."
        one, _ = self._questions[0]
        while self._questions and self._questions[0][0] is one:
            self._questions.popleft()
        self.further[one.id].reset()
        self._end_question()
        return (
            f"AFAS can't tell the highest {one.id}: its bookmark becomes the highest one that is read by it, and for"
            " that to be safe the clocks of AFAS and its database, and `timezone`, must be right."
        )

    # What came

    def advance(self, query: Query, page: Page, seconds: float = 0.0) -> Sequence[int]:
        """Take the answer to a query.

        Args:
            query: The query.
            page: Its answer; its stamps are those of the replication key.
            seconds: How long AFAS took.

        Returns:
            The positions in the page of the rows to deliver, ascending.

        Raises:
            ProfitError: The run can't go on without losing rows.
        """
        if self.phase is Phase.ONE_ANSWER:
            return self._accept_answer(query, page, seconds)
        if self.phase is Phase.RUN:
            return self._accept_page(query, page, seconds)
        if self.phase is Phase.HIGHEST:
            one, part = self._questions.popleft()
            found = page.by(one.id)
            self.further[one.id].raise_highest(found, range(len(found)), one.since.cap)
            self.further[one.id].learn_unit(found)
            self._asked[one.id] = self._asked[one.id] or part == self._parts[-1]
            self._end_question()
            return ()
        check = self._checks[0]
        check.advance(query, page.by(check.stamp))
        tracker = self.further.get(check.stamp, self.stamps)
        tracker.old_witness = check.witness
        if check.done or not check.next_query().fits:
            self._checks.popleft()
        self._end_check()
        return ()

    def _end_question(self) -> None:
        self._transition("another part, or another stamp" if self._questions else "known, or too much for AFAS")

    def _end_check(self) -> None:
        self._transition("another question" if self._checks else "AFAS reads stamps as it shows them")

    def _accept_page(self, query: Query, page: Page, seconds: float) -> Sequence[int]:
        if self._running is None:
            for one in self._stamps:
                self.further[one.id].learn_unit(page, one.id)
        run = self.run
        new = run.advance(query, page if self._running is None else page.by(self._running.id), seconds)
        self.notes += run.notes
        run.notes.clear()
        if run.done:
            self._end_run()
        else:
            self._transition("there is more")
        return new

    def _end_run(self) -> None:
        """Go on by the next stamp whose rows weren't read yet."""
        if self._running is not None:
            self.further[self._running.id] = self.run.stamps
        if not self._runs:
            self._transition("all there is")
            return
        one = self._running = self._runs.popleft()
        known = self.further[one.id]
        since = dataclasses.replace(one.since, unit=known.unit)
        begin = dataclasses.replace(self.asked(one.id), lower=since.lower, cap=since.cap, met=known.met)
        assert one.run is not None  # noqa: S101 - only those are among them
        self.run = one.run(since, begin)
        self._transition("another stamp")

    def _accept_answer(self, query: Query, page: Page, seconds: float) -> Sequence[int]:
        assert self._changed is not None  # noqa: S101 - nothing else is asked in this phase
        rows, whole = self._changed.advance(query, page, seconds)
        if whole is None:
            self._transition("perhaps all")
        elif whole:
            self._checks.extend(self._changed.wanted_checks())
            self._transition("all there is, without a witness" if self._checks else "all there is")
        else:
            self._transition("more than a page, or slow")
        return rows

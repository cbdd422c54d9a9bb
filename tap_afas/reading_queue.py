"""What a sync asks next: the readings of its run, one after the other, and the questions of each."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

from tap_afas.profit.errors import AnswerTooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tap_afas.bookmark import Bookmark
    from tap_afas.changed_days import ChangedDays
    from tap_afas.plan import Plan
    from tap_afas.profit.client import Answer, ProfitClient
    from tap_afas.profit.errors import ProfitError
    from tap_afas.profit.page import Page
    from tap_afas.profit.query import Query
    from tap_afas.readings import Reading
    from tap_afas.stream_definition import StreamDefinition

_MOST_SHRINKS = 12


class ReadingQueue:
    """The readings of one stream's run, of which one is under way.

    Attributes:
        reading: The one under way.
        query: The question to ask next.

    Args:
        definition: The stream.
        plan: How it is read.
        sorting_key: The key, where AFAS can sort on all of it.
        days: Which days are read again, if a feed lists any.
        bookmark: What the STATE says.
    """

    reading: Reading
    query: Query

    def __init__(
        self,
        definition: StreamDefinition,
        plan: Plan,
        sorting_key: Sequence[str],
        days: ChangedDays | None,
        bookmark: Bookmark,
    ) -> None:
        self._definition = definition
        self._reader = plan.reader
        self._shrinks = 0
        # Each is made from the bookmark as it is by then.
        self._then: collections.deque[Callable[[Bookmark], Iterable[Reading]]] = collections.deque(
            [lambda _: [plan.first], *plan.then]
            if days is None
            else [
                lambda _: days.listed(),
                lambda _: [days.first(plan.first)],
                *plan.then,
                lambda _: days.again(plan.readings, sorting_key),
            ]
        )
        self._more: Iterator[Reading] = iter(())
        self.next(bookmark)

    def next(self, bookmark: Bookmark) -> bool:
        """Begin the next reading; whether there is one."""
        while (reading := next(self._more, None)) is None:
            if not self._then:
                return False
            self._more = iter(self._then.popleft()(bookmark))
        self.reading = reading
        self.query = reading.paginator.next_query()
        return True

    def ask(self, client: ProfitClient) -> Answer:
        """Ask the next question.

        Raises:
            ProfitError: AFAS didn't answer.
        """
        reading = self.reading
        connector_id = reading.connector_id or self._definition.connector_id
        return client.rows(connector_id, self.query, once=reading.paginator.tries_once)

    def read(self, answer: Answer) -> Page:
        """The rows of an answer.

        Raises:
            UnexpectedAnswerError, UnfitValueError: They can't be read.
        """
        self.reading.paginator.size.answered = len(answer.body)
        return (self.reading.reader or self._reader).read(answer.body)

    def advance(self, page: Page, seconds: float) -> Sequence[int]:
        """Take the page that came; the positions of its rows that are new, ascending.

        Raises:
            ProfitError: The run can't go on without losing rows.
            UnreadableError: A value of the key or the replication key is no date.
        """
        paginator = self.reading.paginator
        new = paginator.advance(self.query, page, seconds)
        if not paginator.done:
            self.query = paginator.next_query()
        self._shrinks = 0
        while paginator.notes:
            self._definition.logger.warning("%s", paginator.notes.pop(0))
        return new

    def shrink(self, error: ProfitError) -> None:
        """Ask for less, after AFAS found the question too much.

        Raises:
            ProfitError: That error, where nothing less can be asked for.
        """
        self._shrinks += 1
        paginator = self.reading.paginator
        too_large, fit = isinstance(error, AnswerTooLargeError), getattr(error, "rows_fit", None)
        told = paginator.shrink(too_large=too_large, rows_fit=fit) if self._shrinks <= _MOST_SHRINKS else None
        if told is None:
            raise error
        self._definition.logger.warning("%s %s", error, told)
        if not paginator.done:
            self.query = paginator.next_query()

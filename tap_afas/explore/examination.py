"""One connector's examination: which pages are asked for, and what comes of them.

It is driven as a sync is: `ask` waits for AFAS and may run in any thread, everything else in one.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from tap_afas.explore.configured import configured, whole_table
from tap_afas.explore.costs import Timing
from tap_afas.explore.counting import RowCounter
from tap_afas.explore.keys import refuted_key
from tap_afas.explore.row_statistics import RowStatistics
from tap_afas.inputs import InputError
from tap_afas.profit.errors import ProfitError
from tap_afas.profit.key_finder import KeyFinder
from tap_afas.profit.pagination.key import UnfitKeyError
from tap_afas.profit.query import Query
from tap_afas.profit.wall_time import UnreadableError

if TYPE_CHECKING:
    from tap_afas.connection import Connection
    from tap_afas.explore.configured import Configured
    from tap_afas.explore.findings import Finding
    from tap_afas.plan import Plan
    from tap_afas.profit.client import Answer
    from tap_afas.profit.key_finder import KeyVerdict
    from tap_afas.profit.metainfo import Connector
    from tap_afas.profit.page import Page
    from tap_afas.stream_definition import StreamDefinition

_MOST_SHRINKS = 12
# So often a key that was found may turn out to be none, and others be tried.
_MOST_KEYS = 3
_MOST_ROWS_FOR_A_KEY = 10_000
_LATEST_ROWS = 1000


class Phase(enum.Enum):
    """How far an examination is."""

    DESCRIBE = "the connector's fields are to be asked for"
    FIND = "its key is looked for"
    WALK = "its rows are read, as the tap reads them"
    LATEST = "the rows that changed last are asked for, of a table that isn't read whole"
    COUNT = "its rows are counted"
    DONE = "all has been seen"
    FAILED = "it can't go on"


_OPTIONAL = {Phase.LATEST, Phase.COUNT}


class Examination:
    """Looks through one connector.

    Args:
        connector_id: The connector.
        connection: To AFAS.
        rows: How many rows to read; None: all.
        definition: Its stream as a catalog defines it, if there is one.
        count: Whether to count the rows that aren't read.

    Attributes:
        phase: How far it is.
        connector: As AFAS describes it, once that is known.
        configured: How it is synced as configured, once that is known.
        key_findings: What the rows say of the key in force.
        verdict: What the search for a key found, if there was one.
        figures: What was counted of the rows.
        complete: Whether all rows were read.
        counted: How many rows there are, if they were counted.
        failure: Why it can't go on.
    """

    connector: Connector
    configured: Configured
    figures: RowStatistics
    verdict: KeyVerdict | None = None
    failure: ProfitError | InputError | None = None
    complete = False
    counted: int | None = None

    def __init__(
        self,
        connector_id: str,
        connection: Connection,
        *,
        rows: int | None,
        definition: StreamDefinition | None = None,
        count: bool = False,
    ) -> None:
        self.connector_id = connector_id
        self.phase = Phase.DESCRIBE
        self.key_findings: list[Finding] = []
        self.timing = Timing()
        self._connection = connection
        self._rows = rows
        self._count = count
        self._given = definition
        self._keys_tried = self._shrinks = 0
        self._wants_rows = self._asked_latest = False
        self._order: tuple[str, ...] = ()
        # From here on, what there is once the connector is described.
        self._plan: Plan
        self._query: Query
        self._finder: KeyFinder
        self._counter: RowCounter

    @property
    def under_way(self) -> bool:
        """Whether there is more to ask for."""
        return self.phase not in {Phase.DONE, Phase.FAILED}

    @property
    def rows_read(self) -> int:
        """How many rows were read so far."""
        return self.figures.rows if self.is_described else 0

    @property
    def is_described(self) -> bool:
        """Whether its fields are known, and how it is to be read."""
        return hasattr(self, "figures")

    def ask(self) -> Connector | Answer:
        """Ask for what comes next; may run in any thread.

        Raises:
            ProfitError: AFAS didn't answer.
        """
        if self.phase is Phase.DESCRIBE:
            return self._connection.connector(self.connector_id)
        return self._connection.client.rows(self.connector_id, self._query, once=self.phase in _OPTIONAL)

    def receive(self, asked: Any, error: BaseException | None = None) -> None:
        """Take the result of `ask`: what it returned, or what it raised."""
        try:
            self._receive(asked, error)
        except (ProfitError, InputError) as failure:
            self.failure, self.phase = failure, Phase.FAILED

    def _receive(self, asked: Any, error: BaseException | None) -> None:
        if isinstance(error, ProfitError) and error.retry_smaller and self.phase is not Phase.DESCRIBE:
            self._shrink(error)
        elif error is not None:
            raise error
        elif self.phase is Phase.DESCRIBE:
            self._begin(asked)
        elif self.phase is Phase.FIND:
            self._search(asked)
        elif self.phase is Phase.WALK:
            self._read(asked)
        else:
            self._take_aside(asked)

    # The connector, and how it is synced

    def _begin(self, connector: Connector) -> None:
        self.connector = connector
        self.configured = configured(connector, self._connection, self._given)
        if self.configured.key_source is not None:
            self._walk(self.configured.key)
        else:
            self._find()

    def _walk(self, key: tuple[str, ...]) -> None:
        """Read the rows from the first one on, in the order of a key."""
        self._start(key)
        self._query = self._plan.first.paginator.next_query()
        self.phase = Phase.WALK

    def _start(self, key: tuple[str, ...]) -> None:
        self._plan = whole_table(self.connector, self.configured, self._connection, key, self._rows)
        self._start_counting()

    def _start_counting(self) -> None:
        self.figures = RowStatistics(self.connector, self._plan, self._connection.clock, self.configured.stamp)
        self.complete = False

    # Its key

    def _find(self) -> None:
        """Look for a key, unless the filter leaves no room for that in a question."""
        self._start(())
        finder = KeyFinder(self.connector, where=self.configured.where, most=self._rows)
        if finder.done or not finder.next_query().fits:
            self.verdict = finder.verdict
            self._walk(())
            return
        self._finder, self._query, self.phase = finder, finder.next_query(), Phase.FIND

    def _search(self, answer: Answer) -> None:
        finder, page = self._finder, self._page(answer)
        self.figures.add(page, finder.advance(self._query, page), answer.body)
        if not finder.done:
            self._query = finder.next_query()
            return
        self.verdict = finder.verdict
        if self.verdict.whole or (self._rows is not None and self.rows_read >= self._rows):
            self.complete = self.verdict.whole
            self._end()
        else:
            self._wants_rows = self.verdict.why == "too few rows"
            self._walk(self.verdict.key)

    # Its rows

    def _read(self, answer: Answer) -> None:
        paginator, page = self._plan.first.paginator, self._page(answer)
        try:
            new = paginator.advance(self._query, page, answer.seconds)
        except UnfitKeyError:
            self._refute(page)
            return
        except UnreadableError:
            # What it is, the page has noted.
            self._walk(())
            return
        if paginator.notes:
            # AFAS compares the key otherwise than it shows it: the tap begins anew, by offset.
            paginator.notes.clear()
            self._start_counting()
        if self._wants_rows:
            # Its pages are so small that two of them tell no key.
            self._finder.add(page, whole=paginator.done)
            self.verdict = self._finder.verdict
            self._wants_rows = self.verdict.rows < _MOST_ROWS_FOR_A_KEY
        self.figures.add(page, new, answer.body)
        self.complete = paginator.done
        if paginator.done or (self._rows is not None and self.rows_read >= self._rows):
            self._end()
        else:
            self._query = paginator.next_query()

    def _refute(self, page: Page) -> None:
        """The key by which rows are read is none: look for another."""
        key = self._plan.reader.key
        self._keys_tried += 1
        if self.verdict is not None and self.verdict.key == key:
            self._finder.add(page)
            self.verdict = self._finder.verdict
            self._walk(self.verdict.key if self._keys_tried <= _MOST_KEYS else ())
            return
        self.key_findings = refuted_key(page, key, self.configured.key_source, self._plan.reader.kinds)
        self._find()

    def _page(self, answer: Answer) -> Page:
        page = self.figures.reader.read(answer.body)
        self.timing.add(len(page), answer.seconds)
        self._shrinks = 0
        return page

    # The end

    def _end(self) -> None:
        stamp = None if self.complete or self._asked_latest else self.figures.stamps.sortable
        if stamp is not None:
            self._asked_latest, self._order = True, self._query.order
            self._query = Query(
                (f"-{stamp}",), self.configured.where, take=min(_LATEST_ROWS, self.configured.page_size)
            )
            self.phase = Phase.LATEST
        elif not self.complete and self._count and self.counted is None:
            self._counter = RowCounter(self._order or self._query.order, self.configured.where, at_least=self.rows_read)
            self._query, self.phase = self._counter.next_query(), Phase.COUNT
        else:
            self.phase = Phase.DONE

    def _take_aside(self, answer: Answer) -> None:
        page = self.figures.reader.read(answer.body)
        if self.phase is Phase.LATEST:
            self.figures.stamps.add_latest(page)
            self._end()
            return
        self._counter.advance(self._query, page)
        self.counted = self._counter.rows
        if self._counter.done:
            self.phase = Phase.DONE
        else:
            self._query = self._counter.next_query()

    def _shrink(self, error: ProfitError) -> None:
        """Ask for less after AFAS found a question too much."""
        self._shrinks += 1
        if self.phase is Phase.LATEST:
            self._end()
            return
        if self.phase is Phase.COUNT:
            self.phase = Phase.DONE
            return
        if self._shrinks > _MOST_SHRINKS:
            raise error
        if self.phase is Phase.FIND and self._finder.shrink():
            self._query = self._finder.next_query()
        elif self.phase is Phase.WALK and self._plan.first.paginator.shrink() is not None:
            self._query = self._plan.first.paginator.next_query()
        else:
            raise error

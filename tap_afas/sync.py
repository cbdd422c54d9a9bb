"""One stream's sync, from metainfo to the last page: by the scheduler, or alone.

A sync has no thread of its own. `ask` (which waits for AFAS) may run in any thread; everything else runs in the one
thread that writes. So whoever drives a sync does this, until it has ended: `ask`, `receive` what came of it, and write
what `receive` returns; the next `ask` may be under way meanwhile.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Any

from tap_afas.delivery import Delivery
from tap_afas.filters import nothing_passed
from tap_afas.preparation import Preparation
from tap_afas.profit.errors import ProfitError
from tap_afas.profit.unfit_value import UnfitValueError
from tap_afas.profit.wall_time import UnreadableError
from tap_afas.progress import Progress
from tap_afas.reading_queue import ReadingQueue
from tap_afas.records import RecordEncoder
from tap_afas.resume_point import resume_point_to_text

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator, Mapping

    from tap_afas.changed_days import ChangedDays
    from tap_afas.connection import Connection
    from tap_afas.loaded_under import SdkShaping
    from tap_afas.plan import Plan
    from tap_afas.profit.client import Answer
    from tap_afas.profit.metainfo import Connector
    from tap_afas.stream_definition import StreamDefinition


class Phase(enum.Enum):
    """The phases of a sync."""

    DESCRIBE = "the connector's fields are to be asked for"
    READ = "pages are to be asked for"
    DONE = "all has been read"
    FAILED = "it can't go on"


class Sync:
    """Reads one stream: asks for its pages, and hands out rows with the STATE that goes with them.

    Attributes:
        encoder: Makes records of the rows; there once the connector is described.
        progress: What it has done so far.
        phase: How far it is.
        has_page: Whether a page of rows has come, which shows that the key tells them apart.

    Args:
        definition: The stream.
        state: Its part of the STATE.
        connection: To AFAS.
        version: The lowest that a new version of its records may be; None: no versions are wanted.
        most_rows: With the page that makes them so many, the sync ends.
        shape: What the SDK's settings make of it.
        days_state: The part of the STATE of the stream that tells which of its days were read again.

    Raises:
        InputError: The state, or what the settings say of the stream, can't be used.
    """

    encoder: RecordEncoder
    has_page = False

    def __init__(  # noqa: PLR0913 - made in one place, with names
        self,
        definition: StreamDefinition,
        state: Mapping[str, Any],
        *,
        connection: Connection,
        version: int | None = None,
        most_rows: int | None = None,
        shape: SdkShaping | None = None,
        days_state: Mapping[str, Any] | None = None,
    ) -> None:
        self._prepared = Preparation(
            definition,
            state,
            connection=connection,
            version=version,
            most_rows=most_rows,
            shape=shape,
            days_state=days_state,
        )
        self._against_state = self._prepared.against_state
        self._key = self._prepared.key
        self._bookmark = self._prepared.bookmark
        self._connection = connection
        self._most_rows = most_rows
        self.phase = Phase.DESCRIBE
        self.progress = Progress(self.definition.logger)
        # From here on, what there is once the connector is described.
        self._plan: Plan
        self._queue: ReadingQueue
        self._days: ChangedDays | None = None
        self._emitted = 0
        self._held: list[Any] = []

    @property
    def definition(self) -> StreamDefinition:
        """The stream, as it is read."""
        return self._prepared.definition

    @property
    def under_way(self) -> bool:
        """Whether the sync has more to ask for."""
        return self.phase in {Phase.DESCRIBE, Phase.READ}

    def ask(self) -> tuple[Connector, Connector | None] | Answer:
        """Ask for what comes next; may run in any thread.

        Raises:
            ProfitError: AFAS didn't answer.
        """
        if self.phase is Phase.READ:
            return self._queue.ask(self._connection.client)
        self.progress.start_clock()
        connector_id, feed = self.definition.connector_id, self._prepared.feed
        found = self._prepared.connector or self._connection.connector(connector_id)
        return found, None if feed is None else feed.listing(connector_id, self._connection)

    def receive(self, asked: Any, error: BaseException | None = None) -> Delivery | None:
        """Take the result of `ask`.

        Args:
            asked: What it returned.
            error: What it raised.

        Returns:
            What is to be written; None where nothing is.

        Raises:
            ProfitError, InputError: The sync can't go on.
        """
        if self.phase is Phase.READ and isinstance(error, ProfitError) and error.retry_smaller:
            return self._shrink(error)
        if error is not None:
            raise error
        if self.phase is Phase.READ:
            return self._read_page(asked)
        return self._begin(*asked)

    def fail(self) -> None:
        """End the sync: what was handed out couldn't be written, or nothing more can come."""
        self.phase = Phase.FAILED

    def deliveries(self) -> Iterator[Delivery]:
        """Run the whole sync in this thread, page by page.

        Raises:
            ProfitError, InputError: The sync can't go on.
        """
        while self.under_way:
            asked, error = None, None
            try:
                asked = self.ask()
            except ProfitError as raised:
                error = raised
            delivery = self.receive(asked, error)
            if delivery is not None:
                yield delivery

    def records(self) -> Iterator[dict[str, Any]]:
        """The records of all rows, as `deliveries` drives the sync; nothing is written."""
        for delivery in self.deliveries():
            yield from self.encoder.records(delivery.rows)

    def check_filter(self, connector: Connector) -> None:
        """Check that the stream's `filter` goes with the connector; its description is kept for the sync.

        Raises:
            FilterError: It doesn't fit, or into no question.
        """
        self._prepared.check_filter(connector)

    def _begin(self, connector: Connector, listing: Connector | None) -> Delivery | None:
        prepared = self._prepared
        plan = self._plan = prepared.plan(connector, listing)
        self._bookmark, self._days = prepared.bookmark, prepared.days
        if (until := plan.course.waits_until) is not None:
            self.definition.logger.info(
                "Not due until %s: read whole every %s.", until.isoformat(timespec="minutes"), prepared.every
            )
            self.phase = Phase.DONE
            return None
        key = self.definition.sorting_key(connector)
        self._queue = ReadingQueue(self.definition, plan, key, self._days, self._bookmark)
        self.encoder = RecordEncoder(self.definition.name, plan.reader, plan.emitted, self._connection.clock)
        self.phase = Phase.READ
        # One STATE before the first page: what was found, in the form that no merge changes.
        return self._delivery([])

    def _read_page(self, answer: Answer) -> Delivery | None:
        plan, queue, reading = self._plan, self._queue, self._queue.reading
        paginator, query = reading.paginator, queue.query
        version, of_rows = paginator.scan.version, paginator.reads_rows
        page = queue.read(answer)
        try:
            new = queue.advance(page, answer.seconds)
        except UnreadableError:
            if not reading.connector_id:
                self.encoder.check_dates(page.rows)
            raise UnfitValueError(
                f"The key or replication key of {reading.connector_id or self.definition.connector_id} holds something"
                " that is no date."
            ) from None
        reading.look(page, new)
        if reading.connector_id:
            return self._end_listing(answer.date) if paginator.done else None
        if of_rows or paginator.done:
            self.has_page = True
            self._bookmark = self._against_state.loaded(self._bookmark)
        self.progress.add_page_read(len(page), answer.retries)
        rows = self._held + page.rows_at(new)
        # A short first page may be the whole table: without a key, what is written stays until a run is complete.
        alone = self.progress.pages == 1 and len(page) < query.take and not paginator.done
        self._held = rows if alone and plan.course.activates and not self.definition.primary_keys else []
        return None if self._held else self._deliver(rows, version, answer.date)

    def _deliver(self, rows: list[Any], version: int | None, now: datetime.datetime | None) -> Delivery:
        """The delivery of rows, with the STATE behind them: the bookmark after the last page, a resume point before."""
        plan, reading, paginator = self._plan, self._queue.reading, self._queue.reading.paginator
        # Before what comes next begins: these rows were read before that.
        at = self._days.clock.now() if self._days else None
        if self._key is not None and reading.moves_bookmark and paginator.done:
            self._bookmark = self._bookmark.completed(
                self._key, paginator.stamps, start=plan.start, began=plan.began, now=now, appends=plan.appends
            )
        elif self._key is not None and self.has_page and paginator.resume_point is not None:
            text = resume_point_to_text(paginator.resume_point, plan.keys, plan.start)
            self._bookmark = dataclasses.replace(self._bookmark, place=text, unit=paginator.stamps.unit)
        self._bookmark = reading.noted(self._bookmark, start=plan.start, began=plan.began, now=now)
        self._emitted += len(rows)
        if self._most_rows is None:
            self._bookmark = dataclasses.replace(self._bookmark, rows_fit=paginator.size.fits)
        done = paginator.done and not self._read_on(now)
        if done:
            self._bookmark = dataclasses.replace(self._bookmark, rows_read=self.progress.read)
        if done and (plan.course.activates or self._key is None):
            self._bookmark = self._against_state.refreshed(self._bookmark, plan.course.version, plan.start)
        if last := done or self.progress.rows + len(rows) >= (self._most_rows or float("inf")):
            self.phase = Phase.DONE
        delivery = self._delivery(rows, version, last=last, at=at)
        return dataclasses.replace(delivery, activates=True) if done and plan.course.activates else delivery

    def _delivery(
        self, rows: list[Any], version: int | None = None, *, last: bool = False, at: datetime.datetime | None = None
    ) -> Delivery:
        delivery = Delivery(rows, self._bookmark.to_state(self._key), version, activates=False, last=last)
        if (days := self._days) is None:
            return delivery
        told, days.records = days.records, []
        return dataclasses.replace(delivery, days=told, days_state=days.to_state(done=last), extracted_at=at)

    def _shrink(self, error: ProfitError) -> Delivery | None:
        """Ask for less after AFAS found a question too much; the reading ends where that was its last one."""
        self._queue.shrink(error)
        reading = self._queue.reading
        if not reading.paginator.done:
            return None
        return self._end_listing(None) if reading.connector_id else self._deliver([], None, None)

    def _end_listing(self, now: datetime.datetime | None) -> Delivery:
        """Go on with what follows a feed of changed days."""
        self._go_on(now)
        return self._delivery([])

    def _read_on(self, now: datetime.datetime | None) -> bool:
        """Begin what is to be read after what has been read; whether there is such a thing.

        Raises:
            ShrunkError: A whole table came with so few rows that its target keeps what it has.
        """
        activates = self._plan.course.activates
        if self._queue.reading.is_whole and (activates or self._key is None):
            self._bookmark = self._against_state.read_whole(self._bookmark, self._emitted, activates=activates)
        return self._go_on(now)

    def _go_on(self, now: datetime.datetime | None) -> bool:
        self._queue.reading.end(now)
        self._emitted = 0
        return self._queue.next(self._bookmark)

    # What is told about it

    def count_written(self, delivery: Delivery) -> None:
        """Count a delivery that was written; after the last one, warn of fields and stamps that look wrong."""
        self.progress.add_written(len(delivery.rows), last=delivery.last)
        if not delivery.last:
            return
        for field in self.encoder.replaced.found:
            self.definition.logger.warning(
                "%s holds nothing but “(replaced)”: the field no longer exists in AFAS.", field
            )
        said = nothing_passed(self._connection.settings, self.definition.connector_id)
        if said and self._plan.is_first and not self.progress.read:
            self.definition.logger.warning("%s", said)
        paginator = self._queue.reading.paginator
        empties = paginator.stamps.empties
        if self._key is not None and empties * 2 > paginator.size.wanted:
            self.definition.logger.warning(
                "%d rows have an empty %s: they are read and sent again by every run.", empties, self._key.id
            )

    @property
    def expected_rows(self) -> float:
        """How many rows the sync may read: as many as the last time; infinite where that isn't known."""
        rows_read = self._bookmark.rows_read
        return float("inf") if rows_read is None else float(rows_read)

    def summary(self) -> dict[str, Any]:
        """What the sync did, for the summary of the run."""
        return {
            "connector": self.definition.connector_id,
            "rows": self.progress.rows,
            "pages": self.progress.pages,
            "requests": self._connection.client.request_counts[self.definition.connector_id],
            "retries": self.progress.retries,
            "seconds": round(self.progress.seconds, 3),
            "rows_per_second": round(self.progress.rate),
            "bookmark": self._key.value(self._bookmark.bookmark) if self._key else None,
        }

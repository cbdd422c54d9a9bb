"""One stream's sync, from metainfo to the last page: by the scheduler, or alone.

A sync has no thread of its own. `ask` (which waits for AFAS) may run in any thread; everything else runs in the one
thread that writes. So whoever drives a sync does this, until it has ended: `ask`, `take` what came of it, and write
what `take` hands out; the next `ask` may be under way meanwhile.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Any

from tap_afas.bookmark_by_stamp import read_bookmark
from tap_afas.filters import read_filter
from tap_afas.inputs import StateError
from tap_afas.plan import make_plan
from tap_afas.profit.errors import ProfitError
from tap_afas.profit.keys import check_keys
from tap_afas.profit.rows import UnfitValueError
from tap_afas.progress import Progress
from tap_afas.records import RecordEncoder, ReplacedFields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_afas.bookmark_by_stamp import MovingBookmark
    from tap_afas.connection import Connection
    from tap_afas.plan import Definition, Plan, Reading
    from tap_afas.profit.client import Answer
    from tap_afas.profit.metainfo import Connector
    from tap_afas.profit.query import Filter

_MOST_SHRINKS = 12


class Phase(enum.Enum):
    """How far a sync is."""

    DESCRIBE = "the connector's fields are to be asked for"
    READ = "pages are to be asked for"
    DONE = "all has been read"
    FAILED = "it can't go on"


@dataclasses.dataclass(frozen=True, slots=True)
class Delivery:
    """What a page brought.

    Attributes:
        rows: The new rows; an encoder uses them up.
        state: The stream's part of the STATE behind them.
        version: The version of their records, if any.
        activates: Whether behind them, the target may take out the rows of other versions.
        last: Whether they are the stream's last.
    """

    rows: list[Any]
    state: dict[str, Any]
    version: int | None
    activates: bool
    last: bool


class Sync:
    """The sync of one stream.

    Attributes:
        encoder: Makes records of the rows; there once the connector is described.
        progress: What it has done so far.
        phase: How far it is.

    Args:
        definition: The stream.
        state: Its part of the STATE.
        connection: To AFAS.
        version: The version of the records of a full table, where versions are wanted.
        most_rows: How many rows are wanted at most.

    Raises:
        StateError: The state can't be used.
    """

    encoder: RecordEncoder

    def __init__(
        self,
        definition: Definition,
        state: Mapping[str, Any],
        *,
        connection: Connection,
        version: int | None = None,
        most_rows: int | None = None,
    ) -> None:
        self.definition = definition
        self.phase = Phase.DESCRIBE
        self.progress = Progress(definition.logger)
        self._rows_read = state.get("rows_read")
        self._found = read_bookmark(definition, state)
        self._connection = connection
        self._version = version
        self._most_rows = most_rows
        self._connector: Connector | None = None
        self._where: Filter = ()
        # From here on, what there is once the connector is described.
        self._plan: Plan
        self._readings: Iterator[Reading]
        self._reading: Reading
        self._replaced: ReplacedFields
        self._bookmark: MovingBookmark | None = None
        self._shrinks = 0

    @property
    def under_way(self) -> bool:
        """Whether there is something to ask."""
        return self.phase in {Phase.DESCRIBE, Phase.READ}

    def ask(self) -> Connector | Answer:
        """Ask for what comes next; may run in any thread.

        Raises:
            ProfitError: AFAS didn't answer.
            StateError: There is no next page to ask for, since the state's place isn't one.
        """
        if self.phase is Phase.DESCRIBE:
            self.progress.begin()
            return self._connector or self._connection.connector(self.definition.connector_id)
        try:
            query = self._reading.walk.question()
        except ValueError:
            raise StateError("The state's `place` holds something that is no date.") from None
        return self._connection.client.rows(self.definition.connector_id, query)

    def take(self, asked: Any, error: BaseException | None = None) -> Delivery | None:
        """Take what came of `ask`.

        Args:
            asked: What it returned.
            error: What it raised.

        Returns:
            What is to be written; None where nothing is.

        Raises:
            ProfitError, InputError: The sync can't go on.
        """
        if self.phase is Phase.READ and isinstance(error, ProfitError) and error.smaller:
            self._shrink(error)
            return None
        if error is not None:
            raise error
        if self.phase is Phase.READ:
            return self._read(asked)
        self._begin(asked)
        return None

    def fail(self) -> None:
        """End the sync: what was handed out couldn't be written, or nothing more can come."""
        self.phase = Phase.FAILED

    def deliveries(self) -> Iterator[Delivery]:
        """Drive the sync in this thread, with nothing beside it.

        Raises:
            ProfitError, InputError: The sync can't go on.
        """
        while self.under_way:
            asked, error = None, None
            try:
                asked = self.ask()
            except ProfitError as raised:
                error = raised
            delivery = self.take(asked, error)
            if delivery is not None:
                yield delivery

    def records(self) -> Iterator[dict[str, Any]]:
        """The records of all rows, as `deliveries` drives the sync; nothing is written."""
        for delivery in self.deliveries():
            yield from self.encoder.records(delivery.rows)

    def check(self, connector: Connector) -> None:
        """Hold the stream's filter against its connector, which then isn't asked for again.

        Raises:
            FilterError: It doesn't fit.
        """
        self._connector = connector
        setting = self._connection.settings.stream(connector.id).filter
        self._where = read_filter(setting, connector, self._connection.clock)

    def _begin(self, connector: Connector) -> None:
        if self._connector is None:
            self.check(connector)
        connection = self._connection
        plan = self._plan = make_plan(
            self.definition,
            connector,
            self._found,
            settings=connection.settings,
            where=self._where,
            clock=connection.clock,
            started=connection.started,
            version=self._version,
            most_rows=self._most_rows,
        )
        self.encoder = RecordEncoder(self.definition.name, plan.reader, tuple(plan.emitted), connection.clock)
        self._replaced = ReplacedFields(plan.emitted)
        self._readings = iter(plan.readings)
        self._next_reading()

    def _next_reading(self) -> None:
        reading = next(self._readings, None)
        if reading is None:
            self.phase = Phase.DONE
        else:
            self.phase, self._reading, self._bookmark = Phase.READ, reading, reading.bookmark

    def _read(self, answer: Answer) -> Delivery:
        reading = self._reading
        page = self._plan.reader.read(answer.body)
        try:
            check_keys(page, reading.checked_key)
            picked = reading.walk.learn(page)
            if reading.bookmark is not None:
                reading.bookmark.move(page, picked)
        except ValueError:
            raise UnfitValueError(
                f"The key or replication key of {self.definition.connector_id} holds something that is no date."
            ) from None
        self._replaced.look(page)
        self.progress.took(len(page), answer.retries)
        self._shrinks = 0
        ended = reading.walk.done
        if ended:
            self._next_reading()
        return Delivery(
            page.pick(picked),
            self._state(reading.bookmark),
            reading.version,
            activates=ended and reading.activates,
            last=self.phase is Phase.DONE,
        )

    def _state(self, moved: MovingBookmark | None) -> dict[str, Any]:
        """The stream's part of the STATE; a full table has no bookmark in it."""
        state = {} if moved is None else moved.bookmark.to_state()
        rows_read = self.progress.read if self.phase is Phase.DONE else self._rows_read
        return state if rows_read is None else {**state, "rows_read": rows_read}

    def _shrink(self, error: ProfitError) -> None:
        """Have smaller pages asked for after AFAS found one too much."""
        self._shrinks += 1
        size = self._reading.walk.size
        if self._shrinks > _MOST_SHRINKS or not size.shrink():
            raise error
        self.definition.logger.warning("%s Asking for %d rows at a time.", error, size.take)

    # What is told about it

    def wrote(self, delivery: Delivery) -> None:
        """Count what was written, and say what there is to say."""
        reached = None if self._bookmark is None else self._bookmark.reached
        self.progress.wrote(len(delivery.rows), reached, last=delivery.last)
        for field in self._replaced.found if delivery.last else ():
            self.definition.logger.warning(
                "%s holds nothing but “(replaced)”: the field no longer exists in AFAS.", field
            )

    @property
    def weight(self) -> float:
        """How long the sync may take: rows it read the last time; endless when that isn't known."""
        return float(self._rows_read) if isinstance(self._rows_read, int) else float("inf")

    def figures(self) -> dict[str, Any]:
        """What the sync did, for the summary of the run."""
        return {
            "connector": self.definition.connector_id,
            "rows": self.progress.rows,
            "pages": self.progress.pages,
            "requests": self._connection.client.request_counts[self.definition.connector_id],
            "retries": self.progress.retries,
            "seconds": round(self.progress.seconds, 3),
            "bookmark": None if self._bookmark is None else self._bookmark.bookmark.value,
        }

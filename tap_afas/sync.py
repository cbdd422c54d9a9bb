"""One stream's sync, from metainfo to the last page: what `runner` drives side by side.

A sync has no thread of its own. `ask` (which waits for AFAS) may run in any thread; everything else runs in the one
thread that writes.
"""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

from tap_afas.bookmark import Bookmark, Overlap, moment
from tap_afas.drift import SchemaChangedError, columns, stamp_of
from tap_afas.filters import read_filter
from tap_afas.inputs import StateError
from tap_afas.profit.by_key import ByKey
from tap_afas.profit.by_offset import ByOffset, offset_order
from tap_afas.profit.by_stamp import ByStamp, StampField, Start
from tap_afas.profit.clock import shift
from tap_afas.profit.keys import check_keys
from tap_afas.profit.page import KeyField, PageSize
from tap_afas.records import ReplacedFields, RowReader, UnfitValueError
from tap_afas.schema import kinds_of
from tap_afas.settings import page_size

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Mapping, Sequence

    from tap_afas.profit.client import Answer, ProfitClient
    from tap_afas.profit.clock import Clock
    from tap_afas.profit.errors import ProfitError
    from tap_afas.profit.metainfo import Connector
    from tap_afas.profit.page import KeyKind
    from tap_afas.profit.query import Filter
    from tap_afas.profit.walk import Walk
    from tap_afas.records import Rows
    from tap_afas.schema import Kind
    from tap_afas.stream import AfasStream

_KEY_KINDS: dict[Kind, KeyKind] = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "date": "date",
    "date-time": "moment",
}
_PROGRESS_SECONDS = 30.0
_MOST_SHRINKS = 12


@dataclasses.dataclass(slots=True)
class Count:
    """What a sync has done so far."""

    rows: int = 0
    pages: int = 0
    read: int = 0
    retries: int = 0
    started: float = dataclasses.field(default_factory=time.monotonic)
    written: float = 0.0

    @property
    def seconds(self) -> float:
        """From its beginning until it last wrote a page."""
        return max(0.0, self.written - self.started)


class StreamSync:
    """The sync of one stream.

    Args:
        stream: The stream.
        client: Asks AFAS.
        clock: Of AFAS' wall time.
        started: When the run began, by AFAS' clock and this machine's, whichever is earlier.
        described: The connector's fields, if the run has asked for them already.
    """

    def __init__(
        self,
        stream: AfasStream,
        client: ProfitClient,
        clock: Clock,
        started: datetime.datetime,
        described: Connector | None = None,
    ) -> None:
        self.stream = stream
        self.count = Count()
        self._client = client
        self._clock = clock
        self._started = started
        self._described = described
        self._settings: Mapping[str, Any] = stream.config.get("streams", {}).get(stream.connector_id, {})
        self._overlap_seconds = max(1, stream.config.get("overlap_seconds", 300))
        self._earlier = stream.stream_state
        self._shrinks = 0
        self._progress = time.monotonic()
        self._bookmark: Bookmark | None = None
        self._kinds: dict[str, Kind] = {}
        self._overlap = Overlap()
        self._keys: list[KeyField] = []
        self._picked: Sequence[int] = ()
        self._walk: Walk
        self.reader: RowReader
        self._replaced: ReplacedFields

    # What may run in any thread

    def describe(self) -> Connector:
        """Ask for the connector's fields."""
        self.count.started = time.monotonic()
        return self._described or self._client.connector(self.stream.connector_id)

    def ask(self) -> Answer:
        """Ask for the next page.

        Raises:
            ProfitError: AFAS didn't answer.
            StateError: There is no next page to ask for, since the state's place isn't one.
        """
        try:
            question = self._walk.question()
        except ValueError:
            raise StateError("The state's `place` holds something that is no date.") from None
        return self._client.rows(self.stream.connector_id, question)

    # What runs in the thread that writes

    def begin(self, connector: Connector) -> None:
        """Hold the connector against the catalog, and choose the walk. Nothing has been written yet.

        Raises:
            ProfitError: The catalog or the settings don't fit the connector.
            FilterError: The filter doesn't.
            StateError: The state doesn't.
        """
        stream = self.stream
        self._kinds = columns(stream, connector, self._settings.get("types", {}))
        keys = self._keys = [KeyField(field, _KEY_KINDS[self._kinds[field]]) for field in stream.primary_keys]
        where = read_filter(self._settings.get("filter"), connector, self._clock)
        size = PageSize(page_size(self._settings, stream.config, len(connector.fields)))
        if stream.ABORT_AT_RECORD_COUNT is not None:
            size = PageSize(min(size.take, max(1, stream.ABORT_AT_RECORD_COUNT)))
        stamp = stamp_of(stream)
        sortable = all(connector.fields[key.id].sortable for key in keys)
        order = [key.id for key in keys] if keys and sortable else offset_order(connector, where, stamp)
        if stamp is not None:
            if not connector.fields[stamp].sortable:
                raise SchemaChangedError(
                    f"AFAS can't sort on the replication key {stamp}.",
                    f"Set `streams.{stream.connector_id}.replication_key` to another field, or empty.",
                )
            self._walk = self._by_stamp(stamp, keys, order, size, where)
        elif keys and sortable:
            self._walk = ByKey(keys, size, where)
        else:
            self._walk = ByOffset(order, size, where)
        visible = [
            field
            for field in self._kinds
            if stream.is_field_selected(field) or field in stream.primary_keys or field == stamp
        ]
        hidden = [field for field in order if field not in visible]
        kinds = {**kinds_of(connector, self._settings.get("types", {})), **self._kinds}
        try:
            self.reader = RowReader(
                stream.connector_id,
                {field: kinds[field] for field in (*visible, *hidden)},
                key=stream.primary_keys,
                stamp=stamp,
                clock=self._clock,
                hidden=hidden,
            )
        except ValueError:
            raise SchemaChangedError(
                "A field's id holds a quotation mark or a backslash, with which it can't be read.",
                "Give it another id in AFAS, or take it out of the selection.",
            ) from None
        self._replaced = ReplacedFields({field: self._kinds[field] for field in visible})

    def _by_stamp(
        self, stamp: str, keys: Sequence[KeyField], order: Sequence[str], size: PageSize, where: Filter
    ) -> ByStamp:
        stream = self.stream
        is_date = self._kinds[stamp] in {"date", "date-time"}
        if not is_date and self._kinds[stamp] != "integer":
            raise SchemaChangedError(
                f"The replication key {stamp} is {self._kinds[stamp]}; it must be a date or a whole number.",
                f"Set `streams.{stream.connector_id}.replication_key` to another field, or empty for full table.",
            )
        bookmark = stream.bookmark()
        if bookmark is None and self._earlier.get("replication_key"):
            stream.logger.warning(
                "The state is about %s, and the replication key is %s now: starting anew.",
                self._earlier["replication_key"],
                stamp,
            )
        if bookmark is not None and self._is_of_the_future(bookmark):
            # This tap writes none. When the run that wrote it took place, and so what changed since, can't be known.
            stream.logger.warning("The state's bookmark %s lies in the future: starting anew.", bookmark.value)
            bookmark = None
        self._bookmark = bookmark or Bookmark(stamp)
        self._overlap = Overlap(self._bookmark.delivered)
        start_date = stream.config.get("start_date")
        bound = None
        if self._bookmark.value is not None:
            bound = self._next_start(self._bookmark.value)
        elif start_date and is_date:
            bound = self._first_of(stamp, self._clock.earliest_wall(moment(start_date)))
        limit = self._clock.to_wall(self._started) if is_date else None
        settled = self._first_of(stamp, shift(limit, -self._overlap_seconds)) if limit else None
        return ByStamp(
            StampField(stamp, is_date),
            keys=keys,
            order=order,
            size=size,
            where=where,
            start=Start(
                bound=bound,
                empties=not self._bookmark.empties_read,
                limit=limit,
                settled=settled,
                delivered=self._bookmark.delivered,
                place=self._bookmark.place,
            ),
            repeated=self._clock.repeated,
        )

    def _first_of(self, stamp: str | None, wall: str) -> str:
        """The wall time, or its midnight where stamps are days: what changed that day bears its first second."""
        return f"{wall[:10]}T00:00:00" if self._kinds[stamp or ""] == "date" else wall

    def _is_of_the_future(self, bookmark: Bookmark) -> bool:
        """Whether a bookmark lies later than the start of this run."""
        if not isinstance(bookmark.value, str):
            return False
        if self._kinds[bookmark.key] == "date":
            return bookmark.value[:10] > self._clock.to_wall(self._started)[:10]
        return moment(bookmark.value) > self._started

    def _next_start(self, value: str | int) -> str | int:
        """Where a run begins that finds this value in its bookmark."""
        if isinstance(value, int):
            return value
        if len(value) == len("2026-03-01"):
            return self._first_of(self.stream.replication_key, shift(value, -self._overlap_seconds))
        return shift(self._clock.earliest_wall(moment(value)), -self._overlap_seconds)

    def take(self, answer: Answer) -> Rows:
        """Let the walk learn a page. After it, `ask` may ask for the next one while `write` writes this one.

        Returns:
            The page, for `write`.
        """
        page = self.reader.read(answer.body)
        try:
            if isinstance(self._walk, ByOffset):
                check_keys(page, self._keys)
            self._picked = self._walk.learn(page)
            if self._bookmark is not None and isinstance(self._walk, ByStamp):
                self._move_bookmark(self._bookmark, self._walk, page)
        except ValueError:
            raise UnfitValueError(
                f"The key or replication key of {self.stream.connector_id} holds something that is no date."
            ) from None
        self._replaced.look(page)
        self.count.pages += 1
        self.count.read += len(page)
        self.count.retries += answer.retries
        self._shrinks = 0
        return page

    def _move_bookmark(self, bookmark: Bookmark, walk: ByStamp, page: Rows) -> None:
        value = bookmark.value
        if walk.reached is not None:
            value = self._later(value, self._as_value(walk.reached))
        if value is not None:
            self._overlap.add(page, self._picked, self._next_start(value))
        self._bookmark = dataclasses.replace(
            bookmark,
            value=value,
            delivered=self._overlap.marks,
            empties_read=bookmark.empties_read or not walk.in_empties,
            place=walk.place,
        )

    def _as_value(self, reached: Any) -> str | int:
        if isinstance(reached, int):
            return reached
        return (
            self._clock.to_utc(f"{reached}Z")
            if self._kinds[self.stream.replication_key or ""] == "date-time"
            else str(reached)[:10]
        )

    def _later(self, old: str | int | None, new: str | int) -> str | int:
        if old is None or self._next_start(old) <= self._next_start(new):  # type: ignore[operator]
            return new
        return old

    @property
    def done(self) -> bool:
        """Whether all pages have been taken."""
        return self._walk.done

    def records(self, page: Rows) -> Iterable[dict[str, Any]]:
        """The new rows of a page as records, without writing them."""
        return map(self.reader.as_dict, self.reader.finish(page.pick(self._picked)))

    def write(self, page: Rows) -> None:
        """Write the new rows of a page, and the state behind them; behind the last page, what follows it."""
        rows = page.pick(self._picked)
        self.stream.write_rows(self.reader, rows)
        self.count.rows += len(rows)
        self.count.written = time.monotonic()
        if self.done:
            self._warn_of_replaced_fields()
            self.stream.write_complete()
        else:
            self._report_progress()
        self.stream.write_state(self._state())

    def _state(self) -> dict[str, Any]:
        """The stream's part of the STATE after the page; a full table has no bookmark in it."""
        state = {} if self._bookmark is None else self._bookmark.to_state()
        rows_read = self.count.read if self.done else self._earlier.get("rows_read")
        return state if rows_read is None else {**state, "rows_read": rows_read}

    @property
    def weight(self) -> float:
        """How long the sync may take: rows it read the last time; endless when that isn't known."""
        rows_read = self._earlier.get("rows_read")
        return float(rows_read) if isinstance(rows_read, int) else float("inf")

    def shrink(self, error: ProfitError) -> None:
        """Ask for smaller pages after AFAS found one too much.

        Raises:
            ProfitError: It doesn't get smaller.
        """
        self._shrinks += 1
        if self._shrinks > _MOST_SHRINKS or not self._walk.size.shrink():
            raise error
        self.stream.logger.warning("%s Asking for %d rows at a time.", error, self._walk.size.take)

    def _report_progress(self) -> None:
        """A line on how far a long walk is."""
        now = time.monotonic()
        if now - self._progress < _PROGRESS_SECONDS:
            return
        self._progress = now
        rate = self.count.rows / max(self.count.seconds, 0.001)
        reached = (
            f", up to {self._walk.reached}"
            if isinstance(self._walk, ByStamp) and self._walk.reached is not None
            else ""
        )
        self.stream.logger.info("%d rows so far, %.0f rows/s%s", self.count.rows, rate, reached)

    def figures(self) -> dict[str, Any]:
        """What the sync did, for the summary of the run."""
        return {
            "connector": self.stream.connector_id,
            "rows": self.count.rows,
            "pages": self.count.pages,
            "requests": self._client.request_counts[self.stream.connector_id],
            "retries": self.count.retries,
            "seconds": round(self.count.seconds, 3),
            "bookmark": self._bookmark.value if self._bookmark is not None else None,
        }

    def _warn_of_replaced_fields(self) -> None:
        for field in self._replaced.found:
            self.stream.logger.warning("%s holds nothing but “(replaced)”: the field no longer exists in AFAS.", field)

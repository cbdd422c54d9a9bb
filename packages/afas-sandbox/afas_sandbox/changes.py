"""How rows change, come and go, and what follows from it."""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING, Literal

from afas_sandbox.clock import Clock, later, stored
from afas_sandbox.following import Following

if TYPE_CHECKING:
    from afas_sandbox.model import Cell, Row
    from afas_sandbox.options import Options
    from afas_sandbox.store import Store

KEEP = "keep"
"""As a stamp: leave the stamp as the row has it, even when that is nothing."""

_REMEMBERED = 1000


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """One change of one row.

    Attributes:
        connector: Id of the connector.
        kind: What happened.
        key: The values of the key; the number of the row when there is no key.
        before: The row as it was, unless it is new.
        after: The row as it is, unless it is gone.
    """

    connector: str
    kind: Literal["insert", "update", "delete"]
    key: tuple[Cell, ...]
    before: Row | None
    after: Row | None


class Changes:
    """Makes changes in the rows.

    Args:
        store: The rows.
        options: How the environment behaves.
        clock: Gives the stamps.
    """

    def __init__(self, store: Store, options: Options, clock: Clock) -> None:
        self._store = store
        self._options = options
        self._clock = clock
        self._made = 0
        self._following = Following(store)
        self._deleted: dict[str, collections.deque[Row]] = {}
        self.rebuild()

    def rebuild(self, connector_id: str | None = None) -> None:
        """Join anew what joins the rows of this connector, or all that joins any."""
        self._following.rebuild(connector_id)

    def redefined(self, connector_id: str) -> None:
        """Take notice that a connector is another: what was deleted from it doesn't fit any more."""
        self._deleted.pop(connector_id, None)
        self.rebuild(connector_id)

    def insert(self, connector_id: str, row: Row, stamp: str | None = None, created: str | None = None) -> Change:
        """Add a row; without a stamp, of its own or given here, it gets the clock's."""
        with self._store.lock:
            kept = self._store.stored_table(connector_id)
            kept.check(row)
            cells = list(row)
            moment = self._set_stamp(
                connector_id,
                cells,
                stamp,
                given=kept.stamp is not None and cells[kept.stamp] is not None,
            )
            if kept.created is not None and cells[kept.created] is None and stamp != KEEP:
                cells[kept.created] = created or stamp or self._now()
            number = self._store.insert(connector_id, tuple(cells))
            after = self._store.get(connector_id, number)
            change = Change(connector_id, "insert", self._key(connector_id, number, after), None, after)
            return self._followed(change, moment)

    def update(self, connector_id: str, number: int, values: dict[str, Cell], stamp: str | None = None) -> Change:
        """Change a row; without a stamp among the values or given here, it gets the clock's."""
        with self._store.lock:
            kept = self._store.stored_table(connector_id)
            before = self._store.get(connector_id, number)
            cells = list(before)
            for field_id, value in values.items():
                cells[kept.connector.position(field_id)] = value
            moment = self._set_stamp(connector_id, cells, stamp, given=kept.connector.stamp in values)
            self._store.update(connector_id, number, tuple(cells))
            after = self._store.get(connector_id, number)
            change = Change(connector_id, "update", self._key(connector_id, number, before), before, after)
            return self._followed(change, moment)

    def delete(self, connector_id: str, number: int, stamp: str | None = None) -> Change:
        """Delete a row, and leave no trace of it but in what lists deleted rows; without a stamp, now."""
        with self._store.lock:
            before = self._store.get(connector_id, number)
            self._store.delete(connector_id, number)
            self._deleted.setdefault(connector_id, collections.deque(maxlen=_REMEMBERED)).append(before)
            change = Change(connector_id, "delete", self._key(connector_id, number, before), before, None)
            return self._followed(change, stamp)

    def _followed(self, change: Change, moment: str | None) -> Change:
        """The change, after all that follows from it."""
        if followers := self._following.by(change.connector):
            told = None if moment == KEEP else moment
            self._following.after(change, followers, told or self._now())
        if change.kind != "delete":
            self._made += 1
        return change

    def _set_stamp(self, connector_id: str, cells: list[Cell], stamp: str | None, *, given: bool) -> str | None:
        """Set the stamp, and tell the moment of the change where that is known now."""
        kept = self._store.stored_table(connector_id)
        place = kept.stamp
        if place is None or stamp == KEEP or (given and stamp is None):
            return stamp
        if stamp is not None:
            cells[place] = stamp
        elif kept.connector.fields[place].data_type == "int":
            cells[place] = int(self._store.highest(connector_id, place) or 0) + 1
        else:
            cells[place] = stamp = self._now()
        return stamp

    def _now(self, late_seconds: float = 0.0) -> str:
        """The stamp of a change; the servers that make them take turns."""
        offsets = self._options.stamp_offsets
        return stored(later(self._clock(), offsets[self._made % len(offsets)] - late_seconds))

    def _key(self, connector_id: str, number: int, row: Row) -> tuple[Cell, ...]:
        places = self._store.stored_table(connector_id).key
        return tuple(row[place] for place in places) if places else (number,)

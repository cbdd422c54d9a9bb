"""What people in the company do meanwhile: rows change, come and go."""

from __future__ import annotations

import dataclasses
import random
import threading
from typing import TYPE_CHECKING, Literal

from afas_sandbox.clock import Clock, later, stored

if TYPE_CHECKING:
    from afas_sandbox.model import Cell, Connector, Field, Row
    from afas_sandbox.options import Options
    from afas_sandbox.store import Store

KEEP = "keep"
"""As a stamp: leave the stamp as the row has it, even when that is nothing."""

_LONGEST_WAIT = 60.0


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
        seed: Of the chance.
    """

    def __init__(self, store: Store, options: Options, clock: Clock, seed: int) -> None:
        self._store = store
        self._options = options
        self._clock = clock
        self._chance = random.Random(seed)
        self._made = 0

    def insert(self, connector_id: str, row: Row, stamp: str | None = None, created: str | None = None) -> Change:
        """Add a row; without a stamp, of its own or given here, it gets the clock's."""
        with self._store.lock:
            kept = self._store.stored_table(connector_id)
            kept.check(row)
            cells = list(row)
            self._set_stamp(
                connector_id,
                cells,
                stamp,
                given=kept.stamp is not None and cells[kept.stamp] is not None,
            )
            if kept.created is not None and cells[kept.created] is None and stamp != KEEP:
                cells[kept.created] = created or stamp or self._now()
            number = self._store.insert(connector_id, tuple(cells))
            after = self._store.get(connector_id, number)
            self._made += 1
            return Change(connector_id, "insert", self._key(connector_id, number, after), None, after)

    def update(self, connector_id: str, number: int, values: dict[str, Cell], stamp: str | None = None) -> Change:
        """Change a row; without a stamp among the values or given here, it gets the clock's."""
        with self._store.lock:
            kept = self._store.stored_table(connector_id)
            before = self._store.get(connector_id, number)
            cells = list(before)
            for field_id, value in values.items():
                cells[kept.connector.position(field_id)] = value
            self._set_stamp(connector_id, cells, stamp, given=kept.connector.stamp in values)
            self._store.update(connector_id, number, tuple(cells))
            after = self._store.get(connector_id, number)
            self._made += 1
            return Change(connector_id, "update", self._key(connector_id, number, before), before, after)

    def delete(self, connector_id: str, number: int) -> Change:
        """Delete a row."""
        with self._store.lock:
            before = self._store.get(connector_id, number)
            self._store.delete(connector_id, number)
            return Change(connector_id, "delete", self._key(connector_id, number, before), before, None)

    def some(  # noqa: PLR0913 - all but the first by name
        self,
        connector_id: str | None,
        *,
        updates: int = 0,
        inserts: int = 0,
        deletes: int = 0,
        stamp: str | None = None,
        late_seconds: float = 0.0,
    ) -> list[Change]:
        """Change rows taken at random.

        Args:
            connector_id: The connector; any that can show a change when not told.
            updates: How many rows to change,
            inserts: to add,
            deletes: and to delete.
            stamp: The stamp the changed and new rows get; the clock's when not told.
            late_seconds: How far that stamp lies back, as that of a transaction that took so long.
        """
        done: list[Change] = []
        kinds = ["update"] * updates + ["insert"] * inserts + ["delete"] * deletes
        self._chance.shuffle(kinds)
        for kind in kinds:
            with self._store.lock:
                moment = stamp or self._now(late_seconds)
                chosen = connector_id or self._any_connector(kind)
                change = None if chosen is None else self._one(chosen, kind, moment)
            if change:
                done.append(change)
        return done

    def _any_connector(self, kind: str) -> str | None:
        fitting = [
            connector.id
            for connector in self._store.connectors.values()
            if connector.stamp is not None and (kind != "update" or connector.changeable)
        ]
        return self._chance.choice(fitting) if fitting else None

    def _one(self, connector_id: str, kind: str, moment: str) -> Change | None:
        kept = self._store.stored_table(connector_id)
        # An int stamp counts changes and knows no moment.
        counts = kept.stamp is not None and kept.connector.fields[kept.stamp].data_type == "int"
        stamp = None if counts else moment
        if kind == "insert":
            cells = list(kept.new_row(kept.next_number))
            for place in (kept.stamp, kept.created):
                if place is not None:
                    cells[place] = None
            return self.insert(connector_id, tuple(cells), stamp, moment)
        number = self._store.pick(connector_id, self._chance)
        if number is None:
            return None
        if kind == "delete":
            return self.delete(connector_id, number)
        row = self._store.get(connector_id, number)
        return self.update(connector_id, number, self._other_values(kept.connector, row), stamp)

    def _other_values(self, connector: Connector, row: Row) -> dict[str, Cell]:
        if not connector.changeable:
            return {}
        field_id = self._chance.choice(connector.changeable)
        place = connector.position(field_id)
        return {field_id: self._other_value(connector.fields[place], row[place])}

    def _other_value(self, field: Field, value: Cell) -> Cell:
        match field.data_type:
            case "boolean":
                return not value
            case "int":
                return self._chance.randrange(10 ** min(field.length or 6, 6))
            case "decimal":
                return (
                    f"{self._chance.randrange(100_000)}.{self._chance.randrange(10**field.decimals):0{field.decimals}}"
                )
            case "date":
                return f"{2020 + self._chance.randrange(6)}-{self._chance.randrange(1, 13):02}-15T00:00:00.000"
            case _:
                mark = f" {self._chance.randrange(10_000)}"
                room = max((field.length or 1000) - len(mark), 0)
                return (str(value or "gewijzigd")[:room] + mark)[-(field.length or 1000) :]

    def _set_stamp(self, connector_id: str, cells: list[Cell], stamp: str | None, *, given: bool) -> None:
        kept = self._store.stored_table(connector_id)
        place = kept.stamp
        if place is None or stamp == KEEP or (given and stamp is None):
            return
        if stamp is not None:
            cells[place] = stamp
        elif kept.connector.fields[place].data_type == "int":
            cells[place] = int(self._store.highest(connector_id, place) or 0) + 1
        else:
            cells[place] = self._now()

    def _now(self, late_seconds: float = 0.0) -> str:
        """The stamp of a change; the servers that make them take turns."""
        offsets = self._options.stamp_offsets
        return stored(later(self._clock(), offsets[self._made % len(offsets)] - late_seconds))

    def _key(self, connector_id: str, number: int, row: Row) -> tuple[Cell, ...]:
        places = self._store.stored_table(connector_id).key
        return tuple(row[place] for place in places) if places else (number,)


class BackgroundChanges:
    """Changes that go on by themselves, in a thread.

    Args:
        changes: Makes them.
        per_minute: How many.
        seed: Of the chance.
    """

    def __init__(self, changes: Changes, per_minute: float, seed: int) -> None:
        self._changes = changes
        self._pause = min(60.0 / per_minute, _LONGEST_WAIT)
        self._chance = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-changes", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._pause * 2 * self._chance.random()):
            share = self._chance.random()
            self._changes.some(
                None,
                updates=int(share < 0.7),  # noqa: PLR2004 - seven changes in ten are updates, half a one deletes
                inserts=int(0.7 <= share < 0.95),  # noqa: PLR2004 - the same division
                deletes=int(share >= 0.95),  # noqa: PLR2004 - the same division
            )

"""What people in the company do meanwhile, at random."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any

from afas_sandbox.changes import Change, Changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from afas_sandbox.clock import Clock
    from afas_sandbox.model import Cell, Connector, Field, Row
    from afas_sandbox.options import Options
    from afas_sandbox.store import Store

_LONGEST_WAIT = 60.0
_TRIES = 20
_DAY = len("2024-03-31")
_DAYS_OF_EVERY_MONTH = 28


class RandomChanges(Changes):
    """Makes changes in rows taken at random as well.

    Args:
        store: The rows.
        options: How the environment behaves.
        clock: Gives the stamps.
        seed: Of the chance.
    """

    def __init__(self, store: Store, options: Options, clock: Clock, seed: int) -> None:
        super().__init__(store, options, clock)
        self._chance = random.Random(seed)

    def some(  # noqa: PLR0913 - all but the first by name
        self,
        connector_id: str | None,
        *,
        updates: int = 0,
        inserts: int = 0,
        deletes: int = 0,
        reinserts: int = 0,
        moves: int = 0,
        stamp: str | None = None,
        late_seconds: float = 0.0,
    ) -> list[Change]:
        """Change rows taken at random.

        Args:
            connector_id: The connector; any that can show a change when not told. Where its rows follow from others,
                the change is made there.
            updates: How many rows to change,
            inserts: to add,
            deletes: to delete,
            reinserts: to add again after they were deleted,
            moves: and to move to another day of their month, where a list of touched days is kept.
            stamp: The stamp the changed and new rows get; the clock's when not told.
            late_seconds: How far that stamp lies back, as that of a transaction that took so long.
        """
        done: list[Change] = []
        kinds = ["update"] * updates + ["insert"] * inserts + ["delete"] * deletes
        kinds += ["reinsert"] * reinserts + ["move"] * moves
        self._chance.shuffle(kinds)
        for kind in kinds:
            with self._store.lock:
                moment = stamp or self._now(late_seconds)
                chosen = connector_id or self._any_connector(kind)
                change = None if chosen is None else self._one(chosen, kind, moment)
            if change:
                done.append(change)
        return done

    def everywhere(
        self, shares: Mapping[str, float], *, stamp: str | None = None, late_seconds: float = 0.0
    ) -> list[Change]:
        """Change so large a share of the rows of every connector that has rows of its own.

        Args:
            shares: The share (0 to 1) of each kind, by the names that `some` has for their numbers.
            stamp: As in `some`.
            late_seconds: Likewise.
        """
        done: list[Change] = []
        for connector_id in list(self._store.connectors):
            if self._following.sources(connector_id):
                continue
            count = self._store.count(connector_id)
            numbers: dict[str, Any] = {kind: self._about(count * share) for kind, share in shares.items()}
            done += self.some(connector_id, **numbers, stamp=stamp, late_seconds=late_seconds)
        return done

    def meanwhile(self, connector_id: str | None = None) -> None:
        """Make the changes that others make before each request; every other one in the connector asked."""
        for _ in range(self._about(self._options.changes_per_request)):
            here = connector_id in self._store.connectors and self._chance.random() < 0.5  # noqa: PLR2004 - a half
            self.one(connector_id if here else None)

    def one(self, connector_id: str | None = None) -> list[Change]:
        """Make one change of a kind taken at random."""
        mix = self._options.changes_mix
        (kind,) = self._chance.choices([*mix], [*mix.values()])
        number: dict[str, Any] = {kind: 1}
        return self.some(connector_id, **number)

    def _about(self, number: float) -> int:
        """The number, rounded by chance so that it is right on average."""
        whole = int(number)
        return whole + (number > whole and self._chance.random() < number - whole)

    def _any_connector(self, kind: str) -> str | None:
        fitting = [
            connector.id
            for connector in self._store.connectors.values()
            if connector.stamp is not None and not self._following.sources(connector.id) and self._can(kind, connector)
        ]
        return self._chance.choice(fitting) if fitting else None

    def _can(self, kind: str, connector: Connector) -> bool:
        match kind:
            case "update":
                return bool(connector.changeable)
            case "reinsert":
                return bool(self._deleted.get(connector.id))
            case "move":
                return self._following.day(connector.id) is not None
            case _:
                return True

    def _one(self, connector_id: str, kind: str, moment: str) -> Change | None:
        connector_id, number = self._where(connector_id, kind)
        if kind == "insert":
            kept = self._store.stored_table(connector_id)
            return self._insert(connector_id, kept.new_row(kept.next_number), moment)
        if kind == "reinsert":
            return self._reinsert(connector_id, moment)
        if number is None:
            return None
        if kind == "delete":
            return self.delete(connector_id, number, moment)
        return self._update(connector_id, number, kind, moment)

    def _where(self, connector_id: str, kind: str) -> tuple[str, int | None]:
        """The connector in which the change is made, and the number of the row that it concerns."""
        while sources := self._following.sources(connector_id):
            if len(sources) > 1 and kind == "update" and self._chance.random() < 0.5:  # noqa: PLR2004 - a half
                partner = self._any_partner(connector_id, sources[0])
                if partner is not None:
                    return sources[1], partner
            connector_id = sources[0]
        is_new = kind in {"insert", "reinsert"}
        return connector_id, None if is_new else self._store.pick(connector_id, self._chance)

    def _stamp(self, connector_id: str, moment: str) -> str | None:
        """The stamp of a change at that moment; an int stamp counts changes and knows no moment."""
        kept = self._store.stored_table(connector_id)
        counts = kept.stamp is not None and kept.connector.fields[kept.stamp].data_type == "int"
        return None if counts else moment

    def _update(self, connector_id: str, number: int, kind: str, moment: str) -> Change | None:
        if kind == "move":
            values = self._another_day(connector_id, number)
            if not values:
                return None
        else:
            connector = self._store.stored_table(connector_id).connector
            values = self._other_values(connector, self._store.get(connector_id, number))
        return self.update(connector_id, number, values, self._stamp(connector_id, moment))

    def _insert(self, connector_id: str, row: Row, moment: str) -> Change:
        kept = self._store.stored_table(connector_id)
        cells = list(row)
        for place in (kept.stamp, kept.created):
            if place is not None:
                cells[place] = None
        return self.insert(connector_id, tuple(cells), self._stamp(connector_id, moment), moment)

    def _reinsert(self, connector_id: str, moment: str) -> Change | None:
        """Add some row again that was deleted, if there is one of which the key is still free."""
        deleted = self._deleted.get(connector_id)
        if not deleted:
            return None
        place = self._chance.randrange(len(deleted))
        row = deleted[place]
        del deleted[place]
        kept = self._store.stored_table(connector_id)
        if kept.key and self._is_there(connector_id, [row[at] for at in kept.key]):
            return None
        return self._insert(connector_id, row, moment)

    def _is_there(self, connector_id: str, key: Sequence[Cell]) -> bool:
        try:
            self._store.find(connector_id, key)
        except KeyError:
            return False
        return True

    def _another_day(self, connector_id: str, number: int) -> dict[str, Cell]:
        """Another day of the same month, so that the row's year and period stay true."""
        field = self._following.day(connector_id)
        if field is None:
            return {}
        kept = self._store.stored_table(connector_id)
        day = self._store.get(connector_id, number)[kept.connector.position(field)]
        if day is None:
            return {}
        others = [other for other in range(1, _DAYS_OF_EVERY_MONTH + 1) if other != int(str(day)[_DAY - 2 : _DAY])]
        return {field: f"{str(day)[: _DAY - 2]}{self._chance.choice(others):02}"}

    def _any_partner(self, joined_id: str, first_id: str) -> int | None:
        """The number of some row in the second table that belongs to one of the first."""
        # In most rows of an outer join there is none.
        for _ in range(_TRIES):
            number = self._store.pick(first_id, self._chance)
            if number is None:
                return None
            partner = self._following.partner(joined_id, self._store.get(first_id, number))
            if partner is not None:
                return partner
        return None

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


class BackgroundChanges:
    """Changes that go on by themselves, in a thread.

    Args:
        changes: Makes them.
        per_minute: How many.
        seed: Of the chance.
    """

    def __init__(self, changes: RandomChanges, per_minute: float, seed: int) -> None:
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
            self._changes.one()

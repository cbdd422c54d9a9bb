"""The rows of an environment, and how tests and people change them by hand."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, TypeAlias

from afas_sandbox.model import Cell, Connector, Field, Row, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from afas_sandbox.changes import Change
    from afas_sandbox.random_changes import RandomChanges
    from afas_sandbox.services import Services
    from afas_sandbox.store import Store

Snapshot: TypeAlias = tuple[tuple[int, Row], ...]
"""The rows of a connector at some moment, with their numbers."""


class Editing:
    """The rows of an environment, to look at and to change.

    An update with `stamp=KEEP` changes a row without touching its stamp; where it changes what a filter looks at (a
    client's, or a connector's own: see `Options.own_filters`), the row moves out of view or into it.
    """

    _store: Store
    _services: Services
    _changes: RandomChanges

    @property
    def connectors(self) -> dict[str, Connector]:
        """The connectors by id."""
        return self._store.connectors

    def rows(self, connector_id: str) -> Iterator[Row]:
        """Every row with its stored values, in the order in which they were added."""
        return (row for _, row in self._store.rows(connector_id))

    def numbered_rows(self, connector_id: str) -> Iterator[tuple[int, Row]]:
        """Likewise, with the number by which a row without a key is changed."""
        return self._store.rows(connector_id)

    def count(self, connector_id: str) -> int:
        """How many rows a connector has."""
        return self._store.count(connector_id)

    def insert(self, connector_id: str, row: Row, *, stamp: str | None = None) -> Change:
        """Add a row.

        Args:
            connector_id: The connector.
            row: Its values, in the order of the fields.
            stamp: Its stamp; by default the row's own, else the clock's. `KEEP`: the row's own, even if that is none.
        """
        return self._changes.insert(connector_id, row, stamp)

    def update(
        self,
        connector_id: str,
        key: Sequence[Cell] | Cell,
        values: Mapping[str, Cell] | None = None,
        *,
        stamp: str | None = None,
    ) -> Change:
        """Change a row.

        Args:
            connector_id: The connector.
            key: The values of its key, or the value of a single one; the row's number when there is no key.
            values: The new values by field id.
            stamp: Its stamp; by default the one among the values, or the clock's. `KEEP`: as it was.
        """
        return self._changes.update(connector_id, self._number(connector_id, key), dict(values or {}), stamp)

    def delete(self, connector_id: str, key: Sequence[Cell] | Cell, *, stamp: str | None = None) -> Change:
        """Delete a row, without a trace.

        Args:
            connector_id: The connector.
            key: As in `update`.
            stamp: When, for the lists of touched days and of deleted rows; by default now.
        """
        return self._changes.delete(connector_id, self._number(connector_id, key), stamp)

    def purge(self, connector_id: str, **asked: object) -> list[Change]:
        """Delete the rows that a request with these parameters would find, whatever the server caps or does wrong.

        `purge("Item", orderbyfieldids="Code", skip=40, take=30)` deletes neighbours in the order of their code.

        Args:
            connector_id: The connector.
            asked: The parameters, by AFAS' names; without a `take` 100 rows are found, with `skip=-1, take=-1` all.
        """
        parameters = {name: str(value) for name, value in asked.items()}
        with self._store.lock:
            numbers = self._services.numbers(connector_id, parameters)
            return [self._changes.delete(connector_id, number) for number in numbers]

    def snapshot(self, connector_id: str) -> Snapshot:
        """The rows as they are now, to be put back by `restore`."""
        return tuple(self._store.rows(connector_id))

    def restore(self, connector_id: str, snapshot: Snapshot) -> None:
        """Put the rows back as they were, numbers and stamps included, as a backup or a copied environment does.

        What joins them follows; the lists of touched days and of deleted rows know nothing of it.
        """
        with self._store.lock:
            self._store.restore(connector_id, snapshot)
            self._changes.rebuild(connector_id)

    def _number(self, connector_id: str, key: Sequence[Cell] | Cell) -> int:
        whole = (key,) if isinstance(key, str | int | None) else tuple(key)
        if self.connectors[connector_id].key:
            return self._store.find(connector_id, whole)
        return int(whole[0] or 0)

    def replace(self, connector_id: str, rows: Iterable[Row]) -> None:
        """Give a connector other rows, stored as they are; as `restore`, it leaves the lists alone."""
        with self._store.lock:
            self._store.replace(connector_id, rows)
            self._changes.rebuild(connector_id)

    def add(self, table: Table) -> None:
        """Add a connector, or put another in the place of one.

        Raises:
            ValueError: Its rows can't follow what they are said to follow.
        """
        with self._store.lock:
            self._store.add(table)
            self._changes.redefined(table.connector.id)

    def remove(self, connector_id: str) -> None:
        """Remove a connector."""
        self._store.remove(connector_id)

    def alter(self, connector_id: str, fields: Sequence[Field]) -> None:
        """Give a connector another definition: values stay with their field id, new fields are empty.

        Rows that follow from others go on doing so while they have the key and the stamp that this takes.
        """
        with self._store.lock:
            kept = self._store.stored_table(connector_id)
            before = kept.connector
            ids = {field.id for field in fields}
            after = dataclasses.replace(
                before,
                fields=tuple(fields),
                key=before.key if ids.issuperset(before.key) else (),
                stamp=before.stamp if before.stamp in ids else None,
                created=before.created if before.created in ids else None,
                changeable=tuple(field_id for field_id in before.changeable if field_id in ids),
            )
            places = {field.id: place for place, field in enumerate(before.fields)}
            taken = [places.get(field.id) for field in fields]

            def fitted(row: Row) -> Row:
                return tuple(None if place is None else row[place] for place in taken)

            rows = [fitted(row) for row in self.rows(connector_id)]
            number = kept.next_number
            follows = kept.follows.within(ids) if kept.follows else None
            follows = follows if follows and follows.fits(after) else None
            self._store.add(Table(after, rows, lambda n: fitted(kept.new_row(n)), follows))
            self._store.stored_table(connector_id).next_number = number
            self._changes.redefined(connector_id)

    def change(  # noqa: PLR0913 - all but the first by name
        self,
        connector_id: str | None = None,
        *,
        updates: int = 0,
        inserts: int = 0,
        deletes: int = 0,
        reinserts: int = 0,
        moves: int = 0,
        stamp: str | None = None,
        late_seconds: float = 0.0,
    ) -> list[Change]:
        """Change rows taken at random, and tell which.

        Args:
            connector_id: The connector; by default any with a stamp, another at each change. Where its rows follow from
                others (`Table.follows`), the change is made in those, and told of those.
            updates: How many rows to change,
            inserts: to add,
            deletes: to delete without a trace,
            reinserts: to add again, under their old key, after they were deleted,
            moves: and to move to another day of their month, where a list of touched days is kept.
            stamp: The stamp of changed and new rows; by default the clock's.
            late_seconds: How far that lies back, as after a transaction that took so long.

        Returns:
            What was done; fewer than asked where there is nothing to change.
        """
        return self._changes.some(
            connector_id,
            updates=updates,
            inserts=inserts,
            deletes=deletes,
            reinserts=reinserts,
            moves=moves,
            stamp=stamp,
            late_seconds=late_seconds,
        )

    def change_everywhere(  # noqa: PLR0913 - all by name
        self,
        *,
        updates: float = 0.02,
        inserts: float = 0.01,
        deletes: float = 0.01,
        reinserts: float = 0.002,
        moves: float = 0.002,
        stamp: str | None = None,
        late_seconds: float = 0.0,
    ) -> list[Change]:
        """Change a share of the rows of every connector that has rows of its own, stamp or not, and tell which.

        Args:
            updates: How large a share of the rows to change: 0.02 is one in fifty,
            inserts: to add,
            deletes: to delete without a trace,
            reinserts: to add again after they were deleted,
            moves: and to move to another day.
            stamp: As in `change`.
            late_seconds: Likewise.
        """
        shares = {"updates": updates, "inserts": inserts, "deletes": deletes, "reinserts": reinserts, "moves": moves}
        return self._changes.everywhere(shares, stamp=stamp, late_seconds=late_seconds)

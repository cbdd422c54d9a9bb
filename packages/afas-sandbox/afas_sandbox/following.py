"""Rows that follow from others: lists of touched days and of deleted rows, and connectors that join two tables."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from afas_sandbox.model import ChangedDays, DeletedRows, Joined
from afas_sandbox.stored_table import full_moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from afas_sandbox.changes import Change
    from afas_sandbox.model import Cell, Connector, Row
    from afas_sandbox.store import Store
    from afas_sandbox.stored_table import StoredTable

_DAY = len("2024-03-31")


class Following:
    """Keeps rows true that follow from others; all of it within the lock of the change it follows.

    Args:
        store: The rows.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def sources(self, connector_id: str) -> list[str]:
        """The connectors that the rows of this one follow; none where they are its own, or those lack what it takes."""
        follows = self._store.stored_table(connector_id).follows
        there = self._store.connectors
        needed: dict[str, list[str]] = {}
        match follows:
            case None:
                return []
            case ChangedDays(of=source, day=day):
                needed = {source: [day]}
            case DeletedRows(of=source, fields=fields):
                needed = {source: [*fields.values()]}
            case Joined():
                needed = {follows.first: [*follows.on, *follows.fields.values()]}
                needed |= {follows.second: [*follows.on.values(), *follows.where, *follows.second_fields.values()]}
        for source, fields_needed in needed.items():
            if source not in there or not {*fields_needed} <= {field.id for field in there[source].fields}:
                return []
        return [*needed]

    def by(self, connector_id: str) -> list[StoredTable]:
        """Where those rows are that follow from this connector's."""
        return [
            kept
            for kept in self._store.followers
            if kept.follows and connector_id in kept.follows.sources and self.sources(kept.connector.id)
        ]

    def day(self, connector_id: str) -> str | None:
        """The field with the day of which a list is kept, if there is one."""
        lists = (kept.follows for kept in self.by(connector_id))
        return next((follows.day for follows in lists if isinstance(follows, ChangedDays)), None)

    def after(self, change: Change, followers: Iterable[StoredTable], moment: str) -> None:
        """Do what follows from a change.

        Args:
            change: What happened.
            followers: Where the rows are that follow from it.
            moment: When it happened.
        """
        source = self._store.stored_table(change.connector).connector
        for kept in followers:
            match kept.follows:
                case ChangedDays(day=day):
                    for touched in sorted(_days(source, day, change)):
                        self._touch(kept, touched, full_moment(moment))
                case DeletedRows() as follows if change.before and change.kind == "delete":
                    self._list_deleted(kept, follows, _named(source, change.before), moment)
                case Joined() as follows:
                    _Join(self._store, kept, follows).after(change)

    def rebuild(self, connector_id: str | None = None) -> None:
        """Join anew what joins this connector, or all that joins any."""
        for kept in self._store.followers:
            follows = kept.follows
            if isinstance(follows, Joined) and self.sources(kept.connector.id):
                concerned = connector_id is None or connector_id in {kept.connector.id, *follows.sources}
                if concerned:
                    _Join(self._store, kept, follows).rebuild()

    def partner(self, connector_id: str, row: Row) -> int | None:
        """The number of the row in the second table that belongs to this row of the first."""
        kept = self._store.stored_table(connector_id)
        if not isinstance(kept.follows, Joined):
            return None
        return _Join(self._store, kept, kept.follows).partner(row)

    def _touch(self, kept: StoredTable, day: str, moment: str) -> None:
        connector = kept.connector
        stamp = connector.stamp or ""
        number = self._find(connector.id, [day])
        if number is None:
            self._store.insert(connector.id, _row(connector, {connector.key[0]: day, stamp: moment}))
            return
        values = _named(connector, self._store.get(connector.id, number))
        # A transaction that took long doesn't take back what came since it began.
        values[stamp] = max(str(values[stamp] or ""), moment)
        self._store.update(connector.id, number, _row(connector, values))

    def _list_deleted(self, kept: StoredTable, follows: DeletedRows, deleted: Mapping[str, Cell], moment: str) -> None:
        connector = kept.connector
        values: dict[str, Cell] = dict(follows.values)
        values |= {field: deleted.get(theirs) for field, theirs in follows.fields.items()}
        values |= {field: full_moment(moment) for field in (connector.stamp, connector.created) if field}
        number = self._find(connector.id, [values[field] for field in connector.key])
        if number is None:
            self._store.insert(connector.id, _row(connector, values))
        else:
            self._store.update(connector.id, number, _row(connector, values))

    def _find(self, connector_id: str, key: Sequence[Cell]) -> int | None:
        try:
            return self._store.find(connector_id, key)
        except KeyError:
            return None


@dataclasses.dataclass(frozen=True, slots=True)
class _Join:
    store: Store
    kept: StoredTable
    follows: Joined

    @property
    def first(self) -> Connector:
        return self.store.stored_table(self.follows.first).connector

    @property
    def second(self) -> Connector:
        return self.store.stored_table(self.follows.second).connector

    def after(self, change: Change) -> None:
        if change.connector == self.follows.first:
            self._write(change.before, change.after)
        if change.connector == self.follows.second:
            rows = [_named(self.second, row) for row in (change.before, change.after) if row]
            for shared in {tuple(row.get(field) for field in self.follows.on.values()) for row in rows}:
                self._write_all(shared)

    def rebuild(self) -> None:
        partners: dict[tuple[Cell, ...], Row] = {}
        for _, row in self.store.rows(self.follows.second):
            named = _named(self.second, row)
            if all(named.get(field) == value for field, value in self.follows.where.items()):
                partners.setdefault(tuple(named.get(field) for field in self.follows.on.values()), row)
        joined = (
            self._joined(row, None if None in (shared := self._shared(row)) else partners.get(shared))
            for _, row in self.store.rows(self.follows.first)
        )
        self.store.replace(self.kept.connector.id, [row for row in joined if row])

    def partner(self, row: Row) -> int | None:
        shared = self._shared(row)
        if None in shared:
            return None
        wanted = dict(zip(self.follows.on.values(), shared, strict=True)) | dict(self.follows.where)
        found = self.store.having(self.follows.second, _placed(self.second, wanted))
        return found[0] if found else None

    def _write_all(self, shared: tuple[Cell, ...]) -> None:
        if None in shared:
            return
        wanted = _placed(self.first, dict(zip(self.follows.on, shared, strict=True)))
        for number in self.store.having(self.follows.first, wanted):
            row = self.store.get(self.follows.first, number)
            self._write(row, row)

    def _write(self, before: Row | None, after: Row | None) -> None:
        joined_id = self.kept.connector.id
        number = None if before is None else self._number(before)
        partner = None if after is None else self.partner(after)
        joined = None
        if after is not None:
            joined = self._joined(after, None if partner is None else self.store.get(self.follows.second, partner))
        if number is not None and joined is not None:
            self.store.update(joined_id, number, joined)
        elif number is not None:
            self.store.delete(joined_id, number)
        elif joined is not None:
            self.store.insert(joined_id, joined)

    def _number(self, row: Row) -> int | None:
        named = _named(self.first, row)
        try:
            key = [named.get(self.follows.fields[field]) for field in self.kept.connector.key]
            return self.store.find(self.kept.connector.id, key)
        except KeyError:
            return None

    def _joined(self, row: Row, partner: Row | None) -> Row | None:
        if partner is None and not self.follows.outer:
            return None
        mine, theirs = _named(self.first, row), {} if partner is None else _named(self.second, partner)
        values = {field: mine.get(source) for field, source in self.follows.fields.items()}
        values |= {field: theirs.get(source) for field, source in self.follows.second_fields.items()}
        return _row(self.kept.connector, values)

    def _shared(self, row: Row) -> tuple[Cell, ...]:
        named = _named(self.first, row)
        return tuple(named.get(field) for field in self.follows.on)


def _days(source: Connector, field: str, change: Change) -> Iterator[str]:
    """The days that a change touches, each once."""
    rows = [_named(source, row) for row in (change.before, change.after) if row]
    yield from {full_moment(str(row[field])[:_DAY]) for row in rows if row.get(field) is not None}


def _named(connector: Connector, row: Row) -> dict[str, Cell]:
    return {field.id: cell for field, cell in zip(connector.fields, row, strict=True)}


def _row(connector: Connector, values: Mapping[str, Cell]) -> Row:
    return tuple(values.get(field.id) for field in connector.fields)


def _placed(connector: Connector, values: Mapping[str, Cell]) -> dict[int, Cell]:
    return {connector.position(field): value for field, value in values.items()}

"""The rows, in SQLite: one table a connector, on disk as soon as they are many, gone when closed."""
# ruff: noqa: S608 - the names of tables and columns are numbers given out here, and values are bound

from __future__ import annotations

import itertools
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

from afas_sandbox.collation import COLLATIONS, fold, padded, rounded, weigh
from afas_sandbox.selection import Selection, matches
from afas_sandbox.stored_table import StoredTable

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from afas_sandbox.model import Cell, Connector, Row, Table

_AT_ONCE = 2000


class Store:
    """All rows of an environment.

    Attributes:
        lock: Held during each statement; hold it for several that belong together.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._tables: dict[str, StoredTable] = {}
        self._numbers = itertools.count()
        # An empty name is SQLite's way to say: in memory while small, in a file without a name when not.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = MEMORY", "synchronous = OFF", "cache_size = -65536", "page_size = 8192"):
            self._database.execute(f"PRAGMA {pragma}")
        for function, arguments in ((fold, 1), (weigh, 1), (padded, 2), (rounded, 2), (matches, 5)):
            self._database.create_function(function.__name__, arguments, function, deterministic=True)
        for name, comparing in COLLATIONS.items():
            self._database.create_function(f"fold_{name}", 1, _but_for_null(comparing.fold), deterministic=True)

    def close(self) -> None:
        """Let go of all rows."""
        with self.lock:
            self._database.close()

    @property
    def connectors(self) -> dict[str, Connector]:
        """The connectors by id."""
        return {connector_id: kept.connector for connector_id, kept in list(self._tables.items())}

    @property
    def followers(self) -> list[StoredTable]:
        """Where those rows are that follow from others."""
        return [kept for kept in list(self._tables.values()) if kept.follows]

    def stored_table(self, connector_id: str) -> StoredTable:
        """Where the rows of a connector are.

        Raises:
            KeyError: There is no such connector.
        """
        return self._tables[connector_id]

    def add(self, table: Table) -> None:
        """Add a connector with its rows, in place of one with the same id.

        Raises:
            ValueError: Its rows can't follow what they are said to follow.
        """
        kept = StoredTable(f"t{next(self._numbers)}", table.connector, table.new_row, table.follows)
        with self.lock:
            self._database.execute(f"CREATE TABLE {kept.name} (n INTEGER PRIMARY KEY, {', '.join(kept.columns)})")
            self._fill(kept, enumerate(table.rows, start=1))
            key = [kept.sort_column(place) for place in kept.key]
            if key:
                self._database.execute(f"CREATE INDEX {kept.name}_key ON {kept.name} ({', '.join(key)})")
            if kept.stamp is not None:
                stamp = kept.sort_column(kept.stamp)
                others = [column for column in key if column != stamp]
                # A function can't stand here: a text stamp that is no key is found by reading all.
                if not stamp.startswith(("fold", "weigh")):
                    columns = ", ".join([stamp, *others])
                    self._database.execute(f"CREATE INDEX {kept.name}_stamp ON {kept.name} ({columns})")
            self.remove(table.connector.id)
            self._tables[table.connector.id] = kept

    def remove(self, connector_id: str) -> None:
        """Remove a connector, if it is there."""
        with self.lock:
            kept = self._tables.pop(connector_id, None)
            if kept:
                self._database.execute(f"DROP TABLE {kept.name}")

    def replace(self, connector_id: str, rows: Iterable[Row]) -> None:
        """Give a connector other rows."""
        with self.lock:
            kept = self.stored_table(connector_id)
            self._database.execute(f"DELETE FROM {kept.name}")
            self._fill(kept, zip(itertools.count(kept.next_number), rows, strict=False))

    def restore(self, connector_id: str, rows: Iterable[tuple[int, Row]]) -> None:
        """Give a connector other rows, with the numbers they had; new rows still get numbers that no row ever had."""
        with self.lock:
            kept = self.stored_table(connector_id)
            self._database.execute(f"DELETE FROM {kept.name}")
            self._fill(kept, rows)

    def _fill(self, kept: StoredTable, rows: Iterable[tuple[int, Row]]) -> None:
        places = ", ".join("?" * (len(kept.columns) + 1))
        self._database.execute("BEGIN")
        try:
            self._database.executemany(
                f"INSERT INTO {kept.name} VALUES ({places})",
                ([number, *kept.to_columns(row)] for number, row in rows),
            )
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")
        (highest,) = self._database.execute(f"SELECT max(n) FROM {kept.name}").fetchone()
        kept.next_number = max(kept.next_number, (highest or 0) + 1)

    def page(self, connector_id: str, expression: str, selection: Selection) -> list[Any]:
        """The value of an SQL expression for the rows asked, in the order asked."""
        return [value for (value,) in self.find_all(connector_id, [expression], selection)]

    def find_all(self, connector_id: str, expressions: Sequence[str], selection: Selection) -> list[tuple[Any, ...]]:
        """The values of SQL expressions for the rows asked, in the order asked."""
        name = self.stored_table(connector_id).name
        found = f"SELECT n AS found FROM {name} WHERE {selection.where} ORDER BY {selection.order_by} LIMIT ? OFFSET ?"
        # Only what is found is written out: an expression beside an order would be worked out for every row.
        statement = f"SELECT {', '.join(expressions)} FROM ({found}) CROSS JOIN {name} ON n = found"
        limit = -1 if selection.limit is None else selection.limit
        with self.lock:
            return self._database.execute(statement, [*selection.values, limit, selection.offset]).fetchall()

    def plan(self, connector_id: str, selection: Selection) -> str:
        """How SQLite would find rows, for tests of speed."""
        name = self.stored_table(connector_id).name
        found = f"SELECT n FROM {name} WHERE {selection.where} ORDER BY {selection.order_by} LIMIT 10"
        with self.lock:
            steps = self._database.execute(f"EXPLAIN QUERY PLAN {found}", selection.values)
            return "; ".join(step[3] for step in steps)

    def count(self, connector_id: str) -> int:
        """How many rows a connector has."""
        kept = self.stored_table(connector_id)
        with self.lock:
            (number,) = self._database.execute(f"SELECT count(*) FROM {kept.name}").fetchone()
            return int(number)

    def rows(self, connector_id: str) -> Iterator[tuple[int, Row]]:
        """Every row with its number, in the order in which they were added."""
        kept = self.stored_table(connector_id)
        last = 0
        while True:
            with self.lock:
                found = self._database.execute(
                    f"SELECT n, {kept.plain_columns} FROM {kept.name} WHERE n > ? ORDER BY n LIMIT {_AT_ONCE}",
                    [last],
                ).fetchall()
            if not found:
                return
            for number, *columns in found:
                yield number, kept.to_row(columns)
            last = found[-1][0]

    def get(self, connector_id: str, number: int) -> Row:
        """The row with this number.

        Raises:
            KeyError: There is none.
        """
        kept = self.stored_table(connector_id)
        with self.lock:
            found = self._database.execute(
                f"SELECT {kept.plain_columns} FROM {kept.name} WHERE n = ?", [number]
            ).fetchone()
        if found is None:
            raise KeyError(f"{connector_id} has no row {number}")
        return kept.to_row(found)

    def find(self, connector_id: str, key: Sequence[Cell]) -> int:
        """The number of the row with this key, exactly as stored.

        Raises:
            KeyError: There is none.
        """
        kept = self.stored_table(connector_id)
        if not kept.key or len(key) != len(kept.key):
            raise KeyError(f"the key of {connector_id} is {kept.connector.key}, not {tuple(key)}")
        # The sortable text is there for its index, the value itself for its case.
        columns = [kept.sort_column(place) for place in kept.key] + [f"c{place}" for place in kept.key]
        types = [kept.connector.fields[place].data_type for place in kept.key]
        sorters = {"string": fold, "decimal": weigh}
        sorted_as = [
            sorters[data_type](str(value)) if data_type in sorters and value is not None else value
            for data_type, value in zip(types, key, strict=True)
        ]
        where = " AND ".join(f"{column} IS ?" for column in columns)
        with self.lock:
            found = self._database.execute(
                f"SELECT n FROM {kept.name} WHERE {where} LIMIT 1", [*sorted_as, *key]
            ).fetchone()
        if found is None:
            raise KeyError(f"{connector_id} has no row with key {tuple(key)}")
        return int(found[0])

    def having(self, connector_id: str, values: Mapping[int, Cell]) -> list[int]:
        """The numbers of the rows with these values, by their place, exactly as stored; lowest first."""
        where = " AND ".join(f"c{place} IS ?" for place in values)
        with self.lock:
            name = self.stored_table(connector_id).name
            found = self._database.execute(f"SELECT n FROM {name} WHERE {where} ORDER BY n", [*values.values()])
            return [number for (number,) in found]

    def pick(self, connector_id: str, chance: random.Random) -> int | None:
        """The number of some row, if there is one."""
        kept = self.stored_table(connector_id)
        with self.lock:
            lowest, highest = self._database.execute(f"SELECT min(n), max(n) FROM {kept.name}").fetchone()
            if lowest is None:
                return None
            from_here = chance.randint(lowest, highest)
            (found,) = self._database.execute(f"SELECT min(n) FROM {kept.name} WHERE n >= ?", [from_here]).fetchone()
            return int(found)

    def highest(self, connector_id: str, place: int) -> Cell:
        """The highest value of a field."""
        kept = self.stored_table(connector_id)
        with self.lock:
            (found,) = self._database.execute(f"SELECT max(c{place}) FROM {kept.name}").fetchone()
            value: Cell = found
            return value

    def insert(self, connector_id: str, row: Row) -> int:
        """Add a row and tell its number."""
        with self.lock:
            kept = self.stored_table(connector_id)
            number = kept.next_number
            places = ", ".join("?" * (len(kept.columns) + 1))
            self._database.execute(f"INSERT INTO {kept.name} VALUES ({places})", [number, *kept.to_columns(row)])
            kept.next_number += 1
            return number

    def update(self, connector_id: str, number: int, row: Row) -> None:
        """Write another row in the place of one."""
        with self.lock:
            kept = self.stored_table(connector_id)
            columns = ", ".join(f"{column} = ?" for column in kept.columns)
            self._database.execute(f"UPDATE {kept.name} SET {columns} WHERE n = ?", [*kept.to_columns(row), number])

    def delete(self, connector_id: str, number: int) -> None:
        """Delete a row."""
        with self.lock:
            self._database.execute(f"DELETE FROM {self.stored_table(connector_id).name} WHERE n = ?", [number])


def _but_for_null(fold_text: Callable[[str], str]) -> Callable[[str | None], str | None]:
    return lambda text: None if text is None else fold_text(text)

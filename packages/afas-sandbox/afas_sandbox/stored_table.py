"""Where the rows of one connector are kept: the columns of a table, and what stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afas_sandbox.collation import fold, weigh

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from afas_sandbox.model import Cell, Connector, Follows, Row

_MILLISECONDS = len("2024-03-31T00:00:00.000")


class StoredTable:
    """Where the rows of one connector are kept."""

    def __init__(
        self, name: str, connector: Connector, new_row: Callable[[int], Row], follows: Follows | None = None
    ) -> None:
        if follows and (connector.id in follows.sources or not follows.fits(connector)):
            raise ValueError(f"{connector.id} can't follow {', '.join(follows.sources)}: it lacks a key or a field")
        self.name = name
        self.connector = connector
        self.new_row = new_row
        self.follows = follows
        self.next_number = 1
        self.key = [connector.position(field_id) for field_id in connector.key]
        self.stamp = None if connector.stamp is None else connector.position(connector.stamp)
        self.created = None if connector.created is None else connector.position(connector.created)
        types = [field.data_type for field in connector.fields]
        # Only what stands in an index needs its sortable text kept beside it.
        self._folded = [place for place in self.key if types[place] == "string"]
        self._weighed = [place for place in {*self.key, self.stamp} if place is not None and types[place] == "decimal"]
        self._shadows = {*self._folded, *self._weighed}
        self._decimals = [
            (place, field.decimals) for place, field in enumerate(connector.fields) if field.data_type == "decimal"
        ]
        self._dates = [place for place, data_type in enumerate(types) if data_type == "date"]
        self._booleans = [place for place, data_type in enumerate(types) if data_type == "boolean"]
        self._types = types
        self.plain_columns = ", ".join(f"c{place}" for place in range(len(types)))
        columns = [f"c{place}" for place in range(len(types))]
        columns += [f"s{place}" for place in (*self._folded, *self._weighed)]
        self.columns = columns

    def sort_column(self, place: int) -> str:
        """The SQL by which the field at this place is compared and sorted."""
        if place in self._shadows:
            return f"s{place}"
        return {"string": f"fold(c{place})", "decimal": f"weigh(c{place})"}.get(self._types[place], f"c{place}")

    def check(self, row: Row) -> None:
        """Check that a row has as many values as there are fields.

        Raises:
            ValueError: It hasn't.
        """
        if len(row) != len(self._types):
            raise ValueError(f"{self.connector.id} has {len(self._types)} fields, this row {len(row)}")

    def to_columns(self, row: Row) -> list[Cell]:
        """A row as it is written."""
        self.check(row)
        cells = list(row)
        for place, digits in self._decimals:
            if (text := cells[place]) is not None:
                cells[place] = _full_scale(str(text), digits)
        for place in self._dates:
            text = cells[place]
            if isinstance(text, str) and len(text) != _MILLISECONDS:
                cells[place] = full_moment(text)
        cells += [fold(None if row[place] is None else str(row[place])) for place in self._folded]
        cells += [weigh(None if row[place] is None else str(row[place])) for place in self._weighed]
        return cells

    def to_row(self, columns: Sequence[Cell]) -> Row:
        """What was written, as a row."""
        if not self._booleans:
            return tuple(columns)
        cells = list(columns)
        for place in self._booleans:
            if cells[place] is not None:
                cells[place] = bool(cells[place])
        return tuple(cells)


def _full_scale(number: str, digits: int) -> str:
    whole, _, fraction = number.partition(".")
    return f"{whole}.{fraction.ljust(digits, '0')}" if digits else number


def full_moment(text: str) -> str:
    """A day or a moment as it is stored, to the millisecond."""
    moment = text if "T" in text else f"{text}T00:00:00"
    whole, _, fraction = moment.partition(".")
    return f"{whole}.{fraction[:3].ljust(3, '0')}"

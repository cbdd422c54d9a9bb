"""What a sandbox environment is made of: fields, GetConnectors and the rows behind them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Literal, TypeAlias, TypeVar

_Value = TypeVar("_Value")

Cell: TypeAlias = str | int | bool | None
"""One stored value.

A `date` is the wall time as stored, always `YYYY-MM-DDTHH:MM:SS.mmm` (so that text order is time order);
a `decimal` is its exact text (`"-12.50"`); a `blob` is text; the others are themselves.
"""

Row: TypeAlias = tuple[Cell, ...]
"""The values of one row, in the order of the connector's fields."""

DataType = Literal["string", "int", "decimal", "boolean", "date", "blob"]


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One field of a GetConnector, with what `/metainfo/get/{id}` tells of it."""

    id: str
    data_type: DataType
    label_en: str
    label_nl: str
    length: int = 0
    decimals: int = 0
    control_type: int = 1


@dataclasses.dataclass(frozen=True, slots=True)
class Connector:
    """One GetConnector: its description, its fields and what the data behind it promise.

    Attributes:
        id: The id as `/metainfo` spells it.
        description_en: Description in English.
        description_nl: Description in Dutch.
        fields: The fields, in the order of the definition.
        key: The fields that tell rows apart; empty when none do.
        stamp: The field that is set when a row changes, if there is one.
        created: The field that is set when a row is made, if there is one.
        changeable: Fields that a change may give another value.
    """

    id: str
    description_en: str
    description_nl: str
    fields: tuple[Field, ...]
    key: tuple[str, ...] = ()
    stamp: str | None = None
    created: str | None = None
    changeable: tuple[str, ...] = ()

    def position(self, field_id: str) -> int:
        """Where in a row the field stands.

        Raises:
            KeyError: The connector has no such field.
        """
        for position, field in enumerate(self.fields):
            if field.id == field_id:
                return position
        raise KeyError(field_id)


@dataclasses.dataclass(frozen=True, slots=True)
class ChangedDays:
    """Rows that list the days on which rows of another connector were touched, and when that was last.

    A row that is added, changed or deleted touches its day; one that moves to another day touches both. A day that has
    no rows left stays. The list's key is its one day, its stamp the moment.

    Attributes:
        of: Id of the other connector.
        day: The field with the day there.
    """

    of: str
    day: str

    @property
    def sources(self) -> tuple[str, ...]:
        """The connectors that these rows follow."""
        return (self.of,)

    def fits(self, connector: Connector) -> bool:
        """Whether the rows of this connector can follow others so."""
        return len(connector.key) == 1 and connector.stamp is not None

    def within(self, field_ids: Collection[str]) -> ChangedDays:  # noqa: ARG002 - as its likes have it
        """The same, for a connector that has these fields only."""
        return self


@dataclasses.dataclass(frozen=True, slots=True)
class DeletedRows:
    """Rows that tell what was deleted from another connector.

    A deletion adds a row; one with a key that the list has already (a row that was deleted, added again, and deleted
    again) takes the place of that row. A row that is added again stays listed: its own moment is later. The moment of
    the deletion stands in the list's `stamp` and `created`.

    Attributes:
        of: Id of the other connector.
        fields: The field there whose value a field of the list has, by the latter's id.
        values: What stands in its other fields.
    """

    of: str
    fields: Mapping[str, str]
    values: Mapping[str, Cell] = dataclasses.field(default_factory=dict)

    @property
    def sources(self) -> tuple[str, ...]:
        """The connectors that these rows follow."""
        return (self.of,)

    def fits(self, connector: Connector) -> bool:
        """Whether the rows of this connector can follow others so."""
        moments = {connector.stamp, connector.created} - {None}
        told = {*self.fields, *self.values}
        ids = {field.id for field in connector.fields}
        return bool(connector.key and moments) and told <= ids and {*connector.key} <= told | moments

    def within(self, field_ids: Collection[str]) -> DeletedRows:
        """The same, for a connector that has these fields only."""
        return dataclasses.replace(self, fields=_only(self.fields, field_ids), values=_only(self.values, field_ids))


@dataclasses.dataclass(frozen=True, slots=True)
class Joined:
    """Rows that are those of another connector, with what a second one has to them.

    A change in the first shows in one row, a change in the second in all rows that it belongs to. A row of the first
    has at most one in the second; where it has several, the one that was added first.

    Attributes:
        first: Id of the one connector.
        second: Id of the other.
        on: The fields by which they belong together: the second's by the first's. Nothing belongs to an empty one.
        fields: The first's field whose value a field of the joined connector has, by the latter's id,
        second_fields: and likewise the second's. They are empty where nothing belongs to the row.
        where: Only rows of the second that have these values count.
        outer: Whether a row of the first is there when nothing belongs to it.
    """

    first: str
    second: str
    on: Mapping[str, str]
    fields: Mapping[str, str]
    second_fields: Mapping[str, str]
    where: Mapping[str, Cell] = dataclasses.field(default_factory=dict)
    outer: bool = True

    @property
    def sources(self) -> tuple[str, ...]:
        """The connectors that these rows follow."""
        return (self.first, self.second)

    def fits(self, connector: Connector) -> bool:
        """Whether the rows of this connector can follow others so."""
        told = {*self.fields, *self.second_fields}
        return bool(connector.key) and {*connector.key} <= {*self.fields} and told <= {f.id for f in connector.fields}

    def within(self, field_ids: Collection[str]) -> Joined:
        """The same, for a connector that has these fields only."""
        return dataclasses.replace(
            self, fields=_only(self.fields, field_ids), second_fields=_only(self.second_fields, field_ids)
        )


def _only(values: Mapping[str, _Value], field_ids: Collection[str]) -> dict[str, _Value]:
    return {field_id: value for field_id, value in values.items() if field_id in field_ids}


Follows: TypeAlias = ChangedDays | DeletedRows | Joined


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """A connector with its rows and the way to make one row more.

    Attributes:
        connector: The connector.
        rows: Its rows; may be a generator, read once.
        new_row: Given a running number that no row had yet, a new row that fits the others (its stamp and created
            fields are filled in by whoever inserts it).
        follows: What its rows follow from, where they aren't its own: connectors with rows of their own. While those
            are in the environment too, its rows are kept true by themselves.
    """

    connector: Connector
    rows: Iterable[Row]
    new_row: Callable[[int], Row]
    follows: Follows | None = None


Dataset: TypeAlias = Sequence[Table]

"""What a sandbox environment is made of: fields, GetConnectors and the rows behind them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeAlias

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
class Table:
    """A connector with its rows and the way to make one row more.

    Attributes:
        connector: The connector.
        rows: Its rows; may be a generator, read once.
        new_row: Given a running number that no row had yet, a new row that fits the others (its stamp and created
            fields are filled in by whoever inserts it).
    """

    connector: Connector
    rows: Iterable[Row]
    new_row: Callable[[int], Row]


Dataset: TypeAlias = Sequence[Table]

"""What all parts of the data share: seed, size, time, names; and how a table is put together."""

from __future__ import annotations

import dataclasses
import random
import zlib
from typing import TYPE_CHECKING

from afas_sandbox.data import names
from afas_sandbox.data.definitions import connectors
from afas_sandbox.data.worktime import Worktime
from afas_sandbox.model import Table

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator

    from afas_sandbox.model import Cell, Follows, Row

ODD_TEXTS = (
    'Buis 3/4" "verzinkt"',
    "Regel 1\r\nRegel 2",
    "Kolom 1\tKolom 2",
    "50% korting; 2+1 gratis, actie #7 & meer",
    "Café 't Hoekje \N{BEER MUG}",
    "<b>Let op</b> & <i>spoed</i>",
    "Pad C:\\temp\\nieuw",
    "Smørrebrød, crème brûlée, Łódź, Ærø",
    "\N{CONSTRUCTION WORKER}\N{ZERO WIDTH JOINER}\N{FEMALE SIGN} bouwploeg",
    "  met spaties rondom  ",
    "null",
    "O'Neill; DROP TABLE orders; --",
    "\N{LEFT DOUBLE QUOTATION MARK}krul\N{RIGHT DOUBLE QUOTATION MARK} \N{EM DASH} streep",
    "{\"json\": [1, 2, {'a': null}]}",
    "100 % / m\N{SUPERSCRIPT TWO} \N{EURO SIGN} 5,-",
)
"""Texts that a careless reader breaks on."""

ODD_SHARE = 0.03


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """Rows that are made anew each time they are read, so that none need to be held."""

    make: Callable[[], Iterator[Row]]

    def __iter__(self) -> Iterator[Row]:
        """The rows from the first on."""
        return self.make()


class World:
    """The seed, the size and the time of the data.

    Attributes:
        time: Working days and stamps.
        names: Pools of names.
    """

    def __init__(self, *, scale: float, seed: int, now: dt.datetime) -> None:
        self.scale = scale
        self.seed = seed
        self.time = Worktime(now)
        self.names = names.draw(seed)

    def small(self, count: int, at_least: int = 4) -> int:
        """How many there are of something that doesn't grow past its normal size."""
        return max(at_least, round(count * min(1.0, self.scale)))

    def big(self, count: int, at_least: int = 4) -> int:
        """How many there are of something that grows with the scale."""
        return max(at_least, round(count * self.scale))

    def rng(self, topic: str, number: int) -> random.Random:
        """Chance that depends on nothing but the seed, the topic and the number."""
        return random.Random(self.seed << 80 | zlib.crc32(topic.encode()) << 48 | number)


def introduced(number: int, count: int) -> float:
    """At what share of the years the master record with that number came: a sixth at the start, the others evenly."""
    return min(1.0, max(0.0, number / count * 1.2 - 0.2))


def known(rng: random.Random, count: int, share: float) -> int:
    """A master record that existed at that share of the years."""
    return int(rng.random() * max(1, min(count, int((share + 0.2) / 1.2 * count))))


def spice(rng: random.Random, text: str) -> str:
    """The text, now and then followed by one that a careless reader breaks on."""
    if rng.random() < ODD_SHARE:
        return f"{text} {rng.choice(ODD_TEXTS)}"
    return text


def table(
    connector_id: str,
    rows: Callable[[], Iterable[Row]],
    new_row: Callable[[int], Row],
    follows: Follows | None = None,
) -> Table:
    """The table of a connector."""
    return Table(connectors()[connector_id], Rows(lambda: iter(rows())), new_row, follows)


def counted(connector_id: str, count: int, make: Callable[[int], Row]) -> Table:
    """A table whose rows are made from their number; new rows go on counting."""
    return table(connector_id, lambda: map(make, range(count)), lambda number: make(count + number))


def listed(connector_id: str, rows: Iterable[Row], new_row: Callable[[int], Row]) -> Table:
    """A table of few rows."""
    held = tuple(rows)
    return table(connector_id, lambda: held, new_row)


def by_name(connector_id: str, values: dict[str, Cell]) -> Row:
    """A row from values by field id; what isn't named is null.

    Raises:
        KeyError: The connector has no field of that name.
    """
    fields = connectors()[connector_id].fields
    row = tuple(values.pop(field.id, None) for field in fields)
    if values:
        raise KeyError(f"{connector_id} has no field {', '.join(values)}")
    return row

"""What happens in an environment that is odd in many ways at once, by chance."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import random
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from model import NOW, Ticking
from odd import AT, CODE, COUNT, ID, MODIFIED, PRICE, Story, item

from tap_afas.sandbox import stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_afas.sandbox import Request, Row, Sandbox

KEYS: dict[str, list[tuple[str, ...]]] = {
    "number": [("Id",)],
    "text": [("Code",)],
    "several": [("Kind", "Code", "Id"), ("Code", "Id"), ("Kind", "Id")],
    "decimal": [("Price",), ("Price", "Id"), ("Kind", "Price", "Id")],
    "moment": [("At",), ("At", "Id"), ("Kind", "At", "Id")],
    "none": [()],
}
OVERLAP = 300
LATEST = 200
"""Seconds that a commit comes later than its stamp, at most; what clocks are apart comes on top."""
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_LOOKALIKES = ("k", "K", "k ", "ķ", "æ", "ae", "straß", "strass", "co-", "co")
_MOST_REQUESTS = 2000
MOVED = ("Rows moved while they were read", "more rows sort alike than it sends")
_FIRST = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - wall time has no zone


@dataclasses.dataclass(frozen=True)
class Odd:
    """What is odd.

    Attributes:
        key: The key's fields.
        stamp: The replication key.
        options: Of the sandbox.
        codes: What codes look like.
        count: Of the rows at first.
        page_size: Of the first run.
        filter: The filter of the settings.
        start_date: Where the first sync begins.
        empties: The part of the stamps that is empty.
        ages: Seconds within which the rows changed at first.
        future: Seconds by which a stamp may lie ahead.
        busy: The most changes between two pages.
        purge: How likely neighbours are deleted between two pages.
        in_pieces: Whether rows change while a page is read.
        kills: How likely a run is killed, or fails.
        waits: Seconds between runs.
    """

    key: tuple[str, ...] = ("Id",)
    stamp: str | None = "Modified"
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    codes: str = "plain"
    count: int = 40
    page_size: int = 10
    filter: list[Any] = dataclasses.field(default_factory=list)
    start_date: str | None = None
    empties: float = 0.0
    ages: int = 5000
    future: tuple[int, ...] = ()
    busy: int = 3
    purge: float = 0.0
    in_pieces: bool = False
    kills: float = 0.0
    waits: tuple[int, ...] = (0, 1, 200, 400, 4000)

    @property
    def appends(self) -> bool:
        return not self.key and self.stamp is not None

    @property
    def by_offset(self) -> bool:
        """Whether rows may be read by offset, which rows that move can end."""
        odd = {"padded", "fine_decimals", "shifted_literals"} & self.options.keys()
        return not self.key or bool(odd) or self.codes == "alike"

    @property
    def may_fail(self) -> tuple[str, ...]:
        """With what a run may fail that nothing else disturbs."""
        found: tuple[str, ...] = ()
        if "shifted_literals" in self.options:
            found += ("otherwise than it shows", "from before the asked", "from behind the asked")
        if self.key[-1:] == ("Id",) and self.options.get("take_cap"):
            # More rows tie in what ends the condition on the key than AFAS sends at once.
            found += ("it holds their keys equal",)
        if not self.key and len(self.filter) > 3:
            found += ("`filter` is too long",)
        if self.appends and self.stamp == "Count" and self.options.get("date_offset", 0) is None:
            found += ("AFAS tells no time",)
        return found


class History(Story):
    """What happened, by chance.

    Args:
        sandbox: Loaded anew.
        odd: What is odd.
        seed: Of the chance.
    """

    def __init__(self, sandbox: Sandbox, odd: Odd, seed: int) -> None:
        self.odd = odd
        self.chance = random.Random(seed)  # noqa: S311 - test data
        self.versions = self.used = self.drawn = 0
        self.keys: set[tuple[Any, ...]] = set()
        self.late: list[tuple[dt.datetime, Callable[[], None]]] = []
        self.waiting: set[int] = set()
        self.asked = 0
        clock = Ticking(NOW)
        settings: dict[str, Any] = {"overlap_seconds": OVERLAP, "streams": {"Item": {"filter": odd.filter}}}
        if odd.start_date:
            settings["start_date"] = odd.start_date
        self.clock = clock
        rows = [self._new(self._first_stamp()) for _ in range(odd.count)]
        self.chance.shuffle(rows)
        super().__init__(sandbox, rows, key=odd.key, stamp=odd.stamp, clock=clock, settings=settings, **odd.options)

    # Rows

    def _first_stamp(self) -> str | None:
        if self.chance.random() < self.odd.empties:
            return None
        return self.clock.ago(self.chance.random() * self.odd.ages)

    def _new(self, stamp: str | None) -> Row:
        """A row with a key that none had."""
        odd, chance = self.odd, self.chance
        while True:
            self.used += 1
            number = chance.randrange(odd.count * 4 + self.used + 10)
            row = item(number, stamp, Name=self._name(), **self._values(number, stamp))
            shown = self._shown_key(row)
            if shown not in self.keys:
                self.keys.add(shown)
                return row

    def _values(self, number: int, stamp: str | None) -> dict[str, Any]:
        odd, chance = self.odd, self.chance
        last = odd.key[-1:] == ("Id",) and len(odd.key) > 1
        few = chance.randrange(4 + odd.count // 8) if last else number
        unit = _SECONDS[odd.options.get("stamp_unit", "second")]
        values: dict[str, Any] = {
            "Code": {"plain": f"C{few:04}", "right": str(few), "alike": f"{chance.choice(_LOOKALIKES)}{few}"}[
                odd.codes
            ],
            "Price": f"{few // 100}.{few % 100:02}",
            "At": stored(_FIRST + dt.timedelta(seconds=few * (unit if not last else 0.5))),
            "Kind": chance.randrange(3),
            "Count": None,
        }
        if "fine_decimals" in odd.options:
            values["Price"] += f"{chance.randrange(100):02}"
        if odd.stamp == "Count" and stamp is not None:
            values["Count"] = self._draw()
        return values

    def _shown_key(self, row: Row) -> tuple[Any, ...]:
        """What must tell the row from all others, as it is shown."""
        if "Id" in self.odd.key or not self.odd.key:
            return (row[ID],)
        if self.odd.key[-1] == "Price":
            # A finer one may be shown as that of a cent more.
            return (Decimal(str(row[PRICE])).quantize(Decimal("0.01"), ROUND_HALF_UP),)
        return (row[AT if "At" in self.odd.key else CODE],)

    def _name(self) -> str:
        self.versions += 1
        return f"version {self.versions}"

    def _draw(self) -> int:
        self.drawn += 1
        return self.drawn

    # What happens

    def _stamp(self) -> dict[str, Any]:
        """The stamp of a change that begins now."""
        odd, chance = self.odd, self.chance
        # A stream that appends has empty stamps in its first sync only.
        if not odd.appends and chance.random() < odd.empties / 3:
            return {"Modified": None, "Count": None}
        if odd.stamp == "Count":
            return {"Count": self._draw()}
        skew = chance.choice(odd.options.get("stamp_offsets", (0,)))
        if odd.future and chance.random() < 0.04:
            skew = chance.choice(odd.future)
        return {"Modified": self.clock.ago(-skew)}

    def change(self) -> None:
        chance, alive = self.chance, [number for number in self.rows if number not in self.waiting]
        stamp = self._stamp()
        what = chance.random()
        if what < 0.2 or not alive:
            row = list(self._new(None))
            row[MODIFIED], row[COUNT] = stamp.get("Modified"), stamp.get("Count")
            self.insert(tuple(row))
            return
        number = chance.choice(alive)
        if what < 0.3:
            self.delete(number)
            return
        values = {"Name": self._name(), **stamp}
        if what < 0.4 and "Kind" not in self.odd.key:
            values["Kind"] = chance.randrange(3)
        if what < 0.6:
            self.waiting.add(number)
            self.late.append((
                self.clock.now + dt.timedelta(seconds=chance.random() * LATEST),
                lambda: self._commit(number, values),
            ))
            return
        self.update(number, None, **values)

    def _commit(self, number: int, values: dict[str, Any]) -> None:
        self.waiting.discard(number)
        if number in self.rows:
            self.update(number, None, **values)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and changes end that began before."""
        self.clock.tick(seconds)
        due = [one for one in self.late if one[0] <= self.clock.now]
        self.late = [one for one in self.late if one[0] > self.clock.now]
        for _, commit in due:
            commit()

    def happen(self) -> None:
        """What happens before a page is asked for, or while it is read."""
        chance, odd = self.chance, self.odd
        for _ in range(chance.choice([0, 0, 1, odd.busy]) if odd.busy else 0):
            self.change()
        if odd.busy > 2 and chance.random() < 0.02:
            # An import that touches many rows within a moment.
            for number in list(self.rows)[:50]:
                if number not in self.waiting:
                    self.update(number, None, Name=self._name(), **self._stamp())
        if chance.random() < odd.purge:
            self.sandbox.purge(
                "Item",
                orderbyfieldids=",".join(odd.key or ("Id",)),
                skip=chance.randrange(self.sandbox.count("Item") + 1),
                take=chance.choice([1, 5, 30, 60]),
            )

    @contextlib.contextmanager
    def lively(self) -> Iterator[None]:
        """Have something happen before each page, and while one is read."""

        def before(_: Request) -> None:
            self.asked += 1
            if self.asked > _MOST_REQUESTS:
                raise AssertionError("no end")
            # People can be faster than pages of a row or two, but not for ever.
            if self.asked < 60:
                self.pass_time(self.chance.choice([0, 0.3, 1, 30, 100]))
                self.happen()

        def within(_: Request) -> None:
            if self.asked < 60:
                self.pass_time(self.chance.choice([0, 5, 20]))
                self.happen()

        self.asked = 0
        self.sandbox.within_request = within if self.odd.in_pieces else None
        try:
            with self.before_each(before):
                yield
        finally:
            self.sandbox.within_request = None
            self.sandbox.faults = []

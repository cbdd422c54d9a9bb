"""What happens in an environment that is odd in many ways at once, by chance."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import random
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from afas_sandbox import stored
from afas_sandbox.clock import to_utc
from harness.oddities import BY_DAY, LATEST, Odd
from harness.story import AT, CODE, COUNT, FIELDS, ID, MODIFIED, PRICE, Moments, Story, item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from afas_sandbox import Request, Row, Sandbox

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_LOOKALIKES = ("k", "K", "k ", "ķ", "æ", "ae", "straß", "strass", "co-", "co", "a,b;", "'\"", "100%&", "[é] ")
_MOST_REQUESTS = 2000
_FIRST = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - wall time has no zone


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
        self.late: list[tuple[float, Callable[[], None]]] = []
        self.elapsed = 0.0
        self.waiting: set[int] = set()
        self.asked = 0
        self.clock = clock = Moments(odd.now)
        self.starts_at = clock.ago(4500) if odd.starts else ""
        settings: dict[str, Any] = {"overlap_seconds": odd.overlap, "streams": {"Item": {"filter": odd.filter}}}
        if odd.starts:
            settings["start_date"] = to_utc(dt.datetime.fromisoformat(self.starts_at)).isoformat()
        rows = [self._new(self._first_stamp()) for _ in range(odd.count)]
        self.chance.shuffle(rows)
        days = (*FIELDS[:MODIFIED], dataclasses.replace(FIELDS[MODIFIED], control_type=BY_DAY))
        super().__init__(
            sandbox,
            rows,
            key=odd.key,
            stamp=odd.stamp,
            clock=clock,
            fields=days if odd.by_day else FIELDS,
            settings=settings,
            **odd.options,
        )

    # Rows

    def _first_stamp(self) -> str | None:
        if self.chance.random() < self.odd.empties:
            return None
        return self._ago(self.chance.random() * self.odd.ages)

    def _ago(self, seconds: float) -> str:
        stamp = self.clock.ago(seconds)
        return f"{stamp[:10]}T00:00:00.000" if self.odd.by_day else stamp

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
        return {"Modified": self._ago(-skew)}

    def change(self) -> None:
        odd, chance, alive = self.odd, self.chance, [number for number in self.rows if number not in self.waiting]
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
        if what < 0.4 and "Kind" not in odd.key:
            values["Kind"] = chance.randrange(3)
        if what < 0.6 and odd.overlap:
            self.waiting.add(number)
            self.late.append((self.elapsed + chance.random() * LATEST, lambda: self._commit(number, values)))
            return
        self.update(number, None, **values)

    def _commit(self, number: int, values: dict[str, Any]) -> None:
        self.waiting.discard(number)
        if number in self.rows:
            self.update(number, None, **values)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and changes end that began before."""
        self.clock.tick(seconds)
        self.elapsed += seconds
        due = [one for one in self.late if one[0] <= self.elapsed]
        self.late = [one for one in self.late if one[0] > self.elapsed]
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

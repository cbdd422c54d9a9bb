"""Bookings, the feed that lists the days on which some changed, and what a target's view makes of both."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from afas_sandbox import KEEP, Connector, Field, Table
from afas_sandbox.model import ChangedDays
from harness.command import without_waiting
from harness.run import committed, last_state
from harness.source import TOKEN, Ticking
from harness.syncing import run_tap_of
from harness.targets import in_utc

if TYPE_CHECKING:
    from afas_sandbox import Row, Sandbox
    from harness.run import Run

DAYS = [f"2024-03-{day:02}" for day in (1, 2, 3, 5, 9, 10, 28)]
FEED = "ChangedDays"
_BOOKINGS = (
    Field("Id", "int", "Id", "Id", 9),
    Field("EntryDate", "date", "Entry date", "Datum boeking", control_type=4),
    Field("Amount", "int", "Amount", "Bedrag", 9),
    Field("Modified", "date", "Changed on", "Gewijzigd op", control_type=8),
)
_LISTED = (
    Field("EntryDate", "date", "Entry date", "Datum boeking", control_type=4),
    Field("Modified", "date", "Changed on", "Gewijzigd op", control_type=8),
)


def _midnight(day: str) -> str:
    return f"{day}T00:00:00.000"


class Ledger:
    """A sandbox with bookings and their feed, and a target with the view that leaves out what is gone.

    Args:
        sandbox: Loaded anew.
        bookings: How many there are at first.
        settings: Of each run.

    Attributes:
        own: What `streams` says of the bookings.
    """

    def __init__(self, sandbox: Sandbox, bookings: int = 30, **settings: Any) -> None:
        self.sandbox = sandbox
        self.clock = Ticking()
        sandbox.clock = self.clock
        rows = [
            (number, _midnight(DAYS[number % len(DAYS)]), number, "2024-04-01T10:00:00.000")
            for number in range(bookings)
        ]
        listed = [(_midnight(day), "2024-04-01T10:00:00.000") for day in DAYS[: min(len(DAYS), bookings)]]
        made = Connector("Bookings", "Bookings", "Boekingen", _BOOKINGS, stamp="Modified", changeable=())
        feed = Connector(FEED, "Days", "Dagen", _LISTED, key=("EntryDate",), stamp="Modified", changeable=())
        sandbox.load([
            Table(made, rows, lambda _: rows[0]),
            Table(feed, listed, lambda _: listed[0], follows=ChangedDays("Bookings", "EntryDate")),
        ])
        days = {"connector": FEED, "day": "EntryDate"}
        self.own: dict[str, Any] = {"primary_keys": ["Id"], "changed_days": days}
        self.settings: dict[str, Any] = {"streams": {"Bookings": self.own}, "connectors": ["Bookings"], **settings}
        self.state: dict[str, Any] = {}
        self.rows: dict[int, tuple[dict[str, Any], str]] = {}
        self.days: dict[str, dict[str, Any]] = {}
        self.used = bookings

    # In AFAS

    @property
    def there(self) -> dict[int, Row]:
        """The bookings by the sandbox' numbers."""
        return dict(self.sandbox.numbered_rows("Bookings"))

    def insert(self, day: str) -> int:
        self.used += 1
        self.sandbox.insert("Bookings", (self.used, _midnight(day), 1, self.clock.ago(0)), stamp=KEEP)
        return self.used

    def change(self, number: int) -> None:
        self.sandbox.update(
            "Bookings", number, {"Amount": self.clock.now.microsecond + self.used}, stamp=self.clock.ago(0)
        )

    def move(self, number: int, day: str) -> None:
        self.sandbox.update("Bookings", number, {"EntryDate": _midnight(day)}, stamp=self.clock.ago(0))

    def delete(self, number: int) -> None:
        self.sandbox.delete("Bookings", number)

    # In the target

    def sync(self, cut: float | None = None, **settings: Any) -> Run:
        """Run the tap, and load what it wrote."""
        config = {"base_url": self.sandbox.base_url, "token": TOKEN, **self.settings, **settings}
        with without_waiting():
            ran = run_tap_of(self.sandbox, config, self.state)
        output = ran.output if cut is None else committed(ran.output[: int(cut * len(ran.output))])
        for line in output.splitlines():
            message = json.loads(line)
            if message["type"] == "RECORD" and message["stream"] == "Bookings":
                self.rows[message["record"]["Id"]] = (message["record"], message["time_extracted"])
            elif message["type"] == "RECORD":
                self.days[message["record"]["EntryDate"]] = message["record"]
        self.state = last_state(output) or self.state
        return ran

    @property
    def view(self) -> dict[int, dict[str, Any]]:
        """The rows of the target that were not extracted before their day was read again."""
        return {
            number: record
            for number, (record, extracted) in self.rows.items()
            if (day := self.days.get(record["EntryDate"])) is None or _moment(extracted) >= _moment(day["read_at"])
        }

    @property
    def source(self) -> dict[int, dict[str, Any]]:
        """The bookings as records."""
        return {int(row[0] or 0): self.record(row) for row in self.there.values()}

    @staticmethod
    def record(row: Row) -> dict[str, Any]:
        number, day, amount, stamp = row
        moment = dt.datetime.fromisoformat(str(stamp))
        shown = moment.replace(microsecond=0) + dt.timedelta(seconds=int(moment.microsecond >= 500_000))
        return {"Id": number, "EntryDate": str(day)[:10], "Amount": amount, "Modified": in_utc(shown)}


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)

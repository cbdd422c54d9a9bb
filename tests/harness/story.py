"""An AFAS that is odd in some way, the tap run against it time and again, and what a target then has."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime as dt
import types
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any
from unittest import mock

import tap_afas.plan
from afas_sandbox import Field, stored
from afas_sandbox.clock import later, to_utc
from harness.command import without_waiting
from harness.run import committed, last_state
from harness.source import Source, Ticking, Walk
from harness.syncing import run
from harness.targets import Target, freeze, in_utc, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from afas_sandbox import Row, Sandbox
    from afas_sandbox.options import Options
    from harness.run import Run

FIELDS = (
    Field("Id", "int", "Id", "Id", 9),
    Field("Code", "string", "Code", "Code", 20, control_type=5),
    Field("Price", "decimal", "Price", "Prijs", 26, 2),
    Field("At", "date", "At", "Op", control_type=8),
    Field("Kind", "int", "Kind", "Soort", 9),
    Field("Name", "string", "Name", "Naam", 80),
    Field("Count", "int", "Count", "Teller", 9),
    Field("Modified", "date", "Changed on", "Gewijzigd op", control_type=8),
)
ID, CODE, PRICE, AT, KIND, NAME, COUNT, MODIFIED = range(len(FIELDS))
_CUTS = {"minute": {"second": 0}, "hour": {"minute": 0, "second": 0}, "day": {"hour": 0, "minute": 0, "second": 0}}
_FIRST = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - wall time has no zone
_OF_THE_MACHINE = "This machine's clock says"


def item(number: int, stamp: str | None, **values: Any) -> Row:
    """A row of `FIELDS`, of which each field alone tells it from others."""
    plain: dict[str, Any] = {
        "Id": number,
        "Code": f"C{number:04}",
        "Price": f"{number}.00",
        "At": stored(_FIRST + dt.timedelta(seconds=number)),
        "Kind": number % 3,
        "Name": f"row {number}",
        "Count": None,
        "Modified": stamp,
    }
    return tuple((plain | values).values())


def record(row: Row, options: Options, fields: Sequence[Field] = FIELDS) -> dict[str, Any]:
    """The record that a row is to become; worked out without the tap."""
    told: dict[str, Any] = {}
    for field, value in zip(fields, row, strict=True):
        told[field.id] = value
        if value is None:
            continue
        if field.data_type == "string" and options.padded.get(field.id):
            told[field.id] = str(value).strip(" ")
        elif field.data_type == "decimal":
            told[field.id] = Decimal(str(value)).quantize(Decimal(1).scaleb(-field.decimals), ROUND_HALF_UP)
        elif field.data_type == "date":
            wall = wall_shown(str(value), options)
            told[field.id] = f"{wall:%Y-%m-%d}" if field.control_type == 4 else in_utc(wall)
    return told


def wall_shown(stamp: str, options: Options) -> dt.datetime:
    """The wall time that AFAS shows for a stored one."""
    if options.stamp_unit == "second":
        return shown(stamp, options.display)
    return dt.datetime.fromisoformat(stamp).replace(microsecond=0, **_CUTS[options.stamp_unit])  # type: ignore[arg-type]  # parts of a time


class Moments(Ticking):
    """A clock that counts moments and shows wall time, as clocks do where the hour changes."""

    def tick(self, seconds: float = 1.0) -> None:
        self.now = later(self.now, seconds)

    def ago(self, seconds: float) -> str:
        return stored(later(self.now, -seconds))


class Story(Source):
    """A connector, its target and the STATE between them, from run to run.

    Args:
        sandbox: Loaded anew.
        rows: The rows.
        key: The key that the tap is told; empty for none.
        stamp: The replication key; None for a full table.
        clock: Of the sandbox.
        fields: Of the connector.
        settings: Of every run.
        options: Of the sandbox.

    Attributes:
        state: What the last run left.
        target: What it has of the rows.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        rows: Iterable[Row],
        *,
        key: Sequence[str] = ("Id",),
        stamp: str | None = "Modified",
        clock: Ticking | None = None,
        fields: Sequence[Field] = FIELDS,
        settings: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(sandbox, Walk(tuple(key), stamp), rows, clock, fields, **options)
        self.fields = fields
        self.settings = dict(settings or {})
        self.state: dict[str, Any] = {}
        self.target = Target(key)

    def sync(self, cut: float | None = None, **settings: Any) -> Run:
        """Run the tap, and take what it wrote.

        Args:
            cut: After which part of its output it was killed; None: it wasn't.
            settings: Of this run.
        """
        with without_waiting(), self._machine():
            ran = run(self, self.state, **self.settings, **settings)
        output = ran.output if cut is None else committed(ran.output[: int(cut * len(ran.output))])
        self.target.load(output)
        self.state = last_state(output) or self.state
        return dataclasses.replace(ran, log=[line for line in ran.log if not line.startswith(_OF_THE_MACHINE)])

    def whole(self, **settings: Any) -> Run:
        """Run the tap, which is to bring all that there is."""
        ran = self.sync(**settings)
        assert ran.error is None, ran.said
        lost = self.lost()
        assert not lost, (lost[:3], len(lost), [page.query for page in ran.pages][-5:])
        return ran

    def lost(self, rows: Iterable[Row] | None = None) -> list[dict[str, Any]]:
        """Which rows, as they are, the target doesn't have."""
        have = collections.Counter(map(freeze, self.target.rows.values()))
        options = self.sandbox.options
        wanted = self.rows.values() if rows is None else rows
        want = collections.Counter(freeze(record(one, options, self.fields)) for one in wanted)
        return [dict(one) for one in (want - have).elements()]

    def touch(self, number: int, **values: Any) -> None:
        """Change a row now; its `Name` tells when."""
        self.update(number, self.clock.ago(0), **{"Name": f"changed {self.clock.now}", **values})

    @contextlib.contextmanager
    def _machine(self) -> Iterator[None]:
        """Where AFAS tells no time, this machine's clock counts: it shows what the sandbox' does."""
        now = to_utc(self.clock.now)

        class Frozen(dt.datetime):
            @classmethod
            def now(cls, tz: dt.tzinfo | None = None) -> Any:
                return now.astimezone(tz)

        module = types.SimpleNamespace(datetime=Frozen, UTC=dt.UTC)
        with mock.patch.object(tap_afas.plan, "datetime", module, create=True):
            yield

"""What may be odd about an environment, drawn at random."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from hypothesis import strategies as st

from harness.source import NOW

KEYS: dict[str, list[tuple[str, ...]]] = {
    "number": [("Id",)],
    "text": [("Code",)],
    "several": [("Kind", "Code", "Id"), ("Code", "Id"), ("Kind", "Id")],
    "decimal": [("Price",), ("Price", "Id"), ("Kind", "Price", "Id")],
    "moment": [("At",), ("At", "Id"), ("Kind", "At", "Id")],
    "none": [()],
}
MOVED = ("Rows moved while they were read", "more rows sort alike than it sends")
LATEST = 200
"""Seconds that a commit comes later than its stamp, at most; what clocks are apart comes on top."""
BY_DAY = 4
"""AFAS' `controlType` of a date without a time."""

_LONG = [[{"field": "Name", "operator": "=", "value": f"{'x' * 150}{number}"}] for number in range(12)]
_FILTERS: list[list[Any]] = [
    [],
    [],
    [{"field": "Kind", "operator": "<=", "value": 1}],
    [[{"field": "Kind", "operator": "=", "value": 0}], [{"field": "Kind", "operator": "=", "value": 2}]],
    [[{"field": "Kind", "operator": "!=", "value": 1}], *_LONG],
]
_NIGHTS = [dt.datetime.fromisoformat(f"2024-{day}T01:20:00") for day in ("10-27", "03-31")]


@dataclasses.dataclass(frozen=True)
class Odd:
    """What is odd.

    Attributes:
        key: The key's fields.
        stamp: The replication key.
        options: Of the sandbox.
        now: When it begins, in wall time.
        codes: What codes look like.
        by_day: Whether stamps are days.
        count: Of the rows at first.
        page_size: Of most runs.
        overlap: The setting.
        filter: The filter of the settings.
        starts: Whether there is a start date.
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
    now: dt.datetime = NOW
    codes: str = "plain"
    by_day: bool = False
    count: int = 40
    page_size: int = 10
    overlap: int = 300
    filter: list[Any] = dataclasses.field(default_factory=list)
    starts: bool = False
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
    def kinds(self) -> set[int]:
        """The values of `Kind` that the filter lets through."""
        return {0: {0, 1, 2}, 1: {0, 1}, 2: {0, 2}, 13: {0, 2}}[len(self.filter)]

    @property
    def by_offset(self) -> bool:
        """Whether rows may be read by offset, which rows that move can end."""
        return not self.key or bool({"padded", "fine_decimals", "shifted_literals"} & self.options.keys())

    @property
    def may_fail(self) -> tuple[str, ...]:
        """With what a run may fail that nothing else disturbs."""
        found: tuple[str, ...] = ()
        ties = self.key[-1:] == ("Id",) and len(self.key) > 1
        if "shifted_literals" in self.options:
            found += ("differently from how it shows", "earlier than the", "later than the")
        if ties and self.options.get("take_cap"):
            # More rows tie in what ends the condition on the key than AFAS sends at once.
            found += ("it holds their keys equal",)
        if "max_cells" in self.options and (ties or self.by_offset or "At" in self.key):
            # A page that continues holds what ties with the last row, and one row more.
            found += ("too large for AFAS",)
        if not self.key and len(self.filter) > 3:
            found += ("`filter` is too long",)
        if self.appends and self.stamp == "Count" and self.options.get("date_offset", 0) is None:
            found += ("AFAS tells no time",)
        return found


@st.composite
def odd(draw: st.DrawFn, key: str) -> Odd:
    """An environment that is odd in some ways."""
    some = st.integers(0, 6).map(lambda number: number == 3)
    fields = draw(st.sampled_from(KEYS[key]))
    stamp = draw(st.sampled_from(["Modified", "Modified", "Modified", "Count", None]))
    options: dict[str, Any] = {"collation": draw(st.sampled_from(["ci_as", "ci_ai", "cs_as", "binary"]))}
    codes = draw(st.sampled_from(["plain", "plain", "right", "alike"]))
    if codes == "right" and draw(st.booleans()):
        options["padded"] = {"Code": draw(st.sampled_from([10, -10]))}
    if key == "decimal" and draw(st.booleans()):
        options["fine_decimals"] = ["Price"]
    options["display"] = draw(st.sampled_from(["rounded", "cut", "exact"]))
    by_day = stamp == "Modified" and draw(some)
    if draw(st.booleans()):
        options["stamp_unit"] = draw(st.sampled_from(["second", "minute", "hour", "day"]))
    options["stamps_compared"] = draw(st.sampled_from(["stored", "shown"]))
    overlap = draw(st.sampled_from([300, 300, 300, 0]))
    date = options["date_offset"] = draw(st.sampled_from([0, 0, 0, 20, -20, 100, -4000, None]))
    # Clocks that are further apart than the overlap can't be told from commits that come later than that.
    options["stamp_offsets"] = draw(st.sampled_from([(0,), (0,), (0, 60), (0, -10, 60)])) if overlap else (0,)
    starts = draw(some)
    # Nothing tells where a first sync with a start date really began, nor is there a witness without a key.
    if not starts and key != "none" and draw(some):
        options["shifted_literals"] = draw(st.sampled_from([7200, 3600, -3600, 2]))
        options["shifted_fields"] = draw(st.sampled_from([None, ["At"], ["Modified"]]))
    many = draw(some)
    if many:
        options["take_cap"] = draw(st.sampled_from([None, 100, 128, 150]))
    elif draw(some):
        options["max_cells"] = 8 * draw(st.integers(3, 30))
    return Odd(
        key=fields,
        stamp=stamp,
        options=options,
        now=draw(st.sampled_from(_NIGHTS)) if draw(some) else NOW,
        codes=codes,
        by_day=by_day,
        count=draw(st.integers(200, 330)) if many else draw(st.integers(0, 50)),
        page_size=draw(st.integers(99, 400)) if many else draw(st.integers(1, 20)),
        overlap=overlap,
        filter=draw(st.sampled_from(_FILTERS)),
        starts=starts,
        empties=draw(st.sampled_from([0.0, 0.0, 0.1, 0.6])),
        ages=draw(st.sampled_from([0, 5, 5000, 200_000])),
        future=draw(st.sampled_from([(), (), (2000, 10**9)])) if date in {0, None, -20, -4000} else (),
        busy=draw(st.sampled_from([0, 1, 3, 9])),
        purge=draw(st.sampled_from([0.0, 0.0, 0.05])),
        in_pieces=bool(overlap) and draw(st.booleans()),
        kills=draw(st.sampled_from([0.0, 0.3, 0.6])),
    )

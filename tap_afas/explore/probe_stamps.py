"""How AFAS shows, compares and takes stamps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_afas.explore.probe_answers import UnsettledError, asks, or_refused
from tap_afas.profit.query import Condition, Query
from tap_afas.profit.wall_time import coarsest_unit

if TYPE_CHECKING:
    from tap_afas.explore.prober import Prober, Sample
    from tap_afas.profit.query import Group, Operator


_MOST_COMPARED = 3


def _stamped(prober: Prober) -> list[tuple[Sample, list[tuple[Group, str]]]]:
    """Rows that can be found by their key, with their stamps: of some connectors, as many as go into a question."""
    stamped = []
    for sample in prober.samples:
        stamp = sample.stamp
        found = [
            (sample.one_row(row), str(row[stamp]).removesuffix("Z"))
            for row in sample.findable
            if stamp is not None and row[stamp]
        ]
        while len(found) > 1 and not Query(sample.order, _versus(found, stamp or "", ">=", ".999"), len(found)).fits:
            found.pop()
        if found:
            stamped.append((sample, found))
    if not stamped:
        raise UnsettledError("no connector with a known key has a stamp.")
    return stamped[:_MOST_COMPARED]


def _versus(
    found: list[tuple[Group, str]], stamp: str, operator: Operator, fraction: str = ""
) -> tuple[tuple[Condition, ...], ...]:
    return tuple((*group, Condition(stamp, operator, f"{wall}{fraction}")) for group, wall in found)


def _compared(
    prober: Prober, sample: Sample, found: list[tuple[Group, str]], operator: Operator, fraction: str = ""
) -> int:
    """How many stamps are, for AFAS, before or after what it shows of them."""
    where = _versus(found, sample.stamp or "", operator, fraction)
    return len(prober.rows(sample.connector, sample.order, where, take=len(found)))


def display(prober: Prober) -> str:
    """Whether they are stored finer than they are shown."""
    finer = False
    for sample, found in _stamped(prober):
        if any("." in wall for _, wall in found):
            return "shown with fractions"
        if _compared(prober, sample, found, "<"):
            return "stored finer than shown, and rounded"
        # Of few rows none may have been rounded up.
        finer = finer or bool(_compared(prober, sample, found, ">"))
    return "stored finer than shown, and cut off" if finer else "compared as shown"


def unit(prober: Prober) -> str:
    """How finely they are shown."""
    stamps = [str(row[one.stamp]).removesuffix("Z") for one in prober.samples if one.stamp for row in one.rows]
    walls = [stamp[:19] for stamp in stamps if stamp != "None"]
    if not walls:
        raise UnsettledError("no connector has a stamp.")
    return f"the {coarsest_unit(walls)}"


@or_refused
def fractions(prober: Prober) -> str:
    """Whether a filter may have a fraction."""
    sample, found = _stamped(prober)[0]
    return "taken, and not heeded" if _compared(prober, sample, found, ">=", ".999") else "taken, and heeded"


def day(prober: Prober) -> str:
    """Whether a filter may be a day alone."""
    return _takes(prober, "2000-01-01")


def day_first(prober: Prober) -> str:
    """Whether it may be written with the day first."""
    return _takes(prober, "01-01-2000")


def zone(prober: Prober) -> str:
    """Whether it may end in the `Z` that stamps are shown with."""
    return _takes(prober, "2000-01-01T00:00:00Z")


def _takes(prober: Prober, literal: str) -> str:
    sample, _ = _stamped(prober)[0]
    return asks(prober, sample, (), Condition(sample.stamp or "", ">=", literal))

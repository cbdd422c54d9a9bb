"""Streams without a key append: each version of a row once, as soon as no other can come before it."""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.depth import depth
from harness.source import FIELDS, LAG, Source, Ticking, Walk, row
from harness.syncing import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from afas_sandbox import Sandbox

_OVERLAP = 300
_AGOS = st.sampled_from([0.0, 0.4, 0.6, 1.0, 59.0, 299.0, 301.0, 310.0, 3700.0, 90_000.0, 300_000.0])


@pytest.mark.slow
@pytest.mark.parametrize("compared", ["stored", "shown"])
@pytest.mark.parametrize("unit", ["second", "minute", "hour", "day"])
@depth(12)
@given(
    first=st.lists(_AGOS | st.none(), max_size=12),
    later=st.lists(
        st.tuples(st.lists(st.floats(0, _OVERLAP, width=16), max_size=5), st.sampled_from([0, 1, 200, 700, 90_000])),
        max_size=5,
    ),
    display=st.sampled_from(["rounded", "cut", "exact"]),
    page_size=st.integers(1, 9),
)
def test_each_version_comes_once(
    sandbox: Sandbox,
    *,
    compared: str,
    unit: str,
    first: list[float | None],
    later: list[tuple[list[float], int]],
    display: str,
    page_size: int,
) -> None:
    clock = Ticking()
    rows = [row(number, None if ago is None else clock.ago(ago)) for number, ago in enumerate(first)]
    source = Source(
        sandbox,
        Walk.named("by stamp, no key"),
        rows,
        clock,
        display=display,
        stamp_unit=unit,
        stamps_compared=compared,
    )
    steps = [(wait, lates) for lates, wait in [*later, ([], LAG), ([], 0)]]
    _check_that_each_comes_once(source, steps, clock.ago, page_size)


@depth(12)
@given(
    first=st.lists(st.integers(0, 5) | st.none(), max_size=8),
    later=st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0, 700, 50_000, 90_000, 200_000])), max_size=8),
    page_size=st.integers(1, 4),
)
def test_each_version_comes_once_where_stamps_are_days(
    sandbox: Sandbox, first: list[int | None], later: list[tuple[int, int]], page_size: int
) -> None:
    clock = Ticking()
    fields = (*FIELDS[:4], dataclasses.replace(FIELDS[4], control_type=4))
    rows = [row(number, None if ago is None else _day(clock, ago)) for number, ago in enumerate(first)]
    source = Source(sandbox, Walk.named("by stamp, no key"), rows, clock, fields)
    steps = [(wait, [0] * new) for new, wait in [*later, (0, LAG), (0, 0)]]
    _check_that_each_comes_once(source, steps, lambda _: _day(clock, 0), page_size)


def _check_that_each_comes_once(
    source: Source, steps: Iterable[tuple[float, Sequence[float]]], stamp: Callable[[float], str], page_size: int
) -> None:
    """Let time pass, insert rows and run, step by step."""
    state: dict[str, Any] = {}
    came: collections.Counter[int] = collections.Counter()
    for wait, lates in steps:
        source.clock.tick(wait)
        for late in lates:
            source.insert(row(len(source.rows), stamp(late)))
        ran = run(source, state, page_size=page_size)
        assert ran.error is None, ran.said
        came.update(found["Id"] for found in ran.records())
        assert max(came.values(), default=1) == 1
        state = ran.state
    assert set(came) == set(range(len(source.rows)))


def _day(clock: Ticking, days: int) -> str:
    """The day so many days ago, as a stamp."""
    return f"{clock.ago(days * 86_400)[:10]}T00:00:00.000"

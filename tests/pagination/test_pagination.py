"""The walks and the bookmark against a world that changes before every question; see `world`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from harness.depth import depth
from harness.world import KEYS, Oddities, World, append, play, run
from tap_afas.profit.pagination import keyset, lower_bound_check, stream_paginator

if TYPE_CHECKING:
    import enum

_HARD: dict[str, Any] = {
    "slow": True,
    "future": 0.03,
    "skew": (0, 0, 250, -10),
    "clocks": (0, 0, -3000),
    "purge": 0.03,
    "empties": 0.1,
    "ties": True,
}
_SEEDS = st.integers(0, 1_000_000)


@pytest.mark.slow
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("key", KEYS)
@depth(8)
@given(seed=_SEEDS, empties=st.sampled_from([0.0, 0.1, 0.5]), take=st.sampled_from([1, 5, 20, 1000]))
def test_a_plain_world(*, key: str, ties: bool, seed: int, empties: float, take: int) -> None:
    assert play(seed, Oddities(key=key, ties=ties, empties=empties, take=take)) == ("whole", None)


@pytest.mark.slow
@pytest.mark.parametrize("compared_shown", [False, True])
@pytest.mark.parametrize("unit", [1, 60, 3600, 86400])
@pytest.mark.parametrize("zone", ["oct", "mar", None])
@depth(8)
@given(seed=_SEEDS, rounded=st.booleans())
def test_clocks_and_units(*, zone: str | None, unit: int, compared_shown: bool, seed: int, rounded: bool) -> None:
    odd = Oddities(zone=zone, unit=unit, compared_shown=compared_shown, rounded=rounded, **_HARD)
    assert play(seed, odd) == ("whole", None)


@pytest.mark.slow
@pytest.mark.parametrize(
    "odd",
    [
        Oddities(**{**_HARD, "clocks": (None, 0)}),
        Oddities(**{**_HARD, "clocks": (900,), "future": 0.0, "skew": (0, -10)}),
        Oddities(highest_fails=True),
        Oddities(int_stamp=True, empties=0.1),
        Oddities(int_stamp=True, **{**_HARD, "future": 0.0}),
    ],
    ids=["no Date", "Date ahead", "highest is too much", "numbers", "numbers, hard"],
)
@depth(12)
@given(seed=_SEEDS)
def test_other_clocks_and_stamps(*, odd: Oddities, seed: int) -> None:
    assert play(seed, odd) == ("whole", None)


@pytest.mark.slow
@pytest.mark.parametrize("key", ["text", "text and int"])
@depth(8)
@given(seed=_SEEDS)
def test_codes_that_are_padded_and_shown_trimmed(key: str, seed: int) -> None:
    assert play(seed, Oddities(key=key, padded=True)) == ("whole", None)


@pytest.mark.slow
@pytest.mark.parametrize("key", ["decimal", "decimal and int"])
@depth(20)
@given(seed=_SEEDS)
def test_decimals_that_are_stored_finer_than_shown(key: str, seed: int) -> None:
    assert play(seed, Oddities(key=key, finer=True, purge=0.03)) == ("whole", None)


@pytest.mark.slow
@pytest.mark.parametrize("key", ["ints", "text and int"])
@depth(2)
@given(seed=_SEEDS, cap=st.integers(100, 300))
def test_a_take_that_is_capped_anywhere(key: str, seed: int, cap: int) -> None:
    assert play(seed, Oddities(key=key, cap=cap, rows=500, take=1000, ties=True)) == ("whole", None)


@pytest.mark.parametrize("shift", [7200, -7200])
@depth(25)
@given(seed=_SEEDS)
def test_literals_that_are_read_in_another_zone_fail_or_harm_nothing(shift: int, seed: int) -> None:
    became, said = play(seed, Oddities(shift=shift))
    event(became)
    assert became == "whole" or (became == "failed" and said.startswith("AFAS "))


@pytest.mark.slow
@pytest.mark.parametrize("unit", [1, 60, 3600, 86400])
@pytest.mark.parametrize("compared_shown", [False, True])
@depth(20)
@given(seed=_SEEDS, rounded=st.booleans(), int_stamp=st.booleans())
def test_what_appends_sends_each_version_once(
    *, unit: int, compared_shown: bool, seed: int, rounded: bool, int_stamp: bool
) -> None:
    odd = Oddities(appends=True, unit=unit, compared_shown=compared_shown, rounded=rounded, int_stamp=int_stamp)
    assert append(seed, odd) == ("whole", None)


def test_a_run_in_which_nothing_changed_asks_one_question() -> None:
    import random  # noqa: PLC0415 - here alone

    world = World(random.Random(1), Oddities(busy=False, kills=False))  # noqa: S311 - test data
    world.alive = False
    state = run(world, {}, {})
    for wait in (1, 400, 100_000):
        world.wait(wait)
        asked = world.requests
        state = run(world, state, {})
        assert world.requests == asked + 1


@pytest.mark.parametrize("table", [keyset.TRANSITIONS, stream_paginator.TRANSITIONS, lower_bound_check.TRANSITIONS])
def test_every_phase_can_be_reached_and_left(table: dict[enum.Enum, dict[str, enum.Enum]]) -> None:
    reached = {phase for steps in table.values() for phase in steps.values()}
    assert set(type(next(iter(table)))) == set(table)
    for phase, steps in table.items():
        assert steps or phase.name == "DONE"
        assert phase in reached or phase.name in {"SINGLE_ANSWER", "WITNESS", "WALK"}

"""Rows are updated, inserted and deleted before every single page request, and none that stays as it is gets lost."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from harness.depth import depth
from harness.source import WALKS, Source, Ticking, Walk, row
from harness.syncing import catch_up, run
from harness.targets import Target

if TYPE_CHECKING:
    from afas_sandbox import Row, Sandbox

_BUSY = 30
_MOVED = "Rows moved while they were read, further than the tap can follow"


@dataclasses.dataclass(frozen=True)
class Op:
    """Something that happens to a row.

    Attributes:
        kind: What.
        pick: Which row, as a part of all.
        late: Seconds between its stamp and its commit.
        place: Where a new row comes in the order of the key.
    """

    kind: Literal["update", "insert", "delete"]
    pick: float
    late: float
    place: int


_PARTS = st.floats(0, 1, exclude_max=True, allow_nan=False, width=16)
_OPS = st.builds(
    Op,
    st.sampled_from(["update", "insert", "delete"]),
    _PARTS,
    st.sampled_from([0.0, 0.4, 0.5, 1.0, 59.5, 299.0, 300.0]),
    st.integers(0, 60),
)
_BETWEEN_PAGES = st.lists(st.lists(_OPS, max_size=4), min_size=1, max_size=8)


@st.composite
def _rows(draw: st.DrawFn) -> list[Row]:
    """Rows with few stamps, so that many share one; ids with gaps."""
    clock = Ticking()
    seconds = draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.4, 2.0, 200.0, 310.0, 9e4, 9e6]), min_size=1, max_size=4))
    count = draw(st.integers(0, 45))
    agos = st.sampled_from([*seconds, None] if draw(st.booleans()) else seconds)
    picks = draw(st.lists(agos, min_size=count, max_size=count))
    return [
        row(
            number * 2,
            None if ago is None else clock.ago(ago + draw(st.sampled_from([0.0, 0.001, 0.3])) if ago < 1e4 else ago),
            code=f"C{number % 3}",
            name=f"row {number}",
        )
        for number, ago in enumerate(picks)
    ]


def _happen(source: Source, ops: list[Op]) -> None:
    for op in ops:
        stamp = source.clock.ago(op.late)
        alive = list(source.rows)
        if op.kind == "insert":
            used = {found[0] for found in source.rows.values()}
            place = next(number for number in range(op.place, 10_000) if number not in used)
            source.insert(row(place, stamp, code=f"C{place % 3}", name="new"))
        elif alive:
            number = alive[int(op.pick * len(alive))]
            if op.kind == "update":
                source.update(number, stamp, Name=f"changed {source.clock.now}", Number=op.place)
            else:
                source.delete(number)


@pytest.mark.slow
@pytest.mark.parametrize("walk", WALKS)
@depth(25)
@given(
    rows=_rows(),
    page_size=st.integers(1, 9),
    between=_BETWEEN_PAGES,
    display=st.sampled_from(["rounded", "cut", "exact"]),
    noisy_runs=st.integers(1, 3),
    quiet_seconds=st.sampled_from([0.0, 1.0, 400.0]),
)
def test_under_change(
    sandbox: Sandbox,
    *,
    walk: str,
    rows: list[Row],
    page_size: int,
    between: list[list[Op]],
    display: str,
    noisy_runs: int,
    quiet_seconds: float,
) -> None:
    source = Source(sandbox, Walk.named(walk), rows, display=display)
    target = Target(source.walk.key)
    state: dict[str, Any] = {}
    asked = 0

    def meanwhile(_: object) -> None:
        nonlocal asked
        source.clock.tick(0.7)
        # People can be faster than pages of a row or two, but not for ever.
        if asked < _BUSY:
            _happen(source, between[asked % len(between)])
        asked += 1

    for _ in range(noisy_runs):
        asked = 0
        source.watch()
        with source.before_each(meanwhile):
            ran = run(source, state, page_size=page_size)
        target.load(ran.output)
        state = ran.state
        if _MOVED in ran.said:
            event("moved too far")
            assert ran.error is not None
            assert not source.walk.key
            continue
        assert ran.error is None, ran.said
        lost = target.missing(source.due, display)
        assert not lost, (lost, [page.query for page in ran.pages])
        source.clock.tick(quiet_seconds)
    quiet = catch_up(source, state, target, page_size=page_size)
    lost = target.missing(source.rows.values(), display)
    assert not lost, (lost, [page.query for page in quiet.pages])


@pytest.mark.slow
@pytest.mark.parametrize("walk", WALKS[:2])
@pytest.mark.parametrize("nth", range(8))
@pytest.mark.parametrize("page_size", [3, 100])
def test_the_newest_row_comes_back_with_an_earlier_stamp(sandbox: Sandbox, walk: str, nth: int, page_size: int) -> None:
    clock = Ticking()
    rows = [row(number, clock.ago(10), code=f"C{number % 3}") for number in range(1, 12)]
    source = Source(sandbox, Walk.named(walk), [row(0, clock.ago(0), code="C0", name="newest"), *rows], clock)
    target = Target(source.walk.key)
    state = catch_up(source, {}, target, page_size=page_size).state
    clock.tick(20)
    requests = itertools.count()

    def meanwhile(_: object) -> None:
        turn = next(requests)
        if turn == 0:
            source.delete(1)
        if turn == nth:
            # A commit that comes late, by less than the overlap.
            source.insert(row(0, "2024-05-15T09:58:00", code="C0", name="late"))

    with source.before_each(meanwhile):
        state = catch_up(source, state, target, page_size=page_size).state
    for wait in (0, 20, 400, 400):
        clock.tick(wait)
        last = catch_up(source, state, target, page_size=page_size)
        state = last.state
        assert not target.missing(source.rows.values())
    assert last.records() == []


@pytest.mark.parametrize("walk", WALKS[:2])
def test_rows_go_just_when_they_are_asked_for(sandbox: Sandbox, walk: str) -> None:
    source = Source(sandbox, Walk.named(walk), [row(n, "2024-05-01T00:00:00", code=f"{n:03}") for n in range(120)])
    target = Target(source.walk.key)
    asked = itertools.count()

    def meanwhile(_: object) -> None:
        if next(asked) in range(5, 30):
            for number in list(source.rows)[:3]:
                source.delete(number)

    with source.before_each(meanwhile):
        ran = run(source, page_size=2)
    target.load(ran.output)
    assert (ran.error, "by offset" in ran.said) == (None, False)
    assert not target.missing(source.rows.values())


@pytest.mark.parametrize("walk", WALKS[:2])
@pytest.mark.parametrize("page_size", [3, 100])
def test_a_restored_environment_is_noticed(sandbox: Sandbox, walk: str, page_size: int) -> None:
    source = Source(sandbox, Walk.named(walk), [row(n, "2024-05-01T00:00:00", code=f"C{n % 3}") for n in range(12)])
    copy = sandbox.snapshot("Item")
    for number in range(3, 9):
        source.update(number, source.clock.ago(0), Name="changed")
    state = run(source, page_size=page_size).state
    sandbox.restore("Item", copy)
    source.clock.tick(60)
    ran = run(source, state, page_size=page_size)
    assert ran.error is not None
    assert "This happens when an environment is restored from a backup or copied." in ran.said

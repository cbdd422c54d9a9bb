"""Many rows with one stamp, as a mass import leaves them, or with none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from depth import depth
from hypothesis import given
from hypothesis import strategies as st
from model import Source, Target, Ticking, Walk, row, run

if TYPE_CHECKING:
    from tap_afas.sandbox import Row, Sandbox

pytest_plugins = ["tap_afas.sandbox.fixtures"]

_STAMPED = ["by stamp", "by stamp, key of two", "by stamp, no key"]
_IMPORT = "2024-03-01T03:00:00.500"


def _imported(count: int, stamp: str | None = _IMPORT, first: int = 0) -> list[Row]:
    return [row(first + number, stamp, code=f"C{number % 7}", name=f"row {number}") for number in range(count)]


@pytest.mark.parametrize("walk", _STAMPED)
@depth(12)
@given(
    groups=st.lists(
        st.tuples(st.sampled_from([None, 0.0, 0.3, 0.5, 1.0, 2.0, 2.6, 900.0]), st.integers(1, 25)), max_size=6
    ),
    page_size=st.integers(1, 12),
    display=st.sampled_from(["rounded", "cut", "exact"]),
)
def test_groups_of_ties(
    sandbox: Sandbox, walk: str, groups: list[tuple[float | None, int]], page_size: int, display: str
) -> None:
    clock = Ticking()
    rows: list[Row] = []
    for ago, count in groups:
        rows += _imported(count, None if ago is None else clock.ago(100_000 - ago), len(rows))
    source = Source(sandbox, Walk.named(walk), rows, display=display)
    ran = run(source, page_size=page_size)
    target = Target(source.walk.key)
    target.take(ran.output)
    assert ran.error is None, ran.said
    assert not target.missing(rows, display)
    assert len(ran.records) == len(rows)
    # All of it is long ago, and settled: only rows with an empty stamp come again, and none where each comes once.
    quiet = run(source, ran.state, page_size=page_size)
    assert quiet.error is None
    again = set() if source.walk.appends else {found[0] for found in rows if found[-1] is None}
    assert {found["Id"] for found in quiet.records} == again


@pytest.mark.parametrize("walk", _STAMPED[:2])
def test_a_mass_import_of_which_rows_change_meanwhile(sandbox: Sandbox, walk: str) -> None:
    rows = _imported(30_000)
    source = Source(sandbox, Walk.named(walk), rows)
    target = Target(source.walk.key)
    turn = 0

    def meanwhile(_: object) -> None:
        nonlocal turn
        turn += 1
        source.clock.tick()
        for step in range(5):
            source.update(1 + (turn * 977 + step * 4999) % 30_000, source.clock.ago(0), Name=f"changed {turn}")

    with source.before_each(meanwhile):
        ran = run(source, page_size=700)
    target.take(ran.output)
    assert ran.error is None, ran.said
    assert not target.missing(source.due)
    assert len(ran.pages) < 60
    quiet = run(source, ran.state, page_size=700)
    target.take(quiet.output)
    assert not target.missing(source.rows.values())


@pytest.mark.parametrize("walk", _STAMPED)
def test_no_row_has_a_stamp(sandbox: Sandbox, walk: str) -> None:
    rows = _imported(250, None)
    source = Source(sandbox, Walk.named(walk), rows)
    ran = run(source, page_size=40)
    target = Target(source.walk.key)
    target.take(ran.output)
    assert not target.missing(rows)
    assert len(ran.records) == 250
    quiet = run(source, ran.state, page_size=40)
    assert (quiet.error, len(quiet.records)) == (None, 0 if source.walk.appends else 250)


@pytest.mark.parametrize("walk", _STAMPED)
@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_page_ends_where_a_tie_ends(sandbox: Sandbox, walk: str, after: int) -> None:
    rows = _imported(10) + _imported(after, "2024-03-01T03:00:05.000", 10)
    source = Source(sandbox, Walk.named(walk), rows)
    ran = run(source, page_size=10)
    target = Target(source.walk.key)
    target.take(ran.output)
    assert ran.error is None
    assert not target.missing(rows)
    assert len(ran.records) == len(rows)


@pytest.mark.parametrize("display", ["rounded", "cut", "exact"])
@pytest.mark.parametrize("walk", _STAMPED[:2])
@depth(8)
@given(
    thousandths=st.lists(st.integers(0, 3500), min_size=1, max_size=40),
    page_size=st.integers(1, 8),
    late=st.lists(st.integers(0, 3500), max_size=6),
)
def test_stamps_finer_than_shown(
    sandbox: Sandbox, *, walk: str, display: str, thousandths: list[int], page_size: int, late: list[int]
) -> None:
    clock = Ticking()
    rows = [
        row(number, clock.ago(4 - after / 1000), code="C", name=f"row {number}")
        for number, after in enumerate(thousandths)
    ]
    source = Source(sandbox, Walk.named(walk), rows, clock, display=display)
    target = Target(source.walk.key)
    ran = run(source, page_size=page_size, overlap_seconds=0)
    target.take(ran.output)
    assert not target.missing(rows, display)
    # The same seconds again, without the overlap's help: what was committed a little later in the last one.
    last = max(found[-1] for found in rows if isinstance(found[-1], str))
    for number in late[: len(rows)]:
        source.update(1 + number % len(rows), last[:20] + "999", Name=f"late {number}")
    quiet = run(source, ran.state, page_size=page_size, overlap_seconds=0)
    target.take(quiet.output)
    assert not target.missing(source.rows.values(), display)

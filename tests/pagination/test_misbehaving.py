"""A server that answers another question than the one it was asked: noticed, never a silent end or an endless loop."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afas_sandbox import Fault
from harness.depth import depth
from harness.source import LAG, WALKS, Source, Ticking, Walk, row
from harness.syncing import run
from harness.targets import Target
from tap_afas.profit.pagination.errors import KeyComparisonError, MisbehavedError
from tap_afas.profit.pagination.offset import ShiftedError

if TYPE_CHECKING:
    from afas_sandbox import Row, Sandbox


_PLAIN: list[dict[str, Any]] = [
    {"order": "reverse"},
    {"ignore_filter": True},
    {"same_page": True, "nth": range(2, 400)},
]


def _rows(count: int, *, ties: int = 1) -> list[Row]:
    clock = Ticking()
    return [row(n, clock.ago(9e6 - n // ties * 10), code=f"C{n:04}", name=f"row {n}") for n in range(count)]


def _after_the_highest(walk: Walk, fault: dict[str, Any]) -> Fault:
    """A fault; where a stream appends, one of the order spares the first answer: a single row tells nothing of it."""
    return Fault(kind="rows", **({"nth": range(2, 400)} if walk.appends and "order" in fault else {}) | fault)


def _whole_or_failed(source: Source, rows: list[Row], fault: Fault, *, page_size: int, state: Any = None) -> str:
    source.sandbox.faults = [fault]

    def not_for_ever(_: object) -> None:
        assert next(turns) < 300, "an endless loop"
        if next(calls) > 300:
            source.sandbox.faults = [Fault(status=403)]

    turns, calls = itertools.count(), itertools.count()
    with source.before_each(not_for_ever):
        ran = run(source, state, page_size=page_size)
    if ran.error is None:
        target = Target(source.walk.key)
        target.load(ran.output)
        assert not target.missing(rows)
        return "whole"
    return ran.said


@pytest.mark.slow
@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize(
    "fault",
    [
        {"order": "reverse"},
        {"order": "random"},
        {"ignore_filter": True},
        {"same_page": True, "nth": range(2, 400)},
        {"order": "random", "nth": 3},
        {"ignore_filter": True, "nth": 3},
        {"ignore_filter": True, "nth": 2},
    ],
    ids=str,
)
@depth(4)
@given(count=st.integers(1, 60), page_size=st.integers(1, 20), ties=st.integers(1, 30))
def test_it_is_noticed(
    sandbox: Sandbox, *, walk: str, fault: dict[str, Any], count: int, page_size: int, ties: int
) -> None:
    if "order" in fault or "same_page" in fault:
        # A row or two may stand in order by chance, or be what there is; rows of one stamp tell nothing.
        page_size += 7
        ties = min(ties, page_size - 1)
    rows = _rows(count, ties=ties)
    source = Source(sandbox, Walk.named(walk), rows)
    if fault.get("order") == "random" and walk.endswith("two"):
        # The order of text is the server's: where no number stands before it, nothing can be noticed.
        rows = []
    said = _whole_or_failed(source, rows, _after_the_highest(source.walk, fault), page_size=page_size)
    assert said == "whole" or "Asked: " in said or "further than the tap can follow" in said or "not unique" in said


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("fault", _PLAIN, ids=str)
def test_what_it_says(sandbox: Sandbox, walk: str, fault: dict[str, Any]) -> None:
    rows = _rows(40)
    source = Source(sandbox, Walk.named(walk), rows)
    said = _whole_or_failed(source, rows, _after_the_highest(source.walk, fault), page_size=7)
    by_text = walk.endswith("two") and "same_page" not in fault
    asks_no_filter = walk == "by offset" and "ignore_filter" in fault
    if by_text or asks_no_filter:
        # The order of text is the server's, and an order turned round is one as well: read by offset, all rows come.
        assert said == "whole"
    else:
        assert "Asked: " in said or "further than the tap can follow" in said


@pytest.mark.parametrize("walk", WALKS[:3])
@pytest.mark.parametrize("page_size", [4, 100])
def test_a_selection_that_is_ignored(sandbox: Sandbox, walk: str, page_size: int) -> None:
    rows = _rows(60)
    source = Source(sandbox, Walk.named(walk), rows)
    state = run(source, page_size=page_size).state
    for number in range(10, 30):
        source.update(number, source.clock.ago(0), Name="changed")
    source.clock.tick(LAG)
    asked = run(source, state, page_size=page_size).pages
    for nth, page in enumerate(asked, start=1):
        sandbox.faults = [Fault(kind="rows", ignore_filter=True, nth=nth)]
        ran = run(source, state, page_size=page_size)
        if ran.error is None:
            # The highest stamp of all is what it would have told anyway; the last rows of all are those that changed.
            assert "-Modified" in page.query or (source.walk.appends and page.parameters["skip"] != "0")
            assert sorted(found["Id"] for found in ran.records()) == list(range(9, 29))
        else:
            assert "AFAS sends rows with" in ran.said or "in another order than asked" in ran.said
            assert "Asked: where" in ran.said
            assert "the state still stands before this page. Run again. If it stays, read the connector" in ran.said


@pytest.mark.slow
@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("cap", [100, 137, 200, 256])
@pytest.mark.parametrize("count", [99, 100, 137, 201, 256, 400])
@pytest.mark.parametrize("ties", [1, 400])
def test_a_capped_take_loses_nothing(sandbox: Sandbox, walk: str, cap: int, count: int, ties: int) -> None:
    rows = _rows(count, ties=ties)
    source = Source(sandbox, Walk.named(walk), rows, take_cap=cap)
    ran = run(source, page_size=5000)
    assert ran.error is None, ran.said
    target = Target(source.walk.key)
    target.load(ran.output)
    assert not target.missing(rows)
    assert len(ran.records()) == count
    assert len(ran.pages) <= 6 + 3 * count // cap


def test_what_may_pass_by_itself() -> None:
    # Rows move, and servers differ; but how AFAS compares a key stays: the same run would fail again.
    assert MisbehavedError("Rows in another order.").may_pass
    assert ShiftedError("Rows moved.").may_pass
    failed = KeyComparisonError.for_key(["Code"], "rows before it")
    assert not failed.may_pass
    assert str(failed).startswith("AFAS compares Code differently from how it shows it: asked for the rows")

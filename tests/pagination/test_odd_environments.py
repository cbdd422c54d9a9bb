"""Oddities, selections, keys, kills and changes at random: what exits 0 is whole and true, or the run says why not."""

from __future__ import annotations

import collections
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from afas_sandbox import Fault
from harness.depth import depth
from harness.history import History
from harness.oddities import KEYS, MOVED, Odd, odd
from harness.story import KIND, MODIFIED, wall_shown

if TYPE_CHECKING:
    from afas_sandbox import Row, Sandbox
    from harness.run import Run


def _selected(history: History, row: Row) -> bool:
    """Whether a row, as it is, surely belongs to what the tap is to read."""
    odd, stamp = history.odd, row[MODIFIED]
    if row[KIND] not in odd.kinds:
        return False
    if odd.appends and stamp is not None and str(stamp) > history.clock.ago(0):
        # What is appended lags behind; a stamp of 2055 has time.
        return False
    if not odd.starts or odd.stamp != "Modified" or stamp is None:
        return True
    return min(str(stamp), wall_shown(str(stamp), history.sandbox.options).isoformat()) >= history.starts_at


def _disturb(history: History) -> tuple[float | None, tuple[str, ...]]:
    """Draw a kill or a failure: where the run is cut off, and with what it may fail."""
    chance = history.chance
    if chance.random() >= history.odd.kills:
        return None, ()
    nth = chance.choice([1, 2, 3, 5, 8])
    what = chance.choice(["cut", "cut", "final", "timeout", "reset"])
    if what == "cut":
        return chance.random(), ()
    fault = {"final": Fault(kind="rows", nth=nth, status=400), "reset": Fault(kind="rows", nth=nth, reset=True)}
    history.sandbox.faults = [fault.get(what, Fault(kind="rows", nth=nth, refuse="timeout"))]
    # A page of one row can't be asked smaller.
    return None, {"final": ("HTTP 400",), "timeout": ("longer than it allows itself",)}.get(what, ())


def _check_failure(history: History, ran: Run, may: tuple[str, ...]) -> None:
    assert ran.error is not None
    # What is wrong with the settings is told before any stream is read, and so fails none of them.
    said = next((line for line in ran.log if line.startswith("Failed: Item: ")), str(ran.error))
    assert any(part in said for part in may), said
    event(next(part for part in may if part in said))


def _lost(history: History, rows: list[Row]) -> list[dict[str, Any]]:
    return history.lost([row for row in rows if _selected(history, row)])


@pytest.mark.slow
@pytest.mark.parametrize("key", KEYS)
@depth(15)
@given(data=st.data(), seed=st.integers(0, 10**6), runs=st.integers(1, 5))
def test_exit_0_means_whole_and_true(sandbox: Sandbox, key: str, data: st.DataObject, seed: int, runs: int) -> None:
    play(sandbox, data.draw(odd(key)), seed, runs)


def play(sandbox: Sandbox, drawn: Odd, seed: int, runs: int) -> None:
    """Runs while rows change, and then until there is nothing more to come."""
    history = History(sandbox, drawn, seed)
    chance = history.chance
    moved = MOVED if drawn.by_offset else ()
    clean = True
    for _ in range(runs):
        if not _place(history):
            history.watch()
        cut, may = _disturb(history)
        with history.lively():
            ran = history.sync(
                cut=cut, page_size=chance.choice([drawn.page_size, drawn.page_size, drawn.page_size * 2 + 1])
            )
        clean = clean and cut is None and ran.error is None
        if ran.error is not None:
            _check_failure(history, ran, (*may, *drawn.may_fail, *moved))
        elif cut is None and not drawn.appends:
            lost = _lost(history, history.due)
            assert not lost, _story(history, ran, lost)
        if chance.random() < 0.05:
            history.state, clean = {}, False
        history.pass_time(chance.choice(drawn.waits))
        for _ in range(chance.choice([0, 1, drawn.busy])):
            history.change()
    history.pass_time(1000)
    for _ in range(5 if drawn.appends else 3):
        ran = history.sync(page_size=drawn.page_size)
        if ran.error is not None:
            _check_failure(history, ran, drawn.may_fail)
            return
        history.pass_time(3 * 86_400)
    lost = _lost(history, list(history.rows.values()))
    assert not lost, _story(history, ran, lost)
    event("whole")
    if drawn.appends and clean:
        versions = collections.Counter(row["Name"] for row in history.target.rows.values())
        twice = [name for name, count in versions.items() if count > 1]
        assert not twice, (drawn, twice)


def _place(history: History) -> str:
    own: dict[str, Any] = history.state.get("bookmarks", {}).get("Item", {})
    return str(own.get("place") or "")


def _story(history: History, ran: Run, lost: list[dict[str, Any]]) -> str:
    """What is needed to find out what happened."""
    questions = [f"{page.started:%H:%M:%S} {page.query} -> {page.rows}" for page in ran.pages[-30:]]
    return "\n".join([
        repr(history.odd),
        json.dumps(history.state),
        *questions,
        *map(str, lost[:5]),
        f"lost {len(lost)}",
    ])

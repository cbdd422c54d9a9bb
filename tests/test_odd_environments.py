"""Oddities, selections, keys, kills and changes at random: what exits 0 is whole and true, or the run says why not."""

from __future__ import annotations

import collections
import json
from typing import TYPE_CHECKING, Any

import pytest
from depth import depth
from history import KEYS, MOVED, History, Odd
from hypothesis import event, given
from hypothesis import strategies as st
from odd import KIND, MODIFIED, wall_shown

from tap_afas.sandbox import Fault

if TYPE_CHECKING:
    from model import Ran

    from tap_afas.sandbox import Row, Sandbox

pytest_plugins = ["tap_afas.sandbox.fixtures"]

_LONG = [[{"field": "Name", "operator": "=", "value": f"{'x' * 150}{number}"}] for number in range(12)]
_FILTERS: list[list[Any]] = [
    [],
    [{"field": "Kind", "operator": "<=", "value": 1}],
    [[{"field": "Kind", "operator": "=", "value": 0}], [{"field": "Kind", "operator": "=", "value": 2}]],
    [[{"field": "Kind", "operator": "!=", "value": 1}], *_LONG],
]
_START = "2024-05-15T08:45:00"


@st.composite
def _odd(draw: st.DrawFn, key: str) -> Odd:
    fields = draw(st.sampled_from(KEYS[key]))
    stamp = draw(st.sampled_from(["Modified", "Modified", "Modified", "Count", None]))
    options: dict[str, Any] = {"collation": draw(st.sampled_from(["ci_as", "ci_ai", "cs_as", "binary"]))}
    codes = draw(st.sampled_from(["plain", "plain", "right", "alike"]))
    if codes == "right" and draw(st.booleans()):
        options["padded"] = {"Code": draw(st.sampled_from([10, -10]))}
    if draw(st.booleans()) and key == "decimal":
        options["fine_decimals"] = ["Price"]
    options["display"] = draw(st.sampled_from(["rounded", "cut", "exact"]))
    if draw(st.booleans()):
        options["stamp_unit"] = draw(st.sampled_from(["second", "minute", "hour", "day"]))
    options["stamps_compared"] = draw(st.sampled_from(["stored", "shown"]))
    date = draw(st.sampled_from([0, 0, 0, 20, -20, 100, -4000, None]))
    options["date_offset"] = date
    options["stamp_offsets"] = draw(st.sampled_from([(0,), (0,), (0, 60), (0, -10, 60)]))
    start_date = draw(st.sampled_from([None, None, f"{_START}+02:00"]))
    # Nothing tells where a first sync with a start date really began, nor is there a witness without a key.
    if start_date is None and key != "none" and draw(st.integers(0, 9)) == 0:
        options["shifted_literals"] = draw(st.sampled_from([7200, 3600, -3600, 2]))
        options["shifted_fields"] = draw(st.sampled_from([None, ["At"], ["Modified"]]))
    many = draw(st.integers(0, 5)) == 0
    if many:
        options["take_cap"] = draw(st.sampled_from([None, 100, 128, 150]))
    return Odd(
        key=fields,
        stamp=stamp,
        options=options,
        codes=codes,
        count=draw(st.integers(200, 330)) if many else draw(st.integers(0, 50)),
        page_size=draw(st.integers(99, 400)) if many else draw(st.integers(1, 20)),
        filter=draw(st.sampled_from(_FILTERS)),
        start_date=start_date,
        empties=draw(st.sampled_from([0.0, 0.0, 0.1, 0.6])),
        ages=draw(st.sampled_from([0, 5, 5000, 200_000])),
        future=draw(st.sampled_from([(), (), (2000, 10**9)])) if date != 100 else (),
        busy=draw(st.sampled_from([0, 1, 3, 9])),
        purge=draw(st.sampled_from([0.0, 0.0, 0.05])),
        in_pieces=draw(st.booleans()),
        kills=draw(st.sampled_from([0.0, 0.3, 0.6])),
    )


def _selected(history: History, row: Row) -> bool:
    """Whether a row, as it is, surely belongs to what the tap is to read."""
    odd = history.odd
    if odd.filter and row[KIND] not in {1: {0, 1}, 2: {0, 2}, 13: {0, 2}}[len(odd.filter)]:
        return False
    stamp = row[MODIFIED]
    if odd.appends and stamp is not None and str(stamp) > history.clock.ago(0):
        # What is appended lags behind; a stamp of 2055 has time.
        return False
    if odd.start_date is None or odd.stamp != "Modified" or stamp is None:
        return True
    return min(str(stamp), wall_shown(str(stamp), history.sandbox.options).isoformat()) >= _START


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


def _check_failure(history: History, ran: Ran, may: tuple[str, ...]) -> None:
    assert ran.error is not None
    # What is wrong with the settings is told before any stream is read, and so fails none of them.
    said = next((line for line in ran.log if line.startswith("Failed: Item: ")), str(ran.error))
    assert any(part in said for part in may), said
    event(next(part for part in may if part in said))


def _lost(history: History, rows: list[Row]) -> list[dict[str, Any]]:
    return history.lost([row for row in rows if _selected(history, row)])


@pytest.mark.parametrize("key", KEYS)
@depth(15)
@given(data=st.data(), seed=st.integers(0, 10**6), runs=st.integers(1, 5))
def test_exit_0_means_whole_and_true(sandbox: Sandbox, key: str, data: st.DataObject, seed: int, runs: int) -> None:
    play(sandbox, data.draw(_odd(key)), seed, runs)


def play(sandbox: Sandbox, odd: Odd, seed: int, runs: int) -> None:
    """Runs while rows change, and then until there is nothing more to come."""
    history = History(sandbox, odd, seed)
    chance = history.chance
    moved = MOVED if odd.by_offset else ()
    clean = True
    for _ in range(runs):
        if not _place(history):
            history.watch()
        cut, may = _disturb(history)
        with history.lively():
            ran = history.sync(cut=cut, page_size=chance.choice([odd.page_size, odd.page_size, odd.page_size * 2 + 1]))
        clean = clean and cut is None and ran.error is None
        if ran.error is not None:
            _check_failure(history, ran, (*may, *odd.may_fail, *moved))
        elif cut is None and not odd.appends:
            lost = _lost(history, history.due)
            assert not lost, _story(history, ran, lost)
        if chance.random() < 0.05:
            history.state, clean = {}, False
        history.pass_time(chance.choice(odd.waits))
        for _ in range(chance.choice([0, 1, odd.busy])):
            history.change()
    history.pass_time(1000)
    for _ in range(5 if odd.appends else 3):
        ran = history.sync(page_size=odd.page_size)
        if ran.error is not None:
            _check_failure(history, ran, odd.may_fail)
            return
        history.pass_time(3 * 86_400)
    lost = _lost(history, list(history.rows.values()))
    assert not lost, _story(history, ran, lost)
    event("whole")
    if odd.appends and clean:
        versions = collections.Counter(row["Name"] for row in history.target.rows.values())
        twice = [name for name, count in versions.items() if count > 1]
        assert not twice, (odd, twice)


def _place(history: History) -> str:
    own: dict[str, Any] = history.state.get("bookmarks", {}).get("Item", {})
    return str(own.get("place") or "")


def _story(history: History, ran: Ran, lost: list[dict[str, Any]]) -> str:
    """What is needed to find out what happened."""
    questions = [f"{page.started:%H:%M:%S} {page.query} -> {page.rows}" for page in ran.pages[-30:]]
    return "\n".join([
        repr(history.odd),
        json.dumps(history.state),
        *questions,
        *map(str, lost[:5]),
        f"lost {len(lost)}",
    ])

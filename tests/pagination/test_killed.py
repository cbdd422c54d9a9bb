"""A run that is killed at any byte of its output, and the next one that goes on from its last STATE."""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.command import on_hangup
from harness.depth import depth
from harness.run import committed, last_state
from harness.source import WALKS, Source, Ticking, Walk, row
from harness.syncing import catch_up, run
from harness.targets import Target

if TYPE_CHECKING:
    from pathlib import Path

    from afas_sandbox import Row, Sandbox


@st.composite
def _rows(draw: st.DrawFn) -> list[Row]:
    clock = Ticking()
    seconds = draw(st.lists(st.sampled_from([0.0, 1.0, 1.5, 250.0, 400.0, 9e4, 9e6]), min_size=1, max_size=3))
    count = draw(st.integers(1, 40))
    picks = draw(st.lists(st.sampled_from([*seconds, None]), min_size=count, max_size=count))
    return [
        row(number, None if ago is None else clock.ago(ago), code=f"C{number % 3}", name=f"row {number}")
        for number, ago in enumerate(picks)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("walk", WALKS)
@depth(20)
@given(
    rows=_rows(),
    page_size=st.integers(1, 9),
    cuts=st.lists(st.floats(0, 1, allow_nan=False, width=16), min_size=1, max_size=3),
    changes=st.lists(st.tuples(st.integers(0, 39), st.sampled_from([0.0, 299.0, 300.0])), max_size=3),
)
def test_killed_at_any_byte(
    sandbox: Sandbox,
    *,
    walk: str,
    rows: list[Row],
    page_size: int,
    cuts: list[float],
    changes: list[tuple[int, float]],
) -> None:
    source = Source(sandbox, Walk.named(walk), rows)
    target = Target(source.walk.key)
    state: dict[str, Any] = {}
    for cut in cuts:
        ran = run(source, state, page_size=page_size)
        assert ran.error is None, ran.said
        whole = committed(ran.output[: int(cut * len(ran.output))])
        target.load(whole)
        state = last_state(whole) or state
        source.clock.tick()
        for number, late in changes:
            if number + 1 in source.rows:
                source.update(number + 1, source.clock.ago(late), Name=f"changed {source.clock.now}")
    last = catch_up(source, state, target, runs=2, page_size=page_size)
    lost = target.missing(source.rows.values())
    assert not lost, (lost, state, [page.query for page in last.pages])


@pytest.mark.slow
@pytest.mark.parametrize("walk", ["by stamp", "by stamp, key of two"])
@depth(20)
@given(rows=_rows(), page_size=st.integers(1, 9), cut=st.floats(0, 1, allow_nan=False, width=16))
def test_a_killed_run_is_not_read_again_from_the_start(
    sandbox: Sandbox, walk: str, rows: list[Row], page_size: int, cut: float
) -> None:
    source = Source(sandbox, Walk.named(walk), rows)
    killed = run(source, page_size=page_size)
    whole = committed(killed.output[: int(cut * len(killed.output))])
    state = last_state(whole)
    last = run(source, state, page_size=page_size)
    assert last.error is None, last.said
    assert last.bookmark["bookmark"] == killed.bookmark["bookmark"]
    if state and state["bookmarks"]["Item"]["place"]:
        # Of the page before, what ties with its last row comes again: never more than half of it, and one.
        assert whole.count(b'"type":"RECORD"') + len(last.records()) - len(rows) <= page_size // 2 + 1


@pytest.mark.slow
@pytest.mark.parametrize("walk", ["by stamp", "by key"])
@pytest.mark.parametrize("signum", ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes without a word")
def test_killed_by_a_signal(sandbox: Sandbox, tmp_path: Path, walk: str, signum: str) -> None:
    rows = [row(number, f"2024-01-01T00:{number % 60:02}:00", name=f"row {number}") for number in range(400)]
    source = Source(sandbox, Walk.named(walk), rows, seconds_per_call=0.05)
    config, catalog = tmp_path / "config.json", tmp_path / "catalog.json"
    config.write_text(json.dumps(source.config(page_size=10)))
    catalog.write_text(json.dumps(source.catalog()))
    command = [sys.executable, "-m", "tap_afas"]
    # Unbuffered: what `readline` had read ahead, `communicate` would not return.
    with on_hangup(signal.SIG_DFL):
        started = subprocess.Popen(
            [*command, "--config", str(config), "--catalog", str(catalog)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
    with started as process:
        assert process.stdout is not None
        head = b"".join(process.stdout.readline() for _ in range(60))
        number = getattr(signal, signum)
        process.send_signal(number)
        rest, said = process.communicate(timeout=100)
    output = head + rest
    assert process.returncode == (-number if signum == "SIGKILL" else 128 + number)
    assert b"Traceback" not in said
    if signum != "SIGKILL":
        assert output.splitlines()[-1].startswith(b'{"type":"STATE"')
        assert committed(output) == output
    assert output.count(b'"type":"RECORD"') < 300
    target = Target(source.walk.key)
    target.load(committed(output))
    last = run(source, last_state(output), page_size=10)
    target.load(last.output)
    assert not target.missing(rows)
    # A full table has no place to go on from: it starts again.
    assert (len(last.records()) == 400) == (walk == "by key")


@pytest.mark.slow
@pytest.mark.parametrize("page_size", [1, 4, 100])
def test_going_on_with_another_page_size(sandbox: Sandbox, page_size: int) -> None:
    rows = [row(number, "2024-05-15T09:58:00", code=f"C{number // 7}") for number in range(20)]
    source = Source(sandbox, Walk.named("by stamp, key of two"), rows)
    output = run(source, page_size=4).output
    lines = output.splitlines(keepends=True)
    for end in range(1, len(lines)):
        whole = committed(b"".join(lines[:end]))
        target = Target(source.walk.key)
        target.load(whole)
        target.load(run(source, last_state(whole), page_size=page_size).output)
        assert not target.missing(rows), last_state(whole)


@pytest.mark.slow
@pytest.mark.parametrize("walk", ["by stamp", "by stamp, key of two"])
def test_going_on_weeks_later(sandbox: Sandbox, walk: str) -> None:
    rows = [row(number, "2024-05-15T09:58:00", code=f"C{number // 7}", name="old") for number in range(40)]
    source = Source(sandbox, Walk.named(walk), rows)
    lines = run(source, page_size=4).output.splitlines(keepends=True)
    for end in range(2, len(lines), 5):
        source = Source(sandbox, Walk.named(walk), rows)
        whole = committed(b"".join(lines[:end]))
        target = Target(source.walk.key)
        target.load(whole)
        # A commit two minutes late, rows that change and go, new ones in front of the place: all weeks ago by now.
        source.clock.tick(120)
        source.update(3, "2024-05-15T09:58:00.500", Name="late")
        for number in range(1, 41, 6):
            source.update(number, source.clock.ago(0), Name="new")
        for number in range(5, 41, 3):
            source.delete(number)
        source.insert(row(-1, source.clock.ago(0), code="A"))
        source.clock.tick(20 * 86_400)
        second = run(source, last_state(whole), page_size=4)
        assert second.error is None, second.said
        target.load(second.output)
        source.clock.tick(20 * 86_400)
        target.load(run(source, second.state, page_size=4).output)
        assert not target.missing(source.rows.values()), last_state(whole)


@pytest.mark.parametrize("end", [0.3, 0.5, 0.7, 0.9])
def test_killed_in_the_first_pass_within_a_tie_that_grows_in_the_second(sandbox: Sandbox, end: float) -> None:
    clock = Ticking(dt.datetime(2024, 10, 27, 2, 30))  # noqa: DTZ001 - wall time has no zone
    rows = [row(number, "2024-10-27T02:10:00") for number in range(40)]
    source = Source(sandbox, Walk.named("by stamp"), rows, clock)
    killed = run(source, page_size=4).output
    whole = committed(killed[: int(end * len(killed))])
    target = Target(("Id",))
    target.load(whole)
    # A quarter of an hour before four, two hours later: in between, a row changed in the second pass.
    source.update(3, "2024-10-27T02:10:00.500", Name="second pass")
    source.insert(row(99, "2024-10-27T03:40:00"))
    clock.now = dt.datetime(2024, 10, 27, 3, 45)  # noqa: DTZ001 - wall time has no zone
    second = run(source, last_state(whole), page_size=4)
    target.load(second.output)
    clock.tick(600)
    target.load(run(source, second.state, page_size=4).output)
    assert not target.missing(source.rows.values())

"""What stamps may be: finer than shown, days, shared by many rows, at the ends of the calendar."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.depth import depth
from harness.source import FIELDS, WALKS, Source, Ticking, Walk, row
from harness.syncing import catch_up, run
from harness.targets import Target

if TYPE_CHECKING:
    from afas_sandbox import Row, Sandbox

BY_DAY = (*FIELDS[:4], dataclasses.replace(FIELDS[4], control_type=4))
_STAMPED = ["by stamp", "by stamp, key of two", "by stamp, no key"]


@pytest.mark.slow
@pytest.mark.parametrize("walk", _STAMPED)
@depth(12)
@given(
    groups=st.lists(
        st.tuples(st.sampled_from([None, 0.0, 0.3, 0.5, 1.0, 2.0, 2.6, 900.0]), st.integers(1, 25)), max_size=6
    ),
    page_size=st.integers(1, 12),
    display=st.sampled_from(["rounded", "cut", "exact"]),
)
def test_many_rows_share_a_stamp(
    sandbox: Sandbox, walk: str, groups: list[tuple[float | None, int]], page_size: int, display: str
) -> None:
    clock = Ticking()
    rows: list[Row] = []
    for ago, count in groups:
        stamp = None if ago is None else clock.ago(100_000 - ago)
        rows += [row(len(rows) + n, stamp, code=f"C{n % 7}", name=f"row {len(rows) + n}") for n in range(count)]
    source = Source(sandbox, Walk.named(walk), rows, display=display)
    ran = run(source, page_size=page_size)
    target = Target(source.walk.key)
    target.load(ran.output)
    assert ran.error is None, ran.said
    assert not target.missing(rows, display)
    assert len(ran.records()) == len(rows)
    # All of it is long ago, and settled: only rows with an empty stamp come again, and none where each comes once.
    quiet = run(source, ran.state, page_size=page_size)
    assert quiet.error is None
    again = set() if source.walk.appends else {found[0] for found in rows if found[-1] is None}
    assert {found["Id"] for found in quiet.records()} == again


@pytest.mark.slow
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
    target.load(ran.output)
    assert not target.missing(rows, display)
    # The same seconds again, without the overlap's help: what was committed a little later in the last one.
    last = max(found[-1] for found in rows if isinstance(found[-1], str))
    for number in late[: len(rows)]:
        source.update(1 + number % len(rows), last[:20] + "999", Name=f"late {number}")
    quiet = run(source, ran.state, page_size=page_size, overlap_seconds=0)
    target.load(quiet.output)
    assert not target.missing(source.rows.values(), display)


def test_a_day_as_stamp_is_read_again_from_its_midnight(sandbox: Sandbox) -> None:
    clock = Ticking(dt.datetime(2024, 3, 1, 0, 1))  # noqa: DTZ001 - wall time has no zone
    rows = [row(1, "2024-02-28T00:00:00.000", name="a"), row(2, "2024-03-01T00:00:00.000", name="b")]
    source = Source(sandbox, Walk.named("by stamp"), rows, clock, fields=BY_DAY)
    ran = run(source)
    clock.tick(60)
    source.update(1, "2024-02-29T00:00:00.000", Name="committed late")
    clock.tick(3600)
    assert "committed late" in [record["Name"] for record in run(source, ran.state).records()]


@pytest.mark.parametrize("start", ["2024-03-01T00:00:00Z", "2024-03-01", "2024-03-01T15:00:00"])
def test_a_start_date_where_stamps_are_days(sandbox: Sandbox, start: str) -> None:
    clock = Ticking(dt.datetime(2024, 3, 5))  # noqa: DTZ001 - wall time has no zone
    source = Source(sandbox, Walk.named("by stamp"), [row(1, "2024-03-01T00:00:00.000")], clock, fields=BY_DAY)
    assert len(run(source, start_date=start).records()) == 1


@pytest.mark.parametrize("walk", ["by stamp", "by stamp, key of two"])
def test_killed_on_a_day_that_is_not_over(sandbox: Sandbox, walk: str) -> None:
    now, day = dt.datetime(2024, 3, 1, 10), "2024-03-01T00:00:00.000"  # noqa: DTZ001 - wall time has no zone
    clock = Ticking(now)
    source = Source(sandbox, Walk.named(walk), [row(n, day, name="x") for n in range(40)], clock, fields=BY_DAY)
    target = Target(source.walk.key)
    lines = run(source, page_size=10).output.splitlines(keepends=True)
    for cut in (number for number, line in enumerate(lines) if line.startswith(b'{"type":"STATE"')):
        target.load(b"".join(lines[: cut + 1]))
        state = json.loads(lines[cut])["value"]
        clock.now = now + dt.timedelta(minutes=30)
        source.update(4, day, Name=f"changed after page {cut}")
        clock.tick(5 * 86400)
        source.insert(row(1000 + cut, "2024-03-05T00:00:00.000", name="later"))
        catch_up(source, state, target, runs=2, page_size=10)
        assert {found["Name"] for found in target.rows.values() if found["Id"] == 3} == {f"changed after page {cut}"}


@pytest.mark.parametrize("now", ["2024-03-01T00:30:00", "2024-03-01T23:30:00"])
def test_a_bookmark_of_today_is_none_of_the_future(sandbox: Sandbox, now: str) -> None:
    clock = Ticking(dt.datetime.fromisoformat(now))
    rows = [row(1, "2024-02-20T00:00:00.000"), row(2, "2024-03-01T00:00:00.000")]
    source = Source(sandbox, Walk.named("by stamp"), rows, clock, fields=BY_DAY)
    first = run(source)
    assert first.bookmark["replication_key_value"] == "2024-03-01"
    assert "starting anew" not in run(source, first.state).said


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00.000", "9999-12-31T23:59:59.000"])
def test_a_stamp_that_utc_cannot_express_fails_no_stream(sandbox: Sandbox, walk: str, stamp: str) -> None:
    source = Source(sandbox, Walk.named(walk), [row(1, stamp)])
    ran = run(source)
    assert ran.error is None, ran.said
    assert run(source, ran.state).error is None


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_start_at_the_ends_of_the_calendar(sandbox: Sandbox, start: str) -> None:
    source = Source(sandbox, Walk.named("by stamp"), [row(1, "2024-03-01T03:00:00.000")])
    assert len(run(source, start_date=start).records()) == start.startswith("0001")
    bookmark = {"replication_key": "Modified", "replication_key_value": start}
    ran = run(source, {"bookmarks": {"Item": bookmark}})
    assert (ran.error, len(ran.records())) == (None, 1)

"""Wall time and UTC: both clock changes, other zones, dates far off."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.depth import depth
from harness.source import Source, Ticking, Walk, row
from harness.syncing import run
from harness.targets import Target
from tap_afas.profit.wall_time import WallClock, shift

if TYPE_CHECKING:
    from afas_sandbox import Sandbox

_ZONES = ["Europe/Amsterdam", "America/Curacao", "Asia/Kolkata", "Australia/Lord_Howe", "UTC", "America/St_Johns"]
_MOMENTS = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(9999, 12, 30), timezones=st.just(dt.UTC))  # noqa: DTZ001 - bounds have none
_NEAR_A_CHANGE = st.builds(
    lambda year, october, minutes: (
        dt.datetime(year, 10 if october else 3, 31, 1, tzinfo=dt.UTC)
        - dt.timedelta(days=(dt.date(year, 10 if october else 3, 31).isoweekday()) % 7, minutes=minutes)
    ),
    st.integers(1997, 2035),
    st.booleans(),
    st.integers(-240, 240),
)


@depth(100)
@given(moment=_MOMENTS | _NEAR_A_CHANGE, zone=st.sampled_from(_ZONES))
@example(moment=dt.datetime(2024, 10, 27, 1, 30, tzinfo=dt.UTC), zone="Europe/Amsterdam")
@example(moment=dt.datetime(2024, 3, 31, 1, 0, tzinfo=dt.UTC), zone="Europe/Amsterdam")
@example(moment=dt.datetime(1900, 1, 1, tzinfo=dt.UTC), zone="Europe/Amsterdam")
def test_a_moment_comes_back_from_wall_time(moment: dt.datetime, zone: str) -> None:
    moment = moment.replace(microsecond=0)
    clock = WallClock(zone)
    wall = clock.to_wall(moment)
    back = clock.to_utc(f"{wall}Z")
    assert len(back) == len("2024-01-01T00:00:00+00:00")
    assert back.endswith("+00:00")
    if moment.astimezone(zoneinfo.ZoneInfo(zone)).fold:
        assert dt.datetime.fromisoformat(back) < moment
    else:
        assert dt.datetime.fromisoformat(back) == moment


@depth(100)
@given(moment=_NEAR_A_CHANGE, seconds=st.integers(0, 3 * 3600), zone=st.sampled_from(_ZONES))
def test_no_later_change_bears_an_earlier_wall_time(moment: dt.datetime, seconds: int, zone: str) -> None:
    clock = WallClock(zone)
    assert clock.earliest_wall(moment) <= clock.to_wall(moment + dt.timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("wall", "utc"),
    [
        ("2024-10-27T01:59:59Z", "2024-10-26T23:59:59+00:00"),
        ("2024-10-27T02:00:00Z", "2024-10-27T00:00:00+00:00"),
        ("2024-10-27T02:59:59Z", "2024-10-27T00:59:59+00:00"),
        ("2024-10-27T03:00:00Z", "2024-10-27T02:00:00+00:00"),
        ("2024-03-31T01:59:59Z", "2024-03-31T00:59:59+00:00"),
        ("2024-03-31T02:30:00Z", "2024-03-31T01:30:00+00:00"),
        ("2024-03-31T03:00:00Z", "2024-03-31T01:00:00+00:00"),
        ("1900-01-01T00:00:00Z", "1899-12-31T23:42:30+00:00"),
        ("9999-12-31T23:59:59Z", "9999-12-31T22:59:59+00:00"),
        ("2024-06-01T12:00:00.125Z", "2024-06-01T10:00:00.125+00:00"),
    ],
)
def test_wall_times_of_amsterdam(wall: str, utc: str) -> None:
    clock = WallClock()
    # PEP 495 and time zone databases differ about Amsterdam before 1940: either is a whole second, in the one form.
    if wall.startswith("1900"):
        assert clock.to_utc(wall)[:17] in {"1899-12-31T23:42:", "1899-12-31T23:40:"}
    else:
        assert clock.to_utc(wall) == utc


def test_hours_are_remembered_within_bounds() -> None:
    clock = WallClock()
    with mock.patch("tap_afas.profit.wall_time._MOST_HOURS", 5):
        for hour in (*range(24), *range(24)):
            assert (
                clock.to_utc(f"2024-01-02T{hour:02}:00:00Z")
                == f"2024-01-{1 + bool(hour):02}T{(hour - 1) % 24:02}:00:00+00:00"
            )
    assert len(clock._hours) <= 5


@depth(50)
@given(
    first=st.datetimes(dt.datetime(1000, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59)),  # noqa: DTZ001 - wall time has no zone
    seconds=st.integers(-400, 400),
)
@example(first=dt.datetime(9999, 12, 31, 23, 59, 59), seconds=2)  # noqa: DTZ001 - wall time has no zone
def test_a_shift_counts_as_written(first: dt.datetime, seconds: int) -> None:
    wall = first.isoformat()[:19]
    moved = shift(wall, seconds)
    assert len(moved) == 19
    assert (moved >= wall) == (seconds >= 0) or moved == wall


@pytest.mark.slow
@depth(25)
@given(
    minutes=st.lists(st.integers(-90, 150), min_size=1, max_size=25),
    page_size=st.integers(1, 6),
    gap=st.sampled_from([1, 30, 59, 60, 61, 90]),
    start=st.integers(-70, 130),
    spring=st.booleans(),
)
@example(minutes=[30], page_size=2, gap=30, start=45, spring=False)
def test_runs_around_a_clock_change(
    sandbox: Sandbox, *, minutes: list[int], page_size: int, gap: int, start: int, spring: bool
) -> None:
    change = dt.datetime(2024, 3, 31, 1, tzinfo=dt.UTC) if spring else dt.datetime(2024, 10, 27, 0, tzinfo=dt.UTC)
    zone = zoneinfo.ZoneInfo("Europe/Amsterdam")

    def wall(minute: float) -> dt.datetime:
        return (change + dt.timedelta(minutes=minute)).astimezone(zone).replace(tzinfo=None)

    def stamp(minute: float) -> str:
        return wall(minute).replace(fold=0).isoformat(timespec="milliseconds")

    clock = Ticking(wall(start))
    rows = [row(number, stamp(min(minute, start)), name=f"row {number}") for number, minute in enumerate(minutes)]
    source = Source(sandbox, Walk.named("by stamp"), rows, clock)
    target = Target(("Id",))
    first = run(source, page_size=page_size)
    assert first.error is None, first.said
    target.take(first.output)
    assert not target.missing(rows)
    # Between the runs, a row changes each minute, some of them with a late commit.
    for step in range(gap):
        source.update(1 + step % len(rows), stamp(start + step - (4 if step % 3 == 0 else 0)), Name=f"at {step}")
    clock.now = wall(start + gap)
    second = run(source, first.state, page_size=page_size)
    assert second.error is None, second.said
    target.take(second.output)
    assert not target.missing(source.rows.values())


@pytest.mark.parametrize("stamp", ["1900-01-01T00:00:00.000", "1937-06-30T23:59:59.000", "1753-01-01T12:00:00.000"])
def test_stamps_long_ago(sandbox: Sandbox, stamp: str) -> None:
    source = Source(sandbox, Walk.named("by stamp"), [row(1, stamp), row(2, "2024-01-01T00:00:00")])
    ran = run(source)
    assert ran.error is None, ran.said
    target = Target(("Id",))
    target.take(ran.output)
    assert not target.missing([row(1, stamp), row(2, "2024-01-01T00:00:00")])


def test_a_stamp_at_the_end_of_time(sandbox: Sandbox) -> None:
    rows = [row(number, "9999-12-31T23:59:59.000") for number in range(9)] + [row(99, "2024-01-01T00:00:00")]
    source = Source(sandbox, Walk.named("by stamp"), rows)
    ran = run(source, page_size=3)
    assert ran.error is None, ran.said
    target = Target(("Id",))
    target.take(ran.output)
    assert not target.missing(rows)
    assert ran.bookmark["replication_key_value"] == "2023-12-31T23:00:00+00:00"


def test_another_zone_by_setting(sandbox: Sandbox) -> None:
    source = Source(sandbox, Walk.named("by key"), [row(1, "2024-01-01T12:00:00")])
    ran = run(source, timezone="America/Curacao")
    assert ran.records()[0]["Modified"] == "2024-01-01T16:00:00+00:00"

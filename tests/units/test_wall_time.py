"""Wall time and UTC: both clock changes, other zones, dates far off."""

from __future__ import annotations

import datetime as dt
import importlib.resources
import json
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
from tap_afas.profit.rows import RowReader
from tap_afas.profit.unfit_value import UnfitValueError
from tap_afas.profit.wall_time import WallClock, shift
from tap_afas.records import RecordEncoder

if TYPE_CHECKING:
    from pathlib import Path

    from afas_sandbox import Sandbox

_ZONES = ["Europe/Amsterdam", "America/Curacao", "Asia/Kolkata", "Australia/Lord_Howe", "UTC", "America/St_Johns"]
_MOMENTS = st.datetimes(dt.datetime(1950, 1, 2), dt.datetime(9999, 12, 30), timezones=st.just(dt.UTC))  # noqa: DTZ001 - bounds have none
_WALLS = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59)).map(  # noqa: DTZ001 - wall time
    lambda wall: wall.replace(microsecond=0)
)
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
        ("1950-01-01T00:00:00Z", "1949-12-31T23:00:00+00:00"),
        ("1949-12-31T23:59:59Z", "1949-12-31T23:59:59+00:00"),
        ("1940-05-16T00:00:00Z", "1940-05-16T00:00:00+00:00"),
        ("1937-07-01T00:00:00Z", "1937-07-01T00:00:00+00:00"),
        ("1900-01-01T00:00:00Z", "1900-01-01T00:00:00+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
        ("0001-01-01T00:00:00.25Z", "0001-01-01T00:00:00.25+00:00"),
        ("9999-12-31T23:59:59Z", "9999-12-31T22:59:59+00:00"),
        ("2024-06-01T12:00:00.125Z", "2024-06-01T10:00:00.125+00:00"),
        ("2024-06-01T12:00:00.000Z", "2024-06-01T10:00:00+00:00"),
        ("1900-01-01T12:00:00.0000000Z", "1900-01-01T12:00:00+00:00"),
    ],
)
def test_wall_times_of_amsterdam(wall: str, utc: str) -> None:
    clock = WallClock()
    assert clock.to_utc(wall) == utc
    assert clock.column_to_utc([wall]) == [utc]


@depth(100)
@given(wall=_WALLS.filter(lambda wall: wall.year < 1950), zone=st.sampled_from(_ZONES))
@example(wall=dt.datetime(1, 1, 1), zone="Australia/Lord_Howe")  # noqa: DTZ001 - wall time
@example(wall=dt.datetime(1949, 12, 31, 23, 59, 59), zone="America/Curacao")  # noqa: DTZ001 - wall time
def test_before_1950_it_is_as_shown(wall: dt.datetime, zone: str) -> None:
    shown, clock = wall.isoformat(), WallClock(zone)
    assert clock.to_utc(f"{shown}Z") == f"{shown}+00:00"
    # A record's value in a STATE is never read as a later stamp than the one it was made of.
    assert clock.earliest_wall(dt.datetime.fromisoformat(f"{shown}+00:00")) <= shown


def test_what_a_record_before_1950_holds_stands_for_the_same_wall_time() -> None:
    clock = WallClock()
    assert clock.to_wall(dt.datetime(1937, 6, 30, 12, tzinfo=dt.UTC)) == "1937-06-30T12:00:00"
    assert clock.to_wall(dt.datetime(1950, 6, 30, 12, tzinfo=dt.UTC)) == "1950-06-30T13:00:00"


@given(wall=_WALLS, zone=st.sampled_from(_ZONES))
@example(wall=dt.datetime(1940, 5, 16), zone="Europe/Amsterdam")  # noqa: DTZ001 - a midnight that no clock showed
@example(wall=dt.datetime(2011, 12, 30), zone="Pacific/Apia")  # noqa: DTZ001 - a day that there was not
@example(wall=dt.datetime(2018, 11, 4), zone="America/Sao_Paulo")  # noqa: DTZ001 - a midnight that no clock showed
def test_a_day_stays_that_day_in_every_zone(wall: dt.datetime, zone: str) -> None:
    reads = RowReader("C", {"Day": "date"})
    page = reads.read(b'{"rows":[{"Day":"%sT00:00:00Z"}]}' % f"{wall:%Y-%m-%d}".rjust(10, "0").encode())
    (found,) = RecordEncoder("C", reads, {"Day": "date"}, WallClock(zone)).records(page.rows)
    assert found == {"Day": wall.date().isoformat()}


_FORMS = [
    "{0:%Y%m%d}",
    "{0:%G-W%V-%u}",
    "{0:%G-W%V}",
    "{0:%GW%V%u}",
    "{0:%Y-%m-%d}",
    "{0:%Y-%m-%d}T00:00:00",
    "{0:%Y-%m-%d}T00:00:00.000",
    "{0:%Y-%m-%d}T24:00:00",
    "{0:%Y-%m-%d}T00",
    "{0:%Y-%m-%d}T00:00",
    "{0:%Y-%m-%d} 00:00:00",
    "{0:%Y-%m-%d}t00:00:00",
    "{0:%Y-%m-%d}T000000",
    "{0:%Y%m%d}T000000",
    "{0:%G-W%V-%u}T00:00:00",
    "{0:%G-W%V-%u}T00",
    "{0:%Y-%m-%d}T00:00:00,000",
    "{0:%Y-%m-%d}T00:00:00+00:00",
    "{0:%Y-%m-%d}T00:00:00+01:00",
    "{0:%Y-%m-%d}T00:00:00\n",
    " {0:%Y-%m-%d}",
    "{0:%d-%m-%Y}",
    "{0:%Y-%m}",
    "{0:%Y-%j}",
    "{0.year}-{0.month}-{0.day}",
]


@depth(100)
@given(
    day=st.dates(dt.date(1000, 1, 1)),
    form=st.sampled_from(_FORMS),
    z=st.sampled_from(["", "Z"]),
    zero=st.sampled_from(["0", "\uff10", "\u0660"]),
    zone=st.sampled_from(_ZONES),
)
@example(day=dt.date(2020, 2, 25), form="{0:%Y%m%d}", z="", zero="0", zone="Europe/Amsterdam")
@example(day=dt.date(2020, 2, 25), form="{0:%G-W%V-%u}", z="", zero="0", zone="Europe/Amsterdam")
@example(day=dt.date(2020, 2, 25), form="{0:%G-W%V-%u}T00:00:00", z="Z", zero="0", zone="UTC")
@example(day=dt.date(2020, 2, 25), form="{0:%Y-%m-%d} 00:00:00", z="Z", zero="0", zone="UTC")
@example(day=dt.date(2020, 2, 25), form="{0:%Y-%m-%d}T24:00:00", z="Z", zero="0", zone="UTC")
@example(day=dt.date(2020, 2, 25), form="{0:%Y-%m-%d}T00:00:00.000", z="Z", zero="0", zone="UTC")
@pytest.mark.parametrize("lane", [b"5", b"5.00"], ids=["as metainfo says", "field by field"])
def test_another_form_is_the_right_day_or_unfit(
    lane: bytes, *, day: dt.date, form: str, z: str, zero: str, zone: str
) -> None:
    written = (form.format(day) + z).translate({ord("0") + n: chr(ord(zero) + n) for n in range(10)})
    plain = zero == "0"
    midnight = f"{day}T00:00:00"
    wanted = {
        "date": f"{day}" if plain and written in {f"{day}", midnight, f"{midnight}Z"} | _zeros(midnight) else None,
        "date-time": WallClock(zone).to_utc(midnight)
        if plain and written in {midnight, f"{midnight}Z"} | _zeros(midnight)
        else None,
    }
    for kind, value in wanted.items():
        reads = RowReader("C", {"Id": "integer", "F": kind}, key=("Id",))  # type: ignore[dict-item]
        encoder = RecordEncoder("C", reads, reads.kinds, WallClock(zone))
        page = reads.read(b'{"rows":[{"Id":%s,"F":%s}]}' % (lane, json.dumps(written).encode()))
        if value is None:
            with pytest.raises(UnfitValueError, match="The value of F in the row with Id = 5 is not a date"):
                list(encoder.records(page.rows))
        else:
            assert list(encoder.records(page.rows)) == [{"Id": 5, "F": value}]


def _zeros(midnight: str) -> set[str]:
    return {f"{midnight}.000", f"{midnight}.000Z"}


def test_no_result_depends_on_the_zones_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "Europe").mkdir()
    other = importlib.resources.files("tzdata").joinpath("zoneinfo", "Asia", "Kolkata").read_bytes()
    (tmp_path / "Europe" / "Amsterdam").write_bytes(other)
    try:
        zoneinfo.reset_tzpath(to=[tmp_path])
        zoneinfo.ZoneInfo.clear_cache()
        assert WallClock().to_utc("2024-07-01T12:00:00Z") == "2024-07-01T10:00:00+00:00"
    finally:
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "Europe", "../zoneinfo/Europe/Amsterdam/x", "__init__.py", "a\0b"]
)
def test_what_is_no_time_zone(name: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone name"):
        WallClock(name)


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
    target.load(first.output)
    assert not target.missing(rows)
    # Between the runs, a row changes each minute, some of them with a late commit.
    for step in range(gap):
        source.update(1 + step % len(rows), stamp(start + step - (4 if step % 3 == 0 else 0)), Name=f"at {step}")
    clock.now = wall(start + gap)
    second = run(source, first.state, page_size=page_size)
    assert second.error is None, second.said
    target.load(second.output)
    assert not target.missing(source.rows.values())


@pytest.mark.parametrize(
    "stamp",
    [
        "0001-01-01T00:00:00.000",
        "1753-01-01T12:00:00.000",
        "1900-01-01T00:00:00.000",
        "1937-06-30T23:59:59.000",
        "1949-12-31T23:59:59.000",
        "1950-01-01T00:00:00.000",
    ],
)
def test_stamps_long_ago(sandbox: Sandbox, stamp: str) -> None:
    source = Source(sandbox, Walk.named("by stamp"), [row(1, stamp), row(2, "2024-01-01T00:00:00")])
    ran = run(source)
    assert ran.error is None, ran.said
    target = Target(("Id",))
    target.load(ran.output)
    assert not target.missing([row(1, stamp), row(2, "2024-01-01T00:00:00")])


def test_a_stamp_at_the_end_of_time(sandbox: Sandbox) -> None:
    rows = [row(number, "9999-12-31T23:59:59.000") for number in range(9)] + [row(99, "2024-01-01T00:00:00")]
    source = Source(sandbox, Walk.named("by stamp"), rows)
    ran = run(source, page_size=3)
    assert ran.error is None, ran.said
    target = Target(("Id",))
    target.load(ran.output)
    assert not target.missing(rows)
    assert ran.bookmark["replication_key_value"] == "2023-12-31T23:00:00+00:00"


def test_another_zone_by_setting(sandbox: Sandbox) -> None:
    source = Source(sandbox, Walk.named("by key"), [row(1, "2024-01-01T12:00:00")])
    ran = run(source, timezone="America/Curacao")
    assert ran.records()[0]["Modified"] == "2024-01-01T16:00:00+00:00"

"""What a bookmark may be, and what the next run makes of it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afas_sandbox import stored
from harness.depth import depth
from harness.run import last_state
from harness.source import Source, Ticking, Walk, row
from harness.syncing import run
from harness.targets import Target

if TYPE_CHECKING:
    from afas_sandbox import Row, Sandbox

_SINCE = "2024-05-14T06:12:00"
_STAMPED = ["by stamp", "by stamp, key of two", "by stamp, no key"]
_LAG = 302
"""Seconds behind which an appending stream lags, where stamps are seconds."""


def _rows(count: int = 20, *, ago: float = 100_000) -> list[Row]:
    clock = Ticking()
    return [row(number, clock.ago(ago - number * 10), name=f"row {number}") for number in range(count)]


def _due(source: Source) -> list[Row]:
    """The rows that a target is to have; of a stream without a key, those that are old enough."""
    until = (source.clock.now - dt.timedelta(seconds=0 if source.walk.key else _LAG)).isoformat()
    return [found for found in source.rows.values() if source.walk.key or (found[4] is None or str(found[4]) < until)]


@pytest.mark.slow
@pytest.mark.parametrize("walk", _STAMPED)
@depth(10)
@given(ahead=st.sampled_from([1, 59, 86_400, 10**9]), page_size=st.integers(1, 9), count=st.integers(0, 12))
def test_a_stamp_of_the_future_hides_nothing(
    sandbox: Sandbox, walk: str, ahead: int, page_size: int, count: int
) -> None:
    clock = Ticking()
    rows = [*_rows(1 + count), row(900, clock.ago(-ahead)), row(901, clock.ago(-ahead))]
    source = Source(sandbox, Walk.named(walk), rows, clock)
    target = Target(source.walk.key)
    state: dict[str, Any] = {}
    for turn in range(4):
        ran = run(source, state, page_size=page_size)
        assert ran.error is None, ran.said
        target.load(ran.output)
        state = ran.state
        assert not target.missing(_due(source))
        clock.tick(600)
        source.update(1 + turn % len(rows), clock.ago(0), Name=f"turn {turn}")


@pytest.mark.parametrize("walk", _STAMPED)
@pytest.mark.parametrize("quiet_runs", [1, 2])
@pytest.mark.parametrize("future", ["2099-01-01T00:00:00Z", "2024-05-15T09:00:00Z", "2024-05-15T08:05:00+00:00"])
def test_a_bookmark_of_the_future_hides_nothing(sandbox: Sandbox, walk: str, quiet_runs: int, future: str) -> None:
    # Written by another tap, whose bookmark was simply the highest stamp.
    source = Source(sandbox, Walk.named(walk), _rows())
    bookmark = {"replication_key": "Modified", "replication_key_value": future}
    state: dict[str, Any] = {"bookmarks": {"Item": bookmark}}
    target = Target(source.walk.key)
    for _ in range(quiet_runs):
        state = run(source, state).state
        source.clock.tick(60)
    source.update(3, source.clock.ago(0), Name="changed between the runs")
    source.clock.tick(3600)
    ran = run(source, state)
    if source.walk.appends and future.startswith("2099"):
        # It can't start anew: all its rows would come twice.
        assert "lies in the future, and the stream appends" in ran.said
        assert (ran.error is not None, ran.records()) == (True, [])
        return
    assert ran.error is None, ran.said
    target.load(ran.output)
    assert not target.missing([source.rows[3]])


@pytest.mark.parametrize("walk", _STAMPED)
@pytest.mark.parametrize("page_size", [3, 100])
def test_a_quiet_run_asks_little_and_emits_nothing_once_the_overlap_has_settled(
    sandbox: Sandbox, walk: str, page_size: int
) -> None:
    source = Source(sandbox, Walk.named(walk), _rows(20, ago=500))
    first = ran = run(source, page_size=page_size)
    sent = [found["Id"] for found in first.records()]
    for pause in (5, 5, _LAG, 0, 100_000):
        source.clock.tick(pause)
        ran = run(source, ran.state, page_size=page_size)
        assert ran.error is None, ran.said
        sent += [found["Id"] for found in ran.records()]
        if source.walk.key:
            assert ran.bookmark["replication_key_value"] == first.bookmark["replication_key_value"]
        if page_size == 100 and (source.walk.key or not ran.records()):
            assert len(ran.pages) == 1
    assert ran.records() == []
    assert set(sent) == set(range(20))
    assert source.walk.key or len(sent) == 20


def test_rows_of_the_overlap_come_again_until_it_has_settled(sandbox: Sandbox) -> None:
    source = Source(sandbox, Walk.named("by stamp"), _rows(20, ago=500))
    state = run(source).state
    # The bookmark is 310 seconds old, and so is the last of the rows.
    overlap = [number for number in range(20) if (19 - number) * 10 <= _LAG]
    for pause, expected in ((299, overlap), (1, overlap), (2, overlap), (0, [])):
        source.clock.tick(pause)
        ran = run(source, state)
        assert sorted(found["Id"] for found in ran.records()) == expected, pause
        state = ran.state


def test_equal_rows_without_a_key_come_once_each(sandbox: Sandbox) -> None:
    for page_size in range(1, 9):
        clock = Ticking()
        same = [row(1, clock.ago(10), name="same")] * 7
        source = Source(sandbox, Walk.named("by stamp, no key"), same, clock)
        ran = run(source, page_size=page_size)
        assert ran.records() == [], page_size
        clock.tick(86_400 * 3)
        ran = run(source, ran.state, page_size=page_size)
        assert len(ran.records()) == 7, page_size
        quiet = run(source, ran.state, page_size=page_size)
        assert quiet.records() == [], page_size


@depth(15)
@given(agos=st.lists(st.integers(-50, 900), min_size=1, max_size=20), page_size=st.integers(1, 6))
def test_the_bookmark_is_a_stamp_that_was_sent_and_not_later_than_the_start(
    sandbox: Sandbox, agos: list[int], page_size: int
) -> None:
    clock = Ticking()
    source = Source(sandbox, Walk.named("by stamp"), [row(n, clock.ago(ago)) for n, ago in enumerate(agos)], clock)
    ran = run(source, page_size=page_size)
    sent = {found["Modified"] for found in ran.records()}
    for message in ran.messages:
        bookmark = message["value"]["bookmarks"].get("Item", {}) if message["type"] == "STATE" else {}
        if bookmark.get("replication_key_value") is not None:
            assert bookmark["replication_key_value"] in sent
            assert bookmark["replication_key_value"] <= "2024-05-15T08:00:00+00:00"


def test_start_date(sandbox: Sandbox) -> None:
    rows = [row(1, "2024-01-01T00:59:59"), row(2, "2024-01-01T01:00:00"), row(3, "2024-02-01T00:00:00"), row(4, None)]
    source = Source(sandbox, Walk.named("by stamp"), rows)
    ran = run(source, start_date="2024-01-01T00:00:00Z")
    assert {found["Id"] for found in ran.records()} == {2, 3, 4}
    later = run(source, ran.state, start_date="2024-01-01T00:00:00Z")
    # What has no stamp comes with every run.
    assert [found["Id"] for found in later.records()] == [4]
    # The bookmark knows nothing of the row that another one left out.
    wider = run(source, later.state, start_date="2023-01-01T00:00:00Z")
    assert "Item: Reading the stream anew, since `start_date` changed." in wider.log
    assert {found["Id"] for found in wider.records()} == {1, 2, 3, 4}
    assert [found["Id"] for found in run(source, wider.state, start_date="2023-01-01T00:00:00Z").records()] == [4]


@pytest.mark.slow
@pytest.mark.parametrize("walk", _STAMPED)
@pytest.mark.parametrize(
    ("start", "timezone", "first"),
    [
        ("2024-07-01", "Europe/Amsterdam", "2024-07-01T00:00:00"),
        ("2024-07-01T00:00:00", "Europe/Amsterdam", "2024-07-01T00:00:00"),
        ("2024-07-01 12:30:15.999", "America/New_York", "2024-07-01T12:30:15"),
        ("2024-07-01T00:00:00Z", "Europe/Amsterdam", "2024-07-01T02:00:00"),
        ("2024-07-01T00:00:00+02:00", "Europe/Amsterdam", "2024-07-01T00:00:00"),
        ("2024-07-01T12:00:00Z", "America/New_York", "2024-07-01T08:00:00"),
        # What changes in the second pass of October's hour bears the stamps of the first.
        ("2023-10-29T02:30:00", "Europe/Amsterdam", "2023-10-29T02:30:00"),
        ("2023-10-29T01:30:00Z", "Europe/Amsterdam", "2023-10-29T02:30:00"),
    ],
)
def test_a_start_date_without_a_zone_is_the_time_of_afas(
    sandbox: Sandbox, walk: str, start: str, timezone: str, first: str
) -> None:
    moment = dt.datetime.fromisoformat(first)
    rows = [row(1, stored(moment - dt.timedelta(seconds=1))), row(2, stored(moment))]
    source = Source(sandbox, Walk.named(walk), rows, Ticking(moment + dt.timedelta(days=30)))
    ran = run(source, start_date=start, timezone=timezone)
    assert [found["Id"] for found in ran.records()] == [2], ran.said


@pytest.mark.parametrize("walk", _STAMPED)
@pytest.mark.parametrize(
    ("display", "stamps"),
    [
        ("rounded", ["59:58.500", "59:58.999", "59:59.000", "59:59.499"]),
        ("cut", ["59:59.000", "59:59.500", "59:59.999"]),
        ("exact", ["59:59.000", "59:59.001", "59:59.999"]),
    ],
)
def test_without_overlap_the_second_of_the_bookmark_is_read_whole(
    sandbox: Sandbox, *, walk: str, display: str, stamps: list[str]
) -> None:
    for newest in stamps:
        rows = [row(0, "2024-05-15T09:11:01.000"), row(1, f"2024-05-15T09:{newest}")]
        source = Source(sandbox, Walk.named(walk), rows, display=display)
        ran = run(source, overlap_seconds=0)
        sent = [found["Id"] for found in ran.records()]
        assert sent == ([0, 1] if source.walk.key else [0])
        for number, late in enumerate(stamps, start=2):
            source.insert(row(number, f"2024-05-15T09:{late}"))
        for pause in (0, 3, 0):
            source.clock.tick(pause)
            ran = run(source, ran.state, overlap_seconds=0)
            sent += [found["Id"] for found in ran.records()]
        assert set(sent) == set(range(2 + len(stamps)))
        assert source.walk.key or len(sent) == len(set(sent))
        assert ran.records() == []


@pytest.mark.parametrize(
    ("seconds", "stamp", "begin"),
    [
        (0, "15T09:12:07", "15T09:12:05"),
        (1, "15T09:12:07", "15T09:12:04"),
        (300, "15T09:12:07", "15T09:07:05"),
        # Stamps that may be shown by the minute, the hour or the day.
        (300, "15T09:12:00", "15T09:06:00"),
        (300, "15T09:00:00", "15T08:00:00"),
        (300, "15T00:00:00", "14T00:00:00"),
    ],
)
def test_how_far_before_the_bookmark_a_run_begins(sandbox: Sandbox, seconds: int, stamp: str, begin: str) -> None:
    source = Source(sandbox, Walk.named("by stamp"), [row(1, f"2024-05-{stamp}.000")])
    state = run(source).state
    page, *_ = run(source, state, overlap_seconds=seconds).pages
    assert f'"@FieldId":"Modified","@OperatorType":"2","#text":"2024-05-{begin}"' in page.parameters["filterjson"]


def test_a_run_begins_behind_what_has_settled(sandbox: Sandbox) -> None:
    source = Source(sandbox, Walk.named("by stamp"), [row(1, "2024-05-15T09:12:07.000")])
    state = run(source).state
    for begin in ("09:07:05", "09:12:08"):
        source.clock.tick(_LAG)
        ran = run(source, state)
        assert f'"#text":"2024-05-15T{begin}"' in ran.pages[0].parameters["filterjson"]
        state = ran.state


def test_another_replication_key_starts_anew(sandbox: Sandbox) -> None:
    source = Source(sandbox, Walk.named("by stamp"), _rows())
    state = {"bookmarks": {"Item": {"replication_key": "Number", "replication_key_value": 12}}}
    ran = run(source, state)
    assert ran.error is None
    assert len(ran.records()) == 20
    assert "Item: The state is about Number, and the replication key is Modified now: starting anew." in ran.log


@depth(15)
@given(
    numbers=st.lists(st.integers(-3, 6), min_size=1, max_size=30),
    page_size=st.integers(1, 7),
    changed=st.lists(st.integers(0, 29), max_size=8),
)
def test_an_int_replication_key(sandbox: Sandbox, numbers: list[int], page_size: int, changed: list[int]) -> None:
    rows = [row(n, None, amount=number, name=f"row {n}") for n, number in enumerate(numbers)]
    source = Source(sandbox, Walk(("Id",), "Number"), rows)
    target = Target(("Id",))
    ran = run(source, page_size=page_size)
    assert ran.error is None, ran.said
    target.load(ran.output)
    assert not target.missing(rows)
    assert len(ran.records()) == len(rows)
    highest = max(numbers)
    for number in changed:
        source.update(1 + number % len(rows), None, Number=highest, Name=f"again {number}")
    # A number is drawn before its row is committed: the table is read again until it is old enough.
    for pause in (0, 300):
        source.clock.tick(pause)
        ran = run(source, ran.state, page_size=page_size)
        target.load(ran.output)
        assert not target.missing(source.rows.values())
        assert {found["Id"] for found in ran.records()} == set(range(len(rows)))
    source.update(1, None, Number=highest + 1, Name="at last")
    ran = run(source, ran.state, page_size=page_size)
    target.load(ran.output)
    assert not target.missing(source.rows.values())
    assert {found["Number"] for found in ran.records()} <= {highest, highest + 1}


@pytest.mark.parametrize(
    "bookmark",
    [
        {"replication_key": "Modified", "replication_key_value": "2024-05-01T00:00:00Z"},
        {"replication_key": "Modified", "replication_key_value": "2024-05-01T00:00:00"},
        {"replication_key": "Modified", "replication_key_value": "2024-05-01"},
        {"replication_key": "Modified", "replication_key_value": "2024-05-01T00:00:00+02:00", "stranger": 1},
        {"replication_key": "Modified", "empties_read": True},
        {"replication_key": "Modified"},
        {},
        # Version 0.1 wrote a place without the key's fields.
        {"replication_key": "Modified", "place": {"after": ["5"], "since": _SINCE, "until": "2024-05-14T06:15:00"}},
        # The key was another one when the run was killed.
        {"replication_key": "Modified", "place": {"keys": ["Code"], "after": ["5"], "since": None, "until": None}},
        {"replication_key": "Modified", "place": {"keys": ["Id"], "after": [5], "since": None, "until": None}},
        {"replication_key": "Modified", "delivered": "not base64", "place": "nowhere"},
    ],
)
def test_states_that_others_wrote(sandbox: Sandbox, bookmark: dict[str, Any]) -> None:
    source = Source(sandbox, Walk.named("by stamp"), [*_rows(), row(800, None)])
    ran = run(source, {"bookmarks": {"Item": bookmark}}, page_size=4)
    assert ran.error is None, ran.said
    target = Target(("Id",))
    target.load(ran.output)
    assert not target.missing(_rows())


@pytest.mark.parametrize("value", [7, "soon", ["2024-01-01"], True])
def test_a_state_that_can_not_be_used(sandbox: Sandbox, value: object) -> None:
    source = Source(sandbox, Walk.named("by stamp"), _rows())
    ran = run(source, {"bookmarks": {"Item": {"replication_key": "Modified", "replication_key_value": value}}})
    assert ran.error is not None
    assert "`replication_key_value`" in ran.said
    assert ran.records() == []


@depth(10)
@given(cut=st.floats(0, 1, allow_nan=False, width=16))
def test_another_key_after_a_killed_run(sandbox: Sandbox, cut: float) -> None:
    stamp = "2024-05-01T00:00:00"
    rows = [row(number, stamp, code=f"{29 - number:02}", name=f"row {number}") for number in range(30)]
    source = Source(sandbox, Walk(("Id",), "Modified"), rows)
    killed = run(source, page_size=3).output
    whole = killed[: int(cut * len(killed))]
    whole = whole[: whole.rfind(b"\n") + 1]
    other = Source(sandbox, Walk(("Code",), "Modified"), rows)
    state = last_state(whole)
    target = Target(("Id",))
    target.load(whole)
    if state and state["bookmarks"]["Item"]["key"]:
        refused = run(other, state, page_size=3)
        assert "The stream was loaded under the key Id, and has the key Code now" in refused.said
        assert "take `Item` out of `bookmarks` in the state file" in refused.said
        assert (refused.records(), refused.pages) == ([], [])
        state = {}
    ran = run(other, state, page_size=3)
    assert ran.error is None, ran.said
    target.load(ran.output)
    assert not target.missing(rows), state

"""`full_refresh_every`: what AFAS deleted leaves the target, and nothing else does."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afas_sandbox import Fault
from harness.depth import depth
from harness.run import committed, last_state
from harness.source import Source, Walk, row
from harness.syncing import run
from harness.targets import VersionedTarget, record
from tap_afas.bookmark import Bookmark
from tap_afas.config_validation import config_problems
from tap_afas.refresh import RefreshPendingError, RefreshSchedule, course_of, duration
from tap_afas.settings import SCHEMA, normalized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afas_sandbox import Row, Sandbox
    from harness.run import Run

_DAY = 86_400
_HOUR = 3600
_KEYED = Walk(("Id",), "Modified")


def _rows(source_rows: int) -> list[Row]:
    return [
        row(number, f"2024-04-{1 + number % 28:02}T10:00:00.000", name=f"row {number}") for number in range(source_rows)
    ]


class _Loads:
    """A source, a target that heeds versions, and the STATE between them."""

    def __init__(self, sandbox: Sandbox, rows: int = 40, walk: Walk = _KEYED, **settings: Any) -> None:
        self.source = Source(sandbox, walk, _rows(rows))
        self.settings: dict[str, Any] = {"full_refresh_every": "1d", **settings}
        self.target = VersionedTarget(("Id",))
        self.state: dict[str, Any] = {}

    def sync(self, cut: float | None = None, **settings: Any) -> Run:
        ran = run(self.source, self.state, **{**self.settings, **settings})
        output = ran.output if cut is None else committed(ran.output[: int(cut * len(ran.output))])
        self.target.load(output)
        self.state = last_state(output) or self.state
        return ran

    @property
    def part(self) -> dict[str, Any]:
        found: dict[str, Any] = self.state["bookmarks"]["Item"]
        return found

    @property
    def gone(self) -> set[Any]:
        """The keys that the target has and AFAS hasn't."""
        return {key for (key,) in self.target.rows} - {one[0] for one in self.source.rows.values()}

    def assert_same(self) -> None:
        assert not self.target.missing(self.source.rows.values())
        assert not self.gone


def test_what_was_deleted_leaves_the_target_with_the_next_refresh(sandbox: Sandbox) -> None:
    loads = _Loads(sandbox)
    assert loads.sync().exit_code == 0
    loads.assert_same()
    (first,) = loads.target.activated
    for number in (3, 5, 8):
        loads.source.delete(number)
    loads.source.update(10, loads.source.clock.ago(0), Name="changed")
    loads.source.clock.tick(20 * _HOUR)
    ran = loads.sync()
    assert [one["Id"] for one in ran.records()] == [9]
    # Outside a refresh, records bear the version of the last complete one.
    assert {message["version"] for message in ran.messages if message["type"] == "RECORD"} == {first}
    assert len(loads.gone) == 3
    loads.source.clock.tick(4 * _HOUR)
    ran = loads.sync()
    loads.assert_same()
    assert len(loads.target.activated) == 2
    assert loads.part["active_version"] == loads.part["version"] == loads.target.activated[-1] > first
    assert loads.part["refresh_tried_at"] is None


def test_a_run_in_which_nothing_changed_asks_one_question(sandbox: Sandbox) -> None:
    loads = _Loads(sandbox)
    loads.sync()
    loads.source.clock.tick(2 * _HOUR)
    loads.sync()
    loads.source.clock.tick(_HOUR)
    assert len(loads.sync().pages) == 1


def test_it_says_what_it_is_about_to_ask(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    loads = _Loads(sandbox, page_size=15)
    loads.sync()
    loads.source.clock.tick(_DAY)
    with caplog.at_level("INFO", "tap-afas"):
        loads.sync()
    assert (
        "Item: Reading everything once more, as `full_refresh_every: 1d` asks, so that what AFAS deleted leaves the"
        " target: some 40 rows in about 3 questions." in caplog.messages
    )


def test_a_first_reading_goes_on_under_the_version_in_its_place(sandbox: Sandbox) -> None:
    loads = _Loads(sandbox, page_size=10)
    loads.sync(cut=0.5)
    assert loads.part["place"]
    assert not loads.target.activated
    loads.source.clock.tick(2 * _HOUR)
    ran = loads.sync()
    versions = {message["version"] for message in ran.messages if message["type"] == "RECORD"}
    assert versions == {loads.part["version"]} == set(loads.target.activated)
    # It counts as begun when the killed run began.
    assert loads.part["refreshed_at"] == "2024-05-15T08:00:00+00:00"
    loads.assert_same()


def test_a_lost_state_leaves_nothing_that_is_gone(sandbox: Sandbox) -> None:
    loads = _Loads(sandbox)
    loads.sync()
    loads.source.delete(4)
    loads.state = {}
    # The clock of the machine tells the version where no state does.
    loads.target.versions = dict.fromkeys(loads.target.versions, 1)
    loads.sync()
    loads.assert_same()


@pytest.mark.parametrize("first", [True, False], ids=["first reading", "refresh"])
def test_a_key_that_changes_behind_the_walk_is_there_at_its_end(sandbox: Sandbox, *, first: bool) -> None:
    loads = _Loads(sandbox, page_size=10)
    if not first:
        loads.sync()
    loads.source.clock.tick(_DAY)
    asked = 0

    def meanwhile(_: object) -> None:
        nonlocal asked
        asked += 1
        loads.source.clock.tick(1)
        if asked == 4:
            # The walk through all is past 10, and hasn't reached 39 yet.
            loads.source.update(40, loads.source.clock.ago(0), Id=-1)

    with loads.source.before_each(meanwhile):
        loads.sync()
    loads.assert_same()


@pytest.mark.parametrize("before", [{}, {"emit_activate_version_messages": False}], ids=["versions", "no versions"])
def test_it_may_be_set_later(sandbox: Sandbox, before: dict[str, Any]) -> None:
    loads = _Loads(sandbox)
    loads.settings = {}
    loads.sync(**before)
    assert loads.part["refreshed_at"] is None
    loads.source.delete(4)
    loads.source.clock.tick(_HOUR)
    # A state of the version before has none of the new keys.
    for name in ("active_version", "refreshed_at", "refresh_tried_at"):
        del loads.part[name]
    ran = loads.sync(full_refresh_every="7d")
    assert ran.exit_code == 0
    loads.assert_same()
    # And no longer: nothing is taken out, and nothing bears a version.
    loads.source.delete(7)
    loads.source.update(9, loads.source.clock.ago(0), Name="changed")
    loads.source.clock.tick(30 * _DAY)
    ran = loads.sync(full_refresh_every=None)
    assert [message.get("version") for message in ran.messages if message["type"] == "RECORD"] == [None]
    assert len(loads.target.activated) == 1
    assert len(loads.gone) == 1
    loads.sync(full_refresh_every="7d")
    loads.assert_same()


def test_a_failed_refresh_takes_nothing_out_and_is_tried_again_later(sandbox: Sandbox) -> None:
    loads = _Loads(sandbox, page_size=10)
    loads.sync()
    loads.source.delete(4)
    loads.source.clock.tick(_DAY)
    # What changed, then two pages of all.
    sandbox.faults = [Fault(kind="rows", nth=4, refuse="blocked")]
    ran = loads.sync()
    assert ran.exit_code == 1
    assert len(loads.target.activated) == 1
    assert loads.part["refresh_tried_at"] == "2024-05-16T08:00:00+00:00"
    tried = loads.part["version"]
    sandbox.faults = []
    loads.source.clock.tick(2 * _HOUR)
    loads.source.update(9, loads.source.clock.ago(0), Name="changed")
    ran = loads.sync()
    assert {message["version"] for message in ran.messages if message["type"] == "RECORD"} == set(
        loads.target.activated
    )
    assert len(loads.gone) == 1
    # A tenth of the period: 2.4 hours.
    loads.source.clock.tick(_HOUR / 2)
    loads.sync()
    loads.assert_same()
    assert loads.target.activated[-1] > tried


# Settings that select rows


def _numbers(least: int) -> dict[str, Any]:
    return {"Item": {"filter": [{"field": "Id", "operator": ">=", "value": least}]}}


def test_a_wider_filter_makes_a_refresh_due(sandbox: Sandbox) -> None:
    loads = _Loads(sandbox, streams=_numbers(30))
    loads.sync()
    assert len(loads.target.rows) == 10
    loads.source.clock.tick(_HOUR)
    loads.sync(streams=_numbers(10))
    assert len(loads.target.rows) == 30
    assert len(loads.target.activated) == 2


def test_a_narrower_filter_takes_nothing_out_unasked(sandbox: Sandbox) -> None:
    loads = _Loads(sandbox, streams=_numbers(10))
    loads.sync()
    loads.source.clock.tick(_HOUR)
    ran = loads.sync(streams=_numbers(30))
    assert ran.exit_code == 1
    assert "which would be 20 rows" in ran.said
    assert "`streams.Item.accept_fewer_rows: 10`" in ran.said
    assert len(loads.target.rows) == 30
    # The next run doesn't read it all again at once, and isn't whole.
    loads.source.clock.tick(60)
    ran = loads.sync(streams=_numbers(30))
    assert (ran.exit_code, ran.pages) == (1, [])
    assert "It is tried again from" in ran.said
    loads.source.clock.tick(_HOUR)
    accepted = _numbers(30)
    accepted["Item"]["accept_fewer_rows"] = 10
    assert loads.sync(streams=accepted).exit_code == 0
    assert len(loads.target.rows) == 10
    loads.source.clock.tick(_HOUR)
    assert len(loads.sync(streams=accepted).pages) == 1


def test_a_source_that_shrank_takes_nothing_out(sandbox: Sandbox) -> None:
    loads = _Loads(sandbox, rows=300)
    loads.sync()
    for number in range(1, 200):
        loads.source.delete(number)
    loads.source.clock.tick(_DAY)
    ran = loads.sync()
    assert "Item has 101 rows, and had 300: nothing is taken out of the target." in ran.said
    assert len(loads.target.rows) == 300


# Full tables


def test_a_full_table_is_read_no_more_often_than_set(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    loads = _Loads(sandbox, walk=Walk(("Id",), None))
    own = {"Item": {"full_refresh_every": "7d"}}
    loads.sync(streams=own)
    loads.source.delete(4)
    loads.source.clock.tick(_DAY)
    with caplog.at_level("INFO", "tap-afas"):
        ran = loads.sync(streams=own)
    assert ran.exit_code == 0
    assert not ran.pages
    assert not ran.records()
    assert any(message.startswith("Item: Not due until 2024-05-2") for message in caplog.messages)
    loads.source.clock.tick(6 * _DAY)
    loads.sync(streams=own)
    loads.assert_same()
    # The setting for all streams is about incremental ones.
    loads.source.clock.tick(60)
    assert loads.sync().pages


def test_another_filter_makes_a_full_table_due(sandbox: Sandbox) -> None:
    loads = _Loads(sandbox, walk=Walk(("Id",), None))
    own = {"full_refresh_every": "30d"}
    few = {**own, "filter": [{"field": "Id", "operator": "<", "value": 5}]}
    loads.sync(streams={"Item": few})
    loads.source.clock.tick(_HOUR)
    assert loads.sync(streams={"Item": own}).exit_code == 0
    loads.assert_same()
    loads.source.clock.tick(_HOUR)
    assert not loads.sync(streams={"Item": own}).pages


def test_a_full_table_that_failed_once_is_tried_again_later(sandbox: Sandbox) -> None:
    loads = _Loads(sandbox, walk=Walk(("Id",), None), streams={"Item": {"full_refresh_every": "7d"}}, page_size=10)
    # Before it has been read once, by each run.
    sandbox.faults = [Fault(kind="rows", refuse="blocked")]
    assert loads.sync().exit_code == 1
    sandbox.faults = []
    assert loads.sync().exit_code == 0
    loads.source.clock.tick(7 * _DAY)
    sandbox.faults = [Fault(kind="rows", refuse="blocked")]
    assert loads.sync().exit_code == 1
    sandbox.faults = []
    loads.source.clock.tick(16 * _HOUR)
    assert not loads.sync().pages
    loads.source.clock.tick(_HOUR)
    assert loads.sync().pages


# Settings that don't go together


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"full_refresh_every": "weekly"}, "`full_refresh_every` must be a number of days or hours"),
        ({"full_refresh_every": "0d"}, "`full_refresh_every` must be a number of days or hours"),
        ({"streams": {"X": {"full_refresh_every": "7 d"}}}, "`streams.X.full_refresh_every` must be a number of"),
        ({"full_refresh_every": "7d", "emit_activate_version_messages": False}, "and `emit_activate_version_messages`"),
        (
            {"streams": {"X": {"full_refresh_every": "7d", "emit_activate_version_messages": False}}},
            "`streams.X` sets `full_refresh_every`, and `emit_activate_version_messages` to false",
        ),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], sentence: str) -> None:
    given = normalized({"environment_id": "12345", "token": "5A" * 32, **settings})
    (problem,) = config_problems(given, SCHEMA)
    assert sentence in problem


@pytest.mark.parametrize("every", ["7d", "12h", "", None])
def test_settings_that_can_be(every: str | None) -> None:
    given: dict[str, Any] = {"environment_id": "12345", "token": "5A" * 32, "full_refresh_every": every}
    assert not config_problems(normalized(given), SCHEMA)
    # One stream may be left out.
    given |= {"streams": {"X": {"emit_activate_version_messages": False}}}
    assert not config_problems(normalized(given), SCHEMA)


def test_a_stream_without_versions_is_left_out(sandbox: Sandbox) -> None:
    loads = _Loads(sandbox, streams={"Item": {"emit_activate_version_messages": False}})
    loads.sync()
    loads.source.clock.tick(2 * _DAY)
    assert len(loads.sync().pages) == 1
    assert not loads.target.activated


def test_a_stream_that_appends_is_not_read_whole(sandbox: Sandbox) -> None:
    source = Source(sandbox, Walk((), "Modified"), _rows(5))
    ran = run(source, full_refresh_every="1d")
    assert ran.exit_code == 0
    assert not ran.versions("Item")
    ran = run(source, streams={"Item": {"full_refresh_every": "1d"}})
    assert "`full_refresh_every` in `streams` can't be for a stream that appends" in ran.said
    assert not ran.pages


# When it is due


@given(
    st.text(max_size=20),
    st.sampled_from(["1h", "12h", "1d", "7d", "365d"]),
    st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1)),  # noqa: DTZ001 - the zone comes with the next line
    st.floats(0, 2),
)
def test_it_is_due_between_85_and_95_hundredths_of_its_period(
    stream: str, every: str, began: dt.datetime, part: float
) -> None:
    period, at = duration(every), began.replace(tzinfo=dt.UTC)
    assert period is not None
    waits = RefreshSchedule(stream, period, at, None).waits_until(at + part * period)
    if part < 0.85:
        assert waits is not None
    if part >= 0.95:
        assert waits is None
    if waits is not None:
        assert 0.85 * period <= waits - at <= 0.95 * period
        assert RefreshSchedule(stream, period, at, None).waits_until(waits) is None


def test_streams_are_not_all_due_in_one_hour() -> None:
    at = dt.datetime(2024, 5, 15, tzinfo=dt.UTC)
    hours = set()
    for number in range(40):
        due = RefreshSchedule(f"Stream_{number}", dt.timedelta(days=7), at, None).next
        assert due is not None
        hours.add((due - at) // dt.timedelta(hours=1))
    assert len(hours) > 10


def test_a_clock_that_was_far_ahead_tells_no_time() -> None:
    at = dt.datetime(2024, 5, 15, tzinfo=dt.UTC)
    week = dt.timedelta(days=7)
    assert RefreshSchedule("X", week, at + dt.timedelta(days=400), None).waits_until(at) is None
    assert RefreshSchedule("X", week, at, at + dt.timedelta(days=400)).waits_until(at + week) is None


def test_a_refresh_that_has_to_wait_may_pass_by_itself() -> None:
    at = dt.datetime(2024, 5, 15, tzinfo=dt.UTC)
    bookmark = Bookmark("Modified", bookmark="2024-05-14T00:00:00", refresh_tried_at=at.isoformat())
    schedule = RefreshSchedule.of("X", "7d", bookmark)
    with pytest.raises(RefreshPendingError, match=r"tried again from 2024-05-15T01:00") as failed:
        course_of(schedule, bookmark, incremental=True, now=at, version=1, changed=True)
    # Exit code 75: run again.
    assert failed.value.may_pass


# All of it, by chance


@dataclasses.dataclass(frozen=True)
class _Op:
    kind: str
    pick: float


@dataclasses.dataclass(frozen=True)
class _Step:
    """A run, and what happens before each of its requests.

    Attributes:
        wait: Seconds before it.
        cut: After which part of its output it was killed; None: it wasn't.
        every: The setting.
        ops: What happens.
    """

    wait: float
    cut: float | None
    every: str | None
    ops: Sequence[Sequence[_Op]]


_PARTS = st.floats(0, 1, exclude_max=True, allow_nan=False, width=16)
_OPS = st.builds(_Op, st.sampled_from(["update", "insert", "delete", "rekey"]), _PARTS)
_STEPS = st.builds(
    _Step,
    st.sampled_from([0.0, 60.0, _HOUR + 1, 3 * _HOUR, _DAY]),
    st.one_of(st.none(), st.none(), _PARTS),
    st.sampled_from(["1d", "1d", "1d", None]),
    st.lists(st.lists(_OPS, max_size=3), min_size=1, max_size=6),
)


class _History(_Loads):
    """Runs of the tap with changes before every request, each at a new second."""

    def __init__(self, sandbox: Sandbox, rows: int, page_size: int) -> None:
        super().__init__(sandbox, rows, page_size=page_size)
        self.touched: set[int] = set()
        self.left: set[Any] = set()
        self.used = rows
        self.asked = 0

    def happen(self, op: _Op) -> None:
        source, alive = self.source, list(self.source.rows)
        now = source.clock.ago(0)
        self.used += 1
        if op.kind == "insert" or len(alive) < 3:
            # Keys come anywhere in the order.
            source.insert(row(int(op.pick * 1000) * 10_000 + self.used, now, name="new"))
            return
        number = alive[int(op.pick * len(alive))]
        if op.kind != "update":
            self.left.add(source.rows[number][0])
        if op.kind == "update":
            source.update(number, now, Name=f"changed {self.used}")
        elif op.kind == "delete":
            source.delete(number)
        else:
            source.update(number, now, Id=int(op.pick * 1000) * 10_000 + self.used)

    def run(self, step: _Step) -> None:
        source = self.source
        source.clock.tick(step.wait)
        before = dict(self.target.rows)
        resumes = bool(self.state and self.part["place"])
        if not resumes:
            # A reading that goes on has begun with the run that was killed.
            self.left.clear()
        source.watch()
        self.asked = 0

        def meanwhile(_: object) -> None:
            source.clock.tick(1.0)
            if self.asked < 30:
                for op in step.ops[self.asked % len(step.ops)]:
                    self.happen(op)
            self.asked += 1

        activated = len(self.target.activated)
        with source.before_each(meanwhile):
            ran = self.sync(step.cut, full_refresh_every=step.every)
        assert ran.error is None, ran.said
        untouched = source.due
        keys = {one[0] for one in untouched}
        taken_out = {key for (key,) in before} - {key for (key,) in self.target.rows}
        assert not taken_out & keys, "a row that AFAS has left the target"
        if step.cut is None:
            # What changed behind a walk that goes on comes with the next run.
            assert resumes or not self.target.missing(untouched)
            if len(self.target.activated) > activated:
                assert self.gone <= self.left, "what was gone before the refresh is still there"
        versions = self.target.activated
        assert versions == sorted(set(versions))


@pytest.mark.slow
@depth(60)
@given(rows=st.integers(0, 30), page_size=st.integers(1, 9), steps=st.lists(_STEPS, min_size=1, max_size=6))
def test_no_row_that_afas_has_leaves_the_target(
    sandbox: Sandbox, *, rows: int, page_size: int, steps: list[_Step]
) -> None:
    history = _History(sandbox, rows, page_size)
    for step in steps:
        history.run(step)
    # Whatever happened, a run and a refresh later all is as in AFAS.
    quiet = _Step(2 * _DAY, None, "1d", [[]])
    history.run(quiet)
    history.run(quiet)
    history.assert_same()


def test_records_come_as_they_are_in_afas(sandbox: Sandbox) -> None:
    loads = _Loads(sandbox, rows=5)
    loads.sync()
    assert list(loads.target.rows.values()) == [record(one) for one in loads.source.rows.values()]

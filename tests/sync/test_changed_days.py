"""`changed_days`: by the days that were read again, a view tells which rows AFAS still has."""

from __future__ import annotations

import dataclasses
import datetime as dt
import types
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tap_afas.changed_days
from afas_sandbox import Fault
from harness.articles import articles, config_of
from harness.command import run_tap
from harness.depth import depth
from harness.ledger import DAYS, FEED, Ledger
from tap_afas.changed_days import ExtractionClock
from tap_afas.feed import Feed, fields_of
from tap_afas.profit import metainfo
from tap_afas.settings import StreamSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afas_sandbox import Sandbox

_HOUR = 3607


def test_what_is_gone_leaves_the_view_with_the_next_run(sandbox: Sandbox) -> None:
    ledger = Ledger(sandbox)
    ledger.sync()
    assert ledger.view == ledger.source
    ledger.clock.tick(_HOUR)
    ledger.delete(3)
    ledger.move(5, DAYS[-1])
    ledger.change(7)
    ledger.insert("2024-03-05")
    ledger.clock.tick(60)
    ran = ledger.sync()
    assert ran.exit_code == 0, ran.said
    assert ledger.view == ledger.source
    assert len(ledger.rows) > len(ledger.view)
    # Only the days of the feed were read, each counted.
    told = {record["EntryDate"]: record["rows"] for record in ran.records("Bookings__days")}
    assert set(told) == {DAYS[2], DAYS[4], DAYS[6], DAYS[0], "2024-03-05"} & set(told)
    for day, rows in told.items():
        assert rows == sum(record["EntryDate"] == day for record in ledger.source.values())


def test_an_emptied_day_is_told(sandbox: Sandbox) -> None:
    ledger = Ledger(sandbox)
    ledger.sync()
    ledger.clock.tick(_HOUR)
    for number, row in ledger.there.items():
        if str(row[1]).startswith(DAYS[1]):
            ledger.delete(number)
    ran = ledger.sync()
    assert [(one["EntryDate"], one["rows"]) for one in ran.records("Bookings__days")] == [(DAYS[1], 0)]
    assert ledger.view == ledger.source


def test_a_first_reading_counts_all_days_without_a_question_more(sandbox: Sandbox) -> None:
    ledger = Ledger(sandbox)
    ran = ledger.sync()
    # The highest stamp and the page, of feed and bookings.
    assert [page.connector for page in ran.pages] == [FEED, FEED, "Bookings", "Bookings"]
    assert {one["EntryDate"]: one["rows"] for one in ran.records("Bookings__days")} == {
        day: 5 if place < 2 else 4 for place, day in enumerate(DAYS)
    }


def test_a_run_in_which_nothing_changed_asks_one_question_of_each(sandbox: Sandbox) -> None:
    ledger = Ledger(sandbox)
    ledger.sync()
    ledger.clock.tick(_HOUR)
    ledger.change(3)
    for _ in range(3):
        ledger.clock.tick(_HOUR)
        ran = ledger.sync()
    assert [page.connector for page in ran.pages] == [FEED, "Bookings"]


def test_days_come_behind_their_rows_and_are_no_later(sandbox: Sandbox) -> None:
    ledger = Ledger(sandbox)
    ledger.sync()
    ledger.clock.tick(_HOUR)
    ledger.change(3)
    ran = ledger.sync()
    messages = [message for message in ran.messages if message["type"] == "RECORD"]
    assert [message["stream"] for message in messages] == ["Bookings"] * (len(messages) - 1) + ["Bookings__days"]
    read_at = messages[-1]["record"]["read_at"]
    # What changed, from before; the day, from then on.
    own = [dt.datetime.fromisoformat(message["time_extracted"]) for message in messages[:-1]]
    assert own[0] < dt.datetime.fromisoformat(read_at)
    assert min(own[1:]) >= dt.datetime.fromisoformat(read_at)


def test_a_killed_run_repeats_days_and_skips_none(sandbox: Sandbox) -> None:
    ledger = Ledger(sandbox)
    ledger.sync()
    ledger.clock.tick(_HOUR)
    ledger.delete(3)
    ledger.sync(cut=0.8)
    ledger.clock.tick(3 * _HOUR)
    ledger.sync()
    assert ledger.view == ledger.source


def test_runs_that_are_killed_time_and_again_skip_no_day(sandbox: Sandbox) -> None:
    ledger = Ledger(sandbox)
    ledger.sync()
    ledger.clock.tick(_HOUR)
    ledger.delete(3)
    for _ in range(3):
        ledger.clock.tick(_HOUR)
        ran = ledger.sync(cut=0.9)
        # Behind the feed, and before the end of the days.
        assert b"__days" in ran.output[: int(0.9 * len(ran.output))]
    ledger.clock.tick(_HOUR)
    ledger.sync()
    assert ledger.view == ledger.source


def test_another_feed_begins_anew(sandbox: Sandbox) -> None:
    ledger = Ledger(sandbox)
    for _ in range(3):
        ledger.sync()
        ledger.clock.tick(3 * _HOUR)
    assert ledger.state["bookmarks"]["Bookings__days"]["loaded_under"] == FEED
    ledger.state["bookmarks"]["Bookings__days"]["loaded_under"] = "Another"
    ran = ledger.sync()
    assert {one["EntryDate"] for one in ran.records("Bookings__days")} == set(DAYS)


def test_a_day_that_is_listed_again_in_the_same_second_is_read_again(sandbox: Sandbox) -> None:
    ledger = Ledger(sandbox)
    ledger.sync()
    ledger.clock.tick(_HOUR)
    ledger.change(3)
    ledger.sync()
    ledger.delete(3)
    ledger.clock.tick(1)
    ledger.sync()
    assert ledger.view == ledger.source


def test_a_first_reading_that_begins_again_tells_all_days_again(sandbox: Sandbox) -> None:
    ledger = Ledger(sandbox)
    # Killed behind the feed, before the first row.
    sandbox.faults = [Fault(kind="rows", connector="Bookings", refuse="blocked")]
    ledger.sync()
    assert ledger.state["bookmarks"]["Bookings__days"]["bookmark"]
    sandbox.faults = []
    ledger.clock.tick(3 * _HOUR)
    ran = ledger.sync()
    assert {one["EntryDate"] for one in ran.records("Bookings__days")} == set(DAYS)


@pytest.mark.parametrize("cut", [None, 0.4])
def test_a_lost_state_hides_nothing_and_shows_nothing_that_is_gone(sandbox: Sandbox, cut: float | None) -> None:
    ledger = Ledger(sandbox)
    ledger.own["page_size"] = 10
    ledger.sync()
    ledger.delete(3)
    ledger.clock.tick(_HOUR)
    # So that the feed's overlap has another day.
    ledger.change(20)
    ledger.state = {}
    # An hour ago, by the clock of the machine, which is all that is left.
    ledger.rows = {
        number: (record, (dt.datetime.fromisoformat(at) - dt.timedelta(hours=1)).isoformat())
        for number, (record, at) in ledger.rows.items()
    }
    ledger.days = {day: {**one, "read_at": "2024-01-01T00:00:00+00:00"} for day, one in ledger.days.items()}
    ledger.clock.tick(_HOUR)
    ledger.sync(cut)
    if cut:
        assert set(ledger.source) <= set(ledger.view)
        ledger.clock.tick(_HOUR)
        ledger.sync()
    assert ledger.view == ledger.source


def test_it_may_be_set_later_and_the_feed_changed(sandbox: Sandbox) -> None:
    ledger = Ledger(sandbox)
    without: dict[str, Any] = {"streams": {"Bookings": {"primary_keys": ["Id"]}}}
    ledger.sync(**without)
    ledger.delete(3)
    ledger.clock.tick(_HOUR)
    ledger.sync(**without)
    assert ledger.view != ledger.source
    # All days that are listed.
    ledger.sync()
    assert ledger.view == ledger.source
    # And taken out again: what is in its part of the state harms nobody.
    ledger.clock.tick(_HOUR)
    assert ledger.sync(**without).exit_code == 0


def test_the_days_of_a_filter(sandbox: Sandbox) -> None:
    ledger = Ledger(sandbox)
    few = [[{"field": "Id", "operator": "<", "value": 10}], [{"field": "Id", "operator": ">", "value": 20}]]
    ledger.own["filter"] = few
    ledger.sync()
    ledger.clock.tick(_HOUR)
    ledger.delete(3)
    ledger.delete(15)
    ledger.sync()
    assert set(ledger.view) == {number for number in ledger.source if number < 10 or number > 20}


def test_many_days_take_several_questions(sandbox: Sandbox) -> None:
    ledger = Ledger(sandbox)
    ledger.sync()
    ledger.clock.tick(_HOUR)
    start = dt.date(2023, 1, 1)
    days = [str(start + dt.timedelta(days=2 * number)) for number in range(40)]
    for day in days:
        ledger.insert(day)
    ran = ledger.sync()
    assert all(len(page.query) < 2049 for page in ran.pages)
    questions = [page for page in ran.pages if "%22EntryDate%22,%22@Op" in page.query]
    assert 3 <= len(questions) <= 10
    assert len(ran.records("Bookings__days")) == 40
    assert ledger.view == ledger.source


# What can't be


def test_the_days_must_be_selected(sandbox: Sandbox) -> None:
    ledger = Ledger(sandbox)
    config = {**config_of(sandbox), **ledger.settings}
    catalog = run_tap(config, "--discover").catalog
    names = [entry["tap_stream_id"] for entry in catalog["streams"]]
    assert names == ["Bookings", "Bookings__days"]
    catalog["streams"][1]["metadata"][-1]["metadata"]["selected"] = False
    for one in catalog["streams"][1]["metadata"]:
        if not one["breadcrumb"]:
            one["metadata"]["selected"] = False
    ran = run_tap(config, catalog=catalog)
    assert ran.exit_code == 78
    assert "`Bookings__days.*`" in ran.said
    assert not ran.pages


def test_the_feed_must_be_there(sandbox: Sandbox) -> None:
    ledger = Ledger(sandbox)
    ledger.own["changed_days"] = {"connector": "ChangedDay", "day": "EntryDate"}
    ran = ledger.sync()
    assert "needs the connector ChangedDay, which the app connector doesn't have" in ran.said
    assert "Did you mean ChangedDays?" in ran.said
    assert not ran.records()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"changed_days": True}, "`changed_days: true` is for Profit_Transactions and Profit_Realization"),
        ({"primary_keys": []}, "`changed_days` is for streams with a key and a replication key"),
        ({"changed_days": {"connector": FEED, "day": "Day"}}, "names the day Day, which the connector doesn't have"),
        ({"changed_days": {"connector": FEED, "day": "Amount"}}, "names the day Amount, which is no date"),
        (
            {"changed_days": {"connector": FEED, "day": "EntryDate", "stamp": "Amount"}},
            "Amount is no date that AFAS can sort on",
        ),
    ],
)
def test_settings_that_cannot_be(sandbox: Sandbox, changed: dict[str, Any], sentence: str) -> None:
    ledger = Ledger(sandbox)
    ledger.own.update(changed)
    ran = run_tap({**config_of(sandbox), **ledger.settings})
    assert ran.exit_code != 0
    assert sentence in ran.said
    assert not ran.records()


def test_a_feed_that_fails_fails_the_stream_before_its_first_row(sandbox: Sandbox) -> None:
    ledger = Ledger(sandbox)
    sandbox.faults = [Fault(kind="rows", connector=FEED, refuse="blocked")]
    ran = ledger.sync()
    assert ran.error is not None
    assert not ran.records()


def test_rows_of_other_days_than_asked_for_fail_the_stream(sandbox: Sandbox) -> None:
    ledger = Ledger(sandbox)
    ledger.sync()
    ledger.clock.tick(_HOUR)
    ledger.change(3)
    # What changed, then the day.
    sandbox.faults = [Fault(kind="rows", connector="Bookings", nth=2, ignore_filter=True)]
    ran = ledger.sync()
    assert "AFAS sends rows of other days than those asked for by EntryDate" in ran.said


def test_streams_without_it_have_no_days(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    catalog = run_tap(config_of(sandbox), "--discover").catalog
    assert [entry["tap_stream_id"] for entry in catalog["streams"]] == ["Articles"]


# Parts


def test_the_day_of_the_stream_may_have_another_name_in_the_feed() -> None:
    stamp = metainfo.Field("DateModified", "date", "Last changed line", control_type=8)
    lines = {"DateTime": metainfo.Field("DateTime", "date", "Date", control_type=4), "DateModified": stamp}
    days = {
        "EntryDate": metainfo.Field("EntryDate", "date", "Entry date", control_type=4),
        "Modified": metainfo.Field("Modified", "date", "Date changed", control_type=8),
    }
    feed = Feed.of("Profit_Realization", StreamSettings(changed_days=True))
    assert feed == Feed("Profit_Rea_ChangedEntryDate", "DateTime")
    found = fields_of(
        metainfo.Connector("Profit_Realization", "", lines), feed, metainfo.Connector(feed.connector_id, "", days)
    )
    assert found == ("EntryDate", "Modified", {"EntryDate": "date", "Modified": "date-time"})


def test_the_time_of_records_never_goes_back() -> None:
    ahead = dt.datetime.now(tz=dt.UTC) + dt.timedelta(hours=1)
    clock = ExtractionClock(ahead)
    assert clock.now() == ahead
    second = clock.next_second()
    assert second > ahead
    assert second.microsecond == 0
    assert clock.now() == second
    assert abs(ExtractionClock(None).now() - dt.datetime.now(tz=dt.UTC)) < dt.timedelta(minutes=1)


# All of it, by chance


@dataclasses.dataclass(frozen=True)
class _Step:
    """A run, what happens before each of its requests, and what the clock of its machine says.

    Attributes:
        wait: Seconds before it.
        cut: After which part of its output it was killed; None: it wasn't.
        host: By how many seconds the machine's clock differs.
        ops: What happens.
    """

    wait: float
    cut: float | None
    host: float
    ops: Sequence[Sequence[tuple[str, float, int]]]


_PARTS = st.floats(0, 1, exclude_max=True, allow_nan=False, width=16)
_OPS = st.tuples(
    st.sampled_from(["insert", "change", "move", "delete", "delete"]), _PARTS, st.integers(0, len(DAYS) - 1)
)
_STEPS = st.builds(
    _Step,
    st.sampled_from([0.0, 1.0, 60.0, 4000.0]),
    st.one_of(st.none(), st.none(), _PARTS),
    st.sampled_from([0.0, 0.0, -7200.0, 900.0]),
    st.lists(st.lists(_OPS, max_size=3), min_size=1, max_size=5),
)


def _happen(ledger: Ledger, kind: str, pick: float, day: int) -> None:
    alive = list(ledger.there)
    if kind == "insert" or not alive:
        ledger.insert(DAYS[day])
        return
    number = alive[int(pick * len(alive))]
    if kind == "change":
        ledger.change(number)
    elif kind == "move":
        ledger.move(number, DAYS[day])
    else:
        ledger.delete(number)


def _run(ledger: Ledger, step: _Step) -> None:
    ledger.clock.tick(step.wait)
    asked = 0

    def meanwhile(_: object) -> None:
        nonlocal asked
        ledger.clock.tick(0.4)
        if asked < 25:
            for op in step.ops[asked % len(step.ops)]:
                _happen(ledger, *op)
        asked += 1

    class Clock(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return dt.datetime.now(tz) + dt.timedelta(seconds=step.host)

    module = types.SimpleNamespace(datetime=Clock, UTC=dt.UTC, timedelta=dt.timedelta)
    ledger.sandbox.before_request = meanwhile
    try:
        with mock.patch.object(tap_afas.changed_days, "datetime", module):
            ran = ledger.sync(step.cut)
    finally:
        ledger.sandbox.before_request = None
    assert ran.error is None, ran.said


@pytest.mark.slow
@depth(60)
@given(
    bookings=st.integers(0, 25),
    page_size=st.integers(1, 9),
    steps=st.lists(_STEPS, min_size=1, max_size=5),
)
def test_the_view_is_the_source(sandbox: Sandbox, *, bookings: int, page_size: int, steps: list[_Step]) -> None:
    ledger = Ledger(sandbox, bookings)
    # A feed of two fields is a page.
    ledger.own["page_size"] = page_size
    for step in steps:
        _run(ledger, step)
    quiet = _Step(400.0, None, -3600.0, [[]])
    # The first ends what was killed, the second brings what changed behind it.
    _run(ledger, quiet)
    _run(ledger, quiet)
    assert ledger.view == ledger.source

"""The hour that comes twice: rows change in both passes, and nobody knows in which order AFAS has them."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import TYPE_CHECKING, Any

import pytest
from depth import depth
from hypothesis import example, given
from hypothesis import strategies as st
from model import Source, Target, Ticking, Walk, committed, last_state, row, run
from tap_afas.profit.by_stamp import ByStamp, StampField, Start
from tap_afas.profit.page import KeyField, PageSize

from tap_afas.profit.clock import Clock
from tap_afas.profit.rows import Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.query import Condition, Query
    from tap_afas.sandbox import Sandbox

pytest_plugins = ["tap_afas.sandbox.fixtures"]

_ZONE = zoneinfo.ZoneInfo("Europe/Amsterdam")
_FIRST_PASS = dt.datetime(2024, 10, 27, 0, tzinfo=dt.UTC)


def _wall(minute: float) -> str:
    """The wall time so many minutes after the hour begins for the first time."""
    return (_FIRST_PASS + dt.timedelta(minutes=minute)).astimezone(_ZONE).isoformat()[:19]


class _Rows(Page):
    """A page of rows with an id and the minute at which each changed."""

    def __init__(self, rows: Sequence[tuple[int, int]]) -> None:
        self.rows = list(rows)
        self.fields = ("Id", "At")
        self.keys = [(number,) for number, _ in rows]
        self.stamps = [_wall(minute) for _, minute in rows]

    def __len__(self) -> int:
        return len(self.rows)

    def fingerprint(self, position: int) -> bytes:
        return str(self.rows[position]).encode()

    def column(self, field: str) -> Sequence[Any]:
        return [number for number, _ in self.rows] if field == "Id" else self.stamps


def _answer(rows: Sequence[tuple[int, int]], query: Query) -> _Rows:
    """What a server does that keeps moments, and shows and reads them as wall time."""

    def minute_of(wall: str) -> float:
        moment = dt.datetime.fromisoformat(wall).replace(tzinfo=_ZONE)
        return (moment - _FIRST_PASS).total_seconds() / 60

    def holds(one: tuple[int, int], condition: Condition) -> bool:
        if condition.operator in {"empty", "not empty"}:
            return condition.operator == "not empty"
        value = one[0] if condition.field == "Id" else one[1]
        bound = float(condition.value) if condition.field == "Id" else minute_of(condition.value)
        return {">=": value >= bound, "<=": value <= bound, ">": value > bound, "<": value < bound}[condition.operator]

    groups = query.filter or ((),)
    found = [one for one in rows if any(all(holds(one, condition) for condition in group) for group in groups)]
    found.sort(key=lambda one: tuple(one[0] if field == "Id" else one[1] for field in query.order))
    return _Rows(found[query.skip : query.skip + query.take])


@depth(150)
@given(minutes=st.lists(st.integers(-70, 130), min_size=1, max_size=40), take=st.integers(1, 12))
@example(minutes=[30, 45, 65, 70, 75, 110], take=2)
@example(minutes=[50, 110], take=1)
def test_a_server_that_keeps_moments(minutes: list[int], take: int) -> None:
    rows = list(enumerate(minutes))
    key = KeyField("Id", "number")
    walk = ByStamp(
        StampField("At"),
        keys=[key],
        order=["Id"],
        size=PageSize(take),
        start=Start(),
        repeated=Clock().repeated,
    )
    found: set[tuple[int, int]] = set()
    for _ in range(400):
        page = _answer(rows, walk.question())
        found.update(page.rows[position] for position in walk.learn(page))
        if walk.done:
            break
    else:
        pytest.fail("endless")
    assert found == set(rows)


@pytest.mark.parametrize("end", [0.3, 0.5, 0.7, 0.9])
def test_killed_in_the_first_pass_within_a_tie_that_grows_in_the_second(sandbox: Sandbox, end: float) -> None:
    clock = Ticking(dt.datetime(2024, 10, 27, 2, 30))  # noqa: DTZ001 - wall time has no zone
    rows = [row(number, "2024-10-27T02:10:00") for number in range(40)]
    source = Source(sandbox, Walk.named("by stamp"), rows, clock)
    killed = run(source, page_size=4).output
    whole = committed(killed[: int(end * len(killed))])
    target = Target(("Id",))
    target.take(whole)
    # A quarter of an hour before four, two hours later: in between, a row changed in the second pass.
    source.update(3, "2024-10-27T02:10:00.500", Name="second pass")
    source.insert(row(99, "2024-10-27T03:40:00"))
    clock.now = dt.datetime(2024, 10, 27, 3, 45)  # noqa: DTZ001 - wall time has no zone
    second = run(source, last_state(whole), page_size=4)
    target.take(second.output)
    clock.tick(600)
    target.take(run(source, second.state, page_size=4).output)
    assert not target.missing(source.rows.values())

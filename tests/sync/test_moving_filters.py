"""Filters stored in a connector that move with the calendar: what `docs/how-a-sync-works.md` says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.source import ID, LAG, Source, Ticking, Walk, row
from harness.syncing import run
from harness.targets import Target

if TYPE_CHECKING:
    from afas_sandbox import Row, Sandbox

KEY = ("Id",)


def _window(source: Source, first: int, last: int) -> None:
    """The connector shows the rows whose number lies between the two."""
    source.sandbox.options.own_filters = {
        "Item": {"filterfieldids": "Number,Number", "filtervalues": f"{first},{last}", "operatortypes": "2,3"}
    }


def _since(source: Source, seconds: float) -> None:
    """The connector shows what changed within so many seconds."""
    stamp = source.clock.ago(seconds)
    source.sandbox.options.own_filters = {
        "Item": {"filterfieldids": "Modified", "filtervalues": stamp[:19], "operatortypes": "2"}
    }


def _planned(clock: Ticking) -> list[Row]:
    """Rows for the days 0 to 19, all made long ago."""
    return [row(number, clock.ago(LAG + number), code=f"C{number}", amount=number) for number in range(20)]


def _change(source: Source, found: int, name: str) -> None:
    """Change the row with an id, now."""
    (number,) = (number for number, one in source.rows.items() if one[ID] == found)
    source.update(number, source.clock.ago(0), Name=name)


def _ids(records: list[dict[str, object]]) -> set[object]:
    return {record["Id"] for record in records}


@pytest.mark.parametrize("full", [False, True])
def test_what_comes_into_view_and_leaves_it(sandbox: Sandbox, *, full: bool) -> None:
    clock = Ticking()
    source = Source(sandbox, Walk(KEY, "Modified"), _planned(clock), clock)
    _window(source, 0, 9)
    first = run(source)
    assert _ids(first.records()) == set(range(10))
    clock.tick(LAG)
    _window(source, 5, 14)
    # One that has left the view, and one within it.
    _change(source, 1, "changed")
    _change(source, 6, "changed")
    clock.tick(60)
    if full:
        source.walk = Walk(KEY, None)
    second = run(source, first.state, emit_activate_version_messages=True)
    if full:
        # Whatever isn't among these is taken out by what ends them.
        assert _ids(second.records()) == set(range(5, 15))
        assert len(second.versions("Item")) == 1
        return
    assert {record["Id"] for record in second.records() if record["Name"] == "changed"} == {6}
    assert not _ids(second.records()) & set(range(10, 15))
    assert not second.versions("Item")
    target = Target(KEY)
    for ran in (first, second):
        target.load(ran.output)
    # The change of a row that had left the view, and the rows that came into it.
    once_shown = [found for found in source.rows.values() if int(str(found[ID])) < 15]
    assert _ids(target.missing(once_shown)) == {1, *range(10, 15)}


@pytest.mark.parametrize(("hours", "comes"), [(20, True), (30, False)])
def test_changed_since_yesterday_misses_what_changed_while_no_run_came(
    sandbox: Sandbox, hours: int, *, comes: bool
) -> None:
    clock = Ticking()
    source = Source(sandbox, Walk(KEY, "Modified"), _planned(clock), clock)
    _change(source, 3, "lately")
    clock.tick(60)
    _since(source, 86_400)
    first = run(source)
    assert len(first.records()) == 1
    clock.tick(1)
    _change(source, 7, "then")
    clock.tick(hours * 3600)
    _since(source, 86_400)
    assert ("then" in {record["Name"] for record in run(source, first.state).records()}) == comes

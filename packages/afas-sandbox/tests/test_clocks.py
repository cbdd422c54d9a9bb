"""The clocks of an environment: of its HTTP front, and of the servers that stamp."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

import pytest
from asking import ITEM, Asking, asking, item, items

from afas_sandbox import Field, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox import Sandbox

_NOW = dt.datetime(2024, 5, 1, 9, 30, 15, 250000)  # noqa: DTZ001 - wall time has no zone


@pytest.fixture
def alive(sandbox: Sandbox) -> Sandbox:
    sandbox.clock = lambda: _NOW
    sandbox.load([items(*(item(f"{number:02}", Name="x") for number in range(20)))])
    return sandbox


@pytest.fixture
def ask(alive: Sandbox) -> Iterator[Asking]:
    with asking(alive) as client:
        yield client


@pytest.mark.parametrize(
    ("offset", "date"),
    [
        (0, "Wed, 01 May 2024 07:30:15 GMT"),
        (90, "Wed, 01 May 2024 07:31:45 GMT"),
        (-86400, "Tue, 30 Apr 2024 07:30:15 GMT"),
    ],
)
def test_the_date_may_be_ahead_or_behind(alive: Sandbox, ask: Asking, offset: float, date: str) -> None:
    alive.options.date_offset = offset
    assert ask.rows().headers["Date"] == ask.get("/metainfo/get/Item").headers["Date"] == date
    assert ask.rows("Nope").headers["Date"] == date
    assert (alive.update("Item", "03").after or ())[5] == "2024-05-01T09:30:15.250"


def test_there_may_be_no_date(alive: Sandbox, ask: Asking) -> None:
    alive.options.date_offset = None
    assert "Date" not in ask.rows().headers
    assert "Date" not in ask.get("/metainfo").headers
    assert ask.rows().headers["Server"]


def test_servers_stamp_in_turn(alive: Sandbox, ask: Asking) -> None:
    alive.options.stamp_offsets = (-40, 0, 2.5)
    stamps = [(alive.update("Item", f"{number:02}").after or ())[5] for number in range(4)]
    assert stamps == [
        "2024-05-01T09:29:35.250",
        "2024-05-01T09:30:15.250",
        "2024-05-01T09:30:17.750",
        "2024-05-01T09:29:35.250",
    ]
    assert ask.where("Modified", 2, "2024-05-01T09:30:00").codes == ["01", "02"]


def test_changes_at_random_are_stamped_in_turn_too(alive: Sandbox) -> None:
    alive.options.stamp_offsets = (-40, 0)
    stamps = [(change.after or ())[5] for change in alive.change("Item", updates=4, late_seconds=10)]
    assert stamps == ["2024-05-01T09:29:25.250", "2024-05-01T09:30:05.250"] * 2


def test_a_new_row_is_made_and_stamped_by_one_server(sandbox: Sandbox) -> None:
    sandbox.clock = lambda: _NOW
    fields = (*ITEM.fields, Field("Created", "date", "Created on", "Aangemaakt op", control_type=8))
    made = dataclasses.replace(ITEM, fields=fields, created="Created")
    sandbox.load([Table(made, (), lambda number: (*item(f"N{number}"), None))], stamp_offsets=[0, 40])
    for _ in range(4):
        for change in sandbox.change("Item", inserts=1):
            assert change.after
            assert change.after[-1] == change.after[5]
    assert len({row[-1] for row in sandbox.rows("Item")}) == 2
    change = sandbox.insert("Item", (*item("A", Modified=None), None))
    assert change.after
    assert change.after[-1] == change.after[5] == "2024-05-01T09:30:15.250"


def test_a_server_behind_still_shows_the_first_october_hour(alive: Sandbox) -> None:
    alive.clock = lambda: dt.datetime(2024, 10, 27, 2, 0, fold=1)  # noqa: DTZ001 - wall time has no zone
    alive.options.stamp_offsets = (-60,)
    assert (alive.update("Item", "03").after or ())[5] == "2024-10-27T02:59:00.000"

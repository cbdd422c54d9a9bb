"""Rows of which few fit into an answer: AFAS makes as few of them in vain as can be, and never the same again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from afas_sandbox import Connector, Field, Table
from harness.articles import config_of
from harness.command import run_tap
from tap_afas.profit import client as client_module
from tap_afas.profit.client import rows_in
from tap_afas.profit.pagination import page_size as page_size_module
from tap_afas.profit.query import Query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox import Sandbox
    from harness.run import Run

_LARGEST = 800_000


@pytest.fixture(autouse=True)
def _a_hundredth() -> Iterator[None]:
    with (
        mock.patch.object(client_module, "LARGEST_ANSWER", _LARGEST),
        mock.patch.object(page_size_module, "_SMALL", _LARGEST // 4),
    ):
        yield


def _load(sandbox: Sandbox, sizes: list[int]) -> dict[str, Any]:
    fields = (
        Field("Code", "string", "Code", "Code", 10, control_type=5),
        Field("Picture", "string", "Picture", "Foto", 99999),
    )
    connector = Connector("Articles", "Articles", "Artikelen", fields, key=("Code",))
    picture = 'a "Code": of no row, '
    rows: list[Any] = [(f"A{n:05}", (picture * (size // len(picture) + 1))[:size]) for n, size in enumerate(sizes)]
    sandbox.load([Table(connector, rows, lambda n: rows[n])])
    return config_of(sandbox)


def _in_vain(ran: Run) -> int:
    return sum("larger than AFAS sends" in line for line in ran.lines("WARNING"))


@pytest.mark.parametrize("key", [["Code"], []])
@pytest.mark.parametrize("of", ["alike", "larger later", "odd"])
def test_at_most_two_answers_are_made_in_vain(sandbox: Sandbox, key: list[str], of: str) -> None:
    sizes = {
        "alike": [4000] * 300,
        "larger later": [3000] * 150 + [5000] * 150,
        "odd": [100 if n % 3 else 11_000 for n in range(300)],
    }[of]
    config = {**_load(sandbox, sizes), "streams": {"Articles": {"primary_keys": key}}}
    first = run_tap(config)
    assert (first.exit_code, len(first.records())) == (0, 300)
    assert 1 <= _in_vain(first) <= 2
    part = first.state["bookmarks"]["Articles"]
    assert 1 <= part["rows_fit"] < 300
    second = run_tap(config, state=first.state)
    assert (second.exit_code, len(second.records()), _in_vain(second)) == (0, 300, 0)


def test_it_grows_again(sandbox: Sandbox) -> None:
    config = _load(sandbox, [10] * 3000)
    state = {"bookmarks": {"Articles": {"replication_key": None, "rows_fit": 20}}}
    ran = run_tap(config, state=state)
    assert (ran.exit_code, len(ran.records())) == (0, 3000)
    takes = [int(request.parameters["take"]) for request in sandbox.log if request.kind == "rows"]
    assert takes[0] == 20
    assert max(takes) > 60
    assert ran.state["bookmarks"]["Articles"]["rows_fit"] == max(takes)


def test_a_row_that_fits_into_no_answer(sandbox: Sandbox) -> None:
    ran = run_tap(_load(sandbox, [10, 900_000, 10]))
    assert ran.exit_code == 1
    assert "larger than AFAS sends" in ran.errors[0]
    assert _in_vain(ran) <= 2


@pytest.mark.parametrize("value", [0, -5, 10**400, "x", True, 1.5, [1]])
def test_whatever_stands_in_the_state(sandbox: Sandbox, value: object) -> None:
    part = {"replication_key": None, "rows_fit": value, "rows_read": value}
    ran = run_tap(_load(sandbox, [10] * 3), state={"bookmarks": {"Articles": part}})
    assert (ran.exit_code, ran.state["bookmarks"]["Articles"]["rows_fit"]) == (0, None)


def test_rows_are_counted_by_their_first_field() -> None:
    query = Query(("Code",))
    assert rows_in(b'{"rows":[{"Code":"a","B":"\\"Code\\": x"},{"Code" : "b"},{"Code":"c', query) == 2
    assert rows_in(b'{"rows":[{"Code":', query) == 0
    assert rows_in(b'{"rows":[', query) is None
    assert rows_in(b"", Query(())) is None

"""AFAS is somebody's payroll: never two requests on one connector, never more than the set number in all."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from afas_sandbox import Fault
from harness.articles import articles, config_of
from harness.command import run_tap
from tap_afas.writer import LineWriter

if TYPE_CHECKING:
    from afas_sandbox import Sandbox


@pytest.fixture(autouse=True)
def _twelve(sandbox: Sandbox) -> None:
    sandbox.load([articles(40, f"C{number:02}", stamp=bool(number % 2)) for number in range(12)])


@pytest.mark.slow
@pytest.mark.parametrize("parallel", [1, 3, 8])
@pytest.mark.parametrize("trouble", [False, True])
def test_discovery_and_sync_share_a_budget(sandbox: Sandbox, parallel: int, *, trouble: bool) -> None:
    config = config_of(sandbox, max_parallel_requests=parallel, page_size=9)
    sandbox.faults = [Fault(delay=0.05)]
    if trouble:
        sandbox.faults = [Fault(delay=0.005), Fault(refuse="unavailable", probability=0.1), Fault(cut=0.3, nth=(5, 50))]
    assert run_tap(config).exit_code == 0
    assert sandbox.peak <= parallel
    assert sandbox.peak == parallel or trouble
    assert max(sandbox.peaks.values()) == 1
    discovered = sum(request.kind == "metainfo" for request in sandbox.log)
    assert discovered >= 13


def test_an_environment_that_takes_no_more(sandbox: Sandbox) -> None:
    config = config_of(sandbox, max_parallel_requests=2, page_size=9)
    sandbox.options.max_parallel, sandbox.options.max_parallel_connector = 2, 1
    ran = run_tap(config)
    assert ran.exit_code == 0
    assert ran.lines("WARNING") == []


def test_every_page_has_an_order_and_no_page_a_deep_skip(sandbox: Sandbox) -> None:
    assert run_tap(config_of(sandbox, page_size=9)).exit_code == 0
    pages = [request.parameters for request in sandbox.log if request.kind == "rows"]
    assert all(page["orderbyfieldids"] for page in pages)
    assert {page["skip"] for page in pages} == {"0"}


def _asked(sandbox: Sandbox, kind: str) -> list[str | None]:
    return [request.connector for request in sandbox.log if request.kind == kind]


def test_with_a_catalog_the_first_page_waits_for_its_own_metainfo_alone(sandbox: Sandbox) -> None:
    catalog = run_tap(config_of(sandbox), "--discover").catalog
    sandbox.clear_log()
    assert run_tap(config_of(sandbox, max_parallel_requests=1, streams={}), catalog=catalog).exit_code == 0
    assert [request.kind for request in sandbox.log][:3] == ["metainfo", "metainfo", "rows"]


def test_what_took_longest_the_last_time_starts_first(sandbox: Sandbox) -> None:
    bookmarks = {f"C{number:02}": {"rows_read": read} for number, read in ((3, 5), (5, 500), (7, 50))}
    assert run_tap(config_of(sandbox, max_parallel_requests=1), state={"bookmarks": bookmarks}).exit_code == 0
    order = list(dict.fromkeys(_asked(sandbox, "rows")))
    # Nothing is known of the others: they may take longest of all.
    assert order == [*(f"C{number:02}" for number in (0, 1, 2, 4, 6, 8, 9, 10, 11)), "C05", "C07", "C03"]


def test_the_next_page_is_asked_while_one_is_written(sandbox: Sandbox) -> None:
    write_lines = LineWriter.write_lines
    asked_meanwhile: list[bool] = []

    def slowly(writer: LineWriter, lines: bytes) -> None:
        if not asked_meanwhile:
            end = time.monotonic() + 30
            while len(_asked(sandbox, "rows")) < 2 and time.monotonic() < end:
                time.sleep(0.01)
            asked_meanwhile.append(len(_asked(sandbox, "rows")) == 2)
        write_lines(writer, lines)

    with mock.patch.object(LineWriter, "write_lines", slowly):
        assert run_tap(config_of(sandbox, page_size=9, connectors=["C00"], streams={})).exit_code == 0
    assert asked_meanwhile == [True]


def test_what_is_final_is_asked_once(sandbox: Sandbox) -> None:
    config = config_of(sandbox)
    sandbox.faults = [Fault(refuse="blocked", kind="rows")]
    assert run_tap(config).exit_code == 1
    asked = [request.connector for request in sandbox.log if request.kind == "rows"]
    assert len(asked) == len(set(asked)) == 12

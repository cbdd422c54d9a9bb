"""AFAS is somebody's payroll: never two requests on one connector, never more than the set number in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from running import articles, config_of, run_tap

from tap_afas.sandbox import Fault

if TYPE_CHECKING:
    from tap_afas.sandbox import Sandbox

pytest_plugins = ["tap_afas.sandbox.fixtures"]


@pytest.fixture(autouse=True)
def _twelve(sandbox: Sandbox) -> None:
    sandbox.load([articles(40, f"C{number:02}", stamp=bool(number % 2)) for number in range(12)])


@pytest.mark.parametrize("parallel", [1, 3, 8])
@pytest.mark.parametrize("trouble", [False, True])
def test_discovery_and_sync_share_a_budget(sandbox: Sandbox, parallel: int, *, trouble: bool) -> None:
    config = config_of(sandbox, max_parallel_requests=parallel, page_size=9)
    sandbox.faults = [Fault(delay=0.01)]
    if trouble:
        sandbox.faults = [Fault(delay=0.005), Fault(refuse="unavailable", probability=0.1), Fault(cut=0.3, nth=(5, 50))]
    assert run_tap(config).code == 0
    assert sandbox.peak <= parallel
    assert sandbox.peak == parallel or trouble
    assert max(sandbox.peaks.values()) == 1
    discovered = sum(request.kind == "metainfo" for request in sandbox.log)
    assert discovered >= 13


def test_an_environment_that_takes_no_more(sandbox: Sandbox) -> None:
    config = config_of(sandbox, max_parallel_requests=2, page_size=9)
    sandbox.options.max_parallel, sandbox.options.max_parallel_connector = 2, 1
    ran = run_tap(config)
    assert ran.code == 0
    assert ran.lines("WARNING") == []


def test_every_page_has_an_order_and_no_page_a_deep_skip(sandbox: Sandbox) -> None:
    assert run_tap(config_of(sandbox, page_size=9)).code == 0
    pages = [request.parameters for request in sandbox.log if request.kind == "rows"]
    assert all(page["orderbyfieldids"] for page in pages)
    assert {page["skip"] for page in pages} == {"0"}


def test_what_is_final_is_asked_once(sandbox: Sandbox) -> None:
    config = config_of(sandbox)
    sandbox.faults = [Fault(refuse="blocked", kind="rows")]
    assert run_tap(config).code == 1
    asked = [request.connector for request in sandbox.log if request.kind == "rows"]
    assert len(asked) == len(set(asked)) == 12

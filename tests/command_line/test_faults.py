"""A whole sync while a tenth of all requests goes wrong: complete, row by row."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Fault, to_utc
from harness.articles import articles, config_of
from harness.command import run_tap

if TYPE_CHECKING:
    from afas_sandbox import Sandbox
    from harness.run import Run

# Six ways, together about a tenth. Bearers end now and then: none ends twice in a moment.
TROUBLE = [
    Fault(reset=True, probability=0.02),
    Fault(cut=0.6, probability=0.02),
    Fault(refuse="bad_gateway", probability=0.02),
    Fault(refuse="unavailable", probability=0.02, retry_after=1),
    Fault(refuse="unexpected", probability=0.01),
    Fault(refuse="timeout", probability=0.01, kind="rows"),
    Fault(expire_bearers=True, nth=(20, 60, 110, 170)),
]


def _expected(sandbox: Sandbox, connector_id: str) -> list[dict[str, Any]]:
    names = [field.id for field in sandbox.connectors[connector_id].fields]
    return sorted((_as_record(dict(zip(names, row, strict=True))) for row in sandbox.rows(connector_id)), key=str)


def _as_record(row: dict[str, Any]) -> dict[str, Any]:
    record = {**row, "Price": Decimal(row["Price"])}
    for field in {"Modified", "Day"} & row.keys():
        # Shown rounded: the articles bear whole seconds.
        wall = datetime.datetime.fromisoformat(row[field])
        record[field] = to_utc(wall).isoformat()
    return record


def _compare(sandbox: Sandbox, ran: Run) -> None:
    assert ran.exit_code == 0, ran.errors
    for connector_id in sandbox.connectors:
        found = sorted(ran.records(connector_id), key=str)
        assert found == _expected(sandbox, connector_id), connector_id


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_tenth_of_all_requests_goes_wrong(sandbox: Sandbox, seed: int) -> None:
    tables = [articles(200 + 10 * number, f"C{number}", stamp=number % 2 == 0) for number in range(6)]
    sandbox.load(tables, sign_in="oauth")
    config = config_of(sandbox, oauth=True, page_size=25)
    sandbox._services._seed = seed
    sandbox.faults = TROUBLE
    ran = run_tap(config)
    _compare(sandbox, ran)
    assert sum(request.fault for request in sandbox.log) > len(sandbox.log) / 25
    assert max(sandbox.peaks.values()) == 1


def test_time_outs_on_this_side(sandbox: Sandbox) -> None:
    sandbox.load([articles(100, "A"), articles(100, "B", stamp=False)])
    config = config_of(sandbox, page_size=25, request_timeout=2)
    sandbox.faults = [Fault(delay=2.3, kind="rows", nth=(2, 5))]
    ran = run_tap(config)
    _compare(sandbox, ran)
    assert 600.0 in ran.pauses
    takes = [int(request.parameters["take"]) for request in sandbox.log if request.kind == "rows"]
    assert 12 in takes


def test_a_page_that_breaks_off_is_not_the_end(sandbox: Sandbox) -> None:
    sandbox.load([articles(100, "A", stamp=False)])
    sandbox.faults = [Fault(cut=0.9, kind="rows", nth=(1, 3, 5))]
    _compare(sandbox, run_tap(config_of(sandbox, page_size=25)))


def test_an_error_on_a_later_page_fails_the_stream(sandbox: Sandbox) -> None:
    sandbox.load([articles(100, "A", stamp=False)])
    config = config_of(sandbox, page_size=25)
    sandbox.faults = [Fault(status=200, body='{"externalMessage":"Iets"}', kind="rows", nth=(3, 4, 5, 6, 7))]
    ran = run_tap(config)
    assert ran.exit_code == 1
    assert "Iets" in ran.errors[-2]

"""A connector that fails doesn't stop the others, and the end of the run says why it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Fault
from harness.articles import articles, config_of
from harness.command import run_tap

if TYPE_CHECKING:
    from afas_sandbox import Sandbox


@pytest.fixture(autouse=True)
def _three(sandbox: Sandbox) -> None:
    sandbox.load([articles(30, name) for name in ("A", "B", "C")])


def _sync(sandbox: Sandbox, *faults: Fault, **settings: Any) -> Any:
    sandbox.faults = faults
    return run_tap(config_of(sandbox, page_size=10, **settings))


ADVICE = {
    "blocked": ("The GetConnector is blocked.", "unblock it in AFAS"),
    "not_authorized": ("its user has no rights to it", "Have the user of the app connector authorised"),
    "unauthorized": ("doesn't take them for this GetConnector", "Check that the token has not ended meanwhile"),
    "field_not_found": ("The GetConnector has no such field.", "run discovery again"),
    "invalid_index": ("AFAS can't sort or filter", "choose other `primary_keys`"),
    "unexpected": ("without a cause known here. Tried 5 times.", "under the log reference"),
    "maintenance": ("AFAS can't answer just now.", "AFAS asks to come back after"),
    "bad_request": ("AFAS calls the request malformed.", "Check the filter"),
    "forbidden": ("from this machine's address", "IP rules"),
    "timeout": ("longer than it allows itself", "Set a smaller `page_size`"),
}

MAY_PASS = {"unexpected", "maintenance", "timeout"}


@pytest.mark.parametrize("name", ADVICE)
@pytest.mark.parametrize("parallel", [1, 4])
def test_the_others_are_complete(sandbox: Sandbox, name: str, parallel: int) -> None:
    ran = _sync(sandbox, Fault(refuse=name, connector="B", kind="rows"), max_parallel_requests=parallel)
    assert ran.exit_code == (75 if name in MAY_PASS else 1)
    assert [len(ran.records(stream)) for stream in "ABC"] == [30, 0, 30]
    assert ran.errors[-1] == "1 of 3 streams failed; the others are complete."
    summary = ran.errors[-2]
    assert summary.startswith("Failed: B: ")
    cause, advice = ADVICE[name]
    assert cause in summary
    assert advice in summary
    assert sum(error.startswith("Failed: ") for error in ran.errors) == 1


def test_afas_words_and_the_log_reference_are_told(sandbox: Sandbox) -> None:
    body = '{"externalMessage":"Iets nieuws.","profitLogReference":"3A4CA18A611A4E07B429AC6BAFC6B8D1"}'
    ran = _sync(sandbox, Fault(status=500, body=body, connector="B", kind="rows"))
    assert "“Iets nieuws.” (HTTP 500, log reference 3A4CA18A611A4E07B429AC6BAFC6B8D1)" in ran.errors[-2]


def test_what_it_had_is_kept(sandbox: Sandbox) -> None:
    ran = _sync(sandbox, Fault(refuse="blocked", connector="B", kind="rows", nth=(3, 4, 5, 6)))
    assert ran.exit_code == 1
    delivered = len(ran.records("B"))
    assert 0 < delivered < 30
    sandbox.faults = []
    sandbox.clear_log()
    again = run_tap(config_of(sandbox, page_size=10), state=ran.state)
    assert again.exit_code == 0
    codes = {record["Code"] for record in (*ran.records("B"), *again.records("B"))}
    assert len(codes) == 30
    assert len(again.records("B")) <= 30 - delivered + 1
    assert again.records("A") == again.records("C") == []


def test_one_that_left_the_app_connector(sandbox: Sandbox) -> None:
    config = config_of(sandbox)
    catalog = run_tap(config, "--discover").catalog
    sandbox.remove("B")
    ran = run_tap(config, catalog=catalog)
    assert ran.exit_code == 1
    assert [len(ran.records(stream)) for stream in "ABC"] == [30, 0, 30]
    assert "Failed: B: The app connector doesn't have this GetConnector (any more)." in ran.errors[-2]
    assert "Add it to the app connector" in ran.errors[-2]


def test_all_of_them(sandbox: Sandbox) -> None:
    ran = _sync(sandbox, Fault(refuse="blocked", kind="rows"))
    assert ran.exit_code == 1
    assert ran.errors[-1].startswith("3 of 3 streams failed")
    assert [error[:10] for error in ran.errors[-4:-1]] == ["Failed: A:", "Failed: B:", "Failed: C:"]


def test_a_full_table_that_fails_keeps_the_rows_of_the_target(sandbox: Sandbox) -> None:
    sandbox.load([articles(30, "A", stamp=False)])
    ran = _sync(sandbox, Fault(refuse="blocked", kind="rows", nth=(3, 4, 5)), emit_activate_version_messages=True)
    assert ran.exit_code == 1
    assert "ACTIVATE_VERSION" not in {message["type"] for message in ran.messages}


def test_pages_get_smaller_until_they_fit_and_grow_again(sandbox: Sandbox) -> None:
    sandbox.load([articles(2000, "A")], max_cells=6 * 100)
    ran = run_tap(config_of(sandbox, page_size=800))
    assert (ran.exit_code, len(ran.records("A"))) == (0, 2000)
    takes = [int(request.parameters["take"]) for request in sandbox.log if request.kind == "rows"]
    # The first question is for the highest stamp.
    assert takes[1:5] == [800, 400, 200, 100]
    assert max(takes[5:]) <= 200
    assert len(ran.lines("WARNING")) <= 8


TOO_MUCH = ["out_of_memory", "out_of_string_space", "timeout", "too_large", "gateway_timeout"]


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_a_smaller_page_heals(sandbox: Sandbox, name: str) -> None:
    # The second question is for the first page; what stands before AFAS is asked five times.
    nth = (2, 3, 4, 5, 6) if name == "gateway_timeout" else 2
    ran = _sync(sandbox, Fault(refuse=name, connector="B", kind="rows", nth=nth))
    assert (ran.exit_code, len(ran.records("B"))) == (0, 30)
    takes = [int(one.parameters["take"]) for one in sandbox.log if one.kind == "rows" and one.connector == "B"]
    assert takes[:2] == [1, 10]
    assert 5 in takes


@pytest.mark.parametrize("name", TOO_MUCH)
def test_a_highest_stamp_that_is_too_much_is_asked_for_once(sandbox: Sandbox, name: str) -> None:
    ran = _sync(sandbox, Fault(refuse=name, connector="B", kind="rows", nth=1))
    assert (ran.exit_code, len(ran.records("B"))) == (0, 30)
    asked = [one.parameters for one in sandbox.log if one.kind == "rows" and one.connector == "B"]
    assert [one["orderbyfieldids"] for one in asked].count("-Modified") == 1
    assert asked[1]["take"] == "10"
    (said,) = (line for line in ran.lines("WARNING") if "AFAS can't tell the highest Modified" in line)
    assert "the clocks of AFAS and its database, and `timezone`, must be right" in said
    b, c = (ran.state["bookmarks"][stream] for stream in "BC")
    assert (b["bookmark"], b["witness"]) == (c["bookmark"], c["witness"]) == ("2024-03-01T06:29:30", '["A00029"]')

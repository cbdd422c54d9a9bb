"""What goes wrong when it is told to."""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING, Any

import pytest
from asking import Asking, asking, item, items

from afas_sandbox import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox import Sandbox


@pytest.fixture
def ask(sandbox: Sandbox) -> Iterator[Asking]:
    sandbox.load([items(*(item(f"{number:02}", Number=number) for number in range(20)))])
    with asking(sandbox) as client:
        yield client


def _statuses(ask: Asking, times: int = 5) -> list[int]:
    return [ask.rows().status for _ in range(times)]


def test_the_third_request_fails(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.faults = [Fault(refuse="timeout", nth=3)]
    assert _statuses(ask) == [200, 200, 500, 200, 200]
    assert [request.fault for request in sandbox.log] == [False, False, True, False, False]


def test_twice_and_no_more(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.faults = [Fault(refuse="maintenance", times=2)]
    assert _statuses(ask) == [503, 503, 200, 200, 200]


def test_several_in_a_row(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.faults = [Fault(refuse="bad_gateway", nth=(1, 4))]
    assert _statuses(ask) == [502, 200, 200, 502, 200]


def test_chance_is_the_same_each_time(sandbox: Sandbox, ask: Asking) -> None:
    runs = []
    for _ in range(2):
        sandbox.faults = [Fault(refuse="gateway_timeout", probability=0.5)]
        runs.append(_statuses(ask, 20))
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 504}


def test_only_where_it_is_told(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.faults = [
        Fault(refuse="timeout", connector="It*", kind="metainfo"),
        Fault(refuse="forbidden", path="*/profitVersion"),
    ]
    assert ask.rows().status == 200
    assert ask.get("/metainfo").status == 200
    assert ask.get("/metainfo/get/Item").status == 500
    assert ask.get("/profitversion").status == 403


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ({"refuse": "maintenance", "language": "en"}, 503, b'"message":"Service temporarily unavailable'),
        ({"refuse": "timeout", "language": "nl"}, 500, b"De maximale tijdsduur"),
        ({"refuse": "timeout", "language": "en", "shape": "xml"}, 500, b"<error><message>The maximum duration"),
        ({"refuse": "timeout", "shape": "html", "status": 502}, 502, b"<html>"),
        ({"refuse": "timeout", "shape": "message"}, 500, b'{"message":"De max'),
        ({"refuse": "timeout", "shape": "empty"}, 500, b""),
        ({"refuse": "maintenance", "shape": "example"}, 503, b'{"error":{"code":{"example":"503"},"message":{"ex'),
        ({"refuse": "invalid_json"}, 400, b'{"message":"Invalid json"}'),
        ({"refuse": "field_not_found", "language": "en"}, 500, b"Connector field 'X' not found"),
        ({"status": 418, "body": "tea"}, 418, b"tea"),
        ({"status": 204}, 204, b""),
    ],
)
def test_refusals_in_every_shape(
    sandbox: Sandbox, ask: Asking, fault: dict[str, Any], status: int, body: bytes
) -> None:
    sandbox.faults = [fault]
    heard = ask.rows()
    assert heard.status == status
    assert body in heard.body


def test_when_to_come_back(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.faults = [Fault(refuse="maintenance")]
    heard = ask.rows(language="en-us")
    assert heard.headers["Retry-After"] == "7200"
    assert heard.json["retry_after"] == 7200
    assert heard.json["error"]["code"] == "503"
    sandbox.faults = [Fault(refuse="maintenance", retry_after=0)]
    assert ask.rows().headers["Retry-After"] == "0"


def test_a_reset(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.faults = [Fault(reset=True, times=1)]
    with pytest.raises(ConnectionResetError):
        ask.rows()
    ask.close()
    assert ask.rows().status == 200
    assert [request.status for request in sandbox.log] == [0, 200]


def test_a_body_cut_off(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.faults = [Fault(cut=0.5, times=1)]
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask.rows()
    assert caught.value.partial.startswith(b'{"skip":0')


def test_a_delay_counts_as_under_way(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.faults = [Fault(delay=0.1)]
    began = time.monotonic()
    assert ask.rows().status == 200
    assert time.monotonic() - began >= 0.1
    assert sandbox.log[0].seconds >= 0.1


def test_nonsense(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.faults = [Fault(garbage=100)]
    heard = ask.rows()
    assert (heard.status, len(heard.body)) == (200, 100)
    with pytest.raises(ValueError):
        _ = heard.json


def test_another_host(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.faults = [Fault(redirect="https://elsewhere.example/")]
    heard = ask.rows()
    assert (heard.status, heard.headers["Location"]) == (302, "https://elsewhere.example/")


def test_the_wrong_order(sandbox: Sandbox, ask: Asking) -> None:
    right = ask.rows(orderbyfieldids="Code").codes
    sandbox.faults = [Fault(order="reverse")]
    assert ask.rows(orderbyfieldids="Code").codes == right[::-1]
    sandbox.faults = [Fault(order="random")]
    assert ask.rows(orderbyfieldids="Code").codes != ask.rows(orderbyfieldids="Code").codes


def test_a_filter_without_effect(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.faults = [Fault(ignore_filter=True)]
    assert len(ask.where("Number", 4, 15).codes) == 20


def test_the_same_page_for_ever(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.faults = [Fault(same_page=True)]
    pages = [ask.rows(orderbyfieldids="Code", take=5, skip=skip).codes for skip in (5, 10, 15)]
    assert pages == [["05", "06", "07", "08", "09"]] * 3


def test_a_cap(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.faults = [Fault(cap_take=3)]
    assert len(ask.rows(take=10).rows) == 3


def test_bearers_end(sandbox: Sandbox, ask: Asking) -> None:
    body = "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    bearer = ask.send("POST", "/ProfitRestServices/oauth/token", body, form).json["access_token"]
    ask.authorization = f"Bearer {bearer}"
    sandbox.faults = [Fault(expire_bearers=True, nth=2, kind="rows")]
    assert _statuses(ask, 2) == [200, 401]


def test_rows_that_differ_from_their_definition(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.faults = [Fault(replace={"Name": "(vervangen)"}, drop=("Long", "Note"), add={"Extra": [1]})]
    row = ask.rows(take=1, orderbyfieldids="Code").rows[0]
    assert (row["Name"], row["Extra"], row["Code"]) == ("(vervangen)", [1], "00")
    assert not {"Long", "Note"} & row.keys()


def test_a_plan_over_http(sandbox: Sandbox, ask: Asking) -> None:
    plan = [
        {"match": {"connector": "Item", "nth": [1, 2]}, "do": "out_of_memory", "times": 1},
        {"match": {"connector": "Item", "nth": 2}, "do": {"refuse": "unavailable"}},
        {"match": {"nth": 3}, "do": "ignore_filter"},
    ]
    assert ask.control("POST", "/faults", plan).status == 200
    assert _statuses(ask) == [500, 503, 200, 200, 200]
    assert ask.control("POST", "/faults", []).json == []
    assert sandbox.faults == []


@pytest.mark.parametrize(
    "plan", [[{"do": "nope"}], [{"refuse": "nope"}], [{"match": {"colour": "red"}}], "x", {"a": 1}]
)
def test_what_is_no_plan(ask: Asking, plan: object) -> None:
    assert ask.control("POST", "/faults", plan).status == 400


def test_load_ends_all_faults(sandbox: Sandbox) -> None:
    sandbox.faults = [Fault(refuse="timeout")]
    sandbox.load()
    assert sandbox.faults == []

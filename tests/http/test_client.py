"""How AFAS is asked: slots, retries, waits, redirects."""

from __future__ import annotations

import contextlib
import datetime
import logging
import threading
import time
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from afas_sandbox import Fault
from harness.articles import articles, client_of
from harness.command import without_waiting
from tap_afas.profit import client as client_module
from tap_afas.profit.auth import ClassicToken
from tap_afas.profit.client import ProfitClient, retry_pauses
from tap_afas.profit.errors import (
    BusyError,
    ConnectorError,
    CredentialsError,
    NotAllowedError,
    ProfitError,
    QueryTooLongError,
    StoppedError,
    TimeOutError,
    UnexpectedAnswerError,
)
from tap_afas.profit.query import Condition, Query

if TYPE_CHECKING:
    from afas_sandbox import Sandbox

QUESTION = Query(("Code",), take=10)
TOKEN = ClassicToken("5A" * 32)


@pytest.fixture(autouse=True)
def _some_articles(sandbox: Sandbox) -> None:
    sandbox.load([articles(30)])


def test_a_page(sandbox: Sandbox) -> None:
    answer = client_of(sandbox).rows("Articles", QUESTION)
    assert answer.body.count(b'"Code"') == 10
    assert answer.retries == 0
    assert answer.date is not None
    assert abs(answer.date - datetime.datetime.now(tz=datetime.UTC)) < datetime.timedelta(minutes=1)


def test_headers(sandbox: Sandbox) -> None:
    client_of(sandbox, headers={"Accept-Language": "nl-nl", "IntegrationId": "1_2"}).environment()
    headers = sandbox.log[0].headers
    assert headers["Accept"] == "application/json"
    assert (headers["Accept-Language"], headers["IntegrationId"]) == ("nl-nl", "1_2")
    assert headers.get("Connection", "keep-alive") == "keep-alive"


def test_the_first_and_the_last_of_five_tries(sandbox: Sandbox) -> None:
    sandbox.faults = [Fault(refuse="bad_gateway", times=4)]
    with without_waiting() as pauses:
        answer = client_of(sandbox).rows("Articles", QUESTION)
    assert answer.retries == 4
    assert [2.0 * 2**number <= pause <= 2.0 * 2**number + 1 for number, pause in enumerate(pauses)] == [True] * 4


@pytest.mark.parametrize(
    "plan",
    [
        {"reset": True},
        {"cut": 0.5},
        {"refuse": "unexpected"},
        {"refuse": "unavailable"},
        {"refuse": "too_many_requests"},
    ],
)
def test_what_passes_is_asked_again(sandbox: Sandbox, plan: dict[str, object]) -> None:
    with without_waiting():
        client = client_of(sandbox)
        sandbox.faults = [{**plan, "times": 1}]
        answer = client.rows("Articles", QUESTION)
        assert (answer.retries, answer.body.count(b'"Code"')) == (1, 10)
        sandbox.faults = [plan]
        with pytest.raises(ProfitError, match="Tried 5 times"):
            client.rows("Articles", QUESTION)
    assert client.request_counts["Articles"] == 7


@pytest.mark.parametrize(
    "plan",
    [
        {"refuse": "unavailable", "retry_after": 9},
        {"status": 503, "body": '{"error":{"code":{"example":"503"}},"retry_after":9}'},
        {"status": 500, "body": '{"externalMessage":"Iets","retry_after":9}'},
    ],
)
def test_afas_says_how_long_to_wait(sandbox: Sandbox, plan: dict[str, object]) -> None:
    sandbox.faults = [{**plan, "times": 1}]
    with without_waiting() as pauses:
        client_of(sandbox).rows("Articles", QUESTION)
    assert pauses == [9.0]


def test_a_longer_wait_than_allowed_ends_it(sandbox: Sandbox) -> None:
    sandbox.faults = [Fault(refuse="maintenance")]
    with without_waiting() as pauses, pytest.raises(BusyError, match="`max_retry_wait`") as caught:
        client_of(sandbox, max_retry_wait=600).rows("Articles", QUESTION)
    back = datetime.datetime.now().astimezone() + datetime.timedelta(hours=2)
    assert f"{back:%Y-%m-%d}" in str(caught.value)
    assert pauses == []
    with without_waiting() as pauses, pytest.raises(BusyError, match="Tried 5 times"):
        client_of(sandbox, max_retry_wait=7200).rows("Articles", QUESTION)
    assert pauses == [7200.0] * 4


def test_a_time_out_waits_until_afas_has_surely_given_up(sandbox: Sandbox) -> None:
    sandbox.faults = [Fault(delay=0.4, times=1)]
    client = client_of(sandbox, request_timeout=0.1)
    with without_waiting() as pauses, pytest.raises(TimeOutError, match="`request_timeout`") as caught:
        client.rows("Articles", QUESTION)
    assert caught.value.retry_smaller
    assert pauses == [600.0]
    assert client.request_counts["Articles"] == 1


def test_after_afas_own_limit_no_wait_is_needed(sandbox: Sandbox) -> None:
    sandbox.faults = [Fault(delay=0.4, times=1)]
    with (
        without_waiting() as pauses,
        mock.patch.object(client_module, "_AFAS_TIMEOUT", 0.05),
        pytest.raises(TimeOutError),
    ):
        client_of(sandbox, request_timeout=0.1).rows("Articles", QUESTION)
    assert pauses == [2.0]


def test_a_description_can_not_be_asked_smaller(sandbox: Sandbox) -> None:
    sandbox.faults = [Fault(refuse="timeout", kind="metainfo", times=2)]
    with without_waiting():
        assert client_of(sandbox).connector("Articles").fields
    assert len(sandbox.log) == 3


def test_never_two_on_a_connector_nor_too_many(sandbox: Sandbox) -> None:
    sandbox.load([articles(3, f"C{number}") for number in range(6)])
    sandbox.faults = [Fault(delay=0.03), Fault(refuse="unavailable", probability=0.3)]

    def rest(_: ProfitClient, __: float) -> None:
        time.sleep(0.01)

    with mock.patch.object(ProfitClient, "_sleep", rest):
        client = client_of(sandbox, max_parallel_requests=3)

        def ask(number: int) -> None:
            with contextlib.suppress(BusyError):
                client.rows(f"C{number % 6}", QUESTION)
            with contextlib.suppress(BusyError):
                client.connector(f"C{number % 6}")

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(18)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sandbox.peak == 3
    assert set(sandbox.peaks.values()) == {1}


def test_a_retry_keeps_its_slot(sandbox: Sandbox) -> None:
    sandbox.faults = [Fault(refuse="unavailable", connector="Articles", times=1)]
    client = client_of(sandbox, max_parallel_requests=1)
    held: list[bool] = []

    def sleep(_: object, __: float) -> None:
        held.append(client._slots.acquire(blocking=False))

    with mock.patch.object(ProfitClient, "_sleep", sleep):
        client.rows("Articles", QUESTION)
    assert held == [False]
    assert client._slots.acquire(blocking=False)


def test_stopping_ends_the_waiting(sandbox: Sandbox) -> None:
    sandbox.faults = [Fault(refuse="unavailable", retry_after=500)]
    client = client_of(sandbox)
    caught: list[BaseException] = []

    def ask() -> None:
        try:
            client.rows("Articles", QUESTION)
        except StoppedError as error:
            caught.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not sandbox.log or not sandbox.log[0].status:
        time.sleep(0.005)
    client.stop()
    thread.join(5)
    assert len(caught) == 1
    with pytest.raises(StoppedError):
        client.rows("Articles", QUESTION)


def test_credentials_stay_with_their_host(sandbox: Sandbox) -> None:
    sandbox.faults = [Fault(redirect="https://elsewhere.example/path?with=query")]
    with pytest.raises(UnexpectedAnswerError, match=r"redirects to elsewhere\.example; .* to no other host"):
        client_of(sandbox).rows("Articles", QUESTION)
    sandbox.faults = [Fault(redirect=sandbox.base_url + "/metainfo")]
    with pytest.raises(UnexpectedAnswerError, match="redirects"):
        client_of(sandbox).rows("Articles", QUESTION)
    assert len(sandbox.log) == 2


def test_a_question_that_is_too_long_is_never_asked(sandbox: Sandbox) -> None:
    long = Query(("Code",), ((Condition("Name", "=", "é" * 400),),))
    with pytest.raises(QueryTooLongError, match=r"\d+ characters long, and AFAS takes 2049"):
        client_of(sandbox).rows("Articles", long)
    assert sandbox.log == []


def test_odd_names_arrive_as_they_are(sandbox: Sandbox) -> None:
    sandbox.load([articles(2, "Ödd/näme & co?#%.x")])
    client = client_of(sandbox)
    assert client.connector("Ödd/näme & co?#%.x").fields
    assert client.rows("Ödd/näme & co?#%.x", QUESTION).body.count(b"Code") == 2


def test_the_pauses_grow_and_are_never_shorter_than_told() -> None:
    least = [2.0, 4.0, 8.0, 16.0]
    drawn = [list(retry_pauses()) for _ in range(50)]
    for pauses in drawn:
        assert pauses == sorted(pauses)
        assert [low <= pause <= low + 1 for low, pause in zip(least, pauses, strict=True)] == [True] * 4
    assert len({pauses[0] for pauses in drawn}) > 1


def test_what_a_retry_adds_is_another_error(sandbox: Sandbox) -> None:
    def first_told(error: ProfitError) -> str:
        assert isinstance(error.__cause__, ProfitError)
        assert type(error.__cause__) is type(error)
        return str(error.__cause__)

    sandbox.faults = [Fault(refuse="gateway_timeout", language="en")]
    client = client_of(sandbox)
    with without_waiting(), pytest.raises(BusyError, match=r"just now\. Tried 5 times\. AFAS says") as tried:
        client.rows("Articles", QUESTION)
    assert "Tried" not in first_told(tried.value)
    assert (tried.value.retry_smaller, tried.value.still_busy, tried.value.status) == (True, True, 504)
    sandbox.faults = [Fault(refuse="maintenance")]
    with pytest.raises(BusyError, match="asks to come back after") as later:
        client.rows("Articles", QUESTION)
    assert first_told(later.value).endswith("see afasstatus.nl. Run again later.")
    sandbox.faults = []
    client.environment()
    sandbox.faults = [Fault(refuse="not_authorized")]
    with pytest.raises(NotAllowedError, match="its user has no rights to it") as listed:
        client.rows("Articles", QUESTION)
    assert "is not in the app connector" in first_told(listed.value)
    assert (listed.value.said, listed.value.status) != ("", None)


def test_what_the_list_of_connectors_explains(sandbox: Sandbox) -> None:
    client = client_of(sandbox)
    with pytest.raises(NotAllowedError, match="not in the app connector"):
        client.connector("Elsewhere")
    client.environment()
    sandbox.faults = [Fault(refuse="not_authorized")]
    with pytest.raises(NotAllowedError, match="its user has no rights to it"):
        client.rows("Articles", QUESTION)
    sandbox.faults = [Fault(refuse="unauthorized")]
    with pytest.raises(CredentialsError, match="took the credentials at first"):
        client.rows("Articles", QUESTION)
    sandbox.faults = [Fault(refuse="blocked")]
    with pytest.raises(ConnectorError, match="is blocked"):
        client.rows("Articles", QUESTION)


@pytest.mark.parametrize("body", ["", "nonsense", "[]", "{}", '"x"', "[" * 50_000, '{"externalMessage":"Iets"}'])
def test_what_is_no_list_of_connectors(sandbox: Sandbox, body: str) -> None:
    sandbox.faults = [Fault(status=200, body=body)]
    with pytest.raises(UnexpectedAnswerError):
        client_of(sandbox).environment()


def test_urls_are_not_logged(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client_of(sandbox).rows("Articles", Query(("Code",), ((Condition("Code", ">", "A00007"),),)))
    assert "A00007" not in caplog.text

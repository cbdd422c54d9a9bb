"""The server: quick to start and to stop, several at once, and what it counts."""

from __future__ import annotations

import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from asking import Asking, asking, item, items

from afas_sandbox import Fault, Sandbox
from afas_sandbox.control import Control
from afas_sandbox.exchange import Asked

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ask(sandbox: Sandbox) -> Iterator[Asking]:
    sandbox.load([items(*(item(f"{number:02}") for number in range(20)))])
    with asking(sandbox) as client:
        yield client


def _all_at_once(sandbox: Sandbox, number: int) -> list[int]:
    def one(_: int) -> int:
        with asking(sandbox) as client:
            try:
                return client.rows().status
            except (ConnectionError, http.client.RemoteDisconnected):
                return 0

    with ThreadPoolExecutor(number) as pool:
        return sorted(pool.map(one, range(number)))


def test_a_hundred_sandboxes_leave_nothing_behind() -> None:
    threads = threading.active_count()
    began = time.monotonic()
    for _ in range(100):
        with Sandbox([items(item("A"))]) as sandbox, asking(sandbox) as client:
            assert client.rows().codes == ["A"]
    assert threading.active_count() <= threads
    assert time.monotonic() - began < 30


def test_closing_breaks_off_what_is_under_way() -> None:
    sandbox = Sandbox([items(item("A"))], seconds_per_call=60)
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(_all_at_once, sandbox, 1)
        while not sandbox.log:
            time.sleep(0.01)
        sandbox.close()
        assert future.result() in ([0], [200])
    assert time.monotonic() - began < 30
    sandbox.close()
    with pytest.raises(OSError):
        asking(sandbox).__enter__().rows()


def test_a_connection_is_kept(ask: Asking) -> None:
    ask.rows()
    kept = ask._connection.sock
    ask.rows("Nope")
    ask.get("/nope")
    ask.control("GET", "/rows/Item")
    assert ask._connection.sock is kept


def test_how_many_were_under_way(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.options.seconds_per_call = 0.3
    assert _all_at_once(sandbox, 4) == [200] * 4
    assert (sandbox.peak, sandbox.peaks) == (4, {"Item": 4})
    sandbox.clear_log()
    ask.rows()
    assert (sandbox.peak, sandbox.peaks) == (1, {"Item": 1})
    assert sandbox.log[0].in_flight == 1


def test_too_many_at_once(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.options.seconds_per_call = 0.5
    sandbox.options.max_parallel = 2
    assert _all_at_once(sandbox, 3) == [200, 200, 503]
    sandbox.options.max_parallel = None
    sandbox.options.max_parallel_connector = 1
    sandbox.options.over_parallel = "reset"
    assert _all_at_once(sandbox, 2) == [0, 200]
    sandbox.options.seconds_per_call = 0
    assert ask.rows().status == 200


def test_time_per_row_and_per_row_passed_over(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.options.seconds_per_row = 0.01
    sandbox.options.seconds_per_skipped_row = 0.02
    ask.rows(take=5, skip=10, orderbyfieldids="Code")
    assert 0.25 <= sandbox.log[0].seconds < 5


def test_changes_and_requests_side_by_side(sandbox: Sandbox, ask: Asking) -> None:
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            sandbox.change("Item", updates=3, inserts=2, deletes=2)

    changing = threading.Thread(target=change)
    changing.start()
    try:
        assert all(ask.rows(orderbyfieldids="Modified,Code", take=1000).status == 200 for _ in range(50))
    finally:
        stop.set()
        changing.join()


def test_steering_only_from_this_machine(sandbox: Sandbox) -> None:
    control = Control(sandbox._store, sandbox._services, sandbox._changes)
    for client, status in (("127.0.0.1", 200), ("::1", 200), ("192.0.2.1", 403)):
        assert control.answer(Asked("GET", "/sandbox/status", "", {}, b"", client)).status == status


def test_a_broken_request(sandbox: Sandbox) -> None:
    connection = http.client.HTTPConnection(urlsplit(sandbox.root_url).netloc, timeout=30)
    connection.request("PATCH", "/ProfitRestServices/metainfo")
    assert connection.getresponse().status == 501
    connection.close()


def test_an_unknown_option() -> None:
    with pytest.raises(TypeError):
        Sandbox(colour="red")


def test_a_client_that_goes_away(sandbox: Sandbox, ask: Asking, capsys: pytest.CaptureFixture[str]) -> None:
    sandbox.faults = [Fault(delay=0.2, times=1)]
    connection = http.client.HTTPConnection(urlsplit(sandbox.root_url).netloc, timeout=30)
    connection.request("GET", "/ProfitRestServices/connectors/Item")
    connection.close()
    while not sandbox.log or sandbox.log[0].ended is None:
        time.sleep(0.01)
    assert ask.rows().status == 200
    assert capsys.readouterr().err == ""

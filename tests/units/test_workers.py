from __future__ import annotations

import threading
import time
from typing import NoReturn

import pytest

from tap_afas.scheduler import InterruptedRunError, Workers


def test_results_come_as_they_are_ready() -> None:
    workers = Workers(2)
    late = threading.Event()
    workers.submit("late", lambda: late.wait(10))
    workers.submit("early", lambda: 1)
    assert workers.next() == ("early", 1, None)
    late.set()
    assert workers.next() == ("late", True, None)
    workers.close()


def test_an_exception_is_handed_over() -> None:
    workers = Workers(1)
    failure = LookupError("no")

    def fail() -> NoReturn:
        raise failure

    workers.submit("owner", fail)
    assert workers.next() == ("owner", None, failure)
    workers.close()


def test_no_more_jobs_at_once_than_threads() -> None:
    workers = Workers(3)
    lock = threading.Lock()
    running = [0]
    peak = [0]

    def job() -> None:
        with lock:
            running[0] += 1
            peak[0] = max(peak[0], running[0])
        time.sleep(0.01)
        with lock:
            running[0] -= 1

    for number in range(12):
        workers.submit(number, job)
    assert {workers.next()[0] for _ in range(12)} == set(range(12))
    assert peak == [3]
    workers.close()


def test_interrupt_wakes_who_waits() -> None:
    workers = Workers(1)
    threading.Timer(0.05, workers.interrupt, [15]).start()
    with pytest.raises(InterruptedRunError, match="15") as caught:
        workers.next()
    assert caught.value.signum == 15
    workers.close()


def test_threads_end_on_close() -> None:
    workers = Workers(2)
    workers.close()
    deadline = time.monotonic() + 30
    while any(thread.is_alive() for thread in workers._threads):
        assert time.monotonic() < deadline
        time.sleep(0.01)

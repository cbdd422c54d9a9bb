"""What the scheduler does besides what the tests of whole runs see."""

from __future__ import annotations

import threading
from unittest import mock

import pytest

from tap_afas.scheduler import InterruptedRunError, Scheduler, Workers


def test_a_signal_before_the_first_request_is_not_forgotten() -> None:
    answered = threading.Event()
    repeat_state = mock.Mock()
    scheduler = Scheduler(mock.Mock(), repeat_state)

    def interrupted(number: int) -> Workers:
        assert scheduler.interrupt(15)
        return Workers(number)

    sync = mock.Mock(ask=lambda: answered.wait(10))
    sync.progress.pages, sync.definition.connector_id = 0, "A"
    late = threading.Timer(5, answered.set)
    late.start()
    with mock.patch("tap_afas.scheduler.Workers", interrupted), pytest.raises(InterruptedRunError):
        scheduler.run({sync: mock.Mock()}, 1)
    assert not answered.is_set()
    repeat_state.assert_called_once()
    late.cancel()
    answered.set()


def test_a_signal_while_nothing_is_read_is_for_others() -> None:
    scheduler = Scheduler(mock.Mock(), mock.Mock())
    assert not scheduler.interrupt(15)
    assert scheduler.run({}, 1) == {}
    assert not scheduler.interrupt(15)

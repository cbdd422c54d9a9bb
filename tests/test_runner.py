"""What the runner does besides what the tests of whole runs see."""

from __future__ import annotations

import threading
from unittest import mock

import pytest

from tap_afas.runner import Run
from tap_afas.workers import InterruptedRunError


def test_a_signal_before_the_first_request_is_not_forgotten() -> None:
    answered = threading.Event()
    run = Run([mock.Mock(describe=lambda: answered.wait(10))], 1)
    run.interrupt(15)
    late = threading.Timer(5, answered.set)
    late.start()
    with pytest.raises(InterruptedRunError):
        run()
    assert not answered.is_set()
    late.cancel()
    answered.set()

"""Some hundred hostile runs; `cases.py` runs as many as one likes."""

from __future__ import annotations

import resource

import pytest

from fuzz.cases import MOST_MEMORY, Server, run

_EACH = 50


@pytest.fixture(scope="module")
def server() -> Server:
    return Server()


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1, 400, _EACH))
def test_no_run_breaks_a_promise(server: Server, first: int) -> None:
    broken = {number: found for number in range(first, first + _EACH) if (found := run(number, server))}
    assert not broken
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < MOST_MEMORY

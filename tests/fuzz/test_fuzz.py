"""Some hundred hostile runs; `run.py` beside this file runs as many as one likes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from fuzz.run import run
from fuzz.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

_EACH = 50
_FIRST = int(os.environ.get("FUZZ_FIRST", "1"))
_CASES = int(os.environ.get("FUZZ_CASES", "500"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.mark.slow
@pytest.mark.parametrize("first", range(_FIRST, _FIRST + _CASES, _EACH))
def test_no_run_breaks_a_promise(server: Server, first: int) -> None:
    assert not {number: found for number in range(first, first + _EACH) if (found := run(number, server))}

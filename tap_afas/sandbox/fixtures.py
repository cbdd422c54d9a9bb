"""pytest fixtures; `pytest_plugins = ["tap_afas.sandbox.fixtures"]` in a `conftest.py` brings them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_afas.sandbox.clock import amsterdam
from tap_afas.sandbox.environment import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    """One environment for the whole session; call its `load` before using it."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_server: Sandbox) -> Iterator[Sandbox]:
    """An environment without connectors, on a server that all tests share; fill it with `load` or `add`."""
    sandbox_server.clock = amsterdam
    sandbox_server.load()
    yield sandbox_server
    sandbox_server.load()

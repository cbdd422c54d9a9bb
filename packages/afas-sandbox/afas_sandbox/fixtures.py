"""pytest fixtures, there as soon as the package is installed (an entry point of `pytest11`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox.environment import Sandbox


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    """One environment for the whole session; call its `load` before using it."""
    # Here, or every run of pytest where this package is installed would load it all.
    from afas_sandbox.environment import Sandbox  # noqa: PLC0415 - see above

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_server: Sandbox) -> Iterator[Sandbox]:
    """An environment without connectors, on a server that all tests share; fill it with `load` or `add`."""
    from afas_sandbox.clock import amsterdam  # noqa: PLC0415 - as above

    sandbox_server.clock = amsterdam
    sandbox_server.load()
    yield sandbox_server
    sandbox_server.load()

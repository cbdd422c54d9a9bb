"""Runs of the tap in this process, against a `Source`."""

from __future__ import annotations

import contextlib
import io
import json
import logging
from typing import TYPE_CHECKING, Any

from harness.command import without_waiting
from harness.run import Run
from harness.source import LAG
from tap_afas.scheduler import InterruptedRunError
from tap_afas.tap import TapAfas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from afas_sandbox import Sandbox
    from harness.source import Source
    from harness.targets import Target


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


def run(
    source: Source,
    state: Mapping[str, Any] | None = None,
    *,
    catalog: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Run:
    """Run the tap in this process."""
    return run_tap_of(source.sandbox, source.config(**settings), state, catalog or source.catalog())


def run_tap_of(
    sandbox: Sandbox,
    config: Mapping[str, Any],
    state: Mapping[str, Any] | None = None,
    catalog: Mapping[str, Any] | None = None,
) -> Run:
    """Run the tap in this process, with discovery where there is no catalog."""
    buffer = io.BytesIO()
    out = io.TextIOWrapper(buffer, encoding="utf-8", write_through=True)
    listener = _Listener()
    loggers = [logging.getLogger(name) for name in ("tap-afas", "singer_sdk")]
    for logger in loggers:
        logger.addHandler(listener)
    sandbox.clear_log()
    error: Exception | None = None
    try:
        with contextlib.redirect_stdout(out), without_waiting():
            # The tap may write into what it is given.
            given = json.loads(json.dumps([catalog, state or {}]))
            tap = TapAfas(config=dict(config), catalog=given[0], state=given[1])
            try:
                tap.run()
            except InterruptedRunError:
                raise
            except Exception as failure:  # noqa: BLE001 - what it is, the tests tell
                error = failure
    finally:
        for logger in loggers:
            logger.removeHandler(listener)
    out.flush()
    return Run(int(error is not None), buffer.getvalue(), listener.heard, error, list(sandbox.log))


def catch_up(source: Source, state: Mapping[str, Any], target: Target, *, runs: int = 1, **settings: Any) -> Run:
    """Run, with nothing else going on, until the target has all there is; what the last run left.

    It takes two runs where one was killed: the first ends that one's walk, the second brings what changed behind it.
    A stream that appends waits until nothing can come any more that is earlier.
    """
    for _ in range(runs):
        if source.walk.appends:
            source.clock.tick(LAG)
        ran = run(source, state, **settings)
        assert ran.error is None, ran.said
        target.load(ran.output)
        state = ran.state
    return ran

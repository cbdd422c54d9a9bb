"""The tap run in this process, against a source of `model`, and what it left."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from running import without_waiting

from tap_afas.scheduler import InterruptedRunError
from tap_afas.tap import TapAfas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model import Source
    from targets import Target

    from tap_afas.sandbox import Request

LAG = 3 * 86_400
"""Seconds after which a stream that appends has sent all: more than the overlap and twice a day."""


@dataclasses.dataclass
class Ran:
    """What a run of the tap left.

    Attributes:
        output: What it wrote.
        error: What it ended with, if it failed.
        log: Its warnings and errors.
        requests: What it asked of the sandbox.
    """

    output: bytes
    error: Exception | None
    log: list[str]
    requests: list[Request]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(line, parse_float=Decimal) for line in self.output.splitlines()]

    @property
    def records(self) -> list[dict[str, Any]]:
        return [message["record"] for message in self.messages if message["type"] == "RECORD"]

    @property
    def state(self) -> dict[str, Any]:
        """The last STATE; empty when there is none."""
        return last_state(self.output)

    @property
    def bookmark(self) -> dict[str, Any]:
        found: dict[str, Any] = self.state["bookmarks"]["Item"]
        return found

    @property
    def pages(self) -> list[Request]:
        """The requests for rows."""
        return [request for request in self.requests if request.kind == "rows"]

    @property
    def said(self) -> str:
        """Log and error in one text."""
        return "\n".join([*self.log, str(self.error or "")])


def last_state(output: bytes) -> dict[str, Any]:
    """The last STATE in an output; empty when there is none."""
    states = [line for line in output.splitlines() if line.startswith(b'{"type":"STATE"')]
    return json.loads(states[-1])["value"] if states else {}


def committed(output: bytes) -> bytes:
    """What of an output that breaks off a target has for sure: all up to the last whole STATE."""
    lines = output.split(b"\n")[:-1]
    states = [number for number, line in enumerate(lines) if line.startswith(b'{"type":"STATE"')]
    return b"".join(line + b"\n" for line in lines[: states[-1] + 1]) if states else b""


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
) -> Ran:
    """Run the tap in this process."""
    buffer = io.BytesIO()
    out = io.TextIOWrapper(buffer, encoding="utf-8", write_through=True)
    listener = _Listener()
    loggers = [logging.getLogger(name) for name in ("tap-afas", "singer_sdk")]
    for logger in loggers:
        logger.addHandler(listener)
    source.sandbox.clear_log()
    error: Exception | None = None
    try:
        with contextlib.redirect_stdout(out), without_waiting():
            # The tap may write into what it is given.
            given = json.loads(json.dumps([catalog or source.catalog(), state or {}]))
            tap = TapAfas(config=source.config(**settings), catalog=given[0], state=given[1])
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
    return Ran(buffer.getvalue(), error, listener.heard, list(source.sandbox.log))


def catch_up(source: Source, state: Mapping[str, Any], target: Target, *, runs: int = 1, **settings: Any) -> Ran:
    """Run, with nothing else going on, until the target has all there is; what the last run left.

    It takes two runs where one was killed: the first ends that one's walk, the second brings what changed behind it.
    A stream that appends waits until nothing can come any more that is earlier.
    """
    for _ in range(runs):
        if source.walk.appends:
            source.clock.tick(LAG)
        ran = run(source, state, **settings)
        assert ran.error is None, ran.said
        target.take(ran.output)
        state = ran.state
    return ran

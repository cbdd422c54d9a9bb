"""What a run of the tap, or of a target, left: one form, whichever way it was started."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from afas_sandbox import Request


@dataclasses.dataclass
class Run:
    """What a run left.

    Attributes:
        exit_code: 0 when all went well.
        output: What it wrote to stdout: a tap its messages, a target its states.
        log: What it logged, or wrote to stderr, by lines.
        error: What it ended with, if it failed within this process.
        requests: What it asked of the sandbox, if that was noted.
        pauses: How many seconds it would have waited each time.
    """

    exit_code: int
    output: bytes
    log: list[str]
    error: Exception | None = None
    requests: list[Request] = dataclasses.field(default_factory=list)
    pauses: list[float] = dataclasses.field(default_factory=list)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages of a tap; numbers with a fraction are exact."""
        return [json.loads(line, parse_float=Decimal) for line in self.output.splitlines()]

    def records(self, stream: str | None = None) -> list[dict[str, Any]]:
        """The records of a stream, or of all, in the order in which they came."""
        records = (message for message in self.messages if message["type"] == "RECORD")
        return [message["record"] for message in records if stream in (None, message["stream"])]

    def versions(self, stream: str) -> list[int]:
        """The versions that a tap activated of a stream."""
        activated = (message for message in self.messages if message["type"] == "ACTIVATE_VERSION")
        return [message["version"] for message in activated if message["stream"] == stream]

    @property
    def state(self) -> dict[str, Any]:
        """The last state: of a tap what it told, of a target what it has stored; empty when there is none."""
        states = [message.get("value", message) for message in self.messages if message.get("type", "STATE") == "STATE"]
        return states[-1] if states else {}

    @property
    def bookmark(self) -> dict[str, Any]:
        """The part of the stream `Item`."""
        found: dict[str, Any] = self.state["bookmarks"]["Item"]
        return found

    @property
    def catalog(self) -> dict[str, Any]:
        """What discovery wrote."""
        catalog: dict[str, Any] = json.loads(self.output)
        return catalog

    @property
    def pages(self) -> list[Request]:
        """The requests for rows."""
        return [request for request in self.requests if request.kind == "rows"]

    @property
    def said(self) -> str:
        """Log and error in one text."""
        return "\n".join([*self.log, *([str(self.error)] if self.error else [])])

    @property
    def errors(self) -> list[str]:
        """The sentences of level ERROR."""
        return self.lines("ERROR")

    def lines(self, level: str) -> list[str]:
        """The sentences of a level of the log."""
        parts = (line.split(" | ", 3) for line in self.log)
        return [part[3] for part in parts if len(part) == 4 and part[1].strip() == level]


def last_state(output: bytes) -> dict[str, Any]:
    """The last STATE in an output; empty when there is none."""
    states = [line for line in output.splitlines() if line.startswith(b'{"type":"STATE"')]
    return json.loads(states[-1])["value"] if states else {}


def committed(output: bytes) -> bytes:
    """What of an output that breaks off a target has for sure: all up to the last whole STATE."""
    lines = output.split(b"\n")[:-1]
    states = [number for number, line in enumerate(lines) if line.startswith(b'{"type":"STATE"')]
    return b"".join(line + b"\n" for line in lines[: states[-1] + 1]) if states else b""

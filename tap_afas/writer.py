"""Writes Singer messages, one by one or a page at a time."""

from __future__ import annotations

import sys

from singer_sdk.contrib.msgspec import MsgSpecWriter


class LineWriter(MsgSpecWriter):
    """The SDK's message writer, which can also write whole lines."""

    def write_lines(self, lines: bytes) -> None:
        """Write encoded messages, each with its line break, to standard output, and flush it."""
        sys.stdout.buffer.write(lines)
        sys.stdout.flush()

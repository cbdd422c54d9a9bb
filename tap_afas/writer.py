"""Writes Singer messages, one by one or a page at a time."""

from __future__ import annotations

import sys

from singer_sdk.contrib.msgspec import MsgSpecWriter


class LineWriter(MsgSpecWriter):
    """The SDK's writer, and one for lines that are encoded already."""

    def write_lines(self, lines: bytes) -> None:
        """Write lines that are encoded already."""
        sys.stdout.buffer.write(lines)
        sys.stdout.flush()

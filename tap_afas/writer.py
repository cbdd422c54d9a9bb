"""Writes Singer messages, one by one or a page at a time."""

from __future__ import annotations

import errno
import sys
import threading
from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib import RecordMessage

from tap_afas.known_secrets import SECRETS

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from singer_sdk.singerlib import Message

writing = threading.RLock()
"""Held while something is written: nobody ends the process meanwhile."""

# Windows says EINVAL where others say EPIPE.
_GONE = {errno.EPIPE, errno.EINVAL}


class OutputError(Exception):
    """What is written can't be written; `str()` is a sentence for the person who runs it.

    Args:
        cause: What the system says; None: there is no output.
        to_target: Whether a target reads it.
    """

    def __init__(self, cause: OSError | None = None, *, to_target: bool = True) -> None:
        if cause is None:
            what = "The output (stdout) is closed"
        elif cause.errno in _GONE:
            what = f"The output broke: what reads it{', the target,' if to_target else ''} has ended"
        else:
            what = f"The output broke: {cause.strerror or type(cause).__name__}"
        left = " What the target took is complete up to its last STATE: mend it, and run again." if to_target else ""
        super().__init__(f"{what}.{left}")


class LineWriter(MsgSpecWriter):
    """The SDK's writer, and one for lines that are encoded already; both tell an output that broke by `OutputError`."""

    @override
    def write_message(self, message: Message) -> None:
        """Write a message.

        Raises:
            OutputError: It can't be written.
        """
        line = bytes(self.format_message(message))
        # Records are the rows as they are.
        _write(line if isinstance(message, RecordMessage) else SECRETS.hide(line.decode()).encode())

    def write_lines(self, lines: bytes) -> None:
        """Write lines that are encoded already.

        Raises:
            OutputError: They can't be written.
        """
        _write(lines)


def _write(lines: bytes | bytearray) -> None:
    check_output()
    try:
        with writing:
            sys.stdout.buffer.write(lines)
            sys.stdout.flush()
    except OSError as error:
        raise OutputError(error) from None


def check_output(*, to_target: bool = True) -> None:
    """Check that there is an output.

    Raises:
        OutputError: There is none.
    """
    # Python has no `stdout` where the descriptor is closed.
    if sys.stdout is None or sys.stdout.closed:
        raise OutputError(to_target=to_target)

"""Writes Singer messages, one by one or a page at a time."""

from __future__ import annotations

import errno
import json
import sys
import threading
from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib import RecordMessage

from tap_afas.inputs import InputError
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


class SecretNameError(InputError):
    """A secret stands where a name belongs, which can't be written without telling it."""

    def __init__(self) -> None:
        super().__init__(
            "A secret in use stands where the name of a stream or of a field belongs: it isn't written. Take it out of"
            " the settings, the catalog or the GetConnector."
        )


class LineWriter(MsgSpecWriter):
    """The SDK's writer, and one for lines that are encoded already; both tell an output that broke by `OutputError`."""

    @override
    def write_message(self, message: Message) -> None:
        """Write a message.

        Raises:
            OutputError: It can't be written.
            SecretNameError: A secret stands where a name belongs.
        """
        line = bytes(self.format_message(message))
        # Records are the rows as they are.
        _write(line if isinstance(message, RecordMessage) else without_secrets(line.decode()).encode())

    def write_lines(self, lines: bytes) -> None:
        """Write lines that are encoded already.

        Raises:
            OutputError: They can't be written.
        """
        _write(lines)


def without_secrets(text: str, indent: int | None = None) -> str:
    """A message, or a catalog, with `…` for what of a secret stands in its descriptions.

    Names stay as they are: records bear them too, and the next run looks for them.

    Args:
        text: JSON.
        indent: How it is laid out.

    Raises:
        SecretNameError: A secret stands where a name belongs.
    """
    if not SECRETS.are_in(text):
        return text
    content = json.loads(text)
    left = [content]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            if isinstance(one.get("description"), str):
                one["description"] = SECRETS.hide(one["description"])
            left += one.values()
        elif isinstance(one, list):
            left += one
    written = json.dumps(content, ensure_ascii=False, indent=indent, separators=None if indent else (",", ":"))
    if SECRETS.are_in_name(written):
        raise SecretNameError
    return written + "\n" if text.endswith("\n") else written


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

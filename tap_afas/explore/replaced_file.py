"""Files that are replaced whole: who reads one meanwhile sees the old or the new one, and never a part."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from typing import TYPE_CHECKING

from tap_afas.inputs import InputError
from tap_afas.writer import OutputError

if TYPE_CHECKING:
    from pathlib import Path


class FileOutputError(OutputError):
    """A file can't be written; what stood there still does.

    Args:
        option: Of the command line, which names it.
        path: Where it is.
        cause: What the system says.
    """

    def __init__(self, option: str, path: Path, cause: OSError) -> None:
        Exception.__init__(self, f"{option} {path} can't be written: {cause.strerror or type(cause).__name__}.")


def check_writable(path: Path, option: str) -> None:
    """Check, as far as that can be known beforehand, that a file can be written.

    Raises:
        InputError: It can't.
    """
    if path.is_dir():
        raise InputError(f"{option} {path} is a folder: name a file in it.")
    if not path.parent.is_dir():
        raise InputError(f"{option} {path} can't be written: there is no folder {path.parent}.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError(f"{option} {path} can't be written: it is write-protected.")


def replace_file(path: Path, content: bytes, option: str) -> None:
    """Write a file, or replace one, whose mode and owner stay.

    Raises:
        FileOutputError: It can't be written.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        # A link stays one.
        path = path.resolve()
        new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with new.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                before = path.stat()
                shutil.copymode(path, new)
                if hasattr(os, "chown"):
                    with contextlib.suppress(OSError):
                        os.chown(new, before.st_uid, before.st_gid)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise FileOutputError(option, path, error) from None

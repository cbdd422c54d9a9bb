"""Runs hostile cases, and tells of each that breaks a promise.

    python tests/fuzz/run.py --cases 100000
    python tests/fuzz/run.py --first 4711 --cases 1

The second one runs a case again, by its number.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import functools
import importlib.metadata
import logging
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

if __name__ == "__main__":
    sys.path[:1] = [str(Path(__file__).parents[level]) for level in (2, 1)]

from fuzz.cases import make
from fuzz.promises import MOST_SECONDS, Outcome, broken
from fuzz.server import Server
from harness.command import run_tap

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_REPORTED_EACH = 1000
# Something that takes no signals, in C: the process is ended with a traceback.
_WATCHED_EACH = 50
_NO_RETURN = 40 * MOST_SECONDS
_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_version = functools.cache(importlib.metadata.version)


class HangError(BaseException):
    """A case doesn't end; not an `Exception`, so that nothing of the tap takes it for one of its own."""


def run(number: int, server: Server) -> list[str]:
    """Run a case; what it broke."""
    case = make(number, server.base_url(number))
    server.play(case)
    before = _restart_peak()
    began = time.monotonic()
    try:
        with (
            _no_longer_than(2 * MOST_SECONDS),
            _alone(),
            mock.patch.dict(os.environ, case.environment),
            # Read from disk for each command: a tenth of a case's time.
            mock.patch.object(importlib.metadata, "version", _version),
        ):
            ran = run_tap(case.config, *case.arguments, **case.files)
    except HangError:
        return [f"it doesn't end: {2 * MOST_SECONDS:.0f} s"]
    except AssertionError as error:
        return [f"a traceback: {str(error)[-1500:]}"]
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return [f"raised: {error!r}"]
    seconds, memory = time.monotonic() - began, _peak() - before
    return list(broken(Outcome(case, ran, server.asked, seconds, memory)))


@contextlib.contextmanager
def _no_longer_than(seconds: float) -> Iterator[None]:
    """Windows has no such alarm."""

    def ring(signum: int, frame: FrameType | None) -> None:
        raise HangError

    if sys.platform != "win32":
        former = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, former)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """No host but this machine is known; settings may name any."""
    look_up = socket.getaddrinfo

    def known(host: Any, *arguments: Any, **options: Any) -> Any:
        if host in {"127.0.0.1", "localhost"}:
            return look_up(host, *arguments, **options)
        str(host).encode("idna")
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with mock.patch.object(socket, "getaddrinfo", known):
        yield


def _restart_peak() -> int:
    """Bytes in use, from which the peak is counted anew where the system can do so."""
    with contextlib.suppress(OSError):
        _CLEAR.write_text("5", encoding="ascii")
    return _peak()


def _peak() -> int:
    with contextlib.suppress(OSError):
        for line in _STATUS.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    return _highest()


def _highest() -> int:
    """Bytes that the process had in use at most, as far as the system tells."""
    most = 0
    if sys.platform != "win32":
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << (0 if sys.platform == "darwin" else 10)
    return most


def main() -> None:
    """Run as many as the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=1, help="the number of the first case")
    parser.add_argument("--cases", type=int, default=1000, help="how many")
    options = parser.parse_args()
    logging.captureWarnings(capture=True)
    server, found, began = Server(), 0, time.monotonic()
    for done, number in enumerate(range(options.first, options.first + options.cases)):
        if done % _WATCHED_EACH == 0:
            faulthandler.dump_traceback_later(_NO_RETURN, exit=True)
        if done % _REPORTED_EACH == 0:
            sys.stderr.write(f"from {number}: {found} found; {time.monotonic() - began:.0f} s\n")
        if promises := run(number, server):
            found += 1
            sys.stdout.write(f"{number}: {'; '.join(promises)[:1500]}\n")
            sys.stdout.flush()
    faulthandler.cancel_dump_traceback_later()
    sys.stdout.write(
        f"{options.cases} cases from {options.first}: {found} broke a promise; {_highest() >> 20} MB,"
        f" {time.monotonic() - began:.0f} s\n"
    )
    sys.exit(found > 0)


if __name__ == "__main__":
    main()

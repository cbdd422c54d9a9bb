"""Whole processes: wall time from start to end, and the peak memory the system saw."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import msgspec
from contestants import CACHE, HERE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MIB = 1 << 20
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of a command.

    Attributes:
        seconds: Wall time.
        cpu: Seconds of processor, its own and the system's for it.
        peak: The largest resident memory of one of its processes, MiB.
    """

    seconds: float
    cpu: float
    peak: float


def median(runs: Sequence[Run]) -> Run:
    """The median of each figure."""
    return Run(*(statistics.median(getattr(run, field.name) for run in runs) for field in dataclasses.fields(Run)))


class FailedError(Exception):
    """A command failed, or didn't read what it was to read."""


def run(*commands: Sequence[str]) -> Run:
    """Run a command, or several as a pipeline; output goes to the null device.

    Raises:
        FailedError: One failed; with the end of what it said.
    """
    with tempfile.TemporaryFile() as said, contextlib.ExitStack() as closed:
        started = time.monotonic()
        processes: list[subprocess.Popen[bytes]] = []
        for number, command in enumerate(commands):
            source = processes[-1].stdout if processes else subprocess.DEVNULL
            sink = subprocess.PIPE if number + 1 < len(commands) else subprocess.DEVNULL
            process = subprocess.Popen(command, stdin=source, stdout=sink, stderr=said)
            if processes and processes[-1].stdout is not None:
                processes[-1].stdout.close()
            processes.append(process)
            closed.callback(_kill, process)
        cpu, peak = 0.0, 0
        for process in reversed(processes):
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            cpu += used.ru_utime + used.ru_stime
            peak = max(peak, used.ru_maxrss)
        seconds = time.monotonic() - started
        if any(process.returncode for process in processes):
            said.seek(0)
            raise FailedError(f"{commands}: {said.read()[-3000:].decode(errors='replace')}")
    return Run(seconds, cpu, peak * _MAXRSS_UNIT / _MIB)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        process.kill()


@dataclasses.dataclass(frozen=True)
class Server:
    """The stand-in for AFAS.

    Attributes:
        base_url: Its address.
        connectors: What it has.
    """

    base_url: str
    connectors: tuple[str, ...]

    def log(self) -> list[tuple[float, str, int, int]]:
        """The pages asked for since the last call: when, of which connector, first row, number of rows."""
        with urllib.request.urlopen(self.base_url.replace("ProfitRestServices", "log"), timeout=60) as answer:  # noqa: S310 - own server
            log: list[tuple[float, str, int, int]] = msgspec.json.decode(
                answer.read(), type=list[tuple[float, str, int, int]]
            )
            return log

    def check(self, rows: int) -> list[tuple[float, str, int, int]]:
        """Check that every row of every connector was asked for; returns the log.

        Raises:
            FailedError: Some weren't.
        """
        log = self.log()
        for connector in self.connectors:
            reached = 0
            for _, name, first, count in log:
                if name == connector and first <= reached:
                    reached = max(reached, first + count)
            if reached != rows:
                raise FailedError(f"{connector}: read {reached} of {rows} rows")
        return log


@contextlib.contextmanager
def serve(rows: int, connectors: int = 1, delays: Sequence[float] = (0.0, 0.0, 0.0)) -> Iterator[Server]:
    """Run the server, for `connectors` times `rows` rows; delays in seconds for a call, a row and a skipped row."""
    options: list[Any] = [CACHE / "tables", rows, "--connectors", connectors]
    for name, delay in zip(("--call", "--row", "--skipped"), delays, strict=True):
        options += [name, delay]
    command = [sys.executable, str(HERE / "server.py"), *map(str, options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            base_url = process.stdout.readline().strip() if process.stdout else ""
            yield Server(base_url, tuple(f"Journal_{number}" for number in range(1, connectors + 1)))
        finally:
            process.kill()

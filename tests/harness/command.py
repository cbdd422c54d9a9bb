"""The commands `tap-afas` and `tap-afas-explore`, run in this process."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import pathlib
import signal
import sys
import tempfile
from typing import TYPE_CHECKING, Any
from unittest import mock

from harness.run import Run
from tap_afas import tap
from tap_afas.explore import entry_point
from tap_afas.known_secrets import SECRETS, Secrets
from tap_afas.profit.client import ProfitClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


@contextlib.contextmanager
def without_waiting() -> Iterator[list[float]]:
    """No pause lasts; each is noted."""
    pauses: list[float] = []
    with mock.patch.object(ProfitClient, "_sleep", lambda _, seconds: pauses.append(seconds)):
        yield pauses


def run_tap(config: Mapping[str, Any] | None, *arguments: str, **files: Any) -> Run:
    """Run the command `tap-afas`, in this process.

    Args:
        config: The settings.
        arguments: The arguments.
        files: `state` and `catalog`: their content, or text that is none.
    """
    return _run("tap-afas", tap.main, config, arguments, files)


def explore(config: Mapping[str, Any] | None, *arguments: str, **files: Any) -> Run:
    """Run the command `tap-afas-explore`, in this process; it takes what `run_tap` takes."""
    return _run("tap-afas-explore", entry_point.main, config, arguments, files)


_HANGUP = [signal.SIGHUP] if hasattr(signal, "SIGHUP") else []


@contextlib.contextmanager
def on_hangup(action: signal.Handlers) -> Iterator[None]:
    """What a process that is started meanwhile does with SIGHUP: `nohup` and some schedulers have it ignored."""
    before = {number: signal.signal(number, action) for number in _HANGUP}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def _run(
    name: str,
    main: Callable[[], None],
    config: Mapping[str, Any] | None,
    arguments: Iterable[str],
    files: Mapping[str, Any],
) -> Run:
    # A command begins as a process does, and finds out by itself what is secret.
    vars(SECRETS).update(vars(Secrets()))
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, *_HANGUP)}
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", newline=""), io.StringIO()
    with tempfile.TemporaryDirectory() as folder, without_waiting() as pauses:
        options = list(arguments)
        for option, content in {"config": config, **files}.items():
            if content is not None:
                path = pathlib.Path(folder, f"{option}.json")
                written = content if isinstance(content, str | bytes) else json.dumps(content)
                path.write_bytes(written.encode() if isinstance(written, str) else written)
                options += [f"--{option}", str(path)]
        try:
            with (
                mock.patch.object(sys, "argv", [name, *options]),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
            ):
                main()
            code: Any = 0
        except SystemExit as ended:
            code = ended.code
        finally:
            root.handlers[:], root.level = handlers, level
            for number, handler in signals.items():
                signal.signal(number, handler)
    out.flush()
    assert "Traceback" not in err.getvalue(), err.getvalue()
    return Run(code or 0, out.buffer.getvalue(), err.getvalue().splitlines(), pauses=pauses)

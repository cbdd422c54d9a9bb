"""How the command ends: its exit code, and the last line, which says the same to machines."""

from __future__ import annotations

import contextlib
import enum
import io
import json
import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn

import click
from singer_sdk.exceptions import ConfigValidationError

from tap_afas.inputs import InputError, SettingsError
from tap_afas.log_sanitizer import sanitized
from tap_afas.profit.errors import ProfitError
from tap_afas.scheduler import FailedRunError, InterruptedRunError
from tap_afas.writer import OutputError, check_output, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tap_afas.profit.client import ProfitClient

logger = logging.getLogger("tap-afas")

_TOLD = (ConfigValidationError, ProfitError, InputError, FailedRunError, OutputError)
_SIGNAL = 128
_SIGINT = 2
_PATIENCE = 0.7


class ExitCode(enum.IntEnum):
    """What an exit code means; a run that a signal ended has 128 and its number."""

    COMPLETE = 0
    FAILED = 1
    USAGE = 2
    OUTPUT = 74
    AGAIN = 75
    INPUTS = 78


class Ending:
    """How the command ends.

    Args:
        program: The command's name; the last line is `<program> ended: ` and JSON.
        to_target: Whether a target reads its output.

    Attributes:
        streams: How many streams the run is about, those that failed included.
        failures: By the connector's id, why a stream failed.
        client: What asks AFAS, once it is there.
        concerns_streams: Whether there is a run, a test or a discovery; others have no last line where all goes well.
    """

    def __init__(self, program: str = "tap-afas", *, to_target: bool = True) -> None:
        self._prefix = f"{program} ended: "
        self._to_target = to_target
        self.streams = 0
        self.failures: dict[str, Exception] = {}
        self.client: ProfitClient | None = None
        self.concerns_streams = False
        self._over = threading.Event()

    def tell(self, code: int) -> None:
        """Say how the command ended, in one line for machines: whatever is logged otherwise, and as the last one."""
        figures = {
            "exit_code": int(code),
            "streams": self.streams,
            "failed": {name: {"may_pass": may_pass(error)} for name, error in sorted(self.failures.items())},
        }
        # Not `info`: who logs warnings only wants it too.
        logger.handle(
            logger.makeRecord(
                logger.name,
                logging.INFO,
                __file__,
                0,
                "%s%s",
                (self._prefix, json.dumps(figures)),
                None,
                extra=figures,
            )
        )

    def end_soon(self, code: int) -> None:
        """End the process where it doesn't end by itself, within two seconds from the end of the write at hand.

        Who works on a large page, or can't go on for another reason, looks at no signal.

        Args:
            code: The exit code.
        """
        threading.Thread(target=self._end, args=(code,), daemon=True).start()

    def _end(self, code: int) -> None:
        if self._over.wait(_PATIENCE):
            return
        with writing:
            pass
        if self._over.wait(_PATIENCE):
            return
        with writing:
            self.end_at_once(code)

    def end_at_once(self, code: int) -> NoReturn:
        """End the process, whatever it does."""
        # Who reads the log may have stopped doing so.
        telling = threading.Thread(target=self.tell, args=(code,), daemon=True)
        telling.start()
        telling.join(_PATIENCE / 2)
        os._exit(code)

    def run(self, command: Callable[[], Any], problem: str = "") -> int:
        """Run a command to its end: what people and settings can cause ends in a sentence, never in a traceback.

        Args:
            command: One of click that isn't standalone: it returns its exit code, or raises.
            problem: Why it can't begin, in a sentence; empty where it can.

        Returns:
            The exit code.
        """
        try:
            code = self._run(command, problem)
        finally:
            self._over.set()
        # What Python still has to write when it ends would fail once more, with a traceback.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if code != ExitCode.COMPLETE:
                _flush(sys.stdout.fileno())
        if code != ExitCode.COMPLETE or self.concerns_streams:
            self.tell(code)
        return code

    def _run(self, command: Callable[[], Any], problem: str) -> int:
        try:
            check_output(to_target=self._to_target)
            _check_usable(problem)
            code: int = command() or ExitCode.COMPLETE
            self._flush_output()
        except click.ClickException as error:
            _show(error)
            code = error.exit_code
        except SystemExit as error:
            # click ends so where the output of `--help` is gone, and signals do while nothing is read.
            gone = isinstance(error.__context__, OSError) and not self.concerns_streams
            code = ExitCode.OUTPUT if gone else _number(error.code)
        except (click.Abort, KeyboardInterrupt):
            code = _SIGNAL + _SIGINT
        except _TOLD as error:
            for sentence in _sentences(error):
                logger.error("%s", sentence)  # noqa: TRY400 - the sentence is for a person
            code = self._code(error)
        except InterruptedRunError as error:
            logger.error("%s What was written is complete up to the last STATE.", error)  # noqa: TRY400 - likewise
            code = _SIGNAL + error.signum
        except Exception as error:
            if isinstance(error, OSError) and not self.concerns_streams:
                # All that `--help` and the like do is write.
                logger.error("%s", OutputError(error, to_target=self._to_target))  # noqa: TRY400 - likewise
                return ExitCode.OUTPUT
            logger.exception("This is a bug of tap-afas, not a mistake of yours: please report it with these lines.")
            code = ExitCode.FAILED
        return code

    def _flush_output(self) -> None:
        try:
            sys.stdout.flush()
        except OSError as error:
            raise OutputError(error, to_target=self._to_target) from None

    def _code(self, error: Exception) -> int:
        if isinstance(error, OutputError):
            return ExitCode.OUTPUT
        causes = self.failures.values() if isinstance(error, FailedRunError) else [error]
        return code_of(causes, asked_for_rows=self.client is not None and self.client.asked_for_rows)


def may_pass(error: Exception) -> bool:
    """Whether the same run may succeed later without anybody changing anything."""
    return isinstance(error, ProfitError | InputError) and error.may_pass


def code_of(causes: Iterable[Exception], *, asked_for_rows: bool) -> ExitCode:
    """The exit code of a command that failed.

    Args:
        causes: Why.
        asked_for_rows: Whether a question for rows was sent.
    """
    if all(map(may_pass, causes)):
        return ExitCode.AGAIN
    return ExitCode.FAILED if asked_for_rows else ExitCode.INPUTS


def _check_usable(problem: str) -> None:
    if problem:
        raise SettingsError([problem])


def _show(error: click.ClickException) -> None:
    shown = io.StringIO()
    error.show(shown)
    # click writes no more than its own lines, and one with what was given.
    for line in shown.getvalue().splitlines():
        click.echo(sanitized(line), err=True)


def _sentences(error: Exception) -> Sequence[str]:
    if isinstance(error, ConfigValidationError):
        return error.errors
    return error.sentences if isinstance(error, SettingsError) else [str(error)]


def _number(code: str | int | None) -> int:
    return code if isinstance(code, int) else ExitCode.COMPLETE if code is None else ExitCode.FAILED


def _flush(stdout: int) -> None:
    """Have what an output that broke still holds go nowhere."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stdout)
        os.close(nowhere)

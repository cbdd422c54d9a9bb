"""Threads that wait for AFAS, so that one thread can do all else."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class InterruptedRunError(Exception):
    """The run was told to stop.

    Args:
        signum: By which signal.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(f"Stopped by signal {signum}.")
        self.signum = signum


class Workers:
    """Threads that do jobs and hand back what came of them, in the order it came.

    They are daemons: one that waits for AFAS doesn't keep the program from ending.

    Args:
        number: How many.
    """

    def __init__(self, number: int) -> None:
        self._jobs: queue.SimpleQueue[tuple[Any, Callable[[], Any]] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[Any, Any, BaseException | None] | int] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"afas-{index}", daemon=True) for index in range(number)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, owner: Any, job: Callable[[], Any]) -> None:
        """Have a job done."""
        self._jobs.put((owner, job))

    def interrupt(self, signum: int) -> None:
        """Make `next` raise; may be called from a signal handler."""
        self._results.put(signum)

    def next(self) -> tuple[Any, Any, BaseException | None]:
        """Wait for what comes first: the owner of a job, its result, or the exception it raised.

        Raises:
            InterruptedRunError: `interrupt` was called.
        """
        while True:
            try:
                # On Windows, no signal gets through to a wait without an end.
                result = self._results.get(timeout=1)
                break
            except queue.Empty:
                pass
        if isinstance(result, int):
            raise InterruptedRunError(result)
        return result

    def close(self) -> None:
        """Let the threads end when they have nothing left to do."""
        for _ in self._threads:
            self._jobs.put(None)

    def _work(self) -> None:
        while (entry := self._jobs.get()) is not None:
            owner, job = entry
            try:
                self._results.put((owner, job(), None))
            except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits
                self._results.put((owner, None, error))

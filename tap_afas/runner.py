"""Runs syncs side by side: requests in threads, everything else in one.

The SDK's `sync_all` is final, and takes one stream after the other. This is what the command line calls instead;
`sync_all` still works, since a stream's own sync comes here too, alone.

One thread writes. It takes an answer, lets the walk learn it, sends the next question of that connector on its way,
and only then encodes and writes the page and the state: so AFAS works while lines are written, and every STATE is
true for the lines before it, without a lock. No more connectors are under way than requests may be, so no more pages
are in memory than that, and one.
"""

from __future__ import annotations

import collections
import logging
import queue
import threading
from typing import TYPE_CHECKING, Any

from tap_afas.bookmark import StateError
from tap_afas.filters import FilterError
from tap_afas.profit.client import StoppedError
from tap_afas.profit.errors import ProfitError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_afas.profit.client import Answer
    from tap_afas.profit.metainfo import Connector
    from tap_afas.sync import StreamSync

logger = logging.getLogger("tap-afas")

FAILURES = (ProfitError, FilterError, StateError)


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
        result = self._results.get()
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


class Run:
    """A run over some streams.

    Args:
        syncs: The syncs, in the order to start them.
        parallel: How many at once.
    """

    def __init__(self, syncs: Sequence[StreamSync], parallel: int) -> None:
        self.failures: dict[str, Exception] = {}
        self._waiting = collections.deque(syncs)
        self._parallel = max(1, min(parallel, len(syncs)))
        self._described: set[StreamSync] = set()
        self._active: set[StreamSync] = set()
        self._workers: Workers | None = None
        self._signum: int | None = None

    def interrupt(self, signum: int) -> None:
        """Stop after the page at hand; may be called from a signal handler."""
        self._signum = signum
        if self._workers is not None:
            self._workers.interrupt(signum)

    def __call__(self) -> None:
        """Run until all streams are done or have failed; `failures` then tells which.

        Raises:
            InterruptedRunError: `interrupt` was called.
        """
        workers = self._workers = Workers(self._parallel)
        try:
            while self._waiting or self._active:
                while self._waiting and len(self._active) < self._parallel:
                    sync = self._waiting.popleft()
                    self._active.add(sync)
                    workers.submit(sync, sync.describe)
                sync, result, error = workers.next()
                if self._signum is not None:
                    raise InterruptedRunError(self._signum)
                # A stream can fail on a page while its next one is under way.
                if sync in self._active:
                    self._handle(workers, sync, result, error)
        finally:
            workers.close()

    def _handle(self, workers: Workers, sync: StreamSync, result: Any, error: BaseException | None) -> None:
        try:
            if isinstance(error, ProfitError) and error.smaller and sync in self._described:
                sync.shrink(error)
                workers.submit(sync, sync.ask)
            elif error is not None:
                raise error
            elif sync not in self._described:
                self._begin(workers, sync, result)
            else:
                self._take(workers, sync, result)
        except FAILURES as failure:
            self.failures[sync.stream.connector_id] = failure
            sync.stream.logger.error("%s", failure)  # noqa: TRY400 - the sentence is for a person
            self._active.discard(sync)
        except StoppedError:
            self._active.discard(sync)

    def _begin(self, workers: Workers, sync: StreamSync, connector: Connector) -> None:
        sync.begin(connector)
        self._described.add(sync)
        sync.stream.write_schema()
        workers.submit(sync, sync.ask)

    def _take(self, workers: Workers, sync: StreamSync, answer: Answer) -> None:
        page = sync.take(answer)
        done = sync.done
        if not done:
            workers.submit(sync, sync.ask)
        sync.stream.write_page(sync, page)
        if done:
            self._active.discard(sync)
            sync.stream.write_end(sync)
        else:
            sync.report_progress()

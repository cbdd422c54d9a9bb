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
from typing import TYPE_CHECKING, Any

from tap_afas.inputs import InputError
from tap_afas.profit.errors import ProfitError, StoppedError
from tap_afas.workers import InterruptedRunError, Workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.client import Answer
    from tap_afas.profit.metainfo import Connector
    from tap_afas.sync import StreamSync

_FAILURES = (ProfitError, InputError)


class FailedRunError(Exception):
    """Some streams failed; each has been reported."""


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

    def _check_signal(self) -> None:
        if self._signum is not None:
            raise InterruptedRunError(self._signum)

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
                # A signal that came before there were workers, and one that came while they worked.
                self._check_signal()
                sync, result, error = workers.next()
                self._check_signal()
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
        except _FAILURES as failure:
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
        sync.write(page)
        if done:
            self._active.discard(sync)

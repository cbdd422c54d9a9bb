"""Runs syncs side by side: requests in threads, everything else in one.

The SDK's `sync_all` is final, and takes one stream after the other. This is what the command line calls instead;
`sync_all` still works, since a stream's own sync comes here too, alone.

One thread writes. It takes an answer, lets the sync learn it, sends the next question of that connector on its way,
and only then encodes and writes the page and the state: so AFAS works while lines are written, and every STATE is
true for the lines before it, without a lock. No more connectors are under way than requests may be, so no more pages
are in memory than that, and one.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import queue
import threading
from typing import TYPE_CHECKING, Any

from tap_afas.inputs import InputError
from tap_afas.profit.errors import ProfitError, StoppedError
from tap_afas.progress import Tally
from tap_afas.writer import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_afas.profit.client import ProfitClient
    from tap_afas.stream import AfasStream
    from tap_afas.sync import Sync

logger = logging.getLogger("tap-afas")


class FailedRunError(Exception):
    """Some streams failed; each has been reported."""


class InterruptedRunError(Exception):
    """The run was told to stop.

    Args:
        signum: By which signal.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(f"Stopped by signal {signum}.")
        self.signum = signum


class Scheduler:
    """Runs the syncs of several streams at once, and stops them when a signal comes.

    Args:
        client: Asks AFAS.
        repeat_state: Writes the STATE once more.
    """

    def __init__(self, client: ProfitClient, repeat_state: Callable[[], None]) -> None:
        self._client = client
        self._repeat_state = repeat_state
        self._runs = False
        self._signum: int | None = None
        self._workers: Workers | None = None

    def interrupt(self, signum: int) -> bool:
        """Stop after the page at hand; False when nothing is being read. May be called from a signal handler."""
        if not self._runs:
            return False
        self._signum = signum
        if self._workers is not None:
            self._workers.interrupt(signum)
        return True

    def run(
        self, streams: Mapping[Sync, AfasStream], parallel: int, failures: dict[str, Exception] | None = None
    ) -> dict[str, Exception]:
        """Run syncs until all have ended.

        Args:
            streams: The syncs, in the order to start them, each with the stream that writes what it delivers.
            parallel: How many at once.
            failures: By the connector's id, why a stream failed before; more are added as they come.

        Returns:
            The same, after the run.

        Raises:
            InterruptedRunError: `interrupt` was called.
        """
        self._runs = True
        failures = {} if failures is None else failures
        tally = Tally(len(streams) + len(failures), len(failures))
        try:
            self._run(streams, max(1, min(parallel, len(streams))), failures, tally)
        except BaseException as error:
            self._client.stop()
            if isinstance(error, InterruptedRunError):
                # Even where the last page didn't change it: the end is where it is looked for. Who stops a run may have
                # stopped the target first.
                with contextlib.suppress(OutputError):
                    self._repeat_state()
            raise
        finally:
            tally.closes(streams)
            self._runs = False
            self._signum = self._workers = None
        return failures

    def _run(
        self, streams: Mapping[Sync, AfasStream], parallel: int, failures: dict[str, Exception], tally: Tally
    ) -> None:
        waiting = collections.deque(streams)
        under_way: set[Sync] = set()
        workers = self._workers = Workers(parallel)
        try:
            while waiting or under_way:
                while waiting and len(under_way) < parallel:
                    under_way.add(waiting[0])
                    workers.submit(waiting[0], waiting.popleft().ask)
                # A signal that came before there were workers, and one that came while they worked.
                self._check_signal()
                sync, asked, error = workers.next()
                self._check_signal()
                # A stream can fail on a page while its next one is under way.
                if sync not in under_way:
                    continue
                try:
                    self._handle_result(workers, sync, streams[sync], asked, error)
                except (ProfitError, InputError) as failure:
                    failures[sync.definition.connector_id] = failure
                    sync.definition.logger.error("%s", failure)  # noqa: TRY400 - the sentence is for a person
                    sync.fail()
                except StoppedError:
                    sync.fail()
                if not sync.under_way:
                    under_way.remove(sync)
                    tally.ends(sync, failed=sync.definition.connector_id in failures)
        finally:
            workers.close()

    def _handle_result(
        self, workers: Workers, sync: Sync, stream: AfasStream, asked: Any, error: BaseException | None
    ) -> None:
        delivery = sync.receive(asked, error)
        if sync.has_page:
            # Once, and not before a page has shown that the key tells rows apart: targets keep it.
            stream.write_schema()
        if sync.under_way:
            workers.submit(sync, sync.ask)
        if delivery is not None:
            stream.write(sync.encoder, delivery)
            sync.count_written(delivery)

    def _check_signal(self) -> None:
        if self._signum is not None:
            raise InterruptedRunError(self._signum)

    def run_all(self, streams: Mapping[Sync, AfasStream], parallel: int, failures: dict[str, Exception]) -> None:
        """Run the syncs of a whole run, the largest streams first, and log a summary of each.

        Args:
            streams: As `run` takes them.
            parallel: How many at once.
            failures: By the connector's id, why a stream failed before there was anything to run; those that fail now
                are added.

        Raises:
            FailedRunError: Some failed; the others are complete.
            InterruptedRunError: `interrupt` was called.
        """
        syncs = sorted(streams, key=lambda sync: sync.expected_rows, reverse=True)
        number = len(streams) + len(failures)
        try:
            self.run({sync: streams[sync] for sync in syncs}, parallel, failures)
        finally:
            self._report(syncs)
        for connector_id, failure in sorted(failures.items()):
            logger.error("Failed: %s: %s", connector_id, failure)
        if failures:
            others = "; the others are complete" if len(failures) < number else ""
            raise FailedRunError(f"{len(failures)} of {number} streams failed{others}.")

    def _report(self, syncs: Iterable[Sync]) -> None:
        """The totals that AFAS' fair use is about."""
        rows_read = sum(sync.progress.read for sync in syncs)
        requests = self._client.request_counts.total()
        logger.info(
            "Asked of AFAS: %d requests, %d rows.",
            requests,
            rows_read,
            extra={"requests": requests, "rows_read": rows_read},
        )


class Workers:
    """A pool of daemon threads that run jobs; `next` returns their results, whichever is done first.

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
        """Queue a job; its result comes from `next` together with `owner`."""
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

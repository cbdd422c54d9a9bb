"""Counts a sync's rows, pages and retries, and logs a line of progress every 30 seconds."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_afas.sync import Sync

logger = logging.getLogger("tap-afas")

_SECONDS_BETWEEN_LINES = 30.0


class Progress:
    """The counts of one sync.

    Attributes:
        rows: Rows written.
        pages: Pages read.
        read: Rows in those pages; with rows that came twice, more than were written.
        retries: Requests for pages that were sent again.

    Args:
        logger: For the line of progress.
    """

    def __init__(self, logger: logging.Logger | logging.LoggerAdapter[logging.Logger]) -> None:
        self.rows = self.pages = self.read = self.retries = 0
        self._logger = logger
        self._logged = self._started = time.monotonic()
        self._written = 0.0

    @property
    def seconds(self) -> float:
        """From the first request for a page until the last page was written."""
        return max(0.0, self._written - self._started)

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / max(self.seconds, 0.001)

    def start_clock(self) -> None:
        """Start to count the seconds: the first page is being asked for."""
        self._started = time.monotonic()

    def add_page_read(self, rows: int, retries: int) -> None:
        """Count a page of so many rows, for which so many requests were sent again."""
        self.pages += 1
        self.read += rows
        self.retries += retries

    def add_written(self, rows: int, *, last: bool) -> None:
        """Count the rows of a page that was written; logs a line every half minute, but none for the `last` page."""
        self.rows += rows
        self._written = time.monotonic()
        if last or self._written - self._logged < _SECONDS_BETWEEN_LINES:
            return
        self._logged = self._written
        self._logger.info("%d rows so far, %.0f rows/s", self.rows, self.rate)


class Tally:
    """How many of the streams of a run have ended; tells what came of each as it ends.

    Args:
        streams: How many there are.
        ended: How many had ended before the run began.
    """

    def __init__(self, streams: int, ended: int = 0) -> None:
        self._streams = streams
        self._before = ended
        self._ended: set[Sync] = set()

    def ends(self, sync: Sync, *, failed: bool) -> None:
        """Tell that a sync ended, with its rows and their rate."""
        self._ended.add(sync)
        count = f" {self._before + len(self._ended)} of {self._streams} streams have ended."
        self._tell(sync, "failed" if failed else "complete", count)

    def closes(self, syncs: Iterable[Sync]) -> None:
        """Tell of the syncs that didn't end, since the run did."""
        unread = []
        for sync in syncs:
            if sync in self._ended:
                continue
            if sync.progress.pages:
                self._tell(sync, "stopped")
            else:
                unread.append(sync.definition.connector_id)
        if unread:
            logger.warning("Not read: %s.", ", ".join(unread), extra={"not_read": unread})

    def _tell(self, sync: Sync, outcome: str, count: str = "") -> None:
        figures = sync.summary()
        logger.info(
            "%s: %s%d rows in %d pages, %d requests, %d retries, %.1f s, %.0f rows/s%s.%s",
            figures["connector"],
            "" if outcome == "complete" else f"{outcome} behind ",
            figures["rows"],
            figures["pages"],
            figures["requests"],
            figures["retries"],
            figures["seconds"],
            figures["rows_per_second"],
            f", up to {figures['bookmark']}" if figures["bookmark"] is not None else "",
            count,
            extra={**figures, "outcome": outcome},
        )

"""Counts a sync's rows, pages and retries, and logs a line of progress every 30 seconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

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

    def __init__(self, logger: logging.Logger) -> None:
        self.rows = self.pages = self.read = self.retries = 0
        self._logger = logger
        self._logged = self._started = time.monotonic()
        self._written = 0.0

    @property
    def seconds(self) -> float:
        """From the first request for a page until the last page was written."""
        return max(0.0, self._written - self._started)

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
        self._logger.info(
            "%d rows so far, %.0f rows/s",
            self.rows,
            self.rows / max(self.seconds, 0.001),
        )

"""What a sync has done so far, and the line that says it now and then."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

_SECONDS = 30.0


class Progress:
    """What a sync has done so far.

    Attributes:
        rows: Written.
        pages: Read.
        read: Rows in them, those that came again included.
        retries: Of questions for pages.

    Args:
        logger: Where it is said.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self.rows = self.pages = self.read = self.retries = 0
        self._logger = logger
        self._said = self._started = time.monotonic()
        self._written = 0.0

    @property
    def seconds(self) -> float:
        """From the sync's beginning until it last wrote a page."""
        return max(0.0, self._written - self._started)

    def start_clock(self) -> None:
        """The first question is asked."""
        self._started = time.monotonic()

    def add_page_read(self, rows: int, retries: int) -> None:
        """A page was read."""
        self.pages += 1
        self.read += rows
        self.retries += retries

    def add_written(self, rows: int, *, last: bool) -> None:
        """The new rows of a page were written."""
        self.rows += rows
        self._written = time.monotonic()
        if last or self._written - self._said < _SECONDS:
            return
        self._said = self._written
        self._logger.info(
            "%d rows so far, %.0f rows/s",
            self.rows,
            self.rows / max(self.seconds, 0.001),
        )

"""What reading a connector takes: measured on its pages, and reckoned for a first load and for a run each hour."""

from __future__ import annotations

import math

from tap_afas.explore.findings import Cost, Finding
from tap_afas.profit.pagination.page_size import DEFAULT_TAKE

_HOURS_A_DAY = 24
# AFAS' own advice for a call (docs.afas.help, "Get performance").
_ADVICE = 1.0


class Timing:
    """How long pages took.

    Attributes:
        pages: How many there were.
        rows: Rows in them.
        seconds: Seconds that AFAS took, in all.
        slowest: And for the slowest.
    """

    def __init__(self) -> None:
        self.pages = self.rows = 0
        self.seconds = self.slowest = 0.0

    def add(self, rows: int, seconds: float) -> None:
        """Take a page."""
        self.pages += 1
        self.rows += rows
        self.seconds += seconds
        self.slowest = max(self.slowest, seconds)

    def cost(
        self,
        *,
        rows: int,
        counted: bool | None,
        page_size: int,
        incremental: bool,
        changes_a_day: float | None,
    ) -> Cost:
        """What reading takes.

        Args:
            rows: Rows in the table, as far as that is known.
            counted: Whether they were counted; None: all were read; False: there are at least so many.
            page_size: Rows a page of the tap.
            incremental: Whether a run reads only what changed.
            changes_a_day: Rows that change a day.
        """
        a_page = self.seconds / max(1, self.pages)
        a_row = self.seconds / max(1, self.rows)
        pages = math.ceil(rows / page_size)
        # A last page of fewer rows than this is known to be the last.
        more = int(rows % page_size >= DEFAULT_TAKE or (rows > 0 and not rows % page_size))
        # Its description, and the highest stamp.
        backfill = 1 + max(1, pages + more) + (2 if incremental else 0)
        hourly_rows = min(rows, (changes_a_day or 0.0) / _HOURS_A_DAY) if incremental else float(rows)
        hourly = backfill
        if incremental:
            # Its description, and what changed.
            hourly = 2 + (math.ceil(hourly_rows / page_size) if hourly_rows > page_size else 0)
        return Cost(
            pages=self.pages,
            page_rows=self.rows / max(1, self.pages),
            seconds=a_page,
            slowest=self.slowest,
            rows=rows,
            counted="read" if counted is None else "counted" if counted else "at least",
            page_size=page_size,
            backfill_requests=backfill,
            backfill_seconds=max(a_page, a_row * rows),
            hourly_requests=hourly,
            hourly_seconds=max(a_page, a_row * hourly_rows),
            hourly_rows=hourly_rows,
        )


def findings_about(cost: Cost) -> list[Finding]:
    """Whether it stays within AFAS' advice of under a second a call."""
    if not cost.pages or cost.seconds < _ADVICE:
        return []
    fitting = max(1, math.floor(cost.page_rows * _ADVICE / cost.seconds * 0.8))
    facts = {"seconds": cost.seconds, "page_rows": round(cost.page_rows), "fitting": fitting}
    return [Finding(code="slow", severity="warning", facts=facts)]

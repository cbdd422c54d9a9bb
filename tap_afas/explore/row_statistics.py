"""All that is counted of a connector's rows, page by page; no row is held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_afas.discovery import stream_name
from tap_afas.explore.column_findings import Fit, LargeValues, TolerantReader
from tap_afas.explore.personal import PersonalData
from tap_afas.explore.stamps import Stamps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.plan import Plan
    from tap_afas.profit.metainfo import Connector
    from tap_afas.profit.page import Page
    from tap_afas.profit.wall_time import WallClock


class RowStatistics:
    """What is counted while a connector is read once.

    Args:
        connector: The connector.
        plan: How the tap would read it.
        clock: Of AFAS' wall time.
        named: As in `Stamps`.

    Attributes:
        reader: Reads pages.
        rows: How many rows were counted.
    """

    def __init__(self, connector: Connector, plan: Plan, clock: WallClock, named: str | None) -> None:
        self._like = plan.reader
        self.reader = self._reader()
        self.rows = 0
        self.stamps = Stamps(connector, named, clock.to_wall(plan.start))
        self.personal = PersonalData(connector)
        self.fit = Fit(stream_name(connector.id), self.reader, plan.emitted, clock)
        self.large = LargeValues(connector)

    def _reader(self) -> TolerantReader:
        reader = TolerantReader(self._like.connector_id, self._like.kinds, key=self._like.key)
        reader.hints = self._like.hints
        return reader

    def add(self, page: Page, positions: Sequence[int], body: bytes) -> None:
        """Count rows of a page, which are used up.

        Args:
            page: The page.
            positions: Which of its rows.
            body: What it was read from.
        """
        if not positions:
            return
        self.rows += len(positions)
        self.stamps.add(page, positions)
        self.personal.add(page, positions)
        self.large.add(page.column, positions)
        # What doesn't fit was noted when it was read; a second time it isn't.
        self.fit.add(page.rows_at(positions), lambda: self._reader().read(body).rows_at(positions))

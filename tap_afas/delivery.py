"""What a sync hands out to be written."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Delivery:
    """The new rows of a page, and the STATE to write after them.

    Attributes:
        rows: The new rows; an encoder uses them up.
        state: The stream's part of the STATE behind them.
        version: The version of their records, if any.
        activates: Whether behind them, the target may take out the rows of other versions.
        last: Whether they are the stream's last.
        days: Behind them, the records of the stream that tells which days were read again.
        days_state: That stream's part of the STATE.
        extracted_at: The time of all these records; None: that of writing them.
    """

    rows: list[Any]
    state: dict[str, Any]
    version: int | None
    activates: bool
    last: bool
    days: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    days_state: dict[str, Any] | None = None
    extracted_at: datetime.datetime | None = None

"""What a run reads, where it begins, and where a killed one stood."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_afas.profit.pagination.key import Key
    from tap_afas.profit.pagination.selection import Selection, Stamp
    from tap_afas.profit.query import Filter
    from tap_afas.profit.wall_time import Unit


@dataclasses.dataclass(frozen=True, slots=True)
class Scan:
    """A selection, read from its first page to its last.

    Attributes:
        selection: Which rows.
        where: The filter of the settings, or a part of one that doesn't fit into a question as a whole.
        name: Of the selection and the part; the place in the STATE names it.
        version: Under which its records go, if they bear one.
    """

    selection: Selection
    where: Filter = ()
    name: str = ""
    version: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class ResumePoint:
    """All that a walk stands on, so that a killed run can go on.

    Attributes:
        scan: The name of the scan it stands in.
        cursor: Keys to go on from, the last one first; empty: it has not begun.
        lower: The lower end of the run, if it has one.
        highest: The highest stamp as answered before the first page, at or before `cap`; or of the rows read so far.
        witness: The key of the row that bears it.
        asked: Whether AFAS answered it.
        cap: The earliest wall time of the run's start.
        met: Whether what came shows that AFAS reads the lower end as it shows stamps.
    """

    scan: str
    cursor: tuple[Key, ...] = ()
    lower: Stamp = None
    highest: Stamp = None
    witness: Key | None = None
    asked: bool = False
    cap: Stamp = None
    met: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class StartingPoint:
    """What earlier runs left, and where this one begins.

    Attributes:
        lower: The stamp to begin at; None for a first sync.
        bookmark: The highest stamp that earlier runs reached.
        witness: The key of a row that bore it.
        unit: In which stamps were shown so far.
        cap: No later stamp becomes the bookmark. None: any may.
        at_once: Whether one question may do for all that changed.
        lagged: For a stream that appends: the cap, by the unit in which stamps are shown.
        beyond: For a stream that appends: a stamp that no row passes which is shown with this one, by the unit.
        scans_up_to: For a stream that appends: what to read up to a stamp (None: there is none).
    """

    lower: Stamp = None
    bookmark: Stamp = None
    witness: Key | None = None
    unit: Unit | None = None
    cap: Stamp = None
    at_once: bool = False
    lagged: Callable[[Unit], Stamp] | None = None
    beyond: Callable[[Stamp, Unit | None], Stamp] | None = None
    scans_up_to: Callable[[Stamp], Sequence[Scan]] | None = None

    @property
    def meets_witness(self) -> bool:
        """Whether the run begins at or before the bookmark, and so should meet the row that bore it."""
        return not self.lagged and None not in {self.lower, self.bookmark} and bool(self.lower <= self.bookmark)

"""What a run reads (`Scan`), where it begins (`StartingPoint`), and where a killed one can go on (`ResumePoint`)."""

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
    """One pass through the rows of a selection, from the first page to the last.

    Attributes:
        selection: Which rows.
        where: The filter of the settings, or a part of one that doesn't fit into a question as a whole.
        name: Tells it from the run's other scans, such as `all` or `changed 2`; `place` in the STATE holds it.
        version: The `version` of its RECORD messages, if they have one.
    """

    selection: Selection
    where: Filter = ()
    name: str = ""
    version: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class ResumePoint:
    """All that a run needs to go on where a killed one stopped; `place` in the STATE, as text.

    Attributes:
        scan: The name of the scan that was under way.
        cursor: Keys to go on from, the last one first; empty where no page had come.
        lower: The run's lower bound: it reads rows whose stamp is at or after it.
        highest: The highest stamp as answered before the first page, at or before `cap`; or of the rows read so far.
        witness: The key of the row with that stamp.
        asked: Whether `highest` is an answer of AFAS to that very question.
        cap: The earliest wall time of the run's start.
        met: Whether the rows so far prove that AFAS compares the lower bound as it shows stamps.
        version: The `version` of its RECORD messages, if they have one.
    """

    scan: str
    cursor: tuple[Key, ...] = ()
    lower: Stamp = None
    highest: Stamp = None
    witness: Key | None = None
    asked: bool = False
    cap: Stamp = None
    met: bool = False
    version: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class StartingPoint:
    """What earlier runs left, and where this one begins.

    Attributes:
        lower: The stamp to begin at; None for a first sync.
        bookmark: The highest stamp that earlier runs reached.
        witness: The key of a row whose stamp was the bookmark.
        unit: The step in which AFAS showed stamps so far.
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
        """Whether the run begins at or before the bookmark, and so should read the witness again."""
        return not self.lagged and None not in {self.lower, self.bookmark} and bool(self.lower <= self.bookmark)

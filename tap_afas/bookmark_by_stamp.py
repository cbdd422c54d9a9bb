"""What a stream keeps in the STATE, and how it is read back.

    {"replication_key": "ModifiedDate", "replication_key_value": "2026-03-01T08:15:00+00:00",
     "delivered": "<base64>", "empties_read": true, "place": {"keys": ["Id"], "after": ["10042"], "since": "…",
     "until": "…"}, "rows_read": 1204}

`delivered` holds fingerprints of the rows that the next run will read again because of the overlap, so that it
needn't send them again; `rows_read` tells it which streams take long.
"""

from __future__ import annotations

import base64
import binascii
import collections
import dataclasses
import datetime
from typing import TYPE_CHECKING, Any

from tap_afas.inputs import StateError
from tap_afas.profit.by_stamp import Place, Stamp
from tap_afas.profit.clock import shift
from tap_afas.profit.page import strike
from tap_afas.profit.rows import FINGERPRINT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_afas.plan import Definition
    from tap_afas.profit.by_stamp import ByStamp
    from tap_afas.profit.clock import Clock
    from tap_afas.profit.metainfo import Kind
    from tap_afas.profit.rows import Page

_MOST_FINGERPRINTS = 1000


@dataclasses.dataclass(frozen=True, slots=True)
class Bookmark:
    """Where a stream stands after a run.

    Attributes:
        key: The replication key.
        value: Its highest value delivered, as records hold it; None: none yet.
        delivered: Fingerprints of the rows in the overlap.
        empties_read: Whether the rows without a stamp have been read.
        place: Where a killed run stood inside a part.
    """

    key: str
    value: str | int | None = None
    delivered: tuple[bytes, ...] = ()
    empties_read: bool = False
    place: Place | None = None

    def to_state(self) -> dict[str, Any]:
        """As it is kept in the STATE."""
        state: dict[str, Any] = {"replication_key": self.key}
        if self.value is not None:
            state["replication_key_value"] = self.value
        if self.empties_read:
            state["empties_read"] = True
        if self.delivered:
            state["delivered"] = base64.b64encode(b"".join(self.delivered)).decode()
        if self.place is not None:
            place = self.place
            state["place"] = {
                "keys": list(place.keys),
                "after": list(place.after),
                "since": place.since,
                "until": place.until,
            }
        return state


def read_bookmark(definition: Definition, state: Mapping[str, Any]) -> Bookmark | None:
    """Read a stream's part of the STATE.

    Args:
        definition: The stream.
        state: The stream's part; may come from another tap, another version or a person.

    Returns:
        None for a full table, or when it says nothing. What it says of another replication key is only which one that
        was.

    Raises:
        StateError: It can't be used.
    """
    key, earlier_key = definition.replication_key, state.get("replication_key")
    if not key or not earlier_key or definition.replication_method != "INCREMENTAL":
        return None
    if earlier_key != key:
        return Bookmark(earlier_key)
    is_date = definition.kinds.get(key) != "integer"
    value = state.get("replication_key_value")
    if value is not None and not _is_value(value, is_date=is_date):
        expected = "a date and time with its offset, such as 2026-03-01T08:15:00+00:00" if is_date else "a whole number"
        raise StateError(f"{definition.name}: the state's `replication_key_value` is {value!r}, not {expected}.")
    return Bookmark(
        key=key,
        value=value,
        delivered=_read_delivered(state.get("delivered")),
        empties_read=state.get("empties_read") is True or value is not None,
        place=_read_place(state.get("place"), is_date=is_date),
    )


def moment(value: str) -> datetime.datetime:
    """A bookmark's value as a moment; UTC where it has no offset.

    Raises:
        ValueError: It is none.
    """
    parsed = datetime.datetime.fromisoformat(value)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.UTC)


def _is_value(value: Any, *, is_date: bool) -> bool:
    if not is_date:
        return isinstance(value, int) and not isinstance(value, bool)
    try:
        return isinstance(value, str) and bool(moment(value))
    except ValueError:
        return False


def _read_delivered(text: Any) -> tuple[bytes, ...]:
    # Without them rows are sent again, so what can't be read is passed over.
    try:
        packed = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        packed = b""
    if len(packed) % FINGERPRINT_BYTES:
        return ()
    return tuple(packed[start : start + FINGERPRINT_BYTES] for start in range(0, len(packed), FINGERPRINT_BYTES))


def _read_place(place: Any, *, is_date: bool) -> Place | None:
    # Without it a part is read again from its start.
    if not isinstance(place, dict):
        return None
    keys, after, since, until = place.get("keys"), place.get("after"), place.get("since"), place.get("until")
    kind = str if is_date else int
    bounds_fit = (since is None and until is None) or (isinstance(since, kind) and isinstance(until, kind))
    if not isinstance(keys, list) or not isinstance(after, list) or len(keys) != len(after) or not keys:
        return None
    if not bounds_fit or not all(isinstance(value, str) for value in (*keys, *after)):
        return None
    return Place(tuple(keys), tuple(after), since, until)


@dataclasses.dataclass(frozen=True, slots=True)
class StampScale:
    """From a bookmark's values to the stamps of a stream, and back.

    Attributes:
        kind: Of the replication key: `date`, `date-time` or `integer`.
        clock: Of AFAS' wall time.
        overlap_seconds: How far before its bookmark a run begins.
    """

    kind: Kind
    clock: Clock
    overlap_seconds: int

    def first_of(self, wall: str) -> str:
        """The wall time, or its midnight where stamps are days: what changed that day bears its first second."""
        return f"{wall[:10]}T00:00:00" if self.kind == "date" else wall

    def start(self, value: str | int) -> Stamp:
        """Where a run begins that finds this value in its bookmark."""
        if isinstance(value, int):
            return value
        wall = value if len(value) == len("2026-03-01") else self.clock.earliest_wall(moment(value))
        # The overlap is for what was committed late. Without one, the bookmark's own second is still read whole.
        return shift(self.first_of(shift(wall, -self.overlap_seconds)), -1)

    def value(self, stamp: Stamp) -> str | int:
        """A stamp as records, and so bookmarks, hold it."""
        if isinstance(stamp, int):
            return stamp
        return self.clock.to_utc(f"{stamp}Z") if self.kind == "date-time" else str(stamp)[:10]

    def is_after(self, value: str | int | None, started: datetime.datetime) -> bool:
        """Whether a bookmark's value lies later than the start of a run."""
        if not isinstance(value, str):
            return False
        if self.kind == "date":
            return value[:10] > self.clock.to_wall(started)[:10]
        return moment(value) > started


class MovingBookmark:
    """A bookmark that moves with the pages of a walk by stamp.

    Attributes:
        bookmark: As it stands after the last page.

    Args:
        bookmark: As the run found it.
        walk: The walk.
        scale: Of the walk's stamps.
    """

    def __init__(self, bookmark: Bookmark, walk: ByStamp, scale: StampScale) -> None:
        self.bookmark = bookmark
        self._walk = walk
        self._scale = scale
        self._overlap = Overlap(bookmark.delivered)

    @property
    def reached(self) -> Stamp:
        """The stamp that the walk has reached; None: none yet."""
        return self._walk.reached

    def move(self, page: Page, picked: Sequence[int]) -> None:
        """Take a page of the walk.

        Args:
            page: The page.
            picked: The positions of the rows that are delivered.

        Raises:
            ValueError: A stamp is no date.
        """
        value = self.bookmark.value
        if self.reached is not None:
            reached = self._scale.value(self.reached)
            if value is None or self._scale.start(value) <= self._scale.start(reached):
                value = reached
        if value is not None:
            self._overlap.add(page, picked, self._scale.start(value))
        self.bookmark = dataclasses.replace(
            self.bookmark,
            value=value,
            delivered=self._overlap.fingerprints,
            empties_read=self.bookmark.empties_read or not self._walk.in_empties,
            place=self._walk.place,
        )


class Overlap:
    """Fingerprints of the delivered rows that the next run will read again.

    Args:
        before: Those that earlier runs delivered.
    """

    def __init__(self, before: Iterable[bytes] = ()) -> None:
        self._before = collections.Counter(before)
        self._fingerprints: list[tuple[Stamp, bytes]] = []

    def add(self, page: Page, picked: Sequence[int], floor: Stamp) -> None:
        """Take a page. What was read and neither delivered now nor before is left out: a walk may ask for it again.

        Args:
            page: The page.
            picked: The positions of the rows that are delivered now.
            floor: Where the next run will begin; None: nowhere yet.
        """
        if floor is None:
            return
        stamps: Any = page.stamps
        self._fingerprints = [entry for entry in self._fingerprints if entry[0] >= floor]
        positions = [position for position in picked if stamps[position] is not None and stamps[position] >= floor]
        if len(positions) + len(self._fingerprints) > _MOST_FINGERPRINTS:
            self._fingerprints = []
            return
        self._fingerprints.extend((stamps[position], page.fingerprint(position)) for position in positions)
        # What an earlier run delivered counts as often as it did: the overlap of two pages brings it twice.
        for position in set(range(len(stamps))).difference(picked) if self._before else ():
            if stamps[position] is not None and stamps[position] >= floor:
                fingerprint = page.fingerprint(position)
                if strike(self._before, fingerprint):
                    self._fingerprints.append((stamps[position], fingerprint))

    @property
    def fingerprints(self) -> tuple[bytes, ...]:
        """The fingerprints; empty when there were too many to keep."""
        return tuple(fingerprint for _, fingerprint in self._fingerprints)

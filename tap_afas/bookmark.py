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
from tap_afas.profit.page import strike
from tap_afas.profit.rows import FINGERPRINT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_afas.profit.rows import Page

_MOST_MARKS = 1000


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


def read_bookmark(stream: str, state: Mapping[str, Any], key: str, *, is_date: bool) -> Bookmark | None:
    """Read a stream's part of the STATE.

    Args:
        stream: For what is reported.
        state: The stream's part; may come from another tap, another version or a person.
        key: The stream's replication key.
        is_date: Whether it holds dates; otherwise ints.

    Returns:
        None when it says nothing about this replication key.

    Raises:
        StateError: It can't be used.
    """
    value = state.get("replication_key_value")
    if state.get("replication_key") != key:
        return None
    if value is not None and not _is_value(value, is_date=is_date):
        expected = "a date and time with its offset, such as 2026-03-01T08:15:00+00:00" if is_date else "a whole number"
        raise StateError(f"{stream}: the state's `replication_key_value` is {value!r}, not {expected}.")
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


class Overlap:
    """Fingerprints of the delivered rows that the next run will read again.

    Args:
        before: Those that earlier runs delivered.
    """

    def __init__(self, before: Iterable[bytes] = ()) -> None:
        self._before = collections.Counter(before)
        self._marks: list[tuple[Stamp, bytes]] = []

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
        self._marks = [entry for entry in self._marks if entry[0] >= floor]
        positions = [position for position in picked if stamps[position] is not None and stamps[position] >= floor]
        if len(positions) + len(self._marks) > _MOST_MARKS:
            self._marks = []
            return
        self._marks.extend((stamps[position], page.fingerprint(position)) for position in positions)
        # What an earlier run delivered counts as often as it did: the overlap of two pages brings it twice.
        for position in set(range(len(stamps))).difference(picked) if self._before else ():
            if stamps[position] is not None and stamps[position] >= floor:
                mark = page.fingerprint(position)
                if strike(self._before, mark):
                    self._marks.append((stamps[position], mark))

    @property
    def marks(self) -> tuple[bytes, ...]:
        """The fingerprints; empty when there were too many to keep."""
        return tuple(mark for _, mark in self._marks)

"""A stream's part of the STATE: what it holds, how it is read, and how a complete run moves it.

Meltano merges a new STATE into the old one, key by key. So every STATE of a stream holds all of these keys, each a
text, a number or null: merged over any older one it then equals itself. `Bookmark` says what each one means.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from typing import TYPE_CHECKING, Any, get_args

from tap_afas.inputs import StateError
from tap_afas.known_secrets import SECRETS
from tap_afas.profit.pagination.key import key_to_text
from tap_afas.profit.wall_time import SECONDS, Unit, UnreadableError, floor, lower_bound_after, moment_of, shift

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_afas.profit.pagination.selection import Stamp
    from tap_afas.profit.pagination.stamp_tracker import StampTracker
    from tap_afas.replication_key import ReplicationKey

NEVER = "1753-01-01T00:00:00"
"""The first moment that SQL Server's older times know: nothing was read by its stamp yet."""

_DAY = SECONDS["day"]
# Rows are stored finer than shown, and clocks have steps.
_MARGIN = 2
_HIGHEST_COUNT = 2**63 - 1
# What the version before kept; null, so that a merge can't bring it back.
_FORMER: dict[str, None] = {"delivered": None, "empties_read": None}


@dataclasses.dataclass(frozen=True, slots=True)
class Bookmark:
    """A stream's part of the STATE, typed.

    Attributes:
        replication_key: The field; None for a full table.
        bookmark: The highest stamp reached, as AFAS showed it (wall time without `Z`, or a number).
        settled: Up to this stamp nothing can come any more.
        pending: The stamp that settles next.
        pending_at: AFAS' `Date` when that was first reached.
        unit: In which steps stamps are shown, as far as is known.
        witness: The key of a row whose stamp was the bookmark.
        place: Where a killed run can go on (`resume_point`); empty where there is none.
        version: The highest one of its records' so far.
        active_version: Of the last complete reading of the whole table.
        refreshed_at: AFAS' `Date` when that began.
        refresh_tried_at: AFAS' `Date` when one began after that which isn't complete.
        rows_read: Of the last complete run.
        rows_whole: How many rows the last accepted reading of the whole table had.
        key: The key that the stream was loaded under; None: nothing was loaded yet.
        loaded_under: What else its rows were loaded under; see `state_compatibility`.
        environment: AFAS' id of the environment; empty where it told none.
        rows_fit: How many rows fit into an answer, where fewer do than are wanted.
        further: What it holds of further stamps (`tap_afas.further_stamps`); empty where there are none.
    """

    replication_key: str | None = None
    bookmark: Stamp = None
    settled: Stamp = None
    pending: Stamp = None
    pending_at: str | None = None
    unit: Unit | None = None
    witness: str | None = None
    place: str = ""
    version: int | None = None
    active_version: int | None = None
    refreshed_at: str | None = None
    refresh_tried_at: str | None = None
    rows_read: int | None = None
    rows_whole: int | None = None
    key: str | None = None
    loaded_under: str = ""
    environment: str = ""
    rows_fit: int | None = None
    further: str = ""

    def to_state(self, key: ReplicationKey | None) -> dict[str, Any]:
        """The stream's part of the STATE: all keys, each a text, a number or null."""
        value = key.value(self.bookmark) if key else None
        own = dataclasses.asdict(self)
        # A row's key with a secret in it, which is hidden wherever it is written, would tell of another row.
        own |= {name: empty for name, empty in (("witness", None), ("place", "")) if SECRETS.are_in(own[name] or "")}
        return {"replication_key": own.pop("replication_key"), "replication_key_value": value, **own, **_FORMER}

    def anew(self) -> Bookmark:
        """A bookmark that begins with all rows, and knows what was loaded."""
        return dataclasses.replace(
            Bookmark(self.replication_key, version=self.version, rows_read=self.rows_read, rows_whole=self.rows_whole),
            active_version=self.active_version,
            key=self.key,
            loaded_under=self.loaded_under,
            environment=self.environment,
            rows_fit=self.rows_fit,
        )

    def lower_bound(self, key: ReplicationKey) -> Stamp:
        """The stamp from which on the next run reads; None: all rows."""
        if key.kind == "int" or self.bookmark is None:
            return self.settled if key.kind == "int" else None
        unit = key.unit(self.unit)
        plain = floor(shift(self.bookmark, -key.overlap - _MARGIN), unit)
        return plain if self.settled is None else max(plain, lower_bound_after(self.settled, unit))

    def settles_pending(self, key: ReplicationKey, began: datetime.datetime | None) -> bool:
        """Whether a run that began then sees every commit up to `pending`, so that it becomes `settled`."""
        if began is None or self.pending_at is None:
            return False
        patience = datetime.timedelta(seconds=key.lag(self.unit))
        return began - datetime.datetime.fromisoformat(self.pending_at) >= patience

    def completed(  # noqa: PLR0913 - called in one place, with names
        self,
        key: ReplicationKey,
        run: StampTracker,
        *,
        start: datetime.datetime,
        began: datetime.datetime | None,
        now: datetime.datetime | None,
        appends: bool = False,
    ) -> Bookmark:
        """The bookmark after a complete run.

        Args:
            key: The replication key.
            run: What was read.
            start: When the run started.
            began: AFAS' `Date` then; None: it told none, or the run went on from a place.
            now: AFAS' `Date` now.
            appends: Whether each change is sent as one row more.
        """
        settled, bookmark, pending, pending_at = self.settled, self.bookmark, self.pending, self.pending_at
        settles = dataclasses.replace(self, unit=run.unit).settles_pending(key, began)
        if settles:
            settled = _later_stamp(settled, pending)
        if appends and bookmark is None and run.highest is None:
            # The rows with an empty stamp have been sent, and are not to come again.
            bookmark = 0 if key.kind == "int" else NEVER
        moves = run.highest is not None and (bookmark is None or run.highest > bookmark)
        bookmark = _later_stamp(bookmark, run.highest)
        if bookmark is not None and (
            pending is None or (settles if key.kind == "int" else moves) or pending_at is None
        ):
            pending, pending_at = bookmark, now.isoformat() if now else None
        if appends and key.kind != "int":
            settled = _later_stamp(settled, run.until)
        elif key.kind != "int" and bookmark is not None and began is not None:
            long_ago = shift(key.cap(start), -_DAY - key.lag(run.unit))
            settled = _later_stamp(settled, bookmark) if bookmark < long_ago else settled
        found = run.same_stamp if run.old_witness is None else run.old_witness
        witness = run.witness if moves else found
        return dataclasses.replace(
            self,
            bookmark=bookmark,
            settled=settled,
            pending=pending,
            pending_at=pending_at,
            unit=run.unit,
            witness=key_to_text(witness) if witness else None,
            place="",
        )


def _later_stamp(one: Stamp, other: Stamp) -> Stamp:
    return one if other is None or (one is not None and one >= other) else other


def read_bookmark(stream: str, state: Mapping[str, Any], key: ReplicationKey | None) -> Bookmark:
    """Read a stream's part of the STATE.

    Args:
        stream: For what is reported.
        state: The stream's part; may come from another tap, another version or a person.
        key: The stream's replication key; None for a full table.

    Raises:
        StateError: It can't be used.
    """
    common = Bookmark(
        replication_key=key.id if key else None,
        version=_number(state.get("version")),
        active_version=_number(state.get("active_version")),
        refreshed_at=_text(state.get("refreshed_at")) or None,
        refresh_tried_at=_text(state.get("refresh_tried_at")) or None,
        rows_read=_number(state.get("rows_read")),
        rows_whole=_number(state.get("rows_whole")),
        key=_text(state.get("key")) or None,
        loaded_under=_text(state.get("loaded_under")),
        environment=_text(state.get("environment")),
        rows_fit=_number(state.get("rows_fit")) or None,
    )
    about = state.get("replication_key")
    if key is None or (about is not None and about != key.id):
        return common
    name = "bookmark"
    try:
        value = state.get("replication_key_value")
        # One of this version that has no bookmark yet holds the place of a killed first sync.
        if state.get("bookmark") is None and not ("bookmark" in state and value is None):
            # Another tap, another version, or a person who winds back: what else stands there belongs to another run.
            name = "replication_key_value"
            literal = None if value is None else key.literal(value)
            # Only this version knows of further stamps: they begin at the same moment.
            further = json.dumps({"stamps": {}, "since": value}) if "further" in state and literal is not None else ""
            settled = literal if key.kind == "int" else None
            return dataclasses.replace(common, bookmark=literal, settled=settled, further=further)
        found = {name: state.get(name) for name in ("bookmark", "settled", "pending")}
        for name, literal in found.items():  # noqa: B007 - the message names it
            key.check(literal)
        name = "pending_at"
        if (at := state.get(name)) is not None:
            moment_of(at)
        name = "unit"
        # What a STATE holds may have no hash.
        if state.get(name) not in (None, *get_args(Unit)):
            raise UnreadableError("unknown")  # noqa: TRY301 - told below
    except UnreadableError:
        expected = {
            "unit": "day, hour, minute or second",
            "pending_at": "a time with its offset, such as 2026-03-01T08:15:00+00:00",
            "replication_key_value": "a date and time with its offset, such as 2026-03-01T08:15:00+00:00",
        }.get(name, "a wall time such as 2026-03-01T09:15:00")
        if key.kind == "int" and name not in {"unit", "pending_at"}:
            expected = "a whole number"
        raise StateError(f"{stream}: the state's `{name}` is {state.get(name)!r}, not {expected}.") from None
    witness, place = state.get("witness"), state.get("place")
    return dataclasses.replace(
        common,
        bookmark=found["bookmark"],
        settled=found["settled"],
        pending=found["pending"],
        pending_at=at,
        unit=state.get("unit"),
        witness=witness if isinstance(witness, str) else None,
        place=place if isinstance(place, str) else "",
        further=_text(state.get("further")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    """A whole number that counts something; a person may have written any."""
    counts = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _HIGHEST_COUNT
    return value if counts else None

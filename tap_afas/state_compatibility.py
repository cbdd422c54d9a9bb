"""Whether a run may go on under a STATE: what the rows in the target were loaded under, and what has changed since.

A target keeps the table that it made: with its key, its columns and its name. And a bookmark says nothing of rows that
another filter left out. So the STATE tells what was so, as short hashes, and each difference has its answer here.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from tap_afas.bookmark import Bookmark
from tap_afas.further_stamps import held_against
from tap_afas.inputs import InputError
from tap_afas.loaded_key import (
    IncompatibleStateError,
    check_key,
    key_of,
    names_to_text,
    start_anew,
    with_key_of_state,
)
from tap_afas.loaded_under import LoadedUnder, SdkShaping, token

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

    from tap_afas.settings import Settings
    from tap_afas.stream_definition import StreamDefinition

_LEAST_GONE = 100


class ShrunkError(InputError):
    """A table came with so few rows that its target keeps what it has."""


# What else it was loaded under


def compare(
    definition: StreamDefinition, bookmark: Bookmark, now: LoadedUnder, *, appends: bool, refreshes: bool = False
) -> Bookmark | None:
    """Hold a run against what its stream was loaded under.

    Args:
        definition: The stream.
        bookmark: What the STATE says.
        now: What the run loads under.
        appends: Whether each change is sent as one row more.
        refreshes: Whether the stream is read whole at times.

    Returns:
        The bookmark to go on from: a new one where rows may be lacking that another filter left out; None where a
        refresh is due for that, or the reading of a full table.

    Raises:
        IncompatibleStateError: The target's table isn't made for what would come.
    """
    before = LoadedUnder.from_text(bookmark.loaded_under)
    if before is None:
        return bookmark
    if before.alias != now.alias:
        raise IncompatibleStateError(
            definition,
            "The stream goes into a table of another name than before.",
            "Take `__alias__` in `stream_maps` back. To load it all into the other table,",
        )
    old, new = before.kinds, now.kinds
    retyped = [
        name
        for name in definition.emitted
        if (was := old.get(token(name), "").lower()) and was != new.get(token(name), was)
    ]
    if retyped:
        raise IncompatibleStateError(
            definition, f"{', '.join(retyped)} had another type when the target's table was made, and targets keep it."
        )
    changed = " and ".join(now.differs_in(before))
    if definition.stamp is None:
        # It is read whole anyway.
        return None if changed else bookmark
    if changed and appends:
        raise IncompatibleStateError(
            definition, f"{changed} changed since the last run: a stream that appends would lack rows, or double them."
        )
    if changed and refreshes and bookmark.bookmark is not None:
        return None
    if changed:
        definition.logger.warning("Reading the stream anew, since %s changed.", changed)
        return bookmark.anew()
    # A capital: one that was taken out comes back.
    added = [name for name in definition.emitted if token(name) in new and old.get(token(name), "X").isupper()]
    if added or before.maps != now.maps:
        definition.logger.warning(
            "%s in what is read from now on; rows that were loaded before stay as they are. To load them again, %s%s",
            f"{', '.join(added)} will be" if added else "The other stream maps will show",
            "drop the table, then " if appends else "",
            start_anew(definition),
        )
    return bookmark


# A source that shrinks


def check_count(
    definition: StreamDefinition, bookmark: Bookmark, now: LoadedUnder, rows: int, accepted: int | None
) -> None:
    """Check that a table, read whole, has not shrunk as it does where rights were lost.

    Args:
        definition: The stream.
        bookmark: What the STATE says.
        now: What the run loads under; the count under another filter tells nothing.
        rows: How many came.
        accepted: From which number of rows on it is taken for whole.

    Raises:
        ShrunkError: It has, by more than half and by 100 rows, or to none at all.
    """
    last = bookmark.rows_whole
    if not last:
        return
    before = LoadedUnder.from_text(bookmark.loaded_under)
    changed = "" if before is None else " and ".join(now.differs_in(before))
    if changed and definition.stamp is not None and rows < last and (accepted is None or rows < accepted):
        raise ShrunkError(
            f"{definition.connector_id} has {rows} rows now that {changed} changed, and had {last}: nothing is taken"
            f" out of the target, which would be {last - rows} rows. If they are to go, set"
            f" `streams.{definition.connector_id}.accept_fewer_rows: {rows}`."
        )
    shrunk = rows == 0 or (rows * 2 < last and last - rows >= _LEAST_GONE)
    if not shrunk or (accepted is not None and rows >= accepted):
        return
    if before is None or changed:
        definition.logger.warning("%d rows, and %d before the settings changed.", rows, last)
        return
    raise ShrunkError(
        f"{definition.connector_id} has {rows} rows, and had {last}: nothing is taken out of the target. When the"
        " rights of the token's user change, AFAS leaves rows out without a word. If they are really gone, set"
        f" `streams.{definition.connector_id}.accept_fewer_rows: {rows}`."
    )


# The environment


def check_environment(environment: str, parts: Mapping[str, Mapping[str, Any]], accepted: str | None) -> None:
    """Check that the environment that answers is the one that the STATE is about.

    Args:
        environment: Its id; empty where AFAS tells none.
        parts: By stream, the parts of the STATE of the selected streams.
        accepted: An environment that may go on under another one's STATE.

    Raises:
        InputError: It is another one.
    """
    if not environment or (accepted or "").casefold() == environment.casefold():
        return
    for stream, part in sorted(parts.items()):
        before = part.get("environment")
        if isinstance(before, str) and before and before.casefold() != environment.casefold():
            raise InputError(
                f"The state is about the environment {before} ({stream}), and {environment} answers: rows of both would"
                " get mixed in one table. Use a state and a schema for each environment; or if this one is to go on"
                f" where that one stood, set `accept_environment: {environment}`."
            )


class StateCheck:
    """One stream's run, held against its part of the STATE.

    Attributes:
        definition: The stream, with the key that it was loaded under where only the tap's list says another one.
        environment: AFAS' id of the environment, as far as it is known.
        is_due: Whether settings changed, so that rows may be lacking until the stream is read whole.

    Args:
        definition: The stream.
        state: Its part of the STATE.
        settings: The settings.
        shape: What the SDK's settings make of it.
    """

    def __init__(
        self, definition: StreamDefinition, state: Mapping[str, Any], settings: Settings, shape: SdkShaping
    ) -> None:
        self._loaded = key_of(definition, state, settings)
        self._stamp_before = state.get("replication_key")
        self._settings = settings
        self.definition = with_key_of_state(definition, self._loaded, state, settings)
        self.environment = ""
        self._now = LoadedUnder.now(self.definition, settings, shape)
        self._before = Bookmark()
        self.is_due = False

    @property
    def same_key(self) -> bool:
        """Whether the stream has the key that it was loaded under, if anything was."""
        return self._loaded in {None, self.definition.primary_keys}

    def begin(self, bookmark: Bookmark, *, appends: bool, refreshes: bool = False) -> Bookmark:
        """The bookmark to go on from.

        Args:
            bookmark: What the state says.
            appends: Whether each change is sent as one row more.
            refreshes: Whether the stream is read whole at times.

        Raises:
            IncompatibleStateError: The target's table isn't made for what would come.
        """
        check_key(self.definition, self._loaded)
        if appends and self._loaded is not None:
            self._check_appended_before()
        if self._loaded is not None:
            bookmark = dataclasses.replace(bookmark, key=names_to_text(self._loaded))
        bookmark, lacking = held_against(bookmark, self.definition.further)
        found = compare(self.definition, bookmark, self._now, appends=appends, refreshes=refreshes)
        before = LoadedUnder.from_text(bookmark.loaded_under)
        if before is not None:
            self._now = self._now.with_columns_of(before)
        if lacking and found is not None and (found.bookmark is not None or found.place):
            found = None if refreshes and found.bookmark is not None else found.anew()
            if found is not None:
                self.definition.logger.warning(
                    "Reading the stream anew, since it is to be read by %s as well from now on.", " and ".join(lacking)
                )
        self.is_due = found is None
        # A place in rows that were selected otherwise leads nowhere; the bookmark stands.
        self._before = dataclasses.replace(bookmark, place="") if found is None else found
        return self._before

    def _check_appended_before(self) -> None:
        """Check that a stream that appends did so before, by the same stamp: else all its rows would come again."""
        stamp, before = self.definition.stamp, self._stamp_before
        if before != stamp:
            was = "was read whole before" if before is None else f"went by {before} before"
            raise IncompatibleStateError(
                self.definition,
                f"The stream {was}, and is to send each change by {stamp} as one row more: rows would double.",
            )

    def loaded(self, bookmark: Bookmark) -> Bookmark:
        """The bookmark once a page has shown that the key tells rows apart."""
        # Until all has been read, the settings that select rows are to look changed.
        before = LoadedUnder.from_text(self._before.loaded_under) if self.is_due else None
        return dataclasses.replace(
            bookmark,
            key=names_to_text(self.definition.primary_keys),
            loaded_under=(self._now if before is None else self._now.selecting_as(before)).to_text(),
            environment=self.environment or bookmark.environment,
        )

    def read_whole(self, bookmark: Bookmark, rows: int, *, activates: bool) -> Bookmark:
        """The bookmark behind a whole table.

        Args:
            bookmark: The one before.
            rows: How many came.
            activates: Whether the target may take out what didn't.

        Raises:
            ShrunkError: So few that it may not.
        """
        if activates:
            accepted = self._settings.stream(self.definition.connector_id).accept_fewer_rows
            least = None if accepted is UNSET else accepted
            check_count(self.definition, self._before, self._now, rows, least)
        return dataclasses.replace(bookmark, rows_whole=rows)

    def refreshed(self, bookmark: Bookmark, version: int | None, began: datetime.datetime) -> Bookmark:
        """The bookmark behind all that a full table or a refresh reads.

        Args:
            bookmark: The one before.
            version: Under which it was read, if it had one.
            began: AFAS' `Date` when the run began.
        """
        return dataclasses.replace(
            bookmark,
            loaded_under=self._now.to_text(),
            active_version=version or bookmark.active_version,
            refreshed_at=began.isoformat(),
            refresh_tried_at=None,
        )

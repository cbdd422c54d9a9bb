"""What a sync knows before its first page: its part of the STATE, held against the settings, and the plan made of both.

Two steps: what needs nothing of AFAS is checked before a run asks for anything; the plan needs the connector's fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_afas.bookmark import read_bookmark
from tap_afas.changed_days import ChangedDays
from tap_afas.feed import Feed
from tap_afas.further_stamps import with_further_stamps, with_stamp_of_state
from tap_afas.loaded_under import SdkShaping
from tap_afas.plan import make_plan, replication_key_of
from tap_afas.refresh import refreshes_every
from tap_afas.resume_point import check_resume_point
from tap_afas.state_compatibility import StateCheck
from tap_afas.stream_filter import stream_filter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_afas.connection import Connection
    from tap_afas.plan import Plan
    from tap_afas.profit.metainfo import Connector
    from tap_afas.profit.query import Filter
    from tap_afas.stream_definition import StreamDefinition


class Preparation:
    """One stream's run, from its part of the STATE to its plan.

    Attributes:
        against_state: Holds the stream against its part of the STATE.
        key: The replication key; None for a full table.
        bookmark: What the STATE says, as far as it can be used.
        connector: The connector, where it was described already.
        feed: What lists the days on which rows changed, if the settings name it.
        days: Which days are read again, once there is a plan and where there is a feed.
        every: How often the stream is read whole; empty: an incremental one never, a full table by every run.

    Args:
        definition: The stream.
        state: Its part of the STATE.
        connection: To AFAS.
        version: The lowest that a new version of its records may be; None: no versions are wanted.
        most_rows: How many rows are wanted at most.
        shape: What the SDK's settings make of it.
        days_state: The part of the STATE of the stream that tells which of its days were read again.

    Raises:
        InputError: The state, or what the settings say of the stream, can't be used.
    """

    def __init__(  # noqa: PLR0913 - made in one place, with names
        self,
        definition: StreamDefinition,
        state: Mapping[str, Any],
        *,
        connection: Connection,
        version: int | None,
        most_rows: int | None,
        shape: SdkShaping | None,
        days_state: Mapping[str, Any] | None,
    ) -> None:
        mine = connection.settings.stream(definition.connector_id)
        definition = with_stamp_of_state(definition, state, mine)
        self.against_state = StateCheck(definition, state, connection.settings, shape or SdkShaping())
        definition = self.definition
        self.key = replication_key_of(definition, connection.settings.overlap_seconds, connection.clock)
        self.bookmark = read_bookmark(definition.name, state, self.key)
        before = state.get("replication_key")
        # One that appends can't: it fails.
        if before is not None and self.key is not None and before != self.key.id and definition.primary_keys:
            definition.logger.warning(
                "The state is about %s, and the replication key is %s now: starting anew.", before, self.key.id
            )
        if self.bookmark.place and self.against_state.same_key:
            check_resume_point(definition.name, self.bookmark.place, definition.primary_keys)
        self.connector: Connector | None = None
        # A row or two of each stream, to try it, takes no feed.
        self.feed = Feed.of(definition.connector_id, mine) if most_rows is None else None
        self.days: ChangedDays | None = None
        self.every = ""
        self._connection = connection
        self._version = version
        self._most_rows = most_rows
        self._days_state = days_state or {}
        self._where: Filter = ()

    @property
    def definition(self) -> StreamDefinition:
        """The stream, as it is read."""
        return self.against_state.definition

    def check_filter(self, connector: Connector) -> None:
        """Check that the stream's `filter` goes with the connector; its description is kept.

        Raises:
            FilterError: It doesn't fit, or into no question.
        """
        self.connector = connector
        mine = self._connection.settings.stream(connector.id)
        self.against_state.definition = with_further_stamps(self.definition, connector, mine)
        self._where = stream_filter(self.definition, connector, self._connection, self.key)

    def plan(self, connector: Connector, listing: Connector | None) -> Plan:
        """What is read, now that AFAS has described the connector, and that of the feed.

        Raises:
            ProfitError, InputError: The stream can't be read.
        """
        if self.connector is None:
            self.check_filter(connector)
        connection = self._connection
        self.against_state.environment = connection.environment_id
        appends = self.key is not None and not self.definition.primary_keys
        if not appends and self._most_rows is None:
            self.every = refreshes_every(connection.settings, connector.id, incremental=self.key is not None)
        self.bookmark = self.against_state.begin(self.bookmark, appends=appends, refreshes=bool(self.every))
        also: tuple[str, ...] = ()
        if listing is not None and self.feed is not None:
            also = (self.feed.day,)
            self.days = ChangedDays(
                self.definition.name,
                connector,
                self.feed,
                listing,
                self._days_state,
                settings=connection.settings,
                clock=connection.clock,
                is_first=self.bookmark.bookmark is None,
                resumes=bool(self.bookmark.place),
            )
        plan = make_plan(
            self.definition,
            connector,
            self.bookmark,
            self.key,
            settings=connection.settings,
            where=self._where,
            every=self.every,
            version=self._version,
            changed=self.against_state.is_due,
            most_rows=self._most_rows,
            also=also,
        )
        self.bookmark = plan.bookmark
        if plan.course.refresh:
            self._tell_of_refresh(plan)
        return plan

    def _tell_of_refresh(self, plan: Plan) -> None:
        """Say that the stream is read whole once more, and what that asks of AFAS."""
        rows, size = self.bookmark.rows_whole, plan.first.paginator.size.take
        cost = f"some {rows} rows in about {rows // size + 1} questions" if rows else "all rows"
        self.definition.logger.info(
            "Reading everything once more, %s: %s.",
            "since settings changed that select rows"
            if self.against_state.is_due
            else f"as `full_refresh_every: {self.every}` asks, so that what AFAS deleted leaves the target",
            cost,
        )

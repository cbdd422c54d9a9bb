"""Which connector lists the changed days of a stream, and the stream that tells which were read again."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from tap_afas.inputs import InputError
from tap_afas.profit.known_connectors import CHANGED_DAYS, stamp_candidates
from tap_afas.profit.metainfo import kinds_of
from tap_afas.spelling import did_you_mean

if TYPE_CHECKING:
    from tap_afas.connection import Connection
    from tap_afas.profit.metainfo import Connector, Kind
    from tap_afas.settings import StreamSettings

_MOMENTS: set[Kind] = {"date", "date-time"}


class ChangedDaysError(InputError):
    """`changed_days` can't be used as it is."""


@dataclasses.dataclass(frozen=True, slots=True)
class Feed:
    """Where the changed days of a stream are listed.

    Attributes:
        connector_id: The connector that lists them.
        day: The field of the stream's connector that holds the day.
        stamp: The feed's field that tells when a day changed; empty: the one that seems to.
    """

    connector_id: str
    day: str
    stamp: str = ""

    @classmethod
    def of(cls, connector_id: str, settings: StreamSettings) -> Feed | None:
        """The feed of a connector's stream, as the settings have it; None where there is none.

        Raises:
            ChangedDaysError: The settings say `true`, and no feed is known for the connector.
        """
        said = settings.changed_days
        if not said:
            return None
        if said is not True:
            return cls(said.connector, said.day, said.stamp)
        for name, (feed, day) in CHANGED_DAYS.items():
            if name.casefold() == connector_id.casefold():
                return cls(feed, day)
        raise ChangedDaysError(
            f"{connector_id}: `changed_days: true` is for {' and '.join(CHANGED_DAYS)}. For others, name the feed:"
            " `changed_days: {connector: …, day: …}`."
        )

    def listing(self, connector_id: str, connection: Connection) -> Connector:
        """The connector that lists the days, as AFAS describes it now.

        Args:
            connector_id: Whose stream it is for.
            connection: To AFAS.

        Raises:
            ChangedDaysError: The app connector doesn't have it.
            ProfitError: AFAS doesn't describe it.
        """
        there = {name.casefold(): name for name in connection.environment.connectors}
        found = there.get(self.connector_id.casefold())
        if found is None:
            raise ChangedDaysError(
                f"{connector_id}: `changed_days` needs the connector {self.connector_id}, which the app connector"
                " doesn't have. Add it there in AFAS, or take `changed_days` out."
                + did_you_mean(self.connector_id, there.values())
            )
        return connection.client.connector(found)


def days_name(stream: str) -> str:
    """The name of the stream that tells which days of another were read again."""
    return f"{stream}__days"


def days_schema(day: str) -> dict[str, Any]:
    """The JSON Schema of its records."""
    return {
        "type": "object",
        "properties": {
            day: {"type": ["string", "null"], "format": "date", "description": "The day that was read again."},
            "read_at": {
                "type": ["string", "null"],
                "format": "date-time",
                "description": "When that began: a row of this day that was extracted before is no longer in AFAS.",
            },
            "rows": {
                "type": ["integer", "null"],
                "description": "How many rows the day had; null where a reading of everything was gone on with.",
            },
        },
    }


def fields_of(connector: Connector, feed: Feed, listing: Connector) -> tuple[str, str, dict[str, Kind]]:
    """The feed's field of the day, its stamp, and the kinds of both.

    Args:
        connector: The stream's connector.
        feed: As the settings have it.
        listing: The feed's connector.

    Raises:
        ChangedDaysError: The connectors don't fit.
    """
    own, listed = kinds_of(connector, {}), kinds_of(listing, {})
    if own.get(feed.day) not in _MOMENTS:
        raise ChangedDaysError(
            f"{connector.id}: `changed_days` names the day {feed.day}, which "
            + ("is no date." if feed.day in own else "the connector doesn't have.")
        )
    moments = [name for name, kind in listed.items() if kind in _MOMENTS]
    date_times = [listing.fields[name] for name in moments if listed[name] == "date-time"]
    stamp = feed.stamp or next(iter(stamp_candidates(listing, date_times)), "")
    if stamp not in moments or not listing.fields[stamp].sortable:
        raise ChangedDaysError(
            f"{connector.id}: in the feed {listing.id}, "
            + (f"{stamp} is no date that AFAS can sort on." if stamp else "no field seems to tell when a day changed.")
            + " Set `stamp` in `changed_days`."
        )
    others = [name for name in moments if name != stamp]
    day = feed.day if feed.day in others else others[0] if len(others) == 1 else ""
    if not day:
        raise ChangedDaysError(
            f"{connector.id}: the feed {listing.id} has no field {feed.day}, and none that could only be the day."
        )
    return day, stamp, {day: listed[day], stamp: listed[stamp]}

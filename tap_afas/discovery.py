"""Discovery: which GetConnectors become streams, with which names, types, keys and replication keys."""

from __future__ import annotations

import collections
import dataclasses
import logging
from typing import TYPE_CHECKING

from msgspec import UNSET

from tap_afas.inputs import InputError
from tap_afas.profit.errors import ProfitError
from tap_afas.profit.known_connectors import known_key, stamp_candidates
from tap_afas.profit.metainfo import kinds_of
from tap_afas.schema import json_schema
from tap_afas.spelling import did_you_mean, is_pattern, matches
from tap_afas.stream_definition import StreamDefinition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from msgspec import UnsetType
    from singer_sdk.singerlib import CatalogEntry

    from tap_afas.connection import Connection
    from tap_afas.profit.metainfo import Connector, Environment, Kind
    from tap_afas.settings import Settings, StreamSettings

logger = logging.getLogger("tap-afas.discovery")

# PostgreSQL holds no longer names.
_LONGEST_NAME = 63
_MOST_NAMED = 20
_FOLDING = (
    "DuckDB, Snowflake and BigQuery take them for one, and would mix or lose what they hold; PostgreSQL keeps them"
    " apart. For those, leave all but one out."
)
_STAMPS: set[Kind] = {"date", "date-time", "integer"}


class DiscoveryError(InputError):
    """The settings don't fit what AFAS has."""


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectorPatterns:
    """Which connectors become streams.

    Attributes:
        patterns: Names or glob patterns; a leading `!` excludes.
    """

    patterns: tuple[str, ...]

    def match(self, connector_id: str) -> bool:
        """Whether some pattern includes the connector and none excludes it; case doesn't count."""
        wanted = [pattern for pattern in self.patterns if not pattern.startswith("!")] or ["*"]
        unwanted = [pattern[1:] for pattern in self.patterns if pattern.startswith("!")]
        return any(matches(connector_id, pattern) for pattern in wanted) and not any(
            matches(connector_id, pattern) for pattern in unwanted
        )

    def unmatched_names(self, connector_ids: Iterable[str]) -> list[str]:
        """The entries without wildcards that are no connector's id."""
        known = {connector_id.casefold() for connector_id in connector_ids}
        plain = (pattern.removeprefix("!") for pattern in self.patterns if not is_pattern(pattern))
        return [name for name in plain if name.casefold() not in known]


def stream_name(connector_id: str) -> str:
    """The stream's name: targets drop what stands before a dash."""
    return connector_id.replace("-", "_")


def check_connectors_exist(settings: Settings, environment: Environment, known: Iterable[str] = ()) -> None:
    """Check that every connector the settings name exists.

    Args:
        settings: The settings.
        environment: What the token may read.
        known: Further connectors that may be named.

    Raises:
        DiscoveryError: A name is unknown, or could be either of two.
    """
    ids = {*environment.connectors, *known}
    named = [name for name in settings.streams if not is_pattern(name)]
    missing = sorted(set(ConnectorPatterns((*settings.connectors, *named)).unmatched_names(ids)))
    if missing:
        where = f" of environment {environment.id}" if environment.id else ""
        meant = "".join(dict.fromkeys(did_you_mean(name, ids) for name in missing))
        raise DiscoveryError(
            f"The settings name {', '.join(missing)}, which the app connector{where} doesn't have.{meant} Add the"
            f" GetConnector to the app connector in AFAS, or correct `connectors` and `streams`"
            + ("." if meant else f"; it has: {_first_of(ids)}.")
        )
    for folded in dict.fromkeys(map(str.casefold, named)):
        # What AFAS has not may be in a catalog under another spelling, which its own stream is told.
        alike = ({one for one in names if one.casefold() == folded} for names in (named, environment.connectors))
        written, there = alike
        if written != there and max(len(written), len(there)) > 1:
            raise DiscoveryError(
                f"`streams` names {' and '.join(sorted(written))}, and AFAS has {' and '.join(sorted(there))}, which"
                " differ by case only. Name each of them once, as AFAS spells it; where there is nothing to say: `{}`."
            )


def tell_of_idle_patterns(settings: Settings, connector_ids: Iterable[str], *, chosen: bool) -> None:
    """Tell of patterns that fit no connector: one that is misspelt would leave out nothing, and set nothing.

    Args:
        settings: The settings.
        connector_ids: All that there are.
        chosen: Whether `connectors` chooses the streams, and no catalog.
    """
    ids = list(connector_ids)
    written = [(pattern, "connectors") for pattern in settings.connectors if chosen]
    written += [(pattern, "streams") for pattern in settings.streams]
    idle = [
        f"{pattern} of `{setting}`"
        for pattern, setting in written
        if is_pattern(pattern) and not any(matches(one, pattern.removeprefix("!")) for one in ids)
    ]
    if idle:
        logger.warning("No connector fits the pattern %s: what it says is about none.", ", ".join(idle))


def connectors_to_read(settings: Settings, environment: Environment) -> list[str]:
    """The ids of the connectors that become streams.

    Raises:
        DiscoveryError: No connector is left, or two would share a stream's name.
    """
    choice = ConnectorPatterns(settings.connectors)
    ids = sorted(connector_id for connector_id in environment.connectors if choice.match(connector_id))
    if not ids:
        raise DiscoveryError(
            "No GetConnector is left to read. Add GetConnectors to the app connector in AFAS, or widen `connectors`;"
            f" the app connector has: {_first_of(environment.connectors)}."
        )
    names = collections.Counter(map(stream_name, ids))
    for name, count in names.items():
        if count > 1:
            same = " and ".join(connector_id for connector_id in ids if stream_name(connector_id) == name)
            raise DiscoveryError(
                f"{same} would both become the stream {name}: leave one out with `connectors`, or rename one in AFAS."
            )
        if len(name) > _LONGEST_NAME:
            logger.warning("%s: the name has over %d characters, more than PostgreSQL holds.", name, _LONGEST_NAME)
    for alike in alike_but_for_case(ids, stream_name):
        logger.warning("The streams %s differ by case only; %s", _listed(alike), _FOLDING)
    return ids


def _first_of(names: Iterable[str]) -> str:
    names = sorted(names)
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return (", ".join(names[:_MOST_NAMED]) or "none at all") + more


def discover(connection: Connection) -> list[StreamDefinition]:
    """The streams that AFAS describes and the settings choose.

    Raises:
        DiscoveryError: The settings don't fit what AFAS has, or there are none.
    """
    settings, environment = connection.settings, connection.environment
    check_connectors_exist(settings, environment)
    tell_of_idle_patterns(settings, environment.connectors, chosen=True)
    found = []
    for connector_id, connector in connection.describe(connectors_to_read(settings, environment)).items():
        if isinstance(connector, ProfitError):
            logger.error("%s is left out, since AFAS doesn't describe it: %s", connector_id, connector)
        else:
            found.append(define_stream(connector, settings.stream(connector_id)))
    if not found:
        raise DiscoveryError(
            "AFAS describes none of the connectors; see above.",
            may_pass=all(error.may_pass for error in connection.undescribed.values()),
        )
    return found


def definition_from_catalog(entry: CatalogEntry) -> StreamDefinition:
    """The definition of a stream from a catalog's entry, without keys and selection: `apply_catalog` adds those.

    Raises:
        DiscoveryError: The entry's metadata doesn't fit its schema.
    """
    schema = entry.schema.to_dict()
    properties = schema.get("properties", {})
    stray = [breadcrumb[-1] for breadcrumb in entry.metadata if breadcrumb and breadcrumb[-1] not in properties]
    if stray:
        raise DiscoveryError(
            f"{entry.tap_stream_id}: the catalog's metadata names {', '.join(stray)}, which its schema doesn't"
            f" have.{did_you_mean(stray[0], properties)} Correct it, or run discovery again."
        )
    return StreamDefinition(entry.tap_stream_id, entry.stream or stream_name(entry.tap_stream_id), schema)


def define_stream(connector: Connector, settings: StreamSettings) -> StreamDefinition:
    """The definition of a connector's stream: what the settings say, else what is known of it or detected.

    Raises:
        DiscoveryError: The settings name a field that the connector doesn't have.
    """
    key = known_key(connector) if settings.primary_keys is UNSET else settings.primary_keys
    kinds = kinds_of(connector, settings.types)
    also = settings.also_changed_on
    named = settings.replication_key is not UNSET
    stamp = (
        settings.replication_key or None
        if named
        else _detect_stamp(connector, kinds, also, keyed=bool(key), appends=settings.append)
    )
    further = () if also is UNSET else also
    unknown = [field for field in (*key, *settings.types, stamp, *further) if field and field not in connector.fields]
    if unknown:
        meant = "".join(dict.fromkeys(did_you_mean(field, connector.fields) for field in unknown))
        raise DiscoveryError(
            f"{connector.id}: `streams` names the field {', '.join(unknown)}, which the connector doesn't have."
            f"{meant or ' It has: ' + ', '.join(connector.fields) + '.'}"
        )
    if stamp is not None and kinds[stamp] not in _STAMPS:
        raise DiscoveryError(
            f"{connector.id}: the replication key {stamp} is {kinds[stamp]}; it must be a date or a whole number."
        )
    _check_further(connector, kinds, further, stamp, settings)
    if settings.append and key:
        raise DiscoveryError(
            f"{connector.id}: `append` is for streams without a key, and this one has the key {', '.join(key)}. Take"
            " `append` out of `streams`, or set `primary_keys` to []."
        )
    if settings.append and stamp is None:
        raise DiscoveryError(
            f"{connector.id}: `append` needs a field that tells when a row was last changed, and none is known. Set"
            " `replication_key`, or take `append` out of `streams`."
        )
    if settings.changed_days and not (key and stamp):
        raise DiscoveryError(
            f"{connector.id}: `changed_days` is for streams with a key and a replication key, which are read by what"
            " changed. Set `primary_keys` and `replication_key`, or take it out of `streams`."
        )
    _warn_of_names(connector)
    # Without a key, rows can't be updated: read whole each time, unless each change is wanted as one row more.
    incremental = stamp is not None and (bool(key) or settings.append)
    return StreamDefinition(
        connector.id,
        stream_name(connector.id),
        json_schema(connector, kinds),
        key,
        stamp if incremental else None,
        "INCREMENTAL" if incremental else "FULL_TABLE",
    )


def _warn_of_names(connector: Connector) -> None:
    """Warn of fields that many targets can't hold: names over 63 characters, names that differ by case only."""
    for field in connector.fields:
        if len(field) > _LONGEST_NAME:
            logger.warning(
                "%s: the field %s has over %d characters, more than PostgreSQL holds.",
                connector.id,
                field,
                _LONGEST_NAME,
            )
    for alike in alike_but_for_case(connector.fields, str):
        logger.warning("%s: the fields %s differ by case only; %s", connector.id, _listed(alike), _FOLDING)


def alike_but_for_case(names: Iterable[str], name_for_targets: Callable[[str], str]) -> list[list[str]]:
    """Those of the names that differ by case only for a target, in groups."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name_for_targets(name).lower(), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _check_further(
    connector: Connector, kinds: Mapping[str, Kind], further: Sequence[str], stamp: str | None, settings: StreamSettings
) -> None:
    """Check that rows can be selected by the further stamps that settings name."""
    said = f"{connector.id}: `also_changed_on`"
    for field in further:
        if kinds[field] not in _STAMPS:
            raise DiscoveryError(f"{said} names {field}, which is {kinds[field]}: it must be a date or a whole number.")
        if not connector.fields[field].sortable:
            raise DiscoveryError(f"{said} names {field}, on which AFAS can't sort.")
        if field == stamp:
            raise DiscoveryError(f"{said} names {field}, which is the replication key itself. Take it out.")
    if further and settings.append:
        raise DiscoveryError(f"{said} is for streams with a key, and `append` for those without. Take one of them out.")
    if further and settings.replication_key is not UNSET and not settings.replication_key:
        raise DiscoveryError(
            f"{said} names further stamps, and `replication_key` says that there is none. Take `also_changed_on` out,"
            " or name a replication key."
        )


def _detect_stamp(
    connector: Connector, kinds: Mapping[str, Kind], also: Sequence[str] | UnsetType, *, keyed: bool, appends: bool
) -> str | None:
    """The replication key where settings name none: the first field that seems to tell when a row was last changed."""
    date_times = [field for field in connector.fields.values() if kinds[field.id] == "date-time"]
    candidates = stamp_candidates(connector, date_times)
    if also is not UNSET:
        candidates = [field for field in candidates if field not in also]
    if len(candidates) > 1 and not keyed:
        # Without `append`, it is read whole for want of a key, which one line for all such streams tells.
        if appends:
            logger.warning(
                "%s: %s could each be the time of the last change. Choose one with `streams.%s.replication_key`.",
                connector.id,
                " and ".join(candidates),
                connector.id,
            )
        return None
    if len(candidates) > 1 and also is UNSET:
        logger.info(
            "%s: read by what changed on %s, and by what changed on %s: each could be the time of the last change, in a"
            " table of its own. To choose, set `streams.%s.replication_key` and `also_changed_on`.",
            connector.id,
            candidates[0],
            " or ".join(candidates[1:]),
            connector.id,
        )
    return candidates[0] if candidates else None

"""From GetConnectors to streams: names, types, keys and replication keys."""

from __future__ import annotations

import collections
import dataclasses
import logging
from typing import TYPE_CHECKING

from msgspec import UNSET

from tap_afas.definition import Definition
from tap_afas.inputs import InputError
from tap_afas.profit.errors import ProfitError
from tap_afas.profit.known_connectors import known_key, stamp_candidates
from tap_afas.profit.metainfo import kinds_of
from tap_afas.schema import json_schema
from tap_afas.spelling import did_you_mean, is_pattern, matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from singer_sdk.singerlib import CatalogEntry

    from tap_afas.connection import Connection
    from tap_afas.profit.metainfo import Connector, Environment, Kind
    from tap_afas.settings import Settings, StreamSettings

logger = logging.getLogger("tap-afas.discovery")

# PostgreSQL holds no longer names.
_LONGEST_NAME = 63
_MOST_NAMED = 20
_STAMPS: set[Kind] = {"date", "date-time", "integer"}


class DiscoveryError(InputError):
    """The settings don't fit what AFAS has."""


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """Which connectors become streams.

    Attributes:
        patterns: Names or glob patterns; a leading `!` excludes.
    """

    patterns: tuple[str, ...]

    def takes(self, connector_id: str) -> bool:
        """Whether a connector is among them."""
        wanted = [pattern for pattern in self.patterns if not pattern.startswith("!")] or ["*"]
        unwanted = [pattern[1:] for pattern in self.patterns if pattern.startswith("!")]
        return any(matches(connector_id, pattern) for pattern in wanted) and not any(
            matches(connector_id, pattern) for pattern in unwanted
        )

    def missing(self, connector_ids: Iterable[str]) -> list[str]:
        """The names, not the patterns, that no connector bears."""
        known = {connector_id.casefold() for connector_id in connector_ids}
        plain = (pattern.removeprefix("!") for pattern in self.patterns if not is_pattern(pattern))
        return [name for name in plain if name.casefold() not in known]


def stream_name(connector_id: str) -> str:
    """The stream's name: targets drop what stands before a dash."""
    return connector_id.replace("-", "_")


def check_named(settings: Settings, environment: Environment, known: Iterable[str] = ()) -> None:
    """Check that every connector the settings name exists.

    Args:
        settings: The settings.
        environment: What the token may read.
        known: Further connectors that may be named.

    Raises:
        DiscoveryError: One doesn't, or could be either of two.
    """
    ids = {*environment.connectors, *known}
    named = [name for name in settings.streams if not is_pattern(name)]
    missing = sorted({*Choice(settings.connectors).missing(ids), *Choice(tuple(named)).missing(ids)})
    if missing:
        where = f" of environment {environment.id}" if environment.id else ""
        meant = "".join(dict.fromkeys(did_you_mean(name, ids) for name in missing))
        raise DiscoveryError(
            f"The settings name {', '.join(missing)}, which the app connector{where} doesn't have.{meant} Add the"
            f" GetConnector to the app connector in AFAS, or correct `connectors` and `streams`"
            + ("." if meant else f"; it has: {_some(ids)}.")
        )
    for folded in dict.fromkeys(map(str.casefold, named)):
        written, there = ({one for one in names if one.casefold() == folded} for names in (named, ids))
        if written != there and max(len(written), len(there)) > 1:
            raise DiscoveryError(
                f"`streams` names {' and '.join(sorted(written))}, and AFAS has {' and '.join(sorted(there))}, which"
                " differ by case only. Name each of them once, as AFAS spells it; where there is nothing to say: `{}`."
            )


def chosen(settings: Settings, environment: Environment) -> list[str]:
    """The ids of the connectors that become streams.

    Raises:
        DiscoveryError: None does, or two would share a name.
    """
    choice = Choice(settings.connectors)
    ids = sorted(connector_id for connector_id in environment.connectors if choice.takes(connector_id))
    if not ids:
        raise DiscoveryError(
            "No GetConnector is left to read. Add GetConnectors to the app connector in AFAS, or widen `connectors`;"
            f" the app connector has: {_some(environment.connectors)}."
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
    return ids


def _some(names: Iterable[str]) -> str:
    names = sorted(names)
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return (", ".join(names[:_MOST_NAMED]) or "none at all") + more


def definitions(connection: Connection) -> list[Definition]:
    """The streams that AFAS describes and the settings choose.

    Raises:
        DiscoveryError: The settings don't fit what AFAS has, or there are none.
    """
    settings, environment = connection.settings, connection.environment
    check_named(settings, environment)
    found = []
    for connector_id, connector in connection.describe(chosen(settings, environment)).items():
        if isinstance(connector, ProfitError):
            logger.error("%s is left out, since AFAS doesn't describe it: %s", connector_id, connector)
        else:
            found.append(define(connector, settings.stream(connector_id)))
    if not found:
        raise DiscoveryError("AFAS describes none of the connectors; see above.")
    return found


def defined_in(entry: CatalogEntry) -> Definition:
    """The stream of a catalog's entry; its keys, replication and selection are for the SDK to apply.

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
    return Definition(entry.tap_stream_id, entry.stream or stream_name(entry.tap_stream_id), schema)


def define(connector: Connector, settings: StreamSettings) -> Definition:
    """The stream of a connector, from the settings first, then from what is known and detected.

    Raises:
        DiscoveryError: The settings name a field that the connector doesn't have.
    """
    key = known_key(connector) if settings.primary_keys is UNSET else settings.primary_keys
    kinds = kinds_of(connector, settings.types)
    stamp = _detect_stamp(connector, kinds) if settings.replication_key is UNSET else settings.replication_key or None
    unknown = [field for field in (*key, *settings.types, stamp) if field and field not in connector.fields]
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
    _warn_of_names(connector)
    return Definition(
        connector.id,
        stream_name(connector.id),
        json_schema(connector, kinds),
        key,
        stamp,
        "FULL_TABLE" if stamp is None else "INCREMENTAL",
    )


def _warn_of_names(connector: Connector) -> None:
    """Say which fields a target may have no column for."""
    for field in connector.fields:
        if len(field) > _LONGEST_NAME:
            logger.warning(
                "%s: the field %s has over %d characters, more than PostgreSQL holds.",
                connector.id,
                field,
                _LONGEST_NAME,
            )
    folded = collections.Counter(field.casefold() for field in connector.fields)
    alike = [field for field in connector.fields if folded[field.casefold()] > 1]
    if alike:
        logger.warning("%s: many targets take %s for one field.", connector.id, " and ".join(alike))


def _detect_stamp(connector: Connector, kinds: Mapping[str, Kind]) -> str | None:
    date_times = [field for field in connector.fields.values() if kinds[field.id] == "date-time"]
    candidates = stamp_candidates(connector, date_times)
    if len(candidates) > 1:
        logger.warning(
            "%s: %s could each be the time of the last change; reading the full table. Choose one with"
            " `streams.%s.replication_key`.",
            connector.id,
            " and ".join(candidates),
            connector.id,
        )
    return candidates[0] if len(candidates) == 1 else None

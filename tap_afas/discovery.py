"""From GetConnectors to streams: names, types, keys and replication keys."""

from __future__ import annotations

import collections
import dataclasses
import fnmatch
import functools
import logging
from typing import TYPE_CHECKING, Any

from tap_afas.inputs import InputError
from tap_afas.profit.errors import ProfitError
from tap_afas.profit.standard import known_key, stamp_candidates
from tap_afas.schema import json_schema, kinds_of
from tap_afas.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_afas.profit.client import ProfitClient
    from tap_afas.profit.metainfo import Connector, Environment
    from tap_afas.schema import Kind

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
        return any(_matches(connector_id, pattern) for pattern in wanted) and not any(
            _matches(connector_id, pattern) for pattern in unwanted
        )

    def missing(self, connector_ids: Iterable[str]) -> list[str]:
        """The names, not the patterns, that no connector bears."""
        known = {connector_id.casefold() for connector_id in connector_ids}
        plain = (pattern.removeprefix("!") for pattern in self.patterns if not set(pattern) & set("*?["))
        return [name for name in plain if name.casefold() not in known]


def _matches(connector_id: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(connector_id.casefold(), pattern.casefold())


@dataclasses.dataclass(frozen=True, slots=True)
class Described:
    """A connector with what a stream needs.

    Attributes:
        schema: JSON Schema of its records.
        primary_keys: Its key; empty when none is known.
        replication_key: Its stamp, if it has one.
    """

    schema: dict[str, Any]
    primary_keys: tuple[str, ...]
    replication_key: str | None


def stream_name(connector_id: str) -> str:
    """The stream's name: targets drop what stands before a dash."""
    return connector_id.replace("-", "_")


def check_named(config: Mapping[str, Any], environment: Environment, known: Iterable[str] = ()) -> None:
    """See to it that every connector the settings name exists.

    Args:
        config: The settings.
        environment: What the token may read.
        known: Further connectors that may be named.

    Raises:
        DiscoveryError: One doesn't.
    """
    ids = {*environment.connectors, *known}
    missing = [
        *Choice(tuple(config.get("connectors", ["*"]))).missing(ids),
        *(name for name in config.get("streams", {}) if name not in ids),
    ]
    if missing:
        where = f" of environment {environment.id}" if environment.id else ""
        raise DiscoveryError(
            f"The settings name {', '.join(sorted(set(missing)))}, which the app connector{where} doesn't have. Add the"
            f" GetConnector to the app connector in AFAS, or correct `connectors` and `streams`; it has: {_some(ids)}."
        )


def chosen(config: Mapping[str, Any], environment: Environment) -> list[str]:
    """The ids of the connectors that become streams.

    Raises:
        DiscoveryError: None does, or two would share a name.
    """
    choice = Choice(tuple(config.get("connectors", ["*"])))
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


def describe(client: ProfitClient, connector_ids: Iterable[str]) -> dict[str, Connector | ProfitError]:
    """Ask for the fields of connectors, side by side.

    Returns:
        By id, the connector, or why AFAS couldn't describe it.
    """
    ids = list(connector_ids)
    workers = Workers(min(client.limits.max_parallel_requests, max(1, len(ids))))
    found: dict[str, Connector | ProfitError] = {}
    try:
        for connector_id in ids:
            workers.submit(connector_id, functools.partial(client.connector, connector_id))
        for _ in ids:
            connector_id, connector, error = workers.next()
            if error is not None and not isinstance(error, ProfitError):
                raise error
            found[connector_id] = error or connector
    finally:
        workers.close()
    return {connector_id: found[connector_id] for connector_id in ids}


def to_stream(connector: Connector, settings: Mapping[str, Any]) -> Described:
    """What a stream needs, from the settings first, then from what is known and detected.

    Raises:
        DiscoveryError: The settings name a field that the connector doesn't have.
    """
    key = tuple(settings["primary_keys"]) if "primary_keys" in settings else known_key(connector)
    kinds = kinds_of(connector, settings.get("types", {}))
    stamp = settings["replication_key"] or None if "replication_key" in settings else _detect_stamp(connector, kinds)
    unknown = [field for field in (*key, *settings.get("types", {}), stamp) if field and field not in connector.fields]
    if unknown:
        raise DiscoveryError(
            f"{connector.id}: `streams` names the field {', '.join(unknown)}, which the connector doesn't have. It has:"
            f" {', '.join(connector.fields)}."
        )
    if stamp is not None and kinds[stamp] not in _STAMPS:
        raise DiscoveryError(
            f"{connector.id}: the replication key {stamp} is {kinds[stamp]}; it must be a date or a whole number."
        )
    _warn_of_names(connector)
    return Described(
        json_schema(connector, kinds),
        key,
        stamp,
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

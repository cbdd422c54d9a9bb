"""Streams without a key: a target can't update their rows.

So they are read whole each time, unless each change is to be one row more (`append`).
"""

from __future__ import annotations

import dataclasses
import logging
import os
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from tap_afas.environment_variables import meltano
from tap_afas.further_stamps import candidates_in_schema
from tap_afas.inputs import InputError
from tap_afas.profit.known_connectors import stamp_candidates
from tap_afas.profit.query import Condition, Filter, and_filters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_afas.profit.metainfo import Connector
    from tap_afas.replication_key import ReplicationKey
    from tap_afas.settings import Settings
    from tap_afas.stream_definition import StreamDefinition

logger = logging.getLogger("tap-afas")


class SettingsError(InputError):
    """The settings of a stream can't be used as they are."""


def asked_to_append(catalog: object) -> frozenset[str]:
    """The streams of which a catalog's own metadata asks for INCREMENTAL by a replication key.

    An entry alone doesn't ask for it: discovery wrote INCREMENTAL there for all streams with a stamp, once.

    Args:
        catalog: The catalog as JSON; anything else asks for nothing.
    """
    streams = catalog.get("streams") if isinstance(catalog, dict) else None
    asked = set()
    for entry in streams if isinstance(streams, list) else []:
        for one in entry.get("metadata") or []:
            metadata = one.get("metadata") or {}
            if (
                not one.get("breadcrumb")
                and metadata.get("replication-method") == "INCREMENTAL"
                and metadata.get("replication-key")
            ):
                asked.add(str(entry.get("tap_stream_id")))
    return frozenset(asked)


def with_method_of_metadata(catalog: Mapping[str, Any]) -> Mapping[str, Any]:
    """A catalog in whose entries stands what a stream's own metadata says of its replication.

    Discovery writes no `replication-method` there. Who writes one there, as Singer has it, may leave the entry's as it
    was; Meltano writes both.

    Args:
        catalog: The catalog as JSON; anything else stays as it is.
    """
    streams = catalog["streams"]
    entries = []
    for entry in streams if isinstance(streams, list) else []:
        said: dict[str, Any] = {}
        for one in entry.get("metadata") or []:
            metadata = one.get("metadata") or {}
            if not one.get("breadcrumb") and metadata.get("replication-method"):
                said = {"replication_method": metadata["replication-method"]}
                if metadata.get("replication-key"):
                    said["replication_key"] = metadata["replication-key"]
        entries.append({**entry, **said})
    return {**catalog, "streams": entries} if entries else catalog


def read_whole(definition: StreamDefinition) -> StreamDefinition:
    """A stream without a key as a full table."""
    return dataclasses.replace(definition, replication_key=None, replication_method="FULL_TABLE")


def first_stamp(connector: Connector, named: str | None = None) -> str | None:
    """The field by which `start_date` selects rows of a connector whose stream has no replication key.

    Args:
        connector: The connector.
        named: The field that settings or catalog name.
    """
    date_times = [field for field in connector.fields.values() if field.data_type == "date"]
    return named or next(iter(stamp_candidates(connector, date_times)), None)


def from_start(where: Filter, key: ReplicationKey, start_date: str) -> Filter:
    """A filter that also selects by `start_date`; rows with an empty stamp pass: nobody knows how old they are."""
    return and_filters(where, ((Condition(key.id, ">=", str(key.first(start_date))),), (Condition(key.id, "empty"),)))


def check(definitions: Iterable[StreamDefinition], settings: Settings) -> None:
    """Check what `streams` says of versions of streams without a key.

    Raises:
        SettingsError: It leaves ACTIVATE_VERSION out for a full table: each run would add all its rows again. Or it has
            a stream refreshed that appends, or names further stamps for one that isn't read by what changed.
    """
    for definition in definitions:
        mine = settings.stream(definition.connector_id)
        if (
            mine.emit_activate_version_messages is False
            and not definition.primary_keys
            and definition.replication_method == "FULL_TABLE"
        ):
            raise SettingsError(
                f"{definition.connector_id}: `emit_activate_version_messages: false` in `streams` is for streams with a"
                " key. This one has none, so each run would add all its rows once more. Take it out, or set"
                " `primary_keys`."
            )
        appends = not definition.primary_keys and definition.replication_method == "INCREMENTAL"
        if appends and mine.full_refresh_every is not UNSET and mine.full_refresh_every:
            raise SettingsError(
                f"{definition.connector_id}: `full_refresh_every` in `streams` can't be for a stream that appends: what"
                " it sent is the history of the rows, and would be taken out. Take it out, or set `primary_keys`."
            )
        if mine.also_changed_on is UNSET or not mine.also_changed_on:
            continue
        if not definition.primary_keys:
            raise SettingsError(
                f"{definition.connector_id}: `also_changed_on` in `streams` is for streams with a key, and none is"
                " known: this one is read whole by every run. Set `primary_keys`, or take it out."
            )
        if definition.replication_method != "INCREMENTAL":
            raise SettingsError(
                f"{definition.connector_id}: `also_changed_on` in `streams` names further stamps, and the stream has no"
                " replication key, so that every run reads it whole. Set `replication_key` (with a catalog: run"
                " discovery again), or take it out."
            )


def tell_of_catalog(names: Iterable[str]) -> None:
    """Say, in one line for all, which streams a catalog has as INCREMENTAL and are read whole for want of a key."""
    names = sorted(names)
    if names:
        logger.warning(
            "The catalog has %s as INCREMENTAL, and no key is known: read whole. For each change as one row more, set"
            " `streams.<connector>.append`; for neither, `streams.<connector>.primary_keys`.",
            ", ".join(names),
        )


def tell(definitions: Iterable[StreamDefinition], settings: Settings) -> None:
    """Say, in one line for all, which streams have a stamp and are read whole for want of a key."""
    names = sorted(
        definition.connector_id
        for definition in definitions
        if not definition.primary_keys
        and definition.replication_method == "FULL_TABLE"
        and settings.stream(definition.connector_id).primary_keys is UNSET
        and (
            definition.replication_key
            or settings.stream(definition.connector_id).replication_key
            or candidates_in_schema(definition)
        )
    )
    if not names:
        return
    copies = "" if settings.emit_activate_version_messages else " Without ACTIVATE_VERSION, each run adds them again."
    logger.warning(
        "Read whole by every run, since no key is known: %s. With `streams.<connector>.primary_keys` they would be read"
        " by what changed, as the others: `%s` looks for keys. `[]` says that there is none, and silences this line.%s",
        ", ".join(names),
        _check_command(),
        copies,
    )


def _check_command() -> str:
    """What looks for keys, as a person writes it here."""
    extractor = os.environ.get("MELTANO_EXTRACTOR_NAME")
    return f"{meltano()} invoke {extractor}:check" if extractor else "tap-afas-explore check"

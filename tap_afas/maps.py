"""Stream maps that mask what they are to mask, or stop the run.

The SDK passes over a map that names no stream and a field that no record has: what was to be masked is then sent as it
is. Here connectors' ids count as names, and what `stream_maps` names is held against the catalog and AFAS before a row
is read.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import logging
import re
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import MapExpressionError, StreamMapConfigError
from singer_sdk.mapper import (
    MAPPER_ELSE_OPTION,
    MAPPER_SOURCE_OPTION,
    NULL_STRING,
    CustomStreamMap,
    PluginMapper,
    RemoveRecordTransform,
)

from tap_afas.map_expressions import MapError, check_expressions, tell_failures
from tap_afas.profit.errors import ProfitError
from tap_afas.spelling import did_you_mean, is_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from singer_sdk.singerlib import Catalog

    from tap_afas.profit.metainfo import Connector

logger = logging.getLogger("tap-afas")

_NOTHING = (None, NULL_STRING)


@dataclasses.dataclass(frozen=True, slots=True)
class MappedStream:
    """What a map may be about.

    Attributes:
        connector_id: As AFAS spells it.
        name: The stream's name.
        fields: All that the catalog has.
        emitted: Those of them that records hold; none where the stream isn't selected.
        key: The fields of the key.
        activates: Whether it may send ACTIVATE_VERSION.
    """

    connector_id: str
    name: str
    fields: frozenset[str]
    emitted: frozenset[str]
    key: tuple[str, ...] = ()
    activates: bool = True


class Maps(PluginMapper):
    """The SDK's mapper, which takes connectors' ids as well and tells which field failed on a row.

    Args:
        config: The settings.
        names: The streams' names by connectors' ids.
        name_of: The name that a connector's stream has where it isn't among them.

    Raises:
        MapError: A map can't be read, or two are about one stream.
    """

    def __init__(
        self, config: Mapping[str, Any], names: Mapping[str, str], name_of: Callable[[str], str], logger: logging.Logger
    ) -> None:
        # The SDK takes `__else__` out of what it is given.
        given = config.get("stream_maps") or {}
        check_expressions(given)
        maps, self._written = _under_names(given, names, name_of)
        self._name_of = name_of
        self._unread: set[str] = set()
        try:
            super().__init__({**config, "stream_maps": maps}, logger)
        except StreamMapConfigError:
            raise MapError(
                "`stream_maps` knows no other option than `__else__` beside the streams' names, and that may only be"
                " `__NULL__`."
            ) from None

    def register_raw_streams_from_catalog(self, catalog: Catalog) -> None:
        """Make the maps of all streams; those that aren't selected need none, and have no fields that maps fit."""
        for entry in catalog.streams:
            if not entry.metadata.resolve_selection().get((), True):
                self._unread.add(entry.stream or entry.tap_stream_id)
        super().register_raw_streams_from_catalog(catalog)

    def register_raw_stream_schema(
        self, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None
    ) -> None:
        """Make the maps of a stream.

        Raises:
            MapError: One doesn't fit it.
        """
        if stream_name in self._unread:
            self.stream_maps[stream_name] = [RemoveRecordTransform(stream_name, schema, None, None)]
            return
        try:
            super().register_raw_stream_schema(stream_name, {"properties": {}, **schema}, key_properties)
        except MapExpressionError:
            # Its words hold the expression, in which there may be a salt.
            raise MapError(
                f"{stream_name}: `__alias__` in `stream_maps` is neither a name nor an expression."
            ) from None
        except (StreamMapConfigError, NotImplementedError) as error:
            raise MapError(f"{stream_name}: `stream_maps` doesn't fit: {error}") from None
        masked = {field for definition in self.stream_maps_dict.values() for field in _fields_in(definition)}
        for one in self.stream_maps[stream_name]:
            if isinstance(one, CustomStreamMap):
                tell_failures(one, stream_name, masked)

    def check(
        self,
        streams: Sequence[MappedStream],
        connector_ids: Collection[str],
        describe: Callable[[list[str]], Mapping[str, Connector | ProfitError]],
    ) -> None:
        """Hold the maps against what there is; to be called before a row is read.

        Args:
            streams: The streams of the catalog.
            connector_ids: What AFAS has.
            describe: Asks AFAS for the fields of connectors.

        Raises:
            MapError: A map is about no stream, or takes out a field that there isn't, or another map displaces it; or
                two streams go into one table.
        """
        idle: list[str] = []
        for key, definition in self.stream_maps_dict.items():
            about = _source(key, definition)
            found = [stream for stream in streams if fnmatch.fnmatch(stream.name, about)]
            mine = {stream.connector_id for stream in streams}
            others = {one for one in connector_ids if one not in mine and fnmatch.fnmatch(self._name_of(one), about)}
            if not found and not others:
                names = [*(stream.name for stream in streams), *map(self._name_of, connector_ids)]
                raise MapError(
                    f"`stream_maps` is about {self._written.get(about, about)}, which is no stream: neither AFAS nor"
                    f" the catalog has it, and nothing would be masked.{did_you_mean(about, names)} Correct the name,"
                    " or take the map out."
                )
            if any(stream.emitted for stream in found):
                idle += self._check_fields(about, definition, found, others & set(connector_ids), describe)
            else:
                idle.append(about)
        self._check_order(streams)
        selected = [stream for stream in streams if stream.emitted]
        self._check_tables(selected)
        self._tell_of_keys(selected)
        if idle:
            logger.info("`stream_maps` names what this run doesn't read: %s.", ", ".join(idle))

    def _check_fields(
        self,
        about: str,
        definition: Any,
        found: Sequence[MappedStream],
        others: Collection[str],
        describe: Callable[[list[str]], Mapping[str, Connector | ProfitError]],
    ) -> list[str]:
        """Check the fields of a map; which ones are known and not read."""
        fields = _fields_in(definition)
        if MAPPER_ELSE_OPTION in (definition or {}):
            return []  # What isn't named stays out in any case.
        known = {field for stream in found for field in stream.fields}
        emitted = {field for stream in found for field in stream.emitted}
        unknown = [field for field, made in fields.items() if made in _NOTHING and field not in known]
        if unknown:
            # The catalog may be older than the field.
            asked = [stream.connector_id for stream in found if stream.emitted] + sorted(others)
            described = [one for one in describe(asked).values() if not isinstance(one, ProfitError)]
            unknown = [field for field in unknown if described and not any(field in one.fields for one in described)]
        for field in unknown:
            raise MapError(
                f"`stream_maps` takes the field {field} out of {about}, which has no such field: what it is to mask"
                f" would be sent.{did_you_mean(field, known)} Correct the name, or take it out of the map."
            )
        for field in fields:
            for stream in found:
                alike = [one for one in stream.emitted - fields.keys() if one.casefold() == field.casefold()]
                if alike and field not in stream.fields:
                    raise MapError(
                        f"`stream_maps` makes the field {field} in {stream.name}, where {alike[0]} would be sent as it"
                        f" is beside it. Write {alike[0]}, or take that out as well: `{alike[0]}: __NULL__`."
                    )
        return [f"{about}.{field}" for field, made in fields.items() if made in _NOTHING and field not in emitted]

    def _check_order(self, streams: Iterable[MappedStream]) -> None:
        """Check that of several maps for one stream, the last one, which alone counts, masks what the others do."""
        for stream in streams:
            maps = [
                (key, definition)
                for key, definition in self.stream_maps_dict.items()
                if _source(key, definition) == key and fnmatch.fnmatch(stream.name, key)
            ]
            if not maps or not isinstance(maps[-1][1], dict) or MAPPER_ELSE_OPTION in maps[-1][1]:
                continue
            last, counts = maps[-1]
            for key, definition in maps[:-1]:
                lost = sorted(stream.emitted & _fields_in(definition).keys() - _fields_in(counts).keys())
                if lost:
                    raise MapError(
                        f"{stream.name}: {key} and {last} of `stream_maps` are both about it, and only the last one"
                        f" counts: {', '.join(lost)} would be sent as it is. Repeat under {last} what {key} says of it."
                    )

    def _check_tables(self, streams: Iterable[MappedStream]) -> None:
        """Check that no ACTIVATE_VERSION of a stream takes out the rows of another one."""
        tables: dict[str, list[MappedStream]] = {}
        for stream in streams:
            for one in self.stream_maps[stream.name]:
                if not isinstance(one, RemoveRecordTransform):
                    tables.setdefault(one.stream_alias, []).append(stream)
        for table, mine in tables.items():
            if len(mine) > 1 and any(stream.activates for stream in mine):
                names = " and ".join(dict.fromkeys(stream.name for stream in mine))
                raise MapError(
                    f"`stream_maps` sends {names} into one table, {table}: what one of them takes out of it would be"
                    " the other's rows. Give each its own `__alias__`; or where none is to take rows out, set"
                    " `emit_activate_version_messages: false` for them in `streams`."
                )

    def _tell_of_keys(self, streams: Iterable[MappedStream]) -> None:
        """Warn of keys that targets see otherwise than the STATE and the log."""
        for stream in streams:
            changed = {
                field
                for about, definition in self.stream_maps_dict.items()
                if fnmatch.fnmatch(stream.name, _source(about, definition))
                for field in stream.key
                if _fields_in(definition).get(field, field) != field
            }
            if changed:
                logger.warning(
                    "%s: `stream_maps` changes the key field %s for the target. The STATE, and messages about a row at"
                    " fault, hold it as AFAS has it: keep both as secret as it is, or take another key.",
                    stream.name,
                    ", ".join(sorted(changed)),
                )


def _fields_in(definition: Any) -> dict[str, Any]:
    """What a map says of fields."""
    named = definition if isinstance(definition, dict) else {}
    return {name: made for name, made in named.items() if not name.startswith("__")}


def _source(key: str, definition: Any) -> str:
    """The name, or pattern of names, of the streams that a map is about."""
    return str(definition.get(MAPPER_SOURCE_OPTION, key)) if isinstance(definition, dict) else key


def _under_names(
    maps: Mapping[str, Any], names: Mapping[str, str], name_of: Callable[[str], str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The maps with streams' names in place of connectors' ids, and what those names were written as.

    Raises:
        MapError: A stream has a map under its name and one under its connector's id.
    """

    def name(written: str) -> str:
        if written in names.values() or written.startswith("__"):
            return written
        if not is_pattern(written):
            return names.get(written) or name_of(written)
        # Outside of brackets, where a dash means "to".
        return re.sub(r"(\[[^\]]*\])|-", lambda found: found[1] or "[_-]", written)

    renamed: dict[str, Any] = {}
    written: dict[str, str] = {}
    for key, definition in maps.items():
        source = definition.get(MAPPER_SOURCE_OPTION) if isinstance(definition, dict) else None
        if isinstance(source, str):
            # Then the key is the name of a stream that the map makes.
            written[name(source)] = source
            renamed[key] = {**definition, MAPPER_SOURCE_OPTION: name(source)}
            continue
        if name(key) in renamed:
            raise MapError(
                f"`stream_maps` has {written.get(name(key), name(key))} and {key}, which are one stream: its name and"
                " its connector's id. Put both maps under one of them."
            )
        written[name(key)] = key
        renamed[name(key)] = definition
    return renamed, written

"""Conditions as people write them on a command line: `--where "Field >= value"`, `--since`, `--until`."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from tap_afas.filters import FilterError, read_filter
from tap_afas.keyless import first_stamp
from tap_afas.profit.metainfo import kind_of
from tap_afas.profit.query import OPERATORS
from tap_afas.settings import FilterCondition, StreamSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_afas.profit.metainfo import Connector
    from tap_afas.profit.wall_time import WallClock
    from tap_afas.settings import Settings
    from tap_afas.stream_definition import StreamDefinition

_SIGNS = {"==": "=", "<>": "!="}
# None is the beginning of one that comes later.
_WORDS = "|".join(sorted((one.replace(" ", r"\s+") for one in OPERATORS if one[0].isalpha()), key=len, reverse=True))
_WRITTEN = re.compile(
    r"\s*(?P<field>[^\s=!<>]+)\s*"
    rf"(?:(?P<sign>>=|<=|!=|<>|==|=|<|>)|(?<=\s)(?P<word>{_WORDS})(?=\s|$))"
    r"\s*(?P<value>.*)",
    re.DOTALL | re.IGNORECASE,
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}", re.ASCII)


def read_condition(text: str) -> FilterCondition:
    """A condition such as `Amount >= 10`, `Name starts with "De "` or `Email not empty`.

    Raises:
        ValueError: It has no operator, or a value where there may be none.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} has no operator: write a field, one of {', '.join(OPERATORS)}, and a value.")
    operator = _SIGNS.get(found["sign"], found["sign"]) or " ".join(found["word"].lower().split())
    value = found["value"].strip()
    if operator.endswith("empty"):
        if value:
            raise ValueError(f"{text!r} has a value behind “{operator}”, which takes none.")
        return FilterCondition(found["field"], operator)  # type: ignore[arg-type]  # one of `OPERATORS`, as the form has it
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return FilterCondition(found["field"], operator, value)  # type: ignore[arg-type]  # likewise


def period(
    connector: Connector, definition: StreamDefinition, settings: StreamSettings, since: str | None, until: str | None
) -> list[FilterCondition]:
    """The conditions for rows that were last changed within a period.

    Args:
        connector: The connector.
        definition: Its stream, whose replication key counts; without one, the field that tells of the last change.
        settings: What is set for it.
        since: A date, or a date and time.
        until: Likewise; a date takes in its whole day.

    Raises:
        FilterError: No field tells when a row was last changed.
        ValueError: `until` is no date.
    """
    if since is None and until is None:
        return []
    named = None if settings.replication_key is UNSET else settings.replication_key or None
    stamp = definition.replication_key or first_stamp(connector, named)
    if stamp is None or kind_of(connector.fields[stamp]) not in {"date", "date-time"}:
        raise FilterError(
            f"{connector.id}: no field is known that tells when a row was last changed, by which `--since` and"
            ' `--until` select. Name one: `--where "Field >= 2024-01-01"`.'
        )
    found = [] if since is None else [FilterCondition(stamp, ">=", since)]
    if until is not None and _DAY.fullmatch(until.strip()):
        behind = datetime.date.fromisoformat(until.strip()) + datetime.timedelta(days=1)
        return [*found, FilterCondition(stamp, "<", behind.isoformat())]
    return found if until is None else [*found, FilterCondition(stamp, "<=", until)]


def narrowed(
    settings: Settings, connector: Connector, added: Mapping[str, Sequence[FilterCondition]], clock: WallClock
) -> StreamSettings:
    """What is set for a connector, with conditions that must hold besides its `filter`.

    Args:
        settings: The settings.
        connector: The connector.
        added: The conditions, by the options that they come from.
        clock: Of AFAS' wall time.

    Raises:
        FilterError: They don't go with the connector's fields.
    """
    mine = settings.stream(connector.id)
    for option, conditions in added.items():
        read_filter(tuple(conditions), connector, clock, option)
    more = tuple(condition for conditions in added.values() for condition in conditions)
    groups = tuple(entry for entry in mine.filter if isinstance(entry, tuple))
    alone = tuple(entry for entry in mine.filter if not isinstance(entry, tuple))
    if not more or (groups and alone):
        return mine  # What is wrong with the filter is told where it is read.
    where = tuple((*group, *more) for group in groups) if groups else (*alone, *more)
    return msgspec.structs.replace(mine, filter=where)

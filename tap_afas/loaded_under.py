"""What decides which rows a stream has and what they look like, as short hashes that the STATE holds."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tap_afas.profit.metainfo import Kind
    from tap_afas.settings import Settings
    from tap_afas.stream_definition import StreamDefinition

_SELECTING = {"filter": "the `filter`", "start_date": "`start_date`", "timezone": "`timezone`"}
_DIGITS = 4
_LETTERS: dict[Kind, str] = {
    "string": "s",
    "integer": "i",
    "number": "n",
    "boolean": "b",
    "date": "d",
    "date-time": "m",
    "time": "t",
}


@dataclasses.dataclass(frozen=True, slots=True)
class SdkShaping:
    """What the SDK's settings make of a stream.

    Attributes:
        alias: The name of its table.
        maps: Its stream maps and flattening, as the settings have them.
    """

    alias: str = ""
    maps: object = None


@dataclasses.dataclass(frozen=True, slots=True)
class LoadedUnder:
    """What decides which rows a stream has and what they look like, beside its key; each as a short hash.

    Attributes:
        filter: `streams.<connector>.filter`.
        start_date: The setting.
        timezone: The setting.
        alias: The name of the table.
        maps: The stream maps and the flattening.
        fields: A few letters for each field and its kind, a capital for one that isn't loaded any more.
    """

    filter: str = ""
    start_date: str = ""
    timezone: str = ""
    alias: str = ""
    maps: str = ""
    fields: str = ""

    @classmethod
    def now(cls, definition: StreamDefinition, settings: Settings, shape: SdkShaping) -> LoadedUnder:
        """What a run loads under.

        Args:
            definition: The stream.
            settings: The settings.
            shape: What the SDK's settings make of it.
        """
        where = msgspec.to_builtins(settings.stream(definition.connector_id).filter)
        return cls(
            _hash(where or ""),
            _hash(settings.start_date or ""),
            _hash(settings.timezone),
            _hash(shape.alias),
            _hash(shape.maps or ""),
            "".join(sorted(token(name) + _LETTERS.get(kind, "?") for name, kind in definition.emitted.items())),
        )

    @classmethod
    def from_text(cls, text: str) -> LoadedUnder | None:
        """What the STATE says; None where it says nothing that can be read."""
        try:
            found = json.loads(text)
            return cls(**{field.name: str(found[field.name]) for field in dataclasses.fields(cls)})
        except (ValueError, TypeError, LookupError, RecursionError):
            return None

    def to_text(self) -> str:
        """As the STATE holds it."""
        return json.dumps(dataclasses.asdict(self), separators=(",", ":"))

    def differs_in(self, other: LoadedUnder) -> list[str]:
        """Which of the settings that select rows are others."""
        return [words for name, words in _SELECTING.items() if getattr(self, name) != getattr(other, name)]

    def selecting_as(self, other: LoadedUnder) -> LoadedUnder:
        """This one, with the other's settings that select rows."""
        return dataclasses.replace(self, **{name: getattr(other, name) for name in _SELECTING})

    def with_columns_of(self, before: LoadedUnder) -> LoadedUnder:
        """This one, with the fields that are no longer loaded: the target's table keeps their columns."""
        now = self.kinds
        gone = [f"{name}{kind.upper()}" for name, kind in before.kinds.items() if name not in now]
        return dataclasses.replace(self, fields=self.fields + "".join(sorted(gone)))

    @property
    def kinds(self) -> dict[str, str]:
        """The letter of the kind, by the letters of the field; without those that two fields share."""
        step = _DIGITS + 1
        tokens = [self.fields[at : at + step] for at in range(0, len(self.fields), step)]
        names = [token[:_DIGITS] for token in tokens]
        return {token[:_DIGITS]: token[_DIGITS:] for token in tokens if names.count(token[:_DIGITS]) == 1}


def _hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12] if value else ""


def token(name: str) -> str:
    """The letters that stand for a field."""
    return hashlib.sha256(name.encode()).hexdigest()[:_DIGITS]

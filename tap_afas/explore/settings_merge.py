"""What of that which was found is written into settings, and what a person has set already."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

from tap_afas.spelling import is_pattern, matches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_afas.explore.findings import Block

_DOT = re.compile(r"(?<!\\)\.")


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """A setting that is left as a person has it.

    Attributes:
        connector: Of which connector.
        name: Which setting.
        there: What it is.
        found: What it would have become.
    """

    connector: str
    name: str
    there: Any
    found: Any


@dataclasses.dataclass(frozen=True, slots=True)
class Put:
    """What became of what was to be set.

    Attributes:
        written: By connector, what was written.
        kept: What was not.
    """

    written: Block
    kept: Sequence[Kept]

    @property
    def keyed(self) -> list[str]:
        """The connectors that have a key now, or none any more."""
        return [name for name, settings in self.written.items() if "primary_keys" in settings]


def merged(block: Block, there: Mapping[str, Any]) -> tuple[Block, Put]:
    """Bring what was found together with what is there.

    Args:
        block: What was found, by connector.
        there: What the settings have in `streams`.

    Returns:
        What is to be written, under the names that are there; and what became of all.
    """
    new: Block = {}
    written: Block = {}
    kept: list[Kept] = []
    for connector, settings in block.items():
        own = next((one for one in there if one == connector), None)
        own = own or next((one for one in there if one.casefold() == connector.casefold()), connector)
        patterns = [one for one in there if is_pattern(one) and matches(connector, one)]
        said = {name: value for one in (*patterns, own) for name, value in (there.get(one) or {}).items()}
        for name, value in settings.items():
            if name == "primary_keys" and value and said.get("append"):
                kept.append(Kept(connector, "append", True, value))
            elif name not in said:
                new.setdefault(own, {})[name] = value
                written.setdefault(connector, {})[name] = value
            elif (said[name] or None) != (value or None):
                kept.append(Kept(connector, name, said[name], value))
    return new, Put(written, kept)


def nested(flat: Mapping[Any, Any]) -> dict[str, Any]:
    r"""An object of `meltano.yml` as Meltano means it: a dot leads into what stands before it, `\.` is a dot.

    Args:
        flat: With names such as `streams.Zaken.primary_keys`, or with objects in it, or both.
    """
    found: dict[str, Any] = {}
    for name, value in flat.items():
        path = [part.replace(r"\.", ".") for part in _DOT.split(str(name))]
        into = found
        for part in path[:-1]:
            if not isinstance(into.get(part), dict):
                into[part] = {}
            into = into[part]
        new = nested(value) if isinstance(value, dict) else value
        old = into.get(path[-1])
        # Of what is there twice, the first counts, as with Meltano.
        into[path[-1]] = {**new, **old} if isinstance(old, dict) and isinstance(new, dict) else into.get(path[-1], new)
    return found

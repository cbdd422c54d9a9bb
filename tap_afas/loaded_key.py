"""The key that a stream was loaded under, which a target's table keeps, and the way out where it is another one now."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from tap_afas.environment_variables import meltano
from tap_afas.inputs import InputError
from tap_afas.profit.known_connectors import FORMER_KEYS, KEYS, listed_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_afas.settings import Settings
    from tap_afas.stream_definition import StreamDefinition

_USUAL_LOADER = "target-postgres"


class IncompatibleStateError(InputError):
    """The stream can't go on under this STATE; `str()` says what to do.

    Args:
        definition: The stream.
        sentence: What is wrong.
        first: What to do before the stream is started anew; None: to drop its table.
    """

    def __init__(self, definition: StreamDefinition, sentence: str, first: str | None = None) -> None:
        first = first or f"Drop the table {definition.table or definition.name} in the target, then"
        super().__init__(f"{sentence} {first} {start_anew(definition)}")


def start_anew(definition: StreamDefinition) -> str:
    """How to start one stream anew, while the bookmarks of the others stay: the end of a sentence."""
    command = start_anew_command(definition.connector_id)
    if command is None:
        return f"take `{definition.name}` out of `bookmarks` in the state file, and run again."
    # `meltano run` tells the tap no loader.
    own = "" if "MELTANO_LOADER_NAME" in os.environ else ", with your own target in its place"
    return f"start this stream anew: `{command}`{own}."


def start_anew_command(*connector_ids: str, extractor: str | None = None) -> str | None:
    """What starts some streams anew under Meltano; None outside it.

    Args:
        connector_ids: Theirs.
        extractor: Its name in `meltano.yml`; None: that of the one that runs.
    """
    extractor = extractor or os.environ.get("MELTANO_EXTRACTOR_NAME")
    if not extractor:
        return None
    # An apostrophe would end the shell's quotes.
    ids = json.dumps(connector_ids).replace("'", "\\u0027")
    only = f"{extractor.upper().replace('-', '_')}__SELECT_FILTER='{ids}'"
    return f"{only} {meltano()} run --full-refresh {extractor} {os.environ.get('MELTANO_LOADER_NAME', _USUAL_LOADER)}"


def names_to_text(names: Sequence[str]) -> str:
    """A key as the STATE holds it."""
    return json.dumps(list(names), ensure_ascii=False)


def key_of(definition: StreamDefinition, state: Mapping[str, Any], settings: Settings) -> tuple[str, ...] | None:
    """The key that a stream was loaded under; None: nothing was loaded yet.

    Args:
        definition: The stream as it is now.
        state: Its part of the STATE.
        settings: Theirs is the key of a STATE that tells none, else the one in the tap's list.
    """
    if not state:
        return None
    if "key" in state:
        text = state["key"]
        try:
            names = json.loads(text) if isinstance(text, str) else None
        except ValueError:
            names = None
        return tuple(map(str, names)) if isinstance(names, list) else None
    mine = settings.stream(definition.connector_id).primary_keys
    if mine is not UNSET:
        return mine
    listed = _listed(definition, KEYS) or _listed(definition, FORMER_KEYS)
    return listed or definition.primary_keys


def _listed(definition: StreamDefinition, keys: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    key = listed_key(keys, definition.connector_id)
    return key if all(field in definition.kinds for field in key) else ()


def with_key_of_state(
    definition: StreamDefinition, loaded: tuple[str, ...] | None, state: Mapping[str, Any], settings: Settings
) -> StreamDefinition:
    """The stream with the key that it was loaded under, where only the tap's list says another one."""
    if loaded is None or loaded == definition.primary_keys:
        return definition
    listed = definition.primary_keys == _listed(definition, KEYS)
    if settings.stream(definition.connector_id).primary_keys is not UNSET or not listed:
        return definition
    selected = definition.kinds if definition.selected is None else definition.selected
    if not all(field in selected for field in loaded):
        return definition
    stamp = state.get("replication_key")
    if not definition.primary_keys and stamp in definition.kinds:
        # It was read whole only for want of a key.
        return dataclasses.replace(
            definition, primary_keys=loaded, replication_key=stamp, replication_method="INCREMENTAL"
        )
    if not loaded:
        return dataclasses.replace(definition, primary_keys=(), replication_key=None, replication_method="FULL_TABLE")
    return dataclasses.replace(definition, primary_keys=loaded)


def check_key(definition: StreamDefinition, loaded: tuple[str, ...] | None) -> None:
    """Check that a stream has the key that it was loaded under: a target doesn't change the key of a table.

    Raises:
        IncompatibleStateError: It has another one.
    """
    if loaded is not None and loaded != definition.primary_keys:
        raise IncompatibleStateError(
            definition,
            f"The stream was loaded under {_named(loaded)}, and has {_named(definition.primary_keys)} now: the target's"
            " table isn't made for that, and rows would double.",
        )


def _named(key: Sequence[str]) -> str:
    return f"the key {', '.join(key)}" if key else "no key"

"""What the command line is given: settings from files and the environment, a state, a catalog."""

from __future__ import annotations

import json
import os
import pathlib
from typing import IO, TYPE_CHECKING, Any

from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.singerlib import Catalog, Metadata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PREFIX = "TAP_AFAS_"
_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


class InputError(Exception):
    """What the tap was given can't be used; `str()` is a sentence for the person who runs it.

    Args:
        sentence: What is wrong, and what to do.
        may_pass: Whether a later run may succeed without anybody changing anything.
    """

    def __init__(self, sentence: str, *, may_pass: bool = False) -> None:
        super().__init__(sentence)
        self.may_pass = may_pass


class SettingsError(InputError):
    """The settings can't be used.

    Args:
        sentences: What is wrong with them.
    """

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = tuple(sentences)


class StateError(InputError):
    """The STATE can't be used.

    Args:
        sentence: What is wrong with it; what to do is added.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(
            f"{sentence} Pass the state that this tap wrote, or start anew: without --state, or"
            " `meltano run --full-refresh`."
        )


def read_settings(sources: Sequence[str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of some sources, later ones first.

    Args:
        sources: Paths of JSON files; `ENV` for the environment's variables.
        schema: JSON Schema of the settings.

    Raises:
        ConfigValidationError: A source can't be read.
    """
    settings: dict[str, Any] = {}
    for source in sources:
        settings.update(_from_environment(schema) if source == "ENV" else _from_file(source, schema))
    return settings


def _from_file(path: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    # Somebody may have given the settings themselves, with the token.
    path = path if path.isprintable() and not set(path) & set("{<") else "…"
    try:
        content = json.loads(pathlib.Path(path).read_text("utf-8"))
    except OSError as error:
        raise _unreadable(f"--config {path}: {error.strerror or type(error).__name__}.", schema) from None
    except (ValueError, RecursionError):
        raise _unreadable(f"--config {path} is not JSON.", schema) from None
    if not isinstance(content, dict):
        raise _unreadable(f"--config {path} is not a JSON object.", schema)
    return content


def _from_environment(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in variables such as `TAP_AFAS_TOKEN`; an empty one counts as not set."""
    found: dict[str, Any] = {}
    for name, setting in schema["properties"].items():
        variable = f"{_PREFIX}{name.upper()}"
        text = os.environ.get(variable, "").strip()
        if text:
            found[name] = _parse(variable, text, setting, schema)
    return found


def _parse(variable: str, text: str, setting: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    kinds = setting.get("type", "string")
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if "string" in kinds:
        return text
    if "boolean" in kinds:
        if text.lower() not in _BOOLEANS:
            raise _unreadable(f"`{variable}` must be true or false.", schema)
        return _BOOLEANS[text.lower()]
    if kinds & {"integer", "number"}:
        try:
            return int(text)
        except ValueError:
            raise _unreadable(f"`{variable}` must be a whole number.", schema) from None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _unreadable(f'`{variable}` is not JSON: lists are written ["a", "b"].', schema) from None


def _unreadable(sentence: str, schema: Mapping[str, Any]) -> ConfigValidationError:
    return ConfigValidationError(sentence, errors=[sentence], schema=dict(schema))


def read_state(file: IO[str]) -> dict[str, Any]:
    """The STATE of `--state`.

    Raises:
        InputError: The file is not a JSON object, or not a state.
    """
    content = _read_object(file, "--state")
    bookmarks = content.get("bookmarks", {})
    if not isinstance(bookmarks, dict) or not all(isinstance(bookmark, dict) for bookmark in bookmarks.values()):
        raise StateError('The state is not of the form {"bookmarks": {"<stream>": {…}}}.')
    return content


def read_catalog(file: IO[str]) -> dict[str, Any]:
    """The catalog of `--catalog`, as JSON.

    Raises:
        InputError: The file is not a Singer catalog.
    """
    content = _read_object(file, "--catalog")
    try:
        Catalog.from_dict(content)
    except (LookupError, TypeError, AttributeError, ValueError):
        raise InputError(f"--catalog {file.name} is not a Singer catalog: run discovery again.") from None
    return content


def select_keys(catalog: Catalog) -> None:
    """Select keys and replication keys, whatever the catalog says: no record can do without them."""
    for entry in catalog.streams:
        root = entry.metadata.root
        keys = entry.key_properties or root.table_key_properties or ()
        for field in (*keys, entry.replication_key or root.replication_key):
            if field in (entry.schema.properties or {}):
                entry.metadata["properties", str(field)].inclusion = Metadata.InclusionType.AUTOMATIC


def _read_object(file: IO[str], option: str) -> dict[str, Any]:
    try:
        content = json.load(file)
    except (ValueError, RecursionError):
        advice = " Of several lines of STATE, the last one counts." if option == "--state" else ""
        raise InputError(f"{option} {file.name} is not JSON.{advice}") from None
    if not isinstance(content, dict):
        raise InputError(f"{option} {file.name} is not a JSON object.")
    return content

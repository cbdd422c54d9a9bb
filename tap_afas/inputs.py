"""What the command line is given: settings, from files and the environment."""

from __future__ import annotations

import json
import os
import pathlib
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import ConfigValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PREFIX = "TAP_AFAS_"
_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


class InputError(Exception):
    """What the tap was given can't be used; `str()` is a sentence for the person who runs it."""


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


def parse_json(content: str | bytes) -> Any:
    """Read JSON: UTF-8 with or without a byte order mark, or UTF-16, as PowerShell's `>` writes it.

    Raises:
        ValueError: It isn't; its text says why and where, without quoting anything.
    """
    try:
        return json.loads(content.removeprefix("\ufeff") if isinstance(content, str) else content)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError:
        raise ValueError("it is neither UTF-8 nor UTF-16; save it as UTF-8") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None


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
        content = parse_json(pathlib.Path(path).read_bytes())
    except OSError as error:
        raise _unreadable(f"--config {path}: {error.strerror or type(error).__name__}.", schema) from None
    except ValueError as error:
        raise _unreadable(f"--config {path} is not JSON: {error}.", schema) from None
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

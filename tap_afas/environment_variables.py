"""Settings in the environment's variables, and in `.env`."""

from __future__ import annotations

import difflib
import json
import logging
import logging.config
import os
import pathlib
import re
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import ConfigValidationError

from tap_afas.json_names import RepeatedNameError, each_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

logger = logging.getLogger("tap-afas")

_PREFIX = "TAP_AFAS_"
_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
# As Meltano splits the names of nested settings.
_DOT = re.compile(r"(?<!\\)\.")
# The SDK's and Meltano's own.
_OTHERS = {f"{_PREFIX}LOGLEVEL", f"{_PREFIX}METRICS_LOGLEVEL", f"{_PREFIX}LOG_LEVEL"}
_LOG_CONFIG = "SINGER_SDK_LOG_CONFIG"
# Names of settings are alike: `TAP_AFAS_STREAMS` and `TAP_AFAS_STREAM_MAPS` are no misspellings of each other.
_ALIKE = 0.85


def log_problem() -> str:
    """Why the log can't be set up as the environment says, in a sentence: what says so no longer counts then.

    Returns:
        Empty where it can.
    """
    for name in (f"{_PREFIX}LOGLEVEL", "LOGLEVEL"):
        level = os.environ.get(name)
        if level and level.upper() not in logging.getLevelNamesMapping():
            del os.environ[name]
            return f"`{name}` must be one of: DEBUG, INFO, WARNING, ERROR, CRITICAL."
    path = os.environ.get(_LOG_CONFIG)
    if path is None:
        return ""
    from singer_sdk._logging import _load_yaml_logging_config  # noqa: PLC0415 - needed by few runs

    try:
        logging.config.dictConfig(_load_yaml_logging_config(pathlib.Path(path)))
    except FileNotFoundError:
        return ""  # The SDK warns of it.
    except Exception as error:  # noqa: BLE001 - yaml and logging raise all kinds at what isn't right in the file
        del os.environ[_LOG_CONFIG]
        return f"The log can't be set up as {path} (`{_LOG_CONFIG}`) says: {error}."
    return ""


def under_meltano() -> bool:
    """Whether Meltano started the tap: it says so to its plugins, and tells them their settings itself."""
    return "MELTANO_EXTRACTOR_NAME" in os.environ


def meltano() -> str:
    """`meltano` as a person writes it to go on from here: in the same environment."""
    environment = os.environ.get("MELTANO_ENVIRONMENT")
    return f"meltano --environment={environment}" if environment else "meltano"


def read_environment(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in variables such as `TAP_AFAS_TOKEN`, exported or in `.env`; an empty one counts as not set.

    Args:
        schema: JSON Schema of the settings.

    Raises:
        ConfigValidationError: A variable, or `.env`, can't be read.
    """
    variables = dict(os.environ)
    if not under_meltano():
        variables = {**_dotenv(schema), **variables}
        _warn_of_misspelt(variables, schema)
    found: dict[str, Any] = {}
    for name, setting in schema["properties"].items():
        text = variables.get(_variable(name), "").strip()
        if text:
            found[name] = _parse(_variable(name), text, setting, schema)
    return found


def unread(schema: Mapping[str, Any]) -> list[str]:
    """What to say of settings in the environment where none were passed; empty where there are none."""
    found = [_variable(name) for name in schema["properties"] if os.environ.get(_variable(name), "").strip()]
    if not found and pathlib.Path(".env").is_file():
        found = [f"{name} in .env" for name in _dotenv(schema) if name in map(_variable, schema["properties"])]
    if not found or under_meltano():
        return []
    return [f"No settings were passed, but the environment holds {', '.join(found)}: pass `--config=ENV` to read them."]


def dropped_maps(maps: Any, schema: Mapping[str, Any]) -> list[str]:
    """What in `stream_maps` Meltano keeps from the tap: it leaves out what is null, from the file and not the variable.

    Args:
        maps: `stream_maps` as the tap was given it.
        schema: JSON Schema of the settings.

    Returns:
        The paths of what would go out as it is, where `meltano.yml` says that it is taken out.
    """
    written = os.environ.get(_variable("stream_maps"), "").strip()
    if not written or not under_meltano():
        return []
    meant = _parse(_variable("stream_maps"), written, {"type": "object"}, schema)
    if not isinstance(meant, dict):
        return []
    given = maps if isinstance(maps, dict) else {}
    dropped = []
    for name, fields in meant.items():
        if fields is None and name not in given:
            dropped.append(f"stream_maps.{name}")
        if isinstance(fields, dict):
            left = given.get(name) or {}
            dropped += [f"stream_maps.{name}.{one}" for one, made in fields.items() if made is None and one not in left]
    return dropped


def _variable(setting: str) -> str:
    return f"{_PREFIX}{setting.upper()}"


def _dotenv(schema: Mapping[str, Any]) -> dict[str, str]:
    """The tap's variables in the working directory's `.env`."""
    path = pathlib.Path(".env")
    if not path.is_file():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 - needed by few runs

    try:
        values = dotenv_values(path, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise unreadable(f"`.env` can't be read: {why}.", schema) from None
    return {name: value for name, value in values.items() if value and "AFAS" in name.upper()}


def _warn_of_misspelt(variables: Iterable[str], schema: Mapping[str, Any]) -> None:
    known = list(map(_variable, schema["properties"]))
    for name in variables:
        if name in known or name in _OTHERS or name.startswith(f"{_PREFIX}_") or "AFAS" not in name.upper():
            continue
        near = difflib.get_close_matches(name.upper(), known, 1, _ALIKE)
        if near:
            logger.warning("The variable %s is no setting of the tap, and isn't read. Did you mean %s?", name, near[0])


def _parse(variable: str, text: str, setting: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    kinds = setting.get("type", "string")
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if "string" in kinds:
        return text
    if "boolean" in kinds:
        if text.lower() not in _BOOLEANS:
            raise unreadable(f"`{variable}` must be true or false.", schema)
        return _BOOLEANS[text.lower()]
    if kinds & {"integer", "number"}:
        try:
            return int(text)
        except ValueError:
            raise unreadable(f"`{variable}` must be a whole number.", schema) from None
    try:
        content = json.loads(text, object_pairs_hook=each_once)
    except RepeatedNameError as error:
        raise unreadable(f"`{variable}` can't be read: {error}.", schema) from None
    except (ValueError, RecursionError):
        raise unreadable(f'`{variable}` is not JSON: lists are written ["a", "b"].', schema) from None
    return _nested(variable, content, schema) if "object" in kinds and isinstance(content, dict) else content


def _nested(variable: str, flat: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    r"""An object as it was, where Meltano has flattened it: `{"A\\.b.x": 1}` -> `{"A.b": {"x": 1}}`.

    It does so for its commands, which get their settings as variables only. What holds objects still is as it was.
    """
    if any(isinstance(value, dict) and value for value in flat.values()):
        return dict(flat)
    nested: dict[str, Any] = {}
    for path, value in flat.items():
        *parents, name = (part.replace("\\.", ".") for part in _DOT.split(path))
        place: Any = nested
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                break
        if not isinstance(place, dict) or name in place:
            raise unreadable(f"`{variable}` says two things of one name: write it as nested objects.", schema)
        place[name] = value
    return nested


def unreadable(sentence: str, schema: Mapping[str, Any]) -> ConfigValidationError:
    """The error for settings that can't be read."""
    return ConfigValidationError(sentence, errors=[sentence], schema=dict(schema))

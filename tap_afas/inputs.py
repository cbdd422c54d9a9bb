"""What the command line is given: settings, from files and the environment."""

from __future__ import annotations

import json
import pathlib
from typing import TYPE_CHECKING, Any

from tap_afas.environment_variables import read_environment, unreadable
from tap_afas.json_names import RepeatedNameError, each_once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


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


def parse_json(content: str | bytes) -> Any:
    """Read JSON: UTF-8 with or without a byte order mark, or UTF-16, as PowerShell's `>` writes it.

    Raises:
        RepeatedNameError: An object has a name twice.
        ValueError: It isn't; its text says why and where, without quoting anything.
    """
    try:
        text = content.removeprefix("\ufeff") if isinstance(content, str) else content
        found = json.loads(text, object_pairs_hook=each_once)
        json.dumps(found, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except UnicodeEncodeError:
        raise ValueError("it holds half of a letter (a lone surrogate such as \\ud800)") from None
    except UnicodeDecodeError:
        raise ValueError("it is neither UTF-8 nor UTF-16; save it as UTF-8") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    return found


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
        settings.update(read_environment(schema) if source == "ENV" else _from_file(source, schema))
    return settings


def _from_file(path: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    # Somebody may have given the settings themselves, with the token.
    path = path if path.isprintable() and not set(path) & set("{<") else "…"
    try:
        content = parse_json(pathlib.Path(path).read_bytes())
    except OSError as error:
        raise unreadable(f"--config {path}: {error.strerror or type(error).__name__}.", schema) from None
    except RepeatedNameError as error:
        raise unreadable(f"--config {path} can't be read: {error}.", schema) from None
    except ValueError as error:
        raise unreadable(f"--config {path} is not JSON: {error}.", schema) from None
    if not isinstance(content, dict):
        raise unreadable(f"--config {path} is not a JSON object.", schema)
    return content

"""What is wrong with a setting, in a sentence that never holds its value: that may be a secret gone astray."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsonschema import ValidationError

_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}

_WANTED: dict[str, Callable[[Any], str]] = {
    "type": lambda kinds: " or ".join(
        _KINDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind in _KINDS
    ),
    "enum": lambda values: f"one of: {', '.join(map(str, values))}",
    "minimum": lambda least: f"at least {least}",
    "maximum": lambda most: f"at most {most}",
    "minItems": lambda _: "a list that isn't empty",
    "uniqueItems": lambda _: "a list without repetitions",
}


def complaint(error: ValidationError) -> str:
    """A sentence for a setting that doesn't fit the schema.

    Args:
        error: What the schema's validator says.
    """
    if error.context:
        error = max(error.context, key=lambda cause: len(cause.absolute_path))
    path = ".".join(str(part) for part in error.absolute_path)
    expected: Any = error.validator_value
    instance: Any = error.instance
    if error.validator == "additionalProperties":
        return _unknown(error, path)
    if error.validator == "required":
        return f"`{path}` lacks {', '.join(name for name in expected if name not in instance)}."
    wanted = _WANTED.get(str(error.validator), lambda _: "written otherwise; see `tap-afas --about`")(expected)
    return f"`{path}` must be {wanted}." if path else f"The settings must be {wanted}."


def _unknown(error: ValidationError, path: str) -> str:
    schema: Any = error.schema
    instance: Any = error.instance
    known = list(schema.get("properties", {}))
    unknown = next(name for name in instance if name not in known)
    near = difflib.get_close_matches(unknown, known, 1)
    where = f" of `{path}`" if path else ""
    return f"`{unknown}` is not a setting{where}." + (f" Did you mean `{near[0]}`?" if near else "")

"""From the settings' declarations to the JSON Schema that the SDK shows and checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TYPES = ["string", "number", "integer", "boolean", "object", "array", "null"]
_OF_THE_CLASS = {"title", "description"}


def schema_of(settings: type[msgspec.Struct], choices: Sequence[str]) -> dict[str, Any]:
    """The JSON Schema of the settings, in the form that the SDK gives its own.

    Args:
        settings: Where they are declared.
        choices: All that one may choose from anywhere, in the order to show them.
    """
    (root,), structs = msgspec.json.schema_components([settings], ref_template="{name}")
    schema = _written_out(root, structs, choices)
    for name, setting in schema["properties"].items():
        types = setting["type"]
        # Whoever passes settings on may leave null what isn't set.
        setting["type"] = types if isinstance(types, list) else [types, "null"]
        default = structs[settings.__name__]["properties"][name].get("default")
        if default is not None:
            setting["default"] = list(default) if isinstance(default, tuple) else default
    return {
        "type": "object",
        "properties": schema["properties"],
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "additionalProperties": False,
    }


def _written_out(schema: Any, structs: Mapping[str, Any], choices: Sequence[str]) -> Any:
    """A part of msgspec's schema without references, what is said of classes and defaults; types in one list."""
    if isinstance(schema, list):
        return [_written_out(part, structs, choices) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        schema = {name: part for name, part in structs[schema["$ref"]].items() if name not in _OF_THE_CLASS}
    schema = {name: _written_out(part, structs, choices) for name, part in schema.items() if name != "default"}
    if not schema.get("required", True):
        del schema["required"]
    if "enum" in schema:  # msgspec sorts them.
        schema |= {"type": "string", "enum": sorted(schema["enum"], key=choices.index)}
    if "anyOf" in schema:
        parts = sorted(schema.pop("anyOf"), key=lambda part: _TYPES.index(part["type"]))
        if sum(len(part) > 1 for part in parts) > 1:
            return {**schema, "anyOf": parts}
        for part in parts:
            schema |= part
        schema["type"] = [part["type"] for part in parts]
    return schema

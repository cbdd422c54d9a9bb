"""The form of a catalog that was passed in: what in it has another type than Singer's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DEEPEST = 50
_TEXT, _TEXTS = "text", "a list of texts"
_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_ENTRY = {
    "tap_stream_id": _TEXT,
    "stream": _TEXT,
    "key_properties": _TEXTS,
    "replication_key": _TEXT,
    "replication_method": _TEXT,
}
_METADATA = {
    "inclusion": _TEXT,
    "selected": "true or false",
    "selected-by-default": "true or false",
    "table-key-properties": _TEXTS,
    "valid-replication-keys": _TEXTS,
    "forced-replication-method": _TEXT,
    "replication-method": _TEXT,
    "replication-key": _TEXT,
    "schema-name": _TEXT,
}


def catalog_problem(catalog: Mapping[str, Any]) -> str:
    """The first thing of a catalog that has another form than Singer's, in a sentence; empty where there is none."""
    return next(_problems(catalog), "")


def _problems(catalog: Mapping[str, Any]) -> Iterator[str]:
    entries = catalog.get("streams")
    if not _is_list_of_objects(entries):
        yield "`streams` must be a list of objects."
        return
    for number, entry in enumerate(entries or ()):
        where = f"streams[{number}]"
        if not isinstance(entry.get("tap_stream_id") or entry.get("stream"), str):
            yield f"`{where}` has no `tap_stream_id`."
        yield from _misfits(where, entry, _ENTRY)
        yield from _schema_problems(f"{where}.schema", entry.get("schema"))
        if not _is_list_of_objects(entry.get("metadata", [])):
            yield f"`{where}.metadata` must be a list of objects."
            return
        for place, part in enumerate(entry.get("metadata", [])):
            said = f"{where}.metadata[{place}]"
            if not _is_texts(part.get("breadcrumb")):
                yield f"`{said}.breadcrumb` must be {_TEXTS}."
            if not isinstance(part.get("metadata"), dict):
                yield f"`{said}.metadata` must be an object."
                return
            yield from _misfits(f"{said}.metadata", part["metadata"], _METADATA)


def _misfits(where: str, content: Mapping[str, Any], wanted: Mapping[str, str]) -> Iterator[str]:
    for name, kind in wanted.items():
        value = content.get(name)
        fits = {_TEXT: isinstance(value, str), _TEXTS: _is_texts(value)}.get(kind, isinstance(value, bool))
        if value is not None and not fits:
            yield f"`{where}.{name}` must be {kind}."


def _schema_problems(where: str, schema: Any) -> Iterator[str]:
    properties = schema.get("properties", {}) if isinstance(schema, dict) else None
    if not isinstance(properties, dict) or not all(isinstance(one, dict) for one in properties.values()):
        yield f"`{where}` must be a JSON Schema with `properties`."
        return
    if not _is_shallow(schema):
        yield f"`{where}` is nested too deep."
        return
    if "object" not in _listed(schema.get("type", "object")):
        yield f"`{where}.type` must be object."
    for one in properties.values():
        if not _TYPES.issuperset(_listed(one.get("type", []))):
            yield f"`{where}`: the `type` of a property must be a type of JSON Schema, or a list of those."
        if not isinstance(one.get("format"), str | None):
            yield f"`{where}`: the `format` of a property must be a text."
        if not all(_is_list_of_objects(one.get(name, [])) for name in ("anyOf", "oneOf", "allOf")):
            yield f"`{where}`: `anyOf` of a property must be a list of objects."


def _listed(types: Any) -> list[Any]:
    """The types that a schema names; what can be no type is one that nobody knows."""
    listed = types if isinstance(types, list) else [types]
    return [one if isinstance(one, str) else "" for one in listed]


def _is_shallow(content: Any) -> bool:
    left = [(content, 0)]
    while left:
        one, depth = left.pop()
        if depth > _DEEPEST:
            return False
        if isinstance(one, dict | list):
            left += [(inner, depth + 1) for inner in (one.values() if isinstance(one, dict) else one)]
    return True


def _is_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)

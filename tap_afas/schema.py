"""From a kind of AFAS' values to JSON Schema, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_afas.profit.metainfo import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_afas.profit.metainfo import Connector, Kind

# Kinds that JSON Schema knows as forms of text.
_FORMATS: set[Kind] = {"date", "date-time", "time"}
# What may be written into a column made for something else: a target can't alter it.
_FITS: dict[Kind, set[Kind]] = {"number": {"integer"}, "date-time": {"date"}, "string": set(KINDS)}


def json_schema(connector: Connector, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """The JSON Schema of a connector's records.

    It holds only what AFAS enforces: no lengths, no multiples. A target would check them, and abort where AFAS doesn't.
    """
    properties = {field.id: _property(kinds[field.id], field.label) for field in connector.fields.values()}
    return {"type": "object", "properties": properties}


def _property(kind: Kind, label: str) -> dict[str, Any]:
    if kind in _FORMATS:
        schema: dict[str, Any] = {"type": ["string", "null"], "format": kind}
    else:
        schema = {"type": [kind, "null"]}
    if label:
        schema["description"] = label
    return schema


def kind_in_schema(schema: Mapping[str, Any]) -> Kind:
    """The kind of a property of a catalog's schema; text where it allows several, or names none."""
    kinds = kinds_in_schema(schema)
    return next(iter(kinds)) if len(kinds) == 1 else "string"


def kinds_in_schema(schema: Mapping[str, Any]) -> set[Kind]:
    """The kinds that a property of a catalog's schema allows, which somebody may have edited; none: it names none."""
    types = schema.get("type", [])
    form = schema.get("format")
    text: Kind = form if form in _FORMATS else "string"
    named = {text if one == "string" else one for one in ([types] if isinstance(types, str) else types)}
    found: set[Kind] = {kind for kind in KINDS if kind in named}
    for part in (*(schema.get("anyOf") or ()), *(schema.get("oneOf") or ())):
        if isinstance(part, dict):
            found |= kinds_in_schema({"format": form, **part})
    # A whole number is a number.
    return found - {"integer"} if "number" in found else found


def with_kind(schema: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """A property of a catalog's schema, of one kind in place of those that it allows."""
    rest = {name: said for name, said in schema.items() if name not in {"type", "format", "anyOf", "oneOf"}}
    return {**_property(kind, ""), **rest}


def fits_column(now: Kind, column: Kind) -> bool:
    """Whether values of a kind can be written into a column that was made for another."""
    return now == column or now in _FITS.get(column, set())

"""From a kind of AFAS' values to JSON Schema, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_afas.profit.metainfo import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_afas.profit.metainfo import Connector, Kind

# What may be written into a column made for something else: a target can't alter it.
_FITS: dict[Kind, set[Kind]] = {"number": {"integer"}, "date-time": {"date"}, "string": set(KINDS)}


def json_schema(connector: Connector, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """The JSON Schema of a connector's records.

    It holds only what AFAS enforces: no lengths, no multiples. A target would check them, and abort where AFAS doesn't.
    """
    properties = {field.id: _property(kinds[field.id], field.label) for field in connector.fields.values()}
    return {"type": "object", "properties": properties}


def _property(kind: Kind, label: str) -> dict[str, Any]:
    if kind in {"date", "date-time"}:
        schema: dict[str, Any] = {"type": ["string", "null"], "format": kind}
    else:
        schema = {"type": [kind, "null"]}
    if label:
        schema["description"] = label
    return schema


def kind_in_schema(schema: Mapping[str, Any]) -> Kind:
    """The kind of a property of a catalog's schema, which somebody may have edited."""
    types = schema.get("type", [])
    types = {types} if isinstance(types, str) else set(types)
    if "string" not in types:
        for kind in ("number", "integer", "boolean"):
            if kind in types:
                return kind
    form = schema.get("format")
    return form if form in {"date", "date-time"} else "string"


def fits_column(now: Kind, column: Kind) -> bool:
    """Whether values of a kind can be written into a column that was made for another."""
    return now == column or now in _FITS.get(column, set())

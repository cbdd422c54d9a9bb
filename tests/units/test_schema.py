from __future__ import annotations

from typing import Any

import pytest

from tap_afas.profit.metainfo import KINDS, Connector, Field, Kind, kinds_of
from tap_afas.schema import fits_column, json_schema, kind_in_schema


def test_schema_holds_only_what_afas_enforces() -> None:
    connector = Connector(
        "C",
        "",
        {
            "Code": Field("Code", "string", "Code van iets", length=15),
            "Amount": Field("Amount", "decimal", "Bedrag", decimals=2),
            "Born": Field("Born", "date", "", control_type=4),
            "Opens": Field("Opens", "date", "", control_type=7),
        },
    )
    assert json_schema(connector, kinds_of(connector, {})) == {
        "type": "object",
        "properties": {
            "Code": {"type": ["string", "null"], "description": "Code van iets"},
            "Amount": {"type": ["number", "null"], "description": "Bedrag"},
            "Born": {"type": ["string", "null"], "format": "date"},
            "Opens": {"type": ["string", "null"], "format": "time"},
        },
    }


@pytest.mark.parametrize("kind", KINDS)
def test_kind_survives_the_catalog(kind: Kind) -> None:
    connector = Connector("C", "", {"X": Field("X", "string")})
    assert kind_in_schema(json_schema(connector, {"X": kind})["properties"]["X"]) == kind


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "integer"}, "integer"),
        ({"type": ["null", "integer", "number"]}, "number"),
        ({"type": ["string", "integer"]}, "string"),
        ({"type": ["string"], "format": "email"}, "string"),
        ({"type": ["object", "null"]}, "string"),
        ({}, "string"),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}, "date-time"),
        ({"oneOf": [{"type": "null"}, {"anyOf": [{"type": "number"}, {"type": "integer"}]}]}, "number"),
        ({"anyOf": [{"type": ["string", "null"]}], "format": "date"}, "date"),
        ({"anyOf": [{"type": "boolean"}, {"type": "string"}]}, "string"),
    ],
)
def test_kind_of_an_edited_schema(schema: dict[str, Any], kind: Kind) -> None:
    assert kind_in_schema(schema) == kind


@pytest.mark.parametrize("now", KINDS)
@pytest.mark.parametrize("column", KINDS)
def test_what_fits_a_column(now: Kind, column: Kind) -> None:
    wider = {("integer", "number"), ("date", "date-time")}
    assert fits_column(now, column) == (column in {now, "string"} or (now, column) in wider)

"""Fields that are not selected, or that only the order needs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from afas_sandbox import Field
from harness.source import Source, Walk, row, source_of
from harness.syncing import run

if TYPE_CHECKING:
    from afas_sandbox import Sandbox

CODE = Field("Code", "string", "Code", "Code", 30)
NUMBER = Field("No", "int", "Number", "Nummer", 9)


def test_nothing_selected_of_a_connector_without_a_key(sandbox: Sandbox) -> None:
    source = source_of(sandbox, (CODE, NUMBER), (), None, [("a", 1), ("b", 2)])
    catalog = source.catalog()
    catalog["streams"][0]["metadata"] += [
        {"breadcrumb": ["properties", field], "metadata": {"inclusion": "available", "selected": False}}
        for field in ("Code", "No")
    ]
    assert run(source, catalog=catalog).records() == [{}, {}]


def test_types_count_for_fields_that_only_the_order_needs(sandbox: Sandbox) -> None:
    source = source_of(sandbox, (CODE, NUMBER), (), None, [("a", "1.5"), ("b", "2.5")])
    catalog = source.catalog()
    catalog["streams"][0]["schema"]["properties"]["No"] = {"type": ["string", "null"]}
    catalog["streams"][0]["metadata"].append({"breadcrumb": ["properties", "No"], "metadata": {"selected": False}})
    ran = run(source, catalog=catalog, streams={"Item": {"types": {"No": "string"}}})
    assert ran.records() == [{"Code": "a"}, {"Code": "b"}], ran.said


@pytest.mark.parametrize("field", ['Code "x"', "Code\\x"])
def test_a_field_id_that_cannot_be_read(sandbox: Sandbox, field: str) -> None:
    ran = run(source_of(sandbox, (dataclasses.replace(CODE, id=field), NUMBER), ("No",), None, [("a", 1)]))
    assert "quotation mark" in ran.said


def test_a_deselected_key_is_read_all_the_same(sandbox: Sandbox) -> None:
    source = Source(sandbox, Walk.named("by stamp"), [row(1, "2024-03-01T03:00:00.000")])
    catalog = source.catalog()
    catalog["streams"][0]["metadata"] += [
        {"breadcrumb": ["properties", field], "metadata": {"inclusion": "available", "selected": False}}
        for field in ("Id", "Modified", "Name")
    ]
    ran = run(source, catalog=catalog)
    (schema,) = (message for message in ran.messages if message["type"] == "SCHEMA")
    assert list(schema["schema"]["properties"]) == list(ran.records()[0]) == ["Id", "Code", "Number", "Modified"]

"""`tap-afas-explore export`: dbt's sources and the data dictionary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from afas_sandbox import Connector, Fault, Field, Table
from harness.articles import articles, config_of
from harness.command import explore, run_tap

if TYPE_CHECKING:
    from afas_sandbox import Sandbox

_LINES = Connector(
    "Order-regels",
    "Order lines",
    "Orderregels",
    (
        Field("Order", "int", "Order", "Order"),
        Field("Regel", "int", "Line", "Regel"),
        Field("Dag", "date", "Day | of <b>_delivery_</b>", "Dag", control_type=4),
        Field("Bedrag", "decimal", "Amount {{ 1/0 }} {% x %} {# y", "Bedrag", 26, 2),
    ),
    key=("Order", "Regel"),
)
_STREAMS = {
    "Articles": {"primary_keys": ["Code"]},
    "Order-regels": {"primary_keys": ["Order", "Regel"], "replication_key": "Dag"},
}


@pytest.fixture(autouse=True)
def _connectors(sandbox: Sandbox) -> None:
    sandbox.load([articles(3), articles(3, "Bare", stamp=False), Table(_LINES, [], lambda _: ())])


def _source(config: dict[str, Any], *arguments: str, **files: Any) -> dict[str, Any]:
    ran = explore(config, "export", "dbt", *arguments, **files)
    assert ran.exit_code == 0, ran.log
    (source,) = yaml.safe_load(ran.output)["sources"]
    found: dict[str, Any] = source
    return found


def _tables(config: dict[str, Any], *arguments: str, **files: Any) -> dict[str, dict[str, Any]]:
    return {table["name"]: table for table in _source(config, *arguments, **files)["tables"]}


def test_tables_and_columns_are_those_of_the_schema_messages(sandbox: Sandbox) -> None:
    maps = {
        "Articles": {"__alias__": "items", "Name": "__NULL__", "Double": "Number * 2"},
        "Two": {
            "__source__": "Order-regels",
            "Order": "Order",
            "__else__": "__NULL__",
            "__key_properties__": ["Order"],
        },
        "Bare": None,
    }
    for settings in ({}, {"stream_maps": maps}, {"connectors": ["Art*"]}):
        config = config_of(sandbox, streams=_STREAMS, **settings)
        schemas = [message for message in run_tap(config).messages if message["type"] == "SCHEMA"]
        found = _tables(config)
        assert found.keys() == {message["stream"] for message in schemas}
        for message in schemas:
            table = found[message["stream"]]
            names = [column["name"] for column in table["columns"]]
            assert names == list(message["schema"]["properties"])
            keys = [column["name"] for column in table["columns"] if "not_null" in column.get("data_tests", ())]
            assert sorted(keys) == sorted(message["key_properties"])


def test_what_a_source_says(sandbox: Sandbox) -> None:
    source = _source(config_of(sandbox, streams=_STREAMS), "--schema=raw", "--source=profit", "--warn-after=2")
    assert (source["name"], source["schema"]) == ("profit", "raw")
    assert source["quoting"] == {"schema": True, "identifier": True}
    tables = {table["name"]: table for table in source["tables"]}
    items = tables["Articles"]
    assert items["config"]["loaded_at_field"] == '"Modified"'
    assert items["config"]["freshness"] == {"warn_after": {"count": 2, "period": "day"}}
    assert items["config"]["meta"] == {"connector": "Articles", "sync": "incremental"}
    assert items["columns"][0] == {
        "name": "Code",
        "quote": True,
        "description": "Code",
        "data_tests": ["unique", "not_null"],
    }
    lines = tables["Order_regels"]
    assert lines["description"] == "Order lines"
    assert lines["config"]["loaded_at_field"] == 'cast("Dag" as timestamp)'
    assert lines["data_tests"] == [{"unique": {"arguments": {"column_name": 'row("Order", "Regel")'}}}]
    assert [column.get("data_tests") for column in lines["columns"]] == [["not_null"], ["not_null"], None, None]
    assert "freshness" not in tables["Bare"]["config"]
    assert "data_tests" not in tables["Bare"]


def test_for_other_warehouses(sandbox: Sandbox) -> None:
    source = _source(config_of(sandbox, streams=_STREAMS), "--no-quote", "--dbt-utils")
    assert "quoting" not in source
    tables = {table["name"]: table for table in source["tables"]}
    assert tables["Articles"]["config"]["loaded_at_field"] == "Modified"
    assert not any("quote" in column for table in tables.values() for column in table["columns"])
    assert tables["Order_regels"]["data_tests"] == [
        {"dbt_utils.unique_combination_of_columns": {"arguments": {"combination_of_columns": ["Order", "Regel"]}}}
    ]


def test_what_a_catalog_selects(sandbox: Sandbox) -> None:
    config = config_of(sandbox, streams=_STREAMS)
    catalog = run_tap(config, "--discover").catalog
    catalog["streams"] = [entry for entry in catalog["streams"] if entry["stream"] == "Articles"]
    for one in catalog["streams"][0]["metadata"]:
        one["metadata"]["selected"] = one["breadcrumb"] in ([], ["properties", "Price"])
    found = _tables(config, catalog=catalog)
    assert list(found) == ["Articles"]
    assert [column["name"] for column in found["Articles"]["columns"]] == ["Code", "Price", "Modified"]


def test_a_stamp_that_a_map_bends_is_no_measure_of_freshness(sandbox: Sandbox) -> None:
    for bent in ("__NULL__", "str(Modified)[:4]"):
        config = config_of(sandbox, streams=_STREAMS, stream_maps={"Articles": {"Modified": bent}})
        assert "freshness" not in _tables(config)["Articles"]["config"]


@pytest.mark.parametrize("form", ["dbt", "dictionary"])
def test_a_list_that_would_lack_a_table_is_not_written(sandbox: Sandbox, form: str) -> None:
    sandbox.faults = [Fault(refuse="blocked", connector="Bare", kind="metainfo")]
    ran = explore(config_of(sandbox, streams=_STREAMS), "export", form)
    assert (ran.exit_code, ran.output) == (78, b"")
    assert "Bare: " in ran.errors[-1]


def test_a_dictionary(sandbox: Sandbox) -> None:
    ran = explore(config_of(sandbox, streams=_STREAMS, language="nl-nl"), "export", "dictionary")
    assert ran.exit_code == 0
    text = ran.output.decode()
    assert "| Order\\_regels | Order-regels | Orderregels | incremental | Order, Regel | Dag |" in text
    assert "| Modified | Gewijzigd op | date-time | date | changed on |" in text
    assert "| Price | Prijs | number | decimal (26, 2) |  |" in text
    assert "## Bare" in text


def test_markdown_of_labels_stays_text(sandbox: Sandbox) -> None:
    text = explore(config_of(sandbox, streams=_STREAMS), "export", "dictionary").output.decode()
    assert "Day \\| of \\<b\\>\\_delivery\\_\\</b\\>" in text
    rows = [line for line in text.splitlines() if line.startswith("| Dag")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [6]

"""Catalogs in which somebody, or Meltano's `schema`, wrote a property otherwise than as `type: [x, null]`."""

from __future__ import annotations

import decimal
from typing import TYPE_CHECKING, Any

import pytest

from harness.articles import articles, config_of
from harness.command import run_tap

if TYPE_CHECKING:
    from afas_sandbox import Sandbox
    from harness.run import Run

_NULL = {"type": "null"}
_MOMENT = {"type": "string", "format": "date-time"}


def _run(sandbox: Sandbox, properties: dict[str, dict[str, Any]], **settings: Any) -> Run:
    sandbox.load([articles(2)])
    config = config_of(sandbox, **settings)
    catalog = run_tap(config, "--discover").catalog
    catalog["streams"][0]["schema"]["properties"] |= properties
    sandbox.clear_log()
    return run_tap(config, catalog=catalog)


@pytest.mark.parametrize("words", ["anyOf", "oneOf"])
@pytest.mark.parametrize("maps", [{}, {"stream_maps": {"*": {}}}])
def test_alternatives(sandbox: Sandbox, words: str, maps: dict[str, Any]) -> None:
    ran = _run(
        sandbox,
        {
            "Modified": {words: [_MOMENT, _NULL]},
            "Price": {words: [{"type": "number"}, _NULL]},
            "Number": {words: [{"type": "integer"}, {"type": "string"}, _NULL]},
            "Blocked": {words: [{words: [{"type": "boolean"}]}, _NULL]},
            "Name": {"type": ["string", "integer", "null"]},
        },
        **maps,
    )
    assert ran.exit_code == 0, ran.said
    first = ran.records()[0]
    assert first["Modified"] == "2024-03-01T05:00:30+00:00"
    assert (first["Price"], first["Number"], first["Blocked"]) == (decimal.Decimal("0.50"), 0, True)
    assert isinstance(first["Name"], str)


def test_properties_of_which_only_something_else_is_said(sandbox: Sandbox) -> None:
    fields = ("Modified", "Price", "Number", "Blocked", "Name")
    ran = _run(sandbox, {field: {"x-sql-datatype": "varchar", "description": "X"} for field in fields})
    assert ran.exit_code == 0, ran.said
    first = ran.records()[0]
    assert first["Modified"] == "2024-03-01T05:00:30+00:00"
    assert (first["Price"], first["Number"], first["Blocked"]) == (decimal.Decimal("0.50"), 0, True)
    # The target learns of what kind the values are, and what else was said.
    (schema,) = (message["schema"] for message in ran.messages if message["type"] == "SCHEMA")
    said = {"x-sql-datatype": "varchar", "description": "X"}
    assert schema["properties"]["Modified"] == {"type": ["string", "null"], "format": "date-time", **said}
    assert schema["properties"]["Number"] == {"type": ["integer", "null"], **said}
    # Asking for it costs no question more.
    assert sum(request.kind == "metainfo" for request in sandbox.log) == 2


def test_a_key_in_the_metadata_alone_is_the_targets_too(sandbox: Sandbox) -> None:
    sandbox.load([articles(2)])
    config = config_of(sandbox)
    catalog = run_tap(config, "--discover").catalog
    for without in ("key_properties", "replication_key", "replication_method"):
        del catalog["streams"][0][without]
    (root,) = (part["metadata"] for part in catalog["streams"][0]["metadata"] if not part["breadcrumb"])
    root |= {"replication-method": "INCREMENTAL", "replication-key": "Modified"}
    ran = run_tap(config, catalog=catalog)
    (schema,) = (message for message in ran.messages if message["type"] == "SCHEMA")
    assert schema["key_properties"] == ["Code"]
    # Without any key a target is told so.
    del root["table-key-properties"]
    ran = run_tap({**config, "streams": {}}, catalog=catalog)
    (schema,) = (message for message in ran.messages if message["type"] == "SCHEMA")
    assert schema["key_properties"] == []


def _method_in_metadata(sandbox: Sandbox, streams: dict[str, Any], **said: str) -> Run:
    """Run with a catalog of which somebody edited the stream's own metadata alone, as Singer's specification has it."""
    sandbox.load([articles(2)])
    config = {**config_of(sandbox), "streams": streams}
    catalog = run_tap(config, "--discover").catalog
    (root,) = (part["metadata"] for part in catalog["streams"][0]["metadata"] if not part["breadcrumb"])
    root |= {name.replace("_", "-"): value for name, value in said.items()}
    return run_tap(config, catalog=catalog)


def test_a_method_in_the_metadata_counts_though_the_entry_has_another(sandbox: Sandbox) -> None:
    ran = _method_in_metadata(sandbox, {}, replication_method="INCREMENTAL", replication_key="Modified")
    assert (ran.exit_code, ran.versions("Articles"), ran.lines("WARNING")) == (0, [], [])
    assert ran.state["bookmarks"]["Articles"]["replication_key"] == "Modified"
    keyed = {"Articles": {"primary_keys": ["Code"]}}
    ran = _method_in_metadata(sandbox, keyed, replication_method="FULL_TABLE")
    assert (ran.exit_code, len(ran.versions("Articles"))) == (0, 1)
    ran = _method_in_metadata(sandbox, keyed, replication_method="INCREMENTAL", replication_key="Number")
    assert ran.state["bookmarks"]["Articles"]["replication_key"] == "Number"
    ran = _method_in_metadata(sandbox, keyed, replication_method="LOG_BASED")
    assert "The catalog asks for LOG_BASED replication" in ran.said


def test_what_the_settings_say_of_a_type_counts(sandbox: Sandbox) -> None:
    streams = {"Articles": {"primary_keys": ["Code"], "types": {"Number": "string"}}}
    ran = _run(sandbox, {"Number": {"x-sql-datatype": "varchar"}}, streams=streams)
    assert [found["Number"] for found in ran.records()] == ["0", "1"]


def test_alternatives_that_afas_has_none_of(sandbox: Sandbox) -> None:
    ran = _run(sandbox, {"Price": {"anyOf": [{"type": "boolean"}, {"type": "integer"}]}})
    assert "The field Price was " in ran.said
    assert not ran.records()
    assert (
        _run(sandbox, {"Price": {"anyOf": [{"type": "boolean"}, {"type": "string"}]}}).records()[0]["Price"] == "0.50"
    )


def test_a_connector_that_is_gone_is_its_own_failure(sandbox: Sandbox) -> None:
    sandbox.load([articles(2), articles(2, "Other")])
    config = config_of(sandbox, streams={})
    catalog = run_tap(config, "--discover").catalog
    catalog["streams"][0]["schema"]["properties"]["Price"] = {}
    sandbox.load([articles(2, "Other")])
    ran = run_tap(config, catalog=catalog)
    assert "1 of 2 streams failed" in ran.said
    assert len(ran.records("Other")) == 2


@pytest.mark.parametrize("streams", [{}, {"Articles": {"primary_keys": ["Code"]}}])
def test_an_id_in_another_case_is_told_the_right_one(sandbox: Sandbox, streams: dict[str, Any]) -> None:
    sandbox.load([articles(2), articles(2, "Other")])
    config = config_of(sandbox, streams=streams)
    catalog = run_tap(config, "--discover").catalog
    catalog["streams"][0]["tap_stream_id"] = "articles"
    ran = run_tap(config, catalog=catalog)
    assert "Failed: articles: The app connector doesn't have this GetConnector (any more). Did you mean Articles?" in (
        ran.said
    )
    assert len(ran.records()) == len(ran.records("Other")) == 2


@pytest.mark.parametrize("maps", [{}, {"stream_maps": {"Articles": {"X": "Name"}}}])
def test_a_schema_without_properties(sandbox: Sandbox, maps: dict[str, Any]) -> None:
    sandbox.load([articles(2)])
    config = config_of(sandbox, **maps)
    catalog = run_tap(config, "--discover").catalog
    catalog["streams"][0] |= {
        "schema": {"type": "object"},
        "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}],
    }
    ran = run_tap(config, catalog=catalog)
    assert ran.exit_code in {1, 78}
    assert len(ran.errors) >= 1
    assert not ran.records()


@pytest.mark.parametrize("missing", ["stream", "tap_stream_id"])
def test_an_entry_that_has_one_name_alone(sandbox: Sandbox, missing: str) -> None:
    sandbox.load([articles(2, "My-Articles" if missing == "stream" else "Articles")])
    config = config_of(sandbox)
    catalog = run_tap(config, "--discover").catalog
    del catalog["streams"][0][missing]
    ran = run_tap(config, catalog=catalog)
    assert ran.exit_code == 0
    assert len(ran.records("My_Articles" if missing == "stream" else "Articles")) == 2

"""Streams without a key: read whole by default, and appended only where somebody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.articles import articles, config_of
from harness.command import run_tap

if TYPE_CHECKING:
    from afas_sandbox import Sandbox


def _config(sandbox: Sandbox, settings: dict[str, Any] | None = None, **others: Any) -> dict[str, Any]:
    """Settings that name no key."""
    return config_of(sandbox) | {"streams": {"Articles": settings} if settings else {}} | others


def test_a_change_is_no_second_row(sandbox: Sandbox) -> None:
    sandbox.load([articles(30)])
    config = _config(sandbox)
    catalog = run_tap(config, "--discover").catalog
    assert catalog["streams"][0]["replication_method"] == "FULL_TABLE"
    assert "replication_key" not in catalog["streams"][0]
    state: dict[str, Any] = {}
    versions = []
    for _ in range(3):
        ran = run_tap(config, catalog=catalog, state=state)
        assert ran.exit_code == 0, ran.said
        assert len(ran.records()) == 30
        versions += ran.versions("Articles")
        state = ran.state
        sandbox.change("Articles", updates=3)
    assert len(set(versions)) == 3
    assert versions == sorted(versions)


def test_one_line_says_which_are_read_whole(sandbox: Sandbox) -> None:
    sandbox.load([articles(3), articles(3, "Others"), articles(3, "Stampless", stamp=False)])
    config = _config(sandbox)
    (line,) = run_tap(config, "--discover").lines("WARNING")
    assert line.startswith("Read whole by every run, since no key is known: Articles, Others. With `streams.")
    catalog = run_tap(config, "--discover").catalog
    assert run_tap(config, catalog=catalog).lines("WARNING") == [line]
    assert run_tap(config).lines("WARNING") == [line]
    config["streams"] = {"Articles": {"primary_keys": []}}
    (other,) = run_tap(config, catalog=catalog).lines("WARNING")
    assert "known: Others. With" in other


def test_a_stamp_that_only_the_settings_know_is_told_likewise(sandbox: Sandbox) -> None:
    sandbox.load([articles(3, stamp=False)])
    config = _config(sandbox, {"replication_key": "Day"})
    for catalog in (None, run_tap(config, "--discover").catalog):
        (line,) = run_tap(config, catalog=catalog).lines("WARNING")
        assert line.startswith("Read whole by every run, since no key is known: Articles.")
    assert run_tap(_config(sandbox, {"replication_key": "Day", "primary_keys": []})).lines("WARNING") == []


@pytest.mark.parametrize(
    ("variables", "command"),
    [
        ({}, "tap-afas-explore check"),
        ({"MELTANO_EXTRACTOR_NAME": "tap-afas-2"}, "meltano invoke tap-afas-2:check"),
        (
            {"MELTANO_EXTRACTOR_NAME": "tap-afas", "MELTANO_ENVIRONMENT": "prod"},
            "meltano --environment=prod invoke tap-afas:check",
        ),
    ],
)
def test_it_names_what_looks_for_keys(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], command: str
) -> None:
    sandbox.load([articles(3)])
    for name in ("MELTANO_EXTRACTOR_NAME", "MELTANO_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (line,) = run_tap(_config(sandbox)).lines("WARNING")
    assert f"`{command}` looks for keys." in line


def test_without_versions_it_says_what_that_does(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    ran = run_tap(_config(sandbox, emit_activate_version_messages=False))
    assert ran.exit_code == 0
    assert "Without ACTIVATE_VERSION, each run adds them again." in ran.said
    assert ran.versions("Articles") == []


@pytest.mark.parametrize("where", ["settings", "catalog"])
def test_who_asks_for_it_gets_each_change(sandbox: Sandbox, where: str) -> None:
    sandbox.load([articles(30)])
    config = _config(sandbox, {"append": True} if where == "settings" else None)
    catalog = run_tap(config, "--discover").catalog
    if where == "catalog":
        (entry,) = catalog["streams"]
        root = next(one for one in entry["metadata"] if not one["breadcrumb"])
        root["metadata"] |= {"replication-method": "INCREMENTAL", "replication-key": "Modified"}
        # Meltano writes it beside it as well.
        entry |= {"replication_method": "INCREMENTAL", "replication_key": "Modified"}
    ran = run_tap(config, catalog=catalog)
    assert ran.exit_code == 0, ran.said
    assert (len(ran.records()), ran.versions("Articles"), ran.lines("WARNING")) == (30, [], [])
    again = run_tap(config, catalog=catalog, state=ran.state)
    assert (again.exit_code, again.records()) == (0, [])


def test_an_older_catalog_does_not_ask_for_it(sandbox: Sandbox) -> None:
    sandbox.load([articles(30)])
    config = _config(sandbox, {"primary_keys": []})
    catalog = run_tap(config, "--discover").catalog
    catalog["streams"][0] |= {"replication_method": "INCREMENTAL", "replication_key": "Modified"}
    ran = run_tap(config, catalog=catalog)
    assert ran.exit_code == 0, ran.said
    assert (len(ran.records()), len(ran.versions("Articles"))) == (30, 1)
    (line,) = ran.lines("WARNING")
    assert line.startswith("The catalog has Articles as INCREMENTAL, and no key is known: read whole.")


def test_start_date_and_filter_select(sandbox: Sandbox) -> None:
    table = articles(30)
    rows = [(*row[:-1], f"2024-0{1 + number // 10}-05T08:00:00.000") for number, row in enumerate(table.rows)]
    rows[3] = (*rows[3][:-1], None)
    sandbox.load([type(table)(table.connector, rows, table.new_row)])
    ran = run_tap(_config(sandbox, start_date="2024-02-01T00:00:00Z"))
    assert ran.exit_code == 0, ran.said
    assert sorted(record["Code"] for record in ran.records()) == [rows[3][0], *(row[0] for row in rows[10:])]
    only = {"filter": [{"field": "Number", "operator": ">=", "value": 20}]}
    ran = run_tap(_config(sandbox, only, start_date="2024-02-01T00:00:00Z"))
    assert sorted(record["Number"] for record in ran.records()) == list(range(20, 30))


def test_versions_can_not_be_left_out_for_one(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    ran = run_tap(_config(sandbox, {"emit_activate_version_messages": False}))
    assert (ran.exit_code, ran.output) == (78, b"")
    assert "Articles: `emit_activate_version_messages: false` in `streams` is for streams with a key." in ran.errors[0]


def test_a_stream_with_a_key_may_keep_what_left_its_view(sandbox: Sandbox) -> None:
    sandbox.load([articles(3), articles(3, "Others")])
    full = {"primary_keys": ["Code"], "replication_key": ""}
    streams = {"Articles": {**full, "emit_activate_version_messages": False}, "Others": full}
    ran = run_tap(config_of(sandbox) | {"streams": streams})
    assert ran.exit_code == 0, ran.said
    assert (len(ran.versions("Articles")), len(ran.versions("Others"))) == (0, 1)

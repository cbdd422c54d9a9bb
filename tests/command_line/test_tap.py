"""The command `tap-afas`, as people and Meltano call it."""

from __future__ import annotations

import datetime
import json
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from afas_sandbox import Fault, Sandbox
from harness.articles import article, articles, config_of
from harness.command import run_tap
from tap_afas.tap import TapAfas

if TYPE_CHECKING:
    from collections.abc import Iterator

# The SDK's own tests make the tap while they are collected.
_SANDBOX = Sandbox([articles(25), articles(5, "With-dash", stamp=False)])


@pytest.fixture(scope="module", autouse=True)
def _close() -> Iterator[None]:
    yield
    _SANDBOX.close()


TestSinger = get_tap_test_class(
    TapAfas,
    config=config_of(_SANDBOX),
    suite_config=SuiteConfig(max_records_limit=10),
    parse_env_config=False,
)


# What people do


def test_a_sync(sandbox: Sandbox) -> None:
    sandbox.load([articles(25)])
    ran = run_tap(config_of(sandbox, page_size=10))
    assert ran.exit_code == 0
    assert [message["type"] for message in ran.messages].count("SCHEMA") == 1
    assert [record["Number"] for record in ran.records()] == list(range(25))
    assert ran.state["bookmarks"]["Articles"]["replication_key"] == "Modified"
    again = run_tap(config_of(sandbox, page_size=10), state=ran.state)
    assert (again.exit_code, again.records()) == (0, [])


def test_nothing_but_the_settings_is_needed(sandbox: Sandbox) -> None:
    sandbox.load([articles(2)])
    ran = run_tap({"base_url": sandbox.base_url, "token": sandbox.token, "start_date": None, "timezone": None})
    assert (ran.exit_code, len(ran.records())) == (0, 2)


def test_the_summary(sandbox: Sandbox) -> None:
    sandbox.load([articles(25), articles(3, "Others", stamp=False)])
    said = run_tap(config_of(sandbox, page_size=10)).lines("INFO")
    (line,) = [line for line in said if line.startswith("Articles: 25 rows")]
    assert "pages" in line
    assert "requests" in line
    assert "0 retries" in line
    assert "up to 2024-03-01T05:24:30+00:00" in line
    assert any(line.startswith("Others: 3 rows") for line in said)
    assert said[-2] == f"Asked of AFAS: {len(sandbox.log)} requests, {sum(one.rows for one in sandbox.log)} rows."


def test_the_summary_for_machines(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    sandbox.load([articles(25)])
    caplog.set_level(logging.INFO)
    run_tap(config_of(sandbox, page_size=10))
    figures = [vars(record) for record in caplog.records if "bookmark" in vars(record)]
    assert len(figures) == 1
    assert figures[0]["connector"] == "Articles"
    assert figures[0]["rows"] == 25
    assert figures[0]["requests"] == len(sandbox.log) - 1
    assert figures[0].keys() >= {"pages", "retries", "seconds"}
    totals = [vars(record) for record in caplog.records if "rows_read" in vars(record)]
    assert totals[0]["requests"] == len(sandbox.log)


def test_progress_of_a_long_walk(sandbox: Sandbox) -> None:
    sandbox.load([articles(25)])
    with mock.patch("tap_afas.progress._SECONDS_BETWEEN_LINES", 0.0):
        said = run_tap(config_of(sandbox, page_size=10)).lines("INFO")
    assert any("rows so far" in line and "rows/s" in line for line in said)


@pytest.mark.parametrize("option", ["--about", "--version", "--help"])
def test_what_needs_no_settings(option: str) -> None:
    ran = run_tap(None, option)
    assert ran.exit_code == 0
    assert ran.output


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--about", "--version", "--help"])
def test_what_reads_nothing_loads_nothing_that_reads(option: str) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "tap_afas", option]
    said = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stderr
    loaded = {line.rpartition("|")[2].strip().removeprefix("tap_afas.") for line in said.splitlines()}
    assert {"tap", "settings"} <= loaded
    reads = {
        "bookmark",
        "config_validation",
        "connection",
        "discovery",
        "resume_point",
        "plan",
        "stream",
        "sync",
        "records",
    }
    profit = {f"profit.{name}" for name in ("client", "pagination", "rows", "wall_time")}
    assert not loaded & (reads | profit)


@pytest.mark.slow
def test_all_is_loaded_before_signals_are_taken_over(sandbox: Sandbox) -> None:
    code = f"""
import signal, sys
take = signal.signal
needed = {{"tap_afas.discovery", "tap_afas.stream"}}
signal.signal = lambda *given: (print(needed <= sys.modules.keys()), take(*given))[1]
from tap_afas.tap import TapAfas
TapAfas(config={config_of(sandbox)!r}, catalog={{"streams": []}})
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert set(ran.stdout.split()) == {"True"}


def test_about_names_every_setting() -> None:
    about = json.loads(run_tap(None, "--about", "--format", "json").output)
    assert set(about["settings"]["properties"]) >= set(TapAfas.config_jsonschema["properties"])
    assert "batch" not in about["capabilities"]


def test_a_connection_test(sandbox: Sandbox) -> None:
    sandbox.load([articles(30)])
    assert run_tap(config_of(sandbox), "--test").exit_code == 0
    assert max(int(one.parameters["take"]) for one in sandbox.log if one.kind == "rows") <= 2
    assert run_tap(config_of(sandbox, token="6B" * 32), "--test").exit_code == 78


def test_as_a_process(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    ran = subprocess.run(
        [sys.executable, "-m", "tap_afas", "--config=ENV"],
        env={
            **os.environ,
            "TAP_AFAS_BASE_URL": sandbox.base_url,
            "TAP_AFAS_TOKEN": sandbox.token,
            "TAP_AFAS_CONNECTORS": '["Art*"]',
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count('"RECORD"') == 3


# What goes wrong


def _fails(ran: Any, *sentences: str) -> None:
    assert ran.exit_code != 0
    for sentence in sentences:
        assert any(sentence in error for error in ran.errors), ran.errors


def test_a_wrong_token(sandbox: Sandbox) -> None:
    sandbox.load([articles(1)])
    ran = run_tap(config_of(sandbox, token="6B" * 32))
    _fails(ran, "AFAS doesn't accept the credentials.")
    assert (len(ran.errors), ran.output) == (1, b"")
    assert "Check that the token or client belongs to this environment" in ran.errors[0]


def test_a_wrong_environment_number() -> None:
    ran = run_tap({"environment_id": "123", "token": "5A" * 32})
    assert ran.exit_code == 78
    assert ran.errors[0] == "`environment_id` must be five digits, or a name such as O12345AA."


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:9/ProfitRestServices", "doesn't answer"),
        ("https://nowhere.invalid/ProfitRestServices", "nowhere.invalid is not a known host."),
    ],
)
def test_an_unreachable_host(url: str, words: str) -> None:
    ran = run_tap({"base_url": url, "token": "5A" * 32})
    _fails(ran, words)
    assert len(ran.errors) == 1


def test_a_wrong_address(sandbox: Sandbox) -> None:
    ran = run_tap({"base_url": sandbox.root_url + "/Other", "token": sandbox.token})
    _fails(ran, "AFAS knows no such address")
    assert len(ran.errors) == 1


def _catalog(sandbox: Sandbox) -> dict[str, Any]:
    return run_tap(config_of(sandbox), "--discover").catalog


def test_a_connector_that_vanished_after_discovery(sandbox: Sandbox) -> None:
    sandbox.load([articles(3), articles(3, "Others")])
    config = config_of(sandbox)
    catalog = _catalog(sandbox)
    sandbox.remove("Others")
    ran = run_tap(config, catalog=catalog)
    _fails(ran, "Others: The app connector doesn't have this GetConnector (any more).", "1 of 2 streams failed")
    assert len(ran.records()) == 3


def test_a_catalog_with_an_unknown_stream(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    catalog = _catalog(sandbox)
    stray = json.loads(json.dumps(catalog["streams"][0]).replace("Articles", "Elsewhere"))
    catalog["streams"].append(stray)
    _fails(run_tap(config_of(sandbox), catalog=catalog), "Elsewhere: The app connector doesn't have this GetConnector")


def test_a_catalog_with_an_unknown_field(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    catalog = _catalog(sandbox)
    catalog["streams"][0]["metadata"].append({"breadcrumb": ["properties", "Kode"], "metadata": {"selected": True}})
    _fails(run_tap(config_of(sandbox), catalog=catalog), "the catalog's metadata names Kode")
    catalog = _catalog(sandbox)
    catalog["streams"][0]["key_properties"] = ["Kode"]
    _fails(run_tap(config_of(sandbox), catalog=catalog), "names Kode, which the connector doesn't have")


@pytest.mark.parametrize("content", ["nonsense", "[]", "7", '{"streams": 7}', '{"streams": [{}]}', '{"streams": [7]}'])
def test_a_catalog_that_is_none(sandbox: Sandbox, content: str) -> None:
    sandbox.load([articles(3)])
    ran = run_tap(config_of(sandbox), catalog=content)
    assert (ran.exit_code, ran.output) == (78, b"")
    assert len(ran.errors) == 1


def test_a_state_of_another_tap(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    ran = run_tap(config_of(sandbox), state={"bookmarks": {"orders": {"replication_key_value": 7}}})
    _fails(ran, "The state is about orders")


def test_a_bookmark_under_the_id_of_its_connector(sandbox: Sandbox) -> None:
    sandbox.load([articles(740, "Arti-kelen")])
    config = config_of(sandbox)
    bookmark = {"replication_key": "Modified", "replication_key_value": "2024-03-02T05:10:00+00:00"}
    found = [run_tap(config, state={"bookmarks": {name: bookmark}}) for name in ("Arti-kelen", "Arti_kelen")]
    assert len(found[0].records()) == len(found[1].records()) == 20
    assert found[0].state.keys() == found[1].state.keys()
    assert list(found[0].state["bookmarks"]) == ["Arti_kelen"]
    _fails(run_tap(config, state={"bookmarks": {"Arti-kelen": bookmark, "Arti_kelen": bookmark}}), "Arti_kelen")


@pytest.mark.parametrize(
    "bookmark",
    [
        {"replication_key_value": "2024-03-01T05:30:00+00:00"},
        {"bookmark": "2024-03-01T06:30:00", "replication_key": None},
        {"Modified": "2024-03-01T05:30:00+00:00"},
        {"last_modified": 7, "version": 3},
    ],
)
def test_a_bookmark_without_its_replication_key(sandbox: Sandbox, bookmark: dict[str, Any]) -> None:
    sandbox.load([articles(3)])
    _fails(run_tap(config_of(sandbox), state={"bookmarks": {"Articles": bookmark}}), "it would be passed over")


@pytest.mark.parametrize("written", ["arti-kelen", "ARTI_KELEN"])
def test_a_bookmark_in_another_case(sandbox: Sandbox, written: str) -> None:
    sandbox.load([articles(3, "Arti-kelen"), articles(3)])
    bookmark = {"replication_key": "Modified", "replication_key_value": "2024-03-01T05:01:30+00:00"}
    config = config_of(sandbox)
    _fails(run_tap(config, state={"bookmarks": {written: bookmark, "Articles": bookmark}}), "Write it as Arti_kelen")
    # One of the tap's own may be of a connector that has had that name.
    own = run_tap(config).state["bookmarks"]
    ran = run_tap(config, state={"bookmarks": {written: own["Arti_kelen"], "Articles": own["Articles"]}})
    assert ran.exit_code == 0, ran.said


def test_other_connectors_under_a_state_of_ones_own(sandbox: Sandbox) -> None:
    sandbox.load([articles(3, "A"), articles(4, "B", stamp=False), articles(5, "C")])
    config = config_of(sandbox)
    state = run_tap({**config, "connectors": ["A", "B"]}).state
    ran = run_tap({**config, "connectors": ["C"]}, state=state)
    assert (ran.exit_code, len(ran.records("C"))) == (0, 5)
    # Nothing of the others is lost.
    assert {name: ran.state["bookmarks"][name] for name in ("A", "B")} == state["bookmarks"]


@pytest.mark.parametrize(
    "state",
    [
        "nonsense",
        "[]",
        {"bookmarks": 7},
        {"bookmarks": {"Articles": 7}},
        {"bookmarks": {"Articles": {"replication_key": "Modified", "replication_key_value": "gisteren"}}},
        {"bookmarks": {"Articles": {"replication_key": "Modified", "replication_key_value": 7}}},
        {"bookmarks": {"Articles": {"replication_key": "Modified", "replication_key_value": ["x"]}}},
    ],
)
def test_a_state_with_rubbish_in_it(sandbox: Sandbox, state: Any) -> None:
    sandbox.load([articles(3)])
    ran = run_tap(config_of(sandbox), state=state)
    assert (ran.exit_code, ran.records()) == (78, [])
    assert len(ran.errors) == 1
    assert "state" in ran.errors[0]


def test_rubbish_that_does_no_harm(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    state = {
        "replication_key": "Modified",
        "replication_key_value": "2024-01-01T00:00:00Z",
        "delivered": 7,
        "place": "x",
    }
    ran = run_tap(config_of(sandbox), state={"bookmarks": {"Articles": state}})
    assert (ran.exit_code, len(ran.records())) == (0, 3)


def test_a_null_key(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    sandbox.insert("Articles", (None, *article(0)[1:]), stamp="2024-03-02T00:00:00.000")
    ran = run_tap(config_of(sandbox))
    _fails(ran, "1 of 1 streams failed")
    assert any("Code" in error for error in ran.errors)


@pytest.mark.parametrize("config", ["nonsense", "[]", "7"])
def test_settings_that_are_no_json(config: Any) -> None:
    ran = run_tap(config)
    assert ran.exit_code != 0
    assert ran.output == b""


# What is said in time


@pytest.mark.parametrize(
    ("ahead", "warned"), [(0, True), (30, True), (60, True), (61, False), (900, False), (-1, True)]
)
def test_a_token_that_ends_soon(sandbox: Sandbox, ahead: int, *, warned: bool) -> None:
    day = datetime.datetime.now(tz=datetime.UTC).date() + datetime.timedelta(days=ahead)
    sandbox.load([articles(1)], expires=f"{day}T00:00:00Z")
    ran = run_tap(config_of(sandbox))
    assert any(f"ends on {day}" in line for line in ran.lines("WARNING")) == warned


def test_classic_tokens_fade(sandbox: Sandbox) -> None:
    sandbox.load([articles(1)])
    assert not any("31 August 2027" in line for line in run_tap(config_of(sandbox)).lines("WARNING"))
    with mock.patch("tap_afas.connection._WARN_OF_CLASSIC_TOKENS_FROM", datetime.date(2020, 1, 1)):
        assert any("31 August 2027" in line for line in run_tap(config_of(sandbox)).lines("WARNING"))
        assert not any("2027" in line for line in run_tap(config_of(sandbox, oauth=True)).lines("WARNING"))


def test_a_field_that_is_gone(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    sandbox.faults = [Fault(replace={"Name": "(vervangen)"})]
    assert any("Name holds nothing but" in line for line in run_tap(config_of(sandbox)).lines("WARNING"))

"""`tap-afas-explore list` and `show`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Connector, Fault, Field, Table
from harness.articles import articles, config_of
from harness.command import explore, run_tap

if TYPE_CHECKING:
    from afas_sandbox import Sandbox

_CONTACTS = Connector(
    "Klant-contacten",
    "Contact persons",
    "Contactpersonen",
    (
        Field("Nr", "int", "Number", "Nummer"),
        Field("MailPrive", "string", "Personal e-mail", "E-mail privé", 100),
        Field("Memo", "string", "Remark", "Opmerking", 4000),
        Field("Gewijzigd_op", "date", "Date changed", "Gewijzigd op"),
    ),
    key=("Nr",),
    stamp="Gewijzigd_op",
)


@pytest.fixture(autouse=True)
def _connectors(sandbox: Sandbox) -> None:
    sandbox.load([articles(3), articles(2, "Other", stamp=False), Table(_CONTACTS, [], lambda _: ())])


def _config(sandbox: Sandbox, **settings: Any) -> dict[str, Any]:
    return config_of(sandbox, streams={"Articles": {"primary_keys": ["Code"]}}, **settings)


def _listed(sandbox: Sandbox, *arguments: str, **settings: Any) -> dict[str, dict[str, Any]]:
    ran = explore(_config(sandbox, **settings), "list", "--format=json", *arguments)
    assert ran.exit_code == 0, ran.log
    return {one["connector"]: one for one in json.loads(ran.output)["connectors"]}


def test_every_connector_and_how_it_would_be_synced(sandbox: Sandbox) -> None:
    found = _listed(sandbox)
    assert found["Articles"] == {
        "connector": "Articles",
        "stream": "Articles",
        "description": "Articles",
        "fields": 6,
        "selected": True,
        "sync": "incremental",
        "replication_key": "Modified",
        "also_changed_on": [],
        "key": ["Code"],
        "key_source": "settings",
        "error": None,
    }
    assert (found["Other"]["sync"], found["Other"]["key"], found["Other"]["key_source"]) == ("full_table", [], None)
    assert found["Klant-contacten"]["stream"] == "Klant_contacten"


def test_it_says_what_discovery_says(sandbox: Sandbox) -> None:
    catalog = run_tap(_config(sandbox), "--discover").catalog
    for entry in catalog["streams"]:
        one = _listed(sandbox)[entry["tap_stream_id"]]
        assert one["stream"] == entry["stream"]
        assert one["key"] == entry["key_properties"]
        assert one["replication_key"] == entry.get("replication_key")
        assert one["sync"].upper() == entry["replication_method"]


def test_further_stamps_are_named(sandbox: Sandbox) -> None:
    fields = (
        Field("Nr", "string", "Number", "Nummer", 20),
        Field("Gewijzigd_op", "date", "Date changed", "Gewijzigd op"),
        Field("Gewijzigd_op_2", "date", "Date changed", "Gewijzigd op"),
    )
    sandbox.load([Table(Connector("Joined", "Joined", "Joined", fields), [], lambda _: ())])
    config = config_of(sandbox, streams={"Joined": {"primary_keys": ["Nr"]}})
    (one,) = json.loads(explore(config, "list", "--format=json").output)["connectors"]
    assert (one["replication_key"], one["also_changed_on"]) == ("Gewijzigd_op", ["Gewijzigd_op_2"])
    assert "Gewijzigd_op, Gewijzigd_op_2" in explore(config, "list").output.decode()
    shown = explore(config, "show", "Joined").output.decode()
    assert "Gewijzigd_op, Gewijzigd_op_2" in shown
    fields_shown = json.loads(explore(config, "show", "Joined", "--format=json").output)["fields"]
    assert {field["field"]: field["stamp"] for field in fields_shown} == {
        "Nr": False,
        "Gewijzigd_op": True,
        "Gewijzigd_op_2": True,
    }


def test_what_the_settings_leave_out_is_listed_too(sandbox: Sandbox) -> None:
    found = _listed(sandbox, connectors=["Art*"])
    assert {name: one["selected"] for name, one in found.items()} == {
        "Articles": True,
        "Klant-contacten": False,
        "Other": False,
    }
    table = explore(_config(sandbox, connectors=["Art*"]), "list").output.decode()
    assert [line.split()[0] for line in table.splitlines() if "(left out)" in line] == ["Klant-contacten", "Other"]


def test_append(sandbox: Sandbox) -> None:
    ran = explore(config_of(sandbox, streams={"Klant-contacten": {"append": True}}), "list", "--format=json")
    (one,) = (one for one in json.loads(ran.output)["connectors"] if one["connector"] == "Klant-contacten")
    assert (one["sync"], one["replication_key"], one["key"]) == ("append", "Gewijzigd_op", [])


def test_a_catalog_has_the_last_word(sandbox: Sandbox) -> None:
    catalog = run_tap(_config(sandbox), "--discover").catalog
    catalog["streams"] = [one for one in catalog["streams"] if one["stream"] != "Other"]
    for entry in catalog["streams"]:
        entry["metadata"][0]["metadata"]["selected"] = True
        if entry["stream"] == "Klant_contacten":
            entry["key_properties"] = ["Nr"]
    ran = explore(_config(sandbox), "list", "--format=json", catalog=catalog)
    found = {one["connector"]: one for one in json.loads(ran.output)["connectors"]}
    assert {name: one["selected"] for name, one in found.items()} == {
        "Articles": True,
        "Klant-contacten": True,
        "Other": False,
    }
    assert (found["Klant-contacten"]["key"], found["Klant-contacten"]["key_source"]) == (["Nr"], "catalog")


@pytest.mark.parametrize(
    ("text", "language", "hits"),
    [
        ("email", "en-us", [("label", "MailPrive", "Personal e-mail")]),
        ("E-MAIL", "nl-nl", [("label", "MailPrive", "E-mail privé")]),
        ("prive", "nl-nl", [("id", "MailPrive", "MailPrive"), ("label", "MailPrive", "E-mail privé")]),
        ("klant", "en-us", [("id", None, "Klant-contacten")]),
        ("contact persons", "en-us", [("description", None, "Contact persons")]),
        ("gewijzigd op", "en-us", [("id", "Gewijzigd_op", "Gewijzigd_op")]),
    ],
)
def test_search(sandbox: Sandbox, text: str, language: str, hits: list[tuple[Any, ...]]) -> None:
    found = _listed(sandbox, f"--search={text}", language=language)["Klant-contacten"]["hits"]
    assert [(hit["where"], hit["field"], hit["text"]) for hit in found] == hits


def test_search_shows_only_what_it_found_and_where(sandbox: Sandbox) -> None:
    lines = explore(_config(sandbox), "list", "--search", "mail").output.decode().splitlines()
    assert len(lines) == 2
    assert lines[1].endswith("MailPrive (Personal e-mail)")
    nothing = explore(_config(sandbox), "list", "--search", "zzz")
    assert (nothing.exit_code, nothing.output.decode().count("\n")) == (0, 1)
    assert _listed(sandbox, "--search=zzz") == {}


@pytest.mark.parametrize(("refuse", "code"), [("blocked", 78), ("unavailable", 75)])
def test_one_that_afas_does_not_describe_is_listed_and_fails(sandbox: Sandbox, refuse: str, code: int) -> None:
    sandbox.faults = [Fault(refuse=refuse, connector="Other", kind="metainfo")]
    ran = explore(_config(sandbox), "list", "--format=json")
    assert ran.exit_code == code
    found = {one["connector"]: one for one in json.loads(ran.output)["connectors"]}
    assert found["Other"]["error"]
    assert found["Articles"]["sync"] == "incremental"
    assert ran.errors[-1].startswith("1 of 3 connectors can't be read. Other: ")


def test_a_setting_that_does_not_fit_is_told_of_its_connector(sandbox: Sandbox) -> None:
    ran = explore(config_of(sandbox, streams={"Articles": {"primary_keys": ["Cod"]}}), "list", "--format=json")
    found = {one["connector"]: one for one in json.loads(ran.output)["connectors"]}
    assert ran.exit_code == 78
    assert "Did you mean Code?" in found["Articles"]["error"]
    assert found["Other"]["error"] is None


def test_show(sandbox: Sandbox) -> None:
    ran = explore(_config(sandbox, language="nl-nl"), "show", "Klant-contacten", "--format=json")
    shown = json.loads(ran.output)
    assert (shown["description"], shown["sync"]) == ("Contactpersonen", "full_table")
    fields = {field["field"]: field for field in shown["fields"]}
    assert list(fields) == ["Nr", "MailPrive", "Memo", "Gewijzigd_op"]
    assert fields["MailPrive"] == {
        "field": "MailPrive",
        "label": "E-mail privé",
        "type": "string",
        "kind": "string",
        "length": 100,
        "decimals": 0,
        "sortable": True,
        "filterable": True,
        "becomes": "string",
        "schema": {"type": ["string", "null"], "description": "E-mail privé"},
        "key": False,
        "stamp": False,
    }
    assert fields["Memo"]["sortable"] is False
    assert fields["Gewijzigd_op"]["becomes"] == "date-time"


def test_show_is_what_the_catalog_has(sandbox: Sandbox) -> None:
    (entry,) = (
        one for one in run_tap(_config(sandbox), "--discover").catalog["streams"] if one["stream"] == "Articles"
    )
    shown = json.loads(explore(_config(sandbox), "show", "Articles", "--format=json").output)
    assert {field["field"]: field["schema"] for field in shown["fields"]} == entry["schema"]["properties"]
    assert [field["field"] for field in shown["fields"] if field["key"]] == entry["key_properties"]
    table = explore(_config(sandbox), "show", "Articles").output.decode()
    assert "Key         Code" in table
    assert "string, key" in table
    assert "date-time, stamp" in table


@pytest.mark.parametrize("written", ["klant-contacten", "Klant_contacten", "KLANT_CONTACTEN"])
def test_a_connector_in_another_case_or_by_its_streams_name(sandbox: Sandbox, written: str) -> None:
    shown = json.loads(explore(_config(sandbox), "show", written, "--format=json").output)
    assert shown["connector"] == "Klant-contacten"


@pytest.mark.parametrize("command", ["show", "preview"])
def test_a_misspelt_connector(sandbox: Sandbox, command: str) -> None:
    ran = explore(_config(sandbox), command, "Artikles")
    assert (ran.exit_code, ran.output) == (78, b"")
    assert "Did you mean Articles?" in ran.errors[0]


def test_only_one_connector_is_asked_about(sandbox: Sandbox) -> None:
    sandbox.clear_log()
    explore(_config(sandbox), "show", "Articles")
    assert [request.connector for request in sandbox.log] == [None, "Articles"]


# What people and the network cause


def test_settings_come_from_files_and_the_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAP_AFAS_TOKEN", sandbox.token)
    monkeypatch.setenv("TAP_AFAS_LANGUAGE", "nl-nl")
    ran = explore({"base_url": sandbox.base_url}, "--config=ENV", "show", "Klant-contacten", "--format=json")
    assert json.loads(ran.output)["description"] == "Contactpersonen"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "No credentials"),
        ({"tokn": "x"}, "Did you mean `token`?"),
        ("{", "is not JSON"),
    ],
)
def test_settings_that_cannot_be_used(config: Any, words: str) -> None:
    ran = explore(config, "list")
    assert ran.exit_code == 78
    assert words in ran.errors[0]
    assert ran.log[-1].endswith('tap-afas-explore ended: {"exit_code": 78, "streams": 0, "failed": {}}')


@pytest.mark.parametrize("arguments", [("lst",), ("list", "--format=xml"), ("preview",), ("show", "A", "B")])
def test_called_otherwise_than_it_can_be(arguments: tuple[str, ...]) -> None:
    ran = explore(None, *arguments)
    assert (ran.exit_code, ran.output) == (2, b"")


def test_the_token_is_not_accepted(sandbox: Sandbox) -> None:
    ran = explore(_config(sandbox) | {"token": f"<token><version>1</version><data>{'A' * 64}</data></token>"}, "list")
    assert ran.exit_code == 78
    assert len(ran.errors) == 1


def test_what_goes_well_says_nothing_beside(sandbox: Sandbox) -> None:
    ran = explore(_config(sandbox), "list")
    assert (ran.exit_code, ran.log) == (0, [])

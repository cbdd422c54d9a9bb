"""Secrets and rows never reach what people see, neither logs nor errors; of rows, the state holds keys alone."""

from __future__ import annotations

import base64
import html
import json
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from afas_sandbox import Fault
from afas_sandbox.refusals import NAMED
from harness.articles import articles, config_of
from harness.command import explore, run_tap
from tap_afas.profit.auth import ClientCredentials

if TYPE_CHECKING:
    import pathlib

    from afas_sandbox import Sandbox

DATA = "9F" * 32
XML = f"<token><version>1</version><data>{DATA}</data></token>"
SECRET = "s3cr3t&Of/The=Client"
ROW_VALUES = ("Article, number", "A00007")

ECHO = json.dumps({"externalMessage": f"Refused: {XML}, AfasToken {base64.b64encode(XML.encode()).decode()}, Bearer b"})

FAULTS: dict[str, list[Fault]] = {
    "nothing": [],
    **{name: [Fault(refuse=name, kind="rows")] for name in NAMED},
    "nothing to describe": [Fault(refuse="blocked", kind="metainfo", connector="*")],
    "unavailable at all": [Fault(refuse="unavailable")],
    "no bearers": [Fault(refuse="unauthorized", kind="token")],
    "bearers later": [Fault(refuse="maintenance", kind="token")],
    "expired": [Fault(expire_bearers=True, kind="rows", nth=(1, 2, 3, 4))],
    "reset": [Fault(reset=True)],
    "cut": [Fault(cut=0.5)],
    "garbage": [Fault(garbage=2000, kind="rows")],
    "redirect": [Fault(redirect="https://elsewhere.example/")],
    "rows with 500": [Fault(kind="rows", status=500, body='{"skip":0,"rows":[{"Name":"Article, number 7"}]}')],
    "half a row with 500": [Fault(kind="rows", status=500, body='{"skip":0,"rows":[{"Name":"Article, number 7')],
    "half a row with 200": [Fault(kind="rows", status=200, body='{"skip":0,"rows":[{"Name":"Article, number 7')],
    "wrong type": [Fault(kind="rows", status=200, body='{"rows":[{"Code":"K1","Number":"Article, number"}]}')],
    "wrong date": [Fault(kind="rows", status=200, body='{"rows":[{"Code":"K1","Modified":"Article, number"}]}')],
    "no key": [Fault(kind="rows", status=200, body='{"rows":[{"Name":"Article, number"},{"Name":"Article, number"}]}')],
    "echo": [Fault(status=500, body=ECHO)],
    "echo of a token": [Fault(kind="token", status=400, body=json.dumps({"error": SECRET}))],
    "out of order": [Fault(order="reverse")],
    "ignored filter": [Fault(ignore_filter=True)],
    "same page": [Fault(same_page=True)],
}


@pytest.fixture
def bearers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    given: list[str] = []
    header = ClientCredentials.header

    def noting(self: ClientCredentials) -> str:
        value = header(self)
        given.append(value.removeprefix("Bearer "))
        return value

    monkeypatch.setattr(ClientCredentials, "header", noting)
    return given


def _forms(bearers: list[str]) -> set[str]:
    basic = base64.b64encode(f"sandbox-client:{SECRET}".encode()).decode()
    return {DATA, XML, base64.b64encode(XML.encode()).decode(), SECRET, "s3cr3t%26Of", basic, "AfasToken 9F", *bearers}


@pytest.mark.slow
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("oauth", [False, True])
@pytest.mark.parametrize("name", FAULTS)
def test_no_way_to_fail_tells_them(
    sandbox: Sandbox,
    bearers: list[str],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    oauth: bool,
    debug: bool,
) -> None:
    sandbox.load([articles(30)], token=DATA, client_secret=SECRET)
    sandbox.faults = FAULTS[name]
    if debug:
        monkeypatch.setenv("TAP_AFAS_LOGLEVEL", "DEBUG")
        monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    config = config_of(sandbox, oauth=oauth, page_size=10)
    ran = run_tap(config)
    others = [message for message in ran.messages if message["type"] != "RECORD"]
    shown = ran.said + json.dumps(others, default=str)
    for form in _forms(bearers):
        assert form not in shown
    for value in ROW_VALUES:
        assert value not in ran.said
    # A STATE holds the key of a row, for the next run to go on from, and no more of one.
    assert ROW_VALUES[0] not in shown


def test_neither_about_nor_catalog_nor_state(sandbox: Sandbox, bearers: list[str]) -> None:
    sandbox.load([articles(30)], token=DATA, client_secret=SECRET)
    for oauth in (False, True):
        config = config_of(sandbox, oauth=oauth)
        for arguments in (["--about"], ["--about", "--format", "json"], ["--discover"], ["--test"], ["--version"]):
            ran = run_tap(config, *arguments)
            assert ran.exit_code == 0
            for form in _forms(bearers):
                assert form not in ran.output.decode() + ran.said


@pytest.mark.parametrize(
    "changed",
    [
        {"token": [DATA]},
        {"token": {"x": DATA}},
        {"tokens": DATA},
        {"environment_id": {"token": DATA}},
        {"environment_id": DATA, "base_url": None},
        {"base_url": DATA},
        {"base_url": f"http://u:{DATA}@afas.example/x"},
        {"start_date": DATA},
        {"page_size": DATA},
        {"language": DATA},
        {"environment_type": DATA},
        {"token": f"<token>{DATA}"},
        {"streams": {"Articles": {"filter": DATA}}},
        {"streams": {"Articles": {"types": {"Code": DATA}}}},
        {"connectors": {"x": DATA}},
        {"client_id": "x"},
        {DATA: 1},
        {"streams": {DATA: {"y": 1}}},
        {f"<token>{DATA}": 1},
        {"connectors": [DATA]},
        {"connectors": [XML]},
        {"streams": {DATA: {}}},
        {"streams": {"Articles": {"primary_keys": [DATA]}}},
        {"streams": {"Articles": {"replication_key": DATA}}},
        {"streams": {"Articles": {"filter": [{"field": DATA, "operator": "=", "value": 1}]}}},
        {"stream_maps": {DATA: {}}},
        {"stream_maps": {"Articles": {"Name": f"{DATA}("}}},
    ],
)
def test_wrong_settings(sandbox: Sandbox, changed: dict[str, Any]) -> None:
    sandbox.load([articles(1)], token=DATA)
    ran = run_tap({**config_of(sandbox), **changed})
    assert ran.exit_code != 0
    assert DATA not in ran.said + ran.output.decode()
    for command in (["list"], ["preview", "Articles"]):
        ran = explore({**config_of(sandbox), **changed}, *command)
        assert DATA not in ran.said + ran.output.decode()


@pytest.mark.parametrize("given", [DATA, XML, base64.b64encode(XML.encode()).decode()])
@pytest.mark.parametrize("before", [["list", "--config"], ["show", "--catalog"], ["preview"], []])
def test_a_token_as_an_argument_of_the_explorer(sandbox: Sandbox, given: str, before: list[str]) -> None:
    sandbox.load([articles(1)], token=DATA)
    ran = explore(config_of(sandbox) if before == ["preview"] else None, *before, given)
    assert ran.exit_code != 0
    assert not _left(ran.said + ran.output.decode(), given)


def test_a_client_secret_as_the_name_of_a_setting(sandbox: Sandbox) -> None:
    sandbox.load([articles(1)])
    ran = run_tap({**config_of(sandbox), SECRET: 1})
    assert ran.errors == ["What stands in place of a name is not a setting."]
    assert run_tap({**config_of(sandbox), "start.date": 1}).errors[0].startswith("`start.date` is not a setting.")


@pytest.mark.parametrize("given", [DATA, XML, XML.encode().hex(), base64.b64encode(XML.encode()).decode()])
@pytest.mark.parametrize("file", ["state", "catalog"])
def test_a_token_in_a_file(sandbox: Sandbox, given: str, file: str) -> None:
    sandbox.load([articles(1)], token=DATA)
    entry = {"tap_stream_id": "Articles", "schema": {"properties": {given: {"type": "string"}}}, "metadata": []}
    contents: tuple[dict[str, Any], ...] = ({given: {}}, {"bookmarks": {given: {}}}, {"streams": [entry]})
    for content in contents:
        ran = run_tap(config_of(sandbox), **{file: content})
        assert ran.exit_code == 78
        assert "holds a secret of the settings: take it out." in ran.errors[0]
        assert not _left(ran.said + ran.output.decode(), given)


@pytest.mark.parametrize("option", ["--config", "--state", "--catalog"])
def test_a_long_path_is_shown(sandbox: Sandbox, tmp_path: pathlib.Path, option: str) -> None:
    sandbox.load([articles(1)])
    folder = tmp_path / "run-20261126-4f6a9be2c7d14f6a9be2c7d1"
    folder.mkdir()
    (folder / "given.json").write_text("{")
    for path in (folder / "given.json", folder / "settings", tmp_path / "4f6a9be2c7d14f6a9be2c7d1_20261126" / "x.json"):
        for arguments in ([f"{option}={path}"], [option, str(path)]):
            assert str(path) in run_tap(config_of(sandbox), *arguments).said


def test_the_key_of_a_row_at_fault_is_told(sandbox: Sandbox) -> None:
    sandbox.load([articles(1)])
    sandbox.faults = [Fault(kind="rows", status=200, body='{"rows":[{"Code":"K1","Number":"x","Name":"Article"}]}')]
    ran = run_tap(config_of(sandbox))
    assert "in the row with Code" in ran.errors[0]
    assert "K1" in ran.errors[0]
    assert "Article," not in ran.said


@pytest.mark.parametrize("given", [DATA, XML, base64.b64encode(XML.encode()).decode()])
@pytest.mark.parametrize("option", ["--config", "--state", "--catalog", "--", "--x"])
def test_a_token_as_an_argument(sandbox: Sandbox, given: str, option: str) -> None:
    sandbox.load([articles(1)], token=DATA)
    ran = run_tap(config_of(sandbox), f"{option}={given}")
    assert ran.exit_code != 0
    assert not _left(ran.said, given)


# What comes back in another form


def _left(text: str, secret: str) -> list[str]:
    """The parts of twenty letters of a secret that stand in a text, whatever is between the letters."""
    plain = "".join(letter for letter in text if letter.isalnum())
    kept = "".join(letter for letter in secret if letter.isalnum())
    return [kept[at : at + 20] for at in range(max(1, len(kept) - 19)) if kept[at : at + 20] in plain]


LONG_SECRET = "s3cr3t&Of/The=Client-<é>-" + "8eF4" * 8
WRITTEN = {
    "raw": LONG_SECRET,
    "URL": quote(LONG_SECRET),
    "HTML": html.escape(LONG_SECRET),
    "base64": base64.b64encode(f"id:{LONG_SECRET}".encode()).decode(),
    "base64url": base64.urlsafe_b64encode(f"x{LONG_SECRET}".encode()).decode(),
    "hex": LONG_SECRET.encode().hex(),
    "two lines": f"{LONG_SECRET[:30]}\n{LONG_SECRET[30:]}",
    "no width": "\u200b".join(LONG_SECRET),
    "behind much": "x" * 280 + LONG_SECRET,
}


@pytest.mark.parametrize("kind", ["token", "metainfo", "rows"])
@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("where", ["message", "text", "reference", "trace", "redirect", "data"])
def test_an_echo(sandbox: Sandbox, form: str, where: str, kind: Any) -> None:
    sandbox.load([articles(3)], client_secret=LONG_SECRET)
    written = WRITTEN[form]
    faults: dict[str, dict[str, Any]] = {
        "message": {"status": 400, "body": json.dumps({"error_description": written, "externalMessage": written})},
        "text": {"status": 400, "body": written},
        "reference": {"status": 400, "body": json.dumps({"profitLogReference": written, "error": "x"})},
        "trace": {"status": 400, "headers": {"X-Trace-Identifier": quote(written)}, "body": "x"},
        "redirect": {"redirect": f"https://{quote(written)}.example/"},
        "data": {"status": 200, "body": json.dumps({"rows": [{"Code": written, "Number": "x"}, {"Code": written}]})},
    }
    sandbox.faults = [Fault(kind=kind, **faults[where])]
    ran = run_tap(config_of(sandbox, oauth=True))
    assert ran.exit_code in {1, 75, 78}
    for plain in {LONG_SECRET, written.lstrip("x")}:
        assert not _left(ran.said, plain)
    assert all(line.isprintable() for line in ran.log)


@pytest.mark.parametrize(
    "answer",
    [
        *("{}", '"{}"', '["{}"]', '{{"access_token": ["{}"]}}'),
        *('{{"access_token": "a\\n{}"}}', '{{"access_token": "\\u0141{}"}}', '{{"access_token": "{}\\ud800"}}'),
    ],
)
def test_a_bearer_in_a_strange_answer(sandbox: Sandbox, answer: str) -> None:
    sandbox.load([articles(3)])
    bearer = "eyJhbGciOi.4f6A9bE2c7"
    sandbox.faults = [Fault(kind="token", status=200, body=answer.format(bearer))]
    ran = run_tap(config_of(sandbox, oauth=True))
    assert ran.exit_code == 78
    assert bearer not in ran.said


def test_a_bearer_that_is_echoed(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    bearer = "eyJhbGciOi.4f6A9bE2c7"
    sandbox.faults = [
        Fault(kind="token", status=200, body=json.dumps({"access_token": bearer, "expires_in": 10**400})),
        Fault(kind="metainfo", status=400, body=f"Who is {bearer}?"),
    ]
    ran = run_tap(config_of(sandbox, oauth=True))
    assert "AFAS says: “Who is …?”" in ran.said
    assert bearer not in ran.said


def test_a_token_among_names_and_labels(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)], token=DATA)
    description = {
        "name": "Articles",
        "fields": [{"id": "Code", "dataType": "string", "label": f"\x1b{DATA}", "length": 9}],
    }
    sandbox.faults = [Fault(path="*/metainfo/get/*", status=200, body=json.dumps(description))]
    for arguments in ([], ["--discover"]):
        ran = run_tap(config_of(sandbox, streams={"Articles": {"primary_keys": ["Code"]}}), *arguments)
        assert ran.exit_code == 0
        assert not _left(ran.output.decode(), DATA)


@pytest.mark.parametrize("arguments", [[], ["--discover"]])
@pytest.mark.parametrize("where", ["connector", "field", "environment", "catalog", "map"])
def test_a_token_as_a_name(sandbox: Sandbox, where: str, arguments: list[str]) -> None:
    sandbox.load([articles(3)], token=DATA)
    config = config_of(sandbox, streams={})
    catalog: dict[str, Any] | None = None
    info = {"getConnectors": [{"id": DATA if where == "connector" else "Articles"}], "info": {"envid": DATA}}
    fields = [{"id": "Code", "dataType": "string", "length": 9}, {"id": DATA, "dataType": "string", "length": 9}]
    if where in {"connector", "environment"}:
        sandbox.faults = [Fault(path="*/metainfo", status=200, body=json.dumps(info))]
    elif where == "field":
        sandbox.faults = [Fault(path="*/metainfo/get/*", status=200, body=json.dumps({"fields": fields}))]
    elif where == "map":
        config["stream_maps"] = {"Articles": {DATA: "Code"}}
        if arguments:
            return  # Discovery writes nothing of maps.
    else:
        catalog = run_tap(config, "--discover").catalog
        catalog["streams"][0]["stream"] = DATA
    ran = run_tap(config, *arguments, **({"catalog": catalog} if catalog else {}))
    if where == "catalog" and arguments:
        assert ran.exit_code == 0  # It isn't read.
    else:
        assert ran.exit_code in {1, 78}
        assert "secret" in ran.errors[0]
    assert not _left(ran.said + ran.output.decode(), DATA)


@pytest.mark.parametrize("secret", ["Articles", "Modified", "properties", "bookmarks", "string", "date-time"])
def test_a_secret_that_is_a_word_bends_no_message(sandbox: Sandbox, secret: str) -> None:
    sandbox.load([articles(3)], client_secret=secret)
    config = config_of(sandbox, oauth=True)
    catalog = run_tap(config, "--discover").catalog
    ran = run_tap(config, catalog=catalog)
    assert (ran.exit_code, len(ran.records("Articles"))) == (0, 3)
    (schema,) = (message for message in ran.messages if message["type"] == "SCHEMA")
    assert schema["schema"]["properties"].keys() == ran.records()[0].keys()
    assert ran.state["bookmarks"]["Articles"]["replication_key"] == "Modified"


def test_a_token_as_the_key_of_a_row(sandbox: Sandbox) -> None:
    sandbox.load([articles(30)], token=DATA)
    rows = json.dumps({"rows": [{"Code": f"{DATA}{n:03}", "Modified": "2024-03-01T06:00:30Z"} for n in range(30)]})
    sandbox.faults = [
        Fault(kind="rows", status=200, body=rows, nth=1),
        Fault(kind="rows", status=500, nth=(2, 3, 4, 5, 6)),
    ]
    ran = run_tap(config_of(sandbox, page_size=30))
    others = [message for message in ran.messages if message["type"] != "RECORD"]
    assert not _left(ran.said + json.dumps(others), DATA)
    assert run_tap(config_of(sandbox, page_size=30), state=ran.state).exit_code == 0


@pytest.mark.parametrize("name", ["Code\nforged", "Code\x1b[31m", "Code\u202e", "Code\x00", "x" * 100_000])
def test_names_that_forge_lines(sandbox: Sandbox, name: str) -> None:
    sandbox.load([articles(3)])
    config = config_of(sandbox)
    environment = {"getConnectors": [{"id": name}, {"id": "Articles"}], "info": {"envid": name}}
    bodies = {
        "*/metainfo": environment,
        "*/metainfo/get/*": {"fields": [{"id": name, "dataType": "int", "label": name}]},
    }
    rows = {"rows": [{"Code": name, "Number": "x", name: "x"}]}
    for path, body in [*bodies.items(), ("*/connectors/*", rows)]:
        sandbox.faults = [Fault(path=path, status=200, body=json.dumps(body))]
        settings: list[dict[str, Any]] = [
            {},
            {name: 1},
            {"connectors": [name]},
            {"environment_id": name},
            {"streams": {name: {}}},
        ]
        for changed in settings:
            ran = run_tap({**config, "streams": {}, **changed})
            assert all(line.isprintable() and len(line) <= 2000 for line in ran.log[:-1])
            assert not [line for line in ran.log if " | " not in line]

"""Secrets and rows never reach what people see, neither logs nor errors; of rows, the state holds keys alone."""

from __future__ import annotations

import base64
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Fault
from afas_sandbox.refusals import NAMED
from harness.articles import articles, config_of
from harness.command import run_tap
from tap_afas.profit.auth import ClientCredentials

if TYPE_CHECKING:
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
    ],
)
def test_wrong_settings(sandbox: Sandbox, changed: dict[str, Any]) -> None:
    sandbox.load([articles(1)], token=DATA)
    ran = run_tap({**config_of(sandbox), **changed})
    assert ran.exit_code != 0
    assert DATA not in ran.said + ran.output.decode()


def test_the_key_of_a_row_at_fault_is_told(sandbox: Sandbox) -> None:
    sandbox.load([articles(1)])
    sandbox.faults = [Fault(kind="rows", status=200, body='{"rows":[{"Code":"K1","Number":"x","Name":"Article"}]}')]
    ran = run_tap(config_of(sandbox))
    assert "in the row with Code" in ran.errors[0]
    assert "K1" in ran.errors[0]
    assert "Article," not in ran.said

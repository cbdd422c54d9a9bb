"""Signing in, metainfo, and the ways to be refused."""

from __future__ import annotations

import base64
import dataclasses
from typing import TYPE_CHECKING

import pytest
from asking import ITEM, Asking, asking, item, items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox import Sandbox

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def ask(sandbox: Sandbox) -> Iterator[Asking]:
    sandbox.load([items(item("A"))])
    with asking(sandbox) as client:
        yield client


def _basic(name: str, secret: str) -> dict[str, str]:
    return _FORM | {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def _token(ask: Asking, body: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, object]]:
    heard = ask.send("POST", "/profitrestservices/OAuth/Token", body, _FORM if headers is None else headers)
    return heard.status, heard.json


@pytest.mark.parametrize(
    "path", ["/ProfitRestServices/metainfo", "/profitrestservices/MetaInfo", "/PROFITRESTSERVICES/metainfo/"]
)
def test_fixed_parts_of_a_path_in_any_case(ask: Asking, path: str) -> None:
    assert ask.send("GET", path, headers={"Authorization": ask.authorization}).status == 200


@pytest.mark.parametrize(
    "path", ["", "/", "/x", "/connectors", "/connectors/A/B", "/metainfo/update/KnAddress", "/metainfo/get"]
)
def test_other_paths_are_not_found(ask: Asking, path: str) -> None:
    heard = ask.get(path)
    assert (heard.status, heard.body) == (404, b"")


def test_a_path_elsewhere_is_not_found(ask: Asking) -> None:
    assert ask.send("GET", "/").status == 404
    assert ask.send("GET", "/ProfitRestServicesX/metainfo").status == 404


def test_rows_are_only_got(ask: Asking) -> None:
    assert ask.send("POST", "/ProfitRestServices/connectors/Item", "{}").status == 405


def test_the_version(sandbox: Sandbox, ask: Asking) -> None:
    assert ask.get("/profitversion").json == {"version": "7.0.0"}
    sandbox.options.version = ""
    assert ask.get("/profitversion").status == 404


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("", 401),
        ("AfasToken", 401),
        ("AfasToken eHl6", 401),
        ("AfasToken not base64", 401),
        ("AfasToken <token><version>1</version><data>5A</data></token>", 500),
        ("Basic eHl6", 401),
        ("Bearer x", 401),
    ],
)
def test_who_may_not_come_in(ask: Asking, authorization: str, status: int) -> None:
    heard = ask.get("/connectors/Item", Authorization=authorization)
    assert heard.status == status
    if status == 401:
        assert heard.body == b""


def test_only_the_whole_xml_is_a_token(sandbox: Sandbox, ask: Asking) -> None:
    bare = base64.b64encode(sandbox.options.token.encode()).decode()
    assert ask.get("/metainfo", Authorization=f"AfasToken {bare}").status == 401
    assert sandbox.token == f"<token><version>1</version><data>{sandbox.options.token}</data></token>"


def test_a_bearer_comes_in_until_it_ends(sandbox: Sandbox, ask: Asking) -> None:
    body = "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret"
    status, told = _token(ask, body)
    assert (status, told["token_type"], told["expires_in"]) == (200, "Bearer", 3600)
    ask.authorization = f"Bearer {told['access_token']}"
    assert ask.rows().codes == ["A"]
    sandbox.expire_bearers()
    heard = ask.rows()
    assert (heard.status, heard.body) == (401, b"")
    assert heard.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_a_bearer_of_no_seconds(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.options.bearer_seconds = 0
    _, told = _token(ask, "grant_type=client_credentials", _basic("sandbox-client", "sandbox-secret"))
    assert ask.get("/metainfo", Authorization=f"Bearer {told['access_token']}").status == 401


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("grant_type=client_credentials&client_id=sandbox-client&client_secret=wrong", "invalid_client"),
        ("grant_type=client_credentials", "invalid_client"),
        ("grant_type=password", "unsupported_grant_type"),
        ("client_id=sandbox-client", "invalid_request"),
        ("", "invalid_request"),
    ],
)
def test_no_bearer(ask: Asking, body: str, error: str) -> None:
    assert _token(ask, body) == (400, {"error": error})


def test_no_bearer_for_json(ask: Asking) -> None:
    assert _token(ask, "{}", {"Content-Type": "application/json"}) == (400, {"error": "invalid_request"})


def test_the_secret_in_a_header_is_encoded_first(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.options.client_secret = "a:b c%"
    sandbox.options.client_authentication = "basic"
    body = "grant_type=client_credentials"
    assert _token(ask, body, _basic("sandbox-client", "a%3Ab+c%25"))[0] == 200
    assert _token(ask, body, _basic("sandbox-client", "wrong")) == (401, {"error": "invalid_client"})
    assert _token(ask, f"{body}&client_id=sandbox-client&client_secret=a%3Ab+c%25")[0] == 400
    sandbox.options.client_authentication = "post"
    assert _token(ask, body, _basic("sandbox-client", "a%3Ab+c%25"))[0] == 401
    assert _token(ask, f"{body}&client_id=sandbox-client&client_secret=a%3Ab+c%25")[0] == 200


def test_one_way_to_sign_in_may_be_closed(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.options.sign_in = "oauth"
    assert ask.rows().status == 401
    sandbox.options.sign_in = "classic"
    assert ask.rows().status == 200
    assert _token(ask, "grant_type=client_credentials")[1] == {"error": "unauthorized_client"}


def test_metainfo_of_the_environment(sandbox: Sandbox, ask: Asking) -> None:
    told = ask.get("/metainfo").json
    assert told["getConnectors"] == [{"id": "Item", "description": "Artikelen"}]
    assert told["info"] == {
        "envid": "O12345AA",
        "appName": "Sandbox",
        "group": "Sandbox (12345.SANDBOX)",
        "tokenExpiry": "0",
    }
    assert {connector["id"] for connector in told["updateConnectors"]} == {"FbSubscription", "KnAddress"}
    assert told["customConnectors"] == []
    sandbox.options.old_metainfo = True
    assert ask.get("/metainfo").json.keys() == {"updateConnectors", "getConnectors"}


def test_metainfo_of_a_connector(ask: Asking) -> None:
    told = ask.get("/metainfo/get/Item", Accept_Language="en-us").json
    assert (told["name"], told["description"]) == ("Item", "Items")
    assert told["fields"][2] == {
        "id": "Price",
        "fieldId": "U003",
        "dataType": "decimal",
        "label": "Price",
        "length": 26,
        "controlType": 1,
        "decimals": 2,
        "decimalsFieldId": "",
    }


@pytest.mark.parametrize(
    ("language", "label"),
    [("nl-nl", "Prijs"), ("nl-be", "Prijs"), ("en-us", "Price"), ("fr-fr", "Price"), (None, "Prijs")],
)
def test_labels_in_the_language_asked(ask: Asking, language: str | None, label: str) -> None:
    headers = {"Accept_Language": language} if language else {}
    assert ask.get("/metainfo/get/Item", **headers).json["fields"][2]["label"] == label


def test_the_environment_has_a_language_of_its_own(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.options.language = "en"
    assert ask.get("/metainfo").json["getConnectors"][0]["description"] == "Items"
    assert ask.rows("Nope").message.startswith("GetConnector not")


@pytest.mark.parametrize("path", ["/connectors/Nope", "/connectors/item", "/metainfo/get/Nope"])
def test_a_connector_that_is_not_there(sandbox: Sandbox, ask: Asking, path: str) -> None:
    heard = ask.get(path)
    message = "GetConnector niet ondersteund voor deze app of de gebruiker is niet geautoriseerd"
    assert (heard.status, heard.message) == (500, message)
    sandbox.options.unknown_connector = 401
    assert (ask.get(path).status, ask.get(path).body) == (401, b"")


def test_a_blocked_connector(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.options.blocked = {"Item"}
    assert ask.rows().message == "Deze GetConnector (definitie) is geblokkeerd"
    assert ask.rows(language="en-us").message == "This GetConnector (definition) is blocked"
    assert ask.get("/metainfo/get/Item").status == 200


def test_an_id_with_odd_signs(sandbox: Sandbox, ask: Asking) -> None:
    odd = dataclasses.replace(ITEM, id="Mijn connector/ä")
    sandbox.add(items(item("B"), connector=odd))
    assert ask.get("/connectors/Mijn%20connector%2F%C3%A4?take=1").codes == ["B"]
    assert ask.get("/metainfo/get/Mijn%20connector%2f%c3%a4").json["name"] == odd.id


def test_json_errors_may_say_what_they_are(sandbox: Sandbox, ask: Asking) -> None:
    sandbox.options.content_type_lies = False
    assert ask.rows("Nope").headers["Content-Type"] == "application/json; charset=utf-8"

"""The classic token in all its forms, and OAuth client credentials."""

from __future__ import annotations

import base64
import threading
import time
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
import requests

from afas_sandbox import Fault
from harness.articles import articles, client_of, config_of
from harness.byte_server import server
from harness.command import run_tap, without_waiting
from tap_afas.profit.auth import ClassicToken, ClientCredentials
from tap_afas.profit.errors import BusyError, CredentialsError, ProfitError, UnexpectedAnswerError, UnreachableError
from tap_afas.profit.query import Query

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from afas_sandbox import Sandbox

DATA = "5A" * 32
XML = f"<token><version>1</version><data>{DATA}</data></token>"
BASE64 = base64.b64encode(XML.encode()).decode()
QUESTION = Query(("Code",))


@pytest.mark.parametrize(
    "form",
    [
        XML,
        DATA,
        BASE64,
        f"  {XML}\r\n",
        XML.replace("><", ">\n  <"),
        f"{DATA}\n",
        BASE64[:40] + "\n" + BASE64[40:],
        BASE64.rstrip("="),
        f"AfasToken {BASE64}",
        base64.b64encode(b"\xef\xbb\xbf" + XML.encode()).decode(),
        base64.b64encode(XML.encode("utf-16-le")).decode(),
        base64.b64encode(f"{XML}\r\n".encode()).decode(),
    ],
)
def test_forms_of_a_token(form: str) -> None:
    assert ClassicToken(form).header() == f"AfasToken {BASE64}"


@pytest.mark.parametrize("form", ["", "short", "<token/>", "<data>5A</data>", XML + XML, "not a token!", "é" * 20])
def test_what_is_no_token(form: str) -> None:
    with pytest.raises(ValueError, match="`token` is not an AFAS token") as caught:
        ClassicToken(form)
    assert not form or form not in str(caught.value)


def test_a_classic_token_is_not_renewed(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)], token="6B" * 32)
    client = client_of(sandbox)
    client._credentials = ClassicToken(DATA)
    with pytest.raises(CredentialsError, match="doesn't accept the credentials"):
        client.rows("Articles", QUESTION)
    assert len(sandbox.log) == 1


def _credentials(sandbox: Sandbox, **changed: Any) -> ClientCredentials:
    given = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret, **changed}
    return ClientCredentials(url=f"{sandbox.base_url}/oauth/token", **given)


def _tokens(sandbox: Sandbox) -> int:
    return sum(request.kind == "token" for request in sandbox.log)


def test_one_bearer_for_all_until_shortly_before_its_end(sandbox: Sandbox) -> None:
    now = [0.0]
    credentials = _credentials(sandbox, clock=lambda: now[0])
    first = credentials.header()
    now[0] = 3539
    assert credentials.header() == first
    now[0] = 3541
    assert credentials.header() != first
    assert _tokens(sandbox) == 2


def test_a_short_life_is_half_used(sandbox: Sandbox) -> None:
    sandbox.load(bearer_seconds=10)
    now = [0.0]
    credentials = _credentials(sandbox, clock=lambda: now[0])
    first = credentials.header()
    now[0] = 4.9
    assert credentials.header() == first
    now[0] = 5.1
    assert credentials.header() != first


def test_the_form_as_afas_documents_it(sandbox: Sandbox) -> None:
    sandbox.load(client_id="a b&c", client_secret="s%+=é ü", client_authentication="post")
    assert _credentials(sandbox).header().startswith("Bearer ")
    assert [request.authorization for request in sandbox.log] == [""]
    assert sandbox.log[0].query == ""


def test_basic_when_the_server_wants_it(sandbox: Sandbox) -> None:
    sandbox.load(client_id="a b&c", client_secret="s%+=é:ü", client_authentication="basic")
    now = [0.0]
    credentials = _credentials(sandbox, clock=lambda: now[0])
    credentials.header()
    assert [request.authorization for request in sandbox.log] == ["", "Basic"]
    now[0] = 3600
    credentials.header()
    assert [request.authorization for request in sandbox.log] == ["", "Basic", "Basic"]


@pytest.mark.parametrize("authentication", ["post", "basic", "either"])
def test_an_expired_secret(sandbox: Sandbox, authentication: str) -> None:
    sandbox.load(client_authentication=authentication)
    with pytest.raises(CredentialsError, match="180 days") as caught:
        _credentials(sandbox, client_secret="secret-of-last-year").header()
    assert "invalid_client" in str(caught.value)
    assert "secret-of-last-year" not in str(caught.value)


def test_an_app_connector_without_oauth(sandbox: Sandbox) -> None:
    sandbox.load(sign_in="classic")
    with pytest.raises(CredentialsError, match="allows OAuth") as caught:
        _credentials(sandbox).header()
    assert "unauthorized_client" in str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_busy_is_no_matter_of_credentials(sandbox: Sandbox, status: int) -> None:
    sandbox.faults = [Fault(kind="token", status=status, headers={"Retry-After": "7"})]
    with pytest.raises(BusyError, match="credentials may well be right") as caught:
        _credentials(sandbox).header()
    assert caught.value.retry_after == 7


def test_a_busy_token_service_is_asked_again(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    sandbox.faults = [Fault(kind="token", refuse="unavailable", times=2)]
    with without_waiting() as pauses:
        answer = client_of(sandbox, oauth=True).rows("Articles", QUESTION)
    assert (answer.retries, len(pauses), _tokens(sandbox)) == (2, 2, 3)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=404),
        Fault(status=200, body="<html>Sign in</html>"),
        Fault(status=200, body="[]"),
        Fault(status=200, body='{"access_token":7}'),
        Fault(redirect="https://elsewhere.example/"),
        Fault(garbage=1000),
    ],
)
def test_what_hands_out_no_tokens(sandbox: Sandbox, fault: Fault) -> None:
    sandbox.faults = [fault]
    with pytest.raises(UnexpectedAnswerError, match="hands out no access tokens"):
        _credentials(sandbox).header()
    assert len(sandbox.log) == 1


def test_no_answer(sandbox: Sandbox) -> None:
    sandbox.faults = [Fault(reset=True)]
    with pytest.raises(UnreachableError, match="No access token") as caught:
        _credentials(sandbox).header()
    assert sandbox.client_secret not in f"{caught.value}{caught.value.__cause__}"


def test_a_bearer_that_ends_in_the_middle(sandbox: Sandbox) -> None:
    sandbox.load([articles(30)])
    client = client_of(sandbox, oauth=True)
    client.rows("Articles", QUESTION)
    sandbox.expire_bearers()
    answer = client.rows("Articles", QUESTION)
    assert answer.body.count(b"Code") == 30
    assert answer.retries == 0
    assert _tokens(sandbox) == 2


def test_only_one_new_bearer_for_a_refusal(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    sandbox.faults = [Fault(refuse="unauthorized", kind="rows")]
    with pytest.raises(CredentialsError):
        client_of(sandbox, oauth=True).rows("Articles", QUESTION)
    assert [request.kind for request in sandbox.log] == ["token", "rows", "token", "rows"]


def test_many_threads_renew_once(sandbox: Sandbox) -> None:
    sandbox.load([articles(3, f"C{number}") for number in range(8)])
    client = client_of(sandbox, oauth=True, max_parallel_requests=8)
    client.rows("C0", QUESTION)
    sandbox.expire_bearers()
    threads = [threading.Thread(target=client.rows, args=(f"C{number}", QUESTION)) for number in range(8)]
    _run(threads)
    assert _tokens(sandbox) == 2


def test_another_life_than_a_number(sandbox: Sandbox) -> None:
    sandbox.faults = [Fault(kind="token", status=200, body='{"access_token":"x","expires_in":"soon"}')]
    now = [0.0]
    credentials = _credentials(sandbox, clock=lambda: now[0])
    assert credentials.header() == "Bearer x"
    now[0] = 239
    credentials.header()
    assert _tokens(sandbox) == 1


def test_netrc_is_left_alone(sandbox: Sandbox) -> None:
    with mock.patch("requests.sessions.get_netrc_auth", return_value=("somebody", "else")):
        _credentials(sandbox).header()
    assert sandbox.log[0].authorization == ""


def test_a_whole_sync_with_bearers_that_end(sandbox: Sandbox) -> None:
    sandbox.load([articles(60)], sign_in="oauth")
    sandbox.faults = [Fault(expire_bearers=True, nth=(4, 6, 8), kind="rows")]
    ran = run_tap(config_of(sandbox, oauth=True, page_size=10))
    assert (ran.exit_code, len(ran.records())) == (0, 60)


def _run(threads: Iterable[threading.Thread]) -> None:
    threads = list(threads)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _local(url: str) -> ClientCredentials:
    return ClientCredentials("the-id", "the-secret", f"{url}/oauth/token")


def test_the_secret_is_not_in_what_requests_raises() -> None:
    with (
        mock.patch("requests.Session.request", side_effect=requests.ConnectionError("body: client_secret=the-secret")),
        pytest.raises(UnreachableError, match=r"No access token: .* broke off \(ConnectionError\)") as caught,
    ):
        _local("http://127.0.0.1:9").header()
    error: BaseException | None = caught.value
    while error is not None:
        assert "the-secret" not in str(error)
        error = error.__cause__ or error.__context__


def test_a_token_service_that_sends_drop_by_drop() -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b" ")
            time.sleep(0.02)

    with server(talk) as url:
        began = time.monotonic()
        with pytest.raises(UnreachableError, match=r"no whole answer from .*/oauth/token within") as caught:
            ClientCredentials("the-id", "the-secret", f"{url}/oauth/token", timeout=0.3).header()
        assert time.monotonic() - began < 10
    # It may pass, and it is no question that AFAS goes on working on, nor a page that could be smaller.
    assert (caught.value.retry, caught.value.still_busy, caught.value.retry_smaller) == (True, False, False)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("200 OK", UnexpectedAnswerError),
        ("404 Not Found", UnexpectedAnswerError),
        ("400 Bad Request", CredentialsError),
    ],
)
def test_a_token_service_that_sends_without_end(status: str, kind: type[ProfitError]) -> None:
    read = []

    def talk(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        while True:
            connection.sendall(b"a0000\r\n" + b" " * 0xA0000 + b"\r\n")
            read.append(0xA0000)

    with server(talk) as url, pytest.raises(kind, match=r"hands out no access tokens|doesn't accept the client"):
        _local(url).header()
    assert sum(read) < 30_000_000


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_secret_goes_to_no_other_address(sandbox: Sandbox, status: int) -> None:
    elsewhere = {"Location": f"{sandbox.base_url}/metainfo"}
    sandbox.faults = [Fault(kind="token", status=status, headers=elsewhere)]
    with pytest.raises(UnexpectedAnswerError, match=r"/oauth/token hands out no access tokens") as caught:
        _credentials(sandbox).header()
    assert [request.kind for request in sandbox.log] == ["token"]
    assert not caught.value.retry

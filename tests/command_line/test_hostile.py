"""What servers, the network, variables, settings, catalogs and states can be like, and once made the tap fall over."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Fault
from harness.articles import articles, config_of
from harness.byte_server import server
from harness.command import run_tap
from tap_afas.profit.errors import AnswerTooLargeError
from tap_afas.profit.transport import Transport

if TYPE_CHECKING:
    import socket

    from afas_sandbox import Sandbox

FIELDS = [
    {"id": "Code", "dataType": "string", "label": "Code", "length": 9, "controlType": 5, "decimals": 0},
    {"id": "Number", "dataType": "int", "label": "Number", "length": 9, "controlType": 2, "decimals": 0},
]
GOOD: dict[str, dict[str, Any]] = {
    "/metainfo/get/": {"name": "Articles", "fields": FIELDS},
    "/metainfo": {"getConnectors": [{"id": "Articles"}], "info": {"envid": "O12345AA"}},
    "/connectors/": {"rows": [{"Code": "KEY-OF-A-ROW", "Number": 1}]},
}


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
@pytest.mark.parametrize("header", ["no colon at all", ": no name", "X-Odd\x1b[2J", " a fold", "\xff\xfe"])
def test_a_malformed_header(monkeypatch: pytest.MonkeyPatch, header: str, level: str) -> None:
    monkeypatch.setenv("TAP_AFAS_LOGLEVEL", level)
    monkeypatch.setattr(logging.getLogger(), "level", level)

    def talk(connection: socket.socket) -> None:
        # `server` has taken the question: each kind is answered by whatever comes first that all can read.
        body = json.dumps({**GOOD["/metainfo/get/"], **GOOD["/metainfo"], **GOOD["/connectors/"]}).encode()
        head = f"HTTP/1.1 200 OK\r\n{header}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode("latin-1") + body)

    with server(talk) as url:
        config = {"base_url": url, "token": "5A" * 32, "streams": {"Articles": {"primary_keys": ["Code"]}}}
        # Where one row is all that fits, the second question bears the key of the first one.
        ran = run_tap({**config, "page_size": 1})
    assert ran.exit_code in {0, 1, 75, 78}
    assert all(line.isprintable() for line in ran.log)
    assert not [line for line in ran.log if line.startswith(" ")]
    assert not [line for line in ran.log if "KEY-OF-A-ROW" in line and "in the row with Code" not in line]


@pytest.mark.parametrize("host", ["\x1b[2Jx.example", "x\u202e.example", "%0d%0aforged", "x\x00", "é" * 3000])
def test_the_host_of_a_redirect(sandbox: Sandbox, host: str) -> None:
    sandbox.load([articles(1)])
    sandbox.faults = [Fault(redirect=f"https://{host}/".encode("latin-1", "replace").decode("latin-1"))]
    ran = run_tap(config_of(sandbox))
    assert ran.exit_code == 78
    assert all(line.isprintable() and len(line) <= 2000 for line in ran.log)
    assert not [line for line in ran.log if " | " not in line]


def test_the_key_of_a_row_at_fault_is_no_longer_than_a_line(sandbox: Sandbox) -> None:
    sandbox.load([articles(1)])
    body = json.dumps({"rows": [{"Code": "K\x1b\n" * 1_500_000, "Number": "x"}]})
    sandbox.faults = [Fault(kind="rows", status=200, body=body)]
    ran = run_tap(config_of(sandbox))
    assert ran.exit_code == 1
    assert sum(map(len, ran.log)) < 10_000
    assert all(line.isprintable() for line in ran.log)


@pytest.mark.parametrize("field", ["Modified\x1b[31m", "Modified\n2026-01-01 | ERROR | forged", "\u202eModified"])
def test_a_replication_key_that_forges_lines(sandbox: Sandbox, field: str) -> None:
    sandbox.load([articles(1)])
    catalog = run_tap(config_of(sandbox), "--discover").catalog
    catalog["streams"][0]["replication_key"] = field
    ran = run_tap(config_of(sandbox), catalog=catalog)
    assert ran.exit_code in {1, 78}
    assert all(line.isprintable() and " | " in line for line in ran.log)


@pytest.mark.parametrize("name", ["rows_read", "rows_whole", "rows_fit", "version", "pending", "bookmark"])
def test_a_number_of_400_digits_in_a_state(sandbox: Sandbox, name: str) -> None:
    sandbox.load([articles(3)])
    state = run_tap(config_of(sandbox)).state
    state["bookmarks"]["Articles"][name] = 10**400
    ran = run_tap(config_of(sandbox), state=state)
    assert ran.exit_code == (78 if name in {"pending", "bookmark"} else 0)
    assert ran.errors or ran.state["bookmarks"]["Articles"][name] != 10**400


@pytest.mark.parametrize("part", ['["\\ud800"]', '{"cursor": ["\\ud800"]}', "[" * 90_000, "9" * 5000, '"\\ud800'])
def test_an_odd_place(sandbox: Sandbox, part: str) -> None:
    sandbox.load([articles(3)])
    state = run_tap(config_of(sandbox)).state
    state["bookmarks"]["Articles"]["place"] = part
    ran = run_tap(config_of(sandbox), state=state)
    assert ran.exit_code in {0, 78}
    assert ran.errors or len(ran.records()) == 3


# Variables


@pytest.mark.parametrize("oauth", [False, True])
def test_certificates_that_are_not_there(monkeypatch: pytest.MonkeyPatch, *, oauth: bool) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/at-all.pem")
    who = {"client_id": "an-id", "client_secret": "a-secret"} if oauth else {"token": "5A" * 32}
    ran = run_tap({"base_url": "https://127.0.0.1:9/ProfitRestServices", **who})
    assert ran.exit_code in {75, 78}
    assert len(ran.errors) == 1


@pytest.mark.parametrize("oauth", [False, True])
@pytest.mark.parametrize("proxy", ["http://", "http://[::1", "http://a..b:1"])
def test_a_proxy_with_a_malformed_address_is_tried_once(
    monkeypatch: pytest.MonkeyPatch, proxy: str, *, oauth: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("https_proxy", proxy)
    who = {"client_id": "an-id", "client_secret": "a-secret"} if oauth else {"token": "5A" * 32}
    ran = run_tap({"base_url": "https://afas.invalid/ProfitRestServices", **who})
    assert (ran.exit_code, ran.pauses) == (78, [])
    assert len(ran.errors) == 1


def test_a_client_secret_with_a_byte_that_is_no_letter(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.load([articles(1)])
    monkeypatch.setenv("TAP_AFAS_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("TAP_AFAS_CLIENT_ID", sandbox.client_id)
    monkeypatch.setenv("TAP_AFAS_CLIENT_SECRET", "a-secret-with-a-byte-\udcff-in-it")
    ran = run_tap(None, "--config=ENV")
    assert ran.exit_code == 78
    assert len(ran.errors) == 1
    assert "a-secret-with" not in ran.said


# Settings


@pytest.mark.parametrize(
    "changed", [{"page_size": 5.0}, {"max_parallel_requests": 4.0}, {"request_timeout": 30.0}, {"overlap_seconds": 0.0}]
)
def test_whole_numbers_in_another_dress(sandbox: Sandbox, changed: dict[str, Any]) -> None:
    sandbox.load([articles(3)])
    ran = run_tap({**config_of(sandbox), **changed})
    assert (ran.exit_code, len(ran.records())) == (0, 3)


@pytest.mark.parametrize(
    "changed",
    [
        {"request_timeout": 1e308},
        {"request_timeout": 10**400},
        {"max_retry_wait": 10**400},
        {"overlap_seconds": 10**400},
        {"page_size": 10**400},
        {"language": "en-us\n"},
        {"timezone": "Europe/\x00"},
        {"timezone": "../../etc/passwd"},
        {"start_date": "9999-12-31T23:59:59-23:00"},
        {"start_date": "0001-01-01"},
    ],
)
def test_numbers_and_texts_that_the_schema_lets_through(sandbox: Sandbox, changed: dict[str, Any]) -> None:
    sandbox.load([articles(3)])
    ran = run_tap({**config_of(sandbox), **changed})
    assert ran.exit_code in {0, 78}
    assert len(ran.errors) == (1 if ran.exit_code else 0)
    assert ran.pauses == []


# Memory


@pytest.mark.parametrize("status", ["200 OK", "302 Found", "500 No"])
def test_a_bomb_takes_no_more_than_its_bound(status: str) -> None:
    packed = gzip.compress(bytes(150_000_000), 1)
    head = f"HTTP/1.1 {status}\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    with server(lambda connection: connection.sendall(head + packed)) as url:
        transport = Transport(timeout=30, largest=5_000_000)
        tracemalloc.start()
        with contextlib.suppress(AnswerTooLargeError):
            transport.exchange("GET", url)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # urllib3 before 2.6.3 unpacked all of it at once.
    assert most < 40_000_000

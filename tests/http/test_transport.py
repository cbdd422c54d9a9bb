"""One exchange: what time and size it may take, and what is said where the network fails."""

from __future__ import annotations

import gzip
import re
import socket
import ssl
import time
from typing import TYPE_CHECKING
from unittest import mock

import pytest
import requests
import urllib3.exceptions

from harness.byte_server import DRIPS, drip, server
from harness.command import without_waiting
from tap_afas.profit import client as client_module
from tap_afas.profit import transport as transport_module
from tap_afas.profit.auth import ClassicToken, ClientCredentials
from tap_afas.profit.client import ProfitClient, RequestLimits
from tap_afas.profit.errors import (
    AnswerTooLargeError,
    ConnectorError,
    ProfitError,
    TimeOutError,
    UnexpectedAnswerError,
    UnreachableError,
)
from tap_afas.profit.query import Query
from tap_afas.profit.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

QUESTION = Query(("Code",), take=10)
TOKEN = ClassicToken("5A" * 32)


def _client(url: str, timeout: float = 5) -> ProfitClient:
    return ProfitClient(url, TOKEN, RequestLimits(request_timeout=timeout))


@pytest.mark.parametrize("name", DRIPS)
@pytest.mark.parametrize("of", ["pages", "descriptions", "the list", "the token"])
def test_drop_by_drop_ends_in_time(name: str, of: str) -> None:
    with server(lambda connection: drip(connection, name)) as url, without_waiting():
        asked: dict[str, Callable[[], object]] = {
            "pages": lambda: _client(url, timeout=0.1).rows("Articles", QUESTION, once=True),
            "descriptions": lambda: _client(url, timeout=0.1).connector("Articles"),
            "the list": lambda: _client(url, timeout=0.1).environment(),
            "the token": lambda: ClientCredentials("an id", "a secret", f"{url}/oauth/token", timeout=0.1).header(),
        }
        began = time.monotonic()
        with pytest.raises(ProfitError, match=r"[Nn]o whole answer") as caught:
            asked[of]()
        # Descriptions are asked for again.
        assert time.monotonic() - began < 10
    assert caught.value.may_pass


def test_a_deadline_that_passes_between_two_answers_harms_none() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

    def talk(connection: socket.socket) -> None:
        connection.sendall(head)
        connection.recv(65536)
        connection.sendall(head)

    with server(talk) as url:
        transport = Transport(timeout=0.5, largest=1000)
        for _ in range(2):
            assert transport.exchange("GET", url).body == b"{}"
            time.sleep(0.7)


def test_a_byte_order_mark_is_none_of_the_answer() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\xef\xbb\xbf{}"
    with server(lambda connection: connection.sendall(head)) as url:
        assert Transport(timeout=5, largest=1000).exchange("GET", url).body == b"{}"


@pytest.mark.parametrize("status", ["302 Found", "307 Temporary Redirect", "400 Bad Request", "503 Unavailable"])
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_no_answer_is_not_read_whole(status: str, *, packed: bool) -> None:
    read: list[int] = []
    piece = gzip.compress(bytes(50_000_000)) if packed else bytes(0xA0000)
    head = f"HTTP/1.1 {status}\r\nLocation: http://127.0.0.1:9/\r\nTransfer-Encoding: chunked\r\n"
    head += "Content-Encoding: gzip\r\n" if packed else ""

    def talk(connection: socket.socket) -> None:
        connection.sendall(f"{head}\r\n".encode())
        while True:
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            read.append(len(piece))

    with server(talk) as url:
        answer = Transport(timeout=20, largest=10_000_000).exchange("GET", url)
    assert len(answer.body) < 1_000_000
    assert sum(read) < 30_000_000


@pytest.mark.parametrize(
    "location", ["http://[::1", "http://[zz]/", "\xff\xfe://", "//", "http://a..b/", "", "x" * 9000]
)
def test_a_redirect_to_nowhere(location: str) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: " + location.encode("latin-1") + b"\r\nContent-Length: 0\r\n\r\n"
    with server(lambda connection: connection.sendall(head)) as url:
        with pytest.raises(UnexpectedAnswerError, match="redirects to"):
            _client(url).environment()
        with pytest.raises(UnexpectedAnswerError, match="hands out no access tokens"):
            ClientCredentials("an id", "a secret", f"{url}/oauth/token").header()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_no_proxy_stands_before_this_machine(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    transport = Transport(timeout=5, largest=1000)
    with (
        mock.patch("tap_afas.profit.deadline.Adapter.send", side_effect=requests.ConnectionError) as sent,
        pytest.raises(UnreachableError),
    ):
        transport.exchange("GET", f"http://{host}:9/")
    assert not any(sent.call_args.kwargs["proxies"].values())


@pytest.mark.parametrize("host", ["a..b", f"{'x' * 70}.example", "-", "exa mple"])
def test_names_that_no_host_has(host: str) -> None:
    with without_waiting(), pytest.raises(UnreachableError) as caught:
        _client(f"https://{host}/ProfitRestServices").environment()
    with pytest.raises(UnreachableError):
        ClientCredentials("an id", "a secret", f"https://{host}/oauth/token").header()
    assert "ConnectionError" not in str(caught.value)


def test_an_answer_without_end_is_not_kept() -> None:
    read = []

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b"a0000\r\n" + b" " * 0xA0000 + b"\r\n"
        while True:
            connection.sendall(piece)
            read.append(len(piece))

    with (
        server(talk) as url,
        mock.patch.object(client_module, "LARGEST_ANSWER", 5_000_000),
        pytest.raises(AnswerTooLargeError, match="75 MB"),
    ):
        _client(url).rows("Articles", QUESTION)
    assert sum(read) < 30_000_000


def test_a_bomb_of_zeros() -> None:
    packed = gzip.compress(bytes(40_000_000))

    def talk(connection: socket.socket) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
        connection.sendall(head.encode() + packed)

    with (
        server(talk) as url,
        mock.patch.object(client_module, "LARGEST_ANSWER", 5_000_000),
        pytest.raises(AnswerTooLargeError),
    ):
        _client(url).rows("Articles", QUESTION)


def test_of_a_refusal_the_beginning_is_enough() -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"a0000\r\n" + b" " * 0xA0000 + b"\r\n")

    with server(talk) as url, pytest.raises(ConnectorError):
        _client(url).rows("Articles", QUESTION)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\xff\x17 nonsense\r\n\r\n",
        b"HTTP/1.1 banana OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n",
    ],
)
def test_an_answer_that_breaks_off(answer: bytes) -> None:
    with (
        server(lambda connection: connection.sendall(answer)) as url,
        without_waiting(),
        pytest.raises(UnreachableError, match="failed or broke off"),
    ):
        _client(url).rows("Articles", QUESTION)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with without_waiting(), pytest.raises(UnreachableError, match=rf"127\.0\.0\.1:{port} doesn't answer"):
        _client(f"http://127.0.0.1:{port}/ProfitRestServices").environment()


@pytest.mark.parametrize(
    ("host", "words"), [("nowhere.invalid", "is not a known host"), ("x" * 80, "can't be the name of a host")]
)
def test_no_such_host(host: str, words: str) -> None:
    with without_waiting(), pytest.raises(UnreachableError, match=words):
        _client(f"https://{host}/ProfitRestServices").environment()


def test_a_certificate_that_nobody_signed() -> None:
    client = _client("https://afas.example/ProfitRestServices")
    assert client._transport._session.verify is True
    untrusted = requests.exceptions.SSLError(ssl.SSLCertVerificationError("self-signed certificate"))
    with (
        mock.patch.object(client._transport._session, "request", side_effect=untrusted) as asked,
        pytest.raises(UnreachableError, match="its certificate isn't accepted"),
    ):
        client.environment()
    assert asked.call_count == 1


def test_a_server_that_speaks_no_tls() -> None:
    with (
        server(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")) as url,
        without_waiting(),
        pytest.raises(UnreachableError),
    ):
        _client(url.replace("http:", "https:")).environment()


# Causes, by class


def _wrapped(error: BaseException) -> Exception:
    """As urllib3 and requests wrap what lies below."""
    pool = urllib3.HTTPConnectionPool("afas.example")
    reason = urllib3.exceptions.MaxRetryError(pool, "/", error if isinstance(error, Exception) else None)
    return requests.ConnectionError(reason)


def _chained(error: BaseException) -> Exception:
    outer = requests.ConnectionError("outer")
    outer.__cause__ = OSError("between")
    outer.__cause__.__context__ = error
    return outer


def _told(raised: Exception, passed: float = 0.0) -> ProfitError:
    transport = Transport(timeout=5, largest=1000)
    clock = mock.Mock(monotonic=mock.Mock(side_effect=[0.0, passed]))
    with (
        mock.patch.object(transport._session, "request", side_effect=raised),
        mock.patch.object(transport_module, "time", clock),
        pytest.raises(ProfitError) as caught,
    ):
        transport.exchange("GET", "https://afas.example/ProfitRestServices/metainfo?bound=A00007")
    assert "A00007" not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    return caught.value


class ReadTimeout(Exception):  # noqa: N818 - the name of a class of requests, of another kind
    pass


class OddName(urllib3.exceptions.NameResolutionError):
    def __init__(self) -> None:
        super().__init__("afas.example", urllib3.connection.HTTPConnection("afas.example"), socket.gaierror())


CONNECTION = urllib3.connection.HTTPConnection("afas.example")


@pytest.mark.parametrize("wrap", [_wrapped, _chained])
@pytest.mark.parametrize(
    ("cause", "kind", "words", "retry"),
    [
        (requests.exceptions.InvalidProxyURL("http://"), UnreachableError, "the proxy before afas.example", False),
        (requests.exceptions.InvalidURL("x"), UnreachableError, "can't be the name of a host", False),
        (urllib3.exceptions.LocationParseError("x"), UnreachableError, "can't be the name of a host", False),
        (OddName(), UnreachableError, "is not a known host", True),
        (urllib3.exceptions.NewConnectionError(CONNECTION, "refused"), UnreachableError, "doesn't answer", True),
        (urllib3.exceptions.ConnectTimeoutError(), UnreachableError, "doesn't answer", True),
        (requests.ConnectTimeout(), UnreachableError, "doesn't answer", True),
        (ssl.SSLCertVerificationError("self-signed"), UnreachableError, "its certificate isn't accepted", False),
        (requests.ReadTimeout(), TimeOutError, "No whole answer within 5 seconds", False),
        (TimeoutError(), TimeOutError, "No whole answer within 5 seconds", False),
        (ssl.SSLEOFError(), UnreachableError, r"failed or broke off \(ConnectionError\)", True),
        (ConnectionResetError(), UnreachableError, r"failed or broke off \(ConnectionError\)", True),
        (ReadTimeout(), UnreachableError, r"failed or broke off \(ConnectionError\)", True),
    ],
)
def test_causes(
    wrap: Callable[[Exception], Exception], cause: Exception, kind: type[ProfitError], words: str, *, retry: bool
) -> None:
    told = _told(wrap(cause))
    assert type(told) is kind
    assert re.search(words, str(told))
    assert told.retry is retry


def test_a_chain_that_is_a_ring() -> None:
    one, other = requests.ConnectionError("one"), OSError("other")
    one.__cause__, other.__cause__ = other, one
    assert "broke off" in str(_told(one))


def test_only_a_late_break_leaves_a_question_at_work() -> None:
    broken = _wrapped(ConnectionResetError())
    assert [_told(broken, passed).still_busy for passed in (29.0, 31.0)] == [False, True]
    assert not _told(_wrapped(urllib3.exceptions.ConnectTimeoutError()), 31.0).still_busy


def test_a_late_break_gives_afas_time() -> None:
    with (
        server(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")) as url,
        mock.patch.object(transport_module, "_LONG", 0.0),
        without_waiting() as pauses,
        pytest.raises(UnreachableError, match=r"broke off .* Tried 5 times"),
    ):
        _client(url).rows("Articles", QUESTION)
    assert pauses.count(600.0) == 5
    assert len(pauses) == 9

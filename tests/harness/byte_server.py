"""A server that says exactly the bytes it is told to."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import socket
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Answer each connection by `talk`; tells the base URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                talk(connection)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    threading.Thread(target=answer, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/ProfitRestServices"
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
_REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\n"

DRIPS: dict[str, tuple[bytes, bytes]] = {
    "the status": (b"HTTP/1.1 200 ", b"O"),
    "a header": (_OK + b"X: ", b"x"),
    "a header's name": (_OK, b"x"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a length": (_OK + _CHUNKED, b"0"),
    "an extension": (_OK + _CHUNKED + b"1;", b"x"),
    "chunks": (_OK + _CHUNKED, b"1\r\n \r\n"),
    "trailers": (_OK + _CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n"),
    "the body": (_OK + b"Content-Length: 1000000\r\n\r\n", b" "),
    "a body without a length": (_OK + b"\r\n", b" "),
    "empty blocks": (_OK + b"Content-Encoding: gzip\r\n" + _CHUNKED, b"14\r\n" + gzip.compress(b"") + b"\r\n"),
    "a refusal": (b"HTTP/1.1 500 No\r\nContent-Length: 1000000\r\n\r\n", b" "),
    "a redirect": (_REDIRECT + b"Content-Length: 1000000\r\n\r\n", b" "),
    "a redirect's chunks": (_REDIRECT + _CHUNKED, b"1\r\n \r\n"),
}
"""Answers that never end: what is sent at once, and what then comes drop by drop, for ever."""


def drip(connection: socket.socket, name: str, seconds: float = 0.02) -> None:
    """Send one of `DRIPS`.

    Args:
        connection: Where to.
        name: Which.
        seconds: Between two drops.
    """
    begin, drop = DRIPS[name]
    connection.sendall(begin)
    for _ in itertools.count():
        connection.sendall(drop)
        time.sleep(seconds)

"""The HTTP server: keeps connections alive, answers at once, and stops without leaving anything behind."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.server
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from email.utils import format_datetime
from typing import Any, TypeAlias, cast

from afas_sandbox.exchange import Answer, Asked

Answering: TypeAlias = Callable[[Asked], Answer]
Dating: TypeAlias = Callable[[], dt.datetime | None]

# Two ints, but on Windows two shorts.
_RESET_ON_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
_PATIENCE = 10.0


class Server(http.server.ThreadingHTTPServer):
    """An HTTP server in a thread of its own.

    Args:
        host: Address to listen on.
        port: Port; 0 for any that is free.
        answering: Makes the answer to a request.
        date: The moment for the `Date` header, in UTC; `None`: there is no such header.
    """

    daemon_threads = True
    request_queue_size = 64
    # Windows would let a second server take over a port that is in use.
    allow_reuse_address = sys.platform != "win32"

    def __init__(self, host: str, port: int, answering: Answering, date: Dating) -> None:
        super().__init__((host, port), _Handler)
        self.answering = answering
        self.date = date
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._closing = False
        self._thread = threading.Thread(target=self._listen, name="sandbox", daemon=True)
        self._thread.start()

    def server_bind(self) -> None:
        """Bind without asking DNS for the name of this machine, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    @property
    def reached_at(self) -> str:
        """The host by which this machine reaches the server."""
        return "127.0.0.1" if self.server_name == "0.0.0.0" else self.server_name  # noqa: S104 - compared, not bound

    def _listen(self) -> None:
        while not self._closing:
            self.handle_request()

    def process_request(self, request: object, client_address: object) -> None:
        """Serve a connection in a thread of its own, and remember both."""
        connection = cast("socket.socket", request)
        thread = threading.Thread(target=self._serve, args=(connection, client_address), daemon=True)
        with self._lock:
            self._open[connection] = thread
        thread.start()

    def _serve(self, connection: socket.socket, client_address: Any) -> None:
        try:
            self.process_request_thread(connection, client_address)
        finally:
            with self._lock:
                self._open.pop(connection, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that clients break off."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def close(self) -> None:
        """Stop listening, break the connections, and wait until all threads are gone."""
        self._closing = True
        # The thread that listens wakes up for a connection.
        with contextlib.suppress(OSError), socket.create_connection((self.reached_at, self.server_port), _PATIENCE):
            pass
        self._thread.join(_PATIENCE)
        self.server_close()
        with self._lock:
            still_open = list(self._open.items())
        for connection, _ in still_open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for _, thread in still_open:
            thread.join(_PATIENCE)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "Profit-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 65536

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        asked = Asked(
            method=self.command,
            path=path,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
            client=str(self.client_address[0]),
        )
        self._send(self.server.answering(asked))

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - http.server looks for these names

    def _send(self, answer: Answer) -> None:
        if answer.reset:
            self._reset()
            return
        self.send_response(answer.status)
        self.send_header("Access-Control-Allow-Origin", "*")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if isinstance(answer.body, bytes):
            self._send_whole(answer.body, answer.sent)
        else:
            self._send_pieces(answer.body)

    def _send_whole(self, body: bytes, sent: float) -> None:
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        part = body[: int(len(body) * sent)]
        self.wfile.write(part)
        if len(part) < len(body):
            self.wfile.flush()
            self.close_connection = True

    def _send_pieces(self, pieces: Iterator[bytes]) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def _reset(self) -> None:
        """Break the connection so that the client sees a reset, not a polite end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        socket.close(self.connection.detach())

    def date_time_string(self, timestamp: float | None = None) -> str:
        if timestamp is not None:
            return super().date_time_string(timestamp)
        date = self.server.date()
        return "" if date is None else format_datetime(date, usegmt=True)

    def send_header(self, keyword: str, value: str) -> None:
        if value or keyword != "Date":
            super().send_header(keyword, value)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name for it
        """The sandbox keeps a log of its own."""

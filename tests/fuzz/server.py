"""Answers as a case says."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

from fuzz.cases import Dripping

if TYPE_CHECKING:
    from fuzz.cases import Case

_KINDS = ((b"oauth/token", "token"), (b"metainfo/get/", "description"), (b"metainfo", "list"))
_PATIENCE = 10
_DROPS = 50


class Server:
    """Answers as a case says: each kind of question in turn, the last answer for ever.

    Attributes:
        asked: How often each kind of question was asked.
    """

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._case: Case | None = None
        self.asked: dict[str, int] = {}
        threading.Thread(target=self._serve, daemon=True).start()

    def base_url(self, number: int) -> str:
        """Where it is for a case: what an earlier one asks late is another's question."""
        return f"{self._address}/{number}/ProfitRestServices"

    def play(self, case: Case) -> None:
        """Answer as a case says."""
        self._case, self.asked = case, {}

    def close(self) -> None:
        """Take no more questions."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(_PATIENCE)
            head = b""
            while b"\r\n\r\n" not in head:
                received = connection.recv(65536)
                if not received:
                    return
                head += received
            path = head.split(b" ", 2)[1]
            kind = next((kind for part, kind in _KINDS if part in path), "rows")
            case, asked = self._case, self.asked
            if case is None or not path.startswith(f"/{case.number}/".encode()):
                return
            turn = asked[kind] = asked.get(kind, 0) + 1
            answer = case.answers[kind][min(turn, len(case.answers[kind])) - 1]
            connection.sendall(answer)
            for _ in range(_DROPS if isinstance(answer, Dripping) else 0):
                time.sleep(_PATIENCE / _DROPS)
                connection.sendall(b" ")
            connection.shutdown(socket.SHUT_WR)
            # Whoever closes with something unread resets the connection, and the answer with it.
            while connection.recv(65536):
                pass

"""A moment at which an exchange ends, however its answer comes.

A time-out of a socket is for one read: who sends a header, a length or an empty block of gzip, letter by letter, keeps
an answer from ever being late. So at the deadline the socket itself is shut, and whatever reads from it ends.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_here = threading.local()


class Deadline:
    """Ends the exchanges of this thread after some seconds, as a context.

    Args:
        seconds: How many.

    Attributes:
        passed: Whether it ended one.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._connection: Any = None
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        _here.deadline = self
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()
        _here.deadline = None

    def watch(self, connection: Any, *, answers: bool) -> None:
        """Watch a connection; once it answers, its socket, which it may let go of before the answer has been read."""
        self._connection = connection
        self._socket = connection.sock if answers else None

    def _end(self) -> None:
        self.passed = True
        found = self._socket or getattr(self._connection, "sock", None)
        if found is not None:
            # That of TLS would take its own state away from whoever is reading.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(found, socket.SHUT_RDWR)


def _watch(connection: Any, *, answers: bool) -> None:
    deadline: Deadline | None = getattr(_here, "deadline", None)
    if deadline is not None:
        deadline.watch(connection, answers=answers)


class _Watched(HTTPConnection):
    @override
    def connect(self) -> None:
        _watch(self, answers=False)
        super().connect()

    @override
    def getresponse(self) -> Any:
        _watch(self, answers=True)
        return super().getresponse()


class _WatchedOverTLS(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _PoolOverTLS(HTTPSConnectionPool):
    ConnectionCls = _WatchedOverTLS


class Adapter(HTTPAdapter):
    """requests' adapter, with connections that a `Deadline` watches."""

    @override
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _PoolOverTLS}

    @override
    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*arguments, **options)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _PoolOverTLS}
        return manager

"""A fast stand-in for AFAS on this machine: answers what the tap and its peers ask about one table, and nothing else.

Run as a process of its own: `server.py FOLDER ROWS [--connectors N] [--call S] [--row S] [--skipped S]`; it prints
its address.
Requests it doesn't expect are refused, so that a contestant that asks something else can't win by it.
"""

from __future__ import annotations

import argparse
import dataclasses
import http.server
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from table import KEY, STAMP, Table, metainfo

if TYPE_CHECKING:
    from collections.abc import Iterable

_AT_OR_AFTER, _AT_OR_BEFORE, _EMPTY, _NOT_EMPTY = "2", "3", "8", "9"


@dataclasses.dataclass(frozen=True)
class Delays:
    """Seconds that AFAS takes: for a call, for each row sent, for each row passed over."""

    call: float = 0.0
    row: float = 0.0
    skipped: float = 0.0


class UnexpectedError(Exception):
    """A question that only AFAS itself could answer."""


def slice_of(table: Table, query: dict[str, str]) -> tuple[int, int, int]:
    """Which rows a query is about: the first, the one after the last, and how many are passed over."""
    skip, take = int(query.get("skip", "0")), int(query.get("take", "100"))
    if query.get("orderbyfieldids") == f"-{STAMP}":
        return highest(table, query)
    if query.get("orderbyfieldids", KEY).split(",")[0] not in {KEY, STAMP} or "filterjson" in query:
        raise UnexpectedError(query)
    field, operator, value = (query.get(name, "") for name in ("filterfieldids", "operatortypes", "filtervalues"))
    if not field or (operator == _NOT_EMPTY and field == STAMP):
        first = 0
    elif operator == _EMPTY and field in {STAMP, KEY}:
        first = table.rows
    elif operator == _AT_OR_AFTER and field == KEY:
        first = table.at_key(int(value))
    elif operator == _AT_OR_AFTER and field == STAMP:
        first = table.at_stamp(value)
    else:
        raise UnexpectedError(query)
    start = min(first + skip, table.rows)
    return start, min(start + take, table.rows), skip


def highest(table: Table, query: dict[str, str]) -> tuple[int, int, int]:
    """The row with the highest stamp, asked for with one that no row passes."""
    groups = json.loads(query.get("filterjson", "{}")).get("Filters", {}).get("Filter", [])
    asked = [(field["@FieldId"], field["@OperatorType"]) for group in groups for field in group["Field"]]
    if (asked, query.get("take")) != ([(STAMP, _NOT_EMPTY), (STAMP, _AT_OR_BEFORE)], "1"):
        raise UnexpectedError(query)
    if table.at_stamp(groups[0]["Field"][1]["#text"]) < table.rows:
        raise UnexpectedError(query)
    return table.rows - 1, table.rows, 0


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers a connection's requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    table: Table
    delays = Delays()
    connectors: tuple[str, ...] = ()
    log: ClassVar[list[tuple[float, str, int, int]]] = []

    def do_GET(self) -> None:
        """Answer."""
        arrived = time.monotonic()
        url = urlsplit(self.path)
        parts = [unquote(part) for part in url.path.strip("/").split("/")]
        match parts:
            case [*_, "metainfo"]:
                entries = [{"id": name, "description": name} for name in self.connectors]
                self._say({
                    "info": {"envid": "O00000AA", "appName": "", "group": "", "tokenExpiry": "0"},
                    "getConnectors": entries,
                })
            case [*_, "metainfo", "get", connector]:
                self._say(metainfo(connector))
            case [*_, "connectors", connector]:
                self._rows(arrived, connector, {name: values[0] for name, values in parse_qs(url.query).items()})
            case ["log"]:
                self._say(self.log)
                self.log.clear()
            case _:
                self.send_error(404)

    def _rows(self, arrived: float, connector: str, query: dict[str, str]) -> None:
        try:
            first, last, skipped = slice_of(self.table, query)
        except (UnexpectedError, ValueError):
            self._say({"externalMessage": f"not expected here: {query}"}, status=400)
            return
        delays = self.delays
        time.sleep(delays.call + delays.row * (last - first) + delays.skipped * skipped)
        if not query.get("orderbyfieldids", "").startswith("-"):
            # The one row with the highest stamp is no page of the walk.
            self.log.append((arrived, connector, first, last - first))
        head = f'{{"skip":{query.get("skip", 0)},"take":{query.get("take", 0)},"rows":['.encode()
        self._send(head, self.table.cut(first, last), b"]}")

    def _say(self, content: Any, status: int = 200) -> None:
        self._send(json.dumps(content).encode(), status=status)

    def _send(self, *parts: bytes | memoryview, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(sum(map(len, parts))))
        self.end_headers()
        for part in parts:
            self.wfile.write(part)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as inherited
        """Say nothing."""


def main(arguments: Iterable[str] | None = None) -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("rows", type=int)
    parser.add_argument("--connectors", type=int, default=1)
    for name in ("call", "row", "skipped"):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    options = parser.parse_args(list(arguments) if arguments is not None else None)
    Handler.table = Table(options.folder, options.rows)
    Handler.delays = Delays(options.call, options.row, options.skipped)
    Handler.connectors = tuple(f"Journal_{number}" for number in range(1, options.connectors + 1))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}/ProfitRestServices", flush=True)  # noqa: T201 - who started it reads it
    server.serve_forever()


if __name__ == "__main__":
    main()

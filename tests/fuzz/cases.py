"""Hostile runs, each made from its number: what AFAS, or whoever stands in its place, answers, and what the tap is given.

    python tests/fuzz/cases.py --first 1 --cases 100000

runs as many as one likes, and tells of each that breaks a promise; `--first N --cases 1` runs one of them again.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import copy
import dataclasses
import html
import json
import logging
import random
import resource
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from harness.command import run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.run import Run

DATA = "9F4eA7" * 10
TOKEN = f"<token><version>1</version><data>{DATA}</data></token>"
SECRET = "s3cr3t&Of/The=Client-é-" + "8eF4" * 6
BEARER = "eyJhbGciOiJub25lIn0.4f6A9bE2c7D1.x_Y-z0"
EXIT_CODES = {0, 1, 2, 74, 75, 78, 130, 143}
LONGEST = 60.0
MOST_MEMORY = 1_500_000_000

_FORMS = (
    str,
    quote,
    html.escape,
    lambda text: text.encode().hex(),
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: base64.urlsafe_b64encode(b"x" + text.encode()).decode(),
    lambda text: "\u200b".join(text),
    lambda text: text[:30] + "\r\n" + text[30:],
)
_TEXTS = [
    *(
        "",
        " ",
        "\x00",
        "\x1b[2J",
        "a\nb",
        "\r\n2026-01-01 | ERROR | tap-afas | forged",
        "\u202e",
        "\ud800",
        "\ufeff",
        "é" * 50,
    ),
    *(
        "../..",
        "%s%n",
        "{0}",
        "__NULL__",
        "Code",
        "Modified",
        "Articles",
        "*",
        "[",
        "!",
        "x" * 3000,
        "1_0",
        "٣",
        "NaN",
        "-0",
    ),
    *("2024-03-01T06:00:30Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-02-30", "24:00", "(vervangen)"),
    *("Europe/Amsterdam", "en-us", "en-us\n", "http://[::1", "https://a..b/", "O12345AA", "7d", "=", "starts with"),
]
_NUMBERS = [0, 1, -1, 5.0, 1e308, -1e-300, 2**31, 2**63, 2**64, 10**400, 0.1, float("nan"), float("inf")]
_RAW = [
    *(
        b"\x00",
        b"\xff\xfe",
        b'"',
        b"\\",
        b'\\"',
        b"[" * 300,
        b"{",
        b"}",
        b"]",
        b",",
        b":",
        b"null",
        b"1e999999999",
        b"-.5",
    ),
    *(b"9" * 5000, b"\\ud800", b"\n", b"<h1", b"NaN", b"\xef\xbb\xbf", b"1e-999999999", b"  ", b"\x1b[31m"),
]
_FIELDS = [
    {"id": "Code", "dataType": "string", "label": "Code", "length": 10, "controlType": 5, "decimals": 0},
    {"id": "Name", "dataType": "string", "label": "Naam", "length": 80, "controlType": 1, "decimals": 0},
    {"id": "Price", "dataType": "decimal", "label": "Prijs", "length": 26, "controlType": 2, "decimals": 2},
    {"id": "Number", "dataType": "int", "label": "Aantal", "length": 9, "controlType": 2, "decimals": 0},
    {"id": "Blocked", "dataType": "boolean", "label": "Geblokkeerd", "length": 1, "controlType": 3, "decimals": 0},
    {"id": "Modified", "dataType": "date", "label": "Gewijzigd op", "length": 0, "controlType": 5, "decimals": 0},
]
_ROW = {"Code": "A1", "Name": "A name", "Price": 1.5, "Number": 7, "Blocked": False, "Modified": "2024-03-01T06:00:30Z"}
_GOOD: dict[str, Any] = {
    "token": {"access_token": BEARER, "token_type": "Bearer", "expires_in": 3600},
    "list": {
        "updateConnectors": [],
        "getConnectors": [{"id": "Articles", "description": "Artikelen"}],
        "info": {"envid": "O12345AA", "appName": "x", "group": "y", "tokenExpiry": "0"},
    },
    "description": {"name": "Articles", "description": "Artikelen", "fields": _FIELDS},
    "rows": {"skip": 0, "take": 5, "rows": [{**_ROW, "Code": f"A{number}"} for number in range(3)]},
}
_STATUSES = [200, 200, 200, 204, 206, 302, 400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 504, 520, 999]
_HEADERS = {
    "WWW-Authenticate": ['Bearer error="invalid_token"', "DPoP", 'Bearer error="', '="' * 500],
    "Retry-After": ["1", "-1", "1e400", "Fri, 31 Dec 9999 23:59:59 -2300", "soon", "9" * 5000],
    "Location": ["http://[::1", "https://elsewhere.example/", "//", "\x80\xff"],
    "Date": ["Fri, 31 Dec 9999 23:59:59 -2300", "x", "Mon, 01 Jan 0001 00:00:00 GMT"],
    "Content-Encoding": ["gzip", "deflate", "br", "x"],
    "Content-Type": ["text/html", "application/json; charset=utf-7", "x" * 2000],
    "X-Trace-Identifier": [DATA, "a\x1bb"],
    "Set-Cookie": ["a=b"],
    "no colon": [""],
}
_CONFIG: dict[str, Any] = {
    "page_size": 5,
    "max_parallel_requests": 2,
    "streams": {"Articles": {"primary_keys": ["Code"]}},
}
_MORE: dict[str, Any] = {
    "start_date": "2024-01-01", "timezone": "Europe/Amsterdam", "language": "en-us", "connectors": ["*"],
    "request_timeout": 5, "max_retry_wait": 600, "overlap_seconds": 300, "integration_id": "a_b",
    "environment_id": "O12345AA", "environment_type": "production", "accept_environment": "O12345AA",
    "emit_activate_version_messages": False, "client_certificate": "/dev/null", "flattening_enabled": True,
    "flattening_max_depth": 1, "stream_maps": {"Articles": {"Name": "md5(Name)", "X": "1 + 1"}},
    "stream_map_config": {"salt": "x"}, "faker_config": {"seed": 1}, "add_record_metadata": True,
}  # fmt: skip
_PROPERTIES: dict[str, Any] = {
    "Code": {"type": ["string"]}, "Name": {"type": ["string", "null"]}, "Price": {"type": ["number", "null"]},
    "Number": {"type": ["integer", "null"]}, "Blocked": {"type": ["boolean", "null"]},
    "Modified": {"type": ["string", "null"], "format": "date-time"},
}  # fmt: skip
_CATALOG: dict[str, Any] = {
    "streams": [
        {
            "tap_stream_id": "Articles", "stream": "Articles", "key_properties": ["Code"],
            "replication_key": "Modified", "replication_method": "INCREMENTAL",
            "schema": {"type": "object", "properties": _PROPERTIES},
            "metadata": [
                {"breadcrumb": [], "metadata": {"inclusion": "available", "selected": True, "table-key-properties": ["Code"]}},
                {"breadcrumb": ["properties", "Name"], "metadata": {"inclusion": "available", "selected": True}},
            ],
        }
    ]
}  # fmt: skip
_STATE: dict[str, Any] = {
    "bookmarks": {
        "Articles": {
            "replication_key": "Modified", "replication_key_value": "2024-02-01T00:00:00+00:00",
            "bookmark": "2024-02-01T01:00:00", "settled": None, "pending": "2024-02-01T01:00:00",
            "pending_at": "2024-02-01T00:00:00+00:00", "unit": "second", "witness": '["A1"]',
            "place": json.dumps({"reading": "changed", "cursor": ['["A1"]'], "lower": None, "highest": None, "witness": None,
                                 "asked": True, "cap": None, "met": False, "keys": ["Code"], "start": "2024-02-01T00:00:00+00:00"}),
            "version": 1, "rows_read": 3, "rows_whole": 3, "key": '["Code"]', "loaded_under": "", "environment": "O12345AA",
            "rows_fit": None, "delivered": None, "empties_read": None,
        }
    }
}  # fmt: skip


class Mutator:
    """Changes what is right into what is odd.

    Args:
        chance: Where its choices come from.
    """

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def leaf(self) -> Any:
        """Any value."""
        pick = self.chance.randrange(9)
        if pick == 0:
            return self.chance.choice([None, True, False, [], {}])
        if pick == 1:
            return self.chance.choice(_NUMBERS)
        if pick == 2:
            return self.secret()
        if pick == 3:
            return self.nested(self.chance.choice([2, 20, 300]))
        if pick == 4:
            return [self.chance.choice(_TEXTS), self.chance.choice(_NUMBERS)]
        if pick == 5:
            return {self.chance.choice(_TEXTS): self.chance.choice(_TEXTS)}
        return self.chance.choice(_TEXTS)

    def secret(self) -> str:
        """A secret in one of its forms."""
        form = self.chance.choice(_FORMS)
        return form(self.chance.choice([DATA, SECRET, BEARER, TOKEN]))

    def nested(self, depth: int) -> Any:
        """Lists or objects in each other."""
        value: Any = 1
        for _ in range(depth):
            value = [value] if self.chance.random() < 0.5 else {"a": value}
        return value

    def changed(self, content: Any, times: int) -> Any:
        """The content with some of its parts replaced, taken out, added or renamed."""
        content = copy.deepcopy(content)
        for _ in range(times):
            content = self._change(content)
        return content

    def _change(self, content: Any) -> Any:
        if not isinstance(content, dict | list) or not content or self.chance.random() < 0.1:
            return self.leaf()
        where: Any = self.chance.choice(list(content) if isinstance(content, dict) else range(len(content)))
        pick = self.chance.random()
        if pick < 0.7:
            content[where] = self._change(content[where])
        elif pick < 0.8:
            del content[where]
        elif isinstance(content, list):
            content.append(copy.deepcopy(content[where]) if pick < 0.9 else self.leaf())
        else:
            name = self.secret() if pick < 0.85 else self.chance.choice(_TEXTS)
            content[name] = content.pop(where) if pick < 0.95 else self.leaf()
        return content

    def written(self, content: Any) -> bytes:
        """JSON, perhaps cut or with odd bytes in it."""
        text = json.dumps(content, ensure_ascii=self.chance.random() < 0.5).encode("utf-8", "surrogatepass")
        for _ in range(self.chance.choice([0, 0, 0, 1, 2, 5])):
            at = self.chance.randrange(len(text) + 1)
            text = text[:at] + self.chance.choice(_RAW) + text[at + self.chance.choice([0, 0, 1, 4]) :]
        if self.chance.random() < 0.1:
            text = text[: self.chance.randrange(len(text) + 1)]
        return text


@dataclasses.dataclass
class Case:
    """A run: what is answered to each kind of question, and what the tap is given."""

    number: int
    answers: dict[str, list[bytes]]
    config: Any
    files: dict[str, Any]
    arguments: list[str]


def make(number: int, base_url: str) -> Case:
    """The case of a number."""
    chance = random.Random(number)  # noqa: S311 - it is to come again
    mutator = Mutator(chance)
    hostile = set(
        chance.sample(
            ["token", "list", "description", "rows", "config", "catalog", "state"], chance.choice([1, 1, 2, 3])
        )
    )
    answers = {
        kind: [_answer(mutator, good, hostile=kind in hostile and chance.random() < 0.8) for _ in range(3)]
        for kind, good in _GOOD.items()
    }
    who = (
        {"client_id": "a-client", "client_secret": SECRET}
        if chance.random() < 0.5 or "token" in hostile
        else {"token": TOKEN}
    )
    config: Any = {"base_url": base_url, **who, **_CONFIG}
    for name in chance.sample(sorted(_MORE), chance.choice([0, 0, 1, 3])):
        config[name] = _MORE[name]
    if "environment_id" in config or "environment_type" in config:
        config["base_url"] = base_url
    if "config" in hostile:
        config = mutator.changed(config, chance.choice([1, 1, 2, 4]))
        if isinstance(config, dict) and chance.random() < 0.8:
            config["base_url"] = base_url
    files: dict[str, Any] = {}
    if "catalog" in hostile or chance.random() < 0.2:
        files["catalog"] = mutator.changed(_CATALOG, chance.choice([1, 2, 4])) if "catalog" in hostile else _CATALOG
    if "state" in hostile or chance.random() < 0.2:
        files["state"] = mutator.changed(_STATE, chance.choice([1, 2, 4])) if "state" in hostile else _STATE
    for name, content in files.items():
        if chance.random() < 0.1:
            files[name] = mutator.written(content).decode("utf-8", "replace")
    files = {name: _text(content) for name, content in files.items()}
    config = _text(config)
    arguments = chance.choice([[], [], [], [], ["--discover"], ["--test"], [f"--x={mutator.secret()}"]])
    return Case(number, answers, config, files, [one.replace("\0", "") for one in arguments])


def _text(content: Any) -> Any:
    """Content that can be written to a file: text as it is, anything else as JSON."""
    return content.encode("utf-8", "replace").decode() if isinstance(content, str) else content


def _answer(mutator: Mutator, good: Any, *, hostile: bool) -> bytes:
    chance = mutator.chance
    body = json.dumps(good).encode()
    status, headers = 200, []
    if hostile:
        body = mutator.written(mutator.changed(good, chance.choice([1, 1, 2, 5])))
        if chance.random() < 0.1:
            body = f"<html><h1>{mutator.secret()}</h1><title>{chance.choice(_TEXTS)}".encode("utf-8", "replace")
        if chance.random() < 0.05:
            body = b"before " + mutator.secret().encode() + body
        status = chance.choice(_STATUSES)
        for name in chance.sample(sorted(_HEADERS), chance.choice([0, 0, 1, 3])):
            headers.append(name if name == "no colon" else f"{name}: {chance.choice(_HEADERS[name])}")
        if chance.random() < 0.05:
            headers.append(f"X-Trace-Identifier: {mutator.secret()}")
    lines = [f"HTTP/1.1 {status} X", *headers, f"Content-Length: {len(body)}", "Connection: close"]
    if hostile and chance.random() < 0.03:
        lines[-2:] = []
    head = "\r\n".join(line.replace("\r", " ").replace("\n", " ") for line in lines).encode("latin-1", "replace")
    return head + b"\r\n\r\n" + body


class Server:
    """Answers as the case says that is set; each kind's answers in turn, the last one for ever."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.base_url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/ProfitRestServices"
        self.case: Case | None = None
        self.asked: dict[str, int] = {}
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            path = connection.recv(65536).split(b" ")[1:2]
            if not path or self.case is None:
                return
            kind = next((kind for part, kind in _KINDS if part in path[0]), "rows")
            turn = self.asked[kind] = self.asked.get(kind, -1) + 1
            connection.sendall(self.case.answers[kind][min(turn, 2)])
            connection.shutdown(socket.SHUT_WR)


_KINDS = ((b"oauth/token", "token"), (b"metainfo/get/", "description"), (b"metainfo", "list"))


def broken_promises(ran: Run, seconds: float) -> Iterator[str]:
    """What a run does that it may not."""
    if ran.exit_code not in EXIT_CODES:
        yield f"exit code {ran.exit_code}"
    if "This is a bug" in ran.said or "Traceback" in ran.said:
        yield "a bug: " + next((line for line in reversed(ran.log) if line.startswith("    ")), "")
    if seconds > LONGEST:
        yield f"it took {seconds:.0f} s"
    for line in ran.log:
        if not line.isprintable():
            yield f"a control character: {line!a}"
        if len(line) > 2000 and "tap-afas ended" not in line:
            yield f"a line of {len(line)} letters"
    shown = ran.said
    try:
        shown += json.dumps([message for message in ran.messages if message["type"] != "RECORD"], default=str)
        kinds = {message["type"] for message in ran.messages}
        if kinds - {"SCHEMA", "RECORD", "STATE", "ACTIVATE_VERSION"}:
            yield f"messages {kinds}"
    except (ValueError, KeyError, TypeError):
        shown += ran.output.decode("utf-8", "replace")
        if not ran.output.lstrip().startswith(b'{\n  "streams"'):
            yield f"no Singer: {ran.output[:100]!r}"
    plain = "".join(letter for letter in shown if letter.isalnum() or letter == "…").lower()
    for secret in (DATA, SECRET, BEARER, TOKEN):
        for form in (
            secret,
            secret.encode().hex(),
            *(base64.b64encode(bytes(n) + secret.encode()).decode()[3:-4] for n in range(3)),
        ):
            kept = "".join(letter for letter in form if letter.isalnum()).lower()
            if any(kept[at : at + 20] in plain for at in range(len(kept) - 19)):
                yield f"a secret: {form[:20]}"


def run(number: int, server: Server) -> list[str]:
    """Run a case; what it broke."""
    case = server.case = make(number, server.base_url)
    server.asked = {}
    began = time.monotonic()
    try:
        ran = run_tap(case.config, *case.arguments, **case.files)
    except AssertionError as error:
        return [f"traceback: {str(error)[-600:]}"]
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return [f"raised: {error!r}"]
    return list(broken_promises(ran, time.monotonic() - began))


def main() -> None:
    """Run cases by hand."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--cases", type=int, default=1000)
    options = parser.parse_args()
    logging.captureWarnings(capture=True)
    server, found, began = Server(), 0, time.monotonic()
    for number in range(options.first, options.first + options.cases):
        if broken := run(number, server):
            found += 1
            sys.stdout.write(f"{number}: {'; '.join(broken)[:1500]}\n")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    sys.stdout.write(f"{options.cases} cases, {found} broke a promise; {memory} MB; {time.monotonic() - began:.0f} s\n")
    sys.exit(found > 0)


if __name__ == "__main__":
    main()

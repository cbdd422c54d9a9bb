"""Hostile runs, each made from its number: what AFAS, or another in its place, answers, and what the tap is given."""

from __future__ import annotations

import dataclasses
import functools
import json
import random
import zlib
from typing import TYPE_CHECKING, Any

from fuzz.mutator import BEARER, CLIENT_SECRET, DATA, ROW_VALUE, TOKEN, Mutator

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELDS = [
    {"id": "Code", "dataType": "string", "label": "Code", "length": 10, "controlType": 5, "decimals": 0},
    {"id": "Name", "dataType": "string", "label": "Naam", "length": 80, "controlType": 1, "decimals": 0},
    {"id": "Price", "dataType": "decimal", "label": "Prijs", "length": 26, "controlType": 2, "decimals": 2},
    {"id": "Number", "dataType": "int", "label": "Aantal", "length": 9, "controlType": 2, "decimals": 0},
    {"id": "Blocked", "dataType": "boolean", "label": "Geblokkeerd", "length": 1, "controlType": 3, "decimals": 0},
    {"id": "Modified", "dataType": "date", "label": "Gewijzigd op", "length": 0, "controlType": 5, "decimals": 0},
]
_ROW = {
    "Code": "A1", "Name": ROW_VALUE, "Price": 1.5, "Number": 7, "Blocked": False, "Modified": "2024-03-01T06:00:30Z",
}  # fmt: skip
_ODD_ROW: dict[str, list[Any]] = {
    "Code": ["", "a\u0000", "A1", None, 7, "\ud83d", "x" * 5000],
    "Price": ["1.5", "1,5", "-.5", "1E+400", "1e999999999", None, 12345678901234567890.5, "٣"],
    "Number": [2**31, 2**63, -(2**63) - 1, "7", "1_0", 7.5, True, None, 10**400],
    "Blocked": ["true", 0, "J", None],
    "Modified": [None, "", "2024-03-01", "2024-03-31T02:30:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00", 5],
    "Extra": [[1, {"a": None}], None],
}
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
_STATUSES = [*[200] * 5, 204, 206, 302, 304, 400, 401, 403, 404, 408, 413, 418, 429, 500, 502, 503, 504, 520, 999]
_HEADERS = {
    "WWW-Authenticate": ['Bearer error="invalid_token"', "DPoP", 'Bearer error="', '="' * 500],
    "Retry-After": ["1", "-1", "1e400", "Fri, 31 Dec 9999 23:59:59 -2300", "soon", "9" * 5000],
    "Location": ["http://[::1", "http://[zz]/", "https://elsewhere.example/", "//", "\x80\xff"],
    "Date": ["Fri, 31 Dec 9999 23:59:59 -2300", "x", "Mon, 01 Jan 0001 00:00:00 GMT", "9" * 400],
    "Content-Encoding": ["gzip", "deflate", "br", "x"],
    "Content-Type": ["text/html", "application/json; charset=utf-7", "x" * 2000],
    "X-Trace-Identifier": [DATA, "a\x1bb"],
    "Set-Cookie": ["a=b"],
    "Transfer-Encoding": ["chunked"],
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
    "flattening_max_depth": 1,
    "stream_maps": {"Articles": {"Name": "md5(Name)", "X": "str(1 + 1)", "__filter__": "Number"}},
    "stream_map_config": {"salt": "x"}, "faker_config": {"seed": 1}, "add_record_metadata": True,
    "streams": {"Articles": {
        "primary_keys": ["Code"], "replication_key": "Modified", "page_size": 2, "types": {"Number": "string"},
        "filter": [{"field": "Number", "operator": ">", "value": 1}], "append": False, "accept_fewer_rows": 0,
    }},
}  # fmt: skip
_VARIABLES = {
    "TAP_AFAS_LOGLEVEL": ["DEBUG", "DEBUG", "DEBUG", "INFO", "loud", "5", "\udcff"],
    "TAP_AFAS_METRICS_LOGLEVEL": ["debug", "loud"],
    "HTTP_PROXY": ["http://[::1", "http://127.0.0.1:1", "nonsense", f"http://u:{DATA}@127.0.0.1:1"],
    "REQUESTS_CA_BUNDLE": ["/nowhere/at-all.pem", "/dev/null"],
    "TAP_AFAS_CONECTORS": ["x\x1b[2J"],
}
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
                {"breadcrumb": [],
                 "metadata": {"inclusion": "available", "selected": True, "table-key-properties": ["Code"]}},
                {"breadcrumb": ["properties", "Name"], "metadata": {"inclusion": "available", "selected": True}},
            ],
        }
    ]
}  # fmt: skip
_PLACE: dict[str, Any] = {
    "reading": "changed", "cursor": ['["A1"]'], "lower": None, "highest": None, "witness": None, "asked": True,
    "cap": None, "met": False, "keys": ["Code"], "start": "2024-02-01T00:00:00+00:00",
}  # fmt: skip
_STATE: dict[str, Any] = {
    "bookmarks": {
        "Articles": {
            "replication_key": "Modified", "replication_key_value": "2024-02-01T00:00:00+00:00",
            "bookmark": "2024-02-01T01:00:00", "settled": None, "pending": "2024-02-01T01:00:00",
            "pending_at": "2024-02-01T00:00:00+00:00", "unit": "second", "witness": '["A1"]', "place": "",
            "version": 1, "rows_read": 3, "rows_whole": 3, "key": '["Code"]', "loaded_under": "",
            "environment": "O12345AA", "rows_fit": None, "delivered": None, "empties_read": None,
        }
    }
}  # fmt: skip
_BOMB_SIZE = 80_000_000


class Dripping(bytes):
    """An answer behind which drops come for a long time."""

    __slots__ = ()


@dataclasses.dataclass
class Case:
    """A run.

    Attributes:
        number: What it is made from.
        answers: To each kind of question, in turn; the last one is repeated.
        config: The settings, or text in their place; None: they are in `environment`.
        files: `state` and `catalog`.
        arguments: More of the command line.
        environment: Variables.
    """

    number: int
    answers: dict[str, list[bytes]]
    config: Any
    files: dict[str, Any]
    arguments: list[str]
    environment: dict[str, str]

    @property
    def given(self) -> str:
        """All settings and arguments that a person gave the tap, as text."""
        variables = {name: value for name, value in self.environment.items() if "AFAS" in name}
        return f"{json.dumps(self.config, ensure_ascii=False, default=repr)} {self.arguments} {variables}"


def make(number: int, base_url: str) -> Case:
    """The case of a number."""
    chance = random.Random(number)  # noqa: S311 - it is to come again
    mutator = Mutator(chance)
    hostile = set(chance.sample([*_GOOD, "config", "catalog", "state"], chance.choice([1, 1, 2, 3])))
    answers = {kind: _answers(mutator, kind, hostile=kind in hostile) for kind in _GOOD}
    config = _config(mutator, base_url, hostile)
    if isinstance(config, dict) and any(
        isinstance(one, Dripping) for kind in hostile & set(_GOOD) for one in answers[kind]
    ):
        config["request_timeout"] = 1
    files: dict[str, Any] = {}
    for name, good in (("catalog", _CATALOG), ("state", _state(chance))):
        if name in hostile or chance.random() < 0.2:
            content = mutator.changed(good, chance.choice([1, 2, 4])) if name in hostile else good
            files[name] = mutator.written(content) if chance.random() < 0.1 else _writable(content)
    arguments = chance.choice([*[[]] * 8, ["--discover"], ["--discover"], ["--test"], [f"--x={mutator.secret()}"]])
    environment = {
        name: chance.choice(_VARIABLES[name]) for name in _VARIABLES if chance.random() < 0.03
    }  # fmt: skip
    if isinstance(config, dict) and chance.random() < 0.1:
        environment |= _variables(config)
        config, arguments = None, ["--config=ENV", *arguments]
    if "config" in hostile and chance.random() < 0.05:
        config = mutator.written(config)
    arguments = [one.replace("\0", "").encode("utf-8", "replace").decode() for one in arguments]
    return Case(number, answers, _writable(config), files, arguments, environment)


def _state(chance: random.Random) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(json.dumps(_STATE))
    if chance.random() < 0.5:
        # A text with JSON in it, which a change of the whole would hardly ever reach.
        place = Mutator(chance).changed(_PLACE, chance.choice([0, 1, 2]))
        state["bookmarks"]["Articles"]["place"] = json.dumps(place)
    return state


def _config(mutator: Mutator, base_url: str, hostile: set[str]) -> Any:
    chance = mutator.chance
    oauth = chance.random() < 0.5 or "token" in hostile
    who = {"client_id": "a-client", "client_secret": CLIENT_SECRET} if oauth else {"token": TOKEN}
    config: Any = {"base_url": base_url, **who, **_CONFIG}
    for name in chance.sample(sorted(_MORE), chance.choice([0, 0, 1, 3])):
        config[name] = _MORE[name]
    if "config" in hostile:
        config = mutator.changed(config, chance.choice([1, 1, 2, 4]))
        if isinstance(config, dict) and chance.random() < 0.8:
            config["base_url"] = base_url
    return config


def _variables(config: Mapping[str, Any]) -> dict[str, str]:
    """Settings as variables; what no variable can hold is left out."""
    found = {}
    for name, value in config.items():
        text = value if isinstance(value, str) else json.dumps(value)
        variable = f"TAP_AFAS_{name.upper()}".encode("ascii", "ignore").decode()
        found[variable.replace("=", "").replace("\0", "")] = text.replace("\0", "").encode("utf-8", "replace").decode()
    return found


def _writable(content: Any) -> Any:
    """Content as it can be written into a file: a text as it is, anything else as JSON."""
    return content.encode("utf-8", "replace").decode() if isinstance(content, str) else content


def _answers(mutator: Mutator, kind: str, *, hostile: bool) -> list[bytes]:
    good = _GOOD[kind]
    return [
        _hostile(mutator, kind) if hostile and mutator.chance.random() < 0.8 else _answer(json.dumps(good).encode())
        for _ in range(3)
    ]


def _answer(body: bytes, status: int = 200, headers: tuple[str, ...] = (), *, length: bool = True) -> bytes:
    lines = [
        f"HTTP/1.1 {status} X",
        *headers,
        *([f"Content-Length: {len(body)}"] if length else []),
        "Connection: close",
    ]
    head = "\r\n".join(line.replace("\r", " ").replace("\n", " ") for line in lines).encode("latin-1", "replace")
    return head + b"\r\n\r\n" + body


def _hostile(mutator: Mutator, kind: str) -> bytes:
    chance = mutator.chance
    pick = chance.random()
    if pick < 0.001:
        return Dripping(b"HTTP/1.1 200 X\r\nContent-Length: 1000000\r\n\r\n")
    if pick < 0.003:
        return _bomb(chance)
    if pick < 0.12:
        body = _other_body(mutator)
    elif pick < 0.3 and kind == "rows":
        body = mutator.written({"skip": 0, "take": 5, "rows": [_row(chance) for _ in range(chance.choice([1, 5]))]})
    else:
        body = mutator.written(mutator.changed(_GOOD[kind], chance.choice([1, 1, 2, 5])))
    headers = [
        name if name == "no colon" else f"{name}: {chance.choice(_HEADERS[name])}"
        for name in chance.sample(sorted(_HEADERS), chance.choice([0, 0, 0, 1, 3]))
    ]
    if chance.random() < 0.05:
        headers.append(f"X-Trace-Identifier: {mutator.secret()}")
    return _answer(body, chance.choice(_STATUSES), tuple(headers), length=chance.random() < 0.97)


def _row(chance: random.Random) -> dict[str, Any]:
    odd = {name: chance.choice(values) for name, values in _ODD_ROW.items() if chance.random() < 0.15}
    return {**_ROW, "Code": f"A{chance.randrange(10)}", **odd}


def _other_body(mutator: Mutator) -> bytes:
    """What isn't of the form that was asked for."""
    chance = mutator.chance
    text = chance.choice([mutator.text(), mutator.secret(), f"{BEARER} {CLIENT_SECRET} {TOKEN}"])
    rows = json.dumps(_GOOD["rows"])
    bodies = (
        '{"rows":[{"Code":"a"}],"rows":7}',
        '{"rows":[{"Code":"a","Number":' + "9" * 4301 + "}]}",
        '{"rows":[{"Code":' + "[" * 5000,
        f"<html><h1>{text}</h1><title>{mutator.text()}",
        f"before {text} {rows}",
        f"{text}{rows[: chance.randrange(len(rows))]}",
        json.dumps({"externalMessage": text, "profitLogReference": mutator.text()}),
        json.dumps({"error": text, "error_description": mutator.text()}),
        json.dumps({"errors": [{"message": text}], "detail": rows}),
        json.dumps(text),
        text,
    )
    return chance.choice(bodies).encode("utf-8", "replace")


def _bomb(chance: random.Random) -> bytes:
    """Little that is sent and much that it unpacks to, as JSON that would need mending."""
    begin = chance.choice([b" ", b'{"rows":[{"Price":-.5,"Name":"', b"[", b"9"])
    return _answer(_packed(begin), chance.choice([200, 302, 500]), ("Content-Encoding: gzip",))


@functools.cache
def _packed(begin: bytes) -> bytes:
    packer = zlib.compressobj(1, wbits=31)
    block = begin[-1:] * 1_000_000 if len(begin) == 1 else b"A" * 1_000_000
    parts = [packer.compress(begin), *(packer.compress(block) for _ in range(_BOMB_SIZE // len(block)))]
    return b"".join([*parts, packer.flush()])

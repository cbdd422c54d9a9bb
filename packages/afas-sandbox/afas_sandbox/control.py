"""The routes below `/sandbox`, by which tests and people steer the environment; from this machine only."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import urllib.parse
from typing import TYPE_CHECKING, Any

from afas_sandbox.exchange import Answer, Asked
from afas_sandbox.options import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox.changes import Change
    from afas_sandbox.random_changes import RandomChanges
    from afas_sandbox.services import Services
    from afas_sandbox.store import Store

_TIMES = {"stamp", "late_seconds"}
_CHANGE_ARGUMENTS = {*KINDS, *_TIMES, "connector"}
_LINES_AT_ONCE = 500


class Control:
    """Answers what is asked below `/sandbox`."""

    def __init__(self, store: Store, services: Services, changes: RandomChanges) -> None:
        self._store = store
        self._services = services
        self._changes = changes

    def answer(self, asked: Asked) -> Answer:
        """Answer a request below `/sandbox`."""
        if not ipaddress.ip_address(asked.client).is_loopback:
            return _told({"error": "only from the machine the sandbox runs on"}, 403)
        parts = [urllib.parse.unquote(part) for part in asked.path.strip("/").split("/")[1:]]
        try:
            return self._route(asked.method, parts, asked.body)
        except (ValueError, TypeError, AttributeError) as error:
            return _told({"error": str(error)}, 400)
        except KeyError as error:
            return _told({"error": f"there is no {error.args[0]}"}, 404)

    def _route(self, method: str, parts: list[str], body: bytes) -> Answer:
        traffic = self._services.traffic
        match method, parts:
            case "GET", ["rows", connector_id]:
                self._store.stored_table(connector_id)
                return Answer(200, self._rows(connector_id), {"Content-Type": "application/x-ndjson"})
            case "POST", ["change"]:
                wanted = _checked(json.loads(body or b"{}"), _CHANGE_ARGUMENTS)
                told: Any = list(map(self._as_json, self._changes.some(wanted.pop("connector", None), **wanted)))
            case "POST", ["change-everywhere"]:
                wanted = _checked(json.loads(body or b"{}"), {*KINDS, *_TIMES})
                times = {name: wanted.pop(name) for name in _TIMES & wanted.keys()}
                told = list(map(self._as_json, self._changes.everywhere(wanted, **times)))
            case "POST", ["faults"]:
                self._services.plan(json.loads(body or b"[]"))
                told = [dataclasses.asdict(fault) for fault in self._services.faults.faults]
            case "POST", ["options"]:
                self._services.options.change(**json.loads(body or b"{}"))
                told = {}
            case "GET", ["log"]:
                told = [dataclasses.asdict(request) for request in traffic.requests]
            case "DELETE", ["log"]:
                traffic.clear()
                told = {}
            case "GET", ["status"]:
                counts = {connector_id: self._store.count(connector_id) for connector_id in self._store.connectors}
                told = {"rows": counts, "requests": len(traffic.requests), "peak": traffic.peak, "peaks": traffic.peaks}
            case _:
                raise KeyError(f"{method} /sandbox/{'/'.join(parts)}")
        return _told(told)

    def _as_json(self, change: Change) -> dict[str, Any]:
        names = [field.id for field in self._store.stored_table(change.connector).connector.fields]
        told = dataclasses.asdict(change)
        for side, row in (("before", change.before), ("after", change.after)):
            told[side] = None if row is None else dict(zip(names, row, strict=True))
        return told

    def _rows(self, connector_id: str) -> Iterator[bytes]:
        names = [field.id for field in self._store.stored_table(connector_id).connector.fields]
        lines: list[str] = []
        for _, row in self._store.rows(connector_id):
            lines.append(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False))
            if len(lines) == _LINES_AT_ONCE:
                yield ("\n".join(lines) + "\n").encode()
                lines.clear()
        if lines:
            yield ("\n".join(lines) + "\n").encode()


def _checked(wanted: dict[str, Any], known: set[str]) -> dict[str, Any]:
    if unknown := wanted.keys() - known:
        raise ValueError(f"a change knows no {', '.join(sorted(unknown))}")
    return wanted


def _told(value: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value, default=str).encode(), {"Content-Type": "application/json"})

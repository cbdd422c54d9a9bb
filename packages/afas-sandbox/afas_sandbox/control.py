"""The routes below `/sandbox`, by which tests and people steer the environment; from this machine only."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import urllib.parse
from typing import TYPE_CHECKING, Any

from afas_sandbox.exchange import Answer, Asked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox.changes import Change, Changes
    from afas_sandbox.services import Services
    from afas_sandbox.store import Store

_CHANGE_ARGUMENTS = {"updates", "inserts", "deletes", "stamp", "late_seconds"}
_LINES_AT_ONCE = 500


class Control:
    """Answers what is asked below `/sandbox`."""

    def __init__(self, store: Store, services: Services, changes: Changes) -> None:
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
                told: Any = self._change(json.loads(body or b"{}"))
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

    def _change(self, wanted: dict[str, Any]) -> Any:
        if unknown := wanted.keys() - _CHANGE_ARGUMENTS - {"connector"}:
            raise ValueError(f"a change knows no {', '.join(sorted(unknown))}")
        connector_id = wanted.get("connector")
        arguments = {name: value for name, value in wanted.items() if name in _CHANGE_ARGUMENTS}
        done = self._changes.some(connector_id, **arguments)
        return [self._as_json(change) for change in done]

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


def _told(value: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value, default=str).encode(), {"Content-Type": "application/json"})

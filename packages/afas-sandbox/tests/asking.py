"""What the tests of the sandbox share: a small connector, and a client that knows nothing."""

from __future__ import annotations

import base64
import dataclasses
import http.client
import json
import urllib.parse
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from afas_sandbox import Connector, Field, Row, Sandbox, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ITEM = Connector(
    id="Item",
    description_en="Items",
    description_nl="Artikelen",
    fields=(
        Field("Code", "string", "Code", "Code", 10, control_type=5),
        Field("Name", "string", "Name", "Naam", 80),
        Field("Price", "decimal", "Price", "Prijs", 26, 2),
        Field("Number", "int", "Number", "Aantal", 9),
        Field("Blocked", "boolean", "Blocked", "Geblokkeerd"),
        Field("Modified", "date", "Changed on", "Gewijzigd op", control_type=8),
        Field("Note", "blob", "Note", "Notitie", control_type=23),
        Field("Long", "string", "Long", "Lang", 251),
        Field("A_Huisnr.", "string", "House no.", "Huisnr.", 10),
        Field("Btw-nummer", "string", "VAT no.", "Btw-nummer", 20),
    ),
    key=("Code",),
    stamp="Modified",
    changeable=("Name", "Price"),
)


def item(code: str, **values: Any) -> Row:
    """A row of ITEM."""
    filled = {"Code": code, "Modified": "2024-01-01T12:00:00.000"} | values
    return tuple(filled.get(field.id.replace("-", "_").rstrip("."), filled.get(field.id)) for field in ITEM.fields)


def items(*rows: Row, connector: Connector = ITEM) -> Table:
    """A table of ITEM."""
    return Table(connector, rows, lambda number: item(f"N{number}", Name=f"New {number}"))


@dataclasses.dataclass
class Heard:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body, parse_float=Decimal)

    @property
    def rows(self) -> list[dict[str, Any]]:
        assert self.status == 200, (self.status, self.body)
        rows: list[dict[str, Any]] = self.json["rows"]
        return rows

    @property
    def codes(self) -> list[str]:
        return [row["Code"] for row in self.rows]

    @property
    def message(self) -> str:
        return str(self.json["externalMessage"])


class Asking:
    """A client that sends what it is told and hands back what comes."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._connection = http.client.HTTPConnection(urllib.parse.urlsplit(sandbox.root_url).netloc, timeout=100)
        self.authorization = "AfasToken " + base64.b64encode(sandbox.token.encode()).decode()

    def send(
        self, method: str, target: str, body: str | bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Heard:
        self._connection.request(method, target, body, dict(headers or {}))
        response = self._connection.getresponse()
        return Heard(response.status, dict(response.headers), response.read())

    def get(self, path: str, **headers: str) -> Heard:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("GET", "/ProfitRestServices" + path, headers={"Authorization": self.authorization} | named)

    def rows(self, connector_id: str = "Item", **asked: Any) -> Heard:
        language = {"Accept_Language": asked.pop("language")} if "language" in asked else {}
        query = urllib.parse.urlencode(asked)
        return self.get(f"/connectors/{connector_id}" + (f"?{query}" if query else ""), **language)

    def where(self, field: str, operator: int, value: object, **asked: Any) -> Heard:
        all_asked: dict[str, Any] = {"orderbyfieldids": "Code", "take": 1000} | asked
        return self.rows(filterfieldids=field, filtervalues=value, operatortypes=operator, **all_asked)

    def control(self, method: str, path: str, told: object = None) -> Heard:
        return self.send(method, f"/sandbox{path}", None if told is None else json.dumps(told))

    def close(self) -> None:
        self._connection.close()


@contextmanager
def asking(sandbox: Sandbox) -> Iterator[Asking]:
    """A client for as long as it is needed."""
    client = Asking(sandbox)
    try:
        yield client
    finally:
        client.close()


def structured(*groups: list[tuple[str, int, object]]) -> str:
    """A `filterjson`."""
    filters = [
        {
            "@FilterId": f"Filter {number}",
            "Field": [
                {"@FieldId": field, "@OperatorType": str(operator), "#text": str(value)}
                for field, operator, value in group
            ],
        }
        for number, group in enumerate(groups, start=1)
    ]
    return json.dumps({"Filters": {"Filter": filters}})

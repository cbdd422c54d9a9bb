"""A small connector, and the tap's settings and client for a sandbox that has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from afas_sandbox import Connector, Field, Row, Table
from tap_afas.profit.auth import ClassicToken, ClientCredentials
from tap_afas.profit.client import ProfitClient, RequestLimits

if TYPE_CHECKING:
    from afas_sandbox import Sandbox
    from tap_afas.profit.auth import Credentials


def article(number: int) -> Row:
    """A row of a connector made by `articles`."""
    hour, minute = divmod(number % 720, 60)
    stamp = f"2024-03-{1 + number // 720 % 28:02}T{6 + hour:02}:{minute:02}:30.000"
    return (f"A{number:05}", f"Article, number {number}; “{number}”", f"{number}.50", number, number % 2 == 0, stamp)


def articles(rows: int, connector_id: str = "Articles", *, stamp: bool = True) -> Table:
    """A connector with so many rows."""
    fields = (
        Field("Code", "string", "Code", "Code", 10, control_type=5),
        Field("Name", "string", "Name", "Naam", 80),
        Field("Price", "decimal", "Price", "Prijs", 26, 2),
        Field("Number", "int", "Number", "Aantal", 9),
        Field("Blocked", "boolean", "Blocked", "Geblokkeerd"),
        Field("Modified" if stamp else "Day", "date", *(("Changed on", "Gewijzigd op") if stamp else ("Day", "Dag"))),
    )
    connector = Connector(
        connector_id,
        "Articles",
        "Artikelen",
        fields,
        key=("Code",),
        stamp="Modified" if stamp else None,
        changeable=("Name",),
    )
    return Table(connector, [article(number) for number in range(rows)], article)


def client_of(
    sandbox: Sandbox, *, oauth: bool = False, headers: dict[str, str] | None = None, **limits: Any
) -> ProfitClient:
    """A client of the sandbox."""
    credentials: Credentials = (
        ClientCredentials(sandbox.client_id, sandbox.client_secret, f"{sandbox.base_url}/oauth/token")
        if oauth
        else ClassicToken(sandbox.token)
    )
    return ProfitClient(sandbox.base_url, credentials, RequestLimits(**limits), headers)


def config_of(sandbox: Sandbox, *, oauth: bool = False, **settings: Any) -> dict[str, Any]:
    """Settings with which the tap reads the sandbox."""
    who = (
        {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret} if oauth else {"token": sandbox.token}
    )
    keys = {connector_id: {"primary_keys": ["Code"]} for connector_id in sandbox.connectors}
    return {"base_url": sandbox.base_url, "streams": keys, **who, **settings}

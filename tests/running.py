"""What the tests of the tap share: a small environment, a client, and the tap as people run it."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import logging
import pathlib
import signal
import sys
import tempfile
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from unittest import mock

from tap_afas import tap
from tap_afas.profit.auth import ClassicToken, ClientCredentials
from tap_afas.profit.client import ProfitClient, RequestLimits
from tap_afas.sandbox import Connector, Field, Row, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_afas.profit.auth import Credentials
    from tap_afas.sandbox import Sandbox


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


@contextlib.contextmanager
def without_waiting() -> Iterator[list[float]]:
    """No pause lasts; each is noted."""
    pauses: list[float] = []
    with mock.patch.object(ProfitClient, "_sleep", lambda _, seconds: pauses.append(seconds)):
        yield pauses


@dataclasses.dataclass
class Ran:
    """What came of a run.

    Attributes:
        code: The exit code.
        out: Standard output.
        said: Standard error.
        pauses: How long it would have waited.
    """

    code: int
    out: str
    said: str
    pauses: list[float]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(line, parse_float=Decimal) for line in self.out.split("\n") if line]

    def records(self, stream: str = "Articles") -> list[dict[str, Any]]:
        return [one["record"] for one in self.messages if one["type"] == "RECORD" and one["stream"] == stream]

    @property
    def state(self) -> dict[str, Any]:
        states: list[dict[str, Any]] = [one["value"] for one in self.messages if one["type"] == "STATE"]
        return states[-1] if states else {}

    @property
    def catalog(self) -> dict[str, Any]:
        catalog: dict[str, Any] = json.loads(self.out)
        return catalog

    def lines(self, level: str) -> list[str]:
        """The sentences of a level of the log."""
        parts = (line.split(" | ", 3) for line in self.said.splitlines())
        return [part[3] for part in parts if len(part) == 4 and part[1].strip() == level]

    @property
    def errors(self) -> list[str]:
        return self.lines("ERROR")


def run_tap(config: Mapping[str, Any] | None, *arguments: str, **files: Any) -> Ran:
    """Run the command `tap-afas`, in this process.

    Args:
        config: The settings.
        arguments: The arguments.
        files: `state` and `catalog`: their content, or text that is none.
    """
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", newline=""), io.StringIO()
    with tempfile.TemporaryDirectory() as folder, without_waiting() as pauses:
        options = list(arguments)
        for name, content in {"config": config, **files}.items():
            if content is not None:
                path = pathlib.Path(folder, f"{name}.json")
                path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
                options += [f"--{name}", str(path)]
        try:
            with (
                mock.patch.object(sys, "argv", ["tap-afas", *options]),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
            ):
                tap.main()
            code: Any = 0
        except SystemExit as ended:
            code = ended.code
        finally:
            root.handlers[:], root.level = handlers, level
            for number, handler in signals.items():
                signal.signal(number, handler)
    out.flush()
    text = out.buffer.getvalue().decode()
    assert "Traceback" not in err.getvalue(), err.getvalue()
    return Ran(code or 0, text, err.getvalue(), pauses)

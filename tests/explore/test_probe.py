"""`tap-afas-explore probe`: against the sandbox under each answer to a point, it tells which."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Connector, Fault, Field, Table, amsterdam
from afas_sandbox.data import dataset
from harness.articles import articles, config_of
from harness.command import explore
from tap_afas.explore.probe_points import POINTS
from tap_afas.profit.client import Answer, ProfitClient
from tap_afas.profit.errors import ConnectorError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox import Sandbox
    from tap_afas.profit.query import Query

_FIELDS = (
    Field("Code", "string", "Code", "Code", 10, control_type=5),
    Field("Name", "string", "Name", "Naam", 80),
    Field("Number", "int", "Number", "Aantal", 9),
    Field("Blocked", "boolean", "Blocked", "Geblokkeerd"),
    Field("Modified", "date", "Changed on", "Gewijzigd op"),
)
_THINGS = Connector("Things", "Things", "Dingen", _FIELDS, key=("Code",), stamp="Modified")
_ROWS = 1200


def _thing(number: int) -> tuple[Any, ...]:
    stamp = f"2024-03-{1 + number % 28:02}T{6 + number % 12:02}:{number % 60:02}:30.{(number * 377) % 1000:03}"
    name = ("alpha", "Beta", "gamma Delta", "Epsilon", "Crème", "")[number % 6]
    return (f"C{number:05}", f"{name} {number}" if name else None, number, number % 2 == 0, stamp)


@pytest.fixture(autouse=True)
def _connectors(sandbox: Sandbox) -> Iterator[None]:
    sandbox.load([Table(_THINGS, [_thing(number) for number in range(_ROWS)], _thing), articles(150)])
    yield
    sandbox.load()


def _seen(sandbox: Sandbox, **settings: Any) -> dict[str, str]:
    ran = explore(config_of(sandbox, **settings), "probe", "--format=json")
    assert ran.exit_code == 0, ran.log
    points = json.loads(ran.output)["points"]
    assert [one["point"] for one in points] == [point.name for point in POINTS]
    return {one["point"]: one["seen"] for one in points}


@pytest.mark.parametrize(
    ("point", "options", "seen"),
    [
        ("date", {}, "yes, within a minute"),
        ("date", {"date_offset": 7200.0}, "yes, over a minute apart"),
        ("date", {"date_offset": None}, "no"),
        ("environment", {}, "yes"),
        ("environment", {"old_metainfo": True}, "no"),
        ("token_expiry", {}, "nothing, or 0"),
        ("token_expiry", {"expires": "2099-12-31"}, "a day that the tap reads"),
        ("token_expiry", {"expires": "in May 2099"}, "99 999 9999"),
        ("take_cap", {}, "not up to 1000"),
        ("take_cap", {"take_cap": 700}, "yes, at 700"),
        ("take_cap", {"take_cap": 60}, "yes, at 60"),
        ("stamp_display", {"display": "rounded"}, "stored finer than shown, and rounded"),
        ("stamp_display", {"display": "cut"}, "stored finer than shown, and cut off"),
        ("stamp_display", {"display": "exact"}, "shown with fractions"),
        ("stamp_display", {"stamps_compared": "shown"}, "compared as shown"),
        ("stamp_unit", {}, "the second"),
        ("stamp_unit", {"stamp_unit": "minute"}, "the minute"),
        ("stamp_unit", {"stamp_unit": "day"}, "the day"),
        ("case", {"collation": "ci_as"}, "doesn't count"),
        ("case", {"collation": "cs_as"}, "counts"),
        ("accents", {"collation": "ci_as"}, "count"),
        ("accents", {"collation": "ci_ai"}, "don't count"),
        ("text_order", {"collation": "ci_as"}, "by letters, whatever their case"),
        ("text_order", {"collation": "cs_as"}, "by letters, whatever their case"),
        ("text_order", {"collation": "binary"}, "by code points"),
        ("wildcards", {"wildcards": "plain"}, "plain text"),
        ("wildcards", {"wildcards": "percent"}, "%"),
        ("unknown_connector", {"unknown_connector": 500}, "refused (HTTP 500, NotAllowedError, with a log reference)"),
        ("unknown_connector", {"unknown_connector": 401}, "refused (HTTP 401, CredentialsError"),
        ("unknown_order", {}, "refused (HTTP 500, InvalidQueryError, with a log reference)"),
    ],
)
def test_each_answer_is_told(sandbox: Sandbox, point: str, options: dict[str, Any], seen: str) -> None:
    sandbox.options.change(**options)
    assert _seen(sandbox)[point].startswith(seen)


@pytest.mark.parametrize(("values", "seen"), [([""], "the empty text"), ([None], "null"), (["", None], "null and the")])
def test_what_an_empty_text_is(sandbox: Sandbox, values: list[str | None], seen: str) -> None:
    connector = Connector("T", "", "", (Field("Id", "int", "", ""), Field("X", "string", "", "", 50)), key=("Id",))
    sandbox.load([Table(connector, list(enumerate(["a", *values])), lambda _: ())])
    assert _seen(sandbox, streams={})["empty_text"].startswith(seen)


@pytest.mark.parametrize(("most", "seen"), [(None, "2 at once: none refused"), (1, "2 at once: 1 refused (HTTP 503")])
def test_parallel_calls(sandbox: Sandbox, most: int | None, seen: str) -> None:
    sandbox.options.change(max_parallel=most, seconds_per_call=0.1)
    assert _seen(sandbox, max_parallel_requests=2)["parallel"].startswith(seen)


@pytest.mark.parametrize(
    ("point", "part", "otherwise"),
    [
        ("day_literal", "2000-01-01", "answered"),
        ("stamp_fractions", ".999", "refused (HTTP 500"),
        ("field_case", "=cODE", "counts: refused (HTTP 500"),
        ("unfit_literal", "filtervalues=tap_afas_probe", "refused (HTTP 500"),
    ],
)
def test_what_is_taken_or_refused(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, point: str, part: str, otherwise: str
) -> None:
    rows = ProfitClient.rows
    refuses = False

    def asked(client: ProfitClient, connector_id: str, query: Query, **more: Any) -> Answer:
        if part not in query.encode():
            return rows(client, connector_id, query, **more)
        if refuses:
            raise ConnectorError("What it says may name somebody.", status=418, reference="ABC")
        return Answer(b'{"rows": []}', None, 0)

    assert _seen(sandbox)[point].startswith(otherwise)
    monkeypatch.setattr(ProfitClient, "rows", asked)
    assert "refused" not in _seen(sandbox)[point]
    refuses = True
    assert "refused (HTTP 418, ConnectorError, with a log reference)" in _seen(sandbox)[point]


def test_what_is_gone(sandbox: Sandbox) -> None:
    assert _seen(sandbox)["replaced"] == "not seen"
    connector = Connector("T", "", "", (Field("Id", "int", "", ""), Field("X", "string", "", "", 50)), key=("Id",))
    sandbox.load([Table(connector, [(1, "(vervangen)")], lambda _: ())])
    assert _seen(sandbox, streams={})["replaced"] == "seen"


def test_an_environment_that_settles_little(sandbox: Sandbox) -> None:
    connector = Connector("T", "", "", (Field("Id", "int", "", ""),), key=("Id",))
    sandbox.load([Table(connector, [], lambda _: ())])
    seen = _seen(sandbox, streams={})
    assert seen["take_cap"] == "not settled: no connector has a hundred rows."
    assert seen["stamp_display"] == "not settled: no connector with a known key has a stamp."
    sandbox.faults = [Fault(refuse="blocked", kind="rows")]
    seen = _seen(sandbox, streams={})
    assert seen["unknown_order"] == "not settled: no connector could be read."


def test_nothing_is_repeated_that_afas_refuses(sandbox: Sandbox) -> None:
    began = time.monotonic()
    sandbox.clear_log()
    _seen(sandbox)
    asked = [(request.path, request.query) for request in sandbox.log]
    # But for the page that is capped, or may be.
    assert len(asked) - len(set(asked)) <= 2
    assert len(asked) < 50
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("form", ["markdown", "json"])
def test_the_report_holds_nothing_of_the_customers(sandbox: Sandbox, form: str) -> None:
    sandbox.load(dataset(scale=0.02, now=amsterdam()))
    sandbox.options.change(environment="O98765ZQ", expires="2099-12-31")
    ran = explore(config_of(sandbox, streams={}), "probe", f"--format={form}")
    assert ran.exit_code == 0
    text = ran.output.decode().casefold()
    assert "not settled" not in text
    told = {"98765", "2099", *map(str.casefold, sandbox.connectors)}
    for connector_id in sandbox.connectors:
        for row in sandbox.rows(connector_id):
            told |= {str(value).casefold() for value in row if len(str(value or "")) >= 6}
    assert [one for one in told if len(one) >= 4 and one in text] == []

"""`tap-afas-explore probe`: against the sandbox under each answer to a point, it tells which."""

from __future__ import annotations

import itertools
import json
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Connector, Fault, Field, Table, amsterdam, metainfo, query, selection, services
from afas_sandbox.data import dataset
from afas_sandbox.refusals import RefusedError
from harness.articles import articles, config_of
from harness.command import explore
from tap_afas.explore.probe_points import POINTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from afas_sandbox import Sandbox

_FIELDS = (
    Field("Code", "string", "Code", "Code", 10, control_type=5),
    Field("Name", "string", "Name", "Naam", 80),
    Field("Number", "int", "Number", "Aantal", 9),
    Field("Blocked", "boolean", "Blocked", "Geblokkeerd"),
    Field("Modified", "date", "Changed on", "Gewijzigd op"),
    Field("Day", "date", "Day", "Dag", control_type=4),
    Field("Price", "decimal", "Price", "Prijs", 10, 2),
)
_THINGS = Connector("Things", "Things", "Dingen", _FIELDS, key=("Code",), stamp="Modified")
_ROWS = 1200


def _thing(number: int) -> tuple[Any, ...]:
    stamp = f"2024-03-{1 + number % 28:02}T{6 + number % 12:02}:{number % 60:02}:30.{(number * 377) % 1000:03}"
    name = ("alpha", "Beta", "gamma Delta", "Epsilon, Zeta", "Crème", "")[number % 6]
    day = f"2024-03-{1 + number % 28:02}T00:00:00.000" if number % 3 else None
    return (f"C{number:05}", f"{name} {number}" if name else None, number, number % 2 == 0, stamp, day, "0.50")


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
        ("take_cap", {"take_cap": 700}, "yes, at 700; the answer tells the `take` that was asked for"),
        ("take_cap", {"max_cells": 3500}, "not up to 100; 1000 are refused (HTTP 500, AnswerTooLargeError"),
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
        (
            "unknown_connector",
            {"unknown_connector": 500},
            "refused (HTTP 500, NotAllowedError, with words and a log reference)",
        ),
        ("unknown_connector", {"unknown_connector": 401}, "refused (HTTP 401, CredentialsError"),
        ("old_decimals", {}, "not seen"),
        ("old_decimals", {"old_json": True}, "seen"),
        ("unknown_order", {}, "refused (HTTP 500, InvalidQueryError, with words and a log reference)"),
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


def _taking_dates(form: str) -> Callable[[str], str | None]:
    """Reads what filters on dates say, in one more form: `Z` at the end, or the day first; or fractions."""
    read = query._date

    def taken(text: str) -> str | None:
        match form:
            case "zone":
                return read(text.removesuffix("Z"))
            case "day first" if re.fullmatch(r"\d\d-\d\d-\d{4}", text):
                return read("-".join(reversed(text.split("-"))))
            case "fractions cut":
                return read(text.partition(".")[0])
            case "fractions" if "." in text:
                return text
            case "moments" if "T" not in text:
                return None
        return read(text)

    return taken


def _whatever_case(connector: Connector, field_id: str) -> tuple[int, Field]:
    found = {field.id.casefold(): (place, field) for place, field in enumerate(connector.fields)}
    return found[field_id.casefold()] if field_id.casefold() in found else (0, connector.fields[0])


def _or_first(connector: Connector, asked: Mapping[str, str]) -> tuple[tuple[query.Term, ...], ...]:
    """Short filters in which `;` binds tighter than `,`."""
    lists = [asked.get(name, "") for name in ("filterfieldids", "operatortypes", "filtervalues")]
    if not lists[0]:
        return ()
    if len({text.count(",") for text in lists}) > 1:
        raise RefusedError("unexpected")
    alternatives = [
        [query._term(connector, *one) for one in zip(*(part.split(";") for part in parts), strict=True)]
        for parts in zip(*(text.split(",") for text in lists), strict=True)
    ]
    return tuple(itertools.product(*alternatives))


def _as_one(connector: Connector, asked: Mapping[str, str]) -> tuple[tuple[query.Term, ...], ...]:
    """Short filters in which a value may have commas."""
    if "," in asked.get("filterfieldids", ",") or not asked["filterfieldids"]:
        return _or_first(connector, asked)
    return ((query._term(connector, asked["filterfieldids"], asked["operatortypes"], asked["filtervalues"]),),)


def _nulls_last(*given: Any) -> tuple[tuple[str, bool], ...]:
    *order, last = _ORDER(*given)
    return (*((half, down) for sql, down in order for half in (f"{sql} IS NULL", sql)), last)


def _described(connector: Connector, language: Any) -> bytes:
    return _FIELDS_TOLD(connector, language).replace(b'"decimals":', b'"values":[{"id":"secret"}],"decimals":')


_ORDER = selection._order
_FIELDS_TOLD = metainfo.connector_fields
_CASE = services.Services._connector
_REFUSED = "refused (HTTP 500"
_USUAL = {
    "day_literal": "answered",
    "day_first_literal": _REFUSED,
    "zone_literal": _REFUSED,
    "stamp_fractions": _REFUSED,
    "nulls_order": "first",
    "nulls_unequal": "not found",
    "booleans": "true and 1",
    "mixed": "`,` (and)",
    "comma": _REFUSED,
    "json_single": _REFUSED,
    "both_filters": "both count",
    "connector_case": "counts: refused (HTTP 500",
    "field_case": "counts: refused (HTTP 500",
    "unknown_order": _REFUSED,
    "unknown_filter": _REFUSED,
    "unfit_literal": _REFUSED,
    "code_values": "nothing more",
}
"""What the sandbox answers, of what no option of it changes."""


def _by_any_case(served: services.Services, connector_id: str | None) -> Connector:
    ids = {one.casefold(): one for one in served._store.connectors}
    return _CASE(served, ids.get((connector_id or "").casefold(), connector_id))


@pytest.mark.parametrize(
    ("point", "change", "seen"),
    [
        ("day_literal", ("query._date", _taking_dates("moments")), _REFUSED),
        ("day_first_literal", ("query._date", _taking_dates("day first")), "answered"),
        ("zone_literal", ("query._date", _taking_dates("zone")), "answered"),
        ("stamp_fractions", ("query._date", _taking_dates("fractions")), "taken, and heeded"),
        ("stamp_fractions", ("query._date", _taking_dates("fractions cut")), "taken, and not heeded"),
        ("nulls_order", ("selection._order", _nulls_last), "last"),
        ("nulls_unequal", ("selection.COMPARISONS", query.COMPARISONS | {7: "IS NOT"}), "found"),
        ("booleans", ("query._BOOLEANS", {"true": 1, "false": 0}), "true"),
        ("booleans", ("query._BOOLEANS", {"1": 1, "0": 0}), "1"),
        ("booleans", ("query._BOOLEANS", {}), "neither true nor 1"),
        ("mixed", ("query._compact", _or_first), "`;` (or)"),
        ("comma", ("query._compact", _as_one), "yes, as `%2C`"),
        ("json_single", ("query._list", lambda one: one if isinstance(one, list) else [one]), "taken, and heeded"),
        ("json_single", ("query._list", lambda one: one if isinstance(one, list) else []), "taken, and not"),
        ("both_filters", ("query._both", lambda one, other: one or other), "only the lists"),
        ("both_filters", ("query._both", lambda one, other: other or one), "only `filterjson`"),
        ("both_filters", ("query._both", lambda one, other: one + other), "either is enough"),
        ("connector_case", ("services.Services._connector", _by_any_case), "doesn't count"),
        ("field_case", ("query._field", _whatever_case), "doesn't count"),
        ("unknown_order", ("query._field", _whatever_case), "answered"),
        ("unknown_filter", ("query._field", _whatever_case), "answered"),
        ("unfit_literal", ("query._value", lambda _, text: text), "answered"),
        ("code_values", ("metainfo.connector_fields", _described), "values"),
    ],
)
def test_what_the_sandbox_does_in_one_way_only(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, point: str, change: tuple[str, Any], seen: str
) -> None:
    assert _seen(sandbox)[point].startswith(_USUAL[point])
    name, other = change
    monkeypatch.setattr(f"afas_sandbox.{name}", other)
    assert _seen(sandbox)[point].startswith(seen)


def test_control_types_and_what_dates_hold_by_them(sandbox: Sandbox) -> None:
    seen = _seen(sandbox)
    assert seen["control_types"] == "boolean 1; date 1, 4; decimal 1; int 1; string 1, 5"
    assert seen["days"] == "1: moments; 4: days"
    times = Connector(
        "T", "", "", (Field("Id", "int", "", ""), Field("X", "date", "", "", control_type=7)), key=("Id",)
    )
    sandbox.load([Table(times, [(1, "1899-12-30T08:30:00.000")], lambda _: ())])
    assert _seen(sandbox, streams={})["days"] == "7: times of day"


def test_what_is_gone(sandbox: Sandbox) -> None:
    assert _seen(sandbox)["replaced"] == "not seen"
    connector = Connector("T", "", "", (Field("Id", "int", "", ""), Field("X", "string", "", "", 50)), key=("Id",))
    sandbox.load([Table(connector, [(1, "(vervangen)")], lambda _: ())])
    assert _seen(sandbox, streams={})["replaced"] == "seen, in fields of type string"
    fields = (Field("Id", "int", "", ""), Field("B", "boolean", "", ""), Field("D", "decimal", "", "", 9, 2))
    sandbox.load([Table(Connector("T", "", "", fields, key=("Id",)), [(1, True, "1.50")], lambda _: ())])
    sandbox.faults = [Fault(kind="rows", replace={"B": "(replaced)", "D": "(replaced)"})]
    assert _seen(sandbox, streams={})["replaced"] == "seen, in fields of type boolean, decimal"


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
    # But for the page that is capped, or may be, and a description.
    assert len(asked) - len(set(asked)) <= 3
    assert len(asked) < 60
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

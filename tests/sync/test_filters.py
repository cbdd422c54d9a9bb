"""Filters from the settings."""

from __future__ import annotations

import dataclasses
import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.articles import article, articles, config_of
from harness.command import run_tap
from tap_afas.filters import FilterError, read_filter
from tap_afas.profit.metainfo import Connector, Field
from tap_afas.profit.query import OPERATORS, Condition
from tap_afas.profit.wall_time import WallClock
from tap_afas.settings import StreamSettings

if TYPE_CHECKING:
    from afas_sandbox import Sandbox
    from tap_afas.profit.query import Filter

FIELDS = (
    Field("Code", "string", length=10),
    Field("Long", "string", length=9000),
    Field("Number", "int"),
    Field("Price", "decimal", decimals=2),
    Field("Blocked", "boolean"),
    Field("Day", "date", control_type=4),
    Field("Modified", "date", control_type=8),
    Field("Opens", "date", control_type=7),
    Field("Note", "blob"),
    Field("A_Huisnr.", "string"),
)
CONNECTOR = Connector("C", "", {field.id: field for field in FIELDS})
CLOCK = WallClock()


def _read(setting: Any) -> Filter:
    return read_filter(msgspec.convert({"filter": setting}, StreamSettings).filter, CONNECTOR, CLOCK)


def _one(field: str, operator: str, value: Any = None) -> Condition:
    entry = {"field": field, "operator": operator, "value": value}
    ((condition,),) = _read([entry])
    return condition


@pytest.mark.parametrize(
    ("field", "operator", "value", "literal"),
    [
        ("Code", "=", "007", "007"),
        ("Code", "=", 7, "7"),
        ("Code", "contains", "a,b", "a,b"),
        ("Long", "contains", "x", "x"),
        ("Number", ">", 7, "7"),
        ("Number", ">", "7", "7"),
        ("Number", ">", 7.0, "7"),
        ("Number", "=", -3, "-3"),
        ("Price", "<=", 12.5, "12.5"),
        ("Price", "<=", "12.50", "12.50"),
        ("Price", "=", 1e22, "10000000000000000000000"),
        ("Price", "=", 1e-7, "0.0000001"),
        ("Blocked", "=", True, "true"),
        ("Blocked", "!=", "False", "false"),
        ("Blocked", "=", 1, "true"),
        ("Day", ">=", "2024-03-31", "2024-03-31T00:00:00"),
        ("Opens", "<", "08:30:00", "1900-01-01T08:30:00"),
        ("Opens", "<", "1900-01-01T08:30:00", "1900-01-01T08:30:00"),
        ("Modified", ">=", "2024-03-31T12:30", "2024-03-31T12:30:00"),
        ("Modified", ">=", "2024-03-31 12:30:15.5", "2024-03-31T12:30:15"),
        ("Modified", ">=", "2024-01-31T12:00:00Z", "2024-01-31T13:00:00"),
        ("Modified", ">=", "2024-07-31T12:00:00Z", "2024-07-31T14:00:00"),
        ("Modified", ">=", "2024-07-31T12:00:00+02:00", "2024-07-31T12:00:00"),
    ],
)
def test_values(field: str, operator: str, value: Any, literal: str) -> None:
    assert _one(field, operator, value) == Condition(field, operator, literal)  # type: ignore[arg-type]


@pytest.mark.parametrize("operator", ["empty", "not empty"])
@pytest.mark.parametrize("field", ["Code", "Number", "Modified", "Blocked"])
def test_empty_takes_no_value(field: str, operator: str) -> None:
    assert _one(field, operator) == _one(field, operator, "x") == Condition(field, operator)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "operator", "value", "sentence"),
    [
        ("Kode", "=", "x", "C: `filter` names the field Kode, which the connector doesn't have."),
        ("Note", "contains", "x", "C: AFAS can't filter on Note"),
        ("A_Huisnr.", "=", "x", "C: AFAS can't filter on A_Huisnr."),
        ("Code", "=", None, "C: `filter` compares Code with nothing"),
        ("Code", "=", "", "use the operator “empty”"),
        ("Number", "contains", 7, "the operator “contains” in `filter` is for text, and Number is a whole number."),
        ("Modified", "starts with", "2024", "is for text, and Modified is a date and time"),
        ("Blocked", ">", True, "doesn't go with Blocked, which is true or false."),
        ("Number", "=", 7.5, "the value for Number in `filter` is not a whole number."),
        ("Number", "=", "seven", "is not a whole number."),
        ("Number", "=", True, "is not a whole number."),
        ("Price", "=", "NaN", "is not a number."),
        ("Price", "=", "1e9999999", "is not a number."),
        ("Number", "=", "10400..10499", "is not a whole number. It looks like Profit's own notation"),
        ("Day", ">=", "[Vandaag]", "a tag such as [Vandaag] as a date."),
        ("Blocked", "=", "ja", "is not true or false."),
        ("Blocked", "=", 2, "is not true or false."),
        ("Day", "=", "31-03-2024", "is not a date such as"),
        ("Opens", "=", "half past eight", "is not a time of day such as"),
        ("Opens", "=", "2024-03-31T08:30:00", "is not a time of day such as"),
        ("Modified", "=", "yesterday", "is not a date and time such as"),
        ("Modified", "=", "0001-01-01T00:00:00+14:00", "is not a date and time such as"),
    ],
)
def test_what_is_wrong(field: str, operator: str, value: Any, sentence: str) -> None:
    with pytest.raises(FilterError) as caught:
        _one(field, operator, value)
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("C: ")


def test_and_and_or() -> None:
    a, b, c = ({"field": "Code", "operator": "=", "value": name} for name in "abc")
    conditions = [Condition("Code", "=", name) for name in "abc"]
    assert read_filter(StreamSettings().filter, CONNECTOR, CLOCK) == _read([]) == ()
    assert _read([a, b]) == (tuple(conditions[:2]),)
    assert _read([[a, b], [c]]) == (tuple(conditions[:2]), (conditions[2],))
    with pytest.raises(FilterError, match="mixes conditions and lists"):
        _read([a, [b]])


@given(
    st.sampled_from([field.id for field in FIELDS] + ["x"]),
    st.sampled_from(OPERATORS),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.datetimes().map(str),
)
def test_any_condition_is_read_or_refused(field: str, operator: str, value: Any) -> None:
    try:
        condition = _one(field, operator, value)
    except FilterError:
        return
    assert len(condition.value) < 100


ROWS = {
    "Code = A00003": {3},
    "Number >= 17": {17, 18, 19},
    "Number < 3": {0, 1, 2},
    "Number != 5": set(range(20)) - {5},
    "Blocked = false": set(range(1, 20, 2)),
    "Price <= 1.5": {0, 1},
    "Name contains number 7;": {7},
    "Name not contains number 1": {0, 2, 3, 4, 5, 6, 7, 8, 9},
    "Name starts with Article, number 2": {2},
    "Name not starts with Article, number 1": {0, 2, 3, 4, 5, 6, 7, 8, 9},
    "Name ends with “4”": {4},
    "Name not ends with “4”": set(range(20)) - {4},
    "Name empty": set(),
    "Name not empty": set(range(20)),
    "Modified > 2024-03-01T06:17:00": {17, 18, 19},
}


def _condition(text: str) -> dict[str, Any]:
    operator = max((one for one in OPERATORS if f" {one}" in text), key=len)
    field, _, value = text.partition(f" {operator}")
    return {"field": field, "operator": operator, "value": value.strip() or None}


@pytest.mark.parametrize("text", ROWS)
@pytest.mark.parametrize("replication_key", ["Modified", None])
def test_rows_that_pass(sandbox: Sandbox, text: str, replication_key: str | None) -> None:
    sandbox.load([articles(20)])
    stream = {"primary_keys": ["Code"], "replication_key": replication_key, "filter": [_condition(text)]}
    ran = run_tap(config_of(sandbox, page_size=4, streams={"Articles": stream}))
    assert ran.exit_code == 0, ran.said
    assert {record["Number"] for record in ran.records()} == ROWS[text]


@pytest.mark.parametrize("replication_key", ["Modified", None])
def test_the_walk_and_the_filter_hold_both(sandbox: Sandbox, replication_key: str | None) -> None:
    sandbox.load([articles(60)])
    either = [[_condition("Number < 20"), _condition("Blocked = true")], [_condition("Name ends with 5”")]]
    stream = {"primary_keys": ["Code"], "replication_key": replication_key, "filter": either}
    ran = run_tap(config_of(sandbox, page_size=3, streams={"Articles": stream}))
    assert ran.exit_code == 0, ran.said
    expected = {number for number in range(60) if (number < 20 and article(number)[4]) or number % 10 == 5}
    assert {record["Number"] for record in ran.records()} == expected
    asked = [json.loads(request.parameters["filterjson"]) for request in sandbox.log if request.kind == "rows"]
    assert all(len(filters["Filters"]["Filter"]) >= 2 for filters in asked)


def test_a_wrong_filter_is_said_before_anything_is_read(sandbox: Sandbox) -> None:
    sandbox.load([articles(3), articles(3, "Others")])
    streams = {"Articles": {"filter": [{"field": "Kode", "operator": "=", "value": "x"}]}}
    ran = run_tap(config_of(sandbox, streams=streams))
    assert (ran.exit_code, ran.output) == (78, b"")
    assert ran.errors == [
        "Articles: `filter` names the field Kode, which the connector doesn't have. Did you mean Code?"
    ]
    assert not [request for request in sandbox.log if request.kind == "rows"]


def _codes(count: int) -> list[list[dict[str, Any]]]:
    return [[{"field": "Code", "operator": "=", "value": f"A{number:05}"}] for number in range(count)]


@pytest.mark.slow
@pytest.mark.parametrize("replication_key", ["Modified", None])
@pytest.mark.parametrize("count", [*range(1, 13), 100])
def test_a_long_filter_is_asked_in_parts_where_there_is_a_key(
    sandbox: Sandbox, replication_key: str | None, count: int
) -> None:
    sandbox.load([articles(20)])
    # A row that several lists let through is sent once.
    either = [*_codes(count), [_condition("Number < 3")]]
    stream = {"primary_keys": ["Code"], "replication_key": replication_key, "filter": either}
    config = config_of(sandbox, streams={"Articles": stream})
    ran = run_tap(config)
    assert ran.exit_code == 0, ran.said
    numbers = [record["Number"] for record in ran.records()]
    assert sorted(numbers) == list(range(min(20, max(3, count))))
    sandbox.update("Articles", "A00000", {"Name": "changed"})
    again = run_tap(config, state=ran.state)
    assert again.exit_code == 0, again.said
    assert "changed" in [record["Name"] for record in again.records()]
    assert max(len(request.query) + 1 for request in sandbox.log) <= 2049


@pytest.mark.parametrize("replication_key", ["Modified", None])
@pytest.mark.parametrize(
    ("key", "either"), [([], _codes(20)), (["Code"], [[_condition("Name not contains " + "é" * 400)]] * 2)]
)
def test_a_filter_that_is_too_long_is_an_error_of_the_settings(
    sandbox: Sandbox, replication_key: str | None, key: list[str], either: Any
) -> None:
    sandbox.load([articles(3), articles(3, "Others")])
    stream = {"primary_keys": key, "replication_key": replication_key, "filter": either}
    ran = run_tap(config_of(sandbox, streams={"Articles": stream}))
    assert (ran.exit_code, ran.output) == (78, b"")
    (error,) = ran.errors
    advice = r"\." if key else r", or set `primary_keys`: where AFAS can sort on them, its lists are asked in turn\."
    said = re.fullmatch(
        r"Articles: `filter` is too long: with it, a question has (\d+) characters, and AFAS takes 2049\. Shorten it"
        + advice,
        error,
    )
    assert said is not None
    assert 2049 < int(said[1]) < 9999
    assert not [request for request in sandbox.log if request.kind == "rows"]


@pytest.mark.parametrize("kind", ["number", "string"])
@pytest.mark.parametrize("replication_key", ["Modified", None])
@pytest.mark.parametrize("key", ["Code", "Price"])
def test_types_never_reach_a_condition(sandbox: Sandbox, key: str, replication_key: str | None, kind: str) -> None:
    # The number 150 is not the code 00150: it stands behind all of them.
    rows = [(f"{number:05}", *article(number)[1:5], "2024-03-01T06:00:30.000") for number in range(2000)]
    sandbox.load([dataclasses.replace(articles(0), rows=rows)])
    stream: dict[str, Any] = {"primary_keys": [key], "replication_key": replication_key, "page_size": 150}
    stream["types"] = {"Code": kind, "Price": kind}
    config = config_of(sandbox, streams={"Articles": stream})
    ran = run_tap(config)
    assert ran.exit_code == 0, ran.said
    records = ran.records()
    assert [record["Number"] for record in records] == list(range(2000))
    number = kind == "number"
    assert (records[150]["Code"], records[150]["Price"]) == ((150, Decimal("150.5")) if number else ("00150", "150.50"))
    assert {"Code": "00149", "Price": "149.50"}[key] in {one.parameters.get("filtervalues") for one in sandbox.log}
    stream["filter"] = [_condition("Code >= 01990")]
    assert [record["Number"] for record in run_tap(config).records()] == list(range(1990, 2000))


# A filter that lets no row through


def _said(sandbox: Sandbox, condition: Any, **more: Any) -> list[str]:
    config = config_of(sandbox, **{"streams": {"Articles": {"primary_keys": ["Code"], "filter": [condition]}}, **more})
    ran = run_tap(config)
    assert (ran.exit_code, ran.records()) == (0, [])
    return [line for line in ran.lines("WARNING") if "No row passed" in line]


@pytest.mark.parametrize("stamp", [False, True])
@pytest.mark.parametrize("value", ["A10400..A10499", "A104*", "[Vandaag]", "[]", "![]", "@A104", "00&"])
def test_a_notation_of_profit(sandbox: Sandbox, value: str, *, stamp: bool) -> None:
    sandbox.load([articles(3, stamp=stamp)])
    (said,) = _said(sandbox, {"field": "Code", "operator": "=", "value": value})
    assert said.startswith("Articles: No row passed the `filter`. The value for Code looks like Profit's own notation")
    assert value not in said.partition("REST API")[0]


@pytest.mark.parametrize("stamp", [False, True])
def test_a_value_that_no_row_has(sandbox: Sandbox, *, stamp: bool) -> None:
    sandbox.load([articles(3, stamp=stamp)])
    condition = {"field": "Code", "operator": "=", "value": "R&D Mr. .."}
    assert _said(sandbox, condition) == ["Articles: No row passed the `filter`."]


def test_with_a_start_date(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    condition = {"field": "Code", "operator": "=", "value": "X"}
    said = _said(sandbox, condition, start_date="2020-01-01T00:00:00Z")
    assert said == ["Articles: No row passed the `filter` and `start_date`."]


def test_nothing_is_said_where_nothing_changed(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    condition = {"field": "Number", "operator": "<", "value": 2}
    config = config_of(
        sandbox, overlap_seconds=0, streams={"Articles": {"primary_keys": ["Code"], "filter": [condition]}}
    )
    first = run_tap(config)
    assert len(first.records()) == 2
    for number in range(3):
        sandbox.delete("Articles", f"A{number:05}")
    for ran in (first, run_tap(config, state=first.state)):
        assert not any("No row passed" in line for line in ran.lines("WARNING"))


def test_nothing_is_said_without_a_filter(sandbox: Sandbox) -> None:
    sandbox.load([articles(0)])
    ran = run_tap(config_of(sandbox))
    assert not any("No row passed" in line for line in ran.lines("WARNING"))

"""Filters from the settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import article, articles, config_of, run_tap

from tap_afas.filters import FilterError, read_filter
from tap_afas.profit.clock import Clock
from tap_afas.profit.metainfo import Connector, Field
from tap_afas.profit.query import OPERATORS, Condition
from tap_afas.settings import StreamSettings

if TYPE_CHECKING:
    from tap_afas.profit.query import Filter
    from tap_afas.sandbox import Sandbox

pytest_plugins = ["tap_afas.sandbox.fixtures"]

FIELDS = (
    Field("Code", "string", length=10),
    Field("Long", "string", length=9000),
    Field("Number", "int"),
    Field("Price", "decimal", decimals=2),
    Field("Blocked", "boolean"),
    Field("Day", "date", control_type=4),
    Field("Modified", "date", control_type=8),
    Field("Note", "blob"),
    Field("A_Huisnr.", "string"),
)
CONNECTOR = Connector("C", "", {field.id: field for field in FIELDS})
CLOCK = Clock()


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
        ("Blocked", "=", "ja", "is not true or false."),
        ("Blocked", "=", 2, "is not true or false."),
        ("Day", "=", "31-03-2024", "is not a date such as"),
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
    assert ran.code == 0, ran.said
    assert {record["Number"] for record in ran.records()} == ROWS[text]


@pytest.mark.parametrize("replication_key", ["Modified", None])
def test_the_walk_and_the_filter_hold_both(sandbox: Sandbox, replication_key: str | None) -> None:
    sandbox.load([articles(60)])
    either = [[_condition("Number < 20"), _condition("Blocked = true")], [_condition("Name ends with 5”")]]
    stream = {"primary_keys": ["Code"], "replication_key": replication_key, "filter": either}
    ran = run_tap(config_of(sandbox, page_size=3, streams={"Articles": stream}))
    assert ran.code == 0, ran.said
    expected = {number for number in range(60) if (number < 20 and article(number)[4]) or number % 10 == 5}
    assert {record["Number"] for record in ran.records()} == expected
    asked = [json.loads(request.parameters["filterjson"]) for request in sandbox.log if request.kind == "rows"]
    assert all(len(filters["Filters"]["Filter"]) >= 2 for filters in asked)


def test_a_wrong_filter_is_said_before_anything_is_read(sandbox: Sandbox) -> None:
    sandbox.load([articles(3), articles(3, "Others")])
    streams = {"Articles": {"filter": [{"field": "Kode", "operator": "=", "value": "x"}]}}
    ran = run_tap(config_of(sandbox, streams=streams))
    assert (ran.code, ran.out) == (1, "")
    assert ran.errors == ["Articles: `filter` names the field Kode, which the connector doesn't have."]
    assert not [request for request in sandbox.log if request.kind == "rows"]


def test_a_filter_that_does_not_fit_is_an_error_that_says_so(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    many = [[{"field": "Code", "operator": "=", "value": f"A{number:05}"}] for number in range(100)]
    ran = run_tap(config_of(sandbox, streams={"Articles": {"primary_keys": ["Code"], "filter": many}}))
    assert ran.code == 1
    assert "AFAS takes 2049" in ran.errors[-1] or "AFAS takes 2049" in ran.errors[0]
    assert not [request for request in sandbox.log if request.status == 404]

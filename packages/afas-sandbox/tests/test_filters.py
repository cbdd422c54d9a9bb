"""Filters: operators, values, and the two ways to write them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from asking import Asking, asking, item, items, structured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox import Sandbox


@pytest.fixture
def ask(sandbox: Sandbox) -> Iterator[Asking]:
    sandbox.load([
        items(
            item("A", Name="Apple pie", Price="-0.50", Number=1, Blocked=True, Modified="2024-01-01T10:00:00.400"),
            item("B", Name="apple", Price="10.00", Number=2, Blocked=False, Modified="2024-01-01T10:00:00.600"),
            item("C", Name="Änderung, groß; 100%", Price="9.99", Number=10, Modified="2024-01-02T00:00:00.000"),
            item("D", Name="", Modified=None),
            item("E", Price="0.00", Number=-5, Modified="2024-01-03T00:00:00.000"),
        )
    ])
    with asking(sandbox) as client:
        yield client


@pytest.mark.parametrize(
    ("field", "operator", "value", "codes"),
    [
        ("Number", 1, "2", "B"),
        ("Number", 2, "2", "BC"),
        ("Number", 3, "2", "ABE"),
        ("Number", 4, "2", "C"),
        ("Number", 5, "2", "AE"),
        ("Number", 7, "2", "ACE"),
        ("Number", 8, "whatever", "D"),
        ("Number", 9, "[is leeg]", "ABCE"),
        ("Price", 1, "10", "B"),
        ("Price", 1, "-.5", "A"),
        ("Price", 4, "9.99", "B"),
        ("Price", 5, "0", "A"),
        ("Price", 2, "-0", "BCE"),
        ("Blocked", 1, "true", "A"),
        ("Blocked", 1, "0", "B"),
        ("Blocked", 7, "1", "B"),
        ("Blocked", 8, "", "CDE"),
        ("Name", 1, "APPLE", "B"),
        ("Name", 1, "apple  ", "B"),
        ("Name", 1, "Anderung, groß; 100%", ""),
        ("Name", 7, "apple", "ACD"),
        ("Name", 4, "apple", "A"),
        ("Name", 6, "pie", "A"),
        ("Name", 6, "GROSS", "C"),
        ("Name", 11, "pie", "BCD"),
        ("Name", 10, "APP", "AB"),
        ("Name", 12, "app", "CD"),
        ("Name", 13, "E", "AB"),
        ("Name", 14, "e", "CD"),
        ("Name", 15, "ple", "AB"),
        ("Name", 8, "", "DE"),
        ("Name", 9, "", "ABC"),
        ("Modified", 8, "", "D"),
        ("Modified", 2, "2024-01-01T10:00:00", "ABCE"),
        ("Modified", 1, "2024-01-01T10:00:00", ""),
        ("Modified", 2, "2024-01-01T10:00:01", "CE"),
        ("Modified", 1, "2024-01-02", "C"),
        ("Modified", 5, "2024-01-02T00:00:00", "AB"),
        ("Modified", 7, "2024-01-02T00:00:00", "ABE"),
        ("Modified", 10, "2024-01-01", "AB"),
    ],
)
def test_operators(ask: Asking, field: str, operator: int, value: str, codes: str) -> None:
    as_list = "," not in value and ";" not in value
    if as_list:
        assert "".join(ask.where(field, operator, value).codes) == codes
    heard = ask.rows(filterjson=structured([(field, operator, value)]), orderbyfieldids="Code")
    assert "".join(heard.codes) == codes


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Modified", "2024-01-01T10:00:00Z"),
        ("Modified", "2024-01-01T10:00:00+01:00"),
        ("Modified", "2024-01-01T10:00:00.500"),
        ("Modified", "2024-02-30"),
        ("Modified", "01-01-2024"),
        ("Modified", ""),
        ("Number", "1.5"),
        ("Number", ""),
        ("Price", "1,5"),
        ("Price", "abc"),
        ("Blocked", "ja"),
    ],
)
def test_values_that_are_none(ask: Asking, field: str, value: str) -> None:
    assert ask.where(field, 1, value).status == 500
    assert ask.rows(filterjson=structured([(field, 1, value)])).status == 500


def test_a_z_is_refused_in_words(ask: Asking) -> None:
    assert ask.where("Modified", 2, "2024-01-01T10:00:00Z", language="nl-nl").message.startswith("Er is een")


@pytest.mark.parametrize("operator", ["0", "16", "19", "x", "", "-1"])
def test_operators_that_are_none(ask: Asking, operator: str) -> None:
    heard = ask.rows(filterfieldids="Number", filtervalues="1", operatortypes=operator)
    assert heard.status == 500


def test_a_comma_is_and_and_a_semicolon_or(ask: Asking) -> None:
    lists = {"filterfieldids": "Number,Number;Name", "filtervalues": "1,3;", "operatortypes": "4,5;8"}
    assert ask.rows(orderbyfieldids="Code", **lists).codes == ["B", "D", "E"]


@pytest.mark.parametrize(
    ("values", "operators"), [("1", "1,1"), ("1,2", "1"), ("1;2", "1,1"), ("a,b,c", "1,1"), ("", "")]
)
def test_lists_of_different_length(ask: Asking, values: str, operators: str) -> None:
    assert ask.rows(filterfieldids="Number,Number", filtervalues=values, operatortypes=operators).status == 500


def test_a_comma_in_a_value_splits_however_it_is_sent(ask: Asking) -> None:
    assert ask.get("/connectors/Item?filterfieldids=Name&filtervalues=a%2Cb&operatortypes=1").status == 500
    heard = ask.rows(filterjson=structured([("Name", 1, "änderung, GROSS; 100%")]))
    assert heard.codes == ["C"]


def test_both_ways_at_once_must_both_hold(ask: Asking) -> None:
    heard = ask.where("Number", 5, 5, filterjson=structured([("Code", 1, "A")], [("Code", 1, "C")], [("Code", 1, "E")]))
    assert heard.codes == ["A", "E"]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"Filters":{}}',
        '{"Filters":{"Filter":{"Field":[]}}}',
        '{"Filters":{"Filter":[{"Field":{"@FieldId":"Code","@OperatorType":"1","#text":"A"}}]}}',
        '{"Filters":{"Filter":[{"Field":[{"@FieldId":"Code","@OperatorType":1,"#text":"A"}]}]}}',
        '{"Filters":{"Filter":[{"Field":[{"@FieldId":"Number","@OperatorType":"1","#text":1}]}]}}',
        '{"Filters":{"Filter":[{"Field":[{"@OperatorType":"1","#text":"1"}]}]}}',
        '{"Filters":{"Filter":["x"]}}',
    ],
)
def test_json_that_is_no_filter(ask: Asking, text: str) -> None:
    assert ask.rows(filterjson=text).status == 500


def test_empty_needs_no_text_in_json(ask: Asking) -> None:
    field = {"@FieldId": "Number", "@OperatorType": "8"}
    assert ask.rows(filterjson=json.dumps({"Filters": {"Filter": [{"Field": [field]}]}})).codes == ["D"]


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("Nope", "Connector field 'Nope' not found"),
        ("number", "Connector field 'number' not found"),
        ("Note", "General message: Invalid Index field"),
        ("A_Huisnr.", "General message: Invalid Index field"),
    ],
)
def test_fields_that_can_not_be_filtered(ask: Asking, field: str, message: str) -> None:
    assert ask.where(field, 9, "", language="en-us").message == message


def test_long_texts_can_be_filtered_though_not_sorted(ask: Asking) -> None:
    assert ask.where("Long", 8, "").codes == list("ABCDE")


def test_where_percent_signs_are_needed(sandbox: Sandbox, ask: Asking) -> None:
    assert ask.where("Name", 6, "0%").codes == ["C"]
    sandbox.options.wildcards = "percent"
    assert ask.where("Name", 6, "pie").codes == []
    assert ask.where("Name", 6, "%pie%").codes == ["A"]
    assert ask.where("Name", 10, "app%").codes == ["A", "B"]
    assert ask.where("Name", 6, "a%l%p%e").codes == ["A"]

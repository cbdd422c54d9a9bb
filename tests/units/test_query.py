"""What is asked, as it goes over the line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest
from asking import item, items
from hypothesis import given
from hypothesis import strategies as st

from harness.articles import articles, client_of
from tap_afas.profit.errors import QueryTooLongError
from tap_afas.profit.query import LONGEST_QUERY, OPERATORS, Condition, Query, and_filters

if TYPE_CHECKING:
    from afas_sandbox import Sandbox
    from tap_afas.profit.query import Filter, Operator

# docs.afas.help, "GetConnector", filter operators.
NUMBERS = {
    "=": "1",
    ">=": "2",
    "<=": "3",
    ">": "4",
    "<": "5",
    "contains": "6",
    "!=": "7",
    "empty": "8",
    "not empty": "9",
    "starts with": "10",
    "not contains": "11",
    "not starts with": "12",
    "ends with": "13",
    "not ends with": "14",
}


def _sent(query: Query) -> dict[str, str]:
    text = query.encode()
    assert text[0] == "?"
    assert text.isascii()
    return {name: values[0] for name, values in parse_qs(text[1:], keep_blank_values=True).items()}


def _where(*conditions: Condition) -> dict[str, str]:
    return _sent(Query(("Code",), (conditions,)))


def test_a_page() -> None:
    assert Query(("Modified", "Code"), take=500, skip=7).encode() == "?skip=7&take=500&orderbyfieldids=Modified,Code"


def test_there_is_a_number_for_each_operator() -> None:
    assert set(OPERATORS) == set(NUMBERS)


@pytest.mark.parametrize("operator", OPERATORS)
def test_operators(operator: Operator) -> None:
    sent = _where(Condition("Name", operator, "x"))
    assert sent["operatortypes"] == NUMBERS[operator]
    assert sent["filtervalues"] == ("[is leeg]" if "empty" in operator else "x")


def test_compact_when_it_can_carry_the_value() -> None:
    sent = _where(Condition("Name", "contains", "a&b + 10%"))
    assert sent["filterfieldids"] == "Name"
    assert sent["filtervalues"] == "a&b + 10%"
    assert sent["operatortypes"] == "6"
    assert "filterjson" not in sent


def test_several_conditions_go_by_filterjson() -> None:
    sent = _where(Condition("Modified", ">=", "2024-01-01T00:00:00"), Condition("Number", "<", "3"))
    (group,) = json.loads(sent["filterjson"])["Filters"]["Filter"]
    assert [field["@FieldId"] for field in group["Field"]] == ["Modified", "Number"]
    # As AFAS' own OpenAPI files have it: one operator, a number.
    assert "operatortypes" not in sent


@pytest.mark.parametrize("value", ["a,b", "a;b", ""])
def test_filterjson_when_it_can_not(value: str) -> None:
    sent = _where(Condition("Name", "=", value), Condition("Code", "empty"))
    assert json.loads(sent["filterjson"]) == {
        "Filters": {
            "Filter": [
                {
                    "@FilterId": "1",
                    "Field": [
                        {"@FieldId": "Name", "@OperatorType": "1", "#text": value},
                        {"@FieldId": "Code", "@OperatorType": "8", "#text": "[is leeg]"},
                    ],
                }
            ]
        }
    }
    assert "filterfieldids" not in sent


def test_alternatives_go_by_filterjson() -> None:
    sent = _sent(Query(("Code",), ((Condition("A", "=", "1"),), (Condition("B", "<", "2"),))))
    groups = json.loads(sent["filterjson"])["Filters"]["Filter"]
    assert [group["@FilterId"] for group in groups] == ["1", "2"]


def test_odd_fields() -> None:
    assert _sent(Query(("Btw-nummer", "A&B")))["orderbyfieldids"] == "Btw-nummer,A&B"
    assert "filterjson" in _where(Condition("A,B", "=", "1"))


A, B, C, D = (Condition(name, "=", name) for name in "ABCD")


@pytest.mark.parametrize(
    ("left", "right", "joined"),
    [
        ((), (), ()),
        (((A,),), (), ((A,),)),
        ((), ((A,),), ((A,),)),
        (((A,),), ((B,),), ((A, B),)),
        (((A,), (B,)), ((C,),), ((A, C), (B, C))),
        (((A,), (B,)), ((C,), (D,)), ((A, C), (A, D), (B, C), (B, D))),
    ],
)
def test_and_over_or(left: Filter, right: Filter, joined: Filter) -> None:
    assert and_filters(left, right) == joined


def test_the_longest_question_is_asked_and_one_more_is_not(sandbox: Sandbox) -> None:
    sandbox.load([articles(1)])

    def question(letters: int) -> Query:
        return Query(("Code",), ((Condition("Name", "!=", "x" * letters),),))

    room = LONGEST_QUERY - len(question(1).encode()) + 1
    assert len(question(room).encode()) == LONGEST_QUERY
    assert client_of(sandbox).rows("Articles", question(room)).body.count(b"Code") == 1
    with pytest.raises(QueryTooLongError):
        question(room + 1).encode()


@given(st.text(min_size=1, max_size=60).filter(lambda text: text.isprintable()), st.sampled_from(OPERATORS))
def test_values_come_back_from_the_line(value: str, operator: Operator) -> None:
    sent = _where(Condition("Name", operator, value))
    if "filterjson" in sent:
        heard = json.loads(sent["filterjson"])["Filters"]["Filter"][0]["Field"][0]["#text"]
    else:
        heard = sent["filtervalues"]
    assert heard == ("[is leeg]" if "empty" in operator else value)


@pytest.mark.parametrize("value", ["plain", "a,b", "a;b", "a & b = c", "50%", "€ “ü”", "a+b", "#1", "a\\b\"c'd", " x "])
def test_values_reach_afas_as_they_are(sandbox: Sandbox, value: str) -> None:
    sandbox.load([items(item("1", Name=value), item("2", Name="other"), item("3"))])
    rows = client_of(sandbox).rows("Item", Query(("Code",), ((Condition("Name", "=", value),),)))
    assert rows.body.count(b'"Code"') == 1


def test_no_values_in_what_is_said() -> None:
    query = Query(("Code",), ((Condition("Name", ">", "secret"), A), (B,)), take=5, skip=3)
    assert str(query) == "where Name > and A = or B =, order Code, take 5, skip 3"

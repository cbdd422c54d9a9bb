"""Conditions as they are written on a command line."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tap_afas.explore.conditions import read_condition
from tap_afas.profit.query import OPERATORS, Operator
from tap_afas.settings import FilterCondition

_FIELDS = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)


@given(field=_FIELDS, operator=st.sampled_from(OPERATORS), value=st.text(min_size=1), quote=st.sampled_from("\"'"))
def test_what_is_written_is_read(field: str, operator: Operator, value: str, quote: str) -> None:
    if operator.endswith("empty"):
        assert read_condition(f"{field} {operator}") == FilterCondition(field, operator)
        return
    assert read_condition(f"{field} {operator} {quote}{value}{quote}") == FilterCondition(field, operator, value)
    assume(value == value.strip() and value[0] not in "\"'=><")
    assert read_condition(f"  {field} {operator.upper()}   {value} ") == FilterCondition(field, operator, value)
    if not operator[0].isalpha():
        assert read_condition(f"{field}{operator}{value}") == FilterCondition(field, operator, value)


@given(st.text())
def test_anything_else_is_refused_in_a_sentence(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert read_condition(text).operator in OPERATORS
        return
    with pytest.raises(ValueError, match=r"operator|takes none"):
        read_condition(text)


@pytest.mark.parametrize(
    ("text", "field", "operator", "value"),
    [
        ("A==1", "A", "=", "1"),
        ("A <> x y", "A", "!=", "x y"),
        ("A_1 Not  Starts  With De ", "A_1", "not starts with", "De"),
        ("A = contains b", "A", "=", "contains b"),
        ("A = ''", "A", "=", ""),
        ("A = 'it's'", "A", "=", "it's"),
        ("contains contains contains", "contains", "contains", "contains"),
    ],
)
def test_forms(text: str, field: str, operator: Operator, value: str) -> None:
    assert read_condition(text) == FilterCondition(field, operator, value)

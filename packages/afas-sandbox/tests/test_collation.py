"""How the database compares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from afas_sandbox.collation import fold, weigh

if TYPE_CHECKING:
    from decimal import Decimal

_NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=10)


@given(_NUMBERS, _NUMBERS)
def test_decimals_compare_as_numbers(one: Decimal, other: Decimal) -> None:
    weights = weigh(f"{one:f}"), weigh(f"{other:f}")
    assert None not in weights
    assert (str(weights[0]) < str(weights[1])) == (one < other)
    assert (weights[0] == weights[1]) == (one == other)


def test_zeros_are_one_number() -> None:
    assert weigh("-0.00") == weigh("0") == weigh("+.0") == weigh("000")
    assert weigh("-.5") == weigh("-0.50")
    assert weigh(None) is None


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_case_and_trailing_spaces_do_not_count(text: str) -> None:
    assert fold(text) == fold(text.upper() + "  ")


@given(st.text(max_size=5, alphabet="aA1-'_é "), st.text(max_size=5, alphabet="aA1-'_é "))
def test_equal_is_equal_but_for_case_and_trailing_spaces(one: str, other: str) -> None:
    assert (fold(one) == fold(other)) == (one.rstrip(" ").lower() == other.rstrip(" ").lower())


def test_the_order_of_texts() -> None:
    texts = ["", " a", "_", "~", "1", "10", "9", "a", "á", "A b", "ab", "ba", "coop", "co-op", "co-opa", "ß", "st", "z"]
    folded = [str(fold(text)) for text in texts]
    assert folded == sorted(folded)
    assert len(set(folded)) == len(texts)

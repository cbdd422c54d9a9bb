"""Numbers are JSON's, and such as targets can hold; what isn't fails with field and key, in no time."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_afas.profit.rows import RowReader
from tap_afas.profit.unfit_value import UnfitValueError

if TYPE_CHECKING:
    from tap_afas.profit.metainfo import Kind


def _read(kind: Kind, written: str, *, key: tuple[str, ...] = ("Code",)) -> object:
    reader = RowReader("Articles", {"Code": "string", "Number": kind}, key=key)
    page = reader.read(f'{{"rows":[{{"Code":"K1","Number":{written}}}]}}'.encode())
    return page.column("Number")[0]


@pytest.mark.parametrize(
    "written",
    [
        *(
            "1e999999999",
            "1e-999999999",
            "1e999999",
            "1e4300",
            "-1e4301",
            "9" * 4301,
            "1e00000000000000000000",
            "1" * 9999,
        ),
        *(
            '"1e999999999"',
            '"1_0"',
            '"٣"',
            '"Infinity"',
            '"NaN"',
            '"inf"',
            '"+7"',
            '" 7"',
            '"7 "',
            '"0x1"',
            '""',
            '"1."',
        ),
        *("[1]", "{}", "true", '"1e"', '"--1"', '"1\\n"'),
    ],
)
@pytest.mark.parametrize("kind", ["integer", "number"])
@pytest.mark.parametrize("key", [("Code",), ("Code", "Number")])
def test_what_is_no_number(kind: Kind, written: str, key: tuple[str, ...]) -> None:
    began = time.monotonic()
    with pytest.raises(UnfitValueError, match=r"The value of Number in the row with Code = .?K1") as caught:
        _read(kind, written, key=key)
    assert time.monotonic() - began < 5
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("written", "number"),
    [("1e5", "1e5"), ("-0.50", "-0.50"), ("-.5", "-0.5"), ("1E+9", "1e9"), ("9" * 4300, "9" * 4300), ("0", "0")],
)
def test_what_is_one(written: str, number: str) -> None:
    assert _read("number", written) == Decimal(number)
    assert _read("number", f'"{written}"') == Decimal(number)


@given(
    number=st.decimals(allow_nan=False, allow_infinity=False).filter(lambda one: abs(one.adjusted()) < 4000),
    as_text=st.booleans(),
)
def test_any_number_stays_what_it_is(number: Decimal, *, as_text: bool) -> None:
    written = msgspec.json.Encoder(decimal_format="number").encode(number).decode()
    assert _read("number", f'"{written}"' if as_text else written) == number


def test_long_numbers_among_short_ones() -> None:
    reader = RowReader("Articles", {"Code": "string", "Number": "number"}, key=("Code",))
    rows = ",".join(f'{{"Code":"K{n}","Number":{"0." + "1" * 99_999 if n == 700 else n}}}' for n in range(1000))
    page = reader.read(f'{{"rows":[{rows}]}}'.encode())
    with pytest.raises(UnfitValueError, match="K700"):
        reader.repaired_numbers("Number", page.rows)

"""Where a key repeats, a smallest set of fields is named that tells the rows of the page apart."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.depth import depth
from tap_afas.profit.key_advice import key_hints, smallest_key
from tap_afas.profit.metainfo import Connector, Field, kinds_of
from tap_afas.profit.pagination.key import KeyField, UnfitKeyError, check_keys
from tap_afas.profit.rows import RowReader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_afas.profit.page import Page

ORDER = Field("OrderNumber", "string", "Order number", 12, control_type=5)
LINE = Field("SeqNo", "int", "Sequence number")
DEBTOR = Field("DebtorId", "string", "Debtor number", 16, control_type=5)
TERM = Field("PayCon", "string", "Payment condition", 5, control_type=5)
MARK = Field("Blocked", "boolean", "Blocked")
DAY = Field("Day", "date", "Date", control_type=4)
AMOUNT = Field("AmtTotal", "decimal", "Line amount", 26, 2)
TEXT = Field("Description", "string", "Description", 60)
MOMENT = Field("Changed", "date", "Changed on", control_type=8)
FIELDS = (AMOUNT, TEXT, MOMENT, MARK, DAY, TERM, DEBTOR, LINE, ORDER)
LIKELY = {"PayCon", "DebtorId", "SeqNo", "OrderNumber"}
POSSIBLE = {"Blocked", "Day"}


def page_of(
    fields: Sequence[Field], rows: Sequence[Mapping[str, Any]], key: Sequence[str] = (), *, assumed: bool = False
) -> Page:
    connector = Connector("Lines", "", {field.id: field for field in fields})
    kinds = kinds_of(connector, {})
    reader = RowReader("Lines", kinds, key=key)
    reader.hints = key_hints(connector, kinds, assumed=assumed)
    return reader.read(json.dumps({"rows": rows}).encode())


def tells_apart(rows: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> bool:
    values = [tuple(row[field] for field in fields) for row in rows]
    return len(set(values)) == len(rows) and not any(None in value for value in values)


def value(field: Field, number: int | None) -> Any:
    """The value with a number of a field; None is null."""
    if number is None or field.data_type in {"int", "decimal"}:
        return number
    if field.data_type == "boolean":
        return bool(number % 2)
    return f"2024-01-{number + 1:02}T00:00:00Z" if field.data_type == "date" else f"{field.id} {number}"


_CELLS = st.one_of(st.integers(0, 3), st.integers(0, 1), st.integers(0, 20))


@depth(150)
@given(
    numbers=st.lists(
        st.tuples(*[_CELLS if field.id != "PayCon" else st.one_of(st.none(), _CELLS) for field in FIELDS]),
        min_size=2,
        max_size=12,
    ),
    key=st.lists(st.sampled_from(sorted(LIKELY | POSSIBLE)), unique=True, max_size=3),
)
@example(numbers=[(number, *[0] * 8) for number in range(4)], key=["OrderNumber"])
def test_the_set_tells_all_rows_apart_and_no_part_of_it_does(
    numbers: list[tuple[int | None, ...]], key: list[str]
) -> None:
    rows = [{field.id: value(field, cell) for field, cell in zip(FIELDS, row, strict=True)} for row in numbers]
    found = smallest_key(page_of(FIELDS, rows), key)
    filled = [field.id for field in FIELDS if all(row[field.id] is not None for row in rows)]
    likely = [field for field in filled if field in LIKELY]
    usable = [field for field in filled if field in LIKELY | POSSIBLE]
    if not found:
        assert not tells_apart(rows, usable)
        return
    assert tells_apart(rows, found)
    assert not any(
        tells_apart(rows, part) for size in range(len(found)) for part in itertools.combinations(found, size)
    )
    # An id goes before all else, and of the sets that tell, none is smaller.
    among = likely if tells_apart(rows, likely) else usable
    assert set(found) <= set(among)
    assert not any(tells_apart(rows, part) for part in itertools.combinations(among, len(found) - 1))


@depth(25)
@given(
    width=st.integers(15, 30),
    numbers=st.lists(st.integers(0, 2**30), min_size=2, max_size=40, unique=True),
    spread=st.sampled_from([1, 2]),
)
def test_with_many_fields_none_of_the_set_can_be_spared(width: int, numbers: list[int], spread: int) -> None:
    fields = [Field(f"F{place}_id", "int", "Id") for place in range(width)]
    # Each field holds a few bits, so that many are needed.
    rows = [{field.id: number >> place * spread & 1 for place, field in enumerate(fields)} for number in numbers]
    found = smallest_key(page_of(fields, rows))
    assert bool(found) == tells_apart(rows, [field.id for field in fields])
    if found:
        assert tells_apart(rows, found)
        assert not any(tells_apart(rows, [field for field in found if field != one]) for one in found)


def test_one_field_that_does_it_stands_alone() -> None:
    rows = [{"PayCon": "30", "DebtorId": f"1000{number}"} for number in range(5)]
    assert smallest_key(page_of((TERM, DEBTOR), rows), ["PayCon"]) == ["DebtorId"]


def test_no_amount_text_or_time_is_part_of_a_key() -> None:
    rows = [
        {"AmtTotal": number, "Description": f"row {number}", "Changed": f"2024-01-01T00:00:0{number}Z", "SeqNo": 1}
        for number in range(5)
    ]
    assert smallest_key(page_of((AMOUNT, TEXT, MOMENT, LINE), rows), ["SeqNo"]) == []


@pytest.mark.parametrize(
    "field",
    [
        Field("IBAN", "string", "IBAN number", 34),
        Field("Phone", "string", "Telefoonnr.", 20),
        Field("Number", "int", "House number"),
        Field("QuantityUnit", "int", "Number of units"),
        Field("Omschrijving", "string", "Omschrijving", 60),
        Field("Zoeknaam", "string", "Search name", 20),
        Field("StartTime", "date", "Start", control_type=7),
        Field("Note", "string", "Comment", 20, control_type=23),
        Field("File_name", "string", "File", 20),
        Field("Remark", "string", "Id", 64 + 1),
        Field("Data", "blob", "Id"),
        Field("Amount", "decimal", "Id"),
    ],
)
def test_what_is_no_part_of_a_key(field: Field) -> None:
    hints = key_hints(Connector("C", "", {field.id: field}), [field.id], assumed=False)
    assert (hints.likely, hints.possible) == ((), ())


@pytest.mark.parametrize(
    "field",
    [
        Field("LineGuid", "string", "GUID line", 32),
        Field("Factuurnummer", "string", "Factuurnummer", 20),
        Field("Dossieritem", "int", "Dossieritem"),
        Field("NameId", "string", "Name", 20),
        Field("U012", "string", "Code dagboek", 10),
        Field("Regel_ID", "int", "Regel"),
    ],
)
def test_what_is_likely_a_part_of_a_key(field: Field) -> None:
    hints = key_hints(Connector("C", "", {field.id: field}), [field.id], assumed=False)
    assert (hints.likely, hints.possible) == ((field.id,), ())
    # What isn't read can't be named.
    assert key_hints(Connector("C", "", {field.id: field}), [], assumed=False).likely == ()


def test_the_words() -> None:
    rows = [{"OrderNumber": "1", "SeqNo": number} for number in range(3)]
    page = page_of((ORDER, LINE), rows, ["OrderNumber"], assumed=True)
    with pytest.raises(UnfitKeyError) as caught:
        check_keys(page, [KeyField("OrderNumber", "text")])
    said = str(caught.value)
    assert "The tap assumed this key" in said
    assert 'SeqNo tells all rows apart: set `streams.Lines.primary_keys` to ["SeqNo"], or to []' in said
    assert "AppConnector Auditor" in said


def test_an_id_with_a_dot_comes_behind_those_that_afas_can_sort_on() -> None:
    dotted, plain = Field("Order.nr", "string", "Order", 12), Field("Volgnr", "int", "Volgnummer")
    rows = [{"Order.nr": f"O{number}", "Volgnr": number, "DebtorId": "D"} for number in range(9)]
    assert smallest_key(page_of((dotted, plain, DEBTOR), rows)) == ["Volgnr"]
    assert smallest_key(page_of((dotted, DEBTOR), rows)) == ["Order.nr"]

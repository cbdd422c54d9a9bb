"""A value arrives as it is in AFAS, or the stream says which one doesn't."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from afas_sandbox import Fault, Field
from harness.depth import depth
from harness.source import Source, Walk
from harness.syncing import run

if TYPE_CHECKING:
    from afas_sandbox import Cell, Row, Sandbox

_FIELDS = (
    Field("Id", "int", "Id", "Id", 9),
    Field("Text", "string", "Text", "Tekst", 80),
    Field("Amount", "decimal", "Amount", "Bedrag", 26, 10),
    Field("Count", "int", "Count", "Aantal", 18),
    Field("Yes", "boolean", "Yes", "Ja"),
    Field("Day", "date", "Day", "Dag", control_type=4),
    Field("At", "date", "At", "Op", control_type=8),
    Field("Note", "blob", "Note", "Notitie"),
    Field("Time", "date", "Time", "Tijd", control_type=7),
)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from([
    "",
    "001",
    "000001005",
    "null",
    "NaN",
    "\x00",
    "\x7f",
    "\x1f\n\r\t",
    '"\\/',
    "😀👩‍👩‍👧",
    "\u2028",
    "-.5",
    ' "x":.5, ',
    "\\u0000",
    "1.50",
])
_NUMBER = st.decimals(-(10**15), 10**15, places=10) | st.sampled_from([
    Decimal(text)
    for text in (
        "0.0000000000",
        "-0.5",
        "0.5",
        "9999999999999999.9999999999",
        "-0.0000000001",
        "1234567890123456.0123456789",
    )
])


def _source(sandbox: Sandbox, rows: list[Row], **options: Any) -> Source:
    return Source(sandbox, Walk(("Id",), None), rows, fields=_FIELDS, **options)


def _row(number: int = 1, **values: Cell) -> Row:
    return (number, *(values.get(field.id) for field in _FIELDS[1:]))


@depth(60)
@given(
    text=st.none() | _TEXT,
    amount=st.none() | _NUMBER,
    count=st.none() | st.integers(-(2**62), 2**62),
    yes=st.none() | st.booleans(),
    note=st.none() | _TEXT,
    old_json=st.booleans(),
)
@example(text='a "quoted": -.5', amount=Decimal("-0.5"), count=2**53 + 1, yes=None, note="\x01", old_json=True)
def test_values_come_as_they_are(
    sandbox: Sandbox,
    *,
    text: str | None,
    amount: Decimal | None,
    count: int | None,
    yes: bool | None,
    note: str | None,
    old_json: bool,
) -> None:
    written = None if amount is None else f"{amount:f}"
    source = _source(sandbox, [_row(Text=text, Amount=written, Count=count, Yes=yes, Note=note)], old_json=old_json)
    ran = run(source)
    assert ran.error is None, ran.said
    found = ran.records()[0]
    assert (found["Text"], found["Count"], found["Yes"], found["Note"]) == (text, count, yes, note)
    assert type(found["Yes"]) is type(yes)
    assert found["Amount"] == amount
    if amount is not None:
        assert str(Decimal(found["Amount"]).normalize()) == str(amount.normalize())


def test_the_digits_of_a_decimal(sandbox: Sandbox) -> None:
    rows = [
        _row(1, Amount="1234567890123456.0123456789"),
        _row(2, Amount="21.0000000000"),
        _row(3, Amount="-0.5000000000"),
    ]
    for old_json in (False, True):
        output = run(_source(sandbox, rows, old_json=old_json)).output
        assert b'"Amount":1234567890123456.0123456789' in output
        assert b'"Amount":21.0000000000' in output
        assert b'"Amount":-0.5000000000' in output


def test_a_blob_of_20_megabytes(sandbox: Sandbox) -> None:
    note = "abcdefghij" * 2_000_000
    ran = run(_source(sandbox, [_row(1, Note=note), _row(2)]))
    assert ran.error is None, ran.said
    assert ran.records()[0]["Note"] == note


def test_an_empty_string_is_not_null(sandbox: Sandbox) -> None:
    ran = run(_source(sandbox, [_row(1, Text="", Note=""), _row(2)]))
    assert [(found["Text"], found["Note"]) for found in ran.records()] == [("", ""), (None, None)]


def test_dates_and_times(sandbox: Sandbox) -> None:
    ran = run(_source(sandbox, [_row(Day="2024-03-31T00:00:00", At="2024-03-31T00:00:00")]))
    assert (ran.records()[0]["Day"], ran.records()[0]["At"]) == ("2024-03-31", "2024-03-30T23:00:00+00:00")


def _answering(sandbox: Sandbox, **values: Any) -> Source:
    """A source whose one row is as AFAS shouldn't write it."""
    source = _source(sandbox, [])
    rows = {field.id: None for field in _FIELDS} | {"Id": 7} | values
    sandbox.faults = [Fault(kind="rows", body=json.dumps({"skip": 0, "take": 1, "rows": [rows]}))]
    return source


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("Count", "seven", "a whole number"),
        ("Count", 7.5, "a whole number"),
        ("Count", True, "a whole number"),
        ("Count", [1], "a whole number"),
        ("Amount", "much", "a number"),
        ("Amount", "NaN", "a number"),
        ("Amount", "Infinity", "a number"),
        ("Amount", "-Infinity", "a number"),
        ("Amount", True, "a number"),
        ("Yes", "yes", "true or false"),
        ("Yes", 2, "true or false"),
        ("Day", "2024-03-31T12:00:00Z", "a date without a time"),
        ("Day", "2024-02-30T00:00:00Z", "a date without a time"),
        ("Day", 7, "a date without a time"),
        ("At", "soon", "a date and time"),
        ("At", "", "a date and time"),
        ("At", "2024-03-31T25:00:00Z", "a date and time"),
        ("At", "2024-03-31T12:00:00+02:00", "a date and time"),
        ("At", {"a": 1}, "a date and time"),
        ("At", "2020-W09-2T08:00:00Z", "a date and time"),
        ("Day", "20200225", "a date without a time"),
        ("Day", "2020-W09-2", "a date without a time"),
        ("Time", "1900-01-02T08:30:00Z", "a time of day (on 1900-01-01, as AFAS writes one)"),
    ],
)
def test_a_value_that_does_not_fit_is_reported(sandbox: Sandbox, field: str, value: object, word: str) -> None:
    ran = run(_answering(sandbox, **{field: value}))
    assert ran.error is not None
    assert f"The value of {field} in the row with Id = 7 is not {word}." in ran.said
    assert "streams.Item.types" in ran.said
    assert ran.records() == []


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("Text", 12, "12"),
        ("Text", 1.50, "1.5"),
        ("Text", True, "true"),
        ("Text", {"a": [1]}, '{"a": [1]}'),
        ("Count", 7.0, 7),
        ("Count", None, None),
        ("Amount", "12.50", Decimal("12.50")),
        ("Amount", 3, 3),
        ("Yes", 1, True),
        ("Yes", 0, False),
        ("Day", "2024-03-31", "2024-03-31"),
        ("At", "2024-01-01T12:00:00", "2024-01-01T11:00:00+00:00"),
    ],
)
def test_a_value_written_otherwise_is_understood(sandbox: Sandbox, field: str, value: object, expected: object) -> None:
    ran = run(_answering(sandbox, **{field: value}))
    assert ran.error is None, ran.said
    assert ran.records()[0][field] == expected


@pytest.mark.parametrize("stamp_unit", ["second", "day"])
def test_a_time_of_day(sandbox: Sandbox, stamp_unit: str) -> None:
    rows = [_row(1, Time="1900-01-01T08:30:00.000"), _row(2, Time="1900-01-01T23:59:59.000"), _row(3)]
    ran = run(_source(sandbox, rows, stamp_unit=stamp_unit))
    assert ran.error is None, ran.said
    assert [found["Time"] for found in ran.records()] == ["08:30:00", "23:59:59", None]


def test_the_way_out_of_a_time_with_another_date(sandbox: Sandbox) -> None:
    source = _source(sandbox, [_row(1, Time="2024-07-01T08:30:00.000")])
    ran = run(source)
    assert "`streams.Item.types: {Time: string}`" in ran.said
    catalog = source.catalog()
    del catalog["streams"][0]["schema"]["properties"]["Time"]["format"]
    ran = run(source, catalog=catalog, streams={"Item": {"types": {"Time": "string"}}})
    assert ran.error is None, ran.said
    assert ran.records()[0]["Time"] == "2024-07-01T08:30:00Z"


def test_a_time_of_day_as_key(sandbox: Sandbox) -> None:
    rows = [_row(number, Time=f"1900-01-01T{number:02}:30:00.000") for number in range(24)]
    source = Source(sandbox, Walk(("Time",), None), rows, fields=_FIELDS)
    ran = run(source, page_size=5)
    assert ran.error is None, ran.said
    assert sorted(found["Time"] for found in ran.records()) == [f"{number:02}:30:00" for number in range(24)]


def test_a_text_as_time_by_setting(sandbox: Sandbox) -> None:
    source = _source(sandbox, [_row(1, Text="08:30:00")])
    catalog = source.catalog()
    catalog["streams"][0]["schema"]["properties"]["Text"]["format"] = "time"
    assert (
        run(source, catalog=catalog, streams={"Item": {"types": {"Text": "time"}}}).records()[0]["Text"] == "08:30:00"
    )


def test_a_catalog_that_holds_a_time_as_date_time_says_so(sandbox: Sandbox) -> None:
    source = _source(sandbox, [_row(1, Time="1900-01-01T08:30:00.000")])
    catalog = source.catalog()
    catalog["streams"][0]["schema"]["properties"]["Time"]["format"] = "date-time"
    ran = run(source, catalog=catalog)
    assert "The field Time was date-time when the catalog was made, and is time now." in ran.said
    ran = run(source, catalog=catalog, streams={"Item": {"types": {"Time": "date-time"}}})
    assert ran.records()[0]["Time"] == "1900-01-01T08:30:00+00:00"


def test_types_are_the_way_out(sandbox: Sandbox) -> None:
    source = _source(sandbox, [_row(Day="2024-03-31T12:00:00")])
    assert run(source).error is not None
    catalog = source.catalog()
    catalog["streams"][0]["schema"]["properties"]["Day"]["format"] = "date-time"
    ran = run(source, catalog=catalog, streams={"Item": {"types": {"Day": "date-time"}, "primary_keys": ["Id"]}})
    assert ran.error is None, ran.said
    assert ran.records()[0]["Day"] == "2024-03-31T10:00:00+00:00"


def test_keys_that_are_missing_or_new(sandbox: Sandbox) -> None:
    source = _source(sandbox, [_row(1, Text="x", Count=3)])
    sandbox.faults = [Fault(kind="rows", drop=("Count",), add={"Stray": {"a": 1}, "rows": [1]})]
    ran = run(source)
    assert ran.error is None, ran.said
    assert ran.records() == [
        {
            "Id": 1,
            "Text": "x",
            "Amount": None,
            "Count": None,
            "Yes": None,
            "Day": None,
            "At": None,
            "Note": None,
            "Time": None,
        }
    ]


@pytest.mark.parametrize("constant", ["(replaced)", "(vervangen)"])
def test_a_field_that_afas_replaced(sandbox: Sandbox, constant: str) -> None:
    source = _source(sandbox, [_row(number, Text="x", Note="y") for number in range(20)])
    sandbox.faults = [Fault(kind="rows", replace={"Text": constant})]
    ran = run(source, page_size=6)
    assert ran.error is None
    assert [line for line in ran.log if "(replaced)" in line or "no longer exists" in line]
    assert "Text" in ran.said
    assert "Note" not in ran.said
    sandbox.faults = [Fault(kind="rows", nth=1, replace={"Text": constant})]
    assert "no longer exists" not in run(source, page_size=6).said


_VALUES: dict[str, Cell] = {
    "Amount": "5.0000000000",
    "Count": 7,
    "Yes": True,
    "Day": "2024-03-31T00:00:00",
    "At": "2024-03-31T12:00:00",
    "Time": "1900-01-01T08:30:00",
}


@pytest.mark.parametrize("walk", [Walk(("Id",), None), Walk((), None), Walk(("Id",), "At")], ids=str)
@pytest.mark.parametrize("field", _VALUES)
def test_a_field_of_another_type_that_afas_replaced_is_null(sandbox: Sandbox, field: str, walk: Walk) -> None:
    if field == walk.stamp:
        return
    rows = [_row(number, **_VALUES) for number in range(20)]
    source = Source(sandbox, walk, rows, fields=_FIELDS)
    sandbox.faults = [Fault(kind="rows", replace={field: "(replaced)"})]
    ran = run(source, page_size=6)
    assert ran.error is None, ran.said
    assert {found["Id"] for found in ran.records()} == set(range(20))
    assert [found[field] for found in ran.records()] == [None] * len(ran.records())
    others = {name for name in _VALUES if name != field}
    assert all(found[name] is not None for found in ran.records() for name in others)
    (said,) = [line for line in ran.log if "(replaced)" in line]
    assert said == f"Item: {field} holds nothing but “(replaced)”: the field no longer exists in AFAS."


# Two requests: what a run that failed before had under way may be one of them.
@pytest.mark.parametrize("nth", [(1, 2), (3, 4)])
@pytest.mark.parametrize("field", _VALUES)
def test_a_field_that_is_gone_on_some_pages_only_fails(sandbox: Sandbox, field: str, nth: tuple[int, int]) -> None:
    source = _source(sandbox, [_row(number, **_VALUES) for number in range(20)])
    sandbox.faults = [Fault(kind="rows", nth=nth, replace={field: "(vervangen)"})]
    ran = run(source, page_size=6)
    assert ran.error is not None
    assert f"The value of {field} in the row with Id = " in ran.said
    assert "some hold “(replaced)”, as AFAS writes for a field that no longer exists, and some hold values." in ran.said
    assert "types" not in ran.said


def test_a_replication_key_that_is_gone_fails(sandbox: Sandbox) -> None:
    source = Source(sandbox, Walk(("Id",), "At"), [_row(1, **_VALUES)], fields=_FIELDS)
    sandbox.faults = [Fault(kind="rows", replace={"At": "(replaced)"})]
    ran = run(source)
    assert ran.error is not None
    assert "The value of At in the row with Id = 1 is “(replaced)”" in ran.said
    assert "`primary_keys` and `replication_key`" in ran.said

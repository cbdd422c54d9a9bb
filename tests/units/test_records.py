from __future__ import annotations

import decimal
import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_afas.profit.errors import UnexpectedAnswerError
from tap_afas.profit.rows import RowReader
from tap_afas.profit.unfit_value import UnfitValueError
from tap_afas.profit.wall_time import WallClock
from tap_afas.records import RecordEncoder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_afas.profit.metainfo import Kind

KINDS: dict[str, Kind] = {
    "Id": "integer",
    "Code": "string",
    "Bedrag": "number",
    "Aan": "boolean",
    "Dag": "date",
    "Gewijzigd_op": "date-time",
    "A_Toev_Huisnr.": "string",
    "Tijd": "time",
}


def reader(**options: Any) -> RowReader:
    return RowReader("C", KINDS, **{"key": ("Id",), "stamp": "Gewijzigd_op", **options})


def encoder(reads: RowReader, emitted: Mapping[str, Kind] = KINDS) -> RecordEncoder:
    return RecordEncoder("C", reads, emitted, WallClock())


def emit(body: bytes, version: int | None = None, **options: Any) -> list[dict[str, Any]]:
    reads = reader(**options)
    page = reads.read(body)
    lines = b"".join(encoder(reads).lines(page.rows, version))
    return [json.loads(line, parse_float=decimal.Decimal) for line in lines.splitlines()]


def records(rows: bytes, **options: Any) -> list[dict[str, Any]]:
    return [message["record"] for message in emit(b'{"skip":0,"take":9,"rows":[' + rows + b"]}", **options)]


def test_a_row_as_metainfo_says() -> None:
    row = (
        b'{"Id":1,"Code":"0012","Bedrag":12345678901234567890.1234567890,"Aan":false,"Dag":"1980-02-29T00:00:00Z",'
        b'"Gewijzigd_op":"2024-07-01T12:00:00Z","A_Toev_Huisnr.":"bis","Tijd":"1900-01-01T08:10:28Z","Nieuw":[1,{"x":2}]}'
    )
    assert records(row) == [
        {
            "Id": 1,
            "Code": "0012",
            "Bedrag": decimal.Decimal("12345678901234567890.1234567890"),
            "Aan": False,
            "Dag": "1980-02-29",
            "Gewijzigd_op": "2024-07-01T10:00:00+00:00",
            "A_Toev_Huisnr.": "bis",
            "Tijd": "08:10:28",
        }
    ]


def test_a_missing_field_is_null() -> None:
    assert records(b'{"Id":1}') == [dict.fromkeys(KINDS) | {"Id": 1}]


def test_messages_bear_stream_time_and_version() -> None:
    (message,) = emit(b'{"rows":[{"Id":1}]}', version=7)
    assert (message["type"], message["stream"], message["version"]) == ("RECORD", "C", 7)
    assert message["time_extracted"].endswith("+00:00")
    assert "version" not in emit(b'{"rows":[{"Id":1}]}')[0]


@pytest.mark.parametrize(
    ("json_value", "field", "value"),
    [
        (b"5.00", "Id", 5),
        (b"1e2", "Id", 100),
        (b"9007199254740993", "Id", 9007199254740993),
        (b"123456789012345678901234567890", "Id", 123456789012345678901234567890),
        (b"12.50", "Code", "12.50"),
        (b"007", "Code", None),
        (b"true", "Code", "true"),
        (b'{"a":1}', "Code", '{"a":1}'),
        (b"-.5", "Bedrag", decimal.Decimal("-0.5")),
        (b".25", "Bedrag", decimal.Decimal("0.25")),
        (b'"21.00"', "Bedrag", decimal.Decimal("21.00")),
        (b"1", "Aan", True),
        (b"0", "Aan", False),
        (b'"2024-02-29"', "Dag", "2024-02-29"),
        (b'"2024-02-29T00:00:00.000Z"', "Dag", "2024-02-29"),
        (b'"1900-01-01T08:30:00"', "Tijd", "08:30:00"),
        (b'"1900-01-01T00:00:00.000Z"', "Tijd", "00:00:00"),
        (b'"1900-01-01T23:59:59.125Z"', "Tijd", "23:59:59.125"),
        (b'"08:30:00"', "Tijd", "08:30:00"),
        (b'"0001-01-01T00:00:00Z"', "Dag", "0001-01-01"),
        (b'"0001-01-01T00:00:00Z"', "Gewijzigd_op", "0001-01-01T00:00:00+00:00"),
        (b'"\\ud83d"', "Code", "�"),
        (b'"a\\ud83d\\ude00\\ude00b"', "Code", "a\U0001f600�b"),
        (b'"-.5 and \\".5\\""', "Code", '-.5 and ".5"'),
        (b'"\\\\ud83d"', "Code", "\\ud83d"),
        (b'"tab\there\x01"', "Code", "tab\there\x01"),
        (b'"\xe9\xff"', "Code", "��"),
        (b'""', "Code", ""),
    ],
)
def test_what_other_versions_of_afas_write(json_value: bytes, field: str, value: Any) -> None:
    row = b'{"Id":1,"%s":%s}' % (field.encode(), json_value) if field != "Id" else b'{"Id":%s}' % json_value
    if json_value == b"007":
        with pytest.raises(UnexpectedAnswerError):
            records(row)
        return
    (record,) = records(row)
    assert record[field] == value
    assert type(record[field]) is type(value)


@pytest.mark.parametrize(
    ("json_value", "field", "words"),
    [
        (b'"twaalf"', "Id", "a whole number"),
        (b"5.5", "Id", "a whole number"),
        (b"true", "Id", "a whole number"),
        (b'"veel"', "Bedrag", "a number"),
        (b'"NaN"', "Bedrag", "a number"),
        (b'"-Infinity"', "Bedrag", "a number"),
        (b"[]", "Bedrag", "a number"),
        (b'"ja"', "Aan", "true or false"),
        (b"2", "Aan", "true or false"),
        (b'"2024-03-31T00:15:00Z"', "Dag", "a date without a time"),
        (b'"2024-02-30T00:00:00Z"', "Dag", "a date without a time"),
        (b"20240331", "Dag", "a date without a time"),
        (b'"gisteren"', "Gewijzigd_op", "a date and time"),
        (b'"2024-02-30T10:00:00Z"', "Gewijzigd_op", "a date and time"),
        (b'"0000-01-01T00:00:00Z"', "Gewijzigd_op", "a date and time"),
        (b'"20240331"', "Dag", "a date without a time"),
        (b'"2020-W09-2"', "Dag", "a date without a time"),
        (b'"2020-W09-2T08:00:00Z"', "Gewijzigd_op", "a date and time"),
        (b'"2020-02-25 08:00:00Z"', "Gewijzigd_op", "a date and time"),
        (b'"1900-01-02T08:30:00Z"', "Tijd", "a time of day"),
        (b'"2024-07-01T08:30:00Z"', "Tijd", "a time of day"),
        (b'"1900-01-01T25:30:00Z"', "Tijd", "a time of day"),
        (b'"1900-01-01T"', "Tijd", "a time of day"),
        (b'"08:30"', "Tijd", "a time of day"),
        (b'"T08:30:00"', "Tijd", "a time of day"),
        (b"830", "Tijd", "a time of day"),
    ],
)
def test_what_fits_nowhere_is_reported_with_its_row(json_value: bytes, field: str, words: str) -> None:
    row = b'{"Code":"geheim","Id":77,"%s":%s}' % (field.encode(), json_value)
    with pytest.raises(UnfitValueError) as caught:
        records(row)
    sentence = str(caught.value)
    assert f"The value of {field}" in sentence
    assert words in sentence
    assert "streams.C.types" in sentence
    if field != "Id":
        assert "Id = 77" in sentence
        assert json_value.decode().strip('"') not in sentence
    assert "geheim" not in sentence


@pytest.mark.parametrize("count", [b"5", b"5.00"], ids=["as metainfo says", "field by field"])
def test_numbers_keep_the_digits_that_afas_wrote(count: bytes) -> None:
    written = [b"1.50", b"-0.0", b"null", b"12345678901234567890.12345678901234567890", b"1E+400", b"0"]
    rows = b",".join(b'{"Id":%s,"Bedrag":%s}' % (count, number) for number in written)
    reads = reader()
    body = b'{"rows":[%s]}' % rows
    lines = b"".join(encoder(reads).lines(reads.read(body).rows, None)).splitlines()
    assert [line.partition(b'"Bedrag":')[2].partition(b",")[0] for line in lines] == written
    values = [record["Bedrag"] for record in encoder(reads).records(reads.read(body).rows)]
    assert [None if value is None else str(value).encode() for value in values] == [
        None if number == b"null" else number for number in written
    ]


@pytest.mark.parametrize("count", [b"5", b"5.00"], ids=["as metainfo says", "field by field"])
def test_numbers_among_text_and_null(count: bytes) -> None:
    written = [b'"1.50"', b"2.50", b"null", b'"-3"']
    rows = b",".join(b'{"Id":%s,"Bedrag":%s}' % (count, number) for number in written)
    found = [message["record"]["Bedrag"] for message in emit(b'{"rows":[%s]}' % rows)]
    assert found == [decimal.Decimal("1.50"), decimal.Decimal("2.50"), None, -3]


def test_a_number_can_be_a_key() -> None:
    reads = reader(key=["Bedrag"])
    page = reads.read(b'{"rows":[{"Bedrag":1.50},{"Bedrag":"1.5"},{"Bedrag":null}]}')
    assert page.keys == [(decimal.Decimal("1.5"),), (decimal.Decimal("1.5"),), (None,)]
    with pytest.raises(UnfitValueError, match='Bedrag in the row with Bedrag = "NaN" is not a number'):
        reads.read(b'{"rows":[{"Bedrag":1.50},{"Bedrag":"NaN"}]}')
    with pytest.raises(UnfitValueError, match='Bedrag in the row with Bedrag = "�" is not a number'):
        reads.read(b'{"rows":[{"Bedrag":"\xe9"}]}')


def test_a_row_keeps_its_fingerprint_whatever_is_looked_at() -> None:
    page = reader().read(b'{"rows":[{"Id":1,"Bedrag":"1.50"},{"Id":2,"Bedrag":"2.50"}]}')
    before = [page.fingerprint(0), page.fingerprint(1)]
    assert page.column("Bedrag") == [decimal.Decimal("1.50"), decimal.Decimal("2.50")]
    assert [page.fingerprint(0), page.fingerprint(1)] == before


@pytest.mark.parametrize("field", ["Bedrag", "Code", "Nieuw"])
def test_an_answer_nested_too_deep_is_reported(field: str) -> None:
    with pytest.raises(UnexpectedAnswerError):
        emit(b'{"rows":[{"%s":%s}]}' % (field.encode(), b"[" * 100_000))


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b'{"rows":5}', b'{"rows":[5]}', b'{"rows":[{}', b'{"rows":null}', b"[" * 100_000],
)
def test_an_answer_without_rows_is_reported(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswerError):
        emit(body)


def test_afas_words_in_an_answer_without_rows_are_kept() -> None:
    with pytest.raises(UnexpectedAnswerError, match="Out of patience"):
        emit(b'{"externalMessage":"Out of patience"}')


def test_hidden_fields_are_read_but_not_emitted() -> None:
    reads = RowReader("C", {"Id": "integer", "Code": "string"}, key=("Id",))
    page = reads.read(b'{"rows":[{"Id":1,"Code":"x"}]}')
    assert page.column("Code") == ["x"]
    (lines,) = encoder(reads, {"Id": "integer"}).lines(page.rows, None)
    assert json.loads(lines)["record"] == {"Id": 1}


def test_what_is_compared_as_afas_has_it_is_emitted_as_the_settings_want_it() -> None:
    reads = RowReader("C", {"Code": "string", "Id": "integer"}, key=("Code",))
    page = reads.read(b'{"rows":[{"Code":"00150","Id":7}]}')
    assert page.keys == [("00150",)]
    (record,) = encoder(reads, {"Code": "number", "Id": "string"}).records(page.rows)
    assert record == {"Code": 150, "Id": "7"}


@pytest.mark.parametrize(
    ("kind", "words"),
    [("number", "a number"), ("integer", "a whole number"), ("date", "a date without a time"), ("boolean", "true or")],
)
def test_what_does_not_fit_the_kind_of_the_settings_is_reported_as_such(kind: Kind, words: str) -> None:
    reads = RowReader("C", {"Code": "string"}, key=("Code",))
    page = reads.read(b'{"rows":[{"Code":"0A150"}]}')
    with pytest.raises(UnfitValueError, match=f"Code in the row with Code = 0A150 is not {words}"):
        list(encoder(reads, {"Code": kind}).records(page.rows))


def test_a_page_of_more_than_one_block() -> None:
    rows = b",".join(b'{"Id":%d,"Bedrag":%d}' % (number, number) for number in range(2500))
    assert [record["Id"] for record in records(rows)] == list(range(2500))
    reads = reader()
    page = reads.read(b'{"rows":[%s]}' % rows)
    assert [record["Bedrag"] for record in encoder(reads).records(page.rows)] == list(range(2500))


def test_fingerprints_tell_rows_apart_and_are_the_same_on_every_page() -> None:
    body = b'{"rows":[{"Id":1},{"Id":2},{"Id":1}]}'
    page = reader().read(body)
    assert page.fingerprint(0) == page.fingerprint(2) != page.fingerprint(1)
    assert page.fingerprint(0) == reader().read(body).fingerprint(0)


def test_stamps_and_keys_of_a_page() -> None:
    page = reader().read(b'{"rows":[{"Id":1,"Gewijzigd_op":"2024-07-01T12:00:00Z"},{"Id":2}]}')
    assert page.stamps == ["2024-07-01T12:00:00", None]
    assert page.keys == [(1,), (2,)]


_OF_EACH_KIND = [
    ("Id2", "integer", b"5"),
    ("Bedrag", "number", b"5.50"),
    ("Aan", "boolean", b"true"),
    ("Dag", "date", b'"2024-02-29T00:00:00Z"'),
    ("Op", "date-time", b'"2024-02-29T12:00:00Z"'),
    ("Tijd", "time", b'"1900-01-01T08:30:00Z"'),
]


def _page(field: str, values: list[bytes]) -> bytes:
    rows = (b'{"Id":%d,"%s":%s}' % (number, field.encode(), value) for number, value in enumerate(values))
    return b'{"rows":[%s]}' % b",".join(rows)


@pytest.mark.parametrize("constant", [b'"(replaced)"', b'"(vervangen)"'])
@pytest.mark.parametrize(("field", "kind", "value"), _OF_EACH_KIND)
def test_a_field_that_is_gone_is_null_whatever_its_type(field: str, kind: Kind, value: bytes, constant: bytes) -> None:
    reads = RowReader("C", {"Id": "integer", field: kind}, key=("Id",))
    made = encoder(reads, reads.kinds)
    for page in ([b"null"], [constant] * 3, [b"null", constant, b"null"], [constant] * 2500):
        read = reads.read(_page(field, page))
        assert read.column(field) == [None] * len(page)
        assert [record[field] for record in made.records(read.rows)] == [None] * len(page)
    assert made.replaced.found == [field]
    (line,) = b"".join(made.lines(reads.read(_page(field, [constant])).rows, None)).splitlines()
    assert json.loads(line)["record"] == {"Id": 0, field: None}
    assert value != constant


@pytest.mark.parametrize("constant", [b'"(replaced)"', b'"(vervangen)"'])
@pytest.mark.parametrize(("field", "kind", "value"), _OF_EACH_KIND)
@pytest.mark.parametrize(
    ("shape", "row"),
    [
        ("c v", 0),
        ("v c", 1),
        ("n v n c", 3),
        ("n c n v", 1),
        ("v|c", 0),
        ("v|n c", 1),
        ("c|v", 0),
        ("c n|n v", 1),
        ("n|v|n|c", 0),
        ("c|n|c|n v", 1),
    ],
)
def test_a_field_that_is_gone_in_some_rows_only_is_unfit(
    *, shape: str, row: int, field: str, kind: Kind, value: bytes, constant: bytes
) -> None:
    reads = RowReader("C", {"Id": "integer", field: kind}, key=("Id",))
    made = encoder(reads, reads.kinds)
    written = {"c": constant, "v": value, "n": b"null"}
    *before, last = [_page(field, [written[letter] for letter in page.split()]) for page in shape.split("|")]
    for body in before:
        list(made.records(reads.read(body).rows))
    with pytest.raises(UnfitValueError) as caught:
        list(made.records(reads.read(last).rows))
    sentence = str(caught.value)
    assert f"The value of {field} in the row with Id = {row} contradicts other rows" in sentence
    assert "(replaced)" in sentence
    assert "type" not in sentence


@pytest.mark.parametrize(("field", "kind"), [(field, kind) for field, kind, _ in _OF_EACH_KIND])
def test_a_key_that_is_gone_is_unfit(field: str, kind: Kind) -> None:
    for options in ({"key": (field,)}, {"key": ("Id",), "stamp": field}):
        reads = RowReader("C", {"Id": "integer", field: kind}, **options)
        made = encoder(reads, reads.kinds)
        with pytest.raises(UnfitValueError, match=r"it is in the key, or the replication key\..*`primary_keys`"):
            list(made.records(reads.read(_page(field, [b'"(replaced)"'])).rows))


def test_gone_fields_that_only_sort_stop_nothing() -> None:
    reads = RowReader("C", {"Id": "integer", "Aantal": "integer", "Op": "date-time"}, key=("Id",))
    made = encoder(reads, {"Id": "integer"})
    for value in (b'"(replaced)"', b"7", b'"(replaced)"'):
        page = reads.read(b'{"rows":[{"Id":1,"Aantal":%s,"Op":"(replaced)"}]}' % value)
        assert page.column("Op") == [None]
        assert list(made.records(page.rows)) == [{"Id": 1}]


def test_texts_that_are_gone_stay_and_are_found_only_when_every_row_bears_the_constant() -> None:
    reads = reader()
    made = encoder(reads)
    assert not made.replaced.found
    for body in (
        b'{"rows":[{"Code":"(vervangen)","A_Toev_Huisnr.":"(replaced)"}]}',
        b'{"rows":[{"Code":"(vervangen)","A_Toev_Huisnr.":"a"}]}',
    ):
        assert [record["Code"] for record in made.records(reads.read(body).rows)] == ["(vervangen)"]
    assert made.replaced.found == ["Code"]

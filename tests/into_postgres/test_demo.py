"""The main job, against a real PostgreSQL; and that what compares both ends sees a difference."""

from __future__ import annotations

import contextlib
import datetime
import decimal
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Connector, Field
from demo.comparison import Way, as_loaded, differences, expected

if TYPE_CHECKING:
    from demo.postgres import Database

FIELDS = (
    Field("Code", "string", "Code", "Code"),
    Field("Amount", "decimal", "Amount", "Bedrag", decimals=4),
    Field("Day", "date", "Day", "Dag", control_type=4),
    Field("Modified", "date", "Modified", "Gewijzigd"),
    Field("Open", "boolean", "Open", "Open"),
    Field("Count", "int", "Count", "Aantal"),
)
CONNECTOR = Connector("Things", "Things", "Dingen", FIELDS, key=("Code",), stamp="Modified")
KEY = [0]
ROW = ("A", "1.5000", "2024-02-29T00:00:00.000", "2024-07-01T12:00:00.500", True, 1)
LOADED = (
    "A",
    decimal.Decimal("1.5"),
    datetime.date(2024, 2, 29),
    datetime.datetime(2024, 7, 1, 10, 0, 1),  # noqa: DTZ001 - PostgreSQL gives UTC without saying so
    True,
    1,
)


def columns(row: tuple[Any, ...]) -> dict[str, Any]:
    return {field.id: value for field, value in zip(FIELDS, row, strict=True)}


def test_a_stored_row_as_it_must_arrive() -> None:
    loaded = as_loaded(CONNECTOR, ROW)
    assert loaded == LOADED
    assert [type(value) for value in loaded] == [type(value) for value in LOADED]


@pytest.mark.parametrize(
    ("wall", "utc"),
    [
        ("2024-01-15T12:00:00.499", "2024-01-15T11:00:00"),
        ("2024-10-27T02:30:00.000", "2024-10-27T00:30:00"),
        ("2024-03-31T02:30:00.000", "2024-03-31T01:30:00"),
        ("2023-12-31T23:59:59.500", "2023-12-31T23:00:00"),
    ],
)
def test_a_wall_time_as_it_must_arrive(wall: str, utc: str) -> None:
    assert as_loaded(CONNECTOR, ("A", None, None, wall, None, None))[3] == datetime.datetime.fromisoformat(utc)


def test_the_same_rows_do_not_differ() -> None:
    assert not list(differences(CONNECTOR, KEY, [LOADED], [columns(LOADED) | {"_sdc_received_at": "now"}]))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Code", "a"),
        ("Amount", decimal.Decimal("1.5001")),
        ("Amount", 1.5),
        ("Day", datetime.date(2024, 3, 1)),
        ("Modified", None),
        ("Open", 1),
        ("Count", "1"),
    ],
)
def test_another_value_differs(field: str, value: object) -> None:
    assert list(differences(CONNECTOR, KEY, [LOADED], [columns(LOADED) | {field: value}]))


def test_a_row_too_many_a_row_too_few_and_a_column_that_is_missing_differ() -> None:
    row = columns(LOADED)
    no_column = {name: value for name, value in row.items() if name != "Count"}
    for found, what in [([], "not in PostgreSQL"), ([row, row], "more often"), ([no_column], "no column")]:
        (difference,) = differences(CONNECTOR, KEY, [LOADED], found)
        assert what in difference.what
        assert difference.key == ("A",)


def test_empty_text_is_not_null() -> None:
    empty, null = ("", *LOADED[1:]), (None, *LOADED[1:])
    assert list(differences(CONNECTOR, [], [empty], [columns(null)]))


def test_what_must_be_there_depends_on_the_way() -> None:
    before, now = [("A", 1), ("B", 1)], [("A", 2), ("C", 1)]
    assert expected(Way.WHOLE, before, now) == now
    assert expected(Way.UPSERT, before, now) == now
    assert sorted(expected(Way.APPEND, before, now)) == [("A", 1), ("A", 2), ("B", 1), ("C", 1)]


def test_afas_to_postgres_with_meltano_twice(database: Database) -> None:
    from demo.journey import journey  # noqa: PLC0415 - needs what the fixture has seen to be there

    arrived = journey(database, scale=0.02, changes=2, step=lambda _: contextlib.nullcontext())
    assert {one.connector: one.differences for one in arrived if one.differences} == {}
    # Several GetConnectors of each kind.
    assert {one.way for one in arrived} == set(Way)
    assert all(any(one.changed for one in arrived if one.way is way) for way in Way)
    assert any(one.deleted for one in arrived if one.way is Way.WHOLE)
    assert any(one.deleted for one in arrived if one.way is Way.UPSERT)

"""Keys and stamps of the connectors that AFAS ships, and of those that people make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from afas_sandbox import amsterdam
from afas_sandbox.data import dataset
from tap_afas.profit.known_connectors import KEYS, known_key, stamp_candidates
from tap_afas.profit.metainfo import Connector, Field, kind_of

if TYPE_CHECKING:
    from afas_sandbox import Table


@pytest.fixture(scope="module")
def tables() -> dict[str, Table]:
    return {table.connector.id: table for table in dataset(scale=0.02, now=amsterdam())}


def _connector(table: Table, language: str) -> Connector:
    fields = [
        Field(
            field.id,
            field.data_type,
            field.label_nl if language == "nl" else field.label_en,
            field.length,
            field.decimals,
            field.control_type,
        )
        for field in table.connector.fields
    ]
    return Connector(table.connector.id, "", {field.id: field for field in fields})


def _stamps(connector: Connector) -> list[str]:
    return stamp_candidates(connector, [field for field in connector.fields.values() if kind_of(field) == "date-time"])


def _date_times(*named: tuple[str, str]) -> list[str]:
    fields = {name: Field(name, "date", label, control_type=8) for name, label in named}
    return _stamps(Connector("Eigen", "", fields))


def test_stamps_of_the_standard_connectors(tables: dict[str, Table]) -> None:
    found = {
        (name, language): _stamps(_connector(table, language))
        for name, table in tables.items()
        for language in ("en", "nl")
        if name.startswith("Profit")
    }
    for (name, language), stamps in found.items():
        # Two joined tables, each with its own.
        expected = (
            ["Gewijzigd_op", "Gewijzigd_op_2"]
            if name == "Profit_Deliveryaddress"
            else [tables[name].connector.stamp]
            if tables[name].connector.stamp
            else []
        )
        assert stamps == expected, (name, language)


def test_dummies_are_no_stamps() -> None:
    fields = {name: Field(name, "date", "Changed on", control_type=8) for name in ("DateModified", "CreateDate")}
    assert stamp_candidates(Connector("Profit_Article_Basic", "", fields), list(fields.values())) == []
    assert _date_times(("DateModified", "Dummy datumveld")) == []


@pytest.mark.parametrize(
    "name",
    [
        "ModifiedDate",
        "Modified",
        "DateModified",
        "dateOfChange",
        "Gewijzigd_op",
        "Gewijzigd_op_2",
        "Mutatiedatum",
        "Datum_laatst_gewijzigd",
        "Laatste_wijziging",
        "LastModified",
        "Modifie_le",
    ],
)
def test_ids_that_say_so(name: str) -> None:
    assert _date_times((name, "Iets")) == [name]


@pytest.mark.parametrize(
    "label",
    [
        "Changed on",
        "Last changed line",
        "Date changed",
        "Date last changed",
        "Gewijzigd op",
        "Datum gewijzigd",
        "Regel laatst gewijzigd",
        "Datum laatst gewijzigd",
        "Modifié le",
        "Date de la dernière modification",
        "Geändert am",
        "Letzte Änderung",
        "Änderungsdatum",
    ],
)
def test_labels_that_say_so(label: str) -> None:
    assert _date_times(("U012", label)) == ["U012"]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("CreateDate", "Created on"),
        ("Aangemaakt_op", "Aangemaakt op"),
        ("DateCreated", "Instuurdatum"),
        ("Gewijzigd_door", "Gewijzigd door"),
        ("Wijzigingsreden", "Reden wijziging"),
        ("SystemDate", "Datum toegevoegd"),
        ("Gewijzigd.op", "Gewijzigd op"),
    ],
)
def test_what_is_no_stamp(name: str, label: str) -> None:
    assert _date_times((name, label)) == []


def test_known_keys_are_unique_in_the_sandbox(tables: dict[str, Table]) -> None:
    for name, key in KEYS.items():
        if name not in tables:
            continue
        connector = tables[name].connector
        assert known_key(_connector(tables[name], "en")) == key
        places = [connector.position(field) for field in key]
        keys = [tuple(row[place] for place in places) for row in tables[name].rows]
        assert len(keys) == len(set(keys)), name


def test_a_key_counts_only_when_it_is_whole() -> None:
    assert known_key(Connector("Profit_Timetable", "", {"EmployeeId": Field("EmployeeId", "string")})) == ()
    assert known_key(Connector("Eigen", "", {"EmployeeId": Field("EmployeeId", "string")})) == ()

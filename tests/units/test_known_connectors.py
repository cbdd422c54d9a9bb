"""Keys and stamps of the connectors that AFAS ships, and of those that people make."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from afas_sandbox import amsterdam
from afas_sandbox.data import dataset
from tap_afas.profit.known_connectors import FORMER_KEYS, KEYS, known_key, stamp_candidates
from tap_afas.profit.metainfo import Connector, Field, kind_of

if TYPE_CHECKING:
    from afas_sandbox import Table

PAGE = Path(__file__).parents[2] / "docs/known-keys.md"
# Of AFAS' own connectors, as its OpenAPI files have them: those with one field that says when a row was changed.
STAMPS = {
    ("ModifiedDate", "Changed on", "Gewijzigd op"): """
        Profit_Address Profit_Article Profit_Composition Profit_Contacts Profit_CostCarrier Profit_CostCentre
        Profit_Creditor Profit_Debtor Profit_Hourtype Profit_Illness Profit_Leaves Profit_Projectgroups Profit_Projects
        Profit_Projectstage Profit_Residence Profit_SalesorderLines Profit_Subscriptions Profit_Timetable
        Profit_Warehouses Profit_Worktype""",
    ("Modified", "Date changed", "Datum gewijzigd"): """
        Profit_Fin_ChangedEntrydate Profit_Rea_ChangedEntryDate Profit_Transactions Profit_Transactions_Allocated""",
    ("DateModified", "Changed on", "Gewijzigd op"): "Profit_Quotation",
    ("DateModified", "Last changed line", "Regel laatst gewijzigd"): "Profit_Realization",
    ("dateOfChange", "Date last changed", "Datum laatst gewijzigd"): "Profit_Rooster_Ouderverlof",
}
OTHER_DATES = {
    "CreateDate": ("Created on", "Aangemaakt op"),
    "Created": ("Date created", "Datum toegevoegd"),
    "SystemDate": ("Date created", "Datum toegevoegd"),
    "DateCreated": ("Submission date", "Instuurdatum"),
    "EntryDate": ("Date entry", "Datum boeking"),
    "validFrom": ("Valid from", "Geldig vanaf"),
}


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


@pytest.mark.parametrize("language", [0, 1])
def test_stamps_of_afas_own_connectors(language: int) -> None:
    told = [(names.split(), *stamp) for stamp, names in STAMPS.items()]
    assert sum(len(names) for names, *_ in told) == 27
    assert f"the {27} that have one" in PAGE.read_text("utf-8")
    for names, stamp, *labels in told:
        fields = {name: Field(name, "date", both[language], control_type=8) for name, both in OTHER_DATES.items()}
        fields[stamp] = Field(stamp, "date", labels[language], control_type=8)
        for name in names:
            assert stamp_candidates(Connector(name, "", fields), list(fields.values())) == [stamp], name


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


def _listed(heading: str) -> dict[str, tuple[tuple[str, ...], str, str]]:
    """The table behind a heading: key, why, fact, by connector."""
    part = PAGE.read_text("utf-8").split(heading, 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in part.splitlines() if line[:3] == "| `"]
    return {row[0].strip("`"): (tuple(re.findall(r"`([^`]+)`", row[1])), row[2], row[3].rstrip(" |")) for row in rows}


@pytest.mark.parametrize(
    ("heading", "keys"), [("# Keys the tap assumes\n", KEYS), ("\n## No longer assumed\n", FORMER_KEYS)]
)
def test_each_key_is_argued_for(heading: str, keys: dict[str, tuple[str, ...]]) -> None:
    listed = _listed(heading)
    assert {name: key for name, (key, *_) in listed.items()} == keys
    for name, (_, why, fact) in listed.items():
        assert len(why.split()) > 4, name
        assert re.fullmatch(r"\d+(\.\d+)?(, \d+(\.\d+)?)*( [DI])?(, \d+(\.\d+)? [DI])*", fact), (name, fact)


def test_what_may_repeat_is_not_assumed(tables: dict[str, Table]) -> None:
    assert not KEYS.keys() & FORMER_KEYS.keys()
    for name, key in FORMER_KEYS.items():
        connector = Connector(name, "", {field: Field(field, "string") for field in key})
        assert known_key(connector) == (), name
    # A ledger line that several cost centres share.
    table = tables["Profit_Transactions_Allocated"]
    places = [table.connector.position(field) for field in FORMER_KEYS[table.connector.id]]
    keys = [tuple(row[place] for place in places) for row in table.rows]
    assert len(set(keys)) < len(keys)


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
    half, other = Field("ProjectId", "string"), Field("ProjectStage", "string")
    assert known_key(Connector("Profit_Projectstage", "", {half.id: half})) == ()
    assert known_key(Connector("Profit_Projectstage", "", {half.id: half, other.id: other})) == (half.id, other.id)
    assert known_key(Connector("Eigen", "", {half.id: half, other.id: other})) == ()

"""The search for a key, by both ends of a connector."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

import key_results
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.depth import depth
from harness.key_traps import LATER, TRAPS, Asked, Row, find, judged
from tap_afas.profit.key_finder import KeyFinder, Phase
from tap_afas.profit.key_proof import KeyProof
from tap_afas.profit.key_words import Part, part_of_key
from tap_afas.profit.metainfo import Connector, Field

if TYPE_CHECKING:
    from collections.abc import Callable

_BY_NAME = {trap.name: trap for trap in TRAPS}
_COUNT = {"right", "larger", "rightly none"}


@pytest.fixture(scope="module")
def of_traps() -> dict[str, str]:
    return {name: worth for name, worth, _ in key_results.of_traps()}


def test_the_table_of_the_traps(of_traps: dict[str, str]) -> None:
    counts = collections.Counter(worth.rstrip("?") for worth in of_traps.values())
    assert counts == {"right": 13, "accident": 7, "wrong": 1, "missed": 2, "rightly none": 11}


def test_those_written_later() -> None:
    found = {name: worth for name, worth, _ in key_results.of_traps(LATER)}
    counts = collections.Counter(worth.rstrip("?") for worth in found.values())
    assert counts == {"right": 8, "accident": 3, "rightly none": 1}
    assert "accident" not in found.values()


def test_no_accident_without_a_doubt(of_traps: dict[str, str]) -> None:
    assert [name for name, worth in of_traps.items() if worth == "accident"] == []
    # And few doubts where there is no need.
    assert [name for name, worth in of_traps.items() if worth.rstrip("?") in _COUNT and "?" in worth] == [
        "Verlofrechten_per_jaar"
    ]


@pytest.mark.slow
def test_the_table_of_the_sandbox() -> None:
    found = {name: worth for name, worth, _ in key_results.of_sandbox()}
    counts = collections.Counter(worth.rstrip("?") for worth in found.values())
    assert counts["wrong"] == 0
    assert counts["right"] + counts["larger"] >= 40
    assert [name for name, worth in found.items() if worth == "accident"] == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Debiteur_met_contact", "many side"),
        ("Bankrekeningen", "many side"),
        ("Verkoopprijzen", "prices"),
        ("Gevolgde_cursussen", "again"),
        ("Inkoopfacturen", "number of another"),
        ("Dossierbijlagen", "file"),
        ("Bankrekeningen", "code of another"),
    ],
)
def test_what_speaks_against_a_key(name: str, code: str) -> None:
    trap = _BY_NAME[name]
    verdict = find(trap.connector, Asked(trap.connector, trap.made()))
    assert verdict.key
    assert code in {doubt.code for doubt in verdict.doubts}


@pytest.mark.parametrize(
    ("name", "why", "near"),
    [
        ("Namen_en_bedragen", "no candidates", ()),
        ("Nog_leeg", "too few rows", ("Code",)),
        ("Twee_gelijke_rijen", "equal rows", ("Nummer",)),
        ("Relaties_dubbel", "not unique", ()),
        ("Roostersoorten", "chance", ("Medewerker", "Soort", "Locatie")),
        ("Orders_zonder_of_met_regels", "outer join", ("Ordernummer",)),
    ],
)
def test_why_there_is_none(name: str, why: str, near: tuple[str, ...]) -> None:
    trap = _BY_NAME[name]
    verdict = find(trap.connector, Asked(trap.connector, trap.made()))
    assert (verdict.key, verdict.why, verdict.near) == ((), why, near)


def test_which_field_the_repetition_comes_from() -> None:
    trap = _BY_NAME["Dossieritems_per_bestemming"]
    (refuted,) = find(trap.connector, Asked(trap.connector, trap.made())).refuted
    assert (refuted.fields, refuted.varying) == (("Dossieritem",), ("Bestemming_naam",))
    assert refuted.example == {"Dossieritem": 0}


@pytest.mark.parametrize(
    ("name", "nature"),
    [
        ("Orderregels_met_guid", "guid"),
        ("Orderregels", "line"),
        ("Kunden", "number"),
        ("Budgetten", "combination"),
        ("Debiteur_met_contact", "code"),
    ],
)
def test_what_makes_it_unique(name: str, nature: str) -> None:
    trap = _BY_NAME[name]
    assert find(trap.connector, Asked(trap.connector, trap.made())).nature == nature


@pytest.mark.parametrize("rows", [0, 1, 19, 20, 99, 100, 101, 499, 4999, 5000, 5001, 9998, 9999, 10_000, 12_000])
@pytest.mark.parametrize("cap", [None, 1000])
def test_the_whole_table_is_told_truthfully(rows: int, cap: int | None) -> None:
    connector = Connector("Codes", "", {"Code": Field("Code", "string", "Code", 10)})
    asked = Asked(connector, [(f"C{number:06}",) for number in range(rows)], cap=cap)
    verdict = find(connector, asked)
    assert (not verdict.whole) or verdict.rows == rows
    assert verdict.key == (("Code",) if rows > 1 else ())
    assert asked.requests <= 3
    if rows < 9999 and cap is None:
        assert verdict.whole


def test_a_repeat_in_the_middle_of_two_overlapping_ends_is_met() -> None:
    connector = Connector("Codes", "", {"Code": Field("Code", "string", "Code", 10), "N": Field("N", "decimal")})
    for twice in (0, 4998, 4999, 5000, 5001, 7000, 8998):
        rows: list[Row] = [(f"C{number - (number == twice + 1):06}", number) for number in range(9000)]
        verdict = find(connector, Asked(connector, rows))
        assert verdict.key == ()


@pytest.mark.parametrize("count", [60, 12_000])
@pytest.mark.parametrize(
    ("fields", "key"),
    [
        # AFAS sorts by no id with a dot: pages are asked for in the order of what else there is.
        (("Verk.nr", "Naam", "Dag"), ("Verk.nr",)),
        (("Land", "Verk.nr", "Naam"), ("Verk.nr",)),
        (("Verk.nr", "Nummer", "Naam"), ("Nummer",)),
        (("Adm.", "Boekstuknr", "Naam"), ("Adm.", "Boekstuknr")),
    ],
)
def test_a_key_with_a_dot_in_its_id(fields: tuple[str, ...], key: tuple[str, ...], count: int) -> None:
    kinds = {"Naam": Field("Naam", "string", "Naam", 60), "Dag": Field("Dag", "date", "Dag", control_type=4)}
    labels = {"Adm.": "Administratie"}
    found = {one: kinds.get(one) or Field(one, "string", labels.get(one, one), 15) for one in fields}
    values: dict[str, Callable[[int], str]] = {
        "Verk.nr": lambda number: f"V{number:06}",
        "Nummer": lambda number: f"N{number:06}",
        "Adm.": lambda number: f"A{number % 4}",
        "Boekstuknr": lambda number: f"B{number // 4:06}",
        "Land": lambda number: "NL",
        "Naam": lambda number: f"naam {number % 50}",
        "Dag": lambda number: f"2024-01-{1 + number % 28:02}T00:00:00Z",
    }
    asked = Asked(
        Connector("Punten", "", found), [tuple(values[one](number) for one in fields) for number in range(count)]
    )
    finder = KeyFinder(Connector("Punten", "", found))
    while not finder.done:
        query = finder.next_query()
        assert all(found[one.removeprefix("-")].sortable for one in query.order)
        finder.advance(query, asked.page(query))
    verdict = finder.verdict
    assert verdict.key == key
    assert verdict.whole is (verdict.rows == count)
    if count < finder.take:
        assert verdict.whole


def test_nothing_is_asked_of_what_afas_cannot_sort() -> None:
    verdict = KeyFinder(Connector("C", "", {"Verk.nr": Field("Verk.nr", "string", "", 15)})).verdict
    assert (verdict.key, verdict.why) == ((), "no candidates")


def test_a_page_that_afas_finds_too_much_is_asked_smaller() -> None:
    connector = Connector("Codes", "", {"Code": Field("Code", "string", "Code", 10)})
    finder = KeyFinder(connector)
    assert finder.next_query().take == 5000
    assert finder.shrink()
    assert finder.next_query().take == 2500
    wide = {f"F{number}": Field(f"F{number}", "decimal") for number in range(99)} | connector.fields
    assert KeyFinder(Connector("Wide", "", wide)).take == 1500
    with_blob = {"Code": connector.fields["Code"], "Blob": Field("Blob", "blob")}
    assert KeyFinder(Connector("Blobs", "", with_blob)).take == 300


def test_a_row_that_changed_between_two_pages_refutes_nothing() -> None:
    connector = Connector("Codes", "", {"Code": Field("Code", "string", "Code", 10), "N": Field("N", "decimal")})
    asked = Asked(connector, [(f"C{number:06}", 1) for number in range(6000)])
    finder = KeyFinder(connector)
    query = finder.next_query()
    finder.advance(query, asked.page(query))
    asked.rows = [(code, 2) for code, _ in asked.rows]
    assert finder.phase is Phase.OTHER_END
    query = finder.next_query()
    finder.advance(query, asked.page(query))
    assert (finder.verdict.key, finder.verdict.refuted, finder.verdict.rows) == (("Code",), (), 6000)


def test_a_walk_that_meets_a_repeat_adds_a_field() -> None:
    fields = {"Administratie": Field("Administratie", "int"), "Nummer": Field("Nummer", "string", "Nummer", 9)}
    connector = Connector("Boekingen", "", fields)
    rows: list[Row] = [(1, f"{number:06}") for number in range(12_000)]
    rows[6000] = (2, rows[5999][1])
    asked = Asked(connector, rows)
    finder = KeyFinder(connector)
    while not finder.done:
        query = finder.next_query()
        finder.advance(query, asked.page(query))
    assert finder.verdict.key == ("Nummer",)
    finder.add(asked.read(rows[5990:6010]))
    verdict = finder.verdict
    assert verdict.refuted[0].fields == ("Nummer",)
    assert verdict.refuted[0].varying == ("Administratie",)
    # One such row could be chance.
    assert (verdict.why, set(verdict.near)) == ("chance", {"Administratie", "Nummer"})


# Made-up connectors


_NAMES = (
    Field("Nummer", "int"),
    Field("Verk.nr", "string", "", 10),
    Field("Regel", "int"),
    Field("Administratie", "int"),
    Field("Debiteur", "string", "", 10, control_type=5),
    Field("Project", "string", "", 10, control_type=5),
    Field("Rij_guid", "string", "", 36),
    Field("Land", "string", "", 3, control_type=5),
    Field("Ingangsdatum", "date", "Ingangsdatum", control_type=4),
    Field("Naam", "string", "", 60),
    Field("Bedrag", "decimal", decimals=2),
)


@st.composite
def _tables(draw: st.DrawFn) -> tuple[Connector, list[Row], int | None]:
    fields = draw(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=6, unique_by=lambda field: field.id))
    count = draw(st.integers(0, 260))
    columns: list[list[Any]] = []
    for field in fields:
        few = draw(st.sampled_from([1, 2, 5, 30, 1000]))
        step = draw(st.sampled_from([0, 1, 3, 7]))
        empty = draw(st.sampled_from([0, 0, 0, 50]))
        numbers = [(number * step if step else number * number % 97) % few for number in range(count)]
        columns.append([None if empty and n % empty == 1 else _value(field, value) for n, value in enumerate(numbers)])
    rows: list[Row] = list(zip(*columns, strict=True))
    return Connector("Eigen", "", {field.id: field for field in fields}), rows, draw(st.sampled_from([None, 100, 150]))


def _value(field: Field, number: int) -> Any:
    if field.data_type in {"int", "decimal"}:
        return number
    return f"20{number % 90:02}-01-01T00:00:00Z" if field.data_type == "date" else f"x{number:04}"


@given(_tables(), st.sampled_from([40, 120, 5000]))
@depth(150)
def test_what_is_found_repeats_nowhere_in_what_was_read(
    table: tuple[Connector, list[Row], int | None], largest: int
) -> None:
    connector, rows, cap = table
    asked = Asked(connector, rows, cap=cap)
    finder = KeyFinder(connector, most=largest)
    seen: set[Row] = set()
    while not finder.done:
        query = finder.next_query()
        page = asked.page(query)
        seen |= set(zip(*(page.column(field) for field in connector.fields), strict=True))
        finder.advance(query, page)
    verdict = finder.verdict
    assert asked.requests <= 3
    assert verdict.rows == len(seen)
    assert bool(verdict.key) != bool(verdict.why)
    if verdict.whole:
        assert seen == set(rows)
    places = [list(connector.fields).index(field) for field in verdict.key or verdict.near]
    if places:
        keys = [tuple(row[place] for place in places) for row in seen]
        assert len(set(keys)) == len(keys)
        assert not any(None in key for key in keys)
    if verdict.key:
        assert set(verdict.needed) <= set(verdict.key)
        assert judged(verdict, list(connector.fields), (), sorted(seen, key=repr)) != "wrong"
    # More rows only add fields.
    before = set(verdict.needed or verdict.near)
    finder.add(asked.read(rows))
    after = set(finder.verdict.needed or finder.verdict.near)
    assert not before or not after or before <= after


# Words


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("DebtorId", Part.NUMBER),
        ("Factuurnummer", Part.NUMBER),
        ("Kundennummer", Part.NUMBER),
        ("Regelnummer", Part.LINE),
        ("Ligne", Part.LINE),
        ("Boekjaar", Part.SCOPE),
        ("Prijslijst", Part.SCOPE),
        ("Medewerker", Part.AXIS),
        ("Valuta", Part.ATTRIBUTE),
        ("LineGuid", Part.GUID),
        ("Bijlage_guid", Part.NUMBER),
        ("TitleId", Part.NUMBER),
        ("Naam", None),
        ("IBAN", None),
        ("Huisnummer", None),
        ("Telefoonnummer", None),
        ("KvK_nummer", None),
        ("Uw_referentie", None),
        ("Number_of_items", None),
        ("VATNumber", None),
    ],
)
def test_words(name: str, part: Part | None) -> None:
    assert part_of_key(Field(name, "string", "", 15)) is part


@pytest.mark.parametrize(
    "field",
    [
        Field("Nummer", "decimal"),
        Field("Nummer", "string", "", 80),
        Field("Nummer", "string", "", 8, control_type=23),
        Field("Begindatum", "date", "Begindatum", control_type=4),
        Field("Geldig_vanaf", "date", "Geldig vanaf", control_type=8),
    ],
)
def test_what_is_no_part_of_a_key(field: Field) -> None:
    assert part_of_key(field) is None


def test_a_day_from_which_a_row_counts() -> None:
    for label in ("Ingangsdatum", "Geldig vanaf", "Valid from", "Gültig ab"):
        assert part_of_key(Field("D", "date", label, control_type=4)) is Part.DAY


# A given key


def test_a_given_key_is_proved_or_refuted() -> None:
    connector = Connector("C", "", {"A": Field("A", "int"), "B": Field("B", "string", "", 9)})
    asked = Asked(connector, [])
    proof = KeyProof(["A", "B"])
    proof.add(asked.read([(1, "x"), (1, "X"), (2, "x")]))
    assert (proof.repeated, proof.empty, proof.rows) == (None, None, 3)
    proof.add(asked.read([(3, None), (2, "x"), (None, "y")]), [1])
    assert (proof.repeated, proof.empty, proof.rows) == ({"A": 2, "B": "x"}, None, 4)
    proof.add(asked.read([(3, None), (None, "y")]))
    assert (proof.empty, proof.empties) == ({"A": 3, "B": None}, 2)

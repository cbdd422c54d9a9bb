"""What AFAS shows is not always what it compares."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from asking import ITEM, Asking, asking, item, items, structured

from afas_sandbox import Options, Row, Sandbox, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODES = ("9", "A12", "B1", "100", "10", "a2")


@pytest.fixture
def ask(sandbox: Sandbox) -> Iterator[Asking]:
    with asking(sandbox) as client:
        yield client


def _load(sandbox: Sandbox, *rows: Row, **options: Any) -> None:
    sandbox.load([items(*rows)], **options)


def _prices(ask: Asking, **asked: Any) -> list[str]:
    return [str(row["Price"]) for row in ask.rows(orderbyfieldids="Price", **asked).rows]


def _stamps(ask: Asking, **asked: Any) -> list[str | None]:
    return [row["Modified"] for row in ask.rows(orderbyfieldids="Code", **asked).rows]


def test_padded_codes_sort_as_they_are_stored(sandbox: Sandbox, ask: Asking) -> None:
    _load(sandbox, *map(item, _CODES))
    assert ask.rows(orderbyfieldids="Code").codes == ["10", "100", "9", "A12", "a2", "B1"]
    _load(sandbox, *map(item, _CODES), padded={"Code": 10})
    assert ask.rows(orderbyfieldids="Code").codes == ["9", "10", "a2", "B1", "100", "A12"]
    assert ask.rows(orderbyfieldids="-Code", take=1).codes == ["A12"]


@pytest.mark.parametrize(
    ("operator", "value", "codes"),
    [
        (2, "A12", []),
        (2, "       A12", ["A12"]),
        (4, "        a2", ["B1", "100", "A12"]),
        (3, "A12", ["9", "10", "a2", "B1", "100", "A12"]),
        (1, "A12", []),
        (1, "       A12", ["A12"]),
        (7, "A12", ["9", "10", "a2", "B1", "100", "A12"]),
        (10, "A", []),
        (13, "2", ["a2", "A12"]),
        (6, "1", ["10", "B1", "100", "A12"]),
    ],
)
def test_padded_codes_are_filtered_as_they_are_stored(
    sandbox: Sandbox, ask: Asking, operator: int, value: str, codes: list[str]
) -> None:
    _load(sandbox, *map(item, _CODES), padded={"Code": 10})
    assert ask.where("Code", operator, value).codes == codes
    assert ask.rows(filterjson=structured([("Code", operator, value)]), orderbyfieldids="Code").codes == codes


def test_padded_codes_may_be_given_with_their_blanks_and_stay_empty(sandbox: Sandbox, ask: Asking) -> None:
    rows = item("       A12", Name="x"), item("B", Name=""), item("C")
    _load(sandbox, *rows, padded={"Code": 10, "Name": 5})
    assert ask.rows(orderbyfieldids="Code").codes == ["B", "C", "A12"]
    assert ask.where("Name", 8, "").codes == ["B", "C"]
    assert sandbox.delete("Item", "       A12").before == rows[0]


def test_blanks_behind_do_not_count(sandbox: Sandbox, ask: Asking) -> None:
    _load(sandbox, *map(item, _CODES), padded={"Code": -10})
    assert ask.rows(orderbyfieldids="Code").codes == ["10", "100", "9", "A12", "a2", "B1"]
    assert ask.where("Code", 1, "A12").codes == ["A12"]
    assert ask.where("Code", 1, "A12   ").codes == ["A12"]
    sandbox.options.wildcards = "percent"
    assert ask.where("Code", 13, "%2").codes == []
    assert ask.where("Code", 13, "%2%").codes == ["A12", "a2"]


def test_decimals_finer_than_shown(sandbox: Sandbox, ask: Asking) -> None:
    rows = [
        item(code, Price=price) for code, price in zip("ABCDE", ("1.005", "1.0049", "1.00", "-0.004", "9"), strict=True)
    ]
    _load(sandbox, *rows, fine_decimals=["Price"])
    assert _prices(ask) == ["0.00", "1.00", "1.00", "1.01", "9.00"]
    assert ask.where("Price", 2, "1.01").codes == ["E"]
    assert ask.where("Price", 4, "1.00").codes == ["A", "B", "E"]
    assert ask.where("Price", 1, "1.00").codes == ["C"]
    assert ask.where("Price", 5, "0").codes == ["D"]
    assert [row[2] for row in sandbox.rows("Item")][:3] == ["1.005", "1.0049", "1.00"]


def test_fine_decimals_before_profit_7_and_very_long_ones(sandbox: Sandbox, ask: Asking) -> None:
    _load(sandbox, item("A", Price="-0.4951"), item("B"), fine_decimals=["Price"], old_json=True)
    assert b'"Price":-.50,' in ask.where("Code", 1, "A").body
    assert ask.where("Code", 1, "B").rows[0]["Price"] is None
    _load(sandbox, item("A", Price="-123456789012345678901234.5650001"), fine_decimals=["Price"])
    assert b'"Price":-123456789012345678901234.57,' in ask.rows().body


_MOMENTS = ("2024-05-15T10:00:29.999", "2024-05-15T10:00:31.500", "2024-05-15T10:59:59.999", "2024-05-15T23:00:00.000")


@pytest.mark.parametrize(
    ("unit", "shown"),
    [
        ("minute", ["2024-05-15T10:00:00Z", "2024-05-15T10:00:00Z", "2024-05-15T10:59:00Z", "2024-05-15T23:00:00Z"]),
        ("hour", ["2024-05-15T10:00:00Z"] * 3 + ["2024-05-15T23:00:00Z"]),
        ("day", ["2024-05-15T00:00:00Z"] * 4),
    ],
)
@pytest.mark.parametrize("compared", ["stored", "shown"])
def test_coarse_stamps(sandbox: Sandbox, ask: Asking, unit: str, shown: list[str], compared: str) -> None:
    rows = [item(code, Modified=moment) for code, moment in zip("ABCD", _MOMENTS, strict=True)]
    _load(sandbox, *rows, item("E", Modified=None), stamp_unit=unit, stamps_compared=compared)
    assert _stamps(ask) == [*shown, None]
    asked = shown[1].removesuffix("Z")
    with_it = "".join(ask.where("Modified", 1, asked).codes)
    behind = "".join(ask.where("Modified", 4, asked).codes)
    if compared == "stored":
        assert (with_it, behind) == ("", "ABCD")
    else:
        assert with_it == "".join(code for code, one in zip("ABCD", shown, strict=True) if one == shown[1])
        assert with_it + behind == "ABCD"
    assert ask.where("Modified", 8, "").codes == ["E"]
    assert list(sandbox.rows("Item"))[:4] == rows


def test_ties_in_what_is_shown_come_in_any_order_when_that_is_compared(sandbox: Sandbox, ask: Asking) -> None:
    rows = [item(f"{number:02}", Modified=f"2024-05-15T10:{number:02}:00") for number in range(40)]
    _load(sandbox, *rows, stamp_unit="day")
    assert ask.rows(orderbyfieldids="Modified").codes == [f"{number:02}" for number in range(40)]
    sandbox.options.stamps_compared = "shown"
    assert ask.rows(orderbyfieldids="Modified").codes != [f"{number:02}" for number in range(40)]
    assert ask.rows(orderbyfieldids="Modified,-Code").codes == [f"{number:02}" for number in reversed(range(40))]


@pytest.mark.parametrize(("display", "equal"), [("rounded", ["B"]), ("cut", ["A"]), ("exact", [])])
def test_seconds_compared_as_shown(sandbox: Sandbox, ask: Asking, display: str, equal: list[str]) -> None:
    rows = item("A", Modified="2024-05-15T10:00:01.600"), item("B", Modified="2024-05-15T10:00:00.600")
    _load(sandbox, *rows, display=display, stamps_compared="shown")
    assert ask.where("Modified", 1, "2024-05-15T10:00:01").codes == equal


def test_a_time_of_day_has_no_unit(sandbox: Sandbox, ask: Asking) -> None:
    fields = [dataclasses.replace(field, control_type=7) if field.id == "Modified" else field for field in ITEM.fields]
    _load(sandbox, item("A", Modified="1900-01-01T08:30:00"), stamp_unit="day")
    sandbox.alter("Item", fields)
    assert _stamps(ask) == ["1900-01-01T08:30:00Z"]


@pytest.mark.parametrize(
    ("seconds", "codes"), [(0, ["B", "C"]), (7200, ["C"]), (-7200, ["A", "B", "C"]), (-3600 * 2 - 1, ["A", "B", "C"])]
)
def test_shifted_literals(sandbox: Sandbox, ask: Asking, seconds: int, codes: list[str]) -> None:
    rows = [item(code, Modified=f"2024-05-15T{hour}:00:00") for code, hour in (("A", "08"), ("B", "10"), ("C", "12"))]
    _load(sandbox, *rows, shifted_literals=seconds)
    assert ask.where("Modified", 2, "2024-05-15T10:00:00").codes == codes
    assert (
        ask.rows(filterjson=structured([("Modified", 2, "2024-05-15T10:00:00")]), orderbyfieldids="Code").codes == codes
    )
    assert _stamps(ask)[0] == "2024-05-15T08:00:00Z"
    assert ask.where("Modified", 2, "9999-12-31T23:59:59").codes == []


def test_literals_shift_from_a_moment_on_and_for_some_fields(sandbox: Sandbox, ask: Asking) -> None:
    now = dt.datetime(2024, 5, 15, 12)  # noqa: DTZ001 - wall time has no zone
    sandbox.clock = lambda: now
    _load(sandbox, item("A", Modified="2024-05-15T10:00:00"), shifted_literals=3600, shifted_from="2024-05-15T12:00:01")
    assert ask.where("Modified", 2, "2024-05-15T10:00:00").codes == ["A"]
    now += dt.timedelta(seconds=1)
    assert ask.where("Modified", 2, "2024-05-15T10:00:00").codes == []
    sandbox.options.shifted_fields = ["Created"]
    assert ask.where("Modified", 2, "2024-05-15T10:00:00").codes == ["A"]
    sandbox.options.shifted_fields = ["Modified"]
    assert ask.where("Modified", 2, "2024-05-15T10:00:00").codes == []
    assert ask.where("Modified", 10, "2024-05-15T10").codes == ["A"]
    sandbox.alter("Item", [dataclasses.replace(field, control_type=4) for field in ITEM.fields])
    sandbox.options.shifted_fields = None
    assert ask.where("Modified", 2, "2024-05-15T10:00:00").codes == ["A"]


_WIDE = "\uff21\uff22\uff23"
_LOOKALIKES = ("strasse", "STRASSE", "straße", "Cæsar", "caesar", "café", "CAFE", _WIDE, "abc", "abc  ")


@pytest.mark.parametrize(
    ("collation", "value", "names"),
    [
        ("ci_as", "strasse", {"strasse", "STRASSE", "straße"}),
        ("ci_as", "caesar", {"caesar"}),
        ("ci_as", "cafe", {"CAFE"}),
        ("ci_as", "abc", {"abc", "abc  "}),
        ("ci_ai", "STRASSE", {"strasse", "STRASSE", "straße"}),
        ("ci_ai", "CÆSAR", {"Cæsar", "caesar"}),
        ("ci_ai", "cafe", {"café", "CAFE"}),
        ("ci_ai", "Abc", {_WIDE, "abc", "abc  "}),
        ("cs_as", "abc", {"abc", "abc  "}),
        ("cs_as", "Abc", set()),
        ("cs_as", "CAFE", {"CAFE"}),
        ("binary", "abc", {"abc", "abc  "}),
        ("binary", "straße", {"straße"}),
    ],
)
def test_what_a_collation_holds_equal(
    sandbox: Sandbox, ask: Asking, collation: str, value: str, names: set[str]
) -> None:
    _load(sandbox, *(item(str(number), Name=name) for number, name in enumerate(_LOOKALIKES)), collation=collation)
    assert {row["Name"] for row in ask.where("Name", 1, value).rows} == names
    least = [row["Name"] for row in ask.where("Name", 2, value, orderbyfieldids="Name").rows]
    assert set(least[: len(names)]) == names


@pytest.mark.parametrize(
    ("collation", "order"),
    [
        ("ci_as", ["_x", "9", "A", "á", "a1", "b", "co-op", "Coopa", "Z"]),
        ("cs_as", ["_x", "9", "A", "á", "a1", "b", "co-op", "Coopa", "Z"]),
        ("binary", ["9", "A", "Coopa", "Z", "_x", "a1", "b", "co-op", "á"]),
    ],
)
def test_the_order_of_a_collation(sandbox: Sandbox, ask: Asking, collation: str, order: list[str]) -> None:
    _load(sandbox, *map(item, sorted(order)), collation=collation)
    assert ask.rows(orderbyfieldids="Code").codes == order


def test_small_letters_come_first_where_case_counts_and_anywhere_where_it_does_not(
    sandbox: Sandbox, ask: Asking
) -> None:
    codes = ["a", "A", "aa", "aA", "AA", "b", "B"]
    _load(sandbox, *map(item, reversed(codes)), collation="cs_as")
    assert all(ask.rows(orderbyfieldids="Code").codes == codes for _ in range(5))
    _load(sandbox, *map(item, reversed(codes)), collation="ci_ai")
    orders = {tuple(ask.rows(orderbyfieldids="Code").codes) for _ in range(20)}
    assert len(orders) > 1
    assert {tuple(code.lower() for code in order) for order in orders} == {("a", "a", "aa", "aa", "aa", "b", "b")}


@pytest.mark.parametrize(
    ("collation", "names"), [("ci_as", {"CAFE"}), ("ci_ai", {"CAFE", "café"}), ("cs_as", set()), ("binary", set())]
)
def test_parts_are_looked_for_by_the_collation(sandbox: Sandbox, ask: Asking, collation: str, names: set[str]) -> None:
    _load(sandbox, *(item(str(number), Name=name) for number, name in enumerate(_LOOKALIKES)), collation=collation)
    assert {row["Name"] for row in ask.where("Name", 6, "afe").rows} == names


def test_oddities_go_together_and_may_change_while_it_runs(sandbox: Sandbox, ask: Asking) -> None:
    ledger = dataclasses.replace(ITEM, key=("Code", "Modified"))
    rows = [item(code, Modified=moment) for code in ("b", "A10", "Ä9") for moment in _MOMENTS]
    sandbox.load([Table(ledger, rows, lambda number: item(f"N{number}"))])
    sandbox.options.change(padded={"Code": 6}, collation="ci_ai", stamp_unit="hour", stamps_compared="shown")
    walk = structured([("Code", 4, "    A9")], [("Code", 1, "    a9"), ("Modified", 2, "2024-05-15T23:00:00")])
    found = ask.rows(orderbyfieldids="Code,-Modified", filterjson=walk).rows
    assert [(row["Code"], row["Modified"][11:13]) for row in found] == [
        ("Ä9", "23"),
        ("A10", "23"),
        ("A10", "10"),
        ("A10", "10"),
        ("A10", "10"),
    ]


@pytest.mark.parametrize("option", [{"stamp_unit": "minutes"}, {"collation": "nl"}, {"unknown_connector": 404}])
def test_an_option_that_makes_no_sense(sandbox: Sandbox, option: dict[str, Any]) -> None:
    name = next(iter(option))
    with pytest.raises(ValueError, match=f"{name} is one of .+, not "):
        sandbox.load(**option)
    with pytest.raises(ValueError, match=f"{name} is one of .+, not "):
        sandbox.options.change(**option)
    assert sandbox.options == Options()
    with pytest.raises(TypeError, match="nope"):
        sandbox.options.change(nope=1)

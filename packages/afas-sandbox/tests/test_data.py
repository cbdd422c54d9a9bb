"""The sandbox' data keep what their connectors promise and fit together."""

from __future__ import annotations

import base64
import collections
import datetime as dt
import itertools
import os
import re
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox.data import dataset, identifiers, names
from afas_sandbox.data.definitions import connectors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from afas_sandbox.model import Connector, Row, Table

NOW = dt.datetime(2026, 11, 22, 12, 30, 15, 123_000)  # noqa: DTZ001 - wall time
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}")
FUTURE = "2099-03-02T10:15:00.000"

STANDARD = {
    "Profit_Debtor",
    "Profit_Creditor",
    "Profit_Article",
    "Profit_Contacts",
    "Profit_Address",
    "Profit_Projects",
    "Profit_SalesorderLines",
    "Profit_Salesorders",
    "Profit_Transactions",
    "Profit_Transactions_Allocated",
    "Profit_Employees",
    "Profit_Leaves",
    "Profit_Illness",
    "Profit_Accounts",
    "Profit_Administrations",
    "Profit_Deliveryaddress",
    "Profit_Article_Basic",
    "Profit_Fin_ChangedEntrydate",
    "Profit_Realization",
    "Profit_Currency",
    "Profit_Debtor_Invoices",
    "Profit_Timetable",
    "Profit_Journals",
    "Profit_VAT_code",
    "Profit_Users",
    "ProfitCountries",
    "ProfitGetConnectoren",
    "Profit_Article_image",
}

# A whole company is made for them.
pytestmark = pytest.mark.slow

Held = dict[str, list[dict[str, Any]]]


def named(connector: Connector, rows: Iterable[Row]) -> list[dict[str, Any]]:
    ids = [field.id for field in connector.fields]
    return [dict(zip(ids, row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def tables() -> dict[str, Table]:
    return {table.connector.id: table for table in dataset(now=NOW)}


@pytest.fixture(scope="module")
def held(tables: dict[str, Table]) -> Held:
    return {name: named(table.connector, table.rows) for name, table in tables.items()}


def cents(text: str) -> int:
    assert re.fullmatch(r"-?[0-9]+\.[0-9]{2}", text)
    return int(text.replace(".", ""))


def values(rows: Iterable[dict[str, Any]], field: str) -> set[Any]:
    return {row[field] for row in rows} - {None}


def test_there_are_enough_connectors(tables: dict[str, Table]) -> None:
    assert set(tables) >= STANDARD
    assert set(tables) == set(connectors())
    assert sum(name.startswith("Profit") for name in tables) >= 30
    assert sum(not name.startswith("Profit") for name in tables) >= 6


def test_labels_in_two_languages(tables: dict[str, Table]) -> None:
    debtor = tables["Profit_Debtor"].connector
    assert (debtor.description_en, debtor.description_nl) == ("Debtors", "Debiteuren")
    field = debtor.fields[debtor.position("ModifiedDate")]
    assert (field.label_en, field.label_nl, field.control_type) == ("Changed on", "Gewijzigd op", 8)
    fields = [(table.connector, field) for table in tables.values() for field in table.connector.fields]
    assert all(field.label_en and field.label_nl for _, field in fields)
    for table in tables.values():
        ids = [field.id for field in table.connector.fields]
        assert len(ids) == len(set(ids))


def test_what_a_connector_promises_exists(tables: dict[str, Table]) -> None:
    for table in tables.values():
        connector = table.connector
        promised = [*connector.key, *connector.changeable, connector.stamp, connector.created]
        for field_id in filter(None, promised):
            connector.position(field_id)
        assert not set(connector.changeable) & {*connector.key, connector.stamp, connector.created}
        assert len(connector.changeable) <= 4


def check_row(connector: Connector, row: Row) -> None:
    assert len(row) == len(connector.fields)
    for field, cell in zip(connector.fields, row, strict=True):
        where = f"{connector.id}.{field.id}: {cell!r}"
        if cell is None:
            assert field.id not in connector.key, where
            continue
        match field.data_type:
            case "boolean":
                assert isinstance(cell, bool), where
            case "int":
                assert type(cell) is int, where
                assert abs(cell) < 2**31, where
            case "date":
                assert isinstance(cell, str), where
                assert MOMENT.fullmatch(cell), where
                dt.datetime.fromisoformat(cell)
                assert cell.endswith("T00:00:00.000") or field.control_type != 4, where
                assert cell.startswith("1900-01-01T") or field.control_type != 7, where
            case "decimal":
                assert isinstance(cell, str), where
                point = rf"\.[0-9]{{{field.decimals}}}" if field.decimals else ""
                assert re.fullmatch(rf"-?[0-9]+{point}", cell), where
                assert len(cell.strip("-").replace(".", "")) <= field.length, where
                assert not re.fullmatch(r"-[0.]+", cell), where
            case "string":
                assert isinstance(cell, str), where
                assert len(cell) <= field.length, where
            case "blob":
                assert isinstance(cell, str), where


@pytest.mark.parametrize("seed", [1, 2, 77])
def test_every_cell_fits_its_type(seed: int) -> None:
    for table in dataset(now=NOW, seed=seed, scale=1 if seed == 1 else 0.1):
        for row in table.rows:
            check_row(table.connector, row)


def test_keys_are_unique_and_shorter_ones_are_not_promised(tables: dict[str, Table], held: Held) -> None:
    for name, rows in held.items():
        key = tables[name].connector.key
        if key:
            assert len({tuple(row[field] for field in key) for row in rows}) == len(rows), name
    joined = held["Orders_met_regels"]
    assert tables["Orders_met_regels"].connector.key == ()
    assert len({row["Ordernummer"] for row in joined}) < len(joined)
    booked = held["Profit_Transactions"]
    assert len({(row["UnitId"], row["EntryNo"], row["SeqNo"]) for row in booked}) < len(booked)
    articles = held["Profit_Article"]
    assert len({row["ItemCode"] for row in articles}) < len(articles)


def test_new_rows_fit_and_have_keys_of_their_own(tables: dict[str, Table], held: Held) -> None:
    for name, table in tables.items():
        key = [table.connector.position(field) for field in table.connector.key]
        new = [table.new_row(number) for number in (*range(30), 1000, 4321)]
        for row in new:
            filled = list(row)
            for field in filter(None, (table.connector.stamp, table.connector.created)):
                filled[table.connector.position(field)] = "2026-11-22T12:30:15.123"
            check_row(table.connector, tuple(filled))
        if key:
            known = {tuple(row[field] for field in table.connector.key) for row in held[name]}
            fresh = {tuple(row[place] for place in key) for row in new}
            assert len(fresh) == len(new), name
            assert not fresh & known, name


def test_how_many_rows(held: Held) -> None:
    count = {name: len(rows) for name, rows in held.items()}
    assert 50_000 < sum(count.values()) < 100_000
    assert max(count, key=lambda name: count[name]) == "Profit_Transactions"
    assert 20_000 < count["Profit_Transactions"] < 30_000
    assert all(count.values())


@pytest.mark.parametrize("scale", [0.0, 0.01, 0.3])
def test_a_small_company_holds_together(scale: float) -> None:
    small = {table.connector.id: named(table.connector, table.rows) for table in dataset(now=NOW, scale=scale)}
    assert {name for name, rows in small.items() if not rows} <= {"Profit_Creditor_Invoices", "Profit_Debtor_Invoices"}
    assert sum(map(len, small.values())) < 2500 + 90_000 * scale + 3000
    assert values(small["Profit_Salesorders"], "DebtorId") <= values(small["Profit_Debtor"], "DebtorId")


class TestRelations:
    def test_addresses_and_contacts_belong_to_debtors(self, held: Held) -> None:
        addresses = {row["AddressId"]: row for row in held["Profit_Address"]}
        debtors = {row["BcCo"]: row for row in held["Profit_Debtor"]}
        for place in held["Profit_Deliveryaddress"]:
            address = addresses[place["Adres_ID"]]
            assert (address["Address"], address["ZipCode"]) == (place["A_Straat"], place["A_Postcode"])
            assert place["Gewijzigd_op_2"] == address["ModifiedDate"]
            if place["Is_debiteur"]:
                assert debtors[place["OrgId"]]["DebtorId"] == place["DebiteurID"]
        assert values(held["Profit_Contacts"], "OrgNumber") == set(debtors)
        assert values(held["Profit_Address"], "Country") <= values(held["ProfitCountries"], "CoId")
        organisations = set(debtors) | values(held["Profit_Creditor"], "BcCo")
        persons = values(held["Profit_Contacts"], "PerNumber") | values(held["Profit_Employees"], "PersonId")
        assert organisations | persons == values(held["Profit_OrgPer"], "BcCo")

    def test_cities_and_postcodes_agree(self, held: Held) -> None:
        cities = {row["Residence"]: row for row in held["Profit_Residence"]}
        for address in held["Profit_Address"]:
            if address["Country"] == "NL":
                assert re.fullmatch(r"[1-9][0-9]{3} [A-Z]{2}", address["ZipCode"])
                city = cities[address["Recidence"]]
                assert city["ZipCodeBegin"] <= address["ZipCode"][:4] <= city["ZipCodeEnd"]

    def test_bank_accounts_are_valid(self, held: Held) -> None:
        accounts = values(held["Profit_BankAccounts"], "IBAN")
        for iban in accounts:
            digits = "".join(str(int(sign, 36)) for sign in iban[4:] + iban[:4])
            assert int(digits) % 97 == 1
        assert values(held["Profit_Debtor"], "IBAN") | values(held["Profit_Creditor"], "IBAN") <= accounts

    def test_codes_have_leading_zeros(self, held: Held) -> None:
        assert any(code.startswith("0") for code in values(held["Profit_Debtor"], "DebtorId"))
        assert any(code.startswith("0") for code in values(held["Profit_Article"], "ItemCode"))
        assert any(code.startswith("0") for code in values(held["Profit_Accounts"], "Account"))


class TestTrade:
    def test_lines_belong_to_orders_of_debtors(self, held: Held) -> None:
        orders = {row["OrderNumber"]: row for row in held["Profit_Salesorders"]}
        debtors = {row["DebtorId"]: row for row in held["Profit_Debtor"]}
        articles = {(row["ItemTypeCode"], row["ItemCode"]) for row in held["Profit_Article"]}
        lines = held["Profit_SalesorderLines"]
        assert values(lines, "OrderNumber") == set(orders)
        assert len(values(lines, "LineGuid")) == len(lines)
        for line in lines:
            order = orders[line["OrderNumber"]]
            assert (line["DebtorId"], line["OrderDate"]) == (order["DebtorId"], order["OrderDate"])
            assert (line["ItemTypeCode"], line["ItemCodeId"]) in articles
        for order in orders.values():
            assert debtors[order["DebtorId"]]["CurrencyId"] == order["CurrencyId"]
            assert debtors[order["DebtorId"]]["CreateDate"][:10] <= order["OrderDate"][:10]

    def test_totals_are_sums(self, held: Held) -> None:
        gross: collections.Counter[str] = collections.Counter()
        for line in held["Profit_SalesorderLines"]:
            gross[line["OrderNumber"]] += cents(line["AmtTotal"])
        for order in held["Profit_Salesorders"]:
            assert cents(order["Gross"]) == gross[order["OrderNumber"]]
            assert cents(order["Gross"]) - cents(order["Discount"]) == cents(order["TotalAmount"])
            assert cents(order["TotalAmount"]) + cents(order["VAT"]) == cents(order["InvoiceTotal"])

    def test_pictures_are_of_articles(self, held: Held) -> None:
        articles = {(row["ItemTypeCode"], row["ItemCode"]) for row in held["Profit_Article"]}
        for picture in held["Profit_Article_image"]:
            assert (picture["ItemType"], picture["ItemCodeId"]) in articles
            assert base64.b64decode(picture["Image"], validate=True).startswith(b"\x89PNG")


class TestLedger:
    def test_entries_balance(self, held: Held) -> None:
        sums: collections.Counter[tuple[Any, ...]] = collections.Counter()
        for row in held["Profit_Transactions"]:
            entry = row["UnitId"], row["JournalId"], row["EntryNo"]
            sums[entry] += cents(row["AmtDebit"]) - cents(row["AmtCredit"])
        assert set(sums.values()) == {0}

    def test_accounts_journals_and_codes_exist(self, held: Held) -> None:
        rows = held["Profit_Transactions"]
        journals = {(row["UnitId"], row["JournalId"]) for row in held["Profit_Journals"]}
        assert {(row["UnitId"], row["JournalId"]) for row in rows} <= journals
        assert values(rows, "AccountNo") <= values(held["Profit_Accounts"], "Account")
        assert values(rows, "VatCode") <= values(held["Profit_VAT_code"], "VatCode")
        assert values(rows, "UnitId") == values(held["Profit_Administrations"], "AdminId")
        assert values(held["Profit_VAT_code"], "AccountNr") <= values(held["Profit_Accounts"], "Account")
        periods = {(row["Unit"], row["Year"], row["Period"]) for row in held["Profit_periods_per_administration"]}
        assert {(row["UnitId"], row["Year"], row["Period"]) for row in rows} <= periods

    def test_a_line_of_several_cost_centres_is_several_rows_with_the_same_numbers(self, held: Held) -> None:
        numbers = ("UnitId", "Year", "JournalId", "EntryNo", "SeqNo")
        rows = held["Profit_Transactions_Allocated"]
        lines: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for row in rows:
            lines.setdefault(tuple(row[field] for field in numbers), []).append(row)
        shared = [parts for parts in lines.values() if len(parts) > 1]
        assert len(shared) > 100
        assert all(len({row["DimAx1"] for row in parts}) == len(parts) for parts in shared)
        # Elsewhere there is no cost centre, so that it can't be in a key.
        assert any(row["DimAx1"] is None for row in rows)
        booked = {tuple(row[field] for field in numbers): row for row in held["Profit_Transactions"]}
        for key, parts in lines.items():
            for amount in ("AmtDebit", "AmtCredit"):
                assert sum(cents(row[amount]) for row in parts) == cents(booked[key][amount])
            assert {row["Description"] for row in parts} == {booked[key]["Description"]}

    def test_open_items_are_what_is_left_on_the_accounts(self, held: Held) -> None:
        left: dict[str, collections.Counter[Any]] = {"1300": collections.Counter(), "1600": collections.Counter()}
        for row in held["Profit_Transactions"]:
            if row["AccountNo"] in left:
                invoice = row["UnitId"], row["InvoiceId"]
                left[row["AccountNo"]][invoice] += cents(row["AmtDebit"]) - cents(row["AmtCredit"])
        debtors = {(row["UnitId"], row["InvoiceNr"]): cents(row["Balance"]) for row in held["Profit_Debtor_Invoices"]}
        assert debtors == {invoice: amount for invoice, amount in left["1300"].items() if amount}
        creditors = {
            (row["UnitId"], row["InvoiceNr"]): -cents(row["AmtInvoice"]) for row in held["Profit_Creditor_Invoices"]
        }
        assert creditors == {invoice: amount for invoice, amount in left["1600"].items() if amount}

    def test_changed_days_are_those_of_the_entries(self, held: Held) -> None:
        last: dict[str, str] = {}
        for row in held["Profit_Transactions"]:
            last[row["EntryDate"]] = max(last.get(row["EntryDate"], ""), row["Modified"])
        assert {row["EntryDate"]: row["Modified"] for row in held["Profit_Fin_ChangedEntrydate"]} == last

    def test_balances_are_sums(self, held: Held) -> None:
        sums: collections.Counter[tuple[Any, ...]] = collections.Counter()
        for row in held["Profit_Transactions"]:
            key = row["UnitId"], row["Year"], row["Period"], row["AccountNo"]
            sums[key] += cents(row["AmtDebit"]) - cents(row["AmtCredit"])
        for row in held["Profit_Period_balance"]:
            key = row["UnitId"], row["Year"], row["Period"], row["AccountNr"]
            assert cents(row["Balance"]) == sums.pop(key)
        assert not sums


class TestStaff:
    def test_all_belongs_to_employees_of_that_time(self, held: Held) -> None:
        employees = {row["EmployeeId"]: row for row in held["Profit_Employees"]}
        for name in ("Profit_Leaves", "Profit_Illness", "Profit_Timetable", "Profit_Realization", "Profit_Users"):
            assert values(held[name], "EmployeeId") <= set(employees), name
        for row in held["Profit_Illness"]:
            assert employees[row["EmployeeId"]]["BSN"] == row["BSN"]
        for row in held["Profit_Realization"]:
            employee = employees[row["EmployeeId"]]
            assert employee["EmploymentStart"] <= row["DateTime"] <= (employee["EmploymentEnd"] or "9999")
        assert values(held["Profit_UserGroups"], "UserId") <= values(held["Profit_Users"], "UserId")

    def test_timetables_follow_each_other(self, held: Held) -> None:
        for _, group in itertools.groupby(held["Profit_Timetable"], key=lambda row: row["EmployeeId"]):
            tables = list(group)
            assert [row["SeqNo"] for row in tables] == list(range(1, len(tables) + 1))
            assert all(one["EndDate"] < two["StartDate"] for one, two in itertools.pairwise(tables))

    def test_citizen_numbers_pass_the_eleven_test(self, held: Held) -> None:
        for number in values(held["Profit_Employees"], "BSN"):
            digits = list(map(int, number))
            weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
            assert sum(weight * digit for weight, digit in zip(weights, digits, strict=True)) % 11 == 0

    def test_hours_are_written_on_projects(self, held: Held) -> None:
        assert values(held["Profit_Realization"], "ProjectId") <= values(held["Profit_Projects"], "ProjectId")
        assert values(held["Profit_Realization"], "ItemCodeId") <= values(held["Profit_Worktype"], "ItemCode")
        assert values(held["Profit_Projectstage"], "ProjectId") == values(held["Profit_Projects"], "ProjectId")
        assert values(held["Profit_Projects"], "DebtorId") <= values(held["Profit_Debtor"], "DebtorId")
        last: dict[str, str] = {}
        for row in held["Profit_Realization"]:
            last[row["DateTime"]] = max(last.get(row["DateTime"], ""), row["DateModified"])
        assert {row["EntryDate"]: row["Modified"] for row in held["Profit_Rea_ChangedEntryDate"]} == last

    def test_dossier_items_have_a_contact(self, held: Held) -> None:
        items = held["Profit_Subjects"]
        assert values(items, "ContactNr") <= values(held["Profit_Contacts"], "ContactId")
        assert values(items, "TypeId") <= values(held["Profit_SubjectTypes"], "SubjectTypeId")
        assert values(items, "Project") <= values(held["Profit_Projects"], "ProjectId")
        assert values(items, "Responsible") <= values(held["Profit_Users"], "UserId")


def test_the_list_of_connectors_lists_them(held: Held) -> None:
    assert values(held["ProfitGetConnectoren"], "Naam") == set(held)


@pytest.mark.parametrize("moment", [NOW, dt.datetime(2024, 3, 31, 3, 5), dt.datetime(2025, 1, 1)])  # noqa: DTZ001 - wall time
def test_stamps_are_in_order_and_past(moment: dt.datetime) -> None:
    now = moment.isoformat(timespec="milliseconds")
    skipped = re.compile(r"[0-9]{4}-03-(2[5-9]|3[01])T02:")
    for table in dataset(now=moment, scale=0.3):
        connector = table.connector
        for row in named(connector, table.rows):
            changed = row[connector.stamp] if connector.stamp else None
            made = row[connector.created] if connector.created else None
            for value in filter(None, (made, changed)):
                assert value <= now or value == FUTURE, (connector.id, value)
                if skipped.match(value):
                    assert dt.datetime.fromisoformat(value).weekday() != 6, (connector.id, value)
            if made and changed:
                assert made <= changed, connector.id


class TestOddities:
    def test_stamps_in_the_hour_that_comes_twice(self, held: Held) -> None:
        twice = [
            row["Modified"]
            for row in held["Profit_Transactions"]
            if re.match(r"[0-9]{4}-10-(2[5-9]|3[01])T02", row["Modified"])
        ]
        assert sum(dt.datetime.fromisoformat(value).weekday() == 6 for value in twice) > 10

    def test_stamps_in_the_future_are_in_one_connector(self, tables: dict[str, Table], held: Held) -> None:
        stamps = {name: table.connector.stamp for name, table in tables.items() if table.connector.stamp}
        later = {name: sum(row[stamp] == FUTURE for row in held[name]) for name, stamp in stamps.items()}
        assert {name: count for name, count in later.items() if count} == {"Serviceaanvragen": 2}

    def test_a_mass_import(self, held: Held) -> None:
        seconds = collections.Counter(row["Gewijzigd_op"][:19] for row in held["Prijslijst_import"])
        assert seconds.most_common(1)[0][1] > 2000

    def test_stamps_that_say_nothing(self, tables: dict[str, Table], held: Held) -> None:
        for name, fields in {
            "Profit_Article_Basic": ("CreateDate", "DateModified"),
            "Voorraad_actueel": ("Gewijzigd_op",),
        }.items():
            assert tables[name].connector.stamp is None
            for field in fields:
                assert len(values(held[name], field)) == 1
        some = [row["Datum_gewijzigd"] for row in held["Medewerkers_actueel"]]
        assert 0 < some.count(None) < len(some)
        assert {"Gewijzigd_op", "Gewijzigd_op_2"} <= held["Relaties_en_adressen"][0].keys()

    def test_the_second_stamp_of_an_outer_join_is_empty_in_most_rows(self, held: Held) -> None:
        joined = held["Facturen_en_opzeggingen"]
        assert [row["Factuurnummer"] for row in joined] == [row["Factuurnummer"] for row in held["Verkoop-facturen"]]
        filled = [row for row in joined if row["Gewijzigd_op_2"]]
        assert 10 < len(filled) < len(joined) / 4
        assert len(values(filled, "Contractnummer")) < len(filled)
        assert values(filled, "Contractnummer") <= values(held["Contracten"], "Contractnummer")

    def test_ids_with_odd_characters(self, tables: dict[str, Table]) -> None:
        fields = {field.id for field in tables["Verkoop-facturen"].connector.fields}
        assert {"A_Toev_Huisnr.", "Btw-nummer"} <= fields

    def test_texts_and_numbers_at_the_edge(self, held: Held) -> None:
        cells = [cell for rows in held.values() for row in rows for cell in row.values() if isinstance(cell, str)]
        joined = "\0".join(cells)
        for sign in ("\N{BEER MUG}", '"', "'", "\r\n", "\t", "&", "+", "#", "%", ",", ";", "\\"):
            assert sign in joined
        assert "" in cells
        assert {"1900-01-01T00:00:00.000", "9999-12-31T00:00:00.000"} <= set(cells)
        assert any(re.fullmatch(r"[0-9]{26}", cell) for cell in values(held["Activa"], "Verzekerde_som"))
        assert any(re.fullmatch(r"-0\.[0-9]{10}", cell) for cell in values(held["Activa"], "Boekwaarde"))
        assert "-0.40" in values(held["Profit_Transactions"], "AmtDebit")


class TestChance:
    def test_the_same_seed_gives_the_same_rows(self) -> None:
        one, two = (self.fingerprint(seed) for seed in (5, 5))
        assert one == two
        assert one != self.fingerprint(6)

    @staticmethod
    def fingerprint(seed: int) -> list[list[Row]]:
        return [list(table.rows) for table in dataset(now=NOW, seed=seed, scale=0.05)]

    def test_rows_can_be_read_twice(self, tables: dict[str, Table]) -> None:
        for name in ("Profit_Administrations", "Profit_Debtor_Invoices", "Profit_Rea_ChangedEntryDate"):
            assert list(tables[name].rows) == list(tables[name].rows)

    def test_other_processes_make_the_same(self) -> None:
        program = (
            "import datetime, hashlib; from afas_sandbox.data import dataset\n"
            "tables = dataset(now=datetime.datetime(2026, 11, 22), scale=0.02)\n"
            "print(hashlib.sha256(repr([list(table.rows) for table in tables]).encode()).hexdigest())"
        )
        found = {
            subprocess.run(
                [sys.executable, "-c", program],
                env=os.environ | {"PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
                text=True,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(found) == 1


def test_a_large_company_takes_no_memory() -> None:
    names.draw(1)
    tracemalloc.start()
    try:
        tables = dataset(now=NOW, scale=100)
        for table in tables:
            rows = sum(1 for _ in itertools.islice(table.rows, 10)) if "Changed" not in table.connector.id else 0
            assert rows <= 10
            if table.connector.id == "Profit_Salesorders":
                break
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000_000


@pytest.mark.parametrize(
    ("units", "decimals", "text"),
    [(0, 2, "0.00"), (-5, 2, "-0.05"), (-123, 2, "-1.23"), (7, 0, "7"), (-7, 0, "-7"), (1, 10, "0.0000000001")],
)
def test_decimals_are_exact_text(units: int, decimals: int, text: str) -> None:
    assert identifiers.decimal_text(units, decimals) == text

"""What AFAS deletes leaves PostgreSQL, or the view that docs/deletes.md shows, and nothing else does."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql

from afas_sandbox import Connector, Field, Table
from afas_sandbox.model import ChangedDays, DeletedRows
from demo.project import settings_of
from harness.process import load, run_tap
from harness.run import committed, last_state
from harness.source import Ticking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from afas_sandbox import Sandbox
    from demo.postgres import Database
    from harness.run import Run

_PAGE = (Path(__file__).resolve().parents[2] / "docs/deletes.md").read_text("utf-8")
_BEFORE = "2024-04-01T10:00:00.000"
_STAMP = Field("Gewijzigd_op", "date", "Date changed", "Gewijzigd op")
_DAY = 86_400


def _view(name: str) -> str:
    (found,) = [
        block for block in re.findall(r"```sql\n(.*?)```", _PAGE, re.DOTALL) if f'view tap_afas."{name}"' in block
    ]
    return str(found)


def _model(name: str) -> str:
    """The query of a dbt model, with the tables in place of its sources."""
    blocks = re.findall(r"```sql\n-- models/(\w+)\.sql\n(.*?)```", _PAGE, re.DOTALL)
    (found,) = [query for model, query in blocks if model == name]
    return re.sub(r"\{\{ source\('afas', '(\w+)'\) \}\}", r'tap_afas."\1"', found)


def _run(sandbox: Sandbox, state: Mapping[str, Any], **settings: Any) -> Run:
    ran = run_tap(settings_of(sandbox, **settings), state=state)
    assert ran.exit_code == 0, ran.said
    return ran


def _cases(sandbox: Sandbox) -> Ticking:
    fields = (Field("Nummer", "int", "Number", "Nummer"), Field("Naam", "string", "Name", "Naam"), _STAMP)
    rows = [(number, f"zaak {number}", _BEFORE) for number in range(40)]
    connector = Connector("Zaken", "Cases", "Zaken", fields, key=("Nummer",), stamp="Gewijzigd_op")
    sandbox.load([Table(connector, rows, lambda number: (number + 100, "nieuw", _BEFORE))])
    clock = sandbox.clock = Ticking()
    return clock


_REFRESHED: dict[str, Any] = {
    "streams": {"Zaken": {"primary_keys": ["Nummer"], "page_size": 10}},
    "full_refresh_every": "1d",
}


@pytest.mark.parametrize("hard", [True, False], ids=["hard", "soft"])
def test_a_refresh(sandbox: Sandbox, database: Database, *, hard: bool) -> None:
    clock = _cases(sandbox)
    first = _run(sandbox, {}, **_REFRESHED)
    load(first.output, database, hard_delete=hard)
    sandbox.change("Zaken", updates=4, inserts=4, deletes=6)
    there: dict[Any, Any] = {row[0]: row[1] for row in sandbox.rows("Zaken")}
    gone = set(range(40)) - there.keys()
    clock.tick(_DAY)
    ran = run_tap(settings_of(sandbox, **_REFRESHED), state=first.state)
    assert ran.exit_code == 0, ran.said
    # Killed anywhere, it takes out nothing that AFAS has.
    for part in (0.4, 0.8):
        output = committed(ran.output[: int(part * len(ran.output))])
        load(output, database, hard_delete=hard)
        left = {row["Nummer"] for row in database.rows("Zaken") if row["_sdc_deleted_at"] is None}
        assert left >= set(range(40))
    assert last_state(output)["bookmarks"]["Zaken"]["refresh_tried_at"]
    load(ran.output, database, hard_delete=hard)
    rows = {row["Nummer"]: row["Naam"] for row in database.rows("Zaken") if row["_sdc_deleted_at"] is None}
    assert rows == there
    marked = {row["Nummer"] for row in database.rows("Zaken") if row["_sdc_deleted_at"] is not None}
    assert marked == (set() if hard else gone)


def _bookings(sandbox: Sandbox) -> Ticking:
    fields = (
        Field("UnitId", "int", "Unit", "Administratie"),
        Field("Year", "int", "Year", "Jaar"),
        Field("JournalId", "string", "Journal", "Dagboek", 3),
        Field("EntryNo", "int", "Entry", "Boeking"),
        Field("SeqNo", "int", "Line", "Regel"),
        Field("EntryDate", "date", "Entry date", "Datum boeking", control_type=4),
        Field("AmtDebit", "decimal", "Debit", "Debet", 26, 2),
        Field("Modified", "date", "Date changed", "Datum gewijzigd"),
    )
    key = ("UnitId", "Year", "JournalId", "EntryNo", "SeqNo")

    def booking(number: int) -> tuple[Any, ...]:
        day = f"2024-03-{1 + number % 6:02}T00:00:00.000"
        return (1, 2024, "70", number, 1, day, f"{number}.50", _BEFORE)

    made = Connector(
        "Profit_Transactions", "Entries", "Mutaties", fields, key=key, stamp="Modified", changeable=("AmtDebit",)
    )
    listed = Connector(
        "Profit_Fin_ChangedEntrydate", "Days", "Dagen", (fields[5], fields[7]), key=("EntryDate",), stamp="Modified"
    )
    clock = sandbox.clock = Ticking()
    sandbox.load([
        Table(made, [booking(number) for number in range(60)], lambda number: booking(number + 60)),
        Table(
            listed,
            [(f"2024-03-{day:02}T00:00:00.000", _BEFORE) for day in range(1, 7)],
            lambda number: (f"2023-01-{number:02}T00:00:00.000", _BEFORE),
            follows=ChangedDays("Profit_Transactions", "EntryDate"),
        ),
    ])
    return clock


def test_the_view_of_changed_days(sandbox: Sandbox, database: Database) -> None:
    clock = _bookings(sandbox)
    settings = {"streams": {"Profit_Transactions": {"changed_days": True}}, "connectors": ["Profit_Transactions"]}
    state: dict[str, Any] = {}
    for turn in range(4):
        ran = _run(sandbox, state, **settings)
        state = ran.state
        load(ran.output, database)
        if not turn:
            database.execute(_view("Profit_Transactions_now"))
            database.execute(f"create view tap_afas.of_dbt as {_model('profit_transactions_now')}")
        seen = {
            (row["EntryNo"], row["EntryDate"], str(row["AmtDebit"]))
            for row in database.query(sql.SQL('select * from tap_afas."Profit_Transactions_now"'))
        }
        assert seen == {
            (row[3], datetime.date.fromisoformat(str(row[5])[:10]), str(row[6]))
            for row in sandbox.rows("Profit_Transactions")
        }
        clock.tick(3607)
        sandbox.change("Profit_Transactions", updates=3, inserts=3, deletes=3, moves=3, reinserts=1)
        if turn == 1:
            for row in list(sandbox.rows("Profit_Transactions")):
                if str(row[5]).startswith("2024-03-04"):
                    sandbox.delete("Profit_Transactions", row[:5])
    emptied = [row for row in database.rows("Profit_Transactions__days") if not row["rows"]]
    assert [row["EntryDate"] for row in emptied] in ([datetime.date(2024, 3, 4)], [])
    assert len(database.query(sql.SQL("select * from tap_afas.of_dbt"))) == len(seen)
    # More is in the table than in the view.
    assert len(database.rows("Profit_Transactions")) > len(seen)


def test_the_view_of_deleted_rows(sandbox: Sandbox, database: Database) -> None:
    number = Field("Factuurnummer", "string", "Invoice", "Factuurnummer", 20)
    made, gone = (
        Connector(name, "Invoices", "Facturen", (number, _STAMP), key=("Factuurnummer",), stamp="Gewijzigd_op")
        for name in ("Verkoopfacturen", "Verwijderde_verkoopfacturen")
    )
    deleted = DeletedRows("Verkoopfacturen", {"Factuurnummer": "Factuurnummer"})
    clock = sandbox.clock = Ticking()
    sandbox.load([
        Table(made, [(f"F{one:03}", _BEFORE) for one in range(20)], lambda one: (f"F{one + 20:03}", _BEFORE)),
        Table(gone, [("F900", _BEFORE)], lambda one: (f"G{one}", _BEFORE), follows=deleted),
    ])
    keys = {name: {"primary_keys": ["Factuurnummer"]} for name in ("Verkoopfacturen", "Verwijderde_verkoopfacturen")}
    state: dict[str, Any] = {}
    for turn in range(3):
        ran = _run(sandbox, state, streams=keys)
        state = ran.state
        load(ran.output, database)
        if not turn:
            database.execute(_view("Verkoopfacturen_now"))
            database.execute(f"create view tap_afas.of_dbt as {_model('verkoopfacturen_now')}")
        seen = {row["Factuurnummer"] for row in database.query(sql.SQL('select * from tap_afas."Verkoopfacturen_now"'))}
        assert seen == {row[0] for row in sandbox.rows("Verkoopfacturen")}
        clock.tick(3607)
        sandbox.change("Verkoopfacturen", deletes=4, inserts=1)
        clock.tick(60)
        sandbox.change("Verkoopfacturen", reinserts=2)
        clock.tick(60)
    assert len(database.query(sql.SQL("select * from tap_afas.of_dbt"))) == len(seen)
    assert len(database.rows("Verkoopfacturen")) > len(seen)

"""Connectors that AFAS ships: what becomes of those whose key is assumed, and of one whose lines repeat."""

from __future__ import annotations

import collections
import json
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Connector, Field, Table, amsterdam
from afas_sandbox.data import dataset
from harness.articles import config_of
from harness.command import run_tap

if TYPE_CHECKING:
    from afas_sandbox import Sandbox

ALLOCATED = "Profit_Transactions_Allocated"
LINE = ("UnitId", "Year", "JournalId", "EntryNo", "SeqNo")


@pytest.fixture(scope="module")
def allocated() -> Table:
    """Ledger lines, some of them shared by cost centres."""
    (table,) = (one for one in dataset(scale=0.1, now=amsterdam()) if one.connector.id == ALLOCATED)
    return Table(table.connector, tuple(table.rows), table.new_row)


def _lines(rows: list[dict[str, Any]]) -> collections.Counter[tuple[Any, ...]]:
    return collections.Counter(tuple(row[field] for field in (*LINE, "DimAx1")) for row in rows)


def test_ledger_lines_that_repeat_arrive_whole(sandbox: Sandbox, allocated: Table) -> None:
    sandbox.load([allocated])
    ran = run_tap(config_of(sandbox, streams={ALLOCATED: {"replication_key": "", "page_size": 100}}))
    assert ran.exit_code == 0, ran.log
    (schema,) = (message for message in ran.messages if message["type"] == "SCHEMA")
    assert schema["key_properties"] == []
    fields = [field.id for field in allocated.connector.fields]
    assert _lines(ran.records()) == _lines([dict(zip(fields, row, strict=True)) for row in allocated.rows])
    assert max(collections.Counter(tuple(row[field] for field in LINE) for row in ran.records()).values()) > 1


def test_five_fields_that_repeat_are_told_without_an_amount_in_the_advice(sandbox: Sandbox, allocated: Table) -> None:
    sandbox.load([allocated])
    ran = run_tap(config_of(sandbox, streams={ALLOCATED: {"primary_keys": list(LINE), "replication_key": ""}}))
    said = " ".join(ran.log)
    assert ran.exit_code != 0
    assert "The key UnitId, Year, JournalId, EntryNo, SeqNo is not unique" in said
    assert f"set `streams.{ALLOCATED}.primary_keys` to [] to load it without one" in said
    assert "AmtDebit" not in said
    assert "assumed" not in said


DEBTORS = Connector(
    "Profit_Debtor",
    "Debtors",
    "Debiteuren",
    (
        Field("DebtorId", "string", "Debtor number", "Nummer debiteur", 16, control_type=5),
        Field("Address_Id", "int", "Address ID", "Adres Id", 9),
    ),
)


@pytest.mark.parametrize("said_where", ["list", "catalog", "settings"])
def test_a_key_of_the_list_that_repeats_was_assumed(sandbox: Sandbox, said_where: str) -> None:
    """An administrator joined the addresses: each debtor stands there as often as it has some."""
    sandbox.load([Table(DEBTORS, [("1", 1), ("1", 2), ("2", 3)], lambda number: (str(number), number))])
    streams = {"Profit_Debtor": {"primary_keys": ["DebtorId"]}} if said_where == "settings" else {}
    config = config_of(sandbox, streams=streams)
    catalog = json.loads(run_tap(config, "--discover").output) if said_where == "catalog" else None
    ran = run_tap(config, catalog=catalog)
    said = " ".join(ran.log)
    assert "The key DebtorId is not unique: more than one row has DebtorId = 1." in said
    assert 'set `streams.Profit_Debtor.primary_keys` to ["Address_Id"], or to []' in said
    assert ("The tap assumed this key" in said) == (said_where != "settings")

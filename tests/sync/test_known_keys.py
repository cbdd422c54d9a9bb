"""Connectors that AFAS ships: what becomes of those whose key is assumed, and of one whose lines repeat."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Table, amsterdam
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

"""Keys of several fields make long questions: what doesn't fit into 2,049 characters is asked in turns."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Connector, Field, Table
from harness.command import run_tap

if TYPE_CHECKING:
    from afas_sandbox import Row, Sandbox

KEY = ("UnitId", "Year", "JournalId", "EntryNo", "SeqNo")
LONGEST = 2049
FIELDS = (
    Field("UnitId", "int", "", ""),
    Field("Year", "int", "", ""),
    Field("JournalId", "string", "", "", 10),
    Field("EntryNo", "int", "", ""),
    Field("SeqNo", "int", "", ""),
    Field("Modified", "date", "Changed on", "Gewijzigd op", control_type=8),
)


def entries() -> list[Row]:
    """Entries of a mass import: all changed in the same second."""
    chance = random.Random(1)  # noqa: S311 - test data
    return [
        (unit, year, journal, entry, line, "2026-01-01T00:00:00.500")
        for unit in (1, 2)
        for year in (2024, 2025)
        for journal in ("10", "MEMO")
        for entry in range(1, 12)
        for line in range(1, chance.randint(2, 5))
    ]


@pytest.mark.parametrize("page_size", [3, 7, 50, 100, 5000])
@pytest.mark.parametrize("replication_key", ["Modified", None])
@pytest.mark.parametrize("filtered", [False, True])
def test_every_row_comes_once(
    sandbox: Sandbox,
    page_size: int,
    replication_key: str | None,
    filtered: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    rows = entries()
    sandbox.load([Table(Connector("L", "", "", FIELDS, key=KEY, stamp="Modified"), rows, lambda _: rows[0])])
    settings: dict[str, Any] = {"primary_keys": list(KEY), "replication_key": replication_key, "page_size": page_size}
    if filtered:
        settings["filter"] = [
            [{"field": "Year", "operator": "=", "value": 2024}, {"field": "UnitId", "operator": ">=", "value": 1}],
            [{"field": "Year", "operator": "=", "value": 2025}],
        ]
    ran = run_tap({"base_url": sandbox.base_url, "token": sandbox.token, "streams": {"L": settings}})
    assert ran.exit_code == 0, ran.said
    keys = [tuple(record[field] for field in KEY) for record in ran.records("L")]
    assert sorted(keys) == sorted(row[:5] for row in rows)
    assert max(len(request.query) + 1 for request in sandbox.log) <= LONGEST

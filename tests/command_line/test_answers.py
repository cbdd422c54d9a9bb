"""Answers that are no answer, and answers in a strange dress; `tests/fuzz` makes up others."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from afas_sandbox import Fault
from harness.articles import article, articles, config_of
from harness.command import run_tap

if TYPE_CHECKING:
    from afas_sandbox import Sandbox


@pytest.mark.parametrize("kind", ["rows", "metainfo"])
@pytest.mark.parametrize("size", [1, 1000, 1_000_000])
def test_bytes(sandbox: Sandbox, kind: str, size: int) -> None:
    sandbox.load([articles(3)])
    config = config_of(sandbox)
    sandbox.faults = [{"kind": kind, "garbage": size}]
    ran = run_tap(config)
    assert (ran.exit_code, ran.records()) == (75 if kind == "rows" else 78, [])


def test_a_hundred_million_bytes(sandbox: Sandbox) -> None:
    sandbox.load([articles(30)])
    config = config_of(sandbox, page_size=10)
    sandbox.faults = [Fault(kind="rows", status=200, body=" " * 100_000_000, nth=2)]
    ran = run_tap(config)
    assert (ran.exit_code, len(ran.records())) == (0, 30)
    assert any("75 MB" in line and "Asking for 5 rows" in line for line in ran.lines("WARNING"))


def test_true_rows_in_a_strange_dress(sandbox: Sandbox) -> None:
    sandbox.load([articles(1)])
    _, name, price, number, _, _ = article(0)
    row = {
        "Modified": "2024-03-01T06:00:30Z",
        "Extra": [1, {"a": None}],
        "Blocked": True,
        "Name": name,
        "Code": "A00000",
    }
    body = json.dumps({"rows": [{**row, "Number": number, "Price": "0.50"}], "more": [1]}, indent=3)
    sandbox.faults = [Fault(kind="rows", status=200, body=body.replace('"0.50"', "-.50"))]
    ran = run_tap(config_of(sandbox, streams={"Articles": {"primary_keys": ["Code"], "replication_key": None}}))
    assert (ran.exit_code, price) == (0, "0.50")
    assert ran.records() == [
        {
            "Code": "A00000",
            "Name": name,
            "Price": Decimal("-0.50"),
            "Number": 0,
            "Blocked": True,
            "Modified": "2024-03-01T05:00:30+00:00",
        }
    ]

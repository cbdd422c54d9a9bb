"""Pages must be found in an index, however many rows there are."""

from __future__ import annotations

import dataclasses
import random
from typing import TYPE_CHECKING

import pytest
from asking import ITEM, items, structured

from afas_sandbox.options import Options
from afas_sandbox.query import parse
from afas_sandbox.selection import DatabaseHabits, select
from afas_sandbox.sides import Sides

if TYPE_CHECKING:
    from afas_sandbox import Sandbox

_CHANCE = random.Random(1)  # noqa: S311 - the shuffle of a test
_LEDGER = dataclasses.replace(ITEM, key=("Number", "Code", "Price"))
_KEY = "Number,Code,Price"
_AFTER = structured(
    [("Number", 4, 1)], [("Number", 1, 1), ("Code", 4, "B")], [("Number", 1, 1), ("Code", 1, "B"), ("Price", 4, "1.00")]
)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"orderbyfieldids": _KEY}, "INDEX t0_key"),
        ({"orderbyfieldids": _KEY, "filterjson": _AFTER}, "INDEX t0_key ((c3,s0,s2)>"),
        ({"orderbyfieldids": f"Modified,{_KEY}"}, "INDEX t0_stamp"),
        (
            {
                "orderbyfieldids": f"Modified,{_KEY}",
                "filterfieldids": "Modified",
                "filtervalues": "2024-01-01T00:00:00",
                "operatortypes": "2",
            },
            "INDEX t0_stamp (c5>?)",
        ),
        (
            {
                "orderbyfieldids": _KEY,
                "filterfieldids": "Modified,Modified",
                "filtervalues": "2024-01-01T00:00:00,2024-01-01T00:00:01",
                "operatortypes": "2,5",
                "filterjson": _AFTER,
            },
            "INDEX t0_stamp (c5>? AND c5<?)",
        ),
        (
            {
                "orderbyfieldids": _KEY,
                "filterfieldids": "Modified",
                "filtervalues": "",
                "operatortypes": "8",
                "filterjson": _AFTER,
            },
            "INDEX t0_stamp (c5=?",
        ),
    ],
)
def test_a_page_is_found_in_an_index(sandbox: Sandbox, asked: dict[str, str], found: str) -> None:
    sandbox.load([items(connector=_LEDGER)])
    kept = sandbox._store.stored_table("Item")
    selection = select(parse(_LEDGER, asked), Sides(kept, Options()), DatabaseHabits(), _CHANCE)
    plan = sandbox._store.plan("Item", selection).replace(kept.name, "t0")
    assert found in plan
    assert "SCAN t0;" not in plan

"""Rows that nothing tells apart, or that all sort alike: they are read by offset, and each comes once."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

import pytest

from afas_sandbox import Field
from harness.source import Source, Walk, row, source_of
from harness.syncing import run

if TYPE_CHECKING:
    from afas_sandbox import Sandbox


@pytest.mark.parametrize("count", [500, 2000])
def test_more_rows_sort_alike_than_a_page_holds(sandbox: Sandbox, count: int) -> None:
    fields = (Field("Code", "string", "Code", "Code", 30), Field("Memo", "blob", "Memo", "Memo"))
    ran = run(
        source_of(sandbox, fields, (), None, [("same", f"memo {number}") for number in range(count)]), page_size=100
    )
    assert ran.error is None, ran.said
    assert collections.Counter(record["Memo"] for record in ran.records()) == collections.Counter(
        f"memo {number}" for number in range(count)
    )


@pytest.mark.parametrize("count", [100, 200, 300])
def test_equal_rows_in_a_round_number_end(sandbox: Sandbox, count: int) -> None:
    source = Source(sandbox, Walk.named("by offset"), [row(1, "2024-01-01T00:00:00")] * count)
    ran = run(source, page_size=1000)
    assert ran.error is None, ran.said
    assert len(ran.records()) == count


def test_more_equal_rows_than_a_capped_page_holds(sandbox: Sandbox) -> None:
    source = Source(sandbox, Walk.named("by offset"), [row(1, "2024-01-01T00:00:00")] * 250, take_cap=100)
    ran = run(source, page_size=1000)
    assert "AFAS sends fewer rows than asked, and more rows sort alike than it sends." in ran.said

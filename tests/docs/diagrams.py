"""Draws the state diagrams of the paginators into `docs/`, from the tables that they go by.

python tests/docs/diagrams.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tap_afas.profit.pagination import keyset, lower_bound_check, several_stamps, stream_paginator

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-a-sync-works.md"
TABLES: dict[str, dict[Any, dict[str, Any]]] = {
    "run": stream_paginator.TRANSITIONS,
    "several": several_stamps.TRANSITIONS,
    "keyset": keyset.TRANSITIONS,
    "lower-bound": lower_bound_check.TRANSITIONS,
}


def diagram(table: dict[Any, dict[str, Any]]) -> str:
    """A Mermaid diagram of a table of transitions."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {phase.name} : {phase.value}" for phase in table]
    lines += [f"    {phase.name} --> {to.name} : {why}" for phase, steps in table.items() for why, to in steps.items()]
    return "\n".join(["```mermaid", *lines, "```"])


def drawn(text: str) -> str:
    """A page with its diagrams drawn anew."""
    for name, table in TABLES.items():
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, behind = rest.partition(f"\n<!-- /{name} -->")
        text = before + begin + diagram(table) + end + behind
    return text


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text("utf-8")), "utf-8")

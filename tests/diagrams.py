"""Draws the state diagrams of the paginators into `docs/`, from the tables that they go by.

python tests/diagrams.py
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tap_afas.profit.pagination import contact, keyset, readings

if TYPE_CHECKING:
    import enum

PAGE = Path(__file__).resolve().parent.parent / "docs" / "how-a-sync-works.md"
TABLES = {"readings": readings.TRANSITIONS, "keyset": keyset.TRANSITIONS, "contact": contact.TRANSITIONS}


def diagram(table: dict[enum.Enum, dict[str, enum.Enum]]) -> str:
    """A Mermaid diagram of a table of transitions."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {phase.name} : {phase.value}" for phase in table]
    lines += [f"    {phase.name} --> {to.name} : {why}" for phase, steps in table.items() for why, to in steps.items()]
    return "\n".join(["```mermaid", *lines, "```"])


def drawn(text: str) -> str:
    """A page with its diagrams drawn anew."""
    for name, table in TABLES.items():
        part = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
        text = part.sub(lambda found, table=table: found[1] + diagram(table) + found[2], text)  # type: ignore[misc]  # mypy can't infer a lambda with a default
    return text


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text("utf-8")), "utf-8")

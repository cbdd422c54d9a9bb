"""The table of what the search for keys finds: in the sandbox' connectors, their keys hidden, and in the traps.

`.venv/bin/python tests/docs/key_results.py` prints it; with `--all`, each connector.
"""

from __future__ import annotations

import collections
import pathlib
import sys
from typing import TYPE_CHECKING

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from afas_sandbox import amsterdam
from afas_sandbox.data import dataset
from harness.key_traps import LATER, TRAPS, Asked, Trap, find, judged
from tap_afas.profit.metainfo import Connector, Field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from afas_sandbox import Table

ALSO_KEYS = {"Profit_SalesorderLines": ("LineGuid",)}
"""What tells the rows of a connector apart besides the key that the sandbox names."""
_WORTH = ("right", "larger", "accident", "wrong", "missed", "rightly none")


def _described(table: Table) -> Connector:
    fields = [
        Field(one.id, one.data_type, one.label_en, one.length, one.decimals, one.control_type)
        for one in table.connector.fields
    ]
    return Connector(table.connector.id, table.connector.description_en, {field.id: field for field in fields})


def of_sandbox(scale: float = 1.0) -> Iterator[tuple[str, str, str]]:
    """By connector of the sandbox: its id, what the verdict is worth, and the verdict."""
    for table in dataset(scale=scale, now=amsterdam()):
        connector, rows = _described(table), list(table.rows)
        keys = [frozenset(key) for key in (table.connector.key, ALSO_KEYS.get(connector.id, ())) if key]
        verdict = find(connector, Asked(connector, rows))
        yield connector.id, judged(verdict, list(connector.fields), keys, rows), str(verdict)


def of_traps(traps: Iterable[Trap] = TRAPS) -> Iterator[tuple[str, str, str]]:
    """Likewise of the self-made ones."""
    for trap in traps:
        connector, rows = trap.connector, trap.made()
        verdict = find(connector, Asked(connector, rows))
        yield connector.id, judged(verdict, list(connector.fields), trap.keys, rows), str(verdict)


def table(results: dict[str, list[str]]) -> str:
    """The table; in brackets, how many of them come with a doubt."""
    lines = [f"| | {' | '.join(_WORTH)} |", "| --- " * (len(_WORTH) + 1) + "|"]
    for name, worth in results.items():
        counts = collections.Counter(worth)
        cells = []
        for one in _WORTH:
            doubted = counts[f"{one}?"]
            cells.append(f"{counts[one] + doubted}" + (f" ({doubted})" if doubted else ""))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Print it."""
    found = {"sandbox": list(of_sandbox()), "self-made": list(of_traps()), "written later": list(of_traps(LATER))}
    if "--all" in sys.argv:
        for results in found.values():
            for name, worth, verdict in results:
                print(f"{worth:14}{name:32}{verdict}")  # noqa: T201 - a command speaks
    worth_of = {f"{name} ({len(results)})": [one[1] for one in results] for name, results in found.items()}
    print(table(worth_of))  # noqa: T201 - a command speaks


if __name__ == "__main__":
    main()

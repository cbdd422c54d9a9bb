"""The books spread over cost centres: a line that two of them share is two rows that nothing else tells apart."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from afas_sandbox.data.ledger import ACCOUNTS, COLLECTING, GENERAL, NEW_ENTRY, PURCHASES, Entry, Line, entry_rows
from afas_sandbox.data.world import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox.data.ledger import Ledger
    from afas_sandbox.model import Row, Table

COST_CENTRES = ("100", "200", "310", "320")
AMOUNTS = slice(7, 9)


class Allocation:
    """What was bought and the month-ends, by cost centre.

    Rows bear the keys of Profit_Transactions. A cost centre stands in those on accounts of cost; every third of these
    lines is shared by two or three, each with its part of the amount. Nothing tells such rows apart for sure.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def tables(self) -> Iterator[Table]:
        """The one table."""
        yield table("Profit_Transactions_Allocated", self._rows, self._new_row)

    def _rows(self) -> Iterator[Row]:
        for entry, number in self.ledger.numbered_entries():
            if entry.journal in {PURCHASES, GENERAL}:
                yield from _allocated(entry, number)

    def _new_row(self, number: int) -> Row:
        day = self.ledger.world.time.days[-1]
        entry = Entry(1, GENERAL, day, None, f"N{number}", "Nulregel", (Line("4500", 0, 0),), "", "")
        return next(_allocated(entry, NEW_ENTRY + number))


def _allocated(entry: Entry, number: int) -> Iterator[Row]:
    for place, (line, row) in enumerate(zip(entry.lines, entry_rows(entry, number), strict=True)):
        for part, centre in _parts(line, number + place):
            # The amounts are the cost centre's; all else is the line's.
            amounts = next(entry_rows(dataclasses.replace(entry, lines=(part,)), number))[AMOUNTS]
            yield (
                *row[: AMOUNTS.start],
                ACCOUNTS[line.account],
                *amounts,
                *row[AMOUNTS.stop :],
                "W" if line.account[0] in "478" else "B",
                COLLECTING.get(line.account),
                centre,
                None,
                None,
                None,
                None,
            )


def _parts(line: Line, number: int) -> Iterator[tuple[Line, str | None]]:
    """The line's part of each cost centre; the whole line without one where it isn't on an account of cost."""
    if line.account[0] != "4":
        yield line, None
        return
    centres = 1 if number % 3 else 2 + number % 2
    debit, credit = line.debit, line.credit
    for left in range(centres, 0, -1):
        part = Line(line.account, debit // left, credit // left)
        debit, credit = debit - part.debit, credit - part.credit
        yield part, COST_CENTRES[(number + left) % len(COST_CENTRES)]

"""The table that everyone reads: journal lines of 18 fields, rendered once into a file that pages are cut from.

Its order by stamp is its order by key, so any page that AFAS would send is one slice of the file.
"""

from __future__ import annotations

import array
import datetime
import mmap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

TAKE = 8333
"""Rows a page: 150,000 values over 18 fields, the tap's own choice."""

KEY = "EntryNo"
STAMP = "Modified"

FIELDS: dict[str, tuple[str, int]] = {
    "UnitId": ("int", 2),
    "EntryNo": ("int", 2),
    "SeqNo": ("int", 2),
    "Year": ("int", 2),
    "Period": ("int", 2),
    "JournalId": ("string", 1),
    "AccountNo": ("string", 1),
    "AmtDebit": ("decimal", 6),
    "AmtCredit": ("decimal", 6),
    "EntryDate": ("date", 4),
    "InvoiceId": ("string", 1),
    "VoucherDate": ("date", 4),
    "VoucherNo": ("string", 1),
    "VatCode": ("string", 1),
    "VatAmt": ("decimal", 6),
    "Description": ("string", 1),
    "Created": ("date", 5),
    "Modified": ("date", 5),
}
"""`dataType` and `controlType`, by id."""

_JSON_TYPES = {"int": "integer", "decimal": "number", "string": "string", "date": "string"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        field: {
            "type": [_JSON_TYPES[kind], "null"],
            **({"format": "date-time"} if kind == "date" else {}),
        }
        for field, (kind, _) in FIELDS.items()
    },
}
"""What the peers are told, since they can't ask."""

_BEGIN = datetime.datetime(2021, 1, 4, 7)  # noqa: DTZ001 - wall time, as AFAS writes it
_SPAN = 5 * 365 * 86400
_LINES = 4
_WORDS = (
    "Verkoopfactuur",
    "Inkoop kantoorartikelen",
    "Huur bedrijfspand",
    "Bankkosten",
    "Loonjournaalpost",
    "Memoriaal",
)


def metainfo(connector: str) -> dict[str, Any]:
    """The answer of `/metainfo/get/{connector}`."""
    fields = [
        {
            "id": field,
            "fieldId": field,
            "dataType": kind,
            "label": field,
            "length": 60 if kind == "string" else 0,
            "controlType": control,
            "decimals": 2 if kind == "decimal" else 0,
            "decimalsFieldId": "",
        }
        for field, (kind, control) in FIELDS.items()
    ]
    return {"name": connector, "description": "Journal lines", "fields": fields}


def _render(number: int, step: int) -> str:
    chance = number * 2_654_435_761
    modified = _BEGIN + datetime.timedelta(seconds=number // _LINES * _LINES * step)
    created = modified - datetime.timedelta(minutes=number // _LINES % 5000)
    cents, debit = 100 + chance % 4_999_900, number % 2
    amount = f"{cents // 100}.{cents % 100:02}"
    invoice = f'"{number:010}"' if number % 3 else "null"
    return (
        f'{{"UnitId":{1 + number % 3},"EntryNo":{number + 1},"SeqNo":{number % _LINES + 1},"Year":{created.year},'
        f'"Period":{created.month},"JournalId":"{10 * (1 + number % 7)}","AccountNo":"{chance % 9973:04}",'
        f'"AmtDebit":{amount if debit else "0.00"},"AmtCredit":{"0.00" if debit else amount},'
        f'"EntryDate":"{created:%Y-%m-%d}T00:00:00Z",'
        f'"InvoiceId":{invoice},'
        f'"VoucherDate":"{created:%Y-%m-%d}T00:00:00Z","VoucherNo":"{number // _LINES:08}","VatCode":"{number % 5}",'
        f'"VatAmt":{cents // 400}.{cents % 100:02},"Description":"{_WORDS[number % 6]} nr. {number} Café De Gevel",'
        f'"Created":"{created.isoformat()}Z","Modified":"{modified.isoformat()}Z"}},'
    )


class Table:
    """Rows on disk.

    Args:
        folder: Where the file is, or will be.
        rows: How many.
    """

    def __init__(self, folder: Path, rows: int) -> None:
        self.rows = rows
        self.step = max(1, _SPAN // rows)
        path = folder / f"{rows}.rows"
        if not path.exists():
            self._build(path)
        with path.open("rb") as file:
            self._bytes = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        self._ends = array.array("Q")
        with path.with_suffix(".ends").open("rb") as file:
            self._ends.fromfile(file, rows + 1)

    def _build(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        ends = array.array("Q", [0])
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            for number in range(self.rows):
                ends.append(ends[-1] + file.write(_render(number, self.step).encode()))
        with path.with_suffix(".ends").open("wb") as file:
            ends.tofile(file)
        unfinished.rename(path)

    def cut(self, first: int, last: int) -> memoryview:
        """Rows `first` up to, not including, `last`, as JSON with commas between."""
        return self._bytes[self._ends[first] : max(self._ends[first], self._ends[last] - 1)]

    def at_key(self, key: int) -> int:
        """The first row whose key is at or after this one."""
        return min(max(key - 1, 0), self.rows)

    def at_stamp(self, wall: str) -> int:
        """The first row whose stamp is at or after this wall time."""
        seconds = (datetime.datetime.fromisoformat(wall) - _BEGIN).total_seconds()
        lines = _LINES * -int(-seconds // (_LINES * self.step))
        return min(max(lines, 0), self.rows)

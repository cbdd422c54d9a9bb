"""The fields that pages are ordered by, and how large the next page should be."""

from __future__ import annotations

import dataclasses
import decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

from tap_afas.profit.errors import ProfitError

if TYPE_CHECKING:
    import collections

Value: TypeAlias = "str | int | decimal.Decimal | bool | None"
"""A value of a row as AFAS wrote it; a date is still wall time with its `Z`."""

Key: TypeAlias = tuple[Value, ...]

KeyKind = Literal["text", "number", "boolean", "date", "moment"]


@dataclasses.dataclass(frozen=True, slots=True)
class KeyField:
    """A field of the key.

    Attributes:
        id: The field's id.
        kind: How its values compare. A `moment` is a date with a time: stored finer than shown, so that "equal" never
            matches.
    """

    id: str
    kind: KeyKind

    def literal(self, value: Value) -> str:
        """A value of it as filters want it."""
        if isinstance(value, bool):
            return "true" if value else "false"
        text = f"{value:f}" if isinstance(value, decimal.Decimal) else str(value)
        return text.removesuffix("Z").partition(".")[0] if self.kind in {"date", "moment"} else text


@dataclasses.dataclass(eq=False)
class MisbehavedError(ProfitError):
    """AFAS answered another question than the one asked."""

    advice: str = (
        "Nothing after this page was read. Run again; if it comes back, give AFAS' support the GetConnector's name,"
        " since no other client would notice."
    )


def strike(known: collections.Counter[bytes], fingerprint: bytes) -> bool:
    """Whether a row is among the known ones; counts it off."""
    if known[fingerprint] <= 0:
        return False
    known[fingerprint] -= 1
    return True


# AFAS may cap `take` (its documentation doesn't say where), and a cap is a round number.
_ROUND = 50
_GROW_AFTER = 8
_GROWTH = 1.5


class PageSize:
    """How many rows to ask for: as many as wanted, fewer where AFAS can't, slowly more again.

    Args:
        wanted: Rows a page at best.
    """

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.take = wanted
        self._good = 0
        self._largest_good = 0
        self._suspected_cap = 0

    def shrink(self) -> bool:
        """Halve the page after AFAS found it too much; False when it can't be smaller."""
        if self.take <= 1:
            return False
        if 0 < self._largest_good < self.take:
            # It had grown too far: what went well before is as much as there is to have.
            self.wanted = self.take = self._largest_good
        else:
            self.take = max(1, self.take // 2)
        self._good = self._largest_good = 0
        return True

    def is_last(self, rows: int, asked: int, *, new: bool) -> bool:
        """Whether an answer is the walk's last, by its number of rows.

        Fewer rows than asked are the end, unless their number is round: then AFAS may have capped the page, and one
        more request tells; when that brings new rows, the cap is remembered.

        Args:
            rows: In the answer.
            asked: The `take` of the question.
            new: Whether rows came that hadn't come before.
        """
        cap = self._suspected_cap
        if cap and new and rows:
            self.wanted = self.take = min(self.take, cap)
        self._suspected_cap = 0
        if rows >= asked:
            self._grow()
            return False
        # Fewer than a suspected cap can't be capped.
        if rows >= max(_ROUND, cap) and (rows % _ROUND == 0 or rows.bit_count() == 1):
            self._suspected_cap = rows
            return False
        return True

    def trust(self) -> None:
        """Forget the suspicion: what is asked next is another question, and the same rows may come."""
        self._suspected_cap = 0

    def _grow(self) -> None:
        self._good += 1
        self._largest_good = max(self._largest_good, self.take)
        if self._good >= _GROW_AFTER and self.take < self.wanted:
            self.take = min(self.wanted, int(self.take * _GROWTH) + 1)
            self._good = 0

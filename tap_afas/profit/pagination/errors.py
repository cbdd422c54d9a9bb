"""What ends a walk because going on would lose rows: AFAS' answer doesn't fit the query."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Self

from tap_afas.profit.errors import ProfitError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclasses.dataclass(eq=False)
class MisbehavedError(ProfitError):
    """AFAS' answer contradicts the query: wrong order, rows outside its conditions, the same page again.

    The advice is for the person who runs the tap; what contradicts what stands in the sentence, with the query.
    """

    advice: str = (
        "No row was skipped: the state still stands before this page. Run again. If it stays, read the connector in"
        " another way: set `streams.<connector>.primary_keys` to another unique field (or to [] for none), or"
        " `replication_key` to empty for a full table; and report the GetConnector and this query to AFAS' support."
    )
    later: bool = True


@dataclasses.dataclass(eq=False)
class KeyComparisonError(MisbehavedError):
    """AFAS compares the key differently from how it shows it, so its rows can't be read in the order of the key.

    Example: a code stored as `"   12"` and shown as `"12"`: `>= "12"` then passes over it.
    """

    advice: str = "Set `primary_keys` of this connector to a field that AFAS compares as it shows it, such as a number."
    later: bool = False

    @classmethod
    def for_key(cls, key: Sequence[str], what: str) -> Self:
        """The error for rows that don't start at the key asked for.

        Args:
            key: The key's fields.
            what: The rows that came instead, such as "rows before it".
        """
        compared = f"AFAS compares {', '.join(key)} differently from how it shows it"
        return cls(f"{compared}: asked for the rows that start at a given key, it sent {what}.")

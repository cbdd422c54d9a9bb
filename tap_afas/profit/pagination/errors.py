"""AFAS answered otherwise than it was asked: a walk that went on would lose rows."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Self

from tap_afas.profit.errors import ProfitError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclasses.dataclass(eq=False)
class MisbehavedError(ProfitError):
    """AFAS answered another question than the one asked."""

    advice: str = (
        "Nothing after this page was read. Run again; if it comes back, give AFAS' support the GetConnector's name and"
        " the question."
    )


@dataclasses.dataclass(eq=False)
class KeyComparisonError(MisbehavedError):
    """AFAS compares the key otherwise than it shows it; rows can only be read by offset."""

    advice: str = "Set `primary_keys` of this connector to a field that AFAS compares as it shows it, such as an id."

    @classmethod
    def for_key(cls, key: Sequence[str], what: str) -> Self:
        """The error where AFAS sends something else than the rows from one on."""
        compared = f"AFAS compares {', '.join(key)} otherwise than it shows it"
        return cls(f"{compared}: asked for the rows from one on, it sends {what}.")

"""What is said where a value doesn't fit its field."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import msgspec

from tap_afas.profit.errors import ProfitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_afas.profit.metainfo import Kind

_WORDS: dict[Kind, str] = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date without a time",
    "date-time": "a date and time",
    "time": "a time of day (on 1900-01-01, as AFAS writes one)",
}


@dataclasses.dataclass(eq=False)
class UnfitValueError(ProfitError):
    """A value that doesn't fit its field's type.

    Attributes:
        field: The field's id.
    """

    _: dataclasses.KW_ONLY
    field: str = ""


def unfit_value(connector_id: str, field: str, key: Mapping[str, str], kind: Kind) -> UnfitValueError:
    """The error for a value of another kind.

    Args:
        connector_id: The connector.
        field: The field.
        key: The key of its row; empty where the connector has none.
        kind: What the value was to be.
    """
    return UnfitValueError(
        f"The value of {field} {_where(key)} is not {_WORDS[kind]}.",
        f"If that is right in AFAS, give the field another type and run discovery again;"
        f" `streams.{connector_id}.types: {{{field}: string}}` takes whatever AFAS writes.",
        field=field,
    )


def replaced_value(connector_id: str, field: str, key: Mapping[str, str], *, needed: bool) -> UnfitValueError:
    """The error where a value says that its field is gone, and that can't be.

    Args:
        connector_id: The connector.
        field: The field.
        key: As in `unfit_value`.
        needed: Whether the field is in the key, or the replication key; otherwise other rows hold values in it.
    """
    if needed:
        return UnfitValueError(
            f"The value of {field} {_where(key)} is “(replaced)”, as AFAS writes for a field that no longer exists; and"
            " it is in the key, or the replication key.",
            f"Set `primary_keys` and `replication_key` in `streams.{connector_id}` to fields that exist, and run"
            " discovery again.",
            field=field,
        )
    return UnfitValueError(
        f"The value of {field} {_where(key)} contradicts other rows: some hold “(replaced)”, as AFAS writes for a field"
        " that no longer exists, and some hold values.",
        "If the field was taken out of AFAS, or added, during this run, run again. Otherwise see in the GetConnector"
        " what it is, and take it out there or out of the selection.",
        field=field,
    )


def _where(key: Mapping[str, str]) -> str:
    named = ", ".join(f"{name} = {value}" for name, value in key.items())
    return f"in the row with {named}" if named else "in a row (its connector has no key to name it by)"


def told(value: Any) -> str:
    """A value as text; of JSON, no more than its beginning."""
    return bytes(value)[:80].decode("utf-8", "replace") if isinstance(value, msgspec.Raw) else str(value)

"""What AFAS tells about its GetConnectors, in `/metainfo` and `/metainfo/get/{id}`, and the kinds of their values."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import re
from typing import TYPE_CHECKING, Any, Literal, get_args

from tap_afas.known_secrets import SECRETS
from tap_afas.profit.errors import ADDRESS, UnexpectedAnswerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Kind = Literal["string", "integer", "number", "boolean", "date", "date-time", "time"]
KINDS: tuple[Kind, ...] = get_args(Kind)

REPLACED = frozenset({"(replaced)", "(vervangen)"})
"""What stands in every row in place of the values of a field that no longer exists, whatever its type
(docs.afas.help, "App connector auditor", DATA-23)."""

# What a control type makes of a date; else it has a time.
_DATE_KINDS: dict[int, Kind] = {4: "date", 7: "time"}
_KINDS: dict[str, Kind] = {"int": "integer", "decimal": "number", "boolean": "boolean"}
_LONGEST_SORTABLE = 250
_PLAIN_ID = re.compile(r"[\w-]+", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One field of a GetConnector.

    Attributes:
        id: Its key in a row, and its name in filters and orders.
        data_type: `string`, `int`, `decimal`, `boolean`, `date` (also for date-times) or `blob`; others may come.
        label: Its name for people, in the language asked for; not unique.
        length: Characters, or digits.
        decimals: Digits after the point.
        control_type: How AFAS shows it: 4 is a date without a time, 7 a time without a date; no official list exists.
    """

    id: str
    data_type: str
    label: str = ""
    length: int = 0
    decimals: int = 0
    control_type: int = 0

    @property
    def filterable(self) -> bool:
        """Whether AFAS can filter on it."""
        return self.data_type != "blob" and _PLAIN_ID.fullmatch(self.id) is not None

    @property
    def sortable(self) -> bool:
        """Whether AFAS can sort on it; otherwise it answers "Invalid Index field"."""
        return self.filterable and (self.data_type != "string" or self.length <= _LONGEST_SORTABLE)


@dataclasses.dataclass(frozen=True, slots=True)
class Connector:
    """One GetConnector with its fields.

    Attributes:
        id: As `/metainfo` spells it.
        description: For people.
        fields: By id, in AFAS' order.
        described_at: AFAS' clock when it described it, if it said.
    """

    id: str
    description: str
    fields: dict[str, Field]
    described_at: datetime.datetime | None = None


def kind_of(field: Field) -> Kind:
    """The kind of a field's values, from what metainfo says; text for what is unknown."""
    if field.data_type == "date":
        return _DATE_KINDS.get(field.control_type, "date-time")
    return _KINDS.get(field.data_type, "string")


def kinds_of(connector: Connector, types: Mapping[str, Kind]) -> dict[str, Kind]:
    """The kinds of a connector's fields, by id.

    Args:
        connector: The connector.
        types: Kinds from the settings, which win.
    """
    return {field.id: types.get(field.id) or kind_of(field) for field in connector.fields.values()}


@dataclasses.dataclass(frozen=True, slots=True)
class Environment:
    """An AFAS environment as `/metainfo` describes it: what the token may read.

    Attributes:
        id: Name of the environment that answered, `O12345AA`; empty in old versions.
        connectors: Descriptions of the GetConnectors, by id.
        token_expiry: When the token ends, as AFAS writes it; empty if it says nothing or `"0"` (never).
    """

    id: str
    connectors: dict[str, str]
    token_expiry: str

    @property
    def token_ends(self) -> datetime.date | None:
        """The day on which the token ends; None if AFAS names none, or in a way that isn't known here."""
        # AFAS documents no notation; these are the ones it uses elsewhere.
        for notation, length in (("%Y-%m-%d", 10), ("%d-%m-%Y", 10), ("%Y%m%d", 8)):
            with contextlib.suppress(ValueError):
                return (
                    datetime.datetime.strptime(self.token_expiry[:length], notation).replace(tzinfo=datetime.UTC).date()
                )
        return None


_PARTS = {"getConnectors", "updateConnectors", "customConnectors", "info"}


def read_environment(content: Any) -> Environment:
    """Read the answer of `/metainfo`; every part of it may be missing.

    Raises:
        UnexpectedAnswerError: The answer doesn't have the form of `/metainfo`.
    """
    if not isinstance(content, dict) or not _PARTS & content.keys():
        raise UnexpectedAnswerError("This is not AFAS' list of connectors (/metainfo).", f"Check {ADDRESS}.")
    info = content.get("info")
    info = info if isinstance(info, dict) else {}
    expiry = _text(info.get("tokenExpiry"))
    connectors = [
        entry for entry in _list(content.get("getConnectors")) if isinstance(entry, dict) and _text(entry.get("id"))
    ]
    environment = Environment(
        id=_text(info.get("envid")),
        connectors={_text(entry["id"]): _text(entry.get("description")) for entry in connectors},
        token_expiry="" if expiry == "0" else expiry,
    )
    _check_names("AFAS' list of connectors (/metainfo)", [environment.id, *environment.connectors])
    return environment


def read_connector(connector_id: str, content: Any) -> Connector:
    """Read the answer of `/metainfo/get/{id}`.

    Raises:
        UnexpectedAnswerError: The answer describes no field.
    """
    fields = content.get("fields") if isinstance(content, dict) else None
    found = [_read_field(entry) for entry in _list(fields) if isinstance(entry, dict) and _text(entry.get("id"))]
    if not found:
        raise UnexpectedAnswerError(
            f"AFAS describes no fields for {connector_id}.", "Open the GetConnector in AFAS and check its definition."
        )
    _check_names("AFAS' description of the connector", [field.id for field in found])
    return Connector(connector_id, _text(content.get("description")), {field.id: field for field in found})


def _check_names(where: str, names: Iterable[str]) -> None:
    """Check that no secret is a name: it would become one in every record, in the catalog and in the state."""
    if any(map(SECRETS.are_in_name, names)):
        raise UnexpectedAnswerError(
            f"{where} has a secret in use where a name belongs.",
            f"Rename what bears it in AFAS, or check {ADDRESS}.",
        )


def _read_field(entry: dict[str, Any]) -> Field:
    return Field(
        id=_text(entry["id"]),
        data_type=_text(entry.get("dataType")).lower(),
        label=_text(entry.get("label")),
        length=_number(entry.get("length")),
        decimals=_number(entry.get("decimals")),
        control_type=_number(entry.get("controlType")),
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return (
        value
        if isinstance(value, str)
        else str(value)
        if isinstance(value, int | float) and not isinstance(value, bool)
        else ""
    )


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 0

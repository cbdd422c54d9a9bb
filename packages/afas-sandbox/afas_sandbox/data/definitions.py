"""Reads the definitions of the sandbox' connectors from the files that ship beside this module."""

from __future__ import annotations

import functools
import importlib.resources
import json
from typing import TYPE_CHECKING, TypedDict, cast

from afas_sandbox.model import Connector, Field

if TYPE_CHECKING:
    from afas_sandbox.model import DataType

FILES = ("definitions.json", "selfmade.json")
"""The standard connectors of AFAS, and those a customer made."""

CONTROLS: dict[str, tuple[DataType, int]] = {
    "blob": ("blob", 23),
    "code": ("string", 5),
    "date": ("date", 4),
    "decimal": ("decimal", 1),
    "flag": ("boolean", 1),
    "int": ("int", 1),
    "moment": ("date", 8),
    "ref": ("int", 5),
    "remark": ("string", 23),
    "text": ("string", 1),
    "time": ("date", 7),
}
"""What the files call a field's kind: its data type and control type."""


class Definition(TypedDict):
    """One connector as the files write it; a field is `[id, kind, English label, Dutch label]`."""

    en: str
    nl: str
    key: list[str]
    stamp: str | None
    created: str | None
    changeable: list[str]
    fields: list[tuple[str, str, str, str]]


def _field(field_id: str, kind: str, label_en: str, label_nl: str) -> Field:
    name, _, size = kind.partition(":")
    length, _, decimals = size.partition(".")
    data_type, control_type = CONTROLS[name]
    return Field(field_id, data_type, label_en, label_nl, int(length or 0), int(decimals or 0), control_type)


@functools.cache
def connectors() -> dict[str, Connector]:
    """All connectors of the sandbox, by id."""
    found: dict[str, Connector] = {}
    for name in FILES:
        text = importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
        for connector_id, definition in cast("dict[str, Definition]", json.loads(text)).items():
            found[connector_id] = Connector(
                id=connector_id,
                description_en=definition["en"],
                description_nl=definition["nl"],
                fields=tuple(_field(*field) for field in definition["fields"]),
                key=tuple(definition["key"]),
                stamp=definition["stamp"],
                created=definition["created"],
                changeable=tuple(definition["changeable"]),
            )
    return found

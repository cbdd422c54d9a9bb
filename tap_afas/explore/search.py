"""Finds a text in connectors and their fields, whatever its case, accents and punctuation."""

from __future__ import annotations

import dataclasses
import unicodedata
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tap_afas.profit.metainfo import Connector


@dataclasses.dataclass(frozen=True, slots=True)
class Hit:
    """Where a text was found.

    Attributes:
        where: In a connector's `id` or `description`, or in the `id` or `label` of one of its fields.
        field: The field's id; None where it is about the connector.
        text: What it was found in.
    """

    where: Literal["id", "description", "label"]
    field: str | None
    text: str


def folded(text: str) -> str:
    """A text as it is compared: `E-mailadres (privé)` -> `emailadresprive`; where nothing is left, the text itself."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in apart if one.isalnum()) or text.casefold().strip()


def hits(connector_id: str, description: str, connector: Connector | None, text: str) -> list[Hit]:
    """Where a text stands in a connector: its id and description, the ids and labels of its fields."""
    wanted = folded(text)
    found = []
    if wanted in folded(connector_id):
        found.append(Hit("id", None, connector_id))
    if wanted in folded(description):
        found.append(Hit("description", None, description))
    for field in connector.fields.values() if connector is not None else ():
        if wanted in folded(field.id):
            found.append(Hit("id", field.id, field.id))
        if wanted in folded(field.label):
            found.append(Hit("label", field.id, field.label))
    return found

"""What is known of the connectors that AFAS ships: their keys, and which field is "last modified on".

Metainfo tells neither (docs.afas.help, "GetConnector"), so a key is assumed: only where it can be argued that it
doesn't repeat. `docs/known-keys.md` argues for each.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_afas.profit.metainfo import Connector, Field

_ENTRY = ("UnitId", "Year", "JournalId", "EntryNo", "SeqNo")

KEYS: dict[str, tuple[str, ...]] = {
    "Profit_Address": ("AddressId",),
    "Profit_Administrations": ("AdminId",),
    "Profit_Article": ("ItemTypeCode", "ItemCode"),
    "Profit_Creditor": ("CreditorId",),
    "Profit_Debtor": ("DebtorId",),
    "Profit_Employees": ("EmployeeId",),
    "Profit_Projects": ("ProjectId",),
    "Profit_Projectstage": ("ProjectId", "ProjectStage"),
    "Profit_Realization": ("Identity",),
    "Profit_SalesorderLines": ("LineGuid",),
    "Profit_Transactions": _ENTRY,
}
"""Keys that can't repeat."""

FORMER_KEYS: dict[str, tuple[str, ...]] = {
    "Profit_Contacts": ("ContactId",),
    "Profit_Illness": ("GUID",),
    "Profit_Leaves": ("LeaveId",),
    "Profit_Subjects": ("SubjectId",),
    "Profit_Timetable": ("EmployeeId", "SeqNo"),
    "Profit_Transactions_Allocated": _ENTRY,
}
"""Keys that earlier versions assumed and that may repeat; a table may have been loaded under one."""

CHANGED_DAYS: dict[str, tuple[str, str]] = {
    "Profit_Transactions": ("Profit_Fin_ChangedEntrydate", "EntryDate"),
    "Profit_Realization": ("Profit_Rea_ChangedEntryDate", "DateTime"),
}
"""Which connector lists the booking days of another that changed, and the field of that other with the day
(help.afas.nl, App_Cnnct_View_Audit)."""

# Standard connectors in which a field looks like a stamp and is none.
_DUMMIES = {"profit_article_basic": {"DateModified", "CreateDate"}}

# "Last modified on" in the languages of AFAS, accents and punctuation taken off; the whole of an id or label must
# match, but for the number that AFAS puts behind an id that comes twice.
_MODIFIED = re.compile(
    r"""(?:
      (?:date\ )?(?:last\ )?(?:line\ )?(?:modified|changed)(?:\ (?:on|at|date|line))?
    | (?:last\ )?modif(?:ied|ication)\ date | last\ (?:modification|change)
    | date\ of\ (?:last\ )?(?:change|modification) | date\ last\ changed
    | last\ changed\ line
    | (?:datum\ |regel\ )?(?:laatst\ )?gewijzigd(?:\ op)? | (?:laatste\ )?wijziging(?:sdatum)?
    | datum\ (?:laatste\ )?wijziging
    | mutatiedatum | datum\ mutatie | laatste\ mutatie
    | modifie\ le | date\ de\ (?:la\ )?(?:derniere\ )?modification | derniere\ modification(?:\ le)? | date\ modifiee?
    | (?:zuletzt\ )?geandert\ am | anderungsdatum | letzte\ anderung | datum\ geandert | zuletzt\ geandert
    )(?:\ \d+)?""",
    re.VERBOSE,
)


def listed_key(keys: Mapping[str, tuple[str, ...]], connector_id: str) -> tuple[str, ...]:
    """A connector's key in a list such as `KEYS`; the case of its id doesn't count."""
    folded = connector_id.casefold()
    return next((key for name, key in keys.items() if name.casefold() == folded), ())


def known_key(connector: Connector) -> tuple[str, ...]:
    """The key of a standard connector, if it is known and its fields are all there."""
    key = listed_key(KEYS, connector.id)
    return key if all(field in connector.fields for field in key) else ()


def is_assumed(connector_id: str, key: Sequence[str]) -> bool:
    """Whether a key is, or was, the list's."""
    return bool(key) and tuple(key) in {listed_key(keys, connector_id) for keys in (KEYS, FORMER_KEYS)}


def stamp_candidates(connector: Connector, date_times: Sequence[Field]) -> list[str]:
    """The fields that seem to be "last modified on".

    Args:
        connector: The connector.
        date_times: Those of its fields that hold a date with a time.
    """
    dummies = _DUMMIES.get(connector.id.casefold(), set())
    return [
        field.id
        for field in date_times
        if field.sortable
        and field.id not in dummies
        and "dummy" not in field.label.lower()
        and any(_MODIFIED.fullmatch(words(text)) for text in (field.id, field.label))
    ]


def words(text: str) -> str:
    """Words in lower case without accents: `DateModified` -> `date modified`."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return " ".join(re.findall(r"[a-z0-9]+", plain))

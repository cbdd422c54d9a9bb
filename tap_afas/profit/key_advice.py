"""What to do where a key turns out not to be one: which fields would tell the rows of a page apart.

Every set of fields that has an amount in it tells rows apart, until two of them agree, or one changes and becomes
another row. So ids and numbers come first, then codes, days and marks; amounts, texts and times are no part of a key.
"""

from __future__ import annotations

import dataclasses
import enum
import itertools
import json
import re
from typing import TYPE_CHECKING

from tap_afas.profit.known_connectors import words
from tap_afas.profit.metainfo import kind_of

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from tap_afas.profit.metainfo import Connector, Field
    from tap_afas.profit.page import Page

_ID = re.compile(r"\w*(?:nummer|number|guid|code|sleutel)|\w*nr|\w+id|id|no|key|num|identity|indentity|seq|line|regel")
# What an id may be called nevertheless; it then ends in one of these.
_ENDS_AS_ID = re.compile(r"id|nr|no|code|guid|nummer|number")
_TEXT = re.compile(r"\w*(?:naam|name|omschrijving|titel|title|tekst|text|tijd|time|voorraad|stock)|desc|description|ds")
_NO_KEY = re.compile(
    r"""(?:\w*(?:bedrag|prijs|price|tarief|saldo|balance|telefoon|phone|mail|barcode|referentie|reference|percentage))
    |amt\w*|amount|quantity|aantal|hours|uren|rate|perc|debit|debet|credit|total|totaal|factor
    |tel|telefoonnr|mobiel|mobile|fax|iban|bic|bsn|kvk|postcode|zip|zipcode|huisnummer|huisnr|house|serial|serienummer
    |memo|note|notitie|comment|toelichting|opmerking|remark|presentation\w*|presentatie\w*""",
    re.VERBOSE,
)
_COUNT = re.compile(r"(?:number|nombre) (?:of|de)\b.*|anzahl\b.*")
_TIME, _REMARK, _REFERENCE = 7, 23, 5
_LONGEST_CODE = 64
# How many fields are tried in all combinations, and how many together.
_MOST_TRIED, _MOST_TOGETHER = 14, 4
# Most sets fail within so many rows.
_FIRST_ROWS = 500
_AUDITOR = (
    "AFAS itself tells the key in the developer report of its AppConnector Auditor: the unique indexes of the"
    " connector's main table (PERF-46), the first of them first."
)


@dataclasses.dataclass(frozen=True, slots=True)
class KeyHints:
    """What is known of a connector, for where its key turns out not to be one.

    Attributes:
        setting: Where its key is set.
        likely: Fields that may be a part of a key, the likeliest first: ids and numbers,
        possible: and codes, days and marks.
        assumed: Whether the key is from the tap's own list.
    """

    setting: str = "`primary_keys` of this connector"
    likely: tuple[str, ...] = ()
    possible: tuple[str, ...] = ()
    assumed: bool = False


class _Rank(enum.IntEnum):
    """How likely a field is a part of a key."""

    GUID = 0
    NUMBER = 1
    REFERENCE = 2
    POSSIBLE = 3
    NEVER = 4


def key_hints(connector: Connector, read: Container[str], *, assumed: bool) -> KeyHints:
    """What is known of a connector, for where its key turns out not to be one.

    Args:
        connector: The connector.
        read: The fields that are read.
        assumed: Whether the key is from the tap's own list.
    """
    ranks = {field.id: _rank(field) for field in connector.fields.values() if field.id in read}
    # By what AFAS can't sort on, such as an id with a dot, rows are read more slowly.
    ranked = sorted(ranks, key=lambda field: (ranks[field], not connector.fields[field].sortable))
    return KeyHints(
        f"`streams.{connector.id}.primary_keys`",
        tuple(field for field in ranked if ranks[field] < _Rank.POSSIBLE),
        tuple(field for field in ranked if ranks[field] == _Rank.POSSIBLE),
        assumed,
    )


def _rank(field: Field) -> _Rank:
    kind = kind_of(field)
    if _is_no_part_of_a_key(field):
        return _Rank.NEVER
    if kind in {"date", "boolean"}:
        return _Rank.POSSIBLE
    said = f"{words(field.id)} {words(field.label)}".split()
    if "guid" in said:
        return _Rank.GUID
    if any(map(_ID.fullmatch, said)):
        return _Rank.NUMBER
    return _Rank.REFERENCE if kind == "integer" or field.control_type == _REFERENCE else _Rank.POSSIBLE


def _is_no_part_of_a_key(field: Field) -> bool:
    """Whether it holds an amount, text, file or time."""
    kind = kind_of(field)
    if field.data_type == "blob" or kind in {"number", "date-time"} or field.control_type in {_TIME, _REMARK}:
        return True
    if kind == "string" and field.length > _LONGEST_CODE:
        return True
    named, label = words(field.id), words(field.label)
    said = f"{named} {label}".split()
    if any(map(_NO_KEY.fullmatch, said)) or _COUNT.fullmatch(named) or _COUNT.fullmatch(label):
        return True
    return any(map(_TEXT.fullmatch, said)) and not _ENDS_AS_ID.fullmatch(named.rpartition(" ")[2])


def advice(page: Page, key: Sequence[str]) -> str:
    """What to do about a key that doesn't tell the rows of a page apart."""
    hints = page.hints
    found = smallest_key(page, key)
    if found:
        *others, last = found
        together = f"{', '.join(others)} and {last} tell" if others else f"{last} tells"
        names = json.dumps(found, ensure_ascii=False)
        told = (
            f"In this page of {len(page)}, {together} all rows apart: set {hints.setting} to {names}, or to [] if there"
            " is no key."
        )
    else:
        told = (
            "No ids, numbers, codes or days that are filled in every row tell this page apart, and amounts, texts and"
            f" times are no key: set {hints.setting} to [] to load it without one, or add an id field to the"
            " GetConnector in AFAS."
        )
    assumed = "The tap assumed this key: it is from its own list (docs/known-keys.md), AFAS tells none. "
    return f"{assumed if hints.assumed else ''}{told} {_AUDITOR}"


def smallest_key(page: Page, key: Sequence[str] = ()) -> list[str]:
    """A smallest set of fields that tells the rows of a page apart, each filled in every row.

    Ids and numbers alone, if they do; else with codes, days and marks. No part of the set does.

    Args:
        page: The rows.
        key: The key that doesn't; its fields come first among their like.

    Returns:
        The fields, the likeliest first; empty where none do.
    """
    hints = page.hints
    likely = _informative(page, sorted(hints.likely, key=lambda field: field not in key))
    named = [field for field in key if field not in {*hints.likely, *hints.possible}]
    possible = _informative(page, [*sorted(hints.possible, key=lambda field: field not in key), *named])
    for fields in (likely, [*likely, *possible]):
        for some in (fields[:_MOST_TRIED], fields):
            if _tells_apart(page, some):
                return _reduced(page, some)
    return []


def _informative(page: Page, fields: Sequence[str]) -> list[str]:
    """The fields that are read, filled in every row, and not the same in all."""
    columns = ((field, set(page.column(field))) for field in fields)
    return [field for field, values in columns if None not in values and len(values) > 1]


def _tells_apart(page: Page, fields: Sequence[str]) -> bool:
    columns = [page.column(field) for field in fields]
    for rows in (min(_FIRST_ROWS, len(page)), len(page)):
        if len(set(zip(*(itertools.islice(column, rows) for column in columns), strict=True))) < rows:
            return False
    return True


def _reduced(page: Page, fields: Sequence[str]) -> list[str]:
    """The first of the smallest sets; where there are too many to try, what is left when none can be spared."""
    if len(fields) <= _MOST_TRIED:
        for size in range(1, _MOST_TOGETHER + 1):
            for some in itertools.combinations(fields, size):
                if _tells_apart(page, some):
                    return [*some]
    needed = [*fields]
    for field in reversed(fields):
        fewer = [one for one in needed if one != field]
        if _tells_apart(page, fewer):
            needed = fewer
    return needed

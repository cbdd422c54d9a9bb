"""Whether the key tells rows apart.

An upserting target keeps one row per key: where a key repeats, rows would vanish there without a word. AFAS doesn't
tell the key of a GetConnector, and a join of one to many repeats the key of the one. An answer is one query, so a key
that stands twice in one answer repeats for sure, and the walks see to it that rows with one key always meet in an
answer: each page starts with the end of the one before.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from tap_afas.profit.errors import ProfitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.page import Key, KeyField, Page


class UnfitKeyError(ProfitError):
    """The key doesn't tell the rows apart."""


def check_keys(page: Page, fields: Sequence[KeyField]) -> None:
    """See to it that no key of a page is null or repeats.

    Raises:
        UnfitKeyError: One does; names the fields, the first values, and what would help.
    """
    if not fields or not len(page):
        return
    names = [field.id for field in fields]
    for name in names:
        column = page.column(name)
        if None in column:
            position = list(column).index(None)
            others = _describe(names, page.keys[position])
            raise UnfitKeyError(
                f"The key field {name} is empty in a row ({others}).",
                f"Rows can't be told apart by {', '.join(names)}: set `primary_keys` of this connector to fields that"
                " are always filled, or to [] for none.",
            )
    if len(set(page.keys)) == len(page.keys):
        return
    seen: set[Key] = set()
    repeated = next(key for key in page.keys if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    raise UnfitKeyError(
        f"The key {', '.join(names)} is not unique: more than one row has {_describe(names, repeated)}.",
        f"A target would keep one of them. {_advice(page, names)}",
    )


def _describe(names: Sequence[str], key: Key) -> str:
    return ", ".join(f"{name} = {value}" for name, value in zip(names, key, strict=True))


def _advice(page: Page, names: Sequence[str]) -> str:
    further = _further_fields(page, names)
    if further is None:
        return (
            "Set `primary_keys` of this connector to [] to load it without a key, or add an id field to the"
            " GetConnector in AFAS."
        )
    fields = ", ".join(f'"{name}"' for name in (*names, *further))
    return (
        f"In this page, {' and '.join(further)} would make it unique:"
        f" set `primary_keys` of this connector to [{fields}]."
    )


def _further_fields(page: Page, names: Sequence[str]) -> tuple[str, ...] | None:
    """The fewest fields, at most two, that make the key unique in this page."""
    columns = {name: page.column(name) for name in page.fields if name not in names}
    filled = [name for name, column in columns.items() if None not in column]
    pairs = itertools.islice(itertools.combinations(filled, 2), 500)
    for further in itertools.chain(((name,) for name in filled), pairs):
        if len(set(zip(page.keys, *(columns[name] for name in further), strict=True))) == len(page):
            return further
    return None

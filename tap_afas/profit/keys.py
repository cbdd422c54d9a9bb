"""Whether the key tells rows apart.

An upserting target keeps one row per key: where a key repeats, rows would vanish there without a word. AFAS doesn't
tell the key of a GetConnector, and a join of one to many repeats the key of the one. An answer is one query, so a key
that stands twice in one answer repeats for sure. The walk by key sees to it that rows with one key always meet in an
answer, since each page starts with the end of the one before; the walk by stamp remembers keys.
"""

from __future__ import annotations

import collections
import itertools
import random
from typing import TYPE_CHECKING, Any

from tap_afas.profit.errors import ProfitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.page import Key, KeyField
    from tap_afas.profit.rows import Page


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
    if None in itertools.chain.from_iterable(page.keys):
        key = next(key for key in page.keys if None in key)
        raise UnfitKeyError(
            f"The key field {names[key.index(None)]} is empty in a row ({_describe(names, key)}).",
            f"Rows can't be told apart by {', '.join(names)}: set `primary_keys` of this connector to fields that"
            " are always filled, or to [] for none.",
        )
    if len(set(page.keys)) == len(page.keys):
        return
    repeated = next(key for key, count in collections.Counter(page.keys).items() if count > 1)
    raise UnfitKeyError(
        f"The key {', '.join(names)} is not unique: more than one row has {_describe(names, repeated)}.",
        f"A target would keep one of them. {_advice(page, names)}",
    )


class SeenKeys:
    """The keys of rows that changed long ago, with their stamps: a key with two of them repeats.

    A walk by stamp meets the rows of a key in different pages when their stamps lie apart, and a row that changes
    meanwhile comes again with a later stamp. A stamp of long ago can't come up any more, so both rows are there now.
    Of many keys, only some are remembered: where a join repeats keys, it repeats most of them.

    Args:
        fields: The key's fields.
        long_ago: The stamp from which on a key is passed over; None: all are.
        most: How many keys to remember.
    """

    def __init__(self, fields: Sequence[KeyField], long_ago: Any, most: int = 10_000) -> None:
        self._names = [field.id for field in fields]
        self._long_ago = long_ago
        self._most = most
        # Every how many rows one is remembered. Which one is chance, since rows may have a rhythm of their own.
        self._step = 1
        self._chance = random.Random(0)  # noqa: S311 - draws a sample, guards nothing
        self._stamps: dict[Key, Any] = {}

    def check(self, page: Page) -> None:
        """See to it that no key of a page was met with another stamp.

        Raises:
            UnfitKeyError: One was.
        """
        if not self._names or self._long_ago is None:
            return
        keys, stamps = page.keys, page.stamps
        met = self._stamps.keys() & keys
        for key, stamp in zip(keys, stamps, strict=True) if met else ():
            if key in met and self._is_settled(stamp) and self._stamps[key] != stamp:
                raise UnfitKeyError(
                    f"The key {', '.join(self._names)} is not unique: more than one row has"
                    f" {_describe(self._names, key)}.",
                    "A target would keep one of them. Set `primary_keys` of this connector to fields that tell these"
                    " rows apart, or to [] to load it without a key. (If the row was given an older stamp while it was"
                    " read, run again.)",
                )
        for position in range(self._chance.randrange(self._step), len(keys), self._step):
            if self._is_settled(stamps[position]):
                self._stamps[keys[position]] = stamps[position]
        while len(self._stamps) > self._most:
            self._step *= 2
            self._stamps = dict(self._chance.sample(list(self._stamps.items()), self._most // 2))

    def _is_settled(self, stamp: Any) -> bool:
        return stamp is None or bool(stamp < self._long_ago)


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

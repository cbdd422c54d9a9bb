"""Finds the key of a GetConnector: a paginator over both ends of its rows, for any caller to drive.

AFAS tells no key. This asks for at most four pages, and ends with a verdict: the fields that told all rows apart which
it saw, what speaks for and against them. A key that is found is there to be proposed to a person: what is unique today
needn't be so tomorrow, and an upserting target then overwrites a row without a word.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Literal

from tap_afas.profit.key_doubts import Doubt, doubts_about
from tap_afas.profit.key_search import MOST_FIELDS, KeySearch, Sample, varying
from tap_afas.profit.key_words import Part, part_of_key
from tap_afas.profit.pagination.page_size import is_last_page
from tap_afas.profit.query import Query

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tap_afas.profit.metainfo import Connector
    from tap_afas.profit.page import Page
    from tap_afas.profit.pagination.key import Value
    from tap_afas.profit.query import Filter

_LARGEST_PAGE, _MOST_CELLS, _PAGE_WITH_BLOBS = 5000, 150_000, 300
# A table that is whole must have so many rows to tell anything, and of another so many must have been seen.
_FEWEST_WHOLE, _FEWEST_SEEN = 20, 500
# Of codes, few are whole tables.
_FEWEST_CODES = 2

Nature = Literal["guid", "number", "line", "combination", "code", "attribute"]
"""What makes a key unique: a GUID; a number or code of its own; a line number within something; several that only
together tell rows apart; the code of something that other connectors name too; a mark such as a country."""

Why = Literal["no candidates", "too few rows", "equal rows", "not unique", "chance", "outer join"]
"""Why there is no key: no field may be part of one; there is too little to tell by; two rows are equal in all fields;
no set of fields tells all apart; one does that chance could have made; a line number that some rows lack."""


class Phase(enum.Enum):
    """What is asked next."""

    FIRST = "the first page, in the order of likely fields"
    END = "whether a page that isn't full was the whole table"
    OTHER_END = "the last page, in the order of the key found"
    DONE = "nothing more"


@dataclasses.dataclass(frozen=True, slots=True)
class Refuted:
    """Fields that were a key until rows came that share them.

    Attributes:
        fields: The fields.
        example: The values that two rows share.
        varying: The fields in which such rows differ, if that is known.
    """

    fields: tuple[str, ...]
    example: Mapping[str, Value]
    varying: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class KeyVerdict:
    """What was found out about a key.

    Attributes:
        key: Its fields, in the order of the definition; empty: none was found.
        needed: Those of them that tell the rows apart without the others.
        rows: In how many rows it was looked for.
        whole: Whether those are the whole table.
        nature: What makes it unique.
        doubts: What speaks against it.
        why: Why none was found.
        near: What would have been the key, where there is none.
        refuted: What was none.
    """

    key: tuple[str, ...]
    needed: tuple[str, ...]
    rows: int
    whole: bool
    nature: Nature | None = None
    doubts: tuple[Doubt, ...] = ()
    why: Why | None = None
    near: tuple[str, ...] = ()
    refuted: tuple[Refuted, ...] = ()


class KeyFinder:
    """Asks for what tells a connector's key. A page must hold the connector's fields, or those in `read`.

    Args:
        connector: The connector.
        read: The fields that pages hold; None: all.
        where: Which rows.
        most: Rows a page at most; None: as many as tell a key.
    """

    def __init__(
        self,
        connector: Connector,
        *,
        read: Collection[str] | None = None,
        where: Filter = (),
        most: int | None = None,
    ) -> None:
        self._connector = connector
        fields = [field for field in connector.fields.values() if read is None or field.id in read]
        self._fields = tuple(field.id for field in fields)
        parts = {field.id: part for field in fields if (part := part_of_key(field)) is not None}
        self._search = KeySearch(fields, parts)
        self._where = where
        has_blob = any(field.data_type == "blob" for field in fields)
        limits = [_PAGE_WITH_BLOBS if has_blob else _LARGEST_PAGE, _MOST_CELLS // max(1, len(connector.fields))]
        self.take = max(1, min(limits if most is None else [*limits, most]))
        self._order = self._first_order()
        self._sample = Sample(parts)
        self._refuted: list[Refuted] = []
        self._needed: tuple[str, ...] = ()
        self._first_rows = 0
        self._whole = False
        self.phase = Phase.FIRST if self._order else Phase.DONE

    @property
    def done(self) -> bool:
        """Whether nothing more is to be asked."""
        return self.phase is Phase.DONE

    def _first_order(self) -> tuple[str, ...]:
        """The likeliest fields first, so that equal numbers of several administrations meet; else any that sorts."""
        fields = self._connector.fields
        ranked = [one for one in self._search.ranked if fields[one].sortable]
        if self._search.ranked and not ranked:
            return next(((one,) for one in self._fields if fields[one].sortable), ())
        usual = [one for one in ranked if self._search.parts[one] < Part.ATTRIBUTE]
        order = tuple((usual or ranked)[:MOST_FIELDS])
        while len(order) > 1 and not Query(order, self._where, take=self.take, skip=10**6).fits:
            order = order[:-1]
        return order

    def next_query(self) -> Query:
        """What to ask next; the same until `advance` or `shrink` is called."""
        if self.phase is Phase.OTHER_END:
            return Query(self._other_end, self._where, take=self.take)
        return Query(self._order, self._where, take=self.take, skip=self._first_rows)

    @property
    def _lead(self) -> tuple[str, ...]:
        """The key found, the likeliest field first."""
        return tuple(one for one in self._search.ranked if one in self._needed)

    @property
    def _sorts_by_key(self) -> bool:
        """Whether AFAS can sort on all fields of the key found."""
        return all(self._connector.fields[one].sortable for one in self._needed)

    @property
    def _other_end(self) -> tuple[str, ...]:
        # Empties come first: from below where the first page didn't begin with this field.
        lead = self._lead if self._sorts_by_key else self._order
        return tuple(f"-{one}" for one in lead) if lead[0] == self._order[0] else lead

    def shrink(self) -> bool:
        """Ask for half as many rows after a page that was too much for AFAS; False when it is one row already."""
        if self.take <= 1:
            return False
        self.take //= 2
        return True

    def advance(self, query: Query, page: Page) -> Sequence[int]:
        """Take the answer to a query.

        Returns:
            The positions in the page of the rows that hadn't come before.
        """
        if self.phase is Phase.FIRST:
            new = self._take(page)
            self._first_rows = len(page)
            self._whole = is_last_page(len(page), query.take)
            if self._whole:
                self.phase = Phase.DONE
            elif len(page) < query.take:
                # AFAS may cap a page anywhere.
                self.phase = Phase.END
            else:
                self._go_to_other_end()
        elif self.phase is Phase.END:
            self._whole = not len(page)
            new = self._take(page) if len(page) else ()
            if self._whole:
                self.phase = Phase.DONE
            else:
                self._go_to_other_end()
        else:
            # The same order from both ends: what stands between two rows that both pages hold shares the key of both.
            # One row alone may be one of several with its key.
            lead, opposite = self._lead, query.order != self._lead
            new = self._take(page, lead if self._sorts_by_key else ())
            overlap = len(page) - len(new)
            self._whole = opposite and overlap > 1 and self._order[: len(lead)] == lead and bool(self._needed)
            self.phase = Phase.DONE
        return new

    def _go_to_other_end(self) -> None:
        self.phase = Phase.OTHER_END if self._needed and not self._sample.has_equal_rows else Phase.DONE

    def add(self, page: Page, *, whole: bool | None = None) -> None:
        """Take rows that were read otherwise, such as those of a walk in which the key that was found repeats.

        Args:
            page: The rows.
            whole: Whether now all rows of the table have come; None: nothing is known of that.
        """
        self._take(page)
        self._whole = self._whole if whole is None else whole

    def _take(self, page: Page, sorted_by: tuple[str, ...] = ()) -> Sequence[int]:
        """Take rows, and hold the key against them; returns which hadn't come before."""
        before, had = self._needed, len(self._sample)
        new = self._sample.add(page, sorted_by)
        if not before and not had:
            self._needed = self._search.cheapest(self._sample)
            if not self._needed:
                self._note_near(page)
        elif before and not (all(map(self._sample.is_filled, before)) and self._sample.tells_apart(before)):
            self._refute(before, page)
            self._needed = self._search.cheapest(self._sample, before)
        return new

    def _refute(self, fields: tuple[str, ...], page: Page) -> None:
        example = self._sample.repeated(fields)
        if example is not None:
            self._refuted.append(Refuted(fields, example, varying(page, fields, self._fields)))

    def _note_near(self, page: Page) -> None:
        """Where nothing is unique: which number or code repeats, and what else differs in those rows.

        That is the one which the fewest other fields depart from: the order's, where a join brings its lines.
        """
        parts = self._search.parts
        own = [one for one in self._search.ranked if parts[one] in {Part.GUID, Part.NUMBER, Part.AXIS}]
        own = [one for one in own if self._sample.is_filled(one) and self._sample.different(one) > 1]
        if own:
            rows = len(self._sample)
            differing = {one: varying(page, (one,), self._fields) for one in own}
            nearest = min(own, key=lambda one: (len(differing[one]), -self._sample.different(one) / rows))
            self._refute((nearest,), page)

    @property
    def verdict(self) -> KeyVerdict:
        """What was found out so far."""
        why = self._why()
        rows, refuted = len(self._sample), tuple(self._refuted)
        if why is not None:
            return KeyVerdict((), (), rows, self._whole, why=why, near=self._needed, refuted=refuted)
        key = self._search.completed(self._sample, self._needed)
        doubts = doubts_about(self._connector, self._search.parts, key)
        if rows < _FEWEST_WHOLE:
            doubts = (Doubt("few rows"), *doubts)
        return KeyVerdict(key, self._needed, rows, self._whole, nature=self._nature(), doubts=doubts, refuted=refuted)

    @property
    def _fewest_rows(self) -> int:
        """How many rows tell something: two, of a table of codes."""
        if not self._whole:
            return _FEWEST_SEEN
        is_code = len(self._needed) == 1 and self._search.parts[self._needed[0]] in {Part.GUID, Part.NUMBER}
        return _FEWEST_CODES if is_code else _FEWEST_WHOLE

    def _why(self) -> Why | None:
        """Why there is no key; None where there is one."""
        sample, key, search = self._sample, self._needed, self._search
        if not self._order:
            return "no candidates"
        if len(sample) < self._fewest_rows:
            return "too few rows"
        if sample.has_equal_rows:
            return "equal rows"
        if not key:
            return "not unique"
        if search.is_chance(sample, key):
            return "chance"
        return "outer join" if search.line_with_empties(sample, key) else None

    def _nature(self) -> Nature:
        parts = [self._search.parts[one] for one in self._needed]
        if Part.GUID in parts:
            return "guid"
        if Part.LINE in parts:
            return "line"
        if len(parts) > 1:
            return "combination"
        return {Part.NUMBER: "number", Part.ATTRIBUTE: "attribute"}.get(parts[0], "code")  # type: ignore[return-value]  # literals

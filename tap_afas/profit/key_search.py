"""Which fields tell all rows apart that were seen, the likeliest of the sets that do.

A set of fields that happens to tell some rows apart is no key yet. So what belongs to a key by nature costs less than
what doesn't, what few values could have done by chance is none, and line numbers and scopes that fit are added though
they aren't needed.
"""

from __future__ import annotations

import collections
import itertools
from typing import TYPE_CHECKING

from tap_afas.profit.key_words import Part, fitting_scopes

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from tap_afas.profit.metainfo import Field
    from tap_afas.profit.page import Page
    from tap_afas.profit.pagination.key import Value

MOST_FIELDS = 5
_COST = {Part.GUID: 0.2, Part.LINE: 0.3, Part.SCOPE: 0.15, Part.NUMBER: 1.0, Part.AXIS: 1.1, Part.DAY: 1.6}
_SINGLES_FIRST = {Part.GUID: 0, Part.ATTRIBUTE: 2}
# How many fields are tried in all combinations.
_MOST_TRIED = 14
# Most sets fail within so many rows.
_FIRST_ROWS = 300
# So many pairs of rows that only this field keeps apart: without it, fewer collisions are chance.
_FEWEST_COLLISIONS = 5
# A number with more values than one in so many rows isn't one of few values.
_FEW_VALUES = 20


class Sample:
    """The values of some fields in rows that were seen, each row once.

    Args:
        fields: The fields.

    Attributes:
        has_equal_rows: Whether one answer held two rows that are equal in all that was read.
    """

    def __init__(self, fields: Iterable[str]) -> None:
        self._values: dict[str, list[Value]] = {field: [] for field in fields}
        self._marks: dict[bytes, None] = {}
        self._folded: dict[str, list[int]] = {}
        self.has_equal_rows = False

    def __len__(self) -> int:
        """How many rows."""
        return len(self._marks)

    def add(self, page: Page, key: Sequence[str] = ()) -> list[int]:
        """Take the rows of an answer.

        Args:
            page: The rows.
            key: The fields by which they are sorted, where rows that share them stand together. A row that was seen
                before with the same values in them, and isn't among these rows, was changed meanwhile.

        Returns:
            The positions in the page of the rows that weren't seen before.
        """
        marks = [page.fingerprint(position) for position in range(len(page))]
        there = frozenset(marks)
        self.has_equal_rows |= len(there) < len(marks)
        if key:
            self._drop_changed(page, key, there)
        known = there & self._marks.keys()
        places = {mark: position for position, mark in enumerate(marks) if mark not in known}
        for field, values in self._values.items():
            column = page.column(field)
            values += [column[position] for position in places.values()]
        self._marks.update(dict.fromkeys(places))
        self._folded.clear()
        return [position for position, mark in enumerate(marks) if mark not in known]

    def _drop_changed(self, page: Page, key: Sequence[str], now: Container[bytes]) -> None:
        there = set(zip(*(page.column(field) for field in key), strict=True))
        mine = zip(*(self._values[field] for field in key), strict=True)
        keep = [mark in now or one not in there for mark, one in zip(self._marks, mine, strict=True)]
        if not all(keep):
            self._marks = dict.fromkeys(itertools.compress(self._marks, keep))
            self._values = {field: list(itertools.compress(values, keep)) for field, values in self._values.items()}

    def is_filled(self, field: str) -> bool:
        """Whether every row has a value; an empty text is none."""
        values = self._values[field]
        return None not in values and "" not in values

    def folded(self, field: str) -> list[int]:
        """A number for each value: the same for values that a target or a database may hold equal."""
        found = self._folded.get(field)
        if found is None:
            known: dict[Value, int] = {}
            values = (_fold(value) for value in self._values[field])
            found = self._folded[field] = [known.setdefault(value, len(known)) for value in values]
        return found

    def different(self, field: str) -> int:
        """How many values a field has."""
        return max(self.folded(field), default=-1) + 1

    def tells_apart(self, fields: Sequence[str]) -> bool:
        """Whether no two rows have the same values in these fields."""
        columns = [self.folded(field) for field in fields]
        for rows in (min(_FIRST_ROWS, len(self)), len(self)):
            if len(set(zip(*(itertools.islice(column, rows) for column in columns), strict=True))) < rows:
                return False
        return bool(columns) or len(self) <= 1

    def repeated(self, fields: Sequence[str]) -> dict[str, Value] | None:
        """The values of some fields that two rows share, as one of them has them; None where none do."""
        seen: set[tuple[int, ...]] = set()
        for position, values in enumerate(zip(*(self.folded(field) for field in fields), strict=True)):
            if values in seen:
                return {field: self._values[field][position] for field in fields}
            seen.add(values)
        return None


def _fold(value: Value) -> Value:
    return value.casefold().rstrip(" ") if isinstance(value, str) else value


class KeySearch:
    """Looks for the key of a connector.

    Args:
        fields: Its fields, in AFAS' order.
        parts: What those of them may be in a key that may be in one.
    """

    def __init__(self, fields: Sequence[Field], parts: dict[str, Part]) -> None:
        self.parts = parts
        self._fields = fields
        # What AFAS can't sort on is read more slowly: it comes last.
        self._place = {field.id: place for place, field in enumerate(fields)}
        self._unsortable = {field.id for field in fields if not field.sortable}
        self.ranked = sorted(parts, key=lambda one: (parts[one], self._place[one]))

    def cheapest(self, sample: Sample, inside: Sequence[str] = ()) -> tuple[str, ...]:
        """The likeliest set of fields that tells the rows apart; empty where none does.

        Args:
            sample: The rows.
            inside: Fields that must be among them.
        """
        filled = [one for one in self.ranked if sample.is_filled(one)]
        if any(one not in filled for one in inside):
            return ()
        if not inside:
            single = [one for one in filled if sample.different(one) == len(sample)]
            if single := [one for one in single if self.parts[one] is not Part.DAY]:
                return (min(single, key=self._rank_single),)
        rest = [one for one in filled if one not in inside and sample.different(one) > 1]
        rest = [one for one in rest if self.parts[one] is not Part.ATTRIBUTE]
        without = [one for one in rest if self.parts[one] is not Part.DAY]
        return self._cheapest_of(sample, inside, without) or self._cheapest_of(sample, inside, rest)

    def _cheapest_of(self, sample: Sample, inside: Sequence[str], rest: Sequence[str]) -> tuple[str, ...]:
        rest = rest[: max(0, _MOST_TRIED - len(inside))]
        if not sample.tells_apart([*inside, *rest]):
            return ()
        sizes = range(1 if inside else 2, MOST_FIELDS + 1 - len(inside))
        sets = (some for size in sizes for some in itertools.combinations(rest, size))
        for some in sorted(sets, key=self._rank):
            together = (*inside, *some)
            product = 1
            for one in together:
                product *= sample.different(one)
            if product >= len(sample) and sample.tells_apart(together):
                return together
        return ()

    def _rank_single(self, one: str) -> tuple[int, bool, int]:
        return _SINGLES_FIRST.get(self.parts[one], 1), one in self._unsortable, self._place[one]

    def _rank(self, some: tuple[str, ...]) -> tuple[float, int, int, int]:
        cost = round(sum(_COST[self.parts[one]] for one in some), 6)
        return cost, len(some), len(self._unsortable & {*some}), sum(self._place[one] for one in some)

    def is_chance(self, sample: Sample, key: Sequence[str]) -> bool:
        """Whether a part of few values may tell rows apart that chance would as well."""
        if len(key) == 1:
            return False
        rows = len(sample)
        for one in key:
            if self.parts[one] in {Part.GUID, Part.LINE, Part.DAY}:
                continue
            counts = collections.Counter(sample.folded(one))
            if self.parts[one] is Part.NUMBER and len(counts) > rows / _FEW_VALUES:
                continue
            same = sum(count * count for count in counts.values()) / rows / rows
            without = collections.Counter(zip(*(sample.folded(other) for other in key if other != one), strict=True))
            if sum(count * (count - 1) / 2 for count in without.values()) * same < _FEWEST_COLLISIONS:
                return True
        return False

    def line_with_empties(self, sample: Sample, key: Sequence[str]) -> str | None:
        """A line number outside the key that some rows lack: they come from an outer join."""
        lines = (one for one, part in self.parts.items() if part is Part.LINE and one not in key)
        return None if self.has_guid(key) else next((one for one in lines if not sample.is_filled(one)), None)

    def has_guid(self, key: Sequence[str]) -> bool:
        """Whether a GUID is in the key."""
        return any(self.parts[one] is Part.GUID for one in key)

    def completed(self, sample: Sample, key: Sequence[str]) -> tuple[str, ...]:
        """The key with what belongs to it by nature, in the order of the definition."""
        if not self.has_guid(key):
            scopes = fitting_scopes(self._fields, self.parts, key)
            more = [one for one in self.ranked if self.parts[one] is Part.LINE or one in scopes]
            more = [one for one in more if one not in key and sample.is_filled(one)]
            more.sort(key=lambda one: (self.parts[one] is not Part.LINE, self._place[one]))
            key = [*key, *more[: MOST_FIELDS - len(key)]]
            if len(key) < MOST_FIELDS and not any(self.parts[one] is Part.LINE for one in key):
                days = [one for one, part in self.parts.items() if part is Part.DAY and sample.is_filled(one)]
                key = [*key, *(days[:1] if not set(days) & set(key) else ())]
        return tuple(sorted(key, key=lambda one: self._place[one]))


def varying(page: Page, key: Sequence[str], fields: Iterable[str]) -> tuple[str, ...]:
    """The fields in which rows differ that share a key: where a join repeats rows, what its many side brings.

    Args:
        page: Rows, of which some share it.
        key: The key's fields.
        fields: The fields to compare.

    Returns:
        Those that differ in most groups of such rows come first.
    """
    groups: dict[tuple[Value, ...], list[int]] = {}
    for position, values in enumerate(zip(*(page.column(one) for one in key), strict=True)):
        groups.setdefault(values, []).append(position)
    together = [positions for positions in groups.values() if len(positions) > 1]
    counts = {}
    for field in fields:
        column = page.column(field)
        if field not in key:
            counts[field] = sum(len({column[position] for position in positions}) > 1 for positions in together)
    return tuple(sorted((field for field, count in counts.items() if count), key=lambda field: -counts[field]))

"""The key of a connector: what its fields hold, how AFAS may compare them, and whether it tells rows apart.

AFAS compares what it stores, which isn't always what it shows: text under a collation that AFAS doesn't name (case,
accents, width, trailing blanks), decimals and times finer than shown. So nothing here decides an order of text, and
what AFAS might hold equal counts as a tie.
"""

from __future__ import annotations

import collections
import dataclasses
import decimal
import functools
import itertools
import json
import operator
import unicodedata
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from tap_afas.profit.errors import ProfitError
from tap_afas.profit.key_advice import advice
from tap_afas.profit.query import Condition
from tap_afas.profit.wall_time import UnreadableError, shift

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.page import Page
    from tap_afas.profit.query import Group

Value: TypeAlias = "str | int | decimal.Decimal | bool | None"
"""A value of a row as AFAS wrote it; a date is still wall time with its `Z`."""

Key: TypeAlias = tuple[Value, ...]

KeyKind = Literal["text", "int", "decimal", "boolean", "date", "moment"]

# As many digits as there are: rounded, the number before one could lie behind it.
_EXACT = decimal.Context(prec=decimal.MAX_PREC, Emin=decimal.MIN_EMIN, Emax=decimal.MAX_EMAX)
# What a collation may hold equal and no normal form takes apart.
_LETTERS = str.maketrans({
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "ð": "d",
    "đ": "d",
    "þ": "th",
    "ł": "l",
    "\N{LATIN SMALL LETTER DOTLESS I}": "i",
})


@dataclasses.dataclass(frozen=True, slots=True)
class KeyField:
    """A field of the key.

    Attributes:
        id: The field's id.
        kind: How its values compare. A `moment` is a date with a time and, like a `decimal`, may be stored finer than
            shown: "equal" need not match it.
    """

    id: str
    kind: KeyKind

    def literal(self, value: Value) -> str:
        """A value as filters want it: the digits and zeros that AFAS showed."""
        if isinstance(value, bool):
            return "true" if value else "false"
        text = f"{value:f}" if isinstance(value, decimal.Decimal) else str(value)
        return text.removesuffix("Z").partition(".")[0] if self.kind in {"date", "moment"} else text

    def is_inexact(self, *, cautious: bool) -> bool:
        """Whether its values may be stored finer than shown; decimals count only where caution is called for."""
        return self.kind == "moment" or (self.kind == "decimal" and cautious)

    def before(self, value: Value) -> str:
        """The literal of a value surely before whatever is stored where this one is shown."""
        if self.kind == "decimal":
            number = decimal.Decimal(str(value))
            return f"{_EXACT.subtract(number, decimal.Decimal((0, (1,), int(number.as_tuple().exponent)))):f}"
        return shift(str(value), -1)

    def lowest(self, value: Value) -> Any:
        """The lowest value that a row may show which AFAS finds at or after this one."""
        if self.kind == "decimal":
            return decimal.Decimal(self.before(value))
        if self.kind == "moment":
            return self.before(value)
        return self.literal(value) if self.kind == "date" else value

    def ties(self, one: Value, other: Value) -> bool:
        """Whether AFAS may hold two values equal, or so close that a question for the one brings the other."""
        if one == other:
            return True
        if self.kind == "text":
            return collation_form(str(one)) == collation_form(str(other))
        if self.kind == "moment":
            earlier, later = sorted((self.literal(one), self.literal(other)))
            return shift(later, -1) <= earlier
        if self.kind == "decimal":
            low, high = sorted((decimal.Decimal(str(one)), decimal.Decimal(str(other))))
            return decimal.Decimal(self.before(high)) <= low
        return False


@functools.lru_cache(maxsize=1 << 16)
def collation_form(text: str) -> str:
    """Text without what a database's collation may ignore: case, accents, width, ligatures, blanks, signs.

    Looser than any collation is on the safe side: what counts as a tie is only asked for once more.
    """
    letters = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(letter for letter in letters if letter.isalnum()) or text.strip()


def keys_tie(fields: Sequence[KeyField], one: Key, other: Key) -> bool:
    """Whether two keys may be equal to AFAS in their first fields."""
    return all(field.ties(a, b) for field, a, b in zip(fields, one, other, strict=False))


def usable_depth(fields: Sequence[KeyField], *, cautious: bool) -> int:
    """How many fields of the key a condition can use: up to the first that isn't stored as shown."""
    return next((n for n, field in enumerate(fields, start=1) if field.is_inexact(cautious=cautious)), len(fields))


def shortest_prefix(fields: Sequence[KeyField], keys: Sequence[Key]) -> Sequence[KeyField]:
    """The fewest fields in which at most half of a page ties with its last row; all, where more does in all of them."""
    # Rows that AFAS holds equal to the last stand next to each other: the one before the last half tells.
    last, before = keys[-1], keys[-1 - len(keys) // 2]
    depths = range(1, len(fields) + 1)
    return fields[: next((depth for depth in depths if not keys_tie(fields[:depth], before, last)), len(fields))]


def at_or_after(fields: Sequence[KeyField], key: Key, *, cautious: bool) -> list[Group]:
    """`(a, b, c) >= key` in parts, in the order of the key: `a = x, b = y, c >= z`; `a = x, b > y`; `a > x`."""
    groups: list[Group] = []
    equal: Group = ()
    for place, (field, value) in enumerate(zip(fields, key, strict=False), start=1):
        if field.is_inexact(cautious=cautious):
            # It covers all that a further field could add.
            groups.insert(0, (*equal, Condition(field.id, ">=", field.before(value))))
            break
        groups.insert(0, (*equal, Condition(field.id, ">=" if place == len(fields) else ">", field.literal(value))))
        equal = (*equal, Condition(field.id, "=", field.literal(value)))
    return groups


def in_order(fields: Sequence[KeyField], keys: Sequence[Key], floor: Key | None = None) -> bool:
    """Whether keys ascend, none before `floor`, as far as the numbers and dates among their first fields tell.

    The order of text is the server's. What may be stored finer than shown ends the comparison.
    """
    exact = sum(1 for _ in itertools.takewhile(lambda field: field.kind in {"int", "date"}, fields))
    told = (
        fields[: exact + 1]
        if {field.kind for field in fields[exact : exact + 1]} & {"moment", "decimal"}
        else fields[:exact]
    )
    if not told or not keys:
        return True
    if any(field.kind in {"date", "moment"} for field in told):
        # "12:00:00.5Z" is later than "12:00:00Z", but sorts before it.
        places: Sequence[tuple[Any, ...]] = [
            tuple(str(v).removesuffix("Z") if isinstance(v, str) else v for v in key[: len(told)]) for key in keys
        ]
    else:
        places = [key[: len(told)] for key in keys] if len(told) < len(fields) else keys
    if any(map(operator.gt, places, itertools.islice(places, 1, None))):
        return False
    lowest = tuple(field.lowest(value) for field, value in zip(told, floor or (), strict=False))
    return places[0][: len(lowest)] >= lowest


def key_to_text(key: Key) -> str:
    """A key as one JSON text, for the STATE."""
    return json.dumps([f"{value:f}" if isinstance(value, decimal.Decimal) else value for value in key])


def key_from_text(text: str, fields: Sequence[KeyField]) -> Key:
    """A key out of the STATE.

    Raises:
        UnreadableError: The text holds no key of these fields.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or len(values) != len(fields):
        raise UnreadableError("not a key of these fields")
    return tuple(_typed(field, value) for field, value in zip(fields, values, strict=True))


def _typed(field: KeyField, value: Any) -> Value:
    kinds: dict[KeyKind, tuple[type, ...]] = {"int": (int,), "decimal": (int, str), "boolean": (bool,)}
    if type(value) not in kinds.get(field.kind, (str,)):
        raise UnreadableError("not a key of these fields")
    if field.kind == "decimal":
        try:
            return decimal.Decimal(value)
        except decimal.InvalidOperation:
            raise UnreadableError("not a key of these fields") from None
    if field.kind in {"date", "moment"}:
        shift(str(value), 0)
    found: Value = value
    return found


class UnfitKeyError(ProfitError):
    """The key doesn't tell the rows apart."""


def check_keys(page: Page, fields: Sequence[KeyField]) -> None:
    """Check that no key of a page is empty or repeats.

    A target keeps one row per key: where a key repeats, rows would vanish there without a word. An answer is one
    query, so a key that stands twice in it repeats for sure; and rows with one key always meet in an answer, since
    each page begins with the end of the one before.

    Raises:
        UnfitKeyError: Names the fields, the first values, and what would help.
    """
    if not fields or not len(page):
        return
    names = [field.id for field in fields]
    if None in itertools.chain.from_iterable(page.keys):
        key = next(key for key in page.keys if None in key)
        raise UnfitKeyError(
            f"The key field {names[key.index(None)]} is empty in a row ({_describe(names, key)}).",
            f"Rows can't be told apart by {', '.join(names)}. {advice(page, names)}",
        )
    if len(set(page.keys)) == len(page.keys):
        return
    repeated = next(key for key, count in collections.Counter(page.keys).items() if count > 1)
    raise UnfitKeyError(
        f"The key {', '.join(names)} is not unique: more than one row has {_describe(names, repeated)}.",
        f"A target would keep one of them. {advice(page, names)}",
    )


def _describe(names: Sequence[str], key: Key) -> str:
    return ", ".join(f"{name} = {value}" for name, value in zip(names, key, strict=True))

"""How the database compares: texts as SQL Server's `Latin1_General_CI_AS` or another collation, decimals as numbers.

All become a text whose plain order is the order wanted, so that SQLite can keep it in an index.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from afas_sandbox.options import Collation

# The order in which SQL Server has them, all before the digits.
_SIGNS = ' _,;:!?."()[]{}@*/\\&#%`^+<=>|~$'
_SIGNS_FIRST = str.maketrans({sign: chr(0x0F + rank) for rank, sign in enumerate(_SIGNS)})
_WEIGHTLESS = re.compile("[-']")
_NINES = str.maketrans("0123456789", "9876543210")
_INTEGER_DIGITS = 40
_FRACTION_DIGITS = 20
_EXACT = Context(prec=_INTEGER_DIGITS + _FRACTION_DIGITS, rounding=ROUND_HALF_UP)
_LIGATURES = str.maketrans({"æ": "ae", "œ": "oe", "þ": "th"})


def fold(text: str | None) -> str | None:
    """The text to sort a text by.

    Case and trailing spaces don't count, accents do but only after the letters, and hyphens and apostrophes
    count last of all ("word sort"): `coop`, `co-op`, `cop`.
    """
    if text is None:
        return None
    folded = text.rstrip(" ").lower()
    if folded.isascii():
        if folded.isalnum():
            return folded
        letters = folded
    else:
        folded = unicodedata.normalize("NFC", folded.casefold())
        letters = "".join(sign for sign in unicodedata.normalize("NFD", folded) if not unicodedata.combining(sign))
    letters = _WEIGHTLESS.sub("", letters)
    first = letters.translate(_SIGNS_FIRST)
    return first if letters == folded else f"{first}\x01{folded}"


def plain(text: str) -> str:
    """The text in which parts are looked for: case doesn't count, everything else does."""
    return unicodedata.normalize("NFC", text.casefold())


def weigh(number: str | None) -> str | None:
    """The text to sort a decimal by, exact to 40 digits before and 20 after the point."""
    if number is None:
        return None
    whole, _, fraction = number.lstrip("+-").partition(".")
    digits = whole.rjust(_INTEGER_DIGITS, "0") + fraction.ljust(_FRACTION_DIGITS, "0")
    if number.startswith("-") and digits.strip("0"):
        return "0" + digits.translate(_NINES)
    return "1" + digits


def rounded(number: str | None, decimals: int) -> str | None:
    """A decimal as it is shown: half up, to so many digits after the point."""
    if number is None:
        return None
    shown = _EXACT.quantize(Decimal(number), Decimal(1).scaleb(-decimals))
    return f"{shown or abs(shown):f}"


def padded(text: str | None, width: int) -> str | None:
    """A text as it is held in so many places: right-aligned, or with blanks behind it where the width is negative."""
    if not text:
        return text
    trimmed = text.strip(" ")
    return trimmed.rjust(width) if width > 0 else trimmed.ljust(-width)


def _fold_loosely(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold()).casefold().translate(_LIGATURES)
    bare = "".join(sign for sign in letters if not unicodedata.combining(sign))
    return str(fold(bare))


def _fold_strictly(text: str) -> str:
    # Where all else is equal, small letters come before capitals.
    return f"{fold(text)}\x00{text.rstrip(' ').swapcase()}"


def _fold_hardly(text: str) -> str:
    return text.rstrip(" ")


@dataclasses.dataclass(frozen=True, slots=True)
class Comparing:
    """How a collation compares texts.

    Attributes:
        fold: Gives the text to sort a text by.
        plain: Gives the text in which parts are looked for.
    """

    fold: Callable[[str], str]
    plain: Callable[[str], str]


COLLATIONS: dict[Collation, Comparing] = {
    "ci_as": Comparing(lambda text: str(fold(text)), plain),
    "ci_ai": Comparing(_fold_loosely, _fold_loosely),
    "cs_as": Comparing(_fold_strictly, lambda text: unicodedata.normalize("NFC", text)),
    "binary": Comparing(_fold_hardly, lambda text: text),
}
"""The collations by name. Trailing spaces count in none of them.

* `ci_as`: case doesn't count, accents do.
* `ci_ai`: neither does; nor does width, and a ligature is its letters (`æ` is `ae`, `ß` is `ss`).
* `cs_as`: both count, case last of all.
* `binary`: by code points.
"""

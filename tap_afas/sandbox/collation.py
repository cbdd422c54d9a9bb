"""How the database compares: texts as SQL Server's `Latin1_General_CI_AS` does, decimals as numbers.

Both become a text whose plain order is the order wanted, so that SQLite can keep it in an index.
"""

from __future__ import annotations

import re
import unicodedata

# The order in which SQL Server has them, all before the digits.
_SIGNS = ' _,;:!?."()[]{}@*/\\&#%`^+<=>|~$'
_SIGNS_FIRST = str.maketrans({sign: chr(0x0F + rank) for rank, sign in enumerate(_SIGNS)})
_WEIGHTLESS = re.compile("[-']")
_NINES = str.maketrans("0123456789", "9876543210")
_INTEGER_DIGITS = 40
_FRACTION_DIGITS = 20


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

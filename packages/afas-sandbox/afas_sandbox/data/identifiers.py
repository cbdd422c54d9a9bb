# ruff: noqa: PLR2004 - made-up data are made of plain numbers
"""Numbers that pass the checks real ones pass: IBAN, BSN, VAT and chamber of commerce, EAN; and cells of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

BANKS = ("ABNA", "ASNB", "BUNQ", "INGB", "KNAB", "RABO", "SNSB", "TRIO")
BICS = {
    "ABNA": "ABNANL2A",
    "ASNB": "ASNBNL21",
    "BUNQ": "BUNQNL2A",
    "INGB": "INGBNL2A",
    "KNAB": "KNABNL2H",
    "RABO": "RABONL2U",
    "SNSB": "SNSBNL2A",
    "TRIO": "TRIONL2U",
}
POSTCODE_LETTERS = "ABCDEGHJKLMNPRSTVWXZ"
UNUSED_LETTERS = {"SA", "SD", "SS"}


def decimal_text(units: int, decimals: int = 2) -> str:
    """A whole number of the smallest unit as the exact text of a decimal, such as -5 with 2 decimals: `-0.05`."""
    sign = "-" if units < 0 else ""
    if not decimals:
        return f"{sign}{abs(units)}"
    whole, part = divmod(abs(units), 10**decimals)
    return f"{sign}{whole}.{part:0{decimals}d}"


def iban(rng: random.Random, bank: str | None = None) -> str:
    """A Dutch IBAN whose check digits are right."""
    bank = bank or rng.choice(BANKS)
    account = f"{rng.randrange(10**8, 10**9):010d}"
    digits = "".join(str(int(sign, 36)) for sign in f"{bank}{account}NL00")
    return f"NL{98 - int(digits) % 97:02d}{bank}{account}"


def bsn(rng: random.Random) -> str:
    """A nine-digit number that passes the eleven test of a BSN; it may begin with a zero."""
    while True:
        digits = [int(sign) for sign in f"{rng.randrange(10**6, 10**8):08d}"]
        check = sum(weight * digit for weight, digit in zip(range(9, 1, -1), digits, strict=True)) % 11
        if check < 10:
            return "".join(map(str, [*digits, check]))


def vat_number(rng: random.Random) -> str:
    """A Dutch VAT identification number."""
    return f"NL{rng.randrange(10**8, 10**9)}B{rng.randrange(1, 4):02d}"


def coc_number(rng: random.Random) -> str:
    """A chamber of commerce number: eight digits, at times with leading zeros."""
    return f"{rng.randrange(10**6, 10**8):08d}"


def ean(number: int) -> str:
    """The EAN-13 of the item with that number, under a Dutch prefix."""
    digits = f"8712345{number % 100_000:05d}"
    check = -sum(int(sign) * (3 if place % 2 else 1) for place, sign in enumerate(digits)) % 10
    return f"{digits}{check}"


def guid(rng: random.Random) -> str:
    """A GUID as Profit writes it: 32 upper-case hexadecimal digits."""
    return f"{rng.getrandbits(128):032X}"


def postcode_letters(rng: random.Random) -> str:
    """The two letters of a postcode that may exist."""
    while True:
        letters = rng.choice(POSTCODE_LETTERS) + rng.choice(POSTCODE_LETTERS)
        if letters not in UNUSED_LETTERS:
            return letters

"""Fields that are likely to hold personal data, by what they are called and by the form of their values.

A citizen service number (BSN) passes the eleven-test and an IBAN bears a checksum: where nearly all values of a field
do, that is no chance. Names alone tell the rest.
"""

from __future__ import annotations

import json
import keyword
import re
from typing import TYPE_CHECKING, Any, Literal

from tap_afas.profit.known_connectors import words
from tap_afas.profit.metainfo import kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.metainfo import Connector, Field
    from tap_afas.profit.page import Page

Sort = Literal["bsn", "iban", "birth_date", "mail", "phone", "salary"]

_NAMES: dict[Sort, re.Pattern[str]] = {
    "bsn": re.compile(r"\b(bsn\w*|burgerservice\w*|burger service\w*|sofi|sofi ?n\w*|citizen service number|insz)\b"),
    "iban": re.compile(r"\b(iban\w*|bankrekening\w*|bank account number)\b"),
    "birth_date": re.compile(
        r"\b(geboortedatum|geboorte datum|geb ?datum|birth ?date|date ?of ?birth|geburtsdatum|date de naissance)\b"
    ),
    "mail": re.compile(r"\b(e ?mail\w*|mail\w*)\b"),
    "phone": re.compile(r"\b(tel|telefoon\w*|phone\w*|telephone|mobiel\w*|mobile\w*|gsm|portable|handy)\b"),
    "salary": re.compile(
        r"\b(\w*salaris\w*|salary\w*|salaire\w*|\w*gehalt|\w*loon|loon\w*|wage\w*"
        r"|bruto ?(loon|maand\w*)|\w*inkomen)\b"
    ),
}
_PRIVATE = re.compile(r"\b(priv\w*|prv|thuis|home|huis|domicile)\b")
_SALARY_NO = re.compile(r"\b(loonsoort|looncomponent\w*|loonadministratie|loonlijst|salarisverwerking|belo\w*)\b")
_STAFF = re.compile(r"\b(medewerker\w*|employee\w*|personeel\w*|staff|person(en|s)?|persoon|mitarbeiter)\b")
_PRIVATE_HOSTS = re.compile(
    r"@(gmail|googlemail|hotmail|outlook|live|msn|yahoo|icloud|me|ziggo|kpnmail|kpnplanet|planet|home|xs4all|hetnet"
    r"|telfort|upcmail|casema|chello|quicknet|solcon|telenet|skynet|gmx|web)\.[a-z.]{2,6}$",
    re.IGNORECASE,
)
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
_MOBILE = re.compile(r"(\+31|0031|0)[\s-]*\(?0?\)?[\s-]*6([\s-]*\d){8}")
_IBAN = re.compile(r"[A-Z]{2}\d\d[A-Z0-9]{11,30}")
_FEWEST = 5
_NEARLY_ALL, _SOME = 0.9, 0.2
_BSN_DIGITS = (8, 9)
_TEXT_KINDS = {"string", "integer"}
_DROPPED: set[Sort] = {"birth_date", "salary"}


def is_bsn(text: str) -> bool:
    """Whether a text is a number that passes the eleven-test: 9a + 8b + … + 2h - i is divisible by 11."""
    if len(text) not in _BSN_DIGITS or not (text.isascii() and text.isdigit()):
        return False
    digits = [int(digit) for digit in text.rjust(9, "0")]
    weighed = sum(weight * digit for weight, digit in zip((9, 8, 7, 6, 5, 4, 3, 2, -1), digits, strict=True))
    return any(digits) and weighed % 11 == 0


def is_iban(text: str) -> bool:
    """Whether a text is an IBAN, blanks aside: its checksum is right."""
    plain = text.replace(" ", "").upper()
    if _IBAN.fullmatch(plain) is None:
        return False
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


class PersonalData:
    """Notices fields of personal data while rows are read.

    Args:
        connector: The connector.
    """

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._staff = any(_STAFF.search(words(text)) for text in (connector.id, connector.description))
        self._fields = {field.id: _Counts() for field in connector.fields.values() if kind_of(field) in _TEXT_KINDS}

    def add(self, page: Page, positions: Sequence[int]) -> None:
        """Take rows of a page."""
        for one, counts in self._fields.items():
            column = page.column(one)
            counts.add([column[position] for position in positions])

    @property
    def found(self) -> dict[str, Sort]:
        """What the fields are likely to hold, by field."""
        found: dict[str, Sort] = {}
        for field in self._connector.fields.values():
            sort = self._by_values(field) or self._by_name(field)
            if sort is not None:
                found[field.id] = sort
        return found

    def _by_values(self, field: Field) -> Sort | None:
        counts = self._fields.get(field.id)
        if counts is None or counts.filled < _FEWEST:
            return None
        share = counts.share
        if share("bsn") >= _NEARLY_ALL and counts.nine_digits:
            return "bsn"
        if share("iban") >= _NEARLY_ALL:
            return "iban"
        if share("private_mail") >= _SOME:
            return "mail"
        return "phone" if self._staff and share("mobile") >= _SOME else None

    def _by_name(self, field: Field) -> Sort | None:
        kind, said = kind_of(field), f"{words(field.id)} | {words(field.label)}"
        text = kind in _TEXT_KINDS
        for sort, pattern in _NAMES.items():
            if not pattern.search(said):
                continue
            if sort in {"mail", "phone"}:
                if text and _PRIVATE.search(said):
                    return sort
            elif sort == "birth_date":
                if kind in {"date", "date-time", "string"}:
                    return sort
            elif sort == "salary":
                if kind in {"number", "integer"} and not _SALARY_NO.search(said):
                    return sort
            elif text and self._may_hold(field, sort):
                return sort
        return None

    def _may_hold(self, field: Field, sort: Sort) -> bool:
        """Whether the values don't say otherwise: some of them pass the test, or there are too few to tell."""
        counts = self._fields.get(field.id)
        return counts is None or counts.filled < _FEWEST or counts.share(sort) > 0

    def masks(self, key: Sequence[str]) -> dict[str, str | None]:
        """For `stream_maps`: what hashes each field, or None to drop it.

        Args:
            key: Fields that can't be dropped.
        """
        made: dict[str, str | None] = {}
        for one, sort in self.found.items():
            made[one] = None if sort in _DROPPED and one not in key else _hash(self._connector.fields[one])
        return made


def _hash(field: Field) -> str:
    """An expression that takes a null."""
    plain = field.id.isidentifier() and field.id.isascii() and not keyword.iskeyword(field.id)
    name = field.id if plain else f"record[{json.dumps(field.id, ensure_ascii=False)}]"
    whole = kind_of(field) == "integer"
    return f"md5(str({name})) if {name} is not None else None" if whole else f"md5({name}) if {name} else None"


class _Counts:
    """How many values of a field have which form."""

    def __init__(self) -> None:
        self.filled = 0
        self.nine_digits = 0
        self._have: dict[str, int] = dict.fromkeys(("bsn", "iban", "private_mail", "mobile"), 0)

    def add(self, column: Sequence[Any]) -> None:
        for value in column:
            if value is None or value == "" or isinstance(value, bool):
                continue
            text = str(value).strip()
            self.filled += 1
            if text[:1].isdigit() or text[:1] == "+":
                if is_bsn(text):
                    self._have["bsn"] += 1
                    self.nine_digits += len(text) == _BSN_DIGITS[1]
                elif _MOBILE.fullmatch(text):
                    self._have["mobile"] += 1
            elif text[2:4].isdigit() and is_iban(text):
                self._have["iban"] += 1
            elif "@" in text and _MAIL.fullmatch(text) and _PRIVATE_HOSTS.search(text):
                self._have["private_mail"] += 1

    def share(self, form: str) -> float:
        return self._have[form] / max(1, self.filled)

"""How AFAS compares, sorts and searches texts."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from tap_afas.explore.probe_answers import UnsettledError, finds
from tap_afas.profit.query import Condition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_afas.explore.prober import Prober, Sample
    from tap_afas.profit.query import Operator

_PLAIN = re.compile(r"[A-Za-z0-9 ]+")
_LETTERS = re.compile(r"[A-Za-z]{4,}")


def empty(prober: Prober) -> str:
    """What stands in rows where a text is empty."""
    texts = {row[field.id] for one in prober.samples for field in one.fields("string") for row in one.rows}
    seen = [said for value, said in ((None, "null"), ("", "the empty text")) if value in texts]
    if not seen:
        raise UnsettledError("no row that was read has an empty text.")
    return " and ".join(seen)


def _texts(prober: Prober) -> Iterator[tuple[Sample, dict[str, Any], str, str]]:
    """The texts of rows that can be found by their key, each with its field."""
    for sample in prober.samples:
        for row in sample.findable:
            for field in sample.fields("string"):
                if isinstance(row[field.id], str):
                    yield sample, row, field.id, row[field.id]


def case(prober: Prober) -> str:
    """Whether case counts where texts are compared."""
    for sample, row, field, text in _texts(prober):
        if _LETTERS.search(text) and _PLAIN.fullmatch(text) and text == text.strip() and field not in sample.key:
            found = finds(prober, sample, row, Condition(field, "=", text.swapcase()))
            return "doesn't count" if found else "counts"
    raise UnsettledError("no row with a known key has a plain text.")


def accents(prober: Prober) -> str:
    """Whether accents count there."""
    for sample, row, field, text in _texts(prober):
        bare = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
        if bare != text and bare.isascii() and text == text.strip() and field not in sample.key:
            return "don't count" if finds(prober, sample, row, Condition(field, "=", bare)) else "count"
    raise UnsettledError("no row with a known key has a text with an accent.")


def order(prober: Prober) -> str:
    """In which order texts come."""
    for sample in prober.samples:
        for field in sample.fields("string"):
            texts = {row[field.id] for row in sample.rows if row[field.id]}
            plain = [text for text in texts if _PLAIN.fullmatch(text)]
            if not field.sortable or sorted(plain) == sorted(plain, key=str.casefold):
                continue
            rows = prober.rows(sample.connector, (field.id,), take=1000)
            came = [row[field.id] for row in rows if row[field.id] and _PLAIN.fullmatch(row[field.id])]
            folded = [text.casefold() for text in came]
            by_points, by_letters = came == sorted(came), folded == sorted(folded)
            if not (by_points and by_letters):
                return (
                    "by code points" if by_points else "by letters, whatever their case" if by_letters else "otherwise"
                )
    raise UnsettledError("no field that was read has texts whose order would tell.")


def wildcards(prober: Prober) -> str:
    """What "contains" and the like take."""
    for sample, row, field, text in _texts(prober):
        if len(text) > len("text") and _PLAIN.fullmatch(text) and text == text.strip() and field not in sample.key:
            begins, within, ends = text[:-1].rstrip(), text[1:-1].strip(), text[1:].lstrip()
            tried: tuple[tuple[Operator, str, str], ...] = (
                ("contains", within, f"%{within}%"),
                ("starts with", begins, f"{begins}%"),
                ("ends with", ends, f"%{ends}"),
            )
            seen = {
                operator: "plain text"
                if finds(prober, sample, row, Condition(field, operator, plain))
                else "%"
                if finds(prober, sample, row, Condition(field, operator, wild))
                else "neither"
                for operator, plain, wild in tried
            }
            if len(set(seen.values())) == 1:
                return seen["contains"]
            return "; ".join(f"“{operator}” {taken}" for operator, taken in seen.items())
    raise UnsettledError("no row with a known key has a plain text.")

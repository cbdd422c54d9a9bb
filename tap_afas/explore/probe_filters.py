"""How AFAS reads filters: how values are written, nulls, and forms that the tap never sends."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tap_afas.explore.probe_answers import UnsettledError, asks, finds, or_refused
from tap_afas.profit.query import Condition, Query

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_afas.explore.prober import Prober, Sample
    from tap_afas.profit.metainfo import Field

_PLAIN = re.compile(r"[\w -]+", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class _Written(Query):
    """A page whose filter is written otherwise than the tap writes it.

    Attributes:
        written: The parameters that say it, encoded.
    """

    written: str = ""

    @override
    def _encode_filter(self) -> list[str]:
        return [self.written]


def _compact(fields: str, values: str, operators: str) -> str:
    lists = {"filterfieldids": fields, "filtervalues": values, "operatortypes": operators}
    return "&".join(f"{name}={quote(text, safe=',;')}" for name, text in lists.items())


def _structured(filters: Any) -> str:
    return f"filterjson={quote(json.dumps({'Filters': {'Filter': filters}}, separators=(',', ':')))}"


def _is(field: str, value: str) -> dict[str, str]:
    return {"@FieldId": field, "@OperatorType": "1", "#text": value}


def _found(prober: Prober, sample: Sample, written: str) -> list[str]:
    """What the first field of the key is in the rows that such a filter finds; two at most."""
    name = sample.key[0]
    rows = prober.ask(sample.connector, _Written(sample.order, take=2, written=written))
    return [str(row[name]) for row in rows]


def _two(prober: Prober) -> tuple[Sample, str, str]:
    """Two values that the first field of a key has."""
    for sample in prober.samples:
        values = {str(row[sample.key[0]]): None for row in sample.findable}
        plain = [value for value in values if _PLAIN.fullmatch(value)]
        if len(plain) > 1:
            return sample, plain[0], plain[1]
    raise UnsettledError("no connector with a known key has two rows.")


def booleans(prober: Prober) -> str:
    """How a boolean is written."""
    for sample in prober.samples:
        for field in sample.fields("boolean"):
            row = next((one for one in sample.findable if one[field.id] is True), None)
            if row is not None:
                found = []
                for word in ("true", "1"):
                    condition = Condition(field.id, "=", word)
                    answered = asks(prober, sample, (), *sample.one_row(row), condition) == "answered"
                    found += [word] if answered and finds(prober, sample, row, condition) else []
                return " and ".join(found) or "neither true nor 1"
    raise UnsettledError("no row with a known key has a boolean that is true.")


def _plain(sample: Sample) -> list[Field]:
    """Fields of which an empty text is no value."""
    return [*sample.fields("int"), *sample.fields("date"), *sample.fields("boolean")]


def nulls_first(prober: Prober) -> str:
    """Where rows without a value come."""
    for sample in prober.samples:
        for field in _plain(sample):
            if field.sortable and {None} < {row[field.id] for row in sample.rows}:
                (row,) = prober.rows(sample.connector, (field.id,), take=1)
                return "first" if row[field.id] is None else "last"
    raise UnsettledError("no field that was read has a value in some rows only.")


def nulls_unequal(prober: Prober) -> str:
    """Whether "not equal" finds a row without a value."""
    for sample in prober.samples:
        for field in _plain(sample):
            row = next((one for one in sample.findable if one[field.id] is None), None)
            if row is not None:
                value = {"int": "1", "boolean": "true"}.get(field.data_type, "2000-01-01T00:00:00")
                return "found" if finds(prober, sample, row, Condition(field.id, "!=", value)) else "not found"
    raise UnsettledError("no row with a known key lacks a number, a date or a boolean.")


@or_refused
def mixed(prober: Prober) -> str:
    """Whether `,` or `;` binds tighter."""
    sample, one, other = _two(prober)
    name = sample.key[0]
    # No row is both one and the other.
    written = _compact(f"{name},{name};{name}", f"{one},{other};{other}", "1,1;1")
    return "`,` (and)" if _found(prober, sample, written) else "`;` (or)"


@or_refused
def comma(prober: Prober) -> str:
    """Whether a value in the short lists can have a comma."""
    for sample in prober.samples:
        for row in sample.findable:
            for field in sample.fields("string"):
                text = row[field.id]
                if isinstance(text, str) and "," in text and ";" not in text and text == text.strip():
                    written = _compact(field.id, text, "1").replace(",", "%2C")
                    rows = prober.ask(sample.connector, _Written(sample.order, take=1, written=written))
                    return "yes, as `%2C`" if rows else "it finds nothing"
    raise UnsettledError("no row with a known key has a text with a comma.")


@or_refused
def single(prober: Prober) -> str:
    """Whether `filterjson` takes an object where a list with one stands."""
    sample, one, _ = _two(prober)
    found = _found(prober, sample, _structured({"@FilterId": "1", "Field": _is(sample.key[0], one)}))
    return _as_asked(found, one)


@or_refused
def both(prober: Prober) -> str:
    """Whether the short lists and `filterjson` count together."""
    sample, one, other = _two(prober)
    name = sample.key[0]
    listed = _structured([{"@FilterId": "1", "Field": [_is(name, other)]}])
    found = _found(prober, sample, f"{_compact(name, one, '1')}&{listed}")
    if not found:
        return "both count"
    counting = [said for said, value in (("the lists", one), ("`filterjson`", other)) if set(found) == {value}]
    return f"only {counting[0]}" if counting else "either is enough"


def _as_asked(found: Iterable[str], wanted: str) -> str:
    return "taken, and heeded" if set(found) == {wanted} else "taken, and not heeded"

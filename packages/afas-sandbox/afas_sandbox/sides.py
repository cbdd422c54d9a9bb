"""The two sides of a value: what the database holds and compares, and what AFAS shows of it.

Nothing promises that they are one: a code may be held right-aligned and shown trimmed, a decimal held finer than shown,
a stamp shown by the minute, a literal read in another zone. All of that is told here, as SQL by place in a row.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from afas_sandbox.clock import stored
from afas_sandbox.collation import COLLATIONS
from afas_sandbox.query import COMPARISONS

if TYPE_CHECKING:
    from afas_sandbox.model import Field
    from afas_sandbox.options import Options
    from afas_sandbox.query import Query, Term
    from afas_sandbox.stored_table import StoredTable

_ONLY_DATE, _ONLY_TIME = 4, 7
_CUT = {"minute": (16, ":00"), "hour": (13, ":00:00"), "day": (10, "T00:00:00")}


@dataclasses.dataclass(frozen=True, slots=True)
class Sides:
    """The two sides of a connector's values.

    Attributes:
        kept: Where its rows are.
        options: How they are held and shown.
    """

    kept: StoredTable
    options: Options

    def held(self, place: int) -> str:
        """The SQL of a value as the database holds it."""
        field = self._field(place)
        width = self.options.padded.get(field.id, 0) if field.data_type == "string" else 0
        return f"padded(c{place}, {int(width)})" if width else f"c{place}"

    def compared(self, place: int) -> str:
        """The SQL by which a value is compared and sorted."""
        data_type = self._field(place).data_type
        held = self.held(place)
        if data_type == "string" and (held != f"c{place}" or self.options.collation != "ci_as"):
            return f"fold_{self.options.collation}({held})"
        if data_type == "date" and self.options.stamps_compared == "shown":
            return f"substr({self.shown(place)} || '.000', 1, 23)"
        return self.kept.sort_column(place)

    def shown(self, place: int) -> str:
        """The SQL of a value as AFAS shows it."""
        field = self._field(place)
        column = f"c{place}"
        match field.data_type:
            case "string" if self.options.padded.get(field.id):
                return f"trim({column})"
            case "decimal" if field.id in self.options.fine_decimals:
                return f"rounded({column}, {field.decimals})"
            case "date":
                return self._moment(column, field)
            case _:
                return column

    def comparable(self, term: Term) -> str | int:
        """The value of a condition in the form in which `compared` has it."""
        if term.field.data_type == "string":
            return COLLATIONS[self.options.collation].fold(str(term.value))
        return term.value

    def read(self, query: Query, now: dt.datetime) -> Query:
        """A query as AFAS understands its literals at this wall time."""
        if not self.options.shifted_literals or stored(now) < (self.options.shifted_from or ""):
            return query
        groups = tuple(tuple(map(self._read_term, group)) for group in query.groups)
        return dataclasses.replace(query, groups=groups)

    def _read_term(self, term: Term) -> Term:
        fields = self.options.shifted_fields
        concerned = _is_moment(term.field) if fields is None else term.field.id in fields
        if not concerned or term.field.data_type != "date" or term.operator not in COMPARISONS:
            return term
        try:
            moment = dt.datetime.fromisoformat(str(term.value)) + dt.timedelta(seconds=self.options.shifted_literals)
        except OverflowError:
            return term
        return dataclasses.replace(term, value=stored(moment))

    def _moment(self, column: str, field: Field) -> str:
        unit = self.options.stamp_unit
        if unit != "second" and field.control_type != _ONLY_TIME:
            length, rest = _CUT[unit]
            return f"substr({column}, 1, {length}) || '{rest}'"
        whole = f"substr({column}, 1, 19)"
        if self.options.display == "cut":
            return whole
        if self.options.display == "exact":
            return f"CASE WHEN substr({column}, 20) = '.000' THEN {whole} ELSE {column} END"
        later = f"coalesce(strftime('%Y-%m-%dT%H:%M:%S', {whole}, '+1 second'), {whole})"
        return f"CASE WHEN substr({column}, 21) < '500' THEN {whole} ELSE {later} END"

    def _field(self, place: int) -> Field:
        return self.kept.connector.fields[place]


def _is_moment(field: Field) -> bool:
    return field.control_type not in {_ONLY_DATE, _ONLY_TIME}

"""The stamp of a connector: which field tells when a row was last changed, and whether it can be relied on."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime
import re
from typing import TYPE_CHECKING, Any

from tap_afas.explore.findings import Finding, RowsOverTime
from tap_afas.profit.known_connectors import stamp_candidates, words
from tap_afas.profit.metainfo import kind_of
from tap_afas.profit.wall_time import UnreadableError, shift

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_afas.profit.metainfo import Connector, Field
    from tap_afas.profit.page import Page

_CREATED = re.compile(
    r"\b(?:created?|creation|creatie|aangemaakt|toegevoegd|ingevoerd|erstellt|angelegt|cree|ajoute)\b|\bsystem date\b"
)
# A day that each month has, or nearly: what is none is told elsewhere.
_WALL = re.compile(r"(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d")
# What fewer rows have in common says nothing.
_FEW = 20
# So many of the rows were made after they were last changed.
_MANY_BEHIND = 0.05
_DAYS, _DAY_SECONDS, _STANDS_STILL_DAYS = 30, 86_400, 7
_MONTH, _DAY = 7, 10


def likely_stamps(connector: Connector) -> list[str]:
    """The fields that seem to tell when a row was last changed."""
    return stamp_candidates(connector, _date_times(connector))


def dummy_stamps(connector: Connector) -> list[str]:
    """The fields that seem to, and are known to be dummies."""
    named = [dataclasses.replace(field, label=re.sub("(?i)dummy", "", field.label)) for field in _date_times(connector)]
    likely = likely_stamps(connector)
    return [one for one in stamp_candidates(dataclasses.replace(connector, id=""), named) if one not in likely]


def day_stamps(connector: Connector) -> list[str]:
    """The fields that seem to tell on which day a row was last changed: the settings can name them."""
    return stamp_candidates(connector, [field for field in connector.fields.values() if kind_of(field) == "date"])


def _date_times(connector: Connector) -> list[Field]:
    return [field for field in connector.fields.values() if kind_of(field) == "date-time"]


class StampFigures:
    """The values of one date field, counted while rows are read.

    Args:
        field: The field's id.
        now: The wall time, `YYYY-MM-DDTHH:MM:SS`.
    """

    def __init__(self, field: str, now: str) -> None:
        self.field = field
        self.filled = self.empties = self.midnights = self.future = 0
        self.lowest: str | None = None
        self.highest: str | None = None
        self.highest_past: str | None = None
        self.months: collections.Counter[str] = collections.Counter()
        self.last_days: collections.Counter[str] = collections.Counter()
        self._now = now
        self._late = shift(now, _DAY_SECONDS)
        self._since = shift(now, -_DAYS * _DAY_SECONDS)[:_DAY]

    def add(self, column: Sequence[Any]) -> None:
        """Take the values of a page's rows; what is no date is left to others."""
        walls = [one[:19] for one in column if isinstance(one, str) and _WALL.match(one)]
        self.empties += column.count(None)
        if not walls:
            return
        self.filled += len(walls)
        self.midnights += sum(wall.endswith("T00:00:00") for wall in walls)
        future = [wall for wall in walls if wall > self._late]
        self.future += len(future)
        self.lowest, self.highest = min(self.lowest or walls[0], *walls), max(self.highest or walls[0], *walls)
        past = walls if not future else [wall for wall in walls if wall <= self._late]
        self.highest_past = max([*past, self.highest_past or ""]) or None
        self.months.update(wall[:_MONTH] for wall in walls)
        self.last_days.update(wall[:_DAY] for wall in past if wall[:_DAY] >= self._since)

    @property
    def is_constant(self) -> bool:
        """Whether all rows have the same."""
        return self.filled >= _FEW and self.lowest == self.highest

    @property
    def changes_a_day(self) -> float:
        """Rows that bear a stamp of the last 30 days, a day."""
        return self.last_days.total() / _DAYS

    @property
    def over_time(self) -> RowsOverTime:
        """How the rows spread."""
        months, days = (dict(sorted(counts.items())) for counts in (self.months, self.last_days))
        return RowsOverTime(field=self.field, months=months, last_days=days, empties=self.empties)


class Stamps:
    """All that tells of a connector's stamp, page by page.

    Args:
        connector: The connector.
        named: The field that settings or catalog name; empty: they name none. None: they say that there is none.
        now: AFAS' wall time.
    """

    def __init__(self, connector: Connector, named: str | None, now: str) -> None:
        self.connector = connector
        self.named = named
        self.likely = likely_stamps(connector)
        dates = [field.id for field in connector.fields.values() if kind_of(field) in {"date", "date-time"}]
        self.figures = {one: StampFigures(one, now) for one in dates}
        self._created = [
            field.id
            for field in _date_times(connector)
            if any(_CREATED.search(words(text)) for text in (field.id, field.label)) and field.id not in self.likely
        ]
        self._behind = 0
        self._now = now
        self._changes_a_day: float | None = None

    @property
    def chosen(self) -> str | None:
        """The stamp by which the stream is read, or would be with a key."""
        if self.named:
            return self.named
        return self.likely[0] if self.named is not None and self.likely else None

    @property
    def further(self) -> tuple[str, ...]:
        """The further stamps by which the stream is read, or would be with a key, where nobody names any."""
        return () if self.named or self.named is None else tuple(self.likely[1:])

    @property
    def sortable(self) -> str | None:
        """The stamp, if it is a date that AFAS can sort on."""
        chosen = self.chosen
        return chosen if chosen in self.figures and self.connector.fields[chosen].sortable else None

    def add(self, page: Page, positions: Sequence[int]) -> None:
        """Take rows of a page."""
        columns = {one: _at(page.column(one), positions) for one in self.figures}
        for one, figures in self.figures.items():
            figures.add(columns[one])
        if self.chosen in columns and self._created:
            created = columns[self._created[0]]
            for stamp, made in zip(columns[self.chosen], created, strict=True):
                if isinstance(stamp, str) and isinstance(made, str) and made[:_DAY] > stamp[:_DAY]:
                    self._behind += 1

    def add_latest(self, page: Page) -> None:
        """Take the rows that changed last, the latest first, of a table that isn't read whole.

        They tell how many change a day, and how far its stamps go; they aren't counted otherwise.
        """
        chosen = self.sortable or ""
        latest = StampFigures(chosen, self._now)
        latest.add(page.column(chosen))
        figures = self.figures[chosen]
        figures.highest = max(filter(None, (figures.highest, latest.highest)), default=None)
        figures.highest_past = max(filter(None, (figures.highest_past, latest.highest_past)), default=None)
        if not latest.lowest:
            return
        # A date that no month has is told elsewhere.
        with contextlib.suppress(ValueError):
            begin = max(latest.lowest[:_DAY], shift(self._now, -_DAYS * _DAY_SECONDS)[:_DAY])
            days = (datetime.date.fromisoformat(self._now[:_DAY]) - datetime.date.fromisoformat(begin)).days + 1
            self._changes_a_day = latest.last_days.total() / max(1, days)

    @property
    def over_time(self) -> RowsOverTime | None:
        """How the rows spread: by the stamp, else by when they were made, else by the first date."""
        for one in (self.chosen, *self.likely, *self._created, *self.figures):
            if one in self.figures and self.figures[one].filled:
                return self.figures[one].over_time
        return None

    @property
    def changes_a_day(self) -> float | None:
        """Rows that change a day; None where nothing tells."""
        if self._changes_a_day is not None:
            return self._changes_a_day
        figures = self.figures.get(self.chosen or "")
        return figures.changes_a_day if figures is not None else None

    def findings(self, *, incremental: bool, rows: int) -> list[Finding]:
        """What there is to say.

        Args:
            incremental: Whether the stream is read by its stamp as configured.
            rows: How many rows were read.
        """
        found = [
            Finding(code="stamp_dummy", severity="note", fields=(one,), facts={"known": True, "used": False})
            for one in dummy_stamps(self.connector)
            if one != self.named
        ]
        if self.named is None:
            return found
        chosen = self.chosen
        if self.further:
            highest = {one: self.figures[one].highest or "" for one in self.likely}
            facts = {"further": list(self.further), "used": incremental}
            likely = tuple(self.likely)
            found = [
                Finding(code="stamp_ambiguous", severity="note", fields=likely, facts=facts, values=highest),
                *found,
            ]
        if chosen is None:
            facts = {"days": day_stamps(self.connector), "created": self._created, "rows": rows}
            return [Finding(code="stamp_missing", severity="note", facts=facts), *found]
        return [*self._about(chosen, incremental=incremental), *found]

    def _about(self, chosen: str, *, incremental: bool) -> list[Finding]:
        figures = self.figures.get(chosen)
        if figures is None:
            return []
        rows = figures.filled + figures.empties
        found = []

        def tell(code: str, facts: Mapping[str, Any], *values: str | None, lost: bool = False) -> None:
            severity: Any = "error" if lost and incremental else "warning"
            shown = dict.fromkeys([chosen], next(filter(None, values))) if any(values) else {}
            found.append(
                Finding(
                    code=code,
                    severity=severity,
                    fields=(chosen,),
                    facts={"rows": rows, "used": incremental, **facts},
                    values=shown,
                )
            )

        known = chosen in dummy_stamps(self.connector)
        if known or figures.is_constant:
            tell("stamp_dummy", {"known": known}, figures.highest, lost=True)
        elif self._stands_still(figures):
            tell("stamp_stands_still", {"created": self._created[0]}, figures.highest_past, lost=True)
        if figures.empties:
            tell("stamp_empty", {"empties": figures.empties})
        if figures.future:
            tell("stamp_future", {"future": figures.future}, figures.highest)
        is_day = kind_of(self.connector.fields[chosen]) == "date"
        if not figures.is_constant and (is_day or (figures.filled >= _FEW and figures.midnights == figures.filled)):
            tell("stamp_midnight", {})
        return found

    def _stands_still(self, figures: StampFigures) -> bool:
        """Whether rows were made after what their stamp says, as where nothing sets it."""
        if not self._created or not figures.highest_past:
            return False
        made = self.figures[self._created[0]].highest_past
        later = False
        with contextlib.suppress(UnreadableError):
            later = made is not None and shift(figures.highest_past, _STANDS_STILL_DAYS * _DAY_SECONDS) < made
        return self._behind > figures.filled * _MANY_BEHIND or (later and self._behind > 0)


def _at(column: Sequence[Any], positions: Sequence[int]) -> Sequence[Any]:
    return column if len(positions) == len(column) else [column[position] for position in positions]

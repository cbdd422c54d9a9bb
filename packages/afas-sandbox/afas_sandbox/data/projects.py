# ruff: noqa: PLR2004 - made-up data are made of plain numbers
"""Projects with their phases, and the hours and costs written on them."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING

from afas_sandbox.data.identifiers import decimal_text
from afas_sandbox.data.worktime import DAY, midnight, stamp
from afas_sandbox.data.world import counted, introduced, known, spice, table
from afas_sandbox.model import ChangedDays

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from afas_sandbox.data.relations import Party, Relations
    from afas_sandbox.data.staff import Staff
    from afas_sandbox.data.world import World
    from afas_sandbox.model import Row, Table

WORKTYPES = {
    "00ADV": "Advies",
    "00MON": "Montage",
    "00REIS": "Reistijd",
    "00SERV": "Service & onderhoud",
    "00OVERW": "Overwerk (150%)",
    "00ADM": "Administratie",
}
HOURS = {"NORM": "Normale uren", "OVER": "Overuren", "NACHT": "Nachturen"}
GROUPS = {"INST": "Installatie", "ONDH": "Onderhoud", "INTERN": "Intern"}
STAGES = ("Voorbereiding", "Uitvoering", "Oplevering", "Nazorg", "Garantie")


@dataclasses.dataclass(frozen=True, slots=True)
class Project:
    """One project; an internal one has no debtor."""

    number: int
    code: str
    name: str
    group: str
    debtor: Party | None
    start: dt.date
    ready: dt.date | None
    created: str
    modified: str


class Projects:
    """The projects.

    Attributes:
        count: How many projects there are.
        hours: How many lines were written on them.
    """

    def __init__(self, world: World, relations: Relations, staff: Staff) -> None:
        self.world = world
        self.relations = relations
        self.staff = staff
        self.count = world.small(250, at_least=6)
        self.hours = world.big(5000, at_least=20)
        self.project = functools.lru_cache(512)(self._project)

    def _project(self, number: int) -> Project:
        rng = self.world.rng("project", number)
        time = self.world.time
        share = introduced(number, self.count)
        created = time.created(rng, share)
        group = rng.choice(("INST", "INST", "ONDH", "ONDH", "INTERN"))
        debtor = None if group == "INTERN" else self.relations.debtor(known(rng, self.relations.debtors, share))
        ready = created.date() + DAY * rng.randrange(30, 1200)
        subject = GROUPS[group] if debtor is None else f"{GROUPS[group]} {debtor.name}"
        return Project(
            number=number,
            code=f"{number + 1:06d}" if number % 2 else f"P{created:%y}-{number:04d}",
            name=spice(rng, subject),
            group=group,
            debtor=debtor,
            start=created.date() + DAY * rng.randrange(20),
            ready=ready if ready < time.now.date() else None,
            created=stamp(created),
            modified=stamp(time.modified(rng, created)),
        )

    def tables(self) -> Iterator[Table]:
        """The tables of projects."""
        yield counted("Profit_Projectgroups", len(GROUPS), self._group_row)
        yield counted("Profit_Projects", self.count, self._row)
        yield table("Profit_Projectstage", self._stage_rows, lambda n: self._stage_row(n % self.count, 10 + n))
        yield counted("Profit_Worktype", len(WORKTYPES), self._worktype_row)
        yield counted("Profit_Hourtype", len(HOURS), self._hourtype_row)
        yield counted("Profit_Realization", self.hours, self._hours_row)
        listed_days = ChangedDays("Profit_Realization", "DateTime")
        yield table("Profit_Rea_ChangedEntryDate", self._changed_days, self._new_changed_day, listed_days)

    def _group_row(self, number: int) -> Row:
        code = tuple(GROUPS)[number] if number < len(GROUPS) else f"N{number}"
        stamps = self.world.time.audit(self.world.rng("project group", number), 0.0)
        return (code, GROUPS.get(code, "Nieuwe groep"), 1, *stamps)

    def _worktype_row(self, number: int) -> Row:
        code = tuple(WORKTYPES)[number] if number < len(WORKTYPES) else f"{number:05d}"
        stamps = self.world.time.audit(self.world.rng("work type", number), 0.0)
        return (code, WORKTYPES.get(code, "Nieuwe werksoort"), *stamps, "")

    def _hourtype_row(self, number: int) -> Row:
        code = tuple(HOURS)[number] if number < len(HOURS) else f"U{number}"
        stamps = self.world.time.audit(self.world.rng("hour type", number), 0.0)
        return (code, HOURS.get(code, "Nieuwe uursoort"), "N", *stamps)

    def _row(self, number: int) -> Row:
        project = self.project(number)
        debtor = project.debtor
        return (
            project.code,
            project.name[:250],
            1,
            project.group,
            project.ready is not None,
            debtor.organisation if debtor else None,
            debtor.code if debtor else None,
            midnight(project.start),
            midnight(project.ready) if project.ready else None,
            debtor is not None,
            project.created,
            project.modified,
        )

    def _stage_rows(self) -> Iterator[Row]:
        for number in range(self.count):
            for place in range(1 + number % len(STAGES)):
                yield self._stage_row(number, place)

    def _stage_row(self, number: int, place: int) -> Row:
        project = self.project(number)
        rng = self.world.rng("stage", number * 100_000 + place)
        return (
            project.code,
            f"{(place + 1) * 10:03d}",
            STAGES[place % len(STAGES)],
            place + 1 if project.debtor else None,
            midnight(project.start + DAY * rng.randrange(200)),
            midnight(project.ready) if project.ready else None,
            project.ready is not None,
            project.created,
            project.modified,
        )

    def _hours_row(self, number: int) -> Row:
        rng = self.world.rng("hours", number)
        time = self.world.time
        share = min(1.0, 0.004 + 0.996 * (number + rng.random()) / self.hours)
        day = time.day(share)
        project = self.project(known(rng, self.count, share))
        employee = self.staff.at_work(rng, day)
        written = time.at_work(rng, min(time.working_day(day + DAY * rng.choice((0, 0, 0, 1, 3, 7))), time.days[-1]))
        kind = rng.choice(tuple(WORKTYPES))
        quarters = -rng.randrange(1, 9) if rng.random() < 0.01 else rng.randrange(1, 36)
        return (
            100_000 + number,
            day.year,
            day.month,
            midnight(day),
            employee.code,
            project.code,
            spice(rng, WORKTYPES[kind]) if rng.random() < 0.5 else None,
            "1",
            kind,
            "UUR",
            decimal_text(quarters * 2500, 4),
            project.debtor is not None,
            share < 0.98,
            share < 0.95,
            stamp(time.modified(rng, written)),
            stamp(written),
        )

    def _changed_days(self) -> Iterator[Row]:
        last: dict[str, str] = {}
        for row in map(self._hours_row, range(self.hours)):
            day, changed = str(row[3]), str(row[14])
            last[day] = max(last.get(day, ""), changed)
        return ((day, last[day]) for day in sorted(last))

    def _new_changed_day(self, number: int) -> Row:
        return (midnight(self.world.time.days[0] - DAY * (1 + number)), stamp(self.world.time.now))

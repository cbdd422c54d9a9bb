# ruff: noqa: PLR2004 - made-up data are made of plain numbers
"""Employees with their timetables, leave, absence and user accounts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from typing import TYPE_CHECKING

from afas_sandbox.data import identifiers
from afas_sandbox.data.names import slug
from afas_sandbox.data.relations import phone_number
from afas_sandbox.data.worktime import DAY, midnight, stamp
from afas_sandbox.data.world import by_name, counted, introduced, spice, table

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from afas_sandbox.data.relations import Relations
    from afas_sandbox.data.world import World
    from afas_sandbox.model import Row, Table

EMPLOYER = "01"
JOBS = {
    "VERK": "Verkoper binnendienst",
    "MAG": "Magazijnmedewerker",
    "CHAUF": "Chauffeur",
    "ADM": "Administratief medewerker",
    "INK": "Inkoper",
    "MONT": "Monteur",
    "ICT": "Applicatiebeheerder",
    "DIR": "Directeur",
}
LEAVE = {"VAK": "Vakantie", "ADV": "Adv", "BIJZ": "Bijzonder verlof", "OUD": "Ouderschapsverlof"}
REASONS = {"01": "Huwelijk", "02": "Verhuizing", "03": "Doktersbezoek"}
ABSENCE = {"Z": "Ziekte", "ZW": "Zwangerschap", "BO": "Bedrijfsongeval"}
USER_GROUPS = {"IEDEREEN": "Iedereen", "FIN": "Financieel", "HRM": "HRM & payroll", "MAG": "Magazijn (alleen lezen)"}
ENVIRONMENT = "12345"
MAIL = "vandam.example"
WEEK_HOURS = (40, 40, 38, 36, 32, 32, 24, 16)


@dataclasses.dataclass(frozen=True, slots=True)
class Employee:
    """Somebody who works, or worked, here."""

    number: int
    code: str
    person: str
    bsn: str
    given: str
    last: str
    gender: str
    born: dt.date
    start: dt.date
    end: dt.date | None
    job: str
    mail: str | None
    mobile: str | None
    hours: int

    @property
    def name(self) -> str:
        """Given and last name."""
        return f"{self.given} {self.last}"

    def employed(self, day: dt.date) -> bool:
        """Whether they worked here that day."""
        return self.start <= day and (self.end is None or day <= self.end)


class Staff:
    """The employees.

    Attributes:
        count: How many there are.
    """

    def __init__(self, world: World, relations: Relations) -> None:
        self.world = world
        self.relations = relations
        self.count = world.small(140, at_least=8)
        self.leaves = world.big(2000)
        self.absences = world.big(400)
        self.employee = functools.lru_cache(512)(self._employee)

    def _employee(self, number: int) -> Employee:
        rng = self.world.rng("employee", number)
        given, last, gender = self.world.names.person(rng)
        born = dt.date(1955, 1, 1) + DAY * rng.randrange(18_000)
        if number < self.count // 3:
            start = max(dt.date(1988, 1, 1), born + DAY * 7300) + DAY * rng.randrange(1000)
            start = min(start, self.world.time.days[0])
        else:
            start = self.world.time.day(introduced(number, self.count) * 0.98)
        end = None
        if number and rng.random() < 0.25:
            end = start + DAY * rng.randrange(200, 5000)
        return Employee(
            number=number,
            code=f"{1001 + number:09d}",
            person=f"{3_000_000 + number}",
            bsn=identifiers.bsn(rng),
            given=given,
            last=last,
            gender=gender,
            born=dt.date(1900, 1, 1) if number % 100 == 7 else born,
            start=start,
            end=end,
            job="DIR" if number == 0 else rng.choice(tuple(JOBS)[:-1]),
            mail=f"{slug(given)[0]}.{slug(last)}{number or ''}@{MAIL}" if rng.random() < 0.9 else None,
            mobile=phone_number(rng, "06") if rng.random() < 0.7 else "",
            hours=rng.choice(WEEK_HOURS),
        )

    def at_work(self, rng: random.Random, day: dt.date) -> Employee:
        """Somebody who worked here that day; the director always did."""
        for _ in range(6):
            employee = self.employee(int(rng.random() * self.count))
            if employee.employed(day):
                return employee
        return self.employee(0)

    def tables(self) -> Iterator[Table]:
        """The tables of the staff."""
        yield counted("Profit_Employees", self.count, self._row)
        yield table("Profit_Timetable", self._timetable_rows, self._new_timetable)
        yield counted("Profit_Leaves", self.leaves, self._leave_row)
        yield counted("Profit_Illness", self.absences, self._absence_row)
        yield table("Profit_Users", self._user_rows, lambda n: self._user_row(self.employee(self.count + n)))
        yield table("Profit_UserGroups", self._group_rows, lambda n: self._new_member(self.employee(self.count + n)))

    def _row(self, number: int) -> Row:
        employee = self.employee(number)
        return (
            employee.code,
            employee.person,
            employee.bsn,
            employee.given,
            employee.last,
            employee.gender,
            midnight(employee.born),
            midnight(employee.start),
            midnight(employee.end) if employee.end else None,
            employee.mail,
            employee.mobile,
            employee.job,
            JOBS[employee.job],
            f"AFD{1 + number % 6:02d}",
        )

    def _timetable_rows(self) -> Iterator[Row]:
        for number in range(self.count):
            employee = self.employee(number)
            rng = self.world.rng("timetable", number)
            last_day = min(employee.end or self.world.time.days[-1], self.world.time.days[-1])
            starts = sorted({employee.start, *(
                employee.start + DAY * rng.randrange(1, max(2, (last_day - employee.start).days))
                for _ in range(rng.randrange(3))
            )})  # fmt: skip
            ends = [*(day - DAY for day in starts[1:]), employee.end]
            for place, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
                yield self._timetable_row(employee, place, start, end)

    def _timetable_row(self, employee: Employee, place: int, start: dt.date, end: dt.date | None) -> Row:
        rng = self.world.rng("timetable row", employee.number * 1000 + place)
        hours = employee.hours if end is None else rng.choice(WEEK_HOURS)
        began = self.world.time.created(rng, 0.0)
        changed = self.world.time.modified(rng, max(began, dt.datetime.combine(start, began.time())))
        flexible = rng.random() < 0.1
        return by_name(
            "Profit_Timetable",
            {
                "EmployeeId": employee.code,
                "SeqNo": place,
                "EmployerId": EMPLOYER,
                "StartDate": midnight(start),
                "EndDate": midnight(end) if end else None,
                "DaysPerWeek": identifiers.decimal_text(min(500, hours * 100 // 8)),
                "HoursPerWeek": identifiers.decimal_text(hours * 100),
                "Variable": flexible,
                "PartTime": identifiers.decimal_text(hours * 1_000_000 // 40, 4),
                "VariablePattern": False,
                "MinHours": "0.00" if flexible else None,
                "MaxHours": "40.00" if flexible else None,
                "ModifiedDate": stamp(changed),
            },
        )

    def _new_timetable(self, number: int) -> Row:
        employee = self.employee(number % self.count)
        return self._timetable_row(employee, 100 + number // self.count, self.world.time.days[-1], None)

    def _leave_row(self, number: int) -> Row:
        rng = self.world.rng("leave", number)
        time = self.world.time
        asked = time.created(rng, min(1.0, (number + rng.random()) / self.leaves))
        employee = self.at_work(rng, asked.date())
        begin = dt.datetime.combine(asked.date() + DAY * rng.randrange(120), dt.time(8, 30))
        days = rng.choice((0, 1, 1, 2, 4, 5, 10))
        end = begin + DAY * max(0, days - 1) + dt.timedelta(hours=8.5 if days else 4)
        kind = rng.choice(("VAK", "VAK", "VAK", *LEAVE))
        reason = rng.choice(tuple(REASONS)) if kind == "BIJZ" else None
        return (
            1000 + number,
            employee.code,
            employee.name,
            employee.bsn,
            number % 2 == 0,
            identifiers.decimal_text(days * 800 or 400),
            stamp(begin),
            stamp(end),
            1,
            stamp(time.modified(rng, asked)),
            kind,
            LEAVE[kind],
            reason,
            spice(rng, REASONS[reason]) if reason else rng.choice((None, None, "")),
        )

    def _absence_row(self, number: int) -> Row:
        rng = self.world.rng("absence", number)
        time = self.world.time
        begin = time.created(rng, min(1.0, (number + rng.random()) / self.absences))
        employee = self.at_work(rng, begin.date())
        end = begin + DAY * max(1, int(rng.expovariate(1 / 8)))
        over = end < time.now
        kind = rng.choice(("Z", "Z", "Z", "Z", *ABSENCE))
        place = self.relations.address(13 + 4 * employee.number)
        away = rng.random() < 0.2
        return by_name(
            "Profit_Illness",
            {
                "ActionId": rng.choice((1, 2)),
                "GUID": identifiers.guid(rng),
                "EmployerId": EMPLOYER,
                "EmployeeId": employee.code,
                "BSN": employee.bsn,
                "AbsenceId": 500 + number,
                "StartDate": stamp(begin),
                "EndDate": stamp(end) if over else None,
                "AbsenceTypeId": kind,
                "AbsenceTypeDesc": ABSENCE[kind],
                "Presence": identifiers.decimal_text(0 if over else rng.choice((0, 2500, 5000))),
                "Phone": phone_number(rng, "06") if away else None,
                "Street": place.street if away else None,
                "HouseNumber": place.house if away else None,
                "AddNumber": place.addition if away else None,
                "ZIPCode": place.postcode if away else None,
                "City": place.city if away else None,
                "Address4": "Nederland" if away else "",
                "ModifiedDate": stamp(time.modified(rng, begin)),
                "ReportDate": stamp(begin),
                "ExEndDate": None if over else midnight((begin + DAY * 30).date()),
                "FirstDay": rng.choice((0, 4)),
                "DvId": 1,
                "Continuous": not over,
                "Vangnet": 1 if kind == "ZW" else 0,
                "NoStatistic": 0,
                "ReportEndDate": stamp(end) if over else None,
                "ReasonEnd": "H" if over else None,
                "WAO": "0.00",
                "ApplyQualifyingDays": 0,
                "HourWeekPresent": "0.00",
                "NursingAddress": spice(rng, "Bij familie") if away else None,
            },
        )

    def user(self, employee: Employee) -> str:
        """The user id of an employee."""
        return f"{ENVIRONMENT}.{slug(employee.last).upper()[:8]}{employee.number}"

    def _users(self) -> Iterator[Employee]:
        return (self.employee(number) for number in range(self.count) if number % 10 < 7)

    def _user_row(self, employee: Employee) -> Row:
        user = self.user(employee)
        gone = employee.end is not None and employee.end < self.world.time.now.date()
        upn = f"{user.partition('.')[2].lower()}@{MAIL}"
        inside = not gone
        person, code = employee.person, employee.code
        return (user, employee.name, upn, gone, employee.mail, inside, False, False, inside, person, code)

    def _user_rows(self) -> Iterator[Row]:
        system = f"{ENVIRONMENT}.KOPPELING"
        yield (system, "Koppeling datawarehouse", None, False, "", False, True, False, False, None, None)
        yield from map(self._user_row, self._users())

    def _group_rows(self) -> Iterator[Row]:
        for employee in self._users():
            for place, (group, name) in enumerate(USER_GROUPS.items()):
                if place == 0 or (employee.number + place) % 5 == 0:
                    yield (group, name, self.user(employee))

    def _new_member(self, employee: Employee) -> Row:
        return ("IEDEREEN", USER_GROUPS["IEDEREEN"], self.user(employee))

# ruff: noqa: PLR2004 - made-up data are made of plain numbers
"""The file on relations: dossier items and their types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afas_sandbox.data.worktime import DAY, midnight, stamp
from afas_sandbox.data.world import ODD_TEXTS, by_name, counted, known, spice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox.data.projects import Projects
    from afas_sandbox.data.relations import Relations
    from afas_sandbox.data.staff import Staff
    from afas_sandbox.data.world import World
    from afas_sandbox.model import Row, Table

TYPES = {-1: "Correspondentie", -2: "Loonstrook", 25: "Verzuimbegeleiding", 30: "Klacht", 31: "Offerteaanvraag"}
SENTENCES = (
    "Gebeld met de klant; levering komt een week later.",
    "Klant is tevreden over de plaatsing.",
    "Graag terugbellen na 14:00 uur.",
    "Factuur is opnieuw verstuurd per e-mail.",
    "De monteur heeft het onderdeel vervangen & getest.",
    "<p>Zie bijlage voor de <b>tekening</b>.</p>",
)


class Dossier:
    """The dossier items.

    Attributes:
        count: How many items there are.
    """

    def __init__(self, world: World, relations: Relations, staff: Staff, projects: Projects) -> None:
        self.world = world
        self.relations = relations
        self.staff = staff
        self.projects = projects
        self.count = world.small(1000)

    def tables(self) -> Iterator[Table]:
        """The tables of the dossier."""
        yield counted("Profit_SubjectTypes", len(TYPES), self._type_row)
        yield counted("Profit_Subjects", self.count, self._row)

    def _type_row(self, number: int) -> Row:
        code = tuple(TYPES)[number] if number < len(TYPES) else 100 + number
        flags = (True, False, True, True, True, True, True, False, False, False, True, False, True)
        return (code, TYPES.get(code, "Nieuw type"), *flags, "N", False, True, False, 0)

    def _row(self, number: int) -> Row:
        rng = self.world.rng("dossier item", number)
        time = self.world.time
        share = min(1.0, 0.01 + 0.99 * number / self.count)
        sent = time.created(rng, share)
        debtor = self.relations.debtor(known(rng, self.relations.debtors, share))
        contact = 100 + 4 * debtor.number
        project = self.projects.project(known(rng, self.projects.count, share)) if rng.random() < 0.2 else None
        kind = rng.choice((-1, 30, 31))
        done = rng.random() < 0.8
        comment = "\r\n".join(rng.choice(SENTENCES) for _ in range(rng.choice((1, 2, 5, 40))))
        if rng.random() < 0.1:
            comment = "\r\n".join(ODD_TEXTS)
        return by_name(
            "Profit_Subjects",
            {
                "TypeId": kind,
                "SubjectId": 40_000 + number,
                "DateCreated": stamp(sent),
                "Subject": spice(rng, f"{TYPES[kind]} {debtor.name}"),
                "Comment": None if rng.random() < 0.1 else comment,
                "Status": rng.choice(("A", "B", None, "")),
                "Number": number if number % 3 else None,
                "OrgPersId": debtor.organisation,
                "ContactNr": contact,
                "ToEmployer": False,
                "ToDebtor": True,
                "ToCreditor": False,
                "ToOrgPers": True,
                "ToEmployee": False,
                "ToApplicant": None,
                "Project": project.code if project else None,
                "Responsible": self.staff.user(self.staff.employee(0)),
                "StartDate": stamp(sent),
                "EndDate": midnight(sent.date() + DAY * 30) if rng.random() < 0.5 else "9999-12-31T00:00:00.000",
                "Afgehandeld": done,
                "Datum_afgehandeld": midnight(min(sent.date() + DAY * 9, time.days[-1])) if done else None,
                "Prioriteit": rng.choice(("Hoog", "Normaal", "Laag")),
                "WFClosed": "J" if done else "N",
            },
        )

"""The register of organisations and persons, which debtors, creditors, contacts and employees point to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afas_sandbox.data.names import MAIL_DOMAIN, slug
from afas_sandbox.data.relations import COUNTRIES
from afas_sandbox.data.worktime import midnight
from afas_sandbox.data.world import by_name, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox.data.relations import Address, Party, Relations
    from afas_sandbox.data.staff import Employee, Staff
    from afas_sandbox.model import Cell, Row, Table

SEARCH_LENGTH = 10
FIRST_NEW = 10**8


class Persons:
    """The register."""

    def __init__(self, relations: Relations, staff: Staff) -> None:
        self.relations = relations
        self.staff = staff

    def tables(self) -> Iterator[Table]:
        """The table of the register."""
        yield table("Profit_OrgPer", self._rows, lambda n: self._organisation(self.relations.debtor(FIRST_NEW + n)))

    def _rows(self) -> Iterator[Row]:
        yield from map(self._organisation, self.relations.parties())
        for contact in self.relations.contact_rows():
            yield self._person(str(contact[4]), str(contact[16]), {"MailWork": contact[12]})
        yield from map(self._employee, map(self.staff.employee, range(self.staff.count)))

    def _employee(self, employee: Employee) -> Row:
        lives = self.relations.address(13 + 4 * employee.number)
        details = {"DateBirth": midnight(employee.born), "BSN": employee.bsn, "MailWork": employee.mail}
        return self._person(employee.person, employee.name, {**self._address(lives), **details})

    def _person(self, number: str, name: str, details: dict[str, Cell]) -> Row:
        search = slug(name).upper()[:SEARCH_LENGTH]
        return by_name("Profit_OrgPer", {"BcCo": number, "Type": "PER", "SearchName": search, "Name": name, **details})

    def _address(self, address: Address) -> dict[str, Cell]:
        return {
            "AdressLine1": address.line1,
            "AdressLine3": address.line3,
            "AdressLine4": COUNTRIES[address.country],
        }

    def _organisation(self, party: Party) -> Row:
        site = f"https://www.{slug(party.name)}.{MAIL_DOMAIN}/?bron=profit&lang=nl"
        return by_name(
            "Profit_OrgPer",
            {
                "BcCo": party.organisation,
                "Type": "ORG",
                "SearchName": slug(party.name).upper()[:SEARCH_LENGTH],
                "Name": party.name,
                **self._address(party.address),
                "TelWork": party.phone,
                "MailWork": party.mail,
                "Homepage": site if party.number % 3 else None,
                "Note": party.note,
                "ChOfCommNr": party.coc_number,
            },
        )

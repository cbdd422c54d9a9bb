# ruff: noqa: PLR2004 - made-up data are made of plain numbers
"""Debtors and creditors with their organisations, contacts, addresses and bank accounts."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING

from afas_sandbox.data import identifiers
from afas_sandbox.data.names import MAIL_DOMAIN, slug
from afas_sandbox.data.world import counted, introduced, spice, table

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from afas_sandbox.data.world import World
    from afas_sandbox.model import Row, Table

COUNTRIES = {"NL": "Nederland", "BE": "België", "DE": "Duitsland", "FR": "Frankrijk", "GB": "Engeland", "US": "USA"}
CODES = {"BE": "B", "DE": "D", "FR": "F"}
CURRENCIES = {"GB": "GBP", "US": "USD"}
FOREIGN = ("BE", "BE", "DE", "DE", "DE", "FR", "GB", "US")
DEPARTMENTS = ("Inkoop", "Administratie", "Directie", "Magazijn", "Facilitair", "Techniek", "")
JOBS = ("Inkoper", "Administrateur", "Directeur", "Magazijnchef", "Planner", "Receptionist(e)", "Monteur")
TERMS = {"07": 7, "14": 14, "30": 30, "60": 60}


@dataclasses.dataclass(frozen=True, slots=True)
class Address:
    """A place."""

    number: int
    street: str
    house: int | None
    addition: str | None
    postcode: str
    city: str
    country: str
    po_box: bool
    created: str
    modified: str

    @property
    def line1(self) -> str:
        """Street and house number."""
        return f"{self.street} {self.house}{self.addition or ''}"

    @property
    def line3(self) -> str:
        """Postcode and city."""
        return f"{self.postcode}  {self.city}"


@dataclasses.dataclass(frozen=True, slots=True)
class Party:
    """An organisation that buys (debtor) or sells (creditor)."""

    number: int
    code: str
    organisation: str
    name: str
    address: Address
    phone: str | None
    mail: str | None
    iban: str | None
    vat_number: str | None
    coc_number: str | None
    term: str
    vat_duty: str
    currency: str
    blocked: bool
    credit_limit: int | None
    note: str | None
    created: str
    modified: str


def phone_number(rng: random.Random, prefix: str) -> str:
    """A Dutch phone number of ten digits."""
    return f"{prefix}-{rng.randrange(10**7, 10**8) % 10 ** (10 - len(prefix)):0{10 - len(prefix)}d}"


class Relations:
    """Whom the company trades with.

    Attributes:
        debtors: How many debtors there are.
        creditors: How many creditors there are.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.debtors = world.small(800)
        self.creditors = world.small(300)
        self.debtor = functools.lru_cache(1024)(self._debtor)
        self.creditor = functools.lru_cache(1024)(self._creditor)
        self.address = functools.lru_cache(4096)(self._address)

    def postcodes(self, city: int) -> tuple[int, int]:
        """The first and last postcode number of a city."""
        width = 9000 // len(self.world.names.cities)
        return 1000 + city * width, 999 + (city + 1) * width

    def phone_prefix(self, city: int) -> str:
        """The phone prefix of a city: three digits for large ones, four for others."""
        return f"0{10 + city % 70}" if city % 8 == 0 else f"0{111 + city * 3 % 488}"

    def country(self, debtor: int) -> str:
        """Where the debtor is."""
        rng = self.world.rng("country", debtor)
        return rng.choice(FOREIGN) if rng.random() < 0.08 else "NL"

    def _address(self, number: int) -> Address:
        owner, slot = divmod(number - 10, 4)
        rng = self.world.rng("address", number)
        names = self.world.names
        city = rng.randrange(len(names.cities))
        first, last = self.postcodes(city)
        country = self.country(owner) if slot < 2 else "NL"
        digits = rng.randint(first, last)
        created, modified = self.world.time.audit(rng, introduced(owner, self.debtors))
        po_box = slot == 0 and rng.random() < 0.05
        return Address(
            number=number,
            street="Postbus" if po_box else rng.choice(names.streets),
            house=rng.randint(1, 9999 if po_box else 250),
            addition=rng.choice(("A", "B", "bis", "-1", "hs", "2e")) if rng.random() < 0.12 else None,
            postcode=f"{digits} {identifiers.postcode_letters(rng)}" if country == "NL" else f"{digits:05d}",
            city=names.cities[city],
            country=country,
            po_box=po_box,
            created=created,
            modified=modified,
        )

    def _party(self, rng: random.Random, number: int, code: str, organisation: str, address: Address) -> Party:
        names = self.world.names
        name = names.company(rng)
        dutch = address.country == "NL"
        share = introduced(number, self.debtors if code[0] == "0" else self.creditors)
        created, modified = self.world.time.audit(rng, share)
        prefix = self.phone_prefix(names.cities.index(address.city))
        mailbox = rng.choice(("info", "administratie", "facturen", "inkoop"))
        return Party(
            number=number,
            code=code,
            organisation=organisation,
            name=name,
            address=address,
            phone=None if rng.random() < 0.1 else phone_number(rng, prefix),
            mail=rng.choice((None, "")) if rng.random() < 0.12 else f"{mailbox}@{slug(name)}.{MAIL_DOMAIN}",
            iban=identifiers.iban(rng) if dutch else None,
            vat_number=identifiers.vat_number(rng) if dutch else None,
            coc_number=identifiers.coc_number(rng) if dutch else "",
            term=rng.choice(("07", "14", "14", "30", "30", "30", "60")),
            vat_duty="1" if dutch else "3" if address.country in CURRENCIES else "2",
            currency=CURRENCIES.get(address.country, "EUR"),
            blocked=rng.random() < 0.02,
            credit_limit=None if rng.random() < 0.3 else rng.randrange(0, 100) * 100_000,
            note=spice(rng, "Belangrijke relatie") if rng.random() < 0.2 else None,
            created=created,
            modified=modified,
        )

    def _debtor(self, number: int) -> Party:
        rng = self.world.rng("debtor", number)
        code, organisation = f"{number + 1:06d}", f"{1_000_000 + 2 * number}"
        return self._party(rng, number, code, organisation, self.address(10 + 4 * number))

    def _creditor(self, number: int) -> Party:
        rng = self.world.rng("creditor", number)
        code, organisation = f"{50_000 + number}", f"{1_000_001 + 2 * number}"
        return self._party(rng, number, code, organisation, self.address(12 + 4 * number))

    def delivery_address(self, debtor: int) -> Address | None:
        """A second address, which a third of the debtors have."""
        return self.address(11 + 4 * debtor) if self.world.rng("delivery", debtor).random() < 0.35 else None

    def contacts(self, debtor: int) -> int:
        """How many contacts a debtor has."""
        return 1 + int(self.world.rng("contacts", debtor).random() * 3)

    def tables(self) -> Iterator[Table]:
        """The tables of relations."""
        yield counted("Profit_Debtor", self.debtors, self._debtor_row)
        yield counted("Profit_Creditor", self.creditors, self._creditor_row)
        yield table("Profit_Address", self._address_rows, lambda number: self._address_row(10**9 + number))
        yield table("Profit_Contacts", self.contact_rows, lambda n: self._contact_row(self.debtors + n, 0))
        yield table("Profit_Deliveryaddress", self._place_rows, self._new_place)
        yield table("Profit_BankAccounts", self._account_rows, self._new_account)

    def _debtor_row(self, number: int) -> Row:
        debtor = self.debtor(number)
        return (
            debtor.code,
            debtor.name,
            debtor.organisation,
            slug(debtor.name).upper()[:10],
            debtor.address.line1,
            debtor.address.line3,
            COUNTRIES[debtor.address.country],
            debtor.phone,
            debtor.mail,
            debtor.iban,
            debtor.vat_number,
            debtor.coc_number,
            "1300",
            debtor.term,
            debtor.vat_duty,
            debtor.blocked,
            None if debtor.credit_limit is None else identifiers.decimal_text(debtor.credit_limit),
            debtor.currency,
            debtor.number % 9 == 0,
            debtor.created,
            debtor.modified,
        )

    def _creditor_row(self, number: int) -> Row:
        creditor = self.creditor(number)
        return (
            creditor.code,
            creditor.name,
            creditor.organisation,
            slug(creditor.name).upper()[:10],
            creditor.address.line1,
            creditor.address.line3,
            COUNTRIES[creditor.address.country],
            creditor.phone,
            creditor.mail,
            creditor.iban,
            creditor.vat_number,
            creditor.coc_number,
            creditor.term,
            None if creditor.credit_limit is None else identifiers.decimal_text(creditor.credit_limit),
            creditor.number % 40 == 3,
            creditor.vat_duty,
            creditor.number % 3 > 0,
            creditor.blocked,
            creditor.created,
            creditor.modified,
        )

    def _addresses(self) -> Iterator[Address]:
        for number in range(self.debtors):
            yield self.address(10 + 4 * number)
            if delivery := self.delivery_address(number):
                yield delivery
            if number < self.creditors:
                yield self.address(12 + 4 * number)

    def _address_rows(self) -> Iterator[Row]:
        return (self._address_row(address.number) for address in self._addresses())

    def _address_row(self, number: int) -> Row:
        address = self.address(number)
        return (
            address.number,
            f"{address.line1}, {address.line3}",
            address.po_box,
            None,
            address.street,
            address.house,
            address.addition,
            address.postcode,
            address.city,
            CODES.get(address.country, address.country),
            "" if number % 5 == 0 else None,
            address.created,
            address.modified,
        )

    def contact_rows(self) -> Iterator[Row]:
        """The rows of Profit_Contacts."""
        for number in range(self.debtors):
            for place in range(self.contacts(number)):
                yield self._contact_row(number, place)

    def _contact_row(self, number: int, place: int) -> Row:
        contact = 100 + 4 * number + place
        rng = self.world.rng("contact", contact)
        names = self.world.names
        given, last, gender = names.person(rng)
        debtor = self.debtor(number)
        created, modified = self.world.time.audit(rng, min(1.0, introduced(number, self.debtors) + rng.random() * 0.3))
        note = spice(rng, "Belt liever dan dat hij mailt.") if rng.random() < 0.2 else None
        return (
            rng.choice(("PER", "PER", "PER", "AFD")),
            contact,
            f"{debtor.name} / {given} {last}"[:80],
            debtor.organisation,
            f"{2_000_000 + contact}",
            rng.choice(DEPARTMENTS) or None,
            debtor.blocked,
            debtor.address.line1,
            debtor.address.line3,
            COUNTRIES[debtor.address.country],
            debtor.phone,
            phone_number(rng, "06") if rng.random() < 0.6 else None,
            f"{slug(given)}.{slug(last)}@{slug(debtor.name)}.{MAIL_DOMAIN}" if rng.random() < 0.8 else "",
            note,
            rng.choice(JOBS),
            None,
            f"{given} {last}",
            gender,
            None,
            None,
            f"{slug(given)}{rng.randrange(100)}@thuis.{MAIL_DOMAIN}" if rng.random() < 0.1 else None,
            created,
            modified,
        )

    def _place_row(self, party: Party, address: Address, kind: str) -> Row:
        buys = party.code[0] == "0"
        return (
            party.organisation,
            party.name,
            party.phone,
            None,
            party.mail,
            party.modified,
            address.modified,
            buys,
            address.number,
            None,
            address.street,
            address.house,
            address.addition,
            address.postcode,
            address.city,
            kind,
            address.country,
            party.code if buys else None,
        )

    def _place_rows(self) -> Iterator[Row]:
        for number in range(self.debtors):
            debtor = self.debtor(number)
            yield self._place_row(debtor, debtor.address, "BEZ")
            if delivery := self.delivery_address(number):
                yield self._place_row(debtor, delivery, "AFL")
        for number in range(self.creditors):
            creditor = self.creditor(number)
            yield self._place_row(creditor, creditor.address, "BEZ")

    def _new_place(self, number: int) -> Row:
        debtor = self.debtor(self.debtors + number)
        return self._place_row(debtor, debtor.address, "BEZ")

    def parties(self) -> Iterator[Party]:
        """All debtors, then all creditors."""
        yield from map(self.debtor, range(self.debtors))
        yield from map(self.creditor, range(self.creditors))

    def _account_row(self, party: Party, iban: str) -> Row:
        buys = party.code[0] == "0"
        return (
            party.organisation,
            party.name,
            COUNTRIES["NL"],
            identifiers.BICS[iban[4:8]],
            iban,
            party.number % 50 == 7,
            None,
            None if buys else party.code,
            party.code if buys else None,
        )

    def _account_rows(self) -> Iterator[Row]:
        for party in self.parties():
            if party.iban:
                yield self._account_row(party, party.iban)
                if party.number % 12 == 5:
                    second = identifiers.iban(self.world.rng("second iban", int(party.organisation)))
                    yield self._account_row(party, second)

    def _new_account(self, number: int) -> Row:
        iban = identifiers.iban(self.world.rng("new iban", number))
        return self._account_row(self.debtor(self.debtors + number), iban)

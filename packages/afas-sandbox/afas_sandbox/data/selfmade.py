# ruff: noqa: PLR2004 - made-up data are made of plain numbers
"""GetConnectors a customer made, with what is odd about those: joins, dummy and double stamps, a mass import."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from afas_sandbox.data.articles import DUMMY_STAMP
from afas_sandbox.data.identifiers import decimal_text
from afas_sandbox.data.ledger import GENERAL, Entry, Line
from afas_sandbox.data.staff import JOBS
from afas_sandbox.data.worktime import DAY, midnight, stamp
from afas_sandbox.data.world import ODD_TEXTS, counted, known, spice, table
from afas_sandbox.model import DeletedRows, Joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from afas_sandbox.data.articles import Articles
    from afas_sandbox.data.ledger import Ledger
    from afas_sandbox.data.projects import Projects
    from afas_sandbox.data.relations import Relations
    from afas_sandbox.data.staff import Staff
    from afas_sandbox.data.trade import Invoice, Order, Trade
    from afas_sandbox.data.trade import Line as OrderLine
    from afas_sandbox.data.world import World
    from afas_sandbox.model import Cell, Row, Table

FIRST_DAY, LAST_DAY = midnight(dt.date(1900, 1, 1)), midnight(dt.date(9999, 12, 31))
# Of a time without a date.
TIMES_DAY = dt.datetime(1900, 1, 1)  # noqa: DTZ001 - wall time
PRICE_LISTS = ("BRUTO", "NETTO", "ACTIE")
MISTYPED = "2099-03-02T10:15:00.000"
NEW_LINE = 1_000_000_000
INVOICES, CONTRACTS = "Verkoop-facturen", "Contracten"
SHARED = ("Administratie", "Factuurnummer", "Debiteur", "Omschrijving", "Bedrag_incl._btw", "Gewijzigd_op")
CANCELLATIONS = Joined(
    first=INVOICES,
    second=CONTRACTS,
    on={"Debiteur": "Debiteur"},
    fields={field: field for field in SHARED},
    second_fields={
        "Contractnummer": "Contractnummer",
        "Omschrijving_2": "Omschrijving",
        "Einddatum": "Einddatum",
        "Gewijzigd_op_2": "Datum_gewijzigd",
    },
    where={"Opgezegd": True},
)
DELETED_HOURS = DeletedRows("Profit_Realization", {"Regelnummer": "Identity"})
DELETED_INVOICES = DeletedRows(
    INVOICES,
    {"Administratie": "Administratie", "Factuurnummer": "Factuurnummer", "Verkooprelatie": "Debiteur"},
    {"Verwijderd": True, "Geannuleerd": False},
)


@dataclasses.dataclass(frozen=True, slots=True)
class Company:
    """All that the standard connectors are made of."""

    relations: Relations
    articles: Articles
    trade: Trade
    ledger: Ledger
    staff: Staff
    projects: Projects


class Selfmade:
    """The self-made connectors."""

    def __init__(self, world: World, company: Company) -> None:
        self.world = world
        self.company = company
        self.requests = world.small(1200)
        self.contracts = world.small(400)

    def tables(self) -> Iterator[Table]:
        """The tables of the self-made connectors."""
        company, articles = self.company, self.company.articles.count
        yield table(INVOICES, self._invoice_rows, self._new_invoice)
        yield table("Orders_met_regels", self._joined_rows, self._new_joined)
        yield counted("Voorraad_actueel", articles, self._stock_row)
        yield counted("Relaties_en_adressen", company.relations.debtors, self._relation_row)
        yield counted("Medewerkers_actueel", company.staff.count, self._employee_row)
        yield table("Prijslijst_import", self._price_rows, lambda n: self._price_row(articles + n, "BRUTO"))
        yield table("Grootboekregels", self._ledger_rows, self._new_ledger_row)
        yield counted("Serviceaanvragen", self.requests, self._request_row)
        yield counted("Activa", self.world.small(150), self._asset_row)
        yield counted(CONTRACTS, self.contracts, self._contract_row)
        yield table("Facturen_en_opzeggingen", self._cancelled_rows, self._new_cancelled, CANCELLATIONS)
        yield self._deleted("Verwijderde_nacalculatie", 60, self._deleted_hours_row, DELETED_HOURS)
        yield self._deleted("Verwijderde_verkoopfacturen", 25, self._deleted_invoice_row, DELETED_INVOICES)

    def _invoice_rows(self) -> Iterator[Row]:
        return map(self._invoice_row, self.company.trade.invoices())

    def _invoice_row(self, invoice: Invoice) -> Row:
        order, debtor = invoice.order, invoice.order.debtor
        net, vat = sum(order.net.values()), sum(order.vat.values())
        return (
            order.unit,
            invoice.code,
            midnight(invoice.date),
            midnight(invoice.due),
            debtor.code,
            debtor.name,
            debtor.address.street,
            debtor.address.house,
            debtor.address.addition,
            debtor.address.postcode,
            debtor.address.city,
            debtor.vat_number,
            debtor.currency,
            decimal_text(net),
            decimal_text(vat),
            decimal_text(net + vat),
            decimal_text(invoice.rate, 10),
            invoice.text[:250],
            order.reference,
            order.total < 0,
            invoice.created,
            invoice.modified,
        )

    def _new_invoice(self, number: int) -> Row:
        trade = self.company.trade
        return self._invoice_row(trade.bill(trade.order(trade.count + number), self.world.time.days[-1]))

    def _joined_rows(self) -> Iterator[Row]:
        trade = self.company.trade
        for number in range(trade.count * 3 // 4, trade.count):
            order = trade.order(number)
            for line in order.lines:
                yield self._joined_row(order, line)

    def _joined_row(self, order: Order, line: OrderLine) -> Row:
        return (
            order.code,
            midnight(order.date),
            order.debtor.code,
            order.debtor.name,
            line.article.code,
            decimal_text(line.quantity, 4),
            decimal_text(line.total),
            order.reference,
            order.modified,
        )

    def _new_joined(self, number: int) -> Row:
        order = self.company.trade.order(self.company.trade.count + number)
        return self._joined_row(order, order.lines[0])

    def _stock_row(self, number: int) -> Row:
        article = self.company.articles.article(number)
        least = None if number % 3 == 0 else "10.0000"
        return (article.code, article.name, decimal_text(article.stock, 4), least, DUMMY_STAMP)

    def _relation_row(self, number: int) -> Row:
        debtor = self.company.relations.debtor(number)
        place = debtor.address
        where = (place.street, place.house, place.postcode, place.city)
        return (debtor.organisation, debtor.name, debtor.phone, *where, debtor.modified, place.modified)

    def _employee_row(self, number: int) -> Row:
        employee = self.company.staff.employee(number)
        rng = self.world.rng("employee now", number)
        changed = self.world.time.modified(rng, self.world.time.created(rng, rng.random()))
        return (
            employee.code,
            employee.name,
            JOBS[employee.job],
            f"{rng.randrange(100):04d}",
            midnight(employee.born),
            midnight(employee.end) if employee.end else LAST_DAY,
            rng.choice(("1", "5", "10", "11", "")),
            decimal_text(rng.randrange(14 * 10**10, 70 * 10**10), 10),
            None if number % 3 == 1 else stamp(changed),
        )

    def _price_rows(self) -> Iterator[Row]:
        for number in range(self.company.articles.count):
            for name in PRICE_LISTS:
                yield self._price_row(number, name)

    def _price_row(self, number: int, name: str) -> Row:
        articles, time = self.company.articles, self.world.time
        article = articles.article(number)
        place = PRICE_LISTS.index(name)
        rng = self.world.rng("price", number * 10 + place)
        created, modified = time.audit(rng, 0.75 + 0.25 * rng.random())
        begin = time.day(0.75)
        if number < articles.count * 0.75:
            created = modified = f"{begin.isoformat()}T23:14:07.{(number * 3 + place) % 1000:03d}"
        price = article.price * 10**6 * (100, 80, 67)[place] // 99
        end = midnight(begin + DAY * 3000) if place else LAST_DAY
        discount = "-0.50" if number % 97 == 5 else decimal_text(rng.choice((0, 0, 500, 1000, 1250)))
        return (article.code, name, midnight(begin), end, decimal_text(price, 10), discount, created, modified)

    def _ledger_rows(self) -> Iterator[Row]:
        first_year = self.world.time.now.year - 1
        number = 0
        for entry in self.company.ledger.entries():
            for line in entry.lines:
                number += 1
                if entry.date.year >= first_year:
                    yield self._ledger_row(number, entry, line)

    def _ledger_row(self, number: int, entry: Entry, line: Line) -> Row:
        day = entry.date
        amount = decimal_text(line.debit - line.credit)
        stamps = (entry.created, entry.modified)
        return (number, day.year, day.month, line.account, entry.text, amount, midnight(day), *stamps)

    def _new_ledger_row(self, number: int) -> Row:
        line = Line("2000", 0, 0)
        now = stamp(self.world.time.now)
        entry = Entry(1, GENERAL, self.world.time.days[-1], None, f"N{number}", "Nulregel", (line,), now, now)
        return self._ledger_row(NEW_LINE + number, entry, line)

    def _request_row(self, number: int) -> Row:
        rng = self.world.rng("request", number)
        time = self.world.time
        share = min(1.0, 0.01 + 0.99 * number / self.requests)
        debtor = self.company.relations.debtor(known(rng, self.company.relations.debtors, share))
        article = self.company.articles.article(known(rng, self.company.articles.count, share))
        created = time.created(rng, share)
        modified = MISTYPED if number in {3, self.requests // 2} else stamp(time.modified(rng, created))
        note = "\n".join(rng.choice(ODD_TEXTS) for _ in range(rng.choice((0, 1, 2, 30))))
        return (
            number + 1,
            debtor.code,
            article.code,
            spice(rng, f"Storing aan {article.name}"),
            note if number % 10 else None,
            f"Onderdeel vervangen: {article.name}" if rng.random() < 0.6 else rng.choice((None, "")),
            rng.choice(("1 hoog", "2 normaal", "3 laag")),
            None if number % 50 == 9 else rng.random() < 0.8,
            stamp(created - dt.timedelta(minutes=rng.randrange(90))),
            None if number % 7 == 3 else stamp(TIMES_DAY + dt.timedelta(minutes=number * 15 % 1440)),
            stamp(created),
            modified,
        )

    def _asset_row(self, number: int) -> Row:
        rng = self.world.rng("asset", number)
        created, modified = self.world.time.audit(rng, rng.random())
        value = rng.randrange(100_000, 90_000_000)
        left = value * 10**8 // 3 if number % 10 else rng.randrange(-(10**10), 0)
        insured = 10**26 - 1 - number if number % 25 == 2 else value // 100
        return (
            f"{number + 1:08d}",
            spice(rng, rng.choice(("Bestelbus", "Heftruck", "Stelling", "Kassa", "Serverkast"))),
            rng.choice(("0100", "0200", "0300")),
            FIRST_DAY if number % 30 == 1 else f"{created[:10]}T00:00:00.000",
            LAST_DAY if number % 4 == 1 else None,
            decimal_text(value),
            decimal_text(left, 10),
            decimal_text(insured, 0),
            decimal_text(rng.choice((500, 1000, 2000, 3333))),
            created,
            modified,
        )

    def _contract_row(self, number: int) -> Row:
        rng = self.world.rng("contract", number)
        created, modified = self.world.time.audit(rng, rng.random())
        debtor = self.company.relations.debtor(number % self.company.relations.debtors)
        begin = FIRST_DAY if number % 40 == 2 else f"{created[:10]}T00:00:00.000"
        return (
            f"C{number:05d}",
            debtor.code,
            spice(rng, "Onderhoudscontract"),
            begin,
            LAST_DAY if rng.random() < 0.6 else midnight(self.world.time.days[-1] + DAY * 365),
            decimal_text(rng.randrange(1000, 100_000)),
            rng.choice(("-0.50", "0.00", "2.10", "3.80", None)),
            rng.random() < 0.1,
            modified,
        )

    def _cancelled_rows(self) -> Iterator[Row]:
        cancelled: dict[Cell, Row] = {}
        for row in map(self._contract_row, range(self.contracts)):
            if row[7]:
                cancelled.setdefault(row[1], row)
        for row in self._invoice_rows():
            yield _cancelled_row(row, cancelled.get(row[4]))

    def _new_cancelled(self, number: int) -> Row:
        return _cancelled_row(self._new_invoice(number), None)

    def _deleted(self, connector_id: str, count: int, make: Callable[[int], Row], follows: DeletedRows) -> Table:
        """What was deleted until now; nothing that is there bears its number."""
        many = self.world.small(count)
        return table(connector_id, lambda: map(make, range(many)), lambda n: make(many + n), follows)

    def _deleted_hours_row(self, number: int) -> Row:
        rng = self.world.rng("deleted hours", number)
        return (1000 + number, stamp(self.world.time.created(rng, rng.random())))

    def _deleted_invoice_row(self, number: int) -> Row:
        rng = self.world.rng("deleted invoice", number)
        moment = self.world.time.created(rng, rng.random())
        debtor = self.company.relations.debtor(number % self.company.relations.debtors)
        stamps = (stamp(moment), stamp(moment))
        return (1 + number % 2, f"{moment.year}-{number:03d}", debtor.code, number % 5 > 0, number % 5 == 0, *stamps)


def _cancelled_row(invoice: Row, contract: Row | None) -> Row:
    own = (invoice[0], invoice[1], invoice[4], invoice[17], invoice[15])
    if contract is None:
        return (*own, None, None, None, invoice[21], None)
    return (*own, contract[0], contract[2], contract[4], invoice[21], contract[8])

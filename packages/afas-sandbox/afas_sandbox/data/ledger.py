# ruff: noqa: PLR2004 - made-up data are made of plain numbers
"""The books: accounts, journals and entries that balance, with what follows from them."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from typing import TYPE_CHECKING

from afas_sandbox.data.codes import UNITS, VAT_RATES
from afas_sandbox.data.identifiers import decimal_text
from afas_sandbox.data.relations import TERMS
from afas_sandbox.data.trade import rounded
from afas_sandbox.data.worktime import DAY, midnight, stamp
from afas_sandbox.data.world import known, listed, spice, table
from afas_sandbox.model import ChangedDays

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from afas_sandbox.data.relations import Party, Relations
    from afas_sandbox.data.trade import Trade
    from afas_sandbox.data.world import World
    from afas_sandbox.model import Row, Table

ACCOUNTS = {
    "0100": "Gebouwen",
    "0150": "Cumulatieve afschrijving gebouwen",
    "0200": "Inventaris",
    "0250": "Cumulatieve afschrijving inventaris",
    "0300": "Vervoermiddelen",
    "0500": "Aandelenkapitaal",
    "0600": "Algemene reserve",
    "0700": "Lening o/g",
    "1000": "Kas",
    "1100": "Bank (ontvangsten)",
    "1110": "Bank (betalingen)",
    "1300": "Debiteuren",
    "1400": "Vooruitbetaald",
    "1500": "Btw af te dragen hoog",
    "1510": "Btw af te dragen laag",
    "1520": "Btw te vorderen",
    "1530": "Btw verlegd",
    "1600": "Crediteuren",
    "1700": "Netto lonen",
    "1710": "Af te dragen loonheffing",
    "2000": "Tussenrekening",
    "3000": "Voorraad handelsgoederen",
    "4000": "Lonen en salarissen",
    "4100": "Huisvestingskosten",
    "4200": "Autokosten",
    "4300": "Kantoorkosten",
    "4400": "Verkoopkosten",
    "4500": "Algemene kosten",
    "4600": "Afschrijvingskosten",
    "4990": "Betalingsverschillen",
    "4995": "Koersverschillen",
    "7000": "Inkoop handelsgoederen",
    "8000": "Omzet hoog",
    "8010": "Omzet laag",
    "8020": "Omzet zonder btw",
}
COLLECTING = {"1300": "D", "1600": "C"}
REVENUE = {"0": "8020", "1": "8000", "2": "8010"}
VAT_DUE = {"1": "1500", "2": "1510"}
SALES, RECEIPTS, PURCHASES, PAYMENTS, GENERAL = "70", "20", "50", "21", "90"
JOURNALS = {
    "10": ("Kas", "K"),
    RECEIPTS: ("Bank ontvangsten", "B"),
    PAYMENTS: ("Bank betalingen", "B"),
    PURCHASES: ("Inkoop", "I"),
    SALES: ("Verkoop", "V"),
    GENERAL: ("Memoriaal", "M"),
}
NEW_ENTRY = 900_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of an entry, amounts in cents."""

    account: str
    debit: int
    credit: int
    vat_code: str | None = None
    vat: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its lines' debit and credit are equal."""

    unit: int
    journal: str
    date: dt.date
    invoice: str | None
    voucher: str
    text: str
    lines: tuple[Line, ...]
    created: str
    modified: str


@dataclasses.dataclass(frozen=True, slots=True)
class Purchase:
    """One invoice of a creditor, amounts in cents."""

    creditor: Party
    unit: int
    code: str
    voucher: str
    date: dt.date
    due: dt.date
    account: str
    net: int
    vat_code: str
    vat: int
    paid_on: dt.date | None
    text: str
    created: str
    modified: str

    @property
    def total(self) -> int:
        """What is to be paid."""
        return self.net + self.vat


class Ledger:
    """The books of three administrations.

    Attributes:
        purchases: How many invoices creditors sent.
    """

    def __init__(self, world: World, relations: Relations, trade: Trade) -> None:
        self.world = world
        self.relations = relations
        self.trade = trade
        self.purchases = world.big(1500, at_least=12)
        self.purchase = functools.lru_cache(2048)(self._purchase)
        self.sale = functools.lru_cache(4096)(self._sale)
        self.receipt = functools.lru_cache(4096)(self._receipt)
        self.bill = functools.lru_cache(2048)(self._bill)
        self.payment = functools.lru_cache(2048)(self._payment)

    def _purchase(self, number: int) -> Purchase:
        rng = self.world.rng("purchase", number)
        time = self.world.time
        share = min(1.0, 0.004 + 0.996 * (number + rng.random()) / self.purchases)
        creditor = self.relations.creditor(known(rng, self.relations.creditors, share))
        created = time.created(rng, share)
        day = created.date()
        vat_code = rng.choice(("1", "1", "1", "1", "2", "0"))
        net = -rng.randrange(50, 50_000) if rng.random() < 0.02 else int(10 ** rng.uniform(3, 6.3))
        paid_on = time.working_day(day + DAY * rng.randrange(5, 50))
        open_still = paid_on > time.days[-1] or rng.random() < 0.01
        own = rng.choice(("F-{0}/{1:04d}", "{0}{1:06d}", "INV#{1:05d}", "{1:06d}"))
        return Purchase(
            creditor=creditor,
            unit=rng.choice((1, 1, 1, 2, 2, 3)),
            code=own.format(day.year, number),
            voucher=f"I{number:07d}",
            date=day,
            due=day + DAY * TERMS[creditor.term],
            account=rng.choice(("7000", "7000", "4100", "4200", "4300", "4400", "4500", "3000")),
            net=net,
            vat_code=f"2{vat_code}",
            vat=rounded(net * VAT_RATES[vat_code], 100),
            paid_on=None if open_still else paid_on,
            text=spice(rng, f"Inkoop {creditor.name}")[:250],
            created=stamp(created),
            modified=stamp(time.modified(rng, created)),
        )

    def _stamps(self, topic: str, number: int, day: dt.date) -> tuple[str, str]:
        rng = self.world.rng(topic, number)
        created = self.world.time.at_work(rng, day)
        return stamp(created), stamp(self.world.time.modified(rng, created))

    def _sale(self, number: int) -> Entry | None:
        invoice = self.trade.invoice(number)
        if not invoice:
            return None
        lines = [Line("1300", invoice.total, 0)]
        for code, amount in invoice.net.items():
            lines.append(Line(REVENUE[code], 0, amount, code, invoice.vat.get(code, 0)))
        lines.extend(Line(VAT_DUE[code], 0, amount, code) for code, amount in invoice.vat.items())
        code, unit = invoice.code, invoice.order.unit
        text = invoice.text[:250]
        return Entry(unit, SALES, invoice.date, code, code, text, tuple(lines), invoice.created, invoice.modified)

    def _receipt(self, number: int) -> Entry | None:
        invoice = self.trade.invoice(number)
        if not invoice or not invoice.paid:
            return None
        day = invoice.paid_on or invoice.date
        lines = [Line("1100", invoice.paid, 0), Line("1300", 0, invoice.paid + invoice.difference)]
        if invoice.difference:
            lines.append(Line("4990", invoice.difference, 0))
        stamps = self._stamps("receipt", number, day)
        text = f"Ontvangst {invoice.code} {invoice.order.debtor.name}"
        voucher = f"B{number:07d}"
        return Entry(invoice.order.unit, RECEIPTS, day, invoice.code, voucher, text, tuple(lines), *stamps)

    def _bill(self, number: int) -> Entry:
        bill = self.purchase(number)
        lines = [Line("1600", 0, bill.total), Line(bill.account, bill.net, 0, bill.vat_code, bill.vat)]
        if bill.vat:
            lines.append(Line("1520", bill.vat, 0, bill.vat_code))
        stamps = bill.created, bill.modified
        return Entry(bill.unit, PURCHASES, bill.date, bill.code, bill.voucher, bill.text, tuple(lines), *stamps)

    def _payment(self, number: int) -> Entry | None:
        bill = self.purchase(number)
        if not bill.paid_on:
            return None
        lines = (Line("1600", bill.total, 0), Line("1110", 0, bill.total))
        stamps = self._stamps("payment", number, bill.paid_on)
        text = f"Betaling {bill.code} {bill.creditor.name}"
        return Entry(bill.unit, PAYMENTS, bill.paid_on, bill.code, f"P{number:07d}", text, lines, *stamps)

    def _month_end(self, unit: int, day: dt.date) -> Iterator[Entry]:
        number = day.year * 12 + day.month
        rng = self.world.rng(f"month {unit}", number)
        wages, tax = rng.randrange(4_000_000, 9_000_000), rng.randrange(1_000_000, 3_000_000)
        building, fittings = rng.randrange(150_000, 160_000), rng.randrange(80_000, 90_000)
        wage_lines = (Line("4000", wages, 0), Line("1700", 0, wages - tax), Line("1710", 0, tax))
        written_off = building + fittings
        asset_lines = (Line("4600", written_off, 0), Line("0150", 0, building), Line("0250", 0, fittings))
        for text, lines in (("Salarissen", wage_lines), ("Afschrijving", asset_lines)):
            stamps = self._stamps(f"{text} {unit}", number, day)
            voucher = f"M{number}{unit}"
            yield Entry(unit, GENERAL, day, None, voucher, f"{text} {day:%m-%Y}", lines, *stamps)

    def _month_ends(self) -> Iterator[Entry]:
        pairs = itertools.pairwise(self.world.time.days)
        days = [day for day, following in pairs if day.month != following.month]
        for day in days[-self.world.small(len(days)) :]:
            for unit in UNITS:
                yield from self._month_end(unit, day)

    def entries(self) -> Iterator[Entry]:
        """All entries, journal by journal."""
        yield from filter(None, map(self.sale, range(self.trade.count)))
        yield from filter(None, map(self.receipt, range(self.trade.count)))
        yield from map(self.bill, range(self.purchases))
        yield from filter(None, map(self.payment, range(self.purchases)))
        yield from self._month_ends()

    def tables(self) -> Iterator[Table]:
        """The tables of the books."""
        yield listed("Profit_Accounts", map(_account_row, ACCOUNTS), lambda n: _account_row(f"9{n:05d}"))
        yield listed(
            "Profit_Journals",
            [(unit, code, name, kind, False) for unit in UNITS for code, (name, kind) in JOURNALS.items()],
            lambda number: (1, f"N{number}", "Nieuw dagboek", "M", False),
        )
        yield table("Profit_Transactions", self._rows, self._new_row)
        listed_days = ChangedDays("Profit_Transactions", "EntryDate")
        yield table("Profit_Fin_ChangedEntrydate", self._changed_days, self._new_changed_day, listed_days)
        yield table("Profit_Period_balance", self._balances, self._new_balance)
        yield table("Profit_Creditor_Invoices", self._open_rows, self._new_open)

    def numbered_entries(self) -> Iterator[tuple[Entry, int]]:
        """All entries with their numbers, which count within a journal."""
        numbers: dict[tuple[int, str], int] = {}
        for entry in self.entries():
            journal = (entry.unit, entry.journal)
            numbers[journal] = number = numbers.get(journal, 0) + 1
            yield entry, number

    def _rows(self) -> Iterator[Row]:
        for entry, number in self.numbered_entries():
            yield from entry_rows(entry, number)

    def _new_row(self, number: int) -> Row:
        day = self.world.time.days[-1]
        entry = Entry(1, GENERAL, day, None, f"N{number}", "Nulregel", (Line("2000", 0, 0),), "", "")
        return next(entry_rows(entry, NEW_ENTRY + number))

    def _changed_days(self) -> Iterator[Row]:
        last: dict[dt.date, str] = {}
        for entry in self.entries():
            last[entry.date] = max(last.get(entry.date, ""), entry.modified)
        return ((midnight(day), last[day]) for day in sorted(last))

    def _new_changed_day(self, number: int) -> Row:
        return (midnight(self.world.time.days[0] - DAY * (1 + number)), stamp(self.world.time.now))

    def _balances(self) -> Iterator[Row]:
        sums: dict[tuple[int, int, int, str], list[int]] = {}
        for entry in self.entries():
            for line in entry.lines:
                key = (entry.unit, entry.date.year, entry.date.month, line.account)
                total = sums.setdefault(key, [0, 0])
                total[0] += line.debit
                total[1] += line.credit
        return (_balance_row(*key, *sums[key]) for key in sorted(sums))

    def _new_balance(self, number: int) -> Row:
        return _balance_row(1, 1000 + number // 12, number % 12 + 1, "2000", 0, 0)

    def _open_rows(self) -> Iterator[Row]:
        for number in range(self.purchases):
            bill = self.purchase(number)
            if not bill.paid_on:
                yield _open_row(bill)

    def _new_open(self, number: int) -> Row:
        return _open_row(self.purchase(self.purchases + number))


def entry_rows(entry: Entry, number: int) -> Iterator[Row]:
    """The rows of Profit_Transactions of one entry."""
    day = midnight(entry.date)
    for place, line in enumerate(entry.lines, 1):
        yield (
            entry.unit,
            number,
            place,
            entry.date.year,
            entry.date.month,
            entry.journal,
            line.account,
            decimal_text(line.debit),
            decimal_text(line.credit),
            day,
            entry.invoice,
            day,
            entry.voucher,
            line.vat_code,
            decimal_text(line.vat),
            entry.text,
            entry.created,
            entry.modified,
        )


def _account_row(account: str) -> Row:
    result = account[0] in "478"
    return (
        account,
        ACCOUNTS.get(account, "Nieuwe rekening"),
        "W" if result else "B",
        "G",
        account == "1000",
        account in COLLECTING,
        COLLECTING.get(account),
        None,
        "",
        result,
        {"8000": "1", "8010": "2", "8020": "0"}.get(account),
        "P" if result else "G",
        "N",
        "KPL" if result else None,
        None,
        None,
        None,
        None,
    )


def _balance_row(unit: int, year: int, month: int, account: str, debit: int, credit: int) -> Row:  # noqa: PLR0913, PLR0917 - the columns
    budget = rounded(debit - credit, 100_000) * 100_000 if account[0] in "478" else 0
    amounts = (decimal_text(amount) for amount in (credit, debit, debit - credit, budget))
    return (unit, year, month, account, ACCOUNTS[account], *amounts)


def _open_row(bill: Purchase) -> Row:
    total = decimal_text(bill.total)
    return (
        bill.unit,
        bill.creditor.code,
        bill.code,
        bill.voucher,
        midnight(bill.date),
        "EUR",
        total,
        total,
        midnight(bill.due),
        bill.text,
        bill.net < 0,
    )

# ruff: noqa: PLR2004 - made-up data are made of plain numbers
"""Sales orders with their lines, and the invoices that follow from them."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING

from afas_sandbox.data.codes import RATE_UNIT, VAT_RATES, exchange_rate
from afas_sandbox.data.identifiers import decimal_text, guid
from afas_sandbox.data.relations import TERMS
from afas_sandbox.data.worktime import DAY, midnight, stamp
from afas_sandbox.data.world import known, spice, table

if TYPE_CHECKING:
    import datetime as dt
    import random
    from collections.abc import Iterator

    from afas_sandbox.data.articles import Article, Articles
    from afas_sandbox.data.relations import Party, Relations
    from afas_sandbox.data.world import World
    from afas_sandbox.model import Row, Table


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of an order: quantity in ten-thousandths, price in 1/10**10, amounts in cents."""

    number: int
    guid: str
    article: Article
    text: str
    quantity: int
    price: int
    discount: int
    total: int
    created: str
    modified: str


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """One order, amounts in cents of its currency."""

    number: int
    code: str
    date: dt.date
    debtor: Party
    status: str
    reference: str | None
    unit: int
    lines: tuple[Line, ...]
    discount: int
    net: dict[str, int]
    vat: dict[str, int]
    modified: str

    @property
    def gross(self) -> int:
        """The sum of the lines."""
        return sum(line.total for line in self.lines)

    @property
    def total(self) -> int:
        """What is to be paid."""
        return sum(self.net.values()) + sum(self.vat.values())


@dataclasses.dataclass(frozen=True, slots=True)
class Invoice:
    """The invoice of an order, amounts in cents of a euro.

    Attributes:
        paid_on: When it was paid in full; None if it is open.
        paid: How much of it was paid.
        difference: What the payer left out (or added, if negative).
    """

    order: Order
    code: str
    date: dt.date
    due: dt.date
    rate: int
    net: dict[str, int]
    vat: dict[str, int]
    paid_on: dt.date | None
    paid: int
    difference: int
    created: str
    modified: str

    @property
    def total(self) -> int:
        """What is to be paid."""
        return sum(self.net.values()) + sum(self.vat.values())

    @property
    def text(self) -> str:
        """What the books say of it."""
        return f"Order {self.order.code} {self.order.debtor.name}"


def rounded(amount: int, divisor: int) -> int:
    """The amount divided, half away from zero."""
    half = (2 * abs(amount) + divisor) // (2 * divisor)
    return half if amount >= 0 else -half


class Trade:
    """The orders of eight years.

    Attributes:
        count: How many orders there are.
    """

    def __init__(self, world: World, relations: Relations, articles: Articles) -> None:
        self.world = world
        self.relations = relations
        self.articles = articles
        self.count = world.big(2600, at_least=20)
        self.order = functools.lru_cache(4096)(self._order)
        self.invoice = functools.lru_cache(4096)(self._invoice)

    def _order(self, number: int) -> Order:
        rng = self.world.rng("order", number)
        time = self.world.time
        share = min(1.0, 0.004 + 0.996 * (number + rng.random()) / self.count)
        debtor = self.relations.debtor(known(rng, self.relations.debtors, share))
        created = time.created(rng, share)
        made = stamp(created)
        modified = time.modified(rng, created)
        sign = -1 if rng.random() < 0.02 else 1
        rate = exchange_rate(self.world, debtor.currency, created.date())
        wanted = [
            self.articles.article(known(rng, self.articles.count, share))
            for _ in range(1 + int(rng.expovariate(0.45)) % 12)
        ]
        lines = tuple(
            self._line(rng, article, sign * rate, (10 * place, made, stamp(modified)))
            for place, article in enumerate(wanted, 1)
        )
        percent = rng.choice((1, 2, 5)) if rng.random() < 0.05 else 0
        net: dict[str, int] = {}
        for line in lines:
            code = line.article.vat if debtor.vat_duty == "1" else "0"
            net[code] = net.get(code, 0) + line.total
        gross = sum(net.values())
        net = {code: amount - rounded(amount * percent, 100) for code, amount in net.items()}
        references = (f"PO-{number * 7 % 10_000:04d}", f"uw mail {created:%d-%m}", "telefonisch", None, "")
        return Order(
            number=number,
            code=f"{100_000 + number:09d}",
            date=created.date(),
            debtor=debtor,
            status="V" if rng.random() < 0.01 else "O" if share > 0.995 else "F",
            reference=spice(rng, text) if (text := rng.choice(references)) else text,
            unit=2 if rng.random() < 0.25 else 1,
            lines=lines,
            discount=gross - sum(net.values()),
            net=net,
            vat={code: vat for code, amount in net.items() if (vat := rounded(amount * VAT_RATES[code], 100))},
            modified=max(line.modified for line in lines),
        )

    def _line(self, rng: random.Random, article: Article, rate: int, place: tuple[int, str, str]) -> Line:
        number, created, modified = place
        sign = 1 if rate > 0 else -1
        price = article.price * abs(rate) // 10**4
        quantity = sign * rng.choice((1, 1, 2, 3, 4, 5, 10, 12, 25, 100)) * 10_000
        if article.unit in {"M", "L"} and rng.random() < 0.3:
            quantity += sign * rng.choice((2500, 5000, 3333))
        gross = rounded(quantity * price, 10**12)
        discount = rounded(gross * rng.choice((5, 10, 15)), 100) if rng.random() < 0.2 else 0
        return Line(
            number=number,
            guid=guid(rng),
            article=article,
            text=spice(rng, article.name),
            quantity=quantity,
            price=price,
            discount=discount,
            total=gross - discount,
            created=created,
            modified=modified if rng.random() < 0.7 else created,
        )

    def _invoice(self, number: int) -> Invoice | None:
        order = self.order(number)
        day = self.world.time.working_day(order.date + DAY * (1 + number % 5))
        return self.bill(order, day) if order.status == "F" and day <= self.world.time.days[-1] else None

    def bill(self, order: Order, day: dt.date) -> Invoice:
        """The invoice of an order on a day."""
        rng = self.world.rng("invoice", order.number)
        time = self.world.time
        rate = exchange_rate(self.world, order.debtor.currency, day)
        net = {code: rounded(amount * RATE_UNIT, rate) for code, amount in order.net.items()}
        vat = {code: rounded(amount * RATE_UNIT, rate) for code, amount in order.vat.items()}
        paid_on, paid, difference = self._payment(rng, day, sum(net.values()) + sum(vat.values()))
        created = time.at_work(rng, day)
        return Invoice(
            order=order,
            code=f"{day.year}{order.number:05d}",
            date=day,
            due=day + DAY * TERMS[order.debtor.term],
            rate=rate,
            net=net,
            vat=vat,
            paid_on=paid_on,
            paid=paid,
            difference=difference,
            created=stamp(created),
            modified=stamp(time.modified(rng, created)),
        )

    def _payment(self, rng: random.Random, day: dt.date, total: int) -> tuple[dt.date | None, int, int]:
        time = self.world.time
        paid_on = time.working_day(day + DAY * rng.randrange(2, 75))
        difference = rng.choice((1, 2, -1, 35, -40, 99)) if rng.random() < 0.04 else 0
        if rng.random() < 0.02 or paid_on > time.days[-1]:
            return None, total * 2 // 5 if rng.random() < 0.15 and total > 0 else 0, 0
        return paid_on, total - difference, difference

    def invoices(self) -> Iterator[Invoice]:
        """All invoices, oldest orders first."""
        for number in range(self.count):
            if invoice := self.invoice(number):
                yield invoice

    def tables(self) -> Iterator[Table]:
        """The tables of orders."""
        orders = range(self.count)
        yield table(
            "Profit_Salesorders", lambda: map(self._order_row, orders), lambda n: self._order_row(self.count + n)
        )
        yield table("Profit_SalesorderLines", self._line_rows, self._new_line)
        yield table("Profit_Debtor_Invoices", self._open_rows, self._new_open)

    def _order_row(self, number: int) -> Row:
        order = self.order(number)
        return (
            "C" if order.total < 0 else "V",
            order.code,
            order.status,
            midnight(order.date),
            order.debtor.code,
            order.debtor.currency,
            order.reference,
            decimal_text(order.gross),
            decimal_text(order.discount),
            decimal_text(sum(order.net.values())),
            decimal_text(sum(order.vat.values())),
            decimal_text(sum(line.quantity for line in order.lines), 4),
            decimal_text(order.total),
        )

    def _line_rows(self) -> Iterator[Row]:
        for number in range(self.count):
            order = self.order(number)
            for line in order.lines:
                yield self._line_row(order, line)

    def _line_row(self, order: Order, line: Line) -> Row:
        net = line.price if not line.quantity else rounded(line.total * 10**12, line.quantity)
        if line.quantity < 0:
            net = rounded(-line.total * 10**12, -line.quantity)
        return (
            order.code,
            order.status,
            midnight(order.date),
            order.debtor.code,
            order.debtor.currency,
            order.reference,
            line.number,
            order.status,
            line.guid,
            line.article.kind,
            line.article.code,
            line.text,
            line.article.unit,
            decimal_text(line.quantity, 4),
            decimal_text(line.price, 10),
            decimal_text(line.discount),
            decimal_text(net, 10),
            decimal_text(line.total),
            line.created,
            line.modified,
        )

    def _new_line(self, number: int) -> Row:
        order = self.order(self.count - 1 - number % min(self.count, 100))
        fresh = guid(self.world.rng("new line", number))
        return self._line_row(order, dataclasses.replace(order.lines[0], number=1000 + number, guid=fresh))

    def _open_rows(self) -> Iterator[Row]:
        for invoice in self.invoices():
            if not invoice.paid_on:
                yield self._open_row(invoice)

    def _open_row(self, invoice: Invoice) -> Row:
        order = invoice.order
        balance = invoice.total - invoice.paid
        foreign = rounded(balance * invoice.rate, RATE_UNIT)
        return (
            order.unit,
            order.debtor.code,
            invoice.code,
            midnight(invoice.date),
            midnight(invoice.due),
            order.debtor.currency,
            decimal_text(invoice.total),
            decimal_text(order.total),
            decimal_text(balance),
            decimal_text(order.total if not invoice.paid else foreign),
            invoice.text[:250],
        )

    def _new_open(self, number: int) -> Row:
        invoice = self.bill(self.order(self.count + number), self.world.time.days[-1])
        return self._open_row(dataclasses.replace(invoice, paid_on=None, paid=0, difference=0))

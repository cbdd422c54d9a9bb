# ruff: noqa: PLR2004 - made-up data are made of plain numbers
"""What the company sells: items, groups, pictures and stock."""

from __future__ import annotations

import base64
import dataclasses
import functools
import struct
import zlib
from typing import TYPE_CHECKING

from afas_sandbox.data.identifiers import decimal_text, ean
from afas_sandbox.data.world import introduced, listed, spice, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox.data.world import World
    from afas_sandbox.model import Row, Table

ITEM, COMPOSITION = "2", "7"
GROUPS = {
    "010": ("Bevestiging", ("Schroef", "Bout", "Moer", "Plug", "Nagel")),
    "020": ("Gereedschap", ("Hamer", "Zaag", "Boormachine", "Schroevendraaier", "Waterpas")),
    "030": ("Elektra", ("Kabel", "Wandcontactdoos", "Schakelaar", "Lasdoos", "Ledlamp")),
    "040": ("Sanitair", ("Kraan", "Sifon", "Douchekop", "Buis", "Koppeling")),
    "050": ("Verf & behang", ("Muurverf", "Kwast", "Roller", "Behang", "Plamuur")),
    "090": ("Vakliteratuur", ("Handboek", "Naslagwerk", "Tijdschrift")),
}
SIZES = ("3 mm", "40 x 4", '1/2"', "2,5 l", "10 m", "klein", "groot", "RVS", "wit", "50 st.")
UNITS = ("STK", "STK", "STK", "DOOS", "M", "L", "SET")
WAREHOUSES = ("AMF", "RTD", "VENLO", "BUS 1")
DUMMY_STAMP = "1900-01-01T00:00:00.000"


@dataclasses.dataclass(frozen=True, slots=True)
class Article:
    """One item; the price is in ten-thousandths of a euro."""

    number: int
    kind: str
    code: str
    name: str
    group: str
    unit: str
    vat: str
    price: int
    stock: int
    created: str
    modified: str


def picture(colour: int) -> str:
    """A picture of one pixel in base64; uncompressed, so that every zlib makes the same."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    pixel = b"\0" + colour.to_bytes(3, "big")
    stream = b"\x78\x01\x01" + struct.pack("<HH", 4, 0xFFFF ^ 4) + pixel + struct.pack(">I", zlib.adler32(pixel))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", stream) + chunk(b"IEND", b"")).decode()


class Articles:
    """The items.

    Attributes:
        count: How many items there are.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.count = world.small(1200, at_least=10)
        self.article = functools.lru_cache(2048)(self._article)

    def _article(self, number: int) -> Article:
        rng = self.world.rng("article", number)
        group = rng.choice(tuple(GROUPS))
        words = GROUPS[group][1]
        code = f"{number + 1:05d}" if number % 4 == 0 else f"{GROUPS[group][0][:3].upper()}-{number + 1:05d}"
        name = f"{rng.choice(words)} {rng.choice(SIZES)}"
        created, modified = self.world.time.audit(rng, introduced(number, self.count))
        return Article(
            number=number,
            kind=ITEM,
            code=code,
            name=spice(rng, name)[:80],
            group=group,
            unit=rng.choice(UNITS),
            vat="2" if group == "090" else "1",
            price=int(10 ** rng.uniform(3, 6.5)),
            stock=0 if rng.random() < 0.1 else rng.randrange(-20, 4000) * 10_000 + rng.choice((0, 0, 0, 2500, 5000)),
            created=created,
            modified=modified,
        )

    def tables(self) -> Iterator[Table]:
        """The tables of items."""
        articles = range(self.count)
        yield listed(
            "Profit_ArticleGroups",
            [(code, name) for code, (name, _) in GROUPS.items()],
            lambda number: (f"{100 + number}", "Nieuwe groep"),
        )
        yield table("Profit_Article", self._rows, lambda number: self._row(self.count + number, ITEM))
        yield table(
            "Profit_Article_Basic",
            lambda: map(self._plain_row, articles),
            lambda number: self._plain_row(self.count + number),
        )
        yield table(
            "Profit_Article_image",
            lambda: map(self._picture_row, articles[::4]),
            lambda number: self._picture_row(self.count + number),
        )
        yield table("Profit_Stock_per_Warehouse", self._stock_rows, lambda n: self._stock_row(self.count + n, "AMF"))

    def _rows(self) -> Iterator[Row]:
        for number in range(self.count):
            yield self._row(number, ITEM)
            if number % 40 == 9:
                yield self._row(number, COMPOSITION)

    def _row(self, number: int, kind: str) -> Row:
        article = self.article(number)
        rng = self.world.rng("article text", number)
        extra = spice(rng, f"Geleverd per {article.unit.lower()}.\r\nZie ook {article.code}.")
        return (
            article.code,
            article.name if kind == ITEM else f"Set {article.name}"[:80],
            extra if rng.random() < 0.3 else rng.choice((None, "")),
            article.unit,
            1,
            article.group,
            number % 60 == 11,
            ean(number) if rng.random() < 0.7 else None,
            article.vat,
            None,
            kind,
            kind == ITEM,
            4 if article.unit in {"M", "L"} else 0,
            None,
            "N",
            None,
            None,
            article.created,
            article.modified,
        )

    def _plain_row(self, number: int) -> Row:
        article = self.article(number)
        return (
            article.code,
            article.name,
            article.unit,
            article.group,
            number % 60 == 11,
            article.vat,
            decimal_text(article.price * 10**6, 10),
            decimal_text(article.stock, 4),
            DUMMY_STAMP,
            DUMMY_STAMP,
        )

    def _picture_row(self, number: int) -> Row:
        article = self.article(number)
        colour = self.world.rng("picture", number).getrandbits(24)
        return (ITEM, article.code, f"{article.code} (voorkant).png", picture(colour))

    def _stock_row(self, number: int, warehouse: str) -> Row:
        article = self.article(number)
        stock = article.stock if warehouse == WAREHOUSES[0] else abs(article.stock) // 3
        return (ITEM, article.code, decimal_text(stock, 4), article.unit, warehouse)

    def _stock_rows(self) -> Iterator[Row]:
        for number in range(self.count):
            yield self._stock_row(number, WAREHOUSES[0])
            if number % 5 == 0:
                yield self._stock_row(number, WAREHOUSES[1 + number % 3])

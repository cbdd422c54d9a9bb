"""Code lists: countries, currencies, languages, titles, cities, VAT codes, warehouses, administrations."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from afas_sandbox.data.articles import WAREHOUSES
from afas_sandbox.data.definitions import connectors
from afas_sandbox.data.identifiers import decimal_text
from afas_sandbox.data.worktime import midnight
from afas_sandbox.data.world import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox.data.relations import Relations
    from afas_sandbox.data.world import World
    from afas_sandbox.model import Row, Table

UNITS = {1: "Van Dam Bouwmaterialen B.V.", 2: "Van Dam Webshop B.V.", 3: "Van Dam Holding B.V."}
RATE_UNIT = 10**10
RATES = {"CHF": 0.97, "GBP": 0.86, "JPY": 148.2, "PLN": 4.34, "SEK": 11.25, "USD": 1.09}
CURRENCIES = {
    "CHF": "Zwitserse frank",
    "EUR": "Euro",
    "GBP": "Britse pond",
    "JPY": "Japanse yen",
    "PLN": "Poolse złoty",
    "SEK": "Zweedse kroon",
    "USD": "Amerikaanse dollar",
}
VAT_RATES = {"0": 0, "1": 21, "2": 9}
VAT_CODES: tuple[Row, ...] = (
    ("0", "Geen btw / verlegd", "1530", "0.00", "2", False, "N", "V"),
    ("1", "Btw hoog verkoop", "1500", "21.00", "1", False, "E", "V"),
    ("2", "Btw laag verkoop", "1510", "9.00", "1", False, "E", "V"),
    ("3", "Btw laag verkoop (oud)", "1510", "6.00", "1", True, "E", "V"),
    ("20", "Geen btw inkoop", "1520", "0.00", "2", False, "N", "I"),
    ("21", "Btw hoog inkoop", "1520", "21.00", "1", False, "E", "I"),
    ("22", "Btw laag inkoop", "1520", "9.00", "1", False, "E", "I"),
)
LANGUAGES: tuple[Row, ...] = (
    ("NL", "Nederlands", "nl", "Nederlands"),
    ("EN", "Engels", "en", "Engels"),
    ("DUI", "Duits", "de", "Duits"),
    ("FR", "Frans", "fr", "Frans"),
    ("VL", "Vlaams", "nl-BE", "Nederlands (België)"),
)
TITLES = {"BC": "Bachelor", "DHR": "De heer", "DR": "Doctor", "DRS": "Doctorandus", "ING": "Ingenieur (hbo)"} | {
    "IR": "Ingenieur",
    "MR": "Meester in de rechten",
    "MW": "Mevrouw",
    "PROF": "Professor",
}
COUNTRIES = {
    "A": "Oostenrijk",
    "AUS": "Australië",
    "B": "België",
    "BG": "Bulgarije",
    "BR": "Brazilië",
    "CDN": "Canada",
    "CH": "Zwitserland",
    "CI": "Ivoorkust",
    "CW": "Curaçao",
    "CZ": "Tsjechië",
    "D": "Duitsland",
    "DK": "Denemarken",
    "E": "Spanje",
    "EST": "Estland",
    "F": "Frankrijk",
    "FIN": "Finland",
    "GB": "Engeland",
    "GR": "Griekenland",
    "H": "Hongarije",
    "HR": "Kroatië",
    "I": "Italië",
    "IND": "India",
    "IRL": "Ierland",
    "J": "Japan",
    "L": "Luxemburg",
    "LT": "Litouwen",
    "LV": "Letland",
    "MA": "Marokko",
    "N": "Noorwegen",
    "NL": "Nederland",
    "P": "Portugal",
    "PL": "Polen",
    "RO": "Roemenië",
    "S": "Zweden",
    "SK": "Slowakije",
    "SLO": "Slovenië",
    "SME": "Suriname",
    "TJ": "China",
    "TR": "Turkije",
    "UA": "Oekraïne",
    "US": "USA",
    "ZA": "Zuid-Afrika",
}
MONTHS = (
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
)


def exchange_rate(world: World, currency: str, day: dt.date) -> int:
    """How much of the currency a euro buys in the day's quarter, in 1/10**10."""
    if currency == "EUR":
        return RATE_UNIT
    rng = world.rng(f"rate {currency}", day.year * 4 + (day.month - 1) // 3)
    return int(RATES[currency] * RATE_UNIT * rng.uniform(0.94, 1.06))


class Codes:
    """The code lists."""

    def __init__(self, world: World, relations: Relations) -> None:
        self.world = world
        self.relations = relations

    def tables(self) -> Iterator[Table]:
        """The tables of codes."""
        yield listed("ProfitCountries", COUNTRIES.items(), lambda number: (f"X{number}", "Nieuw land"))
        yield listed("ProfitTitles", TITLES.items(), lambda number: (f"N{number}", "Nieuwe titel"))
        yield listed("Profit_Languages", LANGUAGES, lambda number: (f"T{number}", "Nieuwe taal", None, None))
        yield counted("Profit_Residence", len(self.world.names.cities), self._city)
        yield listed("Profit_Currency", self._rates(), self._new_rate)
        yield listed(
            "Profit_VAT_code",
            VAT_CODES,
            lambda number: (f"N{number}", "Nieuwe btw-code", "1500", "21.00", "1", False, "E", "V"),
        )
        yield listed(
            "Profit_Administrations",
            [(number, name, f"{number:02d}") for number, name in UNITS.items()],
            lambda number: (10 + number, "Nieuwe administratie B.V.", f"{10 + number}"),
        )
        yield listed("Profit_periods_per_administration", self._periods(), lambda n: self._period(100 + n, 2000, 1))
        yield counted("Profit_Warehouses", len(WAREHOUSES), self._warehouse)
        yield listed("ProfitGetConnectoren", self._connectors(), lambda n: ("Nieuwe connector", f"Nieuw_{n}", False))

    def _city(self, number: int) -> Row:
        cities = self.world.names.cities
        name = cities[number] if number < len(cities) else f"Nieuwstad {number}"
        first, last = self.relations.postcodes(number % len(cities))
        stamps = self.world.time.audit(self.world.rng("city", number), 0.0)
        return ("NL", "Nederland", name, self.relations.phone_prefix(number), f"{first}", f"{last}", *stamps)

    def _rates(self) -> Iterator[Row]:
        yield ("EUR", CURRENCIES["EUR"], decimal_text(RATE_UNIT, 10), midnight(dt.date(1900, 1, 1)), None)
        first, last = self.world.time.days[0], self.world.time.days[-1]
        for currency in RATES:
            for quarter in range(first.year * 4 + (first.month - 1) // 3, last.year * 4 + (last.month + 2) // 3):
                yield self._rate(currency, dt.date(quarter // 4, quarter % 4 * 3 + 1, 1))

    def _rate(self, currency: str, day: dt.date) -> Row:
        rate = exchange_rate(self.world, currency, day)
        daily = int(rate * self.world.rng(f"daily {currency}", day.toordinal()).uniform(0.98, 1.02))
        return (currency, CURRENCIES[currency], decimal_text(rate, 10), midnight(day), decimal_text(daily, 10))

    def _new_rate(self, number: int) -> Row:
        return self._rate("USD", dt.date(1950, 1, 2) + dt.timedelta(number % 17_000))

    def _periods(self) -> Iterator[Row]:
        for unit in UNITS:
            for year in range(self.world.time.days[0].year, self.world.time.now.year + 1):
                for month in range(1, 13):
                    yield self._period(unit, year, month)

    def _period(self, unit: int, year: int, month: int) -> Row:
        first = dt.date(year, month, 1)
        last = dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(1)
        blocked = year < self.world.time.now.year - 1
        name = f"{MONTHS[month - 1]} {year}"
        return (unit, year, month, name, midnight(first), midnight(last), blocked, 1, "Periodetabel maand")

    def _warehouse(self, number: int) -> Row:
        code = WAREHOUSES[number] if number < len(WAREHOUSES) else f"M{number}"
        address = self.relations.creditor(0).address
        stamps = self.world.time.audit(self.world.rng("warehouse", number), 0.0)
        name = f"Magazijn {code}"
        return (code, name, 1, False, None, None, UNITS[1], address.line1, "", address.line3, "NL", *stamps)

    def _connectors(self) -> Iterator[Row]:
        for connector in connectors().values():
            yield (connector.description_nl, connector.id, False)

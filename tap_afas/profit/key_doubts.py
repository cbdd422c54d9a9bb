"""What speaks against a key that tells all rows apart today: the rows may be of something that no field of it names.

A join brings a many side: a debtor's contacts, an employee's functions, the prices of each round. Where that side has
no field in the connector and each has one so far, the one side's code is unique by accident.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

from tap_afas.profit.key_words import Part, is_of_file, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.metainfo import Connector, Field

DoubtCode = Literal[
    "few rows", "many side", "prices", "again", "from a day", "number of another", "file", "code of another"
]
"""Too few rows to tell by; the connector is named after something that the key doesn't name; prices, which come in
rounds; two things that may meet again on another day; a day from which rows count that the key lacks; a number that
suppliers give out, without the supplier; a file, which may hang on more than one row;
the code of something that the connector isn't named after."""

# Each line is one thing in several languages, by what its words begin with; a part of a compound word counts as well.
_THINGS = {
    words.split()[0]: tuple(words.split())
    for words in """
employee medewerker mitarbeiter salarie
debtor debiteur client klant customer kunde verkooprelatie
creditor crediteur leverancier supplier fournisseur lieferant inkooprelatie
contact
person persoon personen
relation relatie organisat organizat
project projekt projet
worktype werksoort urensoort uursoort hourtype
item artikel article artikl
invoice factuur facture rechnung factuen facturen
order commande auftrag bestelling
delivery levering pakbon livraison lieferung
account bankrekening rekening compte konto iban
costcentre kostenplaats costcenter kostenstelle
address adres adress
dossier subject
task taak taken
workflow
leave verlof
absence verzuim illness
contract vertrag
timetable rooster
function functie fonction funktion
department afdeling
group groep gruppe
user gebruiker
role rollen rol
course cursus cours
event evenement
subscription abonnement
asset activ actif anlage
machine object
request aanvra
quotation offerte
price prijs preis prix tarief
component looncomponent
""".strip().splitlines()
}
_JOINS = frozenset({
    "en",
    "met",
    "per",
    "by",
    "and",
    "with",
    "et",
    "avec",
    "par",
    "und",
    "mit",
    "pro",
    "incl",
    "inclusief",
})
_SHORT, _DAY = 4, 4


@dataclasses.dataclass(frozen=True, slots=True)
class Doubt:
    """What speaks against a key.

    Attributes:
        code: What it is.
        fields: The fields that show it; empty where no field does.
        things: What the key doesn't name, in English: `contact`.
    """

    code: DoubtCode
    fields: tuple[str, ...] = ()
    things: tuple[str, ...] = ()


def doubts_about(connector: Connector, parts: dict[str, Part], key: Sequence[str]) -> tuple[Doubt, ...]:
    """What speaks against a key of a connector.

    Args:
        connector: The connector.
        parts: What its fields may be in a key.
        key: The fields that tell its rows apart.
    """
    if any(parts.get(one) in {Part.GUID, Part.LINE} for one in key):
        return ()
    fields = [connector.fields[one] for one in key]
    named = _things(*(text for field in fields for text in (field.id, field.label)))
    has_day = any(field.data_type == "date" for field in fields)
    found = [
        _many_side(connector, fields, named),
        None if has_day else _prices(connector, named, key),
        None if has_day else _again(connector, parts, fields),
        _number_of_another(connector, parts, key, named),
        _file(parts, fields),
        _code_of_another(connector, fields, named),
    ]
    return tuple(doubt for doubt in found if doubt is not None)


def _many_side(connector: Connector, key: Sequence[Field], named: Sequence[str]) -> Doubt | None:
    own: list[str] = []
    for text in (connector.id, connector.description):
        things = [one for one in _things(text) if one != "price"]
        joined = bool(_JOINS.intersection(tokens(text)))
        # In a compound, the last word is what the rows are of.
        wanted = things if joined and len(things) > 1 else things[-1:] if named else []
        own += [one for one in wanted if one not in named and one not in own]
    if not own:
        return None
    shown = [
        field.id
        for field in connector.fields.values()
        if field not in key and set(_things(field.id, field.label)) & set(own)
    ]
    return Doubt("many side", tuple(shown), tuple(own))


def _prices(connector: Connector, named: Sequence[str], key: Sequence[str]) -> Doubt | None:
    """Prices of items: the next round brings the same once more."""
    about_prices = "price" in {*_things(connector.id, connector.description), *named}
    # The item's own standard price stands beside its code alone.
    return Doubt("prices", tuple(key)) if about_prices else None


def _again(connector: Connector, parts: dict[str, Part], key: Sequence[Field]) -> Doubt | None:
    """Two things that met on a day: a course that is taken twice."""
    things = {tuple(_things(field.id, field.label)) for field in key} - {()}
    others = [field for field in connector.fields.values() if field not in key and field.data_type == "date"]
    days = [field.id for field in others if field.control_type == _DAY]
    if len(things) > 1 and days:
        return Doubt("again", tuple(days))
    from_day = [field.id for field in others if parts.get(field.id) is Part.DAY]
    return Doubt("from a day", tuple(from_day)) if from_day else None


def _number_of_another(
    connector: Connector, parts: dict[str, Part], key: Sequence[str], named: Sequence[str]
) -> Doubt | None:
    """An invoice's number without the supplier that gave it out."""
    if "invoice" not in named or "creditor" in named:
        return None
    suppliers = [
        field.id
        for field in connector.fields.values()
        if field.id in parts and field.id not in key and "creditor" in _things(field.id, field.label)
    ]
    return Doubt("number of another", tuple(suppliers)) if suppliers else None


def _file(parts: dict[str, Part], key: Sequence[Field]) -> Doubt | None:
    """A file's GUID alone, beside something that it may hang on."""
    alone = len(key) == 1 and is_of_file(key[0])
    others = [one for one, part in parts.items() if part in {Part.NUMBER, Part.AXIS} and one != key[0].id]
    return Doubt("file", tuple(others)) if alone and others else None


def _code_of_another(connector: Connector, key: Sequence[Field], named: Sequence[str]) -> Doubt | None:
    """The code of one thing, in a connector named after something else: absences, told by employee."""
    if len(key) > 1 or not named or set(named) & set(_things(connector.id, connector.description)):
        return None
    return Doubt("code of another", (), (named[0],))


def _things(*texts: str) -> list[str]:
    """The things that texts name, in the order in which they do."""
    found: dict[str, int] = {}
    for text in texts:
        for position, token in enumerate(tokens(text)):
            places = [
                (token.rfind(word) + len(word), thing)
                for thing, words in _THINGS.items()
                for word in words
                if (token.startswith(word) or (len(word) > _SHORT and word in token))
            ]
            for place, thing in sorted(places):
                found.setdefault(thing, position * 100 + place)
    return sorted(found, key=lambda thing: found[thing])

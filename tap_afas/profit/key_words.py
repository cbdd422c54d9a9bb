"""Which part of a key a field may be, by its type and by the words of its id and label, in four languages.

Metainfo tells no key (docs.afas.help, "GetConnector"). Which fields can be part of one is mostly told by what they are
called: a number or a code, a line number, the administration in which numbers count.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.metainfo import Field


class Part(enum.IntEnum):
    """What a field may be in a key, the likeliest first."""

    GUID = 0
    NUMBER = 1
    LINE = 2
    AXIS = 3
    SCOPE = 4
    ATTRIBUTE = 5
    DAY = 6


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEVER = _words("""
    naam name namen nom bezeichnung omschrijving omschr description desc libelle beschreibung tekst text texte
    toelichting opmerking memo notitie note notes onderwerp betreff sujet objet titel title bestandsnaam filename
    zoeknaam zoekcode zoek search voornaam achternaam roepnaam geboortenaam voorletters voorvoegsel initials firstname
    lastname nachname vorname prenom mail email tel telefoon telefoonnr telefoonnummer phone telephone mobiel mobile fax
    faxnummer gsm handy iban bic swift bank bankrekening bankrekeningnummer bankrekeningnr upn website homepage url link
    postcode zip zipcode plz postleitzahl huisnummer huisnr hausnummer straat street strasse rue woonplaats city plaats
    ort ville netnummer serienummer serienr seriennummer bsn burgerservicenummer sofinummer sofinr insz steuernummer kvk
    kvknummer rsin siret coc chamber barcode ean gtin kenteken paspoort paspoortnummer polisnummer referentie reference
    referenz zeichen kenmerk login wachtwoord password pw aantal bedrag prijs amount quantity qty hoeveelheid saldo
    balance koers rate tarief percentage perc pct korting discount uren hours dagen days waarde value wert valeur bruto
    netto gewicht weight omzet kosten cost costs budget debet debit credit montant betrag menge quantite prix preis
    factor decimalen decimals lengte length breedte fte leeftijd age score kans limiet limit anzahl nombre stunden
    heures tage jours totaal total voorraad stock datum date tijd time begindatum einddatum geboortedatum presentatie
    presentatievolgorde volgorde presentation sort sortering dummy geslacht gender""")
_NEVER_ENDING = re.compile(
    r"(naam|omschrijving|bedrag|prijs|datum|percentage|telefoonnummer|telefoonnr|mailadres|adresregel|waarde|aantal"
    r"|korting|saldo|omzet)$"
)
_NEVER_PHRASE = re.compile(
    r"\b(number of|nombre de|e mail|btw (id|ident|nr|nummer)\w*|vat ?(number|nr|identification)\w*|ust id\w*|kvk"
    r"|u(w|) ref\w*|adresregel|address line|house number|g rekening|social security"
    r"|num(ber|ero) (de )?(tva|tel\w*))\b"
)
# Words that an id overrules which ends as a number does: `TitleId`, `Voorraadcode`.
_SOFT = _words("""titel title time tijd stock voorraad naam name objet uren hours dagen days score lengte omschrijving
    description""")
_ENDS_AS_NUMBER = _words("id code nr no nummer number guid")
_ATTRIBUTE = _words("""status statut stadium valuta currency wahrung devise betaalvoorwaarde betalingsvoorwaarde payment
    zahlungsbedingung btw vat tva mwst land country pays taal language langue sprache aanhef prioriteit priority reden
    reason oorzaak cause door by par von verantwoordelijke responsible gewijzigd aangemaakt changed created modified
    blocked geblokkeerd kleur verzamelrekening provincie region regio nationaliteit vatduty plicht""")
_GUID = re.compile(r"^(guid|uuid|rowid|rowguid)$|guid$")
# What a GUID may be of that other rows share.
_FILE = re.compile(r"bijlage|bestand|file|foto|image|document|attachment|fichier|datei|afbeelding")
_NUMBER = _words("""
    id ids nr nrs no num numero nummer number nummers code codes key sleutel cle schlussel ident identity
    identificatie nummerid kode""")
_NUMBER_ENDING = re.compile(
    r"(?<=..)(nummer|number|numero|nr|code|kode|guid)$"
    r"|^(contact|dossier|task|taak|user|workflow|subject|order|project|item|debiteur|debtor|crediteur|creditor"
    r"|medewerker|employee|org\w*|person|persoon|adres|address|regel|line|event|bijlage|attachment|file|activity"
    r"|activiteit)id$"
)
_LINE = re.compile(
    r"^(versie|versienr|versienummer|revisie|revision|version|volgnr|volgnummer|volgn|vnr|regel|regelnr|regelnummer"
    r"|regelid|line|lineno|linenr|linenumber|seq|seqno|seqnr|sequence|sequencenumber|positie|position"
    r"|positionsnummer|pos|posnr|ligne|rang|zeile|zeilennummer|lfd|laufende|dienstverband|employment|serial"
    r"|serialnumber|indentity)$|volgnummer$|volgnr$|regelnummer$|regelnr$|positionsnummer$|zeilennummer$"
)
_SCOPE = re.compile(
    r"^(administratie|administration|admin|buchungskreis|mandant|werkgever|employer|employeur|arbeitgeber|bedrijf"
    r"|company|societe|firma|boekjaar|jaar|year|exercice|annee|geschaftsjahr|jahr|dagboek|dagboekcode|journal|periode"
    r"|period|maand|month|mois|monat|week|kwartaal|quarter|magazijn|warehouse|lager|magasin|entrepot|prijslijst"
    r"|pricelist|itemtype|artikeltype|typeitem)$|^type item\b|^item type\b|itemtype|artikeltype"
)
_AXIS = _words("""medewerker employee mitarbeiter salarie debiteur debtor client klant customer kunde crediteur creditor
    leverancier supplier fournisseur lieferant verkooprelatie inkooprelatie relatie organisatie organisation persoon
    person contact contactpersoon project projekt projet fase projectfase phase werksoort worktype urensoort uursoort
    hourtype looncomponent artikel article item onderdeel samenstelling locatie location eenheid unit partij batch
    charge order commande auftrag factuur invoice facture rechnung pakbon levering delivery livraison lieferung
    bestelling boekstuk beleg piece voucher journaalpost entry buchung rekening account compte konto grootboek
    kostenplaats costcentre costcenter kostenstelle kostendrager costcarrier verbijzondering verbijzonderingsas dimensie
    dimension as axe dossier dossieritem subject taak task workflow bijlage attachment verlofsoort verloftype verlof
    leave verzuim verzuimmelding contract vertrag rooster timetable functie function afdeling department
    organisatieeenheid groep group gebruiker user rol role cursus course evenement event abonnement subscription activum
    asset actif anlage machine object ticket aanvraag request termijn instalment offerte quotation tabel table
    bestemming component loonsoort soort type artikelgroep projectgroep kolom vestiging""")
_LONG_AXIS = tuple(word for word in _AXIS if len(word) > 4)  # noqa: PLR2004 - a shorter one ends many words

_BOOKS = re.compile(
    r"factuur|invoice|facture|rechnung|boekstuk|voucher|piece|beleg|journaal|journal|entry|dagboek|buchung|rekening"
    r"|account|compte|konto"
)
_ITEM = re.compile(r"item|artikel|article|onderdeel|product")
_YEAR = re.compile(
    r"^(boekjaar|jaar|year|exercice|annee|geschaftsjahr|jahr|periode|period|maand|month|mois|monat|week|kwartaal"
    r"|quarter)$"
)
_ADMINISTRATION = re.compile(
    r"^(administratie|administration|admin|buchungskreis|mandant|projectadministratie|dagboek|dagboekcode|journal)$"
)
_STORE = re.compile(r"^(magazijn|warehouse|lager|magasin|entrepot|prijslijst|pricelist)$")
_ITEM_TYPE = re.compile(r"type item|item ?type|artikel ?type|typeitem")
_TRADE = re.compile(
    r"order|factuur|invoice|pakbon|ticket|aanvraag|offerte|boekstuk|journaal|entry|dossier|taak|task|bijlage|guid"
    r"|facture|rechnung|commande|auftrag"
)
_ENTITY = re.compile(
    r"medewerker|employee|mitarbeiter|debiteur|debtor|crediteur|creditor|relatie|item|artikel|article|project|werksoort"
    r"|kostenplaats|verlof|rekening|account|organisatie|persoon|looncomponent|functie|afdeling|klant|client"
)
_VALID_FROM = re.compile(
    r"\b(ingangsdatum|ingang|ingaande|geldig vanaf|geldig van|valid from|gultig ab|gultig von|valable (des|depuis|du)"
    r"|effective (date|from))\b|\bingangsdat\w*|\bvalidfrom\b"
)
_LONGEST_KEY, _LONGEST_CODE = 64, 20
_REFERENCE, _DAY = 5, 4
_NO_KEY_CONTROLS = frozenset({4, 7, 8, 23})


def tokens(text: str) -> list[str]:
    """The words of an id or a label, split at case and again without: `IBANNummer` also holds `ibannummer`."""
    whole = re.sub(r"[^A-Za-z]+", " ", _ascii(text)).lower().split()
    return list(dict.fromkeys([*_split(text), *whole]))


def _split(text: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return [token for token in re.split(r"[^a-z]+", _ascii(spaced).lower()) if token]


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def part_of_key(field: Field) -> Part | None:
    """What a field may be in a key; None where it can't be part of one.

    A day may be one where it says from when a row counts. What AFAS can't sort on for its id, such as one with a dot,
    may be one too.
    """
    if _is_valid_from(field):
        return Part.DAY
    if field.data_type not in {"string", "int"} or field.control_type in _NO_KEY_CONTROLS:
        return None
    if field.data_type == "string" and field.length > _LONGEST_KEY:
        return None
    said = [*tokens(field.id), *tokens(field.label)]
    if any(map(_GUID.search, said)):
        return Part.NUMBER if any(map(_FILE.match, said)) else Part.GUID
    return None if _is_never(field, said) else _named(field, said)


def _is_never(field: Field, said: Sequence[str]) -> bool:
    """Whether it is called as what is no key: a name, an amount, a telephone number."""
    texts = (field.id, field.label)
    phrases = [" ".join(_split(text)) for text in texts] + [re.sub(r"[^a-z]+", " ", text.lower()) for text in texts]
    if any(map(_NEVER_PHRASE.search, phrases)):
        return True
    soft = _SOFT if ["", *_split(field.id)][-1] in _ENDS_AS_NUMBER else frozenset()
    return any((one in _NEVER or _NEVER_ENDING.search(one)) and one not in soft for one in said)


def _named(field: Field, said: Sequence[str]) -> Part | None:
    phrases = (" ".join(tokens(field.id)), " ".join(tokens(field.label)))
    if any(map(_LINE.search, said)):
        return Part.LINE
    if any(map(_SCOPE.search, (*said, *phrases))):
        return Part.SCOPE
    if any(one in _ATTRIBUTE for one in said):
        return Part.ATTRIBUTE
    if any(one in _NUMBER or _NUMBER_ENDING.search(one) for one in said):
        return Part.NUMBER
    named = any(one in _AXIS or one.endswith(_LONG_AXIS) for one in said)
    return Part.AXIS if named or (field.control_type == _REFERENCE and field.length <= _LONGEST_CODE) else None


def is_of_file(field: Field) -> bool:
    """Whether it tells a file, which may hang on more than one row."""
    return any(_FILE.match(one) for one in (*tokens(field.id), *tokens(field.label)))


def _is_valid_from(field: Field) -> bool:
    """Whether it is the day from which a row counts."""
    if field.data_type != "date" or field.control_type != _DAY:
        return False
    return any(_VALID_FROM.search(" ".join(tokens(text))) for text in (field.id, field.label))


def fitting_scopes(fields: Sequence[Field], parts: dict[str, Part], key: Sequence[str]) -> list[str]:
    """The scopes that belong to a key of this sort, whether or not they were needed to tell rows apart.

    Administration and journal belong to numbers of bookkeeping, the type to an item's code, warehouse and price list to
    an item without order or line, year and period where nothing but entities stands in the key.
    """
    text = {field.id: " ".join([*tokens(field.id), *tokens(field.label)]) for field in fields}
    own = " ".join(text[one] for one in key)
    has_line = any(parts[one] is Part.LINE for one in key)
    of_entities = not has_line and all(
        parts[one] is Part.SCOPE or (_ENTITY.search(text[one]) and not _TRADE.search(text[one])) for one in key
    )
    of_books = any(parts[one] in {Part.NUMBER, Part.AXIS} and _BOOKS.search(text[one]) for one in key)
    of_item = _ITEM.search(own) and not has_line and not _TRADE.search(own)
    found = []
    for one in (field.id for field in fields if parts.get(field.id) is Part.SCOPE and field.id not in key):
        said = text[one].split()
        is_year = any(map(_YEAR.match, said))
        if (
            (of_books and (any(map(_ADMINISTRATION.match, said)) or (has_line and is_year)))
            or (of_item and (_ITEM_TYPE.search(text[one]) or any(map(_STORE.match, said))))
            or (of_entities and is_year)
        ):
            found.append(one)
    return found

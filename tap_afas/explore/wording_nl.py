"""Wat er over bevindingen wordt gezegd, in het Nederlands; see `wording_en.py`."""

from __future__ import annotations

_OPEN = "Open de GetConnector in AFAS (Algemeen > Uitvoer > Beheer > GetConnector)"
_AUDITOR = (
    "Kijk waar AFAS de sleutel toont: het ontwikkelaarsrapport van de AppConnector Auditor noemt de unieke indexen van"
    " de hoofdtabel van de connector (PERF-46), de eerste voorop."
)
_STAMP_FIELD = (
    "Voeg op het tabblad Velden “Gewijzigd op” van de hoofdtabel toe; is die er niet, dan die van de tabel waarin een"
    " wijziging gebeurt."
)

AND, OR_NONE, EMPTY = "en", "geen", "leeg"
THOUSANDS, POINT = ".", ","
VERBS = {"tells": ("onderscheidt", "onderscheiden"), "holds": ("bevat", "bevatten")}
AS_CONFIGURED = " Zoals nu ingesteld is er geen sleutel bekend, en wordt de stream elke keer helemaal gelezen."

ALL_ROWS = "in alle {rows} rijen"
SOME_ROWS = "in {rows} rijen; er zijn er meer"
AMONG = "onder de {rows} gelezen rijen"
VARYING = " Zulke rijen verschillen in {varying}."
ADDED = " {added} hoort er ook bij, al is dat vandaag niet nodig om rijen te onderscheiden."

ANEW = (
    "Is {stream} al eens geladen: verwijder dan de tabel in het doel, haal `{stream}` uit `bookmarks` in het"
    " state-bestand, en draai opnieuw. Een tabel houdt de sleutel waarmee hij is gemaakt."
)
ANEW_MELTANO = (
    "Is {stream} al eens geladen: verwijder dan de tabel in het doel, en begin deze stream opnieuw: `{command}`. Een"
    " tabel houdt de sleutel waarmee hij is gemaakt."
)

NATURES = {
    "guid": "het is een GUID, die nergens herhaalt",
    "number": "het heet een nummer of een eigen code",
    "line": "er zit een regelnummer in",
    "combination": "alleen samen onderscheiden ze rijen",
    "code": "het is de code van iets",
    "attribute": "het is een kenmerk, zoals een land, waarvan elk één rij heeft",
}

WHY_NONE = {
    "no candidates": "geen veld heet een nummer, een code of een id",
    "too few rows": "er zijn te weinig rijen om het aan te zien",
    "equal rows": "sommige rijen zijn in alle velden gelijk",
    "not unique": "geen nummers en codes die in elke rij gevuld zijn, onderscheiden alle rijen",
    "chance": "{near} onderscheiden ze vandaag, maar dat kan toeval zijn",
    "outer join": "{near} onderscheidt ze vandaag, maar sommige rijen missen een regelnummer: de connector heeft een"
    " veel-kant",
}

DOUBTS = {
    "few rows": "er zijn te weinig rijen om het aan te zien",
    "many side": "de connector lijkt over {things} te gaan, en die staat niet in de sleutel: wat er vandaag één is, kan"
    " er morgen meer zijn",
    "prices": "prijzen komen in rondes, en de dag waarop ze ingaan staat niet in de sleutel",
    "again": "hetzelfde kan op een andere dag nog eens voorkomen, en {fields} staat niet in de sleutel",
    "from a day": "{fields} zegt vanaf wanneer een rij geldt, en staat niet in de sleutel",
    "number of another": "leveranciers geven deze nummers uit, en {fields} staat niet in de sleutel",
    "code of another": "het is de code van {things}, en daar heet de connector niet naar: wat er vandaag één is, kan er"
    " morgen meer zijn",
    "file": "één bestand kan aan meer rijen hangen, en {fields} staat niet in de sleutel",
}

READ_BY = {
    True: "De stream wordt gelezen op wat wijzigde volgens {chosen}, en ook op wat wijzigde volgens {further}.",
    False: "Met een sleutel wordt de stream gelezen op wat wijzigde volgens {chosen}, en ook volgens {further}.",
}

DUMMIES = {True: "AFAS vult het met een vaste waarde", False: "in alle rijen staat hetzelfde"}

SORTS = {
    "bsn": "burgerservicenummer (BSN)",
    "iban": "bankrekening (IBAN)",
    "birth_date": "geboortedatum",
    "mail": "privé-e-mailadres",
    "phone": "privételefoonnummer",
    "salary": "salaris",
}

COST = (
    "Een pagina van {page_rows} rijen duurt {seconds} s. Eerste keer laden: {backfill} vragen, {backfill_time}; elk uur"
    " draaien: {hourly} vragen, {hourly_time}, van AFAS' tijd."
)
COST_AT_LEAST = " Bij minstens {rows} rijen."

KINDS = {
    "string": "tekst",
    "integer": "geheel getal",
    "number": "getal",
    "boolean": "waar of onwaar",
    "date": "datum zonder tijd",
    "date-time": "datum met tijd",
    "time": "tijdstip",
}

THINGS = {
    "employee": "medewerker",
    "debtor": "debiteur",
    "creditor": "crediteur",
    "contact": "contactpersoon",
    "person": "persoon",
    "relation": "relatie",
    "project": "project",
    "worktype": "werksoort",
    "item": "artikel",
    "invoice": "factuur",
    "order": "order",
    "delivery": "levering",
    "account": "rekening",
    "costcentre": "kostenplaats",
    "address": "adres",
    "dossier": "dossieritem",
    "task": "taak",
    "workflow": "workflow",
    "leave": "verlof",
    "absence": "verzuim",
    "contract": "contract",
    "timetable": "rooster",
    "function": "functie",
    "department": "afdeling",
    "group": "groep",
    "user": "gebruiker",
    "role": "rol",
    "course": "cursus",
    "event": "evenement",
    "subscription": "abonnement",
    "asset": "activum",
    "machine": "machine",
    "object": "object",
    "request": "aanvraag",
    "quotation": "offerte",
    "price": "prijs",
    "component": "component",
}

TEXTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "key_repeats": (
        "De sleutel {fields} herhaalt ({among}): meer rijen hebben dezelfde{values}. Een doel houdt er één van en"
        " verliest de andere.{varying_told}",
        (
            _AUDITOR,
            _OPEN + ", en voeg die velden toe; waar een koppeling rijen herhaalt, ook de id van de veel-kant.",
            "Zet `primary_keys` van deze connector op die velden; op [] als er geen sleutel is.",
            "{anew}",
        ),
    ),
    "key_empty": (
        "De sleutel {key} is leeg in {fields} ({among}){values}. Rijen zonder sleutel zijn niet te onderscheiden.",
        (
            _AUDITOR,
            "Haal {fields} uit `primary_keys` van deze connector als de rest rijen onderscheidt; voeg anders een veld"
            " toe dat elke rij heeft, of zet `primary_keys` op [].",
            "{anew}",
        ),
    ),
    "key_unknown": (
        "Er is geen sleutel bekend, en geen gevonden ({rows_told}): {why}. De stream wordt elke keer helemaal gelezen.",
        (
            _AUDITOR,
            _OPEN + ", en voeg die velden toe: een nummer of id van elke rij, en een regelnummer waar er regels zijn.",
            "Draai deze controle opnieuw, of zet `primary_keys` van deze connector; [] zegt dat er geen sleutel is.",
        ),
    ),
    "key_found": (
        "{fields} {tells} alle rijen ({rows_told}); {nature}.{added_told}{as_configured}",
        (
            "Ga na of hij niet kan herhalen: het ontwikkelaarsrapport van de AppConnector Auditor in AFAS noemt de"
            " unieke indexen van de hoofdtabel (PERF-46).",
            "Stel hem in: {block}",
            "{anew}",
        ),
    ),
    "key_doubtful": (
        "{fields} {tells} vandaag alle rijen ({rows_told}), maar {doubts_told}. Herhaalt hij ooit, dan"
        " overschrijft een doel rijen zonder iets te zeggen.",
        (
            _AUDITOR,
            _OPEN + ", en voeg toe wat ontbreekt: de id, het nummer of de dag van waar elke rij over gaat.",
            "Draai deze controle opnieuw. Alleen als iemand die de gegevens kent zegt dat hij niet kan herhalen, stel"
            " hem dan in: {block}",
            "{anew}",
        ),
    ),
    "join_repeats": (
        "Rijen herhalen: meer rijen hebben dezelfde {key}{values}. De herhaling komt van {fields}.",
        (
            _OPEN + ", en kijk welke alias een 1-op-n-relatie heeft (de AppConnector Auditor: PERF-37).",
            "Voeg de id of het regelnummer van die veel-kant toe, en die van de hoofdtabel; of haal de alias weg.",
        ),
    ),
    "rows_equal": (
        "Sommige rijen zijn in alle velden gelijk ({rows_told}): niets onderscheidt ze.",
        (
            _OPEN + ", en voeg een id of een regelnummer toe.",
            "Voeg bij verdichten de id toe, anders wordt wat opgeteld had moeten worden tweemaal verteld.",
        ),
    ),
    "stamp_missing": (
        "Geen veld zegt wanneer een rij voor het laatst is gewijzigd: de stream wordt elke keer helemaal gelezen.",
        (
            _OPEN + ".",
            _STAMP_FIELD,
            "Zegt een veld het onder een andere naam, zet dan `replication_key` van deze connector.{days_told}",
        ),
    ),
    "stamp_ambiguous": (
        "{fields} kunnen elk zeggen wanneer een rij voor het laatst is gewijzigd: gekoppelde tabellen hebben er elk"
        " één. {read_by}{values}",
        (
            "Niets, als dat zo goed is. Wie wil kiezen, zet `replication_key` van deze connector op die van de"
            " hoofdtabel, en `also_changed_on` op die waarvan de wijzigingen ook gewenst zijn (`[]`: geen; wat alleen"
            " in de andere wijzigt, komt dan pas als alles opnieuw wordt geladen).",
            _OPEN + ", en haal de andere weg als niemand ze nodig heeft.",
        ),
    ),
    "stamp_empty": (
        "{fields} is leeg in {empties} van de {rows} rijen. Die worden elke keer opnieuw gelezen en verstuurd.",
        (
            "Kijk in AFAS waarom het leeg is: vaak zijn rijen geïmporteerd, of is het veld van een gekoppelde tabel.",
            _OPEN + ", en neem in plaats daarvan “Gewijzigd op” van de hoofdtabel.",
        ),
    ),
    "stamp_future": (
        "{fields} ligt in de toekomst in {future} van de {rows} rijen{values}. Die worden elke keer opnieuw gelezen en"
        " verstuurd.",
        ("Verbeter die rijen in AFAS: meestal is er een jaartal verkeerd getypt.",),
    ),
    "stamp_midnight": (
        "{fields} heeft geen tijd: het is altijd middernacht. Alle rijen van een dag worden tot de volgende dag opnieuw"
        " gelezen.",
        (
            "Kijk in AFAS of er een “Gewijzigd op” met een tijd is.",
            _OPEN + ", en neem die ervoor in de plaats. Zonder gaat er niets verloren.",
        ),
    ),
    "stamp_dummy": (
        "{fields} lijkt een tijdstip van wijziging, maar is het niet{values}: {dummy_told}.",
        (
            "Gebruik het niet: zet `replication_key` van deze connector op null, of op een veld dat het wel zegt.",
            _OPEN + ", en neem in plaats daarvan “Gewijzigd op” van de hoofdtabel.",
        ),
    ),
    "stamp_stands_still": (
        "{fields} staat stil{values} terwijl er volgens {created} later rijen zijn gemaakt: niets werkt het nog bij."
        " Wat nieuw is, zou nooit worden gelezen.",
        (
            "Gebruik het niet: zet `replication_key` van deze connector op null, of op een veld dat met elke wijziging"
            " meegaat.",
            _OPEN + ", en neem in plaats daarvan “Gewijzigd op” van de hoofdtabel.",
        ),
    ),
    "replaced_field": (
        "{fields} {holds} alleen “(vervangen)”: AFAS heeft het veld niet meer.",
        (_OPEN + ", haal het veld weg, en voeg het veld toe dat ervoor in de plaats kwam.",),
    ),
    "name_too_long": (
        "{named} heeft meer dan 63 tekens. PostgreSQL kapt hem af, en twee namen kunnen dezelfde worden.",
        (_OPEN + ", en geef een kortere naam.", "Laat de tap de streams opnieuw opvragen (discovery)."),
    ),
    "names_collide": (
        "{fields} verschillen alleen in hoofdletters. DuckDB, Snowflake en BigQuery zien ze als één; PostgreSQL houdt"
        " ze uit elkaar.",
        (_OPEN + ", en geef één een andere naam; of laat er één weg uit de selectie.",),
    ),
    "unfit_value": (
        "{count} waarden van {fields} zijn geen {kind_told}{values}. De stream stopt bij de eerste ervan.",
        (
            "Verbeter de waarden in AFAS als ze fout zijn.",
            "Zijn ze goed: laat de tap de streams opnieuw opvragen met {types}",
        ),
    ),
    "personal_data": (
        "Waarschijnlijk persoonsgegevens: {sorts_told}.",
        (
            "Heeft niemand ze nodig, haal ze dan uit de GetConnector in AFAS, of uit de selectie.",
            "Maak er anders een hash van, of laat ze weg: {maps}",
        ),
    ),
    "not_readable": ("Hij kon niet worden gelezen: {sentence}", ("Doe wat er staat, en draai deze controle opnieuw.",)),
    "slow": (
        "Een pagina van {page_rows} rijen duurt {seconds} seconden; AFAS adviseert minder dan een seconde per aanroep.",
        (
            _OPEN + ": minder koppelingen en berekende velden maken hem lichter, en een filter op een index ook.",
            "Zet `page_size` van deze connector op {fitting} of minder.",
        ),
    ),
    "large_values": (
        "{fields} bevat grote waarden: gemiddeld {average_kb} KB, hooguit {largest_kb} KB, {total_mb} MB in wat gelezen"
        " is.",
        ("Heeft niemand het nodig, laat het dan weg uit de selectie: pagina's kunnen dan meer rijen bevatten.",),
    ),
}

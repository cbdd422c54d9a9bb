"""Connectors with something wrong in each, as `tap-afas-explore check` is to find it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from afas_sandbox import Connector, Fault, Field, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox import Row

_KINDS: dict[str, tuple[Any, int, int]] = {
    "guid": ("string", 36, 1),
    "code": ("string", 15, 5),
    "text": ("string", 80, 1),
    "int": ("int", 9, 1),
    "amount": ("decimal", 26, 1),
    "day": ("date", 0, 4),
    "moment": ("date", 0, 8),
    "blob": ("blob", 0, 23),
}


def field_forms(fields: str) -> Iterator[tuple[str, Any, str, int, int, int]]:
    """Id, data type, label, length, decimals and control type of fields that are written `id:kind` or `id:kind:label`.

    In a label, `_` stands for a blank.
    """
    for text in fields.split():
        one, kind, *label = text.split(":")
        data_type, length, control = _KINDS[kind]
        yield one, data_type, (label or [one])[0].replace("_", " "), length, 2 if kind == "amount" else 0, control


def fields_of(fields: str) -> tuple[Field, ...]:
    """The same, as the sandbox has them."""
    return tuple(
        Field(one, data_type, label, label, length, decimals, control)
        for one, data_type, label, length, decimals, control in field_forms(fields)
    )


def made(name: str, fields: str, rows: list[Row], description: str = "") -> Table:
    """A connector; its fields as `field_forms` has them."""
    connector = Connector(name, description or name, description or name, fields_of(fields))
    return Table(connector, rows, lambda _: rows[0])


def moment(number: int, year: int = 2024) -> str:
    """A time of the year, later with each number, to the second."""
    return (
        f"{year}-{1 + number // 1200 % 12:02}-{1 + number // 48 % 25:02}T{8 + number // 6 % 8:02}:{number % 6}7:13.000"
    )


def bsn(number: int) -> str:
    """A number that passes the eleven-test."""
    digits = f"{10_000_000 + number * 7919 % 80_000_000:08}"
    total = sum(weight * int(digit) for weight, digit in zip(range(9, 1, -1), digits, strict=True))
    return f"{digits}{total % 11}" if total % 11 < 10 else bsn(number + 5003)


def iban(number: int) -> str:
    """An account whose checksum is right."""
    bank = f"BANK{number:010}"
    plain = "".join(str(int(letter, 36)) for letter in f"{bank}NL00")
    return f"NL{98 - int(plain) % 97:02}{bank}"


@dataclasses.dataclass(frozen=True)
class Plant:
    """What is wrong with a connector.

    Attributes:
        codes: What is to be found, with the fields that it is about.
        table: The connector.
        settings: Its part of `streams`.
        options: Options of the sandbox.
        faults: What goes wrong there.
        loses: Whether it would lose, double or bend rows.
    """

    codes: dict[str, tuple[str, ...]]
    table: Table
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    loses: bool = False


def _codes(count: int) -> list[str]:
    return [f"A{number:05}" for number in range(count)]


_SOUND = "Code:code Omschrijving:text Gewijzigd_op:moment:Gewijzigd_op"


def _sound(count: int = 60) -> list[Row]:
    return [(code, f"Artikel {code}", moment(number)) for number, code in enumerate(_codes(count))]


def _with(field: str, values: list[Any]) -> tuple[str, list[Row]]:
    """A sound connector with one field more."""
    return f"{_SOUND} {field}", [(*row, value) for row, value in zip(_sound(len(values)), values, strict=True)]


CODE = {"primary_keys": ["Code"]}

PLANTS: dict[str, Plant] = {
    "Sound": Plant({}, made("Sound", _SOUND, _sound()), CODE),
    "Repeats": Plant(
        {"key_repeats": ("Ordernummer",), "key_found": ("Ordernummer", "Regel")},
        made(
            "Repeats",
            "Ordernummer:code Regel:int Debiteur:code Gewijzigd_op:moment",
            [(f"O{n:04}", line, f"D{n % 7}", moment(n)) for n in range(200) for line in (1, 2, 3)],
        ),
        {"primary_keys": ["Ordernummer"]},
        loses=True,
    ),
    "Empty": Plant(
        {"key_empty": ("Code",), "key_unknown": ()},
        made("Empty", _SOUND, [(None if row[0] == "A00007" else row[0], *row[1:]) for row in _sound()]),
        CODE,
        loses=True,
    ),
    "Keyless": Plant(
        {"key_unknown": ()},
        made(
            "Keyless",
            "Naam:text Bedrag:amount Gewijzigd_op:moment",
            [(f"Naam {n}", f"{n}.50", moment(n)) for n in range(60)],
        ),
    ),
    "Found": Plant({"key_found": ("Code",)}, made("Found", _SOUND, _sound())),
    "Prijzen": Plant(
        {"key_doubtful": ("Artikel", "Prijslijst")},
        made(
            "Prijzen",
            "Artikel:code Prijslijst:code Prijs:amount Gewijzigd_op:moment",
            [(f"A{n:04}", p, f"{n}.10", moment(n)) for n in range(300) for p in ("BRUTO", "NETTO")],
        ),
    ),
    "Joined": Plant(
        {"key_unknown": (), "join_repeats": ("Bestemming_naam",)},
        made(
            "Joined",
            "Dossiernummer:int Onderwerp:text Bestemming_naam:text",
            [(n, f"Onderwerp {n}", f"Firma {k}") for n in range(200) for k in range(1 + n % 3)],
        ),
    ),
    "Equal": Plant(
        {"key_unknown": ("Nummer",), "rows_equal": ()},
        made("Equal", "Nummer:int Naam:text", [(max(n, 1), f"Naam {max(n, 1)}") for n in range(60)]),
    ),
    "Stampless": Plant(
        {"stamp_missing": ()}, made("Stampless", "Code:code Omschrijving:text", [row[:2] for row in _sound()]), CODE
    ),
    "Ambiguous": Plant(
        {"stamp_ambiguous": ("Gewijzigd_op", "Gewijzigd_op_2")},
        made("Ambiguous", *_with("Gewijzigd_op_2:moment:Gewijzigd_op", [moment(n * 3) for n in range(60)])),
        CODE,
    ),
    "EmptyStamp": Plant(
        {"stamp_empty": ("Gewijzigd_op",)},
        made("EmptyStamp", _SOUND, [(*row[:2], None if n % 3 else row[2]) for n, row in enumerate(_sound())]),
        CODE,
    ),
    "Future": Plant(
        {"stamp_future": ("Gewijzigd_op",)},
        made("Future", _SOUND, [*_sound(59), ("Z", "Ooit", "2099-01-02T10:11:12.000")]),
        CODE,
    ),
    "Midnight": Plant(
        {"stamp_midnight": ("Gewijzigd_op",)},
        made(
            "Midnight", _SOUND, [(*row[:2], f"2024-03-{1 + n % 28:02}T00:00:00.000") for n, row in enumerate(_sound())]
        ),
        CODE,
    ),
    "Dummy": Plant(
        {"stamp_dummy": ("Gewijzigd_op",)},
        made("Dummy", _SOUND, [(*row[:2], "2010-01-01T10:00:00.000") for row in _sound()]),
        CODE,
        loses=True,
    ),
    "StandsStill": Plant(
        {"stamp_stands_still": ("Gewijzigd_op",)},
        made(
            "StandsStill",
            *_with("Aangemaakt_op:moment:Aangemaakt_op", [moment(n, 2023 if n < 40 else 2025) for n in range(60)]),
        ),
        CODE,
        loses=True,
    ),
    "Replaced": Plant(
        {"replaced_field": ("Oud_getal", "Oude_tekst")},
        made(
            "Replaced",
            f"{_SOUND} Oude_tekst:text Oud_getal:int",
            [(*row, "(replaced)", n) for n, row in enumerate(_sound())],
        ),
        CODE,
        faults=(Fault(connector="Replaced", kind="rows", replace={"Oud_getal": "(replaced)"}),),
    ),
    "LongName": Plant({"name_too_long": ("L" * 64,)}, made("LongName", *_with(f"{'L' * 64}:text", ["x"] * 60)), CODE),
    "Case": Plant(
        {"names_collide": ("Omschrijving", "omschrijving")},
        made("Case", *_with("omschrijving:text", ["x"] * 60)),
        CODE,
    ),
    "Unfit": Plant(
        {"unfit_value": ("Dag",)},
        made("Unfit", *_with("Dag:day", [f"2024-03-05T{'00' if n % 20 else '10'}:00:00.000" for n in range(60)])),
        CODE,
        loses=True,
    ),
    "Staff": Plant(
        {"personal_data": ("Nummer_overheid", "Rekening", "Geboortedatum", "E-mail_privé", "Brutosalaris")},
        made(
            "Staff",
            f"{_SOUND} Nummer_overheid:text Rekening:text Geboortedatum:day E-mail_privé:text Brutosalaris:amount",
            [
                (*row, bsn(n), iban(n), "1980-02-03T00:00:00.000", f"p{n}@gmail.com" if n % 9 else None, f"{n}.00")
                for n, row in enumerate(_sound())
            ],
        ),
        CODE,
    ),
    "Blocked": Plant({"not_readable": ()}, made("Blocked", _SOUND, _sound()), CODE, {"blocked": {"Blocked"}}),
    "Slow": Plant({"slow": ()}, made("Slow", _SOUND, _sound()), CODE, {"seconds_per_call": 1.05}),
    "Blobs": Plant({"large_values": ("Bestand",)}, made("Blobs", *_with("Bestand:blob", ["x" * 20_000] * 60)), CODE),
}
"""By connector."""

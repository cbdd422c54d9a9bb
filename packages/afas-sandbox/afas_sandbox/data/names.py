# ruff: noqa: PLR2004 - made-up data are made of plain numbers
"""Pools of Dutch names, drawn from Faker once."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from faker import Faker

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

BRANCHES = (
    "Bouw",
    "Elektrotechniek",
    "Groothandel",
    "Horeca",
    "Installatietechniek",
    "Interieurbouw",
    "Logistiek",
    "Metaal",
    "Schilderwerken",
    "Techniek",
    "Vastgoed",
    "Zorg",
)
LEGAL_FORMS = ("B.V.", "B.V.", "BV", "V.O.F.", "N.V.", "& Zn.", "Holding B.V.", "Groep")
MAIL_DOMAIN = "example"


@dataclasses.dataclass(frozen=True, slots=True)
class Names:
    """Pools to pick from."""

    last: tuple[str, ...]
    men: tuple[str, ...]
    women: tuple[str, ...]
    cities: tuple[str, ...]
    streets: tuple[str, ...]

    def company(self, rng: random.Random) -> str:
        """The name of a company."""
        last, branch = rng.choice(self.last), rng.choice(BRANCHES)
        name = f"{last[0].upper()}{last[1:]}"
        form = rng.random()
        if form < 0.1:
            return f"{name} & {rng.choice(self.last)} {branch} {rng.choice(LEGAL_FORMS)}"
        if form < 0.2:
            return f"{branch} {rng.choice(self.cities)} {rng.choice(LEGAL_FORMS)}"
        return f"{name} {branch} {rng.choice(LEGAL_FORMS)}"

    def person(self, rng: random.Random) -> tuple[str, str, str]:
        """The given name, last name and gender (`M`, `V`) of a person."""
        if rng.random() < 0.5:
            return rng.choice(self.men), rng.choice(self.last), "M"
        return rng.choice(self.women), rng.choice(self.last), "V"


def slug(name: str) -> str:
    """The name as a part of a mail address."""
    return "".join(sign for sign in name.lower() if sign.isascii() and sign.isalnum())[:30] or "info"


def draw(seed: int) -> Names:
    """Draw the pools."""
    fake = Faker("nl_NL")
    fake.seed_instance(seed)

    def pool(draw_one: Callable[[], str], tries: int) -> tuple[str, ...]:
        return tuple(dict.fromkeys(draw_one() for _ in range(tries)))

    return Names(
        last=pool(fake.last_name, 400),
        men=pool(fake.first_name_male, 250),
        women=pool(fake.first_name_female, 250),
        cities=pool(fake.city, 250),
        streets=pool(fake.street_name, 400),
    )

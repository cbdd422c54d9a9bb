"""The data of the sandbox: a Dutch trading company whose figures fit together.

Everything follows from a number and the seed: the order with number 17 is the same whoever asks for it and whenever.
So rows can be made while they are read, however many there are, and still agree with each other.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from afas_sandbox.data.allocation import Allocation
from afas_sandbox.data.articles import Articles
from afas_sandbox.data.codes import Codes
from afas_sandbox.data.dossier import Dossier
from afas_sandbox.data.ledger import Ledger
from afas_sandbox.data.persons import Persons
from afas_sandbox.data.projects import Projects
from afas_sandbox.data.relations import Relations
from afas_sandbox.data.selfmade import Company, Selfmade
from afas_sandbox.data.staff import Staff
from afas_sandbox.data.trade import Trade
from afas_sandbox.data.world import World

if TYPE_CHECKING:
    import datetime as dt

    from afas_sandbox.model import Dataset

__all__ = ["dataset"]


def dataset(*, scale: float = 1.0, seed: int = 1, now: dt.datetime) -> Dataset:
    """All tables of the sandbox.

    Args:
        scale: Multiplies what grows with the years: orders, entries, hours, leave. About 80,000 rows at 1. Below 1 it
            makes the master data smaller as well.
        seed: The same seed and `now` give the same rows in the same order.
        now: The present, as wall time in Amsterdam; stamps don't pass it, but for two that somebody mistyped.

    Returns:
        The tables. Their rows are made while read, and can be read more than once. What sums up others (changed days,
        balances) reads those first.

    Raises:
        ImportError: Faker is not installed.
    """
    world = World(scale=scale, seed=seed, now=now)
    relations = Relations(world)
    articles = Articles(world)
    staff = Staff(world, relations)
    projects = Projects(world, relations, staff)
    trade = Trade(world, relations, articles)
    ledger = Ledger(world, relations, trade)
    company = Company(relations, articles, trade, ledger, staff, projects)
    return tuple(
        itertools.chain(
            Codes(world, relations).tables(),
            relations.tables(),
            articles.tables(),
            trade.tables(),
            ledger.tables(),
            Allocation(ledger).tables(),
            staff.tables(),
            Persons(relations, staff).tables(),
            projects.tables(),
            Dossier(world, relations, staff, projects).tables(),
            Selfmade(world, company).tables(),
        )
    )

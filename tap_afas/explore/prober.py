"""What `probe` asks by: rows of some connectors, and questions that nobody asks again."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

import msgspec

from tap_afas.profit.errors import ProfitError
from tap_afas.profit.metainfo import REPLACED, kind_of
from tap_afas.profit.query import Condition, Query
from tap_afas.profit.rows import RowReader
from tap_afas.scheduler import Workers

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from tap_afas.explore.session import Session
    from tap_afas.profit.client import Answer
    from tap_afas.profit.metainfo import Connector, Environment, Field
    from tap_afas.profit.query import Filter, Group


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """Some rows of a connector.

    Attributes:
        connector: The connector.
        order: The fields by which they were asked for.
        key: The key's fields, where it is known and AFAS can sort and filter on it.
        stamp: The field that tells of the last change, where it is a date with a time.
        rows: Their values by fields' ids, as AFAS wrote them.
        gone: Fields of which rows say that they no longer exist.
        repaired: Whether the answer wasn't JSON until it was mended.
    """

    connector: Connector
    order: tuple[str, ...]
    key: tuple[str, ...]
    stamp: str | None
    rows: Sequence[dict[str, Any]]
    gone: frozenset[str]
    repaired: bool

    def fields(self, data_type: str) -> list[Field]:
        """The fields of one of AFAS' types that conditions may be about."""
        return [one for one in self.connector.fields.values() if one.data_type == data_type and one.filterable]

    def one_row(self, row: dict[str, Any]) -> Group:
        """The conditions by which AFAS finds a row of it."""
        return tuple(Condition(name, "=", str(row[name])) for name in self.key)

    @property
    def findable(self) -> list[dict[str, Any]]:
        """The rows that can be found again by their key; none where it isn't known."""
        return [row for row in self.rows if self.key and all(row[name] not in {None, ""} for name in self.key)]


@dataclasses.dataclass
class Prober:
    """Asks, for the points.

    Attributes:
        session: What the command works with.
        environment: What AFAS told of itself,
        date: and its clock then, if it said,
        local: and this machine's.
        samples: Rows of some connectors.
    """

    session: Session
    environment: Environment
    date: datetime.datetime | None
    local: datetime.datetime
    samples: list[Sample]

    def rows(
        self, connector: Connector, order: Sequence[str], where: Filter = (), *, take: int, skip: int = 0
    ) -> list[dict[str, Any]]:
        """Ask for rows.

        Raises:
            ProfitError: AFAS refused.
        """
        return self.ask(connector, Query(tuple(order), where, take, skip))

    def ask(self, connector: Connector, query: Query) -> list[dict[str, Any]]:
        """Ask for rows by a query.

        Raises:
            ProfitError: AFAS refused.
        """
        return rows_of(connector, self.answer(connector, query))

    def answer(self, connector: Connector, query: Query) -> Answer:
        """Likewise; the answer as it came.

        Raises:
            ProfitError: AFAS refused.
        """
        return self.session.connection.client.rows(connector.id, query, patient=False)

    def at_once(self, samples: Sequence[Sample]) -> list[ProfitError]:
        """Ask for a row of each connector, all at once; what AFAS refused."""
        client = self.session.connection.client
        workers = Workers(len(samples))
        refused = []
        try:
            for sample in samples:
                ask = functools.partial(client.rows, sample.connector.id, Query(sample.order, take=1), patient=False)
                workers.submit(sample, ask)
            for _ in samples:
                _, _, error = workers.next()
                if isinstance(error, ProfitError):
                    refused.append(error)
                elif error is not None:
                    raise error
        finally:
            workers.close()
        return refused


def rows_of(connector: Connector, answer: Answer) -> list[dict[str, Any]]:
    """The rows of an answer, by fields' ids.

    Raises:
        ProfitError: They can't be read.
    """
    rows, _ = _read(connector, answer)
    return rows


def sample_of(
    connector: Connector, order: tuple[str, ...], key: tuple[str, ...], stamp: str | None, answer: Answer
) -> Sample:
    """What an answer shows of a connector.

    Raises:
        ProfitError: It can't be read.
    """
    rows, gone = _read(connector, answer)
    return Sample(connector, order, key, stamp, rows, gone, repaired=not _is_json(answer))


def _read(connector: Connector, answer: Answer) -> tuple[list[dict[str, Any]], frozenset[str]]:
    kinds = {name: kind_of(field) for name, field in connector.fields.items() if not set(name) & set('"\\')}
    reader = RowReader(connector.id, kinds)
    page = reader.read(answer.body)
    columns = {name: reader.column(name, page.rows) for name in kinds}
    gone = {name for name, column in columns.items() if any(_is_gone(value) for value in column)}
    return [{name: columns[name][number] for name in kinds} for number in range(len(page))], frozenset(
        reader.replaced | gone
    )


def _is_gone(value: Any) -> bool:
    text = bytes(value).decode(errors="replace").strip('"') if isinstance(value, msgspec.Raw) else value
    return isinstance(text, str) and text in REPLACED


def _is_json(answer: Answer) -> bool:
    """Whether an answer needs no mending."""
    try:
        msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True

"""The first contact with an environment: what isn't documented of AFAS, asked of AFAS itself.

The questions are few and small, and only read. What is told holds no value, name or number of the customer's: an answer
is one of a few sentences, made here.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import logging
from importlib import metadata
from typing import TYPE_CHECKING, Any

from tap_afas.discovery import ConnectorPatterns, define_stream
from tap_afas.explore.probe_answers import UnsettledError, refusal
from tap_afas.explore.probe_points import POINTS
from tap_afas.explore.terminal import to_json, write
from tap_afas.inputs import InputError
from tap_afas.profit.errors import ProfitError
from tap_afas.profit.known_connectors import KEYS, listed_key
from tap_afas.profit.metainfo import kind_of
from tap_afas.profit.query import Condition, Query
from tap_afas.profit.rows import RowReader
from tap_afas.scheduler import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_afas.explore.opened import Opened
    from tap_afas.profit.client import Answer
    from tap_afas.profit.metainfo import Connector, Environment, Field
    from tap_afas.profit.query import Filter, Group

logger = logging.getLogger("tap-afas.explore")

SAMPLE = 100
_MOST_DESCRIBED = 40
_MOST_SAMPLES = 12


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """Some rows of a connector.

    Attributes:
        connector: The connector.
        order: The fields by which they were asked for.
        key: The key's fields, where it is known and AFAS can sort and filter on it.
        stamp: The field that tells of the last change, where it is a date with a time.
        rows: Their values by fields' ids, as AFAS wrote them.
    """

    connector: Connector
    order: tuple[str, ...]
    key: tuple[str, ...]
    stamp: str | None
    rows: Sequence[dict[str, Any]]

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
        opened: What the command works with.
        environment: What AFAS told of itself,
        date: and its clock then, if it said,
        local: and this machine's.
        samples: Rows of some connectors.
    """

    opened: Opened
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
        query = Query(tuple(order), where, take, skip)
        return rows_of(connector, self.opened.connection.client.rows(connector.id, query, patient=False))

    def at_once(self, samples: Sequence[Sample]) -> list[ProfitError]:
        """Ask for a row of each connector, all at once; what AFAS refused."""
        client = self.opened.connection.client
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
    kinds = {name: kind_of(field) for name, field in connector.fields.items() if not set(name) & set('"\\')}
    reader = RowReader(connector.id, kinds)
    page = reader.read(answer.body)
    columns = {name: reader.column(name, page.rows) for name in kinds}
    return [{name: columns[name][number] for name in kinds} for number in range(len(page))]


def probe(opened: Opened, form: str) -> None:
    """`probe`: ask, and print what was seen beside what the tap assumes.

    Raises:
        InputError: There is nothing to ask.
        ProfitError: AFAS refused the first question.
        OutputError: It can't be written.
    """
    prober = _prober(opened)
    found = [(point, _settled(point.settle, prober)) for point in POINTS]
    # Not in the report: it tells how many connectors there are.
    logger.info("Asked of AFAS: %d requests.", opened.connection.client.request_counts.total())
    version = metadata.version("tap-afas")
    if form == "json":
        points = [
            {
                "point": point.name,
                "question": point.question,
                "assumed": point.assumed,
                "seen": seen,
                "settled": settled,
            }
            for point, (seen, settled) in found
        ]
        write(f"{to_json({'tap_afas': version, 'points': points})}\n")
        return
    lines = [
        f"What tap-afas {version} saw of an AFAS environment. It holds no value, name or number of the environment's.",
        "",
        "| Question | The tap assumes | Seen |",
        "| --- | --- | --- |",
        *(f"| {point.question} | {point.assumed} | {seen} |" for point, (seen, _) in found),
    ]
    write("\n".join(lines) + "\n")


def _settled(settle: Callable[[Prober], str], prober: Prober) -> tuple[str, bool]:
    try:
        return settle(prober), True
    except UnsettledError as error:
        return f"not settled: {error}", False
    except ProfitError as error:
        # AFAS' words may name somebody.
        return f"not settled: AFAS refused ({refusal(error)})", False


def _prober(opened: Opened) -> Prober:
    connection = opened.connection
    local = datetime.datetime.now(tz=datetime.UTC)
    environment, date = connection.client.environment()
    choice = ConnectorPatterns(connection.settings.connectors)
    ids = [connector_id for connector_id in environment.connectors if choice.match(connector_id)]
    if not ids:
        raise InputError("There is no GetConnector to ask: add some to the app connector, or widen `connectors`.")
    # Those of which a key is known.
    ids.sort(key=lambda one: (not connection.settings.entries(one), not listed_key(KEYS, one)))
    described = connection.describe(ids[:_MOST_DESCRIBED]).values()
    found = [(*_known(opened, one), one) for one in described if not isinstance(one, ProfitError)]
    # What has key and stamp tells most; of those, what has few fields costs least.
    found.sort(key=lambda one: (not one[0], one[1] is None, len(one[2].fields)))
    samples = []
    for key, stamp, connector in found[:_MOST_SAMPLES]:
        order = key or tuple(one.id for one in connector.fields.values() if one.sortable)[:1]
        if not order:
            continue
        query = Query(order, take=SAMPLE)
        try:
            rows = rows_of(connector, connection.client.rows(connector.id, query, patient=False))
        except ProfitError:
            continue
        samples.append(Sample(connector, order, key, stamp, rows))
    return Prober(opened, environment, date, local, samples)


def _known(opened: Opened, connector: Connector) -> tuple[tuple[str, ...], str | None]:
    """The key and the stamp by which its rows can be asked for."""
    try:
        definition = define_stream(connector, opened.connection.settings.stream(connector.id))
    except InputError:
        return (), None
    plain = {"string", "integer"}
    fields = connector.fields
    key = definition.sorting_key(connector)
    key = key if all(kind_of(fields[name]) in plain for name in key) else ()
    stamp = definition.stamp
    dated = stamp is not None and kind_of(fields[stamp]) == "date-time" and fields[stamp].sortable
    return key, stamp if dated else None

"""The first contact with an environment: what isn't documented of AFAS, asked of AFAS itself.

The questions are few and small, and only read. What is told holds no value, name or number of the customer's: an answer
is one of a few sentences, made here.
"""

from __future__ import annotations

import datetime
import logging
from importlib import metadata
from typing import TYPE_CHECKING

from tap_afas.discovery import ConnectorPatterns, define_stream
from tap_afas.explore.probe_answers import UnsettledError, refusal
from tap_afas.explore.probe_points import NOT_ASKED, POINTS
from tap_afas.explore.prober import Prober, sample_of
from tap_afas.explore.terminal import to_json, write
from tap_afas.inputs import InputError
from tap_afas.profit.errors import ProfitError
from tap_afas.profit.known_connectors import KEYS, listed_key
from tap_afas.profit.metainfo import kind_of
from tap_afas.profit.query import Query

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_afas.explore.session import Session
    from tap_afas.profit.metainfo import Connector

logger = logging.getLogger("tap-afas.explore")

SAMPLE = 100
_MOST_DESCRIBED = 40
_MOST_SAMPLES = 12


def probe(session: Session, form: str) -> None:
    """`probe`: ask, and print what was seen beside what the tap assumes.

    Raises:
        InputError: There is nothing to ask.
        ProfitError: AFAS refused the first question.
        OutputError: It can't be written.
    """
    prober = _prober(session)
    found = [(point, _settled(point.settle, prober)) for point in POINTS]
    # Not in the report: it tells how many connectors there are.
    logger.info("Asked of AFAS: %d requests.", session.connection.client.request_counts.total())
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
        not_asked = [{"point": point, "why": why} for point, why in NOT_ASKED]
        write(f"{to_json({'tap_afas': version, 'points': points, 'not_asked': not_asked})}\n")
        return
    lines = [
        f"What tap-afas {version} saw of an AFAS environment. It holds no value, name or number of the environment's.",
        "",
        "| Question | The tap assumes | Seen |",
        "| --- | --- | --- |",
        *(f"| {point.question} | {point.assumed} | {seen} |" for point, (seen, _) in found),
        "",
        "Not asked:",
        "",
        *(f"* {point}: {why}." for point, why in NOT_ASKED),
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


def _prober(session: Session) -> Prober:
    connection = session.connection
    local = datetime.datetime.now(tz=datetime.UTC)
    environment, date = connection.client.environment()
    choice = ConnectorPatterns(connection.settings.connectors)
    ids = [connector_id for connector_id in environment.connectors if choice.match(connector_id)]
    if not ids:
        raise InputError("There is no GetConnector to ask: add some to the app connector, or widen `connectors`.")
    # Those of which a key is known.
    ids.sort(key=lambda one: (not connection.settings.entries(one), not listed_key(KEYS, one)))
    described = connection.describe(ids[:_MOST_DESCRIBED]).values()
    found = [(*_known(session, one), one) for one in described if not isinstance(one, ProfitError)]
    # What has key and stamp tells most; of those, what has few fields costs least.
    found.sort(key=lambda one: (not one[0], one[1] is None, len(one[2].fields)))
    samples = []
    for key, stamp, connector in found[:_MOST_SAMPLES]:
        order = key or tuple(one.id for one in connector.fields.values() if one.sortable)[:1]
        if not order:
            continue
        query = Query(order, take=SAMPLE)
        try:
            answer = connection.client.rows(connector.id, query, patient=False)
            samples.append(sample_of(connector, order, key, stamp, answer))
        except ProfitError:
            continue
    return Prober(session, environment, date, local, samples)


def _known(session: Session, connector: Connector) -> tuple[tuple[str, ...], str | None]:
    """The key and the stamp by which its rows can be asked for."""
    try:
        definition = define_stream(connector, session.connection.settings.stream(connector.id))
    except InputError:
        return (), None
    plain = {"string", "integer"}
    fields = connector.fields
    key = definition.sorting_key(connector)
    key = key if all(kind_of(fields[name]) in plain for name in key) else ()
    stamp = definition.stamp
    dated = stamp is not None and kind_of(fields[stamp]) == "date-time" and fields[stamp].sortable
    return key, stamp if dated else None

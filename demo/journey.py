"""The main job: AFAS into PostgreSQL with Meltano, twice, with changes in between, and then every value compared."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from afas_sandbox import Sandbox, amsterdam
from afas_sandbox.data import dataset
from demo.comparison import Difference, Values, Way, as_loaded, differences, expected
from demo.project import Project, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from afas_sandbox import Connector
    from demo.postgres import Database

_HOUR = datetime.timedelta(hours=1)
# So that the second run, an hour later, also reads whole what it reads by what changed.
_REFRESH = "1h"
_NO_STREAM: dict[str, Any] = {"key_properties": []}
# What a person would set for GetConnectors of their own, so that PostgreSQL updates rows rather than adds them.
_STREAMS = {
    "Activa": {"primary_keys": ["Activum"]},
    "Contracten": {"primary_keys": ["Contractnummer"]},
    "Grootboekregels": {"primary_keys": ["Regel_ID"]},
    # The history of who worked where, rather than what is so now.
    "Medewerkers_actueel": {"primary_keys": [], "append": True},
    "Prijslijst_import": {"primary_keys": ["Itemcode", "Prijslijst"]},
    "Serviceaanvragen": {"primary_keys": ["Aanvraag"]},
    "Verkoop-facturen": {"primary_keys": ["Administratie", "Factuurnummer"]},
}


@dataclasses.dataclass(frozen=True, slots=True)
class Arrived:
    """What became of one GetConnector.

    Attributes:
        connector: Its id.
        way: How it goes into its table.
        changed: Rows changed and added in AFAS between the runs,
        deleted: and deleted there.
        rows_afas: Rows in AFAS at the end,
        rows_postgres: and in PostgreSQL.
        differences: Rows that aren't the same at both ends.
    """

    connector: str
    way: Way
    changed: int
    deleted: int
    rows_afas: int
    rows_postgres: int
    differences: list[Difference]


def journey(
    database: Database, *, scale: float, changes: int, step: Callable[[str], contextlib.AbstractContextManager[object]]
) -> list[Arrived]:
    """Make the whole journey.

    Args:
        database: Where to.
        scale: Size of the AFAS environment; 1 is about 80,000 rows.
        changes: How many rows change between the runs.
        step: Called with what is about to be done, for whoever waits.
    """
    with contextlib.ExitStack() as open_things:
        with step("AFAS: a sandbox with a Dutch trading company"):
            sandbox = open_things.enter_context(Sandbox(dataset(scale=scale, now=amsterdam() - 2 * _HOUR)))
            sandbox.clock = _an_hour_ago
        folder = open_things.enter_context(
            tempfile.TemporaryDirectory(prefix="tap-afas-meltano-", ignore_cleanup_errors=True)
        )
        project = Project(
            Path(folder), settings_of(sandbox, streams=_STREAMS, full_refresh_every=_REFRESH), database.settings
        )
        with step("meltano install tap-afas target-postgres"):
            project.install()
        with step("meltano run tap-afas target-postgres"):
            project.run()
        before = _rows(sandbox)
        with step("AFAS: people change, add and delete rows"):
            gone = _change(sandbox, changes)
            now = _rows(sandbox)
        # What has no key is sent once nothing earlier can come any more.
        sandbox.clock = amsterdam
        with step("an hour later: meltano run tap-afas target-postgres"):
            project.run()
        with step("Compare every value of every row"):
            streams = {stream["tap_stream_id"]: stream for stream in project.catalog["streams"]}
            return [
                _arrived(
                    connector,
                    streams.get(connector.id, _NO_STREAM),
                    (before[connector.id], now[connector.id]),
                    gone[connector.id],
                    database.rows(connector.id.replace("-", "_")),
                )
                for connector in sandbox.connectors.values()
            ]


def _an_hour_ago() -> datetime.datetime:
    return amsterdam() - _HOUR


def _rows(sandbox: Sandbox) -> dict[str, list[Values]]:
    return {
        connector.id: [as_loaded(connector, row) for row in sandbox.rows(connector.id)]
        for connector in sandbox.connectors.values()
    }


def _change(sandbox: Sandbox, changes: int) -> collections.Counter[str]:
    """Change rows of every connector, and tell how many of the rows that were there are gone."""
    # Where rows follow from others, a change is made in those.
    done = [
        change
        for connector_id in sandbox.connectors
        for change in sandbox.change(connector_id, updates=changes, inserts=changes, deletes=(changes + 1) // 2)
    ]
    added = {(change.connector, change.key) for change in done if change.kind == "insert"}
    return collections.Counter(
        change.connector for change in done if change.kind == "delete" and (change.connector, change.key) not in added
    )


def _arrived(
    connector: Connector,
    stream: Mapping[str, Any],
    rows: tuple[list[Values], list[Values]],
    gone: int,
    found: list[dict[str, Any]],
) -> Arrived:
    before, now = rows
    way, key = _way(stream), [connector.position(field) for field in stream["key_properties"]]
    wanted = expected(way, before, now)
    own_key = [connector.position(field) for field in connector.key]
    return Arrived(
        connector.id,
        way,
        changed=(collections.Counter(now) - collections.Counter(before)).total(),
        deleted=gone,
        rows_afas=len(now),
        rows_postgres=len(found),
        differences=list(differences(connector, key or own_key, wanted, found)),
    )


def _way(stream: Mapping[str, Any]) -> Way:
    if not stream.get("replication_key"):
        return Way.WHOLE
    return Way.UPSERT if stream["key_properties"] else Way.APPEND

"""What Meltano does to a STATE: it merges a new one into the old one, key by key."""

from __future__ import annotations

import dataclasses
import datetime
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Connector, Fault, Field, Table
from demo.project import MeltanoError, Project, settings_of

if TYPE_CHECKING:
    from pathlib import Path

    from afas_sandbox import Sandbox
    from demo.postgres import Database

_FIELDS = (
    Field("Nummer", "int", "Number", "Nummer"),
    Field("Naam", "string", "Name", "Naam"),
    Field("Gewijzigd_op", "date", "Date changed", "Gewijzigd op"),
)
_ZAKEN = Connector("Zaken", "Cases", "Zaken", _FIELDS, key=("Nummer",), stamp="Gewijzigd_op")
_ROWS = 300
_PAGE = 100


def _day(number: int) -> str:
    return (datetime.date(2023, 1, 1) + datetime.timedelta(days=number)).isoformat()


def _table(connector: Connector = _ZAKEN) -> Table:
    rows = [(number, f"zaak {number}", f"{_day(number)}T10:00:00.000") for number in range(_ROWS)]
    return Table(connector, rows, lambda number: (number, "nieuw", None))


@pytest.fixture
def project(sandbox: Sandbox, database: Database, tmp_path: Path) -> Project:
    sandbox.load([_table()])
    streams = {"Zaken": {"primary_keys": ["Nummer"]}}
    project = Project(tmp_path, settings_of(sandbox, streams=streams, page_size=_PAGE), database.settings)
    project.install()
    return project


def _loaded(database: Database) -> dict[int, str]:
    return {row["Nummer"]: row["Naam"] for row in database.rows("Zaken")}


def _there(sandbox: Sandbox) -> dict[Any, Any]:
    return {row[0]: row[1] for row in sandbox.rows("Zaken")}


def test_a_full_refresh_that_is_cut_off_loses_nothing(sandbox: Sandbox, database: Database, project: Project) -> None:
    project.run()
    assert _loaded(database) == _there(sandbox)
    before = project.state["bookmarks"]["Zaken"]

    # Somebody begins anew: the table is emptied, and the run is cut off behind its first page.
    database.empty("Zaken")
    sandbox.faults = [Fault(kind="rows", nth=(3, 4, 5, 6, 7, 8), status=400)]
    with pytest.raises(MeltanoError, match="HTTP 400"):
        project.run("--full-refresh")
    merged = project.state["bookmarks"]["Zaken"]
    assert merged.keys() == before.keys()
    assert merged["bookmark"] is None
    assert merged["place"]

    sandbox.faults = []
    project.run()
    assert _loaded(database) == _there(sandbox)

    # And by hand, as the documentation says it.
    database.empty("Zaken")
    wound_back = {"replication_key": "Gewijzigd_op", "replication_key_value": f"{_day(180)}T08:00:00+00:00"}
    # Or all would be read, since a refresh is due.
    refreshed = {"refreshed_at": datetime.datetime.now(tz=datetime.UTC).isoformat()}
    project.set_state({"bookmarks": {"Zaken": {**wound_back, "bookmark": None, **refreshed}}})
    project.run()
    assert _loaded(database).keys() == set(range(180, _ROWS))


def test_a_dot_in_a_fields_id(sandbox: Sandbox, database: Database, project: Project) -> None:
    dotted = Field("Toev.", "string", "Addition", "Toevoeging")
    fields = (*_FIELDS, dotted, Field("Toevx", "string", "Other", "Ander"), Field("Huis.nr", "string", "House", "Huis"))
    rows = [(number, f"zaak {number}", f"{_day(number)}T10:00:00.000", "a", "b", "c") for number in range(5)]
    sandbox.load([
        Table(dataclasses.replace(_ZAKEN, fields=fields), rows, lambda number: (number, "", None, "", "", ""))
    ])
    project.configure(streams={"Zaken": {"primary_keys": ["Nummer"], "types": {"Huis.nr": "string"}}})

    # As `streams` has it, the pattern means nothing to `select`, and the column would be loaded.
    project.configure(_select=["*.*", r"!Zaken.Huis\.nr"])
    project.run()
    assert "Huis.nr" in database.columns("Zaken")

    # `?` stands for the dot, and for any other letter as well.
    database.drop("Zaken")
    project.configure(_select=["*.*", "!Zaken.Huis?nr", "!Zaken.Toev?"])
    project.run("--full-refresh")
    assert database.columns("Zaken").keys() == {"Nummer", "Naam", "Gewijzigd_op"}

"""The runbook's commands, run as they stand there."""

from __future__ import annotations

import datetime
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Connector, Field, Table, amsterdam
from demo.project import MeltanoError, Project, settings_of

if TYPE_CHECKING:
    from afas_sandbox import Sandbox
    from demo.postgres import Database

pytestmark = pytest.mark.skipif(os.name != "posix" or shutil.which("bash") is None, reason="needs bash")

_RUNBOOK = (Path(__file__).resolve().parents[2] / "docs/runbook.md").read_text("utf-8")
_FIELDS = (
    Field("Nummer", "int", "Number", "Nummer"),
    Field("Naam", "string", "Name", "Naam"),
    Field("Gewijzigd_op", "date", "Date changed", "Gewijzigd op"),
)
_HOUR = datetime.timedelta(hours=1)
_STATE = "prod:tap-afas-to-target-postgres"


def _table(connector_id: str) -> Table:
    rows = [(number, f"zaak {number}", f"2024-03-{1 + number % 28:02}T10:00:00.000") for number in range(60)]
    connector = Connector(connector_id, "Cases", "Zaken", _FIELDS, key=("Nummer",), stamp="Gewijzigd_op")
    return Table(connector, rows, lambda number: (number + 100, "nieuw", None))


def _commands(heading: str) -> str:
    """The first block of a section, for bash or a database."""
    section = _RUNBOOK.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.search(r"```(?:sh|sql)\n(.*?)```", section, re.DOTALL)
    assert found is not None, heading
    return found[1]


def _there(sandbox: Sandbox, name: str = "Zaken") -> dict[Any, Any]:
    return {row[0]: row[1] for row in sandbox.rows(name)}


def _loaded(database: Database, name: str = "Zaken") -> dict[Any, Any]:
    return {row["Nummer"]: row["Naam"] for row in database.rows(name)}


@pytest.mark.long
def test_the_commands(sandbox: Sandbox, database: Database, tmp_path: Path) -> None:
    sandbox.load([_table("Zaken"), _table("Klanten")])
    by_name = {"primary_keys": ["Naam"]}
    key = {"primary_keys": ["Nummer"]}
    project = Project(tmp_path, settings_of(sandbox, streams={"Zaken": by_name, "Klanten": key}), database.settings)
    project.install()
    run = "meltano --environment=prod run tap-afas target-postgres"
    project.shell(run)

    # Change a key: the run fails, the table goes, and this stream alone starts anew.
    project.configure(streams={"Zaken": key, "Klanten": key})
    with pytest.raises(MeltanoError, match="was loaded under the key Naam, and has the key Nummer now") as failed:
        project.shell(run)
    # The message says the same as the runbook.
    assert f"start this stream anew: `{_commands('Start one stream anew').strip()}`" in str(failed.value)
    sandbox.change("Klanten", inserts=2)
    old = _loaded(database, "Klanten")
    database.execute(_commands("Drop a table"))
    project.shell(_commands("Start one stream anew"))
    assert _loaded(database) == _there(sandbox)
    assert _loaded(database, "Klanten") == old != _there(sandbox, "Klanten")

    # A narrower filter takes nothing out unasked.
    narrower = {**key, "filter": [{"field": "Nummer", "operator": "<", "value": 40}]}
    project.configure(streams={"Zaken": narrower, "Klanten": key})
    with pytest.raises(MeltanoError, match=r"`streams.Zaken.accept_fewer_rows: 40`"):
        project.shell(run)
    assert len(_loaded(database)) == 60
    sandbox.clock = lambda: amsterdam() + 2 * _HOUR
    project.configure(streams={"Zaken": {**narrower, "accept_fewer_rows": 40}, "Klanten": key})
    project.shell(run)
    assert sorted(_loaded(database)) == list(range(40))
    project.configure(streams={"Zaken": key, "Klanten": key})
    project.shell(run)
    assert _loaded(database) == _there(sandbox)

    # The state goes out and comes back, under another name too.
    project.shell(_commands("Move the state"))
    moved = json.loads((tmp_path / "state.json").read_text("utf-8"))
    assert moved["singer_state"]["bookmarks"].keys() == {"Zaken", "Klanten"}
    (copy,) = re.findall(r"```sh\n(meltano \S+ state copy .*?)```", _RUNBOOK, re.DOTALL)
    project.shell(f"yes | {copy}")  # Meltano asks first.
    names = project.shell("meltano --environment=prod state list")
    assert _STATE in names
    assert "prod2:tap-afas-to-target-postgres" in names
    sandbox.change("Zaken", updates=3, inserts=3)
    assert "Reading the stream anew" not in project.shell(run)
    assert _loaded(database) == _there(sandbox)
    assert _loaded(database, "Klanten") == _there(sandbox, "Klanten")

    # Back a version, and after a restored copy: everything anew, over what is there.
    project.shell(_commands("Go back a version"))
    assert _STATE not in project.shell("meltano --environment=prod state list").replace("prod2:", "")
    project.shell(_commands("Go to another environment"))
    assert _loaded(database) == _there(sandbox)


@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq")
@pytest.mark.slow
def test_taking_a_stream_out_of_a_state(tmp_path: Path) -> None:
    (command,) = re.findall(r"```sh\n(tail .*?)```", _RUNBOOK, re.DOTALL)
    states = [{"bookmarks": {"Zaken": {"key": n}, "Klanten": {"key": n}}} for n in ("[1]", "[2]")]
    (tmp_path / "states.json").write_text("".join(json.dumps(state) + "\n" for state in states), "utf-8")
    subprocess.run(["bash", "-ec", command], cwd=tmp_path, check=True)
    lines = (tmp_path / "states.json").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [*states, {"bookmarks": {"Klanten": {"key": "[2]"}}}]

"""The README's block for a Meltano project of one's own, as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from afas_sandbox import Connector, Field, Table
from demo.project import MeltanoError, Project, settings_of

if TYPE_CHECKING:
    from afas_sandbox import Sandbox
    from demo.postgres import Database

_README = Path(__file__).resolve().parents[2] / "README.md"
_FIELDS = (
    Field("Nummer", "int", "Number", "Nummer"),
    Field("Naam", "string", "Name", "Naam"),
    Field("Gewijzigd_op", "date", "Date changed", "Gewijzigd op"),
)


def _table(connector_id: str) -> Table:
    rows = [(number, f"zaak {number}", f"2024-03-{1 + number % 28:02}T10:00:00.000") for number in range(60)]
    connector = Connector(connector_id, "Cases", "Zaken", _FIELDS, key=("Nummer",), stamp="Gewijzigd_op")
    return Table(connector, rows, lambda number: (number + 100, "nieuw", None))


def test_the_block_loads_and_follows(sandbox: Sandbox, database: Database, tmp_path: Path) -> None:
    sandbox.load([_table("Zaken"), _table("Klanten")])
    (block,) = re.findall(r"```yaml\n(version: 1\n.*?)```", _README.read_text("utf-8"), re.DOTALL)
    settings = settings_of(sandbox, streams={"Zaken": {"primary_keys": ["Nummer"]}})
    of_target = {name: value for name, value in database.settings.items() if name != "default_target_schema"}
    project = Project(tmp_path, settings, of_target, block)
    project.install()
    assert "Klanten" in project.invoke("list")
    for _ in range(2):
        project.run()
        for name in ("Zaken", "Klanten"):
            loaded = sorted((row["Nummer"], row["Naam"]) for row in database.rows(name, "afas"))
            assert loaded == sorted((row[0], row[1]) for row in sandbox.rows(name))
        sandbox.change("Zaken", updates=2, inserts=2)
        # One without a key, and read whole.
        sandbox.change("Klanten", updates=2, inserts=2, deletes=3)

    # Meltano passes no null on: what it is to take out would be loaded.
    path = tmp_path / "meltano.yml"
    at = "      connectors: "
    path.write_text(block.replace(at, f"      stream_maps: {{Zaken: {{Naam: null}}}}\n{at}"), "utf-8")
    with pytest.raises(MeltanoError, match=r"`stream_maps\.Zaken\.Naam` is null"):
        project.run()

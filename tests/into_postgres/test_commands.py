"""`tap-afas-explore` through Meltano, which gives a command its settings as variables only."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from afas_sandbox import Connector, Field, Table
from demo.project import MeltanoError, Project, settings_of
from harness.articles import articles

if TYPE_CHECKING:
    from pathlib import Path

    from afas_sandbox import Sandbox

_ODD = Connector(
    "Odd.name",
    "Odd",
    "Raar",
    (Field("Nr", "int", "Number", "Nummer"), Field("Mail", "string", "E-mail", "E-mail", 80)),
    key=("Nr",),
)
# As they stand in a project: Meltano flattens them for a command.
_CONFIG = "        full_refresh_every: 7d\n"
_STREAMS = """\
        streams:
          Articles:
            primary_keys: [Code]
            types: {Number: string}
          Odd\\.name:
            primary_keys: [Nr]
        stream_maps:
          Articles:
            Name: md5(Name)
"""


@pytest.mark.slow
@pytest.mark.long
def test_commands_see_the_projects_settings(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.load([articles(3), Table(_ODD, [(1, "x@y.example")], lambda _: ())])
    text = Project.of_the_clone()
    assert text.count(_CONFIG) == 1
    text = text.replace(_CONFIG, _CONFIG + _STREAMS)
    project = Project(tmp_path, settings_of(sandbox), {}, text)
    project.install("tap-afas")

    said = project.invoke("list", "--format=json")
    found = json.loads(said[said.index('{\n  "environment"') :])
    listed = {one["connector"]: (one["sync"], one["key"], one["key_source"]) for one in found["connectors"]}
    assert listed == {
        "Articles": ("incremental", ["Code"], "settings"),
        "Odd.name": ("full_table", ["Nr"], "settings"),
    }
    assert "Mail (E-mail)" in project.invoke("list", "--search", "email")
    assert "integer, key" in project.invoke("show", "Odd.name")
    rows = project.invoke("preview", "Articles", "--format=csv", "--fields=Code,Name,Number", "--where=Number > 1")
    name = hashlib.md5("Article, number 2; “2”".encode(), usedforsecurity=False).hexdigest()
    assert f"Code,Name,Number\nA00002,{name},2\n" in rows.replace("\r\n", "\n")
    assert "| Is `take` capped? |" in project.invoke("probe")
    with pytest.raises(MeltanoError, match="Did you mean Articles"):
        project.invoke("preview", "Artikles")

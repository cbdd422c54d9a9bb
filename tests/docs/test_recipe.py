"""The README's way without Meltano, as it stands there: a failure is seen, and the good state is kept."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from links import ROOT

from harness.articles import articles, config_of

if TYPE_CHECKING:
    from afas_sandbox import Sandbox

pytestmark = [
    pytest.mark.skipif(os.name != "posix" or shutil.which("bash") is None, reason="needs bash"),
    pytest.mark.slow,
]

# As target-jsonl 0.1.4 does: one state at its end, and none where a record was the last thing that came.
TARGET = f"""#!{sys.executable}
import json, os, sys

state = None
with open("loaded.jsonl", "a", encoding="utf-8") as loaded:
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "RECORD":
            if os.environ.get("DISK") == "full":
                sys.exit("The disk is full.")
            loaded.write(json.dumps(message["record"]) + "\\n")
            state = None
        elif message["type"] == "STATE":
            state = message["value"]
if state is not None:
    print(json.dumps(state))
"""


class Shell:
    """A folder in which the README's lines are run.

    Args:
        folder: An empty one.
        settings: Written in place of those in the README.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        section = (ROOT / "README.md").read_text("utf-8").partition("## Without Meltano\n")[2].partition("\n## ")[0]
        first, self.later = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
        self.first = re.sub(r"(?<=echo ').*(?=' > config\.json)", lambda _: json.dumps(settings), first)
        assert self.first != first
        target = folder / "target-jsonl"
        target.write_text(TARGET, "utf-8")
        target.chmod(0o755)

    def run(self, lines: str, **variables: str) -> int:
        """Run lines of the README.

        Returns:
            How the last one ended.
        """
        path = os.pathsep.join([str(self.folder), str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**os.environ, **variables, "PATH": path}
        return subprocess.run(["bash", "-c", lines], cwd=self.folder, env=environment, check=False).returncode

    @property
    def state(self) -> str:
        """The state at which the next run begins."""
        return (self.folder / "states.json").read_text("utf-8").splitlines()[-1]

    def loaded(self) -> list[str]:
        """The names that the target has taken since this was asked the last time."""
        records = self.folder / "loaded.jsonl"
        names = [json.loads(line)["Name"] for line in records.read_text("utf-8").splitlines()]
        records.write_text("", "utf-8")
        return names


def test_the_lines_of_the_readme(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.load([articles(25)])
    shell = Shell(tmp_path, config_of(sandbox))
    assert shell.run(shell.first) == 0
    assert len(shell.loaded()) == 25
    state = shell.state
    sandbox.update("Articles", "A00003", {"Name": "Changed"})
    assert shell.run(shell.later, DISK="full") != 0
    assert (shell.loaded(), shell.state) == ([], state)
    assert shell.run(shell.later) == 0
    assert "Changed" in shell.loaded()
    assert json.loads(shell.state) != json.loads(state)
    # Nothing new: only rows of the overlap come, and the target may have no state to tell.
    assert shell.run(shell.later) == 0
    assert len(shell.loaded()) < 25
    state = shell.state
    (tmp_path / "config.json").write_text(json.dumps(config_of(sandbox, token="0" * 64)), "utf-8")
    assert shell.run(shell.later) != 0
    assert (shell.loaded(), shell.state) == ([], state)

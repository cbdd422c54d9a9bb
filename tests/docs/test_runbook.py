"""The runbook speaks of messages, fields and commands that there are."""

from __future__ import annotations

import ast
import configparser
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml
from links import ROOT

from harness.articles import articles, config_of
from harness.process import run_tap

if TYPE_CHECKING:
    from pathlib import Path

    from afas_sandbox import Sandbox

RUNBOOK = (ROOT / "docs/runbook.md").read_text("utf-8")


def _messages() -> list[str]:
    table = RUNBOOK.partition("## What messages mean\n")[2].partition("\n## ")[0]
    return [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines() if line.startswith("| ")][2:]


def _texts() -> list[str]:
    """Every text in the code, with `…` for what it is filled with."""
    found = []
    for path in (ROOT / "tap_afas").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values]
                found.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub("%[sd]", "…", node.value))
    return found


@pytest.mark.parametrize("message", _messages())
def test_each_message_is_one_of_the_tap(message: str) -> None:
    pattern = re.compile(".*".join(map(re.escape, re.split(" ?… ?", message))), re.DOTALL)
    assert any(pattern.search(text) for text in _texts()), message


def test_the_contents_are_the_headings() -> None:
    contents = re.findall(r"^\* \[(.*?)\]\(#", RUNBOOK, re.MULTILINE)
    assert contents == re.findall(r"^## (.*)$", RUNBOOK, re.MULTILINE)


def test_the_fields_of_the_log(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.load([articles(5)])
    (config,) = re.findall(r"```yaml\n(.*?)```", RUNBOOK, re.DOTALL)
    assert yaml.safe_load(config)["version"] == 1
    (tmp_path / "log.yaml").write_text(config, "utf-8")
    monkeypatch.setenv("SINGER_SDK_LOG_CONFIG", str(tmp_path / "log.yaml"))
    ran = run_tap(config_of(sandbox))
    lines = [yaml.safe_load(line)["extra"] for line in ran.log if line.startswith("{")]
    table = RUNBOOK.partition("| Line | Fields |\n")[2].partition("\n\n")[0].splitlines()[1:]
    for row in table:
        fields = set(re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", row.split(" | ")[1])))
        # Nothing was left unread here.
        assert fields == {"not_read"} or any(fields == line.keys() for line in lines), row


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_the_units_are_whole(tmp_path: Path) -> None:
    service, timer = re.findall(r"```ini\n(.*?)```", RUNBOOK, re.DOTALL)
    (tmp_path / "afas.service").write_text(
        service.replace("/usr/local/bin/meltano", shutil.which("true") or ""), "utf-8"
    )
    (tmp_path / "afas.timer").write_text(timer, "utf-8")
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.read_string(timer)
    assert parsed["Timer"]["OnCalendar"] == "hourly"
    units = [str(tmp_path / "afas.service"), str(tmp_path / "afas.timer")]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "afas." in line] == []

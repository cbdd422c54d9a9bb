"""What AFAS sends can't steer a terminal, in whatever form it is printed."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afas_sandbox import Connector, Field, Table
from harness.articles import articles, config_of
from harness.command import explore
from harness.hostile import HOSTILE
from tap_afas.explore import terminal

if TYPE_CHECKING:
    from pathlib import Path

    from afas_sandbox import Sandbox

posix = pytest.mark.skipif(sys.platform == "win32", reason="a terminal of POSIX")
_STEERS = {"Cc", "Cf", "Zl", "Zp", "Cs"}

pytestmark = pytest.mark.slow


def _steering(text: str) -> set[str]:
    return {one for one in text if unicodedata.category(one) in _STEERS and one != "\n"}


@given(st.text())
def test_nothing_steers(text: str) -> None:
    assert not {one for one in _steering(terminal.neutral(text)) if unicodedata.category(one) != "Cf"}
    assert "\n" not in terminal.neutral(text)
    assert not set(terminal.neutral(text)) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_json_is_the_same_json(text: str) -> None:
    written = terminal.to_json({"x": text, "y": [text]})
    assert json.loads(written) == {"x": text, "y": [text]}
    assert not {one for one in _steering(written) if unicodedata.category(one) != "Cf"}


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_what_does_not_steer_stays(text: str) -> None:
    assert terminal.neutral(text) == text


@pytest.fixture
def _hostile(sandbox: Sandbox) -> None:
    fields = (Field("Id", "int", "Id", "Id"), Field("X", "string", HOSTILE, HOSTILE, 200))
    connector = Connector("Evil", HOSTILE, HOSTILE, fields, key=("Id",))
    sandbox.load([Table(connector, [(1, HOSTILE), (2, "plain")], lambda _: ())])


@pytest.mark.usefixtures("_hostile")
@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("list", "--search=evil"),
        ("list", "--search=\x1b[2J"),
        ("list", "--format=json"),
        ("show", "Evil"),
        ("show", "Evil", "--format=json"),
        ("preview", "Evil"),
        ("preview", "Evil", "--format=jsonl"),
        ("preview", "Evil", "--format=csv"),
    ],
)
def test_no_command_lets_it_through(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], *, seen: bool
) -> None:
    monkeypatch.setattr(terminal, "on_terminal", lambda: seen)
    monkeypatch.setattr("tap_afas.explore.preview.on_terminal", lambda: seen)
    # Rich's own colours are told from AFAS' by their absence here.
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "4000")
    ran = explore(config_of(sandbox, streams={"Evil": {"primary_keys": ["Id"]}}), *arguments)
    assert ran.exit_code == 0
    text = ran.output.decode()
    if arguments == ("preview", "Evil", "--format=csv") and not seen:
        assert HOSTILE in text  # Into a file or a pipe goes what AFAS has.
        return
    assert not _steering(text.replace("\r\n", "\n"))
    if "search=\x1b" not in arguments[-1]:
        assert "[red]evil[/red] :smile:" in text


@posix
@pytest.mark.parametrize(("columns", "head"), [(200, "Code "), (30, "1\n")])
def test_on_a_terminal(sandbox: Sandbox, tmp_path: Path, columns: int, head: str) -> None:
    import pty  # noqa: PLC0415 - Windows has none
    import subprocess  # noqa: PLC0415 - as it is

    sandbox.load([articles(2)])
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config_of(sandbox)), encoding="utf-8")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tap_afas.explore", "preview", "Articles", f"--config={path}"]
    environment = {**os.environ, "COLUMNS": str(columns), "LINES": "50", "TERM": "dumb"}
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, env=environment) as running:
        assert running.wait(60) == 0
    os.close(theirs)
    text = os.read(ours, 100_000).decode().replace("\r\n", "\n")
    os.close(ours)
    assert text.startswith(head)
    # Too wide for a table, it is told field by field.
    assert max(map(len, text.splitlines())) <= columns
    assert ("Article, number 1; “1”" in text) is (columns > 30)
    assert "A00001" in text


@posix
def test_an_output_that_breaks(sandbox: Sandbox, tmp_path: Path) -> None:
    import subprocess  # noqa: PLC0415 - as above

    sandbox.load([articles(300)])
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config_of(sandbox)), encoding="utf-8")
    for end, words in (
        ("| true", "The output broke: what reads it has ended."),
        (">/dev/full", "The output broke: No space left on device."),
        (">&-", "The output (stdout) is closed."),
    ):
        line = f'"$0" -m tap_afas.explore preview Articles --format=csv --limit=300 --config "$1" {end}'
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {line}", sys.executable, str(path)],
            capture_output=True,
            timeout=60,
            check=False,
        )
        said = done.stderr.decode()
        assert done.returncode == 74, (end, said)
        assert words in said
        assert "target" not in said
        assert "Traceback" not in said
        assert "Exception ignored" not in said

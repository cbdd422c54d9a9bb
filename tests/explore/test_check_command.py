"""The command `tap-afas-explore check`: what it looks through, what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Connector, Fault, Field, Table
from harness.articles import articles, config_of
from harness.command import explore, run_tap
from harness.hostile import HOSTILE
from harness.planted import PLANTS, made, moment

if TYPE_CHECKING:
    from pathlib import Path

    from afas_sandbox import Row, Sandbox
    from harness.run import Run

_KEY = {"Articles": {"primary_keys": ["Code"]}}


@pytest.fixture(autouse=True)
def _connectors(sandbox: Sandbox) -> None:
    sandbox.load([articles(30), articles(30, "Bare", stamp=False), PLANTS["Found"].table])


def _told(ran: Run, code: int = 0) -> dict[str, dict[str, Any]]:
    assert ran.exit_code == code, ran.log
    return {one["connector"]: one for one in json.loads(ran.output)["connectors"]}


def test_those_that_a_run_would_read(sandbox: Sandbox) -> None:
    config = config_of(sandbox, connectors=["*", "!Bare"], streams=_KEY)
    told = _told(explore(config, "check", "--format=json"))
    assert list(told) == ["Articles", "Found"]
    assert told["Articles"]["key_source"] == "settings"
    assert told["Found"]["key_source"] == "found"


def test_those_that_are_named(sandbox: Sandbox) -> None:
    config = config_of(sandbox, connectors=["Articles"])
    assert list(_told(explore(config, "check", "bare", "FOUND", "Bare", "--format=json"))) == ["Bare", "Found"]


def test_those_of_a_catalog(sandbox: Sandbox) -> None:
    config = config_of(sandbox, streams=_KEY)
    catalog = run_tap(config, "--discover").catalog
    for entry in catalog["streams"]:
        entry["metadata"][-1]["metadata"]["selected"] = True
        for one in entry["metadata"]:
            if not one["breadcrumb"]:
                one["metadata"]["selected"] = entry["stream"] == "Articles"
    told = _told(explore(config, "check", "--format=json", catalog=catalog))
    assert {name: one["key_source"] for name, one in told.items()} == {"Articles": "catalog"}


def test_a_misspelt_name_is_one_sentence(sandbox: Sandbox) -> None:
    ran = explore(config_of(sandbox), "check", "Artikles")
    assert (ran.exit_code, ran.output) == (78, b"")
    assert "no GetConnector Artikles. Did you mean Articles?" in ran.errors[0]


@pytest.mark.parametrize(
    ("setting", "option", "word"),
    [
        ("en-us", [], "connectors of"),
        ("nl-be", [], "connectors van"),
        ("de-de", [], "connectors of"),
        ("en-us", ["--language=nl"], "connectors van"),
        ("nl-nl", ["--language=en"], "connectors of"),
    ],
)
def test_its_language(sandbox: Sandbox, setting: str, option: list[str], word: str) -> None:
    ran = explore(config_of(sandbox, language=setting), "check", *option)
    assert word in ran.output.decode()


def test_how_many_rows(sandbox: Sandbox) -> None:
    rows: list[Row] = [(f"C{n:06}", moment(n)) for n in range(3000)]
    sandbox.load([made("Many", "Code:code Gewijzigd_op:moment", rows)])
    config = config_of(sandbox, streams={})
    for options, read in ((["--rows=500"], 1000), (["--all"], 3000), ([], 3000)):
        one = _told(explore(config, "check", "--format=json", *options))["Many"]
        assert (one["rows_read"], one["complete"]) == (read, read == 3000)
    assert "Of at least 1,000 rows" in explore(config, "check", "--rows=500").output.decode()
    assert "Of at least" not in explore(config, "check", "--rows=500", "--count").output.decode()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rows=5", "--all"], "--rows and --all"),
        (["--rows=0"], "--rows"),
        (["--doubtful"], "--doubtful is for --write"),
        (["--plugin=tap-afas"], "--plugin is for --write"),
        (["--language=de"], "--language"),
    ],
)
def test_options_that_do_not_fit(sandbox: Sandbox, options: list[str], words: str) -> None:
    ran = explore(config_of(sandbox), "check", *options)
    assert (ran.exit_code, ran.output) == (2, b"")
    assert words in ran.said
    assert sandbox.log == []


def _end(ran: Run) -> dict[str, Any]:
    last = ran.log[-1]
    assert "tap-afas-explore ended: " in last
    end: dict[str, Any] = json.loads(last.partition("ended: ")[2])
    return end


def test_it_ends_with_1_where_rows_would_be_lost(sandbox: Sandbox) -> None:
    sandbox.load([PLANTS["Repeats"].table])
    ran = explore(config_of(sandbox, streams={"Repeats": PLANTS["Repeats"].settings}), "check", "--format=json")
    assert [one["code"] for one in _told(ran, 1)["Repeats"]["problems"]] == ["key_repeats", "key_found"]
    assert _end(ran) == {"exit_code": 1, "streams": 1, "failed": {}}


@pytest.mark.parametrize(("refusal", "code"), [({"refuse": "not_authorized"}, 78), ({"status": 503, "body": ""}, 75)])
def test_what_can_not_be_read_ends_it_as_a_run(sandbox: Sandbox, refusal: dict[str, Any], code: int) -> None:
    sandbox.faults = [Fault(connector="Found", **refusal)]
    ran = explore(config_of(sandbox, streams=_KEY), "check", "--format=json")
    told = _told(ran, code)
    assert [one["code"] for one in told["Found"]["problems"]] == ["not_readable"]
    assert told["Articles"]["problems"] == []
    assert _end(ran) == {"exit_code": code, "streams": 3, "failed": {"Found": {"may_pass": code == 75}}}


def test_where_all_is_well_only_the_report_is_printed(sandbox: Sandbox) -> None:
    ran = explore(config_of(sandbox, streams=_KEY), "check", "Articles")
    assert (ran.exit_code, ran.log) == (0, [])
    assert ran.output.decode().startswith("1 connector of")
    assert ran.output.endswith(b"\n")


def test_nothing_is_selected(sandbox: Sandbox) -> None:
    sandbox.load([])
    ran = explore(config_of(sandbox, connectors=["*"]), "check", "--format=json")
    assert _told(ran) == {}
    assert "No connector is selected" in ran.log[0]


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_that_afas_tells_steers_a_terminal(sandbox: Sandbox, form: str) -> None:
    fields = (Field("Id", "int", "Id", "Id"), Field("X", "string", HOSTILE, HOSTILE, 200))
    sandbox.load([Table(Connector("Evil", HOSTILE, HOSTILE, fields, key=("Id",)), [(1, HOSTILE)] * 2, lambda _: ())])
    ran = explore(config_of(sandbox, streams={"Evil": {"primary_keys": ["X"]}}), "check", f"--format={form}")
    assert ran.exit_code == 1
    assert all(letter.isprintable() or letter == "\n" for letter in ran.output.decode())


def test_the_page_is_written_too(sandbox: Sandbox, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("before", "utf-8")
    page.chmod(0o640)
    ran = explore(config_of(sandbox), "check", "Found", "--html", str(page), "--language=nl", "--format=json")
    assert list(_told(ran)) == ["Found"]
    assert '<html lang="nl"' in page.read_text("utf-8")
    assert [*tmp_path.iterdir()] == [page]
    if os.name == "posix":
        assert page.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("where", "words"), [("no/report.html", "there is no folder"), (".", "is a folder: name a file in it")]
)
def test_a_page_that_can_not_be_written_is_told_before_afas_is_asked(
    sandbox: Sandbox, tmp_path: Path, where: str, words: str
) -> None:
    ran = explore(config_of(sandbox), "check", "--html", str(tmp_path / where))
    assert (ran.exit_code, ran.output, sandbox.log) == (78, b"", [])
    assert words in ran.errors[0]


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of POSIX")
@pytest.mark.parametrize("seen", [True, False])
def test_a_bar_on_a_terminal_alone(sandbox: Sandbox, tmp_path: Path, seen: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    import pty  # noqa: PLC0415 - POSIX has it
    import subprocess  # noqa: PLC0415 - likewise

    config = tmp_path / "config.json"
    config.write_text(json.dumps(config_of(sandbox, streams=_KEY)), "utf-8")
    mine, its = pty.openpty()
    shown: list[bytes] = []

    def read() -> None:
        try:
            while part := os.read(mine, 65536):
                shown.append(part)
        except OSError:
            return

    reader = threading.Thread(target=read)
    reader.start()
    command = [sys.executable, "-m", "tap_afas.explore", "check", "--format=json", f"--config={config}"]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=its if seen else subprocess.PIPE, env=environment, check=True
    )
    os.close(its)
    reader.join(10)
    os.close(mine)
    assert len(json.loads(done.stdout)["connectors"]) == 3
    if seen:
        assert "3/3" in b"".join(shown).decode()
    else:
        assert done.stderr == b""

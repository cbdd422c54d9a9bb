"""What `export dbt` writes, read and run by dbt itself."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Connector, Field, Table, amsterdam
from afas_sandbox.data import dataset
from harness.articles import articles, config_of
from harness.command import explore, run_tap
from harness.hostile import HOSTILE
from harness.process import load

if TYPE_CHECKING:
    from pathlib import Path

    from afas_sandbox import Sandbox
    from demo.postgres import Database

# In an environment of its own: it asks for an older pathspec than mypy does. 1.12 brings a parser that isn't on PyPI.
_DBT = ("dbt-core==1.11.16", "dbt-postgres==1.11.0")
_LONGEST = 300
_PROJECT = """
name: checked
version: "1.0"
profile: checked
flags:
  send_anonymous_usage_stats: false
"""
_COMBINATION = """
{% test unique_combination_of_columns(model, combination_of_columns) %}
select 1 where 1 = 0
{% endtest %}
"""


@dataclasses.dataclass
class Dbt:
    """A dbt project with one file of sources."""

    command: Path
    folder: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.command), *arguments, "--profiles-dir=.", "--no-use-colors"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            check=False,
            env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"},
        )

    def manifest(self) -> dict[str, Any]:
        """What dbt understood; nothing may be deprecated in it."""
        done = self.run("parse", "--no-partial-parse", "--show-all-deprecations", "--warn-error")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "eprecat" not in done.stdout, done.stdout
        found: dict[str, Any] = json.loads((self.folder / "target" / "manifest.json").read_text("utf-8"))
        return found


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from demo.project import command  # noqa: PLC0415 - only `run.py` installs what it needs

    folder = tmp_path_factory.mktemp("dbt")
    uv = command("uv")
    subprocess.run([uv, "venv", "--quiet", folder / "venv"], check=True, timeout=_LONGEST)
    python = next(path for name in ("bin/python", "Scripts/python.exe") if (path := folder / "venv" / name).exists())
    install = [str(uv), "pip", "install", "--quiet", "--python", str(python), *_DBT]
    subprocess.run(install, check=True, timeout=_LONGEST)
    return next(python.parent.glob("dbt*"))


@pytest.fixture
def dbt(command: Path, tmp_path: Path) -> Dbt:
    (tmp_path / "dbt_project.yml").write_text(_PROJECT, encoding="utf-8")
    (tmp_path / "models").mkdir()
    _connect(tmp_path, host="127.0.0.1", port=9, user="nobody", password="none", dbname="none")
    return Dbt(command, tmp_path)


def _connect(folder: Path, **to: Any) -> None:
    output = {"type": "postgres", "schema": "public", "threads": 1, **to}
    profile = {"checked": {"target": "dev", "outputs": {"dev": output}}}
    (folder / "profiles.yml").write_text(json.dumps(profile), encoding="utf-8")


def _export(dbt: Dbt, config: dict[str, Any], *arguments: str) -> None:
    ran = explore(config, "export", "dbt", *arguments)
    assert ran.exit_code == 0, ran.log
    (dbt.folder / "models" / "sources.yml").write_bytes(ran.output)


@pytest.mark.slow
def test_it_reads_a_whole_company(sandbox: Sandbox, dbt: Dbt) -> None:
    sandbox.load(dataset(scale=0.01, now=amsterdam()))
    _export(dbt, config_of(sandbox, streams={}))
    manifest = dbt.manifest()
    sources = {source["name"]: source for source in manifest["sources"].values()}
    assert len(sources) == len(sandbox.connectors)
    debtor = sources["Profit_Debtor"]
    assert debtor["relation_name"].endswith('."tap_afas"."Profit_Debtor"')
    assert debtor["loaded_at_field"] == '"ModifiedDate"'
    assert debtor["freshness"]["warn_after"] == {"count": 7, "period": "day"}
    assert debtor["columns"]["DebtorId"]["description"] == "Debtor number"
    tests = {
        (node["test_metadata"]["name"], node["test_metadata"]["kwargs"]["column_name"])
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
    }
    assert {("unique", '"DebtorId"'), ("not_null", '"DebtorId"')} <= tests
    assert ("unique", 'row("ItemTypeCode", "ItemCode")') in tests


@pytest.mark.slow
def test_texts_of_afas_stay_texts(sandbox: Sandbox, dbt: Dbt) -> None:
    fields = (
        Field("Id", "int", HOSTILE, HOSTILE),
        Field("X", "string", "{{ env_var('HOME') }} {%- endfor -%} {#", "{{{{}}}}", 200),
        Field("Y", "string", 'say "x": \\ - # & *', "'", 200),
    )
    connector = Connector("Evil", "{{ 1/0 }} {% raw %} {{{ {# {%", HOSTILE, fields, key=("Id",))
    sandbox.load([Table(connector, [], lambda _: ())])
    _export(dbt, config_of(sandbox, streams={"Evil": {"primary_keys": ["Id"]}}))
    (source,) = dbt.manifest()["sources"].values()
    assert source["description"] == "{{ 1/0 }} {% raw %} {{{ {# {%"
    # Jinja has one kind of line break.
    assert [column["description"] for column in source["columns"].values()] == [
        HOSTILE.replace("\r\n", "\n"),
        "{{ env_var('HOME') }} {%- endfor -%} {#",
        'say "x": \\ - # & *',
    ]


@pytest.mark.slow
def test_with_dbt_utils(sandbox: Sandbox, dbt: Dbt) -> None:
    sandbox.load([articles(3)])
    package = dbt.folder / "dbt_packages" / "dbt_utils"
    (package / "macros").mkdir(parents=True)
    (package / "dbt_project.yml").write_text(_PROJECT.replace("name: checked", "name: dbt_utils"), encoding="utf-8")
    (package / "macros" / "test.sql").write_text(_COMBINATION, encoding="utf-8")
    streams = {"Articles": {"primary_keys": ["Code", "Number"]}}
    _export(dbt, config_of(sandbox, streams=streams), "--no-quote", "--dbt-utils")
    (found,) = (
        node["test_metadata"]
        for node in dbt.manifest()["nodes"].values()
        if node["resource_type"] == "test" and node["test_metadata"]["namespace"] == "dbt_utils"
    )
    assert found["name"] == "unique_combination_of_columns"
    assert found["kwargs"]["combination_of_columns"] == ["Code", "Number"]


@pytest.mark.slow
@pytest.mark.long
def test_the_tests_hold_and_fail_on_what_was_loaded(sandbox: Sandbox, dbt: Dbt, database: Database) -> None:
    sandbox.load([articles(20), articles(20, "Pairs")])
    streams = {"Articles": {"primary_keys": ["Code"]}, "Pairs": {"primary_keys": ["Code", "Number"]}}
    config = config_of(sandbox, streams=streams)
    load(run_tap(config).output, database)
    settings = database.settings
    names = {"host": "host", "port": "port", "user": "user", "password": "password", "dbname": "database"}
    _connect(dbt.folder, **{theirs: settings.get(ours) for theirs, ours in names.items()})
    _export(dbt, config)
    done = dbt.run("test")
    assert done.returncode == 0, done.stdout
    assert "PASS=5" in done.stdout
    # The rows are of 2024.
    done = dbt.run("source", "freshness")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("WARN freshness of afas.") == 2

    database.drop("Pairs")
    load(run_tap(config_of(sandbox, streams={**streams, "Pairs": {"primary_keys": []}})).output, database)
    load(run_tap(config_of(sandbox, connectors=["Pairs"], streams={"Pairs": {"append": True}})).output, database)
    done = dbt.run("test")
    assert "FAIL 20 source_unique_afas_Pairs_row_Code_Number_" in done.stdout, done.stdout

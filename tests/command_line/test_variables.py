"""Settings in the environment's variables and in `.env`."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

import pytest

from harness.articles import articles, config_of
from harness.command import explore, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from afas_sandbox import Sandbox
    from harness.run import Run

EXAMPLE = pathlib.Path(__file__).parents[2] / ".env.example"


@pytest.fixture(autouse=True)
def _folder(sandbox: Sandbox, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.load([articles(3), articles(2, "Other")])
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MELTANO_EXTRACTOR_NAME", raising=False)


@pytest.fixture
def _exported(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAP_AFAS_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("TAP_AFAS_TOKEN", sandbox.token)


@pytest.mark.usefixtures("_exported")
@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("TAP_AFAS_CONECTORS", "TAP_AFAS_CONNECTORS"),
        ("TAP_AFAS_STARTDATE", "TAP_AFAS_START_DATE"),
        ("TAPAFAS_STREAMS", "TAP_AFAS_STREAMS"),
        ("tap_afas_timezone", "TAP_AFAS_TIMEZONE"),
    ],
)
def test_a_misspelt_variable_is_a_warning(monkeypatch: pytest.MonkeyPatch, wrong: str, right: str) -> None:
    monkeypatch.setenv(wrong, "secret")
    ran = run_tap(None, "--config=ENV")
    assert ran.exit_code == 0
    (warning,) = (line for line in ran.lines("WARNING") if "variable" in line)
    assert wrong in warning
    assert f"Did you mean {right}?" in warning
    assert "secret" not in ran.said
    # Meltano sets variables of its own.
    monkeypatch.setenv("MELTANO_EXTRACTOR_NAME", "tap-afas")
    assert "Did you mean" not in run_tap(None, "--config=ENV").said


@pytest.mark.usefixtures("_exported")
def test_variables_of_the_sdk_and_of_meltano_are_no_misspelt_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "TAP_AFAS__SELECT",
        "TAP_AFAS__LOAD_SCHEMA",
        "TAP_AFAS_LOGLEVEL",
        "TARGET_POSTGRES_HOST",
        "TAP_AFAS_X",
    ):
        monkeypatch.setenv(name, "INFO")
    assert "Did you mean" not in run_tap(None, "--config=ENV").said


@pytest.mark.usefixtures("_exported")
@pytest.mark.parametrize("arguments", [(), ("--discover",)])
def test_settings_in_the_environment_that_nobody_asked_for(arguments: tuple[str, ...]) -> None:
    ran = run_tap(None, *arguments)
    assert ran.exit_code != 0
    assert "TAP_AFAS_BASE_URL, TAP_AFAS_TOKEN: pass `--config=ENV`" in ran.errors[0]
    assert "config=ENV" not in run_tap({"page_size": 5}).said


def test_dotenv(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    pathlib.Path(".env").write_text(
        f"TAP_AFAS_BASE_URL='{sandbox.base_url}'\nexport TAP_AFAS_TOKEN=\"{sandbox.token}\"\n"
        "TAP_AFAS_CONNECTORS='[\"Art*\"]' # a comment\nTAP_AFAS_PAGE_SIZES=5\nTAP_AFAS_STREAMS=\n",
        encoding="utf-8-sig",
    )
    ran = run_tap(None, "--config=ENV")
    assert (ran.exit_code, len(ran.records("Articles")), len(ran.records("Other"))) == (0, 3, 0)
    assert "Did you mean TAP_AFAS_PAGE_SIZE?" in ran.said
    assert "TAP_AFAS_BASE_URL in .env" in run_tap(None).errors[0]
    # What is exported wins.
    monkeypatch.setenv("TAP_AFAS_CONNECTORS", '["Other"]')
    ran = run_tap(None, "--config=ENV")
    assert (len(ran.records("Articles")), len(ran.records("Other"))) == (0, 2)
    monkeypatch.setenv("TAP_AFAS_CONNECTORS", "")
    assert len(run_tap(None, "--config=ENV").records()) == 5
    # Meltano reads it itself.
    monkeypatch.setenv("MELTANO_EXTRACTOR_NAME", "tap-afas")
    assert "No credentials" in run_tap(None, "--config=ENV").said


def test_a_dotenv_that_cannot_be_read() -> None:
    pathlib.Path(".env").write_bytes("TAP_AFAS_TOKEN='Café'".encode("cp1252"))
    assert "`.env` can't be read: it is not UTF-8." in run_tap(None, "--config=ENV").said


def test_the_example_is_refused_until_it_is_filled_in(sandbox: Sandbox) -> None:
    text = EXAMPLE.read_text("utf-8")
    pathlib.Path(".env").write_text(text + f"\nTAP_AFAS_BASE_URL={sandbox.base_url}\n", encoding="utf-8")
    ran = run_tap(None, "--config=ENV")
    assert ran.errors[0] == "`token` is the placeholder of an example: put the app connector's token in its place."
    assert not sandbox.log


@pytest.mark.parametrize("token", ["<token>…</token>", "<token><version>1</version><data>...</data></token>", "…"])
def test_placeholders(sandbox: Sandbox, token: str) -> None:
    ran = run_tap({"base_url": sandbox.base_url, "token": token})
    assert "is the placeholder of an example" in ran.errors[0]
    assert not sandbox.log


@pytest.mark.parametrize("run", [run_tap, explore])
@pytest.mark.parametrize("name", ["TAP_AFAS_LOGLEVEL", "LOGLEVEL"])
@pytest.mark.parametrize("level", ["loud", "5", "\udcff"])
def test_a_level_that_no_log_has(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, level: str, name: str, run: Callable[..., Run]
) -> None:
    monkeypatch.setenv(name, level)
    ran = run(config_of(sandbox), *(["list"] if run is explore else []))
    assert ran.exit_code == 78
    assert ran.errors == [f"`{name}` must be one of: DEBUG, INFO, WARNING, ERROR, CRITICAL."]


@pytest.mark.parametrize("text", ["{", "[]", "version: 7", "version: 1\nhandlers: 5", "\x00", None])
def test_a_log_that_can_not_be_set_up(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, text: str | None
) -> None:
    path = tmp_path / "log.yaml"
    if text is None:
        path.mkdir()
    else:
        path.write_text(text)
    monkeypatch.setenv("SINGER_SDK_LOG_CONFIG", str(path))
    ran = run_tap(config_of(sandbox))
    assert ran.exit_code == 78
    assert f"The log can't be set up as {path} (`SINGER_SDK_LOG_CONFIG`) says: " in ran.errors[0]

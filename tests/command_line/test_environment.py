"""The environment that is named is the one that is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.articles import articles, config_of
from harness.command import run_tap
from tap_afas.afas_environment import OtherEnvironmentError
from tap_afas.tap import TapAfas

if TYPE_CHECKING:
    from afas_sandbox import Sandbox


def _config(sandbox: Sandbox, envid: str, settings: dict[str, Any]) -> dict[str, Any]:
    sandbox.load([articles(3)], environment=envid)
    return config_of(sandbox, **settings)


@pytest.mark.parametrize(
    ("settings", "envid"),
    [
        ({"environment_id": "12345"}, "O54321AA"),
        ({"environment_id": "T12345AA"}, "O12345AA"),
        ({"environment_id": "T12345"}, "O12345AA"),
        ({"environment_id": "O12345AA"}, "O12345AB"),
        ({"environment_type": "test"}, "O12345AA"),
        ({"environment_id": "12345", "environment_type": "accept"}, "T12345AA"),
        ({"environment_id": "12345", "environment_type": "course"}, "O54321AA"),
    ],
)
def test_another_one_than_the_settings_name(sandbox: Sandbox, settings: dict[str, Any], envid: str) -> None:
    config = _config(sandbox, "", settings)
    catalog = run_tap(config, "--discover").catalog
    config = _config(sandbox, envid, settings)
    for ran in (run_tap(config), run_tap(config, catalog=catalog), run_tap(config, "--discover")):
        assert ran.exit_code != 0
        assert not ran.output
        assert f"The environment {envid} answers" in ran.errors[0]
    stream = TapAfas(config=config, catalog=catalog).streams["Articles"]
    with pytest.raises(OtherEnvironmentError):
        stream.sync()
    with pytest.raises(OtherEnvironmentError):
        next(iter(stream.get_records(None)))
    assert not [request for request in sandbox.log if request.kind == "rows"]


@pytest.mark.parametrize(
    ("settings", "envid", "lines"),
    [
        ({}, "T54321AA", 0),
        ({}, "", 0),
        ({"environment_id": "12345"}, "O12345AA", 0),
        ({"environment_id": "12345"}, "T12345AA", 0),
        ({"environment_id": "12345"}, "A12345AC", 0),
        ({"environment_id": " o12345aa "}, "O12345AA", 0),
        ({"environment_id": "T12345"}, "T12345AB", 0),
        ({"environment_id": "12345", "environment_type": "test"}, "T12345AA", 0),
        ({"environment_id": "12345", "environment_type": "course"}, "O12345AA", 0),
        ({"environment_id": "12345"}, "", 1),
        ({"environment_id": "12345"}, "54321", 1),
        ({"environment_id": "O12345AA"}, "Enyoi", 1),
        ({"environment_type": "test"}, "O12345", 1),
    ],
)
def test_the_one_that_the_settings_name_or_leave_open(
    sandbox: Sandbox, settings: dict[str, Any], envid: str, lines: int
) -> None:
    ran = run_tap(_config(sandbox, envid, settings))
    assert (ran.exit_code, len(ran.records())) == (0, 3)
    assert sum("tells no name of the environment" in line for line in ran.lines("INFO")) == lines

"""README, docs/settings.md and meltano.yml say of the settings what `tap-afas --about` says."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from settings_texts import PLACES, ROOT

OF_THE_SDK = {
    "stream_maps",
    "stream_map_config",
    "faker_config",
    "flattening_enabled",
    "flattening_max_depth",
    "flattening_max_key_length",
    "flattening_separator",
}


@pytest.fixture(scope="module")
def about() -> dict[str, Any]:
    command = [sys.executable, "-m", "tap_afas", "--about", "--format=json"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    settings: dict[str, Any] = json.loads(output)["settings"]["properties"]
    return settings


@pytest.mark.slow
@pytest.mark.parametrize("name", PLACES)
def test_what_is_written_is_what_about_says(about: dict[str, Any], name: str) -> None:
    place, made = PLACES[name]
    assert place.findall((ROOT / name).read_text("utf-8")) == [made(about)]


def test_settings_of_the_sdk_are_there(about: dict[str, Any]) -> None:
    assert about.keys() >= OF_THE_SDK

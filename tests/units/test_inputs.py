from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from tap_afas.inputs import InputError, read_catalog, read_settings, read_state
from tap_afas.settings import SCHEMA

if TYPE_CHECKING:
    import pathlib


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("TOKEN", " <token/> ", "<token/>"),
        ("ENVIRONMENT_ID", "O12345AA", "O12345AA"),
        ("ENVIRONMENT_ID", "12345", "12345"),
        ("PAGE_SIZE", "500", 500),
        ("EMIT_ACTIVATE_VERSION_MESSAGES", "True", True),
        ("EMIT_ACTIVATE_VERSION_MESSAGES", "0", False),
        ("CONNECTORS", '["Profit_*", "!X"]', ["Profit_*", "!X"]),
        ("STREAMS", '{"A": {"replication_key": null}}', {"A": {"replication_key": None}}),
    ],
)
def test_environment(monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any) -> None:
    monkeypatch.setenv(f"TAP_AFAS_{name}", text)
    monkeypatch.setenv("TAP_AFAS_BASE_URL", "")
    assert read_settings(["ENV"], SCHEMA) == {name.lower(): value}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PAGE_SIZE", "many"),
        ("PAGE_SIZE", "1.5"),
        ("EMIT_ACTIVATE_VERSION_MESSAGES", "perhaps"),
        ("CONNECTORS", "Profit_Debtor"),
        ("STREAMS", "{"),
    ],
)
def test_environment_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    monkeypatch.setenv(f"TAP_AFAS_{name}", text)
    with pytest.raises(ConfigValidationError) as caught:
        read_settings(["ENV"], SCHEMA)
    (sentence,) = caught.value.errors
    assert f"`TAP_AFAS_{name}`" in sentence
    assert text not in sentence or text == "{"


def test_later_sources_win(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("TAP_AFAS_PAGE_SIZE", "5")
    file = tmp_path / "config.json"
    file.write_text('{"page_size": 7, "token": "x"}')
    assert read_settings(["ENV", str(file)], SCHEMA) == {"page_size": 7, "token": "x"}
    assert read_settings([str(file), "ENV"], SCHEMA) == {"page_size": 5, "token": "x"}


@pytest.mark.parametrize(("text", "words"), [("{", "not JSON"), ("[]", "not a JSON object"), (None, "No such file")])
def test_file_that_cannot_be_read(tmp_path: pathlib.Path, text: str | None, words: str) -> None:
    file = tmp_path / "config.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigValidationError) as caught:
        read_settings([str(file)], SCHEMA)
    assert words in caught.value.errors[0]
    assert str(file) in caught.value.errors[0]


def _file(text: str) -> io.StringIO:
    file = io.StringIO(text)
    file.name = "given.json"
    return file


def test_state() -> None:
    state = {"bookmarks": {"A": {"replication_key": "Modified"}}}
    assert read_state(_file(json.dumps(state))) == state
    assert read_state(_file("{}")) == {}


@pytest.mark.parametrize("text", ["", "[]", "5", '{"bookmarks": 5}', '{"bookmarks": {"A": 5}}', "{}\n{}", "[" * 99_999])
def test_state_that_is_none(text: str) -> None:
    with pytest.raises(InputError):
        read_state(_file(text))


@pytest.mark.parametrize(
    "text",
    ['{"streams": 5}', '{"streams": [5]}', '{"streams": [{}]}', '{"streams": [{"tap_stream_id": "A", "metadata": 5}]}'],
)
def test_catalog_that_is_none(text: str) -> None:
    with pytest.raises(InputError, match="not a Singer catalog"):
        read_catalog(_file(text))

"""Objects among the settings as Meltano gives them to a command: flattened, in variables."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.exceptions import ConfigValidationError

from harness.articles import articles
from harness.command import explore, run_tap
from tap_afas.inputs import read_settings
from tap_afas.settings import SCHEMA
from tap_afas.tap import TapAfas

if TYPE_CHECKING:
    from afas_sandbox import Sandbox

_NAMES = st.text(st.characters(exclude_characters="\\", exclude_categories=["Cs"]), min_size=1, max_size=8)
_VALUES = (
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=2)
)
_OBJECTS = st.recursive(
    st.dictionaries(_NAMES, _VALUES, min_size=1, max_size=3),
    lambda inner: st.dictionaries(_NAMES, inner, min_size=1, max_size=3),
    max_leaves=8,
)


def _read(content: Any, name: str = "streams") -> Any:
    TapAfas.append_builtin_config(SCHEMA)
    with mock.patch.dict(os.environ, {f"TAP_AFAS_{name.upper()}": json.dumps(content)}):
        return read_settings(["ENV"], SCHEMA)[name]


def _escaped(content: Any) -> Any:
    """As it stands in a `meltano.yml`."""
    if not isinstance(content, dict):
        return content
    return {name.replace(".", "\\."): _escaped(value) for name, value in content.items()}


@given(content=_OBJECTS, name=st.sampled_from(["streams", "stream_maps"]))
def test_what_meltano_flattens_is_read_as_it_was(content: dict[str, Any], name: str) -> None:
    flatten = pytest.importorskip("meltano.core.utils").flatten
    assert _read(flatten(_escaped(content), "dot"), name) == content


@given(st.dictionaries(_NAMES, _OBJECTS, min_size=1, max_size=3))
def test_what_is_nested_stays(content: dict[str, Any]) -> None:
    assert _read(content) == content


def test_the_form_of_the_issue() -> None:
    flat = {"X.primary_keys": ["Id"], "Odd\\.name.primary_keys": [], "Y.types.Nr": "string", "Z": {}}
    assert _read(flat) == {
        "X": {"primary_keys": ["Id"]},
        "Odd.name": {"primary_keys": []},
        "Y": {"types": {"Nr": "string"}},
        "Z": {},
    }


@pytest.mark.parametrize("flat", [{"A": 1, "A.b": 2}, {"A.b": 2, "A": 1}, {"A.b": 1, "A.b.c": 2}])
def test_two_things_of_one_name(flat: dict[str, Any]) -> None:
    with pytest.raises(ConfigValidationError) as caught:
        _read(flat)
    assert caught.value.errors == ["`TAP_AFAS_STREAMS` says two things of one name: write it as nested objects."]


def test_the_tap_and_the_explorer_read_it(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.load([articles(3)])
    monkeypatch.setenv("TAP_AFAS_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("TAP_AFAS_TOKEN", sandbox.token)
    monkeypatch.setenv("TAP_AFAS_STREAMS", '{"Articles.primary_keys": ["Code"], "Articles.page_size": 2}')
    monkeypatch.setenv("TAP_AFAS_STREAM_MAPS", '{"Articles.Name": "md5(Name)"}')
    ran = run_tap(None, "--config=ENV")
    assert [message["key_properties"] for message in ran.messages if message["type"] == "SCHEMA"] == [["Code"]]
    shown = json.loads(explore(None, "show", "Articles", "--format=json", "--config=ENV").output)
    assert (shown["key"], shown["sync"]) == (["Code"], "incremental")
    rows = explore(None, "preview", "Articles", "--format=jsonl", "--config=ENV").output.splitlines()
    assert [json.loads(row) for row in rows] == ran.records()

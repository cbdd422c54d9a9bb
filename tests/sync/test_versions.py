"""ACTIVATE_VERSION lets a target take out rows: it may come once, and only behind the last row."""

from __future__ import annotations

import contextlib
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.articles import articles, config_of
from tap_afas.tap import TapAfas

if TYPE_CHECKING:
    from afas_sandbox import Sandbox


@pytest.mark.parametrize("way", ["run", "sync_all"])
def test_once_and_behind_the_last_row(sandbox: Sandbox, way: str) -> None:
    sandbox.load([articles(250, stamp=False)])
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(out):
        tap = TapAfas(config=config_of(sandbox, page_size=100, emit_activate_version_messages=True))
        getattr(tap, way)()
    out.seek(0)
    messages: list[dict[str, Any]] = [json.loads(line) for line in out]
    kinds = [message["type"] for message in messages if message["type"] != "STATE"]
    assert kinds == ["SCHEMA", *["RECORD"] * 250, "ACTIVATE_VERSION"]
    assert {message["version"] for message in messages if "version" in message} == {messages[-2]["version"]}

"""What the documentation shows of the code is what the code does."""

from __future__ import annotations

import re

import diagrams

from tap_afas.bookmark import Bookmark


def test_the_diagrams_are_those_of_the_tables() -> None:
    text = diagrams.PAGE.read_text("utf-8")
    assert diagrams.drawn(text) == text, "Run `python tests/docs/diagrams.py`."
    assert text.count("```mermaid") == len(diagrams.TABLES)


def test_the_table_explains_each_key_of_the_state() -> None:
    table = diagrams.PAGE.read_text("utf-8").partition("## The STATE")[2].partition("**To wind back**")[0]
    keys = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    told = {key for cell in keys for key in re.findall(r"`(\w+)`", cell)}
    assert told == set(Bookmark().to_state(None))

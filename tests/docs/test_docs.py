"""What the documentation shows of the code is what the code does."""

from __future__ import annotations

import re

import diagrams
import pytest

from tap_afas.bookmark import Bookmark
from tap_afas.profit import refusals

_SAID = [
    line.split("|")[1].strip()
    for line in (diagrams.PAGE.parent / "when-afas-says-no.md").read_text("utf-8").splitlines()
    if line.startswith("| ")
]


def test_the_diagrams_are_those_of_the_tables() -> None:
    text = diagrams.PAGE.read_text("utf-8")
    assert diagrams.drawn(text) == text, "Run `python tests/docs/diagrams.py`."
    assert text.count("```mermaid") == len(diagrams.TABLES)


def test_the_table_explains_each_key_of_the_state() -> None:
    table = diagrams.PAGE.read_text("utf-8").partition("## The STATE")[2].partition("**To wind back**")[0]
    keys = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    told = {key for cell in keys for key in re.findall(r"`(\w+)`", cell)}
    assert told == set(Bookmark().to_state(None))


@pytest.mark.parametrize("refusal", refusals.REFUSALS, ids=lambda refusal: refusal.cause)
def test_what_afas_may_say_is_explained(refusal: refusals.Refusal) -> None:
    assert any(re.search(refusal.pattern, said, re.IGNORECASE) for said in _SAID)


def test_each_status_with_a_meaning_is_explained() -> None:
    explained = {int(status) for said in _SAID for status in re.findall(r"\b[45]\d\d\b", said)}
    # With 500 come words.
    assert explained == (refusals._BY_STATUS.keys() | refusals._BUSY_STATUSES) - {500}

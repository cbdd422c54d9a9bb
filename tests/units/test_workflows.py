"""The weekly workflow tries the mutants of every paginator."""

from __future__ import annotations

import re
from pathlib import Path

_REPOSITORY = Path(__file__).parents[2]


def test_every_paginator_has_its_job() -> None:
    workflow = (_REPOSITORY / ".github/workflows/deep.yml").read_text(encoding="utf-8")
    listed = re.findall(r"^ +file: \[(.*)\]$", workflow, re.MULTILINE)
    files = (_REPOSITORY / "tap_afas/profit/pagination").glob("*.py")
    assert listed == [", ".join(sorted(path.stem for path in files if path.stem != "__init__"))]

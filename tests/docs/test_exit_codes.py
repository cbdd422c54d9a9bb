"""How the command ends: exit codes as documented, and a last line that says the same."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import exit_cases
import pytest

if TYPE_CHECKING:
    from afas_sandbox import Sandbox


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the cases are a POSIX shell's")
@pytest.mark.parametrize("name", exit_cases.CASES)
def test_a_case_ends_as_the_table_says(sandbox: Sandbox, name: str) -> None:
    exit_cases.load(sandbox)
    ran = exit_cases.CASES[name](sandbox)
    assert exit_cases.rows()[name] == exit_cases.row(name, ran), (
        "Run `PYTHONPATH=tests python tests/docs/exit_cases.py`."
    )
    assert exit_cases.ended(ran)["exit_code"] == ran.exit_code
    assert sum(exit_cases.PREFIX in line for line in ran.log) == 1
    assert exit_cases.PREFIX.encode() not in ran.output
    assert any("Traceback" in line for line in ran.log) == (name == "a bug of the tap")


def test_the_table_has_no_other_cases() -> None:
    assert list(exit_cases.rows()) == list(exit_cases.CASES)

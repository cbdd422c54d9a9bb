"""The command where the extra `explore` isn't installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

_WITHOUT = """
import importlib.abc, sys
class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {missing!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Without())
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == {missing!r} else find(name, *rest)
{run}
"""
_EXPLORE = "from tap_afas.explore.entry_point import main; sys.argv = ['tap-afas-explore', 'list']; main()"
_TAP = "from tap_afas.tap import main; sys.argv = ['tap-afas', '--about']; main()"


def _run(missing: str, run: str) -> subprocess.CompletedProcess[str]:
    code = _WITHOUT.format(missing=missing, run=run)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("missing", ["jinja2", "rich", "ruamel"])
def test_one_sentence_says_what_is_missing(missing: str) -> None:
    done = _run(missing, _EXPLORE)
    assert (done.returncode, done.stdout) == (78, "")
    (sentence,) = done.stderr.splitlines()
    assert "the extra `explore`" in sentence
    assert "pip install 'tap-afas[explore]'" in sentence
    assert "`pip_url: tap-afas[explore]`" in sentence


@pytest.mark.parametrize("missing", ["jinja2", "rich", "ruamel"])
def test_the_tap_needs_none_of_it(missing: str) -> None:
    done = _run(missing, _TAP)
    assert done.returncode == 0, done.stderr
    assert "tap-afas" in done.stdout

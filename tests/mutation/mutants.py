"""Change the paginators in all small ways, one at a time, and count the changes that no test notices.

    python3 run.py mutants                 all of them: hours
    python3 run.py mutants moment stamps   the mutants of these files

Cosmic Ray makes the mutants, in copies of this repository: a run that is stopped leaves nothing changed.
"""

from __future__ import annotations

import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
_REPOSITORY = _HERE.parents[1]
_CONFIG = _HERE / "cosmic-ray.toml"
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "output", "plugins", "dist")


def main(names: list[str]) -> int:
    """Make the mutants of these files and try each.

    Returns:
        1 where fewer are noticed than the floor of their file says.
    """
    config = tomllib.loads(_CONFIG.read_text(encoding="utf-8"))
    folder = Path(config["cosmic-ray"]["module-path"])
    files = sorted(path.stem for path in (_REPOSITORY / folder).glob("*.py") if path.stem != "__init__")
    if unknown := set(names) - set(files):
        sys.stderr.write(f"No such file in {folder}: {', '.join(sorted(unknown))}. There are {', '.join(files)}.\n")
        return 2
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda name: _outcomes(folder, name), names or files))
    return max(map(_report, names or files, found, map(config["floors"].get, names or files)))


def _outcomes(folder: Path, name: str) -> dict[str, list[str]]:
    """The differences that the mutants of a file made, by what became of each."""
    with tempfile.TemporaryDirectory(prefix="tap-afas-mutants-") as made:
        copy = Path(made, "copy")
        shutil.copytree(_REPOSITORY, copy, ignore=_LEFT_OUT)
        config = copy / "cosmic-ray.toml"
        text = _CONFIG.read_text(encoding="utf-8")
        config.write_text(text.replace(f'"{folder.as_posix()}"', f'"{folder.as_posix()}/{name}.py"'), encoding="utf-8")
        session = str(copy / "session.sqlite")
        # Or every mutant would count as noticed.
        _run(copy, "cosmic-ray", "baseline", str(config))
        _run(copy, "cosmic-ray", "init", str(config), session)
        _run(copy, "cr-filter-operators", session, str(config))
        _run(copy, "cosmic-ray", "exec", str(config), session)
        outcomes = collections.defaultdict(list)
        for line in _run(copy, "cosmic-ray", "dump", session).splitlines():
            _, result = json.loads(line)
            outcomes[_outcome(result)].append((result or {}).get("diff") or "")
    return outcomes


def _outcome(result: dict[str, Any] | None) -> str:
    if result is None:
        return "untried"
    return "skipped" if result["worker_outcome"] != "normal" else str(result["test_outcome"])


def _report(name: str, outcomes: dict[str, list[str]], floor: float | None) -> int:
    living, noticed = outcomes["survived"], len(outcomes["killed"])
    tried = len(living) + noticed
    share = 100 * noticed / tried if tried else 0.0
    wanted = "no floor is set" if floor is None else f"at least {floor} % must be"
    sys.stdout.write("".join(f"{difference}\n\n" for difference in living))
    sys.stdout.write(f"{name}: {noticed} of {tried} mutants noticed, {share:.1f} %; {wanted}.\n")
    if broken := len(outcomes["incompetent"]) + len(outcomes["untried"]):
        sys.stdout.write(f"{name}: {broken} mutants could not be tried.\n")
    return int(bool(broken) or not tried or (floor is not None and share < floor))


def _run(folder: Path, name: str, *arguments: str) -> str:
    """What a command of this Python's says; it must succeed.

    The tap in the folder is what the tests import, in the processes that they start too.
    """
    commands = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(folder)}
    command = [str(commands / name), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

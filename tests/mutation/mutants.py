"""Change the paginators in all small ways, one at a time, and show the changes that no test notices.

    python3 run.py mutants                 some of each file, evenly spread
    python3 run.py mutants keyset offset   likewise of these files
    python3 run.py mutants --all keyset    all of this file: hours

Cosmic Ray makes the mutants, in copies of this repository: a run that is stopped leaves nothing changed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkItem, WorkResult

if TYPE_CHECKING:
    from collections.abc import Iterable

_REPOSITORY = Path(__file__).resolve().parents[2]
_TEXT = Path(__file__).with_name("cosmic-ray.toml").read_text(encoding="utf-8")
_CONFIG = tomllib.loads(_TEXT)
_FOLDER: str = _CONFIG["cosmic-ray"]["module-path"]
_COMMANDS = Path(sys.executable).parent
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "output", "plugins", "dist")
_PROCESSORS = os.cpu_count() or 1
# In each copy.
_CONFIG_COPY, _SESSION = "mutants.toml", "mutants.sqlite"
# So many times what the tests take: other work on the machine makes nothing look noticed.
_TIMEOUT = 3
# Lines on which a change changes nothing that runs: imports for types, and what a dataclass forbids.
_IDLE = ("if TYPE_CHECKING:", "@dataclasses.dataclass(")


def main(arguments: list[str]) -> int:
    """Make the mutants of these files and try some of them, or with `--all` each.

    Returns:
        1 where fewer are noticed than the floor of their file says.
    """
    names = [name for name in arguments if name != "--all"]
    every = 1 if "--all" in arguments else int(_CONFIG["sample"]["every"])
    files = sorted(path.stem for path in (_REPOSITORY / _FOLDER).glob("*.py") if path.stem != "__init__")
    if unknown := set(names) - set(files):
        sys.stderr.write(f"No such file in {_FOLDER}: {', '.join(sorted(unknown))}. There are {', '.join(files)}.\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="tap-afas-mutants-") as made, ThreadPoolExecutor(_PROCESSORS) as pool:
        copies = [Path(made, str(number)) for number in range(_PROCESSORS)]
        for copy in copies:
            shutil.copytree(_REPOSITORY, copy, ignore=_LEFT_OUT)
        # What no mutant makes fail must pass without one, or every mutant would count as noticed.
        seconds = max(pool.map(_seconds_unchanged, copies))
        found = _try(copies, pool, names or files, _TIMEOUT * seconds, every)
    return max(_report(name, results, every) for name, results in found.items())


def _seconds_unchanged(copy: Path) -> float:
    """How long the tests take where nothing is changed."""
    began = time.monotonic()
    _run(copy, *shlex.split(_CONFIG["cosmic-ray"]["test-command"]))
    return time.monotonic() - began


def _try(
    copies: list[Path], pool: ThreadPoolExecutor, names: list[str], timeout: float, every: int
) -> dict[str, list[WorkResult | None]]:
    """By file, what became of one in so many mutants; None: nothing, as its run broke off."""
    paths = ", ".join(f'"{_FOLDER}/{name}.py"' for name in names)
    text = _TEXT.replace(f'"{_FOLDER}"', f"[{paths}]").replace("\ntimeout = 600.0", f"\ntimeout = {timeout}")
    for copy in copies:
        (copy / _CONFIG_COPY).write_text(text, encoding="utf-8")
    _run(copies[0], "cosmic-ray", "init", _CONFIG_COPY, _SESSION)
    _run(copies[0], "cr-filter-operators", _SESSION, _CONFIG_COPY)
    for copy in copies[1:]:
        shutil.copy(copies[0] / _SESSION, copy)
    for number, copy in enumerate(copies):
        with use_db(str(copy / _SESSION), WorkDB.Mode.open) as database:
            chosen = _sample(database.pending_work_items, every)
            mine = {item.job_id for item in chosen[number :: len(copies)]}
            # The rest is the other copies', or nobody's.
            others = [item.job_id for item in database.pending_work_items if item.job_id not in mine]
            database.set_multiple_results(others, WorkResult(WorkerOutcome.SKIPPED))
    list(pool.map(lambda copy: _run(copy, "cosmic-ray", "exec", _CONFIG_COPY, _SESSION), copies))
    found: dict[str, list[WorkResult | None]] = {name: [] for name in names}
    for copy in copies:
        with use_db(str(copy / _SESSION), WorkDB.Mode.open) as database:
            results = dict(database.results)
            for item in database.work_items:
                result = results.get(item.job_id)
                if result is None or result.worker_outcome != WorkerOutcome.SKIPPED:
                    found[_file(item).stem].append(result)
    return found


def _sample(items: Iterable[WorkItem], every: int) -> list[WorkItem]:
    """One in so many of each file's mutants, the same ones each time."""
    by_file: dict[Path, list[WorkItem]] = {}
    for item in sorted(items, key=_place):
        path = _file(item)
        line = (_REPOSITORY / path).read_text(encoding="utf-8").splitlines()[item.mutations[0].start_pos[0] - 1]
        if not line.startswith(_IDLE):
            by_file.setdefault(path, []).append(item)
    # From the middle of the first few: a file with fewer has one too.
    return [item for mine in by_file.values() for item in mine[min(every, len(mine)) // 2 :: every]]


def _file(item: WorkItem) -> Path:
    return Path(item.mutations[0].module_path)


def _place(item: WorkItem) -> list[tuple[tuple[int, int], str, int]]:
    """Where a mutant is in its file; the same in each run."""
    return [(one.start_pos, one.operator_name, one.occurrence) for one in item.mutations]


def _report(name: str, results: list[WorkResult | None], every: int) -> int:
    living = [one for one in results if one and one.test_outcome == TestOutcome.SURVIVED]
    noticed = sum(one is not None and one.test_outcome == TestOutcome.KILLED for one in results)
    broken = len(results) - len(living) - noticed
    share = 100 * noticed / len(results)
    # They are about the sample.
    floor = _CONFIG["floors"].get(name) if every > 1 else None
    sys.stdout.write("".join(f"{one.diff}\n\n" for one in living))
    wanted = "no floor is set for it" if floor is None else f"at least {floor} % must be"
    of = f" (one in {every})" if every > 1 else ""
    sys.stdout.write(f"{name}: {noticed} of {len(results)} mutants{of} noticed, {share:.1f} %; {wanted}.\n")
    if broken:
        sys.stdout.write(f"{name}: {broken} mutants could not be tried.\n")
    sys.stdout.flush()
    return int(bool(broken) or (floor is not None and share < floor))


def _run(copy: Path, name: str, *arguments: str) -> None:
    """Run a command of this Python's, which must succeed.

    The tap in the copy is what the tests import, in the processes that they start too.
    """
    environment = {
        **os.environ,
        "PATH": f"{_COMMANDS}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(copy),
        "HYPOTHESIS_PROFILE": "shallow",
        "NO_SHRINK": "1",
    }
    done = subprocess.run(
        [str(_COMMANDS / name), *arguments],
        cwd=copy,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{name} {' '.join(arguments)} failed:\n{done.stdout}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

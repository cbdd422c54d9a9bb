"""Change the paginators in all small ways, one at a time, and show the changes that no test notices.

    python3 run.py mutants                 some of each file, evenly spread: half an hour
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

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkItem, WorkResult

_REPOSITORY = Path(__file__).resolve().parents[2]
_TEXT = Path(__file__).with_name("cosmic-ray.toml").read_text(encoding="utf-8")
_CONFIG = tomllib.loads(_TEXT)
_FOLDER: str = _CONFIG["cosmic-ray"]["module-path"]
_COMMANDS = Path(sys.executable).parent
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "output", "plugins", "dist")
_PROCESSORS = os.cpu_count() or 1


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
        return max(_report(name, _try(copies, pool, name, 2 * seconds, every), every) for name in names or files)


def _seconds_unchanged(copy: Path) -> float:
    """How long the tests take where nothing is changed."""
    began = time.monotonic()
    _run(copy, *shlex.split(_CONFIG["cosmic-ray"]["test-command"]))
    return time.monotonic() - began


def _try(
    copies: list[Path], pool: ThreadPoolExecutor, name: str, timeout: float, every: int
) -> list[WorkResult | None]:
    """What became of one in so many mutants of a file; None: nothing, as its run broke off."""
    text = _TEXT.replace(f'"{_FOLDER}"', f'"{_FOLDER}/{name}.py"').replace(
        "\ntimeout = 600.0", f"\ntimeout = {timeout}"
    )
    for copy in copies:
        (copy / f"{name}.toml").write_text(text, encoding="utf-8")
    session = f"{name}.sqlite"
    _run(copies[0], "cosmic-ray", "init", f"{name}.toml", session)
    _run(copies[0], "cr-filter-operators", session, f"{name}.toml")
    lines = (copies[0] / _FOLDER / f"{name}.py").read_text(encoding="utf-8").splitlines()
    for copy in copies[1:]:
        shutil.copy(copies[0] / session, copy)
    for number, copy in enumerate(copies):
        with use_db(str(copy / session), WorkDB.Mode.open) as database:
            # The rest is the other copies', or nobody's.
            items = sorted(database.pending_work_items, key=_place)
            running = [item.job_id for item in items if not _is_for_types(item, lines)]
            mine = set(running[::every][number :: len(copies)])
            others = [item.job_id for item in items if item.job_id not in mine]
            database.set_multiple_results(others, WorkResult(WorkerOutcome.SKIPPED))
    list(pool.map(lambda copy: _run(copy, "cosmic-ray", "exec", f"{name}.toml", session), copies))
    found: list[WorkResult | None] = []
    for copy in copies:
        with use_db(str(copy / session), WorkDB.Mode.open) as database:
            found += [result for _, result in database.results if result.worker_outcome != WorkerOutcome.SKIPPED]
            found += [None for _ in database.pending_work_items]
    return found


def _place(item: WorkItem) -> list[tuple[tuple[int, int], str, int]]:
    """Where a mutant is in its file; the same in each run."""
    return [(one.start_pos, one.operator_name, one.occurrence) for one in item.mutations]


def _is_for_types(item: WorkItem, lines: list[str]) -> bool:
    """Whether a mutant is one of imports that no running code needs."""
    return all(lines[one.start_pos[0] - 1] == "if TYPE_CHECKING:" for one in item.mutations)


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

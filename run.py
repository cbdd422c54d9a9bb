#!/usr/bin/env python3
"""Runs this project's jobs on a machine that has only git, Python and pip.

What a job needs is put in `.uv/` and `.venv/` in this folder; nothing else on the machine is touched.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
USAGE = """\
python3 run.py try      the whole way: AFAS (a sandbox), tap-afas, Meltano, PostgreSQL; twice, and compared
python3 run.py test     checks and tests; with --quick: in two or three minutes; with other arguments: pytest;
                        with --coverage: how much the quick ones reach
python3 run.py mutants  small changes to the paginators: does a test notice? one in forty, --all: each
python3 run.py bench    the tap beside its peers, about an hour; with arguments: only some tables
"""
SANDBOX = "packages/afas-sandbox"
QUICK_CHECKS = (("ruff", "check"), ("ruff", "format", "--check"), ("mypy",), ("lint-imports", "--no-logo"))
MORE_CHECKS = (
    ("typos",),
    ("deptry", "tap_afas"),
    ("deptry", f"--config={SANDBOX}/pyproject.toml", f"{SANDBOX}/afas_sandbox"),
)
# One worker a processor; whoever is done takes tests from whoever isn't.
PYTEST = ("pytest", "--numprocesses=auto", "--dist=worksteal")
QUICK = ("-m", "not slow and not postgres")
ALL_TESTS = ((*PYTEST, "-m", "not long"),)
# What is traced takes twice as long, so it is a job of its own.
COVERAGE = (
    ("coverage", "erase"),
    ("coverage", "run", "-m", *PYTEST, *QUICK),
    ("coverage", "combine", "--quiet"),
    ("coverage", "report"),
)
OLDEST_PYTHON = (3, 11)
OLDEST_UV = (0, 8)
OWN_UV = HERE / ".uv"


def main() -> int:
    """Do what the command line asks."""
    os.chdir(HERE)
    if sys.version_info < OLDEST_PYTHON:
        say(f"This needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}.")
        return 1
    command, arguments = sys.argv[1:2], sys.argv[2:]
    if command == ["try"]:
        return try_it(install(), arguments)
    if command == ["test"]:
        return test(install(), arguments)
    if command == ["mutants"]:
        python = install("--group=mutation")
        return subprocess.call([str(python), "tests/mutation/mutants.py", *arguments])  # noqa: S603 - likewise
    if command == ["bench"]:
        return subprocess.call([str(install()), "benchmarks", *arguments])  # noqa: S603 - this project's code
    say(USAGE)
    return 0 if command in ([], ["--help"], ["-h"]) else 2


def try_it(python: Path, arguments: list[str]) -> int:
    """Make the whole journey."""
    command = [str(python), "-m", "demo", *arguments]
    if sys.platform == "win32":
        return subprocess.call(command)  # noqa: S603 - this very project's code
    # In place of this process, so that whoever stops it stops the journey.
    return os.execv(python, command)  # noqa: S606 - this very project's code


def test(python: Path, arguments: list[str]) -> int:
    """Run the checks and the tests."""
    if arguments == ["--quick"]:
        steps = [*QUICK_CHECKS, (*PYTEST, *QUICK)]
    elif arguments == ["--coverage"]:
        steps = [*COVERAGE]
    elif arguments:
        steps = [("pytest", *arguments)]
    else:
        steps = [*QUICK_CHECKS, *MORE_CHECKS, *ALL_TESTS]
    failed = []
    for step in steps:
        say(f"\n{' '.join(step)}")
        if subprocess.call(command_of(python, *step)):  # noqa: S603 - what this project's lock file names
            failed.append(step)
    say("\n" + ("".join(f"Failed: {' '.join(step)}\n" for step in failed) or "All is well."))
    return 1 if failed else 0


def command_of(python: Path, name: str, *arguments: str) -> list[str]:
    """How a tool in `.venv/` is started: as a module, which sees this folder, or where it is none by its command."""
    if name in {"lint-imports", "typos"}:
        return [shutil.which(name, path=str(python.parent)) or name, *arguments]
    return [str(python), "-m", name, *arguments]


def install(*more: str) -> Path:
    """Install what uv.lock names into `.venv/`.

    Args:
        more: Options of `uv sync`.

    Returns:
        The Python there.
    """
    uv = find_uv() or fetch_uv()
    if OWN_UV in uv.parents:
        os.environ.setdefault("UV_CACHE_DIR", str(OWN_UV / "cache"))
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"):
        os.environ.pop(name, None)
    settings = {
        "UV_PYTHON": os.environ.get("UV_PYTHON", sys.executable),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_PROJECT_ENVIRONMENT": str(HERE / ".venv"),
    }
    say("Installing what uv.lock names into .venv ...")
    # Compiled once: hundreds of processes are started, and not every environment lets them keep what they compile.
    options = ("--frozen", "--all-packages", "--all-extras", "--compile-bytecode", "--quiet")
    run([str(uv), "sync", *options, *more], {**os.environ, **settings})
    venv = HERE / ".venv"
    return venv / "Scripts" / "python.exe" if sys.platform == "win32" else venv / "bin" / "python"


def find_uv() -> Path | None:
    """The uv of an earlier run, or a recent one of the machine's own."""
    for found in (shutil.which("uv", path=str(OWN_UV / folder)) for folder in ("bin", "Scripts")):
        if found:
            return Path(found)
    found = shutil.which("uv")
    if found:
        try:
            told = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603 - uv
        except (OSError, subprocess.CalledProcessError):
            return None
        version = re.match(r"uv (\d+)\.(\d+)", told)
        if version and (int(version[1]), int(version[2])) >= OLDEST_UV:
            return Path(found)
    return None


def fetch_uv() -> Path:
    """Have pip put uv into `.uv/`; neither root nor a virtual environment is needed for that."""
    say("Fetching uv into .uv ...")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--upgrade", f"--target={OWN_UV}"]
    settings = {"PIP_USER": "no", "PIP_ROOT_USER_ACTION": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    run([*pip, f"uv>={'.'.join(map(str, OLDEST_UV))}"], {**os.environ, **settings})
    uv = find_uv()
    if uv is None:
        sys.exit("pip has put no uv into .uv; install uv yourself (https://docs.astral.sh/uv) and try again.")
    return uv


def run(command: list[str], environment: dict[str, str]) -> None:
    """Run a command that must succeed."""
    if code := subprocess.call(command, env=environment):  # noqa: S603 - uv and pip
        say(f"Failed: {' '.join(command)}")
        sys.exit(code)


def say(text: str) -> None:
    """Say something, before whatever the next process says."""
    print(text, flush=True)  # noqa: T201 - a command speaks


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

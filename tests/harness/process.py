"""The tap and the target as a person starts them: processes, with files of settings, catalog and state."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.project import command
from harness.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from demo.postgres import Database

_LONGEST = 300
_TARGET_DEFAULTS = {"use_copy": False, "validate_records": False, "default_target_schema": "tap_afas"}


def discover(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The catalog."""
    ran = run_tap(settings, arguments=["--discover"])
    if ran.exit_code:
        raise AssertionError(f"discovery failed:\n{ran.said}")
    catalog: dict[str, Any] = json.loads(ran.output)
    return catalog


def run_tap(
    settings: Mapping[str, Any],
    *,
    catalog: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    arguments: Iterable[str] = (),
) -> Run:
    """Run the tap to its end.

    Args:
        settings: See `settings_of`.
        catalog: None: the tap discovers.
        state: None: a first run.
        arguments: More of the command line.
    """
    with tempfile.TemporaryDirectory(prefix="tap-afas-run-") as folder:
        files = {"config": settings, "catalog": catalog, "state": state}
        options = [f"--{name}={_write(Path(folder, name), content)}" for name, content in files.items() if content]
        return _run("tap-afas", [*options, *arguments])


def load(messages: bytes, database: Database, **settings: Any) -> Run:
    """Load the output of a tap with target-postgres, which must succeed.

    Args:
        messages: Lines as a tap writes them.
        database: Where to.
        settings: Of the target, on top of those in `meltano.yml`, but for `hard_delete`: false unless given.
    """
    with tempfile.TemporaryDirectory(prefix="tap-afas-run-") as folder:
        config = _write(Path(folder, "config"), {**_TARGET_DEFAULTS, **database.settings, **settings})
        ran = _run("target-postgres", [f"--config={config}"], messages)
    if ran.exit_code:
        raise AssertionError(f"target-postgres failed:\n{ran.said}")
    return ran


def _write(path: Path, content: Mapping[str, Any]) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _run(name: str, arguments: list[str], fed: bytes = b"") -> Run:
    done = subprocess.run([command(name), *arguments], input=fed, capture_output=True, timeout=_LONGEST, check=False)
    return Run(done.returncode, done.stdout, done.stderr.decode(errors="replace").splitlines())

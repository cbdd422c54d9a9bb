"""The tap and the target as a person starts them: processes, with files of settings, catalog and state."""

from __future__ import annotations

import dataclasses
import decimal
import functools
import json
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_afas.sandbox import Sandbox
    from trial.postgres import Database

_LONGEST = 300
_TARGET_DEFAULTS = {"use_copy": False, "validate_records": False, "default_target_schema": "tap_afas"}


@dataclasses.dataclass(frozen=True)
class Ran:
    """What a tap or a target did.

    Attributes:
        exit_code: 0 when all went well.
        output: What it wrote to stdout: a tap its messages, a target its states.
        log: What it wrote to stderr.
    """

    exit_code: int
    output: bytes
    log: str

    @functools.cached_property
    def messages(self) -> list[dict[str, Any]]:
        """The messages of a tap; numbers with a fraction are exact."""
        return [json.loads(line, parse_float=decimal.Decimal) for line in self.output.splitlines()]

    @property
    def state(self) -> dict[str, Any] | None:
        """The last state: of a tap what it told, of a target what it has stored."""
        states = [message.get("value", message) for message in self.messages if message.get("type", "STATE") == "STATE"]
        return states[-1] if states else None

    def records(self, stream: str) -> list[dict[str, Any]]:
        """The records of a stream, in the order in which they came."""
        return [
            message["record"]
            for message in self.messages
            if message["type"] == "RECORD" and message["stream"] == stream
        ]

    def versions(self, stream: str) -> list[int]:
        """The versions that a tap activated of a stream."""
        return [
            message["version"]
            for message in self.messages
            if message["type"] == "ACTIVATE_VERSION" and message["stream"] == stream
        ]


def settings_of(sandbox: Sandbox, **others: Any) -> dict[str, Any]:
    """The tap's settings for a sandbox."""
    return {"base_url": sandbox.base_url, "token": sandbox.token, **others}


def discover(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The catalog."""
    ran = run_tap(settings, arguments=["--discover"])
    if ran.exit_code:
        raise AssertionError(f"discovery failed:\n{ran.log}")
    catalog: dict[str, Any] = json.loads(ran.output)
    return catalog


def run_tap(
    settings: Mapping[str, Any],
    *,
    catalog: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    arguments: Iterable[str] = (),
) -> Ran:
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


def load(messages: bytes, database: Database, **settings: Any) -> Ran:
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
        raise AssertionError(f"target-postgres failed:\n{ran.log}")
    return ran


def command(name: str) -> Path:
    """A command of the environment that the tests run in."""
    scripts = Path(sysconfig.get_path("scripts"))
    for path in (scripts / name, scripts / f"{name}.exe"):
        if path.exists():
            return path
    raise FileNotFoundError(f"{name} is not installed here; `python run.py test` installs what the tests need.")


def _write(path: Path, content: Mapping[str, Any]) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _run(name: str, arguments: list[str], fed: bytes = b"") -> Ran:
    done = subprocess.run([command(name), *arguments], input=fed, capture_output=True, timeout=_LONGEST, check=False)
    return Ran(done.returncode, done.stdout, done.stderr.decode(errors="replace"))

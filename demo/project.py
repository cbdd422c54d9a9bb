"""A Meltano project in a temporary folder, made from the `meltano.yml` of this clone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from afas_sandbox import Sandbox

_CLONE = Path(__file__).resolve().parents[1]
_PIPELINE = ("tap-afas", "target-postgres")
_LONGEST = 900
_LAST_WORDS = 60
# Settings of the person who tries it must not steer it.
_NOT_INHERITED = ("MELTANO_", "TAP_AFAS_", "TARGET_POSTGRES_", "VIRTUAL_ENV", "PYTHONPATH", "UV_PYTHON")


def settings_of(sandbox: Sandbox, **others: Any) -> dict[str, Any]:
    """The tap's settings for a sandbox."""
    return {"base_url": sandbox.base_url, "token": sandbox.token, **others}


class MeltanoError(Exception):
    """Meltano failed; `str()` holds the end of what it said."""


class Project:
    """The project.

    Args:
        folder: An empty folder.
        tap: Settings of the tap.
        target: Settings of the target.
        text: A `meltano.yml` that names the package `tap-afas`; None: this clone's.
    """

    def __init__(
        self, folder: Path, tap: Mapping[str, Any], target: Mapping[str, Any], text: str | None = None
    ) -> None:
        self._folder = folder
        text = text or self.of_the_clone()
        (folder / "meltano.yml").write_text(text, encoding="utf-8")
        # Where a package `tap-afas` is named, this clone is meant; of an override the extras count.
        override = "" if _CLONE.as_posix() in text else f"tap-afas[explore] @ {_CLONE.as_uri()}\n"
        (folder / "overrides.txt").write_text(override, encoding="utf-8")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)},
            **_as_environment("TAP_AFAS", tap),
            **_as_environment("TARGET_POSTGRES", target),
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
            # Nobody answers there: meltano.yml promises to do without the plugin hub.
            "MELTANO_HUB_URL": "http://127.0.0.1:9",
            "UV_CONSTRAINT": str(self._constraints()),
            "UV_OVERRIDE": str(folder / "overrides.txt"),
            # Or Meltano leaves its logs in the home folder.
            "XDG_STATE_HOME": str(folder / "state"),
            "NO_COLOR": "1",
        }

    @staticmethod
    def of_the_clone() -> str:
        """The `meltano.yml` of this clone, which installs the clone."""
        text = (_CLONE / "meltano.yml").read_text(encoding="utf-8")
        here = json.dumps(f"-e '{_CLONE.as_posix()}[explore]'", ensure_ascii=False)
        text, count = re.subn(r"(?m)^( *pip_url:) -e \.\[explore\]$", lambda found: f"{found[1]} {here}", text)
        if count != 1:
            raise MeltanoError(f"meltano.yml should have `pip_url: -e .[explore]` once, and has it {count} times.")
        return text

    def install(self, *plugins: str) -> None:
        """Install plugins, each in a virtual environment of its own; without any, tap and target."""
        self._meltano("install", *(plugins or _PIPELINE))

    def run(self, *options: str) -> str:
        """Run the pipeline once, and tell what Meltano said."""
        return self._meltano("run", *options, *_PIPELINE)

    def shell(self, lines: str) -> str:
        """Run lines of bash in the project's folder, as a person would who has Meltano installed there.

        Raises:
            MeltanoError: One of them failed.
        """
        path = os.pathsep.join([str(command("meltano").parent), self._environment["PATH"]])
        done = subprocess.run(
            ["bash", "-ec", lines],
            cwd=self._folder,
            env=self._environment | {"PATH": path},
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            check=False,
        )
        if done.returncode:
            raise MeltanoError(f"failed ({done.returncode}):\n{lines}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def invoke(self, command: str, *arguments: str) -> str:
        """Run a command of the tap's, and tell what it and Meltano said."""
        return self._meltano("invoke", f"tap-afas:{command}", *arguments)

    def configure(self, **settings: Any) -> None:
        """Change settings of the tap."""
        self._environment |= _as_environment("TAP_AFAS", settings)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Set the pipeline's state by hand."""
        self._meltano("state", "set", "--force", f"dev:{'-to-'.join(_PIPELINE)}", json.dumps({"singer_state": state}))

    @property
    def state(self) -> dict[str, Any]:
        """The pipeline's state."""
        said = self._meltano("state", "get", f"dev:{'-to-'.join(_PIPELINE)}")
        state: dict[str, Any] = json.loads(said[said.index('{"') :])["singer_state"]
        return state

    @property
    def catalog(self) -> dict[str, Any]:
        """The catalog with which Meltano ran the tap."""
        path = self._folder / ".meltano" / "run" / "tap-afas" / "tap.properties.json"
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content

    def _constraints(self) -> Path:
        """The versions this project is tested with; or a release of today could break what is shown here."""
        path = self._folder / "constraints.txt"
        versions = {found.name: found.version for found in metadata.distributions() if found.name != "tap-afas"}
        path.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()), encoding="utf-8")
        return path

    def _meltano(self, *arguments: str, **variables: str) -> str:
        log = self._folder / "meltano.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [command("meltano"), *arguments],
                cwd=self._folder,
                env=self._environment | variables,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = process.wait(_LONGEST)
            except BaseException:
                _end(process)
                raise
        said = log.read_text(encoding="utf-8", errors="replace")
        if code:
            end = "\n".join(said.splitlines()[-_LAST_WORDS:])
            raise MeltanoError(f"`meltano {' '.join(arguments)}` failed ({code}):\n{end}")
        return said


def command(name: str) -> Path:
    """A command of the environment that the tests run in."""
    scripts = Path(sysconfig.get_path("scripts"))
    for path in (scripts / name, scripts / f"{name}.exe"):
        if path.exists():
            return path
    raise FileNotFoundError(f"{name} is not installed here; `python run.py test` installs what the tests need.")


def _as_environment(prefix: str, settings: Mapping[str, Any]) -> dict[str, str]:
    return {
        f"{prefix}_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in settings.items()
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process with all it has started."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)
    else:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
    process.wait()

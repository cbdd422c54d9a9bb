"""Ends of the tap, each brought about by a run.

`PYTHONPATH=tests python tests/docs/exit_cases.py` writes the table of what they end with.

A case is a function that runs the tap against a sandbox with three connectors, A, B and C.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

from afas_sandbox import Fault, Sandbox
from harness.articles import articles, config_of
from harness.command import on_hangup, run_tap
from harness.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "exit-codes.md"
PREFIX = "tap-afas ended: "
_TABLE = re.compile(r"(?<=<!-- cases -->\n).*?(?=<!-- /cases -->)", re.DOTALL)
_BUG = """
import sys
from unittest import mock
from tap_afas import preparation, tap
preparation.make_plan = mock.Mock(side_effect=ValueError("a bug"))
tap.main()
"""

_FOREIGN = {"bookmarks": {"orders": {"replication_key_value": 7}}}


def ended(ran: Run) -> dict[str, Any]:
    """What a run's last line says."""
    line = ran.log[-1].split(" | ", 3)[-1]
    assert line.startswith(PREFIX), ran.log
    found: dict[str, Any] = json.loads(line.removeprefix(PREFIX))
    return found


def process(config: Mapping[str, Any], command: str = '"$0" -m tap_afas --config "$1"', code: str = "") -> Run:
    """Run the tap by a line of a shell: `$0` is Python, `$1` the file of settings, `$2` some code."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "config.json")
        path.write_text(json.dumps(config), encoding="utf-8")
        line = ["bash", "-c", command, sys.executable, str(path), code]
        done = subprocess.run(line, capture_output=True, timeout=60, check=False)
    return Run(done.returncode, done.stdout, done.stderr.decode().splitlines())


def signalled(sandbox: Sandbox, *signals: int, hangup: signal.Handlers = signal.SIG_DFL) -> Run:
    """Run the tap, and send it signals once it reads: the second one while it can't write."""
    sandbox.load([articles(2000, "A"), articles(30, "B")])
    sandbox.faults = [Fault(delay=0.3, kind="rows", connector="B")]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "config.json")
        path.write_text(json.dumps(config_of(sandbox, page_size=1000, max_parallel_requests=1)), encoding="utf-8")
        command = [sys.executable, "-m", "tap_afas", "--config", str(path)]
        with on_hangup(hangup):
            started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        with started as running:
            assert running.stdout is not None
            head = b""
            while b'"RECORD"' not in head:
                head += running.stdout.readline()
            time.sleep(0.5)
            for signum in signals:
                running.send_signal(signum)
                time.sleep(0.2)
            rest, said = running.communicate(timeout=30)
    return Run(running.returncode, head + rest, said.decode().splitlines())


def faulty(sandbox: Sandbox, *faults: Fault, **settings: Any) -> Run:
    """Run the tap while something goes wrong."""
    sandbox.faults = faults
    return run_tap(config_of(sandbox, **settings))


def _gone(sandbox: Sandbox, *connectors: str) -> Run:
    catalog = run_tap(config_of(sandbox), "--discover").catalog
    config = config_of(sandbox)
    for connector in connectors:
        sandbox.remove(connector)
    return run_tap(config, catalog=catalog)


def _unselected(sandbox: Sandbox) -> Run:
    catalog = run_tap(config_of(sandbox), "--discover").catalog
    for stream in catalog["streams"]:
        stream["metadata"] = [{"breadcrumb": [], "metadata": {"selected": False}}]
    return run_tap(config_of(sandbox), catalog=catalog)


def _discovery(sandbox: Sandbox, *faults: Fault) -> Run:
    sandbox.faults = faults
    return run_tap(config_of(sandbox), "--discover")


def _unknown_field(sandbox: Sandbox) -> Run:
    return run_tap(config_of(sandbox, streams={"A": {"filter": [{"field": "No", "operator": "=", "value": "1"}]}}))


CASES: dict[str, Callable[[Sandbox], Run]] = {
    "all streams are complete": lambda sandbox: run_tap(config_of(sandbox)),
    "no stream is selected": _unselected,
    "`--test`, a row of each stream came": lambda sandbox: run_tap(config_of(sandbox), "--test"),
    "`--discover`": _discovery,
    "`--discover`, and AFAS doesn't describe a connector": lambda sandbox: _discovery(
        sandbox, Fault(refuse="blocked", connector="B", kind="metainfo")
    ),
    "an option that there isn't": lambda sandbox: run_tap(config_of(sandbox), "--sinc"),
    "a file of `--state` that there isn't": lambda sandbox: run_tap(config_of(sandbox), "--state", "/nowhere.json"),
    "what reads the output has ended": lambda sandbox: process(
        config_of(sandbox), '"$0" -m tap_afas --config "$1" | true; exit "${PIPESTATUS[0]}"'
    ),
    "the disk of the output is full": lambda sandbox: process(
        config_of(sandbox), '"$0" -m tap_afas --config "$1" >/dev/full'
    ),
    "the output is closed": lambda sandbox: process(config_of(sandbox), '"$0" -m tap_afas --config "$1" >&-'),
    "`--discover`, and the disk of the output is full": lambda sandbox: process(
        config_of(sandbox), '"$0" -m tap_afas --config "$1" --discover >/dev/full'
    ),
    "AFAS is busy from the beginning": lambda sandbox: faulty(sandbox, Fault(refuse="unavailable")),
    "no answer comes": lambda sandbox: faulty(sandbox, Fault(reset=True)),
    "AFAS is under maintenance for one stream": lambda sandbox: faulty(
        sandbox, Fault(refuse="maintenance", connector="B")
    ),
    "one connector is locked, another is too slow": lambda sandbox: faulty(
        sandbox,
        Fault(refuse="bad_gateway", connector="A", kind="rows"),
        Fault(refuse="timeout", connector="B", kind="rows"),
    ),
    "AFAS describes no connector, and is only busy": lambda sandbox: _discovery(
        sandbox, *(Fault(refuse="unavailable", kind="metainfo", connector=name) for name in "ABC")
    ),
    "a setting is wrong": lambda sandbox: run_tap(config_of(sandbox, page_size="many")),
    "`--discover`, and a setting is wrong": lambda sandbox: run_tap(config_of(sandbox, page_size=0), "--discover"),
    "the settings are no JSON": lambda sandbox: run_tap(None, "--config", str(pathlib.Path(__file__))),
    "the settings name a connector that there isn't": lambda sandbox: run_tap(config_of(sandbox, connectors=["Nope"])),
    "a filter names a field that there isn't": _unknown_field,
    "the token isn't accepted": lambda sandbox: run_tap(config_of(sandbox, token="6B" * 32)),
    "`--test`, and the token isn't accepted": lambda sandbox: run_tap(config_of(sandbox, token="6B" * 32), "--test"),
    "the address is wrong": lambda sandbox: run_tap({"base_url": f"{sandbox.root_url}/Other", "token": sandbox.token}),
    "the catalog is none": lambda sandbox: run_tap(config_of(sandbox), catalog="nonsense"),
    "no connector of the catalog is there any more": lambda sandbox: _gone(sandbox, "A", "B", "C"),
    "the state is another tap's": lambda sandbox: run_tap(config_of(sandbox), state=_FOREIGN),
    "the state can't be read": lambda sandbox: run_tap(config_of(sandbox), state="nonsense"),
    "one connector is blocked": lambda sandbox: faulty(sandbox, Fault(refuse="blocked", connector="B", kind="rows")),
    "one connector is blocked, another is only busy": lambda sandbox: faulty(
        sandbox,
        Fault(refuse="blocked", connector="B", kind="rows"),
        Fault(refuse="unavailable", connector="C", kind="rows"),
    ),
    "one connector of the catalog is gone": lambda sandbox: _gone(sandbox, "B"),
    "AFAS doesn't describe a connector that is to be read": lambda sandbox: faulty(
        sandbox, Fault(refuse="blocked", connector="B", kind="metainfo")
    ),
    "the rights went while rows were read": lambda sandbox: faulty(sandbox, Fault(refuse="unauthorized", kind="rows")),
    "a bug of the tap": lambda sandbox: process(config_of(sandbox), '"$0" -c "$2" --config "$1"', _BUG),
    "`SIGTERM`": lambda sandbox: signalled(sandbox, signal.SIGTERM),
    "`SIGINT` (Ctrl-C)": lambda sandbox: signalled(sandbox, signal.SIGINT),
    "`SIGHUP` (the terminal is closed)": lambda sandbox: signalled(sandbox, signal.SIGHUP),
    "a second signal": lambda sandbox: signalled(sandbox, signal.SIGINT, signal.SIGTERM),
}


def load(sandbox: Sandbox) -> None:
    """Have three connectors with thirty rows each."""
    sandbox.load([articles(30, name) for name in "ABC"])


def row(name: str, ran: Run) -> str:
    """A case's row in the table: how it ended, and what failed by its last line."""
    failed = ", ".join(
        f"{connector}{' (may pass)' if told['may_pass'] else ''}" for connector, told in ended(ran)["failed"].items()
    )
    return f"| {ran.exit_code:d} | {name} | {failed} |\n"


def rows() -> dict[str, str]:
    """The rows of the table as it is, by case."""
    found = _TABLE.search(PAGE.read_text("utf-8"))
    assert found is not None
    return {line.split(" | ")[1]: f"{line}\n" for line in found[0].splitlines()[2:]}


def main() -> None:
    """Write the table anew."""
    made = ["| Exit code | Case | `failed` |\n", "| --- | --- | --- |\n"]
    for name, case in CASES.items():
        with Sandbox() as sandbox:
            load(sandbox)
            made.append(row(name, case(sandbox)))
    PAGE.write_text(_TABLE.sub(lambda _: "".join(made), PAGE.read_text("utf-8")), encoding="utf-8")


if __name__ == "__main__":
    os.environ.pop("TAP_AFAS_LOGLEVEL", None)
    main()

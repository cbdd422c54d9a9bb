"""Who is measured: the tap, its peers and the plainest loops, each in an environment of its own."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from table import KEY, SCHEMA, TAKE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Path(__file__).parent
ROOT = HERE.parent
CACHE = ROOT / ".bench"
PEERS = HERE / "peers"


@dataclasses.dataclass(frozen=True)
class Reading:
    """What is read.

    Attributes:
        base_url: Of the server.
        connectors: By name.
        folder: For a contestant's settings.
        parallel: The tap's `max_parallel_requests`.
        stamp: The tap's replication key; None for full table.
    """

    base_url: str
    connectors: Sequence[str]
    folder: Path
    parallel: int = 5
    stamp: str | None = None

    def file(self, name: str, content: dict[str, Any]) -> str:
        """A settings file."""
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content))
        return str(path)


@dataclasses.dataclass(frozen=True)
class Contestant:
    """One way to read the table.

    Attributes:
        name: For the tables.
        package: What its environment holds; also the version shown.
        command: Its arguments, the first a program of its environment.
        besides: What the package needs and doesn't say.
    """

    name: str
    package: str
    command: Callable[[Reading], list[str]]
    besides: tuple[str, ...] = ()

    @property
    def environment(self) -> Path:
        """Where its environment is."""
        return CACHE / "environments" / self.package.partition("=")[0]

    def prepare(self) -> str:
        """Make its environment if it isn't there yet; returns the package's version."""
        if sys.platform == "win32":
            raise SystemExit("The benchmarks need Linux or macOS: Windows doesn't tell the memory of an ended process.")
        python = self.environment / "bin" / "python"
        if not python.exists():
            CACHE.mkdir(exist_ok=True)
            (CACHE / ".gitignore").write_text("*\n")
            _uv("venv", "--python", sys.executable, str(self.environment))
            what = [] if self.package == "tap-afas" else [self.package, *self.besides]
            _install(python, *what)
        if self.package == "tap-afas":
            # As users have it: a copy, and compiled. Made anew each time, so that it is what stands here.
            _install(python, "--reinstall-package", "tap-afas", str(ROOT))
        name = self.package.partition("=")[0]
        question = f"import importlib.metadata as m; print(m.version({name!r}))"
        return subprocess.run([python, "-c", question], check=True, capture_output=True, text=True).stdout.strip()

    def arguments(self, reading: Reading) -> list[str]:
        """The command line."""
        program, *others = self.command(reading)
        return [str(self.environment / "bin" / program), *others]


def _install(python: Path, *what: str) -> None:
    if what:
        _uv("pip", "install", "--compile-bytecode", "--python", str(python), *what)


def _uv(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "uv", "--quiet", *arguments], check=True)


def _tap(reading: Reading) -> list[str]:
    streams = {name: {"primary_keys": [KEY], "replication_key": reading.stamp} for name in reading.connectors}
    config = {
        "base_url": reading.base_url,
        "token": "<token><version>1</version><data>benchmark</data></token>",
        "max_parallel_requests": reading.parallel,
        "streams": streams,
    }
    return ["tap-afas", "--config", reading.file("tap-afas", config)]


def _first_sync(reading: Reading) -> list[str]:
    return _tap(dataclasses.replace(reading, stamp="Modified"))


def _told(reading: Reading) -> dict[str, Any]:
    return {"base_url": reading.base_url, "take": TAKE, "connectors": list(reading.connectors), "schema": SCHEMA}


def _rest_api_msdk(reading: Reading) -> list[str]:
    stream = {
        "records_path": "$.rows[*]",
        "params": {"orderbyfieldids": KEY},
        "primary_keys": [KEY],
        "schema": SCHEMA,
    }
    config = {
        "api_url": f"{reading.base_url}/connectors",
        "pagination_request_style": "simple_offset_paginator",
        "pagination_response_style": "offset",
        "pagination_page_size": TAKE,
        "pagination_initial_offset": 0,
        "pagination_next_page_param": "skip",
        "pagination_limit_per_page_param": "take",
        "offset_records_jsonpath": "$.rows",
        "streams": [{"name": name, "path": f"/{name}", **stream} for name in reading.connectors],
    }
    return ["tap-rest-api-msdk", "--config", reading.file("tap-rest-api-msdk", config)]


def _loop(name: str, *first: str) -> Callable[[Reading], list[str]]:
    def command(reading: Reading) -> list[str]:
        return ["python", str(PEERS / name), *first, reading.base_url, str(TAKE), *reading.connectors]

    return command


def _told_by_file(name: str) -> Callable[[Reading], list[str]]:
    return lambda reading: ["python", str(PEERS / name), reading.file(name, _told(reading))]


FULL_TABLE = Contestant("tap-afas, full table", "tap-afas", _tap)
FIRST_SYNC = Contestant("tap-afas, first incremental sync", "tap-afas", _first_sync)
REST_STREAM = Contestant("RESTStream as the SDK makes it", "tap-afas", _told_by_file("rest_stream_tap.py"))
REST_API_MSDK = Contestant("tap-rest-api-msdk", "tap-rest-api-msdk==1.4.2", _rest_api_msdk, ("setuptools<81",))
DLT_ITERATE = Contestant("dlt rest_api, iterated over", "dlt==1.31.0", _loop("dlt_pipeline.py", "iterate"))
DLT_JSONL = Contestant("dlt rest_api, to jsonl", "dlt==1.31.0", _loop("dlt_pipeline.py", "jsonl"))
AIRBYTE = Contestant("airbyte-cdk, declarative", "airbyte-cdk==7.39.1", _told_by_file("airbyte_source.py"))
NAIVE_LOOP = Contestant("naive loop: requests, json", "tap-afas", _loop("naive_loop.py"))
FLOOR_LOOP = Contestant("floor loop: requests, msgspec", "tap-afas", _loop("floor_loop.py"))

ALL = (
    FULL_TABLE,
    FIRST_SYNC,
    FLOOR_LOOP,
    NAIVE_LOOP,
    REST_STREAM,
    REST_API_MSDK,
    DLT_ITERATE,
    DLT_JSONL,
    AIRBYTE,
)

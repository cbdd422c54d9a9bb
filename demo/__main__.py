"""What `python3 run.py try` runs."""

from __future__ import annotations

import argparse
import contextlib
import io
import signal
import sys
import time
from typing import TYPE_CHECKING

from demo.comparison import Way
from demo.journey import journey
from demo.postgres import Postgres, PostgresError
from demo.project import MeltanoError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.journey import Arrived

_READ = {Way.WHOLE: "whole", Way.UPSERT: "by stamp", Way.APPEND: "appended"}
_LEGEND = (
    "whole     read completely each time; what is deleted in AFAS goes in PostgreSQL too",
    "by stamp  what changed since the last run; in the second all once more (full_refresh_every), to the same effect",
    "appended  what changed, without a key: rows come minutes late; what was deleted, and earlier versions, stay",
)
_SHOWN = 5
_LONGEST = 500


def main() -> int:
    """Make the journey and tell of it; 0 when both ends are the same."""
    parser = argparse.ArgumentParser(prog="run.py try", description="AFAS to PostgreSQL, twice, and compared.")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the AFAS environment (default: %(default)s)")
    parser.add_argument("--changes", type=int, default=5, help="of each kind in each table (default: %(default)s)")
    asked = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Not every console can show what stands in a row.
        sys.stdout.reconfigure(errors="replace")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with _Steps() as steps:
            with steps("PostgreSQL in a temporary folder"):
                postgres = steps.enter_context(Postgres())
            arrived = journey(postgres.database(), scale=asked.scale, changes=asked.changes, step=steps)
    except KeyboardInterrupt:
        _say("\nBroken off. Nothing is left running.")
        return 130
    except (PostgresError, MeltanoError) as error:
        _say(f"\n{error}")
        return 1
    _say("\n" + "\n".join(_table(arrived)))
    return _conclude(arrived, steps.seconds)


class _Steps(contextlib.ExitStack):
    """Says what is being done and how long it took."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    @contextlib.contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        begun = time.monotonic()
        if sys.stdout.isatty():
            _say(f"{what} ...", end="\r")
        yield
        _say(f"{what:<60}{time.monotonic() - begun:6.1f} s")


def _table(arrived: list[Arrived]) -> Iterator[str]:
    widest = max(len(one.connector) for one in arrived)
    line = f"{{:<{widest}}}  {{:<8}}  {{:>8}}  {{:>10}}  {{:>7}}  {{:>7}}  {{:>6}}"
    yield line.format("", "", "rows in", "rows in", "changed", "", "rows")
    yield line.format("GetConnector", "read", "AFAS", "PostgreSQL", "+ new", "deleted", "differ")
    yield line.format(*["-" * width for width in (widest, 8, 8, 10, 7, 7, 6)])
    for one in sorted(arrived, key=lambda one: one.connector.lower()):
        numbers = (one.rows_afas, one.rows_postgres, one.changed, one.deleted, len(one.differences))
        yield line.format(one.connector, _READ[one.way], *(f"{number:,}" for number in numbers))
    yield ""
    yield from _LEGEND


def _conclude(arrived: list[Arrived], seconds: float) -> int:
    differing = [one for one in arrived if one.differences]
    for one in differing:
        _say(f"\n{one.connector}: {len(one.differences):,} rows differ")
        for difference in one.differences[:_SHOWN]:
            _say(f"  {', '.join(map(str, difference.key))[:_LONGEST]}: {difference.what[:_LONGEST]}")
    rows = sum(one.rows_postgres for one in arrived)
    if differing:
        _say(f"\nNot the same: {len(differing)} of {len(arrived)} tables differ.")
        return 1
    _say(f"\nThe same: {rows:,} rows in {len(arrived)} tables, every value of every row. {seconds:.0f} s.")
    return 0


def _say(text: str, end: str = "\n") -> None:
    print(text, end=end, flush=True)  # noqa: T201 - a command speaks


if __name__ == "__main__":
    sys.exit(main())

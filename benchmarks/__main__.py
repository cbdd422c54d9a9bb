"""Measures the tap beside its peers, each as a whole process, on one local server.

    python3 run.py bench [taps] [memory] [parallel] [long] [target] [--runs N] [--rows N] [--json FILE]

Figures are medians; contestants take turns, so that what else the machine does falls on all of them.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import itertools
import json
import platform
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import contestants
from contestants import Contestant, Reading
from measure import Run, Server, median, run, serve
from target import into_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Entry = dict[str, Any]

AFAS_LIKE = (0.25, 40e-6, 2e-6)
"""Seconds for a call, a row and a skipped row, about as AFAS takes them."""

_SMALL = 50_000


@dataclasses.dataclass(frozen=True)
class Options:
    """What is asked for."""

    runs: int
    rows: int
    only: tuple[str, ...]


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201 - the tables are the result


def alternate(jobs: Mapping[str, Callable[[], Run]], runs: int) -> dict[str, list[Run]]:
    """Run all jobs once without counting, then all in turn."""
    results: dict[str, list[Run]] = {name: [] for name in jobs}
    for turn in range(runs + 1):
        for name, job in jobs.items():
            result = job()
            if turn or runs == 1:
                results[name].append(result)
        if runs == 1:
            break
    return results


def table(title: str, results: dict[str, list[Run]], rows: int) -> list[Entry]:
    """Print a table; returns its lines."""
    entries: list[Entry] = []
    fastest = min(median(runs).seconds for runs in results.values())
    say(f"\n### {title}\n\n| | s | rows/s | CPU s | peak MiB | of the fastest |")
    say("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, runs in results.items():
        middle = median(runs)
        say(
            f"| {name} | {middle.seconds:.2f} | {rows / middle.seconds:,.0f} | {middle.cpu:.2f} | {middle.peak:.0f} |"
            f" {fastest / middle.seconds:.2f} |"
        )
        figures = [dataclasses.asdict(each) for each in runs]
        entries.append({"title": title, "name": name, "rows": rows, "runs": figures})
    return entries


def job(contestant: Contestant, reading: Reading, server: Server, rows: int) -> Callable[[], Run]:
    """A contestant's run, checked by the server's log."""

    def work() -> Run:
        server.log()
        result = run(contestant.arguments(reading))
        server.check(rows)
        return result

    return work


def prepared(names: Iterable[Contestant]) -> dict[str, Contestant]:
    """The contestants by name with version, their environments ready."""
    return {f"{contestant.name} ({contestant.prepare()})": contestant for contestant in names}


def taps(options: Options, folder: Path) -> list[Entry]:
    """All contestants on one table."""
    chosen = prepared(each for each in contestants.ALL if any(part in each.name for part in options.only))
    with serve(options.rows) as server:
        reading = Reading(server.base_url, server.connectors, folder)
        jobs = {name: job(each, reading, server, options.rows) for name, each in chosen.items()}
        return table(f"{options.rows:,} rows of 18 fields", alternate(jobs, options.runs), options.rows)


def memory(options: Options, folder: Path) -> list[Entry]:
    """Peak memory over a small and a large table."""
    entries = []
    chosen = prepared([contestants.FULL_TABLE, contestants.FIRST_SYNC])
    for rows in (_SMALL, options.rows):
        with serve(rows) as server:
            reading = Reading(server.base_url, server.connectors, folder)
            jobs = {name: job(each, reading, server, rows) for name, each in chosen.items()}
            entries += table(f"Memory: {rows:,} rows", alternate(jobs, options.runs), rows)
    return entries


def parallel(options: Options, folder: Path) -> list[Entry]:
    """One, eight and forty connectors, with AFAS' delays: side by side, and one after the other."""
    entries = []
    chosen = prepared([contestants.FULL_TABLE, contestants.FIRST_SYNC, contestants.NAIVE_LOOP])
    for count, each in ((1, options.rows // 4), (8, options.rows // 8), (40, options.rows // 80)):
        with serve(each, count, AFAS_LIKE) as server:
            reading = Reading(server.base_url, server.connectors, folder)
            jobs = {name: job(contestant, reading, server, each) for name, contestant in chosen.items()}
            entries += table(
                f"{count} connectors of {each:,} rows, AFAS' delays", alternate(jobs, options.runs), count * each
            )
    return entries


def long(options: Options, folder: Path) -> list[Entry]:
    """Whether the end of a long walk is as fast as its beginning."""
    rows = options.rows * 5
    # The floor shows what of it is the machine.
    chosen = prepared([contestants.FULL_TABLE, contestants.FIRST_SYNC, contestants.FLOOR_LOOP])
    say(f"\n### A walk over {rows:,} rows\n")
    say(
        "| thousands of rows/s, by tenths | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | peak MiB |\n| --- |"
        + 11 * " ---: |"
    )
    found: dict[str, list[list[float]]] = {name: [] for name in chosen}
    with serve(rows) as server:
        reading = Reading(server.base_url, server.connectors, folder)
        for _, (name, contestant) in itertools.product(range(options.runs), chosen.items()):
            server.log()
            peak = run(contestant.arguments(reading)).peak
            log = [(when, first) for when, _, first, count in server.check(rows) if count]
            found[name].append([
                *(_rate(log, rows * tenth // 10, rows * (tenth + 1) // 10) for tenth in range(10)),
                peak,
            ])
    entries: list[Entry] = []
    for name, figures in found.items():
        *tenths, peak = map(statistics.median, zip(*figures, strict=True))
        say(f"| {name} | {' | '.join(f'{each / 1000:.0f}' for each in tenths)} | {peak:.0f} |")
        entries.append({"title": "long", "name": name, "rows": rows, "rows/s by tenths, peak": figures})
    return entries


def _rate(log: Sequence[tuple[float, int]], begin: int, end: int) -> float:
    within = [(when, first) for when, first in log if begin <= first <= end]
    return (within[-1][1] - within[0][1]) / (within[-1][0] - within[0][0])


def target(options: Options, folder: Path) -> list[Entry]:
    """The whole pipeline, into PostgreSQL."""
    rows = options.rows // 4
    chosen = prepared([contestants.FULL_TABLE, contestants.REST_STREAM])
    with serve(rows) as server, into_postgres(folder) as load:
        reading = Reading(server.base_url, server.connectors, folder)
        jobs = {name: functools.partial(load, each.arguments(reading), rows) for name, each in chosen.items()}
        return table(f"{rows:,} rows into PostgreSQL by target-postgres", alternate(jobs, options.runs), rows)


BENCHMARKS = {each.__name__: each for each in (taps, memory, parallel, long, target)}


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ", ".join(BENCHMARKS)
    parser.add_argument("benchmarks", nargs="*", metavar="benchmark", help=f"{names}; all of them if none is named")
    parser.add_argument("--runs", type=int, default=3, help="of each, after one that isn't counted; 1: just one (3)")
    parser.add_argument("--rows", type=int, default=400_000, help="rows of the table (400,000)")
    parser.add_argument("--only", action="append", help="of `taps`, those with this in their name; may come again")
    parser.add_argument("--json", type=Path, help="where to write the figures of all runs")
    given = parser.parse_args()
    unknown = set(given.benchmarks) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark: {', '.join(unknown)}")
    strange = [part for part in given.only or () if not any(part in each.name for each in contestants.ALL)]
    if strange:
        parser.error(f"no contestant has this in its name: {', '.join(strange)}")
    options = Options(given.runs, given.rows, tuple(given.only or [""]))
    say(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}; medians of {options.runs}")
    entries: list[Entry] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in given.benchmarks or BENCHMARKS:
            entries += BENCHMARKS[name](options, Path(folder))
    if given.json:
        given.json.write_text(json.dumps(entries, indent=1))


if __name__ == "__main__":
    main()

"""Each walk into a real PostgreSQL while rows change; and full tables whose rows go away."""

from __future__ import annotations

import collections
import itertools
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import Fault
from demo.comparison import as_loaded
from harness.process import load
from harness.run import committed
from harness.source import LAG, Source, Walk, row
from harness.syncing import run

if TYPE_CHECKING:
    from afas_sandbox import Sandbox
    from demo.postgres import Database

_FIELDS = ("Id", "Code", "Name", "Number", "Modified")


def _rows(database: Database, *, marked: bool = False) -> collections.Counter[tuple[Any, ...]]:
    """The rows in PostgreSQL: those that are not marked as deleted, or only those that are."""
    found = database.rows("Item") if database.tables() else []
    kept = [one for one in found if (one.get("_sdc_deleted_at") is not None) == marked]
    return collections.Counter(tuple(one[name] for name in _FIELDS) for one in kept)


def _wanted(source: Source) -> collections.Counter[tuple[Any, ...]]:
    connector = source.sandbox.connectors["Item"]
    return collections.Counter(as_loaded(connector, found) for found in source.rows.values())


def _source(sandbox: Sandbox, walk: str) -> Source:
    stamps = ["2024-05-15T09:59:59.600", "2024-01-01T00:00:00", "2024-05-15T09:57:00.200", None]
    return Source(
        sandbox, Walk.named(walk), [row(n * 2, stamps[n % 4], code=f"C{n % 5}", name=f"row {n}") for n in range(120)]
    )


@pytest.mark.parametrize("walk", ["by stamp", "by stamp, no key", "by key", "by offset"])
def test_under_change_and_killed(sandbox: Sandbox, database: Database, walk: str) -> None:
    source = _source(sandbox, walk)
    turns = itertools.count(1)

    def meanwhile(_: object) -> None:
        source.clock.tick()
        turn = next(turns)
        if turn < 25:
            alive = list(source.rows)
            source.update(alive[turn * 37 % len(alive)], source.clock.ago(turn % 3), Name=f"changed {turn}")
            source.insert(row(turn * 8 + 1, source.clock.ago(0), code="C1", name="new"))
            if turn % 3 == 0:
                source.delete(alive[turn * 53 % len(alive)])

    state: dict[str, Any] = {}
    for share in (0.4, 1.0):
        with source.before_each(meanwhile):
            ran = run(source, state, page_size=11)
        whole = committed(ran.output[: int(share * len(ran.output))])
        state = (load(whole, database).state if whole else None) or state
    if source.walk.appends:
        source.clock.tick(LAG)
    quiet = run(source, state, page_size=11)
    assert quiet.error is None, quiet.said
    load(quiet.output, database)
    assert not _wanted(source) - _rows(database)


@pytest.mark.parametrize("walk", ["by key", "by offset"])
@pytest.mark.parametrize("hard", [True, False])
def test_rows_that_are_gone(sandbox: Sandbox, database: Database, walk: str, hard: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    source = _source(sandbox, walk)
    settings: dict[str, Any] = {"page_size": 25, "emit_activate_version_messages": True}
    load(run(source, **settings).output, database, hard_delete=hard)
    before = _wanted(source)
    assert _rows(database) == before
    for number in (3, 4, 90):
        source.delete(number)
    gone = before - _wanted(source)

    # A walk that fails half-way takes nothing out.
    sandbox.faults = [Fault(kind="rows", nth=3, refuse="blocked")]
    failed = run(source, **settings)
    assert failed.error is not None
    assert not [message for message in failed.messages if message["type"] == "ACTIVATE_VERSION"]
    load(failed.output, database, hard_delete=hard)
    assert not before - _rows(database)
    assert not _rows(database, marked=True)
    if walk == "by key":
        assert _rows(database) == before

    sandbox.faults = []
    load(run(source, **settings).output, database, hard_delete=hard)
    assert _rows(database) == _wanted(source)
    marked = _rows(database, marked=True)
    assert not marked if hard else not gone - marked

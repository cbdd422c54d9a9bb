"""Killed runs, fresh starts, and Meltano, which merges a new STATE into the old one: no row is lost."""

from __future__ import annotations

import copy
import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from afas_sandbox import Fault
from harness.depth import depth
from harness.source import Source, Ticking, Walk, row
from harness.syncing import run
from harness.targets import Target, record
from tap_afas.inputs import StateError

if TYPE_CHECKING:
    from collections.abc import Callable

    from afas_sandbox import Cell, Request, Row, Sandbox

# Only `run.py` and the lock file bring Meltano: elsewhere the tap is tested without it.
pytest.importorskip("meltano.core.state_store.db", exc_type=ModuleNotFoundError)

_ROWS = 24
# As the version before left it, killed within a second that many rows share.
_BEFORE = {
    "replication_key": "Modified",
    "replication_key_value": "2024-05-15T06:00:00+00:00",
    "empties_read": True,
    "delivered": "MPnuF5fhAOVELP4t06Innaio9K5RJHieVRH+uwQsSjhYy+fhR+SnRw==",
    "place": {"keys": ["Id"], "after": ["4"], "since": "2024-05-15T07:59:59", "until": "2024-05-15T08:00:02"},
    "rows_read": 13,
}
_WALKS = {
    "stamp": Walk(("Id",), "Modified"),
    "stamp, key of two": Walk(("Code", "Id"), "Modified"),
    "number": Walk(("Id",), "Number"),
    "full table": Walk(("Id",), None),
}


class Meltano:
    """Meltano's own database of states, with the one job."""

    def __init__(self) -> None:
        import sqlalchemy  # noqa: PLC0415 - comes with Meltano
        from meltano.core.models import SystemModel  # noqa: PLC0415 - may not be there
        from meltano.core.state_store.db import DBStateStoreManager  # noqa: PLC0415 - likewise
        from sqlalchemy.orm import Session  # noqa: PLC0415 - likewise

        engine = sqlalchemy.create_engine("sqlite://")
        SystemModel.metadata.create_all(engine)
        self._store = DBStateStoreManager(session=Session(engine))

    @property
    def state(self) -> dict[str, Any]:
        """What a run is given that isn't a full refresh."""
        found = self._store.get("dev:tap-to-target")
        state: dict[str, Any] = json.loads(found.json_merged())["singer_state"] if found else {}
        return state

    def store(self, state: dict[str, Any], *, merges: bool) -> None:
        """Take a STATE of a run."""
        from meltano.core.state_store import MeltanoState  # noqa: PLC0415 - may not be there

        payload = {"singer_state": state}
        self._store.update(
            MeltanoState(
                "dev:tap-to-target", partial_state=payload if merges else {}, completed_state={} if merges else payload
            )
        )


@dataclasses.dataclass(frozen=True)
class Step:
    """A `meltano run`.

    Attributes:
        walk: How the stream is set up by then; empty: as it mostly is.
        fresh: With `--full-refresh`.
        strategy: Its `--state-strategy`; `auto` merges where it is a full refresh.
        cut: After this part of the output it is killed; None: never.
        fails: Which of its questions is refused; None: none.
        before: Changes before it.
        meanwhile: A change before each question.
        pause: Seconds before it.
        pace: Seconds before each question.
    """

    walk: str = ""
    fresh: bool = False
    strategy: str = "auto"
    cut: float | None = None
    fails: int | None = None
    before: tuple[tuple[int, str], ...] = ()
    meanwhile: tuple[tuple[int, str], ...] = ()
    pause: float = 0
    pace: float = 1

    @property
    def merges(self) -> bool:
        return self.strategy == "merge" or (self.strategy == "auto" and self.fresh)


_CHANGE = st.tuples(
    st.integers(1, _ROWS + 6), st.sampled_from(["now", "now", "now", "late", "empty", "insert", "delete"])
)
_STEPS = st.lists(
    st.builds(
        Step,
        walk=st.sampled_from([*[""] * 12, *_WALKS]),
        fresh=st.sampled_from([False, False, False, True]),
        strategy=st.sampled_from(["auto", "auto", "merge", "overwrite"]),
        cut=st.one_of(st.none(), st.floats(0, 1, allow_nan=False, width=16)),
        fails=st.one_of(st.none(), st.none(), st.integers(1, 8)),
        before=st.lists(_CHANGE, max_size=3).map(tuple),
        meanwhile=st.lists(_CHANGE, max_size=9).map(tuple),
        pause=st.sampled_from([0, 1, 200, 400, 100_000]),
        pace=st.sampled_from([0, 1, 400]),
    ),
    min_size=1,
    max_size=6,
)


class History:
    """A connector, what a target has of it, and what Meltano keeps."""

    def __init__(self, sandbox: Sandbox, walk: Walk, ages: list[float | None], page_size: int) -> None:
        clock = Ticking()
        rows: list[Row] = [
            row(n, None if ago is None else clock.ago(ago), code=f"C{n % 3}", name=f"row {n}", amount=n)
            for n, ago in enumerate(ages)
        ]
        self._walk = walk
        self.source = Source(sandbox, walk, rows, clock)
        self.target = Target(("Id",))
        self.meltano = Meltano()
        self.earlier: list[dict[str, Any]] = []
        self.has_other_key = False
        self._page_size = page_size
        self._used = len(rows)

    def begin_with_the_version_before(self) -> None:
        """What it had sent, and its STATE: all before the second in which it was killed."""
        for found in self.source.rows.values():
            if found[4] is None or str(found[4]) < "2024-05-15T08:00:00":
                self.target.rows[found[0],] = record(found)
        state = {"bookmarks": {"Item": copy.deepcopy(_BEFORE)}}
        self.earlier.append(copy.deepcopy(state))
        self.meltano.store(state, merges=False)

    def run(self, step: Step) -> Exception | None:
        """Make a run; what it fails with."""
        source, sandbox, waiting = self.source, self.source.sandbox, list(step.meanwhile)
        source.walk = _WALKS[step.walk] if step.walk else self._walk
        source.clock.tick(step.pause)
        for change in step.before:
            self._change(*change)

        def meanwhile(request: Request) -> None:
            source.clock.tick(step.pace)
            if waiting and request.kind == "rows":
                self._change(*waiting.pop())

        sandbox.faults = [Fault(nth=step.fails, refuse="blocked")] if step.fails else []
        with source.before_each(meanwhile):
            ran = run(source, {} if step.fresh else self.meltano.state, page_size=self._page_size)
        sandbox.faults = []
        self.has_other_key = "The stream was loaded under" in ran.said
        assert ran.error is None or step.fails or self.has_other_key or isinstance(ran.error, StateError), ran.said
        whole = ran.output
        if step.cut is not None:
            whole = whole[: int(step.cut * len(whole))]
            whole = whole[: whole.rfind(b"\n") + 1]
        self.target.load(whole)
        for line in whole.splitlines():
            if line.startswith(b'{"type":"STATE"'):
                self._merge(json.loads(line)["value"], step)
        return ran.error

    def _merge(self, state: dict[str, Any], step: Step) -> None:
        from meltano.core.utils import merge as untyped  # noqa: PLC0415 - may not be there

        merge: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]] = untyped

        for older in self.earlier:
            assert merge(copy.deepcopy(state), copy.deepcopy(older)) == state
        if "bookmark" in state.get("bookmarks", {}).get("Item", {}):
            self.earlier.append(state)
        self.meltano.store(state, merges=step.merges)

    def _change(self, number: int, what: str) -> None:
        source = self.source
        if what == "insert":
            self._used += 1
            new = row(1000 + self._used, source.clock.ago(0), code=f"C{self._used % 3}", amount=1000 + self._used)
            source.insert(new)
            return
        if number not in source.rows:
            return
        if what == "delete":
            source.delete(number)
            return
        stamp = {"now": source.clock.ago(0), "late": source.clock.ago(290), "empty": None}[what]
        self._used += 1
        # Numbers are drawn one after the other.
        values: dict[str, Cell] = {"Name": f"change {self._used}", "Number": 1000 + self._used, "Modified": stamp}
        source.update(number, None, **values)

    @property
    def lost(self) -> list[dict[str, Any]]:
        return self.target.missing(self.source.rows.values())


_AGES = st.lists(st.sampled_from([None, 0.0, 250.0, 7200.0, 9e6]), min_size=6, max_size=_ROWS)


@pytest.mark.slow
@pytest.mark.parametrize("walk", _WALKS)
@depth(12)
@given(ages=_AGES, steps=_STEPS, page_size=st.integers(1, 6), upgraded=st.booleans())
def test_no_history_loses_a_row(
    sandbox: Sandbox, *, walk: str, ages: list[float | None], steps: list[Step], page_size: int, upgraded: bool
) -> None:
    history = History(sandbox, _WALKS[walk], ages, page_size)
    if upgraded:
        history.begin_with_the_version_before()
    for step in [*steps, Step(pause=400), Step(pause=400)]:
        error = history.run(step)
        if isinstance(error, StateError) or history.has_other_key:
            # The message says what cures that: drop the table, and start the stream anew.
            event("another key")
            history.target.rows.clear()
            assert history.run(dataclasses.replace(step, fresh=True, pause=0)) is None or step.fails
    assert not history.lost

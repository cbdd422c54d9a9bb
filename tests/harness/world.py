"""AFAS without HTTP: rows that change before every question, kept otherwise than shown, under clocks that differ.

A `World` answers the queries of a paginator. `play` drives one through a history of runs, kills and changes, as `sync`
does through HTTP, and tells what a target then has.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import operator
import random
import unicodedata
import zoneinfo
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from tap_afas.appending import starting_point_without_key
from tap_afas.bookmark import read_bookmark
from tap_afas.profit.errors import ProfitError
from tap_afas.profit.page import Page
from tap_afas.profit.pagination.key import KeyField, key_from_text
from tap_afas.profit.pagination.keyset import KeysetPaginator
from tap_afas.profit.pagination.offset import OffsetPaginator
from tap_afas.profit.pagination.page_size import PageSize
from tap_afas.profit.pagination.scan import Scan, StartingPoint
from tap_afas.profit.pagination.selection import all_rows, changed_since, empty_stamp
from tap_afas.profit.pagination.stream_paginator import StreamPaginator
from tap_afas.profit.wall_time import WallClock
from tap_afas.replication_key import ReplicationKey
from tap_afas.resume_point import read_resume_point, resume_point_to_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.query import Condition, Query

ZONE = zoneinfo.ZoneInfo("Europe/Amsterdam")
OVERLAP = 300
_FIRST = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - wall time has no zone
_ORIGIN = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - likewise
KEYS: dict[str, tuple[KeyField, ...]] = {
    "int": (KeyField("A", "int"),),
    "ints": (KeyField("A", "int"), KeyField("B", "int"), KeyField("C", "int")),
    "text": (KeyField("A", "text"),),
    "text and int": (KeyField("A", "text"), KeyField("B", "int")),
    "decimal": (KeyField("A", "decimal"),),
    "decimal and int": (KeyField("A", "decimal"), KeyField("B", "int")),
    "moment": (KeyField("A", "moment"),),
    "moment and int": (KeyField("A", "moment"), KeyField("B", "int")),
}


@dataclasses.dataclass(frozen=True)
class Oddities:
    """What the world does otherwise than a plain one."""

    key: str = "int"
    padded: bool = False
    finer: bool = False
    ties: bool = False
    unit: int = 1
    compared_shown: bool = False
    rounded: bool = False
    zone: str | None = None
    slow: bool = False
    future: float = 0.0
    skew: tuple[int, ...] = (0,)
    cap: int | None = None
    clocks: tuple[int | None, ...] = (0,)
    purge: float = 0.0
    shift: int = 0
    empties: float = 0.0
    rows: int = 60
    take: int = 20
    ages: int = 5000
    waits: tuple[int, ...] = (0, 1, 200, 400, 1500, 4000)
    kills: bool = True
    busy: bool = True
    runs: int = 6
    int_stamp: bool = False
    restore: bool = False
    highest_fails: bool = False
    offset: bool = False
    appends: bool = False


class Rows(Page):
    """A page."""

    fields: Sequence[str] = ("A", "B", "C", "V", "S")

    def __init__(self, rows: Sequence[tuple[Any, ...]], fields: int, *, stamps: bool = True) -> None:
        self.rows = list(rows)
        self.keys = [row[:fields] for row in rows]
        self.stamps = [row[4] for row in rows] if stamps else []

    def __len__(self) -> int:
        return len(self.rows)

    def fingerprint(self, position: int) -> bytes:
        return repr(self.rows[position]).encode()

    def column(self, field: str) -> list[Any]:
        return [row[self.fields.index(field)] for row in self.rows]


class World:
    def __init__(self, chance: random.Random, odd: Oddities) -> None:
        self.chance, self.odd = chance, odd
        self.keys = KEYS[odd.key]
        start = {
            "oct": dt.datetime(2024, 10, 26, 23, tzinfo=dt.UTC),
            "mar": dt.datetime(2024, 3, 30, 23, tzinfo=dt.UTC),
        }
        self.now = start.get(odd.zone or "", dt.datetime(2024, 5, 15, 8, tzinfo=dt.UTC))
        self.version = 0
        self.counter = 0
        self.alive = True
        self.offset: int | None = 0
        self.late: list[tuple[dt.datetime, Any, Any]] = []
        self.requests = 0
        self.used = 0
        # By identity: [stored key, value, stored stamp].
        self.rows: dict[int, list[Any]] = {}
        self.snapshots: list[dict[int, list[Any]]] = []
        for _ in range(odd.rows):
            self.insert(
                None
                if chance.random() < odd.empties
                else self.wall() - dt.timedelta(seconds=chance.random() * odd.ages)
            )

    # Keys

    def new_key(self) -> tuple[Any, ...]:
        chance, odd = self.chance, self.odd
        shown = {tuple(map(self.show_key, self.keys, row[0])) for row in self.rows.values()}
        while True:
            self.used += 1
            number = chance.randrange(odd.rows * 3 + self.used)
            key: list[Any] = []
            for place, field in enumerate(self.keys):
                last = place == len(self.keys) - 1
                value = number if last else chance.randrange(3 if odd.ties else 9)
                if field.kind == "int":
                    key.append(value)
                elif field.kind == "text":
                    text = f"k{value:03}" if not odd.padded else str(value)
                    if odd.ties:
                        text = chance.choice([
                            text,
                            text.upper(),
                            text + " ",
                            text.replace("k", "ķ"),
                            f"æ{value}",
                            f"ae{value}",
                        ])
                    key.append(text.rjust(10) if odd.padded else text)
                elif field.kind == "decimal":
                    fine = Decimal(chance.randrange(100)) / 10_000 if odd.finer else Decimal(0)
                    key.append(Decimal(value) / 100 + fine)
                else:
                    moment = _FIRST + dt.timedelta(seconds=value * (1 if not odd.ties else 0.5))
                    key.append(moment)
            found = tuple(key)
            if tuple(map(self.show_key, self.keys, found)) not in shown:
                return found

    def show_key(self, field: KeyField, value: Any) -> Any:
        if field.kind == "text":
            return value.strip() if self.odd.padded else value.rstrip() if self.odd.ties else value
        if field.kind == "decimal":
            return value.quantize(Decimal("0.01"), ROUND_HALF_UP)
        if field.kind == "moment":
            fraction = f".{value.microsecond // 1000:03}" if value.microsecond else ""
            return f"{value:%Y-%m-%dT%H:%M:%S}{fraction}Z"
        return value

    def place(self, field: KeyField, value: Any) -> Any:
        """Where a stored value, or a literal, stands in the server's order."""
        if field.kind == "text":
            if self.odd.padded:
                return value
            text = unicodedata.normalize("NFKD", value.casefold().replace("æ", "ae").rstrip())
            return "".join(letter for letter in text if not unicodedata.combining(letter))
        return value

    def literal(self, field: KeyField, text: str) -> Any:
        if field.kind == "int":
            return int(text)
        if field.kind == "decimal":
            return Decimal(text)
        if field.kind == "moment":
            return dt.datetime.fromisoformat(text)
        return self.place(field, text)

    # Time

    def wall(self) -> dt.datetime:
        return self.now.astimezone(ZONE).replace(tzinfo=None)

    def wait(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)
        for commit in [one for one in self.late if one[0] <= self.now]:
            self.late.remove(commit)
            if commit[2] is None:
                self.rows.pop(commit[1], None)
            elif commit[1] in self.rows:
                self.rows[commit[1]][1:] = commit[2]

    def shown(self, stamp: Any) -> Any:
        if stamp is None or self.odd.int_stamp:
            return stamp
        if self.odd.rounded and self.odd.unit == 1:
            stamp += dt.timedelta(microseconds=500_000)
        stamp = stamp.replace(microsecond=0)
        seconds = (stamp - _ORIGIN).total_seconds() // self.odd.unit * self.odd.unit
        return (_ORIGIN + dt.timedelta(seconds=seconds)).isoformat()

    # What happens

    def stamp(self) -> Any:
        if self.odd.int_stamp:
            self.counter += 1
            return self.counter
        stamp = self.wall() + dt.timedelta(seconds=self.chance.choice(self.odd.skew))
        if self.chance.random() < self.odd.future:
            stamp += dt.timedelta(seconds=self.chance.choice([30, 2000, 10**8]))
        return stamp

    def insert(self, stamp: Any) -> None:
        self.version += 1
        if self.odd.int_stamp and stamp is not None:
            stamp = self.stamp()
        self.rows[self.version] = [self.new_key(), self.version, stamp]

    def change(self) -> None:
        chance = self.chance
        what = chance.random()
        stamp = None if chance.random() < self.odd.empties / 3 else self.stamp()
        if what < 0.15 or not self.rows:
            self.insert(stamp)
            return
        name = chance.choice(list(self.rows))
        if any(one[1] == name for one in self.late):
            return
        self.version += 1
        new = None if what < 0.25 else [self.version, stamp]
        if new is not None and chance.random() < 0.2:
            self.late.append((self.now + dt.timedelta(seconds=chance.random() * OVERLAP * 0.95), name, new))
        elif new is None:
            self.rows.pop(name)
        else:
            self.rows[name][1:] = new

    def changes(self) -> None:
        for _ in range(self.chance.choice([0, 0, 1, 3, 9]) if self.odd.busy else 0):
            self.change()
        if self.odd.busy and self.chance.random() < 0.03:
            for name in list(self.rows)[:40]:
                self.version += 1
                if not any(one[1] == name for one in self.late):
                    self.rows[name][1:] = [self.version, self.stamp()]
        if self.chance.random() < self.odd.purge:
            names = self.ordered()
            low = self.chance.randrange(len(names) + 1)
            for name in names[low : low + self.chance.choice([5, 30, 60])]:
                self.rows.pop(name)

    def ordered(self) -> list[int]:
        return sorted(
            self.rows, key=lambda name: [self.place(f, v) for f, v in zip(self.keys, self.rows[name][0], strict=True)]
        )

    # Questions

    def holds(self, name: int, one: Condition) -> bool:
        key, _, stamp = self.rows[name]
        field = next((field for field in self.keys if field.id == one.field), None)
        if field is not None:
            if one.operator == "empty":
                return False
            have: Any = self.place(field, key[self.keys.index(field)])
            want: Any = self.literal(field, one.value)
        else:
            if one.operator in {"empty", "not empty"}:
                return (stamp is None) == (one.operator == "empty")
            if stamp is None:
                return False
            if self.odd.int_stamp:
                have, want = stamp, int(one.value)
            else:
                have = dt.datetime.fromisoformat(self.shown(stamp)) if self.odd.compared_shown else stamp
                want = dt.datetime.fromisoformat(one.value) + dt.timedelta(seconds=self.odd.shift)
        compare = {">=": operator.ge, "<=": operator.le, "=": operator.eq, ">": operator.gt, "<": operator.lt}
        return bool(compare[one.operator](have, want))

    def row(self, name: int) -> tuple[Any, ...]:
        key, value, stamp = self.rows[name]
        shown = [self.show_key(field, one) for field, one in zip(self.keys, key, strict=True)]
        return (*shown, *[None] * (3 - len(shown)), value, self.shown(stamp))

    def ask(self, query: Query) -> Rows:
        self.requests += 1
        if self.requests > 5000:
            raise AssertionError("no end")
        self.wait(self.chance.choice([0, 0.3, 1, 30, 100]) if self.alive else 0.1)
        if self.alive:
            self.changes()
        pieces = self.chance.choice([1, 2, 3]) if self.odd.slow and self.alive else 1
        if query.order[0].startswith("-"):
            names = [
                name for name in self.rows if any(all(self.holds(name, one) for one in group) for group in query.filter)
            ]
            names.sort(key=lambda name: self.rows[name][2], reverse=True)
            return Rows([self.row(name) for name in names[: query.take]], len(self.keys))
        most = min(query.take, self.odd.cap or query.take)
        cuts = sorted(self.chance.choices(self.ordered(), k=pieces - 1), key=self.ordered().index) if self.rows else []
        ends = [self.rank(name) for name in cuts] + [None]
        found: list[tuple[Any, ...]] = []
        low = None
        for number, end in enumerate(ends):
            if number:
                self.wait(self.chance.choice([0, 20, 200, 440]))
                self.changes()
            for name in self.ordered():
                rank = self.rank(name)
                if (low is not None and rank <= low) or (end is not None and rank > end):
                    continue
                if not query.filter or any(all(self.holds(name, one) for one in group) for group in query.filter):
                    found.append(self.row(name))
            low = end if end is not None else low
        return Rows(found[query.skip : query.skip + most], len(self.keys))

    def rank(self, name: int) -> list[Any]:
        return [self.place(field, one) for field, one in zip(self.keys, self.rows[name][0], strict=True)]


def run(
    world: World, state: dict[str, Any], target: dict[Any, Any], kill: int | None = None, trace: list[Any] | None = None
) -> dict[str, Any]:
    """One run, as `sync` makes it."""
    odd, keys = world.odd, () if world.odd.appends else world.keys
    rkey = ReplicationKey("S", "int" if odd.int_stamp else "date-time", WallClock(), OVERLAP)
    date = None if world.offset is None else (world.now + dt.timedelta(seconds=world.offset)).replace(microsecond=0)
    start = date or world.now
    bookmark = read_bookmark("X", state, rkey)
    resume_point = None
    if bookmark.place:
        resume_point, start = read_resume_point("X", bookmark.place, keys, rkey)
    cap = rkey.cap(start)
    lower = resume_point.lower if resume_point else bookmark.lower_bound(rkey)
    scans = (
        [Scan(all_rows(), name="all")]
        if lower is None or odd.appends
        else [Scan(changed_since("S", lower), name="changed"), Scan(empty_stamp("S"), name="empty")]
    )
    size = PageSize(odd.take)
    order = list(world.keys)

    def by_offset(where: Any) -> OffsetPaginator:
        return OffsetPaginator(order, size, where)

    paginator = StreamPaginator(
        scans,
        walk=(lambda where, cursor: by_offset(where))
        if odd.offset or odd.appends
        else lambda where, cursor: KeysetPaginator(keys, size, where, cursor),
        by_offset=by_offset,
        order=[key.id for key in order],
        keys=keys,
        size=size,
        stamp="S",
        since=starting_point_without_key(bookmark, rkey, None, start, ())
        if odd.appends
        else StartingPoint(
            lower,
            bookmark.bookmark,
            None if bookmark.witness is None else key_from_text(bookmark.witness, keys),
            bookmark.unit,
            cap,
            at_once=lower is not None and resume_point is None,
        ),
        resume_point=resume_point,
    )
    pages = 0
    while not paginator.done:
        query = paginator.next_query()
        if odd.highest_fails and paginator.tries_once:
            world.wait(30)
            paginator.shrink()
            continue
        asked = world.now
        page = world.ask(query)
        new = paginator.advance(query, page, (world.now - asked).total_seconds())
        if trace is not None:
            trace.append((str(query), [c for g in query.filter for c in g], page.rows, list(new), paginator.phase))
        for position in new:
            key = page.rows[position][:4] if odd.appends else page.keys[position]
            if odd.appends and key in target:
                raise AssertionError(f"twice: {key}")
            target[key] = page.rows[position][3]
        pages += 1
        if not paginator.done:
            here = paginator.resume_point
            bookmark = dataclasses.replace(
                bookmark, place=resume_point_to_text(here, keys, start) if here else bookmark.place
            )
            state = bookmark.to_state(rkey)
            if kill is not None and pages >= kill:
                return state
    began = date if resume_point is None else None
    now = None if world.offset is None else (world.now + dt.timedelta(seconds=world.offset)).replace(microsecond=0)
    return bookmark.completed(rkey, paginator.stamps, start=start, began=began, now=now, appends=odd.appends).to_state(
        rkey
    )


def play(seed: int, odd: Oddities) -> tuple[str, Any]:
    """A history: what became of it, and what a target lacks at the end."""
    chance = random.Random(seed)  # noqa: S311 - test data
    world = World(chance, odd)
    target: dict[Any, Any] = {}
    state: dict[str, Any] = {}
    world.offset = chance.choice(odd.clocks)
    try:
        for _ in range(chance.randrange(1, odd.runs)):
            kill = chance.choice([None, None, 1, 2, 5]) if odd.kills else None
            state = run(world, state, target, kill)
            world.wait(chance.choice(odd.waits))
        world.alive = False
        world.wait(OVERLAP + 1)
        for _ in range(2):
            state = run(world, state, target)
    except ProfitError as error:
        return "failed", str(error)
    want = {
        tuple(world.show_key(f, v) for f, v in zip(world.keys, row[0], strict=True)): row[1]
        for row in world.rows.values()
    }
    lost = {key: value for key, value in want.items() if target.get(key) != value}
    return ("lost", lost) if lost else ("whole", None)


def append(seed: int, odd: Oddities) -> tuple[str, Any]:
    """A history of a stream that appends, with changes between the runs: what a target lacks at the end."""
    chance = random.Random(seed)  # noqa: S311 - test data
    world = World(chance, odd)
    target: dict[Any, Any] = {}
    state: dict[str, Any] = {}
    for _ in range(chance.randrange(1, odd.runs)):
        world.alive = True
        for _ in range(chance.randrange(3)):
            world.changes()
            world.wait(chance.choice([0, 1, 100, 3000]))
        world.alive = False
        state = run(world, state, target)
        world.wait(chance.choice(odd.waits))
    # An hour may look like a day for a while; a number is sent once it has been pending for long enough.
    for _ in range(3 if odd.int_stamp else 1):
        world.wait(OVERLAP + 2 * 86_400 + 2)
        state = run(world, state, target)
    sent = set(target.values())
    lost = [row for row in world.rows.values() if row[1] not in sent]
    return ("lost", lost) if lost else ("whole", None)

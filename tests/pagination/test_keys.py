"""Keys that don't tell rows apart, that only the server can order, or that make long questions."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import itertools
import operator
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from afas_sandbox import Connector, Field, Table
from harness.command import run_tap
from harness.depth import depth
from harness.source import CODE, FIELDS, MODIFIED, Answer, Source, Ticking, Walk, row
from harness.syncing import run
from harness.targets import Target
from tap_afas.profit.pagination.key import KeyField, UnfitKeyError, key_from_text, key_to_text, shortest_prefix
from tap_afas.profit.pagination.keyset import KeysetPaginator
from tap_afas.profit.pagination.offset import OffsetPaginator
from tap_afas.profit.pagination.page_size import PageSize
from tap_afas.profit.wall_time import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from afas_sandbox import Row, Sandbox
    from tap_afas.profit.pagination.key import Key, KeyKind, Value
    from tap_afas.profit.query import Filter

_OLD = "2024-01-01T00:00:00"
_TEXTS = st.one_of(
    st.text("aAáÁbB eé-'1", min_size=1, max_size=3),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6),
    st.sampled_from([
        "a,b",
        "a;b",
        '"',
        "\\",
        "%",
        "&",
        "+",
        "#",
        "[is leeg]",
        "00",
        "1e3",
        "ß",
        "ss",
        "😀",
        "a ",
        " a",
    ]),
)


def _after(key: Key, groups: Filter) -> bool:
    """Whether a row is among those asked for; its fields are k0, k1, …, wide enough to sort as text."""
    values = {f"k{number}": str(value).removesuffix("Z") for number, value in enumerate(key)}
    holds = {">": operator.gt, ">=": operator.ge, "=": operator.eq}
    return not groups or any(
        all(one.operator in holds and holds[one.operator](values[one.field], str(one.value)) for one in group)
        for group in groups
    )


@pytest.mark.parametrize("kinds", [("int",), ("moment",), ("int", "moment"), ("moment", "int"), ("text",)])
def test_what_a_walk_by_key_remembers_is_bounded(kinds: tuple[KeyKind, ...]) -> None:
    one_of: dict[str, Callable[[int], Value]] = {
        "int": lambda number: 100_000 + number,
        "text": lambda number: f"{number:09}",
        "moment": lambda number: (
            f"{datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=number / 4):%FT%T}Z"
        ),
    }
    rows = [tuple(one_of[kind](number) for kind in kinds) for number in range(1000)]
    rows = sorted({key[0]: key for key in rows}.values()) if kinds == ("moment",) else rows
    walk = KeysetPaginator([KeyField(f"k{number}", kind) for number, kind in enumerate(kinds)], PageSize(20), ())
    found: list[Key] = []
    while not walk.done:
        asked = walk.next_query()
        page = [key for key in rows if _after(key, asked.filter)][asked.skip : asked.skip + asked.take]
        found += [page[position] for position in walk.advance(asked, Answer(page, [None] * len(page)))]
        assert len(walk._known) <= 60
        assert len(walk.cursor) <= 20
    assert found == rows


@pytest.mark.parametrize("key", ["a", None])
def test_keys_are_checked_where_a_walk_goes_by_offset(key: str | None) -> None:
    walk = OffsetPaginator([KeyField("Id", "int")], PageSize(10), keys=[KeyField("Code", "text")])
    with pytest.raises(UnfitKeyError, match="Code"):
        walk.advance(walk.next_query(), Answer([("a",), (key,)], [None, None]))


@pytest.mark.slow
@pytest.mark.parametrize("stamp", [None, "Modified"])
@depth(40)
@given(codes=st.lists(_TEXTS, unique=True, max_size=25), page_size=st.integers(1, 6))
@example(codes=["a", "A", "á", "Á", "a ", "A "], page_size=2)
@example(codes=["abc", "ABC", "Abc", "aBC", "abC", "ABc", "AbC"], page_size=2)
def test_only_the_server_orders_text(sandbox: Sandbox, stamp: str | None, codes: list[str], page_size: int) -> None:
    rows = [row(number, _OLD, code=code, name=f"row {number}") for number, code in enumerate(codes)]
    source = Source(sandbox, Walk(("Code",), stamp), rows)
    ran = run(source, page_size=page_size)
    assert ran.error is None, ran.said
    target = Target(("Code",))
    target.load(ran.output)
    assert not target.missing(rows)


_SPECIAL = [
    *FIELDS[:2],
    Field("Price", "decimal", "Price", "Prijs", 26, 10),
    Field("Day", "date", "Day", "Dag", control_type=4),
    Field("At", "date", "At", "Op", control_type=8),
    Field("Yes", "boolean", "Yes", "Ja"),
]


@pytest.mark.slow
@pytest.mark.parametrize("display", ["rounded", "cut", "exact"])
@pytest.mark.parametrize("key", ["Price", "Day", "At", "Yes"])
@depth(6)
@given(
    parts=st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 4)), unique=True, min_size=1, max_size=30),
    page_size=st.integers(1, 5),
)
def test_keys_of_other_types(
    sandbox: Sandbox, display: str, key: str, parts: list[tuple[int, int]], page_size: int
) -> None:
    rows = [
        (
            second,
            "C",
            f"{first}.{first % 10}",
            f"2024-01-{first + 13}T00:00:00.000",
            f"2024-01-01T00:00:{first // 2 + 20}.{499 * (first % 2) + 4 - second:03}",
            first > 0,
        )
        for first, second in (parts if key != "Yes" else {(int(first > 0), second) for first, second in parts})
    ]
    if key == "At":
        # Within a second, the order of the ids is not the order of the moments.
        rows = [(number, *found[1:]) for number, found in enumerate(rows)]
    source = Source(sandbox, Walk((key, "Id"), None), rows, fields=_SPECIAL, display=display)
    ran = run(source, page_size=page_size)
    assert ran.error is None, ran.said
    assert {(str(found[key]), found["Id"]) for found in ran.records()} == {
        (str(found[key]), found["Id"]) for found in run(source).records()
    }
    assert len(ran.records()) >= len(rows)
    assert {found["Id"] for found in ran.records()} == {found[0] for found in rows}


@pytest.mark.parametrize("stamp", [None, "Modified"])
@depth(12)
@given(
    count=st.integers(2, 40),
    page_size=st.integers(1, 9),
    first=st.integers(0, 38),
    apart=st.integers(1, 39),
    same_stamp=st.booleans(),
)
def test_a_repeated_key_fails(
    sandbox: Sandbox, *, stamp: str | None, count: int, page_size: int, first: int, apart: int, same_stamp: bool
) -> None:
    first %= count - 1
    second = min(first + apart, count - 1)
    clock = Ticking()
    rows = [row(number, clock.ago(9e6 - number), code=f"C{number}", amount=number % 3) for number in range(count)]
    rows[second] = (rows[first][0], *rows[second][1:])
    if same_stamp:
        rows[second] = (*rows[second][:MODIFIED], rows[first][MODIFIED])
    source = Source(sandbox, Walk(("Id",), stamp), rows)
    ran = run(source, page_size=page_size)
    assert ran.error is not None
    assert f"The key Id is not unique: more than one row has Id = {rows[first][0]}." in ran.said


def test_the_advice_on_a_repeated_key(sandbox: Sandbox) -> None:
    rows = [row(number // 2, _OLD, code=f"C{number % 2}", name="x", amount=number // 4) for number in range(8)]
    ran = run(Source(sandbox, Walk(("Id",), None), rows))
    assert (
        "In this page of 8, Id and Code tell all rows apart: set `streams.Item.primary_keys` to"
        ' ["Id", "Code"], or to [] if there is no key. AFAS itself tells the key in the developer report of its'
        " AppConnector Auditor"
    ) in ran.said
    assert "assumed" not in ran.said
    rows = [row(n // 4, _OLD, code=f"C{n % 2}", name="x", amount=n // 2 % 2) for n in range(8)]
    ran = run(Source(sandbox, Walk(("Id",), None), rows))
    assert 'Id, Code and Number tell all rows apart: set `streams.Item.primary_keys` to ["Id", "Code",' in ran.said
    ran = run(Source(sandbox, Walk(("Id",), None), [row(1, _OLD)] * 2))
    assert "set `streams.Item.primary_keys` to [] to load it without one, or add an id field" in ran.said


@pytest.mark.parametrize("stamp", [None, "Modified"])
@pytest.mark.parametrize("place", [0, 7, 19])
@pytest.mark.parametrize("page_size", [3, 100])
def test_an_empty_key_fails(sandbox: Sandbox, stamp: str | None, place: int, page_size: int) -> None:
    clock = Ticking()
    rows: list[Row] = [row(n, clock.ago(9e6 - n), code=f"C{n:02}") for n in range(20)]
    rows[place] = (*rows[place][:CODE], None, *rows[place][CODE + 1 :])
    ran = run(Source(sandbox, Walk(("Code", "Id"), stamp), rows), page_size=page_size)
    assert ran.error is not None
    assert f"The key field Code is empty in a row (Code = None, Id = {place})." in ran.said


def test_an_empty_key_that_comes_up_behind_the_walk(sandbox: Sandbox) -> None:
    source = Source(sandbox, Walk(("Code",), None), [row(n, _OLD, code=f"C{n:02}") for n in range(9)])
    turns = itertools.count()

    def meanwhile(_: object) -> None:
        if next(turns) == 2:
            source.insert((99, None, "new", 0, _OLD))

    with source.before_each(meanwhile):
        ran = run(source, page_size=3)
    assert "The key field Code is empty in a row" in ran.said


@pytest.mark.parametrize("stamp", [None, "Modified"])
def test_a_row_that_is_read_again_does_not_repeat(sandbox: Sandbox, stamp: str | None) -> None:
    source = Source(sandbox, Walk(("Id",), stamp), [row(n, "2024-05-15T09:59:59") for n in range(20)])
    target = Target(("Id",))

    def meanwhile(_: object) -> None:
        source.clock.tick()
        for number in range(1, 21):
            source.update(number, source.clock.ago(0), Name=f"at {source.clock.now}")

    with source.before_each(lambda request: meanwhile(request) if request.number < 12 else None):
        ran = run(source, page_size=7)
    assert ran.error is None, ran.said
    quiet = run(source, ran.state)
    target.load(ran.output)
    target.load(quiet.output)
    assert not target.missing(source.rows.values())


def test_an_unsortable_key_falls_back_on_the_offset(sandbox: Sandbox) -> None:
    fields = [FIELDS[0], dataclasses.replace(FIELDS[1], length=400), *FIELDS[2:]]
    rows = [row(n, _OLD, code=f"C{n}", name=f"row {n % 4}") for n in range(40)]
    source = Source(sandbox, Walk(("Code",), None), rows, fields=fields)
    ran = run(source, page_size=7)
    assert ran.error is None, ran.said
    assert "skip=0" not in ran.pages[-1].query
    assert "filter" not in ran.pages[-1].query
    target = Target(("Code",))
    target.load(ran.output)
    assert not target.missing(rows)


_FIVE = ("UnitId", "Year", "JournalId", "EntryNo", "SeqNo")
_LONGEST_QUESTION = 2049


def _entries() -> list[Row]:
    """Entries of a mass import: all changed in the same second."""
    chance = random.Random(1)  # noqa: S311 - test data
    return [
        (unit, year, journal, entry, line, "2026-01-01T00:00:00.500")
        for unit, year, journal, entry in itertools.product((1, 2), (2024, 2025), ("10", "MEMO"), range(1, 12))
        for line in range(1, chance.randint(2, 5))
    ]


@pytest.mark.slow
@pytest.mark.parametrize("page_size", [3, 7, 50, 100, 5000])
@pytest.mark.parametrize("replication_key", ["Modified", None])
@pytest.mark.parametrize("filtered", [False, True])
def test_what_does_not_fit_into_a_question_is_asked_in_turns(
    sandbox: Sandbox, *, page_size: int, replication_key: str | None, filtered: bool
) -> None:
    rows = _entries()
    kinds = [Field(name, "string" if name == "JournalId" else "int", "", "", 10) for name in _FIVE]
    connector = Connector("L", "", "", (*kinds, FIELDS[MODIFIED]), key=_FIVE, stamp="Modified")
    sandbox.load([Table(connector, rows, lambda _: rows[0])])
    settings: dict[str, Any] = {"primary_keys": list(_FIVE), "replication_key": replication_key, "page_size": page_size}
    if filtered:
        settings["filter"] = [
            [{"field": "Year", "operator": "=", "value": 2024}, {"field": "UnitId", "operator": ">=", "value": 1}],
            [{"field": "Year", "operator": "=", "value": 2025}],
        ]
    ran = run_tap({"base_url": sandbox.base_url, "token": sandbox.token, "streams": {"L": settings}})
    assert ran.exit_code == 0, ran.said
    assert sorted(tuple(found[field] for field in _FIVE) for found in ran.records("L")) == sorted(
        found[:5] for found in rows
    )
    assert max(len(request.query) + 1 for request in sandbox.log) <= _LONGEST_QUESTION


def test_a_page_ends_within_as_few_fields_as_tell_its_half_apart() -> None:
    fields = [KeyField("Year", "int"), KeyField("Entry", "int"), KeyField("Line", "int")]
    for depth_wanted, keys in [
        (1, [(2020 + place, 1, 1) for place in range(9)]),
        (2, [(2020, place, 1) for place in range(9)]),
        (3, [(2020, 1, place) for place in range(9)]),
        # Half of a page may tie; one row more may not.
        (1, [(2020, 1, place) for place in range(5)] + [(2021, 1, place) for place in range(5)]),
        (3, [(2020, 1, place) for place in range(4)] + [(2021, 1, place) for place in range(6)]),
        # Where more ties in all fields, there is no better than all of them.
        (3, [(2020, 1, 1)] * 9),
        (1, [(2020, 1, 1), (2021, 1, 1)]),
    ]:
        assert shortest_prefix(fields, keys) == fields[:depth_wanted], keys


@pytest.mark.parametrize(
    "text", ["", "[", "1", "{}", "[]", "[1]", "[1, 2, 3]", '["a", 2]', "[1, null]", "[true, 2]", "[" * 10**5]
)
def test_what_is_no_key_of_these_fields(text: str) -> None:
    with pytest.raises(UnreadableError):
        key_from_text(text, [KeyField("Year", "int"), KeyField("Entry", "int")])


def test_a_key_as_text_and_back() -> None:
    fields = [KeyField("Year", "int"), KeyField("Code", "text"), KeyField("Amount", "decimal")]
    key = (2020, 'a"b', decimal.Decimal("1.50"))
    assert key_from_text(key_to_text(key), fields) == key

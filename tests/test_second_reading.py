"""Ways to lose a row, or to refuse a sound one, that reading the code found; each failed before it was mended."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from model import FIELDS, Source, Target, Ticking, Walk, row, run

from tap_afas.sandbox import Field, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.sandbox import Row, Sandbox

pytest_plugins = ["tap_afas.sandbox.fixtures"]

STAMP = "2024-03-01T03:00:00.000"
CODE = Field("Code", "string", "Code", "Code", 30)
NUMBER = Field("No", "int", "Number", "Nummer", 9)
MEMO = Field("Memo", "blob", "Memo", "Memo")
CHANGED = Field("Modified", "date", "Changed on", "Gewijzigd op", control_type=8)
BY_DAY = (*FIELDS[:4], dataclasses.replace(CHANGED, control_type=4))


def source_of(
    sandbox: Sandbox,
    fields: Sequence[Field],
    key: Sequence[str],
    stamp: str | None,
    rows: Sequence[Row],
    **options: Any,
) -> Source:
    """A source with fields of its own."""
    source = Source(sandbox, Walk(tuple(key), stamp), [], fields=BY_DAY)
    kept = dataclasses.replace(sandbox.connectors["Item"], fields=tuple(fields), key=(), stamp=None, changeable=())
    sandbox.load([Table(kept, rows, lambda _: rows[0])], **options)
    return source


@pytest.mark.parametrize("stamp", [None, "Modified"])
def test_texts_that_only_afas_holds_equal(sandbox: Sandbox, stamp: str | None) -> None:
    names = [name for number in range(12) for name in (f"row{number}é", f"ROW{number}É", f"Row{number}é ")]
    for _ in range(10):
        source = source_of(sandbox, (CODE, CHANGED), (), stamp, [(name, STAMP) for name in names])
        ran = run(source, page_size=5)
        found = {record["Code"] for record in ran.records}
        assert ran.error is not None or found == set(names)


@pytest.mark.parametrize("count", [500, 2000])
def test_a_tie_larger_than_a_page_comes_once(sandbox: Sandbox, count: int) -> None:
    source = source_of(sandbox, (CODE, MEMO), (), None, [("same", f"memo {number}") for number in range(count)])
    ran = run(source, page_size=100)
    assert ran.error is None, ran.said
    assert collections.Counter(record["Memo"] for record in ran.records) == collections.Counter(
        f"memo {number}" for number in range(count)
    )


def test_a_day_as_stamp_is_read_again_from_its_midnight(sandbox: Sandbox) -> None:
    clock = Ticking(dt.datetime(2024, 3, 1, 0, 1))  # noqa: DTZ001 - wall time has no zone
    rows = [row(1, "2024-02-28T00:00:00.000", name="a"), row(2, "2024-03-01T00:00:00.000", name="b")]
    source = Source(sandbox, Walk.named("by stamp"), rows, clock, fields=BY_DAY)
    ran = run(source)
    clock.tick(60)
    source.update(1, "2024-02-29T00:00:00.000", Name="committed late")
    clock.tick(3600)
    assert "committed late" in [record["Name"] for record in run(source, ran.state).records]


def test_a_day_as_stamp_and_a_start_date(sandbox: Sandbox) -> None:
    clock = Ticking(dt.datetime(2024, 3, 5))  # noqa: DTZ001 - wall time has no zone
    source = Source(sandbox, Walk.named("by stamp"), [row(1, "2024-03-01T00:00:00.000")], clock, fields=BY_DAY)
    assert len(run(source, start_date="2024-03-01T00:00:00Z").records) == 1


@pytest.mark.parametrize(
    ("now", "stamp", "change", "later"),
    [
        ("2024-10-27T02:50:00", "2024-10-27T02:30:00.000", "2024-10-27T02:30:00.400", "2024-10-27T07:59:00.000"),
        ("2024-03-01T10:00:00", "2024-03-01T00:00:00.000", "2024-03-01T00:00:00.000", "2024-03-05T00:00:00.000"),
    ],
    ids=["the second pass of October's hour", "a day as stamp, later that day"],
)
def test_killed_inside_a_part_that_is_not_over(sandbox: Sandbox, now: str, stamp: str, change: str, later: str) -> None:
    clock = Ticking(dt.datetime.fromisoformat(now))
    fields = BY_DAY if stamp.endswith("T00:00:00.000") else FIELDS
    source = Source(sandbox, Walk.named("by stamp"), [row(n, stamp, name="x") for n in range(40)], clock, fields=fields)
    target = Target(("Id",))
    lines = run(source, page_size=10).output.splitlines(keepends=True)
    for cut in (number for number, line in enumerate(lines) if line.startswith(b'{"type":"STATE"')):
        target.take(b"".join(lines[: cut + 1]))
        state = json.loads(lines[cut])["value"]
        source.clock.now = clock.now = dt.datetime.fromisoformat(now) + dt.timedelta(minutes=30)
        source.update(4, change, Name=f"changed after page {cut}")
        clock.tick(5 * 86400)
        source.insert(row(1000 + cut, later, name="later"))
        for _ in range(2):
            ran = run(source, state, page_size=10)
            target.take(ran.output)
            state = ran.state
            clock.tick(3600)
        assert target.rows[3,]["Name"] == f"changed after page {cut}"


@pytest.mark.parametrize("hours", [0.02, 0.1, 0.14, 12, 100])
def test_a_bookmark_of_a_near_future(sandbox: Sandbox, hours: float) -> None:
    source = Source(sandbox, Walk.named("by stamp"), [row(n, STAMP, name="x") for n in range(5)])
    ahead = (source.clock.now + dt.timedelta(hours=hours)).isoformat()
    state: dict[str, Any] = {
        "bookmarks": {"Item": {"replication_key": "Modified", "replication_key_value": f"{ahead}+02:00"}}
    }
    target = Target(("Id",))
    for turn in range(3):
        source.clock.tick(20 if hours < 1 else 1800)
        source.update(1, source.clock.ago(0), Name=f"turn {turn}")
        source.clock.tick(10)
        ran = run(source, state)
        target.take(ran.output)
        state = ran.state
        assert target.rows[0,]["Name"] == f"turn {turn}"


@pytest.mark.parametrize("now", ["2024-03-01T00:30:00", "2024-03-01T23:30:00"])
def test_a_bookmark_of_today_is_none_of_the_future(sandbox: Sandbox, now: str) -> None:
    clock = Ticking(dt.datetime.fromisoformat(now))
    rows = [row(1, "2024-02-20T00:00:00.000"), row(2, "2024-03-01T00:00:00.000")]
    source = Source(sandbox, Walk.named("by stamp"), rows, clock, fields=BY_DAY)
    first = run(source)
    assert first.bookmark["replication_key_value"] == "2024-03-01"
    assert "starting anew" not in run(source, first.state).said


@pytest.mark.parametrize("cap", [100, 128, 250, 256])
@pytest.mark.parametrize("walk", ["by stamp", "by key", "by offset"])
def test_a_cap_at_another_round_number(sandbox: Sandbox, walk: str, cap: int) -> None:
    rows = [row(number, f"2024-03-01T00:00:{number % 60:02}.000") for number in range(500)]
    ran = run(Source(sandbox, Walk.named(walk), rows, take_cap=cap), page_size=400)
    assert ran.error is not None or {record["Id"] for record in ran.records} == set(range(500))


@pytest.mark.parametrize("page_size", [5, 100])
@pytest.mark.parametrize("key", [("Emp", "Day"), ("Day", "Emp")])
@pytest.mark.parametrize("fraction", [".000", ".500"])
def test_a_moment_in_the_key(sandbox: Sandbox, key: tuple[str, ...], page_size: int, fraction: str) -> None:
    fields = (Field("Emp", "int", "", "", 9), Field("Day", "date", "", "", control_type=8))
    rows = [(number % 2, f"2024-03-01T00:00:{number // 2:02}{fraction}") for number in range(40)]
    ran = run(source_of(sandbox, fields, key, None, rows), page_size=page_size)
    assert ran.error is None, ran.said
    assert len({(record["Emp"], record["Day"]) for record in ran.records}) == 40


def test_a_last_second_with_a_round_number_of_rows(sandbox: Sandbox) -> None:
    fields = (Field("Day", "date", "", "", control_type=8), NUMBER)
    rows = [("2024-03-01T00:00:00.000", number) for number in range(200)]
    rows += [("2024-03-02T00:00:00.000", number) for number in range(100)]
    ran = run(source_of(sandbox, fields, ("Day", "No"), None, rows), page_size=250)
    assert ran.error is None, ran.said
    assert len({(record["Day"], record["No"]) for record in ran.records}) == 300


@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00.000", "9999-12-31T23:59:59.000"])
def test_the_ends_of_the_calendar_end_in_a_sentence(sandbox: Sandbox, stamp: str) -> None:
    ran = run(Source(sandbox, Walk.named("by stamp"), [row(1, stamp)]))
    assert (ran.error is None) == stamp.startswith("9999")


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_start_at_the_ends_of_the_calendar(sandbox: Sandbox, start: str) -> None:
    source = Source(sandbox, Walk.named("by stamp"), [row(1, STAMP)])
    assert len(run(source, start_date=start).records) == start.startswith("0001")
    bookmark = {"replication_key": "Modified", "replication_key_value": start}
    ran = run(source, {"bookmarks": {"Item": bookmark}})
    assert (ran.error, len(ran.records)) == (None, 1)


def test_nothing_selected_of_a_connector_without_a_key(sandbox: Sandbox) -> None:
    source = source_of(sandbox, (CODE, NUMBER), (), None, [("a", 1), ("b", 2)])
    catalog = source.catalog()
    catalog["streams"][0]["metadata"] += [
        {"breadcrumb": ["properties", field], "metadata": {"inclusion": "available", "selected": False}}
        for field in ("Code", "No")
    ]
    assert run(source, catalog=catalog).records == [{}, {}]


def test_types_count_for_fields_that_only_the_order_needs(sandbox: Sandbox) -> None:
    source = source_of(sandbox, (CODE, NUMBER), (), None, [("a", "1.5"), ("b", "2.5")])
    catalog = source.catalog()
    catalog["streams"][0]["schema"]["properties"]["No"] = {"type": ["string", "null"]}
    catalog["streams"][0]["metadata"].append({"breadcrumb": ["properties", "No"], "metadata": {"selected": False}})
    ran = run(source, catalog=catalog, streams={"Item": {"types": {"No": "string"}}})
    assert ran.records == [{"Code": "a"}, {"Code": "b"}], ran.said


@pytest.mark.parametrize("field", ['Code "x"', "Code\\x"])
def test_a_field_id_that_cannot_be_read(sandbox: Sandbox, field: str) -> None:
    ran = run(source_of(sandbox, (dataclasses.replace(CODE, id=field), NUMBER), ("No",), None, [("a", 1)]))
    assert "quotation mark" in ran.said


def test_a_deselected_key_is_read_all_the_same(sandbox: Sandbox) -> None:
    source = Source(sandbox, Walk.named("by stamp"), [row(1, STAMP)])
    catalog = source.catalog()
    catalog["streams"][0]["metadata"] += [
        {"breadcrumb": ["properties", field], "metadata": {"inclusion": "available", "selected": False}}
        for field in ("Id", "Modified", "Name")
    ]
    ran = run(source, catalog=catalog)
    (schema,) = (message for message in ran.messages if message["type"] == "SCHEMA")
    assert list(schema["schema"]["properties"]) == list(ran.records[0]) == ["Id", "Code", "Number", "Modified"]

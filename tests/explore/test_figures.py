"""What is counted of rows: stamps, personal data, how many there are, what reading them takes."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.depth import depth
from harness.key_traps import Asked
from harness.planted import bsn, iban
from tap_afas.explore.costs import Timing, findings_about
from tap_afas.explore.counting import RowCounter
from tap_afas.explore.personal import PersonalData, is_bsn, is_iban
from tap_afas.explore.stamps import StampFigures, Stamps, day_stamps, dummy_stamps, likely_stamps
from tap_afas.profit.metainfo import Connector, Field

NOW = "2026-03-31T12:00:00"


def _connector(*fields: Field, name: str = "Eigen") -> Connector:
    return Connector(name, "", {field.id: field for field in fields})


# Personal data


@pytest.mark.parametrize("number", ["111222333", "123456782", "10000008", "010000008"])
def test_numbers_that_pass_the_eleven_test(number: str) -> None:
    assert is_bsn(number)


@pytest.mark.parametrize("number", ["111222334", "123456789", "000000000", "", "12345678a", "1112223330", "١١١٢٢٢٣٣٣"])
def test_numbers_that_do_not(number: str) -> None:
    assert not is_bsn(number)


@given(st.integers(0, 10**6), st.integers(0, 8), st.integers(1, 9))
@depth(100)
def test_another_digit_fails_the_eleven_test(number: int, place: int, step: int) -> None:
    right = bsn(number)
    assert is_bsn(right)
    other = right[:place] + str((int(right[place]) + step) % 10) + right[place + 1 :]
    assert not is_bsn(other)


@given(st.integers(0, 10**9), st.integers(8, 17), st.integers(1, 9))
@depth(100)
def test_another_digit_fails_the_checksum(number: int, place: int, step: int) -> None:
    right = iban(number)
    assert is_iban(right)
    assert is_iban(f"{right[:4]} {right[4:8]} {right[8:]}".lower())
    other = right[:place] + str((int(right[place]) + step) % 10) + right[place + 1 :]
    assert not is_iban(other)


_TEXT = Field("Veld", "string", "Veld", 40)


@pytest.mark.parametrize(
    ("field", "values", "sort"),
    [
        (_TEXT, [bsn(n) for n in range(40)], "bsn"),
        (_TEXT, [bsn(n) if n else "geen" for n in range(40)], "bsn"),
        (_TEXT, [f"{111222333 + n}" for n in range(40)], None),
        (Field("Veld", "int"), [int(bsn(n)) for n in range(40)], "bsn"),
        (_TEXT, [iban(n) for n in range(40)], "iban"),
        (_TEXT, [f"jan{n}@gmail.com" for n in range(40)], "mail"),
        (_TEXT, [f"jan{n}@bedrijf.nl" for n in range(40)], None),
        (_TEXT, ["", None] * 20, None),
        (Field("BSN", "string"), [None] * 9, "bsn"),
        (Field("BSN", "string"), ["A1"] * 9, None),
        (Field("V1", "date", "Geboortedatum", control_type=4), [None], "birth_date"),
        (Field("V1", "string", "E-mail privé"), [None], "mail"),
        (Field("V1", "string", "E-mail werk"), [None], None),
        (Field("V1", "string", "Telefoon privé"), [None], "phone"),
        (Field("V1", "decimal", "Bruto salaris"), [None], "salary"),
        (Field("V1", "int", "Looncomponent"), [None], None),
    ],
)
def test_likely_personal_data(field: Field, values: list[Any], sort: str | None) -> None:
    connector = _connector(field)
    personal = PersonalData(connector)
    personal.add(Asked(connector, []).read([(value,) for value in values]), range(len(values)))
    assert personal.found == ({field.id: sort} if sort else {})


def test_masks_take_nulls_and_odd_names() -> None:
    fields = [Field(name, "string", "BSN") for name in ("BSN", "B-S-N", "class")]
    connector = _connector(
        *fields, Field("Nr", "int", "BSN"), Field("Geboren", "date", "Geboortedatum", control_type=4)
    )
    personal = PersonalData(connector)
    assert personal.masks(()) == {
        "BSN": "md5(BSN) if BSN else None",
        "B-S-N": 'md5(record["B-S-N"]) if record["B-S-N"] else None',
        "class": 'md5(record["class"]) if record["class"] else None',
        "Nr": "md5(str(Nr)) if Nr is not None else None",
        "Geboren": None,
    }
    # A key can't be dropped.
    assert personal.masks(("Geboren",))["Geboren"] == "md5(Geboren) if Geboren else None"


# Stamps


def _moments(*walls: str | None) -> list[str | None]:
    return [wall and f"{wall}Z" for wall in walls]


def test_figures_of_a_stamp() -> None:
    figures = StampFigures("S", NOW)
    figures.add(_moments("2026-03-30T10:00:00", None, "2026-03-30T00:00:00", "2025-12-01T09:00:00", "nonsense"))
    figures.add(_moments("2099-01-01T00:00:00"))
    assert (figures.filled, figures.empties, figures.midnights, figures.future) == (4, 1, 2, 1)
    assert (figures.lowest, figures.highest) == ("2025-12-01T09:00:00", "2099-01-01T00:00:00")
    assert figures.highest_past == "2026-03-30T10:00:00"
    told = figures.over_time
    assert told.months == {"2025-12": 1, "2026-03": 2, "2099-01": 1}
    assert told.last_days == {"2026-03-30": 2}
    assert figures.changes_a_day == pytest.approx(2 / 30)


@given(st.lists(st.lists(st.none() | st.datetimes(), max_size=20), max_size=5))
@depth(60)
def test_pages_count_as_one(pages: list[list[Any]]) -> None:
    walls = [[one and f"{one:%Y-%m-%dT%H:%M:%S}Z".rjust(20, "0") for one in page] for page in pages]
    whole, parts = StampFigures("S", NOW), StampFigures("S", NOW)
    whole.add([wall for page in walls for wall in page])
    for page in walls:
        parts.add(page)
    assert vars(parts) == vars(whole)


def test_which_field_tells_of_changes() -> None:
    stamp = Field("Gewijzigd_op", "date", "Gewijzigd op", control_type=8)
    dummy = Field("DateModified", "date", "Dummy gewijzigd op", control_type=8)
    day = Field("Mutatiedatum", "date", "Mutatiedatum", control_type=4)
    connector = _connector(stamp, dummy, day)
    assert (likely_stamps(connector), dummy_stamps(connector), day_stamps(connector)) == (
        ["Gewijzigd_op"],
        ["DateModified"],
        ["Mutatiedatum"],
    )
    basic = dataclasses.replace(_connector(dataclasses.replace(dummy, label="Changed on")), id="Profit_Article_Basic")
    assert (likely_stamps(basic), dummy_stamps(basic)) == ([], ["DateModified"])
    for named, chosen in (("", "Gewijzigd_op"), ("Mutatiedatum", "Mutatiedatum"), (None, None)):
        assert Stamps(connector, named, NOW).chosen == chosen


# How many rows


@given(st.integers(0, 5000), st.integers(0, 200), st.sampled_from([0, 0.01, 0.1]))
@depth(100)
def test_counting_ends_near_the_number(rows: int, read: int, exactness: float) -> None:
    counter = RowCounter(["Code"], at_least=min(read, rows), exactness=exactness)
    questions = 0
    connector = _connector(Field("Code", "string"))
    asked = Asked(connector, [])
    while not counter.done:
        query = counter.next_query()
        assert query.take == 1
        counter.advance(query, asked.read([("x",)] if query.skip < rows else []))
        questions += 1
    assert abs(counter.rows - rows) <= rows * exactness
    assert questions <= 32


# Cost


def test_what_reading_takes() -> None:
    timing = Timing()
    timing.add(10_000, 0.5)
    timing.add(10_000, 0.7)
    cost = timing.cost(rows=100_050, counted=True, page_size=10_000, incremental=True, changes_a_day=2400)
    assert cost.backfill_requests == 14
    assert cost.backfill_seconds == pytest.approx(6.0, abs=0.01)
    assert (cost.hourly_requests, cost.hourly_rows) == (2, 100)
    assert cost.seconds == pytest.approx(0.6)
    assert cost.slowest == 0.7
    assert findings_about(cost) == []
    whole = timing.cost(rows=100_050, counted=None, page_size=10_000, incremental=False, changes_a_day=None)
    assert whole.hourly_requests == whole.backfill_requests == 12
    timing.add(10_000, 8.8)
    (slow,) = findings_about(timing.cost(rows=9, counted=None, page_size=9, incremental=False, changes_a_day=None))
    assert slow.code == "slow"
    assert 0 < slow.facts["fitting"] < 10_000 / 3.3

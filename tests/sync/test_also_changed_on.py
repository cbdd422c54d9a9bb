"""`also_changed_on`: what changed by a further stamp comes too, as where a connector joins two tables.

What must hold:

1. A row that changed by any of the stamps since that stamp's bookmark is delivered by a run that exits 0; nothing is
   lost over kills.
2. Each bookmark moves only by what its own question, or the one single answer, proves.
3. A row that several stamps bring is emitted once, if nobody changes it meanwhile.
4. A run in which nothing changed asks one question.
"""

from __future__ import annotations

import collections
import dataclasses
import json
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afas_sandbox import Fault, Field
from harness.depth import depth
from harness.story import Story
from harness.targets import VersionedTarget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afas_sandbox import Row, Sandbox
    from harness.run import Run

FIELDS = (
    Field("Id", "int", "Id", "Id", 9),
    Field("Name", "string", "Name", "Naam", 80),
    Field("Modified", "date", "Changed on", "Gewijzigd op", control_type=8),
    Field("Modified_2", "date", "Changed on", "Gewijzigd op", control_type=8),
    Field("Modified_3", "date", "Changed on", "Gewijzigd op", control_type=8),
)
_FURTHER = ["Modified_2", "Modified_3"]
_DAY, _HOUR = 86_400, 3600


def _row(number: int, *stamps: str | None, name: str = "") -> Row:
    return (number, name or f"row {number}", *stamps, *[None] * (3 - len(stamps)))


def _at(number: int) -> str:
    return f"2024-04-{1 + number % 28:02}T10:00:{number % 60:02}.000"


class _Joined(Story):
    """A connector whose rows have three stamps, its target and the STATE.

    Args:
        sandbox: Loaded anew.
        rows: How many.
        filled: Each which row has the second stamp; 0: none.
        settings: Of every run.
        options: Of the sandbox.
    """

    def __init__(self, sandbox: Sandbox, rows: int = 40, filled: int = 3, **settings: Any) -> None:
        options = settings.pop("options", {})
        given = [
            _row(number, _at(number), _at(number * 7 + 3) if filled and number % filled == 0 else None)
            for number in range(1, rows + 1)
        ]
        super().__init__(sandbox, given, fields=FIELDS, settings=settings, **options)
        self.target = VersionedTarget(("Id",))

    def catalog(self) -> dict[str, Any]:
        catalog = super().catalog()
        catalog["streams"][0]["schema"]["properties"]["Modified"]["description"] = "Changed on"
        return catalog

    def sync(self, cut: float | None = None, **settings: Any) -> Run:
        given = self.settings
        self.settings = {**given, **settings}
        try:
            return super().sync(cut)
        finally:
            self.settings = given

    def by(self, field: str, number: int, **values: Any) -> None:
        """Change a row now, by one of its stamps; the others stay."""
        now = self.clock.ago(0)
        self.update(number, None, **{"Name": f"{field} at {self.clock.now}", field: now, **values})

    @property
    def part(self) -> dict[str, Any]:
        found: dict[str, Any] = self.state["bookmarks"]["Item"]
        return found

    @property
    def further(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.part["further"])
        return found

    def settle(self) -> None:
        """Let two runs go by in which nothing changes."""
        for _ in range(2):
            # More than twice the unit in which stamps may seem to be shown.
            self.clock.tick(3 * _HOUR + 1)
            self.whole()


def _named(*further: str, **more: Any) -> dict[str, Any]:
    return {"Item": {"replication_key": "Modified", "also_changed_on": list(further), **more}}


def _ids(ran: Run) -> list[int]:
    return [one["Id"] for one in ran.records()]


@pytest.mark.parametrize("streams", [{}, _named("Modified_2", "Modified_3")], ids=["by default", "named"])
@pytest.mark.parametrize("page_size", [7, 1000])
def test_a_row_that_changed_by_a_further_stamp_comes(sandbox: Sandbox, streams: dict[str, Any], page_size: int) -> None:
    joined = _Joined(sandbox, page_size=page_size, streams=streams)
    assert sorted(_ids(joined.whole())) == list(range(1, 41))
    joined.settle()
    joined.by("Modified_2", 5)
    joined.by("Modified_3", 30)
    assert sorted(_ids(joined.whole())) == [5, 30]
    # Of the second stamp an older row had the highest: its bookmark was its own.
    joined.clock.tick(_HOUR)
    joined.by("Modified", 6)
    assert 6 in _ids(joined.whole())


def test_without_it_such_a_row_does_not_come(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox, streams=_named())
    joined.whole()
    joined.settle()
    joined.by("Modified_2", 5)
    assert _ids(joined.sync()) == []
    # What `replication_key` alone names is all that is wanted.
    joined.settings["streams"] = {"Item": {"replication_key": "Modified"}}
    assert _ids(joined.sync()) == []


@pytest.mark.parametrize("filled", [0, 1, 3], ids=["none has it", "all have it", "a third has it"])
def test_a_run_in_which_nothing_changed_asks_one_question(sandbox: Sandbox, filled: int) -> None:
    joined = _Joined(sandbox, filled=filled)
    first = joined.whole()
    # The description of the connector aside: the highest of each stamp, and the rows.
    assert len(first.pages) == 4
    for _ in range(4):
        joined.clock.tick(_HOUR)
        assert len(joined.whole().pages) == 1


def test_both_stamps_of_a_new_row_prove_the_lower_bounds_in_one_question(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox)
    joined.whole()
    joined.settle()
    now = joined.clock.ago(0)
    joined.insert(_row(100, now, now, now))
    asked = []
    for _ in range(4):
        asked.append(len(joined.whole().pages))
        joined.clock.tick(_HOUR)
    assert asked[1:] == [1, 1, 1]


def test_an_empty_further_stamp_selects_nothing(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox, rows=300, filled=0, page_size=50)
    joined.whole()
    joined.settle()
    for number in range(1, 11):
        joined.by("Modified_2", number)
    ran = joined.whole()
    assert sorted(_ids(ran)) == list(range(1, 11))
    assert len(ran.pages) == 1
    # The partner went away: the stamp is empty, and no stamp tells.
    joined.settle()
    joined.update(3, None, Name="alone", Modified_2=None)
    assert _ids(joined.sync()) == []


@pytest.mark.parametrize("further", [["Modified_2"], _FURTHER])
def test_a_row_that_several_stamps_bring_comes_once(sandbox: Sandbox, further: list[str]) -> None:
    joined = _Joined(sandbox, rows=120, page_size=20, streams=_named(*further))
    joined.whole()
    joined.settle()
    changed = {*range(2, 90, 2), *range(3, 120, 3), *range(5, 120, 5)}
    for number in range(2, 90, 2):
        joined.by("Modified", number)
    for number in range(3, 120, 3):
        joined.by("Modified_2", number)
    for number in range(5, 120, 5):
        joined.by(further[-1], number)
    ran = joined.whole()
    assert collections.Counter(_ids(ran)) == collections.Counter(changed)
    joined.settle()
    assert _ids(joined.sync()) == []


def test_each_bookmark_is_its_own_question_s(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox, rows=60, page_size=20, streams=_named("Modified_2"))
    joined.whole()
    joined.settle()
    for number in range(1, 41):
        joined.by("Modified_2", number)
    joined.clock.tick(10)
    asked = 0

    def meanwhile(_: object) -> None:
        nonlocal asked
        asked += 1
        if asked == 7:
            # Past the run by the replication key: a row that the other stamp still brings has a later one by then.
            joined.by("Modified", 30)
            joined.by("Modified", 1)
        joined.clock.tick(20)

    with joined.before_each(meanwhile):
        ran = joined.sync()
    assert ran.error is None
    assert joined.part["bookmark"] < "2024-05-15T10:00:00"
    joined.clock.tick(_HOUR)
    joined.whole()


# The STATE


def test_what_the_state_holds(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox, rows=5, streams=_named("Modified_2"))
    joined.whole()
    (own,) = joined.further["stamps"].items()
    assert own == (
        "Modified_2",
        {
            "bookmark": "2024-04-25T10:00:24",
            "settled": "2024-04-25T10:00:24",
            "pending": "2024-04-25T10:00:24",
            "pending_at": "2024-05-15T08:00:00+00:00",
            "unit": "second",
            "witness": "[3]",
        },
    )
    assert "asked" not in joined.further


def test_a_first_reading_that_goes_on_keeps_what_was_asked_before_its_first_page(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox, page_size=10)
    joined.sync(cut=0.5)
    assert joined.part["place"]
    asked = joined.further["asked"]["Modified_2"]
    joined.clock.tick(_DAY)
    # The killed run is past it.
    joined.by("Modified_2", 1)
    joined.sync()
    assert joined.further["stamps"]["Modified_2"]["bookmark"] == asked["highest"]
    joined.whole()


@pytest.mark.parametrize("place", [True, False], ids=["killed", "complete"])
def test_a_stamp_that_is_added_later_has_all_read_once(sandbox: Sandbox, *, place: bool) -> None:
    joined = _Joined(sandbox, page_size=10, streams=_named("Modified_2"))
    if place:
        joined.sync(cut=0.5)
    else:
        joined.whole()
        joined.settle()
    joined.by("Modified_3", 4)
    ran = joined.sync(streams=_named(*_FURTHER))
    assert "Reading the stream anew, since it is to be read by Modified_3 as well from now on." in ran.said
    assert sorted(_ids(ran)) == list(range(1, 41))
    assert sorted(joined.further["stamps"]) == _FURTHER
    joined.settings["streams"] = _named(*_FURTHER)
    joined.settle()
    assert _ids(joined.whole()) == []


def test_a_state_of_the_version_before_has_all_read_once(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox)
    joined.whole(streams=_named())
    joined.clock.tick(_HOUR)
    del joined.part["further"]
    assert sorted(_ids(joined.whole())) == list(range(1, 41))


def test_a_stamp_that_is_taken_out_leaves_the_state(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox, streams=_named(*_FURTHER))
    joined.whole()
    joined.settle()
    ran = joined.sync(streams=_named("Modified_2"))
    assert _ids(ran) == []
    assert list(joined.further["stamps"]) == ["Modified_2"]
    ran = joined.sync(streams=_named())
    assert (_ids(ran), joined.part["further"]) == ([], "")


def test_a_killed_run_whose_stamps_are_others_now_begins_again(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox, rows=60, page_size=10, start_date="2024-04-20", streams=_named("Modified_2"))
    joined.sync(cut=0.9)
    assert '"also Modified_2"' in joined.part["place"]
    ran = joined.sync(streams=_named())
    assert ran.error is None, ran.said


def test_the_state_s_replication_key_stays_while_it_is_among_the_candidates(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox)
    joined.whole()
    joined.settle()
    # As a later discovery may have it.
    catalog = joined.catalog()
    catalog["streams"][0]["replication_key"] = "Modified_2"
    joined.by("Modified_2", 5)
    ran = joined.sync(catalog=catalog)
    assert _ids(ran) == [5]
    assert joined.part["replication_key"] == "Modified"
    # Where settings name it, it is what they say.
    ran = joined.sync(catalog=catalog, streams={"Item": {"replication_key": "Modified_2"}})
    assert joined.part["replication_key"] == "Modified_2"
    assert len(_ids(ran)) == 40


def test_a_catalog_s_full_table_stays_one(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox)
    catalog = joined.catalog()
    del catalog["streams"][0]["replication_key"]
    catalog["streams"][0]["replication_method"] = "FULL_TABLE"
    joined.sync(catalog=catalog)
    assert len(_ids(joined.sync(catalog=catalog))) == 40
    ran = joined.sync(catalog=catalog, streams={"Item": {"also_changed_on": ["Modified_2"]}})
    assert "the stream has no replication key, so that every run reads it whole" in ran.said
    assert not ran.pages


def test_a_catalog_s_own_choice_has_no_further_stamps(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox)
    catalog = joined.catalog()
    catalog["streams"][0]["replication_key"] = "Id"
    joined.sync(catalog=catalog)
    assert joined.part["further"] == ""


@pytest.mark.parametrize("knows", [True, False], ids=["knows further stamps", "knows none"])
def test_to_wind_back(sandbox: Sandbox, *, knows: bool) -> None:
    joined = _Joined(sandbox)
    joined.whole()
    joined.settle()
    joined.by("Modified_2", 5)
    joined.sync()
    joined.settle()
    at = {"replication_key": "Modified", "replication_key_value": "2024-05-14T00:00:00+00:00", "bookmark": None}
    joined.state["bookmarks"]["Item"] = at | ({"further": ""} if knows else {})
    assert len(_ids(joined.whole())) == (1 if knows else 40)
    joined.settle()
    assert _ids(joined.whole()) == []


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "x",
        "[" * 99_999,
        '{"stamps": {"Modified_2": 7}}',
        '{"stamps": 7}',
        '{"x": {}}',
        '{"stamps": {}, "asked": 7}',
        '{"stamps": {}, "asked": {"Modified_2": 7}}',
        '{"stamps": {}, "asked": {"Modified_2": {}}}',
        '{"stamps": {}, "asked": {"Modified_2": {"highest": 7, "witness": null, "asked": true}}}',
        '{"stamps": {}, "asked": {"Modified_2": {"highest": null, "witness": 7, "asked": true}}}',
        '{"stamps": {}, "asked": {"Modified_2": {"highest": null, "witness": "[[]]", "asked": true}}}',
        '{"stamps": {}, "asked": {"Modified_2": {"highest": null, "witness": null}}}',
    ],
)
def test_a_text_that_is_none(sandbox: Sandbox, text: str) -> None:
    joined = _Joined(sandbox, streams=_named("Modified_2"))
    joined.whole()
    joined.part["further"] = text
    ran = joined.sync()
    assert ran.error is None or "the state's `further` is not one that this version writes" in ran.said
    assert ran.error is not None or len(_ids(ran)) == 40


class _BugError(ValueError):
    """What no `except` may take for a mistake in the STATE."""


@pytest.mark.parametrize("where", ["read_bookmark", "key_from_text", "ResumePoint"])
def test_a_bug_is_not_told_as_a_mistake_of_the_state(
    sandbox: Sandbox, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = _Joined(sandbox, streams=_named("Modified_2"))
    joined.whole()
    asked = {"highest": None, "witness": "[1]", "asked": True}
    joined.part["further"] = json.dumps({**joined.further, "asked": {"Modified_2": asked}})
    monkeypatch.setattr(f"tap_afas.further_stamps.{where}", mock.Mock(side_effect=_BugError("a bug")))
    assert isinstance(joined.sync().error, _BugError)


def test_a_bookmark_in_the_future_begins_anew(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox, streams=_named("Modified_2"))
    joined.whole()
    further = joined.further
    further["stamps"]["Modified_2"]["bookmark"] = "2034-05-15T10:00:00"
    joined.part["further"] = json.dumps(further)
    ran = joined.whole()
    assert "The state's bookmark 2034-05-15T08:00:00+00:00 lies in the future: starting anew." in ran.said
    assert len(_ids(ran)) == 40


# Odd answers


def test_a_future_stamp_is_no_bookmark(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox)
    joined.update(7, None, Modified_2="2099-01-01T00:00:00.000")
    joined.whole()
    joined.settle()
    assert joined.further["stamps"]["Modified_2"]["bookmark"] < "2024-05"
    joined.by("Modified_2", 5)
    assert sorted(_ids(joined.whole())) == [5, 7]


@pytest.mark.parametrize("nth", range(1, 9))
@pytest.mark.parametrize("refusal", ["timeout", "out_of_memory"])
def test_a_question_that_is_too_much_for_afas(sandbox: Sandbox, nth: int, refusal: str) -> None:
    joined = _Joined(sandbox, rows=60, page_size=20)
    joined.sandbox.faults = [Fault(kind="rows", nth=nth, refuse=refusal)]
    joined.whole()
    joined.settle()
    for number in range(1, 31):
        joined.by("Modified_2", number)
    joined.sandbox.faults = [Fault(kind="rows", nth=nth, refuse=refusal)]
    joined.whole()
    joined.sandbox.faults = []
    joined.clock.tick(_HOUR)
    joined.whole()


@pytest.mark.parametrize("cap", [15, 110])
def test_a_server_that_caps_pages(sandbox: Sandbox, cap: int) -> None:
    joined = _Joined(sandbox, rows=260, options={"take_cap": max(cap, 100)})
    joined.whole()
    joined.settle()
    for number in range(1, cap * 2 + 1):
        joined.by("Modified_2", number)
    joined.whole()


@pytest.mark.parametrize("field", ["Modified", "Modified_2"])
@pytest.mark.parametrize("rows", [8, 60], ids=["in one answer", "page by page"])
def test_stamps_that_afas_compares_otherwise_fail_the_stream(sandbox: Sandbox, field: str, rows: int) -> None:
    # From the second run on.
    odd = {"shifted_literals": 2 * _HOUR, "shifted_fields": [field], "shifted_from": "2024-05-15T10:03:00"}
    joined = _Joined(sandbox, rows=60, page_size=20, streams=_named("Modified_2"), options=odd)
    joined.clock.tick(61)
    joined.by("Modified", 57)
    joined.by("Modified_2", 58)
    joined.clock.tick(60)
    joined.whole()
    joined.clock.tick(60)
    for number in range(2, rows, 2):
        joined.by("Modified_2" if field == "Modified" else "Modified", number)
    ran = joined.sync()
    assert ran.error is not None
    assert f"AFAS compares {field} differently from how it shows it" in ran.said


@pytest.mark.parametrize("field", ["Modified", "Modified_2"])
def test_a_witness_that_another_stamp_brings_proves_nothing(sandbox: Sandbox, field: str) -> None:
    odd = {"shifted_literals": 2 * _HOUR, "shifted_fields": [field], "shifted_from": "2024-05-15T10:03:00"}
    joined = _Joined(sandbox, streams=_named("Modified_2"), options=odd)
    joined.clock.tick(61)
    joined.by(field, 17)
    joined.clock.tick(60)
    joined.whole()
    joined.clock.tick(60)
    joined.by("Modified_2" if field == "Modified" else "Modified", 17)
    ran = joined.sync()
    assert f"AFAS compares {field} differently from how it shows it" in ran.said


@pytest.mark.parametrize("field", ["Modified", "Modified_2"])
@pytest.mark.parametrize("more", [0, 30], ids=["in one answer", "page by page"])
def test_a_witness_that_is_gone_is_replaced(sandbox: Sandbox, field: str, more: int) -> None:
    joined = _Joined(sandbox, rows=60, page_size=20, streams=_named("Modified_2"))
    joined.clock.tick(61)
    for number in (17, 18):
        joined.by(field, number)
    joined.whole()
    joined.clock.tick(60)

    def witness() -> str | None:
        found: dict[str, Any] = joined.part if field == "Modified" else joined.further["stamps"][field]
        kept: str | None = found["witness"]
        return kept

    gone = int((witness() or "[0]").strip("[]"))
    assert gone in {17, 18}
    joined.delete(gone)
    for number in range(21, 21 + more):
        joined.by("Modified_2" if field == "Modified" else "Modified", number)
    joined.whole()
    assert witness() == f"[{35 - gone}]"


def test_an_answer_that_took_long_is_read_again_page_by_page_and_comes_once(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox)
    joined.whole()
    joined.settle()
    joined.by("Modified", 3)
    joined.by("Modified_2", 4)
    with mock.patch("tap_afas.profit.pagination.single_answer._ONE_MOMENT", -1.0):
        ran = joined.whole()
    assert sorted(_ids(ran)) == [3, 4]
    assert len(ran.pages) > 3


def test_rows_that_no_stamp_brings_fail_the_stream(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox)
    joined.whole()
    joined.settle()
    joined.sandbox.faults = [Fault(kind="rows", ignore_filter=True)]
    ran = joined.sync()
    assert "AFAS sends rows of which no stamp (Modified, Modified_2, Modified_3) is as late as asked for." in ran.said


# With other settings


def test_a_whole_number_as_a_further_stamp(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox, streams=_named("Id"))
    joined.whole()
    joined.settle()
    joined.insert(_row(500, _at(3)))
    # A number is drawn before its row is committed: the last one is read again.
    assert _ids(joined.whole()) == [40, 500]


def test_start_date_counts_for_each_stamp(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox, rows=84, page_size=10, start_date="2024-04-20", full_refresh_every="1d")
    ran = joined.sync()
    wanted = {
        one[0]
        for one in joined.rows.values()
        if any(stamp is not None and str(stamp) >= "2024-04-20" for stamp in one[2:4])
    }
    assert collections.Counter(_ids(ran)) >= collections.Counter(wanted)
    assert set(_ids(ran)) == wanted
    # By a further stamp a row came that is older by the others: no refresh takes it out.
    old = next(number for number in range(1, 85) if number not in wanted)
    joined.clock.tick(_HOUR)
    joined.by("Modified_3", old)
    joined.sync()
    joined.clock.tick(_DAY)
    joined.sync()
    assert len(joined.target.activated) == 2  # type: ignore[attr-defined]  # a target that heeds versions
    assert {key for (key,) in joined.target.rows} == wanted | {old}


def test_a_refresh_brings_what_no_stamp_tells(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox, rows=60, page_size=20, full_refresh_every="1d")
    joined.whole()
    joined.update(3, None, Name="alone", Modified_2=None)
    joined.delete(9)
    joined.clock.tick(_DAY)
    joined.whole()
    assert {key for (key,) in joined.target.rows} == {one[0] for one in joined.rows.values()}


def test_a_stamp_that_is_added_makes_a_refresh_due(sandbox: Sandbox) -> None:
    joined = _Joined(sandbox, rows=60, page_size=20, full_refresh_every="7d", streams=_named())
    joined.whole()
    joined.settle()
    joined.by("Modified_2", 5)
    joined.delete(9)
    joined.settings["streams"] = _named("Modified_2")
    # Killed behind what changed: nothing is known by the new stamp yet.
    joined.sync(cut=0.3)
    assert joined.part["further"] == ""
    joined.clock.tick(_HOUR + 1)
    joined.whole()
    assert {key for (key,) in joined.target.rows} == {one[0] for one in joined.rows.values()}
    assert list(joined.further["stamps"]) == ["Modified_2"]
    joined.settle()
    joined.by("Modified_2", 6)
    assert _ids(joined.whole()) == [6]


def test_a_filter_in_parts(sandbox: Sandbox) -> None:
    names = [[{"field": "Name", "operator": "!=", "value": f"{number:60}"}] for number in range(40)]
    joined = _Joined(sandbox, streams=_named("Modified_2", filter=names))
    joined.whole()
    joined.clock.tick(_HOUR)
    joined.by("Modified_2", 5)
    joined.whole()


def test_where_a_question_would_be_too_long_a_row_may_come_twice(sandbox: Sandbox) -> None:
    long = [{"field": "Name", "operator": "!=", "value": "x" * 1000}]
    joined = _Joined(sandbox, rows=60, page_size=10, streams=_named(*_FURTHER, filter=long))
    joined.whole()
    joined.settle()
    for number in range(1, 41):
        joined.by("Modified", number)
        joined.by("Modified_2", number + 10)
        joined.by("Modified_3", number + 20)
    came = collections.Counter(_ids(joined.whole()))
    assert set(came) == set(range(1, 61))
    # By the two further stamps; not by the replication key.
    assert all(came[number] == 1 for number in range(1, 41))
    assert came[45] == 2


# All of it, by chance


@dataclasses.dataclass(frozen=True)
class _Op:
    """A change: by which stamps, and of which row."""

    stamps: Sequence[str]
    pick: float


@dataclasses.dataclass(frozen=True)
class _Step:
    """A run, and what happens before each of its requests.

    Attributes:
        wait: Seconds before it.
        cut: After which part of its output it was killed; None: it wasn't.
        further: The further stamps.
        every: `full_refresh_every`.
        ops: What happens.
    """

    wait: float
    cut: float | None
    further: Sequence[str]
    every: str | None
    ops: Sequence[Sequence[_Op]]


_PARTS = st.floats(0, 1, exclude_max=True, allow_nan=False, width=16)
_BY = st.sampled_from([["Modified"], ["Modified_2"], ["Modified_2"], ["Modified_3"], ["Modified", "Modified_2"], []])
_STEPS = st.builds(
    _Step,
    st.sampled_from([0.0, 60.0, 400.0, _HOUR + 1, _DAY]),
    st.one_of(st.none(), st.none(), _PARTS),
    st.sampled_from([_FURTHER, _FURTHER, _FURTHER, ["Modified_2"], ["Modified_3"]]),
    st.sampled_from([None, None, "1d"]),
    st.lists(st.lists(st.builds(_Op, _BY, _PARTS), max_size=3), min_size=1, max_size=6),
)


class _History(_Joined):
    """Runs of the tap with changes before every request, each at a new second."""

    def __init__(self, sandbox: Sandbox, rows: int, page_size: int, start_date: str | None) -> None:
        super().__init__(sandbox, rows, page_size=page_size, start_date=start_date)
        self.used = rows

    def happen(self, op: _Op) -> None:
        alive = list(self.rows)
        now = self.clock.ago(0)
        self.used += 1
        if not op.stamps or len(alive) < 3:
            self.insert(_row(int(op.pick * 1000) * 10_000 + self.used, now, None, now if op.pick > 0.5 else None))
            return
        number = alive[int(op.pick * len(alive))]
        self.update(number, None, Name=f"changed {self.used}", **dict.fromkeys(op.stamps, now))

    def run(self, step: _Step) -> Run:
        self.clock.tick(step.wait)
        resumes = bool(self.state and self.part["place"])
        self.watch()
        asked = 0

        def meanwhile(_: object) -> None:
            nonlocal asked
            self.clock.tick(1.0)
            if asked < 20:
                for op in step.ops[asked % len(step.ops)]:
                    self.happen(op)
            asked += 1

        streams = _named(*step.further)
        with self.before_each(meanwhile):
            ran = self.sync(step.cut, full_refresh_every=step.every, streams=streams)
        if "It is tried again from" in ran.said:
            # A stamp was added, and the refresh that this takes was killed a short time ago.
            return ran
        assert ran.error is None, ran.said
        if step.cut is None and not resumes and set(step.further) == set(_FURTHER):
            # What changed behind a walk that goes on comes with the next run.
            lost = self.lost([one for one in self.due if self.wanted(one)])
            assert not lost, (lost, [page.query for page in ran.pages])
        return ran

    def wanted(self, one: Row) -> bool:
        start = self.settings["start_date"]
        return start is None or one[2] is None or any(stamp and str(stamp) >= start for stamp in one[2:])


@pytest.mark.slow
@depth(40)
@given(
    rows=st.integers(0, 30),
    page_size=st.integers(1, 9),
    start_date=st.sampled_from([None, None, "2024-04-15"]),
    steps=st.lists(_STEPS, min_size=1, max_size=6),
)
def test_no_change_by_any_stamp_is_lost(
    sandbox: Sandbox, *, rows: int, page_size: int, start_date: str | None, steps: list[_Step]
) -> None:
    history = _History(sandbox, rows, page_size, start_date)
    for step in steps:
        history.run(step)
    # Whatever happened, two runs later all is as in AFAS; and then there is nothing to tell.
    quiet = _Step(_HOUR, None, _FURTHER, None, [[]])
    history.run(quiet)
    history.run(quiet)
    lost = history.lost([one for one in history.rows.values() if history.wanted(one)])
    assert not lost
    for _ in range(2):
        ran = history.run(quiet)
    history.clock.tick(_HOUR)
    last = history.run(quiet)
    # Where no row has the replication key, each run is a first one.
    assert len(last.pages) == 1 or not history.part["bookmark"]
    assert ran.error is last.error is None
    assert not last.records() or not history.part["bookmark"]


@pytest.mark.slow
@depth(40)
@given(
    rows=st.integers(0, 30),
    page_size=st.integers(1, 9),
    changed=st.lists(st.tuples(st.sampled_from(["Modified", *_FURTHER]), _PARTS), max_size=40),
    cut=st.one_of(st.none(), _PARTS),
)
def test_what_nobody_changes_meanwhile_comes_once(
    sandbox: Sandbox, *, rows: int, page_size: int, changed: list[tuple[str, float]], cut: float | None
) -> None:
    joined = _Joined(sandbox, rows, page_size=page_size, streams=_named(*_FURTHER))
    joined.whole()
    joined.settle()
    names = set()
    for field, pick in changed if rows else ():
        joined.by(field, 1 + int(pick * rows))
        names.add(1 + int(pick * rows))
    if cut is not None:
        joined.sync(cut)
        joined.whole()
        return
    assert collections.Counter(_ids(joined.whole())) == collections.Counter(names)

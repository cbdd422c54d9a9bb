"""What the walk by stamp holds against the answers to its questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from model import Answer, Source, Target, Ticking, Walk, row, run

from tap_afas.profit.by_stamp import ByStamp, StampField, Start
from tap_afas.profit.page import KeyField, MisbehavedError, PageSize

if TYPE_CHECKING:
    from tap_afas.sandbox import Sandbox

pytest_plugins = ["tap_afas.sandbox.fixtures"]

SECOND = "2024-03-01T00:00:00"


@pytest.mark.parametrize("stray", ["2024-02-28T00:00:00", "2024-03-01T00:00:09", None])
def test_rows_from_outside_a_part(stray: str | None) -> None:
    walk = ByStamp(StampField("Modified"), keys=[KeyField("Id", "number")], order=["Id"], size=PageSize(2))
    walk.learn(Answer([(1,), (2,)], [SECOND, SECOND]))
    walk.learn(Answer([(1,), (2,)], [SECOND, SECOND]))
    assert "<=" in str(walk.question())
    with pytest.raises(MisbehavedError, match="outside the asked bounds"):
        walk.learn(Answer([(1,), (2,)], [SECOND, stray]))


@pytest.mark.parametrize("late", [False, True])
def test_no_place_where_rows_may_still_come_up(late: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    start = Start(settled="2024-03-01T00:00:01" if late else "2024-03-01T00:00:09")
    fields: dict[str, Any] = {"keys": [KeyField("Id", "number")], "order": ["Id"], "size": PageSize(2)}
    walk = ByStamp(StampField("Modified"), start=start, **fields)
    for _ in range(3):
        walk.learn(Answer([(1,), (2,)], [SECOND, SECOND]))
    assert (walk.place is None) == late


def test_a_place_of_another_key_is_passed_over(sandbox: Sandbox) -> None:
    source = Source(sandbox, Walk.named("by stamp"), [row(n, Ticking().ago(9000), name="x") for n in range(40)])
    first = run(source, page_size=10)
    value = first.bookmark["replication_key_value"]
    place = {"keys": ["Number"], "after": ["25"], "since": "2024-05-15T07:29:59", "until": "2024-05-15T07:30:02"}
    bookmark = {"replication_key": "Modified", "replication_key_value": value, "empties_read": True, "place": place}
    target = Target(("Id",))
    target.take(run(source, {"bookmarks": {"Item": bookmark}}, page_size=10).output)
    assert not target.missing(source.rows.values())
    bookmark["place"] = {**place, "keys": ["Id"]}
    assert len(run(source, {"bookmarks": {"Item": bookmark}}, page_size=10).records) < 40

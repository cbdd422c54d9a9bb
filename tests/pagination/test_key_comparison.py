"""The key: what AFAS shows of it isn't always what it compares, and the row to go on from may be gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.source import Ticking
from harness.story import Story, item

if TYPE_CHECKING:
    from collections.abc import Callable

    from afas_sandbox import Request, Row, Sandbox

_COUNT = 120
_PAGE = {"page_size": 10}


def _rows(count: int = _COUNT, **values: Callable[[int], Any]) -> list[Row]:
    """Rows of some hours ago, of which some values are made from the number."""
    clock = Ticking()
    return [
        item(number, clock.ago(9000 - number), **{name: make(number) for name, make in values.items()})
        for number in range(count)
    ]


def _price(number: int) -> str:
    """A price that is held finer than it is shown, and is shown as that of other rows."""
    return f"{number % 10}.00{number // 10 % 4 + 5}"


def _at(number: int) -> str:
    return f"2024-05-01T00:{number // 60:02}:{number % 60:02}.000"


_CODE, _FINER, _LATER = ("Code",), ("Price", "Id"), ("At",)
_READ_AS_LATER: dict[str, Any] = {"shifted_fields": ["At"], "shifted_literals": 7200}


@pytest.mark.slow
@pytest.mark.parametrize("stamp", [None, "Modified"])
@pytest.mark.parametrize("before", [(), ("Kind",)])
@pytest.mark.parametrize(
    ("key", "make", "options"),
    [
        (_CODE, str, {"padded": {"Code": 10}}),
        (_CODE, str, {"padded": {"Code": -10}}),
        (_FINER, _price, {"fine_decimals": ["Price"]}),
        (_FINER, lambda number: f"{number}.004", {"fine_decimals": ["Price"]}),
        (_LATER, _at, _READ_AS_LATER),
        (_LATER, _at, {**_READ_AS_LATER, "shifted_literals": 3}),
        (("At", "Id"), lambda number: _at(number // 20)[:-3] + f"{500 + number % 400}", {}),
    ],
    ids=["right-aligned", "blanks behind", "finer, shown as more", "finer, shown as less", "two hours", "3 s", "ms"],
)
def test_a_key_that_is_compared_otherwise_than_shown(
    sandbox: Sandbox,
    *,
    stamp: str | None,
    before: tuple[str, ...],
    key: tuple[str, ...],
    make: Any,
    options: dict[str, Any],
) -> None:
    story = Story(sandbox, _rows(**{key[0]: make}), key=(*before, *key), stamp=stamp, settings=_PAGE, **options)
    for turn in range(3):
        ran = story.whole()
        assert len(ran.pages) < 80
        for number in range(turn, _COUNT, 3):
            story.touch(number + 1)
        story.clock.tick(1000)
    story.whole()


@pytest.mark.parametrize("stamp", [None, "Modified"])
def test_a_key_whose_literals_afas_reads_as_earlier_fails_with_a_sentence(sandbox: Sandbox, stamp: str | None) -> None:
    odd: dict[str, Any] = {"shifted_fields": ["At"], "shifted_literals": -7200}
    ran = Story(sandbox, _rows(At=_at), key=("At",), stamp=stamp, settings=_PAGE, **odd).sync()
    assert ran.error is not None
    assert (
        "Item: AFAS sends rows in another order than asked, or from before the key asked for. Asked: where At >="
        in ran.said
    )


def test_what_is_read_by_offset_is_said_once(sandbox: Sandbox) -> None:
    ran = Story(sandbox, _rows(Code=str), key=("Code",), settings=_PAGE, padded={"Code": 10}).whole()
    (said,) = ran.log
    assert said.startswith(
        "Item: AFAS compares Code differently from how it shows it: asked for the rows that start at a given key, it"
        " sent other rows."
    )
    assert said.endswith("The rows are read by offset, which takes longer.")


@pytest.mark.slow
@pytest.mark.parametrize("stamp", [None, "Modified"])
@pytest.mark.parametrize("skip", [0, 19, 20, 25, 30, 45])
@pytest.mark.parametrize("take", [1, 11, 30, 200])
def test_a_purge_in_mid_walk(sandbox: Sandbox, *, stamp: str | None, skip: int, take: int) -> None:
    story = Story(sandbox, _rows(Code=lambda number: f"A{number}"), key=("Code",), stamp=stamp, settings=_PAGE)
    asked = 0

    def purge(request: Request) -> None:
        nonlocal asked
        asked += int(request.parameters["take"]) >= 10
        if asked == 4:
            sandbox.purge("Item", orderbyfieldids="Code", skip=skip, take=take)

    with story.before_each(purge):
        ran = story.whole()
    assert sandbox.count("Item") < _COUNT
    assert ran.log == []


@pytest.mark.parametrize("stamp", [None, "Modified"])
def test_a_purge_of_what_was_read_before_every_page(sandbox: Sandbox, stamp: str | None) -> None:
    story = Story(sandbox, _rows(), stamp=stamp, settings=_PAGE)
    with story.before_each(lambda _: sandbox.purge("Item", orderbyfieldids="Id", take=7) and None):
        ran = story.whole()
    assert len(ran.pages) < 60


@pytest.mark.slow
@pytest.mark.parametrize("cut", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("gone", ["the last row", "the last page", "all that was read", "everything"])
def test_a_run_that_goes_on_where_the_last_row_is_gone(sandbox: Sandbox, cut: float, gone: str) -> None:
    story = Story(sandbox, _rows(), settings=_PAGE)
    story.sync(cut=cut)
    read = len(story.target.rows)
    assert 0 < read < _COUNT
    doomed = {
        "the last row": [read],
        "the last page": range(read - 9, read + 1),
        "all that was read": range(1, read + 1),
    }
    for number in doomed.get(gone, range(1, _COUNT + 1)):
        story.delete(number)
    story.clock.tick(86_400 * 21)
    changed = min(read + 5, _COUNT)
    if changed in story.rows:
        story.touch(changed)
    ran = story.whole()
    assert len(ran.records()) <= _COUNT - read + 10
    story.clock.tick(400)
    story.whole()


@pytest.mark.parametrize("stamp", [None, "Modified"])
def test_types_change_what_is_emitted_and_not_what_is_asked(sandbox: Sandbox, stamp: str | None) -> None:
    story = Story(
        sandbox,
        _rows(2000, Code=lambda number: f"{number:05}"),
        key=("Code",),
        stamp=stamp,
        settings={"page_size": 150, "streams": {"Item": {"types": {"Code": "number"}}}},
    )
    catalog = story.catalog()
    catalog["streams"][0]["schema"]["properties"]["Code"] = {"type": ["number", "null"]}
    ran = story.sync(catalog=catalog)
    assert ran.error is None, ran.said
    assert sorted(one["Code"] for one in ran.records()) == list(range(2000))

"""Rows change, come and go: by hand, at random, over HTTP and by themselves."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import time
from typing import TYPE_CHECKING

import pytest
from asking import ITEM, Asking, asking, item, items

from afas_sandbox import KEEP, Field, Sandbox, Table, stored, to_utc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afas_sandbox import Change, Request, Row

_NOW = dt.datetime(2024, 5, 1, 9, 30, 15, 250000)  # noqa: DTZ001 - wall time has no zone
_STAMP = ITEM.position("Modified")
_IDS = ("Item", "Other", "Still")


@pytest.fixture
def alive(sandbox: Sandbox) -> Sandbox:
    sandbox.clock = lambda: _NOW
    sandbox.load([items(*(item(f"{number:02}", Name="x") for number in range(20)))])
    return sandbox


@pytest.fixture
def ask(alive: Sandbox) -> Iterator[Asking]:
    with asking(alive) as client:
        yield client


def _row(sandbox: Sandbox, code: str) -> Row:
    return next(row for row in sandbox.rows("Item") if row[0] == code)


def test_an_update_gets_the_time_of_the_clock(alive: Sandbox) -> None:
    change = alive.update("Item", "03", {"Name": "y"})
    assert (change.kind, change.key) == ("update", ("03",))
    assert change.before == item("03", Name="x")
    assert change.after == item("03", Name="y", Modified="2024-05-01T09:30:15.250") == _row(alive, "03")


def test_a_stamp_may_be_given_or_kept(alive: Sandbox) -> None:
    assert alive.update("Item", ("03",), {"Name": "y"}, stamp="2020-01-01T00:00:00").after == item(
        "03", Name="y", Modified="2020-01-01T00:00:00.000"
    )
    assert alive.update("Item", "03", {"Modified": None}).after == item("03", Name="y", Modified=None)
    assert alive.update("Item", "03", {"Name": "z"}, stamp=KEEP).after == item("03", Name="z", Modified=None)


def test_an_insert(alive: Sandbox) -> None:
    assert (alive.insert("Item", item("A", Modified=None)).after or ())[_STAMP] == stored(_NOW)
    assert (alive.insert("Item", item("B")).after or ())[_STAMP] == "2024-01-01T12:00:00.000"
    assert (alive.insert("Item", item("C", Modified=None), stamp=KEEP).after or ())[_STAMP] is None
    assert (alive.insert("Item", item("D"), stamp="2021-02-03").after or ())[_STAMP] == "2021-02-03T00:00:00.000"


def test_a_delete(alive: Sandbox, ask: Asking) -> None:
    assert alive.delete("Item", "03").after is None
    assert "03" not in ask.rows().codes
    with pytest.raises(KeyError, match="no row with key"):
        alive.delete("Item", "03")


def test_keys_are_as_stored(alive: Sandbox) -> None:
    alive.insert("Item", item("a"))
    with pytest.raises(KeyError):
        alive.delete("Item", "A")
    alive.delete("Item", "a")


def test_a_row_must_fit(alive: Sandbox) -> None:
    with pytest.raises(ValueError, match="Item has 10 fields, this row 1"):
        alive.insert("Item", ("A",))
    with pytest.raises(KeyError):
        alive.update("Item", "03", {"Nope": 1})
    with pytest.raises(KeyError):
        alive.insert("Nope", ("A",))


def test_rows_without_a_key_have_numbers(sandbox: Sandbox) -> None:
    sandbox.add(items(item("A"), item("A"), connector=dataclasses.replace(ITEM, key=())))
    numbers = [number for number, _ in sandbox.numbered_rows("Item")]
    assert sandbox.delete("Item", numbers[1]).key == (numbers[1],)
    assert sandbox.count("Item") == 1
    assert sandbox.insert("Item", item("A")).key == (3,)


def test_an_int_stamp_counts(sandbox: Sandbox) -> None:
    counted = dataclasses.replace(ITEM, stamp="Number")
    sandbox.add(items(item("A", Number=7), item("B", Number=9), connector=counted))
    assert (sandbox.update("Item", "A", {"Name": "x"}).after or ())[3] == 10
    assert [(change.after or ())[3] for change in sandbox.change(updates=1, inserts=1)] == [11, 12]


def test_values_return_as_they_went_in(sandbox: Sandbox) -> None:
    rows = [
        item("é'\"", Price="-0.10", Number=2**62, Blocked=True, Note="x" * 100_000, Name=""),
        item("b", Blocked=False),
    ]
    sandbox.add(items(*rows))
    assert list(sandbox.rows("Item")) == rows
    assert [type(row[4]) for row in sandbox.rows("Item")] == [bool, bool]


def test_changes_at_random_tell_what_they_did(alive: Sandbox) -> None:
    before = {row[0]: row for row in alive.rows("Item")}
    done = alive.change("Item", updates=5, inserts=3, deletes=2)
    assert sorted(change.kind for change in done) == ["delete"] * 2 + ["insert"] * 3 + ["update"] * 5
    for change in done:
        if change.before:
            assert before.pop(change.before[0]) == change.before
        if change.after:
            before[change.after[0]] = change.after
            assert change.after[_STAMP] == stored(_NOW)
    assert before == {row[0]: row for row in alive.rows("Item")}
    assert alive.count("Item") == 21


def test_changes_that_come_late_or_when_told(alive: Sandbox) -> None:
    late = alive.change(updates=1, late_seconds=90)[0].after or ()
    assert late[_STAMP] == "2024-05-01T09:28:45.250"
    told = alive.change(inserts=1, stamp="2023-01-01T00:00:00.999")[0].after or ()
    assert told[_STAMP] == "2023-01-01T00:00:00.999"


def test_nothing_to_change(sandbox: Sandbox) -> None:
    assert sandbox.change(updates=1, inserts=1, deletes=1) == []
    sandbox.add(items())
    assert sandbox.change(updates=3, deletes=1) == []


def test_every_type_can_change(sandbox: Sandbox) -> None:
    everything = dataclasses.replace(ITEM, changeable=tuple(field.id for field in ITEM.fields[1:5]))
    sandbox.add(items(item("A"), connector=everything))
    for change in sandbox.change(updates=50):
        assert change.after != change.before
    with asking(sandbox) as client:
        assert client.rows().status == 200


def test_before_each_request_something_may_happen(alive: Sandbox, ask: Asking) -> None:
    seen: list[Request] = []

    def hook(request: Request) -> None:
        seen.append(request)
        alive.insert("Item", item(f"new {len(seen)}"))

    alive.before_request = hook
    counts = [len(ask.rows(filterfieldids="Number", filtervalues="", operatortypes=8).rows) for _ in range(3)]
    ask.get("/metainfo")
    assert counts == [21, 22, 23]
    assert [request.parameters["operatortypes"] for request in seen] == ["8"] * 3


def test_fields_come_and_go(alive: Sandbox, ask: Asking) -> None:
    alive.alter("Item", [*ITEM.fields[:2], Field("Extra", "decimal", "Extra", "Extra", 10, 3), ITEM.fields[_STAMP]])
    assert ask.rows(orderbyfieldids="Code", take=1).rows == [
        {"Code": "00", "Name": "x", "Extra": None, "Modified": "2024-01-01T12:00:00Z"}
    ]
    assert [field["id"] for field in ask.get("/metainfo/get/Item").json["fields"]] == [
        "Code",
        "Name",
        "Extra",
        "Modified",
    ]
    assert alive.change(inserts=1)[0].after == ("N21", "New 21", None, stored(_NOW))
    alive.alter("Item", ITEM.fields[1:3])
    assert alive.connectors["Item"].key == ()
    assert alive.connectors["Item"].stamp is None


def test_connectors_come_and_go(alive: Sandbox, ask: Asking) -> None:
    alive.add(items(item("A"), connector=dataclasses.replace(ITEM, id="Other")))
    assert ask.rows("Other").codes == ["A"]
    alive.add(items(item("B"), connector=dataclasses.replace(ITEM, id="Other")))
    assert ask.rows("Other").codes == ["B"]
    alive.remove("Other")
    assert ask.rows("Other").status == 500
    assert list(alive.connectors) == ["Item"]


def test_load_is_another_environment(alive: Sandbox, ask: Asking) -> None:
    alive.options.take_cap = 1
    alive.before_request = lambda _: None
    ask.rows()
    url = alive.base_url
    alive.load([items(connector=dataclasses.replace(ITEM, id="Other"))], display="cut")
    assert (alive.base_url, alive.log, alive.peak, list(alive.connectors)) == (url, [], 0, ["Other"])
    options = dataclasses.asdict(alive.options)
    assert (options["take_cap"], options["display"]) == (None, "cut")
    assert ask.sandbox.before_request is None
    assert ask.rows("Other").rows == []


def test_the_date_is_that_of_the_clock(alive: Sandbox, ask: Asking) -> None:
    assert ask.rows().headers["Date"] == "Wed, 01 May 2024 07:30:15 GMT"
    alive.clock = lambda: dt.datetime(2024, 10, 27, 2, 30, fold=1)  # noqa: DTZ001 - wall time has no zone
    assert ask.rows().headers["Date"] == "Sun, 27 Oct 2024 01:30:00 GMT"
    assert to_utc(dt.datetime(2024, 10, 27, 2, 30)).hour == 0  # noqa: DTZ001 - wall time has no zone


def test_what_the_log_remembers(alive: Sandbox, ask: Asking) -> None:
    ask.get("/connectors/Item?take=2&filterfieldids=", IntegrationId="1_2", User_Agent="me", Accept_Language="nl")
    request = alive.log[0]
    assert (request.number, request.method, request.kind, request.connector) == (1, "GET", "rows", "Item")
    assert (request.path, request.query) == ("/ProfitRestServices/connectors/Item", "take=2&filterfieldids=")
    assert request.parameters == {"take": "2", "filterfieldids": ""}
    assert request.headers | {"Accept-Encoding": ""} == {
        "IntegrationId": "1_2",
        "User-Agent": "me",
        "Accept-Language": "nl",
        "Accept-Encoding": "",
    }
    assert (request.status, request.rows, request.authorization) == (200, 2, "AfasToken")
    assert request.started == request.ended == _NOW
    assert alive.options.token not in str(request)
    alive.clear_log()
    assert alive.log == []


def _played(seed: int) -> list[list[Change]]:
    others = [dataclasses.replace(ITEM, id="Other", key=()), dataclasses.replace(ITEM, id="Still", stamp=None)]
    tables = [items(*(item(f"{number:03}") for number in range(200)), connector=one) for one in (ITEM, *others)]
    with Sandbox(tables, seed=seed, clock=lambda: _NOW) as played:
        return [played.change_everywhere(deletes=0.1, reinserts=0.05) for _ in range(3)]


def test_a_share_of_every_connectors_rows_goes_and_the_seed_says_which() -> None:
    rounds = _played(7)
    assert rounds == _played(7)
    assert rounds != _played(8)
    for done in rounds:
        gone = {one: [change for change in done if (change.connector, change.kind) == (one, "delete")] for one in _IDS}
        assert all(15 <= len(changes) <= 25 for changes in gone.values()), {one: len(gone[one]) for one in gone}


def test_what_goes_leaves_no_trace(alive: Sandbox, ask: Asking) -> None:
    before = {row["Code"]: row for row in ask.rows().rows}
    gone = {str(change.key[0]) for change in alive.change_everywhere(updates=0, inserts=0, deletes=0.25)}
    assert len(gone) == 5
    assert {row["Code"]: row for row in ask.rows().rows} == {
        code: row for code, row in before.items() if code not in gone
    }


def test_shares_are_right_on_average(alive: Sandbox) -> None:
    done = [len(alive.change_everywhere(updates=0.02, inserts=0, deletes=0)) for _ in range(200)]
    assert {*done} == {0, 1}
    assert 50 < sum(done) < 110


def test_a_row_comes_back_under_its_key(alive: Sandbox, ask: Asking) -> None:
    assert alive.change("Item", reinserts=3) == []
    gone = {change.key: change.before for change in alive.change("Item", deletes=3)}
    alive.clock = lambda: _NOW + dt.timedelta(hours=1)
    (back,) = alive.change("Item", reinserts=1)
    lost = gone.pop(back.key)
    assert (back.kind, back.before) == ("insert", None)
    assert back.after == (*(lost or ())[:_STAMP], "2024-05-01T10:30:15.250", *(lost or ())[_STAMP + 1 :])
    assert str(back.key[0]) in ask.rows().codes
    assert {change.key for change in alive.change("Item", reinserts=5)} == set(gone)
    assert alive.count("Item") == 20


def test_a_key_that_is_taken_again_does_not_come_back(alive: Sandbox) -> None:
    alive.delete("Item", "03")
    alive.insert("Item", item("03"))
    assert alive.change("Item", reinserts=1) == []


def test_what_is_redefined_gets_no_rows_of_before(alive: Sandbox) -> None:
    alive.delete("Item", "04")
    alive.alter("Item", [*ITEM.fields[:2], *ITEM.fields[3:6], Field("Extra", "string", "Extra", "Extra", 10)])
    assert alive.change("Item", reinserts=1) == []
    alive.delete("Item", "05")
    alive.add(items(item("A")))
    assert alive.change("Item", reinserts=1) == []


def test_rows_change_before_each_request(alive: Sandbox, ask: Asking) -> None:
    alive.add(items(item("A"), connector=dataclasses.replace(ITEM, id="Other")))
    assert [len(ask.rows().rows) for _ in range(3)] == [20] * 3
    alive.options.change(changes_per_request=2, changes_mix={"deletes": 1, "inserts": 0})
    left = [len(ask.rows().rows) for _ in range(6)]
    assert left == sorted(left, reverse=True)
    assert 8 <= left[-1] < 20
    ask.get("/metainfo")
    assert alive.count("Item") == left[-1]
    alive.options.change(changes_per_request=0.5, changes_mix={"inserts": 1})
    before = alive.count("Item") + alive.count("Other")
    for _ in range(40):
        ask.rows()
    assert 10 <= alive.count("Item") + alive.count("Other") - before <= 30
    alive.options.change(changes_per_request=3)
    here, elsewhere = alive.count("Item"), alive.count("Other")
    for _ in range(40):
        ask.rows()
    assert alive.count("Item") - here > 2 * (alive.count("Other") - elsewhere) > 0
    assert ask.rows("Nope").status == 500


@pytest.mark.parametrize("mix", [{}, {"updates": 0}, {"updates": 1, "deletes": -1}, {"update": 1}])
def test_a_mix_that_makes_no_sense(alive: Sandbox, ask: Asking, mix: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="changes_mix has numbers by updates, inserts, deletes, reinserts, moves, not"):
        alive.options.change(changes_mix=mix)
    assert ask.control("POST", "/options", {"changes_mix": mix}).status == 400


def test_every_connector_over_http(alive: Sandbox, ask: Asking) -> None:
    done = ask.control("POST", "/change-everywhere", {"deletes": 0.5, "late_seconds": 5}).json
    assert [change["kind"] for change in done] == ["delete"] * 10
    assert alive.count("Item") == 10
    assert len(ask.control("POST", "/change", {"connector": "Item", "reinserts": 2}).json) == 2


def test_steering_over_http(alive: Sandbox, ask: Asking) -> None:
    done = ask.control("POST", "/change", {"connector": "Item", "updates": 1, "inserts": 1, "late_seconds": 60}).json
    assert sorted(change["kind"] for change in done) == ["insert", "update"]
    update = next(change for change in done if change["kind"] == "update")
    assert update["key"] == [update["after"]["Code"]]
    assert update["before"]["Modified"] == "2024-01-01T12:00:00.000"
    lines = ask.control("GET", "/rows/Item").body.decode().splitlines()
    assert [tuple(json.loads(line).values()) for line in lines] == list(alive.rows("Item"))
    ask.rows()
    assert [request["status"] for request in ask.control("GET", "/log").json] == [200]
    status = ask.control("GET", "/status").json
    assert status == {"rows": {"Item": 21}, "requests": 1, "peak": 1, "peaks": {"Item": 1}}
    assert ask.control("DELETE", "/log").json == {}
    assert ask.control("GET", "/log").json == []


def test_options_change_over_http(alive: Sandbox, ask: Asking) -> None:
    assert ask.control("POST", "/options", {"take_cap": 7, "padded": {"Code": 5}}).status == 200
    assert len(ask.rows().rows) == alive.options.take_cap == 7
    assert ask.control("POST", "/options", {"take_cap": 3, "display": "square"}).status == 400
    assert len(ask.rows().rows) == 7


@pytest.mark.parametrize(
    ("method", "path", "told", "status"),
    [
        ("GET", "/nope", None, 404),
        ("GET", "/rows/Nope", None, 404),
        ("POST", "/change", {"connector": "Nope", "updates": 1}, 404),
        ("POST", "/change", {"update": 1}, 400),
        ("POST", "/change", {"updates": "many"}, 400),
        ("POST", "/change", [], 400),
        ("POST", "/change-everywhere", {"connector": "Item", "updates": 1}, 400),
        ("POST", "/options", {"nope": 1}, 400),
        ("POST", "/options", [1], 400),
    ],
)
def test_steering_that_makes_no_sense(ask: Asking, method: str, path: str, told: object, status: int) -> None:
    heard = ask.control(method, path, told)
    assert heard.status == status
    assert heard.json["error"]


def test_many_rows_stream(sandbox: Sandbox) -> None:
    sandbox.load([items(*(item(f"{number:05}") for number in range(5001)))])
    with asking(sandbox) as client:
        assert len(client.control("GET", "/rows/Item").body.splitlines()) == 5001


def test_changes_by_themselves() -> None:
    with Sandbox([items(*(item(f"{number:02}") for number in range(20)))], changes_per_minute=60_000) as sandbox:
        before = list(sandbox.rows("Item"))
        deadline = time.monotonic() + 30
        while list(sandbox.rows("Item")) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert list(sandbox.rows("Item")) != before


def test_a_generator_is_read_once() -> None:
    with Sandbox([
        Table(ITEM, (item(f"{number:02}") for number in range(5)), lambda number: item(f"N{number}"))
    ]) as sandbox:
        assert sandbox.count("Item") == 5

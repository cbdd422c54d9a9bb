"""What a STATE says of the table that it stands for, and what a run does that would no longer fit it."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afas_sandbox import Fault
from harness.articles import articles, config_of
from harness.command import run_tap
from tap_afas.loaded_key import start_anew_command
from tap_afas.loaded_under import LoadedUnder
from tap_afas.profit import known_connectors

if TYPE_CHECKING:
    from afas_sandbox import Sandbox
    from harness.run import Run

_WHOLE = {"primary_keys": ["Code"], "replication_key": ""}


def _config(sandbox: Sandbox, settings: dict[str, Any] | None = None, **others: Any) -> dict[str, Any]:
    streams = {"Articles": {"primary_keys": ["Code"]} if settings is None else settings}
    return config_of(sandbox) | {"streams": streams} | others


def _part(ran: Run) -> dict[str, Any]:
    part: dict[str, Any] = ran.state["bookmarks"]["Articles"]
    return part


# The key


@pytest.mark.parametrize(
    ("first", "then", "told"),
    [
        ({"primary_keys": ["Code"]}, {"primary_keys": ["Number"]}, "the key Code, and has the key Number now"),
        ({"primary_keys": ["Code"]}, {"primary_keys": []}, "the key Code, and has no key now"),
        ({"primary_keys": []}, {"primary_keys": ["Code"]}, "no key, and has the key Code now"),
    ],
)
@pytest.mark.parametrize("cut", [False, True])
def test_another_key_fails_the_stream_with_the_way_out(
    sandbox: Sandbox, *, first: dict[str, Any], then: dict[str, Any], told: str, cut: bool
) -> None:
    sandbox.load([articles(30), articles(3, "Others")])
    sandbox.faults = [Fault(kind="rows", connector="Articles", nth=3, refuse="blocked")] if cut else []
    state = run_tap(_config(sandbox, first, page_size=10)).state
    sandbox.faults = []
    ran = run_tap(_config(sandbox, then), state=state)
    assert ran.exit_code == 1
    assert ran.records("Articles") == []
    assert "SCHEMA" not in {message["type"] for message in ran.messages if message.get("stream") == "Articles"}
    assert any(f"The stream was loaded under {told}" in line for line in ran.errors)
    assert (
        "Drop the table Articles in the target, then take `Articles` out of `bookmarks` in the state file" in ran.said
    )
    # The others go on.
    assert len(ran.records("Others")) == 3
    del state["bookmarks"]["Articles"]
    assert run_tap(_config(sandbox, then), state=state).exit_code == 0


def test_under_meltano_the_command_is_told(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    state = run_tap(_config(sandbox)).state
    meltano = {"MELTANO_EXTRACTOR_NAME": "tap-afas--finance", "MELTANO_ENVIRONMENT": "prod"}
    with mock.patch.dict("os.environ", meltano):
        ran = run_tap(_config(sandbox, {"primary_keys": ["Number"]}), state=state)
    command = "meltano --environment=prod run --full-refresh tap-afas--finance target-postgres"
    assert f"""`TAP_AFAS__FINANCE__SELECT_FILTER='["Articles"]' {command}`""" in ran.said


def test_a_wrong_key_costs_no_table(sandbox: Sandbox) -> None:
    table = articles(30)
    rows = [("same", *row[1:]) for row in table.rows]
    sandbox.load([type(table)(table.connector, rows, table.new_row)])
    ran = run_tap(_config(sandbox))
    assert ran.exit_code == 1
    assert {message["type"] for message in ran.messages} == {"STATE"}
    assert _part(ran)["key"] is None
    # So the right one needs no other way out.
    right = run_tap(_config(sandbox, {"primary_keys": ["Number"]}), state=ran.state)
    assert (right.exit_code, len(right.records()), _part(right)["key"]) == (0, 30, '["Number"]')


def test_an_empty_table_has_its_schema(sandbox: Sandbox) -> None:
    sandbox.load([articles(0), articles(0, "Others", stamp=False)])
    ran = run_tap(_config(sandbox))
    schemas = {message["stream"] for message in ran.messages if message["type"] == "SCHEMA"}
    assert (ran.exit_code, schemas) == (0, {"Articles", "Others"})


@pytest.mark.parametrize("told", [True, False])
def test_a_key_that_only_the_list_changed_stays(sandbox: Sandbox, *, told: bool) -> None:
    sandbox.load([articles(30)])
    config = _config(sandbox, {})
    with mock.patch.dict(known_connectors.KEYS, {"Articles": ("Code",)}):
        first = run_tap(config)
    part = _part(first)
    assert part["key"] == '["Code"]'
    if not told:
        # As an earlier version wrote it.
        for name in ("key", "loaded_under", "environment", "rows_whole"):
            del part[name]
    sandbox.change("Articles", updates=2)
    with mock.patch.dict(known_connectors.FORMER_KEYS, {"Articles": ("Code",)}):
        ran = run_tap(config, state=first.state)
    assert ran.exit_code == 0, ran.said
    (schema,) = [message for message in ran.messages if message["type"] == "SCHEMA"]
    assert schema["key_properties"] == ["Code"]
    assert _part(ran)["key"] == '["Code"]'
    assert len(ran.records()) < 30


def test_the_settings_key_is_that_of_an_older_state(sandbox: Sandbox) -> None:
    sandbox.load([articles(30)])
    config = _config(sandbox)
    catalog = run_tap(config, "--discover").catalog
    part = _part(run_tap(config))
    for name in ("key", "loaded_under", "environment", "rows_whole"):
        del part[name]
    catalog["streams"][0]["key_properties"] = ["Number"]
    root = next(one for one in catalog["streams"][0]["metadata"] if not one["breadcrumb"])
    root["metadata"]["table-key-properties"] = ["Number"]
    ran = run_tap(config, catalog=catalog, state={"bookmarks": {"Articles": part}})
    assert "was loaded under the key Code, and has the key Number now" in ran.said


# What else


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ({"start_date": "2023-01-01T00:00:00Z"}, "`start_date`"),
        ({"timezone": "Europe/London"}, "`timezone`"),
        ({"streams": {"Articles": {"primary_keys": ["Code"]}}}, "the `filter`"),
    ],
)
@pytest.mark.parametrize("cut", [False, True])
def test_what_selects_rows_changed(sandbox: Sandbox, *, then: dict[str, Any], told: str, cut: bool) -> None:
    sandbox.load([articles(30)])
    only = {"primary_keys": ["Code"], "filter": [{"field": "Number", "operator": ">=", "value": 10}]}
    first = _config(sandbox, only, start_date="2024-01-01T00:00:00Z", page_size=10)
    sandbox.faults = [Fault(kind="rows", nth=3, refuse="blocked")] if cut else []
    state = run_tap(first).state
    sandbox.faults = []
    ran = run_tap(first | then, state=state)
    assert ran.exit_code == 0, ran.said
    assert f"Articles: Reading the stream anew, since {told} changed." in ran.lines("WARNING")
    assert len(ran.records()) == (30 if "filter" in told else 20)
    again = run_tap(first | then, state=ran.state)
    assert (again.exit_code, again.lines("WARNING")) == (0, [])


def test_a_stream_that_appends_can_not_read_itself_anew(sandbox: Sandbox) -> None:
    sandbox.load([articles(30)])
    state = run_tap(_config(sandbox, {"append": True})).state
    ran = run_tap(_config(sandbox, {"append": True}, start_date="2024-01-01"), state=state)
    assert (ran.exit_code, ran.records()) == (78, [])
    assert "`start_date` changed since the last run: a stream that appends would lack rows, or double them." in ran.said


@pytest.mark.parametrize(
    ("first", "told"),
    [({}, "was read whole before"), ({"append": True, "replication_key": "Number"}, "went by Number before")],
)
def test_a_table_that_was_loaded_otherwise_is_not_appended_to(
    sandbox: Sandbox, first: dict[str, Any], told: str
) -> None:
    sandbox.load([articles(30)])
    state = run_tap(_config(sandbox, first)).state
    ran = run_tap(_config(sandbox, {"append": True}), state=state)
    assert (ran.exit_code, ran.records()) == (78, [])
    assert f"The stream {told}, and is to send each change by Modified as one row more: rows would double." in ran.said
    assert "Drop the table Articles" in ran.said
    assert "starting anew" not in ran.said
    # As the way out says.
    del state["bookmarks"]["Articles"]
    assert len(run_tap(_config(sandbox, {"append": True}), state=state).records()) == 30


def test_a_bookmark_in_the_future_of_a_stream_that_appends(sandbox: Sandbox) -> None:
    sandbox.load([articles(30)])
    state = run_tap(_config(sandbox, {"append": True})).state
    state["bookmarks"]["Articles"] |= {"bookmark": "2099-01-01T00:00:00", "settled": "2099-01-01T00:00:00"}
    ran = run_tap(_config(sandbox, {"append": True}), state=state)
    assert (ran.exit_code, ran.records()) == (78, [])
    assert "The state's bookmark 2098-12-31T23:00:00+00:00 lies in the future, and the stream appends" in ran.said
    assert "Drop the table Articles" in ran.said


def test_another_type_of_a_column(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    state = run_tap(_config(sandbox)).state
    ran = run_tap(_config(sandbox, {"primary_keys": ["Code"], "types": {"Number": "string"}}), state=state)
    assert (ran.exit_code, ran.records()) == (78, [])
    assert "Number had another type when the target's table was made" in ran.said
    assert "Drop the table Articles" in ran.said


@pytest.mark.parametrize("settings", [_WHOLE, {"primary_keys": ["Code"]}], ids=["whole", "by stamp"])
def test_a_field_that_comes_back_has_the_type_of_its_column(sandbox: Sandbox, settings: dict[str, Any]) -> None:
    sandbox.load([articles(3)])
    config = _config(sandbox, settings)
    catalog = run_tap(config, "--discover").catalog
    number = next(one for one in catalog["streams"][0]["metadata"] if one["breadcrumb"] == ["properties", "Number"])
    state: dict[str, Any] = {}
    for number["metadata"]["selected"] in (True, False, False):
        ran = run_tap(config, catalog=catalog, state=state)
        assert (ran.exit_code, ran.lines("WARNING")) == (0, []), ran.said
        state = ran.state
    number["metadata"]["selected"] = True
    catalog["streams"][0]["schema"]["properties"]["Number"]["type"] = ["string", "null"]
    ran = run_tap(config, catalog=catalog, state=state)
    assert "Number had another type when the target's table was made" in ran.said
    catalog["streams"][0]["schema"]["properties"]["Number"]["type"] = ["integer", "null"]
    ran = run_tap(config, catalog=catalog, state=state)
    assert ran.exit_code == 0, ran.said
    assert ("Number will be in what is read from now on" in ran.said) == (settings is not _WHOLE)
    assert run_tap(config, catalog=catalog, state=ran.state).lines("WARNING") == []


def test_another_name_of_the_table(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    state = run_tap(_config(sandbox)).state
    ran = run_tap(_config(sandbox, stream_maps={"Articles": {"__alias__": "Items"}}), state=state)
    assert (ran.exit_code, ran.records("Items")) == (78, [])
    assert (
        "The stream goes into a table of another name than before. Take `__alias__` in `stream_maps` back. To load it"
        " all into the other table, take `Articles` out of `bookmarks` in the state file, and run again." in ran.said
    )


def test_the_way_out_names_the_table_as_the_target_knows_it(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    maps = {"Articles": {"__alias__": "Items"}}
    state = run_tap(_config(sandbox, stream_maps=maps)).state
    ran = run_tap(_config(sandbox, {"primary_keys": ["Number"]}, stream_maps=maps), state=state)
    assert "Drop the table Items in the target, then take `Articles` out of `bookmarks` in the state file" in ran.said


def test_a_field_that_is_selected_only_now_is_told_once(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    config = _config(sandbox)
    catalog = run_tap(config, "--discover").catalog
    name = next(one for one in catalog["streams"][0]["metadata"] if one["breadcrumb"] == ["properties", "Name"])
    name["metadata"]["selected"] = False
    state = run_tap(config, catalog=catalog).state
    name["metadata"]["selected"] = True
    ran = run_tap(config, catalog=catalog, state=state)
    (line,) = ran.lines("WARNING")
    assert line.startswith(
        "Articles: Name will be in what is read from now on; rows that were loaded before stay as they are."
    )
    # Rows with a key are gone over: the table, with rights and views on it, may stay.
    assert line.endswith(" To load them again, take `Articles` out of `bookmarks` in the state file, and run again.")
    assert run_tap(config, catalog=catalog, state=ran.state).lines("WARNING") == []


def test_other_maps_are_told_once(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    state = run_tap(_config(sandbox)).state
    config = _config(sandbox, stream_maps={"Articles": {"Name": "Name.upper()"}})
    ran = run_tap(config, state=state)
    assert ran.exit_code == 0, ran.said
    assert any(
        line.startswith("Articles: The other stream maps will show in what is read") for line in ran.lines("WARNING")
    )
    assert run_tap(config, state=ran.state).lines("WARNING") == []


@given(st.dictionaries(st.text(max_size=8), st.sampled_from("sinbdm?"), max_size=40))
def test_what_is_told_can_be_read_again(kinds: dict[str, str]) -> None:
    under = LoadedUnder(
        "a", "b", "c", "d", "e", "".join(f"{number:04x}{kind}" for number, kind in enumerate(kinds.values()))
    )
    assert LoadedUnder.from_text(under.to_text()) == under
    assert list(under.kinds.values()) == list(kinds.values())


@pytest.mark.parametrize("text", ["", "5", "{}", "[" * 100_000, '{"filter": 1}'])
def test_what_can_not_be_read_compares_nothing(text: str) -> None:
    assert LoadedUnder.from_text(text) is None


# A source that shrinks


@pytest.mark.parametrize(
    ("before", "now", "fails"),
    [
        (1, 0, True),
        (300, 149, True),
        (300, 150, False),
        (150, 51, False),
        (199, 99, True),
        (199, 100, False),
        (0, 0, False),
    ],
)
@pytest.mark.parametrize("settings", [_WHOLE, {}], ids=["key", "no key"])
def test_a_source_that_shrinks_empties_no_table(
    sandbox: Sandbox, *, settings: dict[str, Any], before: int, now: int, fails: bool
) -> None:
    sandbox.load([articles(before)])
    state = run_tap(_config(sandbox, settings)).state
    assert state["bookmarks"]["Articles"]["rows_whole"] == before
    sandbox.load([articles(now)])
    ran = run_tap(_config(sandbox, settings), state=state)
    assert (ran.exit_code, len(ran.versions("Articles"))) == ((1, 0) if fails else (0, 1)), ran.said
    if not fails:
        return
    assert f"Articles has {now} rows, and had {before}: nothing is taken out of the target." in ran.said
    # What fits one page is counted before it is written, where nothing would take it out again.
    assert settings or ran.records() == []
    assert _part(ran)["rows_whole"] == before
    for accepted, code in ((now + 1, 1), (now, 0), (0, 0)):
        again = run_tap(_config(sandbox, {**settings, "accept_fewer_rows": accepted}), state=ran.state)
        assert (again.exit_code, len(again.versions("Articles"))) == (code, 1 - code), again.said


def test_under_another_filter_counts_are_told_and_not_compared(sandbox: Sandbox) -> None:
    sandbox.load([articles(300)])
    state = run_tap(_config(sandbox, {})).state
    only = {"filter": [{"field": "Number", "operator": "<", "value": 10}]}
    ran = run_tap(_config(sandbox, only), state=state)
    assert (ran.exit_code, len(ran.versions("Articles"))) == (0, 1), ran.said
    assert "Articles: 10 rows, and 300 before the settings changed." in ran.lines("WARNING")


@pytest.mark.parametrize("settings", [_WHOLE, {}], ids=["key", "no key"])
def test_another_filter_stays_another_one_until_all_was_read(sandbox: Sandbox, settings: dict[str, Any]) -> None:
    sandbox.load([articles(300)])
    state = run_tap(_config(sandbox, settings)).state
    only = {**settings, "filter": [{"field": "Number", "operator": "<", "value": 120}], "page_size": 100}
    sandbox.faults = [Fault(kind="rows", nth=2, refuse="blocked")]
    cut = run_tap(_config(sandbox, only), state=state)
    assert (cut.exit_code, len(cut.records())) == (1, 100)
    sandbox.faults = []
    ran = run_tap(_config(sandbox, only), state=cut.state)
    assert (ran.exit_code, len(ran.versions("Articles"))) == (0, 1), ran.said
    assert "Articles: 120 rows, and 300 before the settings changed." in ran.lines("WARNING")
    # And one that was taken back compares again.
    sandbox.load([articles(120)])
    ran = run_tap(_config(sandbox, settings), state=cut.state)
    assert "Articles has 120 rows, and had 300: nothing is taken out of the target." in ran.said


def test_the_command_survives_any_id() -> None:
    ids = ["Prijs's", 'A "b" $c', "Med-werkers"]
    command = start_anew_command(*ids, extractor="tap-afas")
    assert command is not None
    variable, *rest = shlex.split(command)
    assert json.loads(variable.removeprefix("TAP_AFAS__SELECT_FILTER=")) == ids
    assert rest[-4:] == ["run", "--full-refresh", "tap-afas", "target-postgres"]


# The environment


def test_another_environment_fails_before_anything_is_read(sandbox: Sandbox) -> None:
    sandbox.load([articles(3)])
    state = run_tap(_config(sandbox)).state
    assert state["bookmarks"]["Articles"]["environment"] == "O12345AA"
    sandbox.options.environment = "T12345AA"
    sandbox.clear_log()
    ran = run_tap(_config(sandbox), state=state)
    assert (ran.exit_code, ran.output) == (78, b"")
    assert "The state is about the environment O12345AA (Articles), and T12345AA answers" in ran.errors[0]
    assert {request.kind for request in sandbox.log} == {"metainfo"}
    accepted = run_tap(_config(sandbox, accept_environment="t12345aa"), state=state)
    assert accepted.exit_code == 0
    assert _part(accepted)["environment"] == "T12345AA"
    # From then on, it is this one's.
    assert run_tap(_config(sandbox), state=accepted.state).exit_code == 0


@pytest.mark.parametrize("first", [True, False])
def test_an_environment_without_a_name_compares_nothing(sandbox: Sandbox, *, first: bool) -> None:
    sandbox.load([articles(3)])
    sandbox.options.old_metainfo = first
    state = run_tap(_config(sandbox)).state
    sandbox.options.old_metainfo = not first
    assert run_tap(_config(sandbox), state=state).exit_code == 0


def test_the_part_of_a_stream_that_is_not_selected_does_not_count(sandbox: Sandbox) -> None:
    sandbox.load([articles(3), articles(3, "Others")])
    state = run_tap(_config(sandbox)).state
    state["bookmarks"]["Others"]["environment"] = "O99999ZZ"
    assert run_tap(_config(sandbox, connectors=["Articles"]), state=state).exit_code == 0
    assert json.dumps(state)

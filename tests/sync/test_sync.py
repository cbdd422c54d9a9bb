"""A stream is driven in one way, whoever asks for its rows; and what a run asks beside rows, it asks once."""

from __future__ import annotations

import collections
import dataclasses
import json
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from afas_sandbox import Connector, Fault, Field, Table
from harness.articles import articles, config_of
from harness.command import run_tap
from tap_afas.plan import make_plan
from tap_afas.profit.errors import ProfitError
from tap_afas.profit.pagination.stream_paginator import StreamPaginator
from tap_afas.refresh import Course
from tap_afas.sync import Phase
from tap_afas.tap import TapAfas

if TYPE_CHECKING:
    from afas_sandbox import Sandbox
    from tap_afas.plan import Plan
    from tap_afas.stream import AfasStream


def _stream(sandbox: Sandbox, **settings: Any) -> AfasStream:
    tap = TapAfas(config=config_of(sandbox, **settings), parse_env_config=False)
    stream: AfasStream = tap.streams["Articles"]  # type: ignore[assignment]
    return stream


@pytest.mark.parametrize("stamp", [False, True])
def test_a_page_that_is_too_much_is_asked_for_in_parts_by_get_records_too(sandbox: Sandbox, *, stamp: bool) -> None:
    sandbox.load([articles(60, stamp=stamp)])
    sandbox.faults = [Fault(kind="rows", nth=(1, 3), refuse="out_of_memory")]
    records = list(_stream(sandbox, page_size=40).get_records(None))
    assert sorted(record["Code"] for record in records) == [f"A{number:05}" for number in range(60)]
    takes = [int(request.parameters["take"]) for request in sandbox.log if request.kind == "rows"]
    assert min(takes) < 40


def test_what_fails_get_records_fails(sandbox: Sandbox) -> None:
    sandbox.load([articles(60, stamp=False)])
    sandbox.faults = [Fault(kind="rows", nth=2, refuse="blocked")]
    records = iter(_stream(sandbox, page_size=40).get_records(None))
    assert next(records)["Code"]
    with pytest.raises(ProfitError):
        list(records)


def test_get_records_moves_no_state(sandbox: Sandbox) -> None:
    sandbox.load([articles(60)])
    stream = _stream(sandbox, page_size=40)
    assert len(list(stream.get_records(None))) == len(list(stream.get_records(None))) == 60
    assert stream.stream_state == {}


def test_the_phases_of_a_sync(sandbox: Sandbox) -> None:
    sandbox.load([articles(60, stamp=False)])
    sync = _stream(sandbox, page_size=40).new_sync()
    phases = [sync.phase]
    described = sync.receive(sync.ask())
    assert described is not None
    assert (described.rows, described.last) == ([], False)
    phases.append(sync.phase)
    first = sync.receive(sync.ask())
    assert first is not None
    assert (len(first.rows), first.last) == (40, False)
    *_, last = sync.deliveries()
    assert [*phases, sync.phase] == [Phase.DESCRIBE, Phase.READ, Phase.DONE]
    assert (last.last, sync.under_way) == (True, False)
    # What the rows were loaded under is said once their key has been looked at.
    loaded = {name: first.state[name] for name in ("key", "loaded_under", "environment")}
    assert {**described.state, **loaded} == first.state
    assert (described.state["key"], first.state["key"]) == (None, '["Code"]')
    assert first.state["rows_read"] is None
    refreshed = {name: last.state[name] for name in ("refreshed_at", "active_version")}
    assert last.state == {**first.state, "rows_read": sync.progress.read, "rows_whole": 60, **refreshed}


def test_readings_come_one_after_the_other_each_under_its_version(sandbox: Sandbox) -> None:
    sandbox.load([articles(60, stamp=False)])

    def two_readings(*given: Any, **options: Any) -> Plan:
        plan = make_plan(*given, **options)
        assert isinstance(plan.first.paginator, StreamPaginator)
        (one,) = plan.first.paginator.scans
        plan.first.paginator.scans = (one, dataclasses.replace(one, name="again", version=7))
        return dataclasses.replace(plan, course=Course(7, activates=True))

    with mock.patch("tap_afas.preparation.make_plan", two_readings):
        stream = _stream(sandbox, page_size=40, emit_activate_version_messages=False)
        found = list(stream.new_sync().deliveries())
    assert [each.version for each in found] == sorted((each.version for each in found), key=bool)
    assert {each.version: sum(len(one.rows) for one in found if one.version == each.version) for each in found} == {
        None: 60,
        7: 60,
    }
    assert [(each.activates, each.last) for each in found] == [(False, False)] * (len(found) - 1) + [(True, True)]


def _asked_for(sandbox: Sandbox) -> collections.Counter[tuple[str, str | None]]:
    return collections.Counter((one.kind, one.connector) for one in sandbox.log if one.kind == "metainfo")


def test_metainfo_is_asked_once_a_run(sandbox: Sandbox) -> None:
    names = ["A", "B", "C"]
    sandbox.load([articles(5, name) for name in names])
    # A has a filter, B a key, C nothing: what is set is checked before anything is read.
    streams = {
        "A": {"primary_keys": ["Code"], "filter": [{"field": "Number", "operator": ">", "value": 1}]},
        "B": {"primary_keys": ["Code"]},
    }
    config = config_of(sandbox, streams=streams)
    assert run_tap(config).exit_code == 0
    once = collections.Counter([("metainfo", None), *(("metainfo", name) for name in names)])
    assert _asked_for(sandbox) == once
    catalog = run_tap(config, "--discover").catalog
    sandbox.clear_log()
    ran = run_tap(config, catalog=catalog)
    assert ran.exit_code == 0
    assert _asked_for(sandbox) == once
    assert len(ran.records("A")) == 3


def test_sync_all_asks_metainfo_once_too(sandbox: Sandbox) -> None:
    sandbox.load([articles(5)])
    stream = _stream(sandbox)
    stream.sync()
    assert set(_asked_for(sandbox).values()) == {1}
    # A later sync may find other fields.
    stream.sync()
    assert _asked_for(sandbox)["metainfo", "Articles"] == 2


def test_what_is_odd_about_a_connector_is_said_once(sandbox: Sandbox) -> None:
    fields = (
        Field("Code", "string", "Code", "Code", 10),
        Field("Modified", "date", "Changed on", "Gewijzigd op"),
        Field("Changed", "date", "Changed on", "Gewijzigd op"),
    )
    stamp = "2024-03-01T00:00:00"
    sandbox.load([Table(Connector("C", "", "", fields, key=("Code",)), [("a", stamp, stamp)], lambda _: ("b", "", ""))])
    config = config_of(sandbox, streams={"C": {"primary_keys": ["Code"]}})
    ran = run_tap(config)
    assert len(ran.records("C")) == 1
    (said,) = [line for line in ran.lines("INFO") if line.startswith("C: ")][:1]
    assert said == (
        "C: read by what changed on Modified, and by what changed on Changed: each could be the time of the last"
        " change, in a table of its own. To choose, set `streams.C.replication_key` and `also_changed_on`."
    )
    assert not ran.lines("WARNING")
    catalog = run_tap(config, "--discover").catalog
    assert run_tap(config, catalog=catalog).lines("INFO").count(said) == 1


@pytest.mark.parametrize("page_size", [1, 5])
def test_a_key_that_holds_no_date_ends_in_a_sentence(sandbox: Sandbox, page_size: int) -> None:
    sandbox.load([articles(3)])
    rows = [
        {"Code": f"A{number}", "Modified": f"soon {number}", "Name": "x", "Number": number}
        for number in range(page_size)
    ]
    sandbox.faults = [Fault(kind="rows", status=200, body=json.dumps({"rows": rows}))]
    ran = run_tap(
        config_of(
            sandbox,
            page_size=page_size,
            streams={"Articles": {"primary_keys": ["Modified", "Code"], "replication_key": None}},
        )
    )
    assert ran.exit_code == 1
    assert "The value of Modified in the row with Modified = soon 0, Code = A0 is not a date and time." in ran.errors[0]

"""What `check` finds in connectors with something wrong in each, and that it finds nothing in sound ones."""

from __future__ import annotations

import datetime as dt
import json
import re
import string
import subprocess
import sys
from typing import TYPE_CHECKING, Any, TypeGuard

import pytest
from links import ROOT

from afas_sandbox import Connector, Fault, Table, amsterdam
from afas_sandbox.data import dataset
from harness.articles import config_of
from harness.command import run_tap, without_waiting
from harness.key_traps import LATER, TRAPS, Trap
from harness.planted import CODE, PLANTS, Plant, fields_of, made, moment
from tap_afas.connection import Connection
from tap_afas.discovery import define_stream
from tap_afas.explore import wording_en, wording_nl
from tap_afas.explore.check import CheckProgress, check
from tap_afas.explore.text_report import to_text
from tap_afas.explore.wording import Wording, to_json
from tap_afas.settings import Settings, StreamSettings

if TYPE_CHECKING:
    from afas_sandbox import Row, Sandbox
    from tap_afas.explore.findings import ConnectorReport, Report
    from tap_afas.explore.wording import Language

_CODES = set(wording_en.TEXTS)
_LANGUAGES: tuple[Language, ...] = ("en", "nl")


def _connection(sandbox: Sandbox, streams: dict[str, Any] | None = None, **settings: Any) -> Connection:
    return Connection(Settings.from_config(config_of(sandbox) | {"streams": streams or {}} | settings))


def _check(sandbox: Sandbox, streams: dict[str, Any] | None = None, **options: Any) -> Report:
    connection = _connection(sandbox, streams)
    with without_waiting():
        return check(connection, sorted(sandbox.connectors), **options)


def _look(sandbox: Sandbox, plant: Plant, **options: Any) -> tuple[Report, ConnectorReport]:
    sandbox.load([plant.table], **plant.options)
    sandbox.faults = plant.faults
    name = plant.table.connector.id
    report = _check(sandbox, {name: plant.settings} if plant.settings else {}, **options)
    return report, report.connectors[0]


@pytest.mark.parametrize("name", PLANTS)
def test_each_problem_is_found_and_no_other(sandbox: Sandbox, name: str) -> None:
    plant = PLANTS[name]
    report, found = _look(sandbox, plant)
    expected = dict(plant.codes)
    if "stamp_missing" not in expected and not any(f.id == "Gewijzigd_op" for f in plant.table.connector.fields):
        expected["stamp_missing"] = ()
    assert {one.code: one.fields for one in found.findings} == expected
    assert report.loses_rows is plant.loses
    for language in _LANGUAGES:
        for problem in Wording(language).problems(found):
            assert problem.message
            assert problem.fix
            assert "{" not in problem.message


def test_every_code_is_planted() -> None:
    assert {code for plant in PLANTS.values() for code in plant.codes} == _CODES


def test_codes_that_others_read_stay() -> None:
    agreed = (
        "key_repeats key_empty key_unknown key_found key_doubtful stamp_missing stamp_ambiguous stamp_empty"
        " stamp_future stamp_midnight replaced_field name_too_long names_collide unfit_value personal_data"
        " not_readable slow"
    )
    assert {*agreed.split()} <= _CODES
    (table,) = re.findall(r"\| Code \|.*?\n\n", (ROOT / "docs" / "explore.md").read_text("utf-8"), re.DOTALL)
    told = [line.split("|")[1] for line in table.splitlines()[2:] if line]
    assert {code for cell in told for code in re.findall(r"`(\w+)`", cell)} == _CODES


def test_both_languages_say_the_same() -> None:
    assert list(wording_en.TEXTS) == list(wording_nl.TEXTS)
    for code, (message, steps) in wording_en.TEXTS.items():
        dutch, dutch_steps = wording_nl.TEXTS[code]
        assert _places(message) == _places(dutch), code
        assert [_places(step) for step in steps] == [_places(step) for step in dutch_steps], code
    for table in ("NATURES", "WHY_NONE", "DOUBTS", "SORTS", "KINDS", "VERBS"):
        assert getattr(wording_en, table).keys() == getattr(wording_nl, table).keys()


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_first_value_at_fault_is_told(sandbox: Sandbox) -> None:
    _, found = _look(sandbox, PLANTS["Unfit"])
    (problem,) = Wording("en").problems(found)
    assert problem.message == (
        "3 values of Dag are not a date without a time (Code = A00000). The stream fails on the first of them."
    )
    (bare,) = Wording("en", values=False).problems(found)
    assert "A00000" not in bare.message


def test_a_key_with_a_dot_in_its_id_is_found_and_loads(sandbox: Sandbox) -> None:
    fields = "Verk.nr:code Naam:text Gewijzigd_op:moment:Gewijzigd_op"
    rows: list[Row] = [(f"V{number:05}", f"naam {number % 7}", moment(number)) for number in range(900)]
    sandbox.load([made("Verkopen", fields, rows)])
    report = _check(sandbox)
    (found,) = report.connectors
    assert [one.code for one in found.findings] == ["key_found"]
    assert found.proposed == {"primary_keys": ["Verk.nr"], "replication_key": "Gewijzigd_op"}
    ran = run_tap(config_of(sandbox) | {"streams": {"Verkopen": found.proposed}, "page_size": 100})
    assert ran.exit_code == 0, ran.said
    assert sorted(one["Verk.nr"] for one in ran.records("Verkopen")) == [row[0] for row in rows]


def test_joined_tables_are_read_by_the_stamps_of_both(sandbox: Sandbox) -> None:
    fields = "Code:code Naam:text Gewijzigd_op:moment Gewijzigd_op_2:moment:Gewijzigd_op"
    rows: list[Row] = [
        (f"V{number:05}", f"naam {number % 7}", moment(number), moment(number // 3)) for number in range(90)
    ]
    sandbox.load([made("Beide", fields, rows)])
    (found,) = _check(sandbox).connectors
    (problem,) = [one for one in Wording("en").problems(found) if one.code == "stamp_ambiguous"]
    assert problem.message.startswith(
        "Gewijzigd_op and Gewijzigd_op_2 could each tell when a row was last changed: joined tables have one each."
        " With a key, the stream is read by what changed on Gewijzigd_op, and by what changed on Gewijzigd_op_2 as"
        " well."
    )
    # As the default is, which naming the replication key alone would change.
    stamps = {"replication_key": "Gewijzigd_op", "also_changed_on": ["Gewijzigd_op_2"]}
    assert found.proposed == {"primary_keys": ["Code"], **stamps}
    ran = run_tap(config_of(sandbox) | {"streams": {"Beide": {"primary_keys": ["Code"]}}})
    assert list(json.loads(ran.state["bookmarks"]["Beide"]["further"])["stamps"]) == ["Gewijzigd_op_2"]
    (found,) = _check(sandbox, {"Beide": {"primary_keys": ["Code"]}}).connectors
    (problem,) = Wording("nl").problems(found)
    assert "De stream wordt gelezen op wat wijzigde volgens Gewijzigd_op, en ook op wat wijzigde" in problem.message
    assert found.proposed == {}


def test_a_key_that_repeats_says_what_the_repetition_comes_from(sandbox: Sandbox) -> None:
    _, found = _look(sandbox, PLANTS["Repeats"])
    problem = next(one for one in Wording("en").problems(found) if one.code == "key_repeats")
    assert "Ordernummer = O0000" in problem.message
    assert "among the 600 rows that were read" in problem.message
    assert "Such rows differ in Regel." in problem.message
    assert "PERF-46" in problem.fix
    assert found.proposed == {"primary_keys": ["Ordernummer", "Regel"], "replication_key": "Gewijzigd_op"}


def test_personal_data_is_hashed_by_the_maps_that_are_told(sandbox: Sandbox) -> None:
    plant = PLANTS["Staff"]
    report, found = _look(sandbox, plant)
    assert found.masks["Geboortedatum"] is None
    config = config_of(sandbox) | {"streams": {"Staff": CODE}, "stream_maps": report.stream_maps}
    ran = run_tap(config)
    assert ran.exit_code == 0, ran.said
    records = ran.records("Staff")
    assert len(records) == 60
    for record in records:
        assert not {"Geboortedatum", "Brutosalaris"} & record.keys()
        assert len(record["Nummer_overheid"]) == len(record["Rekening"]) == 32
    assert {record["E-mail_privé"] is None for record in records} == {True, False}


def test_what_is_pasted_makes_it_sound(sandbox: Sandbox) -> None:
    sandbox.load([PLANTS["Found"].table])
    report = _check(sandbox)
    assert report.streams == {"Found": {"primary_keys": ["Code"], "replication_key": "Gewijzigd_op"}}
    after = _check(sandbox, report.streams)
    assert (after.connectors[0].sync, after.connectors[0].findings) == ("incremental", ())
    assert after.connectors[0].key_source == "settings"
    ran = run_tap(config_of(sandbox) | {"streams": report.streams})
    again = run_tap(config_of(sandbox) | {"streams": report.streams}, state=ran.state)
    assert (ran.exit_code, again.exit_code, len(again.records())) == (0, 0, 0)


def test_a_doubtful_key_is_not_among_what_to_set(sandbox: Sandbox) -> None:
    report, found = _look(sandbox, PLANTS["Prijzen"])
    assert report.streams == {}
    assert report.doubtful_streams["Prijzen"]["primary_keys"] == ["Artikel", "Prijslijst"]
    assert found.key_source == "found"


def test_under_a_stamp_that_stands_still_none_is_to_be_used(sandbox: Sandbox) -> None:
    report, _ = _look(sandbox, PLANTS["StandsStill"])
    assert report.streams == {"StandsStill": {"replication_key": None}}
    assert report.exit_code == 1


@pytest.mark.parametrize(
    ("refuse", "others", "code"),
    [("not_authorized", 0, 78), ("not_authorized", 1, 78), ("busy", 0, 75), ("busy", 1, 75)],
)
def test_what_can_not_be_read_ends_as_the_tap_does(sandbox: Sandbox, refuse: str, others: int, code: int) -> None:
    tables = [PLANTS["Sound"].table, *([PLANTS["Found"].table] if others else [])]
    sandbox.load(tables)
    status = {"refuse": refuse} if refuse != "busy" else {"status": 503, "body": ""}
    sandbox.faults = [Fault(connector="Sound", **status)]
    report = _check(sandbox)
    assert report.exit_code == code
    found = next(one for one in report.connectors if one.connector == "Sound")
    assert [one.code for one in found.findings] == ["not_readable"]
    assert found.failure


def test_rows_told_truthfully(sandbox: Sandbox) -> None:
    rows: list[Row] = [(f"C{n:06}", moment(n)) for n in range(9000)]
    sandbox.load([made("Many", "Code:code Gewijzigd_op:moment", rows)])
    for wanted, read, complete in ((None, 9000, True), (20_000, 9000, True), (500, 1000, False), (1, 2, False)):
        found = _check(sandbox, rows=wanted).connectors[0]
        assert (found.rows_read, found.complete) == (read, complete)
    text = to_text(_check(sandbox, rows=500), "en")
    assert "in 1,000 rows; there are more" in text
    counted = _check(sandbox, rows=500, count=True).connectors[0].cost
    assert counted is not None
    assert counted.counted == "counted"
    assert abs(counted.rows - 9000) <= 90


def test_what_an_hourly_run_takes_of_a_table_that_is_not_read_whole(sandbox: Sandbox) -> None:
    now = amsterdam()
    old = [(f"A{n:05}", moment(n, 2019)) for n in range(3000)]
    # Those with the highest keys changed last: 240 a day.
    new = [(f"B{n:05}", f"{now - dt.timedelta(minutes=6 * n):%Y-%m-%dT%H:%M:%S}.000") for n in range(3000)]
    rows: list[Row] = [*old, *new]
    sandbox.load([made("Growing", "Code:code Gewijzigd_op:moment", rows)])
    for wanted in (1000, None):
        found = _check(sandbox, {"Growing": CODE}, rows=wanted).connectors[0]
        assert found.cost is not None
        # A part of the first and the last day is missing.
        assert found.cost.hourly_rows == pytest.approx(10, rel=0.6 if wanted else 0.7)
    assert found.findings == ()


def test_a_number_as_a_stamp(sandbox: Sandbox) -> None:
    rows: list[Row] = [(f"A{n:05}", n) for n in range(3000)]
    sandbox.load([made("Counted", "Code:code Versieteller:int", rows)])
    settings = {"Counted": {**CODE, "replication_key": "Versieteller"}}
    for wanted in (500, None):
        found = _check(sandbox, settings, rows=wanted).connectors[0]
        assert (found.sync, found.replication_key, found.findings, found.failure) == (
            "incremental",
            "Versieteller",
            (),
            None,
        )


def test_a_repeat_far_behind_is_met_by_the_walk(sandbox: Sandbox) -> None:
    rows: list[Row] = [(f"C{n - (n == 9000):06}", n % 3 + 1, moment(n)) for n in range(18_000)]
    sandbox.load([made("Rare", "Nummer:code Regel:int Gewijzigd_op:moment", rows)])
    found = _check(sandbox).connectors[0]
    assert found.key == ("Nummer", "Regel")
    rows = [(f"C{n - (n == 9000):06}", moment(n)) for n in range(18_000)]
    sandbox.load([made("Rare", "Nummer:code Gewijzigd_op:moment", rows)])
    found = _check(sandbox).connectors[0]
    assert (found.key, found.rows_read, found.complete) == ((), 18_000, True)
    assert [one.code for one in found.findings] == ["key_unknown", "join_repeats"]


def test_the_json_is_as_agreed(sandbox: Sandbox) -> None:
    report, _ = _look(sandbox, PLANTS["Repeats"])
    told = json.loads(json.dumps(to_json(report, "nl")))
    assert list(told) == ["environment", "read_at", "connectors", "streams"]
    (one,) = told["connectors"]
    problems = one.pop("problems")
    assert one == {
        "connector": "Repeats",
        "stream": "Repeats",
        "description": "Repeats",
        "fields": 4,
        "sync": "incremental",
        "replication_key": "Gewijzigd_op",
        "key": ["Ordernummer"],
        "key_source": "settings",
        "rows_read": 600,
        "complete": True,
    }
    assert [list(problem) for problem in problems] == [["code", "severity", "fields", "message", "fix"]] * 2
    assert problems[0]["message"].startswith("De sleutel Ordernummer herhaalt")
    assert told["streams"]["Repeats"]["primary_keys"] == ["Ordernummer", "Regel"]


def test_the_whole_sandbox_takes_few_questions(sandbox: Sandbox) -> None:
    sandbox.load(dataset(scale=0.05, now=amsterdam()))
    assert run_tap(config_of(sandbox) | {"streams": {}}).exit_code == 0
    plain = len(sandbox.log)
    sandbox.clear_log()
    seen: list[CheckProgress] = []
    report = _check(sandbox, on_progress=seen.append)
    assert report.requests <= len(sandbox.log) <= 2 * plain
    assert max(sandbox.peaks.values()) == 1
    assert sandbox.peak <= 4
    assert (seen[-1].done, seen[-1].connectors) == (60, 60)
    assert {one.failure for one in report.connectors} == {None}
    assert report.exit_code == 0
    assert all(len(to_text(report, language)) > 10_000 for language in _LANGUAGES)


@pytest.mark.parametrize(
    "options",
    [
        {"take_cap": 150},
        {"take_cap": 1000},
        {"max_cells": 600},
        {"old_json": True, "language": "en"},
        {"collation": "ci_ai"},
        {"padded": {"Code": 10}},
        {"stamp_unit": "day", "display": "exact"},
        {"old_metainfo": True, "date_offset": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("settings", [None, CODE])
def test_whatever_afas_is_like(sandbox: Sandbox, options: dict[str, Any], settings: dict[str, Any] | None) -> None:
    rows: list[Row] = [(f"{n * 7 % 1301}", f"Artikel {n}", moment(n)) for n in range(1300)]
    sandbox.load([made("Articles", "Code:code Omschrijving:text Gewijzigd_op:moment", rows)], **options)
    report = _check(sandbox, {"Articles": settings} if settings else {})
    found = report.connectors[0]
    assert found.failure is None
    assert (found.key, found.rows_read, found.complete) == (("Code",), 1300, True)
    assert found.replication_key == "Gewijzigd_op"


def test_rows_that_change_meanwhile(sandbox: Sandbox) -> None:
    sandbox.load([PLANTS["Found"].table, made("Many", "Code:code Gewijzigd_op:moment", _many(12_000))])
    sandbox.before_request = lambda _: sandbox.change("Many", updates=20)
    found = {one.connector: one for one in _check(sandbox).connectors}
    assert found["Many"].failure is None
    assert found["Many"].key == ("Code",)
    assert not any(finding.code == "join_repeats" for finding in found["Many"].findings)


def _many(count: int) -> list[Row]:
    return [(f"C{n:06}", moment(n)) for n in range(count)]


def test_a_catalog_counts_as_it_does_in_the_tap(sandbox: Sandbox) -> None:
    sandbox.load([PLANTS["Found"].table])
    connection = _connection(sandbox)
    connector = connection.connector("Found")
    definition = define_stream(connector, StreamSettings(primary_keys=("Omschrijving",)))
    found = check(connection, ["Found"], definitions={"Found": definition}).connectors[0]
    assert (found.key, found.key_source, found.sync) == (("Omschrijving",), "catalog", "incremental")


def test_settings_that_do_not_fit_are_told(sandbox: Sandbox) -> None:
    sandbox.load([PLANTS["Found"].table, PLANTS["Sound"].table])
    report = _check(sandbox, {"Found": {"primary_keys": ["Cod"]}, "Sound": CODE})
    found = {one.connector: one for one in report.connectors}
    assert "Did you mean Code?" in (found["Found"].failure or "")
    assert found["Sound"].findings == ()
    assert report.exit_code == 78


def test_who_says_that_there_is_no_key_hears_of_none(sandbox: Sandbox) -> None:
    sandbox.load([PLANTS["Found"].table])
    found = _check(sandbox, {"Found": {"primary_keys": []}}).connectors[0]
    assert (found.key, found.key_source, found.findings) == ((), "settings", ())


def test_nothing_that_a_terminal_would_obey(sandbox: Sandbox) -> None:
    table = made("Odd", "Code:code Gewijzigd_op:moment", [("A\x1b[2J", moment(1)), ("A\x1b[2J", moment(2))], "Odd\x07")
    sandbox.load([table])
    text = to_text(_check(sandbox, {"Odd": CODE}), "en")
    assert "key_repeats" in text
    assert all(letter.isprintable() or letter == "\n" for letter in text)


def test_outside_and_within_meltano(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    _, found = _look(sandbox, PLANTS["Found"])
    (problem,) = Wording("nl").problems(found)
    assert "haal `Found` uit `bookmarks`" in problem.fix
    monkeypatch.setenv("MELTANO_EXTRACTOR_NAME", "tap-afas")
    monkeypatch.setenv("MELTANO_LOADER_NAME", "target-postgres")
    (problem,) = Wording("en").problems(found)
    assert (
        """`TAP_AFAS__SELECT_FILTER='["Found"]' meltano run --full-refresh tap-afas target-postgres`""" in problem.fix
    )


_LIMIT = """
import logging, re, sys
from tap_afas.connection import Connection
from tap_afas.explore.check import check
from tap_afas.settings import Settings

logging.disable(logging.WARNING)
connection = Connection(Settings.from_config({"base_url": sys.argv[1], "token": sys.argv[2]}))
report = check(connection, sorted(connection.environment.connectors))
# Not getrusage: its figure begins with that of the process that started this one.
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
print(int(peak[1]) // 1024, connection.client.request_counts.total())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.slow
def test_the_whole_sandbox_takes_little_memory(sandbox: Sandbox) -> None:
    sandbox.load(dataset(scale=1.0, now=amsterdam()))
    command = [sys.executable, "-c", _LIMIT, sandbox.base_url, sandbox.token]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    megabytes, requests = map(int, ran.stdout.split())
    assert megabytes < 200
    assert run_tap(config_of(sandbox) | {"streams": {}}).exit_code == 0
    assert requests <= 2 * (len(sandbox.log) - requests)


_SMALL = [
    trap for trap in (*TRAPS, *LATER) if trap.name not in {"Relaties_zelden_dubbel", "Mutaties", "Relaties_dubbel"}
]


@pytest.mark.slow
@pytest.mark.parametrize("trap", _SMALL, ids=lambda trap: trap.name)
def test_what_is_proposed_can_be_synced(sandbox: Sandbox, trap: Trap) -> None:
    rows = [
        tuple(value.removesuffix("Z") + ".000" if _is_wall(value) else value for value in row) for row in trap.made()
    ]
    connector = Connector(trap.name, trap.name, trap.name, fields_of(trap.fields))
    sandbox.load([Table(connector, rows, lambda _: rows[0])])
    report = _check(sandbox)
    assert report.connectors[0].rows_read == len(rows)
    assert report.connectors[0].complete
    for streams in (report.streams, report.doubtful_streams):
        ran = run_tap(config_of(sandbox) | {"streams": streams})
        assert ran.exit_code == 0, ran.said
        assert len(ran.records()) == len(rows)
    again = _check(sandbox, {**report.streams, **report.doubtful_streams})
    assert not again.loses_rows


def _is_wall(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and value.endswith("T00:00:00Z")

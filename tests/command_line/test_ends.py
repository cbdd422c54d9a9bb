"""What is said when a run ends: whole, broken, stopped, or by a bug."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from exit_cases import CASES, ended, load, process, signalled

from afas_sandbox import Fault
from harness.articles import articles, config_of
from harness.command import run_tap
from tap_afas.ending import code_of
from tap_afas.profit.errors import AnswerTooLargeError, BusyError, ConnectorError, TimeOutError
from tap_afas.tap import TapAfas

if TYPE_CHECKING:
    from afas_sandbox import Sandbox

pytestmark = pytest.mark.slow
posix = pytest.mark.skipif(sys.platform == "win32", reason="the cases are a POSIX shell's")
TO_FULL_DISK = '"$0" -m tap_afas --config "$1" >/dev/full'


@posix
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("what reads the output has ended", "The output broke: what reads it, the target, has ended."),
        ("the disk of the output is full", "The output broke: No space left on device."),
        ("the output is closed", "The output (stdout) is closed."),
        ("`--discover`, and the disk of the output is full", "The output broke: No space left on device."),
    ],
)
def test_an_output_that_breaks_is_one_line(sandbox: Sandbox, name: str, words: str) -> None:
    load(sandbox)
    ran = CASES[name](sandbox)
    assert len(ran.errors) == 1
    assert ran.errors[0].startswith(words)
    # Nothing beside the log either, such as Python's own "Exception ignored".
    assert [line for line in ran.log if line.count(" | ") < 3] == []


@posix
def test_nothing_is_asked_where_there_is_no_output(sandbox: Sandbox) -> None:
    load(sandbox)
    CASES["the output is closed"](sandbox)
    assert list(sandbox.log) == []


@posix
def test_what_a_broken_output_kept_from_being_read_is_called_so(sandbox: Sandbox) -> None:
    sandbox.load([articles(30, f"C{number:02}") for number in range(50)])
    ran = process(config_of(sandbox, max_parallel_requests=1), TO_FULL_DISK)
    (unread,) = ran.lines("WARNING")
    assert unread == "Not read: " + ", ".join(f"C{number:02}" for number in range(50)) + "."
    assert not any("0 rows in" in line for line in ran.log)
    assert ended(ran) == {"exit_code": 74, "streams": 50, "failed": {}}


@posix
def test_one_that_was_under_way_is_called_stopped(sandbox: Sandbox) -> None:
    sandbox.load([articles(4000, "A"), articles(3, "B")])
    command = '"$0" -m tap_afas --config "$1" | head -n 300 >/dev/null; exit "${PIPESTATUS[0]}"'
    ran = process(config_of(sandbox, page_size=100, max_parallel_requests=1), command)
    (stopped,) = (line for line in ran.lines("INFO") if line.startswith("A: "))
    assert stopped.startswith("A: stopped behind ")
    assert ran.lines("WARNING") == ["Not read: B."]


@posix
@pytest.mark.parametrize("option", ["--about", "--version", "--help"])
def test_other_output_that_breaks(option: str) -> None:
    ran = process({}, f'"$0" -m tap_afas {option} >/dev/full')
    assert ran.exit_code == 74
    assert not any("Traceback" in line or "Exception ignored" in line for line in ran.log)


@pytest.mark.parametrize("level", ["DEBUG", "ERROR", "CRITICAL"])
def test_the_last_line_comes_whatever_is_logged(sandbox: Sandbox, level: str) -> None:
    load(sandbox)
    with mock.patch.dict(os.environ, {"TAP_AFAS_LOGLEVEL": level}):
        ran = run_tap(config_of(sandbox))
    assert ended(ran) == {"exit_code": 0, "streams": 3, "failed": {}}


def test_the_last_line_as_fields(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    load(sandbox)
    sandbox.faults = [Fault(refuse="blocked", connector="B", kind="rows")]
    run_tap(config_of(sandbox))
    last = vars(caplog.records[-1])
    assert (last["exit_code"], last["streams"], last["failed"]) == (1, 3, {"B": {"may_pass": False}})


@pytest.mark.parametrize("option", ["--about", "--version", "--help"])
def test_what_is_about_no_stream_has_no_last_line(option: str) -> None:
    assert not any("tap-afas ended" in line for line in run_tap(None, option).log)


def test_a_name_that_needs_quoting(sandbox: Sandbox) -> None:
    sandbox.load([articles(3, 'Één "x"')])
    sandbox.faults = [Fault(refuse="blocked", kind="rows")]
    assert ended(run_tap(config_of(sandbox)))["failed"] == {'Één "x"': {"may_pass": False}}


@pytest.mark.parametrize("asked", [False, True])
def test_again_only_where_all_may_pass(*, asked: bool) -> None:
    busy, slow = BusyError("Busy."), TimeOutError("Slow.")
    assert code_of([busy, slow], asked_for_rows=asked) == 75
    for final in (AnswerTooLargeError("Large."), ConnectorError("Blocked."), RuntimeError("What?")):
        assert code_of([busy, final], asked_for_rows=asked) == (1 if asked else 78)


def test_a_stream_that_is_not_described_fails_the_run(sandbox: Sandbox) -> None:
    load(sandbox)
    sandbox.faults = [Fault(refuse="unavailable", connector="B", kind="metainfo")]
    ran = run_tap(config_of(sandbox))
    assert [len(ran.records(stream)) for stream in "ABC"] == [30, 0, 30]
    assert ran.errors[-1] == "1 of 3 streams failed; the others are complete."
    assert ended(ran) == {"exit_code": 75, "streams": 3, "failed": {"B": {"may_pass": True}}}


# `--test`


def test_a_connection_test_says_nothing_of_errors(sandbox: Sandbox) -> None:
    load(sandbox)
    ran = run_tap(config_of(sandbox), "--test")
    assert (ran.exit_code, ran.errors) == (0, [])
    assert [1 <= len(ran.records(stream)) <= 2 for stream in "ABC"] == [True] * 3
    assert "ACTIVATE_VERSION" not in {message["type"] for message in ran.messages}


def test_a_connection_test_goes_through_all_streams(sandbox: Sandbox) -> None:
    load(sandbox)
    sandbox.faults = [Fault(refuse="blocked", connector="A", kind="rows")]
    ran = run_tap(config_of(sandbox), "--test")
    assert [len(ran.records(stream)) > 0 for stream in "ABC"] == [False, True, True]
    assert not any("unhandled" in line for line in ran.log)
    assert ended(ran) == {"exit_code": 1, "streams": 3, "failed": {"A": {"may_pass": False}}}


@posix
def test_who_ignores_a_closed_terminal_reads_on(sandbox: Sandbox) -> None:
    # As `nohup` starts it.
    ran = signalled(sandbox, signal.SIGHUP, hangup=signal.SIG_IGN)
    assert (ran.exit_code, len(ran.records())) == (0, 2030), ran.said


def test_a_test_that_there_is_not(sandbox: Sandbox) -> None:
    load(sandbox)
    ran = run_tap(config_of(sandbox), "--test=schemas")
    assert (ran.exit_code, ran.output, list(sandbox.log)) == (2, b"", [])
    assert any("'schemas' is not one of 'all', 'schema'" in line for line in ran.log)


def test_schemas_alone(sandbox: Sandbox) -> None:
    load(sandbox)
    ran = run_tap(config_of(sandbox), "--test=schema")
    assert [message["type"] for message in ran.messages] == ["SCHEMA"] * 3


# Signals

_SLOW = """
import os, signal, threading, time
from unittest import mock
from pkgutil import resolve_name
from tap_afas import tap
where = resolve_name("tap_afas.{module}")
true = where.{name}
def slow(*given, **named):
    made = true(*given, **named)
    if {when}:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        began = time.monotonic()
        while time.monotonic() - began < {seconds}:
            sum(range(1000))
    return made
with mock.patch.object(where, "{name}", slow):
    tap.main()
"""


@posix
@pytest.mark.parametrize(
    ("module", "name", "when"),
    [
        ("profit.rows:RowReader", "read", "True"),
        ("preparation", "make_plan", "True"),
        ("profit.client", "read_connector", "True"),
    ],
)
def test_a_signal_ends_whatever_is_done(sandbox: Sandbox, module: str, name: str, when: str) -> None:
    load(sandbox)
    began = time.monotonic()
    code = _SLOW.format(module=module, name=name, when=when, seconds=60)
    ran = process(config_of(sandbox, page_size=10), '"$0" -c "$2" --config "$1"', code)
    assert time.monotonic() - began < 20
    assert ran.exit_code == 143
    assert ended(ran)["exit_code"] == 143
    assert all(message["type"] for message in ran.messages)


@posix
def test_a_signal_waits_for_the_end_of_a_write(sandbox: Sandbox) -> None:
    load(sandbox)
    code = _SLOW.format(module="writer", name="_write", when="b'RECORD' in given[0]", seconds=4)
    ran = process(config_of(sandbox, page_size=10), '"$0" -c "$2" --config "$1"', code)
    assert ran.exit_code == 143
    # The page that was being written, whole, and the STATE that is true behind it.
    assert ran.messages[-1]["type"] == "STATE"
    assert any("What was written is complete up to the last STATE." in line for line in ran.errors)


# Bugs


@posix
@pytest.mark.parametrize("where", ["preparation.make_plan", "sync.resume_point_to_text"])
def test_a_bug_is_called_one(sandbox: Sandbox, where: str) -> None:
    load(sandbox)
    code = f"""
from unittest import mock
from tap_afas import preparation, sync, tap
{where} = mock.Mock(side_effect=ValueError("a bug"))
tap.main()
"""
    ran = process(config_of(sandbox, page_size=10), '"$0" -c "$2" --config "$1"', code)
    assert ran.exit_code == 1
    assert ran.errors == ["This is a bug of tap-afas, not a mistake of yours: please report it with these lines."]
    assert "    ValueError: a bug" in ran.log
    assert ended(ran)["exit_code"] == 1


class _BugError(ValueError):
    """What no `except` may take for a mistake in what the tap was given."""


@pytest.mark.parametrize(
    "where",
    [
        # While a page is read, which failed as "a replication key that is no date".
        "tap_afas.profit.pagination.stream_paginator.StreamPaginator.advance",
        # While the state is read, which failed as a part of it that can't be used.
        "tap_afas.replication_key.ReplicationKey.check",
        "tap_afas.resume_point.ResumePoint",
        "tap_afas.resume_point.key_from_text",
        "tap_afas.readings.key_from_text",
        # While a reader is made, which failed as a quotation mark in a field's id.
        "tap_afas.plan.RowReader",
    ],
)
def test_a_bug_is_not_told_as_a_mistake(
    sandbox: Sandbox, where: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load(sandbox)
    config = config_of(sandbox, page_size=10)
    sandbox.faults = [Fault(refuse="blocked", connector="A", kind="rows", nth=(3, 4, 5))]
    state = run_tap(config).state
    assert state["bookmarks"]["A"]["place"]
    assert state["bookmarks"]["B"]["witness"]
    sandbox.faults = []
    TapAfas(config=config, state=state).run()
    monkeypatch.setattr(where, mock.Mock(side_effect=_BugError("a bug")))
    with pytest.raises(_BugError):
        TapAfas(config=config, state=state).run()


# Progress


def test_a_line_when_each_stream_ends(sandbox: Sandbox) -> None:
    load(sandbox)
    sandbox.faults = [Fault(refuse="blocked", connector="B", kind="rows", nth=(3, 4, 5))]
    ran = run_tap(config_of(sandbox, page_size=10, max_parallel_requests=1))
    lines = [line for line in ran.lines("INFO") if " rows/s" in line]
    assert [line.partition(": ")[0] for line in lines] == ["A", "B", "C"]
    assert [line.rpartition(". ")[2] for line in lines] == [f"{n} of 3 streams have ended." for n in (1, 2, 3)]
    assert lines[1].startswith("B: failed behind ")
    # Each when it ends, and not all when the run does.
    assert ran.log.index(next(line for line in ran.log if "1 of 3" in line)) < ran.log.index(
        next(line for line in ran.log if "The GetConnector is blocked" in line)
    )


def test_a_stream_that_never_began_has_ended(sandbox: Sandbox) -> None:
    load(sandbox)
    config = config_of(sandbox)
    catalog = run_tap(config, "--discover").catalog
    sandbox.remove("B")
    lines = run_tap(config, catalog=catalog).lines("INFO")
    assert [line.rpartition(". ")[2] for line in lines if "have ended" in line] == [
        f"{n} of 3 streams have ended." for n in (2, 3)
    ]


def test_no_bar_anywhere(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    load(sandbox)
    caplog.set_level(logging.DEBUG)
    with mock.patch("tap_afas.progress._SECONDS_BETWEEN_LINES", 0.0):
        ran = run_tap(config_of(sandbox, page_size=10))
    assert not any(set(line) & set("\r\b\x1b") for line in ran.log)
    assert all(line.count(" | ") >= 3 for line in ran.log)
    figures = [vars(record) for record in caplog.records if hasattr(record, "rows_per_second")]
    assert [one["outcome"] for one in figures] == ["complete"] * 3
    assert json.dumps([one["rows_per_second"] for one in figures])

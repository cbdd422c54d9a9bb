"""Looks through connectors before they are synced: keys, stamps, types, personal data, cost. Nothing is written.

Rows are asked for by the tap's own client, under its limits, and read by its own paginators; connectors side by side,
never two questions at once on one.
"""

from __future__ import annotations

import collections
import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from tap_afas.discovery import stream_name
from tap_afas.explore.column_findings import findings_about_names
from tap_afas.explore.costs import findings_about
from tap_afas.explore.examination import Examination, Phase
from tap_afas.explore.findings import ConnectorReport, Finding, Report, sorted_findings
from tap_afas.explore.keys import Rows, in_rows, proposed_key
from tap_afas.scheduler import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_afas.connection import Connection
    from tap_afas.explore.findings import Cost
    from tap_afas.explore.stamps import Stamps
    from tap_afas.stream_definition import StreamDefinition

MOST_ROWS = 20_000
# Under such a stamp, rows would be lost.
_NO_STAMP = {"stamp_dummy", "stamp_stands_still"}


class CheckProgress(msgspec.Struct, frozen=True):
    """How far a check is.

    Attributes:
        done: How many connectors were looked through.
        connectors: How many there are.
        rows: How many rows were read.
        connector: The connector that was asked last.
    """

    done: int
    connectors: int
    rows: int
    connector: str


def check(  # noqa: PLR0913 - all but two by name
    connection: Connection,
    connectors: Sequence[str],
    *,
    definitions: Mapping[str, StreamDefinition] | None = None,
    rows: int | None = MOST_ROWS,
    count: bool = False,
    on_progress: Callable[[CheckProgress], object] = lambda _: None,
) -> Report:
    """Look through connectors.

    Args:
        connection: To AFAS.
        connectors: Their ids.
        definitions: Streams as a catalog defines them, by the connector's id.
        rows: How many rows to read of each, or somewhat more; None: all.
        count: Whether to find, with some questions more, how many rows there are of those that aren't read whole.
        on_progress: Called after each answer.

    Raises:
        ProfitError: AFAS didn't describe the environment.
    """
    environment = connection.environment.id
    read_at = datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="seconds")
    begun = connection.client.request_counts.total()
    given = definitions or {}
    examinations = [
        Examination(one, connection, rows=rows, definition=given.get(one), count=count) for one in connectors
    ]
    _run(examinations, connection, on_progress)
    found = sorted((_report(one, connection) for one in examinations), key=lambda report: report.connector)
    failed = {one.connector_id: one.failure for one in examinations if one.failure is not None}
    return Report(
        environment=environment,
        read_at=read_at,
        connectors=tuple(found),
        failures={name: error.may_pass for name, error in sorted(failed.items())},
        requests=connection.client.request_counts.total() - begun,
    )


def _run(
    examinations: Sequence[Examination], connection: Connection, on_progress: Callable[[CheckProgress], object]
) -> None:
    """Run them side by side, until all have ended."""
    waiting = collections.deque(examinations)
    under_way: set[Examination] = set()
    parallel = min(connection.client.limits.max_parallel_requests, max(1, len(examinations)))
    workers = Workers(parallel)
    try:
        while waiting or under_way:
            while waiting and len(under_way) < parallel:
                under_way.add(waiting[0])
                workers.submit(waiting[0], waiting.popleft().ask)
            one, asked, error = workers.next()
            one.receive(asked, error)
            if one.under_way:
                workers.submit(one, one.ask)
            else:
                under_way.discard(one)
            done = len(examinations) - len(waiting) - len(under_way)
            read = sum(each.rows_read for each in examinations)
            on_progress(CheckProgress(done, len(examinations), read, one.connector_id))
    except BaseException:
        # What waits for its turn, or for a retry, is not to be waited for.
        connection.client.stop()
        raise
    finally:
        workers.close()


def _report(one: Examination, connection: Connection) -> ConnectorReport:
    """What an examination found out."""
    description = connection.environment.connectors.get(one.connector_id, "")
    findings: list[Finding] = []
    if one.failure is not None:
        sentence = str(one.failure)
        findings.append(
            Finding(
                code="not_readable", severity="error", facts={"sentence": sentence, "may_pass": one.failure.may_pass}
            )
        )
    report = ConnectorReport(connector=one.connector_id, stream=stream_name(one.connector_id), description=description)
    if not one.is_described:
        failure = str(one.failure) if one.failure else None
        return msgspec.structs.replace(report, findings=tuple(findings), failure=failure)
    figures, stamps = one.figures, one.figures.stamps
    incremental = one.configured.sync != "full_table"
    rows = Rows(figures.rows, one.complete)
    about_stamp = stamps.findings(incremental=incremental, rows=figures.rows) if figures.rows else []
    usable = (
        stamps.chosen
        if not _NO_STAMP & {found.code for found in about_stamp if stamps.chosen in found.fields}
        else None
    )
    findings += [
        *in_rows(one.key_findings, rows),
        *about_stamp,
        *figures.fit.findings(),
        *findings_about_names(one.connector),
    ]
    if one.verdict is not None and one.phase is Phase.DONE:
        findings += proposed_key(one.verdict, rows, has_stamp=usable is not None, extended=bool(one.key_findings))
    personal = figures.personal.found
    masks = figures.personal.masks(one.configured.key or (one.verdict.key if one.verdict else ()))
    if personal:
        facts = {"sorts": personal, "masks": masks, "stream": report.stream}
        findings.append(Finding(code="personal_data", severity="note", fields=tuple(personal), facts=facts))
    findings += figures.large.findings()
    cost = _cost(one, incremental=incremental)
    findings += findings_about(cost)
    proposed, doubtful = _proposals(one, stamps, usable)
    found_key = one.verdict.key if one.verdict else ()
    return msgspec.structs.replace(
        report,
        description=one.connector.description or description,
        fields=len(one.connector.fields),
        sync=one.configured.sync,
        replication_key=stamps.chosen,
        key=one.configured.key or found_key,
        key_source=one.configured.key_source or ("found" if found_key else None),
        rows_read=figures.rows,
        complete=one.complete,
        findings=sorted_findings(findings),
        proposed=proposed,
        doubtful=doubtful,
        masks=masks,
        over_time=stamps.over_time,
        cost=cost,
        failure=str(one.failure) if one.failure else None,
    )


def _proposals(one: Examination, stamps: Stamps, usable: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """What to set for a connector; and what a person should look at first."""
    verdict = one.verdict
    if stamps.chosen is None:
        stamp: dict[str, Any] = {}
    else:
        stamp = {"replication_key": usable}
        if stamps.further and usable is not None:
            # Who names the one and not the others is taken to want that one alone.
            stamp["also_changed_on"] = list(stamps.further)
    if verdict is not None and verdict.key and one.phase is Phase.DONE:
        block = {"primary_keys": list(verdict.key), **stamp}
        return ({}, block) if verdict.doubts else (block, {})
    if one.key_findings:
        # The key in force is none, and there is no other.
        return {"primary_keys": []}, {}
    is_lost = stamps.chosen is not None and usable is None and one.configured.sync != "full_table"
    return (stamp, {}) if is_lost else ({}, {})


def _cost(one: Examination, *, incremental: bool) -> Cost:
    rows = one.counted if one.counted is not None else one.rows_read
    return one.timing.cost(
        rows=rows,
        counted=None if one.complete else one.counted is not None,
        page_size=one.configured.page_size,
        incremental=incremental,
        changes_a_day=one.figures.stamps.changes_a_day,
    )

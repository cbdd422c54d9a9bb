"""What was found out about connectors, before it is put into words: the report of `check`."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

Severity = Literal["error", "warning", "note"]
"""An error loses, doubles or bends rows as configured; a warning costs time or will go wrong; a note is to be known."""

SyncKind = Literal["incremental", "full_table", "append"]
KeySource = Literal["settings", "catalog", "standard", "found"]
Block: TypeAlias = "dict[str, dict[str, Any]]"
"""A part of the setting `streams`."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found.

    Attributes:
        code: What it is, such as `key_repeats`.
        severity: How bad it is.
        fields: The fields it is about.
        facts: What its sentences tell, by name; nothing of a row.
        values: What of a row its sentences tell, by field: for text and JSON, never for a page that is passed on.
    """

    code: str
    severity: Severity
    fields: tuple[str, ...] = ()
    facts: dict[str, Any] = {}
    values: dict[str, str] = {}


class Problem(msgspec.Struct, frozen=True):
    """A finding in words."""

    code: str
    severity: Severity
    fields: tuple[str, ...]
    message: str
    fix: str


class RowsOverTime(msgspec.Struct, frozen=True, kw_only=True):
    """How the rows spread over time, by a date field.

    Attributes:
        field: Which.
        months: Rows by month, `2024-03`, in order.
        last_days: Rows by day of the last 30 days.
        empties: Rows without a value.
    """

    field: str
    months: dict[str, int]
    last_days: dict[str, int]
    empties: int = 0


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What reading a connector takes.

    Attributes:
        pages: Pages that were timed.
        page_rows: Rows in those pages, on average.
        seconds: Seconds that AFAS took for one, on average.
        slowest: And for the slowest one.
        rows: Rows in the whole table, as far as that is known.
        counted: How `rows` is known: all were read, they were counted, or there are at least so many.
        page_size: Rows a page of the tap.
        backfill_requests: Requests of a first load.
        backfill_seconds: Seconds that AFAS works on it.
        hourly_requests: Requests of a run each hour, and
        hourly_seconds: likewise.
        hourly_rows: Rows that such a run reads.
    """

    pages: int
    page_rows: float
    seconds: float
    slowest: float
    rows: int
    counted: Literal["read", "counted", "at least"]
    page_size: int
    backfill_requests: int
    backfill_seconds: float
    hourly_requests: int
    hourly_seconds: float
    hourly_rows: float


class ConnectorReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about one connector.

    Attributes:
        connector: As AFAS spells it.
        stream: The stream's name.
        description: As AFAS tells it.
        fields: How many fields it has.
        sync: How it is synced as configured.
        replication_key: Its stamp; of a stream that is read whole, the one that it could be read by.
        key: Its key, or the one that was found.
        key_source: Where that is from.
        rows_read: How many rows were read.
        complete: Whether those are all.
        findings: What was found, the worst first.
        proposed: What to set for it; empty where there is nothing to set.
        doubtful: Likewise, where something speaks against it.
        masks: For `stream_maps`: fields of personal data with the expressions that hash them, or None to drop them.
        over_time: How its rows spread.
        cost: What reading it takes.
        failure: Why it could not be read; what was read before counts all the same.
    """

    connector: str
    stream: str
    description: str = ""
    fields: int = 0
    sync: SyncKind = "full_table"
    replication_key: str | None = None
    key: tuple[str, ...] = ()
    key_source: KeySource | None = None
    rows_read: int = 0
    complete: bool = False
    findings: tuple[Finding, ...] = ()
    proposed: dict[str, Any] = {}
    doubtful: dict[str, Any] = {}
    masks: dict[str, str | None] = {}
    over_time: RowsOverTime | None = None
    cost: Cost | None = None
    failure: str | None = None

    @property
    def worst(self) -> Severity | None:
        """The severity of the worst finding."""
        return next((one for one in SEVERITIES if any(found.severity == one for found in self.findings)), None)


SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


def sorted_findings(findings: list[Finding]) -> tuple[Finding, ...]:
    """The worst first; those that are alike in the order in which they were found."""
    return tuple(sorted(findings, key=lambda found: SEVERITIES.index(found.severity)))


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What `check` found out.

    Attributes:
        environment: AFAS' id of the environment; empty where it tells none.
        read_at: When it was read, with `+00:00`.
        connectors: One for each connector, in the order of their ids.
        failures: By connector, whether why it couldn't be read may pass by itself.
        requests: How many requests it took.
    """

    environment: str
    read_at: str
    connectors: tuple[ConnectorReport, ...]
    failures: dict[str, bool] = {}
    requests: int = 0

    @property
    def streams(self) -> Block:
        """What to set in `streams`, by connector: what nothing speaks against."""
        return {one.connector: one.proposed for one in self.connectors if one.proposed}

    @property
    def doubtful_streams(self) -> Block:
        """What could be set in `streams`, by connector, and should be looked at by a person first."""
        return {one.connector: one.doubtful for one in self.connectors if one.doubtful}

    @property
    def stream_maps(self) -> dict[str, dict[str, str | None]]:
        """What to set in `stream_maps`, by stream, to hash or drop what is likely to be personal data."""
        return {one.stream: one.masks for one in self.connectors if one.masks}

    @property
    def loses_rows(self) -> bool:
        """Whether a connector would lose, double or bend rows as configured."""
        found = (finding for one in self.connectors for finding in one.findings)
        return any(finding.severity == "error" and finding.code != "not_readable" for finding in found)

    @property
    def exit_code(self) -> int:
        """1: a connector would lose, double or bend rows; 75 or 78: some can't be read, which may pass or not; or 0."""
        if self.loses_rows:
            return 1
        return (75 if all(self.failures.values()) else 78) if self.failures else 0

"""The command `check`: what it looks through, where its report goes, and what it sets."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tap_afas.discovery import ConnectorPatterns, check_connectors_exist
from tap_afas.explore.check import MOST_ROWS, check
from tap_afas.explore.options import Given, common, printed_as
from tap_afas.explore.replaced_file import check_writable, replace_file
from tap_afas.explore.settings_file import SettingsFile
from tap_afas.explore.terminal import neutral, to_json, write
from tap_afas.explore.text_report import to_text
from tap_afas.explore.wording import language_of
from tap_afas.explore.wording import to_json as report_to_json
from tap_afas.explore.write_summary import tell
from tap_afas.inputs import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_afas.explore.check import CheckProgress
    from tap_afas.explore.findings import Report
    from tap_afas.explore.session import Session
    from tap_afas.explore.wording import Language

logger = logging.getLogger("tap-afas")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What `check` was asked for.

    Attributes:
        rows: How many rows to read of each connector; None: all.
        count: Whether to count the others.
        language: Of the report; None: as the settings have it.
        form: `text` or `json`.
        html: Where the page goes, if there is to be one.
        settings_file: What is to be written into it, if anything.
        doubtful: Whether that includes keys that something speaks against.
    """

    rows: int | None
    count: bool
    language: Language | None
    form: str
    html: Path | None
    settings_file: SettingsFile | None
    doubtful: bool


@click.command("check")
@click.argument("connectors", metavar="[CONNECTOR]...", nargs=-1)
@click.option(
    "--rows",
    type=click.IntRange(min=1),
    help=f"How many rows to read of each, or somewhat more. [default: {MOST_ROWS}]",
)
@click.option("--all", "every_row", is_flag=True, help="Read all rows.")
@click.option("--count", is_flag=True, help="Find with few questions how many rows there are where not all are read.")
@click.option("--language", type=click.Choice(["en", "nl"]), help="Of the report; by default that of the settings.")
@printed_as("text", "json")
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path), help="Write it as a page too.")
@click.option(
    "--write",
    "written",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Put what was found into `streams` of this file: JSON settings, or meltano.yml.",
)
@click.option("--doubtful", is_flag=True, help="With --write: keys too that something speaks against.")
@click.option("--plugin", metavar="NAME", help="With --write: the extractor in meltano.yml. [default: tap-afas]")
@common
@click.pass_obj
def check_(  # noqa: PLR0913 - click passes the options by name
    given: Given,
    /,
    connectors: Sequence[str],
    *,
    rows: int | None,
    every_row: bool,
    written: Path | None,
    plugin: str | None,
    doubtful: bool,
    **others: Any,
) -> int:
    """Look through GetConnectors before they are synced: keys, stamps, types, personal data, cost.

    Without names: those that the settings, or the catalog, select. Exit code 1 tells that a connector would lose,
    double or bend rows as configured.
    """
    if every_row and rows is not None:
        raise click.UsageError("--rows and --all: give one of them.")
    if written is None and (doubtful or plugin is not None):
        raise click.UsageError(f"{'--doubtful' if doubtful else '--plugin'} is for --write FILE.")
    session = given.open()
    # What is wrong with the files is told before AFAS is asked.
    wishes = Wishes(
        rows=None if every_row else rows or MOST_ROWS,
        settings_file=SettingsFile(written, plugin) if written else None,
        doubtful=doubtful,
        **others,
    )
    if wishes.html is not None:
        check_writable(wishes.html, "--html")
    return run_check(session, connectors, wishes)


def run_check(session: Session, names: Sequence[str], wishes: Wishes) -> int:
    """Look through connectors, and tell.

    Returns:
        The exit code.

    Raises:
        ProfitError: AFAS didn't describe the environment.
        InputError: There is no such connector, or a file isn't as it should be.
        OutputError: The report, or a file, can't be written.
    """
    definitions = session.definitions()
    chosen = _chosen(session, names, definitions)
    language = wishes.language or language_of(session.connection.settings.language)
    with _progress() as on_progress:
        report = check(
            session.connection,
            chosen,
            definitions=definitions,
            rows=wishes.rows,
            count=wishes.count,
            on_progress=on_progress,
        )
    session.ending.streams = len(report.connectors)
    session.ending.failures |= {
        one.connector: InputError(one.failure or "", may_pass=report.failures[one.connector])
        for one in report.connectors
        if one.connector in report.failures
    }
    told = f"{to_json(report_to_json(report, language))}\n" if wishes.form == "json" else to_text(report, language)
    write(told if told.endswith("\n") else f"{told}\n")
    if wishes.html is not None:
        from tap_afas.explore.html_report import to_html  # noqa: PLC0415 - needed by few

        replace_file(wishes.html, to_html(report, language).encode("utf-8", "replace"), "--html")
    if wishes.settings_file is not None:
        _set(report, wishes.settings_file, doubtful=wishes.doubtful)
    return report.exit_code


def _chosen(session: Session, names: Sequence[str], in_catalog: Sequence[str] | dict[str, Any]) -> list[str]:
    """The connectors that were named, or that a run would read."""
    environment, settings = session.connection.environment, session.connection.settings
    if names:
        return list(dict.fromkeys(map(session.connector_id, names)))
    check_connectors_exist(settings, environment, known=list(in_catalog))
    choice = ConnectorPatterns(settings.connectors)
    found = [
        one
        for one in sorted(environment.connectors)
        if (one in in_catalog if session.catalog is not None else choice.match(one))
    ]
    if not found:
        logger.warning("No connector is selected: nothing to look through.")
    return found


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[CheckProgress], None]]:
    """Shows on a terminal how far it is."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TextColumn("{task.description}", markup=False),
    )
    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    # The log goes where it went.
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as shown:
        task = shown.add_task("", total=None, rows=0)

        def on_progress(now: CheckProgress) -> None:
            shown.update(
                task,
                total=now.connectors,
                completed=now.done,
                description=neutral(now.connector),
                rows=now.rows,
            )

        yield on_progress


def _set(report: Report, file: SettingsFile, *, doubtful: bool) -> None:
    block = report.streams | (report.doubtful_streams if doubtful else {})
    tell(file, file.put(block), left_out={} if doubtful else report.doubtful_streams)

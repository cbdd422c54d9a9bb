"""The commands of `tap-afas-explore`: their options, and how they end."""

from __future__ import annotations

import logging
import os
import sys
from importlib import metadata
from typing import Any

import click

from tap_afas.ending import Ending
from tap_afas.environment_variables import log_problem
from tap_afas.explore.check_command import check_
from tap_afas.explore.conditions import read_condition
from tap_afas.explore.export import DbtOptions, export_dbt, export_dictionary
from tap_afas.explore.listing import list_connectors, show_connector
from tap_afas.explore.options import Given, common, printed_as
from tap_afas.explore.preview import Wanted, preview
from tap_afas.explore.probe import probe
from tap_afas.known_secrets import SECRETS
from tap_afas.log_sanitizer import sanitize_logs, sanitize_tracebacks
from tap_afas.tap import TapAfas

_NAME = "tap-afas-explore"
_LEVELS = ("TAP_AFAS_LOGLEVEL", "LOGLEVEL")


@click.group(name=_NAME, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(metadata.version("tap-afas"), prog_name=_NAME)
@common
def cli() -> None:
    """Look at what AFAS has before it is synced: with the settings of tap-afas, and as it reads."""


@cli.command("list")
@click.option("--search", metavar="TEXT", help="Only connectors that have this text in ids, descriptions or labels.")
@printed_as("table", "json")
@common
@click.pass_obj
def list_(given: Given, search: str | None, form: str) -> None:
    """Every GetConnector, and how it would be synced."""
    list_connectors(given.open(), search, form)


@cli.command("show")
@click.argument("connector")
@printed_as("table", "json")
@common
@click.pass_obj
def show_(given: Given, connector: str, form: str) -> None:
    """The fields of a GetConnector, and what they become."""
    show_connector(given.open(), connector, form)


def _read_where(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[Any, ...]:
    try:
        return tuple(map(read_condition, value))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _read_fields(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.strip() for part in value for name in part.split(",") if name.strip())


@cli.command("preview")
@click.argument("connector")
@click.option("--since", metavar="DATE", help="Only rows that changed since then.")
@click.option("--until", metavar="DATE", help="Only rows that changed until then; a date takes in its whole day.")
@click.option(
    "--where",
    metavar="CONDITION",
    multiple=True,
    callback=_read_where,
    help='Such as "Amount >= 10" or "Name starts with De"; all of several must hold.',
)
@click.option("--fields", metavar="A,B", multiple=True, callback=_read_fields, help="Only these fields, in this order.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many rows at most.")
@printed_as("table", "csv", "jsonl")
@common
@click.pass_obj
def preview_(given: Given, /, connector: str, form: str, **options: Any) -> None:
    """Rows of a GetConnector, as the tap would emit them."""
    conditions = options.pop("where")
    preview(given.open(), Wanted(connector, conditions=conditions, **options), form)


cli.add_command(check_)


@cli.group("export")
@common
def export_() -> None:
    """What is selected, for dbt or for people."""


@export_.command("dbt")
@click.option("--source", default=DbtOptions.source, show_default=True, help="The source's name.")
@click.option("--schema", default=DbtOptions.schema, show_default=True, help="The schema of the tables.")
@click.option(
    "--quote/--no-quote",
    default=DbtOptions.quote,
    show_default=True,
    help="Whether names are quoted in SQL: where the target keeps their case, as target-postgres does.",
)
@click.option(
    "--dbt-utils",
    is_flag=True,
    help="Test keys of several columns by the package dbt_utils, not by PostgreSQL's row().",
)
@click.option(
    "--warn-after",
    "warn_after_days",
    metavar="DAYS",
    type=click.IntRange(min=1),
    default=DbtOptions.warn_after_days,
    show_default=True,
    help="After how many days without a change a table counts as stale.",
)
@common
@click.pass_obj
def export_dbt_(given: Given, /, **options: Any) -> None:
    """A dbt source: labels as descriptions, keys as tests, freshness by the field that tells of the last change."""
    export_dbt(given.open(), DbtOptions(**options))


@export_.command("dictionary")
@common
@click.pass_obj
def export_dictionary_(given: Given) -> None:
    """A data dictionary in Markdown."""
    export_dictionary(given.open())


@cli.command("probe")
@printed_as("markdown", "json")
@common
@click.pass_obj
def probe_(given: Given, /, form: str) -> None:
    """What isn't documented of AFAS, asked of this environment: a report without anything of yours."""
    probe(given.open(), form)


def run(arguments: list[str] | None = None) -> int:
    """Run a command to its end.

    Args:
        arguments: None: those of the process.

    Returns:
        The exit code; see `docs/exit-codes.md`.
    """
    ending = Ending(_NAME, to_target=False)
    SECRETS.add_suspects(sys.argv[1:] if arguments is None else arguments)
    log_is_wrong = log_problem()
    # The SDK sets up the log with it; what goes well needn't be told beside what is printed.
    _ = TapAfas.cli
    sanitize_logs()
    sanitize_tracebacks()
    if not any(os.environ.get(name) for name in _LEVELS):
        logging.getLogger().setLevel(logging.WARNING)
    given = Given(ending)
    return ending.run(lambda: cli.main(args=arguments, prog_name=_NAME, standalone_mode=False, obj=given), log_is_wrong)

"""What the commands of `tap-afas-explore` have in common: settings, a catalog, and in which form they print."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from tap_afas.explore.session import Session
from tap_afas.input_files import read_catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_afas.ending import Ending


@dataclasses.dataclass(slots=True)
class Given:
    """What the options that all commands have were given.

    Attributes:
        ending: How the command ends.
        config: Files of settings, and `ENV`.
        catalog: A catalog as JSON.
    """

    ending: Ending
    config: list[str] = dataclasses.field(default_factory=list)
    catalog: dict[str, Any] | None = None

    def open(self) -> Session:
        """Read the settings, and make ready to ask AFAS."""
        return Session(self.config, self.catalog, self.ending)


def _take_config(context: click.Context, _: click.Parameter, value: tuple[str, ...]) -> None:
    context.ensure_object(Given).config.extend(value)


def _take_catalog(context: click.Context, _: click.Parameter, value: Any) -> None:
    if value is not None:
        context.ensure_object(Given).catalog = read_catalog(value)


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options `--config` and `--catalog`; they may stand before its name too."""
    for option in (
        click.option(
            "--catalog",
            type=click.File(),
            expose_value=False,
            callback=_take_catalog,
            help="A catalog as the tap takes it: what it selects, and the keys that it has.",
        ),
        click.option(
            "--config",
            metavar="FILE",
            multiple=True,
            expose_value=False,
            callback=_take_config,
            help="A JSON file of the tap's settings, or ENV for the environment's variables; may be given again.",
        ),
    ):
        command = option(command)
    return command


def printed_as(*forms: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the option `--format`; the first form is the usual one."""
    return click.option(
        "--format", "form", type=click.Choice(forms), default=forms[0], show_default=True, help="How to print it."
    )

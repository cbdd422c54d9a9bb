"""What other tools and people want to know of the tables: dbt's sources, and a data dictionary."""

from __future__ import annotations

import dataclasses
import json
import re
from importlib import metadata
from typing import TYPE_CHECKING

import jinja2

from tap_afas.explore.loaded_tables import tables
from tap_afas.explore.terminal import escaped, neutral, write

if TYPE_CHECKING:
    from tap_afas.explore.loaded_tables import Column, Table
    from tap_afas.explore.session import Session
    from tap_afas.profit.metainfo import Field

# Behind these dbt reads on as Jinja.
_JINJA = re.compile(r"\{(?=[{%#])|(?<=\{)[{%#]")
_OF_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&!]|:(?=//))")


@dataclasses.dataclass(frozen=True)
class DbtOptions:
    """How the sources are written.

    Attributes:
        source: The source's name.
        schema: The schema of the tables.
        quote: Whether names are quoted in SQL: where the target keeps their case, as PostgreSQL's.
        dbt_utils: Whether a key of several columns is tested by the package dbt_utils.
        warn_after_days: After how many days without a change a table counts as stale.
    """

    source: str = "afas"
    schema: str = "tap_afas"
    quote: bool = True
    dbt_utils: bool = False
    warn_after_days: int = 7


def export_dbt(session: Session, options: DbtOptions) -> None:
    """`export dbt`: the tables as a dbt source.

    Raises:
        FailedRunError, InputError: As `tables`.
        OutputError: It can't be written.
    """
    write(_rendered("sources.yml", session, options=options))


def export_dictionary(session: Session) -> None:
    """`export dictionary`: the tables and their columns, in Markdown.

    Raises:
        FailedRunError, InputError: As `tables`.
        OutputError: It can't be written.
    """
    write(_rendered("dictionary.md", session))


def _rendered(name: str, session: Session, **more: object) -> str:
    found = tables(session)
    environment = jinja2.Environment(  # noqa: S701 - neither is HTML, and each has an escape of its own
        loader=jinja2.PackageLoader("tap_afas.explore"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "yaml": _yaml,
        "text": _text,
        "md": _markdown,
        "afas": _type_in_afas,
        "quoted": _quoted,
    }
    version = metadata.version("tap-afas")
    return environment.get_template(name).render(
        environment=session.connection.environment.id, version=version, tables=found, combined=_combined, **more
    )


def _yaml(text: str) -> str:
    """A text as a string of YAML, which JSON's are."""
    return escaped(json.dumps(text, ensure_ascii=False)).replace("\t", "\\t")


def _text(text: str) -> str:
    """A text that dbt doesn't take for Jinja, as a string of YAML."""
    return _yaml(_JINJA.sub(lambda found: "{{ '" + found[0] + "' }}", text))


def _markdown(text: str) -> str:
    """A text as it is, in one line of Markdown."""
    return _OF_MARKDOWN.sub(r"\\\1", neutral(text))


def _quoted(column: Column, quote: bool) -> str:  # noqa: FBT001 - a filter's argument
    """A column's name in SQL."""
    return '"' + column.name.replace('"', '""') + '"' if quote else column.name


def _combined(table: Table, options: DbtOptions) -> str:
    """The key of several columns as one value of PostgreSQL, null where one of them is."""
    return "row(" + ", ".join(_quoted(table.column(name), options.quote) for name in table.key) + ")"


def _type_in_afas(field: Field | None) -> str:
    if field is None:
        return ""
    places = f", {field.decimals}" if field.decimals else ""
    return f"{field.data_type} ({field.length}{places})" if field.length else field.data_type

"""The connectors with how each would be synced, and the fields of one of them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

from msgspec import UNSET

from tap_afas.discovery import ConnectorPatterns, check_connectors_exist, define_stream, stream_name
from tap_afas.explore.search import hits
from tap_afas.explore.terminal import plain, show, table, to_json, write
from tap_afas.further_stamps import with_further_stamps
from tap_afas.inputs import InputError
from tap_afas.profit.errors import ProfitError
from tap_afas.profit.metainfo import kind_of
from tap_afas.scheduler import FailedRunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.explore.search import Hit
    from tap_afas.explore.session import Session
    from tap_afas.profit.metainfo import Connector
    from tap_afas.stream_definition import StreamDefinition

_SYNCS = {"incremental": "incremental", "full_table": "full table", "append": "append", None: ""}


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """A connector, and what a run would do with it.

    Attributes:
        id: As AFAS spells it.
        description: For people.
        connector: Its fields; None where AFAS didn't describe it.
        definition: Its stream; None where there can be none.
        selected: Whether a run would read it.
        key_source: Who says what its key is.
        error: Why it can't be read.
    """

    id: str
    description: str
    connector: Connector | None
    definition: StreamDefinition | None
    selected: bool
    key_source: Literal["settings", "catalog", "standard"] | None
    error: Exception | None = None

    @property
    def sync(self) -> Literal["incremental", "full_table", "append"] | None:
        """How it would be synced."""
        if self.definition is None:
            return None
        if self.definition.replication_method != "INCREMENTAL":
            return "full_table"
        return "incremental" if self.definition.primary_keys else "append"

    @property
    def stamps(self) -> list[str]:
        """The fields by which a run would tell what changed, the replication key first."""
        if self.definition is None or self.definition.stamp is None:
            return []
        return [self.definition.stamp, *self.definition.further]

    def as_json(self) -> dict[str, Any]:
        """What is told to programs of it."""
        definition = self.definition
        return {
            "connector": self.id,
            "stream": definition.name if definition else stream_name(self.id),
            "description": self.description,
            "fields": len(self.connector.fields) if self.connector else None,
            "selected": self.selected,
            "sync": self.sync,
            "replication_key": definition.stamp if definition else None,
            "also_changed_on": list(definition.further) if definition else [],
            "key": list(definition.primary_keys) if definition else [],
            "key_source": self.key_source,
            "error": str(self.error) if self.error else None,
        }


def look(session: Session, ids: Sequence[str] | None = None) -> list[Seen]:
    """Look at connectors; AFAS is asked for their fields side by side.

    Args:
        session: What the command works with.
        ids: Which connectors; None: all.

    Returns:
        Them; of those that can't be read, `session.ending` knows too.

    Raises:
        InputError: The settings don't fit what AFAS has.
    """
    connection, settings = session.connection, session.connection.settings
    environment = connection.environment
    check_connectors_exist(settings, environment)
    choice = ConnectorPatterns(settings.connectors)
    in_catalog = session.definitions()
    wanted = sorted(environment.connectors) if ids is None else ids
    found = []
    for connector_id, connector in connection.describe(wanted).items():
        description = environment.connectors[connector_id]
        selected = connector_id in in_catalog if session.catalog is not None else choice.match(connector_id)
        definition, error = None, None
        source: Literal["settings", "catalog", "standard"] | None = None
        try:
            if isinstance(connector, ProfitError):
                raise connector
            mine = settings.stream(connector_id)
            definition = in_catalog.get(connector_id) or define_stream(connector, mine)
            definition = with_further_stamps(definition, connector, mine)
        except (ProfitError, InputError) as failure:
            error = session.ending.failures[connector_id] = failure
        if connector_id in in_catalog:
            source = "catalog" if in_catalog[connector_id].primary_keys else None
        elif settings.stream(connector_id).primary_keys is not UNSET:
            source = "settings"
        elif definition is not None and definition.primary_keys:
            source = "standard"
        described = None if isinstance(connector, ProfitError) else connector
        found.append(Seen(connector_id, description, described, definition, selected, source, error))
    session.ending.streams = len(found)
    return found


def fail_for_unread(session: Session) -> None:
    """End as a run does where some connectors couldn't be read.

    Raises:
        FailedRunError: There are some.
    """
    failures = session.ending.failures
    if failures:
        said = " ".join(f"{name}: {error}" for name, error in sorted(failures.items()))
        raise FailedRunError(f"{len(failures)} of {session.ending.streams} connectors can't be read. {said}")


def list_connectors(session: Session, text: str | None, form: str) -> None:
    """`list`: the connectors, or those in which a text is found, with where it was found.

    Raises:
        FailedRunError: Some couldn't be described.
        OutputError: It can't be written.
    """
    every = look(session)
    found: dict[str, list[Hit]] = {}
    if text is not None:
        found = {one.id: hits(one.id, one.description, one.connector, text) for one in every}
        every = [one for one in every if found[one.id]]
    if form == "json":
        entries = [
            one.as_json() | ({"hits": [dataclasses.asdict(hit) for hit in found[one.id]]} if text is not None else {})
            for one in every
        ]
        write(f"{to_json({'environment': session.connection.environment.id, 'connectors': entries})}\n")
    elif every:
        heads = ("Connector", "Description", "Fields", "Sync", "Key", "Changed on")
        show(
            table(
                heads if text is None else (*heads, "Found"),
                (_row(one) if text is None else [*_row(one), _told(found[one.id])] for one in every),
            )
        )
    elif text is not None:
        show(plain(f"No connector, and no field of one, has “{text}” in its id, description or label."))
    fail_for_unread(session)


def _row(one: Seen) -> list[object]:
    definition = one.definition
    return [
        plain(one.id, "bold"),
        one.description,
        len(one.connector.fields) if one.connector else "",
        "can't be read" if one.error else _SYNCS[one.sync] + ("" if one.selected else " (left out)"),
        ", ".join(definition.primary_keys) if definition else "",
        ", ".join(one.stamps),
    ]


def _told(found: Sequence[Hit]) -> str:
    fields = dict.fromkeys(hit.field for hit in found if hit.field is not None)
    labels = {hit.field: hit.text for hit in found if hit.where == "label" and hit.field is not None}
    own = list(dict.fromkeys(hit.where for hit in found if hit.field is None))
    return "; ".join([*own, *(f"{name} ({labels[name]})" if name in labels else str(name) for name in fields)])


def show_connector(session: Session, name: str, form: str) -> None:
    """`show`: the fields of a connector.

    Raises:
        InputError: There is no such connector, or the settings don't fit it.
        ProfitError: AFAS doesn't describe it.
        OutputError: It can't be written.
    """
    (one,) = look(session, [session.connector_id(name)])
    if one.error is not None or one.connector is None or one.definition is None:
        fail_for_unread(session)
        return
    fields = [_field(field_id, one) for field_id in one.connector.fields]
    if form == "json":
        content = {"environment": session.connection.environment.id, **one.as_json(), "fields": fields}
        write(f"{to_json(content)}\n")
        return
    key = one.definition.primary_keys
    said = [("Stream", one.definition.name), ("Sync", _SYNCS[one.sync] + ("" if one.selected else " (left out)"))]
    said += [("Key", ", ".join(key) or "none known"), ("Changed on", ", ".join(one.stamps) or "none")]
    rows = [
        (
            plain(field["field"], "bold"),
            field["label"],
            field["type"] + (f" ({field['length']})" if field["length"] else ""),
            "yes" if field["sortable"] else "no",
            ", ".join([field["becomes"] or "left out", *(name for name in ("key", "stamp") if field[name])]),
        )
        for field in fields
    ]
    show(
        plain(one.id, "bold"),
        *([plain(one.description)] if one.description else []),
        table(("", ""), said),
        plain(""),
        table(("Field", "Label", "Type in AFAS", "Sortable", "In the catalog"), rows),
    )


def _field(field_id: str, one: Seen) -> dict[str, Any]:
    if one.connector is None or one.definition is None:
        raise ValueError(field_id)
    field, emitted = one.connector.fields[field_id], one.definition.emitted
    schema = one.definition.schema["properties"].get(field_id)
    return {
        "field": field.id,
        "label": field.label,
        "type": field.data_type,
        "kind": kind_of(field),
        "length": field.length,
        "decimals": field.decimals,
        "sortable": field.sortable,
        "filterable": field.filterable,
        "becomes": emitted.get(field_id),
        "schema": schema if field_id in emitted else None,
        "key": field_id in one.definition.primary_keys,
        "stamp": field_id in one.stamps,
    }

"""Further stamps (`also_changed_on`): which fields they are, and what the STATE holds of each.

`further` in the STATE is one JSON text, or empty: by field, what a stream's part holds of its replication key; and
while a run can be gone on with, what was answered of each before that run's first page.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from tap_afas.bookmark import Bookmark, read_bookmark
from tap_afas.inputs import StateError
from tap_afas.known_secrets import SECRETS
from tap_afas.profit.known_connectors import stamp_candidates
from tap_afas.profit.metainfo import Connector, Field, kind_of
from tap_afas.profit.pagination.key import key_from_text, key_to_text
from tap_afas.profit.pagination.scan import ResumePoint
from tap_afas.profit.wall_time import UnreadableError
from tap_afas.schema import kind_in_schema

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping, Sequence

    from tap_afas.profit.pagination.key import KeyField
    from tap_afas.profit.pagination.several_stamps import SeveralStampsPaginator
    from tap_afas.replication_key import ReplicationKey
    from tap_afas.settings import StreamSettings
    from tap_afas.stream_definition import StreamDefinition

# Of a STATE that somebody winds back: the moment from which on rows are read by any stamp.
_SINCE = "since"
_KEPT = ("bookmark", "settled", "pending", "pending_at", "unit", "witness")


# Which fields


def candidates_in_schema(definition: StreamDefinition) -> list[str]:
    """The fields of a stream's schema that seem to be "last modified on"."""
    fields = [
        Field(name, "date", str(one.get("description") or ""))
        for name, one in definition.schema.get("properties", {}).items()
        if kind_in_schema(one) == "date-time"
    ]
    return stamp_candidates(Connector(definition.connector_id, "", {field.id: field for field in fields}), fields)


def with_further_stamps(
    definition: StreamDefinition, connector: Connector, settings: StreamSettings
) -> StreamDefinition:
    """The stream with its further stamps: those of the settings, else those that seem to be some.

    A catalog knows one replication key only. Where that is the first of several that seem to be one, or any of them,
    nobody has chosen it, unless the settings did.

    Args:
        definition: The stream.
        connector: As AFAS describes it.
        settings: What `streams` says of it.
    """
    stamp = definition.replication_key
    if definition.replication_method != "INCREMENTAL" or not stamp or not definition.primary_keys:
        return definition
    if settings.also_changed_on is not UNSET:
        further = list(dict.fromkeys(settings.also_changed_on))
    elif settings.replication_key is not UNSET:
        further = []
    else:
        moments = [field for field in connector.fields.values() if kind_of(field) == "date-time"]
        further = [one for one in stamp_candidates(connector, moments) if one in definition.kinds]
        further = further if stamp in further else []
    return dataclasses.replace(definition, further=tuple(one for one in further if one != stamp))


def with_stamp_of_state(
    definition: StreamDefinition, state: Mapping[str, Any], settings: StreamSettings
) -> StreamDefinition:
    """The stream with the replication key of the STATE, where settings name none and either could be it.

    The order of a connector's fields may change; the bookmark is worth more.

    Args:
        definition: The stream.
        state: Its part of the STATE.
        settings: What `streams` says of it.
    """
    before, now = state.get("replication_key"), definition.replication_key
    named = settings.replication_key is not UNSET or definition.replication_method != "INCREMENTAL"
    if before == now or not isinstance(before, str) or named or not definition.primary_keys:
        return definition
    further = () if settings.also_changed_on is UNSET else settings.also_changed_on
    candidates = candidates_in_schema(definition)
    if before in further or before not in candidates or now not in candidates:
        return definition
    return dataclasses.replace(definition, replication_key=before)


# What the STATE holds


def held_against(bookmark: Bookmark, further: Sequence[str]) -> tuple[Bookmark, list[str]]:
    """The bookmark without further stamps that the stream no longer has, and those that it has since then.

    Args:
        bookmark: What the STATE says.
        further: The stream's further stamps.

    Returns:
        The bookmark, and the stamps that the STATE doesn't know: all is to be read once for them.
    """
    if bookmark.bookmark is None and not bookmark.place:
        return dataclasses.replace(bookmark, further=""), []
    try:
        content = json.loads(bookmark.further) if bookmark.further else {}
        stamps, asked = dict(content.get("stamps") or {}), dict(content.get("asked") or {})
    except (ValueError, TypeError, AttributeError, RecursionError):
        # `read_further` says so.
        return bookmark, []
    known = {*stamps, *(asked if bookmark.place else ())}
    lacking = [] if _SINCE in content else [one for one in further if one not in known]
    if known <= set(further) and (further or not content):
        return bookmark, lacking
    kept = {
        name: {field: of[field] for field in further if field in of} for name, of in content.items() if name != _SINCE
    }
    text = json.dumps({"stamps": {}} | kept, ensure_ascii=False) if further else ""
    # The place may be among the rows of one that is gone.
    return dataclasses.replace(bookmark, further=text, place=""), lacking


@dataclasses.dataclass(frozen=True, slots=True)
class Further:
    """What the STATE holds of further stamps.

    Attributes:
        stamps: By field, what a bookmark holds of it.
        asked: By field, what was answered before the first page of a run that can be gone on with.
    """

    stamps: Mapping[str, Bookmark]
    asked: Mapping[str, ResumePoint]

    def to_text(self) -> str:
        """As the STATE holds it."""
        if not self.stamps and not self.asked:
            return ""
        stamps = {}
        for field, one in self.stamps.items():
            # A row's key with a secret in it, which is hidden wherever it is written, would tell of another row.
            shown = None if SECRETS.are_in(one.witness or "") else one.witness
            stamps[field] = {name: getattr(one, name) for name in _KEPT} | {"witness": shown}
        asked = {}
        for field, point in self.asked.items():
            witness = None if point.witness is None else key_to_text(point.witness)
            asked[field] = {
                "highest": point.highest,
                "witness": None if SECRETS.are_in(witness or "") else witness,
                "asked": point.asked,
            }
        return json.dumps({"stamps": stamps, **({"asked": asked} if asked else {})}, ensure_ascii=False)


def read_further(stream: str, text: str, further: Sequence[ReplicationKey], keys: Sequence[KeyField]) -> Further:
    """Read what the STATE holds of the further stamps that a stream has now.

    Args:
        stream: The stream's name, for errors.
        text: `further` in the STATE.
        further: The further stamps; what the text holds of others is left out.
        keys: The key's fields, where they can be sorted on.

    Raises:
        StateError: It isn't JSON of this form.
    """
    if not text:
        return Further({}, {})
    try:
        content = _content(text)
        stamps = {
            key.id: read_bookmark(stream, {**part, "replication_key": key.id}, key)
            for key in further
            if (part := content["stamps"].get(key.id)) is not None
        }
        if _SINCE in content:
            stamps = {key.id: _wound_back(key, content[_SINCE]) for key in further} | stamps
        asked = {}
        for key in further:
            point = content["asked"].get(key.id)
            if point is not None:
                key.check(point["highest"])
                witness = None if point["witness"] is None else key_from_text(point["witness"], keys)
                asked[key.id] = ResumePoint("", highest=point["highest"], witness=witness, asked=bool(point["asked"]))
    except UnreadableError:
        raise StateError(
            f"{stream}: the state's `further` is not one that this version writes. Take it out, and the stream is read"
            " whole once."
        ) from None
    return Further(stamps, asked)


def _content(text: str) -> dict[str, Any]:
    """The JSON of `further`, whose form is looked at here alone: behind it, another error is a bug.

    Raises:
        UnreadableError: It has another form.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise UnreadableError("no object")
    stamps, asked = content.get("stamps"), content.get("asked", {})
    if not isinstance(stamps, dict) or not isinstance(asked, dict):
        raise UnreadableError("another form")
    if not all(part is None or isinstance(part, dict) for part in (*stamps.values(), *asked.values())):
        raise UnreadableError("another form")
    for point in asked.values():
        if point is None:
            continue
        if not {"highest", "witness", "asked"} <= point.keys() or not isinstance(point["witness"], str | None):
            raise UnreadableError("another form")
    return {**content, "asked": asked}


def _wound_back(key: ReplicationKey, value: Any) -> Bookmark:
    """A bookmark at a moment; where the stamp is a number and can't be compared with it, all rows with one count."""
    try:
        return Bookmark(key.id, bookmark=None if key.kind == "int" else key.literal(value))
    except UnreadableError:
        return Bookmark(key.id)


def noted(  # noqa: PLR0913 - called in one place, with names
    bookmark: Bookmark,
    paginator: SeveralStampsPaginator,
    further: Sequence[ReplicationKey],
    keys: Sequence[KeyField],
    *,
    start: datetime.datetime,
    began: datetime.datetime | None,
    now: datetime.datetime | None,
) -> Bookmark:
    """The bookmark with what a reading by further stamps has come to.

    Args:
        bookmark: The one before.
        paginator: Of the reading.
        further: The stream's further stamps.
        keys: The key's fields, where they can be sorted on.
        start: When the run started.
        began: AFAS' `Date` then; None: it told none, or the run went on from a place.
        now: AFAS' `Date` now.
    """
    before = read_further(bookmark.replication_key or "", bookmark.further, further, keys)
    if paginator.done:
        stamps = dict(before.stamps)
        for key in further:
            if (run := paginator.further.get(key.id)) is not None:
                one = stamps.get(key.id) or Bookmark(key.id)
                stamps[key.id] = one.completed(key, run, start=start, began=began, now=now)
        return dataclasses.replace(bookmark, further=Further(stamps, {}).to_text())
    if paginator.resume_point is None:
        return bookmark
    asked = {field: paginator.asked(field) for field in paginator.further}
    return dataclasses.replace(bookmark, further=Further(before.stamps, asked).to_text())

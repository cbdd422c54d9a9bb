"""Writes a `ResumePoint` as the text that the STATE holds under `place`, and reads it back."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from tap_afas.inputs import StateError
from tap_afas.profit.pagination.key import key_from_text, key_to_text
from tap_afas.profit.pagination.scan import ResumePoint
from tap_afas.profit.wall_time import UnreadableError, moment_of

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from tap_afas.profit.pagination.key import KeyField
    from tap_afas.replication_key import ReplicationKey

_CONTENT: dict[str, tuple[type, ...]] = {
    "reading": (str,),
    "cursor": (list,),
    "lower": (str, int, type(None)),
    "highest": (str, int, type(None)),
    "witness": (str, type(None)),
    "asked": (bool,),
    "cap": (str, int, type(None)),
    "met": (bool,),
    "keys": (list,),
    "start": (str,),
}
"""What a place holds: JSON's own types."""


def resume_point_to_text(resume_point: ResumePoint, keys: Sequence[KeyField], start: datetime.datetime) -> str:
    """A resume point as one JSON text.

    Args:
        resume_point: What to write.
        keys: The key's fields, in their order.
        start: When the run started.
    """
    fields = dataclasses.asdict(resume_point)
    return json.dumps({
        "reading": fields.pop("scan"),
        **fields,
        "cursor": [key_to_text(key) for key in resume_point.cursor],
        "witness": None if resume_point.witness is None else key_to_text(resume_point.witness),
        "keys": [key.id for key in keys],
        "start": start.isoformat(),
    })


def check_resume_point(stream: str, text: str, names: Sequence[str]) -> dict[str, Any]:
    """The JSON object in a resume point's text, if it goes with the key that the stream has now.

    Args:
        stream: The stream's name, for the error.
        text: `place` in the STATE.
        names: The key's fields now.

    Raises:
        StateError: It is not JSON of this form, or was written under another key.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise _unusable(stream) from None
    if not isinstance(content, dict) or not all(
        name in content and isinstance(content[name], kinds) for name, kinds in _CONTENT.items()
    ):
        raise _unusable(stream)
    if not all(isinstance(key, str) for key in content["cursor"]):
        raise _unusable(stream)
    keys = [str(name) for name in content["keys"]]
    if keys != list(names):
        raise StateError(
            f"{stream}: the state's `place` is about the key {', '.join(keys)}, and the key is"
            f" {', '.join(names) or 'none'} now."
        )
    return content


def read_resume_point(
    stream: str, text: str, keys: Sequence[KeyField], key: ReplicationKey
) -> tuple[ResumePoint, datetime.datetime]:
    """Where a killed run can go on, and when that run had started.

    Args:
        stream: The stream's name, for the error.
        text: `place` in the STATE.
        keys: The key's fields now.
        key: The stream's replication key.

    Raises:
        StateError: It is not JSON of this form, or was written under another key.
    """
    content = check_resume_point(stream, text, [field.id for field in keys])
    try:
        for name in ("lower", "highest", "cap"):
            key.check(content[name])
        resume_point = ResumePoint(
            scan=content["reading"],
            cursor=tuple(key_from_text(one, keys) for one in content["cursor"]),
            lower=content["lower"],
            highest=content["highest"],
            witness=None if content["witness"] is None else key_from_text(content["witness"], keys),
            asked=content["asked"],
            cap=content["cap"],
            met=content["met"],
            # An earlier version wrote none.
            version=version if isinstance(version := content.get("version"), int) else None,
        )
        start = moment_of(content["start"])
    except UnreadableError:
        raise _unusable(stream) from None
    return resume_point, start


def _unusable(stream: str) -> StateError:
    return StateError(f"{stream}: the state's `place` is not one that this version writes.")

"""What the command line is given in files: a state, a catalog, and the JSON that both are, in whatever encoding."""

from __future__ import annotations

import collections
from typing import IO, TYPE_CHECKING, Any

from singer_sdk.singerlib import Catalog

from tap_afas.catalog_form import catalog_problem
from tap_afas.inputs import InputError, StateError, parse_json
from tap_afas.json_names import RepeatedNameError
from tap_afas.known_secrets import SECRETS, texts_in

if TYPE_CHECKING:
    from collections.abc import Mapping

# What other taps and versions may have beside `bookmarks`.
_BESIDE_BOOKMARKS = {"currently_syncing"}
# What the SDK keeps of a stream without a replication key.
_OF_FULL_TABLES = {"version", "rows_read", "starting_replication_value", "replication_key_signpost"}
_STANDS = ("replication_key_value", "bookmark", "settled", "pending", "place")
# By these a state is known to be this tap's.
_OWN = {"replication_key", "bookmark", "settled", "witness", "place"}


def _read_object(file: IO[str], option: str) -> dict[str, Any]:
    # As bytes: the locale's encoding says nothing about the file's.
    raw = getattr(file, "buffer", file).read()
    try:
        content = parse_json(raw)
    except RepeatedNameError as error:
        raise InputError(f"{option} {file.name} can't be read: {error}.") from None
    except ValueError as error:
        if option == "--state" and not _written(raw):
            raise InputError(
                f"{option} {file.name} is empty: no target has told a state yet. Where that is so, start without"
                " --state."
            ) from None
        advice = " Of several lines of STATE, the last one counts." if option == "--state" else ""
        raise InputError(f"{option} {file.name} is not JSON: {error}.{advice}") from None
    if not isinstance(content, dict):
        raise InputError(f"{option} {file.name} is not a JSON object.")
    # In one: thousands of short texts would take longer.
    if SECRETS.are_in_name("|".join(texts_in(content))):
        raise InputError(f"{option} {file.name} holds a secret of the settings: take it out.")
    return content


def _written(raw: str | bytes) -> bool:
    """Whether a file holds anything beside white space and a byte order mark."""
    return bool(raw.strip() if isinstance(raw, str) else raw.strip(b"\xef\xbb\xbf\xfe\xff\0 \t\r\n"))


def read_state(file: IO[str]) -> dict[str, Any]:
    """The STATE of `--state`.

    Raises:
        InputError: The file is not a JSON object, or not a state.
    """
    content = _read_object(file, "--state")
    check_state(content)
    return content


def check_state(state: Mapping[str, Any]) -> None:
    """Check that nothing of a state would be passed over.

    Raises:
        StateError: It is in a wrapper, or not of a state's form.
    """
    others = [name for name in state if name != "bookmarks" and name not in _BESIDE_BOOKMARKS]
    if others and ("bookmarks" not in state or any(_holds_bookmarks(state[name]) for name in others)):
        raise StateError(
            f"The state has {', '.join(map(repr, others))} where `bookmarks` belongs: what stands in it would be passed"
            " over."
        )
    bookmarks = state.get("bookmarks", {})
    if not isinstance(bookmarks, dict) or not all(isinstance(bookmark, dict) for bookmark in bookmarks.values()):
        raise StateError('The state is not of the form {"bookmarks": {"<stream>": {…}}}.')


def check_bookmark(stream: str, bookmark: Mapping[str, Any]) -> None:
    """Check that a stream's part of a state says which field it is about.

    Raises:
        StateError: It doesn't, and would be passed over.
    """
    if bookmark.get("replication_key") is not None:
        return
    said = {name for name, value in bookmark.items() if value not in (None, "", {})}
    lost = [name for name in _STANDS if name in said]
    if not lost and "replication_key" not in bookmark:
        lost = sorted(said - _OF_FULL_TABLES)
    if lost:
        raise StateError(
            f"{stream}: the state has {', '.join(lost)} without `replication_key`, the field that a bookmark is about:"
            " it would be passed over."
        )


def _holds_bookmarks(part: Any) -> bool:
    return isinstance(part, dict) and (
        bool(part.keys() & {"bookmarks", "replication_key", *_STANDS}) or any(map(_holds_bookmarks, part.values()))
    )


def under_names(state: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A state with streams' names in place of connectors' ids; those streams' parts are checked.

    Args:
        state: The state.
        names: The streams' names by connectors' ids.

    Raises:
        StateError: A stream has a bookmark under its name and one under its connector's id, or one that would be
            passed over.
    """
    found: dict[str, Any] = {}
    folded = {one.casefold(): names[connector] for connector in names for one in (connector, names[connector])}
    for written, bookmark in state.get("bookmarks", {}).items():
        name = written if written in names.values() else names.get(written, written)
        if name in found:
            raise StateError(f"The state has two bookmarks of one stream: {name} and its connector's id.")
        if name in names.values():
            check_bookmark(name, bookmark)
        elif (meant := folded.get(written.casefold())) and bookmark and not is_own(bookmark):
            # Its own may be of a connector that was renamed since, or left out.
            raise StateError(
                f"The state has a bookmark of {written}, and the stream is {meant}: it would be passed over. Write it"
                f" as {meant}."
            )
        found[name] = bookmark
    return {**state, "bookmarks": found}


def is_own(bookmark: Mapping[str, Any]) -> bool:
    """Whether a stream's part of a state is one that this tap wrote."""
    return bookmark.keys() >= _OWN


def read_catalog(file: IO[str]) -> dict[str, Any]:
    """The catalog of `--catalog`, as JSON.

    Raises:
        InputError: The file is not a Singer catalog, or has two entries for one stream.
    """
    content = _read_object(file, "--catalog")
    if problem := catalog_problem(content):
        raise InputError(f"--catalog {file.name} is not a Singer catalog: {problem} Run discovery again.")
    for entry in content["streams"]:
        entry["tap_stream_id"] = entry.get("tap_stream_id") or entry["stream"]
    try:
        check_entries(content)
        Catalog.from_dict(content)
    except (LookupError, TypeError, AttributeError, ValueError):
        raise InputError(f"--catalog {file.name} is not a Singer catalog: run discovery again.") from None
    return content


def check_entries(catalog: Mapping[str, Any]) -> None:
    """Check that no two entries of a catalog are for one stream.

    Raises:
        InputError: Two are.
        LookupError, TypeError, AttributeError: It isn't a catalog.
    """
    if isinstance(catalog, Catalog):
        return  # It knows each id once, and the command line has looked at what it is made from.
    of_id, of_name = collections.defaultdict(list), collections.defaultdict(list)
    for entry in catalog["streams"]:
        connector_id = entry.get("tap_stream_id") or entry["stream"]
        name = entry.get("stream") or connector_id.replace("-", "_")
        of_id[connector_id].append(name)
        of_name[name].append(connector_id)
    for connector_id, names in of_id.items():
        if len(names) > 1:
            raise InputError(
                f"The catalog has {len(names)} entries for {connector_id} (the streams {' and '.join(names)}): one of"
                " them would be passed over. Leave one."
            )
    for name, ids in of_name.items():
        if len(ids) > 1:
            raise InputError(
                f"The catalog has {' and '.join(ids)} under one stream name, {name}: one of them would be passed over."
                " Give one another name (`stream`), or leave it out."
            )

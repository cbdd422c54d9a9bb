"""What `check --write` says of the file: on stderr, since the report alone goes to stdout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from tap_afas.discovery import stream_name
from tap_afas.loaded_key import start_anew_command
from tap_afas.log_sanitizer import sanitized

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_afas.explore.settings_file import SettingsFile
    from tap_afas.explore.settings_merge import Put


def tell(file: SettingsFile, put: Put, *, left_out: Iterable[str]) -> None:
    """Say what was written, what was left, and what to do about streams that were loaded before.

    Args:
        file: The file.
        put: What became of what was found.
        left_out: Connectors for which there is only what something speaks against.
    """
    for line in _lines(file, put, sorted(left_out)):
        click.echo(sanitized(line, None), err=True)


def _lines(file: SettingsFile, put: Put, left_out: list[str]) -> Iterator[str]:
    where = f"{file.path}, for {file.extractor}" if file.extractor else f"{file.path}"
    if put.written:
        yield f"Written to `streams` in {where}: {_listed(put.written)}."
    else:
        yield f"Nothing was written to {file.path}: there is nothing to set that it lacks."
    for one in put.kept:
        if one.name == "append":
            yield (
                f"Left as it is: {one.connector} has `append`, which is for streams without a key. To read it by the"
                f" key {', '.join(one.found)}, take `append` out and set `primary_keys`."
            )
        else:
            yield (
                f"Left as it is: {one.connector} has `{one.name}` {_json(one.there)}, and what was found is"
                f" {_json(one.found)}. Where that is right, change it."
            )
    if left_out:
        yield (
            f"Left out, since something speaks against it: {', '.join(left_out)}. Look at the report; `--doubtful`"
            " writes these too."
        )
    if put.keyed:
        yield _anew(file, put.keyed)


def _listed(written: Mapping[str, Mapping[str, object]]) -> str:
    return ", ".join(f"{name} ({', '.join(settings)})" for name, settings in written.items())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _anew(file: SettingsFile, connectors: list[str]) -> str:
    one = stream_name(connectors[0]) if len(connectors) == 1 else None
    told = (
        f"If {one} was loaded before: its" if one else "Whichever of those with a key now was loaded before: its"
    ) + " table keeps the key that it was made with. Drop it in the target and start the stream anew, or the next run"
    command = start_anew_command(*connectors, extractor=file.extractor)
    if command is None:
        what = f"`{one}`" if one else "it"
        return f"{told} fails for it: take {what} out of `bookmarks` in the state file, and run again."
    others = "" if one else "those that were loaded, and with "
    return f"{told} fails for it: `{command}`, with {others}your own target."

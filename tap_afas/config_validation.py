"""Checks the settings. Messages name settings and never show values: a token may stand in the wrong setting."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET
from singer_sdk.plugin_base import JSONSchemaValidator

from tap_afas.afas_environment import environment_problems
from tap_afas.environment_variables import dropped_maps, unread
from tap_afas.known_secrets import texts_in
from tap_afas.map_expressions import map_problems
from tap_afas.profit.auth import ClassicToken
from tap_afas.profit.client_certificate import certificate_problems
from tap_afas.profit.transport import is_loopback
from tap_afas.profit.wall_time import WallClock
from tap_afas.refresh import duration
from tap_afas.settings import Settings
from tap_afas.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jsonschema import ValidationError

_HOST = re.compile(r"[\w.:-]+", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,62}", re.ASCII)
_HEADER = re.compile(r"[ -~]*")

_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}

_WANTED: dict[str, Callable[[Any], str]] = {
    "type": lambda kinds: " or ".join(
        _KINDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind in _KINDS
    ),
    "enum": lambda values: f"one of: {', '.join(map(str, values))}",
    "minimum": lambda least: f"at least {least}",
    "maximum": lambda most: f"at most {most}",
    "minItems": lambda _: "a list that isn't empty",
    "uniqueItems": lambda _: "a list without repetitions",
}


def config_problems(config: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """A sentence for each problem with the settings; empty where they can be used.

    Args:
        config: The settings; defaults of the schema are added to it.
        schema: JSON Schema of the tap's settings and of the SDK's.
    """
    if unwritable := [name for name, value in config.items() if not all(map(_is_whole, texts_in({name: value})))]:
        return [f"`{name}` holds a byte that is no UTF-8, or half of a letter." for name in unwritable]
    # Empty, before it gets the defaults: nothing was passed.
    left = [] if config else unread(schema)
    # The SDK's own schema of them ends in a traceback at what isn't right.
    misfits = list(map_problems(config.get("stream_maps"))) or [
        _misfit(error) for error in JSONSchemaValidator(schema).iter_errors(config)
    ]
    misfits += [
        f"`{path}` is null, and Meltano passes no null of `meltano.yml` on: what it is to take out would be sent. Write"
        " `__NULL__` in its place."
        for path in dropped_maps(config.get("stream_maps"), schema)
    ]
    if misfits:
        return misfits
    try:
        settings = Settings.from_config(config)
    except msgspec.ValidationError as error:
        return [f"A setting can't be read: {error}."]
    return [
        *left,
        *_credential_problems(settings),
        *_address_problems(settings),
        *certificate_problems(settings.client_certificate, settings.client_certificate_key),
        *_refresh_problems(settings),
        *_other_problems(settings),
        *_flattening_problems(config),
    ]


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _misfit(error: ValidationError) -> str:
    if error.context:
        error = max(error.context, key=lambda cause: len(cause.absolute_path))
    path = ".".join(str(part) for part in error.absolute_path)
    expected: Any = error.validator_value
    instance: Any = error.instance
    if error.validator == "additionalProperties":
        return _unknown(error, path)
    if error.validator == "required":
        return f"`{path}` lacks {', '.join(name for name in expected if name not in instance)}."
    wanted = _WANTED.get(str(error.validator), lambda _: "written otherwise; see `tap-afas --about`")(expected)
    return f"`{path}` must be {wanted}." if path else f"The settings must be {wanted}."


def _unknown(error: ValidationError, path: str) -> str:
    schema: Any = error.schema
    instance: Any = error.instance
    known = list(schema.get("properties", {}))
    unknown = next(name for name in instance if name not in known)
    where = f" of `{path}`" if path else ""
    # It may be a secret in the wrong place, which has signs that no name of a setting has.
    shown = f"`{unknown}`" if _NAME.fullmatch(unknown) else "What stands in place of a name"
    return f"{shown} is not a setting{where}." + did_you_mean(unknown, known, code=True)


def _credential_problems(settings: Settings) -> Iterable[str]:
    client = [name for name in ("client_id", "client_secret") if getattr(settings, name)]
    if settings.token and client:
        yield f"Both `token` and `{client[0]}` are set: give a classic token or an OAuth client, not both."
    elif not settings.token and not client:
        yield "No credentials: set `token`, or `client_id` and `client_secret`."
    elif len(client) == 1:
        other = "client_secret" if client[0] == "client_id" else "client_id"
        yield f"`{client[0]}` is set, but not `{other}`: an OAuth client needs both."
    if settings.token:
        try:
            ClassicToken(settings.token)
        except ValueError as error:
            yield str(error)


def _address_problems(settings: Settings) -> Iterable[str]:
    if settings.other_base_url:
        yield from _url_problems(settings.other_base_url)
    elif not settings.environment_id:
        yield "No environment: set `environment_id` (the number in its name, as in O12345AA) or `base_url`."
    yield from environment_problems(settings.environment_id, settings.environment_type)


def _url_problems(url: str) -> Iterable[str]:
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host):
        yield "`base_url` is not a URL such as https://12345.rest.afas.online/ProfitRestServices."
    elif parts.scheme == "http" and not is_loopback(host):
        yield f"`base_url` must begin with https: otherwise everybody on the way to {host} could read the token."
    elif parts.username or parts.password or parts.query or parts.fragment:
        yield "`base_url` may hold no user name, `?` or `#`."


def _refresh_problems(settings: Settings) -> Iterable[str]:
    every = {"full_refresh_every": settings.full_refresh_every or ""}
    for name, stream in settings.streams.items():
        if stream.full_refresh_every is not UNSET:
            every[f"streams.{name}.full_refresh_every"] = stream.full_refresh_every or ""
            if stream.full_refresh_every and stream.emit_activate_version_messages is False:
                yield (
                    f"`streams.{name}` sets `full_refresh_every`, and `emit_activate_version_messages` to false: only"
                    " by that message does a target learn what is gone. Take one of them out."
                )
    for name, text in every.items():
        try:
            duration(text)
        except ValueError:
            yield f"`{name}` must be a number of days or hours, such as 7d or 12h; empty: never."
    if any(every.values()) and not settings.emit_activate_version_messages:
        yield (
            "`full_refresh_every` is set, and `emit_activate_version_messages` is false: only by that message does a"
            " target learn what is gone. Take one of them out."
        )


def _flattening_problems(config: Mapping[str, Any]) -> Iterable[str]:
    if config.get("flattening_enabled") and config.get("flattening_max_depth") is None:
        yield "`flattening_enabled` is set, but not `flattening_max_depth`: say how many levels to flatten, such as 1."


def _other_problems(settings: Settings) -> Iterable[str]:
    try:
        WallClock(settings.timezone)
    except ValueError:
        yield "`timezone` must be a time zone's name, such as Europe/Amsterdam."
    if settings.start_date is not None:
        try:
            datetime.datetime.fromisoformat(settings.start_date)
        except ValueError:
            yield "`start_date` must be a date such as 2024-01-01, or a date and time such as 2024-01-01T00:00:00Z."
    if not settings.connectors:
        yield '`connectors` is empty: no stream is left. Take it out for all, or name some: ["Profit_*"].'
    if not _HEADER.fullmatch(settings.language):
        # A pattern's `$` lets a line break pass.
        yield "`language` must be a code such as en-us, and no more."
    if not _HEADER.fullmatch(settings.integration_id or ""):
        yield "`integration_id` must be plain letters and digits, such as 12345_Project."

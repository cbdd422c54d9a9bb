"""What is wrong with the settings, in sentences that never hold a value: that may be a secret gone astray."""

from __future__ import annotations

import datetime
import difflib
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tap_afas.profit.auth import ClassicToken
from tap_afas.profit.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jsonschema import ValidationError

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_ENVIRONMENT = re.compile(r"[A-Za-z]?(\d{5})[A-Za-z]{0,2}", re.ASCII)
_HOST = re.compile(r"[\w.:-]+", re.ASCII)
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


def complaint(error: ValidationError) -> str:
    """A sentence for a setting that doesn't fit the schema.

    Args:
        error: What the schema's validator says.
    """
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
    near = difflib.get_close_matches(unknown, known, 1)
    where = f" of `{path}`" if path else ""
    return f"`{unknown}` is not a setting{where}." + (f" Did you mean `{near[0]}`?" if near else "")


def problems(config: Mapping[str, Any]) -> list[str]:
    """What is wrong with settings that fit their schema: one sentence each."""
    return [*_credential_problems(config), *_address_problems(config), *_other_problems(config)]


def _credential_problems(config: Mapping[str, Any]) -> Iterable[str]:
    token = bool(config.get("token"))
    client = [name for name in ("client_id", "client_secret") if config.get(name)]
    if token and client:
        yield f"Both `token` and `{client[0]}` are set: give a classic token or an OAuth client, not both."
    elif not token and not client:
        yield "No credentials: set `token`, or `client_id` and `client_secret`."
    elif len(client) == 1:
        other = "client_secret" if client[0] == "client_id" else "client_id"
        yield f"`{client[0]}` is set, but not `{other}`: an OAuth client needs both."
    if token:
        try:
            ClassicToken(config["token"])
        except ValueError as error:
            yield str(error)


def _address_problems(config: Mapping[str, Any]) -> Iterable[str]:
    if config.get("base_url"):
        yield from _url_problems(config["base_url"])
    elif not config.get("environment_id"):
        yield "No environment: set `environment_id` (the number in its name, as in O12345AA) or `base_url`."
    elif not _ENVIRONMENT.fullmatch(str(config["environment_id"]).strip()):
        yield "`environment_id` must be five digits, or a name such as O12345AA."


def _url_problems(url: str) -> Iterable[str]:
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host):
        yield "`base_url` is not a URL such as https://12345.rest.afas.online/ProfitRestServices."
    elif parts.scheme == "http" and host not in _LOOPBACK:
        yield f"`base_url` must begin with https: the token would travel to {host} for everyone to read."
    elif parts.username or parts.password or parts.query or parts.fragment:
        yield "`base_url` may hold no user name, `?` or `#`."


def _other_problems(config: Mapping[str, Any]) -> Iterable[str]:
    try:
        Clock(config.get("timezone", "Europe/Amsterdam"))
    except ValueError:
        yield "`timezone` must be a time zone's name, such as Europe/Amsterdam."
    start = config.get("start_date")
    if start is not None:
        try:
            datetime.datetime.fromisoformat(start)
        except ValueError:
            yield "`start_date` must be a date and time such as 2024-01-01T00:00:00Z."
    if not config.get("connectors", ["*"]):
        yield '`connectors` is empty: no stream is left. Take it out for all, or name some: ["Profit_*"].'
    if not _HEADER.fullmatch(config.get("integration_id", "")):
        yield "`integration_id` must be plain letters and digits, such as 12345_Project."

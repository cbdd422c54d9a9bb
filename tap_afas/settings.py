"""The settings: what they are, and what is wrong with the ones given."""

from __future__ import annotations

import dataclasses
import datetime
import fnmatch
import re
from importlib import metadata
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from singer_sdk import typing as th

from tap_afas.profit.auth import ClassicToken, ClientCredentials, Credentials
from tap_afas.profit.client import Manners, ProfitClient
from tap_afas.profit.clock import Clock
from tap_afas.profit.query import OPERATORS
from tap_afas.schema import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HOSTS = {"production": "rest", "test": "resttest", "accept": "restaccept", "course": "restcursus"}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_ENVIRONMENT = re.compile(r"[A-Za-z]?(\d{5})[A-Za-z]{0,2}", re.ASCII)
_HOST = re.compile(r"[\w.:-]+", re.ASCII)
_HEADER = re.compile(r"[ -~]*")
_MOST_CELLS = 150_000
_LARGEST_PAGE = 50_000

_FILTER_VALUE = th.CustomType({"type": ["string", "number", "integer", "boolean", "null"]})
_CONDITION = {
    "type": "object",
    "properties": {
        "field": {"type": "string"},
        "operator": {"type": "string", "enum": list(OPERATORS)},
        "value": _FILTER_VALUE.to_dict(),
    },
    "required": ["field", "operator"],
    "additionalProperties": False,
}
_FILTER = {
    "type": "array",
    "items": {"anyOf": [_CONDITION, {"type": "array", "items": _CONDITION, "minItems": 1}]},
}
_STREAM = {
    "type": "object",
    "properties": {
        "primary_keys": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "replication_key": {"type": ["string", "null"]},
        "page_size": {"type": "integer", "minimum": 1},
        "types": {"type": "object", "additionalProperties": {"type": "string", "enum": list(KINDS)}},
        "filter": _FILTER,
    },
    "additionalProperties": False,
}

SCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "environment_id",
        th.StringType(nullable=False),
        title="Environment",
        description="The AFAS environment: its digits, or its whole name such as O12345AA. Required unless `base_url`"
        " is set.",
        examples=["12345", "O12345AA"],
    ),
    th.Property(
        "environment_type",
        th.StringType(nullable=False),
        title="Kind of environment",
        description="Which of the environments with this number; it picks the host.",
        allowed_values=list(_HOSTS),
        default="production",
    ),
    th.Property(
        "base_url",
        th.StringType(nullable=False),
        title="Base URL",
        description="Root of the REST API, up to and including `ProfitRestServices`, in place of the one that follows"
        " from the environment. https only, except on this machine.",
    ),
    th.Property(
        "token",
        th.StringType(nullable=False),
        secret=True,
        title="Token",
        description="Classic AFAS token: the whole `<token>…</token>`, its data part alone, or the base64 of the"
        " whole. Classic tokens stop on 31 August 2027.",
    ),
    th.Property(
        "client_id",
        th.StringType(nullable=False),
        secret=True,
        title="Client ID",
        description="OAuth client of the app connector, with `client_secret`; in place of `token`.",
    ),
    th.Property(
        "client_secret",
        th.StringType(nullable=False),
        secret=True,
        title="Client secret",
        description="Secret of the OAuth client.",
    ),
    th.Property(
        "connectors",
        th.ArrayType(th.StringType(nullable=False), nullable=False),
        title="Connectors",
        description="Which GetConnectors become streams: names or glob patterns; a leading `!` excludes.",
        default=["*"],
        examples=[["Profit_*", "!Profit_*_image"]],
    ),
    th.Property(
        "streams",
        th.CustomType({"type": "object", "additionalProperties": _STREAM}),
        title="Settings by connector",
        description="By the connector's id: `primary_keys` (list; `[]` = none), `replication_key` (a date or int"
        " field; null or empty = full table), `page_size`, `types` (field -> string, integer, number, boolean, date,"
        " date-time), `filter` (conditions {field, operator, value} that must all hold, or a list of such lists of"
        " which one must hold).",
        default={},
    ),
    th.Property(
        "start_date",
        th.DateTimeType(nullable=False),
        title="Start date",
        description="The first sync of an incremental stream starts here; without it, with everything.",
    ),
    th.Property(
        "page_size",
        th.IntegerType(nullable=False, minimum=1),
        title="Page size",
        description="Rows a request. Default: 150,000 divided by the number of fields, at most 50,000.",
    ),
    th.Property(
        "max_parallel_requests",
        th.IntegerType(nullable=False, minimum=1, maximum=8),
        title="Parallel requests",
        description="Requests at once, over all connectors together; never two on one connector.",
        default=4,
    ),
    th.Property(
        "overlap_seconds",
        th.IntegerType(nullable=False, minimum=0),
        title="Overlap",
        description="How many seconds before its bookmark an incremental sync starts reading, for what AFAS committed"
        " late.",
        default=300,
    ),
    th.Property(
        "timezone",
        th.StringType(nullable=False),
        title="Time zone",
        description="IANA name of the time zone of AFAS' wall time.",
        default="Europe/Amsterdam",
    ),
    th.Property(
        "language",
        th.StringType(nullable=False, pattern="^[A-Za-z]{2}(-[A-Za-z]{2})?$"),
        title="Language",
        description="`Accept-Language`: the language of labels and messages.",
        default="en-us",
        examples=["en-us", "nl-nl", "nl-be", "fr-fr", "de-de"],
    ),
    th.Property(
        "integration_id",
        th.StringType(nullable=False),
        title="Integration ID",
        description="Sent as `IntegrationId`, which AFAS asks of its partners: <subscription>_<project>.",
    ),
    th.Property(
        "request_timeout",
        th.IntegerType(nullable=False, minimum=1),
        title="Request time-out",
        description="Seconds to wait for an answer; the default is longer than AFAS' own 900.",
        default=930,
    ),
    th.Property(
        "max_retry_wait",
        th.IntegerType(nullable=False, minimum=0),
        title="Longest wait",
        description="The longest wait in seconds that AFAS may ask for (`Retry-After`); past it the stream fails and"
        " says until when.",
        default=600,
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType(nullable=False),
        title="Activate versions",
        description="Whether full-table streams end with ACTIVATE_VERSION, so that a target can take out rows that are"
        " gone.",
        default=False,
    ),
).to_dict()
SCHEMA["additionalProperties"] = False


def tidied(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without those that are null, which count as not set; an environment's number is text."""
    settings = {name: value for name, value in config.items() if value is not None}
    if isinstance(settings.get("environment_id"), int):
        settings["environment_id"] = str(settings["environment_id"])
    return settings


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


def client(config: Mapping[str, Any]) -> ProfitClient:
    """The client that the settings describe."""
    url = base_url(config)
    credentials: Credentials
    if config.get("token"):
        credentials = ClassicToken(config["token"])
    else:
        credentials = ClientCredentials(config["client_id"], config["client_secret"], f"{url}/oauth/token")
    headers = {
        "Accept-Language": config.get("language", "en-us"),
        "User-Agent": f"tap-afas/{metadata.version('tap-afas')}",
    }
    if config.get("integration_id"):
        headers["IntegrationId"] = config["integration_id"]
    manners = Manners(
        max_parallel_requests=config.get("max_parallel_requests", 4),
        request_timeout=config.get("request_timeout", 930),
        max_retry_wait=config.get("max_retry_wait", 600),
        headers=headers,
    )
    return ProfitClient(url, credentials, manners)


def base_url(config: Mapping[str, Any]) -> str:
    """The root of the REST API, without a slash at its end."""
    if config.get("base_url"):
        return str(config["base_url"]).strip().rstrip("/")
    digits = re.sub(r"\D", "", str(config["environment_id"]))
    host = _HOSTS[config.get("environment_type", "production")]
    return f"https://{digits}.{host}.afas.online/ProfitRestServices"


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """Which connectors become streams.

    Attributes:
        patterns: Names or glob patterns; a leading `!` excludes.
    """

    patterns: tuple[str, ...]

    def takes(self, connector_id: str) -> bool:
        """Whether a connector is among them."""
        wanted = [pattern for pattern in self.patterns if not pattern.startswith("!")] or ["*"]
        unwanted = [pattern[1:] for pattern in self.patterns if pattern.startswith("!")]
        return any(_matches(connector_id, pattern) for pattern in wanted) and not any(
            _matches(connector_id, pattern) for pattern in unwanted
        )

    def missing(self, connector_ids: Iterable[str]) -> list[str]:
        """The names, not the patterns, that no connector bears."""
        known = {connector_id.casefold() for connector_id in connector_ids}
        plain = (pattern.removeprefix("!") for pattern in self.patterns if not set(pattern) & set("*?["))
        return [name for name in plain if name.casefold() not in known]


def _matches(connector_id: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(connector_id.casefold(), pattern.casefold())


def page_size(stream_settings: Mapping[str, Any], config: Mapping[str, Any], fields: int) -> int:
    """Rows a request: as set, else by AFAS' rule of at most 150,000 cells (docs.afas.help, "GetConnector")."""
    size: int | None = stream_settings.get("page_size") or config.get("page_size")
    return size or max(1, min(_LARGEST_PAGE, _MOST_CELLS // max(1, fields)))

"""The settings: names, kinds and defaults."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from tap_afas.profit.query import OPERATORS
from tap_afas.schema import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOSTS = {"production": "rest", "test": "resttest", "accept": "restaccept", "course": "restcursus"}
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


def base_url(config: Mapping[str, Any]) -> str:
    """The root of the REST API, without a slash at its end."""
    if config.get("base_url"):
        return str(config["base_url"]).strip().rstrip("/")
    digits = re.sub(r"\D", "", str(config["environment_id"]))
    host = _HOSTS[config.get("environment_type", "production")]
    return f"https://{digits}.{host}.afas.online/ProfitRestServices"


def page_size(stream_settings: Mapping[str, Any], config: Mapping[str, Any], fields: int) -> int:
    """Rows a request: as set, else by AFAS' rule of at most 150,000 cells (docs.afas.help, "GetConnector")."""
    size: int | None = stream_settings.get("page_size") or config.get("page_size")
    return size or max(1, min(_LARGEST_PAGE, _MOST_CELLS // max(1, fields)))

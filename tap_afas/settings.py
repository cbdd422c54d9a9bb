"""The settings: each is declared once, with its kind, default, limits and text.

The JSON Schema that the SDK shows and checks is made from the declarations; the tables in the README and in
`docs/settings.md`, and the settings of `meltano.yml`, are made from the schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tap_afas.afas_environment import EnvironmentType, base_url
from tap_afas.known_secrets import SECRETS, SHORTEST, SHORTEST_NAME, texts_in
from tap_afas.profit.metainfo import KINDS, Kind
from tap_afas.profit.query import OPERATORS, Operator
from tap_afas.settings_schema import schema_of
from tap_afas.spelling import is_pattern, matches

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_CELLS = 150_000
_LARGEST_PAGE = 50_000
_SECRET = {"secret": True, "writeOnly": True}

_NotNegative = Annotated[int, Meta(ge=0)]
_Positive = Annotated[int, Meta(ge=1)]


class FilterCondition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One condition of a stream's `filter`."""

    field: str
    operator: Operator
    value: str | float | int | bool | None = None


class ChangedDays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which connector lists the days of a stream's rows that changed."""

    connector: str
    day: str
    stamp: str = ""


class StreamSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `streams` says of one connector. What isn't said is unset or empty; `primary_keys: []` says "none"."""

    primary_keys: Annotated[tuple[str, ...], Meta(extra_json_schema={"uniqueItems": True})] | UnsetType = UNSET
    replication_key: str | UnsetType | None = UNSET
    also_changed_on: Annotated[tuple[str, ...], Meta(extra_json_schema={"uniqueItems": True})] | UnsetType = UNSET
    page_size: _Positive | UnsetType = UNSET
    types: dict[str, Kind] = {}
    filter: tuple[FilterCondition | Annotated[tuple[FilterCondition, ...], Meta(min_length=1)], ...] = ()
    append: bool = False
    full_refresh_every: str | UnsetType | None = UNSET
    changed_days: ChangedDays | bool = False
    emit_activate_version_messages: bool | UnsetType = UNSET
    accept_fewer_rows: _NotNegative | UnsetType = UNSET


class Settings(msgspec.Struct, frozen=True, dict=True):
    """The settings of a run."""

    environment_id: Annotated[
        str | None,
        Meta(
            title="Environment",
            description="The AFAS environment: its digits, or its whole name such as O12345AA, whose letter tells its"
            " kind. Required unless `base_url` is set. Where AFAS tells which environment answers, another one isn't"
            " read.",
            examples=["12345", "O12345AA"],
        ),
    ] = None
    environment_type: Annotated[
        EnvironmentType | None,
        Meta(
            title="Kind of environment",
            description="Which of the environments with this number; it picks the host. Default: what the letter of"
            " `environment_id` says (O, T or A), else production.",
        ),
    ] = None
    other_base_url: Annotated[
        str | None,
        Meta(
            title="Base URL",
            description="Root of the REST API, up to and including `ProfitRestServices`, in place of the one that"
            " follows from the environment. https only, except on this machine.",
            examples=["https://12345.rest.afas.online/ProfitRestServices"],
        ),
    ] = msgspec.field(name="base_url", default=None)
    token: Annotated[
        str | None,
        Meta(
            title="Token",
            description="Classic AFAS token: the whole `<token>…</token>`, its data part alone, or the base64 of the"
            " whole. Classic tokens stop on 31 August 2027.",
            extra_json_schema=_SECRET,
        ),
    ] = None
    client_id: Annotated[
        str | None,
        Meta(
            title="Client ID",
            description="OAuth client of the app connector, with `client_secret`; in place of `token`.",
            extra_json_schema=_SECRET,
        ),
    ] = None
    client_secret: Annotated[
        str | None,
        Meta(title="Client secret", description="Secret of the OAuth client.", extra_json_schema=_SECRET),
    ] = None
    client_certificate: Annotated[
        str | None,
        Meta(
            title="Client certificate",
            description="PEM file of a client certificate, where AFAS asks for one (mTLS, from Profit 8 on).",
        ),
    ] = None
    client_certificate_key: Annotated[
        str | None,
        Meta(
            title="Key of the client certificate",
            description="PEM file of its private key, without a password. Default: the file of the certificate holds"
            " both.",
        ),
    ] = None
    connectors: Annotated[
        tuple[str, ...],
        Meta(
            title="Connectors",
            description="Which GetConnectors become streams: names or glob patterns; a leading `!` excludes.",
            examples=[["Profit_*", "!Profit_*_image"]],
        ),
    ] = ("*",)
    streams: Annotated[
        dict[str, StreamSettings],
        Meta(
            title="Settings by connector",
            description="By the connector's id, or a glob pattern, over which its own entry wins: `primary_keys`"
            " (list; `[]` = none), `replication_key` (a date or int field; null or empty = full table),"
            " `also_changed_on` (list of further such fields, where tables are joined; `[]` = none), `page_size`,"
            " `types` (field -> string, integer, number, boolean, date, date-time, time), `filter` (conditions {field,"
            " operator, value} that must all hold, or a list of such lists of which one must hold), `append` (without a"
            " key: send each change as one row more, in place of the whole table each time),"
            " `full_refresh_every` (a full table isn't read more often than that), `changed_days` ({connector, day,"
            " stamp}: which one lists the days that changed, or true; they are read again),"
            " `emit_activate_version_messages`, `accept_fewer_rows` (a table that has shrunk by more than half is taken"
            " for whole from this number of rows on; 0: always).",
        ),
    ] = {}
    start_date: Annotated[
        str | None,
        Meta(
            title="Start date",
            description="The first sync of an incremental stream starts here; without it, with everything. Without a"
            " zone it is AFAS' time (`timezone`).",
            examples=["2024-01-01", "2024-01-01T00:00:00Z"],
            extra_json_schema={"format": "date-time"},
        ),
    ] = None
    page_size: Annotated[
        _Positive | None,
        Meta(
            title="Page size",
            description="Rows a request. Default: 150,000 divided by the number of fields, at most 50,000.",
        ),
    ] = None
    max_parallel_requests: Annotated[
        int,
        Meta(
            title="Parallel requests",
            description="Requests at once, over all connectors together; never two on one connector.",
            ge=1,
            le=8,
        ),
    ] = 4
    overlap_seconds: Annotated[
        _NotNegative,
        Meta(
            title="Overlap",
            description="How many seconds before its bookmark an incremental sync starts reading, for what AFAS"
            " committed late.",
        ),
    ] = 300
    timezone: Annotated[
        str,
        Meta(title="Time zone", description="IANA name of the time zone of AFAS' wall time."),
    ] = "Europe/Amsterdam"
    language: Annotated[
        str,
        Meta(
            title="Language",
            description="`Accept-Language`: the language of labels and messages.",
            examples=["en-us", "nl-nl", "nl-be", "fr-fr", "de-de"],
            pattern="^[A-Za-z]{2}(-[A-Za-z]{2})?$",
        ),
    ] = "en-us"
    integration_id: Annotated[
        str | None,
        Meta(
            title="Integration ID",
            description="Sent as `IntegrationId`, which AFAS asks of its partners: <subscription>_<project>.",
        ),
    ] = None
    request_timeout: Annotated[
        _Positive,
        Meta(
            title="Request time-out",
            description="Seconds to wait for an answer; the default is longer than AFAS' own 900.",
        ),
    ] = 930
    max_retry_wait: Annotated[
        _NotNegative,
        Meta(
            title="Longest wait",
            description="The longest wait in seconds that AFAS may ask for (`Retry-After`); past it the stream fails"
            " and says until when.",
        ),
    ] = 600
    full_refresh_every: Annotated[
        str | None,
        Meta(
            title="Full refresh",
            description="How often each incremental stream is also read whole, so that what AFAS deleted leaves the"
            " target: days or hours, such as 7d. Without it, never.",
            examples=["7d", "12h"],
        ),
    ] = None
    emit_activate_version_messages: Annotated[
        bool,
        Meta(
            title="Activate versions",
            description="Whether full-table streams end with ACTIVATE_VERSION, so that a target can take out rows that"
            " are gone. Without it, each run adds the rows of a stream without a key once more.",
        ),
    ] = True
    accept_environment: Annotated[
        str | None,
        Meta(
            title="Accepted environment",
            description="The environment, such as O12345AA, that may go on under the state of another one.",
            examples=["O12345AA"],
        ),
    ] = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """The settings that a tap was given.

        Args:
            config: As `normalized` leaves them, and as `SCHEMA` wants them; the SDK's own are passed over.

        Raises:
            msgspec.ValidationError: They don't fit.
        """
        # JSON Schema takes 5.0 for a whole number; only without `strict` so does msgspec.
        settings = msgspec.convert(config, cls, strict=False)
        # An empty list that somebody wrote says more than none.
        settings.__dict__["said"] = {name: frozenset(said) for name, said in (config.get("streams") or {}).items()}
        return settings

    @property
    def certificate(self) -> tuple[str, str] | None:
        """The files of the client certificate and of its key, if there is one."""
        if not self.client_certificate:
            return None
        return self.client_certificate, self.client_certificate_key or self.client_certificate

    @property
    def base_url(self) -> str:
        """The root of the REST API, without a slash at its end."""
        if self.other_base_url:
            return self.other_base_url.strip().rstrip("/")
        return base_url(self.environment_id or "", self.environment_type)

    def stream(self, connector_id: str) -> StreamSettings:
        """What `streams` says of a connector; of what several entries say, the last one of `entries` counts."""
        found: dict[str, Any] = {}
        for name in self.entries(connector_id):
            entry = self.streams[name]
            said = self.__dict__.get("said", {}).get(name, entry.__struct_fields__)
            found |= {setting: getattr(entry, setting) for setting in said}
        return StreamSettings(**found)

    def entries(self, connector_id: str) -> list[str]:
        """The names in `streams` that are about a connector: patterns, then its own, in whatever case."""
        patterns = [name for name in self.streams if is_pattern(name) and matches(connector_id, name)]
        if connector_id in self.streams:
            return [*patterns, connector_id]
        return [*patterns, *(name for name in self.streams if name.casefold() == connector_id.casefold())]

    def page_size_for(self, stream: StreamSettings, fields: int) -> int:
        """Rows a request: as set, else by AFAS' rule of at most 150,000 cells (docs.afas.help, "GetConnector").

        Args:
            stream: What is set for the connector.
            fields: How many fields it has.
        """
        return stream.page_size or self.page_size or max(1, min(_LARGEST_PAGE, _MOST_CELLS // max(1, fields)))

    def __repr__(self) -> str:
        # Secrets are among them, and a traceback shows what it can.
        return f"<{type(self).__name__}>"


def normalized(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without those that are null, which count as not set; an environment's number is text."""
    settings = {name: value for name, value in config.items() if value is not None}
    if isinstance(settings.get("environment_id"), int):
        settings["environment_id"] = str(settings["environment_id"])
    return settings


def learn_secrets(config: Mapping[str, Any]) -> None:
    """Have the secrets among the settings hidden from now on, also those that were put where none belongs."""
    for name, setting in SCHEMA["properties"].items():
        if setting.get("secret"):
            SECRETS.add(*texts_in(config.get(name)), shortest=SHORTEST_NAME if name == "client_id" else SHORTEST)
    SECRETS.add_suspects(dict(config))


SCHEMA = schema_of(Settings, choices=[*get_args(EnvironmentType), *KINDS, *OPERATORS])

"""How an environment behaves; every option may be changed while it runs."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

Collation: TypeAlias = Literal["ci_as", "ci_ai", "cs_as", "binary"]
Fields: TypeAlias = Collection[str]
Widths: TypeAlias = Mapping[str, int]
Filters: TypeAlias = Mapping[str, Mapping[str, str]]
Offsets: TypeAlias = Sequence[float]
Mix: TypeAlias = Mapping[str, float]

KINDS = ("updates", "inserts", "deletes", "reinserts", "moves")
"""What may become of rows; see `Sandbox.change`."""

_MADE_UP_TOKEN = "5A" * 32


@dataclasses.dataclass(slots=True)
class Options:
    """How an environment behaves.

    Attributes:
        token: The data part of the classic token; the whole XML is taken too.
        client_id: OAuth client.
        client_secret: Its secret.
        sign_in: Which of the two ways to sign in are open.
        client_authentication: Where the OAuth secret may stand: in the body (`post`) or in a Basic header.
        bearer_seconds: How long a bearer token lives.
        language: The environment's own language.
        environment: Its whole name.
        app_name: Name of the app connector.
        group: Authorisation group of its user.
        expires: `tokenExpiry` as `/metainfo` tells it.
        old_metainfo: `/metainfo` has no `info` and no `customConnectors`, as it once was.
        version: What `/profitversion` tells; empty: the app connector has no such right (404).
        display: How the milliseconds of a stamp are shown: rounded half up, cut off, or exactly.
        stamp_unit: Dates are shown by so much, the rest cut off; not those that are only a time of day;
        stamps_compared: they are compared and sorted as stored, or as shown.
        padded: Text fields that are stored in so many places and shown trimmed, by field id: right-aligned
            (`"       A12"`), or with blanks behind where the number is negative. Rows have them trimmed.
        fine_decimals: Decimal fields of which rows have more digits than are shown: they are shown rounded half up to
            their `decimals`, and compared and sorted as stored.
        collation: How texts are compared and sorted; see `COLLATIONS`.
        shifted_literals: Date-times in filters are read as so many seconds later,
        shifted_from: from this wall time of the clock on (`2024-05-15T10:00:00`); empty: always,
        shifted_fields: and only for these fields; `None`: all that have a date and a time.
        date_offset: Seconds by which the `Date` header is ahead of the clock; `None`: answers have no such header.
        stamp_offsets: Seconds by which those servers are ahead of the clock that stamp changes, each in its turn.
        changes_per_request: So many rows change before each query on rows, every other one in the connector asked; by
            0.5 one changes before every other query.
        changes_mix: How often each kind is taken, by its name in `KINDS`, of those changes and of those that come by
            themselves.
        own_filters: The filter in a connector's own definition, as parameters of a request, by connector id.
        pieces: In how many pieces a page is read while there is a hook `within_request`, called between them.
        old_json: As before Profit 7: `-.5` for `-0.5`, and `rows` on a line of its own.
        shuffle: Rows without an order come in another order at every call.
        shuffle_ties: So do rows whose order values are equal.
        wildcards: `percent`: "contains" and the like take `%` and need it.
        max_query: Longest query string, counted from the `?`.
        max_cells: Most cells (rows x fields) in an answer; more is "Out of memory".
        max_bytes: Most bytes in an answer; more is 413.
        take_cap: No more rows than this, whatever `take` asks; nothing tells the client.
        max_parallel: Most requests at once; `None`: any number.
        max_parallel_connector: Most requests at once on one connector.
        over_parallel: What happens to one request too many.
        unknown_connector: Status for a connector that isn't there or isn't allowed.
        blocked: Ids of connectors that AFAS has blocked.
        content_type_lies: JSON errors are announced as XML.
        seconds_per_call: Each call on a connector takes so long,
        seconds_per_row: and so much longer for each row,
        seconds_per_skipped_row: and for each row that `skip` passes over.
        log_length: How many requests the log remembers.
    """

    token: str = _MADE_UP_TOKEN
    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"  # noqa: S105 - made up, to sign in to made-up data
    sign_in: Literal["classic", "hybrid", "oauth"] = "hybrid"
    client_authentication: Literal["post", "basic", "either"] = "either"
    bearer_seconds: float = 3600
    language: Literal["nl", "en"] = "nl"
    environment: str = "O12345AA"
    app_name: str = "Sandbox"
    group: str = "Sandbox (12345.SANDBOX)"
    expires: str = "0"
    old_metainfo: bool = False
    version: str = "7.0.0"
    display: Literal["rounded", "cut", "exact"] = "rounded"
    stamp_unit: Literal["second", "minute", "hour", "day"] = "second"
    stamps_compared: Literal["stored", "shown"] = "stored"
    padded: Widths = dataclasses.field(default_factory=dict)
    fine_decimals: Fields = ()
    collation: Collation = "ci_as"
    shifted_literals: float = 0.0
    shifted_from: str = ""
    shifted_fields: Fields | None = None
    date_offset: float | None = 0.0
    stamp_offsets: Offsets = (0.0,)
    changes_per_request: float = 0.0
    changes_mix: Mix = dataclasses.field(
        default_factory=lambda: {"updates": 68, "inserts": 23, "deletes": 5, "reinserts": 2, "moves": 2}
    )
    own_filters: Filters = dataclasses.field(default_factory=dict)
    pieces: int = 2
    old_json: bool = False
    shuffle: bool = True
    shuffle_ties: bool = True
    wildcards: Literal["plain", "percent"] = "plain"
    max_query: int = 2049
    max_cells: int | None = 1_000_000
    max_bytes: int = 75 * 1024 * 1024
    take_cap: int | None = None
    max_parallel: int | None = None
    max_parallel_connector: int | None = None
    over_parallel: Literal["503", "reset"] = "503"
    unknown_connector: Literal[500, 401] = 500
    blocked: set[str] = dataclasses.field(default_factory=set)
    content_type_lies: bool = True
    seconds_per_call: float = 0.0
    seconds_per_row: float = 0.0
    seconds_per_skipped_row: float = 0.0
    log_length: int = 100_000

    @property
    def token_xml(self) -> str:
        """The classic token as AFAS shows it once."""
        if self.token.startswith("<"):
            return self.token
        return f"<token><version>1</version><data>{self.token}</data></token>"

    def __post_init__(self) -> None:
        """Check what has a few values only.

        Raises:
            ValueError: An option has another.
        """
        for name, hint in _hints().items():
            value = getattr(self, name)
            if get_origin(hint) is Literal and value not in get_args(hint):
                raise ValueError(f"{name} is one of {', '.join(map(str, get_args(hint)))}, not {value!r}")
        weights = self.changes_mix.values()
        if not {*self.changes_mix} <= {*KINDS} or min(weights, default=0) < 0 or not sum(weights):
            raise ValueError(f"changes_mix has numbers by {', '.join(KINDS)}, not {dict(self.changes_mix)!r}")

    def change(self, **changes: Any) -> None:
        """Change some options.

        Raises:
            TypeError: There is no such option.
            ValueError: It can't have this value.
        """
        changed = dataclasses.replace(self, **changes)
        for name in changes:
            setattr(self, name, getattr(changed, name))


@functools.cache
def _hints() -> dict[str, Any]:
    return get_type_hints(Options)

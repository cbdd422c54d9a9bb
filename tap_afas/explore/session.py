"""From `--config` and `--catalog` to a connection and to streams: the tap's own."""

from __future__ import annotations

import copy
import sys
from typing import TYPE_CHECKING, Any

from singer_sdk.mapper import RemoveRecordTransform

from tap_afas.config_validation import config_problems
from tap_afas.connection import Connection
from tap_afas.inputs import InputError, SettingsError, read_settings
from tap_afas.settings import SCHEMA, Settings, learn_secrets, normalized
from tap_afas.spelling import did_you_mean
from tap_afas.tap import TapAfas

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.mapper import StreamMap

    from tap_afas.ending import Ending
    from tap_afas.stream import AfasStream
    from tap_afas.stream_definition import StreamDefinition


class UnknownConnectorError(InputError):
    """A connector was named that the app connector doesn't have."""


class Session:
    """What a command works with.

    Attributes:
        config: The settings as JSON.
        connection: To AFAS.
        catalog: The catalog that was passed in, if any, as JSON.

    Args:
        sources: Those of `--config`.
        catalog: The catalog.
        ending: How the command ends.

    Raises:
        ConfigValidationError, SettingsError: The settings can't be used.
    """

    def __init__(self, sources: Sequence[str], catalog: dict[str, Any] | None, ending: Ending) -> None:
        TapAfas.append_builtin_config(SCHEMA)
        self.config = normalized(read_settings(sources, SCHEMA))
        self.catalog = catalog
        learn_secrets(self.config)
        problems = config_problems(self.config, SCHEMA)
        if problems:
            raise SettingsError(problems)
        self.connection = Connection(Settings.from_config(self.config))
        self.ending = ending
        ending.client = self.connection.client

    def tap(self) -> ExplorersTap:
        """The tap with these settings and this catalog; without one, AFAS is asked for the fields of its streams."""
        return ExplorersTap(self)

    def definitions(self) -> dict[str, StreamDefinition]:
        """The catalog's selected streams, by connector; empty where none was passed in."""
        if self.catalog is None:
            return {}
        return {stream.connector_id: stream.definition() for stream in self.tap().chosen}

    def connector_id(self, name: str) -> str:
        """The id of the connector that somebody means: in whatever case, or its stream's name.

        Raises:
            UnknownConnectorError: There is none, or there are several.
        """
        ids = self.connection.environment.connectors
        if name in ids:
            return name
        folded = name.casefold()
        found = [one for one in ids if one.casefold() == folded or one.replace("-", "_").casefold() == folded]
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownConnectorError(
                f"{name} may be {' or '.join(sorted(found))}: write it as `tap-afas-explore list` shows it."
            )
        raise UnknownConnectorError(
            f"The app connector has no GetConnector {name}.{did_you_mean(name, ids)} `tap-afas-explore list` shows"
            " those that it has."
        )


class ExplorersTap(TapAfas):
    """The tap, over a connection that is there already.

    Args:
        session: What the command works with.
    """

    @override
    def __init__(self, session: Session) -> None:
        # In place of what it would make itself.
        self.__dict__ |= {
            "connection": session.connection,
            "settings": session.connection.settings,
            "command_ending": session.ending,
        }
        super().__init__(config=dict(session.config), catalog=copy.deepcopy(session.catalog))
        self.ending.concerns_streams = False

    @property
    def chosen(self) -> list[AfasStream]:
        """The streams that a run would read."""
        return [stream for stream in self._streams_by_name.values() if stream.selected]


def written_as(stream: AfasStream) -> list[StreamMap]:
    """What is written of a stream: itself, or what `stream_maps` makes of it, which may be nothing or several."""
    return [one for one in stream.stream_maps if not isinstance(one, RemoveRecordTransform)]

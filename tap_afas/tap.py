"""The tap as the SDK and its command line know it."""

from __future__ import annotations

import functools
import signal
import sys
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.singerlib import StateMessage

from tap_afas.command_line import CommandLine
from tap_afas.ending import Ending
from tap_afas.environment_variables import log_problem
from tap_afas.input_files import check_entries, check_state, is_own, under_names
from tap_afas.inputs import StateError
from tap_afas.known_secrets import SECRETS
from tap_afas.log_sanitizer import sanitize_logs, sanitize_tracebacks
from tap_afas.profit.errors import AbsentError, ProfitError
from tap_afas.scheduler import Scheduler
from tap_afas.settings import SCHEMA, Settings, learn_secrets, normalized
from tap_afas.spelling import did_you_mean
from tap_afas.writer import LineWriter, without_secrets

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from tap_afas.connection import Connection
    from tap_afas.days_stream import DaysStream
    from tap_afas.maps import Maps
    from tap_afas.stream import AfasStream
    from tap_afas.sync import Sync


class TapAfas(CommandLine):
    """Singer tap for AFAS Profit: every GetConnector is a stream."""

    name = "tap-afas"
    config_jsonschema: ClassVar[dict[str, Any]] = SCHEMA
    dynamic_catalog = True
    message_writer_class = LineWriter
    # No BATCH: the SDK's passes over selection and stream maps.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    _scheduler: Scheduler | None = None
    _checked = False

    @override
    def __init__(self, **options: Any) -> None:
        # What `--version` and `--about` don't need isn't loaded for them. It is loaded before the SDK takes over the
        # signals, since an exit that is raised while a module loads can get lost.
        from tap_afas import catalog, config_validation, connection, discovery, maps, stream  # noqa: F401, PLC0415
        from tap_afas.keyless import asked_to_append, with_method_of_metadata  # noqa: PLC0415

        sanitize_logs()
        if "streams" in (options.get("catalog") or ()):
            check_entries(options["catalog"])
            options["catalog"] = with_method_of_metadata(options["catalog"])
        self._appending = asked_to_append(options.get("catalog"))
        self.ending = self.command_ending or Ending()
        self.ending.concerns_streams = True
        super().__init__(**options)

    # Settings

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        from tap_afas.config_validation import config_problems  # noqa: PLC0415 - see `__init__`

        self._config = normalized(self._config)
        learn_secrets(self._config)
        self.append_builtin_config(self.config_jsonschema)
        errors = config_problems(self._config, self.config_jsonschema)
        if errors and raise_errors:
            raise ConfigValidationError("The settings can't be used.", errors=errors, schema=self.config_jsonschema)
        return errors

    @functools.cached_property
    def settings(self) -> Settings:
        """The settings, typed and with their defaults."""
        return Settings.from_config(self.config)

    # Streams

    @functools.cached_property
    def connection(self) -> Connection:
        """To AFAS; shared by the streams."""
        from tap_afas.connection import Connection  # noqa: PLC0415 - see `__init__`

        connection = Connection(self.settings)
        self.ending.client = connection.client
        return connection

    @override
    def interrupt(self, signum: int) -> bool:
        return self._scheduler is not None and self._scheduler.interrupt(signum)

    @property
    def scheduler(self) -> Scheduler:
        """Runs the streams' syncs."""
        if self._scheduler is None:
            self._scheduler = Scheduler(self.connection.client, self._repeat_state)
        return self._scheduler

    def _repeat_state(self) -> None:
        if self.state:
            self.write_message(StateMessage(value=self.state))

    @override
    def discover_streams(self) -> Sequence[AfasStream | DaysStream]:
        """The streams of the catalog passed in; without one, those that AFAS describes."""
        from tap_afas.days_stream import DaysStream  # noqa: PLC0415 - likewise
        from tap_afas.discovery import definition_from_catalog, discover  # noqa: PLC0415 - see `__init__`
        from tap_afas.feed import Feed, days_name  # noqa: PLC0415 - see `__init__`
        from tap_afas.stream import AfasStream  # noqa: PLC0415 - likewise

        if self.input_catalog is None:
            try:
                found = discover(self.connection)
            finally:
                self.ending.failures |= self.connection.undescribed
        else:
            of_days = {days_name(entry.tap_stream_id) for entry in self.input_catalog.streams}
            entries = [entry for entry in self.input_catalog.streams if entry.tap_stream_id not in of_days]
            found = [definition_from_catalog(entry) for entry in entries]
        streams: list[AfasStream | DaysStream] = []
        for definition in found:
            feed = Feed.of(definition.connector_id, self.settings.stream(definition.connector_id))
            days = DaysStream(self, definition.connector_id, definition.name, feed.day) if feed else None
            stream = AfasStream(
                self,
                definition,
                connection=self.connection,
                scheduler=self.scheduler,
                check_inputs=self.check_inputs,
                appends=definition.connector_id in self._appending,
                days=days,
            )
            streams += [stream] if days is None else [stream, days]
        return streams

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Take a state; a bookmark under a connector's id is its stream's.

        Raises:
            StateError: Something of it would be passed over.
        """
        check_state(state)
        super().load_state(under_names(state, self._names()) if state.get("bookmarks") else state)

    def _names(self) -> dict[str, str]:
        """The streams' names by connectors' ids."""
        from tap_afas.discovery import stream_name  # noqa: PLC0415 - see `__init__`

        return {entry.tap_stream_id: entry.stream or stream_name(entry.tap_stream_id) for entry in self.catalog.streams}

    @override
    def run_discovery(self) -> str:
        """Write the catalog, and say which streams are read whole for want of a key."""
        from tap_afas.keyless import check, tell  # noqa: PLC0415 - see `__init__`

        definitions = [stream.definition() for stream in self._streams_by_name.values()]
        check(definitions, self.settings)
        tell(definitions, self.settings)
        text = self.catalog_json_text
        self.ending.streams = len(self.streams) + len(self.ending.failures)
        # By the writer, which says what happened where the output breaks; in UTF-8, whatever the locale.
        cast("LineWriter", self.message_writer).write_lines(f"{without_secrets(text, 2)}\n".encode("utf-8", "replace"))
        return text

    @override
    def setup_mapper(self) -> None:
        from tap_afas.catalog import prepare  # noqa: PLC0415 - see `__init__`
        from tap_afas.discovery import stream_name  # noqa: PLC0415 - likewise
        from tap_afas.maps import Maps  # noqa: PLC0415 - likewise

        if self.input_catalog is not None:
            prepare(self.input_catalog, self.connection)
        # Without a catalog, this is where AFAS is asked for the streams.
        self._mapper = Maps(self.config, self._names(), stream_name, self.logger)
        self._mapper.register_raw_streams_from_catalog(self.catalog)

    def check_inputs(self) -> None:
        """Check, once, environment and `stream_maps` against what there is; to be called before a row is read.

        Raises:
            InputError: They don't fit.
        """
        environment = self.connection.environment
        if not self._checked and self.config.get("stream_maps"):
            streams = [stream.as_mapped() for stream in self._streams_by_name.values()]
            cast("Maps", self.mapper).check(streams, environment.connectors, self.connection.describe)
        self._checked = True

    # Running

    @override
    def run(self, most_rows: int | None = None) -> None:
        """Sync the selected streams side by side.

        Args:
            most_rows: How many rows of each stream are wanted at most; all of the streams are then read.

        Raises:
            FailedRunError: Some failed; the others are complete.
            InterruptedRunError: A signal ended the run.
        """
        from tap_afas.discovery import check_connectors_exist, tell_of_idle_patterns  # noqa: PLC0415 - see `__init__`
        from tap_afas.keyless import check, tell, tell_of_catalog  # noqa: PLC0415 - likewise
        from tap_afas.state_compatibility import check_environment  # noqa: PLC0415 - likewise

        every = self._streams_by_name.values()
        if most_rows is not None:
            for stream in every:
                stream.selected, stream.ABORT_AT_RECORD_COUNT = True, most_rows
        # With a catalog, what is wrong with the state is told before AFAS is asked anything.
        streams = {stream.new_sync(): stream for stream in every if stream.selected}
        if not streams:
            self.logger.warning("No stream is selected: nothing to read.")
        self._check_state()
        environment = self.connection.environment
        # What the catalog has may be gone by now: that fails its own stream, and not the run.
        parts = {stream.name: stream.stream_state for stream in streams.values()}
        check_environment(environment.id, parts, self.settings.accept_environment)
        check_connectors_exist(self.settings, environment, known=[stream.connector_id for stream in every])
        if self.input_catalog is not None:
            ids = {*environment.connectors, *(stream.connector_id for stream in every)}
            tell_of_idle_patterns(self.settings, ids, chosen=False)
        self._check_settings(streams)
        self.check_inputs()
        definitions = [sync.definition for sync in streams]
        check(definitions, self.settings)
        tell_of_catalog(stream.connector_id for stream in streams.values() if stream.is_made_whole)
        tell(definitions, self.settings)
        there = {sync: stream for sync, stream in streams.items() if stream.connector_id in environment.connectors}
        failures = self.ending.failures
        failures |= {
            sync.definition.connector_id: AbsentError(
                AbsentError.sentence + did_you_mean(sync.definition.connector_id, environment.connectors)
            )
            for sync in streams
            if sync not in there
        }
        self.ending.streams = len(there) + len(failures)
        if self.state:
            self.state_writer.write_state(self.state)
        self.scheduler.run_all(there, self.settings.max_parallel_requests, failures)

    @property
    def _streams_by_name(self) -> dict[str, AfasStream]:
        from tap_afas.stream import AfasStream  # noqa: PLC0415 - see `__init__`

        return {name: stream for name, stream in self.streams.items() if isinstance(stream, AfasStream)}

    def _check_state(self) -> None:
        """Check that the state is this tap's, before anything is read."""
        known, bookmarks = set(self.streams), self.state.get("bookmarks", {})
        foreign = set(bookmarks) - known
        # Its own may be about others: `connectors` may have changed since.
        if foreign and not known & set(bookmarks) and not any(is_own(bookmarks[stream]) for stream in foreign):
            raise StateError(
                f"The state is about {', '.join(sorted(foreign))}, and none of these is a stream here: it seems to be"
                " another connector's."
            )

    def _check_settings(self, syncs: Iterable[Sync]) -> None:
        """Check that the fields that `streams` names exist, before anything is read."""
        from tap_afas.discovery import define_stream  # noqa: PLC0415 - see `__init__`

        every = {sync.definition.connector_id: sync for sync in syncs}
        named = {connector_id: every[connector_id] for connector_id in every if self.settings.entries(connector_id)}
        for connector_id, connector in self.connection.describe(list(named)).items():
            if isinstance(connector, ProfitError):
                continue  # The stream itself will say so, and the others go on.
            if self.input_catalog is not None:
                define_stream(connector, self.settings.stream(connector_id))
            named[connector_id].check_filter(self.connection.connector(connector_id))


def main() -> None:
    """The command `tap-afas`."""
    ending = TapAfas.command_ending = Ending()
    SECRETS.add_suspects(sys.argv[1:])
    log_is_wrong = log_problem()
    # The SDK sets up the log with it.
    command = TapAfas.cli
    sanitize_logs()
    sanitize_tracebacks()
    try:
        code = ending.run(lambda: command(standalone_mode=False), log_is_wrong)
    finally:
        TapAfas.command_ending = None
    # How the command ended is told: another signal would only put a traceback behind it.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    sys.exit(code)

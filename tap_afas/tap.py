"""The tap: settings, discovery, running the streams."""

from __future__ import annotations

import datetime
import errno
import functools
import gc
import logging
import os
import sys
from typing import IO, TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk import Tap
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.plugin_base import JSONSchemaValidator
from singer_sdk.singerlib import StateMessage

from tap_afas.bookmark import StateError
from tap_afas.complaints import complaint
from tap_afas.discovery import DiscoveryError, check_named, chosen, describe, stream_name, to_stream
from tap_afas.filters import read_filter
from tap_afas.inputs import read_catalog, read_settings, read_state, select_needed
from tap_afas.profit.clock import Clock
from tap_afas.profit.errors import ConnectorError, ProfitError
from tap_afas.runner import FAILURES, Run
from tap_afas.settings import SCHEMA, client, problems, tidied
from tap_afas.stream import AfasStream
from tap_afas.sync import StreamSync
from tap_afas.workers import InterruptedRunError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    import click
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.helpers.types import Record
    from singer_sdk.singerlib import CatalogEntry

    from tap_afas.profit.client import ProfitClient
    from tap_afas.profit.metainfo import Connector, Environment

_CLASSIC_TOKENS_FADE = datetime.date(2027, 5, 1)
_EXPIRY_WARNING = datetime.timedelta(days=60)
_LARGEST_CLOCK_DIFFERENCE = datetime.timedelta(hours=1)


class FailedRunError(Exception):
    """Some streams failed; each has been reported."""


class LineWriter(MsgSpecWriter):
    """Writes Singer messages, one by one or a page at a time."""

    def write_lines(self, lines: bytes) -> None:
        """Write lines that are encoded already."""
        sys.stdout.buffer.write(lines)
        sys.stdout.flush()


class TapAfas(Tap):
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

    _run: Run | None = None
    _interrupted = False

    # What the streams share

    @functools.cached_property
    def profit(self) -> ProfitClient:
        """Asks AFAS."""
        return client(self.config)

    @functools.cached_property
    def clock(self) -> Clock:
        """Of AFAS' wall time."""
        return Clock(self.config["timezone"])

    @functools.cached_property
    def _environment_and_start(self) -> tuple[Environment, datetime.datetime]:
        local = datetime.datetime.now(tz=datetime.UTC)
        environment, date = self.profit.environment()
        if date is not None and abs(date - local) > _LARGEST_CLOCK_DIFFERENCE:
            self.logger.warning("This machine's clock says %s, AFAS' says %s; the earlier one counts.", local, date)
        self._warn_of_expiry(environment)
        return environment, local if date is None else min(local, date)

    @functools.cached_property
    def _described(self) -> dict[str, Connector]:
        return {}

    @property
    def environment(self) -> Environment:
        """What the token may read."""
        return self._environment_and_start[0]

    @property
    def started(self) -> datetime.datetime:
        """When the run began, by AFAS' clock or this machine's, whichever is earlier: bookmarks never pass it."""
        return self._environment_and_start[1]

    def sync_of(self, stream: AfasStream) -> StreamSync:
        """A new sync of a stream."""
        return StreamSync(stream, self.profit, self.clock, self.started, self._described.pop(stream.connector_id, None))

    def sync_alone(self, stream: AfasStream) -> None:
        """Sync one stream, whatever the others do.

        Raises:
            ProfitError, FilterError, StateError: It failed.
        """
        for failure in self._drive([self.sync_of(stream)], parallel=1).values():
            raise failure

    def records_of(self, stream: AfasStream) -> Iterator[Record]:
        """The records of a stream, without writing any."""
        sync = self.sync_of(stream)
        sync.begin(sync.describe())
        while True:
            page = sync.take(sync.ask())
            yield from sync.records(page)
            if sync.done:
                return

    def write_lines(self, lines: bytes) -> None:
        """Write lines that are encoded already."""
        cast("LineWriter", self.message_writer).write_lines(lines)

    def _warn_of_expiry(self, environment: Environment) -> None:
        if self.config.get("token") and datetime.datetime.now(tz=datetime.UTC).date() >= _CLASSIC_TOKENS_FADE:
            self.logger.warning(
                "AFAS stops classic tokens on 31 August 2027: set `client_id` and `client_secret` in place of `token`."
            )
        ends = environment.token_ends
        if ends is not None and ends - datetime.datetime.now(tz=datetime.UTC).date() <= _EXPIRY_WARNING:
            self.logger.warning("The token ends on %s: make a new one in the app connector before that.", ends)
        elif ends is None and environment.token_expiry:
            self.logger.info("AFAS says the token ends: %s", environment.token_expiry)

    # Settings

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        self._config = tidied(self._config)
        self.append_builtin_config(self.config_jsonschema)
        validator = JSONSchemaValidator(self.config_jsonschema)
        errors = [complaint(error) for error in validator.iter_errors(self._config)] or problems(self._config)
        if errors and raise_errors:
            raise ConfigValidationError("The settings can't be used.", errors=errors, schema=self.config_jsonschema)
        return errors

    # Streams

    @override
    def discover_streams(self) -> Sequence[AfasStream]:
        """The streams of the catalog passed in; without one, those that AFAS describes."""
        if self.input_catalog is not None:
            return [self._from_catalog(entry) for entry in self.input_catalog.streams]
        check_named(self.config, self.environment)
        found = describe(self.profit, chosen(self.config, self.environment))
        streams = []
        for connector_id, connector in found.items():
            if isinstance(connector, ProfitError):
                self.logger.error("%s is left out, since AFAS doesn't describe it: %s", connector_id, connector)
            else:
                streams.append(self._from_connector(connector))
        if not streams:
            raise DiscoveryError("AFAS describes none of the connectors; see above.")
        return streams

    def _from_connector(self, connector: Connector) -> AfasStream:
        described = to_stream(connector, self.config["streams"].get(connector.id, {}))
        return AfasStream(
            self,
            owner=self,
            connector_id=connector.id,
            name=stream_name(connector.id),
            schema=described.schema,
            primary_keys=described.primary_keys,
            replication_key=described.replication_key,
        )

    @override
    def setup_mapper(self) -> None:
        if self.input_catalog is not None:
            select_needed(self.input_catalog)
        super().setup_mapper()

    def _from_catalog(self, entry: CatalogEntry) -> AfasStream:
        schema = entry.schema.to_dict()
        properties = schema.get("properties", {})
        stray = [breadcrumb[-1] for breadcrumb in entry.metadata if breadcrumb and breadcrumb[-1] not in properties]
        if stray:
            raise DiscoveryError(
                f"{entry.tap_stream_id}: the catalog's metadata names {', '.join(stray)}, which its schema doesn't"
                " have. Correct it, or run discovery again."
            )
        return AfasStream(
            self,
            owner=self,
            connector_id=entry.tap_stream_id,
            name=entry.stream or stream_name(entry.tap_stream_id),
            schema=schema,
        )

    # Running

    def run(self) -> None:
        """Sync the selected streams side by side.

        Raises:
            FailedRunError: Some failed; the others are complete.
            InterruptedRunError: A signal ended the run.
        """
        # What the catalog has may be gone by now: that fails its own stream, and not the run.
        check_named(self.config, self.environment, known=[stream.tap_stream_id for stream in self.streams.values()])
        streams = [stream for stream in self.streams.values() if isinstance(stream, AfasStream) and stream.selected]
        if not streams:
            self.logger.warning("No stream is selected: nothing to read.")
        self._check_state(streams)
        self._check_stream_settings(streams)
        failures = {
            stream.connector_id: self._vanished()
            for stream in streams
            if stream.connector_id not in self.environment.connectors
        }
        syncs = [self.sync_of(stream) for stream in streams if stream.connector_id not in failures]
        syncs.sort(key=lambda sync: sync.weight, reverse=True)
        if self.state:
            self.state_writer.write_state(self.state)
        try:
            failures.update(self._drive(syncs, self.config["max_parallel_requests"]))
        finally:
            self._report(syncs)
        for connector_id, failure in sorted(failures.items()):
            self.logger.error("Failed: %s: %s", connector_id, failure)
        if failures:
            others = "; the others are complete" if len(failures) < len(streams) else ""
            raise FailedRunError(f"{len(failures)} of {len(streams)} streams failed{others}.")

    def _drive(self, syncs: Sequence[StreamSync], parallel: int) -> dict[str, Exception]:
        """Run syncs to their end, or until a signal; tells which failed."""
        run = self._run = Run(syncs, parallel)
        try:
            run()
        except BaseException as error:
            self.profit.stop()
            if isinstance(error, InterruptedRunError) and self.state:
                # Once more, even where the last page didn't change it: the end is where it is looked for.
                self.write_message(StateMessage(value=self.state))
            raise
        finally:
            self._run = None
        return run.failures

    @staticmethod
    def _vanished() -> Exception:
        return ConnectorError(
            "The app connector doesn't have this GetConnector (any more).",
            "Add it to the app connector in AFAS, or run discovery again and take it out of the selection.",
        )

    def _check_state(self, streams: Sequence[AfasStream]) -> None:
        """See to it that the state is this tap's, before anything is read."""
        for stream in streams:
            stream.bookmark()
        known = set(self.streams)
        foreign = set(self.state.get("bookmarks", {})) - known
        if foreign and not known & set(self.state["bookmarks"]):
            raise StateError(
                f"The state is about {', '.join(sorted(foreign))}, and none of these is a stream here: it seems to be"
                " another connector's. Pass the state that this tap wrote, or start anew: without --state, or"
                " `meltano run --full-refresh`."
            )

    def _check_stream_settings(self, streams: Sequence[AfasStream]) -> None:
        """See to it that the fields that `streams` names exist, before anything is read."""
        named = [stream.connector_id for stream in streams if self.config["streams"].get(stream.connector_id)]
        for connector_id, connector in describe(self.profit, named).items():
            if isinstance(connector, ProfitError):
                continue  # The stream itself will say so, and the others go on.
            settings = self.config["streams"][connector_id]
            self._described[connector_id] = connector
            to_stream(connector, settings)
            read_filter(settings.get("filter"), connector, self.clock)

    def _report(self, syncs: Sequence[StreamSync]) -> None:
        """One line per stream, and the totals that AFAS' fair use is about."""
        for sync in syncs:
            figures = sync.figures()
            self.logger.info(
                "%s: %d rows in %d pages, %d requests, %d retries, %.1f s%s",
                sync.stream.connector_id,
                figures["rows"],
                figures["pages"],
                figures["requests"],
                figures["retries"],
                figures["seconds"],
                f", up to {figures['bookmark']}" if figures["bookmark"] is not None else "",
                extra=figures,
            )
        read = sum(sync.count.read for sync in syncs)
        self.logger.info(
            "Asked of AFAS: %d requests, %d rows.",
            self.profit.asked.total(),
            read,
            extra={"requests": self.profit.asked.total(), "rows_read": read},
        )

    # Command line

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # The SDK exits with 0, and a run that was cut off would count as complete. A second signal doesn't wait for
        # the page at hand.
        if self._interrupted:
            os._exit(128 + signum)
        if self._run is None:
            sys.exit(128 + signum)
        self._interrupted = True
        self._run.interrupt(signum)

    @override
    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        """What the command line calls: like the SDK's, but the streams run side by side."""
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        tap = cls(
            config=config.config if config else {},
            state=read_state(state) if state else {},
            catalog=read_catalog(catalog) if catalog else None,
        )
        # What is loaded by now stays: the collector needn't look through it again with every page.
        gc.freeze()
        tap.run()

    @override
    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read `--config`: files, and `ENV` for the environment."""
        cls.append_builtin_config(cls.config_jsonschema)
        given = read_settings(value, cls.config_jsonschema)
        # The SDK would read the environment with another parser, which knows no sentences.
        config = super().cb_config(ctx, param, ())
        config.config.update(given)
        return config


def main() -> None:
    """The command `tap-afas`: what people and settings can cause ends in a sentence, never in a traceback."""
    logger = logging.getLogger(TapAfas.name)
    try:
        TapAfas.cli()
    except ConfigValidationError as error:
        for sentence in error.errors:
            logger.error(sentence)  # noqa: TRY400 - the sentence is for a person
        sys.exit(1)
    except (*FAILURES, DiscoveryError, FailedRunError) as error:
        logger.error("%s", error)  # noqa: TRY400 - the sentence is for a person
        sys.exit(1)
    except InterruptedRunError as error:
        logger.error("%s What was written is complete up to the last STATE.", error)  # noqa: TRY400 - likewise
        sys.exit(128 + error.signum)
    except OSError as error:
        # Windows says EINVAL where others say EPIPE.
        if error.errno not in {errno.EPIPE, errno.EINVAL}:
            raise
        logger.error("The target has ended; what it took is complete up to its last STATE.")  # noqa: TRY400 - likewise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)

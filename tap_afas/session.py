"""One process' dealings with AFAS: what the streams share, which streams there are, and running them.

All that `--version` and `--about` can do without is behind this module.
"""

from __future__ import annotations

import datetime
import functools
from importlib import metadata
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib import StateMessage

from tap_afas.discovery import DiscoveryError, check_named, chosen, describe, stream_name, to_stream
from tap_afas.filters import read_filter
from tap_afas.inputs import StateError
from tap_afas.profit.auth import ClassicToken, ClientCredentials
from tap_afas.profit.client import ProfitClient, RequestLimits
from tap_afas.profit.clock import Clock
from tap_afas.profit.errors import ConnectorError, ProfitError
from tap_afas.runner import FailedRunError, Run
from tap_afas.settings import base_url
from tap_afas.stream import AfasStream
from tap_afas.sync import StreamSync
from tap_afas.workers import InterruptedRunError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Record
    from singer_sdk.singerlib import CatalogEntry

    from tap_afas.profit.auth import Credentials
    from tap_afas.profit.metainfo import Connector, Environment

_CLASSIC_TOKENS_FADE = datetime.date(2027, 5, 1)
_EXPIRY_WARNING = datetime.timedelta(days=60)
_LARGEST_CLOCK_DIFFERENCE = datetime.timedelta(hours=1)


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
    limits = RequestLimits(
        max_parallel_requests=config.get("max_parallel_requests", 4),
        request_timeout=config.get("request_timeout", 930),
        max_retry_wait=config.get("max_retry_wait", 600),
    )
    return ProfitClient(url, credentials, limits, headers)


class Session:
    """Discovers and reads the streams of a tap.

    Args:
        tap: With its settings, its catalog and its state.
    """

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._config = tap.config
        self._logger = tap.logger
        self._described: dict[str, Connector] = {}
        self._run: Run | None = None

    # What the streams share

    @functools.cached_property
    def profit(self) -> ProfitClient:
        """Asks AFAS."""
        return client(self._config)

    @functools.cached_property
    def clock(self) -> Clock:
        """Of AFAS' wall time."""
        return Clock(self._config["timezone"])

    @functools.cached_property
    def _environment_and_start(self) -> tuple[Environment, datetime.datetime]:
        local = datetime.datetime.now(tz=datetime.UTC)
        environment, date = self.profit.environment()
        if date is not None and abs(date - local) > _LARGEST_CLOCK_DIFFERENCE:
            self._logger.warning("This machine's clock says %s, AFAS' says %s; the earlier one counts.", local, date)
        self._warn_of_expiry(environment)
        return environment, local if date is None else min(local, date)

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
            ProfitError, InputError: It failed.
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

    def _warn_of_expiry(self, environment: Environment) -> None:
        if self._config.get("token") and datetime.datetime.now(tz=datetime.UTC).date() >= _CLASSIC_TOKENS_FADE:
            self._logger.warning(
                "AFAS stops classic tokens on 31 August 2027: set `client_id` and `client_secret` in place of `token`."
            )
        ends = environment.token_ends
        if ends is not None and ends - datetime.datetime.now(tz=datetime.UTC).date() <= _EXPIRY_WARNING:
            self._logger.warning("The token ends on %s: make a new one in the app connector before that.", ends)
        elif ends is None and environment.token_expiry:
            self._logger.info("AFAS says the token ends: %s", environment.token_expiry)

    # Streams

    def streams(self) -> Sequence[AfasStream]:
        """The streams of the catalog passed in; without one, those that AFAS describes."""
        if self._tap.input_catalog is not None:
            return [self._from_catalog(entry) for entry in self._tap.input_catalog.streams]
        check_named(self._config, self.environment)
        found = describe(self.profit, chosen(self._config, self.environment))
        streams = []
        for connector_id, connector in found.items():
            if isinstance(connector, ProfitError):
                self._logger.error("%s is left out, since AFAS doesn't describe it: %s", connector_id, connector)
            else:
                streams.append(self._from_connector(connector))
        if not streams:
            raise DiscoveryError("AFAS describes none of the connectors; see above.")
        return streams

    def _from_connector(self, connector: Connector) -> AfasStream:
        described = to_stream(connector, self._config["streams"].get(connector.id, {}))
        return AfasStream(
            self._tap,
            owner=self,
            connector_id=connector.id,
            name=stream_name(connector.id),
            schema=described.schema,
            primary_keys=described.primary_keys,
            replication_key=described.replication_key,
        )

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
            self._tap,
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
        every = [stream for stream in self._tap.streams.values() if isinstance(stream, AfasStream)]
        # What the catalog has may be gone by now: that fails its own stream, and not the run.
        check_named(self._config, self.environment, known=[stream.connector_id for stream in every])
        streams = [stream for stream in every if stream.selected]
        if not streams:
            self._logger.warning("No stream is selected: nothing to read.")
        self._check_state(streams)
        self._check_stream_settings(streams)
        failures = {
            stream.connector_id: self._vanished()
            for stream in streams
            if stream.connector_id not in self.environment.connectors
        }
        syncs = [self.sync_of(stream) for stream in streams if stream.connector_id not in failures]
        syncs.sort(key=lambda sync: sync.weight, reverse=True)
        if self._tap.state:
            self._tap.state_writer.write_state(self._tap.state)
        try:
            failures.update(self._drive(syncs, self._config["max_parallel_requests"]))
        finally:
            self._report(syncs)
        for connector_id, failure in sorted(failures.items()):
            self._logger.error("Failed: %s: %s", connector_id, failure)
        if failures:
            others = "; the others are complete" if len(failures) < len(streams) else ""
            raise FailedRunError(f"{len(failures)} of {len(streams)} streams failed{others}.")

    def interrupt(self, signum: int) -> bool:
        """Stop after the page at hand; False when nothing is being read. May be called from a signal handler."""
        if self._run is None:
            return False
        self._run.interrupt(signum)
        return True

    def _drive(self, syncs: Sequence[StreamSync], parallel: int) -> dict[str, Exception]:
        """Run syncs to their end, or until a signal; tells which failed."""
        run = self._run = Run(syncs, parallel)
        try:
            run()
        except BaseException as error:
            self.profit.stop()
            if isinstance(error, InterruptedRunError) and self._tap.state:
                # Once more, even where the last page didn't change it: the end is where it is looked for.
                self._tap.write_message(StateMessage(value=self._tap.state))
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
        known = set(self._tap.streams)
        foreign = set(self._tap.state.get("bookmarks", {})) - known
        if foreign and not known & set(self._tap.state["bookmarks"]):
            raise StateError(
                f"The state is about {', '.join(sorted(foreign))}, and none of these is a stream here: it seems to be"
                " another connector's."
            )

    def _check_stream_settings(self, streams: Sequence[AfasStream]) -> None:
        """See to it that the fields that `streams` names exist, before anything is read."""
        named = [stream.connector_id for stream in streams if self._config["streams"].get(stream.connector_id)]
        for connector_id, connector in describe(self.profit, named).items():
            if isinstance(connector, ProfitError):
                continue  # The stream itself will say so, and the others go on.
            settings = self._config["streams"][connector_id]
            self._described[connector_id] = connector
            to_stream(connector, settings)
            read_filter(settings.get("filter"), connector, self.clock)

    def _report(self, syncs: Sequence[StreamSync]) -> None:
        """One line per stream, and the totals that AFAS' fair use is about."""
        for sync in syncs:
            figures = sync.figures()
            self._logger.info(
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
        self._logger.info(
            "Asked of AFAS: %d requests, %d rows.",
            self.profit.request_counts.total(),
            read,
            extra={"requests": self.profit.request_counts.total(), "rows_read": read},
        )

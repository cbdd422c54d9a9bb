"""What all streams of a run share: the settings, the client, the wall clock, and metainfo that was asked for once."""

from __future__ import annotations

import datetime
import functools
import logging
from importlib import metadata
from typing import TYPE_CHECKING

from tap_afas.afas_environment import check_environment
from tap_afas.profit.auth import ClassicToken, ClientCredentials
from tap_afas.profit.client import ProfitClient, RequestLimits
from tap_afas.profit.errors import ProfitError
from tap_afas.profit.wall_time import WallClock
from tap_afas.scheduler import Workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_afas.profit.auth import Credentials
    from tap_afas.profit.metainfo import Connector, Environment
    from tap_afas.settings import Settings

logger = logging.getLogger("tap-afas")

_WARN_OF_CLASSIC_TOKENS_FROM = datetime.date(2027, 5, 1)
_EXPIRY_WARNING = datetime.timedelta(days=60)
_LARGEST_CLOCK_DIFFERENCE = datetime.timedelta(hours=1)


def make_client(settings: Settings) -> ProfitClient:
    """The client for the settings: credentials, headers and request limits."""
    credentials: Credentials
    if settings.token:
        credentials = ClassicToken(settings.token)
    else:
        url = f"{settings.base_url}/oauth/token"
        credentials = ClientCredentials(
            settings.client_id or "",
            settings.client_secret or "",
            url,
            timeout=settings.request_timeout,
            certificate=settings.certificate,
        )
    headers = {"Accept-Language": settings.language, "User-Agent": f"tap-afas/{metadata.version('tap-afas')}"}
    if settings.integration_id:
        headers["IntegrationId"] = settings.integration_id
    limits = RequestLimits(
        max_parallel_requests=settings.max_parallel_requests,
        request_timeout=settings.request_timeout,
        max_retry_wait=settings.max_retry_wait,
        certificate=settings.certificate,
    )
    address = "base_url" if settings.other_base_url else "environment_id"
    return ProfitClient(settings.base_url, credentials, limits, headers, address)


class Connection:
    """The settings with what is made from them, shared by all streams; metainfo is asked for when first needed.

    Attributes:
        settings: The settings.
        client: Asks AFAS.
        clock: Turns AFAS' wall time into UTC.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.client = make_client(settings)
        self.clock = WallClock(settings.timezone)
        self._described: dict[str, Connector | ProfitError] = {}

    @functools.cached_property
    def environment(self) -> Environment:
        """The environment, from `/metainfo`; asked for once. Warns where clocks differ or the token ends soon.

        Raises:
            OtherEnvironmentError: It is another one than the settings say.
        """
        local = datetime.datetime.now(tz=datetime.UTC)
        environment, date = self.client.environment()
        if date is not None and abs(date - local) > _LARGEST_CLOCK_DIFFERENCE:
            logger.warning("This machine's clock says %s, AFAS' says %s; AFAS' counts.", local, date)
        check_environment(self.settings.environment_id, self.settings.environment_type, environment.id)
        self._warn_of_expiry(environment)
        return environment

    @property
    def environment_id(self) -> str:
        """AFAS' id of the environment; empty where it tells none, or wasn't asked yet."""
        asked = self.__dict__.get("environment")
        return asked.id if asked is not None else ""

    def _warn_of_expiry(self, environment: Environment) -> None:
        today = datetime.datetime.now(tz=datetime.UTC).date()
        if self.settings.token and today >= _WARN_OF_CLASSIC_TOKENS_FROM:
            logger.warning(
                "AFAS stops classic tokens on 31 August 2027: set `client_id` and `client_secret` in place of `token`."
            )
        ends = environment.token_ends
        if ends is not None and ends - today <= _EXPIRY_WARNING:
            logger.warning("The token ends on %s: make a new one in the app connector before that.", ends)
        elif ends is None and environment.token_expiry:
            logger.info("AFAS says the token ends: %s", environment.token_expiry)

    def describe(self, connector_ids: Sequence[str]) -> dict[str, Connector | ProfitError]:
        """Ask for the fields of connectors, side by side; they are kept until `connector` takes them.

        Returns:
            By id, the connector, or why AFAS couldn't describe it.
        """
        unknown = [connector_id for connector_id in connector_ids if connector_id not in self._described]
        self._described.update(describe(self.client, unknown))
        return {connector_id: self._described[connector_id] for connector_id in connector_ids}

    @property
    def undescribed(self) -> dict[str, ProfitError]:
        """By id, why AFAS couldn't describe a connector that it was asked about."""
        return {name: found for name, found in self._described.items() if isinstance(found, ProfitError)}

    def connector(self, connector_id: str) -> Connector:
        """A connector with its fields: the answer that `describe` got, once, and after that a new one.

        Raises:
            ProfitError: AFAS didn't describe it.
        """
        found = self._described.pop(connector_id, None) or self.client.connector(connector_id)
        if isinstance(found, ProfitError):
            raise found
        return found


def describe(client: ProfitClient, connector_ids: Sequence[str]) -> dict[str, Connector | ProfitError]:
    """Ask for the fields of connectors, side by side.

    Returns:
        By id, the connector, or why AFAS couldn't describe it.
    """
    workers = Workers(min(client.limits.max_parallel_requests, max(1, len(connector_ids))))
    found: dict[str, Connector | ProfitError] = {}
    try:
        for connector_id in connector_ids:
            workers.submit(connector_id, functools.partial(client.connector, connector_id))
        for _ in connector_ids:
            connector_id, connector, error = workers.next()
            if error is not None and not isinstance(error, ProfitError):
                raise error
            found[connector_id] = error or connector
    finally:
        workers.close()
    return {connector_id: found[connector_id] for connector_id in connector_ids}

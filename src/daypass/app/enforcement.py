"""The choice of the enforcer, and its parts for the gateway and the portal."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Protocol

from daypass.config.settings import Settings, SettingsError
from daypass.domain.times import Clock
from daypass.enforcement.aws.gateway_guard import (
    COUNTED_ANYWAY,
    ApiGatewayAuthenticator,
    ApiGatewayGuard,
)
from daypass.enforcement.base import Enforcer
from daypass.enforcement.current_policy import current_policy
from daypass.enforcement.embedded import EmbeddedEnforcer
from daypass.enforcement.usage_recovery import RecordedUse
from daypass.gateway.app import NOTHING_COUNTED
from daypass.gateway.authenticate import Authenticator, DatabaseAuthenticator
from daypass.http.types import Application
from daypass.quota.ledger import Ledger
from daypass.quota.sqlite.ledger import SqliteLedger
from daypass.records import site_settings
from daypass.records.database import Database

WriteUsage = Callable[[], Awaitable[None]]
KeysChanged = Callable[[], None]


class Enforcement(Protocol):
    """Authentication, accounting and base URL for one kind of enforcer."""

    @property
    def authenticator(self) -> Authenticator:
        """Return the authenticator of API keys."""

    @property
    def ledger(self) -> Ledger:
        """Return the ledger, not started yet."""

    @property
    def base_url(self) -> str | None:
        """Return the base URL for API clients, or None for this site's own address."""

    @property
    def uncounted(self) -> str:
        """Return the sentence that tells a client whether an unserved request was counted."""

    def guard(self, gateway: Application) -> Application:
        """Return the gateway, wrapped in any checks that precede it."""

    def enforcer(
        self, write_usage: WriteUsage, keys_changed: KeysChanged
    ) -> AbstractAsyncContextManager[Enforcer]:
        """Return the enforcer.

        It calls `write_usage` to flush this process's usage and `keys_changed` after a key change.
        """


class Embedded:
    """Enforcement by Daypass's own gateway and ledger."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self.authenticator = DatabaseAuthenticator(
            database,
            partial(current_policy, settings=settings),
            clock,
            fail_open=settings.fail_open,
        )
        self.ledger = make_ledger(settings, database, clock)
        self.base_url = f"{settings.public_url}/v1" if settings.public_url else None
        self.uncounted = NOTHING_COUNTED

    def guard(self, gateway: Application) -> Application:
        """Return the gateway itself, as it checks every key."""
        return gateway

    @asynccontextmanager
    async def enforcer(
        self, _write_usage: WriteUsage, keys_changed: KeysChanged
    ) -> AsyncIterator[Enforcer]:
        """Yield the enforcer, which needs only the database."""
        yield EmbeddedEnforcer(
            self._database, self._settings, self._clock, keys_changed=keys_changed
        )


class BehindApiGateway:
    """Enforcement by AWS API Gateway; the gateway here trusts requests that come through it."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        from daypass.enforcement.aws.components import AwsComponents  # noqa: PLC0415  (boto3 is slow to import)

        parts = AwsComponents(settings, database, clock)
        self._secret = parts.secret
        self.authenticator = ApiGatewayAuthenticator(
            database, parts.catalogue.known, partial(site_settings.read, settings=settings), clock
        )
        self.ledger = parts.ledger
        self.base_url = parts.base_url
        self.uncounted = COUNTED_ANYWAY
        self.enforcer = parts.enforcer

    def guard(self, gateway: Application) -> Application:
        """Return the gateway with a guard that accepts only requests from API Gateway."""
        return ApiGatewayGuard(gateway, self._secret, self.base_url)


def choose(settings: Settings, database: Database, clock: Clock) -> Enforcement:
    """Return the configured enforcement. Raises SettingsError and EnforcerError."""
    if settings.enforcer == "aws":
        return BehindApiGateway(settings, database, clock)
    return Embedded(settings, database, clock)


def make_ledger(settings: Settings, database: Database, clock: Clock) -> Ledger:
    """Return the embedded enforcer's ledger, not started yet: in Redis or the data directory.

    Raises SettingsError for an invalid Redis URL.
    """
    if settings.redis_url is None:
        return SqliteLedger(settings.ledger_path, clock)
    from daypass.quota.redis.ledger import RedisLedger  # noqa: PLC0415  (slow to import)

    try:
        records = RecordedUse(database, clock)
        return RedisLedger(
            settings.redis_url.get_secret_value(),
            records,
            settings.clock_offset_s,
            wait_replicas=settings.redis_wait_replicas,
        )
    except ValueError as error:
        raise SettingsError(f"DAYPASS_REDIS_URL: {error}") from None


@contextlib.asynccontextmanager
async def open_enforcer(
    settings: Settings, database: Database, clock: Clock
) -> AsyncIterator[Enforcer]:
    """Yield only the enforcer, for CLI commands: their process runs no gateway."""

    async def nothing_gathered() -> None:
        pass

    chosen = choose(settings, database, clock)
    async with chosen.enforcer(nothing_gathered, lambda: None) as enforcer:
        yield enforcer

"""Which enforcer there is, with the parts that the gateway and the portal need of it."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Protocol

from daypass.config.settings import Settings, SettingsError
from daypass.enforcement.aws.gateway_guard import (
    COUNTED_ANYWAY,
    ApiGatewayAuthenticator,
    ApiGatewayGuard,
)
from daypass.enforcement.base import Enforcer
from daypass.enforcement.embedded import EmbeddedEnforcer
from daypass.enforcement.usage_recovery import RecordedUse
from daypass.gateway.app import NOTHING_COUNTED
from daypass.gateway.authenticate import Authenticator, DatabaseAuthenticator
from daypass.http.types import Application
from daypass.quota.ledger import Ledger
from daypass.quota.policy import QuotaPolicy
from daypass.quota.sqlite.ledger import SqliteLedger
from daypass.records.database import Database

Clock = Callable[[], float]
"""Unix time in seconds."""
WriteUsage = Callable[[], Awaitable[None]]
KeysChanged = Callable[[], None]


class Enforcement(Protocol):
    """Who may call, what counts, and where programs call."""

    @property
    def authenticator(self) -> Authenticator:
        """Who calls."""

    @property
    def ledger(self) -> Ledger:
        """What a call costs. To be started."""

    @property
    def base_url(self) -> str | None:
        """Where programs call; None: this site's own address."""

    @property
    def uncounted(self) -> str:
        """What a caller is told of a request that was not served."""

    def guard(self, gateway: Application) -> Application:
        """The gateway as callers reach it."""

    def enforcer(
        self, write_usage: WriteUsage, keys_changed: KeysChanged
    ) -> AbstractAsyncContextManager[Enforcer]:
        """The enforcer. It writes what this process has gathered, and says when keys change."""


class Embedded:
    """Daypass's own gateway enforces, with the ledger."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._policy = replace(
            QuotaPolicy.of(
                settings.usage_plans,
                settings.account_daily_ceiling,
                settings.site_requests_per_day,
            ),
            ceiling_follows_plans=settings.account_requests_per_day is None,
        )
        self.authenticator = DatabaseAuthenticator(
            database, self._policy, clock, fail_open=settings.fail_open
        )
        self.ledger = make_ledger(settings, database, clock)
        self.base_url = f"{settings.public_url}/v1" if settings.public_url else None
        self.uncounted = NOTHING_COUNTED

    def guard(self, gateway: Application) -> Application:
        """The gateway itself: it checks every key."""
        return gateway

    @asynccontextmanager
    async def enforcer(
        self, _write_usage: WriteUsage, keys_changed: KeysChanged
    ) -> AsyncIterator[Enforcer]:
        """The enforcer, which needs no more than the records."""
        yield EmbeddedEnforcer(
            self._database,
            self._policy,
            self._clock,
            max_keys=self._settings.keys_per_account,
            keys_changed=keys_changed,
        )


class BehindApiGateway:
    """API Gateway enforces; the gateway here trusts what comes through it."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        from daypass.enforcement.aws.components import AwsComponents  # noqa: PLC0415  (boto3 is slow to import)

        parts = AwsComponents(settings, database, clock)
        self._secret = parts.secret
        self.authenticator = ApiGatewayAuthenticator(database, parts.catalogue.known)
        self.ledger = parts.ledger
        self.base_url = parts.base_url
        self.uncounted = COUNTED_ANYWAY
        self.enforcer = parts.enforcer

    def guard(self, gateway: Application) -> Application:
        """The gateway for what came through API Gateway only."""
        return ApiGatewayGuard(gateway, self._secret, self.base_url)


def choose(settings: Settings, database: Database, clock: Clock) -> Enforcement:
    """The enforcement that the settings name. Raises SettingsError and EnforcerError."""
    if settings.enforcer == "aws":
        return BehindApiGateway(settings, database, clock)
    return Embedded(settings, database, clock)


def make_ledger(settings: Settings, database: Database, clock: Clock) -> Ledger:
    """The embedded enforcer's ledger, to be started: in Redis, or in the data directory.

    Raises SettingsError for an address of Redis that is none.
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
    """The enforcer alone, for the command: there is no gateway in this process."""

    async def nothing_gathered() -> None:
        pass

    chosen = choose(settings, database, clock)
    async with chosen.enforcer(nothing_gathered, lambda: None) as enforcer:
        yield enforcer

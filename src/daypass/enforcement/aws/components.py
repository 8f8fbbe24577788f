"""Builds the parts of the AWS enforcer."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from daypass.config.settings import Settings, SettingsError
from daypass.domain.times import Clock
from daypass.enforcement.aws.background_jobs import BackgroundJobs
from daypass.enforcement.aws.catalogue import Catalogue
from daypass.enforcement.aws.client import ApiGateway
from daypass.enforcement.aws.enforcer import ApiGatewayEnforcer
from daypass.enforcement.aws.ledger import ApiGatewayLedger
from daypass.enforcement.aws.plans import PlanNotPossibleError, quota_and_throttle
from daypass.enforcement.aws.secret import gateway_secret
from daypass.enforcement.aws.usage import Use
from daypass.records.database import Database


class AwsComponents:
    """The parts that a process needs when API Gateway enforces."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        """`clock` gives Unix time in seconds."""
        _check_plans(settings)
        self._database = database
        self._clock = clock
        self.secret = gateway_secret(settings)
        self.api = ApiGateway.of(settings)
        self.base_url = settings.aws_base_url or self.api.base_url
        self.catalogue = Catalogue(self.api, settings.usage_plans)
        self.use = Use(database, self.api, self.catalogue, clock)
        self.ledger = ApiGatewayLedger(self.use, clock)

    @asynccontextmanager
    async def enforcer(
        self, write_usage: Callable[[], Awaitable[None]], keys_changed: Callable[[], None]
    ) -> AsyncIterator[ApiGatewayEnforcer]:
        """Yield the enforcer while its background jobs run."""
        keeper = BackgroundJobs(self._database, self.base_url, self._clock)
        enforcer = ApiGatewayEnforcer(
            self.api,
            self.catalogue,
            self.use,
            self._database,
            self._clock,
            write_usage=write_usage,
            keys_changed=keys_changed,
            watch=keeper.watch,
        )
        keeper.start(enforcer)
        try:
            yield enforcer
        finally:
            await keeper.close()


def _check_plans(settings: Settings) -> None:
    """Raise SettingsError for a plan with an option that nothing would enforce."""
    for plan in settings.usage_plans:
        try:
            quota_and_throttle(plan)
        except PlanNotPossibleError as error:
            raise SettingsError(str(error)) from None

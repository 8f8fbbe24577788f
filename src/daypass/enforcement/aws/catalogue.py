"""The usage plans on offer, fetched from API Gateway and cached briefly."""

import asyncio
import time
from collections.abc import Sequence

import structlog

from daypass.domain.plans import UsagePlan
from daypass.enforcement.aws.client import ApiGateway
from daypass.enforcement.aws.errors import AwsError
from daypass.enforcement.aws.plans import AwsPlan, read_plans

CACHE_LIFE_S = 30.0

log = structlog.get_logger()


class Catalogue:
    """The plans of API Gateway by id. While AWS is unreachable, the last known ones."""

    def __init__(self, api: ApiGateway, configured: Sequence[UsagePlan]) -> None:
        """`configured` are the plans in the settings, which supply texts and models."""
        self._api = api
        self._configured = configured
        self._plans: dict[str, AwsPlan] | None = None
        self._good_until = 0.0
        self._asking = asyncio.Lock()

    async def plans(self) -> dict[str, AwsPlan]:
        """Return the plans in the order of the settings. Raises AwsError if none are known."""
        async with self._asking:
            if self._plans is None or time.monotonic() >= self._good_until:
                await self._ask()
            assert self._plans is not None  # noqa: S101
            return self._plans

    def invalidate(self) -> None:
        """Drop the cache: a plan has changed."""
        self._good_until = 0.0

    def known(self, usage_plan_id: str) -> UsagePlan:
        """Return a plan from the cache, without calling AWS. For use while serving a request."""
        found = (self._plans or {}).get(usage_plan_id)
        if found is not None:
            return found.plan
        configured = (plan for plan in self._configured if plan.id == usage_plan_id)
        return next(configured, UsagePlan(usage_plan_id, usage_plan_id, ()))

    async def _ask(self) -> None:
        try:
            self._plans = read_plans(await self._api.usage_plans(), self._configured)
        except AwsError as error:
            if self._plans is None:
                raise
            log.warning("usage_plans_not_read", reason=error.reason)
        self._good_until = time.monotonic() + CACHE_LIFE_S

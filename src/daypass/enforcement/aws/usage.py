"""The use of a day (a week, a month) when API Gateway counts."""

import time

import structlog

from daypass.domain.plans import Window
from daypass.domain.times import Clock
from daypass.enforcement.aws.catalogue import Catalogue
from daypass.enforcement.aws.client import ApiGateway
from daypass.enforcement.aws.errors import AwsError
from daypass.enforcement.aws.plans import quota_of
from daypass.records import api_keys, usage
from daypass.records.database import Database
from daypass.records.tables import ApiKey

FIGURE_LIFE_S = 60.0
"""GetUsage lags by minutes, and each call counts against the control plane's 10 per second."""
REMEMBERED = 10_000

log = structlog.get_logger()


class Use:
    """The requests of an account: those that arrived, and those that API Gateway counted."""

    def __init__(
        self,
        database: Database,
        api: ApiGateway,
        catalogue: Catalogue,
        clock: Clock,
    ) -> None:
        """`clock` gives Unix time in seconds."""
        self._database = database
        self._api = api
        self._catalogue = catalogue
        self._clock = clock
        self._figures: dict[str, tuple[float, int]] = {}

    async def recorded(self, account_id: str, window: Window) -> int:
        """Return the requests that arrived in this window, by our own records.

        All keys of the account count, including deleted ones.
        """
        since = window.start(self._clock())
        async with self._database.read() as session:
            return await usage.requests_since(session, account_id, since)

    async def shown(self, account_id: str, window: Window) -> int:
        """Return the larger of our count and API Gateway's.

        Ours is up to date but lacks calls that were lost on the way to us.
        """
        async with self._database.read() as session:
            keys = await api_keys.list_of(session, account_id)
        # While a key is activating, the check of it is counted and about to be given back.
        known = [key for key in keys if key.aws_key_id and key.activating_until is None]
        counted = [await self._counted(key, window) for key in known]
        return max(await self.recorded(account_id, window), *counted, 0)

    async def _counted(self, key: ApiKey, window: Window) -> int:
        aws_key_id = key.aws_key_id or ""
        kept_until, figure = self._figures.get(aws_key_id, (0.0, 0))
        if time.monotonic() < kept_until:
            return figure
        try:
            figure = await self._ask(key, aws_key_id, window)
        except AwsError as error:
            figure = 0
            log.warning("usage_not_read", api_key_id=key.id, reason=error.reason)
        if len(self._figures) >= REMEMBERED:
            self._figures.clear()
        self._figures[aws_key_id] = (time.monotonic() + FIGURE_LIFE_S, figure)
        return figure

    async def _ask(self, key: ApiKey, aws_key_id: str, window: Window) -> int:
        held = (await self._catalogue.plans()).get(key.usage_plan_id)
        quota = quota_of(held.plan) if held else None
        if held is None or quota is None or quota.window is not window:
            return 0
        reply = await self._api.usage_of_day(aws_key_id, held.aws_id, self._clock())
        # `remaining` reflects what was carried over; `used` does not.
        return 0 if reply is None else max(0, quota.amount - reply[1])

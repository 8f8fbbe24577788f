"""Background jobs: follow new keys until they work, and change plans at midnight (UTC)."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from daypass.background import end
from daypass.domain.times import Clock
from daypass.enforcement.aws.activation import is_admitted
from daypass.enforcement.aws.enforcer import ApiGatewayEnforcer
from daypass.enforcement.base import EnforcerError, KeyGoneError
from daypass.records import api_keys, aws_keys
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.records.tables import ApiKey

LOOK_EVERY_S = 15.0
LEASE_S = 120
"""How long one process has to change a plan before another one tries, in seconds."""

log = structlog.get_logger()


class BackgroundJobs:
    """The jobs of one process. The database makes sure that each is done once."""

    def __init__(self, database: Database, base_url: str, clock: Clock) -> None:
        """`base_url` is the stage's address; `clock` gives Unix time in seconds."""
        self._database = database
        self._base_url = base_url
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self.enforcer: ApiGatewayEnforcer

    def start(self, enforcer: ApiGatewayEnforcer) -> None:
        """Start to look for plan changes that are due."""
        self.enforcer = enforcer
        self._run(self._look())

    async def close(self) -> None:
        """Stop. Another process, or the next start, does what is left."""
        await end(self._tasks)

    def watch(self, key: ApiKey, secret: str) -> None:
        """Follow a new key until API Gateway admits it. Its secret is in memory until then."""
        self._run(self._activate(key, secret))

    async def move_due(self) -> None:
        """Make the plan changes that are due."""
        now = int(self._clock())
        async with self._database.read() as session:
            due = await aws_keys.due_to_move(session, now)
        for key in due:
            async with self._database.write() as session:
                is_ours = await aws_keys.claim_move(session, key, now + LEASE_S)
            if is_ours and key.next_usage_plan_id:
                await self._move(key, key.next_usage_plan_id)

    async def _move(self, key: ApiKey, usage_plan_id: str) -> None:
        try:
            await self.enforcer.move_now(key, usage_plan_id)
        except EnforcerError as error:
            log.warning("plan_not_changed", api_key_id=key.id, reason=error.reason)
            if error.about == "usage_plan_id":  # The plan no longer exists.
                await self.enforcer.keep_plan(key)
        except KeyGoneError:
            pass

    async def _activate(self, key: ApiKey, secret: str) -> None:
        admitted = await is_admitted(self._base_url, secret)
        if not admitted:
            log.warning("key_not_admitted", api_key_id=key.id, base_url=self._base_url)
            return
        try:
            held = await self.enforcer.held_plan(key.usage_plan_id)
            if held is not None and key.aws_key_id:
                # The check itself was counted: give it back.
                await self.enforcer.set_remaining(key.aws_key_id, held, key.account_id)
        except EnforcerError as error:
            log.warning("look_not_given_back", api_key_id=key.id, reason=error.reason)
        async with self._database.write() as session:
            current = await api_keys.find_locked(session, key.id)
            if current is not None and current.aws_key_id == key.aws_key_id:
                current.activating_until = None

    async def _look(self) -> None:
        while True:
            try:
                await self.move_due()
            except (DatabaseUnavailableError, EnforcerError) as error:
                log.warning("plans_not_changed", reason=str(error))
            await asyncio.sleep(LOOK_EVERY_S)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

"""Telling every process at once that a key changed, over Redis.

What does not arrive is made good by the authenticator, which watches the database.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from redis.asyncio import RedisCluster
from redis.exceptions import RedisError

from daypass.quota.redis_wire import connect

CHANNEL = "daypass:keys-changed"
RETRY_S = 1.0

log = structlog.get_logger()


class Revocations:
    """Announces changes of keys to every process, and hears of those of others."""

    def __init__(self, url: str, on_change: Callable[[], None]) -> None:
        """`url` is Redis's. `on_change` is called for every announcement, its own included.

        On a Redis Cluster nothing is announced: there watching the database is all.
        """
        self._client = connect(url)
        self._on_change = on_change
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to listen in the background."""
        if not isinstance(self._client, RedisCluster):
            self._run(self._listen())

    async def close(self) -> None:
        """Stop listening."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    def announce(self) -> None:
        """Tell everybody that a key changed. Does not wait."""
        self._on_change()
        if not isinstance(self._client, RedisCluster):
            self._run(self._publish())

    async def _publish(self) -> None:
        # The first attempt may meet a connection that died with the server's last life.
        for _ in range(2):
            try:
                await self._client.publish(CHANNEL, "")
                return
            except (RedisError, OSError) as error:
                reason = type(error).__name__
        log.warning("change_not_announced", reason=reason)

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(RedisError, OSError):
                async with self._client.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    # The first message says that we are subscribed: what was announced while we
                    # were not may have been missed.
                    async for _message in channel.listen():
                        self._on_change()
            await asyncio.sleep(RETRY_S)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

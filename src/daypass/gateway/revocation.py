"""Announces key changes to all processes immediately, over Redis.

Announcements may be lost: the authenticator also polls the database.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from daypass.background import end
from daypass.quota.redis.sentinel import Sentinels
from daypass.quota.redis.url import Place, parse

CHANNEL = "daypass:keys-changed"
RETRY_S = 1.0

log = structlog.get_logger()


class Revocations:
    """Announces key changes to every process, and listens for announcements."""

    def __init__(self, url: str, on_change: Callable[[], None]) -> None:
        """Set up for the Redis at `url`. `on_change` runs for all announcements, own included.

        On a Redis Cluster, nothing is announced, and only database polling detects changes.
        """
        self._url = parse(url)
        self._on_change = on_change
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Task[None] | None = None
        self._sentinels = (
            Sentinels(self._url, self._follow) if self._url.kind == "sentinel" else None
        )

    def start(self) -> None:
        """Start listening in the background."""
        if self._url.kind == "cluster":
            return
        if self._sentinels is not None:
            self._sentinels.start()
        self._listener = self._run(self._keep_listening())

    async def close(self) -> None:
        """Stop listening."""
        if self._sentinels is not None:
            await self._sentinels.close()
        await end(self._tasks)

    def announce(self) -> None:
        """Announce a key change to all processes. Does not wait."""
        self._on_change()
        if self._url.kind != "cluster":
            self._run(self._publish())

    def _follow(self) -> None:
        """Listen to the current master."""
        if self._listener is not None:
            self._run(end([self._listener]))
            self._listener = self._run(self._keep_listening())

    async def _place(self) -> Place:
        if self._sentinels is None:
            return self._url.places[0]
        return (await self._sentinels.find()).place

    async def _client(self) -> Redis:
        return Redis(**self._url.access.client_options(await self._place()))

    async def _publish(self) -> None:
        try:
            async with await self._client() as client:
                await client.publish(CHANNEL, "")
        except (RedisError, OSError) as error:
            log.warning("change_not_announced", reason=type(error).__name__)

    async def _keep_listening(self) -> None:
        while True:
            with contextlib.suppress(RedisError, OSError):
                await self._listen()
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        async with await self._client() as client, client.pubsub() as channel:
            await channel.subscribe(CHANNEL)
            # The first message confirms the subscription. It counts as a change, because earlier
            # announcements may have been missed.
            async for _message in channel.listen():
                self._on_change()

    def _run(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

"""Tracking the master through failovers, with Redis Sentinel."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import structlog
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from daypass.background import end, wait_at_most
from daypass.quota.redis.connections import Link
from daypass.quota.redis.url import Access, Place, RedisUrl
from daypass.quota.redis.wire import ServerWire

ANSWER_S = 0.5
"""Seconds that a sentinel has to answer."""
STRAGGLERS_S = 0.05
"""Seconds to wait for further answers once a majority has answered."""
LOOK_EVERY_S = 1.0
BELIEVED_AFTER_S = 5.0
"""Seconds for which a majority must report an older epoch before it is accepted. Sentinels
announce failovers to each other every two seconds (SENTINEL_PUBLISH_PERIOD)."""
NEWS = ("+switch-master", "+promoted-slave")

log = structlog.get_logger()


class Master(NamedTuple):
    """A master as reported by a sentinel. Each failover has a higher epoch."""

    epoch: int
    place: Place


class Sentinels:
    """Asks every sentinel for the master: on demand, every second and at each failover."""

    def __init__(self, url: RedisUrl, on_change: Callable[[], None]) -> None:
        """`on_change` is called when the master changes or is elected again."""
        assert url.sentinel_access is not None  # noqa: S101
        self._places = url.places
        self._access: Access = url.sentinel_access
        self._service = url.service
        self._on_change = on_change
        self._links: dict[Place, Link] = {}
        self._news = asyncio.Event()
        self._asking: asyncio.Task[Master] | None = None
        self._watchers: list[asyncio.Task[None]] = []
        self._older_since: float | None = None
        """When a majority began to report an older epoch than that of `master`."""
        self.master: Master | None = None
        """The current master, if known."""

    def start(self) -> None:
        """Start watching in the background."""
        if not self._watchers:
            watchers = [self._look_again(), *map(self._listen, self._places)]
            self._watchers = [asyncio.create_task(x) for x in watchers]

    async def close(self) -> None:
        """Stop watching."""
        tasks = [*self._watchers, *([self._asking] if self._asking else [])]
        await end(tasks)
        for link in self._links.values():
            await link.close()

    async def find(self) -> Master:
        """Ask now. Raises RedisConnectionError when no sentinel answers."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_all())
        return await asyncio.shield(self._asking)

    async def _ask_all(self) -> Master:
        """Return the master with the newest epoch reported by a majority, or in time.

        Sentinels that report an older epoch were cut off or have not heard of the failover yet. If
        a majority keeps reporting it, the sentinels were reset, and it is accepted.
        """
        asking = {asyncio.create_task(self._ask(place)) for place in self._places}
        answers: Counter[Master] = Counter()
        try:
            while asking:
                is_enough = answers.total() > len(self._places) // 2
                done, asking = await asyncio.wait(
                    asking,
                    timeout=STRAGGLERS_S if is_enough else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                answers.update(x for x in (task.result() for task in done) if x is not None)
                if is_enough and not done:
                    break
        finally:
            for task in asking:
                task.cancel()
        if not answers:
            raise RedisConnectionError(f"no sentinel answers for {self._service}")
        master = max(answers, key=lambda x: (x.epoch, answers[x]))
        is_majority = answers.total() > len(self._places) // 2
        if self.master is None or self._is_believed(master.epoch, self.master.epoch, is_majority):
            previous, self.master = self.master, master
            if previous not in (None, master):
                self._on_change()
        return self.master

    def _is_believed(self, epoch: int, known: int, is_majority: bool) -> bool:
        if epoch >= known:
            self._older_since = None
            return True
        if not is_majority:
            return False
        now = asyncio.get_running_loop().time()
        if self._older_since is None:
            self._older_since = now
        return now - self._older_since >= BELIEVED_AFTER_S

    async def _ask(self, place: Place) -> Master | None:
        """Return one sentinel's answer; None if it is late or does not know the service."""
        with contextlib.suppress(RedisError, OSError):
            async with asyncio.timeout(ANSWER_S):
                link = await self._connected(place)
                address, facts = await link.talk(
                    [
                        ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._service),
                        ("SENTINEL", "MASTER", self._service),
                    ]
                )
                return _read(address, facts)
        return None

    async def _connected(self, place: Place) -> Link:
        link = self._links.get(place)
        if link is None or not link.is_open:
            link = self._links[place] = Link(self._access, place)
            await link.connect()
        return link

    async def _look_again(self) -> None:
        while True:
            await wait_at_most(LOOK_EVERY_S, self._news)
            self._news.clear()
            with contextlib.suppress(RedisConnectionError):
                await self.find()

    async def _listen(self, place: Place) -> None:
        """Subscribe to one sentinel's failover events, and reconnect when it disconnects."""
        while True:
            link = Link(self._access, place)
            with contextlib.suppress(RedisError, OSError):
                await link.connect()
                await link.talk([("SUBSCRIBE", news) for news in NEWS])
                while True:
                    await link.listen()
                    self._news.set()
            await link.close()
            await asyncio.sleep(LOOK_EVERY_S)


class SentinelWire(ServerWire):
    """The transport to the current master."""

    insists = True

    def __init__(self, url: RedisUrl, replicas: int) -> None:
        """`replicas` is the number that must confirm each write."""
        super().__init__(url.access, url.places[0], replicas)
        self._sentinels = Sentinels(url, self._leave)
        self._closing: set[asyncio.Task[None]] = set()
        self._has_left = False

    async def open(self) -> None:
        """Connect to the master and start watching the sentinels."""
        await super().open()
        self._sentinels.start()

    async def close(self) -> None:
        """Stop watching and disconnect."""
        await self._sentinels.close()
        await super().close()

    async def _find(self) -> Place:
        return (await self._sentinels.find()).place

    def _leave(self) -> None:
        """Disconnect from a server that is no longer the master, even during an exchange.

        A server that was cut off may still think it is the master.
        """
        master = self._sentinels.master
        if master is not None:
            log.warning("redis_master_changed", master=str(master.place), epoch=master.epoch)
        link, self._link, self._has_left = self._link, None, True
        if link is not None:
            task = asyncio.get_running_loop().create_task(link.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def _succeed(self, link: Link) -> None:
        if self._has_left:  # Even if it is the same server, another was master in between.
            link.has_moved, self._has_left = True, False
            self.moves += 1
        else:
            super()._succeed(link)


def _read(address: Any, facts: Any) -> Master | None:
    if isinstance(address, Exception) or isinstance(facts, Exception) or address is None:
        return None
    values = dict(zip(facts[::2], facts[1::2], strict=False))
    host, port = address
    return Master(int(values.get(b"config-epoch", 0)), Place(host.decode(), int(port)))

"""Connections to the nodes of a Redis Cluster, including during slot migration."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    RedisError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError

from daypass.background import end
from daypass.quota.redis.call import Call
from daypass.quota.redis.connections import Link
from daypass.quota.redis.url import ASK_ANOTHER_S, Place, RedisUrl

HOPS = 5
"""Maximum number of redirections that a call follows."""

_ELSEWHERE = (MovedError, AskError, TryAgainError)


class ClusterWire:
    """The slot map of a Cluster, with one connection to each node."""

    insists = False

    def __init__(self, url: RedisUrl, replicas: int) -> None:
        """`replicas` is the number that must confirm each write."""
        self._access = url.access
        self._first = url.places
        self._replicas = replicas
        self._links: dict[Place, Link] = {}
        self._opening: dict[Place, asyncio.Lock] = {}
        self._last: dict[Place, Link] = {}
        self._ranges: list[tuple[int, int, Place]] = []
        self._learning: asyncio.Task[None] | None = None
        self._has_changed = False
        self.moves = 0

    async def open(self) -> None:
        """Load the slot map. Raises RedisConnectionError if no node answers."""
        await self._learn()

    def node(self, key: str) -> str:
        """Return host and port of the node that serves a key; empty if none does."""
        place = self._place(key)
        return str(place) if place is not None else ""

    async def exchange(self, node: str, calls: Sequence[Call], deadline: float) -> list[Any]:
        """Send the node's calls in one batch, then any call that another node serves."""
        places = [self._place(call.key) for call in calls]
        here = next((x for x in places if x is not None and str(x) == node), None)
        replies: list[Any] = [None] * len(calls)
        together = [i for i, place in enumerate(places) if place is not None and place == here]
        if here is not None:
            answers = await self._run(here, [calls[i] for i in together], deadline)
            for i, answer in zip(together, answers, strict=True):
                replies[i] = answer
        for i, call in enumerate(calls):
            if replies[i] is None or isinstance(replies[i], _ELSEWHERE):
                replies[i] = await self._follow(call, replies[i], deadline)
        return replies

    async def close(self) -> None:
        """Disconnect from every node."""
        if self._learning is not None:
            await end([self._learning])
        for link in self._links.values():
            await link.close()

    async def _follow(self, call: Call, reply: Any, deadline: float) -> Any:
        """Send a call where its last reply redirects it; without a reply, to the slot's node.

        During a slot migration, a script's two keys may be on different nodes. So the call is
        sent with one key, unless it may already have run with two.
        """
        if reply is None and self._place(call.key) is None:
            await self._learn()
        for _ in range(HOPS):
            place, is_asking = self._place(call.key), False
            if isinstance(reply, MovedError):
                place = self._moved(reply)
                await self._learn()
            elif isinstance(reply, AskError | TryAgainError):
                if isinstance(reply, AskError) and call.has_one_key:
                    place, is_asking = Place(reply.host, reply.port), True
                elif call.may_be_done or call.has_one_key:
                    return reply
                call.has_one_key = True
            elif reply is not None:
                return reply
            if place is None:
                return ClusterDownError("no node serves this slot")
            try:
                (reply,) = await self._run(place, [call], deadline, asking=is_asking)
            except (RedisError, OSError) as error:
                return error
        return reply

    def _moved(self, reply: MovedError) -> Place:
        """Return the slot's new node. The old one may have been replaced by a failover."""
        self._has_changed = True
        self._last.clear()
        return Place(reply.host, reply.port)

    async def _run(
        self, place: Place, calls: Sequence[Call], deadline: float, *, asking: bool = False
    ) -> list[Any]:
        try:
            link = await self._connected(place)
            return await link.run(calls, deadline, asking=asking)
        except BaseException as error:
            self._has_changed = True
            if isinstance(error, RedisError | OSError):
                await self._learn()
            raise

    async def _connected(self, place: Place) -> Link:
        async with self._opening.setdefault(place, asyncio.Lock()):
            link = self._links.get(place)
            if link is not None and link.is_open:
                return link
            link = Link(self._access, place, self._replicas)
            try:
                await link.open()
            except BaseException:
                await link.close()
                raise
            last = self._last.get(place)
            if last is not None and last.run_id == link.run_id:
                link.joined, link.has_moved = last.joined, last.has_moved
            else:
                link.has_moved = self._has_changed
                self.moves += self._has_changed
            self._links[place] = self._last[place] = link
            return link

    def _place(self, key: str) -> Place | None:
        slot = key_slot(key.encode())
        return next((place for low, high, place in self._ranges if low <= slot <= high), None)

    async def _learn(self) -> None:
        """Refresh the slot map. Raises RedisConnectionError only if none is known yet."""
        if self._learning is None or self._learning.done():
            self._learning = asyncio.create_task(self._ask_slots())
        await asyncio.shield(self._learning)

    async def _ask_slots(self) -> None:
        known = dict.fromkeys([*(place for *_, place in self._ranges), *self._first])
        for place in known:
            link = Link(self._access, place)
            with contextlib.suppress(RedisError, OSError):
                async with asyncio.timeout(ASK_ANOTHER_S):
                    await link.connect()
                    (slots,) = await link.talk([("CLUSTER", "SLOTS")])
                if isinstance(slots, list):
                    self._ranges = [_range(x, place) for x in slots]
                    await link.close()
                    return
            await link.close()
        if not self._ranges:
            raise RedisConnectionError("no node of the Cluster answers")


def _range(entry: Any, asked: Place) -> tuple[int, int, Place]:
    low, high, (host, port, *_), *_ = entry
    # An empty host means the node that was asked.
    return int(low), int(high), Place(host.decode() if host else asked.host, int(port))

"""Transports to Redis or Valkey: one server, a master chosen by Sentinel, or a Cluster."""

from collections.abc import Sequence
from typing import Any, Protocol

from daypass.quota.redis.call import Call
from daypass.quota.redis.connections import Link
from daypass.quota.redis.url import Access, Place


class Wire(Protocol):
    """A transport that sends calls to a node and returns a reply or a RedisError for each."""

    insists: bool
    """Whether to retry until a call's deadline, because another server may take over."""

    moves: int
    """How many times another server, or a restarted one, took over."""

    async def open(self) -> None:
        """Find the server or servers. Raises RedisError or OSError."""

    def node(self, key: str) -> str:
        """Return the name of the node that holds a key."""

    async def exchange(self, node: str, calls: Sequence[Call], deadline: float) -> list[Any]:
        """Send calls and return their replies. Raises RedisError or OSError if all failed."""

    async def close(self) -> None:
        """Close every connection."""


class ServerWire:
    """The transport to a single server."""

    insists = False

    def __init__(self, access: Access, place: Place, replicas: int) -> None:
        """`replicas` is the number that must confirm each write."""
        self._access = access
        self._place = place
        self._replicas = replicas
        self._link: Link | None = None
        self._last: Link | None = None
        self.moves = 0

    async def open(self) -> None:
        """Connect."""
        await self._connected()

    def node(self, _key: str) -> str:
        """Return the empty name of the only node."""
        return ""

    async def exchange(self, _node: str, calls: Sequence[Call], deadline: float) -> list[Any]:
        """Send calls and return their replies, connecting first if necessary."""
        link = await self._connected()
        return await link.run(calls, deadline)

    async def close(self) -> None:
        """Disconnect."""
        if self._link is not None:
            await self._link.close()

    async def _find(self) -> Place:
        return self._place

    async def _connected(self) -> Link:
        if self._link is not None and self._link.is_open:
            return self._link
        link = Link(self._access, await self._find(), self._replicas)
        try:
            await link.open()
        except BaseException:
            await link.close()
            raise
        self._succeed(link)
        self._link = self._last = link
        return link

    def _succeed(self, link: Link) -> None:
        """Record on a new connection whether it reached the same server as the previous one."""
        if self._last is None:
            return
        if link.run_id == self._last.run_id:
            link.joined, link.has_moved = self._last.joined, self._last.has_moved
        else:
            link.has_moved = True
            self.moves += 1

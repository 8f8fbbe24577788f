"""Leases of the concurrent requests of keys, in Redis: one sorted set per key."""

import asyncio
from collections.abc import Sequence
from typing import Literal

from daypass.quota.counters import SECOND
from daypass.quota.ledger import LEASE_S, Lease, LedgerUnavailableError, Occupancy, Subject
from daypass.quota.redis.call import Call
from daypass.quota.redis.counters import RedisCounters, hash_of_tag
from daypass.quota.redis.pipeline import ignore_failure
from daypass.quota.redis.scripts import LEASE

Action = Literal["acquire", "renew", "release", "count"]


class ConcurrencyLeases:
    """Acquires, renews, releases and counts leases. Arguments as in the `Ledger` protocol."""

    def __init__(self, counters: RedisCounters) -> None:
        self._counters = counters

    async def acquire(self, lease: Lease, limit: int) -> Occupancy:
        """Hold a lease, unless the key already holds `limit` others."""
        return _parse(await self._call("acquire", lease.subject, lease.id, limit))

    def renew(self, lease: Lease) -> None:
        """Hold a lease for another LEASE_S."""
        self._call("renew", lease.subject, lease.id).add_done_callback(ignore_failure)

    def release(self, lease: Lease) -> None:
        """Free a lease."""
        self._call("release", lease.subject, lease.id).add_done_callback(ignore_failure)

    async def count(self, subjects: Sequence[Subject]) -> tuple[int, ...]:
        """Return how many leases each key holds."""
        replies = await asyncio.gather(*(self._call("count", subject) for subject in subjects))
        return tuple(_parse(reply).used for reply in replies)

    def _call(
        self, action: Action, subject: Subject, lease_id: str = "", limit: int = 0
    ) -> "asyncio.Future[bytes]":
        """Call lease.lua. Repeated, it does the same again, so the call needs no name."""
        key = f"{hash_of_tag(subject.account)}:open/{subject.slot}"
        arguments = (self._counters.offset_us, action, lease_id, limit, LEASE_S * SECOND)
        return self._counters.submit(Call(LEASE, key, "", arguments))


def _parse(reply: bytes) -> Occupancy:
    """Parse a reply of lease.lua. Raises LedgerUnavailableError."""
    if reply == b"closed":
        raise LedgerUnavailableError("Redis: the call arrived too late")
    is_admitted, used, now = map(int, reply.split())
    return Occupancy(bool(is_admitted), used, now / SECOND)

"""The site's ceiling without a hot key: each process leases a few of the site's units.

Leased units count as used. They are taken in blocks that shrink as the ceiling nears. A process
spends them within LEASE_S, by the store's clock, and returns the rest. So if the counter is lost,
the units leased from it are soon either spent and recorded, or void.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from daypass.quota.counters import SECOND, Counter
from daypass.quota.deadline import Deadline
from daypass.quota.ledger import BucketState, Claim, state

BLOCK = 64
BLOCK_REQUESTS = 16
"""A block is at least `BLOCK` units, and enough for so many requests like those that wait."""
LEASE_S = 1.0
RETURN_AFTER_S = 0.8
"""Seconds after which leased units are returned, shortly before they expire."""


class Origin(NamedTuple):
    """The counter that units were taken from, as opposed to one recreated after a loss."""

    begun: int = 0
    reign: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """A number of units of the site's bucket, and its counter after taking them."""

    units: int
    counter: Counter
    origin: Origin
    at: int = 0
    """In the store's time (Unix µs)."""


class Share(NamedTuple):
    """Units of the site's bucket for one request, and the counter with them taken."""

    amount: int
    counter: Counter
    origin: Origin


AskSite = Callable[[Claim, int, int, int, Deadline], Awaitable[Grant]]
"""Takes units: claim, wanted, block, no earlier than (Unix µs), deadline."""

ReturnToSite = Callable[[Claim, Grant], None]
"""Gives units of a window back to the site's bucket. Does not wait."""


class SiteLease:
    """The units that this process leases from one of the site's buckets."""

    def __init__(self, claim: Claim, ask: AskSite, return_to_site: ReturnToSite) -> None:
        """Raises ValueError for a limit with a burst: token buckets cannot be leased."""
        if claim.limit.burst is not None:
            raise ValueError("the site's ceiling has no burst")
        self._claim = claim
        self._ask = ask
        self._return_to_site = return_to_site
        self._counter = Counter(0, 0)
        self._origin = Origin()
        self._ends = 0
        self._units = 0
        self._wanted = 0
        self._asking: asyncio.Task[Grant] | None = None
        self._asking_until: Deadline
        self._timer: asyncio.TimerHandle | None = None

    def take_held(self, amount: int, not_before: int) -> Share | None:
        """Take units that are held, if enough can be spent after `not_before` (Unix µs)."""
        if self._units < amount or self._ends <= not_before:
            return None
        self._units -= amount
        taken = Counter(self._counter.since, self._counter.used - self._units)
        return Share(amount, taken, self._origin)

    async def take(self, amount: int, not_before: int, deadline: Deadline) -> Share | BucketState:
        """Take units, or return the bucket's state if it has too few left.

        `not_before` (Unix µs): units that cannot be spent after it do not count.
        Raises LedgerUnavailableError.
        """
        full: Counter | None = None
        while True:
            # Others may have put units back since the store had none left.
            share = self.take_held(amount, not_before)
            if share is not None:
                return share
            if full is not None:
                return self.state(full)
            self._wanted += amount
            try:
                grant = await self._more(not_before, deadline)
            finally:
                self._wanted -= amount
            if amount and not grant.units and self._window_ends(grant.counter) > not_before:
                full = grant.counter

    def put_back(self, share: Share) -> None:
        """Put back units that were not used after all. Those of a closed window are void."""
        if self._timer is None or share.origin != self._origin:
            self._return_to_site(self._claim, Grant(share.amount, share.counter, share.origin))
        elif share.counter.since == self._counter.since:
            self._units += share.amount

    def add(self, share: Share) -> None:
        """Count units that were used beyond those that were taken, even beyond the limit."""
        self._return_to_site(self._claim, Grant(-share.amount, share.counter, share.origin))

    def until(self) -> int:
        """Return when the leased units expire (Unix µs, store's time)."""
        return self._ends

    @property
    def counter(self) -> Counter:
        """The bucket's counter as last seen, not counting what is held here."""
        return Counter(self._counter.since, self._counter.used - self._units)

    def state(self, stored: Counter | None = None) -> BucketState:
        """Return the bucket's state without the units leased here. `stored`: Redis's counter."""
        if stored is None or stored.since == self._counter.since:
            stored = Counter(self._counter.since, (stored or self._counter).used - self._units)
        return state(self._claim, stored)

    def return_all(self) -> None:
        """Give all leased units back to the site."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._units:
            units, self._units = self._units, 0
            self._counter = Counter(self._counter.since, self._counter.used - units)
            self._return_to_site(self._claim, Grant(units, self._counter, self._origin))

    def _window_ends(self, counter: Counter) -> int:
        return self._claim.limit.window.end(counter.since // SECOND) * SECOND

    async def _more(self, not_before: int, deadline: Deadline) -> Grant:
        if self._asking is None:
            self._asking_until = Deadline()
            self._asking_until.at = deadline.at
            self._asking = asyncio.create_task(self._ask_for_more(not_before, self._asking_until))
        # A cancelled caller must not cancel the shared request.
        return await deadline.wait_for(self._asking, self._asking_until)

    async def _ask_for_more(self, not_before: int, deadline: Deadline) -> Grant:
        try:
            # Include callers from the same event-loop turn.
            await asyncio.sleep(0)
            wanted = max(1, self._wanted - self._units)
            block = max(BLOCK, BLOCK_REQUESTS * self._wanted)
            grant = await self._ask(self._claim, wanted, block, not_before, deadline)
            if self._units and (grant.origin, grant.counter.since) != (
                self._origin,
                self._counter.since,
            ):
                self.return_all()
            self._counter = grant.counter
            self._origin = grant.origin
            self._ends = min(self._window_ends(grant.counter), grant.at + int(LEASE_S * SECOND))
            self._units += grant.units
            self._hold()
            return grant
        finally:
            self._asking = None

    def _hold(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(RETURN_AFTER_S, self.return_all)

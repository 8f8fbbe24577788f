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


class Unit(NamedTuple):
    """One unit of the site's bucket, and its counter after taking it."""

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

    def take_held(self, not_before: int) -> Unit | None:
        """Take a leased unit that is valid after `not_before` (Unix µs), or return None."""
        if not self._units or self._ends <= not_before:
            return None
        self._units -= 1
        taken = Counter(self._counter.since, self._counter.used - self._units)
        return Unit(taken, self._origin)

    async def take(self, not_before: int, deadline: Deadline) -> Unit | BucketState:
        """Take one unit, or return the bucket's state if it is full.

        The unit must be valid after `not_before` (Unix µs). Raises LedgerUnavailableError.
        """
        while True:
            unit = self.take_held(not_before)
            if unit is not None:
                return unit
            self._wanted += 1
            try:
                grant = await self._more(not_before, deadline)
            finally:
                self._wanted -= 1
            if not grant.units and self._window_ends(grant.counter) > not_before:
                return state(self._claim, grant.counter)

    def put_back(self, unit: Unit) -> None:
        """Put back an unused unit. A unit of a closed window is void."""
        if self._timer is None or unit.origin != self._origin:
            self._return_to_site(self._claim, Grant(1, unit.counter, unit.origin))
        elif unit.counter.since == self._counter.since:
            self._units += 1

    def until(self) -> int:
        """Return when the leased units expire (Unix µs, store's time)."""
        return self._ends

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
            grant = await self._ask(self._claim, self._wanted, BLOCK, not_before, deadline)
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

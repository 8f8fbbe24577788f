"""The site's ceiling without a hot key: each process holds a few of the site's units.

Units that are held count as used. They are taken in blocks, which become smaller as the ceiling
nears, and what a process has not spent within a second it returns, or when it closes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from daypass.quota.counters import SECOND, Counter
from daypass.quota.ledger import BucketState, Claim, state

BLOCK = 64
RETURN_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class Grant:
    """So many units of the site's bucket, and how its counter stands with them taken."""

    units: int
    counter: Counter
    begun: int
    """When that counter was begun (Unix µs): another tells of it that this one was lost."""


AskSite = Callable[[Claim, int, int, int], Awaitable[Grant]]
"""Takes units: claim, wanted, block, no earlier than (Unix µs)."""

ReturnToSite = Callable[[Claim, Grant], None]
"""Gives units of a window back to the site's bucket. Does not wait."""


class SiteLease:
    """The units that this process holds of one of the site's buckets."""

    def __init__(self, claim: Claim, ask: AskSite, return_to_site: ReturnToSite) -> None:
        """Raises ValueError for a limit with a burst: a token bucket is not held in advance."""
        if claim.limit.burst is not None:
            raise ValueError("the site's ceiling has no burst")
        self._claim = claim
        self._ask = ask
        self._return_to_site = return_to_site
        self._counter = Counter(0, 0)
        self._begun = 0
        self._units = 0
        self._wanted = 0
        self._asking: asyncio.Task[Grant] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def take(self, not_before: int) -> Counter | BucketState:
        """Take one unit. A state, in place of a counter: the bucket is full.

        `not_before` (Unix µs): a unit of a window that ends by then is not enough.
        Raises LedgerUnavailableError.
        """
        while not self._units or self._ends(self._counter) <= not_before:
            self._wanted += 1
            try:
                grant = await self._more(not_before)
            finally:
                self._wanted -= 1
            if not grant.units and self._ends(grant.counter) > not_before:
                return state(self._claim, grant.counter)
        self._units -= 1
        return self._taken()

    def put_back(self, taken: Counter) -> None:
        """Put back a unit that was not used after all. One of a closed window is void."""
        if taken.since == self._counter.since:
            self._units += 1
            self._watch()

    def until(self) -> int:
        """The end (Unix µs) of the window whose units are held."""
        return self._ends(self._counter)

    def state(self, stored: Counter | None = None) -> BucketState:
        """How full the bucket is, not counting what is held here. `stored`: as Redis has it."""
        if stored is None or stored.since == self._counter.since:
            stored = Counter(self._counter.since, (stored or self._counter).used - self._units)
        return state(self._claim, stored)

    def return_all(self) -> None:
        """Return every unit that is held."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._units:
            units, self._units = self._units, 0
            self._counter = Counter(self._counter.since, self._counter.used - units)
            self._return_to_site(self._claim, Grant(units, self._counter, self._begun))

    def _ends(self, counter: Counter) -> int:
        return self._claim.limit.window.end(counter.since // SECOND) * SECOND

    def _taken(self) -> Counter:
        return Counter(self._counter.since, self._counter.used - self._units)

    async def _more(self, not_before: int) -> Grant:
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_for_more(not_before))
        # One who goes away does not take the answer away from the others.
        return await asyncio.shield(self._asking)

    async def _ask_for_more(self, not_before: int) -> Grant:
        try:
            # Those who come in the same turn of the event loop are counted in.
            await asyncio.sleep(0)
            grant = await self._ask(self._claim, self._wanted, BLOCK, not_before)
            held = self._units if grant.counter.since == self._counter.since else 0
            self._counter = grant.counter
            self._begun = grant.begun
            self._units = held + grant.units
            self._watch()
            return grant
        finally:
            self._asking = None

    def _watch(self) -> None:
        if self._timer is None and self._units:
            self._timer = asyncio.get_running_loop().call_later(RETURN_AFTER_S, self.return_all)

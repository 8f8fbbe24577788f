"""What requests take from the site's buckets, by way of this process's leases of their units."""

import asyncio
from collections.abc import Sequence

from daypass.domain.plans import Amounts
from daypass.quota.deadline import Deadline
from daypass.quota.ledger import BucketState, Claim, Reservation
from daypass.quota.redis.counters import NEVER, SITE, RedisCounters, hash_of_tag
from daypass.quota.redis.pipeline import ignore_failure
from daypass.quota.redis.scripts import ScriptReply
from daypass.quota.redis.site_lease import Grant, Origin, Share, SiteLease

SLOW_S = 0.1
"""Seconds after which a wait for the site's units is likely a wait for the usage records."""

Shares = Sequence[tuple[Claim, Share]]


class SiteShares:
    """The leases of the site's buckets, one for each claim on the site."""

    def __init__(self, counters: RedisCounters) -> None:
        self._counters = counters
        self._leases: dict[Claim, SiteLease] = {}

    async def take(
        self, claims: Sequence[Claim], amounts: Amounts, not_before: int, deadline: Deadline
    ) -> Shares | BucketState:
        """Take the site's units for one request, or return the bucket that has too few left.

        Where Redis has lost the site's counters, it has probably lost the account's, too: both
        are restored at the same time.
        """
        shares: list[tuple[Claim, Share]] = []
        try:
            for claim in claims:
                if claim.subject.kind != SITE:
                    continue
                # A share of 0 too: it tells which counter the request belongs to when it settles.
                amount = amounts[claim.measure]
                lease = self.lease(claim)
                found: Share | BucketState | None = lease.take_held(amount, not_before)
                if found is None:
                    counted = [x for x in claims if x.subject.kind != SITE]
                    loop = asyncio.get_running_loop()
                    timer = loop.call_later(SLOW_S, self._counters.restore, counted)
                    try:
                        found = await lease.take(amount, not_before, deadline)
                    finally:
                        timer.cancel()
                if isinstance(found, BucketState):
                    self.put_back(shares)
                    return found
                shares.append((claim, found))
        except BaseException:
            self.put_back(shares)
            raise
        return shares

    def put_back(self, shares: Shares) -> None:
        """Put back units that were not used. Negative amounts were used beyond what was taken."""
        for claim, share in shares:
            if share.amount < 0:
                self.lease(claim).add(share._replace(amount=-share.amount))
            elif share.amount:
                self.lease(claim).put_back(share)

    def until(self, shares: Shares) -> int:
        """Return when the first of the shares expires (Unix µs, store's time)."""
        return min((self.lease(claim).until() for claim, _ in shares), default=NEVER)

    def lease(self, claim: Claim) -> SiteLease:
        """Return the lease of a claim's bucket."""
        lease = self._leases.get(claim)
        if lease is None:
            lease = self._leases[claim] = SiteLease(claim, self._ask, self._return)
        return lease

    def return_all(self) -> None:
        """Give all leased units back to the site."""
        for lease in self._leases.values():
            lease.return_all()

    async def _ask(
        self, claim: Claim, wanted: int, block: int, no_earlier: int, deadline: Deadline
    ) -> Grant:
        answer = await self._counters.ask(
            hash_of_tag(SITE),
            self._counters.new_name(),
            [claim],
            deadline,
            wanted=wanted,
            block=block,
            no_earlier=no_earlier,
        )
        origin = Origin(answer.begun, answer.reign)
        return Grant(answer.units, answer.counters[0], origin, answer.now)

    def _return(self, claim: Claim, grant: Grant) -> None:
        answer = ScriptReply(grant.units, 0, grant.origin.begun, 0, (grant.counter,))
        future = self._counters.give_back(self._counters.new_name(), answer, [claim])
        future.add_done_callback(ignore_failure)


def origins_of(shares: Shares) -> str:
    """Return the origins of shares, for the reservation's id. `shares_of` reads them."""
    return "".join(f" {share.origin.begun} {share.origin.reign}" for _, share in shares)


def shares_of(reservation: Reservation, amounts: Amounts) -> Shares:
    """Return amounts of the site's buckets, as shares of what a reservation took from them."""
    origins = iter(map(int, reservation.id.split()[2:]))
    shares = []
    for bucket, counter in zip(reservation.buckets, reservation.taken, strict=True):
        if bucket.claim.subject.kind == SITE:
            origin = Origin(next(origins), next(origins))
            shares.append((bucket.claim, Share(amounts[bucket.claim.measure], counter, origin)))
    return shares

"""The ledger of several machines, in Redis ≥ 6.2 or Valkey: one script call per decision.

The counters of an account and all its keys are one hash in one slot, so a decision is atomic on a
Cluster too. The site's ceiling would be a hot key, so processes lease units of it
(site_lease.py). Time is the server's.

Only the process that made a reservation knows whether it is open. Redis remembers the names of
calls for ten minutes, so repeated, late and duplicate calls change nothing.

Counters that Redis has lost (flushed, evicted, restarted empty), or whose latest units it may
have lost (failover, restart), are compared with the usage records before they are used
(recovery.py). So no client gets a quota twice.
"""

import asyncio
from collections.abc import Sequence

from daypass.domain.plans import ONE_REQUEST, Amounts
from daypass.quota.counters import SECOND
from daypass.quota.deadline import Deadline
from daypass.quota.ledger import (
    BucketState,
    Claim,
    Lease,
    LedgerUnavailableError,
    Occupancy,
    Refusal,
    Reservation,
    refuse,
    state,
)
from daypass.quota.redis.counters import NEVER, SITE, RedisCounters, hash_of, hash_of_tag
from daypass.quota.redis.recovery import UsageRecords
from daypass.quota.redis.scripts import SPENT, TOO_LATE, ScriptReply
from daypass.quota.redis.site_lease import Grant, Origin, Share, SiteLease

SLOW_S = 0.1
"""Seconds after which a wait for the site's units is likely a wait for the usage records."""


class RedisLedger:
    """A ledger in Redis, shared by every process that has its URL."""

    def __init__(
        self, url: str, records: UsageRecords, clock_offset_s: float = 0, wait_replicas: int = 0
    ) -> None:
        """`url` is described in `url.parse`; the offset (seconds) is added to the server's clock.

        `wait_replicas` is the number that must confirm each reservation; with fewer, it is refused
        and given back. Raises ValueError if `url` is not a Redis URL.
        """
        self._counters = RedisCounters(url, records, clock_offset_s, wait_replicas)
        self._leases: dict[Claim, SiteLease] = {}

    @property
    def clock_offset_s(self) -> float:
        """Return the seconds added to the server's clock."""
        return self._counters.clock_offset_s

    @clock_offset_s.setter
    def clock_offset_s(self, seconds: float) -> None:
        self._counters.clock_offset_s = seconds

    async def start(self) -> None:
        """Find the server or servers. Raises LedgerUnavailableError."""
        await self._counters.open()
        await self.peek(())

    async def close(self) -> None:
        """Return leased units, send pending calls and disconnect."""
        for lease in self._leases.values():
            lease.return_all()
        await self._counters.close()

    async def reserve(
        self, claims: Sequence[Claim], amounts: Amounts = ONE_REQUEST
    ) -> Reservation | Refusal:
        """Take the amounts from every claim's bucket, or nothing."""
        deadline = Deadline()
        not_before = 0
        while True:
            shares = await self._site_shares(claims, amounts, not_before, deadline)
            if isinstance(shares, BucketState):
                return await self._refuse_on_site(claims, amounts, shares, deadline)
            outcome: Reservation | Refusal | None = None
            try:
                outcome = await self._take(claims, amounts, deadline, shares)
            except TooLateError as late:
                not_before = late.now
                if deadline.is_over:
                    raise LedgerUnavailableError("Redis did not decide in time") from None
            finally:
                if not isinstance(outcome, Reservation):
                    self._put_back(shares)
            if outcome is not None:
                return outcome

    async def release(
        self, reservation: Reservation, give_backs: Claim | None = None
    ) -> bool | Refusal:
        """Give a reservation's amounts back, once, if the account has a give-back left."""
        if not reservation.is_open:
            return False
        reservation.is_open = False
        future = self._give_back(reservation, reservation.amounts, give_backs)
        if future is not None:
            given = ScriptReply.of(await future)
            if give_backs is not None and given.units == SPENT:
                return refuse(given.now / SECOND, (state(give_backs, *given.counters),))
        # Last: the site's units go back only if the account had a give-back left.
        self._put_back(_shares_of(reservation, reservation.amounts))
        return True

    def settle(self, reservation: Reservation, used: Amounts | None = None) -> None:
        """Close a reservation. Calls Redis only if the amounts used differ from those reserved."""
        was_open, reservation.is_open = reservation.is_open, False
        if not was_open or used is None or used == reservation.amounts:
            return
        back = reservation.amounts.minus(used)
        future = self._give_back(reservation, back)
        if future is not None:
            # If the reply is lost, the call is repeated; if Redis stays away, the bound stands.
            future.add_done_callback(_ignore)
        for claim, share in _shares_of(reservation, back):
            if share.amount > 0:
                self._lease(claim).put_back(share)
            elif share.amount < 0:
                self._lease(claim).add(share._replace(amount=-share.amount))

    def _give_back(
        self, reservation: Reservation, amounts: Amounts, give_backs: Claim | None = None
    ) -> "asyncio.Future[bytes] | None":
        """Give amounts back to the key's and the account's buckets; None if there are none."""
        name, begun, *_ = reservation.id.split()
        counted = [
            (bucket.claim, counter)
            for bucket, counter in zip(reservation.buckets, reservation.taken, strict=True)
            if bucket.claim.subject.kind != SITE
        ]
        changes = any(amounts[claim.measure] for claim, _ in counted)
        if not changes and give_backs is None:
            return None
        answer = ScriptReply(1, 0, int(begun), 0, tuple(counter for _, counter in counted))
        claims = [claim for claim, _ in counted]
        return self._counters.give_back(name, answer, claims, amounts, give_backs)

    def _put_back(self, shares: Sequence[tuple[Claim, Share]]) -> None:
        for claim, share in shares:
            self._lease(claim).put_back(share)

    async def peek(self, claims: Sequence[Claim]) -> tuple[BucketState, ...]:
        """Return the state of the claims' buckets."""
        by_hash: dict[str, list[Claim]] = {} if claims else {hash_of_tag(SITE): []}
        for claim in claims:
            by_hash.setdefault(hash_of(claim), []).append(claim)
        deadline = Deadline()
        answers = await asyncio.gather(
            *(
                self._counters.ask(key, "", group, deadline, wanted=0)
                for key, group in by_hash.items()
            )
        )
        found: dict[Claim, BucketState] = {}
        for group, answer in zip(by_hash.values(), answers, strict=True):
            for claim, counter in zip(group, answer.counters, strict=True):
                lease = self._leases.get(claim)
                found[claim] = lease.state(counter) if lease else state(claim, counter)
        return tuple(found[claim] for claim in claims)

    async def acquire_lease(self, lease: Lease, limit: int) -> Occupancy:
        """Hold a lease, unless the key already holds `limit` others."""
        reply = await self._counters.lease("acquire", lease, limit)
        if reply == b"closed":
            raise LedgerUnavailableError("Redis: the call arrived too late")
        is_admitted, used = map(int, reply.split())
        return Occupancy(bool(is_admitted), used)

    def renew_lease(self, lease: Lease) -> None:
        """Hold a lease for another LEASE_S."""
        self._counters.lease("renew", lease).add_done_callback(_ignore)

    def release_lease(self, lease: Lease) -> None:
        """Free a lease."""
        self._counters.lease("release", lease).add_done_callback(_ignore)

    async def check_writable(self) -> None:
        """Write a key that expires soon, and wait for the replicas to confirm it.

        Raises LedgerUnavailableError, for instance if the server is a replica, is out of memory
        or has too few replicas.
        """
        name = self._counters.new_name()
        await self._counters.ask(hash_of_tag(SITE), name, (), Deadline(), wanted=1)

    async def _site_shares(
        self, claims: Sequence[Claim], amounts: Amounts, not_before: int, deadline: Deadline
    ) -> list[tuple[Claim, Share]] | BucketState:
        """Take the site's units for one request, or return the bucket that has too few left.

        Where Redis has lost the site's counters, it has probably lost the account's, too: both
        are restored at the same time.
        """
        shares: list[tuple[Claim, Share]] = []
        try:
            for claim in claims:
                amount = amounts[claim.measure]
                if claim.subject.kind != SITE or not amount:
                    continue
                lease = self._lease(claim)
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
                    self._put_back(shares)
                    return found
                shares.append((claim, found))
        except BaseException:
            self._put_back(shares)
            raise
        return shares

    async def _refuse_on_site(
        self, claims: Sequence[Claim], amounts: Amounts, full: BucketState, deadline: Deadline
    ) -> Refusal:
        """Return the refusal of a full bucket of the site, with the states of the others."""
        counted = [claim for claim in claims if claim.subject.kind != SITE]
        key = hash_of(counted[0]) if counted else hash_of_tag(SITE)
        answer = await self._counters.ask(key, "", counted, deadline, wanted=0)
        rest = map(state, counted, answer.counters)
        states = tuple(
            next(rest)
            if claim.subject.kind != SITE
            else full
            if claim == full.claim
            else self._lease(claim).state()
            for claim in claims
        )
        return refuse(answer.now / SECOND, states, amounts)

    async def _take(
        self,
        claims: Sequence[Claim],
        amounts: Amounts,
        deadline: Deadline,
        shares: Sequence[tuple[Claim, Share]],
    ) -> Reservation | Refusal:
        """Take from the buckets of the key and its account. Raises TooLateError."""
        counted = [claim for claim in claims if claim.subject.kind != SITE]
        name = self._counters.new_name()
        key = hash_of(counted[0]) if counted else hash_of_tag(name)
        no_later = min((self._lease(claim).until() for claim, _ in shares), default=NEVER)
        answer = await self._counters.ask(
            key,
            name,
            counted,
            deadline,
            wanted=1,
            amounts=amounts,
            no_later=no_later,
            beside=[claim for claim, _ in shares],
        )
        if answer.units == TOO_LATE:
            raise TooLateError(answer.now)
        rest = iter(answer.counters)
        of_site = dict(shares)
        taken = tuple(
            next(rest)
            if claim.subject.kind != SITE
            else of_site[claim].counter
            if claim in of_site
            else self._lease(claim).counter
            for claim in claims
        )
        states = tuple(map(state, claims, taken))
        at = answer.now / SECOND
        if not answer.units:
            return refuse(at, states, amounts)
        origins = "".join(
            f" {of_site[claim].origin.begun} {of_site[claim].origin.reign}"
            if claim in of_site
            else " 0 0"
            for claim in claims
            if claim.subject.kind == SITE
        )
        return Reservation(at, states, taken, amounts, f"{name} {answer.begun}{origins}")

    async def _ask_site(
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

    def _return_to_site(self, claim: Claim, grant: Grant) -> None:
        answer = ScriptReply(grant.units, 0, grant.origin.begun, 0, (grant.counter,))
        future = self._counters.give_back(self._counters.new_name(), answer, [claim])
        future.add_done_callback(_ignore)

    def _lease(self, claim: Claim) -> SiteLease:
        lease = self._leases.get(claim)
        if lease is None:
            lease = SiteLease(claim, self._ask_site, self._return_to_site)
            self._leases[claim] = lease
        return lease


def _ignore(done: "asyncio.Future[bytes]") -> None:
    """Mark the failure of a call that nobody waits for as seen."""
    if not done.cancelled():
        done.exception()


def _shares_of(reservation: Reservation, amounts: Amounts) -> list[tuple[Claim, Share]]:
    """Return amounts of the site's buckets, as shares of what a reservation took from them."""
    origins = iter(map(int, reservation.id.split()[2:]))
    shares = []
    for bucket, counter in zip(reservation.buckets, reservation.taken, strict=True):
        if bucket.claim.subject.kind == SITE:
            origin = Origin(next(origins), next(origins))
            shares.append((bucket.claim, Share(amounts[bucket.claim.measure], counter, origin)))
    return shares


class TooLateError(Exception):
    """The window of the leased units had ended by the time of the decision."""

    def __init__(self, now: int) -> None:
        super().__init__(now)
        self.now = now

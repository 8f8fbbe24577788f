"""The ledger of several machines, in Redis ≥ 6.2 or Valkey: one script call per decision.

The counters of an account and all its keys are one hash in one slot, so a decision is atomic on a
Cluster too. The site's ceiling would be a hot key, so processes lease units of it
(site_shares.py). Time is the server's.

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
    Subject,
    refuse,
    state,
)
from daypass.quota.redis.counters import SITE, RedisCounters, hash_of, hash_of_tag
from daypass.quota.redis.leases import ConcurrencyLeases
from daypass.quota.redis.pipeline import ignore_failure
from daypass.quota.redis.recovery import UsageRecords
from daypass.quota.redis.scripts import SPENT, TOO_LATE, ScriptReply
from daypass.quota.redis.site_shares import Shares, SiteShares, origins_of, shares_of


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
        self._site = SiteShares(self._counters)
        self._leases = ConcurrencyLeases(self._counters)

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
        self._site.return_all()
        await self._counters.close()

    async def reserve(
        self, claims: Sequence[Claim], amounts: Amounts = ONE_REQUEST
    ) -> Reservation | Refusal:
        """Take the amounts from every claim's bucket, or nothing."""
        deadline = Deadline()
        not_before = 0
        while True:
            shares = await self._site.take(claims, amounts, not_before, deadline)
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
                    self._site.put_back(shares)
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
        self._site.put_back(shares_of(reservation, reservation.amounts))
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
            future.add_done_callback(ignore_failure)
        self._site.put_back(shares_of(reservation, back))

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
                is_site = claim.subject.kind == SITE
                found[claim] = (
                    self._site.lease(claim).state(counter) if is_site else state(claim, counter)
                )
        return tuple(found[claim] for claim in claims)

    async def acquire_lease(self, lease: Lease, limit: int) -> Occupancy:
        """Hold a lease, unless the key already holds `limit` others."""
        return await self._leases.acquire(lease, limit)

    def renew_lease(self, lease: Lease) -> None:
        """Hold a lease for another LEASE_S."""
        self._leases.renew(lease)

    def release_lease(self, lease: Lease) -> None:
        """Free a lease."""
        self._leases.release(lease)

    async def count_leases(self, subjects: Sequence[Subject]) -> tuple[int, ...]:
        """Return how many leases each key holds."""
        return await self._leases.count(subjects)

    async def check_writable(self) -> None:
        """Write a key that expires soon, and wait for the replicas to confirm it.

        Raises LedgerUnavailableError, for instance if the server is a replica, is out of memory
        or has too few replicas.
        """
        name = self._counters.new_name()
        await self._counters.ask(hash_of_tag(SITE), name, (), Deadline(), wanted=1)

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
            else self._site.lease(claim).state()
            for claim in claims
        )
        return refuse(answer.now / SECOND, states, amounts)

    async def _take(
        self,
        claims: Sequence[Claim],
        amounts: Amounts,
        deadline: Deadline,
        shares: Shares,
    ) -> Reservation | Refusal:
        """Take from the buckets of the key and its account. Raises TooLateError."""
        counted = [claim for claim in claims if claim.subject.kind != SITE]
        name = self._counters.new_name()
        key = hash_of(counted[0]) if counted else hash_of_tag(name)
        answer = await self._counters.ask(
            key,
            name,
            counted,
            deadline,
            wanted=1,
            amounts=amounts,
            no_later=self._site.until(shares),
            beside=[claim for claim, _ in shares],
        )
        if answer.units == TOO_LATE:
            raise TooLateError(answer.now)
        rest = iter(answer.counters)
        of_site = dict(shares)
        taken = tuple(
            of_site[claim].counter if claim.subject.kind == SITE else next(rest) for claim in claims
        )
        states = tuple(map(state, claims, taken))
        at = answer.now / SECOND
        if not answer.units:
            return refuse(at, states, amounts)
        name_and_origins = f"{name} {answer.begun}{origins_of(shares)}"
        return Reservation(at, states, taken, amounts, name_and_origins)


class TooLateError(Exception):
    """The window of the leased units had ended by the time of the decision."""

    def __init__(self, now: int) -> None:
        super().__init__(now)
        self.now = now

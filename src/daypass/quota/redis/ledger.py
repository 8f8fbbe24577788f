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

from daypass.quota.counters import SECOND
from daypass.quota.deadline import Deadline
from daypass.quota.ledger import (
    BucketState,
    Claim,
    LedgerUnavailableError,
    Refusal,
    Reservation,
    refuse,
    state,
)
from daypass.quota.redis.counters import NEVER, SITE, RedisCounters, hash_of, hash_of_tag
from daypass.quota.redis.recovery import UsageRecords
from daypass.quota.redis.scripts import SPENT, TOO_LATE, ScriptReply
from daypass.quota.redis.site_lease import Grant, Origin, SiteLease, Unit

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

    async def reserve(self, claims: Sequence[Claim]) -> Reservation | Refusal:
        """Take one unit from every claim's bucket, or none."""
        deadline = Deadline()
        site = next((claim for claim in claims if claim.subject.kind == SITE), None)
        if site is None:
            return await self._take(claims, deadline)
        lease = self._lease(site)
        not_before = 0
        while True:
            unit = lease.take_held(not_before)
            if unit is None:
                found = await self._site_unit(lease, claims, not_before, deadline)
                if isinstance(found, BucketState):
                    return await self._refuse_on_site(claims, found, deadline)
                unit = found
            try:
                outcome = await self._take(claims, deadline, unit, lease.until())
            except TooLateError as late:
                lease.put_back(unit)
                not_before = late.now
                if deadline.is_over:
                    raise LedgerUnavailableError("Redis did not answer in time") from None
                continue
            except BaseException:
                lease.put_back(unit)
                raise
            if isinstance(outcome, Refusal):
                lease.put_back(unit)
            return outcome

    async def release(
        self, reservation: Reservation, give_backs: Claim | None = None
    ) -> bool | Refusal:
        """Give a reservation's units back, once, if the account has a give-back left."""
        if not reservation.is_open:
            return False
        reservation.is_open = False
        name, begun, *origin = reservation.id.split()
        claims = [bucket.claim for bucket in reservation.buckets]
        taken = list(zip(claims, reservation.taken, strict=True))
        counted = [(claim, counter) for claim, counter in taken if claim.subject.kind != SITE]
        if counted or give_backs is not None:
            answer = ScriptReply(1, 0, int(begun), 0, tuple(counter for _, counter in counted))
            claims = [claim for claim, _ in counted]
            reply = await self._counters.give_back(name, answer, claims, give_backs)
            given = ScriptReply.of(reply)
            if give_backs is not None and given.units == SPENT:
                return refuse(given.now / SECOND, (state(give_backs, *given.counters),))
        # Last, because the site's unit goes back only if the account had a give-back left.
        for claim, counter in taken:
            if claim.subject.kind == SITE:
                self._lease(claim).put_back(Unit(counter, Origin(*map(int, origin))))
        return True

    def settle(self, reservation: Reservation) -> None:
        """Close a reservation as used. Redis already counts its units as used."""
        reservation.is_open = False

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

    async def check_writable(self) -> None:
        """Write a key that expires soon, and wait for the replicas to confirm it.

        Raises LedgerUnavailableError, for instance if the server is a replica, is out of memory
        or has too few replicas.
        """
        name = self._counters.new_name()
        await self._counters.ask(hash_of_tag(SITE), name, (), Deadline(), wanted=1)

    async def _site_unit(
        self, lease: SiteLease, claims: Sequence[Claim], not_before: int, deadline: Deadline
    ) -> Unit | BucketState:
        """Take a unit of the site from Redis.

        If that is slow, the site's counters are probably being restored. The account's are then
        likely lost too, so restore them at the same time.
        """
        counted = [claim for claim in claims if claim.subject.kind != SITE]
        timer = asyncio.get_running_loop().call_later(SLOW_S, self._counters.restore, counted)
        try:
            return await lease.take(not_before, deadline)
        finally:
            timer.cancel()

    async def _refuse_on_site(
        self, claims: Sequence[Claim], full: BucketState, deadline: Deadline
    ) -> Refusal:
        """Return the refusal for an exhausted site, with the state of the other buckets."""
        counted = [claim for claim in claims if claim.subject.kind != SITE]
        key = hash_of(counted[0]) if counted else hash_of_tag(SITE)
        answer = await self._counters.ask(key, "", counted, deadline, wanted=0)
        rest = map(state, counted, answer.counters)
        states = tuple(full if claim.subject.kind == SITE else next(rest) for claim in claims)
        return refuse(answer.now / SECOND, states)

    async def _take(
        self,
        claims: Sequence[Claim],
        deadline: Deadline,
        site_unit: Unit | None = None,
        no_later: int = NEVER,
    ) -> Reservation | Refusal:
        """Take a unit from the buckets of the key and its account. Raises TooLateError."""
        counted = [claim for claim in claims if claim.subject.kind != SITE]
        site = [claim for claim in claims if claim.subject.kind == SITE] if site_unit else []
        name = self._counters.new_name()
        key = hash_of(counted[0]) if counted else hash_of_tag(name)
        answer = await self._counters.ask(
            key, name, counted, deadline, wanted=1, no_later=no_later, beside=site
        )
        if answer.units == TOO_LATE:
            raise TooLateError(answer.now)
        rest = iter(answer.counters)
        taken = tuple(
            site_unit.counter if claim.subject.kind == SITE and site_unit else next(rest)
            for claim in claims
        )
        states = tuple(map(state, claims, taken))
        at = answer.now / SECOND
        if not answer.units:
            return refuse(at, states)
        origin = f" {site_unit.origin.begun} {site_unit.origin.reign}" if site_unit else ""
        return Reservation(at, states, taken, f"{name} {answer.begun}{origin}")

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
        future.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _lease(self, claim: Claim) -> SiteLease:
        lease = self._leases.get(claim)
        if lease is None:
            lease = SiteLease(claim, self._ask_site, self._return_to_site)
            self._leases[claim] = lease
        return lease


class TooLateError(Exception):
    """The window of the leased units had ended by the time of the decision."""

    def __init__(self, now: int) -> None:
        super().__init__(now)
        self.now = now

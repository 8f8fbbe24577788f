"""The ledger of several machines, in Redis ≥ 6.2 or Valkey: one script call per decision.

What an account's keys and the account itself have used is one hash in one slot, so a decision
is atomic on a Cluster too. The site's ceiling, which would be everybody's slot, is held in
leases (site_lease.py). Time is the server's.

A reservation is open in the memory of the process that made it, and nowhere else. Redis keeps
its name for ten minutes, so that a call that is repeated, arrives late or gives back once more
changes nothing.

Counters that Redis has lost (flushed, evicted, restarted empty) begin again with what the records
say was used (lost_counters.py): nobody gets a day twice.
"""

import asyncio
import secrets
from collections.abc import Sequence
from itertools import count

from redis.exceptions import RedisError

from daypass.quota.counters import SECOND, Counter, Moment
from daypass.quota.ledger import (
    DECISION_S,
    BucketState,
    Claim,
    LedgerUnavailableError,
    Refusal,
    Reservation,
    refuse,
    state,
)
from daypass.quota.lost_counters import Recollection, UsageRecords
from daypass.quota.redis_lane import Call, Lane
from daypass.quota.redis_scripts import GIVE, SPENT, TAKE, TOO_LATE, UNKNOWN, Answer, arguments_of
from daypass.quota.redis_wire import connect, wire
from daypass.quota.site_lease import Grant, SiteLease

NEVER = 2**53
"""An instant (Unix µs) in the year 2255."""

SITE = "site"


class RedisLedger:
    """A ledger in Redis, shared by every process that has its URL."""

    def __init__(self, url: str, records: UsageRecords, clock_offset_s: float = 0) -> None:
        """`url` as in `connect`; the offset is added to the server's clock.

        Raises ValueError for a URL that is none of Redis.
        """
        self.clock_offset_s = clock_offset_s
        self._recollection = Recollection(records)
        self._wire = wire(connect(url))
        self._lanes: dict[str, Lane] = {}
        self._leases: dict[Claim, SiteLease] = {}
        self._name = secrets.token_hex(6)
        self._numbers = count()

    async def start(self) -> None:
        """Find the server or servers. Raises LedgerUnavailableError."""
        try:
            async with asyncio.timeout(DECISION_S):
                await self._wire.open()
        except (RedisError, OSError) as error:
            raise LedgerUnavailableError(f"Redis: {error or type(error).__name__}") from error
        await self.peek(())

    async def close(self) -> None:
        """Return the site's units that are held, send what is under way, disconnect."""
        for lease in self._leases.values():
            lease.return_all()
        await self._recollection.close()
        for lane in self._lanes.values():
            await lane.drain()
        await self._wire.close()

    async def reserve(self, claims: Sequence[Claim]) -> Reservation | Refusal:
        """Take one unit from every claim's bucket, or none."""
        site = next((claim for claim in claims if claim.subject.kind == SITE), None)
        if site is None:
            return await self._take(claims, None)
        lease = self._lease(site)
        not_before = 0
        while True:
            unit = await lease.take(not_before)
            if isinstance(unit, BucketState):
                return await self._refuse_on_site(claims, unit)
            try:
                outcome = await self._take(claims, unit, lease.until())
            except TooLateError as late:
                lease.put_back(unit)
                not_before = late.now
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
        claims = [bucket.claim for bucket in reservation.buckets]
        taken = list(zip(claims, reservation.taken, strict=True))
        counted = [(claim, counter) for claim, counter in taken if claim.subject.kind != SITE]
        if counted or give_backs is not None:
            name, begun = reservation.id.split()
            answer = Answer(1, 0, int(begun), tuple(counter for _, counter in counted))
            claims = [claim for claim, _ in counted]
            reply = await self._give_back(name, answer, claims, give_backs)
            given = Answer.of(reply)
            if give_backs is not None and given.units == SPENT:
                return refuse(given.now / SECOND, (state(give_backs, *given.counters),))
        # Last: a unit of the site goes back only if the account had a give-back left.
        for claim, counter in taken:
            if claim.subject.kind == SITE:
                self._lease(claim).put_back(counter)
        return True

    def settle(self, reservation: Reservation) -> None:
        """Close a reservation as used. Redis need not know: a unit taken is a unit used."""
        reservation.is_open = False

    async def peek(self, claims: Sequence[Claim]) -> tuple[BucketState, ...]:
        """How full the claims' buckets are now."""
        by_hash: dict[str, list[Claim]] = {} if claims else {_hash(SITE): []}
        for claim in claims:
            by_hash.setdefault(_hash_of(claim), []).append(claim)
        answers = await asyncio.gather(
            *(self._ask(key, None, group, wanted=0) for key, group in by_hash.items())
        )
        found: dict[Claim, BucketState] = {}
        for group, answer in zip(by_hash.values(), answers, strict=True):
            for claim, counter in zip(group, answer.counters, strict=True):
                lease = self._leases.get(claim)
                found[claim] = lease.state(counter) if lease else state(claim, counter)
        return tuple(found[claim] for claim in claims)

    async def _refuse_on_site(self, claims: Sequence[Claim], full: BucketState) -> Refusal:
        """The refusal of a spent site, with how full the other buckets are."""
        counted = [claim for claim in claims if claim.subject.kind != SITE]
        key = _hash_of(counted[0]) if counted else _hash(SITE)
        answer = await self._ask(key, None, counted, wanted=0)
        rest = map(state, counted, answer.counters)
        states = tuple(full if claim.subject.kind == SITE else next(rest) for claim in claims)
        return refuse(answer.now / SECOND, states)

    async def _take(
        self,
        claims: Sequence[Claim],
        site_unit: Counter | None,
        no_later: int = NEVER,
    ) -> Reservation | Refusal:
        """Take a unit of the buckets of the key and its account. Raises TooLateError."""
        counted = [claim for claim in claims if claim.subject.kind != SITE]
        name = self._new_name()
        key = _hash_of(counted[0]) if counted else _hash(name)
        answer = await self._ask(key, name, counted, wanted=1, no_later=no_later)
        if answer.units == TOO_LATE:
            raise TooLateError(answer.now)
        rest = iter(answer.counters)
        taken = tuple(
            site_unit if claim.subject.kind == SITE and site_unit else next(rest)
            for claim in claims
        )
        states = tuple(map(state, claims, taken))
        at = answer.now / SECOND
        if not answer.units:
            return refuse(at, states)
        return Reservation(at, states, taken, f"{name} {answer.begun}")

    async def _ask(
        self,
        key: str,
        name: str | None,
        claims: Sequence[Claim],
        *,
        wanted: int,
        no_later: int = NEVER,
        block: int = 0,
        no_earlier: int = 0,
    ) -> Answer:
        """Call take.lua, and the records where it does not know a counter.

        Raises LedgerUnavailableError.
        """
        keys = (key,) if name is None else (key, f"{key}:{name}")
        settings = (no_earlier, no_later, wanted, block)
        recorded = ""
        while True:
            arguments = (self._offset_us(), *settings, recorded, *arguments_of(claims))
            reply = await self._lane(key).submit(Call(TAKE, keys, arguments))
            if reply == b"closed":
                raise LedgerUnavailableError("Redis: the decision came too late")
            answer = Answer.of(reply)
            if answer.units != UNKNOWN:
                return answer
            recorded = await self._recollection.recall(
                _tag_of(claims[0]),
                claims,
                Moment(answer.now),
                begins=name is not None and not answer.begun,
            )

    def _give_back(
        self, name: str, taken: Answer, claims: Sequence[Claim], give_backs: Claim | None = None
    ) -> "asyncio.Future[bytes]":
        """Call give.lua for a taking, by the answer that it had."""
        cap = "" if give_backs is None else "capped"
        claims = [*claims, *([] if give_backs is None else [give_backs])]
        key = _hash_of(claims[0])
        arguments = (self._offset_us(), str(taken), cap, *arguments_of(claims))
        return self._lane(key).submit(Call(GIVE, (key, f"{key}:{name}"), arguments))

    async def _ask_site(self, claim: Claim, wanted: int, block: int, no_earlier: int) -> Grant:
        answer = await self._ask(
            _hash(SITE),
            self._new_name(),
            [claim],
            wanted=wanted,
            block=block,
            no_earlier=no_earlier,
        )
        return Grant(answer.units, answer.counters[0], answer.begun)

    def _return_to_site(self, claim: Claim, grant: Grant) -> None:
        answer = Answer(grant.units, 0, grant.begun, (grant.counter,))
        future = self._give_back(self._new_name(), answer, [claim])
        future.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _lease(self, claim: Claim) -> SiteLease:
        lease = self._leases.get(claim)
        if lease is None:
            lease = SiteLease(claim, self._ask_site, self._return_to_site)
            self._leases[claim] = lease
        return lease

    def _lane(self, key: str) -> Lane:
        node = self._wire.node(key)
        lane = self._lanes.get(node)
        if lane is None:
            lane = self._lanes[node] = Lane(self._wire, node)
        return lane

    def _new_name(self) -> str:
        return f"{self._name}-{next(self._numbers)}"

    def _offset_us(self) -> int:
        return int(self.clock_offset_s * SECOND)


class TooLateError(Exception):
    """The window whose units are held had ended when the decision was made."""

    def __init__(self, now: int) -> None:
        super().__init__(now)
        self.now = now


def _hash(tag: str) -> str:
    """The key of the hash that holds an account's counters, or the site's: one Cluster slot."""
    return f"daypass:{{{tag}}}"


def _hash_of(claim: Claim) -> str:
    return _hash(_tag_of(claim))


def _tag_of(claim: Claim) -> str:
    return SITE if claim.subject.kind == SITE else claim.subject.account

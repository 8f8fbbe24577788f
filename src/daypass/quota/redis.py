"""The ledger of several machines, in Redis ≥ 6.2 or Valkey: one script call per decision.

What an account's keys and the account itself have used is one hash in one slot, so a decision
is atomic on a Cluster too. The site's ceiling, which would be everybody's slot, is held in
leases (site_lease.py). Time is the server's.

A reservation is open in the memory of the process that made it, and nowhere else. Redis keeps
its name for ten minutes, so that a call that is repeated, arrives late or gives back once more
changes nothing.
"""

import asyncio
import secrets
from collections.abc import Sequence
from itertools import chain, count

from redis.exceptions import RedisError

from daypass.quota.counters import SECOND, Counter
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
from daypass.quota.redis_lane import GIVE, TAKE, Call, Lane
from daypass.quota.redis_wire import connect, wire
from daypass.quota.site_lease import Grant, SiteLease

NEVER = 2**53
"""An instant (Unix µs) in the year 2255."""

SITE = "site"


class RedisLedger:
    """A ledger in Redis, shared by every process that has its URL."""

    def __init__(self, url: str, clock_offset_s: float = 0) -> None:
        """`url` as in `connect`; the offset is added to the server's clock.

        Raises ValueError for a URL that is none of Redis.
        """
        self.clock_offset_s = clock_offset_s
        self._wire = wire(connect(url))
        self._lanes: dict[str, Lane] = {}
        self._leases: dict[Claim, SiteLease] = {}
        self._name = secrets.token_hex(6)
        self._numbers = count()
        self._loop: asyncio.AbstractEventLoop

    async def start(self) -> None:
        """Find the server or servers. Raises LedgerUnavailableError."""
        self._loop = asyncio.get_running_loop()
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
        for lane in self._lanes.values():
            await lane.drain()
        await self._wire.close()

    async def reserve(self, claims: Sequence[Claim]) -> Reservation | Refusal:
        """Take one unit from every claim's bucket, or none."""
        deadline = self._loop.time() + DECISION_S
        site = next((claim for claim in claims if claim.subject.kind == SITE), None)
        if site is None:
            return await self._take(claims, None, deadline)
        lease = self._lease(site)
        not_before = 0
        while True:
            unit = await lease.take(not_before, deadline)
            if isinstance(unit, BucketState):
                return await self._refuse_on_site(claims, unit, deadline)
            try:
                outcome = await self._take(claims, unit, deadline, lease.until())
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

    async def release(self, reservation: Reservation) -> bool:
        """Give a reservation's units back to the windows they came from, once."""
        if not reservation.is_open:
            return False
        reservation.is_open = False
        counted = []
        for bucket, taken in zip(reservation.buckets, reservation.taken, strict=True):
            if bucket.claim.subject.kind == SITE:
                self._lease(bucket.claim).put_back(taken)
            else:
                counted.append((bucket.claim, taken))
        if counted:
            key = _hash_of(counted[0][0])
            await self._give_back(key, reservation.id, 1, counted)
        return True

    def settle(self, reservation: Reservation) -> None:
        """Close a reservation as used. Redis need not know: a unit taken is a unit used."""
        reservation.is_open = False

    async def peek(self, claims: Sequence[Claim]) -> tuple[BucketState, ...]:
        """How full the claims' buckets are now."""
        deadline = self._loop.time() + DECISION_S
        by_hash: dict[str, list[Claim]] = {} if claims else {_hash(SITE): []}
        for claim in claims:
            by_hash.setdefault(_hash_of(claim), []).append(claim)
        answers = await asyncio.gather(
            *(
                self._ask(key, None, group, wanted=0, deadline=deadline)
                for key, group in by_hash.items()
            )
        )
        found: dict[Claim, BucketState] = {}
        for group, (_, _, counters) in zip(by_hash.values(), answers, strict=True):
            for claim, counter in zip(group, counters, strict=True):
                lease = self._leases.get(claim)
                found[claim] = lease.state(counter) if lease else state(claim, counter)
        return tuple(found[claim] for claim in claims)

    async def _refuse_on_site(
        self, claims: Sequence[Claim], full: BucketState, deadline: float
    ) -> Refusal:
        """The refusal of a spent site, with how full the other buckets are."""
        counted = [claim for claim in claims if claim.subject.kind != SITE]
        key = _hash_of(counted[0]) if counted else _hash(SITE)
        _, now, found = await self._ask(key, None, counted, wanted=0, deadline=deadline)
        rest = map(state, counted, found)
        states = tuple(full if claim.subject.kind == SITE else next(rest) for claim in claims)
        return refuse(now / SECOND, states)

    async def _take(
        self,
        claims: Sequence[Claim],
        site_unit: Counter | None,
        deadline: float,
        no_later: int = NEVER,
    ) -> Reservation | Refusal:
        """Take a unit of the buckets of the key and its account. Raises TooLateError."""
        counted = [claim for claim in claims if claim.subject.kind != SITE]
        name = self._new_name()
        key = _hash_of(counted[0]) if counted else _hash(name)
        units, now, found = await self._ask(
            key, name, counted, wanted=1, deadline=deadline, no_later=no_later
        )
        if units < 0:
            raise TooLateError(now)
        rest = iter(found)
        taken = tuple(
            site_unit if claim.subject.kind == SITE and site_unit else next(rest)
            for claim in claims
        )
        states = tuple(map(state, claims, taken))
        at = now / SECOND
        return Reservation(at, states, taken, name) if units else refuse(at, states)

    async def _ask(
        self,
        key: str,
        name: str | None,
        claims: Sequence[Claim],
        *,
        wanted: int,
        deadline: float,
        no_later: int = NEVER,
        block: int = 0,
        no_earlier: int = 0,
    ) -> tuple[int, int, list[Counter]]:
        """Call take.lua. Returns the units, the moment (Unix µs) and the counters."""
        keys = (key,) if name is None else (key, f"{key}:{name}")
        settings = (self._offset_us(), no_earlier, no_later, wanted, block)
        call = Call(TAKE, keys, (*settings, *_arguments(claims)), deadline)
        reply = await self._lane(key).submit(call)
        if reply == b"closed":
            raise LedgerUnavailableError("Redis: the decision came too late")
        numbers = map(int, reply.split())
        return next(numbers), next(numbers), list(map(Counter, numbers, numbers))

    def _give_back(
        self, key: str, name: str, units: int, taken: Sequence[tuple[Claim, Counter]]
    ) -> "asyncio.Future[bytes]":
        """Call give.lua for a taking."""
        answer = " ".join(str(x) for x in (units, 0, *chain(*(counter for _, counter in taken))))
        claims = [claim for claim, _ in taken]
        arguments = (self._offset_us(), answer, *_arguments(claims))
        deadline = self._loop.time() + DECISION_S
        return self._lane(key).submit(Call(GIVE, (key, f"{key}:{name}"), arguments, deadline))

    async def _ask_site(
        self, claim: Claim, wanted: int, block: int, no_earlier: int, deadline: float
    ) -> Grant:
        units, _, (counter,) = await self._ask(
            _hash(SITE),
            self._new_name(),
            [claim],
            wanted=wanted,
            deadline=deadline,
            block=block,
            no_earlier=no_earlier,
        )
        return Grant(units, counter)

    def _return_to_site(self, claim: Claim, units: int, counter: Counter) -> None:
        future = self._give_back(_hash(SITE), self._new_name(), units, [(claim, counter)])
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
    return _hash(SITE if claim.subject.kind == SITE else claim.subject.account)


def _arguments(claims: Sequence[Claim]) -> tuple[str | int, ...]:
    """Name, window, amount and burst of each claim, as the scripts read them."""
    arguments: list[str | int] = []
    for claim in claims:
        limit = claim.limit
        arguments += (claim.name, limit.window.value, limit.amount, limit.burst or 0)
    return tuple(arguments)

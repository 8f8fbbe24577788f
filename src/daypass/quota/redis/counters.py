"""The counters in Redis, checked against the usage records when some may have been lost."""

import asyncio
import contextlib
import secrets
from collections.abc import Sequence
from itertools import count

import structlog
from redis.exceptions import RedisError

from daypass.domain.plans import Amounts, Measure
from daypass.quota.counters import SECOND, Moment
from daypass.quota.deadline import Deadline
from daypass.quota.ledger import DECISION_S, Claim, LedgerUnavailableError
from daypass.quota.redis.call import Call
from daypass.quota.redis.cluster import ClusterWire
from daypass.quota.redis.connections import unavailable
from daypass.quota.redis.pipeline import Lane
from daypass.quota.redis.recovery import TAKE_OVER_S, CounterRecovery, Doubt, Recalled, UsageRecords
from daypass.quota.redis.scripts import GIVE, TAKE, UNKNOWN, ScriptReply, arguments_of
from daypass.quota.redis.sentinel import SentinelWire
from daypass.quota.redis.url import RedisUrl, parse
from daypass.quota.redis.wire import ServerWire, Wire

NEVER = 2**53
"""An instant (Unix µs) in the year 2255."""

SITE = "site"

ONE_OF_EACH = Amounts(1, 1, 1)

log = structlog.get_logger()


def make_wire(url: RedisUrl, replicas: int) -> Wire:
    """Return the transport for a URL. `replicas` is the number that must confirm each write."""
    if url.kind == "sentinel":
        return SentinelWire(url, replicas)
    if url.kind == "cluster":
        return ClusterWire(url, replicas)
    return ServerWire(url.access, url.places[0], replicas)


class RedisCounters:
    """Script calls, each with a unique name."""

    def __init__(
        self, url: str, records: UsageRecords, clock_offset_s: float, wait_replicas: int
    ) -> None:
        """Take the arguments of RedisLedger."""
        self.clock_offset_s = clock_offset_s
        self._recovery = CounterRecovery(records)
        self._wire = make_wire(parse(url), wait_replicas)
        self._lanes: dict[str, Lane] = {}
        self._restoring: dict[str, asyncio.Task[None]] = {}
        self._name = secrets.token_hex(6)
        self._numbers = count()
        self._reported: dict[str, int] = {}
        """Subjects whose rolled-back counters were logged, with the wire's `moves` at the time."""

    async def open(self) -> None:
        """Find the server or servers. Raises LedgerUnavailableError."""
        try:
            async with asyncio.timeout(DECISION_S):
                await self._wire.open()
        except (RedisError, OSError) as error:
            raise unavailable(error) from error

    async def close(self) -> None:
        """Send pending calls and disconnect."""
        await self._recovery.close()
        await asyncio.gather(*self._restoring.values(), return_exceptions=True)
        for lane in self._lanes.values():
            await lane.drain()
        await self._wire.close()

    async def ask(
        self,
        key: str,
        name: str,
        claims: Sequence[Claim],
        deadline: Deadline,
        *,
        wanted: int,
        amounts: Amounts = ONE_OF_EACH,
        no_later: int = NEVER,
        block: int = 0,
        no_earlier: int = 0,
        beside: Sequence[Claim] = (),
    ) -> ScriptReply:
        """Call take.lua, and consult the usage records if a counter may have been lost.

        `amounts` are those of one unit in each measure.
        Then those of the claims `beside` are likely lost, too. Raises LedgerUnavailableError.
        """
        settings = (no_earlier, no_later, wanted, block)
        listed = arguments_of(claims, amounts)
        recalled, stored = Recalled(), None
        question = None
        while True:
            arguments = (
                self.offset_us,
                *settings,
                recalled.text,
                *listed,
            )
            reply = await self.submit(Call(TAKE, key, name, arguments), deadline.at)
            if reply == b"closed":
                raise LedgerUnavailableError("Redis: the call arrived too late")
            answer = ScriptReply.of(reply)
            if answer.units != UNKNOWN:
                if stored is not None and recalled.text and name:
                    self._log_loss(claims, stored, recalled, answer)
                return answer
            doubt = Doubt(
                are_missing=bool(name) and not answer.begun,
                reign=answer.reign,
                take_over_s=_take_over_s(answer) if name else 0,
            )
            if question is None or stored is None or recalled.text or answer.reign != stored.reign:
                moment = Moment(answer.now)
                question = self._recovery.ask(_tag_of(claims[0]), claims, moment, doubt)
                self.restore(beside)
            stored = answer
            recalled = await question.look(deadline)

    def restore(self, claims: Sequence[Claim]) -> None:
        """Restore the counters of these claims in the background, if they have been lost."""
        if not claims:
            return
        key = hash_of(claims[0])
        if key not in self._restoring:
            task = asyncio.get_running_loop().create_task(self._try_to_restore(key, claims))
            self._restoring[key] = task
            task.add_done_callback(lambda _: self._restoring.pop(key))

    async def _try_to_restore(self, key: str, claims: Sequence[Claim]) -> None:
        with contextlib.suppress(LedgerUnavailableError):
            await self.ask(key, self.new_name(), claims, Deadline(), wanted=0)

    def give_back(
        self,
        name: str,
        taken: ScriptReply,
        claims: Sequence[Claim],
        amounts: Amounts = ONE_OF_EACH,
        give_backs: Claim | None = None,
    ) -> "asyncio.Future[bytes]":
        """Call give.lua for a taking, by the answer that it had.

        `amounts` are those to give back of one unit. Negative ones are taken, even beyond a limit.
        """
        cap = "" if give_backs is None else "capped"
        arguments = (self.offset_us, str(taken), cap, *arguments_of(claims, amounts))
        if give_backs is not None:
            arguments += arguments_of([give_backs], ONE_OF_EACH)
        key = hash_of(claims[0] if give_backs is None else give_backs)
        return self.submit(Call(GIVE, key, name, arguments))

    def _log_loss(
        self, claims: Sequence[Claim], stored: ScriptReply, recalled: Recalled, answer: ScriptReply
    ) -> None:
        """Log each loss that this process has restored, once."""
        subject = _tag_of(claims[0])
        if recalled.had_begun:
            if answer.begun == answer.now:
                log.warning("counters_lost", subject=subject, then="rebuilt from records")
            return
        lost = _units_lost(claims, stored, recalled) if stored.is_older else 0
        if lost > 0 and self._reported.get(subject) != self._wire.moves:
            self._reported[subject] = self._wire.moves
            log.warning(
                "counters_rolled_back", subject=subject, units=lost, then="raised to the records"
            )

    def submit(self, call: Call, deadline: float | None = None) -> "asyncio.Future[bytes]":
        """Send a call to the node of its key. Arguments as in `Lane.submit`."""
        return self._lane(call.key).submit(call, deadline)

    def _lane(self, key: str) -> Lane:
        node = self._wire.node(key)
        lane = self._lanes.get(node)
        if lane is None:
            lane = self._lanes[node] = Lane(self._wire, node)
        return lane

    def new_name(self) -> str:
        """Return a unique name for a call."""
        return f"{self._name}-{next(self._numbers)}"

    @property
    def offset_us(self) -> int:
        """Return what the scripts add to the server's clock (microseconds)."""
        return int(self.clock_offset_s * SECOND)


def _take_over_s(answer: ScriptReply) -> float:
    """Return the seconds to wait after a failover until the usage records are complete."""
    return max(0.0, TAKE_OVER_S - answer.reign_lasted_s) if answer.is_older else 0


def _units_lost(claims: Sequence[Claim], stored: ScriptReply, recalled: Recalled) -> int:
    """Return how far the account's, or the site's, counters were behind the usage records."""
    return max(
        (
            units - counter.used
            for claim, counter, units in zip(claims, stored.counters, recalled.units, strict=True)
            if claim.subject.kind != "key" and claim.limit.measure is Measure.REQUESTS
        ),
        default=0,
    )


def hash_of_tag(tag: str) -> str:
    """Return the key of the hash for an account's or the site's counters: one Cluster slot."""
    return f"daypass:{{{tag}}}"


def hash_of(claim: Claim) -> str:
    """Return the key of the hash that holds a claim's bucket."""
    return hash_of_tag(_tag_of(claim))


def _tag_of(claim: Claim) -> str:
    return SITE if claim.subject.kind == SITE else claim.subject.account

"""Batching of calls to one Redis node: concurrent calls share a round trip.

A call whose reply is lost may have run, or may still run. So every call is idempotent by its name,
and units that it may have taken are owed: they are given back, by name, with the next batch.
"""

import asyncio
from collections import deque
from typing import Any

from redis.exceptions import RedisError, TryAgainError

from daypass.quota.ledger import DECISION_S
from daypass.quota.redis.call import Call
from daypass.quota.redis.connections import unavailable
from daypass.quota.redis.scripts import GIVE, TAKE
from daypass.quota.redis.wire import Wire

BATCH = 256
MOST_OWED = 10_000
TRY_AGAIN_S = 0.1


class Lane:
    """The calls to one node. Calls made during a round trip share the next one."""

    def __init__(self, wire: Wire, node: str) -> None:
        self._wire = wire
        self._node = node
        self._calls: deque[Call] = deque()
        self._owed: deque[Call] = deque(maxlen=MOST_OWED)
        self._worker: asyncio.Task[None] | None = None
        self._busy_until = 0.0
        self._failure: Exception | None = None
        """Why the current exchange is being retried."""

    def submit(self, call: Call, deadline: float | None = None) -> asyncio.Future[bytes]:
        """Send a call in one batch with the others of this event-loop turn.

        The future raises LedgerUnavailableError if there is no reply by the deadline (event loop's
        time) or within DECISION_S.
        """
        loop = asyncio.get_running_loop()
        call.reply = loop.create_future()
        latest = loop.time() + DECISION_S
        call.deadline = latest if deadline is None else min(deadline, latest)
        self._calls.append(call)
        if self._worker is None:
            self._worker = loop.create_task(self._work())
        elif call.deadline < self._busy_until:
            loop.call_at(call.deadline, _give_up, call)
        return call.reply

    async def drain(self) -> None:
        """Wait until all calls are sent, including give-backs owed if the node is reachable."""
        while self._worker is not None:
            await asyncio.wait([self._worker])
        if self._owed:
            await self._send([], asyncio.get_running_loop().time() + DECISION_S)

    async def _work(self) -> None:
        try:
            while self._calls:
                waiting = [self._calls.popleft() for _ in range(min(BATCH, len(self._calls)))]
                calls = [x for x in waiting if x.is_wanted or x.script is GIVE]
                if calls:
                    await self._send(calls, min(x.deadline for x in calls))
        finally:
            self._worker = None

    async def _send(self, new_calls: list[Call], deadline: float) -> None:
        calls = [*self._owed, *new_calls]
        self._busy_until = deadline
        try:
            async with asyncio.timeout_at(deadline):
                replies = await self._exchange(calls, deadline)
        except TimeoutError:
            replies = [self._failure or TimeoutError("no reply in time")] * len(calls)
        # On any failure, answer the callers instead of leaving them waiting.
        except Exception as error:
            replies = [error] * len(calls)
        self._owed.clear()
        for call, reply in zip(calls, replies, strict=True):
            if self._is_owed(call, reply):
                self._owed.extend(call.compensation())
            if call.reply is None or not call.is_wanted:
                continue
            if isinstance(reply, Exception):
                call.reply.set_exception(unavailable(reply))
            else:
                call.reply.set_result(reply)

    def _is_owed(self, call: Call, reply: Any) -> bool:
        """Return whether a call needs compensation: its effect is unknown or unwanted."""
        if isinstance(reply, TryAgainError) and not call.may_be_done:
            return call.script is GIVE
        return isinstance(reply, Exception) or (call.script is TAKE and not call.is_wanted)

    async def _exchange(self, calls: list[Call], deadline: float) -> list[Any]:
        """Return the replies, with an exception for each call that failed."""
        # A broken connection may just be stale after a server restart, so try once more.
        is_last = False
        self._failure = None
        while True:
            try:
                return await self._wire.exchange(self._node, calls, deadline)
            except (RedisError, OSError) as error:
                if is_last:
                    raise
                self._failure = error
            if self._wire.insists:
                await asyncio.sleep(TRY_AGAIN_S)
            else:
                is_last = True


def _give_up(call: Call) -> None:
    if call.reply is not None and not call.reply.done():
        call.reply.set_exception(unavailable(TimeoutError("no reply in time")))


def ignore_failure(done: "asyncio.Future[bytes]") -> None:
    """Mark the failure of a call that nobody waits for as seen."""
    if not done.cancelled():
        done.exception()

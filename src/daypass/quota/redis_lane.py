"""Commands on their way to one Redis node: those of one moment share a round trip.

A command whose reply is lost may have been carried out, or may yet be. So each is made to be
repeatable under its own key, and what it may have taken is owed: given back by name with the
next commands that arrive.
"""

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError

from daypass.quota.ledger import DECISION_S, LedgerUnavailableError
from daypass.quota.redis_scripts import GIVE, TAKE, Script
from daypass.quota.redis_wire import Command, Wire

BATCH = 256
MOST_OWED = 10_000


@dataclass(slots=True)
class Call:
    """One call of a script, and the future of its reply."""

    script: Script
    keys: tuple[str, ...]
    arguments: tuple[str | int, ...]
    """Those of take.lua or give.lua."""
    deadline: float = 0
    """By the event loop's clock; set when it is submitted."""
    reply: asyncio.Future[bytes] | None = None

    def command(self, by: str) -> Command:
        """As `by` says: EVALSHA names the script, EVAL brings it along."""
        script = self.script.sha if by == "EVALSHA" else self.script.text
        return (by, script, len(self.keys), *self.keys, *self.arguments)

    @property
    def is_wanted(self) -> bool:
        """Whether anybody still waits for the reply."""
        return self.reply is not None and not self.reply.done()

    def amends(self) -> "list[Call]":
        """What makes good this call, if its reply is lost or nobody waits for it."""
        if self.script is GIVE:
            return [Call(GIVE, self.keys, self.arguments)]
        if len(self.keys) == 1:
            return []
        offset, _, _, _, _, _, *claims = self.arguments
        return [Call(GIVE, self.keys, (offset, "", "", *claims))]


class Lane:
    """The calls to one node. One round trip at a time: who comes meanwhile shares the next."""

    def __init__(self, wire: Wire, node: str) -> None:
        self._wire = wire
        self._node = node
        self._calls: deque[Call] = deque()
        self._owed: deque[Call] = deque(maxlen=MOST_OWED)
        self._worker: asyncio.Task[None] | None = None

    def submit(self, call: Call) -> asyncio.Future[bytes]:
        """Send a call with the others of this turn of the event loop.

        The reply raises LedgerUnavailableError when there is none within DECISION_S.
        """
        loop = asyncio.get_running_loop()
        call.reply = loop.create_future()
        call.deadline = loop.time() + DECISION_S
        self._calls.append(call)
        if self._worker is None:
            self._worker = loop.create_task(self._work())
        return call.reply

    async def drain(self) -> None:
        """Wait until everything has been sent, what is owed too if the node can be reached."""
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
        try:
            async with asyncio.timeout_at(deadline):
                replies = await self._exchange(calls)
        # Whatever it was (redis-py's Cluster raises more than it says), nobody waits for ever.
        except Exception as error:
            replies = [error] * len(calls)
        self._owed.clear()
        for call, reply in zip(calls, replies, strict=True):
            is_lost = isinstance(reply, Exception)
            if is_lost or (call.script is TAKE and not call.is_wanted):
                self._owed.extend(call.amends())
            if call.reply is None or not call.is_wanted:
                continue
            if is_lost:
                failure = LedgerUnavailableError(f"Redis: {reply or type(reply).__name__}")
                call.reply.set_exception(failure)
            else:
                call.reply.set_result(reply)

    async def _exchange(self, calls: list[Call]) -> list[Any]:
        """The replies to calls; an exception in place of one that failed."""
        replies = await self._patiently([x.command("EVALSHA") for x in calls])
        unknown = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            # All that follows is repeated too, which changes nothing that was carried out: so
            # that what is owed is given back before anything is refused for want of it.
            first = unknown[0]
            replies[first:] = await self._patiently(
                [
                    calls[i].command("EVAL" if i in unknown else "EVALSHA")
                    for i in range(first, len(calls))
                ]
            )
        return replies

    async def _patiently(self, commands: list[Command]) -> list[Any]:
        # A connection that breaks off may only be an old one: the server was restarted.
        with contextlib.suppress(RedisConnectionError):
            return await self._wire.exchange(self._node, commands)
        return await self._wire.exchange(self._node, commands)

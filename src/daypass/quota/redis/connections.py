"""One connection to one server, which is known to be a master before it is used."""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any

import hiredis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MasterDownError, NoScriptError, ReadOnlyError, ResponseError

from daypass.quota.counters import SECOND
from daypass.quota.ledger import LedgerUnavailableError
from daypass.quota.redis.call import Call, Command
from daypass.quota.redis.url import Access, Place

# hiredis annotates a tuple of one argument and takes any number of them.
pack: Callable[[Command], bytes] = hiredis.pack_command  # type: ignore[assignment]

_CONDITIONS = {
    "read only replica": "Redis is read-only: this server is a replica",
    "not a master": "Redis is read-only: this server is a replica",
    "'maxmemory'": "Redis is out of memory (maxmemory)",
    "NOREPLICAS": "Redis has too few replicas (min-replicas-to-write)",
    "replicas have it": "too few replicas of Redis confirm what is written",
    "MISCONF": "Redis cannot save to its disk",
    "is loading the dataset": "Redis is still loading its data",
}
"""Words in an error of Redis, and what may be told to anyone of its reason."""
_UNFIT = re.compile(r"\b(READONLY|MASTERDOWN|LOADING|NOREPLICAS)\b")
"""Where redis-py has no class for an error, or Redis 6 wraps it in one of the script."""
WAIT_SHARE = 0.8
"""Of the time that is left, what the replicas have of it."""


class UnfitServerError(RedisConnectionError):
    """The server is no master, or may not write now."""


class NotReplicatedError(ResponseError):
    """Fewer replicas than the operator asks for have what was written."""


class Link:
    """A connection to a server. One exchange at a time; a failure closes it."""

    def __init__(self, access: Access, place: Place, asking_replicas: int = 0) -> None:
        """It is opened by `open`. `asking_replicas`: so many must have what a call takes."""
        self.place = place
        self._connection: AbstractConnection = access.connection(place)
        self._connect_s = access.timeout_s
        self._replicas = asking_replicas
        # What the scripts see of the server (`call.Server`).
        self.run_id = "-"
        self.joined = 0
        self.has_moved = False
        self._clock_ahead = 0

    async def open(self) -> None:
        """Connect, and learn which server this is. Raises RedisError or OSError."""
        await self.connect()
        before = _monotonic_us()
        replies = await self.talk([("INFO", "server"), ("INFO", "replication"), ("TIME",)])
        server, replication, time = replies
        if isinstance(time, Exception):
            raise time
        self.joined = int(time[0]) * SECOND + int(time[1])
        self._clock_ahead = self.joined - before
        self.run_id = _field(server, b"run_id") or "-"
        role = _field(replication, b"role")
        if role not in ("master", ""):
            await self.close()
            raise UnfitServerError(f"{self.place} is a {role}, not a master")

    async def connect(self) -> None:
        """Connect only, in the time that this server has. Raises RedisError or OSError."""
        async with asyncio.timeout(self._connect_s):
            await self._connection.connect()  # type: ignore[no-untyped-call]

    @property
    def is_open(self) -> bool:
        """Whether it can be used, as far as is known."""
        return bool(self._connection.is_connected)

    def clock(self) -> int:
        """The server's clock (Unix µs), by what it said when it was reached."""
        return _monotonic_us() + self._clock_ahead

    async def run(
        self, calls: Sequence[Call], deadline: float, *, asking: bool = False
    ) -> list[Any]:
        """Send calls in one packet. Returns a reply or a ResponseError for each.

        `deadline` is by the event loop's clock. Raises RedisError or OSError when it fails as a
        whole, and then every call may have been carried out.
        """
        replies = await self._run(calls, ["EVALSHA"] * len(calls), deadline, asking=asking)
        unknown = {i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)}
        if unknown:
            # All that follows is repeated too, which changes nothing that was carried out: so
            # that what is owed is given back before anything is refused for want of it.
            first = min(unknown)
            by = ["EVAL" if i in unknown else "EVALSHA" for i in range(first, len(calls))]
            replies[first:] = await self._run(calls[first:], by, deadline, asking=asking)
        return replies

    async def _run(
        self, calls: Sequence[Call], by: Sequence[str], deadline: float, *, asking: bool
    ) -> list[Any]:
        commands: list[Command] = []
        for call, how in zip(calls, by, strict=True):
            if asking:
                commands.append(("ASKING",))
            commands.append(call.command(how, self))
        waits = self._replicas and any(call.takes for call in calls)
        if waits:
            left = deadline - asyncio.get_running_loop().time()
            commands.append(("WAIT", self._replicas, max(1, int(left * WAIT_SHARE * 1000))))
        try:
            replies = await self.talk(commands)
        except BaseException:
            for call in calls:
                call.may_be_done = True
            raise
        confirmed = replies.pop() if waits else self._replicas
        if asking:
            replies = replies[1::2]
        for reply in replies:
            if _says_unfit(reply):
                await self.close()
                raise UnfitServerError(f"{self.place}: {reply}")
        if confirmed != self._replicas and (
            isinstance(confirmed, Exception) or confirmed < self._replicas
        ):
            error = NotReplicatedError(f"{confirmed} of {self._replicas} replicas have it")
            for place, call in enumerate(calls):
                if call.takes:
                    replies[place] = error
        return replies

    async def talk(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands in one packet and read the replies. A failure closes the connection.

        The caller sets a time for the whole.
        """
        connection = self._connection
        if not connection.is_connected:
            raise RedisConnectionError(f"not connected to {self.place}")
        try:
            await connection.send_packed_command([pack(x) for x in commands])
            replies: list[Any] = []
            for _ in commands:
                try:
                    replies.append(await connection.read_response())
                except ResponseError as error:
                    replies.append(error)
            return replies
        except BaseException:
            await self.close()
            raise

    async def listen(self) -> Any:
        """The next message of a subscription, however long it takes."""
        return await self._connection.read_response()

    async def close(self) -> None:
        """Disconnect. An exchange that is under way fails."""
        await self._connection.disconnect(nowait=True)


def unavailable(error: Exception) -> LedgerUnavailableError:
    """The error that callers of a ledger get when Redis fails with `error`."""
    text = str(error) or type(error).__name__
    reasons = (reason for sign, reason in _CONDITIONS.items() if sign in text)
    return LedgerUnavailableError(f"Redis: {text}", next(reasons, "Redis does not answer"))


def _says_unfit(reply: Any) -> bool:
    if isinstance(reply, ReadOnlyError | MasterDownError):
        return True
    return isinstance(reply, ResponseError) and bool(_UNFIT.search(str(reply)))


def _field(info: Any, name: bytes) -> str:
    """A field of what INFO says. Empty where the user may not ask."""
    found = re.search(rb"^" + name + rb":(\S+)", info, re.MULTILINE) if _is_text(info) else None
    return found[1].decode() if found else ""


def _is_text(reply: Any) -> bool:
    return isinstance(reply, bytes)


def _monotonic_us() -> int:
    return int(asyncio.get_running_loop().time() * SECOND)

"""One connection to one server, used only after the server proves to be a master."""

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

# hiredis annotates a one-element tuple but accepts any length.
pack: Callable[[Command], bytes] = hiredis.pack_command  # type: ignore[assignment]

_CONDITIONS = {
    "read only replica": "Redis is read-only: this server is a replica",
    "not a master": "Redis is read-only: this server is a replica",
    "'maxmemory'": "Redis is out of memory (maxmemory)",
    "NOREPLICAS": "Redis has too few replicas (min-replicas-to-write)",
    "replicas confirmed": "too few Redis replicas confirm writes",
    "MISCONF": "Redis cannot save to its disk",
    "is loading the dataset": "Redis is still loading its data",
}
"""Text in a Redis error, and the reason that may be shown publicly."""
_UNFIT = re.compile(r"\b(READONLY|MASTERDOWN|LOADING|NOREPLICAS)\b")
"""Errors without a class in redis-py, or that Redis 6 wraps in a script error."""
WAIT_SHARE = 0.8
"""Share of the remaining time that WAIT may use."""


class UnfitServerError(RedisConnectionError):
    """The server is not a master, or cannot accept writes now."""


class NotReplicatedError(ResponseError):
    """Fewer replicas than the operator requires confirmed a write."""


class Link:
    """A connection to a server. It allows one exchange at a time; a failure closes it."""

    def __init__(self, access: Access, place: Place, asking_replicas: int = 0) -> None:
        """`asking_replicas` is the number that must confirm each write. Call `open` to connect."""
        self.place = place
        self._connection: AbstractConnection = access.connection(place)
        self._connect_s = access.timeout_s
        self._replicas = asking_replicas
        # Passed to the scripts (`call.Server`).
        self.run_id = "-"
        self.joined = 0
        self.has_moved = False
        self._clock_ahead = 0

    async def open(self) -> None:
        """Connect and identify the server. Raises RedisError or OSError."""
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
        """Connect within the configured timeout. Raises RedisError or OSError."""
        async with asyncio.timeout(self._connect_s):
            await self._connection.connect()  # type: ignore[no-untyped-call]

    @property
    def is_open(self) -> bool:
        """Return whether the connection is open, as far as is known."""
        return bool(self._connection.is_connected)

    def clock(self) -> int:
        """Return the server's time (Unix µs), by its offset measured on connecting."""
        return _monotonic_us() + self._clock_ahead

    async def run(
        self, calls: Sequence[Call], deadline: float, *, asking: bool = False
    ) -> list[Any]:
        """Send calls in one packet and return a reply or a ResponseError for each.

        `deadline` is in the event loop's time. Raises RedisError or OSError if the exchange fails;
        then any of the calls may have run.
        """
        replies = await self._run(calls, ["EVALSHA"] * len(calls), deadline, asking=asking)
        unknown = {i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)}
        if unknown:
            # Repeat every call from there on, in order, so that units owed are given back before
            # a later call could be refused for lack of them. Calls that already ran change nothing.
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
            error = NotReplicatedError(f"{confirmed} of {self._replicas} replicas confirmed it")
            for place, call in enumerate(calls):
                if call.takes:
                    replies[place] = error
        return replies

    async def talk(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands in one packet and read the replies. A failure closes the connection.

        The caller sets the timeout.
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
        """Return the next message of a subscription. Waits without a timeout."""
        return await self._connection.read_response()

    async def close(self) -> None:
        """Disconnect. An exchange in progress fails."""
        await self._connection.disconnect(nowait=True)


def unavailable(error: Exception) -> LedgerUnavailableError:
    """Return the ledger's error for a Redis failure."""
    text = str(error) or type(error).__name__
    reasons = (reason for sign, reason in _CONDITIONS.items() if sign in text)
    return LedgerUnavailableError(f"Redis: {text}", next(reasons, "Redis does not answer"))


def _says_unfit(reply: Any) -> bool:
    if isinstance(reply, ReadOnlyError | MasterDownError):
        return True
    return isinstance(reply, ResponseError) and bool(_UNFIT.search(str(reply)))


def _field(info: Any, name: bytes) -> str:
    """Return a field of an INFO reply. Empty if the user lacks permission for INFO."""
    found = re.search(rb"^" + name + rb":(\S+)", info, re.MULTILINE) if _is_text(info) else None
    return found[1].decode() if found else ""


def _is_text(reply: Any) -> bool:
    return isinstance(reply, bytes)


def _monotonic_us() -> int:
    return int(asyncio.get_running_loop().time() * SECOND)

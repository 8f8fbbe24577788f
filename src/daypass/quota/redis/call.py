"""One script call, encoded so that it can be retried without taking effect twice."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from daypass.quota.counters import SECOND
from daypass.quota.redis.scripts import GIVE, TAKE, Script

Command = tuple[str | bytes | int, ...]

VALID_S = 300
"""Seconds for which a call may run: less than the server remembers it (REMEMBER, buckets.lua)."""


@dataclass(slots=True)
class Call:
    """One call of a script, and the future of its reply."""

    script: Script
    key: str
    """Key of the hash that holds the counters."""
    name: str
    """Idempotency key under which the server remembers the call. Empty for a read-only call."""
    arguments: tuple[str | int, ...]
    """Arguments specific to the script."""
    deadline: float = 0
    """In the event loop's time; set on submission."""
    reply: asyncio.Future[bytes] | None = None
    valid_until: int = 0
    """In the server's time (Unix µs); set when the call is first sent."""
    has_one_key: bool = False
    """Whether the call names one key only, so the server remembers it in the hash."""
    may_be_done: bool = False
    """Whether this call, or the call it compensates, may have run with the current number of keys.
    If so it must keep that number: with the other, the script would not find its record."""

    def command(self, by: str, server: "Server") -> Command:
        """Return the command for `by`: EVALSHA (script by hash) or EVAL (script in full)."""
        if not self.valid_until:
            self.valid_until = server.clock() + VALID_S * SECOND
        script = self.script.sha if by == "EVALSHA" else self.script.text
        keys: tuple[str, ...] = (self.key,)
        if self.name and not self.has_one_key:
            keys = (self.key, f"{self.key}:{self.name}")
        return (
            by, script, len(keys), *keys,
            self.name, self.valid_until, server.run_id, server.joined, int(server.has_moved),
            *self.arguments,
        )  # fmt: skip

    @property
    def is_wanted(self) -> bool:
        """Return whether a caller still awaits the reply."""
        return self.reply is not None and not self.reply.done()

    @property
    def takes(self) -> bool:
        """Return whether the call can take units."""
        return self.script is TAKE and bool(self.name)

    def compensation(self) -> "list[Call]":
        """Return the calls that undo a TAKE or repeat a GIVE whose reply was lost or abandoned."""
        if self.script is GIVE:
            again = Call(GIVE, self.key, self.name, self.arguments)
            again.valid_until, again.may_be_done = self.valid_until, self.may_be_done
        elif self.takes:
            offset, _, _, _, _, _, *claims = self.arguments
            again = Call(GIVE, self.key, self.name, (offset, "", "", *claims), may_be_done=True)
        else:
            return []
        again.has_one_key = self.has_one_key
        return [again]


class Server(Protocol):
    """The server at the other end of a connection, as the scripts see it."""

    run_id: str
    """Identifies one run of a server: a restart changes it. `-` if unknown."""
    joined: int
    """When this process first connected to this run (Unix µs, server's clock)."""
    has_moved: bool
    """Whether this process used another server before."""

    def clock(self) -> int:
        """Return the server's time (Unix µs)."""

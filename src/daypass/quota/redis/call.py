"""One call of a script: what is sent, and how it is repeated without being done twice."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from daypass.quota.counters import SECOND
from daypass.quota.redis.scripts import GIVE, TAKE, Script

Command = tuple[str | bytes | int, ...]

VALID_S = 300
"""Seconds in which a call may be carried out: less than the server remembers it (buckets.lua)."""


@dataclass(slots=True)
class Call:
    """One call of a script, and the future of its reply."""

    script: Script
    key: str
    """Of the hash that holds the counters."""
    name: str
    """Under which the server remembers it. Empty: it only looks."""
    arguments: tuple[str | int, ...]
    """Those that are the script's own."""
    deadline: float = 0
    """By the event loop's clock; set when it is submitted."""
    reply: asyncio.Future[bytes] | None = None
    valid_until: int = 0
    """By the server's clock (Unix µs); set when it is first sent."""
    has_one_key: bool = False
    """Whether the server shall remember it in the hash, for want of a second key."""
    may_be_done: bool = False
    """Whether it, or what it makes good, may have been carried out in this form: then it must not
    be sent in the other one, with one key or two, which would not know of it."""

    def command(self, by: str, server: "Server") -> Command:
        """As `by` says: EVALSHA names the script, EVAL brings it along."""
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
        """Whether anybody still waits for the reply."""
        return self.reply is not None and not self.reply.done()

    @property
    def takes(self) -> bool:
        """Whether it takes units, where there are any."""
        return self.script is TAKE and bool(self.name)

    def compensation(self) -> "list[Call]":
        """What makes good this call, if its reply is lost or nobody waits for it."""
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
    """The server that a connection has reached, as the scripts see it."""

    run_id: str
    """Identifies one run of a server: a restart changes it. `-` if it is unknown."""
    joined: int
    """When this process first reached this run (Unix µs, by the server's clock)."""
    has_moved: bool
    """Whether this process counted on another server before."""

    def clock(self) -> int:
        """Return the server's time (Unix µs)."""

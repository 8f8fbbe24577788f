"""The scripts, and the arguments and replies of take.lua and give.lua."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import chain
from typing import NamedTuple

from daypass.domain.plans import Amounts
from daypass.quota.counters import SECOND, Counter
from daypass.quota.ledger import Claim

TOO_LATE = -1
UNKNOWN = -2
SPENT = -3


@dataclass(frozen=True, eq=False)
class Script:
    """A Lua script, which the server caches by its SHA-1."""

    name: str
    text: str = field(init=False, repr=False)
    sha: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        here = files("daypass.quota.redis")
        text = "\n".join(here.joinpath(f"{x}.lua").read_text() for x in ("buckets", self.name))
        object.__setattr__(self, "text", text)
        object.__setattr__(
            self, "sha", hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        )


TAKE = Script("take")
GIVE = Script("give")
LEASE = Script("lease")


class ScriptReply(NamedTuple):
    """A reply of take.lua: the units taken, the time, and the resulting counters."""

    units: int
    now: int
    """Unix time in microseconds."""
    begun: int
    """When the counters were created, which tells them from counters created after a loss."""
    reign: int
    """When the server's present reign over the counters began (buckets.lua)."""
    counters: tuple[Counter, ...]
    reign_lasted_s: float = 0
    """Set only for UNKNOWN, where the counters are those stored."""
    is_older: bool = False
    """Whether these counters were created in an earlier reign."""

    @classmethod
    def of(cls, reply: bytes) -> "ScriptReply":
        """Parse a reply."""
        units, now, begun, reign, *rest = map(int, reply.split())
        if units == UNKNOWN:
            *rest, lasted, is_older = rest
        numbers = iter(rest)
        answer = cls(units, now, begun, reign, tuple(map(Counter, numbers, numbers)))
        if units == UNKNOWN:
            return answer._replace(reign_lasted_s=lasted / SECOND, is_older=bool(is_older))
        return answer

    def __str__(self) -> str:
        """Return the reply in the format of give.lua."""
        numbers = (
            self.units, self.now, self.begun, self.reign, *chain.from_iterable(self.counters)
        )  # fmt: skip
        return " ".join(map(str, numbers))


def arguments_of(claims: Sequence[Claim], amounts: Amounts) -> tuple[str | int, ...]:
    """Return name, window, amount, burst and amount of one unit per claim, as the scripts read."""
    arguments: list[str | int] = []
    for claim in claims:
        limit = claim.limit
        each = amounts[claim.measure]
        arguments += (claim.name, limit.window.value, limit.amount, limit.burst or 0, each)
    return tuple(arguments)

"""The ledger interface: claims in, one reservation or one refusal out.

A request makes a *claim* on each of its buckets (its key's, its account's, the site's). The
ledger grants all of them in one atomic step or none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from daypass.domain.plans import Limit
from daypass.quota.counters import Counter, resets_at, units_used

SubjectKind = Literal["key", "account", "site", "give_backs"]

DECISION_S = 1.8
"""Seconds that a store has to answer before LedgerUnavailableError is raised."""


class LedgerUnavailableError(Exception):
    """The ledger could not decide, so the request must not be relayed."""

    def __init__(self, message: str, public_reason: str = "its store does not answer") -> None:
        """Take a `message` for the log and a `public_reason` without addresses for anyone."""
        super().__init__(message)
        self.public_reason = public_reason


class Subject(NamedTuple):
    """The owner of a bucket: the key in a slot of an account, the account, or the site.

    `give_backs` is also per account: its bucket counts the requests that were given back.
    """

    kind: SubjectKind
    account: str = ""
    slot: int = 0

    def __str__(self) -> str:
        place = f"/{self.slot}" if self.kind == "key" else ""
        return f"{self.kind}:{self.account}{place}" if self.account else self.kind


@dataclass(frozen=True, slots=True)
class Claim:
    """A request for one unit of one bucket, granted if `subject` is within `limit`."""

    subject: Subject
    limit: Limit
    name: str = field(init=False, compare=False, repr=False)
    """The bucket's name, such as `key:acc_1/1 requests/day`."""

    def __post_init__(self) -> None:
        limit = self.limit
        window = limit.window.value if limit.burst is None else "burst"
        object.__setattr__(self, "name", f"{self.subject} {limit.measure.value}/{window}")


@dataclass(slots=True)
class BucketState:
    """The fill level of a claim's bucket."""

    claim: Claim
    used: int
    resets_at: int
    """When the window ends, or the token bucket refills one unit (Unix time, seconds)."""

    @property
    def remaining(self) -> int:
        """Return the units left."""
        return max(0, self.claim.limit.capacity - self.used)


@dataclass(slots=True, eq=False)
class Reservation:
    """Units taken from every bucket of a request, until it is settled or released."""

    at: float
    """The ledger's clock at admission (Unix time, seconds): the request belongs to this day."""
    buckets: tuple[BucketState, ...]
    taken: tuple[Counter, ...]
    """The buckets' counters at admission. They identify the windows to give units back to."""
    id: str = ""
    """The store's own identifier of the reservation, if it needs one."""
    is_open: bool = True
    """Neither settled nor released. Only the process that made a reservation closes it."""


@dataclass(slots=True)
class Refusal:
    """The refusal of a request because of a full bucket. No units were taken."""

    at: float
    """The ledger's clock (Unix time, seconds)."""
    hit: BucketState
    """The full bucket that takes longest to free."""
    buckets: tuple[BucketState, ...]


class Ledger(Protocol):
    """An exact count of requests, shared by every process.

        outcome = await ledger.reserve(claims)
        if isinstance(outcome, Refusal):
            ...  # 429: `outcome.hit` is full
        elif await call_upstream():
            ledger.settle(outcome)
        else:
            await ledger.release(outcome)

    Coroutines raise LedgerUnavailableError within 2 seconds while the store is unreachable, and
    work again once it is back.
    """

    async def start(self) -> None:
        """Open the store. Raises LedgerUnavailableError."""

    async def close(self) -> None:
        """Finish pending operations and close the store."""

    async def reserve(self, claims: Sequence[Claim]) -> Reservation | Refusal:
        """Take one unit from every claim's bucket, or none. Durable when it returns.

        If it raises or is cancelled, any units it took, or may still take, are given back.
        """

    async def release(
        self, reservation: Reservation, give_backs: Claim | None = None
    ) -> bool | Refusal:
        """Give a reservation's units back to the quota windows they came from, once.

        Throttles keep their unit. `give_backs` is the claim on the account's bucket of
        give-backs, taken in the same atomic step; None if the upstream was not called. If that
        bucket is full, return the Refusal and leave the units used. Return False if the
        reservation was already settled or released, else True. If it raises, the ledger retries
        before the store's next decision.
        """

    def settle(self, reservation: Reservation) -> None:
        """Close a reservation as used. A reservation that is never closed also counts as used."""

    async def peek(self, claims: Sequence[Claim]) -> tuple[BucketState, ...]:
        """Return the state of the claims' buckets without taking anything."""

    async def check_writable(self) -> None:
        """Test that the store accepts writes, counting nothing. Raises LedgerUnavailableError."""


def state(claim: Claim, counter: Counter) -> BucketState:
    """Return the state of a claim's bucket from its counter."""
    limit = claim.limit
    return BucketState(claim, units_used(limit, counter), resets_at(limit, counter))


def refuse(at: float, states: tuple[BucketState, ...]) -> Refusal:
    """Return the refusal at `at` (ledger's clock); at least one of the buckets is full."""
    full = [x for x in states if x.used >= x.claim.limit.capacity]
    return Refusal(at, max(full, key=lambda x: x.resets_at), states)

"""The ledger protocol: claims in, one reservation or one refusal out.

A request makes a *claim* on each of its buckets (its key's, its account's, the site's). The
ledger grants all of them in one atomic step or none. Each bucket takes the request's amount in
the bucket's measure: one request, or an upper bound of its tokens or its cost. Settling replaces
the bound by the true amount.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from daypass.domain.plans import ONE_REQUEST, Amounts, Limit, Measure
from daypass.quota.counters import Counter, resets_at, units_used

SubjectKind = Literal["key", "account", "site", "give_backs"]

_MEASURES = tuple(Measure)

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
    """A request's demand on one bucket: that `subject` stays within `limit`."""

    subject: Subject
    limit: Limit
    name: str = field(init=False, compare=False, repr=False)
    """The bucket's name: `key:acc_1/1 requests/day`."""
    measure: int = field(init=False, compare=False, repr=False)
    """The index of the limit's measure in `Amounts`."""

    def __post_init__(self) -> None:
        limit = self.limit
        object.__setattr__(self, "measure", _MEASURES.index(limit.measure))
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
    """What a request has taken from its buckets, until it is settled or released."""

    at: float
    """The ledger's clock at admission (Unix time, seconds): the request belongs to this day."""
    buckets: tuple[BucketState, ...]
    taken: tuple[Counter, ...]
    """The buckets' counters at that time, which tell the window of each."""
    amounts: Amounts = ONE_REQUEST
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
    amounts: Amounts = ONE_REQUEST
    """What was requested."""

    @property
    def full(self) -> list[BucketState]:
        """The buckets that have less left than was requested."""
        return _full(self.buckets, self.amounts)


LEASE_S = 30
"""Seconds for which a lease is held unless it is renewed."""


class Lease(NamedTuple):
    """One open request of a key, held until it ends or its process stops renewing it."""

    subject: Subject
    """The key that the limit on open requests belongs to."""
    id: str
    """Unique to the request."""


class Occupancy(NamedTuple):
    """The outcome of acquiring a lease."""

    is_admitted: bool
    used: int
    """Leases that the key now holds, including this one if it was admitted."""
    at: float
    """The ledger's clock (Unix time, seconds)."""


class Ledger(Protocol):
    """Exact counts, shared by every process.

    Example::

        outcome = await ledger.reserve(claims, Amounts(tokens=900))
        if isinstance(outcome, Refusal):
            ...  # 429: `outcome.hit` is full
        elif await call_upstream():
            ledger.settle(outcome, Amounts(tokens=312))
        else:
            await ledger.release(outcome)

    Coroutines raise LedgerUnavailableError within 2 seconds while the store is unreachable, and
    work again once it is back.
    """

    async def start(self) -> None:
        """Open the store. Raises LedgerUnavailableError."""

    async def close(self) -> None:
        """Finish pending operations and close the store."""

    async def reserve(
        self, claims: Sequence[Claim], amounts: Amounts = ONE_REQUEST
    ) -> Reservation | Refusal:
        """Take the amounts from every claim's bucket, or nothing. Durable when it returns.

        If it raises or is cancelled, any units it took, or may still take, are given back.
        """

    async def release(
        self, reservation: Reservation, give_backs: Claim | None = None
    ) -> bool | Refusal:
        """Give a reservation's amounts back to the windows they came from, once.

        Throttles on requests keep their unit. `give_backs` is the claim on the account's bucket of
        give-backs, which is taken in the same atomic step; None where the upstream was not
        called. If that bucket is full, returns the Refusal, and the units stay used. Returns
        False if the reservation was settled or released before, else True. When it raises, the
        same is done before the next decision that the store can make.
        """

    def settle(self, reservation: Reservation, used: Amounts | None = None) -> None:
        """Close a reservation, and replace its amounts by those that were really used.

        None keeps the reserved amounts, and so does a reservation that is never closed. Amounts
        may exceed the reserved ones: the next request sees the excess. Does not wait.
        """

    async def peek(self, claims: Sequence[Claim]) -> tuple[BucketState, ...]:
        """Return the state of the claims' buckets without taking anything."""

    async def acquire_lease(self, lease: Lease, limit: int) -> Occupancy:
        """Hold a lease, unless the key already holds `limit` others. One atomic step.

        It expires LEASE_S after it was acquired or last renewed. Acquiring it again changes
        nothing. If this raises or is cancelled, release the lease: it may be held.
        """

    def renew_lease(self, lease: Lease) -> None:
        """Hold a lease for another LEASE_S, even if the store has lost it. Does not wait."""

    def release_lease(self, lease: Lease) -> None:
        """Free a lease at once. Does not wait; if the store is away, the lease expires."""

    async def count_leases(self, subjects: Sequence[Subject]) -> tuple[int, ...]:
        """Return how many leases each key holds, without changing anything."""

    async def check_writable(self) -> None:
        """Test that the store accepts writes, counting nothing. Raises LedgerUnavailableError."""


def state(claim: Claim, counter: Counter) -> BucketState:
    """Return the state of a claim's bucket from its counter."""
    limit = claim.limit
    return BucketState(claim, units_used(limit, counter), resets_at(limit, counter))


def refuse(at: float, states: tuple[BucketState, ...], amounts: Amounts = ONE_REQUEST) -> Refusal:
    """Return the refusal of amounts that do not fit into at least one of the buckets."""
    hit = max(_full(states, amounts), key=lambda x: x.resets_at)
    return Refusal(at, hit, states, amounts)


def _full(states: Sequence[BucketState], amounts: Amounts) -> list[BucketState]:
    """Return the buckets with too little room. One that is beyond its limit has room for 0."""
    return [x for x in states if 0 < amounts[x.claim.measure] > x.claim.limit.capacity - x.used]

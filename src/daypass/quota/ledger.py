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
"""Seconds that a store has to answer; after them LedgerUnavailableError is raised."""


class LedgerUnavailableError(Exception):
    """The ledger could not decide. Nothing may be relayed on its behalf."""

    def __init__(self, message: str, public_reason: str = "its store does not answer") -> None:
        """`message` is for the log; `public_reason` names no address and may be shown to anyone."""
        super().__init__(message)
        self.public_reason = public_reason


class Subject(NamedTuple):
    """Whom a bucket counts for: the key in a slot of an account, the account, or the site.

    `give_backs` is the account once more: its bucket counts the requests that were given back.
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
    """How full a claim's bucket is."""

    claim: Claim
    used: int
    resets_at: int
    """When its window ends, or a token bucket refills one unit (Unix time, seconds)."""

    @property
    def remaining(self) -> int:
        """Units left."""
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
    """The name under which the store knows it, where it has to."""
    is_open: bool = True
    """Neither settled nor released. Only the process that made a reservation closes it."""


@dataclass(slots=True)
class Refusal:
    """A full bucket: nothing was taken from any. `at` is the ledger's clock."""

    at: float
    hit: BucketState
    """Of the full buckets, the one that frees last."""
    buckets: tuple[BucketState, ...]
    amounts: Amounts = ONE_REQUEST
    """What was requested."""

    @property
    def full(self) -> list[BucketState]:
        """The buckets that have less left than was requested."""
        return _full(self.buckets, self.amounts)


class Ledger(Protocol):
    """Counts exactly.

    Example::

        outcome = await ledger.reserve(claims, Amounts(tokens=900))
        if isinstance(outcome, Reservation):
            ledger.settle(outcome, Amounts(tokens=312))

    What waits raises LedgerUnavailableError within 2 seconds when the store is away, and works
    again once it is back.
    """

    async def start(self) -> None:
        """Open the store. Raises LedgerUnavailableError."""

    async def close(self) -> None:
        """Finish what is under way and let go of the store."""

    async def reserve(
        self, claims: Sequence[Claim], amounts: Amounts = ONE_REQUEST
    ) -> Reservation | Refusal:
        """Take the amounts from every claim's bucket, or nothing. Durable when it returns.

        When it raises or is cancelled, whatever it took or may still take is given back.
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

        None keeps what was reserved, and so does a reservation that is never closed. Amounts may
        exceed the reserved ones: the next request sees the excess. Does not wait.
        """

    async def peek(self, claims: Sequence[Claim]) -> tuple[BucketState, ...]:
        """How full the claims' buckets are now. Takes nothing."""

    async def check_writable(self) -> None:
        """Write something that counts for nobody. Raises LedgerUnavailableError."""


def state(claim: Claim, counter: Counter) -> BucketState:
    """How full a claim's bucket is, by its counter."""
    limit = claim.limit
    return BucketState(claim, units_used(limit, counter), resets_at(limit, counter))


def refuse(at: float, states: tuple[BucketState, ...], amounts: Amounts = ONE_REQUEST) -> Refusal:
    """Return the refusal of amounts that do not fit into at least one of the buckets."""
    hit = max(_full(states, amounts), key=lambda x: x.resets_at)
    return Refusal(at, hit, states, amounts)


def _full(states: Sequence[BucketState], amounts: Amounts) -> list[BucketState]:
    return [x for x in states if x.used + amounts[x.claim.measure] > x.claim.limit.capacity]

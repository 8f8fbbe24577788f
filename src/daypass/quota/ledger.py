"""What a ledger is: claims in, one reservation or one refusal out.

A request makes a *claim* on each of its buckets (its key's, its account's, the site's). The
ledger grants all of them in one atomic step or none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from daypass.plans import Limit

SubjectKind = Literal["key", "account", "site"]


class LedgerUnavailableError(Exception):
    """The ledger could not decide. Nothing may be relayed on its behalf."""


class Subject(NamedTuple):
    """Whom a bucket counts for."""

    kind: SubjectKind
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


class Bucket(NamedTuple):
    """The name of one counter: a subject's use of one measure in one window."""

    subject: str
    window: str
    start: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What one request asks of one bucket: a unit, if `subject` is within `limit`."""

    subject: Subject
    limit: Limit

    def bucket(self, at: float) -> Bucket:
        """The bucket that holds the instant `at` (Unix time, seconds)."""
        limit = self.limit
        return Bucket(
            str(self.subject),
            f"{limit.measure.value}/{limit.window.value}",
            limit.window.start(at),
        )


@dataclass(frozen=True, slots=True)
class BucketState:
    """How full a claim's bucket is."""

    claim: Claim
    used: int
    resets_at: int
    """Unix time in seconds."""

    @property
    def remaining(self) -> int:
        """Units left in the window."""
        return max(0, self.claim.limit.amount - self.used)


@dataclass(frozen=True, slots=True)
class Reservation:
    """Units taken from every bucket of a request, until it is settled or released."""

    id: int
    at: float
    """The ledger's clock at admission (Unix time, seconds): the request belongs to this day."""
    buckets: tuple[BucketState, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A full bucket: nothing was taken from any. `at` is the ledger's clock."""

    at: float
    hit: BucketState
    """Of the full buckets, the one that frees last."""
    buckets: tuple[BucketState, ...]


class Ledger(Protocol):
    """Counts exactly. Every method raises LedgerUnavailableError when the store is away."""

    async def reserve(self, claims: Sequence[Claim]) -> Reservation | Refusal:
        """Take one unit from every claim's bucket, or none. Durable when it returns."""

    async def release(self, reservation: Reservation) -> bool:
        """Give a reservation's units back to the windows they came from.

        Returns False where it was settled or released before: units come back once.
        """

    def settle(self, reservation: Reservation) -> None:
        """Close a reservation as used. Does not wait; one that is lost counts as used anyway."""

    async def peek(self, claims: Sequence[Claim]) -> tuple[BucketState, ...]:
        """How full the claims' buckets are now. Takes nothing."""


def decide(states: Sequence[BucketState]) -> BucketState | None:
    """The bucket that refuses one unit more: of the full ones, the one that frees last."""
    full = [state for state in states if state.used >= state.claim.limit.amount]
    return max(full, key=lambda state: state.resets_at, default=None)

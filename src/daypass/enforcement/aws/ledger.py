"""The ledger used when API Gateway counts: every call that arrives has been admitted."""

from collections.abc import Sequence

from daypass.domain.plans import ONE_REQUEST, Amounts
from daypass.domain.times import Clock
from daypass.enforcement.aws.usage import Use
from daypass.quota.ledger import (
    BucketState,
    Claim,
    Lease,
    Occupancy,
    Refusal,
    Reservation,
    Subject,
)


class ApiGatewayLedger:
    """Admits every request and counts nothing. API Gateway gives no units back."""

    def __init__(self, use: Use, clock: Clock) -> None:
        """`clock` gives Unix time in seconds."""
        self._use = use
        self._clock = clock

    async def start(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    async def reserve(
        self, claims: Sequence[Claim], amounts: Amounts = ONE_REQUEST
    ) -> Reservation | Refusal:
        """Grant it: API Gateway has taken the unit."""
        return Reservation(self._clock(), buckets=(), taken=())

    async def release(
        self, reservation: Reservation, give_backs: Claim | None = None
    ) -> bool | Refusal:
        """Return False: API Gateway does not give units back."""
        return False

    def settle(self, reservation: Reservation, used: Amounts | None = None) -> None:
        """It is settled."""

    async def peek(self, claims: Sequence[Claim]) -> tuple[BucketState, ...]:
        """Return the state of the claims' quotas. The use of throttles is unknown."""
        return tuple([await self._state(claim) for claim in claims])

    async def acquire_lease(self, lease: Lease, limit: int) -> Occupancy:
        """Admit it: API Gateway has no limit on open requests."""
        return Occupancy(is_admitted=True, used=0, at=self._clock())

    def renew_lease(self, lease: Lease) -> None:
        """There is nothing to renew."""

    def release_lease(self, lease: Lease) -> None:
        """There is nothing to release."""

    async def count_leases(self, subjects: Sequence[Subject]) -> tuple[int, ...]:
        """Return zeros: nothing is held."""
        return (0,) * len(subjects)

    async def check_writable(self) -> None:
        """Do nothing."""

    async def _state(self, claim: Claim) -> BucketState:
        window = claim.limit.window
        used = 0 if window.is_throttle else await self._use.shown(claim.subject.account, window)
        return BucketState(claim, used, window.end(window.start(self._clock())))

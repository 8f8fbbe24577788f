"""The ledger where API Gateway counts: every call that gets here has been admitted already."""

from collections.abc import Sequence

from daypass.domain.times import Clock
from daypass.enforcement.aws.usage import Use
from daypass.quota.ledger import BucketState, Claim, Refusal, Reservation


class ApiGatewayLedger:
    """Counts nothing and refuses nobody. API Gateway gives no unit back, so neither does this."""

    def __init__(self, use: Use, clock: Clock) -> None:
        """`clock` gives Unix time in seconds."""
        self._use = use
        self._clock = clock

    async def start(self) -> None:
        """There is nothing to open."""

    async def close(self) -> None:
        """There is nothing to close."""

    async def reserve(self, claims: Sequence[Claim]) -> Reservation | Refusal:
        """Grant it: API Gateway has taken the unit."""
        return Reservation(self._clock(), buckets=(), taken=())

    async def release(
        self, reservation: Reservation, give_backs: Claim | None = None
    ) -> bool | Refusal:
        """False: API Gateway does not give units back."""
        return False

    def settle(self, reservation: Reservation) -> None:
        """It is settled."""

    async def peek(self, claims: Sequence[Claim]) -> tuple[BucketState, ...]:
        """How full the claims' buckets are, as far as can be told: of quotas, not of throttles."""
        return tuple([await self._state(claim) for claim in claims])

    async def check_writable(self) -> None:
        """There is nothing to write."""

    async def _state(self, claim: Claim) -> BucketState:
        window = claim.limit.window
        used = 0 if window.is_throttle else await self._use.shown(claim.subject.account, window)
        return BucketState(claim, used, window.end(window.start(self._clock())))

"""The charge for one call: its reservation, from reserve to settle, and its receipt."""

from dataclasses import replace
from time import perf_counter
from typing import Any

import structlog

from daypass.domain.times import DAY_S
from daypass.gateway.authenticate import Principal
from daypass.gateway.errors import (
    GatewayError,
    fullest,
    give_backs_spent,
    over_limit,
    rate_limit_headers,
)
from daypass.gateway.usage_reader import UsageReader
from daypass.http.types import Headers
from daypass.observability.metrics import Metrics
from daypass.quota.ledger import (
    BucketState,
    Ledger,
    LedgerUnavailableError,
    Refusal,
    Reservation,
)
from daypass.records.receipts import Outcome, Receipt
from daypass.records.recorder import Recorder
from daypass.records.usage import UsageRow

GIVE_BACKS_SPENT = "give_backs_spent"

log = structlog.get_logger()


class Charge:
    """One call's unit in each bucket: reserved, then given back or settled exactly once."""

    __slots__ = (
        "_figures", "_fullest", "_is_owed", "_ledger", "_metrics", "_model", "_outcome",
        "_principal", "_recorder", "_reservation", "_row", "_via", "_why_counted", "reason",
    )  # fmt: skip

    def __init__(
        self,
        ledger: Ledger,
        recorder: Recorder,
        metrics: Metrics,
        principal: Principal,
        *,
        model: str,
        via: str,
    ) -> None:
        self._ledger = ledger
        self._metrics = metrics
        self._recorder = recorder
        self._principal = principal
        self._model = model
        self._via = via
        self._reservation: Reservation | None = None
        self._row: UsageRow
        self._fullest: BucketState | None = None
        self._outcome: Outcome = "not_counted"
        self._is_owed = False
        self._why_counted = ""
        self._figures: dict[str, Any] = {}
        self.reason = ""
        """Why the call was refused, given back, or failed after being counted; else empty."""

    async def take(self, request_id: str) -> None:
        """Reserve the call's units.

        Raises GatewayError 429 over a limit, and LedgerUnavailableError if that is unknown.
        """
        if self._recorder.is_overdue:
            raise LedgerUnavailableError("usage has not been written for too long")
        began = perf_counter()
        outcome = await self._ledger.reserve(self._principal.claims)
        self._metrics.decision.add(perf_counter() - began)
        self._fullest = fullest(outcome.buckets) if outcome.buckets else None
        if isinstance(outcome, Refusal):
            self._recorder.use(self._usage_row(outcome.at, model="")).refused += 1
            hit = outcome.hit.claim
            self.reason = f"{hit.subject.kind}_{hit.limit.window.value}"
            self._outcome = "refused"
            self._write_receipt(request_id, outcome.at, 429)
            self._metrics.count(self._outcome, 429)
            raise over_limit(outcome, self._principal.usage_plan.id)
        self._reservation = outcome
        self._outcome = "counted"
        self._row = self._usage_row(outcome.at, self._model)
        use = self._recorder.use(self._row)
        use.requests += 1
        use.last_at = int(outcome.at)

    @property
    def headers(self) -> Headers:
        """The current rate-limit headers."""
        if self._reservation is None or self._fullest is None:
            return []
        return rate_limit_headers(self._fullest, self._reservation.at)

    async def give_back(self, reason: str) -> None:
        """Release the units of a call that the upstream did not serve.

        They stay used once the account has spent its daily give-backs.
        """
        self.reason = reason
        if self._reservation is None or self._outcome != "counted":
            return
        try:
            released = await self._ledger.release(self._reservation, self._principal.give_backs)
        except LedgerUnavailableError as error:
            log.warning("unit_owed", reason=str(error))
            self._is_owed = True
            return
        if isinstance(released, Refusal):
            log.warning("give_backs_spent", account_id=self._principal.account_id, failure=reason)
            self.reason = GIVE_BACKS_SPENT
            self._why_counted, self._figures = give_backs_spent(released)
        elif released:
            self._outcome = "given_back"
            self._recorder.use(self._row).requests -= 1
            back = [_without_its_unit(x) for x in self._reservation.buckets]
            self._fullest = fullest(back) if back else None

    def keep(self, reason: str, why: str) -> None:
        """Keep the units of an unanswered call. `why` is shown to the client."""
        self.reason = reason
        if self._reservation is not None:
            self._why_counted = why

    @property
    def counts_after_all(self) -> bool:
        """Whether the call failed but still counts."""
        return bool(self._why_counted)

    def explain(self, error: GatewayError) -> None:
        """Add to an error whether and why the failed call still counts."""
        if self._why_counted:
            error.count(self._why_counted, **self._figures)
        elif self._is_owed:
            error.uncounted = False
            error.message += " This request counts until Daypass can reach its counters again."
        elif self._outcome == "given_back" and self._is_throttled:
            error.uncounted = False
            error.message += " This request was counted against the limit per minute only."

    @property
    def _is_throttled(self) -> bool:
        return any(x.limit.window.is_throttle for x in self._principal.claims)

    def close(self, request_id: str, status: int, usage: UsageReader) -> None:
        """Settle the call unless it was given back, and write its receipt."""
        tokens = (0, 0)
        if self._reservation is not None:
            if self._outcome == "counted":
                self._ledger.settle(self._reservation)
                tokens = usage.tokens()
                use = self._recorder.use(self._row)
                use.input_tokens += tokens[0]
                use.output_tokens += tokens[1]
            self._write_receipt(request_id, self._reservation.at, status)
        self._metrics.count(self._outcome, status, tokens)

    def _usage_row(self, at: float, model: str) -> UsageRow:
        day = int(at) // DAY_S * DAY_S
        return UsageRow(day, self._principal.api_key_id, model, self._via)

    def _write_receipt(self, request_id: str, at: float, status: int) -> None:
        receipt = Receipt(
            request_id,
            int(at * 1000),
            self._principal.api_key_id,
            self._model,
            self._via,
            status,
            self._outcome,
            self.reason,
            self._fullest.remaining if self._fullest else None,
        )
        self._recorder.receipt(self._principal.account_id, receipt)


def _without_its_unit(state: BucketState) -> BucketState:
    """Return a bucket's state after a give-back. Throttles keep their unit."""
    if state.claim.limit.window.is_throttle:
        return state
    return replace(state, used=max(0, state.used - 1))

"""The charge for one call: its reservation, from reserve to settle, and its receipt."""

from dataclasses import replace
from time import perf_counter
from typing import Any

import structlog

from daypass.domain.plans import Amounts, Measure
from daypass.domain.times import DAY_S
from daypass.domain.usage import NO_TOKENS, NO_UNITS, TokenUsage
from daypass.gateway.call import Call
from daypass.gateway.endpoints import EndpointClass
from daypass.gateway.errors import GatewayError, give_backs_spent, over_limit
from daypass.gateway.principal import Principal
from daypass.gateway.rate_limit_headers import fullest, rate_limit_headers
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
LOWERED_MAX = 4
"""How often an output cap is lowered before the request is refused."""

log = structlog.get_logger()


class Charge:
    """What one call takes from each bucket: reserved, then given back or settled exactly once."""

    __slots__ = (
        "_began", "_buckets", "_call", "_figures", "_is_owed", "_ledger", "_metrics", "_outcome",
        "_principal", "_recorder", "_reservation", "_row", "_settled", "_why_counted", "reason",
        "upstream_status",
    )  # fmt: skip

    def __init__(self, ledger: Ledger, recorder: Recorder, metrics: Metrics, call: Call) -> None:
        self._began = perf_counter()
        self._ledger = ledger
        self._metrics = metrics
        self._recorder = recorder
        self._call = call
        self._principal = call.principal
        self._reservation: Reservation | None = None
        self._row: UsageRow
        self._buckets: tuple[BucketState, ...] = ()
        self._outcome: Outcome = "not_counted"
        self._settled: Amounts | None = None
        self._is_owed = False
        self._why_counted = ""
        self._figures: dict[str, Any] = {}
        self.reason = ""
        """Why the call was refused, given back, or failed after being counted; else empty."""
        self.upstream_status: int | None = None
        """The status of the upstream's answer, if it has begun."""

    async def take(self, request_id: str) -> None:
        """Reserve what the call may use, and lower its output cap where only that fits.

        Raises GatewayError 429 over a limit, and LedgerUnavailableError if that is unknown.
        """
        if self._recorder.is_overdue:
            raise LedgerUnavailableError("usage has not been written for too long")
        began = perf_counter()
        outcome = await self._reserve()
        self._metrics.decision.add(perf_counter() - began)
        self._buckets = outcome.buckets
        if isinstance(outcome, Refusal):
            hit = outcome.hit.claim
            self.reason = f"{hit.subject.kind}_{hit.limit.window.value}"
            if hit.limit.measure is not Measure.REQUESTS:
                self.reason += f"_{hit.limit.measure.value}"
            self._outcome = "refused"
            receipt = self._receipt(request_id, outcome.at, 429)
            record_refusal(self._recorder, self._metrics, self._principal, receipt)
            raise over_limit(outcome, self._principal.usage_plan.id)
        self._reservation = outcome
        self._outcome = "counted"
        day = int(outcome.at) // DAY_S * DAY_S
        self._row = UsageRow(day, self._principal.api_key_id, self._call.model, self._call.via)
        use = self._recorder.use(self._row)
        use.reserve(outcome.amounts)
        use.last_at = int(outcome.at)

    async def _reserve(self) -> Reservation | Refusal:
        bound = self._call.bound
        if bound is None:
            return await self._ledger.reserve(self._principal.claims)
        outcome = await self._ledger.reserve(self._principal.claims, bound.amounts)
        for _ in range(LOWERED_MAX):
            lowered = bound.lowered_to_fit(outcome) if isinstance(outcome, Refusal) else None
            if lowered is None:
                break
            # What fits may shrink meanwhile: other requests reserve too.
            bound = lowered
            outcome = await self._ledger.reserve(self._principal.claims, bound.amounts)
        self._call.cap_output(bound)
        return outcome

    @property
    def headers(self) -> Headers:
        """The current rate-limit headers, and the output cap that the call was given."""
        headers: Headers = []
        if self._reservation is not None and self._buckets:
            headers = rate_limit_headers(self._buckets, self._reservation.at)
        bound = self._call.bound
        if bound is not None and bound.cap is not None and bound.is_edited:
            headers.append((b"x-daypass-max-output-tokens", b"%d" % bound.cap))
        return headers

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
            self._recorder.use(self._row).release(self._reservation.amounts)
            amounts = self._reservation.amounts
            self._buckets = tuple(_given_back(x, amounts) for x in self._buckets)

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
        return any(x.limit.keeps_units for x in self._principal.claims)

    def close(self, request_id: str, status: int, usage: UsageReader) -> None:
        """Settle the call unless it was given back, and write its receipt."""
        tokens = None
        if self._reservation is not None:
            if self._outcome == "counted":
                tokens = self._settle(self._reservation, usage)
            receipt = self._receipt(request_id, self._reservation.at, status)
            self._recorder.receipt(self._principal.account_id, receipt)
        self._metrics.count(self._outcome, status, tokens or NO_TOKENS)

    def _settle(self, reservation: Reservation, usage: UsageReader) -> TokenUsage | None:
        """Settle at what the answer reports.

        Without a report, the reservation stands. An upstream's error has no output, so only the
        input of its reservation stands. The status that the client sees decides nothing: it may be
        Daypass's own, while the upstream still works.
        """
        is_stored = self._call.route.endpoint.cls is EndpointClass.STORED
        # A stored object may repeat the usage of the request that made it.
        tokens = None if is_stored else usage.tokens()
        units = self._call.bound.units if self._call.bound is not None else NO_UNITS
        status = self.upstream_status or 0
        if tokens is None and 400 <= status < 500 and self._call.bound is not None:
            tokens = TokenUsage(input=self._call.bound.input_tokens)
            units = units._replace(images=0)
        if tokens is None:
            self._ledger.settle(reservation)
            return None
        price = self._call.price
        if usage.audio_seconds is not None:
            units = units._replace(audio_seconds=usage.audio_seconds)
        cost = price.cost(tokens, units) if price is not None else 0
        self._settled = Amounts(1, tokens.total, cost)
        principal = self._principal
        reserved = reservation.amounts
        used = Amounts(
            1,
            tokens.total if principal.limits_tokens else reserved.tokens,
            cost if principal.limits_cost else reserved.cost,
        )
        self._ledger.settle(reservation, used)
        self._metrics.exceed(used.tokens - reserved.tokens, used.cost - reserved.cost)
        label = price.label if price is not None else None
        self._recorder.use(self._row).settle(reserved, tokens, cost, label)
        return tokens

    def _receipt(self, request_id: str, at: float, status: int) -> Receipt:
        requests = (x for x in self._buckets if x.claim.limit.measure is Measure.REQUESTS)
        least = fullest(requests)
        reserved = tuple(self._reservation.amounts) if self._reservation is not None else None
        return Receipt(
            request_id,
            int(at * 1000),
            self._principal.api_key_id,
            self._call.model,
            self._call.via,
            status,
            self._outcome,
            self.reason,
            least.remaining if least is not None else None,
            reserved,
            tuple(self._settled) if self._settled is not None else None,
            round((perf_counter() - self._began) * 1000),
        )


def record_refusal(
    recorder: Recorder, metrics: Metrics, principal: Principal, receipt: Receipt
) -> None:
    """Record the receipt of a call that a limit refused, and count it."""
    day = receipt.at // 1000 // DAY_S * DAY_S
    recorder.use(UsageRow(day, receipt.api_key_id, "", receipt.via)).refused += 1
    recorder.receipt(principal.account_id, receipt)
    metrics.count(receipt.outcome, receipt.status)


def _given_back(state: BucketState, amounts: Amounts) -> BucketState:
    """Return a bucket's state after a give-back. Throttles on requests keep their unit."""
    if state.claim.limit.keeps_units:
        return state
    return replace(state, used=max(0, state.used - amounts[state.claim.measure]))

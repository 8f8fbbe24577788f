"""What one call costs: a reservation from its taking to its closing, and its receipt."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from daypass.gateway.asgi import Headers
from daypass.gateway.authenticate import Principal
from daypass.gateway.errors import over_limit, rate_limit_headers
from daypass.gateway.relay import UsageReader
from daypass.quota.ledger import (
    BucketState,
    Ledger,
    LedgerUnavailableError,
    Refusal,
    Reservation,
)
from daypass.records.receipts import Outcome, Receipt
from daypass.records.recorder import Recorder
from daypass.records.usage import UsageRow, Use

DAY_S = 86_400

log = structlog.get_logger()


class Charge:
    """One call's unit of each bucket: taken, then given back or settled, once."""

    def __init__(
        self, ledger: Ledger, recorder: Recorder, principal: Principal, *, model: str, via: str
    ) -> None:
        self._ledger = ledger
        self._recorder = recorder
        self._principal = principal
        self._model = model
        self._via = via
        self._reservation: Reservation | None = None
        self._buckets: Sequence[BucketState] = ()
        self._outcome: Outcome = "not_counted"
        self.reason = ""
        """Why it was given back or refused, or how a counted answer ended; empty: well."""

    async def take(self, request_id: str) -> None:
        """Reserve the call's units.

        Raises GatewayError 429 over a limit and LedgerUnavailableError when it cannot be told.
        """
        outcome = await self._ledger.reserve(self._principal.claims)
        self._buckets = outcome.buckets
        if isinstance(outcome, Refusal):
            self._record(Use(refused=1), outcome.at)
            limit = outcome.hit.claim
            self.reason = f"{limit.subject.kind}_{limit.limit.window.value}"
            self._outcome = "refused"
            self._write_receipt(request_id, outcome.at, 429)
            raise over_limit(outcome, self._principal.usage_plan.id)
        self._reservation = outcome
        self._outcome = "counted"
        self._record(Use(requests=1), outcome.at)

    @property
    def headers(self) -> Headers:
        """The rate-limit headers, as things stand."""
        return rate_limit_headers(self._buckets, self._reservation.at) if self._reservation else []

    async def give_back(self, reason: str) -> None:
        """Release the units of a call that the upstream did not serve."""
        self.reason = reason
        if self._reservation is None or self._outcome != "counted":
            return
        try:
            released = await self._ledger.release(self._reservation)
        except LedgerUnavailableError as error:
            log.warning("unit_owed", reason=str(error))
            return
        if released:
            self._outcome = "given_back"
            self._record(Use(requests=-1), self._reservation.at)
            self._buckets = [replace(x, used=max(0, x.used - 1)) for x in self._buckets]

    def close(self, request_id: str, status: int, usage: UsageReader) -> None:
        """Settle the call, unless it was given back, and write its receipt."""
        if self._reservation is None:
            return
        if self._outcome == "counted":
            self._ledger.settle(self._reservation)
            input_tokens, output_tokens = usage.tokens()
            use = Use(input_tokens=input_tokens, output_tokens=output_tokens)
            self._record(use, self._reservation.at)
        self._write_receipt(request_id, self._reservation.at, status)

    def _record(self, use: Use, at: float) -> None:
        model = "" if use.refused else self._model
        day = int(at) // DAY_S * DAY_S
        self._recorder.use(UsageRow(day, self._principal.api_key_id, model, self._via), use, at)

    def _write_receipt(self, request_id: str, at: float, status: int) -> None:
        receipt = Receipt(
            request_id=request_id,
            at=int(at * 1000),
            api_key_id=self._principal.api_key_id,
            model=self._model,
            via=self._via,
            status=status,
            outcome=self._outcome,
            reason=self.reason,
            remaining=min((x.remaining for x in self._buckets), default=None),
        )
        self._recorder.receipt(self._principal.account_id, receipt)

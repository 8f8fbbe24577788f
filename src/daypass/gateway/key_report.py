"""What a key can ask about itself: `GET /v1/key` and `GET /v1/key/usage`. Neither is counted."""

from typing import Any
from urllib.parse import parse_qs

import orjson

from daypass.domain.plans import Window
from daypass.domain.times import DAY_S, Clock, iso_utc
from daypass.gateway.errors import GatewayError
from daypass.gateway.principal import Principal
from daypass.gateway.request import Target
from daypass.gateway.response_writer import ResponseWriter
from daypass.quota.ledger import BucketState, Ledger
from daypass.records import usage
from daypass.records.database import Database
from daypass.records.recorder import Recorder
from daypass.records.tables import UsageDay

PATHS = frozenset({b"/key", b"/key/usage"})
DEFAULT_DAYS = 30
MAX_DAYS = 366


class KeyReport:
    """Reports a key's limits and usage to the key's holder."""

    def __init__(
        self, ledger: Ledger, database: Database, recorder: Recorder, clock: Clock
    ) -> None:
        """Create a report. `recorder` is flushed before usage is read."""
        self._ledger = ledger
        self._database = database
        self._recorder = recorder
        self._clock = clock

    async def send(self, principal: Principal, target: Target, answer: ResponseWriter) -> None:
        """Answer a request to one of `PATHS`.

        Raises GatewayError 400 or 405, LedgerUnavailableError and DatabaseUnavailableError.
        """
        if target.method not in ("GET", "HEAD"):
            message = "Use GET: a key can only be asked about itself here."
            raise GatewayError(405, "method_not_allowed", message, headers=[(b"allow", b"GET")])
        if target.path == b"/key":
            document = await self._describe(principal)
        else:
            document = await self._usage(principal, _days_of(target.query))
        await answer.json(200, orjson.dumps(document))

    async def _describe(self, principal: Principal) -> dict[str, Any]:
        plan, expires_at = principal.usage_plan, principal.key_expires_at
        buckets = await self._ledger.peek(principal.claims)
        concurrent = None
        if plan.max_concurrent_requests is not None:
            (used,) = await self._ledger.count_leases([principal.subject])
            concurrent = {"limit": plan.max_concurrent_requests, "used": used}
        return {
            "object": "api_key",
            "id": principal.api_key_id,
            "usage_plan": {
                "id": plan.id,
                "name": plan.name,
                "max_output_tokens": plan.max_output_tokens,
                "max_concurrent_requests": plan.max_concurrent_requests,
                "max_key_days": plan.max_key_days,
                "models": sorted(plan.models),
            },
            "allowed_models": sorted(principal.key_models),
            "expires_at": None if expires_at is None else iso_utc(expires_at),
            "limits": [_limit_view(state) for state in buckets],
            "concurrent_requests": concurrent,
        }

    async def _usage(self, principal: Principal, days: int) -> dict[str, Any]:
        """Return the usage of the last `days` UTC days, today included, newest first."""
        today = int(self._clock()) // DAY_S * DAY_S
        await self._recorder.flush()
        async with self._database.read() as session:
            rows = await usage.of_key(session, principal.api_key_id, today - (days - 1) * DAY_S)
        return {"object": "list", "days": days, "data": [_usage_view(row) for row in rows]}


def _days_of(query: bytes) -> int:
    found = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("days", [])
    value = found[0] if found else str(DEFAULT_DAYS)
    if len(found) > 1 or not (
        value.isascii() and value.isdigit() and 1 <= int(value[:4]) <= MAX_DAYS
    ):
        message = f"days must be a whole number from 1 to {MAX_DAYS}."
        raise GatewayError(400, "invalid_request", message, param="days")
    return int(value)


def _limit_view(state: BucketState) -> dict[str, object]:
    limit = state.claim.limit
    return {
        "subject": state.claim.subject.kind,
        "measure": limit.measure.value,
        "window": limit.window.value,
        "limit": limit.capacity,
        "used": state.used,
        "remaining": state.remaining,
        "resets_at": None if limit.window is Window.TOTAL else iso_utc(state.resets_at),
    }


def _usage_view(row: UsageDay) -> dict[str, object]:
    """Return one day's usage of one model. `cost` is in micro-dollars."""
    return {
        "date": iso_utc(row.day)[:10],
        "model": row.model,
        "via": row.via,
        "requests": row.requests,
        "refused": row.refused,
        "input_tokens": row.input_tokens,
        "cached_tokens": row.cached_tokens,
        "output_tokens": row.output_tokens,
        "reasoning_tokens": row.reasoning_tokens,
        "audio_tokens": row.audio_tokens,
        "cost": row.cost,
        "price": row.price,
        "reserved": {"tokens": row.reserved_tokens, "cost": row.reserved_cost},
    }

"""`GET /v1/key`: a key's limits and usage."""

import orjson

from daypass.domain.plans import Window
from daypass.domain.times import iso_utc
from daypass.gateway.authenticate import Principal
from daypass.gateway.errors import GatewayError
from daypass.gateway.request import Target
from daypass.gateway.response_writer import ResponseWriter
from daypass.quota.ledger import BucketState, Ledger


async def describe_key(
    ledger: Ledger, principal: Principal, target: Target, answer: ResponseWriter
) -> None:
    """Send a key's plan, limits and usage. Raises GatewayError 405 and LedgerUnavailableError."""
    if target.method not in ("GET", "HEAD"):
        message = "Use GET: a key can only be asked about itself here."
        raise GatewayError(405, "method_not_allowed", message, headers=[(b"allow", b"GET")])
    plan, expires_at = principal.usage_plan, principal.key_expires_at
    buckets = await ledger.peek(principal.claims)
    concurrent = None
    if plan.max_concurrent_requests is not None:
        (used,) = await ledger.count_leases([principal.subject])
        concurrent = {"limit": plan.max_concurrent_requests, "used": used}
    document = {
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
        "expires_at": None if expires_at is None else iso_utc(expires_at),
        "limits": [_describe(state) for state in buckets],
        "concurrent_requests": concurrent,
    }
    await answer.json(200, orjson.dumps(document))


def _describe(state: BucketState) -> dict[str, object]:
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

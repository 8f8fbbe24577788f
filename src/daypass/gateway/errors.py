"""Errors in OpenAI's format, and the rate-limit headers of counted answers.

The official SDKs read this format and these codes: `{"error": {"message", "type", "param",
"code"}}` (OpenAI API reference, "Error codes").
"""

import math
import random
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson

from daypass.domain.plans import Limit
from daypass.domain.times import iso_utc
from daypass.http.types import Headers
from daypass.quota.ledger import BucketState, Refusal

THROTTLE_RETRY_MAX_S = 60
RETRY_SPREAD_S = 5


class GatewayError(Exception):
    """An error that the gateway answers itself, instead of the upstream."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        type_: str = "invalid_request_error",
        param: str | None = None,
        headers: Headers | None = None,
        uncounted: bool = False,
        **figures: Any,
    ) -> None:
        """Create an error. `uncounted`: tell the client that the request was not counted."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.type = type_
        self.param = param
        self.headers = headers or []
        self.uncounted = uncounted
        self.figures = figures

    def count(self, why: str, **figures: Any) -> None:
        """Add that the request was counted, and why. Retries would count too, so forbid them."""
        self.uncounted = False
        self.message += f" This request was counted: {why}."
        self.figures |= {"counted": True} | figures
        retry = b"x-should-retry"
        self.headers = [x for x in self.headers if x[0] != retry] + [(retry, b"false")]

    def body(self, more: str = "") -> bytes:
        """Return the JSON document. `more` is a sentence to append to the message."""
        error = {
            "message": f"{self.message} {more}" if more else self.message,
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }
        return orjson.dumps({"error": error | self.figures})

    def event(self) -> bytes:
        """Return the error as a server-sent event; the SDKs raise it mid-stream."""
        return b"data: " + self.body() + b"\n\n"


def invalid_api_key(message: str) -> GatewayError:
    """Return the 401 for a missing or invalid key."""
    return GatewayError(401, "invalid_api_key", message)


def server_error(status: int, code: str, message: str, *, uncounted: bool = False) -> GatewayError:
    """Return a 5xx error: the client is not at fault."""
    return GatewayError(status, code, message, type_="server_error", uncounted=uncounted)


def unavailable() -> GatewayError:
    """Return the 503 for an unavailable ledger or database, when nothing is relayed."""
    message = "Daypass cannot check your limit right now. Please try again."
    return server_error(503, "quota_unavailable", message, uncounted=True)


def upstream_failed(status: int) -> GatewayError:
    """Return the error that replaces the upstream's own when the failure was counted."""
    return server_error(status, f"upstream_{status}", f"The upstream answered {status}.")


def give_backs_spent(refusal: Refusal) -> tuple[str, dict[str, Any]]:
    """Return why a failed request was still counted, as text and as figures."""
    hit = refusal.hit
    cap = hit.claim.limit.amount
    resets_at = iso_utc(hit.resets_at)
    why = (
        f"your account has had {cap} failed requests given back today, which is the most in a day. "
        f"Until {resets_at} failed requests count"
    )
    return why, {
        "measure": "give_backs",
        "limit": cap,
        "used": hit.used,
        "window": hit.claim.limit.window.value,
        "subject": "account",
        "resets_at": resets_at,
    }


def over_limit(refusal: Refusal, usage_plan_id: str) -> GatewayError:
    """Return the 429 for a spent quota (SDKs must not retry) or a throttle (they may)."""
    hit = refusal.hit
    limit = hit.claim.limit
    resets_at = iso_utc(hit.resets_at)
    wait = math.ceil(hit.resets_at - refusal.at) + random.randint(0, RETRY_SPREAD_S)  # noqa: S311
    headers = rate_limit_headers(fullest(refusal.buckets), refusal.at)
    figures: dict[str, Any] = {
        "limit": limit.capacity,
        "used": hit.used,
        "window": limit.window.value,
        "subject": hit.claim.subject.kind,
        "usage_plan_id": usage_plan_id,
        "resets_at": resets_at,
    }
    who = {
        "key": f"This API key has reached its limit of {limit} (usage plan {usage_plan_id})",
        "account": f"Your account has reached its limit of {limit} over all of its API keys",
        "site": f"This site has reached its limit of {limit} for everybody",
    }[hit.claim.subject.kind]
    if limit.window.is_throttle:
        headers.append((b"retry-after", b"%d" % min(wait, THROTTLE_RETRY_MAX_S)))
        message = f"{who}. Slow down: it frees at {resets_at}."
        code = type_ = "rate_limit_exceeded"
    else:
        headers += [(b"retry-after", b"%d" % wait), (b"x-should-retry", b"false")]
        message = f"{who}. It resets at {resets_at}. This request was not counted."
        code = type_ = "insufficient_quota"
    return GatewayError(429, code, message, type_=type_, headers=headers, **figures)


def rate_limit_headers(state: BucketState, at: float) -> Headers:
    """Return OpenAI's `x-ratelimit-*` and the IETF's `RateLimit` headers for the fullest bucket.

    See draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4. `at` is Unix time in seconds.
    """
    name, limit, policy = _limit_headers(state.claim.limit)
    remaining, reset = state.remaining, max(0, math.ceil(state.resets_at - at))
    return [
        limit,
        (b"x-ratelimit-remaining-requests", b"%d" % remaining),
        (b"x-ratelimit-reset-requests", duration(reset)),
        policy,
        (b"ratelimit", b'"%b";r=%d;t=%d' % (name, remaining, reset)),
    ]


def fullest(buckets: Sequence[BucketState]) -> BucketState:
    """Return the bucket with the fewest units remaining; of several, the one that resets last."""
    least = buckets[0]
    for state in buckets[1:]:
        more_room = state.remaining - least.remaining
        if more_room < 0 or (more_room == 0 and state.resets_at > least.resets_at):
            least = state
    return least


@lru_cache(1024)
def _limit_headers(limit: Limit) -> tuple[bytes, tuple[bytes, bytes], tuple[bytes, bytes]]:
    """Return a limit's `RateLimit` name and the two headers that depend only on the limit."""
    name, seconds = limit.window.value.encode(), limit.window.seconds
    if limit.burst is not None:
        # A token bucket's quota is its burst; its window is the time for a full refill.
        name, seconds = b"burst", math.ceil(limit.burst * seconds / limit.amount)
    return (
        name,
        (b"x-ratelimit-limit-requests", b"%d" % limit.capacity),
        (b"ratelimit-policy", b'"%b";q=%d;w=%d' % (name, limit.capacity, seconds)),
    )


@lru_cache(1024)
def duration(seconds: int) -> bytes:
    """Format whole seconds as OpenAI's headers do: `6h12m3s`, `6m0s`, `1s`."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    if hours:
        return b"%dh%dm%ds" % (hours, minute, second)
    return b"%dm%ds" % (minute, second) if minute else b"%ds" % second

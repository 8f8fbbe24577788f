"""Errors in OpenAI's format.

The official SDKs read this format and these codes: `{"error": {"message", "type", "param",
"code"}}` (OpenAI API reference, "Error codes").
"""

import math
import random
from typing import Any, Literal

import orjson

from daypass.domain.plans import Measure, Window
from daypass.domain.times import iso_utc
from daypass.gateway.rate_limit_headers import rate_limit_headers
from daypass.http.types import Headers
from daypass.quota.ledger import BucketState, Occupancy, Refusal

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
    requested = refusal.amounts[hit.claim.measure]
    can_fit = requested <= limit.capacity
    is_total = limit.window is Window.TOTAL
    resets_at = None if is_total else iso_utc(hit.resets_at)
    figures: dict[str, Any] = {
        "measure": limit.measure.value,
        "limit": limit.capacity,
        "used": hit.used,
        "window": limit.window.value,
        "subject": hit.claim.subject.kind,
        "usage_plan_id": usage_plan_id,
        "resets_at": resets_at,
    }
    if limit.measure is not Measure.REQUESTS:
        figures["requested"] = requested
    message = _reached(hit, usage_plan_id)
    if limit.measure is not Measure.REQUESTS and hit.remaining:
        left = limit.measure.quantity(hit.remaining)
        message += (
            f": {left} left, and this request may use {limit.measure.quantity(requested)}. "
            "Ask for fewer output tokens, or send less input"
        )
    headers = rate_limit_headers(refusal.buckets, refusal.at)
    wait = math.ceil(hit.resets_at - refusal.at) + random.randint(0, RETRY_SPREAD_S)  # noqa: S311
    if limit.window.is_throttle and can_fit:
        headers.append((b"retry-after", b"%d" % min(wait, THROTTLE_RETRY_MAX_S)))
        message = f"{message}. Slow down: it frees at {resets_at}."
        code = type_ = "rate_limit_exceeded"
    else:
        if not is_total:
            headers.append((b"retry-after", b"%d" % wait))
        headers.append((b"x-should-retry", b"false"))
        resets = "It does not reset" if is_total else f"It resets at {resets_at}"
        message = f"{message}. {resets}. This request was not counted."
        code = type_ = "insufficient_quota"
    return GatewayError(429, code, message, type_=type_, headers=headers, **figures)


class TooManyOpenError(GatewayError):
    """The 429 of a limit on concurrent requests. A retry may find room."""

    def __init__(
        self, message: str, *, subject: Literal["key", "account"], at: float, **figures: Any
    ) -> None:
        """`subject` has too many requests open; `at` is the time of the refusal (Unix, s)."""
        code = "rate_limit_exceeded"
        retry = [(b"retry-after", b"1")]
        super().__init__(
            429,
            code,
            message,
            type_=code,
            headers=retry,
            uncounted=True,
            subject=subject,
            **figures,
        )
        self.at = at
        self.reason = f"{subject}_concurrent"
        """The reason in its receipt."""
        self.model = ""
        """The model that the request named, if it has been read."""


def too_many_open(limit: int, found: Occupancy, usage_plan_id: str) -> TooManyOpenError:
    """Return the 429 for a key whose usage plan allows no further concurrent request."""
    return TooManyOpenError(
        f"This API key has {found.used} requests open, and its usage plan {usage_plan_id} allows "
        f"{limit} at the same time. Try again when one of them has finished.",
        subject="key",
        at=found.at,
        measure=Measure.REQUESTS.value,
        limit=limit,
        used=found.used,
        window=None,
        usage_plan_id=usage_plan_id,
        resets_at=None,
    )


def _reached(hit: BucketState, usage_plan_id: str) -> str:
    limit = hit.claim.limit
    return {
        "key": f"This API key has reached its limit of {limit} (usage plan {usage_plan_id})",
        "account": f"Your account has reached its limit of {limit} over all of its API keys",
        "site": f"This site has reached its limit of {limit} for everybody",
    }[hit.claim.subject.kind]

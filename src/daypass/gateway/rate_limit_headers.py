"""The rate-limit headers of counted answers.

OpenAI's `x-ratelimit-*`, and the IETF's `RateLimit-Policy` and `RateLimit`
(draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4) with one policy per limit.
"""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

from daypass.domain.plans import Limit, Measure, Window
from daypass.http.types import Headers
from daypass.quota.ledger import BucketState


def rate_limit_headers(buckets: Sequence[BucketState], at: float) -> Headers:
    """Return the headers for the buckets of a request. `at` is Unix time in seconds."""
    if len(buckets) == 1:
        shown = {_name(buckets[0].claim.limit): buckets[0]}
    else:
        shown = _fullest_by_name(buckets)
    headers: Headers = []
    for measure in (Measure.REQUESTS, Measure.TOKENS):
        state = fullest(x for x in shown.values() if x.claim.limit.measure is measure)
        if state is not None:
            headers += _openai_headers(state, at)
    policies = [_policy(state.claim.limit) for state in shown.values()]
    states = [_ietf_state(name, state, at) for name, state in shown.items()]
    headers.append((b"ratelimit-policy", b", ".join(policies)))
    headers.append((b"ratelimit", b", ".join(states)))
    return headers


def fullest(buckets: Iterable[BucketState]) -> BucketState | None:
    """Return the bucket with the fewest units remaining; of several, the one that resets last."""
    least: BucketState | None = None
    for state in buckets:
        more_room = 0 if least is None else state.remaining - least.remaining
        if least is None or more_room < 0 or (more_room == 0 and state.resets_at > least.resets_at):
            least = state
    return least


def _fullest_by_name(buckets: Sequence[BucketState]) -> dict[bytes, BucketState]:
    """Return the fullest bucket of each policy: a key and its account may both have a "day"."""
    found: dict[bytes, BucketState] = {}
    for state in buckets:
        name = _name(state.claim.limit)
        other = found.get(name)
        found[name] = state if other is None else fullest((other, state)) or state
    return found


def _openai_headers(state: BucketState, at: float) -> Headers:
    limit_name, remaining_name, reset_name = _OPENAI_NAMES[state.claim.limit.measure]
    headers = [
        (limit_name, b"%d" % state.claim.limit.capacity),
        (remaining_name, b"%d" % state.remaining),
    ]
    if state.claim.limit.window is not Window.TOTAL:
        headers.append((reset_name, duration(_seconds_until(state.resets_at, at))))
    return headers


def _ietf_state(name: bytes, state: BucketState, at: float) -> bytes:
    if state.claim.limit.window is Window.TOTAL:
        return b'"%b";r=%d' % (name, state.remaining)
    return b'"%b";r=%d;t=%d' % (name, state.remaining, _seconds_until(state.resets_at, at))


def _seconds_until(resets_at: int, at: float) -> int:
    return max(0, math.ceil(resets_at - at))


@lru_cache(1024)
def _name(limit: Limit) -> bytes:
    window = limit.window.value if limit.burst is None else "burst"
    is_requests = limit.measure is Measure.REQUESTS
    return (window if is_requests else f"{window}-{limit.measure.value}").encode()


@lru_cache(1024)
def _policy(limit: Limit) -> bytes:
    if limit.window is Window.TOTAL:
        return b'"%b";q=%d' % (_name(limit), limit.capacity)
    seconds = limit.window.seconds
    if limit.burst is not None:
        # A token bucket's quota is its burst; its window is the time for a full refill.
        seconds = math.ceil(limit.burst * seconds / limit.amount)
    return b'"%b";q=%d;w=%d' % (_name(limit), limit.capacity, seconds)


_OPENAI_NAMES = {
    measure: tuple(
        f"x-ratelimit-{part}-{measure.value}".encode() for part in ("limit", "remaining", "reset")
    )
    for measure in (Measure.REQUESTS, Measure.TOKENS)
}


@lru_cache(1024)
def duration(seconds: int) -> bytes:
    """Format whole seconds as OpenAI's headers do: `6h12m3s`, `6m0s`, `1s`."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    if hours:
        return b"%dh%dm%ds" % (hours, minute, second)
    return b"%dm%ds" % (minute, second) if minute else b"%ds" % second

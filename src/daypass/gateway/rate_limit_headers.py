"""The rate-limit headers of counted answers.

OpenAI's `x-ratelimit-*`, and the IETF's `RateLimit-Policy` and `RateLimit`
(draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4) with one policy per limit.
"""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from daypass.domain.plans import Limit, Measure, Window
from daypass.http.types import Headers
from daypass.quota.ledger import BucketState


class _Policy(NamedTuple):
    """What depends on a limit only."""

    name: bytes
    description: bytes
    """As `RateLimit-Policy` lists it."""
    openai_names: tuple[bytes, bytes, bytes] | None
    """The names of OpenAI's headers for limit, remaining and reset, if it has some."""
    resets: bool


def rate_limit_headers(buckets: Sequence[BucketState], at: float) -> Headers:
    """Return the headers for the buckets of a request. `at` is Unix time in seconds."""
    shown = [(x, _policy(x.claim.limit)) for x in _fullest_by_policy(buckets)]
    headers: Headers = []
    if len(shown) == 1:
        headers += _openai_headers(*shown[0], at)
    else:
        for measure in (Measure.REQUESTS, Measure.TOKENS):
            state = fullest(x for x, _ in shown if x.claim.limit.measure is measure)
            if state is not None:
                headers += _openai_headers(state, _policy(state.claim.limit), at)
    headers.append((b"ratelimit-policy", b", ".join([policy.description for _, policy in shown])))
    headers.append((b"ratelimit", b", ".join([_remaining(*x, at) for x in shown])))
    return headers


def fullest(buckets: Iterable[BucketState]) -> BucketState | None:
    """Return the bucket with the fewest units remaining; of several, the one that resets last."""
    least: BucketState | None = None
    for state in buckets:
        more_room = 0 if least is None else state.remaining - least.remaining
        if least is None or more_room < 0 or (more_room == 0 and state.resets_at > least.resets_at):
            least = state
    return least


def _fullest_by_policy(buckets: Sequence[BucketState]) -> list[BucketState]:
    """Return the fullest bucket of each policy: a key and its account may both have a "day"."""
    first = buckets[0].claim.limit
    for state in buckets:
        limit = state.claim.limit
        if limit.window is not first.window or limit.measure is not first.measure or limit.burst:
            break
    else:
        # Most requests: only the key's and the account's requests per day are limited.
        return [fullest(buckets) or buckets[0]]
    found: dict[bytes, BucketState] = {}
    for state in buckets:
        name = _policy(state.claim.limit).name
        other = found.get(name)
        found[name] = state if other is None else fullest((other, state)) or state
    return list(found.values())


def _openai_headers(state: BucketState, policy: _Policy, at: float) -> Headers:
    if policy.openai_names is None:
        return []
    limit_name, remaining_name, reset_name = policy.openai_names
    headers = [
        (limit_name, b"%d" % state.claim.limit.capacity),
        (remaining_name, b"%d" % state.remaining),
    ]
    if policy.resets:
        headers.append((reset_name, duration(max(0, math.ceil(state.resets_at - at)))))
    return headers


def _remaining(state: BucketState, policy: _Policy, at: float) -> bytes:
    if not policy.resets:
        return b'"%b";r=%d' % (policy.name, state.remaining)
    seconds = max(0, math.ceil(state.resets_at - at))
    return b'"%b";r=%d;t=%d' % (policy.name, state.remaining, seconds)


@lru_cache(1024)
def _policy(limit: Limit) -> _Policy:
    measure, window = limit.measure.value, limit.window
    # A token bucket's quota is its burst; its window is the time for a full refill.
    name = window.value if limit.burst is None else "burst"
    if limit.measure is not Measure.REQUESTS:
        name += f"-{measure}"
    description = f'"{name}";q={limit.capacity}'
    resets = window is not Window.TOTAL
    if resets:
        seconds = window.seconds
        if limit.burst is not None:
            seconds = math.ceil(limit.burst * seconds / limit.amount)
        description += f";w={seconds}"
    names = None
    if limit.measure is not Measure.COST:
        limit_name, remaining, reset = (
            f"x-ratelimit-{part}-{measure}".encode() for part in ("limit", "remaining", "reset")
        )
        names = (limit_name, remaining, reset)
    return _Policy(name.encode(), description.encode(), names, resets)


@lru_cache(1024)
def duration(seconds: int) -> bytes:
    """Format whole seconds as OpenAI's headers do: `6h12m3s`, `6m0s`, `1s`."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    if hours:
        return b"%dh%dm%ds" % (hours, minute, second)
    return b"%dm%ds" % (minute, second) if minute else b"%ds" % second

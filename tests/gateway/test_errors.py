"""Rate-limit headers and errors, without a server."""

from daypass.domain.plans import Limit, Measure, Window
from daypass.gateway.errors import over_limit
from daypass.gateway.rate_limit_headers import rate_limit_headers
from daypass.quota.ledger import BucketState, Claim, Refusal, Subject

KEY = Subject("key", "ann", 1)
BURST = Claim(KEY, Limit(Measure.REQUESTS, 60, Window.MINUTE, burst=5))
DAY = Claim(KEY, Limit(Measure.REQUESTS, 100, Window.DAY))
NOW = 1_795_608_000.5


def test_rate_limit_headers_describe_a_token_bucket() -> None:
    buckets = [BucketState(BURST, 4, 1_795_608_002), BucketState(DAY, 4, 1_795_651_200)]
    assert dict(rate_limit_headers(buckets, NOW)) == {
        b"x-ratelimit-limit-requests": b"5",
        b"x-ratelimit-remaining-requests": b"1",
        b"x-ratelimit-reset-requests": b"2s",
        b"ratelimit-policy": b'"burst";q=5;w=5, "day";q=100;w=86400',
        b"ratelimit": b'"burst";r=1;t=2, "day";r=96;t=43200',
    }


def test_an_exhausted_burst_is_a_rate_limit_error() -> None:
    hit = BucketState(BURST, 5, 1_795_608_002)
    error = over_limit(Refusal(NOW, hit, (hit,)), "60PerMinute")
    assert (error.status, error.code) == (429, "rate_limit_exceeded")
    assert "60 requests per minute, 5 at once" in error.message
    assert error.figures["limit"] == 5
    headers = dict(error.headers)
    assert 2 <= int(headers[b"retry-after"]) <= 60
    assert b"x-should-retry" not in headers

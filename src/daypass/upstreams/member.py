"""One of a site's upstreams: what the operator says about it, its connections and its health."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from daypass.config.upstreams import UpstreamTerms
from daypass.domain.times import iso_utc
from daypass.observability.upstream_metrics import UpstreamNumbers
from daypass.upstreams.base import Upstream
from daypass.upstreams.circuit_breaker import CircuitBreaker

Source = Literal["settings", "site"]

_FAILURES: Mapping[str, str] = MappingProxyType(
    {
        "upstream_unreachable": "could not be reached",
        "upstream_timeout": "did not answer in time",
        "upstream_broke_off": "broke off its answer",
    }
)


@dataclass(frozen=True, slots=True)
class UpstreamConfig:
    """An upstream as the settings or the site describe it, without its key."""

    id: str
    terms: UpstreamTerms
    source: Source
    place: str | None = None
    """Where the settings describe it, such as `daypass.toml line 12`."""
    key_version: str = ""
    """Differs for each key that the upstream has had. Empty: it has no key."""
    key_last4: str | None = None
    problem: str | None = None
    """Why the upstream is off; None if it is in use."""


@dataclass(slots=True)
class Health:
    """What this process has seen of an upstream since it started."""

    requests: int = 0
    failures: int = 0
    last_failure: str | None = None
    last_failure_at: float = 0.0


@dataclass(slots=True, eq=False)
class Member:
    """An upstream in use."""

    name: str
    upstream: Upstream
    config: UpstreamConfig | None
    """None for the demo model."""
    base_url: str | None = None
    """For the lookup of prices."""
    measures_streams: bool = True
    models: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    weight: int = 1
    priority: int = 0
    health: Health = field(default_factory=Health)
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)

    def succeed(self) -> None:
        """Note that the upstream served a request."""
        self.health.requests += 1
        if self.breaker.failures:
            self.breaker.succeed()

    def fail(self, reason: str, now: float) -> None:
        """Note a failure. `reason` is that of receipts, `now` Unix time in seconds."""
        self.health.requests += 1
        self.health.failures += 1
        status = reason.removeprefix("upstream_")
        what = _FAILURES.get(reason) or (f"answered {status}" if status.isdigit() else status)
        self.health.last_failure = f"{what}, {iso_utc(now)}"
        self.health.last_failure_at = now
        self.breaker.fail()

    def numbers(self) -> UpstreamNumbers:
        """Return the numbers for the metrics."""
        health = self.health
        return UpstreamNumbers(
            health.requests,
            health.failures,
            health.last_failure_at,
            health.last_failure,
            {self.breaker.state: 1},
        )

"""The numbers of each upstream, summed over processes, and their metrics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client import Metric

STATES = ("closed", "half_open", "open")
"""The states of a circuit breaker."""


@dataclass(slots=True)
class UpstreamNumbers:
    """What one or several processes have seen of an upstream."""

    requests: int = 0
    failures: int = 0
    last_failure_at: float = 0.0
    """Unix time in seconds."""
    last_failure: str | None = None
    states: dict[str, int] = field(default_factory=dict)
    """How many processes have its circuit breaker in each state."""

    @property
    def state(self) -> str:
        """Return the state that is furthest from closed."""
        return next((x for x in reversed(STATES) if self.states.get(x)), "closed")

    def to_json(self) -> list[Any]:
        """Return the numbers as they are shared between processes."""
        return [
            self.requests, self.failures, self.last_failure_at, self.last_failure, self.states
        ]  # fmt: skip

    def add(self, shared: list[Any], *, is_alive: bool) -> None:
        """Add the shared numbers of a process. The state of one that has ended does not count."""
        other = UpstreamNumbers(*shared)
        self.requests += other.requests
        self.failures += other.failures
        if other.last_failure_at > self.last_failure_at:
            self.last_failure_at, self.last_failure = other.last_failure_at, other.last_failure
        for state, processes in other.states.items() if is_alive else ():
            self.states[state] = self.states.get(state, 0) + processes


def upstream_families(numbers: Mapping[str, UpstreamNumbers]) -> list["Metric"]:
    """Return the metrics of all upstreams."""
    from prometheus_client import core  # noqa: PLC0415  (slow to import)

    requests = core.CounterMetricFamily(
        "daypass_upstream_requests", "Requests sent to each upstream.", labels=["upstream"]
    )
    failures = core.CounterMetricFamily(
        "daypass_upstream_failed_requests",
        "Requests that each upstream did not serve.",
        labels=["upstream"],
    )
    states = core.GaugeMetricFamily(
        "daypass_upstream_state",
        "Processes in which each upstream's circuit breaker is in a state.",
        labels=["upstream", "state"],
    )
    for name, found in sorted(numbers.items()):
        requests.add_metric([name], found.requests)
        failures.add_metric([name], found.failures)
        for state in STATES:
            states.add_metric([name, state], found.states.get(state, 0))
    return [requests, failures, states]

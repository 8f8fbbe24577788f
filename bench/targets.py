"""What the product must reach. Each target is a figure of one part, mostly a ratio."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.rounds import Runs, Spread, differences, of, ratios

Parts = dict[str, dict[str, Runs]]


@dataclass(frozen=True)
class Target:
    """A limit, and how its figure is found; `value` raises KeyError where it was not measured."""

    what: str
    limit: float
    value: Callable[[Parts], Spread]
    unit: str = "×"
    at_least: bool = False

    @property
    def wanted(self) -> str:
        """The limit in words."""
        return f"{'≥' if self.at_least else '≤'} {self.limit:g} {self.unit}"

    def is_met(self, value: Spread) -> bool:
        """Whether the median reaches the limit."""
        return value.median >= self.limit if self.at_least else value.median <= self.limit

    def shown(self, value: Spread) -> str:
        """The figure in words."""
        return f"{value.median:.3g} {self.unit} ({value.low:.3g} to {value.high:.3g})"


TARGETS = (
    Target(
        "CPU per request, times nginx's",
        5,
        lambda parts: ratios(parts["unary"]["back to back"], "daypass", "nginx", "cpu_us"),
    ),
    Target(
        "CPU per streamed event, times nginx's",
        1.8,
        lambda parts: ratios(parts["streams"]["streams"], "daypass", "nginx", "cpu_us"),
    ),
    Target(
        "LiteLLM's CPU per request, times Daypass's",
        60,
        lambda parts: ratios(parts["unary"]["back to back"], "litellm", "daypass", "cpu_us"),
        at_least=True,
    ),
    Target(
        "LiteLLM's CPU per streamed event, times Daypass's; 20 streams",
        25,
        lambda parts: ratios(parts["streams"]["fewer streams"], "litellm", "daypass", "cpu_us"),
        at_least=True,
    ),
    Target(
        "Portkey's CPU per request, times Daypass's",
        7,
        lambda parts: ratios(parts["unary"]["back to back"], "portkey", "daypass", "cpu_us"),
        at_least=True,
    ),
    Target(
        "Added median latency, 32 connections, requests back to back (the core is full)",
        2,
        lambda parts: differences(
            parts["unary"]["back to back"], "daypass", "direct", "p50_us", 1e-3
        ),
        unit="ms",
    ),
    Target(
        "Added median latency, 32 connections, 16 ms between requests (up to 2,000 a second)",
        2,
        lambda parts: differences(parts["unary"]["paused"], "daypass", "direct", "p50_us", 1e-3),
        unit="ms",
    ),
    Target(
        "Memory per stream, 5,000 at once in one process",
        40,
        # The process has already grown in later rounds: only the first shows the cost of streams.
        lambda parts: of(parts["crowd"]["crowd"]["daypass"][:1], "memory_kib"),
        unit="KiB",
    ),
    Target(
        "Largest gap between events, 5,000 streams, times their pace",
        3,
        lambda parts: of(parts["crowd"]["crowd"]["daypass"], "largest_gap_paces"),
    ),
    Target(
        "Streams of 5,000 that ended late or broken",
        0,
        lambda parts: of(parts["crowd"]["crowd"]["daypass"], "late"),
        unit="",
    ),
    Target(
        "CPU per request with 1,000,000 keys, times that with 100; 32 in use",
        1.1,
        lambda parts: ratios(parts["keys"]["remembered"], "1000000", "100", "cpu_us"),
    ),
    Target(
        "CPU per request with 1,000,000 keys, times that with 5,000; 5,000 in use",
        1.1,
        lambda parts: ratios(parts["keys"]["looked up"], "1000000", "5000", "cpu_us"),
    ),
    Target(
        "Cold start of `daypass serve` to ready",
        1.5,
        lambda parts: of(parts["cold_start"]["cold start"]["daypass"], "seconds"),
        unit="s",
    ),
)

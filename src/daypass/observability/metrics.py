"""Metrics of the gateway for Prometheus.

No label value comes from a client: no key, account, model or path. Upstreams have the names that
the operator gave them. Requests increment plain
numbers. Once a second, each process writes its numbers to a file in a directory shared by all
workers, and the worker that serves `/metrics` sums them. A process holds a lock while it runs: its
counters outlive it, its gauges do not.
"""

import asyncio
import fcntl
import os
import secrets
import shutil
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

import orjson
import structlog

from daypass.domain.usage import NO_TOKENS, TokenUsage
from daypass.observability.safe_errors import error_location
from daypass.observability.upstream_metrics import UpstreamNumbers, upstream_families

if TYPE_CHECKING:
    from prometheus_client import Metric

log = structlog.get_logger()

SHARE_EVERY_S = 1.0
DECISION_BOUNDS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0)
FIRST_BYTE_BOUNDS_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)


class Durations:
    """A histogram of durations in seconds."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Record a duration."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Return cumulative counts by upper bound, as Prometheus expects them."""
        found, below = [], 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            below += count
            found.append((bound, float(below)))
        return found


class Metrics:
    """The metrics of one process, and their sum over all processes that share a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._lock: IO[bytes] | None = None
        self._shared = b""
        self._task: asyncio.Task[None] | None = None
        self.requests: dict[tuple[str, int], int] = {}
        """By outcome (counted, given_back, refused, not_counted) and response status."""
        self.input_tokens = self.output_tokens = 0
        self.unreserved_tokens = self.unreserved_cost = 0
        """What upstreams billed beyond the reservations (tokens and micro-dollars)."""
        self.open_requests = 0
        self.upstream_failures: dict[str, int] = {}
        """By the same reasons as in receipts."""
        self.tasks = 0
        """Tasks of the event loop, as of the last write."""
        self.backlog: Callable[[], tuple[int, float]] = lambda: (0, 0.0)
        """Returns the number of unwritten usage rows, and the age of the oldest in seconds."""
        self.decision = Durations(DECISION_BOUNDS_S)
        self.first_byte = Durations(FIRST_BYTE_BOUNDS_S)
        self.upstreams: Callable[[], Mapping[str, UpstreamNumbers]] = dict
        """Returns the numbers of each upstream in this process, by name."""

    def start(self) -> None:
        """Start to write the numbers in the background."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Write the numbers one last time, and release the lock."""
        if self._task is not None:
            self._task.cancel()
        self._share()
        if self._lock is not None:
            self._lock.close()

    def count(self, outcome: str, status: int, tokens: TokenUsage = NO_TOKENS) -> None:
        """Count a finished request."""
        kind = (outcome, status)
        self.requests[kind] = self.requests.get(kind, 0) + 1
        self.input_tokens += tokens.input
        self.output_tokens += tokens.output

    def exceed(self, tokens: int, cost: int) -> None:
        """Count what the upstream billed beyond a reservation (tokens and micro-dollars)."""
        self.unreserved_tokens += max(0, tokens)
        self.unreserved_cost += max(0, cost)

    def fail_upstream(self, reason: str) -> None:
        """Count a request that the upstream did not serve completely."""
        self.upstream_failures[reason] = self.upstream_failures.get(reason, 0) + 1

    def upstream_numbers(self) -> dict[str, UpstreamNumbers]:
        """Return the numbers of each upstream over all processes of this machine."""
        self._share()
        total: dict[str, UpstreamNumbers] = {}
        for file in self._directory.glob("*.json"):
            is_alive = _is_locked(file.with_suffix(".lock"))
            for name, numbers in orjson.loads(file.read_bytes()).get("upstreams", {}).items():
                total.setdefault(name, UpstreamNumbers()).add(numbers, is_alive=is_alive)
        return total

    def exposition(self) -> tuple[bytes, str]:
        """Return the sum over all processes in Prometheus' text format, and its content type."""
        import prometheus_client as prometheus  # noqa: PLC0415  (slow to import)
        from prometheus_client import core  # noqa: PLC0415

        total = Metrics(self._directory)
        self._share()
        waiting, age_s = 0, 0.0
        for file in self._directory.glob("*.json"):
            is_alive = _is_locked(file.with_suffix(".lock"))
            rows, oldest_s = total._add(file.read_bytes(), is_alive=is_alive)
            waiting, age_s = waiting + rows, max(age_s, oldest_s)
        requests = core.CounterMetricFamily(
            "daypass_requests", "Requests by outcome and status.", labels=["outcome", "status"]
        )
        for (outcome, status), number in sorted(total.requests.items()):
            requests.add_metric([outcome, str(status)], number)
        tokens = core.CounterMetricFamily(
            "daypass_tokens", "Tokens reported by upstreams.", labels=["direction"]
        )
        tokens.add_metric(["input"], total.input_tokens)
        tokens.add_metric(["output"], total.output_tokens)
        failures = core.CounterMetricFamily(
            "daypass_upstream_failures", "Upstream failures by reason.", labels=["reason"]
        )
        for reason, number in sorted(total.upstream_failures.items()):
            failures.add_metric([reason], number)
        families = [
            requests,
            tokens,
            core.CounterMetricFamily(
                "daypass_unreserved_tokens",
                "Tokens that upstreams billed beyond the reservations.",
                total.unreserved_tokens,
            ),
            core.CounterMetricFamily(
                "daypass_unreserved_cost_dollars",
                "Cost that upstreams billed beyond the reservations.",
                total.unreserved_cost / 1_000_000,
            ),
            failures,
            *upstream_families(self.upstream_numbers()),
            core.GaugeMetricFamily(
                "daypass_tasks", "Event-loop tasks (steady growth means a leak).", total.tasks
            ),
            core.GaugeMetricFamily(
                "daypass_open_requests", "Requests in progress.", value=total.open_requests
            ),
            core.GaugeMetricFamily(
                "daypass_usage_backlog_rows", "Usage rows waiting to be written.", waiting
            ),
            core.GaugeMetricFamily(
                "daypass_usage_backlog_seconds",
                "Age of the oldest usage row waiting to be written.",
                age_s,
            ),
            core.HistogramMetricFamily(
                "daypass_decision_seconds",
                "Duration of the ledger's decisions.",
                buckets=total.decision.buckets(),
                sum_value=total.decision.total,
            ),
            core.HistogramMetricFamily(
                "daypass_upstream_first_byte_seconds",
                "Time to the first byte of the upstream's response.",
                buckets=total.first_byte.buckets(),
                sum_value=total.first_byte.total,
            ),
        ]
        registry = prometheus.CollectorRegistry()
        registry.register(_Families(families))
        return prometheus.generate_latest(registry), prometheus.CONTENT_TYPE_LATEST

    def _share(self) -> None:
        """Write the numbers to the shared directory. Disk errors are logged."""
        numbers = {
            "requests": [[*kind, number] for kind, number in self.requests.items()],
            "tokens": [self.input_tokens, self.output_tokens],
            "unreserved": [self.unreserved_tokens, self.unreserved_cost],
            "open": self.open_requests,
            "upstream_failures": self.upstream_failures,
            "tasks": len(asyncio.all_tasks()),
            "backlog": self.backlog(),
            "decision": [self.decision.counts, self.decision.total],
            "first_byte": [self.first_byte.counts, self.first_byte.total],
            "upstreams": {name: x.to_json() for name, x in self.upstreams().items()},
        }
        shared = orjson.dumps(numbers)
        if shared == self._shared:
            return
        new = self._directory / f"{self._name}.new"
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            if self._lock is None:
                self._lock = (self._directory / f"{self._name}.lock").open("wb")
                fcntl.flock(self._lock, fcntl.LOCK_EX)
            new.write_bytes(shared)
            new.replace(self._directory / f"{self._name}.json")
        except OSError as error:
            log.warning("metrics_not_shared", reason=error_location(error))
        else:
            self._shared = shared

    def _add(self, shared: bytes, *, is_alive: bool) -> tuple[int, float]:
        """Add the numbers of one process. Return its backlog."""
        numbers = orjson.loads(shared)
        for outcome, status, number in numbers["requests"]:
            kind = (outcome, status)
            self.requests[kind] = self.requests.get(kind, 0) + number
        self.input_tokens += numbers["tokens"][0]
        self.output_tokens += numbers["tokens"][1]
        self.unreserved_tokens += numbers["unreserved"][0]
        self.unreserved_cost += numbers["unreserved"][1]
        for reason, number in numbers["upstream_failures"].items():
            self.upstream_failures[reason] = self.upstream_failures.get(reason, 0) + number
        for durations, name in ((self.decision, "decision"), (self.first_byte, "first_byte")):
            counts, total = numbers[name]
            durations.counts = [x + y for x, y in zip(durations.counts, counts, strict=True)]
            durations.total += total
        if not is_alive:
            return 0, 0.0
        self.open_requests += numbers["open"]
        self.tasks += numbers["tasks"]
        rows, age_s = numbers["backlog"]
        return rows, age_s

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(SHARE_EVERY_S)
            self._share()


def _is_locked(path: Path) -> bool:
    """Return whether the process that owns this lock file is alive."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


class _Families:
    """A collector that returns precomputed metrics."""

    def __init__(self, families: "Iterable[Metric]") -> None:
        self._families = families

    def collect(self) -> "Iterable[Metric]":
        return self._families


def delete_files(directory: Path) -> None:
    """Delete the numbers of all processes. They must have ended."""
    shutil.rmtree(directory, ignore_errors=True)

"""Alternating runs, so that drift on the machine affects all peers alike."""

import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bench import load
from bench.load import Figures
from bench.machine import wait_until_quiet
from bench.peers import Peer
from bench.process import BenchError

Runs = dict[str, list[Figures]]
"""For each of the compared, the figures of its rounds in order."""


WARM_UP_S = 6
DISTURBED = 0.05
"""Share of the gateway's core that others may have during a run."""
ATTEMPTS = 3
PATIENCE_S = 60
"""How long to wait for a quiet machine before each run."""


@dataclass(frozen=True)
class Effort:
    """The duration and number of measurements."""

    rounds: int
    seconds: int
    """Of one run, after its warm-up."""


FULL = Effort(rounds=3, seconds=4)
QUICK = Effort(rounds=1, seconds=2)


@dataclass(frozen=True)
class Spread:
    """The median of some rounds, and their extremes."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """The spread of at least one value."""
        ordered = sorted(values)
        return cls(statistics.median(ordered), ordered[0], ordered[-1])


def warmed_up(peers: dict[str, Peer]) -> dict[str, Peer]:
    """These peers, after a load that is long enough for the slow ones, too, to settle."""
    for name, peer in peers.items():
        say(f"Warming up: {name}")
        load.unary(peer, WARM_UP_S)
    return peers


def alternate(
    what: str,
    rounds: int,
    runs: Mapping[str, Callable[[], Figures]],
    shown: str = "cpu_us",
    *,
    may_fail: bool = False,
) -> Runs:
    """Do every run once in each round. Reports progress on standard error.

    Raises BenchError when a run fails; if it may, the figures lack it.
    """
    found: Runs = {name: [] for name in runs}
    for number in range(1, rounds + 1):
        for name, run in runs.items():
            try:
                figures = _undisturbed(f"{what}, round {number} of {rounds}: {name} …", run, shown)
            except BenchError as error:
                if not may_fail:
                    raise
                print(f" failed: {error}", file=sys.stderr, flush=True)
            else:
                found[name].append(figures)
    return found


def _undisturbed(title: str, run: Callable[[], Figures], shown: str) -> Figures:
    """Return a run on a quiet machine, or the last of a few attempts."""
    memory_kib = 0.0
    for left in reversed(range(ATTEMPTS)):
        say(title, end="")
        if not wait_until_quiet(PATIENCE_S):
            print(" others are busy …", end="", file=sys.stderr, flush=True)
        figures = run()
        # A repeated run finds the process grown already.
        memory_kib = max(memory_kib, figures.get("memory_kib", 0))
        foreign = figures.get("foreign", 0)
        note = f", disturbed: others had {foreign:.0%}" if foreign > DISTURBED else ""
        print(f" {figures[shown]:,.4g} {shown}{note}", file=sys.stderr, flush=True)
        if not note or not left:
            break
    return figures | {"memory_kib": memory_kib} if memory_kib else figures


def ratios(runs: Runs, one: str, other: str, figure: str) -> Spread:
    """How many times `other`'s figure is `one`'s, round by round."""
    pairs = zip(runs[one], runs[other], strict=True)
    return Spread.of(a[figure] / b[figure] for a, b in pairs)


def differences(runs: Runs, one: str, other: str, figure: str, scale: float) -> Spread:
    """How much more `one`'s figure is than `other`'s, round by round, times `scale`."""
    pairs = zip(runs[one], runs[other], strict=True)
    return Spread.of((a[figure] - b[figure]) * scale for a, b in pairs)


def of(rounds: Iterable[Figures], figure: str) -> Spread:
    """One figure's spread over its rounds."""
    return Spread.of(figures[figure] for figures in rounds)


def say(message: str, end: str = "\n") -> None:
    """Print a progress message with the time since the start."""
    minutes, seconds = divmod(int(time.monotonic() - _STARTED), 60)
    print(f"{minutes:3}:{seconds:02}  {message}", end=end, file=sys.stderr, flush=True)


_STARTED = time.monotonic()

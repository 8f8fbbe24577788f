"""Event streams at once, with an event each 30 ms: 300, and 20 for LiteLLM's sake."""

from functools import partial

from bench import load
from bench.peers import PEERS, Stage
from bench.rounds import Effort, Runs, alternate, warmed_up

STREAMS = 300
FEWER = 20
"""As many as LiteLLM carries on one core. Of 300 it opens less than half within a minute."""
WITH_FEWER = ("direct", "nginx", "litellm", "daypass")


def measure(stage: Stage, names: list[str], effort: Effort) -> dict[str, Runs]:
    """The same streams for all in a group, also for those that cannot keep their pace."""
    peers = warmed_up({name: PEERS[name](stage) for name in names})

    def runs(count: int, these: list[str]) -> Runs:
        jobs = {
            name: partial(load.streams, peers[name], count, window_s=effort.seconds, may_lag=True)
            for name in these
        }
        return alternate(f"{count} streams", effort.rounds, jobs)

    return {
        "streams": runs(STREAMS, [name for name in names if name != "litellm"]),
        "fewer streams": runs(FEWER, [name for name in names if name in WITH_FEWER]),
    }

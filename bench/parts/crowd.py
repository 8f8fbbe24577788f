"""5,000 event streams at once through one process, with an event each 500 ms."""

from functools import partial

from bench import load
from bench.peers import PEERS, Stage
from bench.rounds import Effort, Runs, alternate

STREAMS = 5_000
PACE_S = 0.5
SECONDS = 2
"""The window's length for each second of a run elsewhere: it must hold several events."""
ABLE = ("direct", "nginx", "daypass")


def measure(stage: Stage, names: list[str], effort: Effort) -> dict[str, Runs]:
    """With direct, so that the client's and the upstream's own share of the gaps is known."""
    peers = {name: PEERS[name](stage) for name in names if name in ABLE}
    runs = {
        name: partial(
            load.streams,
            peer,
            STREAMS,
            pace_s=PACE_S,
            window_s=SECONDS * effort.seconds,
            may_lag=True,
        )
        for name, peer in peers.items()
    }
    found = alternate(f"{STREAMS:,} streams", effort.rounds, runs, shown="largest_gap_paces")
    return {"crowd": found}

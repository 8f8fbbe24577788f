"""300 event streams at once, with an event each 30 ms."""

from functools import partial

from bench import load
from bench.peers import PEERS, Stage
from bench.rounds import Effort, Runs, alternate

STREAMS = 300


def measure(stage: Stage, names: list[str], effort: Effort) -> dict[str, Runs]:
    """The same streams for all, also for those that cannot keep their pace."""
    peers = {name: PEERS[name](stage) for name in names}
    runs = {
        name: partial(load.streams, peer, STREAMS, window_s=effort.seconds, may_lag=True)
        for name, peer in peers.items()
    }
    return {"streams": alternate(f"{STREAMS} streams", effort.rounds, runs)}

"""A 1 kB completion over 32 connections."""

from functools import partial

from bench import load
from bench.peers import PEERS, Stage
from bench.rounds import Effort, Runs, alternate, warmed_up

PAUSE_MS = 16


def measure(stage: Stage, names: list[str], effort: Effort) -> dict[str, Runs]:
    """With requests back to back, which shows the cost, and with pauses between."""
    seconds = effort.seconds
    peers = warmed_up({name: PEERS[name](stage) for name in names})
    back_to_back = {name: partial(load.unary, peer, seconds) for name, peer in peers.items()}
    paused = {
        name: partial(load.unary, peer, seconds, pause_ms=PAUSE_MS) for name, peer in peers.items()
    }
    return {
        "back to back": alternate("unary, back to back", effort.rounds, back_to_back),
        "paused": alternate("unary, paused", effort.rounds, paused, shown="p50_us"),
    }

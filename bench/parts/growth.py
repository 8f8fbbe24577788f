"""How the cost grows with keys in use and with open streams, by workers and store."""

from dataclasses import replace
from functools import partial

from bench import load
from bench.peers import PEERS, Peer, Stage, daypass
from bench.rounds import Effort, Runs, alternate

KEYS = (1, 10, 100, 1_000)
STREAMS = (10, 100, 300, 1_000, 2_500, 5_000)
EVENTS_PER_S = 10_000
"""At most, over all streams: what one core can carry. More streams have a slower pace."""
FASTEST_PACE_S = 0.03


def measure(stage: Stage, _names: list[str], effort: Effort) -> dict[str, Runs]:
    """Per request for both stores, per event beside nginx; each with one and two workers.

    Two workers share the one core of the gateway: their cost is compared, not their reach.
    """
    found: dict[str, Runs] = {}
    gateways = {
        f"{store}, {workers} worker{'s' * (workers > 1)}": daypass(
            stage, keys=KEYS[-1], used=KEYS[-1], workers=workers, on_redis=store == "Redis"
        )
        for store in ("SQLite", "Redis")
        for workers in (1, 2)
    }
    for series, peer in gateways.items():
        runs = {
            f"{keys}": partial(
                load.unary, replace(peer, headers=peer.headers[:keys]), effort.seconds
            )
            for keys in KEYS
        }
        title = f"keys in use ({series})"
        found[f"keys in use: {series}"] = alternate(
            title, min(2, effort.rounds), runs, may_fail=True
        )
    compared = {
        "nginx": PEERS["nginx"](stage),
        "Daypass, 1 worker": gateways["SQLite, 1 worker"],
        "Daypass, 2 workers": gateways["SQLite, 2 workers"],
    }
    for series, peer in compared.items():
        title = f"open streams ({series})"
        found[f"open streams: {series}"] = alternate(
            title, 1, _stream_runs(peer, effort), may_fail=True
        )
    return found


def _stream_runs(peer: Peer, effort: Effort) -> dict[str, partial[load.Figures]]:
    return {
        f"{count}": partial(
            load.streams,
            peer,
            count,
            pace_s=max(FASTEST_PACE_S, count / EVENTS_PER_S),
            window_s=effort.seconds,
            may_lag=True,
        )
        for count in STREAMS
    }

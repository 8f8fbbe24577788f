"""A million API keys in the database against a hundred."""

from dataclasses import replace
from functools import partial

from bench import load
from bench.peers import Stage, daypass
from bench.rounds import Effort, Runs, alternate, say

FEW, MANY = 100, 1_000_000
IN_USE = 32
MORE_IN_USE = 5_000
"""So many that each request's key has left the gateway's cache before its next turn."""


def measure(stage: Stage, _names: list[str], effort: Effort) -> dict[str, Runs]:
    """Few keys in use, which the gateway remembers; and many, each of which it looks up."""
    few = daypass(stage, keys=FEW, used=IN_USE)
    all_used = daypass(stage, keys=MORE_IN_USE, used=MORE_IN_USE)
    say(f"Writing {MANY:,} API keys …")
    many = daypass(stage, keys=MANY, used=MORE_IN_USE)
    seconds = effort.seconds
    remembered = {
        f"{FEW}": partial(load.unary, few, seconds),
        f"{MANY}": partial(load.unary, replace(many, headers=many.headers[:IN_USE]), seconds),
    }
    looked_up = {
        f"{MORE_IN_USE}": partial(load.unary, all_used, seconds),
        f"{MANY}": partial(load.unary, many, seconds),
    }
    return {
        "remembered": alternate(f"{IN_USE} keys in use", effort.rounds, remembered),
        "looked up": alternate(f"{MORE_IN_USE:,} keys in use", effort.rounds, looked_up),
    }

"""The choice of upstreams for a request: by model, then priority, then weight."""

import random
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from daypass.upstreams.member import Member

MOST_TRIES = 3
"""The most upstreams that one request is sent to."""


class Candidate(NamedTuple):
    """An upstream for a request, and the model to ask it for."""

    member: Member
    model: str | None = None
    """The upstream's own name of the model, if the request names an alias."""


def candidates(
    members: Sequence[Member], model: str, *, takes_alias: bool
) -> tuple[Candidate, ...]:
    """Return the upstreams to try for a request, in turn; none if no upstream serves the model.

    An upstream that names the model, as an alias or by a glob, precedes all that take any model.
    `takes_alias` tells whether the request's model can be replaced. A request without a model
    goes to the first upstream.
    """
    if not model:
        return tuple(Candidate(x) for x in members[:1])
    named = [found for x in members if (found := _named(x, model, takes_alias=takes_alias))]
    return _in_order(named or [Candidate(x) for x in members if not x.models])[:MOST_TRIES]


def _named(member: Member, model: str, *, takes_alias: bool) -> Candidate | None:
    if takes_alias and model in member.aliases:
        return Candidate(member, member.aliases[model])
    if any(fnmatchcase(model, glob) for glob in member.models):
        return Candidate(member)
    return None


def _in_order(found: list[Candidate]) -> tuple[Candidate, ...]:
    """Sort by circuit breaker, priority, and within a priority randomly by weight."""
    if len(found) == 1:
        return tuple(found)

    def rank(candidate: Candidate) -> tuple[bool, int, float]:
        member = candidate.member
        # The smallest of exponential variables is each one's as often as its rate, the weight.
        lot = random.expovariate(member.weight)
        return member.breaker.is_last_resort, member.priority, lot

    return tuple(sorted(found, key=rank))

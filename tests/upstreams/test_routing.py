"""The choice of upstreams for a request, and the circuit breaker."""

from collections import Counter

import pytest

from daypass.upstreams.circuit_breaker import FAILURES_TO_OPEN, PAUSE_S, CircuitBreaker
from daypass.upstreams.demo import DemoUpstream
from daypass.upstreams.member import Member
from daypass.upstreams.routing import MOST_TRIES, candidates


def member(
    name: str,
    *models: str,
    aliases: dict[str, str] | None = None,
    weight: int = 1,
    priority: int = 0,
) -> Member:
    return Member(
        name,
        DemoUpstream(),
        None,
        models=models,
        aliases=aliases or {},
        weight=weight,
        priority=priority,
    )


MEMBERS = (
    member("first"),
    member("openai", "gpt-*", "o?", aliases={"small": "gpt-4o-mini"}),
    member("azure", "gpt-4*", priority=1, aliases={"small": "my-deployment"}),
    member("local", "llama*", aliases={"gpt-local": "llama3"}, priority=2),
)


@pytest.mark.parametrize(
    ("model", "takes_alias", "chosen"),
    [
        ("gpt-4o", True, [("openai", None), ("azure", None)]),
        ("gpt-3.5", True, [("openai", None)]),
        ("o3", True, [("openai", None)]),
        ("o3-mini", True, [("first", None)]),
        ("small", True, [("openai", "gpt-4o-mini"), ("azure", "my-deployment")]),
        # The model is in a path, form or query, where it is not replaced.
        ("small", False, [("first", None)]),
        # An alias and a glob of another upstream.
        ("gpt-local", True, [("openai", None), ("local", "llama3")]),
        ("LLAMA3", True, [("first", None)]),
        ("unheard-of", True, [("first", None)]),
        ("", True, [("first", None)]),
    ],
)
def test_a_model_is_routed_to_the_upstreams_that_list_it(
    model: str, takes_alias: bool, chosen: list[tuple[str, str | None]]
) -> None:
    found = candidates(MEMBERS, model, takes_alias=takes_alias)
    assert [(x.member.name, x.model) for x in found] == chosen


def test_a_model_without_an_upstream_has_no_candidates() -> None:
    assert candidates(MEMBERS[1:], "unheard-of", takes_alias=True) == ()
    (first,) = candidates(MEMBERS[1:], "", takes_alias=True)
    assert first.member.name == "openai"


def test_weights_apply_within_a_priority() -> None:
    members = [member("heavy", weight=9), member("light"), member("later", priority=1, weight=99)]
    orders = [
        [x.member.name for x in candidates(members, "m", takes_alias=True)] for _ in range(2000)
    ]
    assert {order[-1] for order in orders} == {"later"}
    assert 1700 < Counter(order[0] for order in orders)["heavy"] < 1900


def test_a_request_is_tried_at_a_bounded_number_of_upstreams() -> None:
    members = [member(str(number)) for number in range(9)]
    assert len(candidates(members, "m", takes_alias=True)) == MOST_TRIES


def test_an_upstream_with_an_open_circuit_is_tried_last() -> None:
    first, second = member("first"), member("second", priority=1)

    def order() -> list[str]:
        return [x.member.name for x in candidates([first, second], "m", takes_alias=True)]

    for _ in range(FAILURES_TO_OPEN):
        assert order() == ["first", "second"]
        first.fail("upstream_500", 0)
    assert order() == ["second", "first"]
    for _ in range(FAILURES_TO_OPEN):
        second.fail("upstream_500", 0)
    assert order() == ["first", "second"]


def test_the_circuit_breaker_probes_after_a_pause() -> None:
    now = 0.0
    breaker = CircuitBreaker(lambda: now)

    def fail(times: int) -> None:
        for _ in range(times):
            breaker.begin()
            breaker.fail()

    fail(FAILURES_TO_OPEN - 1)
    breaker.succeed()
    fail(FAILURES_TO_OPEN - 1)
    assert breaker.state == "closed"
    fail(1)
    assert (breaker.state, breaker.is_last_resort) == ("open", True)
    now += PAUSE_S
    assert (breaker.state, breaker.is_last_resort) == ("half_open", False)
    # One request probes; others are kept away until it gets a response.
    breaker.begin()
    assert (breaker.state, breaker.is_last_resort) == ("half_open", True)
    breaker.fail()
    assert (breaker.state, breaker.is_last_resort) == ("open", True)
    now += PAUSE_S
    breaker.begin()
    # A probe that never ends is followed by another.
    now += PAUSE_S
    assert not breaker.is_last_resort
    breaker.begin()
    breaker.succeed()
    assert (breaker.state, breaker.is_last_resort) == ("closed", False)

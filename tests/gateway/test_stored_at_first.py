"""Stored objects are all at the first upstream."""

from typing import Any, cast

import orjson
import pytest

from daypass.config.settings import Settings
from daypass.config.upstreams import UpstreamTerms
from daypass.gateway.call import Call
from daypass.gateway.endpoints import route_of
from daypass.gateway.errors import GatewayError
from daypass.gateway.principal import Principal
from daypass.gateway.request import Target
from daypass.gateway.upstream_choice import choose_upstreams
from daypass.upstreams.current import CurrentUpstreams, Described
from daypass.upstreams.member import UpstreamConfig

NAMES = ("first", "second")
USUAL = {"model": "gpt-x", "messages": []}


def described(name: str, problem: str | None = None) -> Described:
    models = ("gpt-*",) if name == "second" else ()
    terms = UpstreamTerms(name=name, base_url="http://127.0.0.1:1/v1", models=models)
    return Described(UpstreamConfig(name, terms, "site", problem=problem), None)


def chosen(
    upstreams: CurrentUpstreams, method: str, path: str, body: Any, *, keeps_objects: bool = True
) -> str:
    target = Target(method, path.encode(), b"")
    document = body or {}
    call = Call(
        cast(Principal, None),
        route_of(method, target.path),
        target,
        [],
        orjson.dumps(body) if body else b"",
        str(document.get("model", "")),
        "api",
    )
    found = choose_upstreams(upstreams, call, document, keeps_objects=keeps_objects)
    return found[0].member.name


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/files", None),
        ("POST", "/batches", {"model": "gpt-x"}),
        ("POST", "/responses", {"model": "gpt-x", "input": "x"}),
        ("POST", "/responses/compact", {"model": "gpt-x", "input": "x"}),
        ("POST", "/chat/completions", USUAL | {"store": True}),
        ("POST", "/chat/completions", USUAL | {"previous_response_id": "resp_1"}),
    ],
)
async def test_what_may_be_stored_goes_to_the_first(method: str, path: str, body: Any) -> None:
    upstreams = CurrentUpstreams(Settings())
    upstreams.replace(map(described, NAMES))
    assert chosen(upstreams, method, path, body) == "first"
    if body:
        assert chosen(upstreams, "POST", "/chat/completions", USUAL) == "second"
        assert chosen(upstreams, method, path, body, keeps_objects=False) == "second"
    await upstreams.close()


async def test_upstreams_that_are_all_off_are_not_the_demo_model() -> None:
    upstreams = CurrentUpstreams(Settings())
    upstreams.replace([described("first", problem="no key")])
    assert not upstreams.is_demo
    with pytest.raises(GatewayError) as error:
        chosen(upstreams, "POST", "/chat/completions", USUAL)
    assert (error.value.status, error.value.code) == (502, "upstream_misconfigured")
    await upstreams.close()

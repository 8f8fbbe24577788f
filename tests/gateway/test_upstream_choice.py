"""Clients cannot redirect a request to another upstream."""

from collections.abc import Iterator

import pytest

from tests.conftest import Server
from tests.support.upstream import FakeUpstream


@pytest.fixture
def evil() -> Iterator[FakeUpstream]:
    """A server that no call may reach."""
    upstream = FakeUpstream()
    upstream.start()
    yield upstream
    upstream.stop()


def test_a_client_cannot_choose_the_upstream(
    relaying: Server, upstream: FakeUpstream, evil: FakeUpstream
) -> None:
    """LiteLLM (SSRF): `api_base` sent a request with the operator's key to any address."""
    api = relaying.gateway(relaying.sign_up().create_key()["key"])
    there = evil.base_url
    chosen = {"api_base": there, "base_url": there, "custom_llm_provider": there}
    more = chosen | {"api_key": "x"}
    body = {"model": "m", "messages": []} | more | {"litellm_params": more}
    host = there.partition("//")[2].partition("/")[0]
    headers = {
        "host": host,
        "x-forwarded-host": host,
        "x-upstream-base-url": there,
        "x-litellm-api-base": there,
        "openai-base-url": there,
    }
    answer = api.post("/v1/chat/completions", json=body, params=chosen, headers=headers)
    assert answer.status_code == 200
    assert evil.seen == []
    (seen,) = upstream.seen
    assert seen.headers["host"] in upstream.base_url
    assert seen.headers["authorization"] == "Bearer sk-the-operators-own"

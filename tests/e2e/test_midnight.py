"""A day's end, with the quota clock moved to just before it."""

import asyncio
import time
from typing import Any

import pytest
from starlette.responses import StreamingResponse

from tests.conftest import StartServer
from tests.redis import Redis
from tests.upstream import FakeUpstream

DAY = 86_400
BEFORE_S = 12


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_a_stream_belongs_to_the_day_it_began_in(
    start: StartServer, upstream: FakeUpstream, redis_server: Redis, store: str
) -> None:
    async def events() -> Any:
        while time.time() < midnight + 1:
            yield b'data: {"choices": []}\n\n'
            await asyncio.sleep(0.2)
        yield b"data: [DONE]\n\n"

    # By the quota clock, midnight comes a few seconds after the server has started.
    midnight = time.time() + BEFORE_S
    offset = DAY - midnight % DAY
    stores = {"DAYPASS_REDIS_URL": redis_server.url} if store == "redis" else {}
    server = start(
        DAYPASS_UPSTREAM_BASE_URL=upstream.base_url,
        DAYPASS_TESTING="1",
        DAYPASS_CLOCK_OFFSET_S=str(offset),
        **stores,
    )
    person = server.sign_up()
    api = server.gateway(person.create_key()["key"])
    upstream.reply = lambda _seen: StreamingResponse(events(), media_type="text/event-stream")
    with api.stream("POST", "/v1/chat/completions", json={"model": "m"}) as response:
        assert time.time() < midnight, "the server took too long to start"
        assert response.headers["x-ratelimit-remaining-requests"] == "9"
        assert response.read().endswith(b"[DONE]\n\n")
    described = api.get("/v1/key").json()["limits"][0]
    assert (described["used"], described["remaining"]) == (0, 10)
    began_on = time.strftime("%Y-%m-%d", time.gmtime(midnight + offset - 1))
    (row,) = person.http.get("/api/usage").json()
    assert (row["date"], row["requests"]) == (began_on, 1)

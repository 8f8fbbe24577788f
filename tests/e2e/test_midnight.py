"""The end of a day, with the quota clock set to just before it."""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

from starlette.responses import StreamingResponse

from tests.conftest import StartServer
from tests.support.redis import Redis
from tests.support.upstream import FakeUpstream

DAY = 86_400
BEFORE_S = 15


def test_a_stream_counts_for_the_day_in_which_it_began(
    start: StartServer, upstream: FakeUpstream, redis_server: Redis, tmp_path: Path
) -> None:
    async def events() -> Any:
        while time.time() < midnight + 1:
            yield b'data: {"choices": []}\n\n'
            await asyncio.sleep(0.2)
        yield b"data: [DONE]\n\n"

    # By the quota clock, midnight is a few seconds after the servers have started.
    midnight = time.time() + BEFORE_S
    offset = DAY - midnight % DAY
    upstream.reply = lambda _seen: StreamingResponse(events(), media_type="text/event-stream")
    opened = []
    with contextlib.ExitStack() as stack:
        # Both ledgers wait for the same midnight.
        for name, store in (("sqlite", {}), ("redis", {"DAYPASS_REDIS_URL": redis_server.url})):
            server = start(
                DAYPASS_DATA_DIR=str(tmp_path / name),
                DAYPASS_UPSTREAM_BASE_URL=upstream.base_url,
                DAYPASS_TESTING="1",
                DAYPASS_CLOCK_OFFSET_S=str(offset),
                **store,
            )
            person = server.sign_up()
            api = server.gateway(person.create_key()["key"])
            call = api.stream("POST", "/v1/chat/completions", json={"model": "m"})
            opened.append((person, api, stack.enter_context(call)))
        assert time.time() < midnight, "the servers took too long to start"
        for _, _, response in opened:
            assert response.headers["x-ratelimit-remaining-requests"] == "9"
            assert response.read().endswith(b"[DONE]\n\n")
    began_on = time.strftime("%Y-%m-%d", time.gmtime(midnight + offset - 1))
    for person, api, _ in opened:
        described = api.get("/v1/key").json()["limits"][0]
        assert (described["used"], described["remaining"]) == (0, 10)
        (row,) = person.http.get("/api/usage").json()
        assert (row["date"], row["requests"]) == (began_on, 1)

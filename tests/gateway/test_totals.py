"""Many mixed requests at once: every total is the upstream's own, to the token and micro-dollar."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import orjson
import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.conftest import Server, start_server
from tests.support.postgres import Postgres
from tests.support.redis import Redis
from tests.support.upstream import FakeUpstream, Seen
from tests.support.waiting import until

AT_ONCE = 64
CAP = 300
PLAN = """
[[plans]]
id = "totals"
name = "Totals"
requests_per_day = 1_000_000
tokens_per_day = 100_000_000
cost_per_month = 5_000

[[prices]]
model = "our-own"
input = 2
cached_input = 1
output = 10
"""
KINDS = ("whole", "streamed", "asked", "no usage", "failed", "broken", "cancelled")
STREAMED = ("streamed", "asked", "broken", "cancelled")
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'


class Books:
    """An upstream that writes down what it has billed."""

    def __init__(self) -> None:
        self.tokens = self.cost = 0

    def reply(self, seen: Seen) -> Response:
        asked = seen.json()
        kind, number = asked["user"].split("/")
        if kind == "failed":
            return Response("no", 503)
        if kind == "no usage":
            return JSONResponse({"choices": []})
        usage = self._usage(int(number)) if kind not in ("broken", "cancelled") else {}
        if kind == "whole":
            return JSONResponse({"choices": [], "usage": usage})
        assert asked["stream_options"]["include_usage"]
        return StreamingResponse(self._events(kind, usage), media_type="text/event-stream")

    @staticmethod
    async def _events(kind: str, usage: dict[str, Any]) -> AsyncIterator[bytes]:
        yield EVENT
        if kind == "cancelled":
            await asyncio.sleep(60)
        if kind == "broken":
            raise ConnectionError
        yield b'data: {"choices":[],"usage":' + orjson.dumps(usage) + b"}\n\ndata: [DONE]\n\n"

    def _usage(self, number: int) -> dict[str, Any]:
        prompt, completion = 1 + number % 97, 1 + number % 89
        cached, reasoning = prompt // 3, completion // 2
        self.tokens += prompt + completion
        self.cost += (prompt - cached) * 2 + cached * 1 + completion * 10
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }


async def send(client: httpx.AsyncClient, kind: str, number: int) -> int:
    """Make a request and return the bytes of its body."""
    document: dict[str, Any] = {"model": "our-own", "messages": [], "max_tokens": CAP}
    document |= {"user": f"{kind}/{number}", "stream": kind in STREAMED}
    if kind == "asked":
        document["stream_options"] = {"include_usage": True}
    body = orjson.dumps(document)
    try:
        async with client.stream("POST", "/v1/chat/completions", content=body) as answer:
            assert answer.status_code == (503 if kind == "failed" else 200), await answer.aread()
            async for piece in answer.aiter_bytes():
                assert piece
                if kind == "cancelled":
                    break
    except httpx.TransportError:
        assert kind == "broken"
    return len(body)


async def send_all(server: Server, key: str, count: int) -> list[tuple[str, int]]:
    limit = asyncio.Semaphore(AT_ONCE)
    headers = {"x-api-key": key, "content-type": "application/json"}
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(
        base_url=server.url, headers=headers, limits=limits, timeout=60
    ) as client:

        async def one(number: int) -> tuple[str, int]:
            kind = KINDS[number % len(KINDS)]
            async with limit:
                return kind, await send(client, kind, number)

        return await asyncio.gather(*(one(x) for x in range(count)))


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.soak)])
@pytest.mark.parametrize("store", ["sqlite", "redis"])
async def test_the_totals_are_those_of_the_upstream(
    store: str, count: int, tmp_path: Path, upstream: FakeUpstream, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "daypass.toml").write_text(PLAN)
    settings = {"DAYPASS_UPSTREAM_BASE_URL": upstream.base_url}
    if store == "redis":
        redis: Redis = request.getfixturevalue("redis_server")
        postgres: Postgres = request.getfixturevalue("postgres_server")
        redis.empty()
        settings["DAYPASS_REDIS_URL"] = redis.url
        settings["DAYPASS_DATABASE_URL"] = postgres.create_database(f"test_{uuid4().hex}")
    books = Books()
    upstream.reply = books.reply
    server = await asyncio.to_thread(start_server, tmp_path, **settings)
    try:
        person = await asyncio.to_thread(server.sign_up)
        key = person.create_key("totals")["key"]
        sent = await send_all(server, key, count)
        await asyncio.to_thread(compare, server, person.http, key, books, sent)
    finally:
        await asyncio.to_thread(server.stop)


def compare(
    server: Server, site: httpx.Client, key: str, books: Books, sent: list[tuple[str, int]]
) -> None:
    counts = Counter(kind for kind, _ in sent)
    bounds = [x for kind, x in sent if kind in ("no usage", "broken", "cancelled")]
    expected = {
        "requests": len(sent) - counts["failed"],
        "tokens": books.tokens + sum(bounds) + CAP * len(bounds),
        "cost": books.cost + 2 * sum(bounds) + 10 * CAP * len(bounds),
    }
    with server.gateway(key) as api:

        def used() -> dict[str, int]:
            limits = api.get("/v1/key").json()["limits"]
            return {x["measure"]: x["used"] for x in limits if x["subject"] == "key"}

        try:
            until(lambda: used() == expected, within_s=20, every_s=0.1)
        except AssertionError:
            assert used() == expected
    rows: list[dict[str, Any]] = []

    def recorded() -> int:
        found = site.get("/api/usage", params={"days": 1}).json()
        rows[:] = found["days"] if isinstance(found, dict) else found
        return sum(x["input_tokens"] + x["output_tokens"] for x in rows)

    until(lambda: recorded() == books.tokens, every_s=0.1)

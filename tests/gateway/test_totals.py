"""After many concurrent requests of every kind, totals equal those of the upstream."""

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import orjson
import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.conftest import Server
from tests.support.postgres import Postgres
from tests.support.redis import Redis
from tests.support.relaying import relaying_to
from tests.support.upstream import FakeUpstream, Seen
from tests.support.waiting import until

REQUESTS = int(os.environ.get("TOTALS_REQUESTS", "280"))
AT_ONCE = 64
KINDS = ("whole", "silent", "refused", "failed", "stream", "asking", "broken", "left")
INPUT, CACHED, OUTPUT = 2, 1, 10  # micro-dollars per token
PLANS = f"""
[[plans]]
id = "both"
name = "Tokens and dollars"
requests_per_day = 1_000_000
tokens_per_day = 100_000_000
cost_per_month = 100_000

[[prices]]
model = "our-own"
input = {INPUT}
cached_input = {CACHED}
output = {OUTPUT}
"""


class Books:
    """What the upstream bills, and what counts at its bound."""

    def __init__(self) -> None:
        self.totals: Counter[str] = Counter()
        self._lock = threading.Lock()

    def bill(self, usage: dict[str, Any]) -> None:
        cached = usage["prompt_tokens_details"]["cached_tokens"]
        text = usage["prompt_tokens"] - cached
        cost = text * INPUT + cached * CACHED + usage["completion_tokens"] * OUTPUT
        self._add(usage["prompt_tokens"] + usage["completion_tokens"], cost)

    def bill_bound(self, body: bytes, cap: int) -> None:
        self._add(len(body) + cap, len(body) * INPUT + cap * OUTPUT)

    def _add(self, tokens: int, cost: int) -> None:
        with self._lock:
            self.totals["tokens"] += tokens
            self.totals["cost"] += cost


class Upstream:
    """An upstream that answers each kind of request and adds up what it bills."""

    def __init__(self) -> None:
        self.books = Books()

    def __call__(self, seen: Seen) -> Response:
        asked = seen.json()
        kind, number = asked["user"].split("-")
        usage = {
            "prompt_tokens": 20 + int(number) % 7,
            "completion_tokens": 5 + int(number) % 11,
            "prompt_tokens_details": {"cached_tokens": int(number) % 5},
        }
        if kind == "failed":
            return Response("no", 503)
        if kind == "refused":
            return JSONResponse({"error": {"message": "no"}}, 400)
        if kind == "silent":
            return JSONResponse({"choices": []})
        if kind == "whole":
            self.books.bill(usage)
            return JSONResponse({"choices": [], "usage": usage})
        if kind in ("stream", "asking"):
            self.books.bill(usage)
        return StreamingResponse(self._events(kind, usage), media_type="text/event-stream")

    async def _events(self, kind: str, usage: dict[str, Any]) -> Any:
        for _ in range(3):
            yield b'data: {"choices":[{"index":0,"delta":{"content":"x"}}],"usage":null}\n\n'
            await asyncio.sleep(0)
        if kind == "broken":
            raise OSError("broken off")
        if kind == "left":
            await asyncio.sleep(30)
        yield b'data: {"choices":[],"usage":' + orjson.dumps(usage) + b"}\n\ndata: [DONE]\n\n"


@pytest.fixture(params=["sqlite", "redis"])
def site(
    request: pytest.FixtureRequest,
    upstream: FakeUpstream,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    stores = {}
    if request.param == "redis":
        postgres: Postgres = request.getfixturevalue("postgres_server")
        redis: Redis = request.getfixturevalue("redis_server")
        redis.empty()
        database = postgres.create_database(f"test_{uuid4().hex}")
        stores = {"DAYPASS_DATABASE_URL": database, "DAYPASS_REDIS_URL": redis.url}
    with relaying_to(upstream, tmp_path_factory.mktemp("totals"), PLANS, **stores) as server:
        yield server


def body_of(kind: str, number: int) -> bytes:
    document = {"model": "our-own", "user": f"{kind}-{number}", "max_tokens": 30, "messages": []}
    if kind in ("stream", "broken", "left"):
        document["stream"] = True
    if kind == "asking":
        document |= {"stream": True, "stream_options": {"include_usage": True}}
    return orjson.dumps(document)


async def call(api: httpx.AsyncClient, kind: str, number: int, books: Books) -> None:
    body = body_of(kind, number)
    request = api.build_request("POST", "/v1/chat/completions", content=body)
    answer = await api.send(request, stream=True)
    if kind == "left":
        async for _ in answer.aiter_raw():
            break
        await answer.aclose()
    else:
        await answer.aread()
    if kind in ("silent", "broken", "left"):
        books.bill_bound(body, 30)
    elif kind == "refused":
        books.bill_bound(body, 0)
    expected = {"failed": 503, "refused": 400}.get(kind, 200)
    assert answer.status_code in (expected, 502), (kind, answer.status_code)


async def call_all(site: Server, key: str, books: Books) -> None:
    gate = asyncio.Semaphore(AT_ONCE)
    headers = {"x-api-key": key, "content-type": "application/json"}

    async def one(number: int) -> None:
        async with gate:
            await call(api, KINDS[number % len(KINDS)], number, books)

    async with httpx.AsyncClient(base_url=site.url, headers=headers, timeout=60) as api:
        await asyncio.gather(*(one(number) for number in range(REQUESTS)))


def test_totals_equal_those_of_the_upstream(site: Server, upstream: FakeUpstream) -> None:
    books = Books()
    reply = Upstream()
    reply.books = books
    upstream.reply = reply
    person = site.sign_up()
    key = person.create_key("both")["key"]
    asyncio.run(call_all(site, key, books))
    expected = dict(books.totals)

    def in_the_ledger() -> dict[str, int]:
        limits = site.gateway(key).get("/v1/key").json()["limits"]
        return {x["measure"]: x["used"] for x in limits if x["measure"] != "requests"}

    def in_the_records() -> dict[str, int]:
        rows = person.http.get("/api/usage").json()
        return {
            "tokens": sum(
                x["input_tokens"] + x["output_tokens"] + x["reserved"]["tokens"] for x in rows
            ),
            "cost": sum(x["cost"] + x["reserved"]["cost"] for x in rows),
        }

    until(lambda: in_the_ledger() == expected, every_s=0.2)
    until(lambda: in_the_records() == expected, every_s=0.2)

"""Kill the server (`kill -9`) at random moments under load, and compare what was counted.

python -m tests.chaos.kill --cycles 100
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.conftest import Server, start_server
from tests.support.redis import Redis
from tests.support.upstream import FakeUpstream, completion

LIMIT = 30
CALLERS = 16
PACE_S = 0.05
"""The longest time that the upstream takes to answer, in seconds."""
LONGEST_LIFE_S = 2.0


@dataclass
class Figures:
    """The outcome of some cycles, each with a fresh key that is limited to 30 requests a day."""

    cycles: int = 0
    kills: int = 0
    admitted: int = 0
    served: int = 0
    counted: int = 0
    over_limit: int = 0
    uncounted: int = 0

    def add(self, served: int, upstream_saw: int, counted: int) -> None:
        self.cycles += 1
        self.admitted += upstream_saw
        self.served += served
        self.counted += counted
        self.over_limit += max(0, upstream_saw - LIMIT)
        self.uncounted += max(0, upstream_saw - counted)

    def __str__(self) -> str:
        return (
            f"{self.cycles} cycles, {self.kills} kills: the upstream saw {self.admitted}, callers "
            f"got {self.served}, counted {self.counted}; over the limit {self.over_limit}, "
            f"seen but not counted {self.uncounted}"
        )


def run(cycles: int, **settings: str) -> Figures:
    """Run cycles of load. In each, the server is killed twice (SIGKILL)."""
    figures = Figures()
    upstream = FakeUpstream(reply=lambda seen: Late(completion(seen).body))
    upstream.start()
    try:
        with tempfile.TemporaryDirectory() as directory:
            settings = {"DAYPASS_UPSTREAM_BASE_URL": upstream.base_url} | settings
            for number in range(cycles):
                _cycle(Path(directory), upstream, settings, figures)
                if number % 10 == 9 or number == cycles - 1:
                    print(figures, flush=True)
    finally:
        upstream.stop()
    return figures


def _cycle(
    directory: Path, upstream: FakeUpstream, settings: dict[str, str], figures: Figures
) -> None:
    upstream.seen.clear()
    server = start_server(directory, **settings)
    key = server.sign_up().create_key("30RequestPerDay")["key"]
    served = 0
    for life in range(3):
        if life:
            server = start_server(directory, **settings)
        is_last = life == 2
        served += asyncio.run(_load(server, key, None if is_last else upstream))
        figures.kills += not is_last
    counted: int = server.gateway(key).get("/v1/key").json()["limits"][0]["used"]
    server.stop()
    figures.add(served, len(upstream.seen), counted)


class Late(Response):
    """Answer slowly, so that a kill finds requests in progress."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(random.uniform(0, PACE_S))
        await super().__call__(scope, receive, send)


async def _load(server: Server, key: str, kill_under: FakeUpstream | None) -> int:
    """Call until all clients are refused or the server is killed; return the number of responses.

    It is killed when the upstream has seen some of the requests that the limit still allows.
    """
    served = 0

    async def call() -> None:
        nonlocal served
        headers = {"x-api-key": key}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=10) as client:
            try:
                while True:
                    response = await client.post("/v1/embeddings", json={})
                    if response.status_code != 200:
                        return
                    served += 1
                    await asyncio.sleep(random.uniform(0, 0.2))
            except httpx.TransportError:
                return

    async def killer(upstream: FakeUpstream) -> None:
        enough = len(upstream.seen) + random.randint(0, (LIMIT - len(upstream.seen)) // 2)
        until = time.monotonic() + LONGEST_LIFE_S
        while len(upstream.seen) < enough and time.monotonic() < until:
            await asyncio.sleep(0.0005)
        await asyncio.sleep(random.uniform(0, PACE_S))
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()

    await asyncio.gather(
        *(call() for _ in range(CALLERS)), *([killer(kill_under)] if kill_under else [])
    )
    return served


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--redis", action="store_true", help="count in a private Redis")
    asked = parser.parse_args()
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        settings = {}
        if asked.redis:
            redis = Redis()
            stack.callback(redis.remove)
            redis.start()
            settings["DAYPASS_REDIS_URL"] = redis.url
        found = run(asked.cycles, **settings)
    print(f"{time.monotonic() - began:.0f} s")
    raise SystemExit(found.over_limit > 0 or found.uncounted > 0)

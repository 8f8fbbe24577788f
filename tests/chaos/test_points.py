"""SIGKILL at each named point of a request: the counts afterwards are correct."""

import contextlib
import signal
import sys
from pathlib import Path

import httpx2 as httpx
import pytest
from starlette.responses import JSONResponse

from tests.chaos.dying import POINTS
from tests.conftest import serve_on, start_server
from tests.support.ports import free_port
from tests.support.redis import Redis
from tests.support.upstream import FakeUpstream, completion

PLAN = """
[[plans]]
id = "free"
name = "Free"
requests_per_day = 10
tokens_per_day = 100_000
"""
JSON = {"content-type": "application/json"}
BODY = b'{"model":"m","stream":true,"max_tokens":1000}'
BOUND = len(BODY) + 1000
DYING = str(Path(__file__).with_name("dying.py"))
TRUTH = {
    "before reserve": (0, 0),
    "after reserve": (1, 0),
    "at the upstream": (1, 1),
    "in mid-stream": (1, 1),
    "before give-back": (1, 1),
    "after give-back": (0, 1),
    "before settle": (1, 1),
    "after settle": (1, 1),
}
"""For each point: requests counted, and requests seen by the upstream."""


@pytest.mark.parametrize("store", ["sqlite", pytest.param("redis", marks=pytest.mark.soak)])
def test_counts_are_correct_after_a_kill_at_each_point(
    store: str, tmp_path: Path, upstream: FakeUpstream, redis_server: Redis
) -> None:
    assert TRUTH.keys() == POINTS.keys()
    (tmp_path / "daypass.toml").write_text(PLAN)
    settings = {"DAYPASS_UPSTREAM_BASE_URL": upstream.base_url}
    if store == "redis":
        redis_server.empty()
        settings["DAYPASS_REDIS_URL"] = redis_server.url
    key = ""
    counted = seen = 0
    try:
        for point, (more_counted, more_seen) in TRUTH.items():
            program = (sys.executable, DYING, point)
            server = serve_on(free_port(), tmp_path, (), settings, program=program)
            key = key or server.sign_up().create_key("free")["key"]
            assert server.used(key) == counted, f"before: {point}"
            is_fault = "give-back" in point
            upstream.reply = (lambda _: JSONResponse({}, 500)) if is_fault else completion
            with server.gateway(key) as api, contextlib.suppress(httpx.TransportError):
                api.post("/v1/chat/completions", content=BODY, headers=JSON)
            assert server.process.wait(10) == -signal.SIGKILL, point
            counted += more_counted
            seen += more_seen
            assert len(upstream.seen) == seen, point
        server = start_server(tmp_path, **settings)
        assert server.used(key) == counted
        with server.gateway(key) as api:
            tokens = api.get("/v1/key").json()["limits"][1]["used"]
        # None was settled, so each counts at its bound. The last died while settling.
        assert tokens in (counted * BOUND, (counted - 1) * BOUND + 18)
        upstream.reply = completion
        with server.gateway(key) as api:
            statuses = [api.post("/v1/embeddings", json={}).status_code for _ in range(5)]
        assert statuses == [200] * (10 - counted) + [429]
    finally:
        server.stop()

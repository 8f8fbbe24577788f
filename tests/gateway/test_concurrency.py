"""A usage plan's limit on concurrent requests, over two server processes on one SQLite file."""

import asyncio
import signal
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from starlette.responses import Response, StreamingResponse

from daypass.quota.counters import SECOND
from daypass.quota.ledger import LEASE_S
from tests.conftest import Person, Server, StartServer
from tests.support.upstream import FakeUpstream, Seen, completion
from tests.support.waiting import until

CHAT = {"model": "gpt-4o-mini", "messages": []}
PLAN = """
[[plans]]
id = "three"
name = "Three at once"
requests_per_day = 1000
max_concurrent_requests = 3
"""


@pytest.fixture
def may_end(upstream: FakeUpstream) -> Iterator[threading.Event]:
    """The upstream's streams stay open until this is set; other responses complete at once."""
    event = threading.Event()

    def reply(seen: Seen) -> Response:
        if not seen.body or not seen.json().get("stream"):
            return completion(seen)

        async def events() -> AsyncIterator[bytes]:
            yield b'data: {"choices":[]}\n\n'
            while not event.is_set():
                await asyncio.sleep(0.01)
            yield b"data: [DONE]\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    upstream.reply = reply
    yield event
    event.set()


def call(api: httpx.Client) -> httpx.Response:
    return api.post("/v1/chat/completions", json=CHAT)


def open_stream(api: httpx.Client, stack: ExitStack) -> Iterator[bytes]:
    """Open a stream that stays open until the stack is closed."""
    response = stack.enter_context(
        api.stream("POST", "/v1/chat/completions", json=CHAT | {"stream": True})
    )
    assert response.status_code == 200
    pieces = response.iter_bytes()
    stack.callback(iter, pieces)  # Keep it: a discarded iterator closes the stream.
    next(pieces)
    return pieces


def test_concurrent_requests_of_a_key_are_limited_over_all_processes(
    start: StartServer, upstream: FakeUpstream, may_end: threading.Event, tmp_path: Path
) -> None:
    servers = _two_servers(start, upstream, tmp_path)
    person = servers[0].sign_up()
    key = person.create_key("three")
    first, second = (server.gateway(key["key"]) for server in servers)

    with ExitStack() as stack, ExitStack() as leaving:
        lasting = [open_stream(x, stack) for x in (first, second)]
        open_stream(second, leaving)
        refused = call(first)
        error = refused.json()["error"]
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert "x-should-retry" not in refused.headers
        assert error == {
            "message": (
                "This API key has 3 requests open, and its usage plan three allows 3 at the same "
                "time. Try again when one of them has finished. Nothing was counted."
            ),
            "type": "rate_limit_exceeded",
            "param": None,
            "code": "rate_limit_exceeded",
            "measure": "requests",
            "limit": 3,
            "used": 3,
            "window": None,
            "subject": "key",
            "usage_plan_id": "three",
            "resets_at": None,
        }
        assert call(second).status_code == 429
        chat = person.http.post("/api/chat/completions", json=CHAT | {"api_key_id": key["id"]})
        assert chat.status_code == 429
        _is_shown(servers, person, key)
        # Requests that are not counted need no lease.
        assert first.get("/v1/models").status_code == 200
        assert servers[0].used(key["key"]) == 3
        # Another key of the account has its own leases.
        assert call(servers[1].gateway(person.create_key("three")["key"])).status_code == 200

        # A client that disconnects frees its lease.
        leaving.close()
        until(lambda: call(first).status_code == 200)
        open_stream(first, leaving)
        assert call(first).status_code == 429
        may_end.set()
        for pieces in lasting:
            assert list(pieces)[-1].endswith(b"[DONE]\n\n")
    # Sequential requests on alternating servers are not refused.
    assert [call(x).status_code for x in (first, second) * 3] == [200] * 6
    may_end.clear()
    _killed_server_frees_its_leases(servers, key["key"])


def _is_shown(servers: list[Server], person: Person, key: dict[str, Any]) -> None:
    """Check that the limit and its use are shown and that the two refusals were recorded."""
    in_use = {"limit": 3, "used": 3}
    for server in servers:
        assert server.gateway(key["key"]).get("/v1/key").json()["concurrent_requests"] == in_use
    (listed,) = person.keys()
    assert listed["concurrent_requests"] == in_use

    def refused() -> list[tuple[int, str, str, str]]:
        receipts = person.http.get("/api/requests").json()
        return [
            (x["status"], x["reason"], x["model"], x["via"])
            for x in receipts
            if x["outcome"] == "refused"
        ]

    model = CHAT["model"]
    expected = [(429, "key_concurrent", model, via) for via in ("api", "api", "chat")]
    until(lambda: sorted(refused()) == expected)
    rows = person.http.get("/api/usage").json()
    assert sum(x["refused"] for x in rows) == 3
    metrics = servers[0].client().get("/metrics").text
    assert 'daypass_requests_total{outcome="refused",status="429"} 3.0' in metrics


def _killed_server_frees_its_leases(servers: list[Server], key: str) -> None:
    first, second = (server.gateway(key) for server in servers)
    with ExitStack() as stack:
        for _ in range(3):
            open_stream(second, stack)
        servers[1].process.send_signal(signal.SIGKILL)
        servers[1].process.wait(10)
        assert call(first).status_code == 429
        # As if the lease had expired.
        with sqlite3.connect(servers[0].data_dir / "daypass.db", timeout=10) as database:
            earlier = "UPDATE quota_lease SET expires_at = expires_at - ?"
            assert database.execute(earlier, (LEASE_S * SECOND,)).rowcount == 3
        database.close()
        assert call(first).status_code == 200


def _two_servers(start: StartServer, upstream: FakeUpstream, directory: Path) -> list[Server]:
    (directory / "daypass.toml").write_text(PLAN)
    settings = {"DAYPASS_UPSTREAM_BASE_URL": upstream.base_url}
    return [start(**settings), start("--join", **settings)]

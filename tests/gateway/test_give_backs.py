"""Upstream failures that a client can provoke: given back up to a cap, then counted."""

import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2 as httpx
import pytest
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tests.conftest import Server, StartServer, start_server
from tests.support.redis import Redis
from tests.support.relaying import relaying_to
from tests.support.upstream import FakeUpstream, completion
from tests.support.waiting import until

CHAT = {"model": "gpt-4o-mini", "messages": []}
PLANS = """
[[plans]]
id = "ten"
name = "Ten"
requests_per_day = 10

[[plans]]
id = "slow"
name = "Slow"
requests_per_day = 10
requests_per_minute = 1
burst = 3
"""
CAP = 100


@pytest.fixture(scope="module")
def failing(
    upstream_process: FakeUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server with a daily limit of 10, so 100 give-backs a day."""
    with relaying_to(upstream_process, tmp_path_factory.mktemp("failing"), PLANS) as server:
        yield server


class Silent(Response):
    """Sends no response until the client disconnects."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


def call(api: httpx.Client) -> httpx.Response:
    return api.post("/v1/chat/completions", json=CHAT)


def attack(api: httpx.Client) -> list[httpx.Response]:
    """Make 64 concurrent calls repeatedly, until all ten units stay used."""
    answers: list[httpx.Response] = []
    with ThreadPoolExecutor(64) as pool:
        while api.get("/v1/key").json()["limits"][0]["used"] < 10:
            answers += pool.map(lambda _: call(api), range(64))
    return answers


@pytest.mark.parametrize("status", [429, 500, 403])
def test_provoked_failures_reach_the_upstream_at_most_up_to_the_cap(
    failing: Server, upstream: FakeUpstream, status: int
) -> None:
    upstream.reply = lambda _seen: JSONResponse({"error": {"message": "no"}}, status)
    person = failing.sign_up()
    api = failing.gateway(person.create_key("ten")["key"])
    answers = attack(api)
    assert len(upstream.seen) == CAP + 10
    errors = [x.json()["error"] for x in answers]
    assert Counter(x.get("counted", False) for x in errors)[True] == 10
    assert call(api).json()["error"]["code"] == "insufficient_quota"
    # Another key of the account has no give-backs left either.
    another = failing.gateway(person.create_key("ten")["key"])
    assert call(another).status_code == 429
    assert len(upstream.seen) == CAP + 10


def test_a_counted_failure_says_so(failing: Server, upstream: FakeUpstream) -> None:
    upstream.reply = lambda _seen: JSONResponse({"error": {"message": "busy"}}, 503)
    person = failing.sign_up()
    key = person.create_key("ten")
    api = failing.gateway(key["key"])
    for _ in range(CAP):
        given_back = call(api)
    assert given_back.json() == {"error": {"message": "busy"}}
    assert given_back.headers["x-ratelimit-remaining-requests"] == "10"
    assert "x-should-retry" not in given_back.headers

    counted = call(api)
    error = counted.json()["error"]
    resets_at = error["resets_at"]
    assert counted.status_code == 503
    assert error == {
        "message": (
            "The upstream answered 503. This request was counted: your account has had 100 failed "
            "requests given back today, which is the most in a day. "
            f"Until {resets_at} failed requests count."
        ),
        "type": "server_error",
        "param": None,
        "code": "upstream_503",
        "counted": True,
        "measure": "give_backs",
        "limit": CAP,
        "used": CAP,
        "window": "day",
        "subject": "account",
        "resets_at": resets_at,
    }
    assert resets_at.endswith("T00:00:00Z")
    assert counted.headers.get_list("x-should-retry") == ["false"]
    assert counted.headers.get_list("x-ratelimit-remaining-requests") == ["9"]

    chat = person.http.post("/api/chat/completions", json=CHAT | {"api_key_id": key["id"]})
    assert chat.json()["error"]["measure"] == "give_backs"
    assert chat.headers["x-ratelimit-remaining-requests"] == "8"
    upstream.reply = lambda _seen: Response(status_code=401)
    refused = call(api).json()["error"]
    assert (refused["code"], refused["measure"]) == ("upstream_misconfigured", "give_backs")
    assert "Nothing was counted" not in refused["message"]
    upstream.reply = completion
    assert call(api).headers["x-ratelimit-remaining-requests"] == "6"

    receipts = {x["request_id"]: x for x in person.http.get("/api/requests").json()}
    receipt = receipts[counted.headers["x-request-id"]]
    told = [receipt[x] for x in ("status", "outcome", "reason", "remaining")]
    assert told == [503, "counted", "give_backs_spent", 9]
    until(lambda: sum(x["requests"] for x in person.http.get("/api/usage").json()) == 4)


def test_a_throttle_counts_failed_requests(failing: Server, upstream: FakeUpstream) -> None:
    upstream.reply = lambda _seen: JSONResponse({}, 500)
    api = failing.gateway(failing.sign_up().create_key("slow")["key"])
    answers = [call(api) for _ in range(20)]
    assert len(upstream.seen) <= 4  # A burst of three, and one unit that may have refilled.
    assert answers[2].headers["x-ratelimit-remaining-requests"] == "0"
    assert answers[-1].json()["error"]["code"] == "rate_limit_exceeded"
    upstream.reply = lambda _seen: Response(status_code=401)
    api = failing.gateway(failing.sign_up().create_key("slow")["key"])
    message = call(api).json()["error"]["message"]
    assert message.endswith("This request was counted against the limit per minute only.")


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_killing_the_server_does_not_reset_the_give_back_cap(
    store: str, tmp_path: Path, upstream: FakeUpstream, redis_server: Redis
) -> None:
    (tmp_path / "daypass.toml").write_text(PLANS)
    upstream.reply = lambda _seen: JSONResponse({}, 500)
    settings = {"DAYPASS_UPSTREAM_BASE_URL": upstream.base_url}
    if store == "redis":
        redis_server.empty()
        settings["DAYPASS_REDIS_URL"] = redis_server.url
    server = start_server(tmp_path, **settings)
    try:
        key = server.sign_up().create_key("ten")["key"]
        for _ in range(60):
            call(server.gateway(key))
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(10)
        server = start_server(tmp_path, **settings)
        assert server.used(key) == 0
        attack(server.gateway(key))
        assert len(upstream.seen) == CAP + 10
    finally:
        server.stop()


def test_timeouts_are_given_back_by_a_setting(start: StartServer, upstream: FakeUpstream) -> None:
    server = start(
        DAYPASS_UPSTREAM_BASE_URL=upstream.base_url,
        DAYPASS_FIRST_BYTE_TIMEOUT_S="0.3",
        DAYPASS_GIVE_BACK_TIMEOUTS="1",
    )
    api = server.gateway(server.sign_up().create_key()["key"])
    upstream.reply = lambda _seen: Silent()
    error = call(api).json()["error"]
    assert error["code"] == "upstream_timeout"
    assert error["message"].endswith("Nothing was counted.")
    assert "counted" not in error
    assert api.get("/v1/key").json()["limits"][0]["used"] == 0

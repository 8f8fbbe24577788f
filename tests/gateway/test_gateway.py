"""The gateway over HTTP, in front of a real upstream."""

import asyncio
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable

import httpx2 as httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from tests.conftest import Person, Server, StartServer
from tests.support.upstream import FakeUpstream, Seen
from tests.support.waiting import until

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "planted-prompt"}]}


@pytest.fixture
def api(relaying: Server, key: str, upstream: FakeUpstream) -> httpx.Client:
    return relaying.gateway(key)


def used(api: httpx.Client) -> int:
    described = api.get("/v1/key")
    assert described.status_code == 200
    count: int = described.json()["limits"][0]["used"]
    return count


def error(response: httpx.Response) -> tuple[int, str]:
    document = response.json()["error"]
    assert {"message", "type", "param", "code"} <= set(document)
    return response.status_code, document["code"]


def test_a_response_is_relayed_unchanged_with_rate_limit_headers(
    api: httpx.Client, upstream: FakeUpstream
) -> None:
    body = b'{ "odd" :   "spacing \\u00e9" }\n'

    def reply(_seen: Seen) -> Response:
        headers = {
            "x-custom": "kept",
            "openai-processing-ms": "12",
            "openai-organization": "the-operator",
            "set-cookie": "upstream=1",
            "x-ratelimit-remaining-requests": "9999",
            "x-request-id": "upstream-id",
        }
        return Response(body, 201, headers, "application/json")

    upstream.reply = reply
    response = api.post("/v1/chat/completions", json=CHAT)
    assert response.status_code == 201
    assert response.content == body
    assert response.headers["x-custom"] == "kept"
    assert response.headers["openai-processing-ms"] == "12"
    assert "set-cookie" not in response.headers
    assert "openai-organization" not in response.headers
    assert response.headers.get_list("x-ratelimit-remaining-requests") == ["9"]
    assert response.headers["x-ratelimit-limit-requests"] == "10"
    assert re.fullmatch(r"(\d+h)?(\d+m)?\d+s", response.headers["x-ratelimit-reset-requests"])
    assert response.headers["ratelimit-policy"] == '"day";q=10;w=86400'
    assert re.fullmatch(r'"day";r=9;t=\d+', response.headers["ratelimit"])
    assert response.headers["x-request-id"].startswith("req_")


def test_the_upstream_gets_the_operators_key_and_no_client_credentials(
    api: httpx.Client, key: str, upstream: FakeUpstream
) -> None:
    headers = {
        "cookie": "daypass_session=secret",
        "x-forwarded-for": "1.2.3.4",
        "forwarded": "for=1.2.3.4",
        "openai-organization": "someone-elses",
        "openai-beta": "assistants=v2",
        "te": "trailers",
        "connection": "keep-alive, x-hop",
        "x-hop": "1",
    }
    api.post("/v1/chat/completions?a=%2Fb&c=d%20e", json=CHAT, headers=headers)
    (seen,) = upstream.seen
    assert seen.target == "/v1/chat/completions?a=%2Fb&c=d%20e"
    assert seen.headers["authorization"] == "Bearer sk-the-operators-own"
    assert seen.headers["openai-beta"] == "assistants=v2"
    assert key not in str(seen)
    for name in ("cookie", "x-forwarded-for", "forwarded", "te", "x-hop", "x-api-key"):
        assert name not in seen.headers
    assert "openai-organization" not in seen.headers


@pytest.mark.parametrize(
    "headers",
    [
        lambda key: {"x-api-key": key},
        lambda key: {"authorization": f"Bearer {key}"},
        lambda key: {"authorization": f"bearer  {key}"},
        lambda key: {"authorization": f"Bearer {key}", "x-api-key": key},
        lambda key: {"api-key": key},
        lambda key: {"api-key": key, "x-api-key": key, "authorization": f"Bearer {key}"},
        lambda key: {"x-api-key": key, "authorization": "Bearer sk-not-ours"},
        lambda key: {"api-key": key, "authorization": "Bearer not-needed"},
        lambda key: {"x-api-key": "", "authorization": f"Bearer {key}"},
    ],
)
def test_a_key_is_accepted_in_every_supported_header(
    relaying: Server, upstream: FakeUpstream, key: str, headers: Callable[[str], dict[str, str]]
) -> None:
    response = relaying.client().post("/v1/chat/completions", json=CHAT, headers=headers(key))
    assert response.status_code == 200


def typo(key: str) -> str:
    return key[:20] + ("a" if key[20] != "a" else "b") + key[21:]


@pytest.mark.parametrize(
    "headers",
    [
        lambda key, other: {},
        lambda key, other: {"x-api-key": ""},
        lambda key, other: {"x-api-key": typo(key)},
        lambda key, other: {"authorization": f"Basic {key}"},
        lambda key, other: {"x-api-key": "sk-not-ours"},
        lambda key, other: {"x-api-key": key, "authorization": f"Bearer {other}"},
        lambda key, other: {"x-api-key": key, "authorization": f"Bearer {typo(key)}"},
        lambda key, other: {"x-api-key": key, "api-key": other},
        lambda key, other: {"api-key": typo(key)},
        lambda key, other: {"x-api-key": "sk-not-ours", "authorization": f"Bearer {key}"},
        lambda key, other: [("x-api-key", key), ("x-api-key", other)],
        lambda key, other: [("x-api-key", "sk-not-ours"), ("x-api-key", key)],
        lambda key, other: [("api-key", key), ("api-key", other)],
        lambda key, other: [("authorization", f"Bearer {x}") for x in (key, other)],
        lambda key, other: {"x-api-key": "' OR 1=1 --"},
    ],
)
def test_a_request_without_exactly_one_valid_key_is_401_and_not_counted(
    relaying: Server,
    upstream: FakeUpstream,
    person: Person,
    api: httpx.Client,
    key: str,
    headers: Callable[[str, str], dict[str, str]],
) -> None:
    other = person.create_key(name="other")["key"]
    response = relaying.client().post(
        "/v1/chat/completions", json=CHAT, headers=headers(key, other)
    )
    assert error(response) == (401, "invalid_api_key")
    assert key not in response.text
    assert typo(key) not in response.text
    assert upstream.seen == []
    assert used(api) == 0


def test_a_deleted_key_is_refused_at_once(person: Person, relaying: Server) -> None:
    created = person.create_key()
    api = relaying.gateway(created["key"])
    assert api.get("/v1/key").status_code == 200
    assert person.http.delete(f"/api/api-keys/{created['id']}").status_code == 204
    assert error(api.get("/v1/key")) == (401, "invalid_api_key")


def test_a_reached_daily_limit_is_a_429_that_sdks_do_not_retry(
    api: httpx.Client, upstream: FakeUpstream
) -> None:
    for left in range(9, -1, -1):
        response = api.post("/v1/chat/completions", json=CHAT)
        assert response.headers["x-ratelimit-remaining-requests"] == str(left)
    response = api.post("/v1/chat/completions", json=CHAT)
    assert response.status_code == 429
    document = response.json()["error"]
    assert document["type"] == document["code"] == "insufficient_quota"
    assert document["param"] is None
    assert "10 requests per day" in document["message"]
    midnight = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + 86_400))
    assert document["resets_at"] == midnight
    assert f"resets at {midnight}" in document["message"]
    figures = {name: document[name] for name in ("limit", "used", "window", "subject")}
    assert figures == {"limit": 10, "used": 10, "window": "day", "subject": "key"}
    assert document["usage_plan_id"] == "10RequestPerDay"
    assert response.headers["x-should-retry"] == "false"
    assert "retry-after-ms" not in response.headers
    wait = int(response.headers["retry-after"])
    reset = int(response.headers["ratelimit"].rpartition("t=")[2])
    assert reset <= wait <= reset + 5
    assert response.headers["x-ratelimit-remaining-requests"] == "0"
    assert len(upstream.seen) == 10
    assert used(api) == 10


def test_a_throttle_is_a_429_that_sdks_may_retry(
    start: StartServer, upstream: FakeUpstream, tmp_path_factory: pytest.TempPathFactory
) -> None:
    config = tmp_path_factory.mktemp("config") / "daypass.toml"
    config.write_text(
        '[[plans]]\nid = "slow"\nname = "Slow"\nrequests_per_minute = 1\nrequests_per_day = 50\n'
    )
    server = start(DAYPASS_CONFIG=str(config), DAYPASS_UPSTREAM_BASE_URL=upstream.base_url)
    api = server.gateway(server.sign_up().create_key("slow")["key"])
    answers = [api.post("/v1/chat/completions", json=CHAT) for _ in range(3)]
    throttled = answers[-1]
    assert error(throttled) == (429, "rate_limit_exceeded")
    assert int(throttled.headers["retry-after"]) <= 60
    assert "x-should-retry" not in throttled.headers


def test_keys_of_an_account_share_its_daily_limit(
    start: StartServer, upstream: FakeUpstream
) -> None:
    server = start(
        DAYPASS_UPSTREAM_BASE_URL=upstream.base_url,
        DAYPASS_ACCOUNT_REQUESTS_PER_DAY="12",
        DAYPASS_SITE_REQUESTS_PER_DAY="15",
    )
    person = server.sign_up()
    first, second = (server.gateway(person.create_key(name=n)["key"]) for n in ("a", "b"))
    statuses = [first.post("/v1/embeddings", json={}).status_code for _ in range(10)]
    statuses += [second.post("/v1/embeddings", json={}).status_code for _ in range(2)]
    assert statuses == [200] * 12
    refused = second.post("/v1/embeddings", json={})
    assert refused.json()["error"]["subject"] == "account"
    assert used(second) == 2
    stranger = server.gateway(server.sign_up().create_key()["key"])
    statuses = [stranger.post("/v1/embeddings", json={}).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert stranger.post("/v1/embeddings", json={}).json()["error"]["subject"] == "site"


def test_recreating_a_key_resets_nothing(
    person: Person, relaying: Server, upstream: FakeUpstream
) -> None:
    created = person.create_key()
    api = relaying.gateway(created["key"])
    for _ in range(10):
        api.post("/v1/embeddings", json={})
    person.http.delete(f"/api/api-keys/{created['id']}")
    recreated = person.create_key()
    assert recreated["id"] != created["id"]
    assert relaying.gateway(recreated["key"]).post("/v1/embeddings", json={}).status_code == 429


def test_a_stream_arrives_event_by_event(api: httpx.Client, upstream: FakeUpstream) -> None:
    arrived = threading.Event()

    async def events() -> AsyncIterator[bytes]:
        yield b'data: {"n": 1}\n\n'
        # The second event is sent once the first has arrived.
        assert await asyncio.to_thread(arrived.wait, 20)
        yield b"data: [DONE]\n\n"

    upstream.reply = lambda _seen: StreamingResponse(events(), media_type="text/event-stream")
    with api.stream("POST", "/v1/chat/completions", json=CHAT | {"stream": True}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-ratelimit-remaining-requests"] == "9"
        pieces = response.iter_raw()
        assert next(pieces) == b'data: {"n": 1}\n\n'
        arrived.set()
        assert b"".join(pieces) == b"data: [DONE]\n\n"


def test_tokens_are_recorded_for_streams_and_plain_responses(
    api: httpx.Client, person: Person, upstream: FakeUpstream
) -> None:
    api.post("/v1/chat/completions", json=CHAT)
    api.post("/v1/chat/completions", json=CHAT | {"stream": True})
    until(lambda: [x["requests"] for x in person.http.get("/api/usage").json()] == [2])
    (row,) = person.http.get("/api/usage").json()
    assert (row["model"], row["via"]) == ("gpt-4o-mini", "api")
    assert (row["input_tokens"], row["output_tokens"]) == (22, 14)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_unserved_requests_are_given_back(
    api: httpx.Client, upstream: FakeUpstream, status: int
) -> None:
    upstream.reply = lambda _seen: JSONResponse({"error": {"message": "busy"}}, status)
    response = api.post("/v1/chat/completions", json=CHAT)
    assert response.status_code == status
    assert response.json() == {"error": {"message": "busy"}}
    assert response.headers.get_list("x-ratelimit-remaining-requests") == ["10"]
    assert used(api) == 0


@pytest.mark.parametrize("status", [200, 400, 404, 422])
def test_answered_requests_stay_counted(
    api: httpx.Client, upstream: FakeUpstream, status: int
) -> None:
    upstream.reply = lambda _seen: JSONResponse({"x": 1}, status)
    assert api.post("/v1/chat/completions", json=CHAT).status_code == status
    assert used(api) == 1


@pytest.mark.parametrize("status", [401, 403, 302])
def test_an_upstream_refusal_of_the_operators_key_is_502_and_given_back(
    api: httpx.Client, upstream: FakeUpstream, status: int
) -> None:
    headers = {"location": "http://169.254.169.254/"} if status == 302 else {}
    upstream.reply = lambda _seen: PlainTextResponse("sk-the-operators-own", status, headers)
    response = api.post("/v1/chat/completions", json=CHAT)
    assert error(response) == (502, "upstream_misconfigured")
    assert "sk-the" not in response.text
    assert used(api) == 0


def test_an_upstream_that_is_down_is_502_and_given_back(start: StartServer) -> None:
    server = start(DAYPASS_UPSTREAM_BASE_URL="http://127.0.0.1:1/v1")
    api = server.gateway(server.sign_up().create_key()["key"])
    response = api.post("/v1/chat/completions", json=CHAT)
    assert error(response) == (502, "upstream_unreachable")
    assert "127.0.0.1:1" not in response.text
    assert response.headers["x-ratelimit-remaining-requests"] == "10"
    assert used(api) == 0


def test_an_upstream_that_is_silent_is_504_and_counts(
    api: httpx.Client, upstream: FakeUpstream
) -> None:
    def reply(_seen: Seen) -> Response:
        time.sleep(3)
        return PlainTextResponse("too late")

    upstream.reply = reply
    assert error(api.post("/v1/chat/completions", json=CHAT)) == (504, "upstream_timeout")
    assert used(api) == 1


def test_a_broken_stream_ends_with_an_error_event(
    api: httpx.Client, upstream: FakeUpstream
) -> None:
    async def events() -> object:
        yield b'data: {"n": 1}\n\n'
        await asyncio.sleep(30)

    upstream.reply = lambda _seen: StreamingResponse(events(), media_type="text/event-stream")  # type: ignore[arg-type]
    response = api.post("/v1/chat/completions", json=CHAT)
    assert response.status_code == 200
    assert response.content.startswith(b'data: {"n": 1}\n\ndata: {"error":')
    assert b"[DONE]" not in response.content
    assert used(api) == 1


def test_a_truncated_response_closes_the_connection(
    api: httpx.Client, upstream: FakeUpstream
) -> None:
    async def half() -> object:
        yield b"half of"
        await asyncio.sleep(30)

    upstream.reply = lambda _seen: StreamingResponse(half(), media_type="text/plain")  # type: ignore[arg-type]
    with pytest.raises(httpx.RemoteProtocolError):
        api.post("/v1/chat/completions", json=CHAT)
    assert used(api) == 1


@pytest.mark.parametrize("answers_first", [True, False])
def test_a_client_disconnect_ends_the_upstream_request(
    api: httpx.Client, relaying: Server, key: str, upstream: FakeUpstream, answers_first: bool
) -> None:
    class Waiting(Response):
        async def __call__(self, scope: object, receive: object, send: object) -> None:
            if answers_first:
                start = {"type": "http.response.start", "status": 200, "headers": []}
                await send(start)  # type: ignore[operator]
                await send({"type": "http.response.body", "body": b"x", "more_body": True})  # type: ignore[operator]
            request = Request(scope, receive)  # type: ignore[arg-type]
            while not await request.is_disconnected():
                await asyncio.sleep(0.01)

    upstream.reply = lambda _seen: Waiting()
    with socket.create_connection(("127.0.0.1", int(relaying.url.rpartition(":")[2]))) as caller:
        body = b'{"model":"m"}'
        caller.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            + f"x-api-key: {key}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
            + body
        )
        while not upstream.seen:
            time.sleep(0.01)
        if answers_first:
            assert caller.recv(1000)
    assert upstream.cancelled.wait(1)
    assert used(api) == 1


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'"text"', b"nonsense", b'{"a": NaN}', b"\xff\xfe", b'{"model": "m"'],
)
def test_a_broken_body_is_400_and_counts_nothing(
    api: httpx.Client, upstream: FakeUpstream, body: bytes
) -> None:
    headers = {"content-type": "application/json"}
    response = api.post("/v1/chat/completions", content=body, headers=headers)
    assert error(response) == (400, "invalid_json")
    assert upstream.seen == []
    assert used(api) == 0


def test_a_body_over_the_limit_is_413_and_counts_nothing(
    api: httpx.Client, upstream: FakeUpstream
) -> None:
    large = b'{"x": "' + b"x" * 200_000 + b'"}'
    as_json = {"content-type": "application/json"}
    declared = api.post("/v1/chat/completions", content=large, headers=as_json)
    assert error(declared) == (413, "body_too_large")

    def pieces() -> object:
        yield b'--x\r\ncontent-disposition: form-data; name="file"\r\n\r\n'
        for _ in range(20):
            yield b"x" * 10_000

    for headers in (as_json, {"content-type": "multipart/form-data; boundary=x"}):
        chunked = api.post("/v1/audio/transcriptions", content=pieces(), headers=headers)  # type: ignore[arg-type]
        assert error(chunked) == (413, "body_too_large")
    assert used(api) == 0


def test_multipart_bodies_are_relayed_unchanged(api: httpx.Client, upstream: FakeUpstream) -> None:
    content = bytes(range(256)) * 100
    response = api.post(
        "/v1/audio/transcriptions", files={"file": ("a.wav", content)}, data={"model": "whisper-1"}
    )
    assert response.status_code == 200
    (seen,) = upstream.seen
    assert content in seen.body
    assert seen.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert used(api) == 1


def test_reading_models_and_the_key_counts_nothing(
    api: httpx.Client, upstream: FakeUpstream
) -> None:
    upstream.reply = lambda _seen: JSONResponse({"object": "list", "data": [{"id": "m"}]})
    assert api.get("/v1/models").json()["data"] == [{"id": "m"}]
    assert api.get("/v1/models/gpt-4o-mini").status_code == 200
    described = api.get("/v1/key").json()
    assert described["usage_plan"]["id"] == "10RequestPerDay"
    assert [x["subject"] for x in described["limits"]] == ["key", "account"]
    assert described["limits"][0]["remaining"] == 10
    assert described["limits"][0]["resets_at"].endswith("T00:00:00Z")
    assert error(api.post("/v1/key")) == (405, "method_not_allowed")
    assert used(api) == 0


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/",
        "/v1/../api/site",
        "/v1/%2e%2e/x",
        "/v1/a%2fb",
        "/v1//x",
        "/v1/x;y",
        "/v1/a\\b",
    ],
)
def test_paths_that_leave_the_api_are_refused(
    relaying: Server, key: str, upstream: FakeUpstream, path: str
) -> None:
    port = int(relaying.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as caller:
        request = f"GET {path} HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\nconnection: close\r\n\r\n"
        caller.sendall(request.encode())
        answer = b""
        while piece := caller.recv(65536):
            answer += piece
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))
    assert upstream.seen == []


def test_a_plan_restricts_models(
    start: StartServer, upstream: FakeUpstream, tmp_path_factory: pytest.TempPathFactory
) -> None:
    config = tmp_path_factory.mktemp("config") / "daypass.toml"
    config.write_text(
        'denied_paths = ["files"]\n[[plans]]\nid = "small"\nname = "Small"\n'
        'requests_per_day = 5\nmodels = ["small-model"]\n'
    )
    server = start(DAYPASS_CONFIG=str(config), DAYPASS_UPSTREAM_BASE_URL=upstream.base_url)
    api = server.gateway(server.sign_up().create_key("small")["key"])
    assert api.post("/v1/embeddings", json={"model": "small-model"}).status_code == 200
    refused = api.post("/v1/embeddings", json={"model": "large"})
    assert error(refused) == (404, "model_not_found")
    assert "small-model" in refused.text
    assert error(api.post("/v1/audio/x", data={"model": "large"})) == (403, "endpoint_turned_off")
    assert error(api.get("/v1/files")) == (404, "unknown_url")
    assert used(api) == 1


def test_cors_is_allowed_for_configured_origins(start: StartServer, upstream: FakeUpstream) -> None:
    server = start(
        DAYPASS_UPSTREAM_BASE_URL=upstream.base_url,
        DAYPASS_CORS_ORIGINS="https://app.example.org",
    )
    key = server.sign_up().create_key()["key"]
    page = server.client(headers={"origin": "https://app.example.org"})
    asked = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-api-key,content-type",
    }
    preflight = page.options("/v1/chat/completions", headers=asked)
    assert preflight.status_code == 200
    assert "x-api-key" in preflight.headers["access-control-allow-headers"]
    response = page.post("/v1/chat/completions", json=CHAT, headers={"x-api-key": key})
    assert response.headers["access-control-allow-origin"] == "https://app.example.org"
    exposed = response.headers["access-control-expose-headers"]
    sent_here = {
        f"x-ratelimit-{part}-{measure}"
        for part in ("limit", "remaining", "reset")
        for measure in ("requests", "tokens")
    }
    assert sent_here | {"x-daypass-max-output-tokens"} <= set(exposed.split(", "))
    signed_up = page.post("/api/accounts", json={"email": "x@x.org", "password": "long enough 1"})
    assert signed_up.status_code == 201
    stranger = server.client(headers={"origin": "https://evil.example.org"})
    refused = stranger.post("/api/accounts", json={"email": "y@x.org", "password": "long enough 1"})
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers


def test_secrets_are_not_logged(relaying: Server, key: str, api: httpx.Client) -> None:
    api.post("/v1/chat/completions", json=CHAT)
    log = relaying.log()
    assert "sk-the-operators-own" not in log
    assert key not in log
    assert "Traceback" not in log

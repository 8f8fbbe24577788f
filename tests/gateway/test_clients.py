"""What clients, browsers and proxies see: headers, conditional requests, base URLs."""

import subprocess
import time
from collections.abc import Iterator
from threading import Event
from typing import Any

import httpx2 as httpx
import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.conftest import Person, Server, StartServer
from tests.support.ports import free_port
from tests.support.programs import nginx
from tests.support.upstream import FakeUpstream, Seen
from tests.support.waiting import until

CHAT = {"model": "m", "messages": []}
NGINX = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass {url}; }}
  }}
}}
"""


@pytest.fixture
def api(relaying: Server, key: str, upstream: FakeUpstream) -> httpx.Client:
    return relaying.gateway(key)


@pytest.fixture(scope="module")
def default_nginx(relaying: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of an nginx with default settings in front of the server."""
    directory = tmp_path_factory.mktemp("nginx")
    port = free_port()
    configuration = directory / "nginx.conf"
    configuration.write_text(NGINX.format(directory=directory, port=port, url=relaying.url))
    process = subprocess.Popen([nginx(), "-p", str(directory), "-c", str(configuration)])
    try:
        address = f"http://127.0.0.1:{port}"
        until(lambda: answers(address))
        yield address
    finally:
        process.terminate()
        process.wait(10)


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def used(api: httpx.Client) -> int:
    count: int = api.get("/v1/key").json()["limits"][0]["used"]
    return count


def test_a_304_response_is_relayed(api: httpx.Client, upstream: FakeUpstream) -> None:
    def reply(seen: Seen) -> Response:
        assert seen.headers["if-none-match"] == '"one"'
        # RFC 9110, section 15.4.5: a 304 may state the length of the omitted body.
        return Response(status_code=304, headers={"etag": '"one"', "content-length": "999"})

    upstream.reply = reply
    for _ in range(2):
        response = api.get("/v1/models", headers={"if-none-match": '"one"'})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == '"one"'


def test_browser_headers_are_not_sent_to_the_upstream(
    api: httpx.Client, upstream: FakeUpstream
) -> None:
    """Ollama refuses unknown origins, and client addresses are private."""
    private = {
        "origin": "https://app.example.org",
        "referer": "https://app.example.org/secret",
        "sec-fetch-mode": "cors",
        "sec-ch-ua": '"Chromium"',
        "access-control-request-method": "POST",
        "via": "1.1 proxy",
        "x-real-ip": "192.0.2.1",
        "true-client-ip": "192.0.2.1",
        "cf-connecting-ip": "192.0.2.1",
        "x-vercel-ip-city": "Bern",
        "cloudfront-viewer-address": "192.0.2.1:1",
    }
    api.post("/v1/chat/completions", json=CHAT, headers=private | {"accept-language": "en"})
    (seen,) = upstream.seen
    assert not private.keys() & seen.headers.keys()
    assert seen.headers["accept-language"] == "en"


def open_stream(server: str, origin: str, person: Person, key: str, *, by_chat: bool) -> Any:
    if not by_chat:
        headers = {"x-api-key": key}
        url = f"{server}/v1/chat/completions"
        return httpx.stream("POST", url, json=CHAT | {"stream": True}, headers=headers, timeout=30)
    cookies = "; ".join(f"{name}={value}" for name, value in person.http.cookies.items())
    body = CHAT | {"stream": True, "api_key_id": person.keys()[0]["id"]}
    headers = {"cookie": cookies, "origin": origin}
    return httpx.stream(
        "POST", f"{server}/api/chat/completions", json=body, headers=headers, timeout=30
    )


@pytest.mark.parametrize("by_chat", [False, True], ids=["gateway", "chat"])
def test_events_arrive_one_by_one_behind_nginx_with_default_settings(
    relaying: Server, default_nginx: str, upstream: FakeUpstream, person: Person, key: str,
    by_chat: bool,
) -> None:  # fmt: skip
    """The upstream sends each word only once the client has received the previous one."""
    heard = [Event() for _ in range(3)]

    def events() -> Iterator[bytes]:
        for number, event in enumerate(heard):
            yield b'data: {"number": %d}\n\n' % number
            assert event.wait(20)
        yield b"data: [DONE]\n\n"

    upstream.reply = lambda _seen: StreamingResponse(events(), media_type="text/event-stream")
    opening = open_stream(default_nginx, relaying.url, person, key, by_chat=by_chat)
    with opening as response:
        assert response.status_code == 200, response.read()
        lines = (line for line in response.iter_lines() if line)
        for number, event in enumerate(heard):
            assert next(lines) == f'data: {{"number": {number}}}'
            event.set()
        assert next(lines) == "data: [DONE]"


def test_only_streams_disable_buffering_and_upstream_x_accel_headers_are_dropped(
    api: httpx.Client, upstream: FakeUpstream
) -> None:
    stream = api.post("/v1/chat/completions", json=CHAT | {"stream": True})
    assert stream.headers.get_list("x-accel-buffering") == ["no"]
    orders = {"x-accel-redirect": "/internal", "x-accel-buffering": "yes"}
    upstream.reply = lambda _seen: JSONResponse({}, headers=orders)
    response = api.post("/v1/chat/completions", json=CHAT)
    assert not orders.keys() & response.headers.keys()


def not_found(status: int) -> Response:
    message = "Project `proj_1` does not have access to model `gpt-9`, sk-the-operators-own"
    error = {"message": message, "type": "invalid_request_error", "code": "model_not_found"}
    return JSONResponse({"error": error | {"param": None}}, status, {"x-custom": "kept"})


@pytest.mark.parametrize("status", [403, 404])
def test_model_not_found_from_the_upstream_is_a_client_error(
    api: httpx.Client, upstream: FakeUpstream, status: int
) -> None:
    upstream.reply = lambda _seen: not_found(status)
    response = api.post("/v1/chat/completions", json=CHAT)
    assert response.status_code == status
    assert response.json()["error"]["code"] == "model_not_found"
    assert response.headers["x-custom"] == "kept"
    # Unchanged, except for the operator's key.
    expected = bytes(not_found(status).body).replace(b"sk-the-operators-own", b"*" * 20)
    assert response.content == expected
    assert used(api) == 1  # like a 404


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[1]", b'{"error": "model_not_found"}', b'{"error": {"code": 7}}']
)
def test_other_upstream_refusals_are_reported_as_misconfiguration(
    api: httpx.Client, upstream: FakeUpstream, status: int, body: bytes
) -> None:
    upstream.reply = lambda _seen: Response(body, status)
    response = api.post("/v1/chat/completions", json=CHAT)
    assert response.status_code == 502
    assert response.json()["error"]["code"] == "upstream_misconfigured"
    assert response.headers["x-should-retry"] == "false"
    assert used(api) == 0


def test_a_stalled_upstream_refusal_does_not_delay_the_response(
    api: httpx.Client, upstream: FakeUpstream
) -> None:
    def stalls() -> Iterator[bytes]:
        yield b'{"error": '
        time.sleep(4)

    upstream.reply = lambda _seen: StreamingResponse(stalls(), 403)
    response = api.post("/v1/chat/completions", json=CHAT)
    assert response.json()["error"]["code"] == "upstream_misconfigured"


def test_the_operator_sees_why_the_upstream_refuses(
    start: StartServer, upstream: FakeUpstream
) -> None:
    """On the page and in the log: without keys, on one line, truncated."""
    own = "sk-the-operators-own"
    server = start(DAYPASS_UPSTREAM_BASE_URL=upstream.base_url, DAYPASS_UPSTREAM_API_KEY=own)
    operator = server.set_up()
    api = server.gateway(operator.create_key()["key"])
    keys = f"{own}, sk-proj-{'a1' * 20}, sk-ab****************wxyz, Bearer abcdef {'Z9' * 20}"
    message = f"Incorrect API key:\n {keys}. Find it in your settings. {'long ' * 100}"
    error = {"message": message, "code": "invalid_api_key", "type": "auth"}
    upstream.reply = lambda _seen: JSONResponse({"error": error, "you_sent": "the-prompt"}, 401)
    refused = api.post("/v1/chat/completions", json=CHAT)
    assert "Incorrect" not in refused.text
    upstream.reply = lambda _seen: JSONResponse({"data": [{"id": "m"}]})
    seen = operator.http.get("/api/operator/upstream").json()
    assert seen["reachable"]
    refusal = seen["last_refusal"]
    assert (refusal["status"], refusal["code"]) == (401, "invalid_api_key")
    assert refusal["message"].startswith("Incorrect API key: [redacted]")
    assert "Find it in your settings." in refusal["message"]
    assert len(refusal["message"]) == 300
    assert refusal["message"] in server.log().encode().decode("unicode_escape", "ignore")
    for secret in (own, "a1a1", "wxyz", "abcdef", "Z9Z9", "the-prompt"):
        assert secret not in str(seen)
        assert secret not in server.log()


@pytest.mark.parametrize(
    "path",
    [
        "/chat/completions", "/models", "/models/m", "/responses", "/responses/x/cancel",
        "/embeddings", "/messages", "/completions", "/images/generations", "//v1/models",
        "/api/v1/chat/completions", "/openai/v1/embeddings", "/V1/models",
        "/v1beta/openai/chat/completions", "/key",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_base_url_without_v1_gets_a_helpful_404(
    relaying: Server, key: str, method: str, path: str
) -> None:
    target = f"{relaying.url}{path}"
    request = httpx.Request(method, target, headers={"x-api-key": key}, content=b"{}")
    with httpx.Client() as client:
        response = client.send(request)
    assert response.status_code == 404
    error = response.json()["error"]
    assert error["code"] == "unknown_url"
    assert "/v1" in error["message"]


@pytest.mark.parametrize(
    ("method", "path", "too_much"),
    [
        ("POST", "/v1/chat/completions", "/v1"),
        ("GET", "/v1/models", "/v1"),
        ("POST", "/v1/images/generations", "/v1"),
        ("POST", "/chat/completions/chat/completions", "/chat/completions"),
        ("GET", "/chat/completions/models", "/chat/completions"),
        ("POST", "/responses/responses", "/responses"),
    ],
)
def test_a_base_url_with_an_endpoint_path_gets_a_helpful_404(
    api: httpx.Client, upstream: FakeUpstream, method: str, path: str, too_much: str
) -> None:
    response = api.request(method, f"/v1{path}", json=CHAT)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "unknown_url"
    assert f"take {too_much} off" in response.json()["error"]["message"]
    assert not upstream.seen


@pytest.mark.parametrize("path", ["/", "/v2/chat/completions", "/anthropic/v1/messages", "/keys/"])
def test_api_calls_to_a_page_get_a_helpful_404(relaying: Server, path: str) -> None:
    response = relaying.client().post(path, json=CHAT)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "unknown_url"


def test_pages_and_portal_routes_get_no_base_url_hint(
    person: Person, upstream: FakeUpstream
) -> None:
    for path in ("/keys/", "/usage/", "/chat/", "/docs/", "/operator/keys/"):
        assert person.http.get(path).headers["content-type"].startswith("text/html")
    upstream.reply = lambda _seen: JSONResponse({"data": [{"id": "m"}]})
    assert person.http.get("/api/models").json() == [{"id": "m"}]
    assert "detail" in person.http.post("/api/chat/completions", json=CHAT).json()
    assert person.http.get("/no-such-page").headers["content-type"].startswith("text/html")

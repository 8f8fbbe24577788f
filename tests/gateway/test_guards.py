"""What the gateway refuses before it counts or relays anything."""

import asyncio
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2 as httpx
import pytest
from starlette.responses import JSONResponse, Response

from daypass.gateway.errors import GatewayError
from daypass.gateway.request import target_of
from daypass.upstreams.base import Timeouts, UpstreamRequest, UpstreamUnreachableError
from daypass.upstreams.http import HttpUpstream
from tests.conftest import Person, Server, StartServer, start_server
from tests.support.upstream import FakeUpstream, Seen
from tests.support.waiting import until

CHAT = {"model": "m", "messages": []}


def say(server: Server, request: str) -> str:
    """Send a raw request and read until the connection closes."""
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as caller:
        caller.sendall(request.replace("\n", "\r\n").encode("latin-1"))
        caller.settimeout(10)
        answer = b""
        while piece := caller.recv(65_536):
            answer += piece
    return answer.decode("latin-1")


WAYS_OUT = [
    "/v1", "/v1/", "/v1//x", "/v1/x//y", "//v1/x", "/V1/x", "/v1x/y", "/v1/..", "/v1/../api/site",
    "/v1/x/..", "/v1/x/../../y", "/v1/.", "/v1/./x", "/v1/x/.", "/v1/..;/x", "/v1/x;y",
    "/v1/x;/../y",
    "/v1/%2e%2e/x", "/v1/%2E./x", "/v1/.%2e/x", "/v1/x/%2e", "/v1/%252e%252e/x", "/v1/%25252e/x",
    "/v1/a%2fb", "/v1/a%2Fb", "/v1/%2f%2fx", "/v1/a%252fb", "/v1/a%5cb", "/v1/a%5Cb", "/v1/a%255cb",
    "/v1/a\\b", "/v1\\..\\x", "/v1/a%3bb", "/v1/a%00b", "/v1/a%00", "/v1/a%0d%0ab", "/v1/a%0ab",
    "/v1/a%09b", "/v1/a%7fb", "/v1/a%23b", "/v1/a%3fb", "/v1/a#b", "/v1/a%", "/v1/a%2", "/v1/a%zz",
    "/v1/a%u002e%u002e/x", "/v1/%c0%ae%c0%ae/x", "/v1/a%c0%afb", "/v1/a%c1%9cb", "/v1/%e0%80%ae/x",
    "/v1/a%f0%80%80%afb", "/v1/a%ed%a0%80", "/v1/a%ff", "/v1/a%80", "/%76%31/x",
    "/v1%2fx", "/v1%2f../x", "/x/../v1/y", "/./v1/y", "/v1/a\x80b", "/v1/a b", '/v1/a"b', "/v1/a<b",
    "/v1/a|b", "/v1/a^b", "/v1/a`b", "/v1/{a}", "/v1/[a]",
]  # fmt: skip


@pytest.mark.parametrize("path", [*WAYS_OUT, "/v1/" + "a" * 1024])
def test_a_path_that_leaves_the_api_is_invalid(path: str) -> None:
    scope = {
        "method": "GET",
        "raw_path": path.encode("latin-1"),
        "path": "/v1/x",
        "query_string": b"",
    }
    with pytest.raises(GatewayError) as error:
        target_of(scope)
    assert (error.value.status, error.value.code) == (404, "unknown_url")


def test_paths_that_leave_the_api_never_reach_the_upstream(
    relaying: Server, key: str, upstream: FakeUpstream
) -> None:
    for path in WAYS_OUT:
        request = f"GET {path} HTTP/1.1\nhost: x\nx-api-key: {key}\nconnection: close\n\n"
        assert re.match(r"HTTP/1\.1 (400|404|307) ", say(relaying, request)), path
    assert upstream.seen == []
    assert relaying.used(key) == 0


@pytest.mark.parametrize(
    "path",
    [
        "/models/ft:gpt-4o-mini:org::id",
        "/models/meta-llama/Llama-3.1-8B",
        "/files/file-1/content",
        "/vector_stores/vs_1/files/a%20b%c3%a9.txt",
        "/x/a~b!$&'()*+,=@c",
        "/assistants/",
    ],
)
def test_valid_paths_are_relayed_unchanged(path: str) -> None:
    raw = b"/v1" + path.encode()
    scope = {"method": "GET", "raw_path": raw, "path": "", "query_string": b"a=%2e%2e/;"}
    assert target_of(scope).raw == path.encode() + b"?a=%2e%2e/;"


@pytest.mark.parametrize("path", ["/files", "/Files/x", "/%66iles/x", "/f%69l%65s", "/files/"])
def test_a_disabled_path_is_refused_in_every_spelling(path: str) -> None:
    scope = {"method": "GET", "raw_path": b"/v1" + path.encode(), "path": "", "query_string": b""}
    with pytest.raises(GatewayError):
        target_of(scope, (b"/files",))


@pytest.mark.parametrize(
    "query",
    ["api_key={}", "key={}", "a=b&api-key={}", "access_token={}", "anything={}", "x={}&y", "{}",
     "api_key=sk-of-another", "key="],
)  # fmt: skip
@pytest.mark.parametrize("with_header", [True, False])
def test_a_key_in_the_query_is_refused_and_not_logged(
    relaying: Server, key: str, upstream: FakeUpstream, query: str, with_header: bool
) -> None:
    headers = {"x-api-key": key} if with_header else {}
    address = "/v1/models?" + query.format(key)
    response = relaying.client(headers=headers).get(address)
    assert response.status_code == 401
    error = response.json()["error"]
    assert error["code"] == "invalid_api_key"
    assert "does not belong in an address" in error["message"]
    assert key not in response.text
    assert key not in relaying.log()
    assert upstream.seen == []


def test_a_query_that_resembles_a_key_is_relayed(
    relaying: Server, key: str, upstream: FakeUpstream
) -> None:
    with relaying.gateway(key) as api:
        address = "/v1/models?api_key_ids[]=1&keys=2&purpose=key%3D"
        assert api.get(address).status_code == 200
    assert upstream.seen[0].target == address


@pytest.mark.parametrize("carrier", ["x-api-key: {}", "api-key: {}", "authorization: Bearer {}"])
@pytest.mark.parametrize("secret", ["short", "%", "typo", "revoked"])
def test_every_key_header_is_refused_in_the_same_way(
    relaying: Server, person: Person, upstream: FakeUpstream, carrier: str, secret: str
) -> None:
    created = person.create_key()
    good = created["key"]
    with relaying.gateway(good) as api:
        assert api.get("/v1/key").status_code == 200
    if secret == "typo":
        secret = good[:-1] + ("a" if good[-1] != "a" else "b")
    elif secret == "revoked":
        person.http.delete(f"/api/api-keys/{created['id']}")
        secret = good
    line = carrier.format(secret)
    answer = say(relaying, f"POST /v1/x HTTP/1.1\nhost: x\n{line}\nconnection: close\n\n")
    assert answer.startswith("HTTP/1.1 401 ")
    assert '"code":"invalid_api_key"' in answer
    assert secret not in answer
    assert secret not in relaying.log() or len(secret) < 6
    assert upstream.seen == []


def test_a_request_for_another_server_goes_to_the_upstream(
    relaying: Server, key: str, upstream: FakeUpstream
) -> None:
    """The absolute form (RFC 9112, section 3.2.2) is meant for proxies."""
    elsewhere = socket.create_server(("127.0.0.1", 0))
    elsewhere.settimeout(0.1)
    other = f"127.0.0.1:{elsewhere.getsockname()[1]}"
    request = (
        f"GET http://{other}/v1/models HTTP/1.1\nhost: {other}\nx-api-key: {key}\n"
        "connection: close\n\n"
    )
    assert say(relaying, request).startswith("HTTP/1.1 200 ")
    (seen,) = upstream.seen
    assert (seen.target, seen.headers["host"]) == ("/v1/models", upstream.base_url[7:-3])
    with pytest.raises(TimeoutError):
        elsewhere.accept()
    elsewhere.close()


@pytest.mark.parametrize("path", ["/v1/realtime?model=m", "/v1/responses"])
@pytest.mark.parametrize("more", ["\n", "upgrade: h2c\n\n", "content-length: 5\n\nhello"])
def test_a_websocket_is_refused_clearly(
    relaying: Server, key: str, upstream: FakeUpstream, path: str, more: str
) -> None:
    answer = say(
        relaying,
        f"GET {path} HTTP/1.1\nhost: x\nx-api-key: {key}\nconnection: Upgrade\nupgrade: WebSocket\n"
        f"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\nsec-websocket-version: 13\n{more}",
    )
    assert answer.startswith("HTTP/1.1 400 ")
    assert '"code":"websocket_not_supported"' in answer
    assert "connection: close" in answer
    assert upstream.seen == []
    assert relaying.used(key) == 0


def test_upgrades_other_than_websocket_are_ignored(
    relaying: Server, key: str, upstream: FakeUpstream
) -> None:
    answer = say(
        relaying,
        f"GET /v1/models HTTP/1.1\nhost: x\nx-api-key: {key}\nconnection: close, upgrade\n"
        "upgrade: h2c\n\n",
    )
    assert answer.startswith("HTTP/1.1 200 ")
    assert "upgrade" not in upstream.seen[0].headers


@pytest.fixture(scope="module")
def public(
    upstream_process: FakeUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("public")
    (directory / "daypass.toml").write_text(
        'public_url = "https://Daypass.example.org:8443"\nallowed_hosts = ["daypass.internal"]\n'
    )
    server = start_server(directory, DAYPASS_UPSTREAM_BASE_URL=upstream_process.base_url)
    yield server
    server.stop()


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("daypass.example.org", True), ("DAYPASS.example.org:443", True), ("localhost:1", True),
        ("127.0.0.1", True), ("[::1]:8000", True), ("daypass.internal", True),
        ("evil.example", False), ("daypass.example.org.evil.example", False), ("", False),
        ("evil.example:daypass.example.org", False), ("daypass.example.org@evil.example", False),
        ("daypass.example.org/x", False), ("[::1].evil.example", False),
    ],
)  # fmt: skip
def test_only_hosts_of_the_public_url_are_served(
    public: Server, upstream: FakeUpstream, host: str, known: bool
) -> None:
    def status(path: str) -> int:
        answer = say(public, f"GET {path} HTTP/1.1\nhost: {host}\nconnection: close\n\n")
        return int(answer.split(" ")[1])

    assert status("/v1/key") == (401 if known else 421)
    assert status("/api/usage-plans") == (200 if known else 421)
    assert status("/keys") in ((307, 503) if known else (421,))
    assert status("/healthz") == status("/readyz") == 200
    refused = say(public, f"GET /v1/models HTTP/1.1\nhost: {host}\nconnection: close\n\n")
    assert ('"code":"unknown_host"' in refused) == (not known)


@pytest.mark.parametrize("hosts", ["", "host: daypass.example.org\nhost: evil.example\n"])
def test_a_request_without_exactly_one_host_is_400(public: Server, hosts: str) -> None:
    for path in ("/v1/key", "/api/site"):
        answer = say(public, f"GET {path} HTTP/1.1\n{hosts}connection: close\n\n")
        assert answer.startswith("HTTP/1.1 400 ")


def test_concurrent_requests_per_key_and_account_are_limited(
    start: StartServer, upstream: FakeUpstream
) -> None:
    server = start(
        DAYPASS_UPSTREAM_BASE_URL=upstream.base_url,
        DAYPASS_OPEN_REQUESTS_PER_KEY="2",
        DAYPASS_OPEN_REQUESTS_PER_ACCOUNT="3",
    )
    go_on = threading.Event()

    def reply(_seen: Seen) -> Response:
        go_on.wait(10)
        return JSONResponse({})

    upstream.reply = reply
    person = server.sign_up()
    keys = [person.create_key(name=name)["key"] for name in "ab"]

    def call(key: str) -> httpx.Response:
        with server.gateway(key) as api:
            return api.post("/v1/chat/completions", json=CHAT)

    def refused(key: str) -> str:
        response = call(key)
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (429, "rate_limit_exceeded")
        assert response.headers["retry-after"] == "1"
        assert "x-should-retry" not in response.headers
        message: str = error["message"]
        return message

    # The upstream answers one request at a time; the others wait for it.
    with ThreadPoolExecutor(3) as pool:
        under_way = [pool.submit(call, keys[0]) for _ in range(2)]
        until(lambda: server.used(keys[0]) == 2)
        assert "This API key has 2 requests under way" in refused(keys[0])
        under_way.append(pool.submit(call, keys[1]))
        until(lambda: server.used(keys[1]) == 1)
        assert "Your account's API keys have 3 requests under way" in refused(keys[1])
        go_on.set()
        assert [x.result().status_code for x in under_way] == [200] * 3
    assert call(keys[0]).status_code == 200
    assert [server.used(key) for key in keys] == [3, 1]
    # Refusals have receipts, like those by any other limit.
    receipts = person.http.get("/api/requests").json()
    refusals = [(x["status"], x["reason"]) for x in receipts if x["outcome"] == "refused"]
    assert sorted(refusals) == [(429, "account_concurrent"), (429, "key_concurrent")]


PATIENCE = Timeouts(connect_s=2, first_byte_s=2, gap_s=2, call_s=2)
MODELS = UpstreamRequest("GET", b"/models", [], b"")


@pytest.mark.parametrize(
    ("resolved", "private", "may"),
    [
        (["127.0.0.1"], True, True),
        (["127.0.0.1"], False, False),
        (["169.254.169.254"], True, False),
        (["127.0.0.1", "169.254.169.254"], True, False),
        (["fe80::1"], True, False),
        (["fd00:ec2::254"], True, False),
        (["::ffff:169.254.169.254"], True, False),
        (["64:ff9b::a9fe:a9fe"], True, False),
    ],
)
async def test_the_resolved_address_is_checked_at_each_connection(
    monkeypatch: pytest.MonkeyPatch, resolved: list[str], private: bool, may: bool
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.listen()

    async def getaddrinfo(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                0,
                "",
                (address, port),
            )
            for address in resolved
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    upstream = HttpUpstream(
        f"http://rebound.example:{port}/v1", None, PATIENCE, may_be_private=private
    )
    listener.setblocking(False)
    opening = asyncio.create_task(upstream.open(MODELS))
    if may:
        connection, _ = await asyncio.get_running_loop().sock_accept(listener)
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert (await opening).status == 204
        connection.close()
    else:
        with pytest.raises(UpstreamUnreachableError, match="its address is not allowed"):
            await opening
        with pytest.raises(BlockingIOError):
            listener.accept()
    await upstream.close()
    listener.close()


@pytest.mark.parametrize(
    "base_url", ["http://no-such-host.invalid/v1", "http://bad..name/v1", "https://127.0.0.1:{}/v1"]
)
async def test_a_dns_or_certificate_failure_is_reported(base_url: str) -> None:
    async def speak_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(speak_plainly, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    upstream = HttpUpstream(base_url.format(port), None, PATIENCE)
    with pytest.raises(UpstreamUnreachableError):
        await upstream.open(MODELS)
    assert not upstream._connections
    await upstream.close()
    server.close()


def test_an_unresolvable_upstream_is_502_and_given_back(start: StartServer) -> None:
    server = start(DAYPASS_UPSTREAM_BASE_URL="https://no-such-host.invalid/v1")
    key = server.sign_up().create_key()["key"]
    with server.gateway(key) as api:
        response = api.post("/v1/chat/completions", json=CHAT)
        assert response.status_code == 502
        assert response.json()["error"]["code"] == "upstream_unreachable"
        assert "no-such-host" not in response.text
    told = [line for line in server.log().splitlines() if not line.startswith("Upstream: ")]
    assert "no-such-host" not in "\n".join(told)
    assert server.used(key) == 0


def test_the_operator_sees_that_the_upstream_refuses_the_key(
    relaying: Server, person: Person, upstream: FakeUpstream
) -> None:
    upstream.reply = lambda _seen: JSONResponse({"error": {"message": "sk-the-operators-own"}}, 401)
    response = person.http.get("/api/models")
    assert response.status_code == 502
    assert "refused this gateway's own key" in response.json()["detail"]
    assert "sk-the" not in response.text


def test_an_oversized_model_list_is_refused(
    relaying: Server, person: Person, upstream: FakeUpstream
) -> None:
    upstream.reply = lambda _seen: Response(b'{"data": [' + b" " * 8_000_000 + b"]}")
    response = person.http.get("/api/models")
    assert response.status_code == 502
    assert "does not list its models" in response.json()["detail"]

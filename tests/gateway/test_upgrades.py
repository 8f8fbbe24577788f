"""Bodies of requests that offer an upgrade: raw, through nginx, from curl and Java."""

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.conftest import Person, Server
from tests.support.ports import free_port
from tests.support.programs import curl, java, nginx
from tests.support.upstream import FakeUpstream
from tests.support.waiting import until

CHAT = {"model": "m", "messages": []}
OFFER = (
    b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n"
    b"http2-settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n"
)
JSON = json.dumps(CHAT).encode()
FORM = b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nm\r\n--b--\r\n'
CONFIGURATION = """
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
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  upstream daypass {{ server {address}; keepalive 1; }}
  proxy_http_version 1.1;
  proxy_request_buffering off;
  server {{
    listen 127.0.0.1:{always};
    location / {{
      proxy_pass http://daypass;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
    }}
  }}
  server {{
    listen 127.0.0.1:{mapped};
    location / {{
      proxy_pass http://daypass;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }}
  }}
}}
"""


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def cookies_of(person: Person) -> str:
    return "; ".join(f"{name}={value}" for name, value in person.http.cookies.items())


def names_of_keys(person: Person) -> list[str]:
    listed = person.keys()
    return [key["name"] for key in listed]


def read_answer(caller: socket.socket) -> tuple[int, bytes]:
    """Return status and body of one response on a connection that stays open."""
    file = caller.makefile("rb")
    status = int(file.readline().split(b" ")[1])
    length = 0
    while (line := file.readline().strip().lower()) != b"":
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return status, file.read(length)


@pytest.fixture(scope="module")
def proxies(relaying: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """The ports of an nginx with the usual WebSocket directives and upstream keep-alive."""
    directory = tmp_path_factory.mktemp("nginx")
    ports = {"always": free_port(), "mapped": free_port()}
    address = relaying.url.removeprefix("http://")
    configuration = directory / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(directory=directory, address=address, **ports))
    process = subprocess.Popen([nginx(), "-p", str(directory), "-c", str(configuration)])

    def is_listening(port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(lambda: all(map(is_listening, ports.values())))
    yield ports
    process.terminate()
    process.wait(10)


@pytest.fixture
def person(relaying: Server) -> Person:
    return relaying.sign_up()


@pytest.mark.parametrize("offer", [b"", OFFER], ids=["plain", "h2c"])
@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize(
    ("content_type", "body"),
    [(b"application/json", JSON), (b"multipart/form-data; boundary=b", FORM)],
)
def test_a_body_with_an_upgrade_offer_is_relayed_whole(
    relaying: Server, person: Person, upstream: FakeUpstream,
    offer: bytes, is_chunked: bool, content_type: bytes, body: bytes,
) -> None:  # fmt: skip
    created = person.create_key()
    framing = b"transfer-encoding: chunked" if is_chunked else b"content-length: %d" % len(body)
    to_gateway = (
        b"POST /v1/x HTTP/1.1\r\nhost: x\r\nx-api-key: " + created["key"].encode() + b"\r\n"
        b"content-type: " + content_type + b"\r\n" + offer + framing + b"\r\n\r\n",
        chunked(body) if is_chunked else body,
    )
    renamed = b'{"name": "renamed"}'
    framing = b"transfer-encoding: chunked" if is_chunked else b"content-length: %d" % len(renamed)
    to_portal = (
        f"PATCH /api/api-keys/{created['id']} HTTP/1.1\r\nhost: {relaying.url[7:]}\r\n"
        f"origin: {relaying.url}\r\ncookie: {cookies_of(person)}\r\n"
        "content-type: application/json\r\n".encode() + offer + framing + b"\r\n\r\n",
        chunked(renamed) if is_chunked else renamed,
    )  # fmt: skip
    port = int(relaying.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as caller:
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for pieces in (to_gateway, to_portal, [b"".join(to_gateway)], [b"".join(to_portal)]):
            for piece in pieces:
                caller.sendall(piece)
            assert read_answer(caller)[0] == 200
        for byte in b"".join(to_gateway):
            caller.sendall(bytes([byte]))
        assert read_answer(caller)[0] == 200
    assert [seen.body for seen in upstream.seen] == [body] * 3
    assert not {"upgrade", "http2-settings"} & upstream.seen[0].headers.keys()
    assert names_of_keys(person) == ["renamed"]
    assert relaying.used(created["key"]) == 3


@pytest.mark.parametrize("proxy", ["always", "mapped"])
@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("offer", ["anything", "h2c, websocket"])
def test_a_request_smuggled_through_nginx_is_not_served(
    relaying: Server, proxies: dict[str, int], upstream: FakeUpstream,
    proxy: str, is_chunked: bool, offer: str,
) -> None:  # fmt: skip
    attacker, victim = (relaying.sign_up().create_key()["key"] for _ in range(2))
    # This would capture another client's next request, with its key, as its own body.
    smuggled = (
        f"POST /v1/smuggled HTTP/1.1\r\nhost: x\r\nx-api-key: {attacker}\r\n"
        "content-type: text/plain\r\ncontent-length: 100000\r\n\r\n"
    ).encode()
    framing = "transfer-encoding: chunked" if is_chunked else f"content-length: {len(smuggled)}"
    request = (
        f"POST /v1/attack HTTP/1.1\r\nhost: x\r\nx-api-key: {attacker}\r\nupgrade: {offer}\r\n"
        f"connection: upgrade\r\ncontent-type: text/plain\r\n{framing}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", proxies[proxy]), timeout=20) as caller:
        caller.sendall(request + (chunked(smuggled) if is_chunked else smuggled))
        status, _ = read_answer(caller)

    def call(number: int) -> tuple[int, str]:
        address = f"http://127.0.0.1:{proxies[proxy]}/v1/chat/completions"
        body = CHAT | {"model": f"m{number}"}
        response = httpx.post(address, json=body, headers={"x-api-key": victim}, timeout=20)
        return response.status_code, response.json()["model"]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(call, range(8))) == [(200, f"m{n}") for n in range(8)]
    is_refused = "websocket" in offer
    assert status == (400 if is_refused else 200)
    attacks = [seen for seen in upstream.seen if seen.target != "/v1/chat/completions"]
    expected = [] if is_refused else [("/v1/attack", smuggled)]
    assert [(seen.target, seen.body) for seen in attacks] == expected
    assert len(upstream.seen) - len(attacks) == 8
    assert relaying.used(victim) == 8
    assert relaying.used(attacker) == len(expected)


def test_curl_offering_http2_works(
    relaying: Server, person: Person, upstream: FakeUpstream
) -> None:
    created = person.create_key()
    gateway = ["-H", f"x-api-key: {created['key']}"]
    as_json = ["-H", "content-type: application/json", "--data-binary", JSON.decode()]
    calls = [
        [f"{relaying.url}/v1/chat/completions", *gateway, *as_json],
        [f"{relaying.url}/v1/x", *gateway, *as_json, "-H", "transfer-encoding: chunked"],
        [f"{relaying.url}/v1/audio/transcriptions", *gateway, "-F", "model=m"],
        [
            f"{relaying.url}/api/api-keys/{created['id']}", "-X", "PATCH",
            "-H", f"cookie: {cookies_of(person)}", "-H", f"origin: {relaying.url}",
            "-H", "content-type: application/json",
            "--data-binary", '{"name": "renamed by curl"}',
        ],
    ]  # fmt: skip
    for call in calls:
        command = [curl(), "-sv", "--http2", "--max-time", "20", *call]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "> Upgrade: h2c" in done.stderr
        assert "< HTTP/1.1 200" in done.stderr
    assert [seen.body for seen in upstream.seen[:2]] == [JSON, JSON]
    assert b'name="model"\r\n\r\nm\r\n' in upstream.seen[2].body
    assert names_of_keys(person) == ["renamed by curl"]
    assert relaying.used(created["key"]) == 3


def test_javas_http_client_works(relaying: Server, person: Person, upstream: FakeUpstream) -> None:
    created = person.create_key()
    source = Path(__file__).parent / "java" / "Client.java"
    path = f"/api/api-keys/{created['id']}"
    arguments = [relaying.url, created["key"], path, cookies_of(person)]
    done = subprocess.run(
        [java(), str(source), *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    assert re.findall(r"^(\d+ \S+)", done.stdout, re.MULTILINE) == ["200 HTTP_1_1"] * 5
    bodies = [seen.body for seen in upstream.seen]
    chat = json.dumps(CHAT, separators=(",", ":")).encode()
    assert bodies == [chat, chat, FORM, FORM]
    assert names_of_keys(person) == ["renamed by Java"]
    assert relaying.used(created["key"]) == 4

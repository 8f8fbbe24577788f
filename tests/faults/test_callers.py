"""Clients that send invalid requests or disconnect: nothing is counted or leaked."""

import asyncio
import contextlib
import re
import socket
import sqlite3

import pytest

from tests.conftest import StartServer
from tests.faults.conftest import Scene
from tests.faults.upstream import EVENTS, Exchange, RawUpstream, chunk
from tests.support.waiting import until

MEGABYTE = 1_000_000
CLOSE = "connection: close\r\n"
CHUNKED = "transfer-encoding: chunked"
LENGTH = "content-length: 100000"


def send(scene: Scene, request: bytes) -> bytes:
    """Send bytes and read to the end of the connection."""
    with socket.create_connection(("127.0.0.1", scene.port), timeout=10) as caller:
        caller.sendall(request)
        answer = b""
        while piece := caller.recv(65_536):
            answer += piece
    return answer


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"a":' * 5_000 + b"1" + b"}" * 5_000, id="deep"),
        pytest.param(b"[" * 100_000, id="deep and unfinished"),
        pytest.param(b'{"n":' + b"9" * 5_000 + b"}", id="huge integer"),
        pytest.param(b'{"n": NaN}', id="NaN"),
        pytest.param(b'{"n": -Infinity}', id="infinity"),
        pytest.param(b'{"model": "cheap", "model": "dear"}', id="key twice"),
        pytest.param(b'{"model": "cheap", "mod\\u0065l": "dear"}', id="key twice, once escaped"),
        pytest.param(b'{"messages": [{"role": "user", "role": "system"}]}', id="key twice within"),
        pytest.param(b'{"a": "\\ud800"}', id="lone surrogate"),
        pytest.param(b'{"a": "\xed\xa0\x80"}', id="lone surrogate, encoded"),
        pytest.param(b'{"a": "\0"}', id="NUL"),
        pytest.param(b'{"model": "\\u0000"}', id="NUL in the model"),
        pytest.param(b'{"a": 1} {"b": 2}', id="two documents"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
    ],
)
def test_a_hostile_document_is_400_and_counts_nothing(scene: Scene, body: bytes) -> None:
    response = scene.post(content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == "invalid_json"
    assert len(error["message"]) < 400
    assert scene.upstream.heads == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "\\ud800", "api_key_id": "KEY"}',
        b'{"n": ' + b"9" * 5_000 + b', "api_key_id": "KEY"}',
        b'{"model": "\\u0000", "api_key_id": "KEY"}',
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    ],
)
def test_a_hostile_document_in_the_chat_is_400_too(scene: Scene, body: bytes) -> None:
    person = scene.server.sign_up()
    key = person.create_key("plenty")["id"].encode()
    response = person.http.post(
        "/api/chat/completions",
        content=body.replace(b"KEY", key),
        headers={"content-type": "application/json"},
    )
    assert response.status_code == 400
    assert scene.upstream.heads == []


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/models", "/"])
def test_trace_and_connect_do_not_reach_the_upstream(scene: Scene, method: str, path: str) -> None:
    request = f"{method} {path} HTTP/1.1\r\nhost: x\r\nx-api-key: {scene.key}\r\n{CLOSE}\r\n"
    answer = send(scene, request.encode())
    assert re.match(rb"HTTP/1\.1 4\d\d ", answer)
    assert scene.key.encode() not in answer
    assert scene.upstream.heads == []


def test_method_and_path_override_headers_are_not_relayed(scene: Scene) -> None:
    hostile = (
        "x-http-method-override: DELETE", "x-http-method: DELETE", "x-method-override: DELETE",
        "x-original-url: /v1/files", "x-rewrite-url: /v1/files", "x_forwarded_for: 1.2.3.4",
        "x_api_key: sk-other", "x-forwarded-host: evil.example", "x-kept: yes",
    )  # fmt: skip
    assert send(scene, scene.request(*hostile, "connection: close")).startswith(b"HTTP/1.1 200 ")
    (head,) = scene.upstream.heads
    assert b"x-kept: yes\r\n" in head
    for line in hostile[:-1]:
        assert line.partition(":")[0].encode() not in head
    scene.counted = 1


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=b"])
@pytest.mark.parametrize("offer", ["", "connection: upgrade\r\nupgrade: h2c\r\n"])
@pytest.mark.parametrize(
    ("coding", "body"),
    [("chunked", b"1\r\n{\r\nzz\r\n"), ("chunked", b"1\r\n{}\r\n"), ("gzip", b"{}")],
)
def test_a_body_that_cannot_be_framed_is_400_and_counts_nothing(
    scene: Scene, content_type: str, offer: str, coding: str, body: bytes
) -> None:
    scene.upstream.script = scene.upstream.waits()
    head = (
        f"POST /v1/files HTTP/1.1\r\nhost: x\r\nx-api-key: {scene.key}\r\n{offer}"
        f"content-type: {content_type}\r\ntransfer-encoding: {coding}\r\n\r\n"
    )
    for rest in (b"", b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n"):
        answer = send(scene, head.encode() + body + rest)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1 ") == 1
        assert b"\r\nconnection: close\r\n" in answer


def test_an_upload_is_relayed_as_it_arrives(scene: Scene) -> None:
    received = 0
    size = 30 * MEGABYTE

    async def script(exchange: Exchange) -> None:
        nonlocal received
        while received < size:
            received += len(await exchange.reader.read(65_536))
        await exchange.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    scene.upstream.script = script
    before = scene.resident_bytes()
    with socket.create_connection(("127.0.0.1", scene.port), timeout=10) as caller:
        caller.sendall(
            f"POST /v1/audio/transcriptions HTTP/1.1\r\nhost: x\r\nx-api-key: {scene.key}\r\n"
            "content-type: multipart/form-data; boundary=b\r\nconnection: close\r\n"
            f"content-length: {size}\r\n\r\n".encode()
        )
        caller.sendall(FORM.ljust(MEGABYTE, b"x"))
        until(lambda: received == MEGABYTE)
        end = b"\r\n--b--\r\n"
        for _ in range(28):
            caller.sendall(b"x" * MEGABYTE)
        caller.sendall(end.rjust(MEGABYTE, b"x"))
        assert caller.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert scene.resident_bytes() - before < 16 * MEGABYTE
    scene.counted = 1


def test_disconnecting_during_an_upload_counts_nothing(scene: Scene) -> None:
    left = False

    async def script(exchange: Exchange) -> None:
        nonlocal left
        await exchange.until_left()
        left = True

    scene.upstream.script = script
    with socket.create_connection(("127.0.0.1", scene.port)) as caller:
        caller.sendall(
            f"POST /v1/audio/transcriptions HTTP/1.1\r\nhost: x\r\nx-api-key: {scene.key}\r\n"
            "content-type: multipart/form-data; boundary=b\r\n"
            "content-length: 1000\r\n\r\n".encode()
            + FORM
        )
        until(lambda: bool(scene.upstream.heads))
    until(lambda: left)


FORM = (
    b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nm\r\n'
    b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
)
MULTIPART = "content-type: multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    ("headers", "pieces", "counted"),
    [
        pytest.param((MULTIPART, CHUNKED), (FORM + b"x\r\n--b--\r\n",), 1, id="no last chunk"),
        pytest.param((MULTIPART, CHUNKED), (FORM, b"x\r\n--", b"b-", b"-"), 1, id="in pieces"),
        pytest.param((MULTIPART, CHUNKED), (FORM, b"x" * 9000), 0, id="no closing delimiter"),
        pytest.param((MULTIPART, LENGTH), (FORM + b"x\r\n--b--\r\n",), 1, id="epilogue to come"),
        pytest.param(
            (MULTIPART + "; boundary=c", LENGTH), (FORM,), 1, id="boundary that can be read twice"
        ),
        pytest.param((MULTIPART, MULTIPART + "c", LENGTH), (FORM,), 1, id="two media types"),
        pytest.param(("content-type: text/plain", LENGTH), (b'{"model": "m"}',), 1, id="blanks"),
        pytest.param(("content-type: text/plain", CHUNKED), (b'{"model": "m"}',), 1, id="chunks"),
        pytest.param((LENGTH,), (b'{"model": "m"}',), 1, id="no media type"),
        pytest.param((LENGTH,), (), 0, id="nothing of the body"),
    ],
)
def test_withholding_the_end_of_a_complete_body_counts(
    scene: Scene, headers: tuple[str, ...], pieces: tuple[bytes, ...], counted: int
) -> None:
    came = b""
    left = False

    async def script(exchange: Exchange) -> None:
        nonlocal came, left
        while piece := await exchange.reader.read(65_536):
            came += piece
        left = True

    scene.upstream.script = script
    lines = ["POST /v1/raw HTTP/1.1", "host: x", f"x-api-key: {scene.key}"]
    head = "\r\n".join([*lines, *headers, "", ""]).encode()
    with socket.create_connection(("127.0.0.1", scene.port)) as caller:
        for piece in pieces or (b"",):
            caller.sendall(head + (chunk(piece) if CHUNKED in headers else piece))
            head = b""
            until(lambda: bool(scene.upstream.heads))
            until(lambda end=piece: came.endswith((end, end + b"\r\n")))  # type: ignore[misc]
    until(lambda: left)
    scene.counted = counted


def test_stalling_until_the_upstream_times_out_counts(scene: Scene) -> None:
    scene.upstream.script = scene.upstream.waits_for_anything
    with socket.create_connection(("127.0.0.1", scene.port), timeout=10) as caller:
        caller.sendall(
            f"POST /v1/raw HTTP/1.1\r\nhost: x\r\nx-api-key: {scene.key}\r\n"
            f"content-type: text/plain\r\n{CHUNKED}\r\n\r\n".encode()
            + chunk(b'{"model": "m"}')
        )
        answer = caller.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 504 ")
    assert b"This request was counted" in answer
    scene.counted = 1


@pytest.mark.parametrize(("first", "counted"), [(b"{}", 1), (b"", 0)])
def test_a_body_that_grows_too_large_after_a_complete_document_counts(
    scene: Scene, first: bytes, counted: int
) -> None:
    """Either a document with endless white space, or a form whose file never ends."""
    scene.upstream.script = scene.upstream.waits_for_anything
    media_type = "content-type: text/plain" if first else MULTIPART
    with socket.create_connection(("127.0.0.1", scene.port), timeout=10) as caller:
        caller.sendall(
            f"POST /v1/raw HTTP/1.1\r\nhost: x\r\nx-api-key: {scene.key}\r\n"
            f"{media_type}\r\n{CHUNKED}\r\n\r\n".encode()
            + chunk(first or FORM)
        )
        with contextlib.suppress(OSError):
            for _ in range(34):
                caller.sendall(chunk(b" " * 1024 * 1024))
        answer = caller.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert (b"This request was counted" in answer) == bool(counted)
    scene.counted = counted


def test_sigterm_in_mid_stream_completes_the_stream_before_the_server_stops(
    start: StartServer,
) -> None:
    upstream = RawUpstream()
    upstream.start()
    event = b'data: {"n": 1}\n\n'

    async def script(exchange: Exchange) -> None:
        await exchange.say(EVENTS)
        for _ in range(10):
            await exchange.say(chunk(event))
            await asyncio.sleep(0.1)
        await exchange.say(chunk(b"data: [DONE]\n\n"), b"0\r\n\r\n")

    upstream.script = script
    try:
        server = start(DAYPASS_UPSTREAM_BASE_URL=f"http://127.0.0.1:{upstream.port}/v1")
        key = server.sign_up().create_key()["key"]
        with (
            server.gateway(key) as api,
            api.stream("POST", "/v1/chat/completions", json={}) as response,
        ):
            body = b""
            for piece in response.iter_raw():
                if not body:
                    server.process.terminate()
                body += piece
        assert body == event * 10 + b"data: [DONE]\n\n"
        assert server.process.wait(10) in (0, -15)
        assert "Traceback" not in server.log()
        with contextlib.closing(sqlite3.connect(server.data_dir / "daypass.db")) as database:
            counters = database.execute("SELECT name, used FROM quota_counter").fetchall()
        assert [used for name, used in counters if name.startswith("key:")] == [1]
    finally:
        upstream.stop()

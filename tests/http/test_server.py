"""The HTTP protocol of `daypass serve`, byte by byte."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from daypass.http import server_protocol
from daypass.http.server_protocol import HttpProtocol
from daypass.http.types import Application, Message, Receive, Scope, Send


class Site:
    """An application served by server_protocol, and a client for raw bytes."""

    def __init__(self, port: int, running: uvicorn.Server) -> None:
        self.port = port
        self.running = running

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def say(self, *pieces: bytes, pause_s: float = 0.002) -> bytes:
        """Send these pieces, each in its own packet, and read until the connection closes."""
        reader, writer = await self.connect()
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(pause_s)
        answer = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        return answer


@asynccontextmanager
async def serving(app: Application, keep_alive_s: float = 5) -> AsyncIterator[Site]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, http=HttpProtocol, ws="none", lifespan="off", log_level="critical",
        interface="asgi3", server_header=False, proxy_headers=False,
        timeout_keep_alive=keep_alive_s,  # type: ignore[arg-type]
    )  # fmt: skip
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve(sockets=[listener]))
    while not running.started:
        await asyncio.sleep(0.01)
    try:
        yield Site(listener.getsockname()[1], running)
    finally:
        running.should_exit = True
        await asyncio.wait_for(task, 10)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the method, the path and the body."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = f"{scope['method']} {scope['path']} ".encode() + body
    headers = [(b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


CLOSE = b"connection: close\r\n"


def head(line: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([line + b" HTTP/1.1", b"host: x", *headers, b"", b""])


def bodies(answer: bytes) -> list[bytes]:
    return [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 200 OK\r\n")[1:]]


REQUESTS = [
    (head(b"GET /a%20b?q=1", b"connection: close"), b"GET /a b "),
    (head(b"POST /x", b"connection: close", b"content-length: 5") + b"hello", b"POST /x hello"),
    (
        head(b"POST /x", b"connection: close", b"transfer-encoding: chunked")
        + b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\ntrailer: x\r\n\r\n",
        b"POST /x hello",
    ),
    (head(b"GET http://other/x?y", b"connection: close"), b"GET /x "),
    (
        head(b"GET /x", b"connection: upgrade, close", b"upgrade: websocket"),
        b"GET /x ",
    ),
    (b"GET /x HTTP/1.0\r\n\r\n", b"GET /x "),
]


@pytest.mark.parametrize(("request_", "body"), REQUESTS)
async def test_a_request_is_parsed_in_every_split(request_: bytes, body: bytes) -> None:
    async with serving(echo) as site:
        assert bodies(await site.say(request_)) == [body]
        for at in range(1, len(request_), 7):
            assert bodies(await site.say(request_[:at], request_[at:])) == [body]
        assert bodies(await site.say(*(bytes([x]) for x in request_), pause_s=0)) == [body]


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with serving(echo) as site:
        first = head(b"POST /1", b"content-length: 2") + b"ab"
        answer = await site.say(first + head(b"GET /2") + head(b"GET /3", b"connection: close"))
        assert bodies(answer) == [b"POST /1 ab", b"GET /2 ", b"GET /3 "]


async def test_head_and_no_content_have_no_body() -> None:
    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        status = 200 if scope["method"] == "HEAD" else 204
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"none of this"})

    async with serving(app) as site:
        for method in (b"HEAD /", b"GET /"):
            answer = await site.say(head(method, b"connection: close"))
            assert answer.endswith(b"\r\n\r\n")


async def test_100_continue_is_sent_when_the_body_is_read() -> None:
    async with serving(echo) as site:
        reader, writer = await site.connect()
        writer.write(head(b"POST /", b"expect: 100-continue", b"content-length: 2"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"ok")
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        writer.close()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"no request\r\n\r\n", 400),
        (head(b"GET /", b"bad name: x"), 400),
        (head(b"GET /", b"x: 1", b" folded"), 400),
        (head(b"GET /", b"x: \0"), 400),
        (b"GET / HTTP/1.1\nhost: x\n\n", 400),
        (head(b"POST /", b"content-length: 2", b"transfer-encoding: chunked") + b"ok", 400),
        (head(b"POST /", b"content-length: 2", b"content-length: 3") + b"ok", 400),
        (head(b"POST /", b"transfer-encoding: chunked, gzip"), 400),
        (head(b"GET /", *[b"x: y"] * 200), 400),
        (head(b"GET /", b"x: " + b"y" * 300_000)[:-2], 431),
    ],
)
async def test_an_invalid_request_is_refused(request_: bytes, status: int) -> None:
    async with serving(echo) as site:
        answer = await site.say(request_[:70_000], request_[70_000:], pause_s=0.05)
        assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
        assert answer.count(b"HTTP/1.1") == 1


async def test_each_part_of_a_request_has_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD_S", "BODY_S", "CHECK_EVERY_S"):
        monkeypatch.setattr(server_protocol, name, 0.2)
    async with serving(echo, keep_alive_s=0.2) as site:
        assert await site.say() == b""
        slow = await site.say(*[b"GET / HTTP/1.1\r\n", *[b"x: y\r\n"] * 5], pause_s=0.03)
        assert slow.startswith(b"HTTP/1.1 408 ")
        partial = head(b"POST /", b"content-length: 9") + b"x"
        assert await site.say(partial) == b""
        whole = await site.say(head(b"GET /"))  # kept alive, then closed without a response
        assert bodies(whole) == [b"GET / "]


async def test_a_client_that_reads_nothing_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_protocol, "WRITE_S", 0.3)
    monkeypatch.setattr(server_protocol, "CHECK_EVERY_S", 0.1)
    gone = asyncio.Event()

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})

        async def watch() -> Message:
            return await receive()

        watcher = asyncio.create_task(watch())
        while not watcher.done():
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
            await asyncio.sleep(0)
        assert watcher.result()["type"] == "http.disconnect"
        gone.set()

    async with serving(app) as site:
        _reader, writer = await site.connect()
        writer.write(head(b"GET /"))
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.wait_for(gone.wait(), 10)
        writer.transport.abort()


async def fill_buffers(site: Site, send: Send) -> None:
    """Write until the socket's buffers are full, then end the response."""
    (connection,) = site.running.server_state.connections
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while not connection._transport.get_write_buffer_size():  # type: ignore[union-attr]
        await send({"type": "http.response.body", "body": b"x" * 8192, "more_body": True})
    await send({"type": "http.response.body", "body": b"end"})


async def until_closed(site: Site) -> None:
    async with asyncio.timeout(10):
        while site.running.server_state.connections:
            await asyncio.sleep(0.01)


@pytest.fixture
def brief_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BODY_S", "LINGER_S", "CHECK_EVERY_S"):
        monkeypatch.setattr(server_protocol, name, 0.05)
    monkeypatch.setattr(server_protocol, "WRITE_S", 0.3)


@pytest.mark.usefixtures("brief_deadlines")
async def test_a_slow_reader_gets_the_whole_response(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_protocol, "WRITE_S", 60.0)
    size = 8_000_000

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * size})

    async with serving(app, keep_alive_s=0.05) as site:
        reader, writer = await site.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(head(b"GET /"))
        await asyncio.sleep(0.3)  # longer than an idle connection is kept
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        answer = await asyncio.wait_for(reader.read(), 20)
        assert answer.count(b"x") == size
        writer.close()


@pytest.mark.usefixtures("brief_deadlines")
@pytest.mark.parametrize("last", [b"connection: close", b"connection: keep-alive"])
async def test_the_end_of_an_unread_response_has_a_deadline(last: bytes) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await fill_buffers(site, send)

    async with serving(app, keep_alive_s=0.05) as site:
        _reader, writer = await site.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(head(b"GET /", last))
        while not site.running.server_state.total_requests:
            await asyncio.sleep(0.01)
        await until_closed(site)
        writer.transport.abort()


@pytest.mark.usefixtures("brief_deadlines")
@pytest.mark.parametrize("body_bytes", [0, 1, 400_000])
async def test_a_pipelined_request_does_not_extend_the_write_deadline(body_bytes: int) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(200):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async with serving(app, keep_alive_s=0.05) as site:
        _reader, writer = await site.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(head(b"GET /"))
        while not any(x.drained for x in site.running.server_state.connections):  # type: ignore[union-attr]
            await asyncio.sleep(0.01)
        length = b"content-length: %d" % (body_bytes and 900_000)
        writer.write(head(b"POST /", length) + b"y" * body_bytes)
        await until_closed(site)
        writer.transport.abort()


@pytest.mark.usefixtures("brief_deadlines")
async def test_the_rest_of_a_body_has_a_deadline_after_an_early_response() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        (connection,) = site.running.server_state.connections
        while connection._deadline != server_protocol.NEVER:  # type: ignore[union-attr]
            await asyncio.sleep(0)  # until reading is paused
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"early"})

    async with serving(app, keep_alive_s=0.05) as site:
        _reader, writer = await site.connect()
        writer.write(head(b"POST /", b"content-length: 9000000") + b"y" * 400_000)
        while not site.running.server_state.total_requests:
            await asyncio.sleep(0.01)
        await until_closed(site)
        writer.transport.abort()


async def test_the_application_is_notified_of_a_client_disconnect() -> None:
    heard: list[Message] = []

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()
        heard.append(await receive())

    async with serving(app) as site:
        _reader, writer = await site.connect()
        writer.write(head(b"GET /"))
        await asyncio.sleep(0.1)
        writer.transport.abort()
        while not heard:
            await asyncio.sleep(0.01)
    assert heard == [{"type": "http.disconnect"}]


async def test_a_response_sent_before_the_body_is_read_arrives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_protocol, "CHECK_EVERY_S", 0.1)
    monkeypatch.setattr(server_protocol, "LINGER_S", 0.5)

    async def refuse(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"3"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": b"big"})

    async with serving(refuse) as site:
        request = head(b"POST /", b"content-length: 5000000")
        answer = await site.say(request, *[b"x" * 50_000] * 20, pause_s=0.001)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert answer.endswith(b"big")


Answering = Callable[[Send], Awaitable[None]]


async def cut_short(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})


async def too_long(send: Send) -> None:
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"too long"})


async def forged(send: Send) -> None:
    headers = [(b"x", b"1\r\nset-cookie: y")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


@pytest.mark.parametrize("answering", [cut_short, too_long, forged])
async def test_an_incomplete_response_is_never_presented_as_complete(answering: Answering) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await answering(send)

    async with serving(app) as site:
        answer = await site.say(head(b"GET /"))
        assert not answer.endswith(b"0\r\n\r\n")
        assert b"too long" not in answer
        assert b"set-cookie" not in answer


async def test_a_body_is_received_no_faster_than_it_is_read() -> None:
    read: list[int] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            await asyncio.sleep(0.05 if not read else 0)
            message: dict[str, Any] = dict(await receive())
            read.append(len(message.get("body", b"")))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"%d" % sum(read)})

    async with serving(app) as site:
        size = 20_000_000
        request = head(b"POST /", b"content-length: %d" % size, b"connection: close")
        answer = await site.say(request + b"x" * size)
        assert b"%d" % size in answer
    # Only a few reads are buffered, however much is sent.
    assert max(read) < 2_000_000


async def test_requests_in_flight_are_answered_when_the_server_stops() -> None:
    async with serving(echo) as site:
        fresh, half_sent, idle = [await site.connect() for _ in range(3)]
        idle[1].write(head(b"GET /idle"))
        await idle[0].readuntil(b"GET /idle ")
        half_sent[1].write(b"GET /half HTTP/1.1\r\n")
        connections = site.running.server_state.connections
        while len(connections) < 3 or not any(
            connection._reader.is_within_head  # type: ignore[union-attr]
            for connection in connections
        ):
            await asyncio.sleep(0.01)
        site.running.should_exit = True
        assert await asyncio.wait_for(idle[0].read(), 10) == b""
        half_sent[1].write(b"host: x\r\n\r\n")
        fresh[1].write(head(b"GET /fresh"))
        for (reader, _), path in ((half_sent, b"/half"), (fresh, b"/fresh")):
            answer = await asyncio.wait_for(reader.read(), 10)
            assert b"connection: close\r\n" in answer
            assert bodies(answer) == [b"GET " + path + b" "]

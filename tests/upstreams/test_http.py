"""The HTTP/1.1 client against an upstream scripted byte for byte."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daypass.upstreams import http
from daypass.upstreams.base import (
    Timeouts,
    UpstreamBrokeError,
    UpstreamError,
    UpstreamRequest,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from daypass.upstreams.http import HttpUpstream

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PATIENCE = Timeouts(connect_s=1, first_byte_s=0.6, gap_s=0.6, call_s=5)

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
GET = UpstreamRequest("GET", b"/x", [], b"")
POST = UpstreamRequest("POST", b"/x", [], b"{}")


@asynccontextmanager
async def upstream(script: Script) -> AsyncIterator[HttpUpstream]:
    """A client of a server that runs this script for each connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # Python 3.11 prints the cancellation at a loop's end as a fault.
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = HttpUpstream(f"http://127.0.0.1:{port}/base", "sk-secret", PATIENCE)
    try:
        yield client
    finally:
        await client.close()
        server.close()


def says(*pieces: bytes, ends: bool = True) -> Script:
    """Answer every request with these pieces, each in its own packet."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.001)
            if ends:
                return

    return script


async def fetch(client: HttpUpstream, request: UpstreamRequest = GET) -> tuple[int, bytes]:
    response = await client.open(request)
    try:
        body = b""
        while not response.ended:
            body += await response.read()
    finally:
        response.close()
    return response.status, body


async def test_a_request_is_sent_whole_with_the_operators_key() -> None:
    seen = b""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen = await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(2)
        writer.write(OK)

    async with upstream(script) as client:
        request = UpstreamRequest("POST", b"/x?y=%20", [(b"accept", b"*/*")], b"{}")
        assert await fetch(client, request) == (200, b"ok")
    head, _, body = seen.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /base/x?y=%20 HTTP/1.1"
    assert sorted(line.split(b":")[0] for line in lines[1:]) == [
        b"accept", b"accept-encoding", b"authorization", b"content-length", b"host",
    ]  # fmt: skip
    assert b"authorization: Bearer sk-secret" in lines
    assert body == b"{}"


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK, b"ok"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: x\r\n\r\n" + OK, b"ok"),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
            b"2;name=x\r\nok\r\n0\r\ntrailer: x\r\n\r\n",
            b"ok",
        ),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.0 200 OK\r\n\r\nold", b"old"),
        (b"HTTP/1.1 200 OK\r\nconnection: upgrade\r\nupgrade: h2c\r\n" + OK[17:], b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
async def test_every_framing_is_parsed_in_every_split(answer: bytes, body: bytes) -> None:
    for at in range(1, len(answer)):
        async with upstream(says(answer[:at], answer[at:])) as client:
            assert (await fetch(client))[1] == body
    async with upstream(says(*(bytes([x]) for x in answer))) as client:
        assert (await fetch(client))[1] == body


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 2",
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nx: 1\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx : 1\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n" + OK,
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + OK,
        b"HTTP/1.1 100 Continue\r\ncontent-length: 2\r\n\r\nok" + OK,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, gzip\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 400_000,
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 80_000,
    ],
)
async def test_an_invalid_response_is_an_upstream_error(answer: bytes) -> None:
    async with upstream(says(answer)) as client:
        with pytest.raises(UpstreamUnreachableError):
            await fetch(client)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: " + b"y" * 400_000,
    ],
)
async def test_a_truncated_response_is_an_error(answer: bytes) -> None:
    async with upstream(says(answer)) as client:
        with pytest.raises((UpstreamError, UpstreamBrokeError)):
            await fetch(client)


async def test_silence_before_the_head_or_within_the_body_times_out() -> None:
    async with upstream(says(b"", ends=False)) as client:
        with pytest.raises(UpstreamTimeoutError):
            await fetch(client)
    async with upstream(says(OK[:-1], ends=False)) as client:
        with pytest.raises(UpstreamBrokeError):
            await fetch(client)


async def test_a_connection_is_reused_only_after_a_complete_response() -> None:
    connections = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while head := await reader.readuntil(b"\r\n\r\n"):
            writer.write(OK[:-1])
            if b"/slow" not in head:
                writer.write(OK[-1:])

    async with upstream(script) as client:
        for _ in range(5):
            assert await fetch(client) == (200, b"ok")
        assert connections == 1
        (await client.open(UpstreamRequest("GET", b"/slow", [], b""))).close()
        assert await fetch(client) == (200, b"ok")
        assert connections == 2
        # Data after the head of a HEAD response is indistinguishable from a body.
        assert (await fetch(client, UpstreamRequest("HEAD", b"/x", [], b"")))[1] == b""
        assert await fetch(client) == (200, b"ok")
        assert connections == 3


async def test_a_dead_pooled_connection_is_retried_when_safe() -> None:
    """The second request finds the connection closed."""
    requests = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        for answer in (OK, b""):
            await reader.readuntil(b"\r\n\r\n")
            requests += 1
            writer.write(answer)

    async with upstream(script) as client:
        await fetch(client)
        assert await fetch(client) == (200, b"ok")
        assert requests == 3
        with pytest.raises(UpstreamUnreachableError):
            await fetch(client, POST)
        assert requests == 4


async def test_unsolicited_data_closes_the_connection() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")
        await reader.read()

    async with upstream(script) as client:
        assert await fetch(client) == (200, b"ok")
        await asyncio.sleep(0.2)
        assert await fetch(client, POST) == (200, b"ok")


async def test_a_slow_reader_applies_backpressure_to_the_upstream() -> None:
    sent = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(1_000):
            writer.write(b"x" * 100_000)
            await writer.drain()
            sent += 100_000

    async with upstream(script) as client:
        response = await client.open(GET)
        await asyncio.sleep(0.3)
        assert sent < 20_000_000  # what sockets and buffers hold
        size = 0
        while not response.ended:
            size += len(await response.read())
        assert size == 100_000_000


@pytest.mark.parametrize("length", [None, 300_000])
async def test_a_body_is_sent_with_its_length_or_in_chunks(length: int | None) -> None:
    seen = b""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        head = await reader.readuntil(b"\r\n\r\n")
        assert (b"transfer-encoding: chunked" in head) == (length is None)
        if length is None:
            while size := int(await reader.readuntil(b"\r\n"), 16):
                seen += await reader.readexactly(size)
                await reader.readexactly(2)
        else:
            seen = await reader.readexactly(length)
        writer.write(OK)

    async def body() -> AsyncIterator[bytes]:
        for number in range(3):
            yield bytes([number]) * 100_000

    async with upstream(script) as client:
        assert await fetch(client, UpstreamRequest("POST", b"/x", [], body(), length)) == (
            200,
            b"ok",
        )
    assert seen == b"".join(bytes([number]) * 100_000 for number in range(3))


async def test_cancelled_requests_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """httpcore's pool leaked its slots on cancellation (issue 1093)."""
    monkeypatch.setattr(http, "SWEEP_EVERY_S", 0.05)
    chance = random.Random(1)

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(chance.uniform(0, 0.004))
            writer.write(OK)

    async with upstream(script) as client:

        async def one() -> None:
            task = asyncio.create_task(fetch(client))
            await asyncio.sleep(chance.uniform(0, 0.004))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        for _ in range(100):
            await asyncio.gather(*(one() for _ in range(100)))
        assert await fetch(client) == (200, b"ok")
        await asyncio.sleep(0.2)
        assert len(client._connections) == len(client._idle)
        assert asyncio.all_tasks() == {asyncio.current_task()} | {
            task for task in asyncio.all_tasks() if "serve" in repr(task)
        }


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 3))
def test_random_bytes_do_not_break_the_client(noise: bytes, place: int) -> None:
    """The result is always a response, an UpstreamError or an UpstreamBrokeError."""
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    cut = (0, 20, 47, len(chunked))[place]

    async def run() -> None:
        async with upstream(says(chunked[:cut], noise, chunked[cut:])) as client:
            with suppress(UpstreamError, UpstreamBrokeError):
                await asyncio.wait_for(fetch(client), 3)

    asyncio.run(run())

"""The stream client and the mock upstream agree, and the client detects failures."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from bench.streams import Order, Result, run
from bench.upstream import ENDING_EVENTS, EVENTS, STREAM_END, STREAM_HEAD, completion_body, listen

EVENT = EVENTS[0]
BRIEF = Order(
    host="127.0.0.1",
    port=0,
    headers=[{}],
    streams=20,
    pace_s=0.01,
    ramp_s=0.05,
    settle_s=0.05,
    window_s=0.2,
    spare_s=0.05,
    grace_s=0.1,
    open_timeout_s=1,
)

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def look(port: int, **changes: object) -> Result:
    fields = {name: getattr(BRIEF, name) for name in BRIEF.__dataclass_fields__}
    return await run(Order(**fields | {"port": port} | changes), lambda _at, _events: None)


@pytest.fixture
async def upstream() -> AsyncIterator[int]:
    server = await listen(0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def look_at(talk: Talk, **changes: object) -> Result:
    """Return the result of one stream from an upstream that runs this handler."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(STREAM_HEAD)
        await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        return await look(server.sockets[0].getsockname()[1], streams=1, **changes)


async def test_every_event_of_every_stream_is_counted(upstream: int) -> None:
    result = await look(upstream)
    assert result.errors == {}
    assert result.finished == result.still_open == 20
    # 20 streams, an event every 10 ms; the number within the window depends on the machine.
    assert 0 < result.events <= 20 * (result.window_s / 0.01 + 5)
    assert result.first_event_p50_s > 0


async def test_a_lost_event_is_an_error() -> None:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        expected = Order(**vars(BRIEF) | {"streams": 1}).events(0)
        writer.write(EVENT * (expected - 1) + STREAM_END)
        await asyncio.sleep(0.1)

    assert (await look_at(talk)).errors == {"events_lost": 1}
    assert (await look_at(talk, exact=False)).errors == {}


async def test_an_event_split_over_reads_counts_once() -> None:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        expected = Order(**vars(BRIEF) | {"streams": 1}).events(0)
        head, tail = EVENT[:-3], EVENT[-3:]
        assert head.endswith(b"\n")
        writer.write(head)
        await asyncio.sleep(0.02)
        writer.write(tail + EVENT * (expected - 1))
        await asyncio.sleep(0.02)
        writer.write(STREAM_END)
        await asyncio.sleep(0.1)

    result = await look_at(talk)
    assert result.errors == {}
    assert result.finished == 1


async def test_a_gap_between_events_is_measured() -> None:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # At least one of these gaps ends within the window, wherever it lies.
        for _ in range(4):
            writer.write(EVENT)
            await asyncio.sleep(0.15)

    assert (await look_at(talk)).largest_gap_s >= 0.149


async def test_silence_before_the_end_counts_as_a_gap() -> None:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(EVENT)
        await asyncio.sleep(0.5)

    assert (await look_at(talk)).largest_gap_s >= BRIEF.window_s


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b'16\r\ndata: {"error": {"message": "no"}}\n\n\r\n', "error_event"),
        (EVENT, "connection_lost"),
    ],
)
async def test_a_broken_stream_is_an_error(answer: bytes, error: str) -> None:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    assert (await look_at(talk)).errors == {error: 1}


async def test_a_refusal_is_an_error() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n")
        await asyncio.sleep(0.1)
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        result = await look(server.sockets[0].getsockname()[1], streams=3)
    assert result.errors == {"status_429": 3}


async def test_a_refused_connection_is_an_error() -> None:
    server = await listen(0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    assert (await look(port, streams=2)).errors == {"connect_ConnectionRefusedError": 2}


async def test_a_completion_is_one_kilobyte_with_usage(upstream: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", upstream)
    body = completion_body()
    writer.write(b"POST / HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    head = await reader.readuntil(b"\r\n\r\n")
    size = int(head.lower().partition(b"content-length:")[2].split()[0])
    answer = await reader.readexactly(size)
    writer.close()
    assert 900 < size < 1100
    assert b'"usage":{"prompt_tokens":20' in answer


def test_the_stream_end_has_the_declared_number_of_events() -> None:
    assert STREAM_END.count(b"\n\n") == ENDING_EVENTS

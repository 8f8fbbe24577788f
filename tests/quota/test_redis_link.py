"""One Redis connection: interruptions are not swallowed and leave no partial reply."""

import asyncio
import contextlib

import pytest

from daypass.quota.redis.connections import Link
from daypass.quota.redis.url import Access, Place
from tests.support.redis import Redis


@pytest.mark.parametrize("turns", range(8))
async def test_a_command_can_be_cancelled_at_any_point(redis_server: Redis, turns: int) -> None:
    link = Link(Access(None, None, tls=False, timeout_s=5), Place("127.0.0.1", redis_server.port))
    await link.connect()
    exchange = asyncio.create_task(link.talk([("BLPOP", "nothing", 60)]))
    for _ in range(turns):
        await asyncio.sleep(0)
    exchange.cancel()
    await asyncio.wait({exchange}, timeout=10)
    assert exchange.cancelled()
    assert not link.is_open or not turns  # Before its first turn it has not started.
    await link.close()


async def test_a_silent_server_times_out_and_is_disconnected() -> None:
    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            await asyncio.sleep(60)

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        access = Access(None, "a password, which must be sent", tls=False, timeout_s=0.1)
        link = Link(access, Place("127.0.0.1", port))
        with pytest.raises(OSError):
            await link.connect()
        # Otherwise the late reply to AUTH would be taken for that of the first command.
        assert not link.is_open

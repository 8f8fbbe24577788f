"""Sentinels that have not all learnt of a fail-over, with simulated sentinels."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from daypass.quota.redis import sentinel as redis_sentinel
from daypass.quota.redis.sentinel import Sentinels
from daypass.quota.redis.url import parse

OLD, NEW = (0, 7001), (1, 7002)
"""Epoch and port of a master."""


class Sentinel:
    """A listener that answers as a sentinel does, or not at all."""

    def __init__(self) -> None:
        self.master = OLD
        self.answers = True

    async def start(self) -> int:
        """Listen. Returns the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if b"SETINFO" in data:
                writer.write(b"+OK\r\n" * data.count(b"SETINFO"))
            elif self.answers:
                epoch, port = self.master
                writer.write(
                    f"*2\r\n$9\r\n127.0.0.1\r\n$4\r\n{port}\r\n"
                    f"*2\r\n$12\r\nconfig-epoch\r\n$1\r\n{epoch}\r\n".encode()
                )
        writer.close()


@pytest.fixture
async def three() -> AsyncIterator[tuple[list[Sentinel], Sentinels, list[None]]]:
    """Three sentinels, their client, and an entry for each change observed."""
    sentinels = [Sentinel() for _ in range(3)]
    ports = [await sentinel.start() for sentinel in sentinels]
    changes: list[None] = []
    places = ",".join(f"127.0.0.1:{port}" for port in ports)
    asked = Sentinels(parse(f"redis+sentinel://{places}/daypass"), lambda: changes.append(None))
    assert (await asked.find()).place.port == OLD[1]
    yield sentinels, asked, changes
    await asked.close()
    for sentinel in sentinels:
        await sentinel.close()


async def test_outdated_sentinels_are_not_followed_back_to_the_old_master(
    three: tuple[list[Sentinel], Sentinels, list[None]],
) -> None:
    sentinels, asked, changes = three
    sentinels[0].master = NEW
    assert (await asked.find()).place.port == NEW[1]
    sentinels[0].answers = False  # The only one that knows of the fail-over is slow.
    for _ in range(2):
        assert (await asked.find()).place.port == NEW[1]
    assert len(changes) == 1


async def test_recreated_sentinels_are_followed_eventually(
    three: tuple[list[Sentinel], Sentinels, list[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sentinels, asked, changes = three
    for sentinel in sentinels:
        sentinel.master = NEW
    await asked.find()
    for sentinel in sentinels:
        sentinel.master = OLD
    assert (await asked.find()).place.port == NEW[1]
    monkeypatch.setattr(redis_sentinel, "BELIEVED_AFTER_S", 0)
    assert (await asked.find()).place.port == OLD[1]
    assert len(changes) == 2

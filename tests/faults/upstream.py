"""An upstream that sends exactly the bytes of a test's script, valid or not."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.faults.listener import Listener, reset

Script = Callable[["Exchange"], Awaitable[None]]

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n"
EVENTS = CHUNKED + b"content-type: text/event-stream\r\nconnection: close\r\n\r\n"
JSON = b'{"id": "chatcmpl-1", "choices": [], "usage": {"prompt_tokens": 1}}'


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def answer(body: bytes = JSON, status: bytes = b"200 OK", *headers: bytes) -> bytes:
    """Return a complete response, after which the connection closes."""
    lines = [b"HTTP/1.1 " + status, b"content-length: %d" % len(body), b"connection: close"]
    return b"\r\n".join([*lines, *headers, b"", body])


@dataclass
class Exchange:
    """A request whose head has arrived, and the stream to answer it."""

    head: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def body(self) -> bytes:
        """Read the body, which has a declared length."""
        found = re.search(rb"content-length: (\d+)", self.head)
        return await self.reader.readexactly(int(found[1]) if found else 0)

    async def say(self, *pieces: bytes) -> None:
        """Send these pieces, each in its own packet."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0.002)

    async def until_left(self) -> None:
        """Wait until the other side has closed the connection."""
        while await self.reader.read(65_536):
            pass


@dataclass
class RawUpstream(Listener):
    """Records each request's head, and when the peer abandoned a response."""

    script: Script = field(init=False)
    heads: list[bytes] = field(default_factory=list)
    left_at: list[float] = field(default_factory=list)
    """Monotonic times at which the peer disconnected from waiting scripts."""

    def __post_init__(self) -> None:
        super().__init__()
        self.behave()

    def behave(self) -> None:
        """Send valid responses from now on."""
        self.script = says(answer())
        self.heads.clear()
        self.left_at.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        await self.script(Exchange(head, reader, writer))

    async def waits_for_anything(self, exchange: Exchange) -> None:
        """Read everything and never answer."""
        await exchange.until_left()

    def waits(self, *pieces: bytes) -> Script:
        """Send this much, then wait for the peer to disconnect."""

        async def script(exchange: Exchange) -> None:
            await exchange.body()
            await exchange.say(*pieces)
            try:
                await exchange.until_left()
            finally:
                self.left_at.append(time.monotonic())

        return script


def says(*pieces: bytes, resets: bool = False) -> Script:
    """Read the request, send this much, and close the connection, optionally with a reset."""

    async def script(exchange: Exchange) -> None:
        await exchange.body()
        await exchange.say(*pieces)
        if resets:
            await asyncio.sleep(0.05)
            reset(exchange.writer)

    return script

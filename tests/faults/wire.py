"""A TCP proxy that delays, holds, breaks or corrupts the replies of a server."""

import asyncio
import contextlib
from typing import Literal

from tests.faults.listener import Listener, reset

Fault = Literal["refuse", "delay", "stall", "reset", "truncate", "corrupt", "half-close"]

LET_THROUGH = 10
"""Bytes of a reply that is truncated."""


class FaultyWire(Listener):
    """A TCP proxy to a local port. Its fault applies to every connection at once."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.server_port = port
        self.fault: Fault | None = None
        self.delay_s = 0.1
        """The delay of each reply in "delay" mode, in seconds."""

    async def serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if self.fault == "refuse":
            reset(back)
            return
        far, forth = await asyncio.open_connection("127.0.0.1", self.server_port)
        requests = asyncio.create_task(self._requests(near, forth))
        try:
            await self._replies(far, back)
        finally:
            requests.cancel()
            await asyncio.gather(requests, return_exceptions=True)
            forth.close()

    async def _requests(self, near: asyncio.StreamReader, forth: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await near.read(65_536):
                await self._held()
                forth.write(data)
                await forth.drain()
        forth.transport.abort()  # The client has disconnected.

    async def _replies(self, far: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        while data := await far.read(65_536):
            await self._held()
            match self.fault:
                case "delay":
                    await asyncio.sleep(self.delay_s)
                case "reset" | "refuse":
                    reset(back)
                    return
                case "truncate":
                    back.write(data[:LET_THROUGH])
                    await back.drain()
                    return
                case "corrupt":
                    data = bytes(x ^ 0xFF for x in data)
                case "half-close":
                    back.write_eof()
                    await far.read(-1)
                    return
            back.write(data)
            await back.drain()

    async def _held(self) -> None:
        while self.fault == "stall":
            await asyncio.sleep(0.01)

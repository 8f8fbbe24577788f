"""A TCP proxy that loses messages on demand."""

import asyncio
import contextlib
from urllib.parse import urlsplit


class LossyWire:
    """A TCP proxy on a free loopback port."""

    def __init__(self, url: str) -> None:
        self._server_port = urlsplit(url).port
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[tuple[asyncio.StreamWriter, bytes]] = []
        self.replies_to_lose = 0
        """Number of replies to lose; each loss closes the connection instead."""
        self.holds = False
        """Hold requests until `deliver`; the server does not see them before."""

    async def start(self) -> str:
        """Start the proxy and return its URL."""
        self._listener = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        return f"redis://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}/0"

    async def deliver(self) -> None:
        """Send the held requests to the server, as if they had been delayed in the network."""
        self.holds = False
        for writer, data in self._held:
            writer.write(data)
            await writer.drain()
        self._held.clear()

    async def close(self) -> None:
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connect(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, forth = await asyncio.open_connection("127.0.0.1", self._server_port)
        for work in (self._requests(near, forth), self._replies(far, back)):
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _requests(self, near: asyncio.StreamReader, forth: asyncio.StreamWriter) -> None:
        held = False
        while data := await near.read(65_536):
            if self.holds:
                self._held.append((forth, data))
                held = True
            else:
                forth.write(data)
        if not held:  # Held requests must arrive even though the sender has disconnected.
            forth.close()

    async def _replies(self, far: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await far.read(65_536):
                if self.replies_to_lose:
                    self.replies_to_lose -= 1
                    break
                back.write(data)
        back.close()

"""A request and its response, as an ASGI application sees them."""

import asyncio
from typing import TYPE_CHECKING

import structlog

from daypass.http.types import Headers, Message, Scope
from daypass.observability.safe_errors import error_location

if TYPE_CHECKING:
    from daypass.http.server_protocol import HttpProtocol

HIGH_WATER_BYTES = 64 * 1024
"""Unread bytes of a request body above which reading from the client pauses."""

log = structlog.get_logger()


class RequestResponseCycle:
    """A request and its response: `receive` and `send` for an ASGI application."""

    __slots__ = (
        "_awaits_continue", "_body", "_head", "_is_chunked", "_is_gone", "_is_head", "_is_read",
        "_is_whole", "_keep_alive", "_protocol", "_remaining", "_size", "_waiter",
        "is_complete", "is_started", "scope",
    )  # fmt: skip

    def __init__(
        self,
        protocol: "HttpProtocol",
        scope: Scope,
        *,
        keep_alive: bool,
        awaits_continue: bool = False,
    ) -> None:
        """Create an exchange; with `awaits_continue` the client waits for `100 Continue`."""
        self.scope = scope
        self._protocol = protocol
        self._keep_alive = keep_alive
        self._body: list[bytes] = []
        self._size = 0
        self._is_whole = self._is_read = self._is_gone = False
        self._is_chunked = False
        self.is_started = self.is_complete = False
        """Whether the response has started or is complete."""
        self._is_head = scope["method"] == "HEAD"
        self._awaits_continue = awaits_continue
        self._remaining: int | None = 0
        self._head = b""
        self._waiter: asyncio.Future[None] | None = None

    def end(self, task: asyncio.Task[None]) -> None:
        """Handle the end of the application; close the connection on an incomplete response."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("server_fault", reason=error_location(error))
        if not self.is_complete and not self._is_gone:
            self._send_head()
            self._protocol.cut()

    async def receive(self) -> Message:
        """Return the next piece of the body; after its end, wait for the client to disconnect."""
        if self._awaits_continue and not (self.is_started or self._is_gone):
            self._awaits_continue = False
            self._protocol.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while not (self._is_gone or self.is_complete) and (
            self._is_read or not (self._body or self._is_whole)
        ):
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self._is_gone or self.is_complete:
            return {"type": "http.disconnect"}
        self._is_read = self._is_whole
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body.clear()
        if self._size > HIGH_WATER_BYTES:
            self._protocol.resume_reading()
        self._size = 0
        return {"type": "http.request", "body": body, "more_body": not self._is_whole}

    async def send(self, message: Message) -> None:
        """Send the response's head or a piece of its body; do nothing if the client has gone."""
        while self._protocol.drained is not None:
            await self._protocol.drained
        if self._is_gone:
            return
        if message["type"] == "http.response.start":
            self._start(message["status"], list(message.get("headers", ())))
            return
        body: bytes = message.get("body", b"")
        more: bool = message.get("more_body", False)
        if self._is_head:
            self._write(b"")
        elif self._is_chunked:
            framed = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            self._write(framed if more else framed + b"0\r\n\r\n")
        else:
            if self._remaining is not None:
                self._remaining -= len(body)
                if self._remaining < 0 or (self._remaining and not more):
                    raise ValueError("the body's length differs from its content-length")
            self._write(body)
        if not more:
            self.is_complete = True
            self._wake()
            self._protocol.finish(self, keep_alive=self._keep_alive)

    def feed(self, piece: bytes) -> int:
        """Buffer a piece of the body. Return the number of unread bytes."""
        self._body.append(piece)
        self._size += len(piece)
        self._wake()
        return self._size

    def feed_end(self) -> None:
        """Mark the body as complete."""
        self._is_whole = True
        self._wake()

    def disconnect(self) -> None:
        """Mark the client as gone."""
        self._is_gone = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _start(self, status: int, headers: Headers) -> None:
        self.is_started = True
        by_name = dict(headers)
        length = by_name.get(b"content-length")
        if b"close" in by_name.get(b"connection", b""):
            self._keep_alive = False
        elif not self._keep_alive:
            headers.append((b"connection", b"close"))
        if self._is_head or status in (204, 304):
            self._is_head = True
        elif length is not None:
            self._remaining = int(length)
        elif self.scope["http_version"] == "1.1":
            self._is_chunked = True
            headers.append((b"transfer-encoding", b"chunked"))
        else:  # In HTTP/1.0, closing the connection ends the body.
            self._remaining = None
        self._head = b"".join([*self._protocol.head(status, headers), b"\r\n"])
        # Delayed, to send head and body in one packet if the body follows at once.
        asyncio.get_running_loop().call_soon(self._send_head)

    def _send_head(self) -> None:
        if self._head:
            self._write(b"")

    def _write(self, body: bytes) -> None:
        if self._head:
            body, self._head = self._head + body, b""
        self._protocol.write(body)

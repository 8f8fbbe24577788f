"""An HTTP/1.1 connection to an upstream, and the responses that it receives.

Framing is done by llhttp (httptools), as strictly as RFC 9112.
"""

import asyncio
from collections.abc import AsyncIterable
from typing import TYPE_CHECKING, cast

import httptools

from daypass.http.types import Headers
from daypass.upstreams.base import (
    Timeouts,
    UpstreamBrokeError,
    UpstreamError,
    UpstreamRequest,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)

if TYPE_CHECKING:
    from daypass.upstreams.http import HttpUpstream

HIGH_WATER_BYTES = 256 * 1024
"""Unread bytes of a response above which reading from the upstream pauses."""
MAX_OVERHEAD_BYTES = 64 * 1024
"""Limit of a head, trailers or chunk extensions, unless they arrive in one read."""


class Connection(asyncio.Protocol):
    """A connection that serves one exchange after another.

    httptools calls the `on_…` methods.
    """

    __slots__ = (
        "_began_at", "_drained", "_failure", "_headers", "_is_head", "_keep_alive", "_loop",
        "_overhead", "_parser", "_pool", "_response", "_spoke_at", "_transport", "_upload",
        "_waiter", "was_heard",
    )  # fmt: skip

    def __init__(self, pool: "HttpUpstream") -> None:
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._response: HttpResponse | None = None
        self._headers: Headers = []
        self._failure: UpstreamError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._upload: asyncio.Task[None] | None = None
        self._is_head = self._keep_alive = False
        self._overhead = 0
        self._began_at = self._spoke_at = 0.0
        self.was_heard = False
        """Whether any byte has been received since the last request was sent."""

    @property
    def is_closing(self) -> bool:
        """Return whether the connection is closed or closing."""
        return self._transport.is_closing()

    async def exchange(self, request: UpstreamRequest, head: bytes) -> "HttpResponse":
        """Send a request and return once the response head has arrived. Raises UpstreamError."""
        self._response = self._failure = None
        self._is_head = request.method == "HEAD"
        self.was_heard = False
        self._began_at = self._spoke_at = self._loop.time()
        if request.began_at is not None:
            self._began_at = request.began_at
        try:
            if isinstance(request.body, bytes):
                self._transport.write(head + request.body)
            else:
                self._transport.write(head)
                sending = self._send(request.body, is_chunked=request.length is None)
                self._upload = self._loop.create_task(sending)
            await self.news()
            if self._failure is not None:
                raise self._failure
            assert self._response is not None  # noqa: S101
            return self._response
        except BaseException:
            self.abort()
            raise

    def news(self) -> asyncio.Future[None]:
        """Return a future for the next event: a head, a piece or end of a body, or a failure."""
        self._waiter = self._loop.create_future()
        return self._waiter

    def release(self) -> None:
        """Return the connection to the pool if it can be reused, or close it."""
        is_sent = self._upload is None or self._upload.done()
        is_read = self._response is not None and self._response.is_complete
        if is_sent and is_read and self._keep_alive and not self.is_closing:
            self._response = self._upload = None
            self._pool.keep(self)
        else:
            self.abort()

    def abort(self) -> None:
        """Close at once."""
        if self._upload is not None:
            self._upload.cancel()
        self._transport.abort()

    def expire(self, now: float, timeouts: Timeouts) -> None:
        """Fail the exchange if the upstream has been silent, or the call has run, for too long."""
        response = self._response
        if response is None and self._waiter is None:  # No request is pending.
            return
        silence_s = timeouts.first_byte_s if response is None else timeouts.gap_s
        if self._waiter is not None and now - self._spoke_at > silence_s:
            self._time_out("no data in time")
        elif now - self._began_at > timeouts.call_s:
            self._time_out("the call took too long")

    def pause_reading(self) -> None:
        """Stop reading from the upstream."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Resume reading, and restart the silence timeout."""
        self._spoke_at = self._loop.time()
        self._transport.resume_reading()

    async def _send(self, body: AsyncIterable[bytes], *, is_chunked: bool) -> None:
        try:
            async for piece in body:
                framed = b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece
                self._transport.write(framed)
                self._spoke_at = self._loop.time()
                if self._drained is not None:
                    await self._drained
            if is_chunked:
                self._transport.write(b"0\r\n\r\n")
        except Exception as error:
            self._fail(UpstreamUnreachableError(f"request body failed: {type(error).__name__}"))

    def _time_out(self, reason: str) -> None:
        was_sent = self._transport.get_write_buffer_size() == 0
        self._fail(UpstreamTimeoutError(reason, was_sent=was_sent))

    def _fail(self, failure: UpstreamError) -> None:
        self._failure = failure
        if self._response is not None:
            self._response.failure = str(failure)
        self._wake()
        self._transport.abort()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport of the new connection."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Parse bytes of a response."""
        if self._waiter is None and self._response is None:  # No request is pending.
            self.abort()
            return
        self._spoke_at = self._loop.time()
        self.was_heard = True
        self._overhead += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(UpstreamUnreachableError(f"malformed response: {type(error).__name__}"))
        if self._overhead > MAX_OVERHEAD_BYTES and self._overhead > len(data):
            self._fail(UpstreamUnreachableError("head or trailers too large"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle a closed connection. It ends a response that is delimited by the close."""
        self._pool.discard(self)
        if self._upload is not None:
            self._upload.cancel()
        response = self._response
        if response is not None and response.is_until_close and exc is None:
            response.is_complete = True
        elif response is None or not response.is_complete:
            name = type(exc).__name__ if exc else "connection closed"
            self._failure = self._failure or UpstreamUnreachableError(name)
            if response is not None:
                response.failure = response.failure or name
        self._wake()

    def pause_writing(self) -> None:
        """Pause sending the request body: the upstream reads it too slowly."""
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        """Resume sending: the upstream has caught up."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    # Called by httptools.

    def on_message_begin(self) -> None:
        """Start a response. Raises ValueError for a second one to the same request."""
        if self._response is not None:
            raise ValueError("a second response to one request")
        self._headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header or a trailer; trailers are ignored."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Create the response from its complete head. Interim responses are skipped."""
        self._overhead = 0
        status = self._parser.get_status_code()
        if status < 200:  # The final response is still to come.
            return
        codings = [value for name, value in self._headers if name == b"transfer-encoding"]
        if codings and [coding.strip().lower() for coding in codings] != [b"chunked"]:
            raise ValueError("an unsupported transfer coding")
        self._keep_alive = self._parser.should_keep_alive() and not self._is_head
        self._response = HttpResponse(self, status, self._headers)
        self._response.is_complete = self._is_head
        self._headers = []
        self._wake()

    def on_body(self, piece: bytes) -> None:
        """Pass on a piece of the body."""
        self._overhead = 0
        response = self._response
        if response is not None and not response.is_complete:
            response.feed(piece)
            self._wake()

    def on_message_complete(self) -> None:
        """Mark the response as complete."""
        if self._response is not None:
            self._response.is_complete = True
            self._wake()


class HttpResponse:
    """A response received over HTTP."""

    __slots__ = (
        "_connection", "_is_paused", "_pieces", "_unread", "failure", "headers", "is_complete",
        "is_until_close", "status",
    )  # fmt: skip

    def __init__(self, connection: Connection, status: int, headers: Headers) -> None:
        self.status = status
        self.headers = headers
        self.is_complete = False
        self.failure = ""
        self.is_until_close = not any(
            name in (b"content-length", b"transfer-encoding") for name, _ in headers
        )
        self._connection = connection
        self._pieces: list[bytes] = []
        self._unread = 0
        self._is_paused = False

    @property
    def ended(self) -> bool:
        """Return whether all of the body has been read."""
        return self.is_complete and not self._pieces

    async def read(self) -> bytes:
        """Return the next unmodified body piece; empty at the end. Raises UpstreamBrokeError."""
        while not self._pieces:
            if self.is_complete:
                return b""
            if self.failure:
                raise UpstreamBrokeError(self.failure)
            await self._connection.news()
        pieces = self._pieces
        piece = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._unread = 0
        if self._is_paused:
            self._is_paused = False
            self._connection.resume_reading()
        return piece

    def close(self) -> None:
        """Release the connection; abort it if the body has not been fully read."""
        self._connection.release()

    def feed(self, piece: bytes) -> None:
        """Buffer a piece until it is read."""
        self._pieces.append(piece)
        self._unread += len(piece)
        if self._unread > HIGH_WATER_BYTES and not self._is_paused:
            self._is_paused = True
            self._connection.pause_reading()

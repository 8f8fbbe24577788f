"""A client connection: a replacement for uvicorn's HTTP protocol.

It is faster than uvicorn's, and adds what a server on the public internet needs: a deadline for
each part of a request, a deadline for the client to read the response, and a head size limit.
"""

import asyncio
from collections import deque
from http import HTTPStatus
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from daypass.http.framing import BadRequestError
from daypass.http.message_reader import RequestReader
from daypass.http.server_exchange import HIGH_WATER_BYTES, RequestResponseCycle
from daypass.http.types import Application, Headers, Scope

FIRST_REQUEST_S = 1.0
"""Wait for the first request of a connection that was opened just before shutdown."""
HEAD_S = 10.0
"""From a request's first byte to the end of its head."""
BODY_S = 30.0
BODY_BYTES_PER_S = 1024
"""A body may not pause for 30 seconds, nor stay below 1 KiB per second for long."""
WRITE_S = 60.0
"""Longest time in which the client reads nothing of a buffered response."""
LINGER_S = 2.0
"""Time to go on reading an unwanted body, so that the client can read the error response."""
CHECK_EVERY_S = 2.0
NEVER = float("inf")

_STATUS_LINES = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus
}


class HttpProtocol(asyncio.Protocol):
    """A client connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._config = config
        self._state = server_state
        self._app_state = app_state
        self._loop = _loop or asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle
        # Receiving and sending have separate deadlines: progress on one must not extend the other.
        self._deadline = self._loop.time() + config.timeout_keep_alive
        self._write_deadline = NEVER
        self._unsent_bytes = 0
        self._reader: RequestReader
        # The request being received, the one being answered, and pipelined ones in the queue.
        self._receiving: RequestResponseCycle | None = None
        self._current: RequestResponseCycle | None = None
        self._waiting: deque[RequestResponseCycle] = deque()
        self.drained: asyncio.Future[None] | None = None
        """Set while the write buffer is full; done once the client has caught up."""
        self._is_used = False
        self._closes = False
        self._refusal = b""

    # Called by uvicorn.

    def shutdown(self) -> None:
        """Close once pending and imminent requests have been answered."""
        self._app_state["is_draining"] = True
        is_asking = not self._is_used or self._reader.is_within_head
        if self._current is None and is_asking:
            self._deadline = min(self._deadline, self._loop.time() + FIRST_REQUEST_S)
            self._timer.cancel()
            self._timer = self._loop.call_at(self._deadline, self._check_deadline)
            return
        self._closes = self._reader.is_finished = True
        if self._current is None:
            self._transport.close()

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Handle a new connection."""
        self._transport = cast(asyncio.Transport, transport)
        self._state.connections.add(self)  # type: ignore[arg-type]
        connection = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "server": _address(transport.get_extra_info("sockname")),
            "client": _address(transport.get_extra_info("peername")),
            "scheme": "https" if transport.get_extra_info("sslcontext") else "http",
            "root_path": "",
        }
        self._reader = RequestReader(self, connection)
        self._timer = self._loop.call_at(self._deadline, self._check_deadline)

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle a closed connection."""
        self._state.connections.discard(self)
        self._timer.cancel()
        self.resume_writing()
        for exchange in (self._receiving, self._current, *self._waiting):
            if exchange is not None:
                exchange.disconnect()
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        """Parse received bytes."""
        if self._current is None and self._reader.is_between_requests:
            self._deadline = self._loop.time() + HEAD_S
        try:
            self._reader.feed(data)
        except BadRequestError as error:
            self._refuse(error)

    def pause_writing(self) -> None:
        """Pause the response: the client reads it too slowly."""
        self.drained = self._loop.create_future()

    def resume_writing(self) -> None:
        """Resume the response: the client has caught up."""
        if self.drained is not None:
            if not self.drained.done():
                self.drained.set_result(None)
            self.drained = None
            self._write_deadline = self._loop.time() + WRITE_S

    # Called by the reader.

    def on_request(self, scope: Scope, *, keep_alive: bool, awaits_continue: bool) -> None:
        """Start to serve a request, or queue it; its head is complete."""
        self._is_used = True
        scope["state"] = state = self._app_state.copy()
        keep_alive = keep_alive and not state.get("is_draining")
        exchange = RequestResponseCycle(
            self, scope, keep_alive=keep_alive, awaits_continue=awaits_continue
        )
        self._receiving = exchange
        self._deadline = self._loop.time() + BODY_S
        if self._current is None:
            self._serve(exchange)
        else:
            self._waiting.append(exchange)

    def on_body(self, piece: bytes) -> None:
        """Pass on a piece of the body."""
        exchange = self._receiving
        if exchange is None or exchange.is_complete:
            return
        credit_s = len(piece) / BODY_BYTES_PER_S
        self._deadline = min(self._deadline + credit_s, self._loop.time() + BODY_S)
        if exchange.feed(piece) > HIGH_WATER_BYTES:
            self.pause_reading()

    def on_request_end(self) -> None:
        """Finish receiving a request. Pause reading if further requests are queued."""
        exchange, self._receiving = self._receiving, None
        self._deadline = NEVER
        if exchange is not None:
            exchange.feed_end()
            if exchange.is_complete:
                self._go_on()
        if self._waiting:
            self._transport.pause_reading()

    # Called by an exchange.

    def pause_reading(self) -> None:
        """Pause reading, and suspend the deadline: the delay is not the client's fault."""
        self._transport.pause_reading()
        self._deadline = NEVER

    def resume_reading(self) -> None:
        """Resume reading, and restart the deadline of a body."""
        self._transport.resume_reading()
        if self._receiving is not None and self._deadline == NEVER:
            self._deadline = self._loop.time() + BODY_S

    def write(self, data: bytes) -> None:
        """Send bytes of a response."""
        self._transport.write(data)

    def head(self, status: int, headers: Headers) -> list[bytes]:
        """Return the status line and headers. Raises ValueError on header injection."""
        lines = [
            name + b": " + value + b"\r\n" for name, value in self._state.default_headers + headers
        ]
        block = b"".join(lines)
        if block.count(b"\n") != len(lines) or block.count(b"\r") != len(lines) or b"\0" in block:
            raise ValueError("a header contains a line break")
        return [_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status, block]

    def finish(self, exchange: RequestResponseCycle, *, keep_alive: bool) -> None:
        """Complete a response: start the next request, or close."""
        self._state.total_requests += 1
        if not keep_alive:
            self._closes = self._reader.is_finished = True
        if exchange is not self._receiving:
            self._go_on()
            return
        self.resume_reading()
        if self._closes:
            self._deadline = self._loop.time() + LINGER_S

    def cut(self) -> None:
        """Close without ending the body, so that the client sees that it is truncated."""
        self._transport.close()

    def _go_on(self) -> None:
        self._current = None
        if self._closes:
            self._transport.close()
            return
        if self._waiting:
            self._serve(self._waiting.popleft())
        elif self._refusal:
            self._send_refusal()
        else:
            self._deadline = self._loop.time() + self._config.timeout_keep_alive
        self._transport.resume_reading()

    def _serve(self, exchange: RequestResponseCycle) -> None:
        self._current = exchange
        # The server replaces the application when it reloads.
        application = cast(Application, self._config.loaded_app)
        task = self._loop.create_task(application(exchange.scope, exchange.receive, exchange.send))
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)
        task.add_done_callback(exchange.end)

    def _refuse(self, error: BadRequestError) -> None:
        """Send an error response after those to earlier requests, then close."""
        self._reader.stop()
        body = error.body()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        self._refusal = b"".join([*self.head(error.status, headers), b"\r\n", body])
        exchange, self._receiving = self._receiving, None
        if exchange is not None:
            exchange.disconnect()
            if exchange is not self._current:
                self._waiting.remove(exchange)
            elif exchange.is_started:
                self._transport.close()
                return
            else:
                self._current = None
        if self._current is None:
            self._send_refusal()
        else:
            self._deadline = NEVER

    def _send_refusal(self) -> None:
        """Send the refusal and keep reading briefly. Closing with unread bytes would reset the
        connection before the client has read the response (RFC 9112, section 9.6).
        """
        if self._transport.is_closing():
            return
        self._transport.write(self._refusal)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._transport.resume_reading()
        self._deadline = self._loop.time() + LINGER_S

    def _check_deadline(self) -> None:
        now = self._loop.time()
        if self._is_answer_stuck(now):
            self._transport.abort()
            return
        if now >= self._deadline:
            self._deadline = NEVER
            if self._reader.is_within_head:
                self._refuse(BadRequestError("The request's headers did not arrive in time.", 408))
            else:
                self._transport.close()  # Sends buffered bytes first.
        soonest = min(now + CHECK_EVERY_S, self._deadline)
        self._timer = self._loop.call_at(soonest, self._check_deadline)

    def _is_answer_stuck(self, now: float) -> bool:
        """Return whether the client has read nothing of a buffered response for too long."""
        unsent_bytes = self._transport.get_write_buffer_size()
        if unsent_bytes == 0 or unsent_bytes < self._unsent_bytes or self._write_deadline == NEVER:
            self._write_deadline = now + WRITE_S
        self._unsent_bytes = unsent_bytes
        return now >= self._write_deadline


def _address(given: Any) -> tuple[str, int] | None:
    return (str(given[0]), int(given[1])) if isinstance(given, tuple) else None

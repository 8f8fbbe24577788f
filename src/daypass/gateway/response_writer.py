"""Sends answers and errors to the client."""

from itertools import count
from secrets import token_hex

import structlog

from daypass.gateway.errors import GatewayError, server_error, unavailable
from daypass.gateway.headers import is_event_stream
from daypass.gateway.request import ClientDisconnected
from daypass.gateway.usage_reader import UsageReader
from daypass.http.types import Headers, Send
from daypass.observability.safe_errors import error_location
from daypass.quota.ledger import LedgerUnavailableError
from daypass.records.database import DatabaseUnavailableError
from daypass.upstreams.base import UpstreamBrokeError, UpstreamResponse

CALLER_LEFT = 499
"""The status in receipts if the client left before the answer began (nginx's convention)."""

log = structlog.get_logger()

# All request ids of a process share a random part: generating one per request is expensive.
_process = token_hex(10)
_numbers = count(1)


class ResponseWriter:
    """The answer to one request. Collects headers until the answer starts."""

    __slots__ = ("_headers", "_send", "_uncounted", "request_id", "started", "status")

    def __init__(self, send: Send, uncounted: str = "") -> None:
        """Create a writer. `uncounted` is appended to errors for requests that were not counted."""
        self._send = send
        self._uncounted = uncounted
        self.request_id = f"req_{_process}{next(_numbers):012x}"
        self.status = CALLER_LEFT
        self.started = False
        self._headers: Headers = [(b"x-request-id", self.request_id.encode())]

    def add(self, headers: Headers) -> None:
        """Add headers to the answer."""
        self._headers += headers

    def replace(self, headers: Headers) -> None:
        """Add headers, replacing any with the same names."""
        names = {name for name, _ in headers}
        self._headers = [pair for pair in self._headers if pair[0] not in names] + headers

    async def relay(self, response: UpstreamResponse, usage: UsageReader) -> bool:
        """Relay the upstream's answer as it arrives, with its body unchanged.

        Return False if it broke off. An event stream then ends with an `error` event and without
        `[DONE]`. Any other answer is left unfinished: the server cuts the connection, and the
        client cannot mistake a partial body for a complete one.
        """
        self.started = True
        self.status = response.status
        send = self._send
        start = {"type": "http.response.start", "status": self.status, "headers": self._headers}
        await send(start)
        usage.is_event_stream = is_event_stream(self._headers)
        more = True
        try:
            while more:
                piece = await response.read()
                more = not response.ended
                usage.feed(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": more})
        except UpstreamBrokeError:
            # Nothing can be added if a content length was sent.
            if usage.is_event_stream and b"content-length" not in dict(self._headers):
                error = server_error(
                    502, "upstream_broke_off", "The upstream broke off its answer."
                )
                event = error.event() if usage.ends_event() else b"\n\n" + error.event()
                await send({"type": "http.response.body", "body": event, "more_body": False})
            return False
        return True

    async def json(self, status: int, body: bytes) -> None:
        """Send a JSON document."""
        self.started = True
        self.status = status
        headers = [
            *self._headers,
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def refuse(self, error: GatewayError) -> None:
        """Send an error in OpenAI's format."""
        self.add(error.headers)
        await self.json(error.status, error.body(self._uncounted if error.uncounted else ""))

    async def fail(self, error: Exception) -> None:
        """Send an error unless the answer has started. Log it if Daypass is at fault."""
        if isinstance(error, ClientDisconnected):
            return
        if isinstance(error, GatewayError):
            refusal = error
        elif isinstance(error, LedgerUnavailableError | DatabaseUnavailableError):
            log.error("cannot_decide", reason=str(error))
            refusal = unavailable()
        else:
            log.error("gateway_fault", reason=error_location(error))
            message = (
                "Something went wrong in Daypass. The operator can find the details in the log."
            )
            refusal = server_error(500, "internal_error", message)
        if not self.started:
            await self.refuse(refusal)

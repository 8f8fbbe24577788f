"""The upstream interface: takes a request, returns a response head, then streams the body."""

from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import Protocol

from daypass.http.types import Headers


class UpstreamError(Exception):
    """The upstream did not serve the request."""


class UpstreamUnreachableError(UpstreamError):
    """The upstream was unreachable, or closed the connection before it responded."""


class UpstreamTimeoutError(UpstreamError):
    """The upstream did not respond in time."""

    def __init__(self, reason: str, *, was_sent: bool) -> None:
        """Create the error; `was_sent` means that the send buffer was empty."""
        super().__init__(reason)
        self.was_sent = was_sent


class UpstreamBrokeError(Exception):
    """The upstream's response broke off after it had started."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts for an upstream, in seconds."""

    connect_s: float
    first_byte_s: float
    """From the request, or the latest piece of its body, to the head of the response."""
    gap_s: float
    """Between two pieces of the response."""
    call_s: float
    """For the whole request and response."""


@dataclass(slots=True)
class UpstreamRequest:
    """A request to an upstream."""

    method: str
    target: bytes
    """The path below the upstream's base URL, with the query."""
    headers: Headers
    body: bytes | AsyncIterable[bytes]
    length: int | None = None
    """Size in bytes of a streamed body, if the client declared it."""
    began_at: float | None = None
    """When the call began (the event loop's time), if another upstream was tried before."""


class UpstreamResponse(Protocol):
    """The head of a response, and its body as a stream."""

    status: int
    headers: Headers

    @property
    def ended(self) -> bool:
        """Return whether all of the body has been read."""

    async def read(self) -> bytes:
        """Return the next unmodified body piece; empty at the end. Raises UpstreamBrokeError."""

    def close(self) -> None:
        """Release the response; abort the request if the body has not been fully read."""


class Upstream(Protocol):
    """An OpenAI-compatible service.

    Example:
        response = await upstream.open(UpstreamRequest("GET", b"/models", [], b""))
        try:
            while not response.ended:
                piece = await response.read()
        finally:
            response.close()
    """

    async def open(self, request: UpstreamRequest) -> UpstreamResponse:
        """Send a request and return once the response head has arrived. Raises UpstreamError."""

    @property
    def is_idle(self) -> bool:
        """Return whether no connection is open."""

    async def close(self) -> None:
        """Close every connection."""

    def drain(self) -> None:
        """Let requests in flight finish, and keep no connection after them."""

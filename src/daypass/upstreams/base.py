"""What an upstream is: a request in, the head of an answer out, then its bytes as they come."""

from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import Protocol

from daypass.http.types import Headers


class UpstreamError(Exception):
    """The upstream did not serve the request."""


class UpstreamUnreachableError(UpstreamError):
    """It could not be reached, or hung up before it answered."""


class UpstreamTimeoutError(UpstreamError):
    """It did not answer in time."""

    def __init__(self, reason: str, *, was_sent: bool) -> None:
        """`was_sent`: the upstream had taken all that there was to send."""
        super().__init__(reason)
        self.was_sent = was_sent


class UpstreamBrokeError(Exception):
    """The upstream's answer broke off after it had begun."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for an upstream, in seconds."""

    connect_s: float
    first_byte_s: float
    """From the request, or its body's latest piece, to the head of the answer."""
    gap_s: float
    """Between two pieces of the answer."""
    call_s: float
    """For all of it."""


@dataclass(slots=True)
class UpstreamRequest:
    """What is sent to the upstream."""

    method: str
    target: bytes
    """The path below the upstream's base address, with its query."""
    headers: Headers
    body: bytes | AsyncIterable[bytes]
    length: int | None = None
    """Bytes of a body that is streamed, where its sender declared them."""


class UpstreamResponse(Protocol):
    """The head of an answer, and its body as it arrives."""

    status: int
    headers: Headers

    @property
    def ended(self) -> bool:
        """Whether all of the body has been read."""

    async def read(self) -> bytes:
        """The next piece of the body, unchanged; empty at its end. Raises UpstreamBrokeError."""

    def close(self) -> None:
        """End the request: at once, when the body has not been read to its end."""


class Upstream(Protocol):
    """An OpenAI-compatible service."""

    async def open(self, request: UpstreamRequest) -> UpstreamResponse:
        """Send a request and wait for the head of its answer. Raises UpstreamError."""

    async def close(self) -> None:
        """Close every connection."""

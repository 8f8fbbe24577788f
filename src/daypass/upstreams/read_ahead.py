"""An upstream's answer whose beginning is examined before it is relayed."""

import asyncio

from daypass.http.types import Headers
from daypass.upstreams.base import UpstreamBrokeError, UpstreamResponse

ERROR_BYTES = 16 * 1024
"""How much of an error is examined, in bytes."""
ERROR_S = 2.0
"""How long to wait for the body of an upstream's refusal, in seconds."""


class ReadAhead:
    """An answer with the beginning of its body in memory. The body is relayed unchanged."""

    __slots__ = ("_response", "_unread", "beginning", "headers", "status")

    def __init__(self, response: UpstreamResponse, beginning: bytes) -> None:
        self._response = response
        self._unread = beginning
        self.beginning = beginning
        self.status = response.status
        self.headers: Headers = response.headers

    @property
    def ended(self) -> bool:
        """Whether all of the body has been read."""
        return self._response.ended and not self._unread

    async def read(self) -> bytes:
        """Return the next piece of the body; empty at its end. Raises UpstreamBrokeError."""
        if self._unread:
            piece, self._unread = self._unread, b""
            return piece
        return await self._response.read()

    def close(self) -> None:
        """Close the upstream's answer."""
        self._response.close()


async def read_ahead(response: UpstreamResponse) -> ReadAhead:
    """Read as much of an error's beginning as arrives within two seconds."""
    beginning = b""
    try:
        async with asyncio.timeout(ERROR_S):
            while not response.ended and len(beginning) < ERROR_BYTES:
                beginning += await response.read()
    except (TimeoutError, UpstreamBrokeError):
        pass  # Examine what has arrived. If the rest is missing, relaying it fails.
    return ReadAhead(response, beginning)

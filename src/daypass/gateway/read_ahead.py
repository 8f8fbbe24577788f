"""An upstream's answer whose beginning is examined before any of it is passed on."""

import asyncio

from daypass.http.types import Headers
from daypass.upstreams.base import UpstreamBrokeError, UpstreamResponse

ERROR_BYTES = 16 * 1024
"""How much of an error is examined."""
ERROR_S = 2.0
"""How long the caller of a refused request waits for the upstream's explanation, in seconds."""


class ReadAhead:
    """An answer with the beginning of its body in memory. Its bytes are passed on unchanged."""

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
        """End the request."""
        self._response.close()


async def read_ahead(response: UpstreamResponse) -> ReadAhead:
    """Read the beginning of an error, as far as it comes within two seconds."""
    beginning = b""
    try:
        async with asyncio.timeout(ERROR_S):
            while not response.ended and len(beginning) < ERROR_BYTES:
                beginning += await response.read()
    except (TimeoutError, UpstreamBrokeError):
        pass  # What has come is enough to examine; what is missing fails when it is passed on.
    return ReadAhead(response, beginning)

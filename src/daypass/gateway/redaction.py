"""An upstream that quotes the operator's key in an error must not show it to a caller."""

from daypass.asgi import Headers
from daypass.gateway.upstream import UpstreamResponse

BLOT = b"*"


class Redacted:
    """An upstream's answer with a secret blotted out, whatever pieces it comes in.

    Lengths stay as they are, so that a content-length holds.
    """

    __slots__ = ("_blot", "_held", "_response", "_secret", "headers", "status")

    def __init__(self, response: UpstreamResponse, secret: bytes) -> None:
        self._response = response
        self._secret = secret
        self._blot = BLOT * len(secret)
        self._held = b""
        """The end of the last piece: it may be the beginning of the secret."""
        self.status = response.status
        self.headers: Headers = [
            (name, value.replace(secret, self._blot)) for name, value in response.headers
        ]

    @property
    def ended(self) -> bool:
        """Whether all of the body has been read."""
        return self._response.ended and not self._held

    async def read(self) -> bytes:
        """The next piece of the body; empty at its end. Raises UpstreamBrokeError."""
        piece = self._held + await self._response.read()
        piece = piece.replace(self._secret, self._blot)
        self._held = b"" if self._response.ended else self._beginning(piece)
        return piece[: len(piece) - len(self._held)]

    def close(self) -> None:
        """End the request."""
        self._response.close()

    def _beginning(self, piece: bytes) -> bytes:
        """The longest end of a piece with which the secret may begin."""
        for length in range(min(len(self._secret) - 1, len(piece)), 0, -1):
            if piece.endswith(self._secret[:length]):
                return piece[-length:]
        return b""

"""Redaction of the operator's key where an upstream quotes it in an error."""

import orjson

from daypass.http.types import Headers
from daypass.upstreams.base import UpstreamResponse
from daypass.upstreams.whole_response import WholeResponse, is_encoded

BLOT = b"*"


class Redacted:
    """An upstream's response with a secret masked, even if it is split across pieces.

    The mask has the secret's length, so content-length stays valid.
    """

    __slots__ = ("_blot", "_held", "_response", "_secret", "headers", "status")

    def __init__(self, response: UpstreamResponse, secret: bytes) -> None:
        self._response = response
        self._secret = secret
        self._blot = BLOT * len(secret)
        self._held = b""
        """The end of the last piece, held back because it may start the secret."""
        self.status = response.status
        self.headers: Headers = [
            (name, value.replace(secret, self._blot)) for name, value in response.headers
        ]

    @property
    def ended(self) -> bool:
        """Return whether all of the body has been read."""
        return self._response.ended and not self._held

    async def read(self) -> bytes:
        """Return the next piece, possibly empty (see `_held`). Raises UpstreamBrokeError."""
        piece = self._held + await self._response.read()
        piece = piece.replace(self._secret, self._blot)
        self._held = b"" if self._response.ended else self._beginning(piece)
        return piece[: len(piece) - len(self._held)]

    def close(self) -> None:
        """Close the upstream's response."""
        self._response.close()

    def _beginning(self, piece: bytes) -> bytes:
        """Return the longest suffix of the piece that is a prefix of the secret."""
        for length in range(min(len(self._secret) - 1, len(piece)), 0, -1):
            if piece.endswith(self._secret[:length]):
                return piece[-length:]
        return b""


def without_encoded_error(response: UpstreamResponse) -> UpstreamResponse:
    """Return the response, or Daypass's own error in place of an encoded error response.

    Daypass requests no encoding, and cannot redact the operator's key in an encoded error.
    """
    if response.status < 400 or response.ended or not is_encoded(response):
        return response
    response.close()
    error = {
        "message": "The upstream's error is encoded, so Daypass cannot check its contents.",
        "type": "server_error",
        "param": None,
        "code": "upstream_unreadable",
    }
    answer = WholeResponse(response, orjson.dumps({"error": error}))
    content = (b"content-encoding", b"content-type")
    answer.headers = [x for x in answer.headers if x[0] not in content]
    answer.headers.append((b"content-type", b"application/json"))
    return answer

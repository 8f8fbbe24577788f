"""An upstream that quotes the operator's key in an error must not show it to a caller."""

import orjson

from daypass.http.types import Headers
from daypass.upstreams.base import UpstreamResponse
from daypass.upstreams.whole_response import WholeResponse, is_encoded

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


def without_encoded_error(response: UpstreamResponse) -> UpstreamResponse:
    """Return an answer, or an error of our own in place of an upstream's that is encoded.

    Daypass asks for no encoding, and could not take the operator's key out of an encoded error.
    """
    if response.status < 400 or response.ended or not is_encoded(response):
        return response
    response.close()
    error = {
        "message": "The upstream's error is encoded, so that Daypass cannot check what is in it.",
        "type": "server_error",
        "param": None,
        "code": "upstream_unreadable",
    }
    answer = WholeResponse(response, orjson.dumps({"error": error}))
    content = (b"content-encoding", b"content-type")
    answer.headers = [x for x in answer.headers if x[0] not in content]
    answer.headers.append((b"content-type", b"application/json"))
    return answer

"""An upstream's response held in memory."""

from daypass.http.types import Headers
from daypass.upstreams.base import UpstreamResponse

# These headers describe the bytes that the upstream sent, and are wrong for a replaced body.
_OF_THE_BYTES = frozenset(
    {b"content-length", b"content-md5", b"content-digest", b"digest", b"repr-digest", b"etag"}
    | {b"accept-ranges", b"content-range", b"last-modified"}
)


class WholeResponse:
    """A response from memory that replaces the upstream's."""

    __slots__ = ("_body", "ended", "headers", "status")

    def __init__(self, response: UpstreamResponse, body: bytes, *, unchanged: bool = False) -> None:
        """Copy status and headers from `response`, whose body has been read.

        `unchanged` means that `body` is the original one and its headers still apply.
        """
        self.status = response.status
        self.headers: Headers = response.headers
        if not unchanged:
            self.headers = [x for x in response.headers if x[0] not in _OF_THE_BYTES]
            self.headers.append((b"content-length", b"%d" % len(body)))
        self._body = body
        self.ended = not body

    async def read(self) -> bytes:
        """Return the body."""
        self.ended = True
        return self._body

    def close(self) -> None:
        """Do nothing: there is no connection."""


def is_encoded(response: UpstreamResponse) -> bool:
    """Return whether the body has a content coding (RFC 9110, section 8.4)."""
    encoding = dict(response.headers).get(b"content-encoding", b"identity")
    return encoding.strip().lower() != b"identity"

"""An upstream's answer that is read whole before any of it is passed on."""

import orjson

from daypass.asgi import Headers
from daypass.gateway.errors import server_error
from daypass.gateway.upstream import UpstreamBrokeError, UpstreamResponse

# They describe the bytes that the upstream sent, and not those that replace them.
_OF_THE_BYTES = frozenset(
    {b"content-length", b"content-md5", b"content-digest", b"digest", b"repr-digest", b"etag"}
    | {b"accept-ranges", b"content-range", b"last-modified"}
)


class WholeAnswer:
    """An answer from memory, in place of the upstream's."""

    __slots__ = ("_body", "ended", "headers", "status")

    def __init__(self, response: UpstreamResponse, body: bytes, *, unchanged: bool = False) -> None:
        """Take status and headers from `response`, whose body has been read.

        `unchanged`: this is its body, so that what the headers say of it holds.
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
        """Nothing is open."""


def without_encoded_error(response: UpstreamResponse) -> UpstreamResponse:
    """Return an answer, or an error of our own in place of an upstream's that is encoded.

    Daypass asks for no encoding, and could not take the operator's key out of an encoded error.
    """
    if response.status < 400 or response.ended or not _is_encoded(response):
        return response
    response.close()
    error = {
        "message": "The upstream's error is encoded, so that Daypass cannot check what is in it.",
        "type": "server_error",
        "param": None,
        "code": "upstream_unreadable",
    }
    answer = WholeAnswer(response, orjson.dumps({"error": error}))
    content = (b"content-encoding", b"content-type")
    answer.headers = [x for x in answer.headers if x[0] not in content]
    answer.headers.append((b"content-type", b"application/json"))
    return answer


async def read_whole(response: UpstreamResponse, max_bytes: int) -> bytes:
    """Read an answer to its end and close it.

    Raises GatewayError 502 when it breaks off, is longer than `max_bytes`, or is encoded.
    """
    try:
        if _is_encoded(response):
            raise _unreadable("is encoded")
        pieces, size = [], 0
        while not response.ended:
            pieces.append(await response.read())
            size += len(pieces[-1])
            if size > max_bytes:
                raise _unreadable("is too long")
    except UpstreamBrokeError:
        raise server_error(
            502, "upstream_broke_off", "The upstream broke off its answer."
        ) from None
    finally:
        response.close()
    return b"".join(pieces)


def _is_encoded(response: UpstreamResponse) -> bool:
    encoding = dict(response.headers).get(b"content-encoding", b"identity")
    return encoding.strip().lower() != b"identity"


def _unreadable(why: str) -> Exception:
    message = f"The upstream's answer {why}, so that Daypass cannot check what is in it."
    return server_error(502, "upstream_unreadable", message)

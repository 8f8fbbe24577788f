"""Reads an upstream's whole answer before it is relayed."""

from daypass.gateway.errors import server_error
from daypass.upstreams.base import UpstreamBrokeError, UpstreamResponse
from daypass.upstreams.whole_response import is_encoded


async def read_whole(response: UpstreamResponse, max_bytes: int) -> bytes:
    """Read an answer to its end and close it.

    Raises GatewayError 502 if it breaks off, exceeds `max_bytes` or has a content encoding.
    """
    try:
        if is_encoded(response):
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


def _unreadable(why: str) -> Exception:
    message = f"The upstream's answer {why}, so that Daypass cannot check what is in it."
    return server_error(502, "upstream_unreadable", message)

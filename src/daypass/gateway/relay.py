"""Bytes through: the upstream's answer to the caller, unchanged, usage read on the way by."""

import re
from collections import deque
from json import JSONDecodeError, JSONDecoder
from typing import Any

from daypass.gateway.asgi import Headers, Send
from daypass.gateway.errors import server_error
from daypass.gateway.upstream import UpstreamBrokeError, UpstreamResponse

TAIL_BYTES = 8 * 1024

# RFC 9110, section 7.6.1, and the older names that proxies still meet.
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
NOT_SENT_UPSTREAM = HOP_BY_HOP | {
    b"host",
    b"content-length",
    b"expect",
    b"accept-encoding",
    b"authorization",
    b"x-api-key",
    b"api-key",
    b"openai-organization",
    b"openai-project",
    b"cookie",
    b"forwarded",
}
NOT_SENT_BACK = HOP_BY_HOP | {
    b"set-cookie",
    b"openai-organization",
    b"openai-project",
    b"server",
    b"date",
    b"alt-svc",
    b"strict-transport-security",
    b"x-request-id",
    b"ratelimit",
    b"ratelimit-policy",
}

_USAGE = re.compile(rb'"usage"\s*:\s*(?=\{)')
_decoder = JSONDecoder()


def request_headers(headers: Headers) -> Headers:
    """The caller's headers that the upstream may see."""
    return _without(headers, NOT_SENT_UPSTREAM, (b"x-forwarded-",))


def response_headers(headers: Headers) -> Headers:
    """The upstream's headers that the caller may see; its own request id under another name."""
    upstream_id = [(b"x-upstream-request-id", v) for k, v in headers if k == b"x-request-id"]
    return _without(headers, NOT_SENT_BACK, (b"x-ratelimit-", b"access-control-")) + upstream_id


def _without(headers: Headers, names: frozenset[bytes], prefixes: tuple[bytes, ...]) -> Headers:
    kept = [
        (name, value)
        for name, value in headers
        if name not in names and not name.startswith(prefixes)
    ]
    named = {
        token.strip().lower()
        for name, value in headers
        if name == b"connection"
        for token in value.split(b",")
    }
    return [pair for pair in kept if pair[0] not in named] if named else kept


class UsageReader:
    """Finds the tokens in an answer by its last few kilobytes, streamed or not.

    In every OpenAI format `usage` comes near the end: after the choices of a completion, in
    the last chunk of a chat stream, at the end of `response.completed`. Text of the model
    cannot be mistaken for it, since quotes inside JSON strings are escaped.
    """

    __slots__ = ("_chunks", "_size")

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        """Remember a piece of the answer, and forget what is too old to matter."""
        self._chunks.append(chunk)
        self._size += len(chunk)
        while self._size - len(self._chunks[0]) >= TAIL_BYTES:
            self._size -= len(self._chunks.popleft())

    def tokens(self) -> tuple[int, int]:
        """Input and output tokens; zeros where the answer does not tell."""
        tail = b"".join(self._chunks)[-TAIL_BYTES:]
        places = [found.end() for found in _USAGE.finditer(tail)]
        if not places:
            return 0, 0
        try:
            usage, _ = _decoder.raw_decode(tail[places[-1] :].decode("utf-8", "replace"))
        except (JSONDecodeError, RecursionError):
            return 0, 0
        return (
            _count(usage, "prompt_tokens", "input_tokens"),
            _count(usage, "completion_tokens", "output_tokens"),
        )

    def ends_event(self) -> bool:
        """Whether the bytes so far end where a server-sent event ends."""
        return not self._chunks or self._chunks[-1].endswith((b"\n\n", b"\r\n\r\n"))


def _count(usage: dict[str, Any], *names: str) -> int:
    for name in names:
        value = usage.get(name)
        if isinstance(value, int) and 0 <= value < 2**31:
            return value
    return 0


async def relay(
    response: UpstreamResponse, headers: Headers, send: Send, usage: UsageReader
) -> bool:
    """Send the upstream's answer with these headers on to the caller, as it arrives.

    Returns False when it broke off: then an event stream gets an `error` event (and no
    `[DONE]`), and any other answer no end at all, so that the server cuts the connection and
    the caller cannot take what came so far for the whole.
    """
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    more = True
    try:
        while more:
            piece = await response.read()
            more = not response.ended
            usage.feed(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": more})
    except UpstreamBrokeError:
        if not is_event_stream(headers):
            return False
        error = server_error(502, "upstream_broke_off", "The upstream broke off its answer.")
        event = error.event() if usage.ends_event() else b"\n\n" + error.event()
        await send({"type": "http.response.body", "body": event, "more_body": False})
        return False
    return True


def is_event_stream(headers: Headers) -> bool:
    """Whether these are the headers of server-sent events."""
    return any(
        name == b"content-type" and value.lstrip().lower().startswith(b"text/event-stream")
        for name, value in headers
    )

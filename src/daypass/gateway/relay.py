"""What passes of headers, and the usage that is read in an answer on its way by."""

import re
from collections.abc import Mapping

from daypass.asgi import Headers

TAIL_BYTES = 8 * 1024
UNDERSCORE = ord("_")

# RFC 9110, section 7.6.1, and the older names that proxies still meet.
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"http2-settings",
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
    b"x-daypass-api-key-id",
    b"x-daypass-gateway-secret",
    b"api-key",
    b"openai-organization",
    b"openai-project",
    b"cookie",
    b"forwarded",
    # What a browser says of the page that asks. Ollama refuses origins that it does not know.
    b"origin",
    b"referer",
    # Some upstreams take from these a method or a path in place of the one that was checked.
    b"x-http-method",
    b"x-http-method-override",
    b"x-method-override",
    b"x-original-url",
    b"x-rewrite-url",
}
PREFIXES_NOT_SENT_UPSTREAM = (b"x-forwarded-", b"sec-", b"access-control-")
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
# `x-accel-…` commands the nginx before the upstream, and would command the one before us.
PREFIXES_NOT_SENT_BACK = (b"x-ratelimit-", b"access-control-", b"x-accel-")

_USAGE = re.compile(rb'"usage"\s*:\s*\{')
_INPUT_TOKENS = re.compile(rb'"(?:prompt|input)_tokens"\s*:\s*(\d{1,9})')
_OUTPUT_TOKENS = re.compile(rb'"(?:completion|output)_tokens"\s*:\s*(\d{1,9})')


def request_headers(headers: Headers, by_name: Mapping[bytes, bytes]) -> Headers:
    """The caller's headers that the upstream may see.

    None with an underscore: CGI and WSGI read `x_forwarded_for` as `x-forwarded-for`.
    """
    kept = [
        pair
        for pair in headers
        if pair[0] not in NOT_SENT_UPSTREAM
        and UNDERSCORE not in pair[0]
        and not pair[0].startswith(PREFIXES_NOT_SENT_UPSTREAM)
    ]
    return kept if b"connection" not in by_name else _without_named(kept, headers)


def response_headers(headers: Headers) -> Headers:
    """The upstream's headers that the caller may see; its own request id under another name."""
    kept = [
        pair
        for pair in headers
        if pair[0] not in NOT_SENT_BACK and not pair[0].startswith(PREFIXES_NOT_SENT_BACK)
    ]
    if is_event_stream(headers):
        # nginx with its default settings would pass the stream on in lumps.
        kept.append((b"x-accel-buffering", b"no"))
    by_name = dict(headers)
    upstream_id = by_name.get(b"x-request-id")
    if upstream_id is not None:
        kept.append((b"x-upstream-request-id", upstream_id))
    return kept if b"connection" not in by_name else _without_named(kept, headers)


def _without_named(kept: Headers, headers: Headers) -> Headers:
    """What is kept but for what a `connection` header names: that is for one hop alone."""
    lists = [value for name, value in headers if name == b"connection"]
    named = {token.strip().lower() for token in b",".join(lists).split(b",")}
    return [pair for pair in kept if pair[0] not in named]


class UsageReader:
    """Finds the tokens in an answer by its last few kilobytes, streamed or not.

    In every OpenAI format `usage` comes near the end: after the choices of a completion, in
    the last chunk of a chat stream, at the end of `response.completed`. Text of the model
    cannot be mistaken for it, since quotes inside JSON strings are escaped.
    """

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = bytearray()

    def feed(self, piece: bytes) -> None:
        """Remember a piece of the answer, and now and then forget what is too old to matter."""
        self._tail += piece
        if len(self._tail) > 2 * TAIL_BYTES:
            del self._tail[:-TAIL_BYTES]

    def tokens(self) -> tuple[int, int]:
        """Input and output tokens; zeros where the answer does not tell."""
        end = len(self._tail)
        while (start := self._tail.rfind(b'"usage"', 0, end)) >= 0:
            if _USAGE.match(self._tail, start):
                return _count(_INPUT_TOKENS, self._tail, start), _count(
                    _OUTPUT_TOKENS, self._tail, start
                )
            end = start
        return 0, 0

    def ends_event(self) -> bool:
        """Whether the bytes so far end where a server-sent event ends."""
        return not self._tail or self._tail.endswith((b"\n\n", b"\r\n\r\n"))


def _count(name: re.Pattern[bytes], text: bytearray, start: int) -> int:
    found = name.search(text, start)
    return int(found[1]) if found else 0


def is_event_stream(headers: Headers) -> bool:
    """Whether these are the headers of server-sent events."""
    return any(
        name == b"content-type" and value.lstrip().lower().startswith(b"text/event-stream")
        for name, value in headers
    )

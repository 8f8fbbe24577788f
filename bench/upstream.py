"""A mock upstream: chat completions, unary and as paced server-sent events.

A raw asyncio protocol on uvloop and httptools, so that it costs less than any gateway before
it. The text of the message, which every gateway passes on, says what to do:
`events=200 pace_ms=30`.
"""

import argparse
import asyncio
import re

import httptools
import uvloop

STREAM = re.compile(rb'"stream":\s*true')
ORDER = re.compile(rb"events=(\d+) pace_ms=([\d.]+)")

MODEL = "gpt-4o-mini"
ENDING_EVENTS = 2
"""After its `events` a stream has one more with the usage, and `[DONE]`."""

_WORDS = b"All work and no play makes the gateway a dull relay. " * 12
COMPLETION = (
    b'{"id":"chatcmpl-bench","object":"chat.completion","created":1764000000,'
    b'"model":"gpt-4o-mini","system_fingerprint":"fp_bench","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"%b","refusal":null,"annotations":[]},"logprobs":null,'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":144,'
    b'"total_tokens":164,"prompt_tokens_details":{"cached_tokens":0}}}' % _WORDS
)
MODELS = b'{"object":"list","data":[{"id":"gpt-4o-mini","object":"model","owned_by":"bench"}]}'
_CHUNK = (
    b'{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1764000000,'
    b'"model":"gpt-4o-mini","system_fingerprint":"fp_bench","choices":[{"index":0,'
    b'"delta":{%b},"logprobs":null,"finish_reason":%b}]%b}'
)


def completion_body(*, events: int = 0, pace_ms: float = 30) -> bytes:
    """A request's body: unary, or for a stream of so many events."""
    stream = f'"stream":true,"user":"events={events} pace_ms={pace_ms:g}",' if events else ""
    text = f"Say something dull at length. events={events} pace_ms={pace_ms:g}"
    return (
        f'{{"model":"{MODEL}",{stream}"temperature":0.7,"max_tokens":400,"messages":['
        f'{{"role":"system","content":"You are a helpful assistant."}},'
        f'{{"role":"user","content":"{text}"}}]}}'
    ).encode()


def _answer(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % len(body) + body


def _http_chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _event(delta: bytes, finish: bytes = b"null", rest: bytes = b"") -> bytes:
    return b"data: %b\n\n" % (_CHUNK % (delta, finish, rest))


UNARY_ANSWER = _answer(COMPLETION)
MODELS_ANSWER = _answer(MODELS)
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
# Different ones in turn: LiteLLM takes a model that repeats itself for broken.
EVENTS = tuple(
    _http_chunk(_event(b'"content":" %b"' % word)) for word in (b"dull", b"grey", b"slow", b"long")
)
USAGE = b',"usage":{"prompt_tokens":20,"completion_tokens":144,"total_tokens":164}'
STREAM_END = (
    _http_chunk(_event(b"", b'"stop"', USAGE)) + _http_chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"
)


class MockUpstream(asyncio.Protocol):
    """One connection. It has one request at a time, as HTTP clients do without pipelining."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""
        self._transport: asyncio.Transport
        self._events_left = 0
        self._pace_s = 0.0
        self._next_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body, self._body = self._body, b""
        if self._parser.get_method() == b"GET":
            self._transport.write(MODELS_ANSWER)
        elif STREAM.search(body) is None:
            self._transport.write(UNARY_ANSWER)
        else:
            self._begin_stream(body)

    def _begin_stream(self, body: bytes) -> None:
        order = ORDER.search(body)
        self._events_left = int(order[1]) if order else 100
        self._pace_s = float(order[2]) / 1000 if order else 0.03
        self._transport.write(STREAM_HEAD)
        self._next_at = self._loop.time()
        self._send_event()

    def _send_event(self) -> None:
        # Times are absolute: a late event does not make the next ones late.
        if self._events_left == 0:
            self._timer = None
            self._transport.write(STREAM_END)
            return
        self._events_left -= 1
        self._transport.write(EVENTS[self._events_left % len(EVENTS)])
        self._next_at += self._pace_s
        self._timer = self._loop.call_at(self._next_at, self._send_event)


async def listen(port: int) -> asyncio.Server:
    """Serve on a loopback port, 0 for any free one."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(MockUpstream, "127.0.0.1", port, backlog=8192)


async def _serve(port: int) -> None:
    server = await listen(port)
    await server.serve_forever()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, required=True)
    uvloop.run(_serve(options.parse_args().port))

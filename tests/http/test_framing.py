"""Where requests begin and end, however their bytes are split into packets.

The protocol is fed directly, so that every cut is exactly where the test wants it.
"""

import asyncio
import itertools
import json
import re
from typing import NamedTuple

import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from daypass.http.server_protocol import HttpProtocol
from daypass.http.types import Receive, Scope, Send

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n"
"""A body that looks like a request."""


class Outcome(NamedTuple):
    """The outcome of one connection."""

    seen: tuple[bytes, ...]
    """Method, target, `upgrade` and body of each request that the application received whole."""
    statuses: tuple[int, ...]
    is_closed: bool


class Wire(asyncio.Transport):
    """An in-memory connection."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.is_paused = self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.is_closed = True

    def close(self) -> None:
        self.is_closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


class Connection:
    """An in-memory connection to an application that reads each body whole and answers 200."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        config = uvicorn.Config(self.app, interface="asgi3", log_level="critical")
        config.load()
        self.wire = Wire()
        self.protocol = HttpProtocol(config, ServerState(), {})
        self.protocol.connection_made(self.wire)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            more = message["more_body"]
        upgrades = [value for name, value in scope["headers"] if name == b"upgrade"]
        target = scope["raw_path"] + (b"?" + scope["query_string"]).rstrip(b"?")
        self.seen.append(b" ".join([scope["method"].encode(), target, *upgrades, body]))
        headers = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def run(self, *pieces: bytes) -> Outcome:
        for piece in pieces:
            while self.wire.is_paused and not self.wire.is_closed:
                await asyncio.sleep(0)
            if piece:
                self.protocol.data_received(piece)
            for _ in range(6):
                await asyncio.sleep(0)
        while self.protocol._state.tasks and not self.wire.is_closed:
            before = len(self.seen)
            for _ in range(6):
                await asyncio.sleep(0)
            if len(self.seen) == before:
                break
        is_closed = self.wire.is_closed
        self.protocol.connection_lost(None)
        for _ in range(3):
            await asyncio.sleep(0)
        statuses = tuple(int(x) for x in re.findall(rb"HTTP/1\.1 (\d+)", self.wire.sent))
        return Outcome(tuple(self.seen), statuses, is_closed)


async def outcome(*pieces: bytes) -> Outcome:
    return await Connection().run(*pieces)


async def assert_in_every_split(raw: bytes, expected: Outcome) -> None:
    assert await outcome(raw) == expected
    for at in range(1, len(raw)):
        assert await outcome(raw[:at], raw[at:]) == expected, (raw[:at], raw[at:])
    assert await outcome(*(bytes([x]) for x in raw)) == expected


def request(line: bytes, *headers: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    return b"\r\n".join([line + b" HTTP/" + version, b"host: x", *headers, b"", body])


class Body(NamedTuple):
    headers: tuple[bytes, ...]
    raw: bytes
    content: bytes


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + end


BODIES = {
    "none": Body((), b"", b""),
    "empty": Body((b"Content-Length: 0",), b"", b""),
    "length": Body((b"content-length: %d" % len(SMUGGLED),), SMUGGLED, SMUGGLED),
    "chunked": Body((b"Transfer-Encoding: Chunked",), chunked(b"{", SMUGGLED), b"{" + SMUGGLED),
    "trailers": Body(
        (b"transfer-encoding: chunked", b"trailer: upgrade, connection"),
        b"2;x=y\r\nab\r\n0\r\nconnection: upgrade\r\nUpgrade: h2c\r\nhost: y\r\n\r\n",
        b"ab",
    ),
    "expected": Body((b"Expect: 100-continue", b"content-length: 2"), b"ab", b"ab"),
}
OFFERS: dict[str, tuple[bytes, ...]] = {
    "none": (),
    "curl": (
        b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk",
    ),
    "list": (b"upgrade: anything", b"connection: keep-alive, foo ,uPGRADE"),
    "two headers": (b"CONNECTION: keep-alive", b"UPGRADE: a", b"connection:upgrade", b"Upgrade: b"),
    "nginx": (b"connection: upgrade",),
    "not connected": (b"upgrade: h2c",),
}  # fmt: skip


def offered(headers: tuple[bytes, ...]) -> list[bytes]:
    return [x.partition(b":")[2].strip() for x in headers if x.lower().startswith(b"upgrade:")]


def one(path: bytes, offer: tuple[bytes, ...], body: Body) -> tuple[bytes, bytes, list[int]]:
    """Return a request, what the application sees of it, and its response statuses."""
    raw = request(b"POST " + path, *offer, *body.headers, body=body.raw)
    statuses = [100, 200] if b"Expect: 100-continue" in body.headers else [200]
    return raw, b" ".join([b"POST", path, *offered(offer), body.content]), statuses


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("offer", OFFERS)
async def test_a_body_is_not_read_as_a_request_in_any_split(offer: str, body: str) -> None:
    raw, seen, statuses = one(b"/first?x", OFFERS[offer], BODIES[body])
    last = request(b"GET /last", b"connection: close, Upgrade", b"upgrade: h2c")
    expected = Outcome((seen, b"GET /last h2c "), (*statuses, 200), True)
    await assert_in_every_split(raw + last, expected)


parts = st.tuples(st.sampled_from(list(OFFERS.values())), st.sampled_from(list(BODIES.values())))


@given(parts=st.lists(parts, min_size=1, max_size=4), cuts=st.lists(st.integers(0, 2000)))
@settings(max_examples=60, deadline=None)
def test_pipelined_requests_are_parsed_alike_in_every_split(
    parts: list[tuple[tuple[bytes, ...], Body]], cuts: list[int]
) -> None:
    requests = [one(b"/%d" % n, *part) for n, part in enumerate(parts)]
    raw = b"".join(raw for raw, _, _ in requests)
    edges = [0, *sorted(cut % (len(raw) + 1) for cut in cuts), len(raw)]
    pieces = [raw[a:b] for a, b in itertools.pairwise(edges)]
    seen = tuple(seen for _, seen, _ in requests)
    statuses = tuple(status for _, _, each in requests for status in each)
    assert asyncio.run(outcome(*pieces)) == Outcome(seen, statuses, False)


async def test_many_upgrade_offers_in_one_packet_are_all_served() -> None:
    raw, seen, _ = one(b"/", OFFERS["curl"], BODIES["length"])
    read = await outcome(raw * 2_000)
    assert read.seen == (seen,) * 2_000


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((b"content-length: 5",), b"hello" + SMUGGLED),
        ((), SMUGGLED),
        ((b"connection: upgrade, close", b"upgrade: h2c"), SMUGGLED),
        ((), b"no request"),
    ],
)
async def test_data_after_the_last_request_is_discarded(
    headers: tuple[bytes, ...], body: bytes
) -> None:
    for version, last in ((b"1.1", (b"connection: close",)), (b"1.0", ())):
        raw = request(b"POST /", *headers, *last, body=body, version=version)
        if b"content-length: 5" in headers:
            seen = b"POST / hello"
        else:
            seen = b" ".join([b"POST /", *offered(headers), b""])
        await assert_in_every_split(raw, Outcome((seen,), (200,), True))


async def test_data_after_an_early_closing_response_is_discarded() -> None:
    calls = 0

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        nonlocal calls
        calls += 1
        headers = [(b"content-length", b"0"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    connection = Connection()
    connection.protocol._config.loaded_app = app
    first = request(b"POST /", b"content-length: 2")
    assert await connection.run(first, b"ab" + SMUGGLED) == Outcome((), (413,), True)
    assert calls == 1


CHUNKED = b"transfer-encoding: chunked"
REFUSED = {
    "chunk size": (request(b"POST /", CHUNKED, body=b"z\r\n"), 400),
    "chunk size with a sign": (request(b"POST /", CHUNKED, body=b"-1\r\na"), 400),
    "chunk too long": (request(b"POST /", CHUNKED, body=b"1\r\nab\r\n0\r\n\r\n"), 400),
    "chunk with a bare LF": (request(b"POST /", CHUNKED, body=b"1\na\n0\n\n"), 400),
    "second chunk": (request(b"POST /", CHUNKED, body=b"1\r\na\r\n\r\n"), 400),
    "trailer": (request(b"POST /", CHUNKED, body=b"0\r\nno trailer\r\n\r\n"), 400),
    "length in a trailer": (
        request(b"POST /", CHUNKED, body=b"0\r\ncontent-length: 2\r\n\r\nab"), 400,
    ),
    "unknown coding": (request(b"POST /", b"transfer-encoding: gzip", body=b"ab"), 400),
    "two codings": (request(b"POST /", b"transfer-encoding: gzip, chunked", body=chunked()), 400),
    "two codings in two headers": (
        request(b"POST /", b"transfer-encoding: gzip", CHUNKED, body=chunked()), 400,
    ),
    "chunked twice": (request(b"POST /", CHUNKED, CHUNKED, body=chunked()), 400),
    "identity": (request(b"POST /", b"transfer-encoding: identity"), 400),
    "coding in HTTP/1.0": (request(b"POST /", CHUNKED, body=chunked(), version=b"1.0"), 400),
    "length and coding": (request(b"POST /", CHUNKED, b"content-length: 5", body=chunked()), 400),
    "two lengths": (request(b"POST /", b"content-length: 1", b"content-length: 2"), 400),
    "one length twice": (request(b"POST /", b"content-length: 0", b"content-length: 0"), 400),
    "signed length": (request(b"POST /", b"content-length: +1", body=b"a"), 400),
    "two hosts": (request(b"GET /", b"Host: x"), 400),
    "two hosts in HTTP/1.0": (request(b"GET /", b"host: y", version=b"1.0"), 400),
    "no host": (b"GET / HTTP/1.1\r\nx: host\r\n\r\n", 400),
    "CONNECT": (request(b"CONNECT other:443", body=SMUGGLED), 400),
    "CONNECT with a path": (request(b"CONNECT /v1/x"), 400),
    "CONNECT with a length": (
        request(b"CONNECT other:443", b"content-length: 2", body=b"ab" + SMUGGLED), 400,
    ),
    "fragment": (request(b"GET /#x"), 400),
    "fragment in an address": (request(b"GET http://x/?y#x"), 400),
    "address that is not http": (request(b"GET ftp://x/"), 400),
    "address with a user": (request(b"GET http://user@x/"), 400),
    "address without a host": (request(b"GET http:///x"), 400),
    "asterisk": (request(b"GET *"), 400),
    "HTTP/2 by prior knowledge": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 400),
    "HTTP/2.0": (request(b"GET /", version=b"2.0"), 505),
    "HTTP/0.9": (request(b"GET /", version=b"0.9"), 505),
}  # fmt: skip


@pytest.mark.parametrize("bad", REFUSED)
async def test_a_request_with_invalid_framing_is_refused_in_every_split(bad: str) -> None:
    raw, status = REFUSED[bad]
    await assert_in_every_split(raw + SMUGGLED, Outcome((), (status,), True))


@pytest.mark.parametrize("bad", REFUSED)
async def test_a_request_with_invalid_framing_and_an_upgrade_is_refused(bad: str) -> None:
    raw, status = REFUSED[bad]
    line, _, rest = raw.partition(b"\r\n")
    offering = line + b"\r\nconnection: upgrade\r\nupgrade: h2c\r\n" + rest
    await assert_in_every_split(offering + SMUGGLED, Outcome((), (status,), True))


@pytest.mark.parametrize("bad", ["chunk size", "unknown coding", "CONNECT", "two hosts"])
async def test_requests_before_an_invalid_one_are_answered(bad: str) -> None:
    raw, status = REFUSED[bad]
    first, seen, _ = one(b"/first", OFFERS["curl"], BODIES["length"])
    expected = Outcome((seen, seen), (200, 200, status), True)
    await assert_in_every_split(first + first + raw, expected)


@pytest.mark.parametrize("size", [70_000, 200_000])
async def test_a_request_head_that_arrives_in_one_read_is_limited(size: int) -> None:
    for raw in (request(b"GET /", b"x: " + b"y" * size), request(b"GET /" + b"y" * size)):
        assert await outcome(raw + SMUGGLED) == Outcome((), (431,), True)
    nearly = request(b"GET /", *[b"x: " + b"y" * 600] * 100)
    assert (await outcome(nearly * 3)).statuses == (200, 200, 200)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"http://other.example:81/a?b", (b"other.example:81", b"/a", b"b")),
        (b"HTTPS://[::1]?b", (b"[::1]", b"/", b"b")),
        (b"http://other.example", (b"other.example", b"/", b"")),
        (b"/a?http://other.example/", (b"x", b"/a", b"http://other.example/")),
        (b"*", (b"x", b"*", b"")),
    ],
)
async def test_the_host_of_an_absolute_target_replaces_the_host_header(
    target: bytes, expected: tuple[bytes, ...]
) -> None:
    seen: list[tuple[bytes, ...]] = []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        seen.append((*hosts, scope["raw_path"], scope["query_string"]))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    raw = request(b"OPTIONS " + target)
    for at in range(len(raw)):
        connection = Connection()
        connection.protocol._config.loaded_app = app
        await connection.run(raw[:at], raw[at:])
    assert seen == [expected] * len(raw)


async def test_an_invalid_request_gets_a_json_error() -> None:
    connection = Connection()
    raw, _ = REFUSED["chunk size"]
    await connection.run(raw)
    head, _, body = connection.wire.sent.partition(b"\r\n\r\n")
    assert b"content-type: application/json\r\n" in head
    error = json.loads(body)["error"]
    assert error.pop("message").startswith("Malformed HTTP request: ")
    assert error == {"type": "invalid_request_error", "param": None, "code": "bad_request"}


async def test_a_broken_body_adds_nothing_to_a_started_response() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        await asyncio.Event().wait()

    connection = Connection()
    connection.protocol._config.loaded_app = app
    raw = request(b"POST /", CHUNKED)
    assert await connection.run(raw, b"z\r\n") == Outcome((), (200,), True)
    assert connection.wire.sent.endswith(b"\r\n4\r\nhalf\r\n")


async def test_a_connection_close_trailer_is_ignored() -> None:
    raw = request(b"POST /", CHUNKED, body=chunked(b"a", end=b"0\r\nconnection: close\r\n\r\n"))
    expected = Outcome((b"POST / a",), (200, 400), True)
    await assert_in_every_split(raw + SMUGGLED, expected)


async def test_trailers_without_end_are_refused() -> None:
    connection = Connection()
    raw = request(b"POST /", CHUNKED, body=b"1\r\na\r\n0\r\nx: ")
    assert (await connection.run(raw, *[b"y" * 30_000] * 3)).statuses == (431,)

"""Properties of the gateway: for each, a strategy of values and a check of one value."""

import asyncio
import contextlib
import itertools
import json
import posixpath
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import unquote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daypass.domain import key_format
from daypass.domain.usage import NO_TOKENS
from daypass.gateway.authenticate import mask, presented_key
from daypass.gateway.errors import GatewayError
from daypass.gateway.headers import (
    HOP_BY_HOP,
    NOT_SENT_BACK,
    NOT_SENT_UPSTREAM,
    request_headers,
    response_headers,
)
from daypass.gateway.request import document_of, target_of
from daypass.gateway.response_writer import ResponseWriter
from daypass.gateway.usage_reader import UsageReader
from daypass.http.server_protocol import HttpProtocol
from daypass.http.types import Headers, Message, Receive, Scope, Send
from daypass.upstreams.base import UpstreamBrokeError
from tests.fuzz.streams import RECORDED

LOOP = asyncio.new_event_loop()


class Property(NamedTuple):
    """A property: a strategy of values, and a check of one value."""

    values: st.SearchStrategy[Any]
    check: Callable[[Any], None]


def run(tried: Property, cases: int) -> int:
    """Check a property on about this many values; return the number of cases."""
    count = 0

    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(tried.values)
    def case(value: Any) -> None:
        nonlocal count
        count += 1
        tried.check(value)

    case()
    return count


# Keys.

GOOD_KEY = key_format.mint().secret


def mutated(good: bytes) -> st.SearchStrategy[bytes]:
    """Return bytes that differ slightly from valid ones."""

    def change(where: tuple[int, int, bytes]) -> bytes:
        start, length, new = where
        return good[:start] + new + good[start + length :]

    place = st.integers(0, len(good))
    return st.tuples(place, st.integers(0, 4), st.binary(max_size=4)).map(change)


def check_key(presented: tuple[bytes, bytes, bytes]) -> None:
    in_header, scheme, in_bearer = presented
    headers = [(b"x-api-key", in_header), (b"authorization", scheme + in_bearer)]
    try:
        secret = presented_key(headers)
    except GatewayError as error:
        assert error.status == 401
        return
    assert secret.encode("latin-1") in (in_header.strip(), in_bearer.strip())
    body = secret[3:-6]
    well_formed = (
        re.fullmatch(r"dp_[0-9A-Za-z]{38}", secret) is not None
        and key_format.checksum(body) == secret[-6:]
    )
    assert key_format.is_well_formed(secret) == well_formed
    if well_formed and secret != GOOD_KEY:
        assert sum(x != y for x, y in zip(secret, GOOD_KEY, strict=True)) > 1
    assert len(key_format.digest(secret)) == 64
    assert len(secret) < 16 or secret not in mask(secret)


KEYS = st.one_of(st.binary(max_size=60), mutated(GOOD_KEY.encode()), st.just(GOOD_KEY.encode()))
SCHEMES = st.sampled_from([b"Bearer ", b"bearer  ", b"BEARER\t", b"Basic ", b"", b" Bearer "])


# Paths.

PIECES = [
    "/", "/", "/", ".", "..", "%2e", "%2E", "%2f", "%5c", "\\", ";", "%3b", "%00", "%25", "%", "v1",
    "/v1/", "models", "a", "~", "%c0%ae", "%c0%af", "%e0%80%af", "%ed%a0%80", "%20", "%c3%a9", "?",
    "#", "é", "%0a", "%7f", ":", "@", " ",
]  # fmt: skip
PATHS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=8).map(lambda x: ("/v1/" + "".join(x)).encode()),
    st.lists(st.sampled_from(PIECES), max_size=8).map(lambda x: "".join(x).encode()),
    st.binary(max_size=40).map(lambda x: b"/v1/" + x),
)


def readings(path: str) -> list[str]:
    """Return a path as a lenient server may read it."""
    found = [path]
    for encoding in ("utf-8", "latin-1"):
        read = path
        for _ in range(3):
            read = unquote(read, encoding=encoding, errors="replace")
            found.append(read)
    found += [x.replace("\\", "/") for x in found]
    return found + ["/".join(y.partition(";")[0] for y in x.split("/")) for x in found]


def check_path(raw: bytes) -> None:
    scope = {"method": "GET", "raw_path": raw, "path": "", "query_string": b""}
    try:
        target = target_of(scope)
    except GatewayError as error:
        assert error.status == 404
        return
    assert b"/v1" + target.raw == raw
    for reading in readings(raw.decode()):
        assert reading.startswith("/v1/")
        assert posixpath.normpath(reading) == reading.removesuffix("/")
        assert not re.search(r"[\x00-\x1f\x7f?#]", reading)


# Headers.

NAMES = sorted(
    {b"x-custom", b"x_api_key", b"x-forwarded-for", b"connection", b"x-ratelimit-y", b"accept"}
    | NOT_SENT_UPSTREAM
    | NOT_SENT_BACK
)
HEADERS = st.lists(
    st.tuples(
        st.one_of(st.sampled_from(NAMES), st.binary(min_size=1, max_size=8).map(bytes.lower)),
        st.one_of(st.sampled_from(NAMES), st.binary(max_size=20)),
    ),
    max_size=8,
)


def check_headers(headers: Headers) -> None:
    by_name = dict(headers)
    named = {
        token.strip().lower()
        for name, value in headers
        if name == b"connection"
        for token in value.split(b",")
    }
    sent = request_headers(headers, by_name)
    assert all(pair in headers for pair in sent)
    for name, _ in sent:
        assert name not in NOT_SENT_UPSTREAM | HOP_BY_HOP | named
        assert b"_" not in name
        assert not name.startswith(b"x-forwarded-")
    for name, _ in response_headers(headers):
        added = name in (b"x-upstream-request-id", b"x-accel-buffering")
        assert added or name not in NOT_SENT_BACK | named
        assert not name.startswith((b"x-ratelimit-", b"access-control-"))


# Requests, byte by byte.

REQUEST = (
    b"POST /v1/x?y=1 HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello"
    b"POST /v1/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    b"GET /v1/models HTTP/1.1\r\nconnection: close\r\nhost: x\r\n\r\n"
)
HOSTILE = [
    b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"\r\n\r\n", b"0\r\n\r\n", b"ffffffffffffffff\r\n",
    b"content-length: 3\r\n", b"transfer-encoding: chunked\r\n", b"Transfer-Encoding: x\r\n",
    b"TRACE / HTTP/1.1\r\n", b"CONNECT a:1 HTTP/1.1\r\n", b"expect: 100-continue\r\n",
    b"upgrade: websocket\r\nconnection: upgrade\r\n", b"connection: Upgrade\r\nUpgrade: h2c\r\n",
]  # fmt: skip
CUTS = st.lists(st.integers(0, len(REQUEST) + 40), max_size=6)


def inserted(where: tuple[int, bytes]) -> bytes:
    at, piece = where
    return REQUEST[:at] + piece + REQUEST[at:]


REQUESTS = st.tuples(
    st.one_of(
        st.binary(max_size=80),
        mutated(REQUEST),
        st.tuples(st.integers(0, len(REQUEST)), st.sampled_from(HOSTILE)).map(inserted),
        st.just(REQUEST),
    ),
    CUTS,
)


class Transport:
    """The client side of a simulated connection."""

    def __init__(self) -> None:
        self.written = b""
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.written += data if not self.is_closed else b""

    def close(self) -> None:
        self.is_closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.is_closed

    def get_extra_info(self, _name: str) -> None:
        return None

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading

    def can_write_eof(self) -> bool:
        return True

    write_eof = close


def serve(pieces: list[bytes]) -> tuple[list[tuple[str, str, bytes]], bytes]:
    """Return the requests parsed from these pieces, and the responses."""
    understood: list[tuple[str, str, bytes]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            more = message["more_body"]
        understood.append((scope["method"], scope["path"], body))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def converse() -> bytes:
        config = SimpleNamespace(loaded_app=app, timeout_keep_alive=5)
        state = SimpleNamespace(
            connections=set(), tasks=set(), total_requests=0, default_headers=[]
        )
        protocol = HttpProtocol(config, state, {})  # type: ignore[arg-type]
        transport = Transport()
        protocol.connection_made(transport)  # type: ignore[arg-type]
        for piece in pieces:
            if not transport.is_closed:
                protocol.data_received(piece)
            for _ in range(4):
                await asyncio.sleep(0)
        protocol.connection_lost(None)
        await asyncio.gather(*state.tasks)
        return transport.written

    return understood, LOOP.run_until_complete(converse())


def check_request(sent: tuple[bytes, list[int]]) -> None:
    """A request is parsed alike however it is split, and the response is valid HTTP."""
    request, cuts = sent
    places = sorted({0, *(x for x in cuts if x < len(request)), len(request)})
    understood, written = serve([request[x:y] for x, y in itertools.pairwise(places)])
    at_once, _ = serve([request])
    assert understood == at_once
    assert not written or written.startswith(b"HTTP/1.1 ")
    assert written.count(b"HTTP/1.1 204 ") <= len(understood)


# JSON.

DOCUMENTS = st.one_of(
    st.binary(max_size=60),
    mutated(
        b'{"model": "m", "n": [1, 2.5e3, true, null, "\\u00e9\\ud83d\\ude42"], "x": {"model": 1}}'
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
        max_leaves=8,
    ).map(lambda x: json.dumps(x, ensure_ascii=False).encode("utf-8", "surrogatepass")),
    st.lists(
        st.sampled_from(['"model"', '"mod\\u0065l"', ":", ",", "{", "}", '"a"', "1", "NaN"])
    ).map(lambda x: "".join(x).encode()),
)


def check_document(body: bytes) -> None:
    try:
        named_here = document_of(body).get("model")
    except GatewayError as error:
        assert (error.status, error.code) == (400, "invalid_json")
        return
    if not body:
        return

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), "a key twice"
        return dict(pairs)

    document = json.loads(body, object_pairs_hook=once)
    named = document.get("model")
    assert named_here == named


# Event streams.

SPLITS = st.tuples(
    st.sampled_from(sorted(RECORDED)),
    st.lists(st.integers(0, 1 << 20), max_size=30),
    st.booleans(),
)


class Pieces:
    """An upstream response in these pieces, which may break off after them."""

    status = 200
    headers: Headers = [(b"content-type", b"text/event-stream")]  # noqa: RUF012

    def __init__(self, pieces: list[bytes], *, breaks: bool) -> None:
        self._pieces = pieces
        self._breaks = breaks

    @property
    def ended(self) -> bool:
        return not self._pieces and not self._breaks

    async def read(self) -> bytes:
        if not self._pieces:
            raise UpstreamBrokeError("cut")
        return self._pieces.pop(0)

    def close(self) -> None:
        pass


def relayed(pieces: list[bytes], *, breaks: bool) -> tuple[bytes, tuple[int, int]]:
    """Return what a client receives of these pieces, and the tokens that were read."""
    sent: list[bytes] = []

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))

    usage = UsageReader()
    answer = ResponseWriter(send)
    answer.add(Pieces.headers)
    LOOP.run_until_complete(answer.relay(Pieces(pieces, breaks=breaks), usage))
    found = usage.tokens() or NO_TOKENS
    return b"".join(sent), (found.input, found.output)


def check_split(split: tuple[str, list[int], bool]) -> None:
    """However a stream is split, it is relayed unchanged and its tokens are read."""
    name, cuts, breaks = split
    stream, tokens = RECORDED[name]
    places = sorted({0, *(x % len(stream) for x in cuts), len(stream)})
    pieces = [stream[x:y] for x, y in itertools.pairwise(places)]
    if not breaks:
        assert relayed(pieces, breaks=False) == (stream, tokens)
        return
    came = b"".join(pieces[:-1])
    got, _ = relayed(pieces[:-1], breaks=True)
    assert got.startswith(came)
    events = re.split(rb"\r?\n\r?\n", got)
    assert events[-1] == b""
    assert events[-2].lstrip(b"\r\n").startswith(b'data: {"error":')
    with contextlib.suppress(ValueError):
        assert events.index(b"data: [DONE]") == len(events) - 3
        assert came.rstrip(b"\r\n").endswith(b"data: [DONE]")


def every_split() -> int:
    """Split each recorded stream at every byte; return the number of splits."""
    cuts = 0
    for stream, tokens in RECORDED.values():
        for at in range(1, len(stream)):
            assert relayed([stream[:at], stream[at:]], breaks=False) == (stream, tokens)
            cuts += 1
    return cuts


PROPERTIES = {
    "keys": Property(st.tuples(KEYS, SCHEMES, KEYS), check_key),
    "paths": Property(PATHS, check_path),
    "headers": Property(HEADERS, check_headers),
    "requests": Property(REQUESTS, check_request),
    "documents": Property(DOCUMENTS, check_document),
    "event streams": Property(SPLITS, check_split),
}

"""The parser of the requests on one connection."""

from typing import TYPE_CHECKING
from urllib.parse import unquote

import httptools

from daypass.http.framing import (
    BadRequestError,
    check_head,
    framing_of,
    origin_form,
    reason_of,
)
from daypass.http.types import Headers, Scope

if TYPE_CHECKING:
    from daypass.http.server_protocol import HttpProtocol

MAX_HEAD_BYTES = 64 * 1024
"""Limit of a head and of trailers. Chunk extensions may exceed it by what one read returns."""
MAX_HEADERS = 128


class RequestReader:
    """Parses bytes and passes heads, pieces of bodies and ends of requests to a protocol.

    httptools calls the `on_…` methods.
    """

    def __init__(self, protocol: "HttpProtocol", connection: Scope) -> None:
        """Create a reader; `connection` holds the scope members that all requests share."""
        self._protocol = protocol
        self._connection = connection
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: Headers = []
        self._framed: Headers | None = None
        """The headers of the request whose body is being read."""
        self._head_bytes = 0
        """Bytes of the current head or trailers parsed so far."""
        self._pending_bytes = 0
        self.is_finished = False
        """Whether to discard everything after the current request."""

    @property
    def is_between_requests(self) -> bool:
        """Return whether the next byte begins a request."""
        return self._pending_bytes == 0 and self._framed is None and not self.is_finished

    @property
    def is_within_head(self) -> bool:
        """Return whether a head has been read in part."""
        return self._pending_bytes > 0 and self._framed is None and not self.is_finished

    def feed(self, data: bytes) -> None:
        """Parse more bytes. After it raises BadRequestError, nothing more can be parsed."""
        if self.is_finished and self._framed is None:
            return
        self._pending_bytes += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            if self._framed is not None or not self.is_finished:
                raise reason_of(error) from None
        if self._pending_bytes > MAX_HEAD_BYTES and not self.is_finished:
            raise _too_large()

    def stop(self) -> None:
        """Discard all further bytes, including the rest of a body."""
        self.is_finished = True
        self._framed = None

    def _parse(self, data: bytes) -> None:
        rest: bytes | memoryview = data
        while True:
            try:
                self._parser.feed_data(rest)
            except httptools.HttpParserUpgrade as upgrade:
                (offset,) = upgrade.args
                rest = memoryview(rest)[offset:]
                self._ignore_upgrade()
            else:
                return

    def _ignore_upgrade(self) -> None:
        """Continue with the body of a request that has an `Upgrade` header.

        A server may ignore `Upgrade` (RFC 9110, section 7.8), and this one does. The parser stops
        after the head of such a request. A new parser, fed only the framing headers, continues
        from there, so that body bytes are never parsed as a head.
        """
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(framing_of(self._framed or []))

    def on_message_begin(self) -> None:
        """Start a new request."""
        if self.is_finished and self._framed is None:
            raise ValueError("the previous request was the last on this connection")
        self._url = b""
        self._headers = []
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Add a piece of the request target."""
        self._url += url
        self._add_to_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header or a trailer; trailers are ignored."""
        if len(self._headers) >= MAX_HEADERS:
            raise BadRequestError(f"The request has more than {MAX_HEADERS} headers.")
        self._add_to_head(len(name) + len(value) + len(": \r\n"))
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Pass on the head of a request, unless it is the one repeated by `_ignore_upgrade`."""
        if self._framed is not None:
            return
        self._pending_bytes = 0
        parser = self._parser
        method = parser.get_method()
        version = parser.get_http_version()
        headers = self._headers
        by_name = dict(headers)
        check_head(method, version, headers, by_name)
        url, headers = origin_form(method, self._url, headers)
        raw_path, _, query = url.partition(b"?")
        path = raw_path.decode("latin-1")
        scope: Scope = {
            **self._connection,
            "http_version": version,
            "headers": headers,
            "method": method.decode("ascii"),
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
        }
        self._headers = []
        self._head_bytes = 0
        self._framed = headers
        is_modern = version == "1.1"
        keep_alive = is_modern and parser.should_keep_alive()
        self.is_finished = self.is_finished or not keep_alive
        expect = by_name.get(b"expect")
        awaits_continue = (
            expect is not None and is_modern and expect.strip().lower() == b"100-continue"
        )
        self._protocol.on_request(scope, keep_alive=keep_alive, awaits_continue=awaits_continue)

    def on_body(self, piece: bytes) -> None:
        """Pass on a piece of the body."""
        self._pending_bytes = 0
        self._protocol.on_body(piece)

    def on_message_complete(self) -> None:
        """Pass on the end of a request."""
        if self._parser.should_upgrade():  # The body is still to come: see `_ignore_upgrade`.
            return
        self._pending_bytes = 0
        self._framed = None
        self._protocol.on_request_end()

    def _add_to_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            raise _too_large()


def _too_large() -> BadRequestError:
    return BadRequestError("The request's headers are too large.", 431)

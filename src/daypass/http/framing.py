"""Request framing on a connection (RFC 9112), and the checks that reject a request.

llhttp parses as strictly as the RFC. This module adds the checks that llhttp leaves to its user.
"""

import re

import httptools
import orjson

from daypass.http.types import Headers

_ABSOLUTE_FORM = re.compile(rb"https?://([^/?@]+)(/[^?]*)?(\?.*)?", re.IGNORECASE)
_FRAMING = (b"content-length", b"transfer-encoding")


class BadRequestError(Exception):
    """The received bytes are not a request that this server can handle."""

    def __init__(self, message: str, status: int = 400) -> None:
        """Create the error; `message` is sent to the client."""
        super().__init__(message)
        self.message = message
        self.status = status

    def body(self) -> bytes:
        """Return the response body: an error in OpenAI's format."""
        error = {
            "message": self.message,
            "type": "invalid_request_error",
            "param": None,
            "code": "bad_request",
        }
        return orjson.dumps({"error": error})


def check_head(method: bytes, version: str, headers: Headers, by_name: dict[bytes, bytes]) -> None:
    """Raise BadRequestError if the head is ambiguous about host, body or protocol.

    Host: RFC 9112, section 3.2. Transfer codings: sections 6.1 and 7; only `chunked` is
    supported, and HTTP/1.0 has none. `CONNECT` would turn the connection into a tunnel.
    """
    if method == b"CONNECT":
        raise BadRequestError("CONNECT is not supported: this server is not a proxy.")
    if version not in ("1.1", "1.0"):
        raise BadRequestError("This server speaks HTTP/1.1.", 505)
    if b"host" not in by_name and version == "1.1":
        raise BadRequestError("The request has no Host header.")
    if len(by_name) < len(headers) and len(_values(headers, b"host")) > 1:
        raise BadRequestError("The request has more than one Host header.")
    if b"transfer-encoding" in by_name:
        codings = [value.strip().lower() for value in _values(headers, b"transfer-encoding")]
        if version != "1.1" or codings != [b"chunked"]:
            raise BadRequestError("The only supported transfer coding is chunked.")


def origin_form(method: bytes, target: bytes, headers: Headers) -> tuple[bytes, Headers]:
    """Return the request's path with query, and its headers with the effective Host.

    For a target in absolute form, the authority replaces the Host header (RFC 9112, section
    3.2.2). `*` means the server as a whole (section 3.2.4). Raises BadRequestError for any other
    target that is not a path, and for a target with a fragment.
    """
    if b"#" in target:
        raise BadRequestError("The request's target has a fragment.")
    if target.startswith(b"/") or (method == b"OPTIONS" and target == b"*"):
        return target, headers
    absolute = _ABSOLUTE_FORM.fullmatch(target)
    if absolute is None:
        raise BadRequestError("The request's target is neither a path nor an http URL.")
    host, path, query = absolute.groups()
    others = [pair for pair in headers if pair[0] != b"host"]
    return (path or b"/") + (query or b""), [(b"host", host), *others]


def framing_of(headers: Headers) -> bytes:
    """Return a minimal head with only the framing fields from `headers`."""
    fields = [name + b": " + value + b"\r\n" for name, value in headers if name in _FRAMING]
    return b"".join([b"POST / HTTP/1.1\r\n", *fields, b"\r\n"])


def reason_of(error: httptools.HttpParserError) -> BadRequestError:
    """Return a BadRequestError for an error of the parser or of one of its callbacks."""
    cause = error.__context__
    if isinstance(cause, BadRequestError):
        return cause
    if isinstance(error, httptools.HttpParserCallbackError):
        return BadRequestError("Malformed HTTP request.")
    return BadRequestError(f"Malformed HTTP request: {error}.")


def _values(headers: Headers, wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name == wanted]

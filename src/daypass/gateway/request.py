"""The client's request: checks its path, reads its body, and watches for a disconnect."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, cast
from urllib.parse import unquote, unquote_to_bytes

import jiter

from daypass.gateway.body_end import BodyEnd
from daypass.gateway.errors import GatewayError, invalid_api_key
from daypass.http.types import Headers, Message, Receive, Scope

PREFIX = b"/v1"
MODELS = PREFIX + b"/models/"
PATH_BYTES = 1024
MODEL_LENGTH = 100
REASON_LENGTH = 200
WATCH_AFTER_S = 0.1
"""Age in seconds at which a request is first watched for a disconnect. Cancellation must follow
within one second of the disconnect."""

# TRACE may echo what the upstream was sent, including the operator's key (RFC 9110, section
# 9.3.8). CONNECT would make the gateway a tunnel.
NOT_RELAYED = frozenset({"TRACE", "CONNECT"})
RELAYED = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

# Path segments as in RFC 3986, section 3.3, except ";", which servers interpret differently.
_SEGMENTS = re.compile(rb"(?:/(?:[A-Za-z0-9._~!$&'()*+,:=@-]|%[0-9A-Fa-f]{2})+)+/?")
# Forbidden in segments, encoded or not: sequences that leave /v1 or that servers read differently.
_SUSPECT = re.compile(rb"\.\.|/\.(?:/|$)|%(?:[01].|7f|2[35ef]|3[bf]|5c)", re.IGNORECASE)
_ENCODED_SLASH = re.compile(rb"%2f", re.IGNORECASE)
_KEY_IN_QUERY = re.compile(
    rb"(?:^|&)(?:x-)?(?:api[_-]?key|key|access_token)=|dp_[0-9A-Za-z]{38}", re.IGNORECASE
)


KEY_IN_QUERY = (
    "An API key does not belong in an address, which logs and histories keep. Send it as "
    "'x-api-key: dp_...' or 'Authorization: Bearer dp_...'. If this one is in use, rotate it on "
    "this site's keys page."
)


class ClientDisconnected(Exception):
    """The client disconnected, so no answer can be sent."""


class BodyIncompleteError(Exception):
    """A body ended early or was cut off."""


class Target(NamedTuple):
    """The target of a request below `/v1`, with percent-encoding and query string as sent."""

    method: str
    path: bytes
    query: bytes

    @property
    def raw(self) -> bytes:
        """Path and query in one string."""
        return self.path + b"?" + self.query if self.query else self.path


def target_of(scope: Scope, denied_paths: tuple[bytes, ...] = ()) -> Target:
    """Return the target of a request.

    Raises GatewayError: 404 for a path that leaves `/v1` or is denied, 405 for a method that is
    not relayed, 401 for an API key in the query. Uses only the raw path, never the Host header or
    a reconstructed URL.
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = _path_below(raw, denied_paths)
    method: str = scope["method"]
    if method in NOT_RELAYED:
        allow = [(b"allow", RELAYED)]
        raise GatewayError(405, "method_not_allowed", f"{method} is not relayed.", headers=allow)
    query: bytes = scope["query_string"]
    if query and _KEY_IN_QUERY.search(query):
        raise invalid_api_key(KEY_IN_QUERY)
    return Target(method, path, query)


@lru_cache(1024)
def _path_below(raw: bytes, denied_paths: tuple[bytes, ...]) -> bytes:
    """Return the path below `/v1` as sent. `denied_paths` are in lower case."""
    if len(raw) > PATH_BYTES or not raw.startswith(PREFIX + b"/"):
        raise unknown_path()
    # Model names may contain slashes, which some clients encode (RFC 3986, section 2.2).
    checked = _ENCODED_SLASH.sub(b"/", raw) if raw.startswith(MODELS) else raw
    if not _SEGMENTS.fullmatch(checked) or _SUSPECT.search(checked):
        raise unknown_path()
    try:
        unquote(raw.decode(), errors="strict")
    except UnicodeDecodeError:  # such as an overlong "/"
        raise unknown_path() from None
    path = raw[len(PREFIX) :]
    if path == b"/":
        raise unknown_path()
    # Compare the path as a lenient upstream would read it.
    read = unquote_to_bytes(path).lower()
    if any(read == denied or read.startswith(denied + b"/") for denied in denied_paths):
        raise unknown_path()
    return path


def refuse_websocket(headers: Headers) -> None:
    """Raise GatewayError 400 for headers that ask for a WebSocket (RFC 6455)."""
    if any(name == b"upgrade" and b"websocket" in value.lower() for name, value in headers):
        message = "WebSockets (the Realtime API) are not relayed. Use HTTP."
        raise GatewayError(
            400,
            "websocket_not_supported",
            message,
            headers=[(b"connection", b"close")],
            uncounted=True,
        )


def unknown_path() -> GatewayError:
    """Return the 404 for an unknown path."""
    message = "There is no such path. The gateway serves the OpenAI API below /v1/."
    return GatewayError(404, "unknown_url", message)


def is_json(headers: Mapping[bytes, bytes]) -> bool:
    """Return whether the content type is JSON."""
    declared = headers.get(b"content-type", b"")
    if declared == b"application/json":
        return True
    media_type = declared.partition(b";")[0].strip().lower()
    return media_type == b"application/json" or media_type.endswith(b"+json")


def declared_length(headers: Mapping[bytes, bytes], max_bytes: int) -> int | None:
    """Return the declared body length in bytes. Raises GatewayError 413 if over `max_bytes`."""
    declared = headers.get(b"content-length", b"")
    if not declared.isdigit():
        return None
    length = int(declared)
    if length > max_bytes:
        raise too_large(max_bytes)
    return length


async def read_body(receive: Receive, max_bytes: int) -> bytes:
    """Read the whole body. Raises GatewayError 413 as soon as it exceeds `max_bytes`."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        whole: bytes = message.get("body", b"")
        if len(whole) > max_bytes:
            raise too_large(max_bytes)
        return whole
    body = StreamedBody(receive, max_bytes, first=message)
    try:
        return b"".join([chunk async for chunk in body])
    except BodyIncompleteError:
        raise body.failure() from None


class StreamedBody:
    """A request body that is relayed as it arrives.

    Iteration raises BodyIncompleteError if the body exceeds `max_bytes` or the client disconnects.
    An incomplete body therefore cannot be mistaken for a complete one.
    """

    def __init__(
        self,
        receive: Receive,
        max_bytes: int,
        *,
        length: int | None = None,
        first: Message | None = None,
        headers: Headers | None = None,
    ) -> None:
        """Create a body. `length` is declared, in bytes; `first` is a message already received."""
        self.length = length
        self._end = BodyEnd(headers or [])
        self._first = first
        self._receive = receive
        self._max_bytes = max_bytes
        self._failure: Exception | None = None
        self.ended = asyncio.Event()

    @property
    def is_incomplete(self) -> bool:
        """Whether iteration failed; `failure` returns the reason."""
        return self._failure is not None

    @property
    def may_suffice(self) -> bool:
        """Whether the part relayed so far may be enough for an upstream."""
        return self._end.may_have_come

    def failure(self) -> Exception:
        """Return why the body is incomplete: a GatewayError, such as 413, or ClientDisconnected."""
        return self._failure or ClientDisconnected()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        more = True
        while more:
            message = self._first or await self._receive()
            self._first = None
            if message["type"] == "http.disconnect":
                self._failure = ClientDisconnected()
                raise BodyIncompleteError
            chunk: bytes = message.get("body", b"")
            more = message.get("more_body", False)
            size += len(chunk)
            if size > self._max_bytes:
                self._failure = too_large(self._max_bytes)
                raise BodyIncompleteError
            if chunk:
                self._end.feed(chunk)
                yield chunk
        self.ended.set()


class cancel_on_disconnect:
    """A context manager that cancels its block and raises ClientDisconnected on a disconnect."""

    __slots__ = ("_body", "_gone", "_receive", "_task", "_timer", "_watcher")

    def __init__(self, receive: Receive, body: bytes | StreamedBody) -> None:
        self._receive = receive
        self._body = body
        self._gone = False
        self._watcher: asyncio.Task[None] | None = None
        self._task: asyncio.Task[Any]
        self._timer: asyncio.TimerHandle

    def __enter__(self) -> None:
        self._task = cast(asyncio.Task[Any], asyncio.current_task())
        # Most answers arrive before a task to watch for disconnects is worth its cost.
        self._timer = self._task.get_loop().call_later(WATCH_AFTER_S, self._start)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if self._gone and kind is asyncio.CancelledError:
            self._task.uncancel()
            raise ClientDisconnected from None

    def _start(self) -> None:
        self._watcher = self._task.get_loop().create_task(self._watch())

    async def _watch(self) -> None:
        if isinstance(self._body, StreamedBody):
            await self._body.ended.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self._task.cancel()


def too_large(max_bytes: int) -> GatewayError:
    """Return the 413 for a body over the limit. The rest of the body is not read."""
    message = f"The request body is larger than this gateway allows ({max_bytes} bytes)."
    return GatewayError(413, "body_too_large", message, headers=[(b"connection", b"close")])


def document_of(body: bytes) -> dict[str, Any]:
    """Parse a JSON body. An empty body counts as an empty object.

    Raises GatewayError 400 if it is not a JSON object or has a duplicate key, because the upstream
    may use the other value.
    """
    if not body:
        return {}
    document = parse_json(body, "The request body")
    if not isinstance(document, dict):
        message = "The request body must be a JSON object."
        raise GatewayError(400, "invalid_json", message, uncounted=True)
    return document


def parse_json(text: bytes, what: str) -> Any:
    """Parse JSON from a request. Raises GatewayError 400 for invalid JSON or a duplicate key."""
    try:
        return jiter.from_json(
            text, allow_inf_nan=False, cache_mode="keys", catch_duplicate_keys=True
        )
    except ValueError as error:
        reason = str(error)[:REASON_LENGTH]
        message = f"{what} is not valid JSON: {reason}."
        raise GatewayError(400, "invalid_json", message, uncounted=True) from None


def model_to_record(name: str) -> str:
    """Return a model name, truncated for the records. Raises GatewayError 400 for a NUL."""
    if "\0" in name:  # PostgreSQL text cannot contain NUL.
        message = "The model's name holds a NUL character."
        raise GatewayError(400, "invalid_json", message, uncounted=True)
    return name[:MODEL_LENGTH]

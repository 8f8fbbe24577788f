"""A caller's request: its path checked, its body read, its model known."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import orjson

from daypass.gateway.asgi import Receive, Scope
from daypass.gateway.errors import GatewayError

PREFIX = b"/v1"
FREE_PATHS = (b"/models",)
MODEL_LENGTH = 100
WATCH_AFTER_S = 0.1
"""Of a request, after which its caller is watched; within the second that a cancellation has."""

# What a path must not hold: a way out of /v1, or two readings by two servers.
_SUSPECT = (b"..", b"//", b"\\", b";", b"%2e", b"%2f", b"%5c", b"%00", b"%3b")


class CallerGoneError(Exception):
    """The caller hung up. There is nobody left to answer."""


class BodyIncompleteError(Exception):
    """A body broke off, or was broken off, before its end."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes below `/v1`, percent-encoding and query string as sent."""

    method: str
    path: bytes
    query: bytes

    @property
    def raw(self) -> bytes:
        """Path and query as one."""
        return self.path + b"?" + self.query if self.query else self.path

    @property
    def is_free(self) -> bool:
        """Whether the request counts nothing: reading the list of models."""
        return self.method == "GET" and (
            self.path in FREE_PATHS or self.path.startswith(b"/models/")
        )


def target_of(scope: Scope, denied_paths: tuple[bytes, ...] = ()) -> Target:
    """The target of a request. Raises GatewayError 404 for a path that leaves `/v1`.

    Decides on the raw path alone, never on the Host header or a rebuilt address.
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    lower = raw.lower()
    if len(raw) <= len(PREFIX) + 1 or not raw.startswith(PREFIX + b"/"):
        raise unknown_path()
    if any(part in lower for part in _SUSPECT):
        raise unknown_path()
    path = raw[len(PREFIX) :]
    if any(path == denied or path.startswith(denied + b"/") for denied in denied_paths):
        raise unknown_path()
    return Target(scope["method"], path, scope["query_string"])


def unknown_path() -> GatewayError:
    """404: there is nothing at this path."""
    message = "There is no such path. The gateway serves the OpenAI API below /v1/."
    return GatewayError(404, "unknown_url", message)


def header(scope: Scope, name: bytes) -> bytes:
    """The value of a request header, empty when it is absent."""
    value: bytes
    for key, value in scope["headers"]:
        if key == name:
            return value
    return b""


def is_json(scope: Scope) -> bool:
    """Whether the request says that its body is JSON."""
    media_type = header(scope, b"content-type").partition(b";")[0].strip().lower()
    return media_type == b"application/json" or media_type.endswith(b"+json")


def declared_length(scope: Scope, max_bytes: int) -> int | None:
    """The body's declared length in bytes. Raises GatewayError 413 for more than `max_bytes`."""
    declared = header(scope, b"content-length")
    if not declared.isdigit():
        return None
    if int(declared) > max_bytes:
        raise too_large(max_bytes)
    return int(declared)


async def read_body(receive: Receive, max_bytes: int) -> bytes:
    """The whole body. Raises GatewayError 413 as soon as it outgrows `max_bytes`."""
    body = StreamedBody(receive, max_bytes)
    try:
        chunks = [chunk async for chunk in body]
    except BodyIncompleteError:
        raise body.failure() from None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class StreamedBody:
    """A body passed on as it comes in.

    Iteration raises BodyIncompleteError when the body outgrows `max_bytes` or its sender
    leaves, so that who passes it on cannot take what came so far for the whole.
    """

    def __init__(self, receive: Receive, max_bytes: int, length: int | None = None) -> None:
        self.length = length
        self._receive = receive
        self._max_bytes = max_bytes
        self._failure: Exception | None = None
        self.ended = asyncio.Event()

    @property
    def is_incomplete(self) -> bool:
        """Whether iteration failed; `failure` tells why."""
        return self._failure is not None

    def failure(self) -> Exception:
        """Why the body is not whole: GatewayError 413 or CallerGoneError."""
        return self._failure or CallerGoneError()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._failure = CallerGoneError()
                raise BodyIncompleteError
            chunk: bytes = message.get("body", b"")
            more = message.get("more_body", False)
            size += len(chunk)
            if size > self._max_bytes:
                self._failure = too_large(self._max_bytes)
                raise BodyIncompleteError
            if chunk:
                yield chunk
        self.ended.set()


@contextlib.asynccontextmanager
async def while_caller_waits(receive: Receive, body: bytes | StreamedBody) -> AsyncIterator[None]:
    """Cancel what runs inside as soon as the caller hangs up. Raises CallerGoneError then."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101
    gone = False

    async def watch() -> None:
        nonlocal gone
        if isinstance(body, StreamedBody):
            await body.ended.wait()
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        task.cancel()

    watcher: asyncio.Task[None] | None = None

    def start() -> None:
        nonlocal watcher
        watcher = loop.create_task(watch())

    # Most answers are there before it is worth a task to watch for who leaves.
    loop = asyncio.get_running_loop()
    waiting = loop.call_later(WATCH_AFTER_S, start)
    try:
        yield
    except asyncio.CancelledError:
        if gone:
            task.uncancel()
            raise CallerGoneError from None
        raise
    finally:
        waiting.cancel()
        if watcher is not None:
            watcher.cancel()


def too_large(max_bytes: int) -> GatewayError:
    """413: the body is over the limit. The rest of it is not read."""
    message = f"The request body is larger than this gateway allows ({max_bytes} bytes)."
    return GatewayError(413, "body_too_large", message, headers=[(b"connection", b"close")])


def model_of(body: bytes) -> str | None:
    """The model that a JSON body names. Raises GatewayError 400 when it is not a JSON object."""
    if not body:
        return None
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        message = f"The request body is not valid JSON: {error}. Nothing was counted."
        raise GatewayError(400, "invalid_json", message) from None
    if not isinstance(document, dict):
        message = "The request body must be a JSON object. Nothing was counted."
        raise GatewayError(400, "invalid_json", message)
    model = document.get("model")
    return model[:MODEL_LENGTH] if isinstance(model, str) else None

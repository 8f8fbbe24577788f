"""A real HTTP upstream whose behaviour a test chooses, and which remembers what it was sent."""

import asyncio
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send


@dataclass
class Seen:
    """A request as the upstream saw it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return orjson.loads(self.body)


Reply = Callable[[Seen], Response]


def completion(seen: Seen) -> Response:
    """An unary or streamed chat completion, as the request asks."""
    is_json = seen.headers.get("content-type") == "application/json"
    asked = orjson.loads(seen.body) if seen.body and is_json else {}
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    if not asked.get("stream"):
        message = {"role": "assistant", "content": "Hello."}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return JSONResponse(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": asked.get("model"),
                "choices": [choice],
                "usage": usage,
            }
        )

    async def events() -> Any:
        for word in ("Hel", "lo", "."):
            chunk = {
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": asked.get("model"),
                "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}],
            }
            yield b"data: " + orjson.dumps(chunk) + b"\n\n"
            await asyncio.sleep(0.02)
        last: dict[str, Any] = {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": asked.get("model"),
            "choices": [],
            "usage": usage,
        }
        yield b"data: " + orjson.dumps(last) + b"\n\n"
        yield b"data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@dataclass
class FakeUpstream:
    """Runs in a thread of its own, on a free loopback port."""

    reply: Reply = completion
    seen: list[Seen] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            self._app, interface="asgi3", log_level="critical", lifespan="off", ws="none"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def start(self) -> None:
        self._thread.start()
        while not self._server.started:
            threading.Event().wait(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)
        self._socket.close()

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        target = scope["raw_path"].decode()
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode()
        seen = Seen(request.method, target, dict(request.headers), await request.body())
        self.seen.append(seen)
        response = self.reply(seen)
        try:
            await response(scope, receive, send)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        if await request.is_disconnected():
            self.cancelled.set()

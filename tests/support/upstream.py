"""A real HTTP upstream whose behaviour a test chooses and which records its requests."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tests.support.local_server import LocalServer


@dataclass
class Seen:
    """A request as the upstream received it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return orjson.loads(self.body)


Reply = Callable[[Seen], Response]


def completion(seen: Seen) -> Response:
    """Return a unary or streamed chat completion, as requested."""
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

    includes_usage = bool((asked.get("stream_options") or {}).get("include_usage"))

    async def events() -> Any:
        for word in ("Hel", "lo", "."):
            chunk: dict[str, Any] = {
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": asked.get("model"),
                "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}],
            }
            if includes_usage:
                chunk["usage"] = None
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
        if includes_usage:
            yield b"data: " + orjson.dumps(last) + b"\n\n"
        yield b"data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@dataclass
class FakeUpstream(LocalServer):
    """An upstream in this process."""

    reply: Reply = completion
    certificate: Path | None = None
    seen: list[Seen] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(self._app, self.certificate)

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

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

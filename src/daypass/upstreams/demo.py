"""The demo model: an OpenAI-compatible upstream with no key and no network.

It is used if the operator has configured no upstream, so that Daypass can be tried at once.
The text is clearly a demo; the format (JSON, events, usage) is OpenAI's.
"""

import asyncio
import base64
import hashlib
import json
import math
import random
import re
import struct
import time
from collections import deque
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from daypass.upstreams.base import UpstreamRequest

MODEL = "daypass-demo"
EMBEDDING_MODEL = "daypass-demo-embedding"
EMBEDDING_SIZE = 64
WORD_DELAY_S = (0.020, 0.040)

_TEXT = """\
**This is Daypass's demo model.** No upstream is configured, so no language model read your message.

You asked: “{prompt}”

Your request went through the same steps as a real one:

1. **Authenticate**: your API key was recognised by its digest.
2. **Reserve**: one request was taken from today's quota before anything else happened.
3. **Relay**: this text is being sent to you word by word.
4. **Settle**: the tokens are recorded on your usage page.

```python
from openai import OpenAI

client = OpenAI(base_url="https://your-daypass/v1", api_key="dp_...")
```

To get real answers, ask the operator to connect an upstream on this site, or to set
`OPENAI_API_KEY` and restart Daypass."""


class DemoUpstream:
    """Answers chat completions, responses, embeddings and models from memory."""

    async def open(self, request: UpstreamRequest) -> "DemoResponse":
        """Return the response to a request, or a 404 for an unsupported path."""
        body = request.body if isinstance(request.body, bytes) else b""
        try:
            asked = json.loads(body) if body else {}
        except ValueError:
            asked = {}
        path = request.target.partition(b"?")[0].decode("latin-1")
        match request.method, path:
            case "GET", "/models":
                models = [_model(MODEL), _model(EMBEDDING_MODEL)]
                return _json(200, {"object": "list", "data": models})
            case "GET", "/models/daypass-demo" | "/models/daypass-demo-embedding":
                return _json(200, _model(path.removeprefix("/models/")))
            case "POST", "/chat/completions":
                return _chat(asked)
            case "POST", "/responses":
                return _responses(asked)
            case "POST", "/embeddings":
                return _embeddings(asked)
        message = f"The demo model does not support {request.method} {path}. It supports chat, "
        return _error(404, "unknown_url", message + "responses, embeddings and models.")

    is_idle = True

    async def close(self) -> None:
        """Do nothing; there are no connections."""

    def drain(self) -> None:
        """Do nothing; there are no connections."""


class DemoResponse:
    """A response from memory; a streamed one yields a word every 20 to 40 ms."""

    def __init__(self, status: int, content_type: str, pieces: list[bytes], *, paced: bool) -> None:
        self.status = status
        self.headers = [(b"content-type", content_type.encode())]
        if not paced:
            length = sum(len(piece) for piece in pieces)
            self.headers.append((b"content-length", b"%d" % length))
        self._pieces = deque(pieces)
        self._paced = paced

    @property
    def ended(self) -> bool:
        """Return whether all of the body has been read."""
        return not self._pieces

    async def read(self) -> bytes:
        """Return the next piece of the body, empty at its end."""
        if not self._pieces:
            return b""
        if self._paced:
            await asyncio.sleep(random.uniform(*WORD_DELAY_S))  # noqa: S311
        return self._pieces.popleft()

    def close(self) -> None:
        """Do nothing: there is no connection."""


def _json(status: int, document: dict[str, Any]) -> DemoResponse:
    return DemoResponse(status, "application/json", [json.dumps(document).encode()], paced=False)


def _error(status: int, code: str, message: str, param: str | None = None) -> DemoResponse:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return _json(status, {"error": error})


def _stream(events: Iterator[dict[str, Any]], *, named: bool, done: bool) -> DemoResponse:
    pieces = []
    for event in events:
        name = f"event: {event['type']}\n" if named else ""
        pieces.append(f"{name}data: {json.dumps(event)}\n\n".encode())
    if done:
        pieces[-1] += b"data: [DONE]\n\n"
    return DemoResponse(200, "text/event-stream; charset=utf-8", pieces, paced=True)


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1764028800, "owned_by": "daypass"}


def _chat(asked: dict[str, Any]) -> DemoResponse:
    messages = asked.get("messages")
    if not isinstance(messages, list) or not messages:
        return _error(400, "missing_required_parameter", "'messages' is required.", "messages")
    text = _answer(_prompt(messages))
    usage = _usage(messages, text, "prompt_tokens", "completion_tokens")
    head = {
        "id": f"chatcmpl-{uuid4().hex}",
        "created": int(time.time()),
        "model": str(asked.get("model") or MODEL),
    }
    if not asked.get("stream"):
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return _json(200, head | {"object": "chat.completion", "choices": [choice], "usage": usage})
    options = asked.get("stream_options")
    wants_usage = isinstance(options, dict) and bool(options.get("include_usage"))
    return _stream(_chat_chunks(head, text, usage if wants_usage else None), named=False, done=True)


def _chat_chunks(
    head: dict[str, Any], text: str, usage: dict[str, Any] | None
) -> Iterator[dict[str, Any]]:
    head = head | {"object": "chat.completion.chunk"}
    if usage:
        head["usage"] = None

    def chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return head | {"choices": [choice]}

    yield chunk({"role": "assistant", "content": ""})
    for word in _words(text):
        yield chunk({"content": word})
    yield chunk({}, "stop")
    if usage:
        yield head | {"choices": [], "usage": usage}


def _responses(asked: dict[str, Any]) -> DemoResponse:
    given = asked.get("input")
    if not given:
        return _error(400, "missing_required_parameter", "'input' is required.", "input")
    text = _answer(given if isinstance(given, str) else _prompt(given))
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {
        "id": f"msg_{uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }
    response = {
        "id": f"resp_{uuid4().hex}",
        "object": "response",
        "created_at": int(time.time()),
        "model": str(asked.get("model") or MODEL),
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": asked.get("instructions"),
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "output": [item],
        "usage": _usage(given, text, "input_tokens", "output_tokens"),
    }
    if not asked.get("stream"):
        return _json(200, response)
    return _stream(_response_events(response, item, part), named=True, done=False)


def _response_events(
    response: dict[str, Any], item: dict[str, Any], part: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    number = -1

    def event(type_: str, **members: Any) -> dict[str, Any]:
        nonlocal number
        number += 1
        return {"type": f"response.{type_}", "sequence_number": number} | members

    begun = response | {"status": "in_progress", "output": [], "usage": None}
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    yield event("created", response=begun)
    yield event("in_progress", response=begun)
    yield event(
        "output_item.added", output_index=0, item=item | {"status": "in_progress", "content": []}
    )
    yield event("content_part.added", **place, part=part | {"text": ""})
    for word in _words(part["text"]):
        yield event("output_text.delta", **place, delta=word, logprobs=[])
    yield event("output_text.done", **place, text=part["text"], logprobs=[])
    yield event("content_part.done", **place, part=part)
    yield event("output_item.done", output_index=0, item=item)
    yield event("completed", response=response)


def _embeddings(asked: dict[str, Any]) -> DemoResponse:
    given = asked.get("input")
    if not given:
        return _error(400, "missing_required_parameter", "'input' is required.", "input")
    texts = given if isinstance(given, list) else [given]
    as_base64 = asked.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _vector(str(text), as_base64)}
        for index, text in enumerate(texts)
    ]
    tokens = sum(_count(str(text)) for text in texts)
    return _json(
        200,
        {
            "object": "list",
            "model": str(asked.get("model") or EMBEDDING_MODEL),
            "data": data,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        },
    )


def _vector(text: str, as_base64: bool) -> list[float] | str:
    """Return a unit vector that depends only on the text."""
    source = random.Random(hashlib.sha256(text.encode()).digest())  # noqa: S311
    vector = [source.gauss(0, 1) for _ in range(EMBEDDING_SIZE)]
    length = math.hypot(*vector)
    vector = [x / length for x in vector]
    if not as_base64:
        return vector
    return base64.b64encode(struct.pack(f"<{EMBEDDING_SIZE}f", *vector)).decode()


def _prompt(messages: Any) -> str:
    """Return the text of the last user message."""
    for message in reversed(messages if isinstance(messages, list) else []):
        if isinstance(message, dict) and message.get("role") == "user":
            content = message.get("content")
            if isinstance(content, str):
                return content
            parts = content if isinstance(content, list) else []
            return " ".join(str(x.get("text", "")) for x in parts if isinstance(x, dict))
    return ""


def _answer(prompt: str) -> str:
    short = " ".join(prompt.split())
    return _TEXT.format(prompt=short if len(short) <= 200 else short[:200] + "…")


def _usage(given: Any, text: str, input_name: str, output_name: str) -> dict[str, Any]:
    """Return token counts, approximated by counting words and punctuation marks."""
    asked, answered = _count(json.dumps(given)), _count(text)
    return {input_name: asked, output_name: answered, "total_tokens": asked + answered}


def _count(text: str) -> int:
    return len(re.findall(r"\w+|[^\w\s]", text))


def _words(text: str) -> list[str]:
    return re.findall(r"\s*\S+", text)

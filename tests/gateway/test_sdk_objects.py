"""The official SDKs build the same objects and events directly and through Daypass."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import orjson
import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.conftest import Server, start_server
from tests.gateway.sdk_calls import TOOL
from tests.support.upstream import FakeUpstream, Seen

PLANS = """
[[plans]]
id = "tokens"
name = "Tokens"
tokens_per_day = 1_000_000

[[plans]]
id = "requests"
name = "Requests"
requests_per_day = 1000
"""
CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi 😀"}]}
TOOLS = {"tools": [{"type": "function", "function": TOOL}]}
ASKING = {"stream": True, "stream_options": {"include_usage": True}}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("chat.completions", CHAT | {"max_tokens": 9}),
    ("chat.completions", CHAT | TOOLS | {"n": 2, "logprobs": True}),
    ("chat.completions", CHAT | {"stream": True}),
    ("chat.completions", CHAT | TOOLS | {"stream": True, "n": 2, "logprobs": True}),
    ("chat.completions", CHAT | TOOLS | ASKING),
    ("responses", {"model": "m", "input": "Hi", "stream": True}),
    ("embeddings", {"model": "m", "input": ["Hi"], "encoding_format": "float"}),
]
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
LOGPROBS = {"content": [{"token": "é", "bytes": [195, 169], "logprob": -0.1, "top_logprobs": []}]}
CALL = {"index": 0, "id": "call_1", "type": "function",
        "function": {"name": "find_file", "arguments": '{"usage": null}'}}  # fmt: skip


def reply(seen: Seen) -> Response:
    asked = seen.json()
    if seen.target.endswith("/embeddings"):
        data = [{"object": "embedding", "index": 0, "embedding": [0.5, -1e-7]}]
        usage = {"prompt_tokens": 5, "total_tokens": 5}
        return JSONResponse({"object": "list", "data": data, "model": "m", "usage": usage})
    if seen.target.endswith("/responses"):
        return events(list(response_events()), named=True)
    head = {"id": "c1", "created": 1, "model": "m"}
    if not asked.get("stream"):
        message = {"role": "assistant", "content": "é", "tool_calls": [CALL], "refusal": None}
        choices = [
            {"index": i, "message": message, "finish_reason": "stop", "logprobs": LOGPROBS}
            for i in range(asked.get("n", 1))
        ]
        return JSONResponse(
            head | {"object": "chat.completion", "choices": choices, "usage": USAGE}
        )
    includes_usage = asked.get("stream_options", {}).get("include_usage", False)
    chunks = []
    for delta in ({"role": "assistant", "content": "é"}, {"tool_calls": [CALL]}, {"refusal": "n"}):
        for index in range(asked.get("n", 1)):
            choice = {"index": index, "delta": delta, "logprobs": LOGPROBS, "finish_reason": None}
            chunk = head | {"object": "chat.completion.chunk", "choices": [choice]}
            chunks.append(chunk | ({"usage": None} if includes_usage else {}))
    if includes_usage:
        chunks.append(head | {"object": "chat.completion.chunk", "choices": [], "usage": USAGE})
    return events(chunks, named=False)


def response_events() -> Iterator[dict[str, Any]]:
    base = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "output": []}
    yield {"type": "response.created", "sequence_number": 0, "response": base}
    delta = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "é"}
    yield {"type": "response.output_text.delta", "sequence_number": 1, "logprobs": []} | delta
    usage = {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}
    done = base | {"status": "completed", "usage": usage}
    yield {"type": "response.completed", "sequence_number": 2, "response": done}


def events(chunks: list[dict[str, Any]], *, named: bool) -> Response:
    def text() -> Iterator[bytes]:
        for chunk in chunks:
            name = f"event: {chunk['type']}\n".encode() if named else b""
            yield name + b"data: " + orjson.dumps(chunk) + b"\n\n"
        yield b"" if named else b"data: [DONE]\n\n"

    return StreamingResponse(text(), media_type="text/event-stream")


@pytest.fixture(scope="module")
def site(
    upstream_process: FakeUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("objects")
    (directory / "daypass.toml").write_text(PLANS)
    server = start_server(directory, DAYPASS_UPSTREAM_BASE_URL=upstream_process.base_url)
    yield server
    server.stop()


def by_python(base_url: str, key: str) -> list[Any]:
    found: list[Any] = []
    with openai.OpenAI(base_url=base_url, api_key=key, max_retries=0) as client:
        for resource, body in CALLS:
            at: Any = client
            for name in resource.split("."):
                at = getattr(at, name)
            answer = at.create(**body)
            found += list(answer) if body.get("stream") else [answer]
    return [(type(x).__name__, x.model_dump(exclude_unset=True)) for x in found]


def by_node(base_url: str, key: str) -> list[Any]:
    script = Path(__file__).with_name("sdk_objects.mjs")
    package = Path(__file__).parents[1] / "e2e" / "node" / "package.json"
    ended = subprocess.run(
        ["node", str(script), base_url, key, json.dumps(CALLS), str(package)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return list(json.loads(ended.stdout))


@pytest.mark.parametrize("sdk", [by_python, by_node])
def test_sdk_objects_and_events_are_the_same_as_without_daypass(
    site: Server, upstream: FakeUpstream, sdk: Any
) -> None:
    upstream.reply = reply
    direct = sdk(upstream.base_url, "sk-any")
    assert len(direct) == 2 + 3 + 6 + 4 + 3 + 1
    for plan in ("tokens", "requests"):
        key = site.sign_up().create_key(plan)["key"]
        assert sdk(f"{site.url}/v1", key) == direct, plan

"""The official `openai` SDK with another `base_url`, as users call it."""

import time

import openai
import pytest

from tests.conftest import Server, StartServer
from tests.support.upstream import FakeUpstream


def client(server: Server, key: str | None = None) -> openai.OpenAI:
    key = key or server.sign_up().create_key()["key"]
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key=key)


def test_chat(demo: Server) -> None:
    sdk = client(demo)
    answer = sdk.chat.completions.create(
        model="daypass-demo", messages=[{"role": "user", "content": "What is a lighthouse?"}]
    )
    text = answer.choices[0].message.content
    assert text
    assert "What is a lighthouse?" in text
    assert "demo" in text
    assert answer.usage
    assert answer.usage.total_tokens > 0


def test_the_sdk_streams_a_chat_completion(demo: Server) -> None:
    stream = client(demo).chat.completions.create(
        model="daypass-demo",
        messages=[{"role": "user", "content": "hi"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    words, arrivals, usage = [], [], None
    for chunk in stream:
        usage = chunk.usage or usage
        if chunk.choices and chunk.choices[0].delta.content:
            words.append(chunk.choices[0].delta.content)
            arrivals.append(time.monotonic())
    assert len(words) > 50
    # A busy machine delivers several at once, but never all of them.
    assert arrivals[-1] - arrivals[0] > len(words) * 0.005
    assert usage
    assert usage.completion_tokens > 50


def test_the_sdk_creates_a_response(demo: Server) -> None:
    sdk = client(demo)
    assert (
        "hello there" in sdk.responses.create(model="daypass-demo", input="hello there").output_text
    )
    with sdk.responses.stream(model="daypass-demo", input="hello there") as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert "hello there" in final.output_text
    assert final.usage
    assert final.usage.output_tokens > 0


def test_the_sdk_creates_embeddings_and_lists_models(demo: Server) -> None:
    sdk = client(demo)
    made = sdk.embeddings.create(model="daypass-demo-embedding", input=["one", "two"])
    one, two = (item.embedding for item in made.data)
    assert len(one) == len(two)
    assert one != two
    assert sum(x * x for x in one) == pytest.approx(1, abs=1e-5)
    assert "daypass-demo" in [model.id for model in sdk.models.list()]


def test_the_sdk_does_not_retry_when_the_daily_limit_is_reached(
    start: StartServer, upstream: FakeUpstream
) -> None:
    server = start(DAYPASS_UPSTREAM_BASE_URL=upstream.base_url)
    sdk = client(server)
    messages: list[openai.types.chat.ChatCompletionMessageParam] = [
        {"role": "user", "content": "hi"}
    ]
    for _ in range(10):
        sdk.chat.completions.create(model="m", messages=messages)
    sent: list[str] = []
    sdk = openai.OpenAI(
        base_url=sdk.base_url,
        api_key=sdk.api_key,
        http_client=openai.DefaultHttpxClient(
            event_hooks={"request": [lambda request: sent.append(str(request.url))]}
        ),
    )
    with pytest.raises(openai.RateLimitError) as caught:
        sdk.chat.completions.create(model="m", messages=messages)
    assert len(sent) == 1
    assert caught.value.code == "insufficient_quota"
    assert caught.value.type == "insufficient_quota"
    assert caught.value.request_id
    assert "10 requests per day" in str(caught.value)
    assert len(upstream.seen) == 10


def test_the_sdk_raises_authentication_error_for_a_wrong_key(demo: Server) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        client(demo, "sk-wrong").models.list()
    assert caught.value.code == "invalid_api_key"


def test_the_sdk_raises_for_a_broken_stream(start: StartServer, upstream: FakeUpstream) -> None:
    import asyncio

    from starlette.responses import StreamingResponse

    async def events() -> object:
        yield b'data: {"id": "1", "object": "chat.completion.chunk", "choices": []}\n\n'
        await asyncio.sleep(30)

    upstream.reply = lambda _seen: StreamingResponse(events(), media_type="text/event-stream")  # type: ignore[arg-type]
    server = start(DAYPASS_UPSTREAM_BASE_URL=upstream.base_url, DAYPASS_READ_TIMEOUT_S="1")
    stream = client(server).chat.completions.create(
        model="m", messages=[{"role": "user", "content": "hi"}], stream=True
    )
    with pytest.raises(openai.APIError, match="broke off"):
        list(stream)

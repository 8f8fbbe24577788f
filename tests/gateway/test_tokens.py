"""Limits on tokens and cost, over HTTP, with a real upstream."""

import asyncio
import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import openai
import orjson
import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tests.conftest import Server
from tests.support.relaying import relaying_to
from tests.support.upstream import FakeUpstream, Seen
from tests.support.waiting import until

PLANS = """
[[plans]]
id = "tokens"
name = "Tokens"
tokens_per_day = 10_000

[[plans]]
id = "cents"
name = "Cents"
cost_per_month = 0.05

[[plans]]
id = "short"
name = "Short answers"
requests_per_day = 100
max_output_tokens = 50

[[plans]]
id = "trial"
name = "Trial"
requests_per_day = 100
max_key_days = 2

[[plans]]
id = "requests"
name = "Requests"
requests_per_day = 100

[[prices]]
model = "our-own"
input = 2
cached_input = 1
output = 10

[[prices]]
model = "our-images"
per_image = 0.001
"""


@pytest.fixture(scope="module")
def site(
    upstream_process: FakeUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with relaying_to(upstream_process, tmp_path_factory.mktemp("tokens"), PLANS) as server:
        yield server


@pytest.fixture
def tokens(site: Server, upstream: FakeUpstream) -> httpx.Client:
    return site.gateway(site.sign_up().create_key("tokens")["key"])


def chat(**more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "Hello."}]
    return {"model": "our-own", "messages": messages} | more


class Silence(Response):
    """Sends no response until the client disconnects."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


def answer_of(prompt: int, completion: int, **details: Any) -> Response:
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, **details}
    return JSONResponse({"object": "chat.completion", "choices": [], "usage": usage})


def limit_of(api: httpx.Client) -> dict[str, Any]:
    limits = api.get("/v1/key").json()["limits"]
    (limit,) = [x for x in limits if x["measure"] != "requests" and x["subject"] == "key"]
    return dict(limit)


def until_used(api: httpx.Client, amount: int) -> None:
    until(lambda: limit_of(api)["used"] == amount)


def test_a_request_settles_at_the_reported_usage(
    tokens: httpx.Client, upstream: FakeUpstream
) -> None:
    answered = tokens.post("/v1/chat/completions", json=chat(max_tokens=100))
    assert answered.status_code == 200
    assert answered.headers["x-ratelimit-limit-tokens"] == "10000"
    reserved = len(upstream.seen[-1].body) + 100
    assert answered.headers["x-ratelimit-remaining-tokens"] == str(10_000 - reserved)
    assert answered.headers["ratelimit-policy"].startswith('"day-tokens";q=10000;w=86400')
    until_used(tokens, 18)
    described = limit_of(tokens)
    assert (described["measure"], described["window"], described["limit"]) == (
        "tokens", "day", 10_000,
    )  # fmt: skip


def test_short_questions_fit_a_limit_of_6000_tokens(
    tokens: httpx.Client, upstream: FakeUpstream
) -> None:
    upstream.reply = lambda _seen: answer_of(300, 300)
    for i in range(16):
        answered = tokens.post("/v1/chat/completions", json=chat())
        assert answered.status_code == 200, (i, answered.text)
        until_used(tokens, 600 * (i + 1))
    assert upstream.seen[-1].json()["max_completion_tokens"] < 2_000
    assert answered.headers["x-daypass-max-output-tokens"] == str(
        upstream.seen[-1].json()["max_completion_tokens"]
    )


def test_the_output_cap_is_lowered_to_256_tokens_at_the_least(
    tokens: httpx.Client, upstream: FakeUpstream
) -> None:
    body = orjson.dumps(chat(max_tokens=4000))
    upstream.reply = lambda _seen: answer_of(0, 10_000 - len(body) - 256)
    assert tokens.post("/v1/chat/completions", content=body, headers=JSON).status_code == 200
    until_used(tokens, 10_000 - len(body) - 256)
    upstream.reply = lambda _seen: answer_of(0, 1)
    answered = tokens.post("/v1/chat/completions", content=body, headers=JSON)
    assert answered.headers["x-daypass-max-output-tokens"] == "256"
    assert upstream.seen[-1].body == body.replace(b"4000", b"256")
    until_used(tokens, 10_000 - len(body) - 255)
    refused = tokens.post("/v1/chat/completions", content=body, headers=JSON)
    error = refused.json()["error"]
    assert refused.status_code == 429
    assert refused.headers["x-should-retry"] == "false"
    assert error["code"] == "insufficient_quota"
    assert (error["measure"], error["requested"]) == ("tokens", len(body) + 4000)
    assert (error["limit"], error["used"]) == (10_000, 10_000 - len(body) - 255)


JSON = {"content-type": "application/json"}


def test_several_answers_multiply_the_bound(tokens: httpx.Client, upstream: FakeUpstream) -> None:
    body = orjson.dumps(chat(max_tokens=1000, n=20))
    answered = tokens.post("/v1/chat/completions", content=body, headers=JSON)
    assert answered.status_code == 200
    sent = upstream.seen[-1].json()["max_tokens"]
    assert sent == (10_000 - len(body)) // 20
    remaining = int(answered.headers["x-ratelimit-remaining-tokens"])
    assert remaining == 10_000 - len(body) - 20 * sent


def test_a_cap_in_any_case_is_lowered(tokens: httpx.Client, upstream: FakeUpstream) -> None:
    tokens.post("/v1/chat/completions", json=chat(MAX_TOKENS=10**9, max_tokens=5))
    assert upstream.seen[-1].json()["MAX_TOKENS"] < 10_000
    assert upstream.seen[-1].json()["max_tokens"] < 10_000


def test_an_empty_body_stays_empty(tokens: httpx.Client, upstream: FakeUpstream) -> None:
    upstream.reply = lambda _seen: JSONResponse({"error": {"message": "empty"}}, 400)
    assert tokens.post("/v1/chat/completions").status_code == 400
    assert upstream.seen[-1].body == b""


@pytest.mark.parametrize("cap", ["1000", 1.5, True, [5]])
def test_an_output_cap_that_is_not_a_number_is_a_bad_request(
    tokens: httpx.Client, cap: Any
) -> None:
    refused = tokens.post("/v1/chat/completions", json=chat(max_tokens=cap))
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "max_tokens")


def test_a_response_without_usage_settles_at_the_bound(
    tokens: httpx.Client, upstream: FakeUpstream
) -> None:
    upstream.reply = lambda _seen: JSONResponse({"choices": []})
    body = orjson.dumps(chat(max_tokens=500))
    tokens.post("/v1/chat/completions", content=body, headers=JSON)
    until_used(tokens, len(body) + 500)


def test_usage_beyond_the_bound_counts(
    tokens: httpx.Client, upstream: FakeUpstream, site: Server
) -> None:
    upstream.reply = lambda _seen: answer_of(9_000, 3_000)
    tokens.post("/v1/chat/completions", json=chat(max_tokens=100))
    until_used(tokens, 12_000)
    assert tokens.post("/v1/chat/completions", json=chat(max_tokens=1)).status_code == 429
    metrics = site.client()
    until(lambda: "daypass_unreserved_tokens_total 1" in metrics.get("/metrics").text)


def test_a_failed_call_releases_its_tokens(tokens: httpx.Client, upstream: FakeUpstream) -> None:
    upstream.reply = lambda _seen: Response("no", 503)
    tokens.post("/v1/chat/completions", json=chat(max_tokens=100))
    until_used(tokens, 0)


def test_cost_is_computed_per_kind_of_token(site: Server, upstream: FakeUpstream) -> None:
    api = site.gateway(site.sign_up().create_key("cents")["key"])
    cached = {"prompt_tokens_details": {"cached_tokens": 400}}
    upstream.reply = lambda _seen: answer_of(1_000, 200, **cached)
    assert api.post("/v1/chat/completions", json=chat(max_tokens=300)).status_code == 200
    until_used(api, 600 * 2 + 400 * 1 + 200 * 10)
    assert limit_of(api)["limit"] == 50_000
    refused = api.post("/v1/chat/completions", json=chat(model="nobody-knows-it"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "price_unknown")


def form(*models: str) -> dict[str, Any]:
    """Return a form with a file before its models, as the Node SDK's examples send it."""
    parts = ['name="file"; filename="a.wav"\r\n\r\n' + "x" * 100_000]
    parts += [f'name="model"\r\n\r\n{model}' for model in models]
    text = "".join(f"--b\r\ncontent-disposition: form-data; {x}\r\n" for x in parts)
    content_type = {"content-type": "multipart/form-data; boundary=b"}
    return {"content": text + "--b--\r\n", "headers": content_type}


def test_a_form_is_priced_by_its_model_in_any_position(
    site: Server, upstream: FakeUpstream
) -> None:
    api = site.gateway(site.sign_up().create_key("cents")["key"])
    upstream.reply = lambda _seen: answer_of(1_000, 200)
    twice = api.post("/v1/audio/transcriptions", **form("our-own", "dear"))
    assert (twice.status_code, twice.json()["error"]["code"]) == (400, "invalid_form")
    unknown = api.post("/v1/audio/transcriptions", **form("nobody-knows-it"))
    assert unknown.json()["error"]["code"] == "price_unknown"
    assert api.post("/v1/audio/transcriptions", **form("our-own")).status_code == 200
    until_used(api, 1_000 * 2 + 200 * 10)


@pytest.mark.parametrize(
    ("model", "options", "param"),
    [
        ("our-own", {"service_tier": "priority"}, "service_tier"),
        ("our-own", {"Service_Tier": "fast"}, "Service_Tier"),
        ("our-own", {"speed": "fast"}, "speed"),
        ("our-own", {"web_search_options": {}, "plugins": [{"id": "web"}]}, "plugins"),
        ("our-own", {"tools": [{"type": "web_search_20260209", "name": "w"}]}, "tools"),
        ("our-own", {"tools": [{"type": "code_interpreter"}]}, "tools"),
        ("gpt-4o", {"modalities": ["text", "audio"]}, "modalities"),
        ("gpt-4o", {"x": [{"type": "input_audio", "input_audio": {"data": "UklG"}}]}, "messages"),
    ],
)
def test_separately_billed_tools_are_refused_under_a_cost_limit(
    site: Server, upstream: FakeUpstream, model: str, options: dict[str, Any], param: str
) -> None:
    person = site.sign_up()
    cents, tokens = (site.gateway(person.create_key(x)["key"]) for x in ("cents", "tokens"))
    request = chat(max_tokens=5) | {"model": model}
    refused = cents.post("/v1/chat/completions", json=request | options)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["param"]) == (403, "price_unknown", param)
    assert upstream.seen == []
    usual = {"service_tier": "auto", "speed": None, "tools": [{"type": "function"}], "plugins": []}
    assert cents.post("/v1/chat/completions", json=request | usual).status_code == 200
    # Without a limit on cost they are relayed.
    assert tokens.post("/v1/chat/completions", json=request | options).status_code != 403


def test_max_output_tokens_applies_without_a_token_limit(
    site: Server, upstream: FakeUpstream
) -> None:
    api = site.gateway(site.sign_up().create_key("short")["key"])
    assert api.get("/v1/key").json()["usage_plan"]["max_output_tokens"] == 50
    answered = api.post("/v1/chat/completions", json=chat(max_tokens=49))
    assert "x-daypass-max-output-tokens" not in answered.headers
    assert upstream.seen[-1].json()["max_tokens"] == 49
    answered = api.post("/v1/responses", json={"model": "m", "input": "hi"})
    assert answered.headers["x-daypass-max-output-tokens"] == "50"
    assert upstream.seen[-1].json()["max_output_tokens"] == 50


def stream(usage: bool) -> bytes:
    """Return a stream as an upstream sends it with or without `include_usage`."""
    null = b',"usage":null' if usage else b""
    quoted = b'\\",\\"usage\\":null}'
    chunks = [
        b'{"id":"1","choices":[{"index":0,"delta":{"content":"' + quoted + b'"}}]' + null + b"}",
        b'{"id":"1","choices":[{"index":1,"delta":{"refusal":"no"},"logprobs":null}]' + null + b"}",
        b'{"id":"1","choices":[{"delta":{"tool_calls":[{"usage":null}]}}]' + null + b"}",
        b'{"id":"1" , "choices":[]' + (b' , "usage" : null' if usage else b"") + b',"x":1}',
    ]
    last = b'{"id":"1","choices":[],"usage":{"prompt_tokens":30,"completion_tokens":12}}'
    events = [*chunks, *([last] if usage else []), b"[DONE]"]
    return b": ping\n\n" + b"".join(b"data: " + x + b"\n\n" for x in events)


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
@pytest.mark.parametrize("plan", ["tokens", "requests"])
def test_a_stream_is_measured_without_changing_its_bytes(
    site: Server, upstream: FakeUpstream, plan: str, size: int
) -> None:
    def reply(seen: Seen) -> Response:
        asked = seen.json().get("stream_options", {}).get("include_usage", False)
        text = stream(asked)

        async def pieces() -> Any:
            for at in range(0, len(text), size):
                yield text[at : at + size]
                await asyncio.sleep(0)

        return StreamingResponse(pieces(), media_type="text/event-stream")

    upstream.reply = reply
    person = site.sign_up()
    api = site.gateway(person.create_key(plan)["key"])
    answered = api.post("/v1/chat/completions", json=chat(stream=True))
    assert answered.content == stream(usage=False)
    asking = chat(stream=True, stream_options={"include_usage": True})
    assert api.post("/v1/chat/completions", json=asking).content == stream(usage=True)
    if plan == "tokens":
        until_used(api, 2 * 42)
    until(lambda: tokens_of(person.http) == 84)


def tokens_of(http: httpx.Client) -> int:
    rows = http.get("/api/usage", params={"days": 1}).json()
    found = rows["days"] if isinstance(rows, dict) else rows
    return sum(row["input_tokens"] + row["output_tokens"] for row in found)


def test_the_sdk_receives_the_same_stream(tokens: httpx.Client, site: Server) -> None:
    key = tokens.headers["x-api-key"]
    client = openai.OpenAI(base_url=f"{site.url}/v1", api_key=key)
    chunks = list(
        client.chat.completions.create(
            model="our-own", messages=[{"role": "user", "content": "Hello."}], stream=True
        )
    )
    assert [x.choices[0].delta.content for x in chunks] == ["Hel", "lo", "."]
    assert all(x.usage is None and "usage" not in x.model_fields_set for x in chunks)
    until_used(tokens, 18)


def test_a_key_expires_after_max_key_days(site: Server, upstream: FakeUpstream) -> None:
    person = site.sign_up()
    created = person.create_key("trial")
    api = site.gateway(created["key"])
    assert api.post("/v1/embeddings", json={"input": "x"}).status_code == 200
    with sqlite3.connect(site.data_dir / "daypass.db") as connection:
        connection.execute("UPDATE api_key SET created_at = created_at - 2 * 86400")
        connection.execute("UPDATE key_revision SET number = number + 1")
    until(lambda: api.get("/v1/key").status_code == 401)
    assert api.get("/v1/key").json()["error"]["code"] == "api_key_expired"
    chat_with_it = {"api_key_id": created["id"], "messages": []}
    refused = person.http.post("/api/chat/completions", json=chat_with_it)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "api_key_expired")


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/v1/deployments/o1-pro/chat/completions", {}),
        ("/v1/chat/completions", {"Model": "o1-pro"}),
        ("/v1/chat/completions", {"models": ["o1-pro"]}),
        ("/v1/chat/completions?model=o1-pro", {}),
    ],
)
def test_a_request_under_a_cost_limit_names_one_model(
    site: Server, upstream: FakeUpstream, path: str, more: dict[str, Any]
) -> None:
    api = site.gateway(site.sign_up().create_key("cents")["key"])
    refused = api.post(path, json=chat(max_tokens=5, **more))
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "model")
    assert upstream.seen == []
    headers = {"x-portkey-config": "x", "x-model": "o1-pro"}
    assert (
        api.post(
            path.partition("?")[0].replace("deployments/o1-pro/", ""),
            json=chat(max_tokens=5),
            headers=headers,
        ).status_code
        == 200
    )
    assert not {"x-portkey-config", "x-model"} & upstream.seen[-1].headers.keys()


def test_a_client_error_from_the_upstream_settles_at_the_input(
    tokens: httpx.Client, upstream: FakeUpstream
) -> None:
    upstream.reply = lambda _seen: JSONResponse({"error": {"message": "no"}}, 400)
    body = orjson.dumps(chat(max_tokens=5_000))
    assert tokens.post("/v1/chat/completions", content=body, headers=JSON).status_code == 400
    until_used(tokens, len(body))


def test_a_client_that_leaves_before_the_answer_pays_the_bound(
    site: Server, upstream: FakeUpstream
) -> None:
    person = site.sign_up()
    api = site.gateway(person.create_key("tokens")["key"])
    upstream.reply = lambda _seen: Silence()
    body = chat(max_tokens=5_000)
    with pytest.raises(httpx.ReadTimeout):
        api.post("/v1/chat/completions", json=body, timeout=httpx.Timeout(10, read=0.3))
    until(lambda: len(person.http.get("/api/requests").json()) == 1)
    (receipt,) = person.http.get("/api/requests").json()
    assert (receipt["status"], receipt["reason"]) == (499, "caller_left")
    assert receipt["settled"] is None
    assert limit_of(api)["used"] == len(upstream.seen[-1].body) + 5_000


def test_an_error_has_no_images(site: Server, upstream: FakeUpstream) -> None:
    api = site.gateway(site.sign_up().create_key("cents")["key"])
    request = {"model": "our-images", "prompt": "a", "n": 7}
    upstream.reply = lambda _seen: JSONResponse({"error": {"message": "no"}}, 400)
    assert api.post("/v1/images/generations", json=request).status_code == 400
    until_used(api, 0)
    upstream.reply = lambda _seen: JSONResponse({"data": []})
    assert api.post("/v1/images/generations", json=request).status_code == 200
    until_used(api, 7_000)


@pytest.mark.parametrize("count", ["11", "1e2", "-1", "٩", '{"n": 2}'])
def test_a_form_makes_no_more_images_than_are_reserved(
    site: Server, upstream: FakeUpstream, count: str
) -> None:
    api = site.gateway(site.sign_up().create_key("cents")["key"])
    upstream.reply = lambda _seen: JSONResponse({"data": []})
    files = {"image": ("a.png", b"x", "image/png")}
    for name in ("n", "N"):
        form = {"model": "our-images", "prompt": "a", name: count}
        refused = api.post("/v1/images/edits", data=form, files=files)
        error = refused.json()["error"]
        assert (refused.status_code, error["code"], error["param"]) == (
            400,
            "invalid_request",
            name,
        )
    form = {"model": "our-images", "prompt": "a", "n": "10"}
    assert api.post("/v1/images/edits", data=form, files=files).status_code == 200


@pytest.mark.parametrize("plan", ["cents", "tokens"])
def test_audio_of_unknown_length_is_not_transcribed_under_a_limit(
    site: Server, upstream: FakeUpstream, plan: str
) -> None:
    person = site.sign_up()
    limited, other = (site.gateway(person.create_key(x)["key"]) for x in (plan, "requests"))
    address, path = "https://example.org/a.mp3", "/v1/audio/transcriptions"
    audio = {"file": ("a.mp3", b"x", "audio/mpeg")}
    refused = [limited.post(path, json={"model": "our-own", "url": address})]
    for name in ("url", "file", "File_URL", "extra_body"):
        fields = {"model": "our-own", name: address}
        refused.append(limited.post(path, data=fields, files=audio))
        assert refused[-1].json()["error"]["param"] == name
    found = {(x.status_code, x.json()["error"]["code"]) for x in refused}
    assert found == {(403, "endpoint_turned_off")}
    form = {"model": "our-own", "language": "en"}
    assert limited.post(path, data=form, files=audio).status_code == 200
    # Without such a limit the upstream may fetch it.
    assert other.post(path, json={"model": "our-own", "url": address}).status_code == 200


def test_keys_of_an_account_share_their_tokens(site: Server, upstream: FakeUpstream) -> None:
    upstream.reply = lambda _seen: answer_of(6_000, 1_000)
    person = site.sign_up()
    first, second = (site.gateway(person.create_key("tokens")["key"]) for _ in range(2))
    assert first.post("/v1/chat/completions", json=chat(max_tokens=10)).status_code == 200
    until_used(first, 7_000)
    refused = second.post("/v1/chat/completions", json=chat(n=4, max_tokens=1_000))
    assert refused.status_code == 200  # The cap is lowered to what the account has left.
    assert upstream.seen[-1].json()["max_tokens"] < 750
    error = second.post("/v1/chat/completions", json=chat(max_tokens=300)).json()["error"]
    assert (error["subject"], error["measure"]) == ("account", "tokens")

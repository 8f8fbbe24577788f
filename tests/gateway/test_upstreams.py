"""Several upstreams: routing, aliases, failover, circuit breaker and the list of models."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2 as httpx
import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.conftest import Person, Server, start_server
from tests.support.outputs import OUTPUTS
from tests.support.ports import free_port
from tests.support.upstream import FakeUpstream, Reply, Seen, completion
from tests.support.waiting import until

KEYS = {name: f"sk-planted-{name}-0123456789" for name in ("one", "two", "claude")}
READ_TIMEOUT_S = 1.0

TOML = """
[[upstreams]]
name = "one"
base_url = "{one}"
api_key = "{key_one}"
models = ["gpt-*", "down-*"]
aliases = {{ small = "gpt-4o-mini" }}
priority = 1

[[upstreams]]
name = "two"
base_url = "{two}"
api_key = "{key_two}"
auth = "api-key"
models = ["gpt-*", "two-*"]
aliases = {{ small = "my-deployment" }}
priority = 2
measure_streams = false

[[upstreams]]
name = "claude"
base_url = "{claude}"
api_key = "{key_claude}"
auth = "x-api-key"
models = ["claude-*"]

[[upstreams]]
name = "nobody"
base_url = "http://127.0.0.1:{nobody}/v1"
models = ["down-*"]

[[plans]]
id = "every"
name = "Every model"
requests_per_day = 1000

[[plans]]
id = "some"
name = "Some models"
requests_per_day = 1000
models = ["small", "two-*"]

[[plans]]
id = "dollars"
name = "Dollars"
requests_per_day = 1000
cost_per_day = 10

[[prices]]
model = "gpt-4o-mini"
input = 1
output = 1

[[prices]]
model = "my-deployment"
input = 100
output = 100
"""


def failing(status: int) -> Reply:
    return lambda _seen: JSONResponse({"error": {"message": "no", "code": "planted"}}, status)


def message(seen: Seen) -> Response:
    """Anthropic's API, which refuses `Authorization`."""
    if "authorization" in seen.headers or seen.headers.get("x-api-key") != KEYS["claude"]:
        return JSONResponse({"type": "error", "error": {"type": "authentication_error"}}, 401)
    if seen.method == "GET":
        model = {"type": "model", "id": "claude-x", "display_name": "Claude X"}
        return JSONResponse({"data": [model], "has_more": False})
    assert seen.headers["anthropic-version"]
    usage = {"input_tokens": 11, "output_tokens": 7}
    start = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": seen.json()["model"],
        "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage,
    }  # fmt: skip
    if not seen.json().get("stream"):
        text = {"type": "text", "text": "Hello."}
        return JSONResponse(start | {"content": [text], "stop_reason": "end_turn"})
    block = {"type": "text", "text": ""}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0,
         "delta": {"type": "text_delta", "text": "Hello."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage},
        {"type": "message_stop"},
    ]  # fmt: skip
    lines = (f"event: {x['type']}\ndata: {json.dumps(x)}\n\n".encode() for x in events)
    return StreamingResponse(lines, media_type="text/event-stream")


def hang(_seen: Seen) -> Response:
    async def never() -> Any:
        yield b""

    class Hanging(StreamingResponse):
        async def __call__(self, _scope: Any, receive: Any, _send: Any) -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

    return Hanging(never())


@dataclass
class Site:
    server: Server
    person: Person
    one: FakeUpstream
    two: FakeUpstream
    claude: FakeUpstream

    def api(self, plan: str = "every") -> httpx.Client:
        return self.server.gateway(self.server.sign_up().create_key(plan)["key"])

    def seen(self) -> tuple[int, int]:
        return len(self.one.seen), len(self.two.seen)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    OUTPUTS.plant(*KEYS.values())
    upstreams = {name: FakeUpstream() for name in KEYS}
    for upstream in upstreams.values():
        upstream.start()
    directory = tmp_path_factory.mktemp("several")
    addresses = {name: x.base_url for name, x in upstreams.items()}
    keys = {f"key_{name}": key for name, key in KEYS.items()}
    (directory / "daypass.toml").write_text(TOML.format(nobody=free_port(), **addresses, **keys))
    server = start_server(directory, DAYPASS_READ_TIMEOUT_S=str(READ_TIMEOUT_S))
    yield Site(server, server.set_up(), **upstreams)
    server.stop()
    for upstream in upstreams.values():
        upstream.stop()


@pytest.fixture
def site(started: Site) -> Iterator[Site]:
    """The site, with upstreams that serve everything."""
    for upstream in (started.one, started.two):
        upstream.reply = completion
    started.claude.reply = message
    # A success resets the consecutive failures that would open the circuit.
    assert ask(started.api(), "gpt-x").status_code == 200
    for upstream in (started.one, started.two, started.claude):
        upstream.seen.clear()
    yield started


def ask(api: httpx.Client, model: str, **more: Any) -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}]} | more
    return api.post("/v1/chat/completions", json=body)


def used(api: httpx.Client) -> int:
    count: int = api.get("/v1/key").json()["limits"][0]["used"]
    return count


def test_an_alias_replaces_the_model_and_no_other_byte(site: Site) -> None:
    body = b'{ "messages": [{"role":"user", "content":"\\u00e9t\\u00e9"}],  "model" : "small" }'
    headers = {"content-type": "application/json"}
    answer = site.api().post("/v1/chat/completions", content=body, headers=headers)
    assert answer.status_code == 200
    (seen,) = site.one.seen
    assert seen.body == body.replace(b'"small"', b'"gpt-4o-mini"')
    assert seen.headers["authorization"] == f"Bearer {KEYS['one']}"


def test_each_upstream_gets_its_own_key_in_its_own_header(site: Site) -> None:
    assert ask(site.api(), "two-x").status_code == 200
    (seen,) = site.two.seen
    assert seen.headers["api-key"] == KEYS["two"]
    assert not {"authorization", "x-api-key"} & seen.headers.keys()
    assert site.seen() == (0, 1)


def test_an_unserved_model_is_refused_and_not_counted(site: Site) -> None:
    api = site.api()
    for model in ("unheard-of", "Small"):
        answer = ask(api, model)
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "model_not_found"
        assert "No upstream of this site serves the model" in answer.json()["error"]["message"]
    assert site.seen() == (0, 0)
    assert used(api) == 0


def test_a_request_without_a_model_goes_to_the_first_upstream(site: Site) -> None:
    assert site.api().post("/v1/moderations", json={"input": "x"}).status_code == 200
    assert site.seen() == (1, 0)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failed_upstream_falls_over_to_the_next_and_counts_once(site: Site, status: int) -> None:
    site.one.reply = failing(status)
    api = site.api()
    answer = ask(api, "small")
    assert answer.status_code == 200
    assert site.seen() == (1, 1)
    assert site.two.seen[0].json()["model"] == "my-deployment"
    assert used(api) == 1
    # If all fail, the last response decides what is counted: here nothing.
    site.two.reply = failing(500)
    assert ask(api, "small").status_code == 500
    assert site.seen() == (2, 2)
    assert used(api) == 1


def test_a_client_error_does_not_fail_over(site: Site) -> None:
    for status in (400, 404, 422):
        site.one.reply = failing(status)
        assert ask(site.api(), "gpt-x").status_code == status
    assert site.seen() == (3, 0)


def test_a_request_that_may_have_been_served_does_not_fail_over(site: Site) -> None:
    site.one.reply = hang
    api = site.api()
    answer = ask(api, "gpt-x")
    assert answer.status_code == 504
    assert answer.json()["error"]["code"] == "upstream_timeout"
    assert site.seen() == (1, 0)
    assert used(api) == 1


def test_a_streamed_body_is_sent_once(site: Site) -> None:
    site.one.reply = failing(500)
    form = {"model": "gpt-x"}
    files = {"file": ("a.wav", b"x" * 20_000)}
    answer = site.api().post("/v1/audio/transcriptions", data=form, files=files)
    assert answer.status_code == 500
    assert site.seen() == (1, 0)


def test_an_alias_does_not_apply_to_a_form(site: Site) -> None:
    answer = site.api().post(
        "/v1/audio/transcriptions", data={"model": "small"}, files={"file": ("a.wav", b"x")}
    )
    assert answer.json()["error"]["code"] == "model_not_found"


def test_each_upstream_has_its_own_measure_streams_setting(site: Site) -> None:
    """The first upstream is asked for usage, the second is not; the client gets the same bytes."""
    api = site.api()
    measured = ask(api, "gpt-x", stream=True)
    assert site.one.seen[0].json()["stream_options"] == {"include_usage": True}
    site.one.reply = failing(500)
    plain = ask(api, "gpt-x", stream=True)
    assert "stream_options" not in site.two.seen[0].json()
    assert "usage" not in measured.text
    assert measured.text == plain.text
    assert plain.text.endswith("data: [DONE]\n\n")


def test_refused_connections_fail_over_until_the_circuit_opens(site: Site) -> None:
    api = site.api()
    for number in range(1, 8):
        assert ask(api, "down-x").status_code == 200
        assert site.seen() == (number, 0)
    assert used(api) == 7
    health = described(site, "nobody")["health"]
    assert health["state"] == "open"
    # After five consecutive failures it is only tried if others fail.
    assert (health["requests"], health["failures"]) == (5, 5)
    assert health["last_failure"].startswith("could not be reached, 20")
    site.one.reply = failing(500)
    assert ask(api, "down-x").status_code == 502
    assert described(site, "nobody")["health"]["failures"] == 6
    metrics = site.server.client().get("/metrics").text
    assert 'daypass_upstream_state{state="open",upstream="nobody"} 1.0' in metrics
    assert 'daypass_upstream_requests_total{upstream="nobody"} 6.0' in metrics
    assert 'daypass_upstream_failed_requests_total{upstream="nobody"} 6.0' in metrics
    assert 'daypass_upstream_state{state="closed",upstream="two"} 1.0' in metrics


def described(site: Site, name: str) -> dict[str, Any]:
    listed = site.person.http.get("/api/operator/upstreams").json()["upstreams"]
    found: dict[str, Any] = next(x for x in listed if x["name"] == name)
    return found


def test_models_are_listed_together(site: Site) -> None:
    def lists(*names: str) -> Reply:
        data = [{"id": x, "object": "model", "owned_by": "them"} for x in names]
        return lambda _seen: JSONResponse({"object": "list", "data": data})

    site.one.reply = lists("gpt-4o", "gpt-4o-mini", "dall-e-3")
    site.two.reply = lists("two-x", "gpt-4o")
    everything = site.api().get("/v1/models").json()["data"]
    # The alias first, with the upstream's description of its model.
    assert [x["id"] for x in everything] == ["small", "gpt-4o", "gpt-4o-mini", "two-x", "claude-x"]
    assert everything[0]["owned_by"] == "them"
    some = site.api("some").get("/v1/models").json()["data"]
    assert [x["id"] for x in some] == ["small", "two-x"]
    assert {x["id"] for x in site.person.http.get("/api/models").json()} >= {"small", "claude-x"}
    # An upstream that does not answer is omitted.
    site.one.reply = failing(500)
    left = site.api().get("/v1/models").json()["data"]
    assert [x["id"] for x in left] == ["small", "two-x", "gpt-4o", "claude-x"]


def test_plans_and_prices_apply_to_the_upstreams_model(site: Site) -> None:
    """The bound covers the most expensive upstream; the cost is that of the one that served."""
    api = site.api("dollars")
    assert ask(api, "gpt-unpriced-9").json()["error"]["code"] == "price_unknown"

    def cost() -> int:
        limits = api.get("/v1/key").json()["limits"]
        count: int = next(x["used"] for x in limits if x["measure"] == "cost")
        return count

    assert ask(api, "small", max_tokens=10).status_code == 200
    until(lambda: cost() == 18)
    site.one.reply = failing(500)
    assert ask(api, "small", max_tokens=10).status_code == 200
    until(lambda: cost() == 18 + 1800)


def test_the_bound_covers_the_most_expensive_upstream(site: Site) -> None:
    """The first upstream's price would fit, the second's does not."""
    api = site.api("dollars")
    # 10 dollars, at 100 dollars for a million tokens.
    assert ask(api, "small", max_tokens=150_000).status_code == 200
    assert 90_000 < site.one.seen[0].json()["max_tokens"] < 100_000


@pytest.mark.parametrize("stream", [False, True])
def test_the_anthropic_sdk_works_with_an_x_api_key_upstream(site: Site, stream: bool) -> None:
    secret = site.server.sign_up().create_key("every")["key"]
    asked: Any = {
        "model": "claude-x",
        "max_tokens": 10,
        "messages": [{"role": "user", "content": "Hi"}],
    }
    with anthropic.Anthropic(base_url=site.server.url, api_key=secret, max_retries=0) as client:
        if stream:
            with client.messages.stream(**asked) as events:
                answer = events.get_final_message()
        else:
            answer = client.messages.create(**asked)
        assert [x.id for x in client.models.list()][-1] == "claude-x"
    assert answer.content[0].text == "Hello."  # type: ignore[union-attr]
    # Claude Code sends its key as a Bearer token.
    headers = {"authorization": f"Bearer {secret}", "anthropic-version": "2023-06-01"}
    answered = httpx.post(f"{site.server.url}/v1/messages?beta=true", json=asked, headers=headers)
    assert answered.status_code == 200, answered.text


def test_an_upstream_cannot_make_a_client_see_its_key(site: Site) -> None:
    def quote(seen: Seen) -> Response:
        key = seen.headers.get("x-api-key") or seen.headers.get("api-key")
        return JSONResponse({"error": {"message": f"Bad key {key}"}}, 400)

    for upstream, model in ((site.two, "two-x"), (site.claude, "claude-x")):
        upstream.reply = quote
        answer = ask(site.api(), model)
        assert answer.status_code == 400
        assert "planted" not in answer.text
        assert "Bad key ****" in answer.text

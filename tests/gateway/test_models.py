"""A plan with models: every place from which an upstream may take one is checked."""

import socket
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import openai
import pytest
from starlette.responses import JSONResponse, Response

from daypass.gateway.forms import FormError, FormReader
from daypass.gateway.named_models import is_function, models_in_document, models_in_query
from tests.conftest import Person, Server
from tests.gateway.sdk_calls import everyday_calls
from tests.support.relaying import relaying_to
from tests.support.upstream import FakeUpstream, Seen
from tests.support.waiting import until

PLANS = """
[[plans]]
id = "small"
name = "Small"
requests_per_day = 1000
models = ["small", "mini-*", "a/b"]
[[plans]]
id = "every"
name = "Every model"
requests_per_day = 1000
"""
LISTED = ["small", "large", "mini-1", "Mini-1", "a/b"]


@pytest.fixture(scope="module")
def server(
    upstream_process: FakeUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with relaying_to(
        upstream_process,
        tmp_path_factory.mktemp("models"),
        PLANS,
        DAYPASS_MAX_BODY_BYTES="300000",
        DAYPASS_STORED_OBJECTS="shared",
        DAYPASS_EXTRA_PATHS="score",
    ) as server:
        yield server


@pytest.fixture(scope="module")
def person(server: Server) -> Person:
    return server.sign_up()


@pytest.fixture(scope="module")
def key(person: Person) -> str:
    secret: str = person.create_key("small", "narrow")["key"]
    return secret


@pytest.fixture
def api(server: Server, key: str, upstream: FakeUpstream) -> httpx.Client:
    return server.gateway(key)


def narrow_key(person: Person) -> dict[str, Any]:
    listed = person.keys()
    return next(key for key in listed if key["usage_plan_id"] == "small")


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("/v1/chat/completions", {"model": "large"}),
    ("/v1/chat/completions", {"model": "Small"}),
    ("/v1/chat/completions", {"model": "small,large"}),
    ("/v1/chat/completions", {"model": "mini-1,large"}),
    ("/v1/chat/completions", {"model": ["small"], "Model": "large"}),
    ("/v1/chat/completions", {"model": "small", "Model": "large"}),
    ("/v1/chat/completions", {"model": "small", "MODEL": "large"}),
    ("/v1/chat/completions", {"model": "small", "models": ["small", "large"]}),
    ("/v1/chat/completions", {"model": "small", "Models": "large"}),
    ("/v1/chat/completions", {"model": "small", "fallbacks": ["large"]}),
    ("/v1/chat/completions", {"model": "small", "fallbacks": [{"model": "large"}]}),
    ("/v1/chat/completions", {"model": "small", "fallbacks": [{"small": ["large"]}]}),
    ("/v1/chat/completions", {"model": "small", "fallback": {"Model": "large"}}),
    ("/v1/chat/completions", {"model": "small", "extra_body": {"model": "large"}}),
    ("/v1/chat/completions", {"model": "small", "extra_body": {"engine": "large"}}),
    ("/v1/chat/completions", {"model": "small", "options": {"draft_model": "large"}}),
    ("/v1/chat/completions", {"model": "small", "speculative_model": "large"}),
    ("/v1/chat/completions", {"model": "small", "target_model_names": "small, large"}),
    ("/v1/chat/completions", {"model": "small", "Engine": "large"}),
    ("/v1/chat/completions", {"model": "small", "deployment": "large"}),
    ("/v1/chat/completions", {"model": "small", "preset": "@preset/large"}),
    ("/v1/chat/completions?preset=large", {"model": "small"}),
    ("/v1/chat/completions", {"messages": []}),
    ("/v1/chat/completions", {"model": None}),
    ("/v1/chat/completions", {"model": {"name": "large"}}),
    ("/v1/chat/completions", {"model": ""}),
    ("/v1/chat/completions?model=large", {"model": "small"}),
    ("/v1/chat/completions?model=small&model=large", {"model": "small"}),
    ("/v1/chat/completions?%6dodel=large", {"model": "small"}),
    ("/v1/chat/completions?MODEL=large", {"model": "small"}),
    ("/v1/chat/completions?a=b;model=large", {"model": "small"}),
    ("/v1/chat/completions?models%5B%5D=large", {"model": "small"}),
    (
        "/v1/responses",
        {"model": "small", "tools": [{"type": "image_generation", "model": "large"}]},
    ),
    (
        "/v1/chat/completions",
        {
            "model": "small",
            "data_sources": [
                {"type": "azure_search", "name": "x", "parameters": {"deployment_name": "large"}}
            ],
        },
    ),
    ("/v1/chat/completions", {"model": "small", "name": "x", "parameters": {"model": "large"}}),
    ("/v1/images/generations", {"prompt": "x"}),
    ("/v1/engines/large/completions", {"model": "small"}),
    ("/v1/engines/%6carge/embeddings", {"model": "small"}),
    ("/v1/deployments/large/chat/completions", {"model": "small"}),
    ("/v1/deployments/small/chat/completions", {"model": "large"}),
    ("/v1/batches", {"input_file_id": "file-1", "endpoint": "/v1/chat/completions"}),
    ("/v1/assistants", {"name": "x"}),
    ("/v1/threads/t/runs", {"assistant_id": "a", "model": "large"}),
    ("/v1/evals/e/runs", {"data_source": {"model": "large"}}),
    ("/v1/score", {"text": "x"}),
]


@pytest.mark.parametrize(("path", "body"), REFUSED)
def test_models_outside_the_plan_are_found_everywhere(
    api: httpx.Client, upstream: FakeUpstream, path: str, body: dict[str, Any]
) -> None:
    response = api.post(path, json=body)
    assert code(response) == (404, "model_not_found")
    error = response.json()["error"]
    assert error["param"] == "model"
    assert "It includes: a/b, mini-*, small." in error["message"]
    assert upstream.seen == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_models_are_checked_whatever_the_content_type(
    api: httpx.Client, upstream: FakeUpstream, content_type: str | None
) -> None:
    headers = {"content-type": content_type} if content_type else {}
    for path in ("/v1/chat/completions", "/v1/assistants", "/v1/score"):
        refused = api.post(path, content=b'{"model": "large"}', headers=headers)
        assert code(refused) == (404, "model_not_found")
        assert api.post(path, content=b"model=large", headers=headers).status_code == 400
    types = [("content-type", "application/json"), ("content-type", "text/plain")]
    twice = api.post("/v1/chat/completions", content=b'{"model": "small"}', headers=types)
    assert twice.status_code == 400
    assert upstream.seen == []


def test_headers_that_choose_a_model_are_dropped(api: httpx.Client, upstream: FakeUpstream) -> None:
    dropped = {
        "x-ms-oai-image-generation-deployment": "large", "X-Portkey-Config": "{}", "model": "large",
        "cf-aig-custom-provider": "x", "x-litellm-tags": "x", "x-model-id": "large",
    }  # fmt: skip
    kept = {"openai-beta": "x", "x-stainless-lang": "python", "x-modelling": "x", "engines": "1"}
    body = {"model": "small"}
    assert api.post("/v1/chat/completions", json=body, headers=dropped | kept).status_code == 200
    sent = upstream.seen[0].headers
    assert not any(name.lower() in sent for name in dropped)
    assert all(sent[name] == kept[name] for name in kept)


PASSES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "/v1/chat/completions", {"model": "small"}),
    ("POST", "/v1/chat/completions", {"model": "mini-2024", "models": ["small", "a/b"]}),
    ("POST", "/v1/chat/completions", {"model": "small", "metadata": {"model": "T"}}),
    (
        "POST",
        "/v1/chat/completions",
        {
            "model": "small",
            "tools": [
                {
                    "function": {
                        "name": "f",
                        "parameters": {"properties": {"model": {"type": "string"}}},
                    }
                }
            ],
            "messages": [
                {"role": "user", "content": [{"type": "tool_use", "input": {"model": "T"}}]}
            ],
        },
    ),
    ("POST", "/v1/responses", {"model": "small", "text": {"format": {"schema": {"model": "x"}}}}),
    ("POST", "/v1/chat/completions", {"model": "small", "plugins": [{"engine": "exa"}]}),
    ("POST", "/v1/engines/small/completions", {"prompt": "x"}),
    ("POST", "/v1/deployments/mini-1/chat/completions?api-version=1", {"messages": []}),
    ("POST", "/v1/chat/completions?model=small", {"messages": []}),
    # These calls cannot choose a model.
    ("POST", "/v1/batches/b/cancel", None),
    ("POST", "/v1/responses/r/cancel", None),
    ("POST", "/v1/threads", {}),
    ("POST", "/v1/threads/t/messages", {"role": "user", "content": "x"}),
    ("POST", "/v1/threads/t/runs", {"assistant_id": "a"}),
    ("POST", "/v1/vector_stores/v/search", {"query": "x"}),
    ("POST", "/v1/uploads/u/complete", {"part_ids": ["p"]}),
    ("DELETE", "/v1/files/f", None),
    ("GET", "/v1/files", None),
]


@pytest.mark.parametrize(("method", "path", "body"), PASSES)
def test_models_of_the_plan_are_relayed_unchanged(
    api: httpx.Client, upstream: FakeUpstream, method: str, path: str, body: dict[str, Any] | None
) -> None:
    assert api.request(method, path, json=body).status_code == 200
    (seen,) = upstream.seen
    assert seen.target == path
    assert body is None or seen.json() == body


@pytest.mark.parametrize("path", ["/v1/files", "/v1/uploads/u/parts", "/v1/containers/c/files"])
def test_an_upload_without_a_model_is_relayed(
    api: httpx.Client, upstream: FakeUpstream, path: str
) -> None:
    response = api.post(path, files={"file": b"x" * 100_000}, data={"purpose": "batch"})
    assert response.status_code == 200
    assert len(upstream.seen) == 1


def part(name: str, value: bytes, more: str = "") -> bytes:
    return (
        f'--b\r\ncontent-disposition: form-data; name="{name}"{more}\r\n\r\n'.encode()
        + value
        + b"\r\n"
    )


END = b"--b--\r\n"
AUDIO = part("file", b"\x00\xff\r\n" * 50_000, '; filename="a.wav"')
SMALL, LARGE = part("model", b"small"), part("model", b"large")
FORM = {"content-type": "multipart/form-data; boundary=b"}
TRANSCRIPTION = "/v1/audio/transcriptions"


@pytest.mark.parametrize(
    "form",
    [
        SMALL + AUDIO + END,
        AUDIO + SMALL + END,
        b"\r\n" + AUDIO + SMALL + END + b"an epilogue",
        AUDIO + part("timestamp_granularities[]", b"word") + SMALL + END,
        b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; "
        b"name=model\r\n\r\nsmall\r\n" + AUDIO + END,  # as .NET writes it
    ],
)
def test_a_form_with_a_model_of_the_plan_is_relayed(
    api: httpx.Client, upstream: FakeUpstream, form: bytes
) -> None:
    def pieces() -> Iterator[bytes]:
        for start in range(0, len(form), 1001):
            yield form[start : start + 1001]

    for content in (form, pieces()):
        assert api.post(TRANSCRIPTION, content=content, headers=FORM).status_code == 200
    assert [seen.body for seen in upstream.seen] == [form, form]


@pytest.mark.parametrize(
    "form",
    [
        LARGE + AUDIO + END,
        AUDIO + LARGE + END,
        AUDIO + END,
        SMALL + LARGE + AUDIO + END,
        SMALL + AUDIO + LARGE + END,
        SMALL + AUDIO + SMALL + END,
        SMALL + AUDIO + END + LARGE + END,
        part("file", b"no line break" + SMALL[:-2]) + END,
        AUDIO + part("MODEL", b"large") + SMALL + END,
        AUDIO + part("models[]", b"large") + END,
        AUDIO + part("fallbacks[0][model]", b"large") + SMALL + END,
        AUDIO + part("extra_body", b'{"engine": "large"}') + SMALL + END,
        SMALL + AUDIO,
        b"a preamble\r\n" + SMALL + AUDIO + END,
        SMALL + AUDIO + part("x", b"\n--b\n" + LARGE) + END,
        (SMALL + AUDIO + LARGE + END).replace(b"\r\n", b"\n"),
        part("mod\\el", b"large") + SMALL + AUDIO + END,
        b'--b\r\ncontent-disposition: form-data;\r\n name="model"\r\n\r\nlarge\r\n' + SMALL + END,
        b"--b\r\ncontent-disposition: form-data; name*=utf-8''model\r\n\r\nlarge\r\n" + SMALL + END,
        b'--b\r\ncontent-disposition: form-data; name="x"\r\ncontent-disposition: form-data; '
        b'name="model"\r\n\r\nlarge\r\n' + SMALL + END,
        b'--b\r\ncontent-disposition: form-data; name="model"\r\ncontent-transfer-encoding: base64'
        b"\r\n\r\nbGFyZ2U=\r\n" + AUDIO + END,
        b"--b \r\n" + LARGE[5:] + SMALL + END,
    ],
)
def test_a_form_with_a_model_outside_the_plan_is_refused(
    api: httpx.Client, upstream: FakeUpstream, form: bytes
) -> None:
    """Sent whole, or in pieces, of which the upstream must not get the last."""

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(form), 5003):
            yield form[start : start + 5003]

    for content in (form, pieces()):
        response = api.post(TRANSCRIPTION, content=content, headers=FORM)
        assert code(response) in ((404, "model_not_found"), (400, "invalid_form"))
    assert all(b"large" not in seen.body for seen in upstream.seen)
    assert not any(seen.body.endswith(END) for seen in upstream.seen)


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data", "multipart/form-data; boundary=a; boundary=b",
        "multipart/mixed; boundary=b", 'multipart/form-data; boundary="b c"',
        "multipart/form-data; x=y; boundary=b",
    ],
)  # fmt: skip
def test_an_ambiguous_form_boundary_is_refused(
    api: httpx.Client, upstream: FakeUpstream, content_type: str
) -> None:
    headers = {"content-type": content_type}
    response = api.post(TRANSCRIPTION, content=SMALL + AUDIO + END, headers=headers)
    assert code(response) == (400, "invalid_form")
    assert upstream.seen == []


def test_a_form_split_anywhere_is_parsed_alike() -> None:
    form = part("file", b"\r\n-\r\n--a", '; filename="x"') + part("model", b"") + SMALL + END
    for size in range(1, len(form)):
        reader = FormReader(FORM["content-type"].encode(), lambda name, _is_file: name == "model")
        found = [
            field.value
            for start in range(0, len(form), size)
            for field in reader.feed(form[start : start + size])
        ]
        reader.finish()
        assert found == ["", "small"]


def test_oversized_form_headers_and_fields_are_refused() -> None:
    reader = FormReader(FORM["content-type"].encode(), lambda _name, _is_file: True)
    with pytest.raises(FormError, match="too long"):
        reader.feed(b"--b\r\n" + b"x: y\r\n" * 2_000)
    reader = FormReader(FORM["content-type"].encode(), lambda _name, _is_file: True)
    with pytest.raises(FormError, match="too long"):
        reader.feed(part("model", b"x" * 100_000))


def test_a_form_that_grows_without_a_model_is_413(
    api: httpx.Client, upstream: FakeUpstream
) -> None:
    def pieces() -> Iterator[bytes]:
        yield part("file", b"")[:-2]
        for _ in range(50):
            yield b"x" * 10_000

    response = api.post(TRANSCRIPTION, content=pieces(), headers=FORM)
    assert code(response) == (413, "body_too_large")
    assert upstream.seen == []


def test_a_form_is_relayed_as_soon_as_its_model_is_known(
    server: Server, key: str, upstream: FakeUpstream
) -> None:
    """The client need not send the rest once the upstream has responded."""
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as caller:
        head = (
            f"POST {TRANSCRIPTION} HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\n"
            f"content-type: {FORM['content-type']}\r\ncontent-length: 250000\r\n\r\n"
        )
        before = server.used(key)
        caller.sendall(head.encode() + AUDIO[:1000])
        assert server.used(key) == before
        caller.sendall(AUDIO[1000:] + SMALL + b"--b\r\n")
        until(lambda: server.used(key) == before + 1)
    until(lambda: server.used(key) == before)


def test_sdk_calls_work_under_a_plan_with_models(
    server: Server, key: str, upstream: FakeUpstream
) -> None:
    upstream.reply = lambda _seen: JSONResponse({"text": "hello", "created": 1, "data": []})
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0)
    passed = everyday_calls(client, "small")
    for call in (
        lambda: client.audio.transcriptions.create(model="large", file=("a.wav", b"x" * 70_000)),
        lambda: client.images.edit(model="large", image=b"\x89PNG" * 10, prompt="x"),
        lambda: client.images.edit(image=b"\x89PNG" * 10, prompt="x"),
    ):
        with pytest.raises(openai.NotFoundError):
            call()
    assert len(upstream.seen) == passed
    client.close()


def listed(_seen: Seen) -> Response:
    models = [{"id": name, "object": "model", "owned_by": "x"} for name in LISTED]
    more = {"models": [{"name": name, "model": name} for name in LISTED], "has_more": False}
    ends = {"first_id": LISTED[0], "last_id": LISTED[-1]}
    headers = {"etag": '"x"', "x-custom": "kept"}
    return JSONResponse({"object": "list", "data": models} | more | ends, headers=headers)


def test_the_model_list_contains_only_models_of_the_plan(
    server: Server, api: httpx.Client, key: str, person: Person, upstream: FakeUpstream
) -> None:
    upstream.reply = listed
    used = server.used(key)
    response = api.get("/v1/models")
    shown = ["small", "mini-1", "a/b"]
    document = response.json()
    assert [model["id"] for model in document["data"]] == shown
    assert [model["name"] for model in document["models"]] == shown
    assert (document["first_id"], document["last_id"], document["has_more"]) == (
        "small",
        "a/b",
        False,
    )
    assert "etag" not in response.headers
    assert response.headers["x-custom"] == "kept"
    assert "large" not in api.get("/v1/models/").text
    assert api.head("/v1/models").status_code == 200
    for name in ("large", "Mini-1", "%6carge"):
        assert code(api.get(f"/v1/models/{name}")) == (404, "model_not_found")
    for name in ("small", "mini-1", "a/b", "a%2Fb"):
        assert api.get(f"/v1/models/{name}").status_code == 200
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0)
    assert [model.id for model in client.models.list()] == shown
    client.close()
    assert server.used(key) == used
    every = person.create_key("every", "wide")
    with server.gateway(every["key"]) as wide:
        assert wide.get("/v1/models").content == listed(upstream.seen[0]).body
        assert [m["id"] for m in wide.get("/v1/models").json()["data"]] == LISTED
    narrow = narrow_key(person)

    def on_site(query: str) -> list[str]:
        return [model["id"] for model in person.http.get(f"/api/models{query}").json()]

    assert on_site(f"?api_key_id={narrow['id']}") == shown
    assert on_site("") == on_site(f"?api_key_id={every['id']}") == LISTED
    stranger = server.sign_up()
    assert stranger.http.get(f"/api/models?api_key_id={narrow['id']}").status_code == 404
    person.http.delete(f"/api/api-keys/{every['id']}")
    assert on_site("") == shown


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (lambda _seen: JSONResponse({"error": {"message": "x", "code": "y"}}, 404), 404),
        (lambda _seen: Response(b"no list", media_type="application/json"), 502),
        (lambda _seen: Response(b'"large"', media_type="application/json"), 502),
        (lambda _seen: Response(b"x", headers={"content-encoding": "gzip"}), 502),
        (lambda _seen: Response(b"[" + b" " * 5_000_000 + b"]"), 502),
        (lambda _seen: JSONResponse(["large", "small", {"x": "large"}]), 200),
        # An upstream's response to `Range`.
        (lambda _seen: JSONResponse([{"id": "large"}], 206), 206),
        (lambda _seen: Response(b'[{"id": "large"', 206), 502),
    ],
)
def test_a_model_list_that_cannot_be_filtered_is_withheld(
    api: httpx.Client, upstream: FakeUpstream, reply: Any, status: int
) -> None:
    upstream.reply = reply
    response = api.get("/v1/models")
    assert response.status_code == status
    assert "large" not in response.text


def test_the_sites_chat_checks_models_too(person: Person, upstream: FakeUpstream) -> None:
    narrow = narrow_key(person)

    def chat(**body: Any) -> int:
        body = {"api_key_id": narrow["id"], "messages": []} | body
        return person.http.post("/api/chat/completions", json=body).status_code

    assert chat(model="small", fallbacks=["large"]) == 404
    assert chat(model="large") == 404
    assert chat(model="mini-9") == 200
    assert len(upstream.seen) == 1


def test_usage_records_name_the_checked_model(
    server: Server, person: Person, upstream: FakeUpstream
) -> None:
    for plan in ("small", "every"):
        created = person.create_key(plan, "used")
        with server.gateway(created["key"]) as api:
            api.post("/v1/engines/mini-path/completions", json={"prompt": "x"})
            api.post("/v1/chat/completions?model=mini-query", json={})
            form = part("model", b"mini-form") + AUDIO + END
            api.post(TRANSCRIPTION, content=form, headers=FORM)
            api.post("/v1/chat/completions", json={"model": "mini-body"})
        rows = person.http.get("/api/usage").json()
        named = {row["model"] for row in rows if row["api_key_id"] == created["id"]}
        assert named == {"mini-path", "mini-query", "mini-form", "mini-body"}
        person.http.delete(f"/api/api-keys/{created['id']}")


def test_finding_models_takes_linear_time() -> None:
    """Each nesting level was read twice, so a 2 kB body took longer than any timeout."""
    deep: Any = {}
    for _ in range(150):
        deep = {"model": deep}
    assert list(models_in_document(deep)) == []
    assert list(models_in_document({"model": {"x": [{"y": "deep"}]}})) == ["deep"]
    function = {"name": "x", "parameters": {}}
    assert is_function(function)
    assert not is_function(function | {str(number): 1 for number in range(100)})


def test_models_are_found_at_any_depth() -> None:
    deep: dict[str, Any] = {"model": "deep"}
    for _ in range(100):
        deep = {"x": [deep]}
    assert list(models_in_document(deep)) == ["deep"]
    assert list(models_in_query(b"model=a&x=1&engine=b&model[]=c%20d")) == ["a", "b", "c d"]

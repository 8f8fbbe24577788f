"""Which endpoints are relayed: the table, and the default with stored objects off."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import openai
import pytest
from starlette.responses import JSONResponse

from daypass.gateway.endpoints import (
    ENDPOINTS,
    TURNED_OFF,
    EndpointClass,
    ModelChoice,
    route_of,
)
from tests.conftest import Server, StartServer, daypass, start_server
from tests.mutations import ROOT
from tests.support.upstream import FakeUpstream

RESOURCES = Path(openai.__file__).parent / "resources"
METHODS = {"_get": "GET", "_post": "POST", "_delete": "DELETE", "_get_api_list": "GET"}


@pytest.fixture
def api(relaying: Server, key: str, upstream: FakeUpstream) -> httpx.Client:
    return relaying.gateway(key)


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def sdk_endpoints() -> set[tuple[str, str]]:
    """Return every method and path that the official SDK calls, read from its source."""
    found = set()
    for file in RESOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr not in METHODS:
                continue
            path = next(x.value for x in ast.walk(node.args[0]) if isinstance(x, ast.Constant))
            method = METHODS[node.func.attr]
            for keyword in node.keywords:
                if keyword.arg == "method":
                    assert isinstance(keyword.value, ast.Constant)
                    method = str(keyword.value.value).upper()
            found.add((method, str(path).partition("?")[0]))
    return found


SDK = sorted(sdk_endpoints())


def test_the_sdk_endpoints_are_discovered() -> None:
    assert len(SDK) > 250
    assert ("POST", "/threads/{thread_id}/runs/{run_id}/submit_tool_outputs") in SDK


@pytest.mark.parametrize(("method", "path"), SDK)
def test_every_sdk_endpoint_is_classified(method: str, path: str) -> None:
    """A new SDK version fails here until its new endpoints are classified."""
    endpoint = route_of(method, re.sub(r"\{\w+\}", "x1", path).encode()).endpoint
    is_off_on_purpose = any((path + "/").startswith(f"{off}/") for off in TURNED_OFF)
    assert (endpoint.cls is EndpointClass.UNKNOWN) == is_off_on_purpose


def documented() -> Iterator[tuple[str, str, str, str, str]]:
    for line in (ROOT / "docs/endpoints.md").read_text().splitlines():
        row = re.fullmatch(r"\| `([A-Z]+)` \| `(/\S+)` \| (\w+) \| ([\w ]*) \| ([\w ]*) \|", line)
        if row:
            yield row[1], row[2], row[3], row[4], row[5]


def test_the_documentation_has_the_same_table() -> None:
    table = {
        (
            endpoint.method,
            endpoint.pattern,
            endpoint.cls.value,
            "" if endpoint.model is ModelChoice.OPTIONAL else endpoint.model.value,
            "billed later" if endpoint.billed_later else "",
        )
        for endpoint in ENDPOINTS
    }
    rows = list(documented())
    assert set(rows) == table
    assert len(rows) == len(ENDPOINTS)


def test_the_documentation_lists_the_disabled_paths() -> None:
    text = (ROOT / "docs/endpoints.md").read_text()
    for path, why in TURNED_OFF.items():
        assert f"| `{path}` | {why} |" in text


@pytest.mark.parametrize(
    ("method", "path", "cls"),
    [
        ("POST", "/chat/completions", "metered"),
        ("POST", "/chat/completions/", "metered"),
        ("POST", "/chat/%63ompletions", "metered"),
        ("GET", "/chat/completions", "stored"),
        ("HEAD", "/chat/completions", "stored"),
        ("PUT", "/chat/completions", "unknown"),
        ("OPTIONS", "/chat/completions", "unknown"),
        ("POST", "/Chat/completions", "unknown"),
        ("POST", "/responses", "metered"),
        ("POST", "/responses/compact", "metered"),
        ("POST", "/responses/resp_1/cancel", "stored"),
        ("GET", "/responses/resp_1", "stored"),
        ("GET", "/files/", "stored"),
        ("GET", "/%66iles", "stored"),
        ("GET", "/files/f/content/", "stored"),
        ("GET", "/Files", "unknown"),
        ("DELETE", "/models/ft:gpt-4o:org::id", "stored"),
        ("GET", "/models", "free"),
        ("HEAD", "/models/", "free"),
        ("GET", "/models/meta-llama/Llama-3", "free"),
        ("GET", "/models/meta-llama%2FLlama-3", "free"),
        ("POST", "/models/x", "unknown"),
        ("POST", "/engines/e/completions", "metered"),
        ("POST", "/engines/a/b/completions", "unknown"),
        ("POST", "/nothing", "unknown"),
    ],
)
def test_requests_are_classified(method: str, path: str, cls: str) -> None:
    assert route_of(method, path.encode()).endpoint.cls == cls


STORED = [
    (endpoint.method, "/v1" + re.sub(r"\{[\w+]+\}", "id_1", endpoint.pattern))
    for endpoint in ENDPOINTS
    if endpoint.cls is EndpointClass.STORED
]


def test_stored_objects_are_off(api: httpx.Client, upstream: FakeUpstream) -> None:
    others = [
        ("GET", "/v1/files/"), ("GET", "/v1/%66iles"), ("GET", "/v1/f%69les/x"),
        ("HEAD", "/v1/files"), ("GET", "/v1/files?purpose=batch"),
    ]  # fmt: skip
    for method, path in [*STORED, *others]:
        response = api.request(method, path, json={} if method == "POST" else None)
        assert response.status_code == 403, path
        if method != "HEAD":
            error = response.json()["error"]
            assert error["code"] == "endpoint_turned_off"
            assert "DAYPASS_STORED_OBJECTS" in error["message"]
            assert response.headers["x-should-retry"] == "false"
    assert upstream.seen == []
    assert api.get("/v1/key").json()["limits"][0]["used"] == 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/realtime/client_secrets", 403),
        ("POST", "/v1/realtime/calls", 403),
        ("GET", "/v1/organization/admin_api_keys", 403),
        ("POST", "/v1/organization/admin_api_keys", 403),
        ("POST", "/v1/chatkit/sessions", 403),
        ("POST", "/v1/webhook_endpoints", 403),
        ("POST", "/v1/skills", 403),
        ("POST", "/v1/agents/sessions", 403),
        ("GET", "/v1/nothing", 403),
        ("PUT", "/v1/responses", 403),
        ("POST", "/v1/Files", 403),
        ("POST", "/v1/x//y", 404),
    ],
)
def test_unknown_endpoints_are_off(
    api: httpx.Client, upstream: FakeUpstream, method: str, path: str, status: int
) -> None:
    response = api.request(method, path)
    assert response.status_code == status
    if status == 403:
        assert code(response) == (403, "endpoint_turned_off")
        assert "DAYPASS_EXTRA_PATHS" in response.text
    assert upstream.seen == []


def test_a_disabled_endpoint_is_401_without_a_key(relaying: Server, upstream: FakeUpstream) -> None:
    assert relaying.client().get("/v1/files").status_code == 401
    assert upstream.seen == []


NAMES_STORED = [
    ("/v1/responses", {"previous_response_id": "resp_1"}, "previous_response_id"),
    ("/v1/responses", {"Previous_Response_ID": "resp_1"}, "Previous_Response_ID"),
    ("/v1/responses", {"conversation": "conv_1"}, "conversation"),
    ("/v1/responses", {"conver\u017fation": "conv_1"}, "conver\u017fation"),
    ("/v1/responses", {"conversation": {"id": "conv_1"}}, "conversation.id"),
    ("/v1/responses", {"prompt": {"id": "pmpt_1"}}, "prompt.id"),
    ("/v1/responses", {"background": True}, "background"),
    ("/v1/responses", {"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].id"),
    ("/v1/responses", {"input": [{"id": "msg_1"}]}, "input[0].id"),
    (
        "/v1/responses",
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]},
        "input[0].content[0].file_id",
    ),
    (
        "/v1/responses",
        {"tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]},
        "tools[0].vector_store_ids",
    ),
    (
        "/v1/responses",
        {"tools": [{"type": "code_interpreter", "container": "cntr_1"}]},
        "tools[0].container",
    ),
    (
        "/v1/responses",
        {"tools": [{"type": "code_interpreter", "container": {"file_ids": ["file-1"]}}]},
        "tools[0].container.file_ids",
    ),
    (
        "/v1/chat/completions",
        {"messages": [{"content": [{"type": "file", "file": {"file_id": "file-1"}}]}]},
        "messages[0].content[0].file.file_id",
    ),
    ("/v1/images/edits", {"images": [{"file_id": "file-1"}]}, "images[0].file_id"),
    ("/v1/audio/speech", {"voice": {"id": "voice_1"}}, "voice.id"),
    (
        "/v1/messages",
        {"messages": [{"content": [{"source": {"type": "file", "file_id": "f"}}]}]},
        "messages[0].content[0].source.file_id",
    ),
    ("/v1/messages", {"container": "container_1"}, "container"),
    ("/v1/responses", {"Prompt": {"ID": "pmpt_1"}}, "Prompt.id"),
    ("/v1/responses", {"conversation": {"x": 1, "Id": "conv_1"}}, "conversation.id"),
    ("/v1/responses", {"Background": True}, "background"),
    ("/v1/responses", {"input": [{"Type": "item_reference", "ID": "msg_1"}]}, "input[0].id"),
    ("/v1/responses", {"input": [{"type": "Item_Reference", "id": "msg_1"}]}, "input[0].id"),
    ("/v1/responses", {"input": [{"ID": "msg_1"}]}, "input[0].id"),
    ("/v1/responses", {"input": [{"id": "msg_1", "content": None}]}, "input[0].id"),
    ("/v1/responses", {"input": {"id": "msg_1"}}, "input.id"),
    ("/v1/responses", {"input": [{"type": ["x"], "file_id": "file-1"}]}, "input[0].file_id"),
    # It refers to the image that the upstream stores, unless it contains the image.
    ("/v1/responses", {"input": [{"type": "image_generation_call", "id": "ig_1"}]}, "input[0].id"),
    (
        "/v1/responses",
        {"input": [{"type": "Image_Generation_Call", "id": "ig_1", "result": None}]},
        "input[0].id",
    ),
    ("/v1/responses", {"previous_response_id": {"id": "resp_1"}}, "previous_response_id.id"),
    (
        "/v1/responses",
        {"tools": [{"vector_store_ids": [{"ID": "v"}]}]},
        "tools[0].vector_store_ids.id",
    ),
    # Members that make the whole request look like a tool call or a function.
    (
        "/v1/responses",
        {"type": "tool_use", "input": [{"type": "item_reference", "id": "msg_1"}]},
        "input[0].id",
    ),
    (
        "/v1/responses",
        {"name": "x", "model": "m", "parameters": {"file_id": "file-1"}},
        "parameters.file_id",
    ),
    (
        "/v1/chat/completions",
        {"data_sources": [{"type": "x", "name": "y", "parameters": {"file_id": "file-1"}}]},
        "data_sources[0].parameters.file_id",
    ),
]


@pytest.mark.parametrize(("path", "body", "param"), NAMES_STORED)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", None])
def test_a_request_that_names_a_stored_object_is_refused(
    api: httpx.Client,
    upstream: FakeUpstream,
    path: str,
    body: dict[str, object],
    param: str,
    content_type: str | None,
) -> None:
    for escaped in (False, True):
        content = httpx.Request("POST", "http://x", json=body).content
        if escaped:  # Any letter of a name can be escaped.
            content = re.sub(rb'_(?=\w*"\s*:)', rb"\\u005f", content)
        headers = {"content-type": content_type} if content_type else {}
        response = api.post(path, content=content, headers=headers)
        assert code(response) == (403, "endpoint_turned_off")
        error = response.json()["error"]
        assert error["param"] == param
        assert "DAYPASS_STORED_OBJECTS" in error["message"]
    assert upstream.seen == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/responses", {"input": "hi", "store": True, "previous_response_id": None}),
        ("/v1/responses", {"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]}),
        ("/v1/responses", {"input": [{"type": "message", "id": "msg_1", "content": "hi"}]}),
        (
            "/v1/responses",
            {"input": [{"type": "image_generation_call", "id": "ig_1", "result": "iVBORw0K"}]},
        ),
        ("/v1/responses", {"tools": [{"properties": {"file_id": {"type": "string"}}}]}),
        (
            "/v1/responses",
            {"tools": [{"container": {"type": "auto"}}], "metadata": {"run_id": "1"}},
        ),
        (
            "/v1/chat/completions",
            {
                "messages": [
                    {"role": "assistant", "audio": {"id": "audio_1"}, "tool_calls": [{"id": "c"}]},
                    {"role": "tool", "tool_call_id": "c", "content": "file_id: file-1"},
                ],
                "tools": [
                    {
                        "function": {
                            "name": "f",
                            "parameters": {"properties": {"file_id": {"enum": ["a"]}}},
                        }
                    }
                ],
            },
        ),
        ("/v1/completions", {"prompt": "hi"}),
        ("/v1/audio/speech", {"voice": "alloy", "input": "conversation"}),
        (
            "/v1/messages",
            {
                "messages": [
                    {"content": [{"type": "tool_use", "id": "t", "input": {"file_id": "x"}}]}
                ]
            },
        ),
        ("/v1/chat/completions", {"plugins": [{"id": "web"}]}),
        ("/v1/images/generations", {"prompt": "x", "background": "transparent"}),
        ("/v1/images/edits", {"prompt": "x", "background": "opaque"}),
        (
            "/v1/responses",
            {
                "metadata": {"file_id": "x"},
                "tools": [
                    {"type": "function", "name": "f", "parameters": {"file_id": {"enum": ["a"]}}},
                    {"type": "image_generation", "background": "transparent"},
                ],
            },
        ),
    ],
)
def test_a_request_without_stored_objects_is_relayed(
    api: httpx.Client, upstream: FakeUpstream, path: str, body: dict[str, object]
) -> None:
    assert api.post(path, json=body).status_code == 200
    assert upstream.seen[0].json() == body


def test_metered_bodies_are_parsed_as_json_whatever_the_content_type(
    api: httpx.Client, upstream: FakeUpstream
) -> None:
    """`curl -d` declares a form, but some upstreams parse JSON all the same."""
    as_form = {"content-type": "application/x-www-form-urlencoded"}
    assert api.post("/v1/chat/completions", content=b"{}", headers=as_form).status_code == 200
    refused = api.post("/v1/chat/completions", content=b"model=m", headers=as_form)
    assert code(refused) == (400, "invalid_json")
    body = b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nm\r\n--b--\r\n'
    form = {"content-type": "multipart/form-data; boundary=b"}
    assert code(api.post("/v1/responses", content=body, headers=form)) == (400, "invalid_json")
    assert len(upstream.seen) == 1


def test_duplicate_content_types_are_refused(api: httpx.Client, upstream: FakeUpstream) -> None:
    types = [
        ("content-type", "application/json"),
        ("content-type", "multipart/form-data; boundary=b"),
    ]
    response = api.post("/v1/images/edits", content=b'{"images":[{"file_id":"f"}]}', headers=types)
    assert response.status_code == 400
    assert upstream.seen == []


@pytest.fixture(scope="module")
def shared(
    upstream_process: FakeUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    server = start_server(
        tmp_path_factory.mktemp("shared"),
        DAYPASS_UPSTREAM_BASE_URL=upstream_process.base_url,
        DAYPASS_STORED_OBJECTS="shared",
        DAYPASS_EXTRA_PATHS="realtime/client_secrets,/tokenize/",
    )
    yield server
    server.stop()


def test_shared_stored_objects_are_relayed_and_counted(
    shared: Server, upstream: FakeUpstream
) -> None:
    upstream.reply = lambda _seen: JSONResponse({"object": "list", "data": []})
    key = shared.sign_up().create_key("30RequestPerDay")["key"]
    with shared.gateway(key) as api:
        assert api.get("/v1/files").status_code == 200
        assert api.post("/v1/responses", json={"previous_response_id": "resp_1"}).status_code == 200
        assert api.delete("/v1/models/ft:x").status_code == 200
    assert shared.used(key) == 3
    assert len(upstream.seen) == 3


def test_a_stored_answer_is_not_billed_again(shared: Server, upstream: FakeUpstream) -> None:
    usage = {"input_tokens": 30, "output_tokens": 12}
    upstream.reply = lambda _seen: JSONResponse({"id": "resp_1", "usage": usage})
    person = shared.sign_up()
    with shared.gateway(person.create_key("30RequestPerDay")["key"]) as api:
        assert api.post("/v1/responses", json={"model": "m"}).status_code == 200
        for _ in range(2):
            assert api.get("/v1/responses/resp_1").status_code == 200
    rows = person.http.get("/api/usage").json()
    assert sum(x["requests"] for x in rows) == 3
    assert sum(x["input_tokens"] for x in rows) == 30


@pytest.mark.parametrize(("stored_objects", "warns"), [("shared", True), ("per-account", False)])
def test_doctor_warns_about_shared_stored_objects(
    tmp_path: Path, stored_objects: str, warns: bool
) -> None:
    settings = {
        "DAYPASS_DATA_DIR": str(tmp_path / "data"),
        "DAYPASS_STORED_OBJECTS": stored_objects,
    }
    found = daypass("doctor", **settings).stdout
    assert ("everybody's files" in found) == warns


def test_extra_paths_are_relayed_and_counted(shared: Server, upstream: FakeUpstream) -> None:
    key = shared.sign_up().create_key()["key"]
    with shared.gateway(key) as api:
        for path in (
            "/v1/tokenize",
            "/v1/%74okenize/",
            "/v1/tokenize/x",
            "/v1/realtime/client_secrets",
        ):
            assert api.post(path, json={}).status_code == 200
        for path in ("/v1/Tokenize", "/v1/tokenizer", "/v1/realtime", "/v1/realtime/sessions"):
            assert code(api.post(path, json={})) == (403, "endpoint_turned_off")
    assert shared.used(key) == 4
    assert len(upstream.seen) == 4


def test_extra_paths_do_not_enable_stored_objects(
    start: StartServer, upstream: FakeUpstream
) -> None:
    server = start(DAYPASS_UPSTREAM_BASE_URL=upstream.base_url, DAYPASS_EXTRA_PATHS="files")
    with server.gateway(server.sign_up().create_key()["key"]) as api:
        assert code(api.get("/v1/files")) == (403, "endpoint_turned_off")
        assert code(api.get("/v1/Files")) == (403, "endpoint_turned_off")
    assert upstream.seen == []


@pytest.mark.parametrize("path", ["/v1/models/a%2Fb", "/v1/models/a%2fb%2Fc", "/v1/models/a/b"])
def test_an_encoded_slash_is_relayed_below_models(
    api: httpx.Client, upstream: FakeUpstream, path: str
) -> None:
    """The official SDKs send this for `models.retrieve("a/b")`."""
    assert api.get(path).status_code == 200
    assert upstream.seen[0].target == path


@pytest.mark.parametrize(
    "path",
    ["/v1/models/..%2Fx", "/v1/models/a%2F..%2Fb", "/v1/models/%2Fb", "/v1/models/a%2F.%2Fb",
     "/v1/models/a%2F%2Fb", "/v1/models%2Fa", "/v1/models/a%252Fb", "/v1/models/a%2F%2e%2e%2Fb",
     "/v1/engines/a%2Fb/completions"],
)  # fmt: skip
def test_an_encoded_slash_cannot_escape_the_api(
    api: httpx.Client, upstream: FakeUpstream, path: str
) -> None:
    assert code(api.get(path)) == (404, "unknown_url")
    assert upstream.seen == []

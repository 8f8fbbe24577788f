"""`DAYPASS_STORED_OBJECTS=per-account`: an account sees only the objects that it stored."""

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import openai
import psycopg
import pytest
from starlette.responses import JSONResponse, Response

from daypass.gateway.endpoints import ENDPOINTS, EndpointClass
from tests.conftest import Person, Server, start_server
from tests.support.object_store import KINDS, ObjectStore
from tests.support.postgres import Postgres
from tests.support.upstream import FakeUpstream

PLAN = '[[plans]]\nid = "plenty"\nname = "Plenty"\nrequests_per_day = 100000\n'
LISTS = [x for x in KINDS if x not in ("uploads", "threads", "conversations", "responses")]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest,
    upstream_process: FakeUpstream,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("per-account")
    (directory / "daypass.toml").write_text(PLAN)
    settings = {"DAYPASS_STORED_OBJECTS": "per-account", "DAYPASS_EXTRA_PATHS": "extra"}
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres_server")
        settings["DAYPASS_DATABASE_URL"] = postgres.create_database("per_account")
    server = start_server(
        directory, DAYPASS_UPSTREAM_BASE_URL=upstream_process.base_url, **settings
    )
    yield server
    server.stop()


@pytest.fixture
def store(upstream: FakeUpstream) -> ObjectStore:
    store = ObjectStore()
    upstream.reply = store
    return store


@pytest.fixture(scope="module")
def people(server: Server) -> list[Person]:
    return [server.sign_up() for _ in range(2)]


@pytest.fixture(scope="module")
def keys(people: list[Person]) -> list[str]:
    return [person.create_key("plenty")["key"] for person in people]


@pytest.fixture
def ann(server: Server, keys: list[str]) -> httpx.Client:
    return server.gateway(keys[0])


@pytest.fixture
def bob(server: Server, keys: list[str]) -> httpx.Client:
    return server.gateway(keys[1])


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def make(api: httpx.Client, kind: str, **body: Any) -> dict[str, Any]:
    if kind == "files":
        files = {"file": ("a.jsonl", b"{}\n")}
        response = api.post("/v1/files", files=files, data={"purpose": "batch"})
    else:
        response = api.post(f"/v1/{kind}", json={"model": "m", "store": True} | body)
    assert response.status_code == 200, response.text
    made: dict[str, Any] = response.json()
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_is_visible_to_its_account_only(
    ann: httpx.Client, bob: httpx.Client, upstream: FakeUpstream, store: ObjectStore, kind: str
) -> None:
    made = make(ann, kind)["id"]
    unknown = store.add(kind)["id"]
    upstream.seen.clear()
    # Every endpoint whose path names an object of this kind.
    paths = [
        (endpoint.method, "/v1" + below(endpoint.pattern))
        for endpoint in ENDPOINTS
        if endpoint.cls is EndpointClass.STORED and endpoint.pattern.startswith(f"/{kind}/{{")
    ]
    assert paths
    for method, path in paths:
        for object_id in (made, unknown, "file-0000"):
            target = path.format(object_id)
            answer = bob.request(method, target, json={} if method == "POST" else None)
            assert code(answer) == (404, "not_found"), target
            message = f"No such object: '{object_id}'. Nothing was counted."
            assert answer.json()["error"]["message"] == message
    assert upstream.seen == []
    method, path = next((method, path) for method, path in paths if method != "DELETE")
    assert ann.request(method, path.format(made)).status_code == 200


def below(pattern: str) -> str:
    """Return an endpoint's path with a placeholder for its first object and names for the rest."""
    first, *others = re.split(r"\{\w+\}", pattern)
    return first + "{}" + "x1".join(others)


@pytest.mark.parametrize("kind", LISTS)
def test_a_list_contains_only_the_accounts_own_objects(
    ann: httpx.Client, bob: httpx.Client, store: ObjectStore, kind: str
) -> None:
    mine = []
    for _ in range(3):
        mine.append(make(ann, kind)["id"])
        for _ in range(120):
            store.add(kind)
        make(bob, kind)
    shown = ann.get(f"/v1/{kind}").json()
    assert [one["id"] for one in shown["data"]] == mine
    assert (shown["first_id"], shown["last_id"], shown["has_more"]) == (mine[0], mine[-1], False)
    two = ann.get(f"/v1/{kind}?limit=2&order=asc").json()
    assert [one["id"] for one in two["data"]] == mine[:2]
    assert two["has_more"] is True
    rest = ann.get(f"/v1/{kind}?limit=2&after={two['last_id']}").json()
    assert [one["id"] for one in rest["data"]] == mine[2:]
    assert rest["has_more"] is False
    before = ann.get(f"/v1/{kind}?limit=1&before={mine[2]}").json()
    assert [one["id"] for one in before["data"]] == [mine[1]]
    assert before["has_more"] is True
    others = [one["id"] for one in store.objects[kind] if one["id"] not in mine]
    for cursor in ("after", "before", "%61fter", "AFTER"):
        assert ann.get(f"/v1/{kind}?{cursor}={others[0]}").status_code in (400, 404)
    for query in ("limit=0", "limit=x", "limit=1&limit=2", "after=a&before=b", "Limit=3"):
        assert ann.get(f"/v1/{kind}?{query}").status_code in (400, 404)
    assert ann.head(f"/v1/{kind}").headers["content-length"] == "0"


def test_an_empty_list_reveals_nothing(
    server: Server, ann: httpx.Client, store: ObjectStore
) -> None:
    make(ann, "files")
    with server.gateway(server.sign_up().create_key("plenty")["key"]) as new:
        assert new.get("/v1/files").json() == {
            "object": "list", "data": [], "has_more": False, "first_id": None, "last_id": None,
        }  # fmt: skip


def test_a_list_that_is_too_long_to_filter_is_refused(
    ann: httpx.Client, store: ObjectStore
) -> None:
    for _ in range(5_001):
        store.add("evals")
    assert code(ann.get("/v1/evals")) == (503, "list_too_long")


NAMED: list[tuple[str, str, dict[str, Any]]] = [
    ("responses", "/v1/responses", {"previous_response_id": "ID"}),
    ("conversations", "/v1/responses", {"conversation": "ID"}),
    ("conversations", "/v1/responses", {"conversation": {"id": "ID"}}),
    ("files", "/v1/responses", {"input": [{"content": [{"type": "input_file", "file_id": "ID"}]}]}),
    ("vector_stores", "/v1/responses", {"tools": [{"vector_store_ids": ["ID"]}]}),
    ("containers", "/v1/responses", {"tools": [{"container": "ID"}]}),
    ("files", "/v1/responses", {"tools": [{"container": {"file_ids": ["ID"]}}]}),
    ("files", "/v1/chat/completions", {"messages": [{"content": [{"file": {"file_id": "ID"}}]}]}),
    ("files", "/v1/images/edits", {"images": [{"file_id": "ID"}]}),
    ("files", "/v1/batches", {"input_file_id": "ID"}),
    ("files", "/v1/fine_tuning/jobs", {"model": "m", "training_file": "ID"}),
    ("files", "/v1/fine_tuning/jobs", {"model": "m", "validation_file": "ID"}),
    ("files", "/v1/vector_stores", {"file_ids": ["ID"]}),
    ("files", "/v1/assistants", {"tool_resources": {"code_interpreter": {"file_ids": ["ID"]}}}),
    ("files", "/v1/threads", {"messages": [{"attachments": [{"File_Id": "ID"}]}]}),
    ("assistants", "/v1/threads/runs", {"assistant_id": "ID"}),
    ("files", "/v1/evals", {"data_source": {"source": {"type": "file_id", "id": "ID"}}}),
    ("files", "/v1/extra", {"file_id": "ID"}),
]


@pytest.mark.parametrize(("kind", "path", "body"), NAMED)
def test_objects_named_in_a_body_are_checked(
    ann: httpx.Client,
    bob: httpx.Client,
    upstream: FakeUpstream,
    store: ObjectStore,
    kind: str,
    path: str,
    body: dict[str, Any],
) -> None:
    made = make(ann, kind)["id"]
    unknown = store.add(kind)["id"]
    upstream.seen.clear()

    def naming(object_id: str) -> bytes:
        return httpx.Request("POST", "http://x", json=body).content.replace(
            b"ID", object_id.encode()
        )

    for object_id in (made, unknown):
        for content_type in ("application/json", "text/plain"):
            headers = {"content-type": content_type}
            answer = bob.post(path, content=naming(object_id), headers=headers)
            assert code(answer) == (404, "not_found")
            assert answer.json()["error"]["param"]
    assert upstream.seen == []
    as_json = {"content-type": "application/json"}
    assert ann.post(path, content=naming(made), headers=as_json).status_code == 200


def test_objects_named_in_a_form_are_checked(
    ann: httpx.Client, bob: httpx.Client, upstream: FakeUpstream, store: ObjectStore
) -> None:
    file, container = make(ann, "files")["id"], make(bob, "containers")["id"]
    upstream.seen.clear()
    path = f"/v1/containers/{container}/files"
    for name in ("file_id", "FILE_ID", "file_ids[]"):
        for content in ({"file": b"x" * 200_000}, {}):
            answer = bob.post(path, data={name: file}, files=content | {"x": b""})
            assert code(answer) == (404, "not_found")
    as_json = {"images": f'[{{"file_id": "{file}"}}]'}
    answer = bob.post("/v1/images/edits", data=as_json, files={"x": b""})
    assert code(answer) == (404, "not_found")
    for unreadable in (b"no form", b"--b\r\n\r\nfile"):
        form = {"content-type": "multipart/form-data; boundary=b"}
        assert bob.post(path, content=unreadable, headers=form).status_code == 400
    assert all(file.encode() not in seen.body for seen in upstream.seen)
    own = make(bob, "files")["id"]
    assert bob.post(path, data={"file_id": own}, files={"x": b""}).status_code == 200


def test_objects_named_in_a_query_are_checked(
    ann: httpx.Client, bob: httpx.Client, upstream: FakeUpstream, store: ObjectStore
) -> None:
    response = make(ann, "responses")["id"]
    upstream.seen.clear()
    path = f"/v1/responses?Previous_Response_ID={response}"
    assert code(bob.post(path, json={"input": "hi"})) == (404, "not_found")
    assert upstream.seen == []
    assert ann.post(path, json={"input": "hi"}).status_code == 200


def test_an_eval_cannot_read_stored_objects(ann: httpx.Client, upstream: FakeUpstream) -> None:
    for source in ("responses", "stored_completions", "logs", "Logs"):
        body = {"data_source": {"source": {"type": source}}}
        assert code(ann.post("/v1/evals", json=body)) == (403, "endpoint_turned_off")
    in_any_case = {"data_source": {"source": {"Type": "logs", "type": ["x"]}}}
    assert code(ann.post("/v1/evals", json=in_any_case)) == (403, "endpoint_turned_off")
    assert upstream.seen == []


def test_children_of_an_object_belong_to_its_owner(
    ann: httpx.Client, bob: httpx.Client, store: ObjectStore
) -> None:
    batch = make(ann, "batches")
    output = batch["output_file_id"]
    content = ann.get(f"/v1/files/{output}/content")
    assert content.content == b'{"id": "no object"}\n'
    assert code(bob.get(f"/v1/files/{output}/content")) == (404, "not_found")
    # Later output is recorded from the next response about the batch.
    late = store.add("files")["id"]
    next(x for x in store.objects["batches"] if x["id"] == batch["id"])["error_file_id"] = late
    assert code(ann.get(f"/v1/files/{late}")) == (404, "not_found")
    assert ann.get(f"/v1/batches/{batch['id']}").json()["error_file_id"] == late
    assert ann.get(f"/v1/files/{late}").status_code == 200
    assert code(bob.get(f"/v1/files/{late}")) == (404, "not_found")


def test_a_response_cannot_transfer_ownership(ann: httpx.Client, store: ObjectStore) -> None:
    operators = store.add("files")["id"]
    echo = {"file_id": operators, "id": operators, "file": {"id": operators}}
    assert make(ann, "conversations", metadata=echo)["metadata"] == echo
    assert make(ann, "responses", metadata=echo)["metadata"] == echo
    assert code(ann.get(f"/v1/files/{operators}")) == (404, "not_found")


def test_a_repeated_object_id_stays_with_its_first_owner(
    ann: httpx.Client, bob: httpx.Client, upstream: FakeUpstream
) -> None:
    upstream.reply = lambda _seen: JSONResponse({"id": "conv_twice", "secret": "x"})
    assert ann.post("/v1/conversations", json={}).status_code == 200
    again = bob.post("/v1/conversations", json={})
    assert code(again) == (502, "upstream_unreadable")
    assert code(bob.get("/v1/conversations/conv_twice")) == (404, "not_found")


@pytest.mark.parametrize(
    "answer", [b"no json", b'{"id": "' + b"x" * 300 + b'"}', b'{"id": "a\\u0000b"}']
)
def test_a_response_with_an_unrecordable_object_is_withheld(
    ann: httpx.Client, upstream: FakeUpstream, answer: bytes
) -> None:
    upstream.reply = lambda _seen: Response(answer, media_type="application/json")
    assert code(ann.post("/v1/threads", json={})) == (502, "upstream_unreadable")


def test_an_object_id_is_recorded_before_the_stream_shows_it(
    server: Server, ann: httpx.Client, bob: httpx.Client, store: ObjectStore
) -> None:
    asked = {"model": "m", "input": "x", "stream": True}
    with ann.stream("POST", "/v1/responses", json=asked) as response:
        assert response.status_code == 200
        pieces = []
        for piece in response.iter_raw():
            pieces.append(piece)
            for found in re.findall(rb'"id":"(resp-\d+)"', b"".join(pieces)):
                path = f"/v1/responses/{found.decode()}"
                assert ann.get(path).status_code == 200
                assert code(bob.get(path)) == (404, "not_found")
    whole = b"".join(pieces)
    assert whole.endswith(b'data: {"delta": "x"}\r\n\r\ndata: [DONE]\n\n')
    container = re.findall(rb'"container_id":"(cntr-\d+)"', whole)[0].decode()
    assert ann.get(f"/v1/containers/{container}").status_code == 200
    assert code(bob.get(f"/v1/containers/{container}")) == (404, "not_found")
    item = re.findall(rb'"id":"(msg_resp-\d+)"', whole)[0].decode()
    reference = {"input": [{"type": "item_reference", "id": item}]}
    assert code(bob.post("/v1/responses", json=reference)) == (404, "not_found")
    assert ann.post("/v1/responses", json=reference).status_code == 200


def test_a_deleted_object_has_no_owner(
    ann: httpx.Client, bob: httpx.Client, store: ObjectStore
) -> None:
    made = make(ann, "files")
    assert code(bob.delete(f"/v1/files/{made['id']}")) == (404, "not_found")
    assert ann.delete(f"/v1/files/{made['id']}").json()["deleted"] is True
    store.objects["files"].append(made)
    assert code(ann.get(f"/v1/files/{made['id']}")) == (404, "not_found")


def test_children_of_an_object_are_checked_for_ownership(
    ann: httpx.Client, bob: httpx.Client, store: ObjectStore
) -> None:
    file, vector_store = make(ann, "files")["id"], make(bob, "vector_stores")["id"]
    for method in ("GET", "DELETE"):
        answer = bob.request(method, f"/v1/vector_stores/{vector_store}/files/{file}")
        assert code(answer) == (404, "not_found")
    own = make(bob, "files")["id"]
    # It is removed from the vector store, but still exists.
    assert bob.delete(f"/v1/vector_stores/{vector_store}/files/{own}").status_code == 200
    assert bob.get(f"/v1/files/{own}").status_code == 200


def test_a_fine_tuned_model_belongs_to_its_owner(
    ann: httpx.Client, bob: httpx.Client, store: ObjectStore
) -> None:
    job = make(ann, "fine_tuning/jobs")["id"]
    next(x for x in store.objects["fine_tuning/jobs"] if x["id"] == job)["fine_tuned_model"] = (
        "ft:mine"
    )
    assert ann.get(f"/v1/fine_tuning/jobs/{job}").status_code == 200
    assert [x["id"] for x in ann.get("/v1/models").json()["data"]] == ["m", "ft:mine"]
    assert [x["id"] for x in bob.get("/v1/models").json()["data"]] == ["m"]
    assert code(bob.get("/v1/models/ft:mine")) == (404, "not_found")
    assert code(bob.delete("/v1/models/ft:mine")) == (404, "not_found")
    assert code(bob.post("/v1/responses", json={"model": "ft:mine"})) == (404, "not_found")
    assert ann.post("/v1/responses", json={"model": "ft:mine"}).status_code == 200


def test_keys_of_an_account_share_objects_and_the_chat_checks_ownership(
    server: Server, people: list[Person], ann: httpx.Client, store: ObjectStore
) -> None:
    made = make(ann, "files")["id"]
    second = people[0].create_key("plenty", "second")
    with server.gateway(second["key"]) as api:
        assert api.get(f"/v1/files/{made}").status_code == 200
    messages = [{"role": "user", "content": [{"type": "file", "file": {"file_id": made}}]}]
    for person, status in ((people[0], 200), (people[1], 404)):
        body = {"api_key_id": person.keys()[0]["id"], "model": "m", "messages": messages}
        answer = person.http.post("/api/chat/completions", json=body)
        assert answer.status_code == status
    people[0].http.delete(f"/api/api-keys/{second['id']}")


def test_the_sdk_works_with_its_stored_objects(
    server: Server, keys: list[str], store: ObjectStore
) -> None:
    ann, bob = (
        openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0) for key in keys
    )
    file = ann.files.create(file=("a.jsonl", b"{}\n"), purpose="batch")
    batch = ann.batches.create(
        input_file_id=file.id, endpoint="/v1/responses", completion_window="24h"
    )
    for _ in range(30):
        bob.files.create(file=("b.jsonl", b"{}\n"), purpose="batch")
    assert file.id in [one.id for one in ann.files.list(limit=1)]
    assert len(list(bob.files.list(limit=7))) >= 30
    assert batch.id in [one.id for one in ann.batches.list()]
    with pytest.raises(openai.NotFoundError, match="No such object"):
        bob.batches.retrieve(batch.id)
    first = ann.responses.create(model="m", input="x")
    ann.responses.create(model="m", input="y", previous_response_id=first.id)
    with pytest.raises(openai.NotFoundError):
        bob.responses.create(model="m", input="y", previous_response_id=first.id)
    ann.close()
    bob.close()


def rows(server: Server, ids: list[str]) -> int:
    """Return the number of these objects in the database."""
    url = server.settings.get("DAYPASS_DATABASE_URL")
    marks = ", ".join(["%s" if url else "?"] * len(ids))
    query = f"SELECT count(*) FROM stored_object WHERE id IN ({marks})"
    with contextlib.closing(
        psycopg.connect(url) if url else sqlite3.connect(server.data_dir / "daypass.db")
    ) as connection:
        (count,) = connection.execute(query, ids).fetchone() or (0,)
        return int(count)


def test_deleting_an_account_deletes_its_ownership_rows(server: Server, store: ObjectStore) -> None:
    person = server.sign_up()
    with server.gateway(person.create_key("plenty")["key"]) as api:
        made = [make(api, kind)["id"] for kind in ("files", "threads")]
    assert rows(server, made) == 2
    deleted = person.http.post(
        "/api/account/deletion", json={"password": "planted-password of a person"}
    )
    assert deleted.status_code == 204, deleted.text
    assert rows(server, made) == 0
    assert store.objects["files"]  # The upstream still has them; only the operator can delete them.


def test_without_the_database_stored_objects_are_unavailable(
    server: Server, ann: httpx.Client, upstream: FakeUpstream, store: ObjectStore
) -> None:
    url = server.settings.get("DAYPASS_DATABASE_URL")
    if url is None:  # SQLite: the ledger fails with it.
        return
    made = make(ann, "files")["id"]
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE stored_object IN ACCESS EXCLUSIVE MODE")
        upstream.seen.clear()
        assert code(ann.get(f"/v1/files/{made}")) == (503, "quota_unavailable")
        assert upstream.seen == []
        for body in ({}, {"stream": True}):
            answer = ann.post("/v1/responses", json={"model": "m"} | body)
            assert code(answer) == (503, "quota_unavailable")
            assert "resp-" not in answer.text
        assert code(ann.get("/v1/files")) == (503, "quota_unavailable")
    assert ann.get(f"/v1/files/{made}").status_code == 200

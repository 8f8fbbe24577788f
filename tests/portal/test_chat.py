"""The chat and its list of models."""

from tests.conftest import Person, Server, StartServer
from tests.support.portal import CHAT, only_embedded, problem


@only_embedded
def test_chat_requests_stream_and_count_for_the_key(site: Server, person: Person) -> None:
    created = person.create_key()
    asked = CHAT | {"api_key_id": created["id"], "model": "daypass-demo"}
    plain = person.http.post("/api/chat/completions", json=asked)
    assert "demo" in plain.json()["choices"][0]["message"]["content"]
    assert plain.headers["x-ratelimit-remaining-requests"] == "9"
    with person.http.stream("POST", "/api/chat/completions", json=asked | {"stream": True}) as it:
        events = list(it.iter_lines())
    assert events[-2] == "data: [DONE]"
    today = person.http.get("/api/usage/today").json()
    assert today["account"]["used"] == 2
    assert today["keys"][0]["used"] == 2
    for _ in range(8):
        assert person.http.post("/api/chat/completions", json=asked).status_code == 200
    refused = person.http.post("/api/chat/completions", json=asked)
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "insufficient_quota"
    missing = person.http.post("/api/chat/completions", json=CHAT)
    assert problem(missing, "api_key_id") == 422


def test_chat_lists_the_models(person: Person) -> None:
    models = [model["id"] for model in person.http.get("/api/models").json()]
    assert models == ["daypass-demo", "daypass-demo-embedding"]


def test_chat_reports_an_upstream_without_models(start: StartServer) -> None:
    server = start(DAYPASS_UPSTREAM_BASE_URL="http://127.0.0.1:1/v1")
    assert problem(server.sign_up().http.get("/api/models")) == 502

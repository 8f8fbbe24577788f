"""Receipts: the outcome of each recent request."""

from typing import Any

from starlette.responses import JSONResponse

from tests.conftest import Server
from tests.support.upstream import FakeUpstream


def test_each_request_has_a_receipt(relaying: Server, upstream: FakeUpstream) -> None:
    person = relaying.sign_up()
    created = person.create_key()
    api = relaying.gateway(created["key"])
    prompt = {"model": "small", "messages": [{"role": "user", "content": "planted-prompt"}]}
    served = api.post("/v1/chat/completions", json=prompt)
    upstream.reply = lambda _seen: JSONResponse({"error": {}}, 503)
    failed = api.post("/v1/chat/completions", json=prompt)
    upstream.reply = lambda _seen: JSONResponse({"x": 1}, 404)
    for _ in range(9):
        api.post("/v1/chat/completions", json=prompt)
    refused = api.post("/v1/chat/completions", json=prompt)
    api.get("/v1/models")
    answer = person.http.get("/api/requests")
    assert "planted-prompt" not in answer.text
    receipts: dict[str, dict[str, Any]] = {x["request_id"]: x for x in answer.json()}
    assert len(receipts) == 12
    assert answer.json()[0]["request_id"] == refused.headers["x-request-id"]

    def outcome(response: Any) -> tuple[Any, ...]:
        receipt = receipts[response.headers["x-request-id"]]
        assert receipt["api_key_name"] == "laptop"
        assert (receipt["model"], receipt["via"]) == ("small", "api")
        return tuple(receipt[x] for x in ("status", "outcome", "reason", "remaining"))

    assert outcome(served) == (200, "counted", "", 9)
    assert outcome(failed) == (503, "given_back", "upstream_503", 9)
    assert outcome(refused) == (429, "refused", "key_day", 0)
    assert relaying.sign_up().http.get("/api/requests").json() == []

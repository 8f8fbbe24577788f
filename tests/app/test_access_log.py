"""Log lines for the server's life cycle, its requests and its upstream."""

import json
import re
from typing import Any

from starlette.responses import JSONResponse

from tests.conftest import Server, StartServer
from tests.support.upstream import FakeUpstream
from tests.support.waiting import until

FAIL2BAN = r'"client": "(?P<host>\S+)".*"event": "sign_in_failed"'


def lines(server: Server, event: str) -> list[dict[str, Any]]:
    return [x for x in map(json.loads, server.log().splitlines()) if x["event"] == event]


def test_json_log_lines_describe_each_event(start: StartServer, upstream: FakeUpstream) -> None:
    upstream.reply = lambda _seen: JSONResponse({"error": {"message": "planted-answer"}}, 500)
    server = start(
        DAYPASS_LOG_FORMAT="json",
        DAYPASS_ACCESS_LOG="1",
        DAYPASS_TRUSTED_PROXIES="127.0.0.1",
        DAYPASS_UPSTREAM_BASE_URL=upstream.base_url,
    )
    (begun,) = lines(server, "started")
    assert begun["url"] == server.url
    (link,) = lines(server, "no_operator")
    token = link["setup_link"].partition("/setup/#")[2]
    assert token
    person = server.sign_up()
    body = {"email": person.email, "password": "planted-wrong"}
    away = server.client(headers={"x-forwarded-for": "203.0.113.9"})
    assert away.post("/api/session?planted-query=1", json=body).status_code == 401
    until(lambda: bool(lines(server, "sign_in_failed")))
    found = re.search(FAIL2BAN, server.log())
    assert found is not None
    assert found["host"] == "203.0.113.9"

    key = person.create_key()
    api = server.gateway(key["key"])
    failed = api.post("/v1/embeddings", json={"input": "planted-prompt"})
    (failure,) = lines(server, "upstream_failed")
    assert failure["request_id"] == failed.headers["x-request-id"]
    assert (failure["api_key_id"], failure["status"]) == (key["id"], 500)
    api.get(f"/v1/models/{key['key']}")
    api.get(f"/{person.email}")

    until(lambda: any(x["path"] == "/[redacted]" for x in lines(server, "request")))
    requests = {x["path"]: x for x in lines(server, "request")}
    assert requests["/v1/embeddings"]["request_id"] == failed.headers["x-request-id"]
    assert requests["/v1/embeddings"]["status"] == 500
    assert requests["/api/session"]["client"] == "203.0.113.9"
    assert requests["/v1/models/[redacted]"]["method"] == "GET"
    server.stop()
    assert lines(server, "stopped")
    said = server.log().replace(token, "", 1)
    assert not [x for x in (token, key["key"], person.email, "planted-") if x in said]

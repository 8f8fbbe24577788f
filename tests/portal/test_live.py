"""The live view's stream of events, from two processes."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2 as httpx
import pytest

from tests.conftest import PASSWORD, Person, Server, StartServer, start_server
from tests.support.portal import problem
from tests.support.waiting import BUSY_S
from tests.support.workers import known_after, warm

CHAT = {"messages": [{"role": "user", "content": "planted-prompt"}]}
PATH = "/api/operator/live"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_server(tmp_path_factory.mktemp("live"), "--workers", "2")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def operator(site: Server) -> Person:
    return site.set_up()


class Stream:
    """An open stream, read until what a test waits for."""

    def __init__(self, response: httpx.Response) -> None:
        assert response.status_code == 200
        self.response = response
        self._lines = response.iter_lines()
        self.text = ""

    def events(self, number: int) -> list[dict[str, Any]]:
        """Return the next events with their ids. The client's timeout ends the wait."""
        found: list[dict[str, Any]] = []
        event_id = ""
        while len(found) < number:
            line = next(self._lines)
            self.text += line
            if line.startswith("id: "):
                event_id = line.removeprefix("id: ")
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")) | {"id": event_id})
        return found

    def wait_for_end(self) -> None:
        for line in self._lines:
            assert line != ": still here"


def watch(http: httpx.Client, **headers: str) -> Any:
    return http.stream("GET", PATH, headers=headers)


def call(site: Server, key: str) -> int:
    """Call on a new connection, which either process may accept."""
    with site.gateway(key) as gateway:
        return gateway.post(
            "/v1/chat/completions", json=CHAT | {"model": "daypass-demo"}
        ).status_code


def test_live_requests_arrive_without_prompts(site: Server, operator: Person) -> None:
    member = site.sign_up()
    key = member.create_key("10RequestPerDay", "laptop")
    with watch(operator.http) as response:
        stream = Stream(response)
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-accel-buffering"] == "no"
        assert response.headers["cache-control"] == "no-store"
        statuses = [call(site, key["key"]) for _ in range(11)]
        assert statuses == [200] * 10 + [429]
        events = stream.events(11)
    last = next(x for x in events if x["status"] == 429)
    assert (last["outcome"], last["reason"]) == ("refused", "key_day")
    served = next(x for x in events if x["status"] == 200)
    assert (served["email"], served["api_key_name"]) == (member.email, "laptop")
    assert (served["usage_plan_id"], served["model"]) == ("10RequestPerDay", "daypass-demo")
    assert served["tokens"] > 0
    assert served["duration_ms"] >= 0
    assert len({x["request_id"] for x in events}) == 11
    assert "planted-prompt" not in stream.text
    assert key["key"] not in stream.text
    # The stream resumes on any process, without events already seen.
    middle = sorted(events, key=lambda x: [int(y) for y in x["id"].split(":")[:2]])[5]
    with watch(operator.http, **{"last-event-id": middle["id"]}) as response:
        resumed = Stream(response).events(5)
    assert middle["request_id"] not in {x["request_id"] for x in resumed}


def pause(operator: Person, paused: bool | None) -> None:
    changed = operator.http.patch("/api/operator/settings", json={"paused": paused})
    assert changed.status_code == 200, changed.text


def test_a_paused_site_refuses_calls_on_every_process_without_counting(
    site: Server, operator: Person
) -> None:
    member = site.sign_up()
    key = member.create_key("30RequestPerDay")
    warm(site, key["key"])
    body = CHAT | {"model": "daypass-demo", "stream": True}
    with (
        site.gateway(key["key"]) as gateway,
        gateway.stream("POST", "/v1/chat/completions", json=body) as begun,
    ):
        pieces = begun.iter_text()
        text = next(pieces)
        pause(operator, True)
        try:
            assert known_after(lambda: call(site, key["key"]) == 403) < 1 + BUSY_S
            used = site.used(key["key"])
            for method, path in (("POST", "chat/completions"), ("POST", "x"), ("GET", "models")):
                refused = site.gateway(key["key"]).request(method, f"/v1/{path}", json=body)
                assert refused.status_code == 403
                assert refused.json()["error"]["code"] == "site_paused"
                assert "Nothing was counted" in refused.json()["error"]["message"]
                assert refused.headers["x-should-retry"] == "false"
            chat = CHAT | {"model": "daypass-demo", "api_key_id": key["id"]}
            refused = member.http.post("/api/chat/completions", json=chat)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "site_paused")
            assert call(site, "dp_wrong") == 401
            # What has begun is finished; a key's report needs no site.
            assert (text + "".join(pieces)).rstrip().endswith("data: [DONE]")
            assert site.used(key["key"]) == used
            assert member.http.get("/api/site").json()["paused"] is True
            assert "paused" in member.http.get("/api/site.js").text
        finally:
            pause(operator, None)
    assert known_after(lambda: call(site, key["key"]) != 403) < 1 + BUSY_S
    assert "paused" not in member.http.get("/api/site.js").text
    log = operator.http.get("/api/operator/audit-log", params={"search": "paused"}).json()
    assert [x["detail"] for x in log] == ["true → default", "default → true"]


def test_a_stopping_server_does_not_wait_for_live_streams(start: StartServer) -> None:
    server = start()
    person = server.sign_up()
    with watch(person.http) as response:
        stream = Stream(response)
        server.process.terminate()
        stream.wait_for_end()
    assert server.process.wait(timeout=15) == 0


@pytest.mark.parametrize("way", ["demoted", "signed out", "token revoked"])
def test_the_live_stream_ends_when_access_is_lost(site: Server, operator: Person, way: str) -> None:
    person = site.sign_up()
    found = operator.http.get("/api/operator/people", params={"search": person.email}).json()
    account = f"/api/operator/people/{found['people'][0]['id']}"
    assert operator.http.patch(account, json={"role": "operator"}).status_code == 204
    credentials = {"email": person.email, "password": PASSWORD}
    assert person.http.post("/api/session", json=credentials).status_code == 200
    body = {"name": "wall", "scopes": ["read"]}
    token = person.http.post("/api/operator/tokens", json=body).json()
    bearer = httpx.Client(
        base_url=site.url, headers={"authorization": f"Bearer {token['token']}"}, timeout=30
    )
    watcher = bearer if way == "token revoked" else person.http
    ends: dict[str, Callable[[], httpx.Response]] = {
        "demoted": lambda: operator.http.patch(account, json={"role": "member"}),
        "signed out": lambda: person.http.delete("/api/session"),
        "token revoked": lambda: operator.http.delete(f"/api/operator/tokens/{token['id']}"),
    }
    with bearer, watch(watcher) as response:
        stream = Stream(response)
        stream.events(1)
        assert ends[way]().status_code == 204
        stream.wait_for_end()
        assert problem(watcher.get(PATH)) in (401, 403)

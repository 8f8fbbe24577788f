"""API Gateway in front of the gateway, end to end, on ministack."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2 as httpx
import openai
import pytest
from tests.conftest import PASSWORD, Person, Server, daypass, start_server
from tests.support.aws_server import client_of
from tests.support.ministack import Ministack
from tests.support.portal import problem
from tests.support.waiting import until

EMBEDDING = {"input": "x"}
DAY_S = 86_400


@pytest.fixture
def person(behind_aws: Server) -> Person:
    return behind_aws.sign_up()


def call(server: Server, key: str) -> httpx.Response:
    return server.gateway(key).post("/v1/embeddings", json=EMBEDDING)


def calls_until_refused(server: Server, key: str) -> int:
    for passed in range(40):
        answer = call(server, key)
        if answer.status_code == 429:
            return passed
        assert answer.status_code == 200, answer.text
    raise AssertionError("nothing refuses")


def wait_until_active(person: Person) -> None:
    """Wait until the request that probed a new key has been credited."""
    until(lambda: not person.keys()[0]["activating"])


def active_key(person: Person, plan: str = "10RequestPerDay") -> dict[str, Any]:
    created = person.create_key(plan)
    wait_until_active(person)
    return created


def keys_at_aws(server: Server) -> dict[str, Any]:
    client = client_of(server.settings["DAYPASS_AWS_ENDPOINT_URL"])
    return {key["id"]: key for key in client.get_api_keys(limit=500)["items"]}


def test_a_limit_holds_and_its_refusal_has_our_format(behind_aws: Server, person: Person) -> None:
    created = active_key(person)
    assert calls_until_refused(behind_aws, created["key"]) == 10
    refused = call(behind_aws, created["key"])
    error = refused.json()["error"]
    assert error["type"] == error["code"] == "insufficient_quota"
    assert "00:00 UTC" in error["message"]
    assert refused.headers["x-should-retry"] == "false"
    assert refused.headers["access-control-allow-origin"] == "*"
    (listed,) = person.keys()
    assert (listed["used"], listed["limit"], listed["remaining"]) == (10, 10, 0)
    (row,) = person.http.get("/api/usage").json()
    assert row["requests"] == 10


def test_concurrent_calls_are_admitted_up_to_the_limit(behind_aws: Server, person: Person) -> None:
    key = active_key(person, "20RequestPerDay")["key"]
    with ThreadPoolExecutor(60) as pool:
        statuses = list(pool.map(lambda _: call(behind_aws, key).status_code, range(60)))
    assert (statuses.count(200), statuses.count(429)) == (20, 40)


@pytest.mark.parametrize("headers", [{}, {"x-api-key": "dp_" + "x" * 38}])
def test_a_call_without_a_key_is_401_in_openai_format(
    behind_aws: Server, headers: dict[str, str]
) -> None:
    url = f"{behind_aws.gateway_root}/v1/models"
    refused = httpx.get(url, headers=headers)
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "invalid_api_key"
    assert refused.headers["access-control-allow-origin"] == "*"


def test_browsers_may_call_from_any_origin(behind_aws: Server, person: Person) -> None:
    headers = {"origin": behind_aws.url, "access-control-request-method": "POST"}
    url = f"{behind_aws.gateway_root}/v1/chat/completions"
    preflight = httpx.options(url, headers=headers)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    api = behind_aws.gateway(active_key(person)["key"])
    answer = api.post("/v1/embeddings", json=EMBEDDING, headers={"origin": behind_aws.url})
    assert answer.headers["access-control-allow-origin"] == "*"


def test_requests_that_bypass_api_gateway_are_refused(behind_aws: Server, person: Person) -> None:
    created = active_key(person)
    (key_id,) = [k for k, v in keys_at_aws(behind_aws).items() if v["value"] == created["key"]]
    secret = (behind_aws.data_dir / "aws-gateway-secret").read_text()
    named = {"x-daypass-api-key-id": key_id}
    for headers in (
        {"x-api-key": created["key"]},
        named,
        named | {"x-daypass-gateway-secret": "x" * len(secret)},
        {"x-daypass-gateway-secret": secret},
    ):
        answer = behind_aws.client().post("/v1/embeddings", json=EMBEDDING, headers=headers)
        assert answer.status_code == 403, headers
        assert answer.json()["error"]["code"] == "not_through_api_gateway"
    # The client's own headers with these names are replaced, not relayed or appended.
    other = active_key(behind_aws.sign_up())
    forged = behind_aws.gateway(other["key"]).get("/v1/key", headers=named)
    assert forged.json()["id"] == other["id"]
    assert person.keys()[0]["used"] == 0


def test_duplicate_gateway_headers_are_refused(behind_aws: Server, person: Person) -> None:
    created = active_key(person)
    (key_id,) = [k for k, v in keys_at_aws(behind_aws).items() if v["value"] == created["key"]]
    secret = (behind_aws.data_dir / "aws-gateway-secret").read_text()
    headers = [("x-daypass-gateway-secret", secret), ("x-daypass-api-key-id", key_id)]
    url = f"{behind_aws.url}/v1/key"
    assert httpx.get(url, headers=headers).status_code == 200
    for extra in headers:
        assert httpx.get(url, headers=[*headers, extra]).status_code == 403


def test_headers_of_api_gateway_do_not_reach_the_upstream(
    ministack: Ministack, tmp_path: Any, upstream: Any
) -> None:
    from tests.conftest import start_behind_aws

    server = start_behind_aws(tmp_path, ministack, DAYPASS_UPSTREAM_BASE_URL=upstream.base_url)
    try:
        created = server.sign_up().create_key()
        assert call(server, created["key"]).status_code == 200
        (seen,) = upstream.seen
        assert created["key"] not in str(seen)
        assert not [name for name in seen.headers if name.startswith("x-daypass")]
    finally:
        server.stop()


def test_rotating_a_key_carries_over_its_daily_usage(behind_aws: Server, person: Person) -> None:
    created = active_key(person)
    for _ in range(4):
        assert call(behind_aws, created["key"]).status_code == 200
    path = f"/api/api-keys/{created['id']}/rotate"
    graced = person.http.post(path, json={"grace_seconds": 60})
    assert graced.status_code == 422
    assert graced.json()["errors"][0]["pointer"] == "#/grace_seconds"
    rotated = person.http.post(path).json()
    assert rotated["id"] == created["id"]
    assert call(behind_aws, created["key"]).status_code == 401
    wait_until_active(person)
    assert calls_until_refused(behind_aws, rotated["key"]) == 6
    values = {key["value"] for key in keys_at_aws(behind_aws).values()}
    assert created["key"] not in values


def test_deleting_and_recreating_resets_nothing(behind_aws: Server, person: Person) -> None:
    created = active_key(person)
    assert calls_until_refused(behind_aws, created["key"]) == 10
    assert person.http.delete(f"/api/api-keys/{created['id']}").status_code == 204
    assert call(behind_aws, created["key"]).status_code == 401
    again = active_key(person)
    assert calls_until_refused(behind_aws, again["key"]) == 0
    person.http.delete(f"/api/api-keys/{again['id']}")
    larger = active_key(person, "30RequestPerDay")
    assert calls_until_refused(behind_aws, larger["key"]) == 20


def test_a_smaller_plan_takes_effect_at_once(behind_aws: Server, person: Person) -> None:
    created = active_key(person, "30RequestPerDay")
    for _ in range(7):
        assert call(behind_aws, created["key"]).status_code == 200
    change = {"usage_plan_id": "10RequestPerDay"}
    changed = person.http.patch(f"/api/api-keys/{created['id']}", json=change).json()
    assert (changed["usage_plan_id"], changed["next_usage_plan_id"]) == ("10RequestPerDay", None)
    assert (changed["used"], changed["remaining"]) == (7, 3)
    assert calls_until_refused(behind_aws, created["key"]) == 3


def test_a_larger_plan_takes_effect_at_midnight(behind_aws: Server, person: Person) -> None:
    created = active_key(person)
    path = f"/api/api-keys/{created['id']}"
    larger = {"name": "desk", "usage_plan_id": "20RequestPerDay"}
    changed = person.http.patch(path, json=larger).json()
    assert (changed["usage_plan_id"], changed["name"]) == ("10RequestPerDay", "desk")
    assert changed["next_usage_plan_id"] == "20RequestPerDay"
    same = person.http.patch(path, json={"usage_plan_id": "10RequestPerDay"}).json()
    assert same["next_usage_plan_id"] is None
    person.http.patch(path, json=larger)
    assert calls_until_refused(behind_aws, created["key"]) == 10

    tomorrow = {"DAYPASS_TESTING": "1", "DAYPASS_CLOCK_OFFSET_S": str(DAY_S)}
    later = start_server(behind_aws.data_dir.parent, "--join", **(behind_aws.settings | tomorrow))
    try:
        until(lambda: person.keys()[0]["usage_plan_id"] == "20RequestPerDay")
    finally:
        later.stop()
    (moved,) = person.keys()
    assert moved["next_usage_plan_id"] is None
    # The key was moved by tomorrow's clock, and nothing has been used tomorrow.
    assert calls_until_refused(behind_aws, created["key"]) == 20


def test_concurrent_requests_create_one_key_per_account(behind_aws: Server, person: Person) -> None:
    before = set(keys_at_aws(behind_aws))

    def create(_number: int) -> int:
        body = {"name": "laptop", "usage_plan_id": "10RequestPerDay"}
        return person.http.post("/api/api-keys", json=body).status_code

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(create, range(5))) == [201, 409, 409, 409, 409]
    assert len(set(keys_at_aws(behind_aws)) - before) == 1


def test_a_disabled_account_is_refused_by_api_gateway(behind_aws: Server, person: Person) -> None:
    created = active_key(person)
    assert daypass("accounts", "disable", person.email, **behind_aws.settings).returncode == 0
    refused = call(behind_aws, created["key"])
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
    undone = daypass("accounts", "disable", person.email, "--undo", **behind_aws.settings)
    assert undone.returncode == 0
    assert call(behind_aws, created["key"]).status_code == 200


def test_an_unserved_call_is_reported_as_counted(behind_aws: Server, person: Person) -> None:
    api = behind_aws.gateway(active_key(person)["key"])
    json_type = {"content-type": "application/json"}
    answer = api.post("/v1/embeddings", content=b'{"input"', headers=json_type)
    assert answer.status_code == 400
    assert "API Gateway has counted this call" in answer.json()["error"]["message"]


def test_the_openai_sdk_works_with_the_x_api_key_header(behind_aws: Server, person: Person) -> None:
    key = active_key(person)["key"]
    sdk = openai.OpenAI(
        base_url=f"{behind_aws.gateway_root}/v1", api_key=key, default_headers={"x-api-key": key}
    )
    messages: Any = [{"role": "user", "content": "hi"}]
    answer = sdk.chat.completions.create(model="daypass-demo", messages=messages)
    assert "demo" in (answer.choices[0].message.content or "")
    stream = sdk.chat.completions.create(model="daypass-demo", messages=messages, stream=True)
    assert len(list(stream)) > 50
    calls_until_refused(behind_aws, key)
    with pytest.raises(openai.RateLimitError) as caught:
        sdk.chat.completions.create(model="daypass-demo", messages=messages)
    assert caught.value.code == "insufficient_quota"


def test_chat_with_a_session_names_the_gateway_address(behind_aws: Server, person: Person) -> None:
    created = person.create_key()
    asked = {"api_key_id": created["id"], "model": "daypass-demo", "messages": []}
    answer = person.http.post("/api/chat/completions", json=asked)
    assert answer.status_code == 409
    assert f"{behind_aws.gateway_root}/v1/chat/completions" in answer.json()["detail"]


def test_the_command_manages_keys_too(behind_aws: Server, person: Person) -> None:
    def run(*arguments: str) -> Any:
        ended = daypass(*arguments, **behind_aws.settings)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    plan = ("--plan", "10RequestPerDay", "--json")
    (created,) = json.loads(run("keys", "create", person.email, *plan))
    assert call(behind_aws, created["key"]).status_code == 200
    run("keys", "revoke", created["id"])
    assert call(behind_aws, created["key"]).status_code == 401
    assert created["key"] not in {key["value"] for key in keys_at_aws(behind_aws).values()}
    assert "20RequestPerDay" in run("plans", "list")


def test_ceilings_cannot_be_set_on_the_site_with_api_gateway(
    behind_aws: Server, person: Person
) -> None:
    path = "/api/operator/settings"
    promoted = daypass("accounts", "promote", person.email, **behind_aws.settings)
    assert promoted.returncode == 0, promoted.stderr
    signed_in = person.http.post("/api/session", json={"email": person.email, "password": PASSWORD})
    assert signed_in.status_code == 200
    for name in ("site_requests_per_day", "max_keys_per_account"):
        refused = person.http.patch(path, json={name: 5, "sign_up": "closed"})
        assert problem(refused, name) == 409
        assert "API Gateway has no such limit" in refused.json()["detail"]
    found = {x["name"]: x for x in person.http.get(path).json()["settings"]}
    assert (found["max_keys_per_account"]["value"], found["sign_up"]["value"]) == (1, "open")
    assert "API Gateway" in found["site_cost_per_day"]["unavailable"]

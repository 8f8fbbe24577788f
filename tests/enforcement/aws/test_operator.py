"""The operator's pages with API Gateway as the enforcer."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import Person, Server, start_behind_aws
from tests.enforcement.aws.test_enforcement import active_key, call, keys_at_aws
from tests.support.aws_server import client_of
from tests.support.ministack import Ministack
from tests.support.upstream import FakeUpstream

PLANS = "/api/operator/usage-plans"


@pytest.fixture(scope="module")
def site(ministack: Ministack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_behind_aws(tmp_path_factory.mktemp("operator"), ministack)
    make_plans_of_the_embedded_enforcer(server)
    yield server
    server.stop()


def make_plans_of_the_embedded_enforcer(server: Server) -> None:
    """Add two plans on the site; API Gateway has a plan with the name of one of them."""
    terms = {"requests_per_day": 10, "tokens_per_day": 900, "max_concurrent_requests": 2}
    row = (
        "INSERT INTO usage_plan (id, name, description, terms, created_at) VALUES (?, ?, '', ?, 1)"
    )
    with sqlite3.connect(server.data_dir / "daypass.db", timeout=10) as database:
        for plan_id in ("both", "only-here"):
            database.execute(row, (plan_id, "Ten", json.dumps(terms)))
    database.close()
    stage = {"apiId": server.settings["DAYPASS_AWS_REST_API_ID"], "stage": "v1"}
    client_of(server.settings["DAYPASS_AWS_ENDPOINT_URL"]).create_usage_plan(
        name="both", apiStages=[stage], quota={"limit": 10, "period": "DAY"}
    )


@pytest.fixture(scope="module")
def operator(site: Server) -> Person:
    return site.sign_up()


def get(operator: Person, path: str) -> Any:
    answer = operator.http.get(f"/api/operator/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_plans_are_shown_and_changed_at_aws(operator: Person) -> None:
    listed = get(operator, "usage-plans")
    assert listed["account_requests_per_day"] is None
    assert {x["id"] for x in listed["plans"]} >= {"10RequestPerDay", "30RequestPerDay"}
    plan = {"name": "Lab", "requests_per_day": 5}
    for answer in (
        operator.http.post(PLANS, json=plan | {"id": "lab"}),
        operator.http.put(f"{PLANS}/10RequestPerDay", json=plan),
    ):
        assert answer.status_code == 409
        assert "aws sync" in answer.json()["detail"]


def test_plans_say_what_api_gateway_does_not_enforce(site: Server, operator: Person) -> None:
    not_enforced = ["tokens_per_day", "max_concurrent_requests"]
    managed = {x["id"]: x for x in get(operator, "usage-plans")["plans"]}
    offered = {x["id"]: x for x in site.client().get("/api/usage-plans").json()}
    for shown in (managed, offered):
        assert shown["both"]["not_enforced"] == not_enforced
        assert shown["30RequestPerDay"]["not_enforced"] == []
    assert managed["only-here"]["not_enforced"] == not_enforced
    assert not managed["only-here"]["self_service"]
    assert "only-here" not in offered


def test_a_key_is_moved_and_revoked_at_aws(site: Server, operator: Person) -> None:
    person = site.sign_up()
    created = active_key(person, "30RequestPerDay")
    path = f"/api/operator/api-keys/{created['id']}"
    smaller = {"usage_plan_id": "10RequestPerDay"}
    assert operator.http.patch(path, json=smaller).status_code == 204
    assert person.keys()[0]["usage_plan_id"] == "10RequestPerDay"
    assert operator.http.delete(path).status_code == 204
    assert created["key"] not in {key["value"] for key in keys_at_aws(site).values()}
    assert call(site, created["key"]).status_code == 401


def test_an_account_is_disabled_at_aws(site: Server, operator: Person) -> None:
    person = site.sign_up()
    created = active_key(person)
    (found,) = get(operator, f"people?search={person.email}")["people"]
    path = f"/api/operator/people/{found['id']}"
    for disabled, status in ((True, 401), (False, 200)):
        assert operator.http.patch(path, json={"disabled": disabled}).status_code == 204
        assert call(site, created["key"]).status_code == status


def test_a_person_is_shown_and_deleted_at_aws(site: Server, operator: Person) -> None:
    person = site.sign_up()
    created = active_key(person)
    assert call(site, created["key"]).status_code == 200
    (found,) = get(operator, f"people?search={person.email}")["people"]
    shown = get(operator, f"people/{found['id']}")
    (key,) = shown["keys"]
    assert [(x["subject"], x["limit"]) for x in key["limits"]] == [("key", 10)]
    assert shown["limits"] == []
    assert operator.http.delete(f"/api/operator/people/{found['id']}").status_code == 204
    assert created["key"] not in {key["value"] for key in keys_at_aws(site).values()}
    assert call(site, created["key"]).status_code == 401


def test_usage_and_upstream_health_are_shown(site: Server, operator: Person) -> None:
    person = site.sign_up()
    assert call(site, active_key(person)["key"]).status_code == 200
    assert person.email in [x["email"] for x in get(operator, "usage")["most_active"]]
    assert get(operator, "upstream")["reachable"] is True


def test_upstreams_are_listed_and_changed_with_api_gateway(
    site: Server, operator: Person, upstream: FakeUpstream
) -> None:
    person = site.sign_up()
    key = active_key(person)["key"]
    new = {"name": "mine", "base_url": upstream.base_url, "api_key": "sk-planted-behind-aws"}
    made = operator.http.post("/api/operator/upstreams", json=new)
    assert made.status_code == 201
    assert call(site, key).status_code == 200
    assert upstream.seen[-1].headers["authorization"] == "Bearer sk-planted-behind-aws"
    deleted = operator.http.delete(f"/api/operator/upstreams/{made.json()['id']}")
    assert deleted.status_code == 204
    assert get(operator, "upstream")["demo"] is True

"""Operators' pages and actions, which only operators can use."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import PASSWORD, Person, Server, StartServer, start_server
from tests.support.portal import problem
from tests.support.waiting import BUSY_S, until
from tests.support.workers import known_after, look, refused_after, warm

PLAN = {"id": "lab", "name": "Lab", "requests_per_day": 5}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_server(tmp_path_factory.mktemp("operator"), DAYPASS_SITE_REQUESTS_PER_DAY="1000")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def operator(site: Server) -> Person:
    return site.sign_up()


def get(person: Person, path: str, **query: Any) -> Any:
    response = person.http.get(f"/api/operator/{path}", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def person_of(operator: Person, email: str) -> Any:
    (found,) = get(operator, "people", search=email)["people"]
    return found


def sign_in(person: Person) -> None:
    body = {"email": person.email, "password": PASSWORD}
    assert person.http.post("/api/session", json=body).status_code == 200


def actions(operator: Person, subject: str) -> list[str]:
    return [x["action"] for x in get(operator, "audit-log", search=subject)]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "people"),
        ("PATCH", "people/acc_1"),
        ("GET", "people/acc_1"),
        ("POST", "people/acc_1/password-reset"),
        ("POST", "people/acc_1/sign-out"),
        ("POST", "people/batch"),
        ("GET", "api-keys"),
        ("PATCH", "api-keys/key_1"),
        ("DELETE", "api-keys/key_1"),
        ("POST", "api-keys/batch"),
        ("GET", "usage-plans"),
        ("POST", "usage-plans"),
        ("PUT", "usage-plans/lab"),
        ("GET", "usage"),
        ("GET", "usage.csv"),
        ("GET", "settings"),
        ("PATCH", "settings"),
        ("GET", "sign-up"),
        ("GET", "checklist"),
        ("GET", "mails"),
        ("POST", "mails/mai_1/retry"),
        ("DELETE", "mails/mai_1"),
        ("POST", "invitations"),
        ("DELETE", "invitations/inv_1"),
        ("POST", "invitations/batch"),
        ("GET", "audit-log"),
        ("GET", "upstream"),
        ("GET", "live"),
        ("GET", "tokens"),
        ("POST", "tokens"),
        ("DELETE", "tokens/tok_1"),
    ],
)
def test_operator_routes_require_an_operator(
    site: Server, operator: Person, method: str, path: str
) -> None:
    member = site.sign_up().http
    assert problem(member.request(method, f"/api/operator/{path}", json={})) == 403
    assert problem(site.client().request(method, f"/api/operator/{path}", json={})) == 401


def test_people_search_treats_wildcards_literally(site: Server, operator: Person) -> None:
    for name in ("a_b", "axb", "100%"):
        body = {"email": f"{name}@search.example", "password": PASSWORD}
        assert site.client().post("/api/accounts", json=body).status_code == 201
    found = get(operator, "people", search="A_B@search")
    assert [x["email"] for x in found["people"]] == ["a_b@search.example"]
    assert found["total"] == 1
    assert get(operator, "people", search="%@search")["total"] == 1
    assert get(operator, "people", search="search.example")["total"] == 3
    page = get(operator, "people", search="search.example", offset=2)
    assert (len(page["people"]), page["total"]) == (1, 3)
    assert not {"password", "password_hash"} & set(page["people"][0])


def test_people_are_disabled_and_promoted_within_a_second(site: Server, operator: Person) -> None:
    person = site.sign_up()
    key = person.create_key()["key"]
    warm(site, key)
    path = f"/api/operator/people/{person_of(operator, person.email)['id']}"
    assert operator.http.patch(path, json={"disabled": True}).status_code == 204
    assert refused_after(site, key) < 1 + BUSY_S
    assert person.http.get("/api/session").status_code == 401
    assert person_of(operator, person.email)["disabled_at"]
    assert operator.http.patch(path, json={"disabled": False}).status_code == 204
    assert site.gateway(key).get("/v1/key").status_code == 200
    # Old sessions stay invalid, and none gains or keeps an operator's rights.
    assert person.http.get("/api/session").status_code == 401
    sign_in(person)
    assert operator.http.patch(path, json={"role": "operator"}).status_code == 204
    assert person.http.get("/api/session").status_code == 401
    sign_in(person)
    assert get(person, "people")["total"] >= 2
    assert operator.http.patch(path, json={"role": "member"}).status_code == 204
    assert person.http.get("/api/session").status_code == 401
    assert problem(operator.http.patch("/api/operator/people/acc_x", json={})) == 404
    assert actions(operator, person.email) == [
        "account made member",
        "account made operator",
        "account enabled",
        "account disabled",
    ]


def test_the_last_operator_cannot_be_demoted(operator: Person) -> None:
    path = f"/api/operator/people/{person_of(operator, operator.email)['id']}"
    for change in ({"role": "member"}, {"disabled": True}):
        assert problem(operator.http.patch(path, json=change)) == 409
    assert problem(operator.http.post("/api/account/deletion", json={"password": PASSWORD})) == 409


def test_operators_find_move_and_revoke_keys(site: Server, operator: Person) -> None:
    person = site.sign_up()
    created = person.create_key(name="50% of_all")
    assert get(operator, "api-keys", search="0% of_a")["total"] == 1
    assert get(operator, "api-keys", search="_% of")["total"] == 0
    (found,) = get(operator, "api-keys", search=person.email)["keys"]
    assert (found["id"], found["account_email"]) == (created["id"], person.email)
    assert created["key"] not in str(found)
    path = f"/api/operator/api-keys/{created['id']}"
    assert problem(operator.http.patch(path, json={"usage_plan_id": "x"}), "usage_plan_id") == 422
    moved = operator.http.patch(path, json={"usage_plan_id": "30RequestPerDay"})
    assert moved.status_code == 204
    assert look(site, created["key"]).json()["usage_plan"]["id"] == "30RequestPerDay"
    assert operator.http.delete(path).status_code == 204
    assert look(site, created["key"]).status_code == 401
    assert person.keys() == []
    assert actions(operator, created["id"]) == ["key revoked", "key moved"]
    log = str(get(operator, "audit-log"))
    assert created["key"] not in log
    assert PASSWORD not in log


def test_every_limit_of_a_key_has_its_own_reset(site: Server, operator: Person) -> None:
    plan = {"name": "Two an hour", "requests_per_minute": 9, "requests_per_hour": 2}
    hourly = plan | {"id": "hourly", "requests_per_day": 25}
    assert operator.http.post("/api/operator/usage-plans", json=hourly).status_code == 201
    person = site.sign_up()
    api = site.gateway(person.create_key("hourly")["key"])
    for _ in range(2):
        assert api.post("/v1/embeddings", json={"input": "x"}).status_code == 200
    (listed,) = person.keys()
    # Except the minute, which may end between the two calls.
    assert listed["limits"][1:] == api.get("/v1/key").json()["limits"][1:]
    minute, hour, day, account, whole_site = listed["limits"]
    assert [minute["window"], hour["window"], day["window"]] == ["minute", "hour", "day"]
    assert (account["subject"], account["limit"]) == ("account", 30)
    assert (whole_site["subject"], whole_site["limit"]) == ("site", 1000)
    assert (hour["used"], hour["remaining"], day["remaining"]) == (2, 0, 23)
    assert hour["resets_at"] <= day["resets_at"]
    # The summary describes the hour's limit: not "0 left" until midnight.
    summary = {name: listed[name] for name in ("used", "limit", "window", "remaining", "resets_at")}
    assert summary == {name: hour[name] for name in summary}
    today = person.http.get("/api/usage/today").json()
    assert today["keys"][0]["limits"][1:] == listed["limits"][1:]
    assert (today["keys"][0]["by_api"], today["keys"][0]["by_chat"]) == (2, 0)

    # If the account's limit is tighter, the remaining quota and reset are the account's.
    other = site.gateway(person.create_key("30RequestPerDay", "other")["key"])
    for _ in range(28):
        assert other.post("/v1/embeddings", json={"input": "x"}).status_code == 200
    first, second = person.keys()
    assert (first["remaining"], first["resets_at"]) == (0, account["resets_at"])
    assert (second["used"], second["limit"], second["remaining"]) == (28, 30, 0)


def test_plans_are_created_on_the_site_beside_those_of_the_settings(
    site: Server, operator: Person
) -> None:
    path = "/api/operator/usage-plans"
    taken = operator.http.post(path, json=PLAN | {"id": "10RequestPerDay"})
    assert problem(taken, "id") == 409
    assert problem(operator.http.post(path, json=PLAN | {"id": "no way"}), "id") == 422
    burst = {"burst": 2, "requests_per_minute": 6}
    assert operator.http.post(path, json=PLAN | burst).status_code == 201
    assert problem(operator.http.post(path, json=PLAN), "id") == 409
    (offered,) = [x for x in site.client().get("/api/usage-plans").json() if x["id"] == "lab"]
    assert offered["limits"] == [
        {"measure": "requests", "amount": 6, "window": "minute", "burst": 2},
        {"measure": "requests", "amount": 5, "window": "day"},
    ]
    person = site.sign_up()
    api = site.gateway(person.create_key("lab")["key"])
    first = api.post("/v1/embeddings", json={"input": "x"})
    assert first.headers["x-ratelimit-limit-requests"] == "2"

    changed = PLAN | {"name": "Lab, larger", "requests_per_day": 50}
    del changed["id"]
    assert operator.http.put(f"{path}/lab", json=changed).status_code == 204
    until(lambda: 50 in [x["limit"] for x in api.get("/v1/key").json()["limits"]], 1 + BUSY_S)
    second = api.post("/v1/embeddings", json={"input": "x"})
    assert second.headers["x-ratelimit-limit-requests"] == "50"
    assert second.headers["x-ratelimit-remaining-requests"] == "48"
    assert site.client().get("/api/site").json()["account_requests_per_day"] == 50

    assert operator.http.put(f"{path}/lab", json=changed | {"retired": True}).status_code == 204
    assert api.post("/v1/embeddings", json={"input": "x"}).status_code == 200
    body = {"name": "x", "usage_plan_id": "lab"}
    assert problem(person.http.post("/api/api-keys", json=body), "usage_plan_id") == 422
    managed = {x["id"]: x for x in get(operator, "usage-plans")["plans"]}
    assert (managed["lab"]["source"], managed["lab"]["keys"]) == ("site", 1)
    assert managed["lab"]["retired_at"]
    assert problem(operator.http.put(f"{path}/nothing", json=changed)) == 404
    assert actions(operator, "lab") == ["plan retired", "plan changed", "plan created"]


def test_a_built_in_plan_is_edited_like_any_other(site: Server, operator: Person) -> None:
    person = site.sign_up()
    api = site.gateway(person.create_key("20RequestPerDay")["key"])
    path = "/api/operator/usage-plans"
    managed = {x["id"]: x for x in get(operator, "usage-plans")["plans"]}
    assert list(managed)[:3] == ["10RequestPerDay", "20RequestPerDay", "30RequestPerDay"]
    assert managed["20RequestPerDay"]["source"] == "site"
    change = {"name": "Larger", "requests_per_day": 25}
    assert operator.http.put(f"{path}/20RequestPerDay", json=change).status_code == 204
    until(lambda: 25 in [x["limit"] for x in api.get("/v1/key").json()["limits"]], 1 + BUSY_S)
    offered = {x["id"]: x["name"] for x in site.client().get("/api/usage-plans").json()}
    assert offered["20RequestPerDay"] == "Larger"
    retired = change | {"retired": True}
    assert operator.http.put(f"{path}/20RequestPerDay", json=retired).status_code == 204
    offered = {x["id"]: x["name"] for x in site.client().get("/api/usage-plans").json()}
    assert "20RequestPerDay" not in offered
    assert api.get("/v1/key").json()["usage_plan"]["name"] == "Larger"


@pytest.mark.parametrize(
    "wrong",
    [
        {"requests_per_day": -1},
        {"requests_per_day": 10**30},
        {"requests_per_day": "5"},
        {"requests_per_day": True},
        {"self_service": 1},
        {"burst": 5},
        {"requests_per_day": None},
        {"unlimited": True},
        {"name": ""},
        {"unknown": 1},
    ],
)
def test_an_invalid_plan_is_refused(operator: Person, wrong: dict[str, Any]) -> None:
    response = operator.http.post("/api/operator/usage-plans", json=PLAN | {"id": "odd"} | wrong)
    assert response.status_code == 422
    assert "odd" not in [x["id"] for x in get(operator, "usage-plans")["plans"]]


def test_a_changed_plan_reaches_every_worker_within_a_second(start: StartServer) -> None:
    server = start("--workers", "2")
    operator = server.sign_up()
    path = "/api/operator/usage-plans"
    assert operator.http.post(path, json=PLAN).status_code == 201
    key = operator.create_key("lab")["key"]
    warm(server, key)
    change = {"name": "Lab", "requests_per_day": 7}
    assert operator.http.put(f"{path}/lab", json=change).status_code == 204

    def is_changed() -> bool:
        limit: int = look(server, key).json()["limits"][0]["limit"]
        return limit == 7

    assert known_after(is_changed) < 1 + BUSY_S


def test_operators_see_site_usage_ceiling_and_upstream_health(
    site: Server, operator: Person
) -> None:
    person = site.sign_up()
    api = site.gateway(person.create_key()["key"])
    before = get(operator, "usage")["today"]["used"]
    for _ in range(3):
        assert api.post("/v1/embeddings", json={"input": "x", "model": "m"}).status_code == 200
    usage = get(operator, "usage")
    assert usage["today"]["limit"] == 1000
    assert usage["today"]["used"] == before + 3
    assert sum(x["requests"] for x in usage["days"]) == before + 3
    assert person.email in [x["email"] for x in usage["most_active"]]
    health = get(operator, "upstream")
    assert (health["demo"], health["reachable"], health["models"]) == (True, True, 2)
    assert {"outcome": "counted", "reason": "", "requests": before + 3} in health["last_hour"]


def test_an_unreachable_upstream_is_reported_without_its_address(start: StartServer) -> None:
    server = start(DAYPASS_UPSTREAM_BASE_URL="http://127.0.0.1:1/v1")
    operator = server.set_up()
    health = get(operator, "upstream")
    assert health["reachable"] is False
    assert health["problem"]
    assert "127.0.0.1" not in str(health)


def test_sign_up_requires_an_invitation(start: StartServer) -> None:
    server = start(DAYPASS_SIGN_UP="invite")
    operator = server.set_up()
    assert get(operator, "sign-up")["sign_up"] == "invite"
    body = {"email": "guest@example.org", "password": PASSWORD}
    assert problem(server.client().post("/api/accounts", json=body)) == 403
    made = operator.http.post("/api/operator/invitations", json={"note": "guest"})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    token = made.json()["token"]
    assert token not in str(get(operator, "sign-up"))
    invited = body | {"invitation": token}
    assert server.client().post("/api/accounts", json=invited).status_code == 201
    again = invited | {"email": "second@example.org"}
    assert problem(server.client().post("/api/accounts", json=again)) == 403
    (used,) = get(operator, "sign-up")["invitations"]
    assert used["used_by"] == "guest@example.org"
    path = "/api/operator/invitations"
    assert problem(operator.http.delete(f"{path}/{used['id']}")) == 404
    second = operator.http.post(path, json={}).json()
    assert operator.http.delete(f"{path}/{second['id']}").status_code == 204
    late = again | {"invitation": second["token"]}
    assert problem(server.client().post("/api/accounts", json=late)) == 403
    log = str(get(operator, "audit-log"))
    assert token not in log


def test_an_open_site_has_no_invitations(operator: Person) -> None:
    assert problem(operator.http.post("/api/operator/invitations", json={})) == 409

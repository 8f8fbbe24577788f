"""The portal over HTTP, on a real server."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from pydantic import ValidationError

from daypass.app.factory import Daypass
from daypass.config.settings import Settings
from daypass.domain import key_format
from daypass.portal.api_keys import NewApiKey
from daypass.portal.sign_up import check_email
from tests.conftest import PASSWORD, Person, Server, StartServer
from tests.support.waiting import BUSY_S, until

CHAT = {"messages": [{"role": "user", "content": "planted-prompt"}]}


only_embedded = pytest.mark.parametrize("site", ["embedded"], indirect=True)
"""Where the enforcers differ: tests/enforcement/aws/test_enforcement.py has the other half."""


@pytest.fixture(params=["embedded", "aws"])
def site(request: pytest.FixtureRequest) -> Server:
    """A server with the demo model: the portal is the same, whoever enforces the plans."""
    name = {"embedded": "demo", "aws": "behind_aws"}[request.param]
    server: Server = request.getfixturevalue(name)
    return server


@pytest.fixture
def person(site: Server) -> Person:
    return site.sign_up()


def problem(response: httpx.Response, field: str | None = None) -> int:
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status_code
    assert document["title"]
    assert document["detail"]
    pointers = [x["pointer"] for x in document["errors"]]
    assert pointers == ([f"#/{field}"] if field else [])
    return response.status_code


def test_usage_plans_need_no_session(site: Server) -> None:
    response = site.client().get("/api/usage-plans")
    assert response.status_code == 200
    assert [plan["id"] for plan in response.json()] == [
        "10RequestPerDay",
        "20RequestPerDay",
        "30RequestPerDay",
    ]
    first = response.json()[0]
    assert first["limits"] == [{"measure": "requests", "amount": 10, "window": "day"}]
    assert first["models"] == []


def test_the_first_account_is_the_operator(start: StartServer) -> None:
    server = start()
    assert server.client().get("/api/site").json()["has_operator"] is False
    roles = [server.sign_up().http.get("/api/session").json()["role"] for _ in range(2)]
    assert roles == ["operator", "member"]
    assert server.client().get("/api/site").json()["has_operator"] is True


def test_signing_up_in_and_out(site: Server, person: Person) -> None:
    assert person.http.get("/api/session").json()["email"] == person.email
    cookie = next(iter(person.http.cookies.jar))
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "lax"

    browser = site.client()
    assert problem(browser.get("/api/session")) == 401
    wrong = {"email": person.email, "password": "not the password"}
    unknown = {"email": "nobody@example.org", "password": PASSWORD}
    refused = [browser.post("/api/session", json=x) for x in (wrong, unknown)]
    assert [problem(x) for x in refused] == [401, 401]
    assert refused[0].json() == refused[1].json()

    right = {"email": person.email.upper(), "password": PASSWORD}
    assert browser.post("/api/session", json=right).json()["email"] == person.email
    stolen = dict(browser.cookies)
    assert browser.delete("/api/session").status_code == 204
    assert browser.get("/api/session").status_code == 401
    assert site.client(cookies=stolen).get("/api/session").status_code == 401
    assert person.http.get("/api/session").status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "not an address", "password": PASSWORD}, "email"),
        ({"email": "", "password": PASSWORD}, "email"),
        ({"email": "a@b.org", "password": "short"}, "password"),
        ({"email": "a@b.org", "password": "x" * 300}, "password"),
        ({"email": "a@b.org"}, "password"),
        ({"email": 7, "password": PASSWORD}, "email"),
    ],
)
def test_bad_fields_have_a_message_beside_them(
    site: Server, body: dict[str, Any], field: str
) -> None:
    assert problem(site.client().post("/api/accounts", json=body), field) == 422


def test_an_address_is_taken_once(site: Server, person: Person) -> None:
    body = {"email": person.email.title(), "password": PASSWORD}
    assert problem(site.client().post("/api/accounts", json=body), "email") == 409


def test_sign_up_can_be_closed_or_kept_to_a_domain(start: StartServer) -> None:
    kept = start(DAYPASS_ALLOWED_EMAIL_DOMAINS="school.example, other.example")
    client = kept.client()
    body = {"email": "a@elsewhere.example", "password": PASSWORD}
    assert problem(client.post("/api/accounts", json=body), "email") == 403
    body["email"] = "a@School.example"
    assert client.post("/api/accounts", json=body).status_code == 201
    kept.stop()
    closed = start(DAYPASS_SIGN_UP="closed", DAYPASS_DATA_DIR=str(kept.data_dir))
    assert problem(closed.client().post("/api/accounts", json=body | {"email": "b@b.org"})) == 403


def test_a_key_is_shown_once_and_stored_as_a_hash(site: Server, person: Person) -> None:
    response = person.http.post(
        "/api/api-keys", json={"name": " laptop ", "usage_plan_id": "20RequestPerDay"}
    )
    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    created = response.json()
    assert set(created) == {
        "id",
        "key",
        "prefix",
        "last4",
        "name",
        "usage_plan_id",
        "created_at",
    }
    assert key_format.is_well_formed(created["key"])
    assert created["name"] == "laptop"
    (listed,) = person.keys()
    assert "key" not in listed
    assert listed["prefix"] == created["key"][:8]
    assert listed["last4"] == created["key"][-4:]
    assert (listed["used"], listed["limit"], listed["remaining"]) == (0, 20, 20)
    assert listed["resets_at"].endswith("T00:00:00Z")
    assert listed["window"] == "day"
    stored = b"".join(path.read_bytes() for path in site.data_dir.rglob("*") if path.is_file())
    assert created["key"].encode() not in stored
    assert key_format.digest(created["key"]).encode() in stored


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "", "usage_plan_id": "10RequestPerDay"}, "name"),
        ({"name": "   ", "usage_plan_id": "10RequestPerDay"}, "name"),
        ({"name": "x" * 81, "usage_plan_id": "10RequestPerDay"}, "name"),
        ({"name": "a\nb", "usage_plan_id": "10RequestPerDay"}, "name"),
        ({"name": "laptop", "usage_plan_id": "unlimited"}, "usage_plan_id"),
        ({"name": "laptop"}, "usage_plan_id"),
    ],
)
def test_a_bad_key_request_creates_nothing(
    person: Person, body: dict[str, Any], field: str
) -> None:
    assert problem(person.http.post("/api/api-keys", json=body), field) == 422
    assert person.keys() == []


@pytest.mark.parametrize(
    "name",
    [
        "\U0001f469\u200d\U0001f469\u200d\U0001f466 family",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u5c71\u7530\u3000\u592a\u90ce",
        "no\u00a0break",
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    ],
)
def test_a_name_in_any_script(name: str) -> None:
    assert NewApiKey(name=f"\u3000{name} ", usage_plan_id="p").name == name


@pytest.mark.parametrize(
    "name", ["\u200d \u200d", "\u3000", "a\u202eb", "a\u2028b", "a\x00", "\ud800"]
)
def test_a_name_that_nobody_sees_or_that_misleads(name: str) -> None:
    with pytest.raises(ValidationError):
        NewApiKey(name=name, usage_plan_id="p")


@pytest.mark.parametrize("email", ["ada@school.local", "ada@localhost", "ada@\u5b66\u6821.example"])
def test_an_address_of_a_local_or_international_domain(email: str) -> None:
    assert check_email(email) == email


def test_broken_json_is_400(person: Person) -> None:
    headers = {"content-type": "application/json"}
    response = person.http.post("/api/api-keys", content=b"{", headers=headers)
    assert problem(response) == 400


@only_embedded
def test_an_account_has_only_so_many_keys_even_at_once(person: Person) -> None:
    def create(number: int) -> int:
        body = {"name": f"key {number}", "usage_plan_id": "10RequestPerDay"}
        return person.http.post("/api/api-keys", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(create, range(8)))
    assert statuses == [201, 201, 201, 409, 409, 409, 409, 409]
    assert len(person.keys()) == 3


@only_embedded
def test_renaming_and_changing_the_plan_keep_what_was_used(site: Server, person: Person) -> None:
    created = person.create_key()
    api = site.gateway(created["key"])
    for _ in range(4):
        assert api.post("/v1/embeddings", json={"input": "x"}).status_code == 200
    path = f"/api/api-keys/{created['id']}"
    change = {"name": "desk", "usage_plan_id": "30RequestPerDay"}
    changed = person.http.patch(path, json=change).json()
    assert (changed["name"], changed["used"], changed["limit"]) == ("desk", 4, 30)
    response = api.post("/v1/embeddings", json={"input": "x"})
    assert response.headers["x-ratelimit-limit-requests"] == "30"
    assert response.headers["x-ratelimit-remaining-requests"] == "25"
    assert problem(person.http.patch(path, json={"usage_plan_id": "no"}), "usage_plan_id") == 422
    assert person.http.patch(path, json={}).json()["name"] == "desk"


@only_embedded
def test_rotation_keeps_the_day_and_the_old_secret_for_its_grace(
    site: Server, person: Person
) -> None:
    created = person.create_key()
    old = site.gateway(created["key"])
    old.post("/v1/embeddings", json={"input": "x"})
    path = f"/api/api-keys/{created['id']}/rotate"
    rotated = person.http.post(path, json={"grace_seconds": 60}).json()
    assert rotated["id"] == created["id"]
    assert rotated["previous_valid_until"].endswith("Z")
    new = site.gateway(rotated["key"])
    for api in (old, new):
        assert api.get("/v1/key").json()["limits"][0]["used"] == 1
    last = person.http.post(path).json()
    assert last["previous_valid_until"] is None
    assert [api.get("/v1/key").status_code for api in (old, new)] == [401, 401]
    assert site.gateway(last["key"]).get("/v1/key").json()["limits"][0]["used"] == 1
    assert problem(person.http.post(path, json={"grace_seconds": -1}), "grace_seconds") == 422


def test_a_graces_end_ends_the_old_secret(start: StartServer) -> None:
    server = start()
    person = server.sign_up()
    created = person.create_key()
    person.http.post(f"/api/api-keys/{created['id']}/rotate", json={"grace_seconds": 3600})
    assert server.gateway(created["key"]).get("/v1/key").status_code == 200
    server.stop()
    later = start(
        DAYPASS_TESTING="1", DAYPASS_CLOCK_OFFSET_S="3601", DAYPASS_DATA_DIR=str(server.data_dir)
    )
    assert later.gateway(created["key"]).get("/v1/key").status_code == 401


def test_anothers_key_is_not_there(site: Server, person: Person) -> None:
    theirs = site.sign_up().create_key()["id"]
    path = f"/api/api-keys/{theirs}"
    chat = CHAT | {"api_key_id": theirs}
    for response in (
        person.http.patch(path, json={"name": "mine"}),
        person.http.post(f"{path}/rotate"),
        person.http.delete(path),
        person.http.post("/api/chat/completions", json=chat),
        person.http.delete("/api/api-keys/key_nothing"),
    ):
        assert problem(response) == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/session"),
        ("GET", "/api/api-keys"),
        ("POST", "/api/api-keys"),
        ("PATCH", "/api/api-keys/key_1"),
        ("POST", "/api/api-keys/key_1/rotate"),
        ("DELETE", "/api/api-keys/key_1"),
        ("GET", "/api/usage"),
        ("GET", "/api/usage/today"),
        ("GET", "/api/models"),
        ("POST", "/api/chat/completions"),
    ],
)
def test_without_a_session_it_is_401(site: Server, method: str, path: str) -> None:
    body = {"name": "x", "usage_plan_id": "10RequestPerDay"} if method != "GET" else None
    assert problem(site.client().request(method, path, json=body)) == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "", "sec-fetch-site": "cross-site"},
        {"origin": "", "sec-fetch-site": "same-site"},
        {"origin": ""},
    ],
)
def test_another_site_cannot_act_for_a_signed_in_browser(
    site: Server, person: Person, headers: dict[str, str]
) -> None:
    browser = httpx.Client(base_url=site.url, cookies=dict(person.http.cookies))
    sent = {name: value for name, value in headers.items() if value}
    body = {"name": "x", "usage_plan_id": "10RequestPerDay"}
    assert problem(browser.post("/api/api-keys", json=body, headers=sent)) == 403
    assert problem(browser.delete("/api/session", headers=sent)) == 403
    fetched = browser.post("/api/api-keys", json=body, headers={"sec-fetch-site": "same-origin"})
    assert fetched.status_code == 201


@only_embedded
def test_the_chat_counts_on_the_key_and_streams(site: Server, person: Person) -> None:
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


def test_the_models_are_listed(person: Person) -> None:
    models = [model["id"] for model in person.http.get("/api/models").json()]
    assert models == ["daypass-demo", "daypass-demo-embedding"]


def test_an_upstream_without_models_is_a_problem(start: StartServer) -> None:
    server = start(DAYPASS_UPSTREAM_BASE_URL="http://127.0.0.1:1/v1")
    assert problem(server.sign_up().http.get("/api/models")) == 502


def test_unknown_paths_of_the_api_are_problems_and_not_pages(site: Server) -> None:
    client = site.client()
    assert problem(client.get("/api/nothing")) == 404
    assert problem(client.get("/api")) == 404
    assert problem(client.put("/api/api-keys", json={})) == 405


def test_metrics_tell_what_became_of_requests(start: StartServer) -> None:
    server = start("--workers", "2", DAYPASS_METRICS_TOKEN="a-token-of-the-operator")
    person = server.sign_up()
    secret = person.create_key()["key"]
    for _ in range(11):
        with server.gateway(secret) as api:  # a connection each, so that both workers serve
            api.post("/v1/embeddings", json={"input": "x"})
    # Each worker shares its numbers every second.
    metrics = server.client()
    ended = ('200"} 10.0', '429"} 1.0', "daypass_open_requests 0.0")
    until(lambda: all(x in metrics.get("/metrics").text for x in ended))
    text = metrics.get("/metrics").text
    assert 'daypass_requests_total{outcome="counted",status="200"} 10.0' in text
    assert 'daypass_requests_total{outcome="refused",status="429"} 1.0' in text
    assert "daypass_decision_seconds_count 11.0" in text
    assert "daypass_open_requests 0.0" in text
    assert secret not in text
    outside = server.client(headers={"x-forwarded-for": "203.0.113.7"})
    assert outside.get("/metrics").status_code == 403
    token = {"authorization": "Bearer a-token-of-the-operator"}
    assert outside.get("/metrics", headers=token).status_code == 200
    assert outside.get("/metrics", headers={"authorization": "Bearer x"}).status_code == 403


def test_health(site: Server) -> None:
    client = site.client()
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_the_site_is_served_on_the_same_address(site: Server) -> None:
    client = site.client()
    for path in ("/", "/sign-up/", "/sign-in/", "/keys/", "/chat/", "/usage/"):
        page = client.get(path)
        assert page.status_code == 200, path
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["cache-control"] == "no-cache"
        assert client.head(path).status_code == 200
    missing = client.get("/nothing/here")
    assert missing.status_code == 404
    assert missing.headers["content-type"].startswith("text/html")


def test_the_openapi_document_is_the_one_the_site_was_generated_from(site: Server) -> None:
    served = site.client().get("/api/openapi.json").json()
    kept = json.loads((Path(__file__).parents[2] / "web" / "openapi.json").read_text())
    assert served == kept == Daypass(Settings()).openapi(), "run 'make openapi'"


def test_a_disabled_account_is_refused(site: Server) -> None:
    person = site.sign_up()
    key = person.create_key()["key"]
    with sqlite3.connect(site.data_dir / "daypass.db") as connection:
        connection.execute("UPDATE account SET disabled_at = 1 WHERE email = ?", (person.email,))
    assert problem(person.http.get("/api/api-keys")) == 403
    sign_in = {"email": person.email, "password": PASSWORD}
    assert problem(site.client().post("/api/session", json=sign_in)) == 403
    # The gateway may cache the key for a second. API Gateway counts these calls: ten a day.
    api = site.gateway(key)
    until(lambda: api.get("/v1/key").status_code == 403, 1 + BUSY_S, every_s=0.3)
    refused = api.get("/v1/key")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "account_disabled")

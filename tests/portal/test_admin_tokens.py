"""Admin tokens: who may use one, for what, and until when."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest

from daypass.domain.key_format import ADMIN_PREFIX, mint
from daypass.portal.admin_access import WRONG_TOKENS
from tests.conftest import PASSWORD, Person, Server, daypass, start_server
from tests.support.portal import problem

HOUR_S = 3_600


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_server(
        tmp_path_factory.mktemp("tokens"),
        DAYPASS_SIGN_UP="open",
        DAYPASS_TRUSTED_PROXIES="127.0.0.1",
    )
    yield server
    server.stop()


@pytest.fixture(scope="module")
def operator(site: Server) -> Person:
    return site.set_up()


def create(operator: Person, *scopes: str, name: str = "grading script") -> dict[str, Any]:
    body = {"name": name, "scopes": scopes}
    created = operator.http.post("/api/operator/tokens", json=body)
    assert created.status_code == 201, created.text
    document: dict[str, Any] = created.json()
    return document


def program(site: Server, token: str, **headers: str) -> httpx.Client:
    """Return a client like a program's: with a token, without an origin or a cookie."""
    return httpx.Client(
        base_url=site.url, headers={"authorization": f"Bearer {token}"} | headers, timeout=30
    )


def status_of(site: Server, token: str) -> int:
    with program(site, token) as http:
        return http.get("/api/operator/people").status_code


def change(site: Server, statement: str, *values: object) -> None:
    with sqlite3.connect(site.data_dir / "daypass.db") as connection:
        assert connection.execute(statement, values).rowcount == 1


def second_operator(site: Server, operator: Person) -> tuple[Person, str]:
    person = site.sign_up()
    found = operator.http.get("/api/operator/people", params={"search": person.email}).json()
    account_id: str = found["people"][0]["id"]
    promoted = operator.http.patch(f"/api/operator/people/{account_id}", json={"role": "operator"})
    assert promoted.status_code == 204
    credentials = {"email": person.email, "password": PASSWORD}
    assert person.http.post("/api/session", json=credentials).status_code == 200
    return person, account_id


def test_an_admin_token_is_shown_once_and_listed_with_its_creator(
    site: Server, operator: Person
) -> None:
    created = create(operator, "read", "people")
    assert created["token"].startswith(ADMIN_PREFIX)
    assert status_of(site, created["token"]) == 200
    listed = operator.http.get("/api/operator/tokens")
    assert created["token"] not in listed.text
    row = next(x for x in listed.json() if x["id"] == created["id"])
    assert row["scopes"] == ["people", "read"]
    assert (row["created_by"], row["state"]) == (operator.email, "active")
    assert row["last_used_at"] is not None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": " ", "scopes": ["read"]}, "name"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["read", "read"]}, "scopes"),
        ({"name": "x", "scopes": ["everything"]}, "scopes/0"),
        ({"name": "x", "scopes": ["read"], "days": 367}, "days"),
    ],
)
def test_an_admin_token_requires_a_name_a_scope_and_an_expiry(
    operator: Person, body: dict[str, Any], field: str
) -> None:
    assert problem(operator.http.post("/api/operator/tokens", json=body), field) == 422


def test_the_audit_log_names_the_admin_token_and_its_operator(
    site: Server, operator: Person
) -> None:
    created = create(operator, "read", "plans", name="plan robot")
    with program(site, created["token"]) as http:
        plan = {"id": "robot", "name": "Robot", "requests_per_day": 1}
        assert http.post("/api/operator/usage-plans", json=plan).status_code == 201
        (entry, _) = http.get("/api/operator/audit-log", params={"search": "plan robot"}).json()
    assert entry["action"] == "plan created"
    assert entry["actor_email"] == operator.email
    assert entry["token"] == f"plan robot ({created['id']})"
    assert created["token"] not in str(entry)


def test_an_invalid_admin_token_gets_a_clear_error(site: Server, operator: Person) -> None:
    revoked, expired = create(operator, "read"), create(operator, "read")
    path = f"/api/operator/tokens/{revoked['id']}"
    assert operator.http.delete(path).status_code == 204
    assert problem(operator.http.delete(path)) == 404
    change(site, "UPDATE admin_token SET expires_at = 1 WHERE id = ?", expired["id"])
    api_key = operator.create_key()["key"]
    said = {
        revoked["token"]: "has been revoked",
        expired["token"]: "has expired",
        mint(ADMIN_PREFIX).secret: "is not valid",
        revoked["token"][:-1]: "Check that it is complete",
        api_key: "This is an API key",
        "x": "not an admin token",
    }
    for token, words in said.items():
        with program(site, token) as http:
            refused = http.get("/api/operator/people")
        assert problem(refused) == 401
        assert words in refused.json()["detail"]
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]


def test_an_invalid_admin_token_does_not_fall_back_to_the_cookie(
    site: Server, operator: Person
) -> None:
    wrong = {"authorization": f"bearer {mint(ADMIN_PREFIX).secret}"}
    for headers in (wrong, {"authorization": "Bearer"}):
        assert problem(operator.http.get("/api/operator/people", headers=headers)) == 401
    narrow = {"authorization": f"Bearer {create(operator, 'read')['token']}"}
    body = {"note": "x"}
    refused = operator.http.post("/api/operator/invitations", json=body, headers=narrow)
    assert problem(refused) == 403
    assert 'scope="people"' in refused.headers["www-authenticate"]
    # Two headers are ambiguous.
    good = ("authorization", f"Bearer {create(operator, 'read')['token']}")
    both = operator.http.get("/api/operator/people", headers=[good, ("authorization", "Basic x")])
    assert problem(both) == 401
    # Basic credentials may be meant for a reverse proxy.
    basic = {"authorization": "Basic dXNlcjpwYXNz"}
    assert operator.http.get("/api/operator/people", headers=basic).status_code == 200


def test_an_admin_token_is_not_an_api_key_and_not_accepted_in_the_query(
    site: Server, operator: Person
) -> None:
    token = create(operator, "read")["token"]
    with program(site, token) as http:
        assert http.get("/v1/key").status_code == 401
        assert http.get("/api/session").status_code == 401
        assert http.post("/api/api-keys", json={}).status_code == 401
    for http in (site.client(), operator.http):
        refused = http.get("/api/operator/people", params={"access_token": token})
        assert problem(refused) == 400
        assert "revoke this token" in refused.json()["detail"]
    assert token not in site.log()


def test_an_admin_token_is_deleted_when_its_operator_loses_the_role(
    site: Server, operator: Person
) -> None:
    for end, restore in (
        ({"role": "member"}, {"role": "operator"}),
        ({"disabled": True}, {"disabled": False}),
    ):
        person, account_id = second_operator(site, operator)
        token = create(person, "read")["token"]
        assert status_of(site, token) == 200
        path = f"/api/operator/people/{account_id}"
        assert operator.http.patch(path, json=end).status_code == 204
        assert status_of(site, token) == 401
        assert operator.http.patch(path, json=restore).status_code == 204
        assert status_of(site, token) == 401
    person, account_id = second_operator(site, operator)
    token = create(person, "read")["token"]
    assert operator.http.delete(f"/api/operator/people/{account_id}").status_code == 204
    assert status_of(site, token) == 401


def test_an_admin_token_of_a_demoted_operator_is_refused(site: Server, operator: Person) -> None:
    """Even after a change in the database that bypassed Daypass."""
    person, account_id = second_operator(site, operator)
    token = create(person, "read")["token"]
    change(site, "UPDATE account SET role = 'member' WHERE id = ?", account_id)
    assert status_of(site, token) == 401
    change(site, "UPDATE account SET role = 'operator', disabled_at = 1 WHERE id = ?", account_id)
    assert status_of(site, token) == 401


def test_an_admin_token_cannot_extend_its_rights(site: Server, operator: Person) -> None:
    token = create(operator, "read", "people", "plans", "groups", "keys")["token"]
    found = operator.http.get("/api/operator/people", params={"search": operator.email}).json()
    own = found["people"][0]["id"]
    _, other = second_operator(site, operator)
    member = site.sign_up()
    found = operator.http.get("/api/operator/people", params={"search": member.email}).json()
    theirs = found["people"][0]["id"]
    with program(site, token) as http:
        body = {"name": "child", "scopes": ["read"]}
        assert problem(http.post("/api/operator/tokens", json=body)) == 403
        promoted = http.patch(f"/api/operator/people/{theirs}", json={"role": "operator"})
        assert problem(promoted) == 403
        assert problem(http.patch(f"/api/operator/people/{own}", json={"disabled": True})) == 403
        assert problem(http.delete(f"/api/operator/people/{own}")) == 403
        assert problem(http.post(f"/api/operator/people/{own}/password-reset")) == 403
        batch = {"ids": [other, theirs], "action": "disable"}
        outcome = http.post("/api/operator/people/batch", json=batch).json()
    assert outcome["done"] == 1
    assert [x["id"] for x in outcome["failed"]] == [other]
    assert "an operator's account" in outcome["failed"][0]["detail"]


def test_wrong_admin_tokens_are_throttled_by_address(site: Server, operator: Person) -> None:
    token = create(operator, "read")["token"]
    where = {"x-forwarded-for": "203.0.113.77"}
    with program(site, "dpa_wrong", **where) as http:
        statuses = [
            http.get("/api/operator/people").status_code for _ in range(WRONG_TOKENS.burst + 2)
        ]
    assert statuses[: WRONG_TOKENS.burst] == [401] * WRONG_TOKENS.burst
    assert statuses[-1] == 429
    with program(site, token, **where) as http:
        assert http.get("/api/operator/people").status_code == 200


def test_commands_create_list_and_revoke_admin_tokens(site: Server, operator: Person) -> None:
    settings = site.settings
    made = daypass(
        "tokens", "create", "robot", "--scope", "read", "--operator", operator.email, **settings
    )
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    assert status_of(site, token) == 200
    listed = daypass("tokens", "list", "--json", **settings)
    assert '"robot"' in listed.stdout
    rows = operator.http.get("/api/operator/tokens").json()
    token_id = next(x["id"] for x in rows if x["name"] == "robot")
    assert daypass("tokens", "revoke", token_id, **settings).returncode == 0
    assert status_of(site, token) == 401
    unknown = daypass("tokens", "create", "robot", "--scope", "all", **settings)
    assert (unknown.returncode, len(unknown.stderr.splitlines())) == (2, 1)

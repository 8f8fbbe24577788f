"""`Idempotency-Key`: a repeated request creates nothing twice and gets the same response."""

import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest
from fastapi.routing import iter_route_contexts

from daypass.app.factory import Daypass
from daypass.config.settings import Settings
from daypass.portal import idempotency
from tests.conftest import Person, Server, start_server
from tests.support.portal import problem

NOT_CREATING = {
    # One address has one account, and a set-up link works once.
    "/api/accounts", "/api/setup",
    # Signing in and out.
    "/api/session", "/api/session/oidc",
    # Mails, which are limited, and links that work once.
    "/api/confirmations", "/api/confirmations/preview", "/api/password-resets",
    "/api/operator/mails/{mail_id}/retry",
    "/api/account/deletion", "/api/account/terms",
    # A look at an upstream.
    "/api/operator/upstreams/test",
    # Repeating these changes nothing.
    "/api/operator/people/batch", "/api/operator/api-keys/batch", "/api/operator/invitations/batch",
    "/api/operator/leaked-keys", "/api/operator/people/{account_id}/sign-out",
    # A relayed call creates nothing in Daypass.
    "/api/chat/completions",
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two processes."""
    server = start_server(tmp_path_factory.mktemp("repeats"), "--workers", "2",
                          DAYPASS_SIGN_UP="invite")  # fmt: skip
    yield server
    server.stop()


@pytest.fixture(scope="module")
def operator(site: Server) -> Person:
    return site.set_up()


def with_key(key: str) -> dict[str, str]:
    return {"idempotency-key": key}


def rows(site: Server, query: str) -> list[Any]:
    with sqlite3.connect(site.data_dir / "daypass.db") as connection:
        return connection.execute(query).fetchall()


def test_every_creating_route_accepts_an_idempotency_key() -> None:
    claims = {idempotency._of_operator, idempotency._of_account}

    def takes_key(route: Any) -> bool:
        return any(x.call in claims for x in route.dependant.dependencies)  # codespell:ignore

    posts = {
        context.path: takes_key(context.route)
        for context in iter_route_contexts(Daypass(Settings())._portal.routes)
        if "POST" in (context.methods or ())
    }
    assert {path for path, takes in posts.items() if not takes} == NOT_CREATING


@pytest.mark.parametrize(
    ("path", "body", "table"),
    [
        ("/api/api-keys", {"name": "k", "usage_plan_id": "10RequestPerDay"}, "api_key"),
        ("/api/operator/invitations", {"note": "Ada"}, "invitation"),
        (
            "/api/operator/usage-plans",
            {"id": "lab", "name": "Lab", "requests_per_day": 5},
            "usage_plan",
        ),
        ("/api/operator/tokens", {"name": "robot", "scopes": ["read"]}, "admin_token"),
    ],
)
def test_a_repeated_request_gets_the_same_response_and_creates_nothing(
    site: Server, operator: Person, path: str, body: dict[str, Any], table: str
) -> None:
    key = with_key(f'"repeat {table}"')
    before = len(rows(site, f"SELECT 1 FROM {table}"))
    first = operator.http.post(path, json=body, headers=key)
    again = operator.http.post(path, json=body, headers=with_key(f"repeat {table}"))
    assert (again.status_code, again.content) == (201, first.content)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["cache-control"] == "no-store"
    assert len(rows(site, f"SELECT 1 FROM {table}")) == before + 1
    # Without a key, or with another key, it is a different request.
    other = operator.http.post(path, json=body, headers=with_key("another"))
    assert other.content != first.content
    changed = operator.http.post(path, json=body | {"name": "x", "note": "x"}, headers=key)
    assert problem(changed) == 422


def test_a_rotation_is_not_repeated(operator: Person) -> None:
    path = f"/api/api-keys/{operator.create_key()['id']}/rotate"
    first = operator.http.post(path, headers=with_key("rotate"))
    assert operator.http.post(path, headers=with_key("rotate")).json() == first.json()
    assert operator.http.post(path).json()["key"] != first.json()["key"]


def test_concurrent_repeats_on_two_processes_create_one_object(
    site: Server, operator: Person
) -> None:
    answers: list[httpx.Response] = []
    start = threading.Barrier(12)

    def post() -> None:
        cookies = dict(operator.http.cookies)
        with site.client(cookies=cookies, headers=with_key("at once")) as http:
            start.wait()
            answers.append(http.post("/api/operator/invitations", json={"note": "at once"}))

    threads = [threading.Thread(target=post) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows(site, "SELECT 1 FROM invitation WHERE note = 'at once'")) == 1
    assert {x.status_code for x in answers} <= {201, 409}
    assert len({x.content for x in answers if x.status_code == 201}) == 1
    assert all(x.headers["retry-after"] == "1" for x in answers if x.status_code == 409)


def test_idempotency_keys_are_per_caller(site: Server, operator: Person) -> None:
    body = {"name": "robot", "scopes": ["read", "people"]}
    token = operator.http.post("/api/operator/tokens", json=body).json()["token"]
    bearer = {"authorization": f"Bearer {token}"}
    links = [
        operator.http.post(
            "/api/operator/invitations", json={"note": "b"}, headers=with_key("shared") | more
        ).json()["token"]
        for more in ({}, bearer, {}, bearer)
    ]
    assert links[0] == links[2] != links[1] == links[3]


def test_a_failed_idempotent_request_can_be_repeated(operator: Person) -> None:
    path, key = "/api/operator/usage-plans", with_key("failed")
    wrong = {"id": "10RequestPerDay", "name": "Taken", "requests_per_day": 5}
    assert problem(operator.http.post(path, json=wrong, headers=key), "id") == 409
    assert operator.http.post(path, json={"id": 7}, headers=key).status_code == 422
    right = wrong | {"id": "free-one"}
    assert operator.http.post(path, json=right, headers=key).status_code == 201


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "a\tb"])
def test_a_malformed_idempotency_key_is_refused(operator: Person, key: str) -> None:
    refused = operator.http.post("/api/operator/invitations", json={}, headers=with_key(key))
    assert problem(refused) == 400


def test_the_stored_idempotent_response_contains_no_secret(site: Server, operator: Person) -> None:
    body = {"note": "secret"}
    key = "planted idempotency key"
    made = operator.http.post("/api/operator/invitations", json=body, headers=with_key(key)).json()
    files = [path.read_bytes() for path in site.data_dir.rglob("*") if path.is_file()]
    assert not any(made["token"].encode() in x or key.encode() in x for x in files)
    # It cannot be moved to another request either.
    with sqlite3.connect(site.data_dir / "daypass.db") as connection:
        connection.execute("UPDATE idempotent_answer SET answer = 'AAAA' || substr(answer, 5)")
    again = operator.http.post("/api/operator/invitations", json=body, headers=with_key(key))
    assert problem(again) == 409


def test_a_crash_leaves_both_the_object_and_its_response_or_neither(
    site: Server, operator: Person
) -> None:
    """A transaction that cannot commit, as if the process had been killed during it."""
    body, key = {"note": "crash"}, with_key("crash")
    with sqlite3.connect(site.data_dir / "daypass.db") as connection:
        connection.execute(
            "CREATE TRIGGER crash BEFORE UPDATE OF answer ON idempotent_answer "
            "WHEN NEW.answer IS NOT NULL BEGIN SELECT RAISE(ABORT, 'crash'); END"
        )
    assert operator.http.post("/api/operator/invitations", json=body, headers=key).is_error
    assert rows(site, "SELECT 1 FROM invitation WHERE note = 'crash'") == []
    with sqlite3.connect(site.data_dir / "daypass.db") as connection:
        connection.execute("DROP TRIGGER crash")
        # A killed process leaves its claim.
        connection.execute("DELETE FROM idempotent_answer")
    assert operator.http.post("/api/operator/invitations", json=body, headers=key).is_success
    assert len(rows(site, "SELECT 1 FROM invitation WHERE note = 'crash'")) == 1

"""A person's own account: password, sessions, deletion."""

import sqlite3
import time

import pytest

from tests.conftest import PASSWORD, Person, Server, StartServer
from tests.support.portal import problem

NEW = "another horse, another battery"


@pytest.fixture
def person(demo: Server) -> Person:
    demo.sign_up()  # Not the first account: it is the operator, who cannot be deleted.
    return demo.sign_up()


def sign_in(server: Server, email: str, password: str) -> Person:
    http = server.client()
    response = http.post("/api/session", json={"email": email, "password": password})
    assert response.status_code == 200, response.text
    return Person(http, email)


def test_changing_the_password_signs_other_browsers_out(demo: Server, person: Person) -> None:
    other = sign_in(demo, person.email, PASSWORD)
    path = "/api/account/password"
    wrong = {"current_password": "wrong", "new_password": NEW}
    assert problem(person.http.put(path, json=wrong), "current_password") == 403
    short = {"current_password": PASSWORD, "new_password": "short"}
    assert problem(person.http.put(path, json=short), "new_password") == 422
    right = {"current_password": PASSWORD, "new_password": NEW}
    before = person.http.cookies["daypass_session"]
    assert person.http.put(path, json=right).status_code == 204
    assert person.http.get("/api/session").status_code == 200
    # The session has a new token: a copy of the old one no longer works.
    copied = demo.client(cookies={"daypass_session": before})
    assert copied.get("/api/session").status_code == 401
    assert other.http.get("/api/session").status_code == 401
    old = {"email": person.email, "password": PASSWORD}
    assert problem(demo.client().post("/api/session", json=old)) == 401
    sign_in(demo, person.email, NEW)


def test_a_session_expires(demo: Server, person: Person) -> None:
    assert person.http.get("/api/session").status_code == 200
    with sqlite3.connect(demo.data_dir / "daypass.db") as connection:
        mine = "SELECT id FROM account WHERE email = ?"
        connection.execute(
            f"UPDATE session SET expires_at = ? WHERE account_id = ({mine})",
            (int(time.time()), person.email),
        )
    assert problem(person.http.get("/api/session")) == 401


def test_signing_out_everywhere_keeps_the_api_keys(demo: Server, person: Person) -> None:
    key = person.create_key()["key"]
    other = sign_in(demo, person.email, PASSWORD)
    assert person.http.delete("/api/account/sessions").status_code == 204
    assert [x.http.get("/api/session").status_code for x in (person, other)] == [401, 401]
    assert demo.gateway(key).get("/v1/key").status_code == 200


def test_a_deleted_account_is_gone_and_its_daily_usage_stays(demo: Server, person: Person) -> None:
    created = person.create_key()
    api = demo.gateway(created["key"])
    assert api.post("/v1/embeddings", json={"input": "x"}).status_code == 200
    path = "/api/account/deletion"
    assert problem(person.http.post(path, json={"password": "wrong"}), "password") == 403
    assert api.get("/v1/key").status_code == 200
    assert person.http.post(path, json={"password": PASSWORD}).status_code == 204
    assert person.http.get("/api/session").status_code == 401
    assert api.get("/v1/key").status_code == 401
    again = demo.client()
    body = {"email": person.email, "password": PASSWORD}
    assert again.post("/api/accounts", json=body).status_code == 201
    assert again.get("/api/requests").json() == []
    assert again.get("/api/usage/today").json()["account"]["used"] == 1
    assert Person(again, person.email).create_key()["id"] != created["id"]
    assert Person(again, person.email).keys()[0]["used"] == 1


HALF_WAY: list[tuple[str, str, str, dict[str, str] | None]] = [
    ("session", "POST", "/api/accounts", {"email": "half@example.org", "password": PASSWORD}),
    ("departed_account", "POST", "/api/account/deletion", {"password": PASSWORD}),
    ("audit_entry", "PATCH", "/api/operator/api-keys/{}", {"usage_plan_id": "30RequestPerDay"}),
    ("audit_entry", "DELETE", "/api/operator/api-keys/{}", None),
]
"""A table whose next row cannot be written, and a call that writes to it last."""


def test_a_failed_change_is_rolled_back(start: StartServer) -> None:
    server = start()
    operator, person = server.sign_up(), server.sign_up()
    key = person.create_key()["id"]

    def kept() -> list[object]:
        return [
            row
            for table in ("account", "api_key", "api_key_secret")
            for row in connection.execute(f"SELECT * FROM {table}")
        ]

    with sqlite3.connect(server.data_dir / "daypass.db", isolation_level=None) as connection:
        before = kept()
        for table, method, path, body in HALF_WAY:
            connection.execute(
                f"CREATE TRIGGER full BEFORE INSERT ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
            caller = operator if "operator" in path else person
            response = caller.http.request(method, path.format(key), json=body)
            assert response.status_code >= 500, path
            assert kept() == before, path
            connection.execute("DROP TRIGGER full")

"""Creating accounts, and who may create one."""

from typing import Any

import pytest

from daypass.portal.sign_up import check_email
from tests.conftest import PASSWORD, Person, Server, StartServer
from tests.support.portal import problem


def test_the_first_account_is_the_operator(start: StartServer) -> None:
    server = start()
    assert server.client().get("/api/site").json()["has_operator"] is False
    roles = [server.sign_up().http.get("/api/session").json()["role"] for _ in range(2)]
    assert roles == ["operator", "member"]
    assert server.client().get("/api/site").json()["has_operator"] is True


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
def test_invalid_fields_have_an_error_message(
    site: Server, body: dict[str, Any], field: str
) -> None:
    assert problem(site.client().post("/api/accounts", json=body), field) == 422


def test_an_address_can_sign_up_once(site: Server, person: Person) -> None:
    body = {"email": person.email.title(), "password": PASSWORD}
    assert problem(site.client().post("/api/accounts", json=body), "email") == 409


def test_sign_up_can_be_closed_or_limited_to_a_domain(start: StartServer) -> None:
    kept = start(DAYPASS_ALLOWED_EMAIL_DOMAINS="school.example, other.example")
    client = kept.client()
    body = {"email": "a@elsewhere.example", "password": PASSWORD}
    assert problem(client.post("/api/accounts", json=body), "email") == 403
    body["email"] = "a@School.example"
    assert client.post("/api/accounts", json=body).status_code == 201
    kept.stop()
    closed = start(DAYPASS_SIGN_UP="closed", DAYPASS_DATA_DIR=str(kept.data_dir))
    assert problem(closed.client().post("/api/accounts", json=body | {"email": "b@b.org"})) == 403


@pytest.mark.parametrize("email", ["ada@school.local", "ada@localhost", "ada@\u5b66\u6821.example"])
def test_local_and_international_domains_are_accepted(email: str) -> None:
    assert check_email(email) == email

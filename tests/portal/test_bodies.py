"""Invalid request bodies."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import PASSWORD, Person, Server
from tests.support.portal import problem, problem_status
from tests.support.talk import talk


def test_a_request_body_cannot_set_a_role(
    invite_site: Server, invite_operator: Person, invited_person: Person
) -> None:
    """Mass assignment: members that the sender may not set."""
    token = invite_operator.http.post("/api/operator/invitations", json={}).json()["token"]
    email = f"{uuid4().hex}@example.org"
    body = {"email": email, "password": PASSWORD, "invitation": token}
    more = {"role": "operator", "id": "acc_chosen", "is_admin": True, "disabled_at": None}
    made = invite_site.client().post("/api/accounts", json=body | more)
    assert made.json()["role"] == "member"
    assert made.json()["id"] != "acc_chosen"
    key = invited_person.create_key()
    path = f"/api/api-keys/{key['id']}"
    invited_person.http.patch(path, json={"slot": 9, "account_id": "acc_x", "last_used_at": 1})
    (kept,) = invited_person.keys()
    assert kept["id"] == key["id"]


NUMBERS_AND_TEXTS = [
    b'{"api_key_id": "KEY", "messages": [], "x": NaN}',
    b'{"api_key_id": "KEY", "messages": [], "x": -Infinity}',
    b'{"api_key_id": "KEY", "messages": "\\ud800"}',
    b'{"api_key_id": "KEY", "x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    b'{"api_key_id": "\\ud800"}',
    b'{"api_key_id": "KEY"',
    b"\xff\xfe",
    b"[]",
    b"null",
    b"",
]


@pytest.mark.parametrize("body", NUMBERS_AND_TEXTS)
def test_invalid_json_is_rejected(invited_person: Person, body: bytes) -> None:
    """Half a surrogate pair, NaN and deep nesting caused a 500."""
    key = invited_person.create_key()
    content = body.replace(b"KEY", key["id"].encode())
    headers = {"content-type": "application/json"}
    for path in ("/api/chat/completions", "/api/api-keys", "/api/session"):
        response = invited_person.http.post(path, content=content, headers=headers)
        assert problem_status(response) in (400, 401, 422), (path, response.text)
    assert invited_person.keys()[0]["used"] == 0


def test_numbers_and_booleans_are_not_coerced(
    invite_operator: Person, invited_person: Person
) -> None:
    """Lenient parsers read 0 as false and changed a setting that was not in the request."""
    path = f"/api/api-keys/{invited_person.create_key()['id']}/rotate"
    for grace in (False, "60", 1.5):
        assert (
            problem(invited_person.http.post(path, json={"grace_seconds": grace}), "grace_seconds")
            == 422
        )
    account_id = invited_person.http.get("/api/session").json()["id"]
    for disabled in (1, "yes", "true"):
        change = invite_operator.http.patch(
            f"/api/operator/people/{account_id}", json={"disabled": disabled}
        )
        assert problem(change, "disabled") == 422
    assert invited_person.http.get("/api/session").status_code == 200


def test_a_large_body_is_refused_before_it_is_read(invite_site: Server) -> None:
    """Bodies were read into memory before the sender was authenticated."""
    large = b'{"email": "' + b"x" * 100_000 + b'"}'
    headers = {"content-type": "application/json"}

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(large), 10_000):
            yield large[start : start + 10_000]

    for content in (large, pieces()):
        refused = invite_site.client().post("/api/session", content=content, headers=headers)
        assert problem(refused) == 413
    # A body that declares too large a length is refused at once.
    head = "POST /api/accounts HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n"
    assert talk(invite_site.url, head).status == 413


def test_duplicate_members_are_rejected(invited_person: Person) -> None:
    """Two parsers of one body disagreed about which duplicate member applies."""
    key = invited_person.create_key()
    body = f'{{"api_key_id": "key_other", "api_key_id": "{key["id"]}", "model": "a", "model": "b"}}'
    headers: Any = {"content-type": "application/json"}
    response = invited_person.http.post(
        "/api/chat/completions", content=body.encode(), headers=headers
    )
    assert response.status_code in (200, 400)
    if response.status_code == 200:
        assert invited_person.keys()[0]["used"] == 1

"""SQL, wildcards and NUL in what clients send. Each docstring names the incident elsewhere."""

import time
from urllib.parse import quote
from uuid import uuid4

import pytest

from daypass.domain import key_format
from tests.conftest import PASSWORD, Person, Server, StartServer
from tests.support.portal import CHAT, contents, problem, problem_status
from tests.support.postgres import Postgres
from tests.support.waiting import BUSY_S

INJECTIONS = (
    "' OR '1'='1",
    "' OR 1=1 --",
    "'; DROP TABLE api_key; --",
    "' UNION SELECT id, account_id, 1, usage_plan_id, NULL, NULL FROM api_key --",
    '" OR ""="',
    "\\' OR 1=1 #",
)


def well_formed(body: str) -> str:
    """Return a key with valid length, prefix and checksum that was never created."""
    padded = body.ljust(key_format.RANDOM_LENGTH, "x")[: key_format.RANDOM_LENGTH]
    return key_format.PREFIX + padded + key_format.checksum(padded)


@pytest.mark.parametrize("injection", INJECTIONS)
def test_sql_in_a_credential_is_an_invalid_credential(
    invite_site: Server, invite_operator: Person, invited_person: Person, injection: str
) -> None:
    """LiteLLM CVE-2026-42208: the bearer value was concatenated into a statement."""
    invited_person.create_key()
    before = contents(invite_site)
    http = invite_site.client()
    for secret in (injection, well_formed(injection)):
        for headers in ({"authorization": f"Bearer {secret}"}, {"x-api-key": secret}):
            refused = http.get("/v1/key", headers=headers)
            assert refused.status_code == 401, refused.text
    cookie = {"cookie": f"daypass_session={quote(injection)}"}
    assert problem(http.get("/api/session", headers=cookie)) == 401
    raw = {"cookie": f'daypass_session="{injection}"'}
    assert problem(http.get("/api/api-keys", headers=raw)) == 401
    forwarded = {"x-forwarded-for": "192.0.2.1", "authorization": f"Bearer {injection}"}
    assert problem(http.get("/metrics", headers=forwarded)) == 403
    sign_in = {"email": invited_person.email, "password": injection}
    assert problem(http.post("/api/session", json=sign_in)) == 401
    sign_in = {"email": f"{invited_person.email}{injection}", "password": PASSWORD}
    assert problem(http.post("/api/session", json=sign_in)) == 401
    sign_up = {"email": "x@example.org", "password": PASSWORD, "invitation": injection}
    assert problem(http.post("/api/accounts", json=sign_up)) == 403
    assert contents(invite_site) == before


@pytest.mark.parametrize("injection", INJECTIONS)
def test_sql_in_a_search_or_a_path_finds_nothing(
    invite_site: Server, invite_operator: Person, invited_person: Person, injection: str
) -> None:
    """The same for texts that are searched for."""
    before = contents(invite_site)
    query = {"search": injection}
    for path, count in (("people", "people"), ("api-keys", "keys"), ("audit-log", "")):
        found = invite_operator.http.get(f"/api/operator/{path}", params=query).json()
        assert (found[count] if count else found) == []
    encoded = quote(injection, safe="")
    assert problem(invited_person.http.delete(f"/api/api-keys/{encoded}")) == 404
    assert problem(invite_operator.http.delete(f"/api/operator/api-keys/{encoded}")) == 404
    assert problem(invite_operator.http.delete(f"/api/operator/invitations/{encoded}")) == 404
    chat = CHAT | {"api_key_id": injection}
    assert problem(invited_person.http.post("/api/chat/completions", json=chat)) == 404
    assert contents(invite_site) == before


def test_search_wildcards_are_literal_and_cheap(invite_operator: Person) -> None:
    """New API CVE-2026-25591: `%` in LIKE found everything, and many of them were slow."""
    for path, count in (("people", "total"), ("api-keys", "total"), ("audit-log", "")):
        for text in ("%", "__", "%%%", "\\", "[a-z]", "*"):
            found = invite_operator.http.get(
                f"/api/operator/{path}", params={"search": text}
            ).json()
            assert (found[count] if count else len(found)) == 0, (path, text)
        began = time.monotonic()
        heavy = invite_operator.http.get(f"/api/operator/{path}", params={"search": "%_" * 100})
        assert heavy.status_code == 200
        assert time.monotonic() - began < 2 + BUSY_S
        longer = invite_operator.http.get(f"/api/operator/{path}", params={"search": "%" * 201})
        assert problem(longer, "search") == 422


def test_a_nul_is_rejected_without_affecting_other_requests(
    start: StartServer, postgres_server: Postgres
) -> None:
    """PostgreSQL cannot store a NUL: it was mistaken for an unavailable database, and one request
    could stop everyone's statistics."""
    server = start(DAYPASS_DATABASE_URL=postgres_server.create_database(f"test_{uuid4().hex}"))
    operator = server.sign_up()
    http = operator.http
    for response in (
        http.get("/api/operator/people", params={"search": "a\0b"}),
        http.patch("/api/api-keys/key%00", json={"name": "x"}),
        http.post("/api/session", json={"email": "a\0b", "password": PASSWORD}),
        http.post("/api/operator/usage-plans", json={"id": "nul", "name": "a\0b"}),
        http.post("/api/chat/completions", json={"api_key_id": "a\0b"}),
    ):
        assert problem_status(response) in (401, 404, 422), response.text
    api = server.gateway(operator.create_key()["key"])
    for model in ("a\0b", "ab"):
        assert api.post("/v1/embeddings", json={"model": model}).status_code in (200, 400)
    models = [row["model"] for row in http.get("/api/usage").json()]
    assert models[-1:] == ["ab"]
    assert "store_unavailable" not in server.log()
    assert "usage_lost" not in server.log()

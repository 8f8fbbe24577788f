"""What happened to others, tried here. Each docstring names the incident.

Those of the gateway, the pages and signing in are beside their own tests; docs/security.md lists
all of them.
"""

import json
import re
import sqlite3
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import httpx2 as httpx
import pytest

from daypass.domain import key_format
from tests.conftest import PASSWORD, Person, Server, StartServer, daypass, start_server
from tests.support.portal import CHAT, problem
from tests.support.postgres import Postgres
from tests.support.talk import talk
from tests.support.waiting import BUSY_S

INJECTIONS = (
    "' OR '1'='1",
    "' OR 1=1 --",
    "'; DROP TABLE api_key; --",
    "' UNION SELECT id, account_id, 1, usage_plan_id, NULL, NULL FROM api_key --",
    '" OR ""="',
    "\\' OR 1=1 #",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_server(tmp_path_factory.mktemp("incidents"), DAYPASS_SIGN_UP="invite")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def operator(site: Server) -> Person:
    return site.set_up()


@pytest.fixture
def person(site: Server, operator: Person) -> Person:
    return invited(site, operator)


def invited(site: Server, operator: Person) -> Person:
    token = operator.http.post("/api/operator/invitations", json={}).json()["token"]
    http = site.client()
    email = f"{uuid4().hex}@example.org"
    body = {"email": email, "password": PASSWORD, "invitation": token}
    assert http.post("/api/accounts", json=body).status_code == 201
    return Person(http, email)


def problem_status(response: httpx.Response) -> int:
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code


def contents(site: Server) -> dict[str, int]:
    """How many rows each table has."""
    with sqlite3.connect(site.data_dir / "daypass.db") as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for (name,) in names
            # Written on any request, even a refused one.
            if name
            not in ("usage_day", "receipt_batch", "quota_counter", "quota_clock", "attempts")
        }


def well_formed(body: str) -> str:
    """A key with the right length, prefix and checksum around a text that nobody minted."""
    padded = body.ljust(key_format.RANDOM_LENGTH, "x")[: key_format.RANDOM_LENGTH]
    return key_format.PREFIX + padded + key_format.checksum(padded)


@pytest.mark.parametrize("injection", INJECTIONS)
def test_sql_in_a_credential_is_a_wrong_credential(
    site: Server, operator: Person, person: Person, injection: str
) -> None:
    """LiteLLM CVE-2026-42208: the bearer value went into a statement as text."""
    person.create_key()
    before = contents(site)
    http = site.client()
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
    sign_in = {"email": person.email, "password": injection}
    assert problem(http.post("/api/session", json=sign_in)) == 401
    sign_in = {"email": f"{person.email}{injection}", "password": PASSWORD}
    assert problem(http.post("/api/session", json=sign_in)) == 401
    sign_up = {"email": "x@example.org", "password": PASSWORD, "invitation": injection}
    assert problem(http.post("/api/accounts", json=sign_up)) == 403
    assert contents(site) == before


@pytest.mark.parametrize("injection", INJECTIONS)
def test_sql_in_a_search_or_a_path_finds_nothing(
    site: Server, operator: Person, person: Person, injection: str
) -> None:
    """The same, where a text is meant to be searched for."""
    before = contents(site)
    query = {"search": injection}
    for path, count in (("people", "people"), ("api-keys", "keys"), ("audit-log", "")):
        found = operator.http.get(f"/api/operator/{path}", params=query).json()
        assert (found[count] if count else found) == []
    encoded = quote(injection, safe="")
    assert problem(person.http.delete(f"/api/api-keys/{encoded}")) == 404
    assert problem(operator.http.delete(f"/api/operator/api-keys/{encoded}")) == 404
    assert problem(operator.http.delete(f"/api/operator/invitations/{encoded}")) == 404
    chat = CHAT | {"api_key_id": injection}
    assert problem(person.http.post("/api/chat/completions", json=chat)) == 404
    assert contents(site) == before


HOSTS = (
    "x/v1",
    "x/api/site?",
    "127.0.0.1/v1/../api/site#",
    "user:password@127.0.0.1",
    "127.0.0.1, evil.example",
    "evil.example/api/usage-plans?x=",
    "",
)


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_header_opens_no_route(site: Server, operator: Person, host: str) -> None:
    """LiteLLM CVE-2026-49468, Starlette CVE-2026-48710: Host poisoned the path that was checked,
    and keys could be created without signing in."""
    before = contents(site)
    body = json.dumps({"name": "x", "usage_plan_id": "10RequestPerDay"})
    for method, path, refusals in (
        ("POST", "/api/api-keys", (400, 401, 403, 421)),
        ("GET", "/api/operator/people", (400, 401, 421)),
        ("DELETE", "/api/operator/api-keys/key_1", (400, 401, 403, 421)),
        ("GET", "/v1/key", (400, 401, 421)),
    ):
        lines = [f"{method} {path} HTTP/1.1", f"host: {host}", "connection: close"]
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
        lines += ["sec-fetch-site: same-origin"]
        answer = talk(site.url, "\r\n".join([*lines, "", body]))
        assert answer.status in refusals, (path, answer)
    assert contents(site) == before


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1/api/operator/people",
        "http://evil.example/api/operator/people",
        "//api/operator/people",
        "/v1/../api/operator/people",
        "/api/site/../operator/people",
        "/api/site/%2e%2e/operator/people",
        "/api/operator/people/",
        "/api//operator/people",
        "/api/operator%2fpeople",
        "/API/operator/people",
    ],
)
def test_no_spelling_of_a_path_gets_round_its_check(
    site: Server, operator: Person, target: str
) -> None:
    """The admin routes of several peers were open under another spelling."""
    answer = talk(site.url, f"GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert answer.status in (307, 400, 401, 404), answer
    assert operator.email not in answer.body


def test_headers_that_rename_a_call_are_not_heard(site: Server, person: Person) -> None:
    """Method and path overrides that frameworks and proxies honour."""
    for name in ("x-original-url", "x-rewrite-url", "x-forwarded-prefix", "x-http-method-override"):
        value = "DELETE" if "method" in name else "/api/site"
        refused = site.client().get("/api/operator/people", headers={name: value})
        assert problem(refused) == 401
    created = person.create_key()
    person.http.get(f"/api/api-keys/{created['id']}", headers={"x-http-method-override": "DELETE"})
    person.http.post("/api/api-keys?_method=DELETE", json={})
    (kept,) = person.keys()
    assert kept["id"] == created["id"]


def test_a_wildcard_in_a_search_is_a_letter_and_costs_little(operator: Person) -> None:
    """New API CVE-2026-25591: `%` in LIKE found everything, and many of them took the server's
    time."""
    for path, count in (("people", "total"), ("api-keys", "total"), ("audit-log", "")):
        for text in ("%", "__", "%%%", "\\", "[a-z]", "*"):
            found = operator.http.get(f"/api/operator/{path}", params={"search": text}).json()
            assert (found[count] if count else len(found)) == 0, (path, text)
        began = time.monotonic()
        heavy = operator.http.get(f"/api/operator/{path}", params={"search": "%_" * 100})
        assert heavy.status_code == 200
        assert time.monotonic() - began < 2 + BUSY_S
        longer = operator.http.get(f"/api/operator/{path}", params={"search": "%" * 201})
        assert problem(longer, "search") == 422


def test_resources_of_another_account_are_not_found(
    site: Server, operator: Person, person: Person
) -> None:
    """New API CVE-2026-30886: an id was enough to read and change another's objects."""
    other = invited(site, operator)
    theirs = other.create_key(name="theirs")
    gateway = site.gateway(theirs["key"])
    assert gateway.post("/v1/embeddings", json={"input": "x"}).status_code == 200
    path = f"/api/api-keys/{theirs['id']}"
    chat = CHAT | {"api_key_id": theirs["id"]}
    for actor in (person, operator):
        for response in (
            actor.http.patch(path, json={"name": "mine", "usage_plan_id": "30RequestPerDay"}),
            actor.http.post(f"{path}/rotate", json={"grace_seconds": 9}),
            actor.http.delete(path),
            actor.http.post("/api/chat/completions", json=chat),
        ):
            missing = problem(response)
            assert missing == 404
            unknown = actor.http.delete("/api/api-keys/key_nothing")
            # Not even that it exists.
            assert response.json() == unknown.json()
        for listing in ("api-keys", "usage", "requests", "usage/today"):
            answer = actor.http.get(f"/api/{listing}", params={"account_id": theirs["id"]})
            assert theirs["id"] not in answer.text
    # A member of the body that names another account is no way in either.
    forged = {"name": "x", "usage_plan_id": "10RequestPerDay", "account_id": "acc_x", "slot": 1}
    made = person.http.post("/api/api-keys", json=forged).json()
    (mine,) = person.keys()
    assert mine["id"] == made["id"]
    (kept,) = other.keys()
    assert (kept["name"], kept["usage_plan_id"], kept["used"]) == ("theirs", "10RequestPerDay", 1)
    assert gateway.get("/v1/key").status_code == 200


def test_a_request_body_cannot_set_a_role(site: Server, operator: Person, person: Person) -> None:
    """Mass assignment: members of a body that are not for its sender."""
    token = operator.http.post("/api/operator/invitations", json={}).json()["token"]
    email = f"{uuid4().hex}@example.org"
    body = {"email": email, "password": PASSWORD, "invitation": token}
    more = {"role": "operator", "id": "acc_chosen", "is_admin": True, "disabled_at": None}
    made = site.client().post("/api/accounts", json=body | more)
    assert made.json()["role"] == "member"
    assert made.json()["id"] != "acc_chosen"
    key = person.create_key()
    path = f"/api/api-keys/{key['id']}"
    person.http.patch(path, json={"slot": 9, "account_id": "acc_x", "last_used_at": 1})
    (kept,) = person.keys()
    assert kept["id"] == key["id"]


def test_a_retired_or_private_plan_cannot_be_chosen(site: Server, operator: Person) -> None:
    """The plan that people could not see they could still name."""
    plans = "/api/operator/usage-plans"
    private = {"id": "private", "name": "Private", "unlimited": True, "self_service": False}
    assert operator.http.post(plans, json=private).status_code == 201
    person = invited(site, operator)
    body = {"name": "x", "usage_plan_id": "private"}
    assert problem(person.http.post("/api/api-keys", json=body), "usage_plan_id") == 422
    key = person.create_key()
    path = f"/api/api-keys/{key['id']}"
    moved = person.http.patch(path, json={"usage_plan_id": "private"})
    assert problem(moved, "usage_plan_id") == 422
    assert person.keys()[0]["usage_plan_id"] == "10RequestPerDay"


def test_no_secret_is_in_the_audit_log_or_an_error(
    site: Server, operator: Person, person: Person
) -> None:
    """LiteLLM: API keys in audit logs, in exceptions and in the texts of errors."""
    created = person.create_key()
    secret = created["key"]
    path = f"/api/operator/api-keys/{created['id']}"
    operator.http.patch(path, json={"usage_plan_id": "20RequestPerDay"})
    operator.http.delete(path)
    log = operator.http.get("/api/operator/audit-log").text
    assert created["id"] in log
    assert created["last4"] in log
    assert secret not in log
    assert key_format.digest(secret) not in log
    for response in (
        site.gateway(secret).get("/v1/key"),
        person.http.patch(f"/api/api-keys/{secret}", json={}),
        person.http.post("/api/api-keys", json={"name": secret * 3, "usage_plan_id": secret}),
        person.http.post("/api/session", json={"email": secret, "password": secret}),
    ):
        assert response.status_code in (401, 404, 422)
        assert secret not in response.text


def status_of(url: str, path: str, *headers: str) -> int:
    lines = [f"GET {path} HTTP/1.1", "host: x", "connection: close", *headers, "", ""]
    return talk(url, "\r\n".join(lines)).status


@pytest.mark.parametrize("empty", ["", " ", "\t"])
def test_an_empty_secret_opens_nothing(site: Server, person: Person, empty: str) -> None:
    """New API CVE-2026-41432: a secret that was not set was equal to one that was not sent."""
    elsewhere = "x-forwarded-for: 192.0.2.1"
    for sent in ("x: y", f"authorization: Bearer {empty}", f"authorization:{empty}"):
        assert status_of(site.url, "/metrics", elsewhere, sent) == 403
    for sent in (f"x-api-key:{empty}", f"authorization: Bearer {empty}", "authorization: Bearer"):
        assert status_of(site.url, "/v1/key", sent) == 401
    for cookie in ("daypass_session=", f'daypass_session="{empty}"', "daypass_session"):
        assert status_of(site.url, "/api/session", f"cookie: {cookie}") == 401
    http = site.client()
    for password in (empty, None):
        body = {"email": person.email, "password": password}
        assert problem_status(http.post("/api/session", json=body)) in (401, 422)
    for invitation in (empty, None):
        body = {"email": "x@example.org", "password": PASSWORD, "invitation": invitation}
        assert problem(http.post("/api/accounts", json=body)) == 403


def test_a_secret_that_is_set_to_nothing_is_not_set(start: StartServer) -> None:
    """The same, from the side of the settings: an empty token is none, and lets nobody in."""
    server = start(DAYPASS_METRICS_TOKEN="", DAYPASS_UPSTREAM_API_KEY="", OPENAI_API_KEY=" ")
    for sent in ("authorization: Bearer ", "authorization:", "x: y"):
        assert status_of(server.url, "/metrics", "x-real-ip: 192.0.2.1", sent) == 403
    assert server.client().get("/api/site").json()["demo"] is True
    short = daypass("serve", DAYPASS_METRICS_TOKEN="x", DAYPASS_DATA_DIR=str(server.data_dir))
    assert short.returncode == 2
    assert "DAYPASS_METRICS_TOKEN" in short.stderr


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
def test_invalid_json_is_a_client_error(person: Person, body: bytes) -> None:
    """Half a surrogate pair, NaN and too many levels became a fault of the server's."""
    key = person.create_key()
    content = body.replace(b"KEY", key["id"].encode())
    headers = {"content-type": "application/json"}
    for path in ("/api/chat/completions", "/api/api-keys", "/api/session"):
        response = person.http.post(path, content=content, headers=headers)
        assert problem_status(response) in (400, 401, 422), (path, response.text)
    assert person.keys()[0]["used"] == 0


def test_what_is_no_number_and_no_truth_value_is_not_taken_for_one(
    operator: Person, person: Person
) -> None:
    """Lenient readers took 0 for false, and a switch was thrown that nobody had named."""
    path = f"/api/api-keys/{person.create_key()['id']}/rotate"
    for grace in (False, "60", 1.5):
        assert (
            problem(person.http.post(path, json={"grace_seconds": grace}), "grace_seconds") == 422
        )
    account_id = person.http.get("/api/session").json()["id"]
    for disabled in (1, "yes", "true"):
        change = operator.http.patch(
            f"/api/operator/people/{account_id}", json={"disabled": disabled}
        )
        assert problem(change, "disabled") == 422
    assert person.http.get("/api/session").status_code == 200


def test_a_large_body_is_refused_before_it_is_read(site: Server) -> None:
    """Bodies were read into memory before it was known who sent them."""
    large = b'{"email": "' + b"x" * 100_000 + b'"}'
    headers = {"content-type": "application/json"}

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(large), 10_000):
            yield large[start : start + 10_000]

    for content in (large, pieces()):
        refused = site.client().post("/api/session", content=content, headers=headers)
        assert problem(refused) == 413
    # What declares more than it sends is refused without waiting for it.
    head = "POST /api/accounts HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n"
    assert talk(site.url, head).status == 413


def test_a_nul_is_a_wrong_value_and_stops_nobody(
    start: StartServer, postgres_server: Postgres
) -> None:
    """PostgreSQL's texts hold no NUL: what came with one was taken for a database that is away,
    and one request could stop the statistics of all."""
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


def test_a_redirect_stays_on_this_site(site: Server) -> None:
    """Open redirects, by a path that begins with two slashes."""
    for target in ("//evil.example/keys", "/keys", "/%2fevil.example/..", "/\\evil.example"):
        answer = talk(site.url, f"GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        location = answer.headers.get("location", "")
        assert urlsplit(location).netloc in ("", "x"), location
        assert not re.match(r"[/\\]{2}", location), location


def test_members_that_come_twice_are_not_read_twice(person: Person) -> None:
    """Two readers of one body disagreed on which of two members holds."""
    key = person.create_key()
    body = f'{{"api_key_id": "key_other", "api_key_id": "{key["id"]}", "model": "a", "model": "b"}}'
    headers: Any = {"content-type": "application/json"}
    response = person.http.post("/api/chat/completions", content=body.encode(), headers=headers)
    assert response.status_code in (200, 400)
    if response.status_code == 200:
        assert person.keys()[0]["used"] == 1

"""Planted secrets appear only in the outputs where they belong.

`tests/support/outputs.py` searches the outputs of the whole suite; these flows would leak.
"""

import contextlib
import json
import socket
import sqlite3
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2 as httpx
import psycopg
import pytest
import redis
from psycopg import sql
from starlette.responses import JSONResponse, Response, StreamingResponse

from daypass.domain import key_format
from tests.conftest import (
    PASSWORD,
    Person,
    Server,
    StartServer,
    daypass,
    start_public,
    start_server,
)
from tests.support.outputs import find_secrets
from tests.support.postgres import Postgres
from tests.support.redis import Redis
from tests.support.upstream import FakeUpstream, Reply, Seen, completion
from tests.support.waiting import until

UPSTREAM_KEY = "sk-planted-upstream-key-0123456789"
SITE_KEY = "sk-planted-key-of-an-upstream-made-on-the-site"
PROMPT = "planted-prompt"
ANSWER = "planted-answer"
METRICS_TOKEN = "planted-metrics-token"
BROKEN = "planted-in-the-database"
CHAT = {"model": "m", "messages": [{"role": "user", "content": PROMPT}]}


@dataclass
class Evidence:
    """The requests sent to a server, and all of its output."""

    server: Server
    operator: Person
    person: Person
    keys: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    reset_tokens: list[str] = field(default_factory=list)
    """The tokens in links that operators handed over."""
    answers: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of each call, with its answer: status, headers and body."""

    def note(self, response: httpx.Response) -> None:
        response.read()
        request = response.request
        head = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
        what = f"{request.method} {request.url.path}"
        self.answers.append((what, f"{response.status_code}\n{head}\n{response.text}"))


def echo(status: int) -> Reply:
    """An upstream that echoes everything it was sent, in chunks that split its key in two."""

    def reply(seen: Seen) -> Response:
        credentials = seen.headers.get("authorization", "")
        document = {"error": {"message": f"{credentials} {credentials}", "param": ANSWER}}
        said = json.dumps(document | {"you_sent": seen.body.decode(errors="replace")}).encode()

        async def pieces() -> Any:
            cut = said.find(b"planted")
            yield said[:cut]
            yield said[cut : cut + 3]
            yield said[cut + 3 :]

        headers = {"x-you-sent": credentials, "content-length": str(len(said))}
        return StreamingResponse(pieces(), status, headers, "application/json")

    return reply


def answer_with(text: str) -> Reply:
    def reply(seen: Seen) -> Response:
        if not seen.body:
            return JSONResponse({"data": [{"id": "m"}]})
        if not seen.json().get("stream"):
            choice = {"index": 0, "message": {"role": "assistant", "content": text}}
            return JSONResponse({"choices": [choice]})

        async def events() -> Any:
            yield b"data: " + json.dumps({"choices": [{"delta": {"content": text}}]}).encode()
            yield b"\n\ndata: [DONE]\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    return reply


def break_off(_seen: Seen) -> Response:
    async def events() -> Any:
        yield f"data: {ANSWER} {PROMPT}\n\n".encode()
        raise RuntimeError(UPSTREAM_KEY)

    return StreamingResponse(events(), media_type="text/event-stream")


@pytest.fixture(scope="module")
def evidence(
    upstream_process: FakeUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Evidence]:
    server = start_server(
        tmp_path_factory.mktemp("secrets"),
        DAYPASS_UPSTREAM_BASE_URL=upstream_process.base_url,
        DAYPASS_UPSTREAM_API_KEY=UPSTREAM_KEY,
        DAYPASS_METRICS_TOKEN=METRICS_TOKEN,
        DAYPASS_READ_TIMEOUT_S="1",
    )
    try:
        evidence = Evidence(server, server.set_up(), server.sign_up())
        for person in (evidence.operator, evidence.person):
            person.http.event_hooks["response"] = [evidence.note]
        use_portal(evidence)
        use_gateway(evidence, upstream_process)
        misuse_portal(evidence)
        misuse_protocol(evidence)
        look_as_operator(evidence)
        time.sleep(1.2)  # Usage and metrics are written every second.
        yield evidence
    finally:
        upstream_process.reply = completion
        server.stop()


def use_portal(evidence: Evidence) -> None:
    """Create and delete keys, change passwords, start and end sessions."""
    http = evidence.person.http
    created = evidence.person.create_key("30RequestPerDay")
    rotated = http.post(f"/api/api-keys/{created['id']}/rotate", json={"grace_seconds": 60})
    spare = evidence.person.create_key(name="spare")
    evidence.keys += [created["key"], rotated.json()["key"], spare["key"]]
    http.patch(f"/api/api-keys/{created['id']}", json={"name": "desk"})
    http.delete(f"/api/api-keys/{spare['id']}")
    change = {"current_password": PASSWORD, "new_password": f"{PASSWORD}, new"}
    assert http.put("/api/account/password", json=change).status_code == 204
    for path in ("session", "api-keys", "usage", "usage/today", "requests", "models", "site"):
        http.get(f"/api/{path}")


def use_gateway(evidence: Evidence, upstream: FakeUpstream) -> None:
    """Make valid and invalid calls, with an upstream that echoes secrets."""
    first, second, deleted = evidence.keys
    key_id = evidence.person.keys()[0]["id"]
    bad = first[:20] + ("a" if first[20] != "a" else "b") + first[21:]
    replies: list[Reply] = [answer_with(ANSWER), *(echo(x) for x in (400, 401, 403, 429, 500, 302))]
    with evidence.server.client(event_hooks={"response": [evidence.note]}) as http:
        for reply in [*replies, break_off]:
            upstream.reply = reply
            for body in (CHAT, CHAT | {"stream": True}):
                http.post("/v1/chat/completions", json=body, headers={"x-api-key": second})
            chat = CHAT | {"api_key_id": key_id, "stream": True}
            evidence.person.http.post("/api/chat/completions", json=chat)
        upstream.reply = answer_with(ANSWER)
        for headers in (
            {"x-api-key": bad},
            {"x-api-key": deleted},
            {"authorization": f"Bearer {first} {PROMPT}"},
            {"authorization": f"Basic {first}"},
            {"x-api-key": first, "authorization": f"Bearer {second}"},
        ):
            refused = http.post("/v1/chat/completions", json=CHAT, headers=headers)
            assert refused.status_code == 401
        http.post(f"/v1/chat/completions?api_key={first}", json=CHAT)
        http.get(f"/v1/{first}/../x")
        for content in (f'{{"{PROMPT}": ', f'["{PROMPT}"]', f'{{"model": "{PROMPT}", "x": NaN}}'):
            http.post(
                "/v1/chat/completions",
                content=content.encode(),
                headers={"x-api-key": second, "content-type": "application/json"},
            )


def misuse_portal(evidence: Evidence) -> None:
    """Make failing calls with secrets in every place; one causes an internal error."""
    first = evidence.keys[0]
    with evidence.server.client(event_hooks={"response": [evidence.note]}) as http:
        for body in (
            {"email": PASSWORD, "password": 7},
            {"email": evidence.person.email, "password": PASSWORD},
            {"email": f"{first}@example.org", "password": ""},
        ):
            http.post("/api/accounts", json=body)
            http.post("/api/session", json=body)
            http.post("/api/setup", json=body | {"token": f"{METRICS_TOKEN} of a link"})
        as_json = {"content-type": "application/json"}
        http.post("/api/session", content=f'{{"password": "{PASSWORD}"'.encode(), headers=as_json)
        http.get(f"/api/{first}")
        http.get("/api/session", headers={"cookie": f"daypass_session={PASSWORD.split()[0]}"})
        http.get("/metrics", headers={"authorization": f"Bearer {first}", "x-real-ip": "192.0.2.1"})
    http = evidence.person.http
    http.post("/api/api-keys", json={"name": f"{first}\n", "usage_plan_id": first})
    http.patch(f"/api/api-keys/{first}", json={"name": PROMPT})
    http.post("/api/chat/completions", json=CHAT | {"api_key_id": first})
    http.post("/api/account/deletion", json={"password": f"{PASSWORD}, wrong"})
    # Corrupt stored data, so that the exception's message would quote it.
    change = "UPDATE api_key SET created_at = ? WHERE name = 'desk'"
    with sqlite3.connect(evidence.server.data_dir / "daypass.db") as connection:
        (before,) = connection.execute("SELECT created_at FROM api_key WHERE name = 'desk'")
        connection.execute(change, (BROKEN,))
    assert http.get("/api/api-keys").status_code == 500
    with sqlite3.connect(evidence.server.data_dir / "daypass.db") as connection:
        connection.execute(change, before)


def misuse_protocol(evidence: Evidence) -> None:
    """Send invalid HTTP that contains a key."""
    first = evidence.keys[0].encode()
    port = urlsplit(evidence.server.url).port or 0
    for request in (
        b"GET /v1/key HTTP/1.1\r\nhost: x\r\nx-api-key: %b\r\n folded\r\n\r\n" % first,
        b"GET /v1/key HTTP/1.1\r\nhost: x\r\nx api key: %b\r\n\r\n" % first,
        b"%b\r\n\r\n" % first,
        b"POST /v1/x HTTP/1.1\r\nhost: x\r\nx-api-key: %b\r\ncontent-length: 9\r\n\r\nx" % first,
    ):
        with socket.create_connection(("127.0.0.1", port)) as caller:
            caller.sendall(request)
            caller.shutdown(socket.SHUT_WR)
            said = b""
            with contextlib.suppress(OSError):
                while piece := caller.recv(65_536):
                    said += piece
        evidence.answers.append(("no HTTP", said.decode("latin-1")))


def look_as_operator(evidence: Evidence) -> None:
    """Use all of the operator's routes."""
    http = evidence.operator.http
    people = http.get("/api/operator/people", params={"search": evidence.person.email})
    account_id = people.json()["people"][0]["id"]
    for disabled in (True, False):
        http.patch(f"/api/operator/people/{account_id}", json={"disabled": disabled})
    created = http.post(f"/api/operator/people/{account_id}/password-reset").json()
    evidence.reset_tokens.append(created["url"].partition("#token=")[2])
    # The token is right, and the password is not.
    unfit = {"token": evidence.reset_tokens[0], "password": "x"}
    assert http.put("/api/password-resets", json=unfit).status_code == 422
    http.get(f"/api/operator/people/{account_id}")
    # This ended the session.
    credentials = {"email": evidence.person.email, "password": f"{PASSWORD}, new"}
    evidence.person.http.post("/api/session", json=credentials)
    key_id = evidence.person.keys()[0]["id"]
    http.patch(f"/api/operator/api-keys/{key_id}", json={"usage_plan_id": "30RequestPerDay"})
    http.post("/api/operator/usage-plans", json={"id": "lab", "name": "Lab"})
    http.post("/api/operator/invitations", json={"note": "friend"})
    manage_upstreams(http, evidence.server.settings["DAYPASS_UPSTREAM_BASE_URL"])
    repeated = {"idempotency-key": "planted-idempotency-key"}
    for _ in range(2):
        body = {"name": "robot", "scopes": ["read"]}
        created = http.post("/api/operator/tokens", json=body, headers=repeated)
        evidence.tokens.append(created.json()["token"])
    bearer = {"authorization": f"Bearer {evidence.tokens[0]}"}
    with evidence.server.client(event_hooks={"response": [evidence.note]}) as program:
        program.get("/api/operator/people", headers=bearer)
        program.post("/api/operator/invitations", json={}, headers=bearer)
        program.get("/api/operator/people", params={"token": evidence.tokens[0]})
        program.get("/v1/key", headers=bearer)
    pages = "people api-keys usage-plans usage sign-up mails audit-log upstream upstreams tokens"
    for path in pages.split():
        assert http.get(f"/api/operator/{path}").status_code == 200
    for path in ("/metrics", "/readyz", "/api/openapi.json"):
        http.get(path)


def manage_upstreams(http: httpx.Client, base_url: str) -> None:
    """An upstream comes and goes, is wrong in many ways, and is tested against one that quotes."""
    path = "/api/operator/upstreams"
    new = {"name": "second", "base_url": base_url, "api_key": SITE_KEY, "models": ["second-*"]}
    second = http.post(path, json=new).json()
    for wrong in ({"name": "second"}, {"base_url": "ftp://x"}, {"api_key": f"{SITE_KEY} x"}):
        assert http.post(path, json=new | wrong).status_code in (409, 422)
        http.patch(f"{path}/{second['id']}", json=wrong)
    http.patch(f"{path}/{second['id']}", json={"api_key": SITE_KEY, "weight": 2})
    for tested in ({"id": second["id"]}, {"base_url": base_url, "api_key": SITE_KEY}):
        assert http.post(f"{path}/test", json=tested | {"model": "m"}).status_code == 200
    third = http.post(path, json=new | {"name": "third"}).json()
    http.delete(f"{path}/{third['id']}")


def cookies(evidence: Evidence) -> set[str]:
    return {x for person in (evidence.operator, evidence.person) for x in
            person.http.cookies.values()}  # fmt: skip


def test_no_response_contains_a_secret_of_others(evidence: Evidence) -> None:
    assert len(evidence.answers) > 80
    address = urlsplit(evidence.server.settings["DAYPASS_UPSTREAM_BASE_URL"]).netloc
    never = {UPSTREAM_KEY, SITE_KEY, METRICS_TOKEN, PASSWORD, BROKEN, "$argon2", "Traceback"}
    for what, answer in evidence.answers:
        forbidden = set(never)
        # Operators see the addresses of upstreams, on the page where they manage them.
        if "/api/operator/upstreams" not in what and what != "GET /api/operator/audit-log":
            forbidden.add(address)
        if what != "POST /api/api-keys" and not what.endswith("/rotate"):
            forbidden |= set(evidence.keys)
        if what != "POST /api/operator/tokens":
            forbidden |= set(evidence.tokens)
        if what not in ("POST /api/session", "PUT /api/account/password"):
            forbidden |= cookies(evidence)
        if not what.endswith("/password-reset"):
            forbidden |= set(evidence.reset_tokens)
        if not what.startswith(("POST /v1/", "POST /api/chat/")):
            forbidden |= {PROMPT, ANSWER}
        assert not {x for x in forbidden if x in answer}, (what, answer)


def test_the_clients_own_secrets_do_arrive(evidence: Evidence) -> None:
    """The control: the search above would find these secrets."""
    relayed = [answer for what, answer in evidence.answers if what == "POST /v1/chat/completions"]
    assert sum(ANSWER in answer for answer in relayed) >= 8
    assert sum("*" * len(UPSTREAM_KEY) in answer for answer in relayed) >= 6
    (link,) = [answer for what, answer in evidence.answers if what.endswith("/password-reset")]
    assert evidence.reset_tokens[0] in link
    created = [answer for what, answer in evidence.answers if what == "POST /api/api-keys"]
    assert evidence.keys[0] in created[0]
    assert find_secrets(evidence.keys[0], set()) == {evidence.keys[0]}


def test_no_log_line_or_metric_contains_a_secret(evidence: Evidence) -> None:
    log = evidence.server.log()
    for event in ("upstream_misconfigured", "upstream_broke_off", "request_fault"):
        assert event in log
    metrics = evidence.server.client().get("/metrics").text
    assert "daypass_requests_total" in metrics
    planted = {PROMPT, ANSWER, METRICS_TOKEN, UPSTREAM_KEY, SITE_KEY, *evidence.keys,
               *evidence.tokens,
               *cookies(evidence), *evidence.reset_tokens}  # fmt: skip
    assert find_secrets(log + metrics, planted) == set()
    for name in ("person", "example.org", "30RequestPerDay", "gpt"):
        assert name not in metrics


def test_stored_files_contain_digests_and_no_secrets(evidence: Evidence) -> None:
    stored = {
        path: path.read_bytes() for path in evidence.server.data_dir.rglob("*") if path.is_file()
    }
    everything = b"".join(stored.values())
    assert key_format.digest(evidence.keys[1]).encode() in everything
    assert key_format.digest(evidence.tokens[0]).encode() in everything
    assert b"$argon2id$" in everything
    secrets = {*evidence.keys, *evidence.tokens, "planted-idempotency-key", *cookies(evidence),
               PASSWORD, PROMPT, ANSWER, UPSTREAM_KEY, SITE_KEY, METRICS_TOKEN,
               evidence.server.setup_token(), *evidence.reset_tokens}  # fmt: skip
    for path, content in stored.items():
        assert not {x for x in secrets if x.encode() in content}, path


def test_state_files_are_private_to_their_owner(evidence: Evidence) -> None:
    data_dir = evidence.server.data_dir
    names = {path.name for path in data_dir.rglob("*")}
    assert {"daypass.db", "daypass.db-wal", "daypass.db-shm", "metrics"} <= names
    assert [path for path in (data_dir / "metrics").iterdir() if path.suffix == ".json"]
    for path in (data_dir, *data_dir.rglob("*")):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_commands_print_no_secret(evidence: Evidence) -> None:
    settings = evidence.server.settings
    for arguments in (
        ("doctor",),
        ("doctor", "--json"),
        ("keys", "list", "--json"),
        ("accounts", "list", "--json"),
        ("plans", "list"),
        ("tokens", "list"),
    ):
        ended = daypass(*arguments, **settings)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        planted = {*evidence.keys, UPSTREAM_KEY, SITE_KEY, METRICS_TOKEN, *cookies(evidence)}
        assert find_secrets(ended.stdout + ended.stderr, planted) == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://user:planted-pa/ss@127.0.0.1:1/daypass"),
        ("DATABASE_URL", "postgresql://user:planted-pa@ss@127.0.0.1:1/daypass"),
        ("DATABASE_URL", "postgresql://user:planted-pass@127.0.0.1:port/daypass"),
        ("DATABASE_URL", "postgresql://user:planted-pass@127.0.0.1:1/daypass"),
        ("DATABASE_URL", "planted-pass"),
        ("REDIS_URL", "redis://:planted-pa/ss@127.0.0.1:1/0"),
        ("REDIS_URL", "redis://:planted-pa@ss@127.0.0.1:1/0"),
        ("REDIS_URL", "redis://:planted-pass@127.0.0.1:port/0"),
        ("REDIS_URL", "redis://:planted-pass@127.0.0.1:1/0"),
        ("UPSTREAM_BASE_URL", "http://user:planted-pass@127.0.0.1:1/v1"),
        ("METRICS_TOKEN", "planted-short"),
        ("SECRET_KEY", "planted-short"),
        ("SMTP_URL", "http://user:planted-pass@127.0.0.1:1"),
    ],
)
def test_an_invalid_setting_is_named_and_not_quoted(
    name: str, value: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data_dir = tmp_path_factory.mktemp("wrong")
    settings = {f"DAYPASS_{name}": value, "DAYPASS_DATA_DIR": str(data_dir)}
    ended = daypass("serve", **settings)
    assert ended.returncode == 2
    assert ended.stderr.startswith("daypass: ")
    assert ended.stderr.count("\n") == 1
    assert "planted" not in ended.stdout + ended.stderr
    assert "ss@127" not in ended.stderr


def test_mail_and_single_sign_on_errors_contain_no_secrets(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = start_public(
        tmp_path_factory.mktemp("sign-in"),
        DAYPASS_SECRET_KEY="planted-secret-key-of-at-least-32-characters",
        DAYPASS_SMTP_URL="smtp://user:planted-smtp@127.0.0.1:1",
        DAYPASS_MAIL_FROM="daypass@example.org",
        DAYPASS_OIDC_ISSUER="http://127.0.0.1:1",
        DAYPASS_OIDC_CLIENT_ID="daypass",
        DAYPASS_OIDC_CLIENT_SECRET="planted-client-secret",
    )
    try:
        http = server.client()
        email = "secret.person@example.org"
        # Sending the mail fails.
        asked = http.post("/api/accounts", json={"email": email, "password": PASSWORD})
        assert http.post("/api/password-resets", json={"email": email}).status_code == 202
        away = http.post("/api/session/oidc", json={"invitation": "planted-invitation"})
        assert (asked.status_code, away.status_code) == (202, 502)
        back = http.get("/api/session/oidc/callback?code=planted-code&state=planted-state")
        assert back.status_code == 303
        for path in ("confirmations", "password-resets"):
            body = {"token": "planted-token", "password": PASSWORD}
            assert http.put(f"/api/{path}", json=body).status_code == 403
        doctor = daypass("doctor", **server.settings)
        assert doctor.returncode == 1
        until(lambda: "mail_failed" in server.log())
    finally:
        server.stop()
    said = server.log() + doctor.stdout + doctor.stderr + away.text
    headers = f"{asked.headers}{away.headers}{back.headers}"
    assert find_secrets(said + headers, set()) == set()
    assert email not in server.log()


def test_store_failures_are_logged_without_passwords(
    start: StartServer, postgres_server: Postgres
) -> None:
    server_of_redis = Redis()
    server_of_redis.start()
    with redis.Redis.from_url(server_of_redis.url) as client:
        client.config_set("requirepass", "planted-redis")
    database = f"test_{uuid4().hex}"
    address = postgres_server.create_database(database)
    server = start(
        DAYPASS_DATABASE_URL=address.replace("@", ":planted-postgres@"),
        DAYPASS_REDIS_URL=server_of_redis.url.replace("//", "//:planted-redis@"),
    )
    try:
        person = server.sign_up()
        secret = person.create_key()["key"]
        assert server.gateway(secret).post("/v1/embeddings", json={"input": "x"}).status_code == 200
        assert daypass("doctor", **server.settings).returncode == 0
        server_of_redis.kill()
        lost = server.gateway(secret).post("/v1/embeddings", json={"input": "x"})
        assert lost.status_code == 503
        with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database))
            )
        gone = person.http.get("/api/api-keys")
        assert gone.status_code == 503
        doctor = daypass("doctor", **server.settings)
        assert doctor.returncode == 1
    finally:
        server_of_redis.remove()
    said = server.log() + lost.text + gone.text + doctor.stdout + doctor.stderr
    assert "store_unavailable" in said
    assert find_secrets(said, {secret}) == set()

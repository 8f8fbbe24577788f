"""Authorisation of every route, tried by each kind of caller.

Each row of the table has the status that each caller gets. They request objects of `account`;
`disabled` requests its own. A route without a row fails, and so does a row without a route.
"""

import contextlib
import itertools
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import delete

from daypass.app.factory import Daypass
from daypass.config.settings import Settings
from daypass.config.upstreams import UpstreamTerms
from daypass.domain.key_format import mint
from daypass.domain.logo import read_logo
from daypass.portal.admin_access import WRITE_SCOPES
from daypass.portal.password_process import hash_password
from daypass.portal.signer import Signer
from daypass.records import (
    accounts,
    admin_tokens,
    api_keys,
    invitations,
    outbox,
    site_logo,
    site_settings,
    upstreams,
    usage_plans,
)
from daypass.records.admin_tokens import SCOPES
from daypass.records.database import Database
from daypass.records.identifiers import digest
from daypass.records.sealed_keys import KeySealer
from daypass.records.tables import StoredUpstream
from tests.conftest import PASSWORD, Server, start_public
from tests.domain.test_svg import svg
from tests.support.mailbox import Mailbox
from tests.support.oidc import OidcProvider
from tests.support.waiting import START_S

CALLERS = ("nobody", "account", "other", "operator", "disabled")

EVERYBODY = (200, 200, 200, 200, 200)
SIGNED_IN = (401, 200, 200, 200, 403)
OPERATOR = (401, 403, 403, 200, 403)
OWNER = (401, 200, 404, 404, 403)
LINK = (200, 200, 200, 200, 403)

NEW_KEY = {"name": "laptop", "usage_plan_id": "10RequestPerDay"}
NEW_TERMS = {"name": "Lab", "requests_per_day": 5}
NEW_PLAN = NEW_TERMS | {"id": "plan-{number}"}
NEW_UPSTREAM = {"name": "new-{number}", "base_url": "http://127.0.0.1:1/v1"}
MESSAGES = [{"role": "user", "content": "planted-prompt"}]
CHAT = {"model": "daypass-demo", "messages": MESSAGES}
LOGO = read_logo("image/svg+xml", svg("<path/>"))
LOGO_TYPE = {"content-type": LOGO.media_type}
SECRET_KEY = "planted-secret-key-of-the-site-0123456789"
ELSEWHERE = {"x-forwarded-for": "203.0.113.7"}


@dataclass(frozen=True)
class Row:
    """A call, and the status for each of CALLERS."""

    route: str
    statuses: tuple[int, ...]
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    file: bytes | None = None
    """The body, where it is a file."""
    call: str = ""
    """An actual path, if the route stands for many."""
    with_key: bool = False
    """The caller sends an API key instead of a session."""


def done(statuses: tuple[int, ...], success: int) -> tuple[int, ...]:
    """Like `row`, but success has a status other than 200."""
    return tuple(success if status == 200 else status for status in statuses)


ROWS = [
    Row("GET /healthz", EVERYBODY),
    Row("GET /readyz", EVERYBODY),
    Row("GET /metrics", EVERYBODY),
    Row("GET /metrics", (403,) * 5, headers=ELSEWHERE),
    Row("GET /api/openapi.json", EVERYBODY),
    Row("GET /api/docs", done(EVERYBODY, 307)),
    Row("GET /api/site", EVERYBODY),
    Row("GET /api/site.js", EVERYBODY),
    Row("GET /api/site.css", EVERYBODY),
    Row("GET /api/logo", EVERYBODY),
    Row("GET /api/usage-plans", EVERYBODY),
    # Accounts and sessions.
    Row(
        "POST /api/accounts",
        done(EVERYBODY, 202),
        {"email": "new-{email}", "invitation": "{invitation}"},
    ),
    # The site has an operator.
    Row(
        "POST /api/setup",
        (403,) * 5,
        {"token": "made-up", "email": "new-{email}", "password": PASSWORD},
    ),
    Row("POST /api/session", (200, 200, 200, 200, 403), {"email": "{email}", "password": PASSWORD}),
    Row("POST /api/session/oidc", EVERYBODY, {}),
    Row("GET /api/session/oidc/callback", done(EVERYBODY, 303)),
    # A link proves access to the mailbox. (All accounts here have confirmed their addresses, except
    # those of these links.)
    Row("POST /api/confirmations", done(SIGNED_IN, 409)),
    Row("POST /api/confirmations/preview", LINK, {"token": "{confirmation}"}),
    Row("POST /api/confirmations/preview", (403,) * 5, {"token": "made-up"}),
    Row("PUT /api/confirmations", LINK, {"token": "{confirmation}", "password": PASSWORD}),
    Row("PUT /api/confirmations", (422, 422, 422, 422, 403), {"token": "{confirmation}"}),
    Row("PUT /api/confirmations", (403,) * 5, {"token": "made-up", "password": PASSWORD}),
    Row("POST /api/password-resets", done(EVERYBODY, 202), {"email": "{email}"}),
    Row(
        "PUT /api/password-resets",
        done(EVERYBODY, 204),
        {"token": "{password_reset}", "password": PASSWORD},
    ),
    Row("PUT /api/password-resets", (403,) * 5, {"token": "made-up", "password": PASSWORD}),
    Row("GET /api/session", SIGNED_IN),
    Row("DELETE /api/session", done(EVERYBODY, 204)),
    Row(
        "PUT /api/account/password",
        done(SIGNED_IN, 204),
        {"current_password": PASSWORD, "new_password": PASSWORD},
    ),
    Row("DELETE /api/account/sessions", done(SIGNED_IN, 204)),
    Row("POST /api/account/terms", done(SIGNED_IN, 204), {"accepted_terms": "1"}),
    Row("POST /api/account/deletion", done(SIGNED_IN, 204), {"password": PASSWORD}),
    # API keys.
    Row("GET /api/api-keys", SIGNED_IN),
    Row("POST /api/api-keys", done(SIGNED_IN, 201), NEW_KEY),
    Row("PATCH /api/api-keys/{api_key_id}", OWNER, {"name": "desk"}),
    Row("POST /api/api-keys/{api_key_id}/rotate", OWNER, {"grace_seconds": 0}),
    Row("DELETE /api/api-keys/{api_key_id}", done(OWNER, 204)),
    Row("GET /api/usage", SIGNED_IN),
    Row("GET /api/usage/today", SIGNED_IN),
    Row("GET /api/requests", SIGNED_IN),
    Row("GET /api/models", SIGNED_IN),
    Row("POST /api/chat/completions", OWNER, CHAT | {"api_key_id": "{api_key_id}"}),
    # Operators' routes.
    Row("GET /api/operator/people", OPERATOR),
    Row("PATCH /api/operator/people/{account_id}", done(OPERATOR, 204), {"disabled": True}),
    Row("DELETE /api/operator/people/{account_id}", done(OPERATOR, 204)),
    Row("GET /api/operator/people/{account_id}", OPERATOR),
    Row("POST /api/operator/people/{account_id}/password-reset", done(OPERATOR, 201)),
    Row("POST /api/operator/people/{account_id}/sign-out", done(OPERATOR, 204)),
    Row(
        "POST /api/operator/people/batch",
        OPERATOR,
        {"ids": ["{account_id}"], "action": "disable"},
    ),
    Row("GET /api/operator/api-keys", OPERATOR),
    Row(
        "POST /api/operator/api-keys/batch",
        OPERATOR,
        {"ids": ["{api_key_id}"], "action": "revoke"},
    ),
    Row(
        "PATCH /api/operator/api-keys/{api_key_id}",
        done(OPERATOR, 204),
        {"usage_plan_id": "20RequestPerDay"},
    ),
    Row("DELETE /api/operator/api-keys/{api_key_id}", done(OPERATOR, 204)),
    Row("POST /api/operator/leaked-keys", OPERATOR, {"keys": ["{secret}"]}),
    Row("GET /api/operator/usage-plans", OPERATOR),
    Row("POST /api/operator/usage-plans", done(OPERATOR, 201), NEW_PLAN),
    Row("PUT /api/operator/usage-plans/{plan_id}", done(OPERATOR, 204), NEW_TERMS),
    Row("GET /api/operator/usage", OPERATOR),
    Row("GET /api/operator/usage.csv", OPERATOR),
    Row("GET /api/operator/settings", OPERATOR),
    Row("PATCH /api/operator/settings", OPERATOR, {"site_requests_per_day": 1000}),
    Row("GET /api/operator/sign-up", OPERATOR),
    Row("POST /api/operator/invitations", done(OPERATOR, 201), {"note": "for a friend"}),
    Row("DELETE /api/operator/invitations/{invitation_id}", done(OPERATOR, 204)),
    Row("GET /api/operator/look", OPERATOR),
    Row("PUT /api/operator/logo", OPERATOR, headers=LOGO_TYPE, file=LOGO.content),
    Row("DELETE /api/operator/logo", done(OPERATOR, 204)),
    Row(
        "POST /api/operator/invitations/batch",
        OPERATOR,
        {"ids": ["{invitation_id}"], "action": "withdraw"},
    ),
    Row("GET /api/operator/checklist", OPERATOR),
    Row("GET /api/operator/mails", OPERATOR),
    Row("POST /api/operator/mails/{mail_id}/retry", done(OPERATOR, 204)),
    Row("DELETE /api/operator/mails/{mail_id}", done(OPERATOR, 204)),
    Row("GET /api/operator/audit-log", OPERATOR),
    Row("GET /api/operator/upstream", OPERATOR),
    Row("GET /api/operator/upstreams", OPERATOR),
    Row("POST /api/operator/upstreams", done(OPERATOR, 201), NEW_UPSTREAM),
    Row("POST /api/operator/upstreams/test", OPERATOR, {"base_url": "http://127.0.0.1:1/v1"}),
    Row("PATCH /api/operator/upstreams/{upstream_id}", OPERATOR, {"weight": 2}),
    Row("DELETE /api/operator/upstreams/{upstream_id}", done(OPERATOR, 204)),
    Row("GET /api/operator/live", OPERATOR),
    Row("GET /api/operator/tokens", OPERATOR),
    Row("POST /api/operator/tokens", done(OPERATOR, 201), {"name": "t", "scopes": ["read"]}),
    Row("DELETE /api/operator/tokens/{token_id}", done(OPERATOR, 204)),
    # The gateway accepts keys, not sessions.
    Row("* /v1/*", SIGNED_IN, call="GET /v1/key", with_key=True),
    Row("* /v1/*", SIGNED_IN, call="GET /v1/models", with_key=True),
    Row("* /v1/*", SIGNED_IN, CHAT, call="POST /v1/chat/completions", with_key=True),
    Row("* /v1/*", SIGNED_IN, call="GET /v1/key/usage", with_key=True),
    Row("* /v1/*", (401,) * 5, call="GET /v1/key"),
    Row("* /v1/*", (401,) * 5, call="GET /v1/key/usage"),
    Row("* /v1/*", (401,) * 5, CHAT, call="POST /v1/chat/completions"),
    Row("* /v1/*", (401,) * 5, call="GET /v1/api/operator/people"),
]


def live_routes() -> set[str]:
    """Return the application's routes, except for the site's public pages."""
    portal = iter_route_contexts(Daypass(Settings())._portal.routes)
    methods = {(method, route.path) for route in portal for method in route.methods or ()}
    return {"* /v1/*"} | {f"{method} {path}" for method, path in methods if method != "HEAD"}


def test_every_route_has_a_row_in_the_table() -> None:
    assert {row.route for row in ROWS} == live_routes()


def test_the_security_page_lists_routes_open_without_a_credential() -> None:
    page = (Path(__file__).parents[2] / "SECURITY.md").read_text()
    listed = re.findall(r"^\| `((?:GET|POST|PUT|PATCH|DELETE) /\S*)` \|", page, re.MULTILINE)
    assert sorted(listed) == sorted({row.route for row in ROWS if row.statuses[0] != 401})


@pytest.fixture(scope="module")
def site(
    mailbox_server: Mailbox, oidc_server: OidcProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A site with mail, invitations and single sign-on, so that every call is possible."""
    server = start_public(
        tmp_path_factory.mktemp("authorisation"),
        DAYPASS_SIGN_UP="invite",
        DAYPASS_SECRET_KEY=SECRET_KEY,
        # Upstreams that are made here are not called.
        DAYPASS_DEMO="1",
        **mailbox_server.settings,
        **oidc_server.settings,
    )
    yield server
    server.stop()


@pytest.fixture(scope="module")
def password_hash() -> str:
    return hash_password(PASSWORD)


@dataclass
class World:
    """Five callers and their objects."""

    http: httpx.AsyncClient
    sessions: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    """The operator's admin tokens, each with one scope, by `token` and that scope."""
    keys: dict[str, str] = field(default_factory=dict)
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    """By caller: the values for the names in braces of a row."""

    async def call(self, row: Row, caller: str, **headers: str) -> httpx.Response:
        """Make a row's call as one of the callers."""
        method, path = (row.call or row.route).split(" ")
        names = self.names[caller]
        sent = {"origin": str(self.http.base_url)} | row.headers | headers
        if row.with_key and caller in self.keys:
            sent["x-api-key"] = self.keys[caller]
        elif caller in self.sessions:
            sent["cookie"] = f"daypass_session={self.sessions[caller]}"
        elif caller in self.tokens:
            # As a program sends it: without an origin.
            sent = row.headers | {"authorization": f"Bearer {self.tokens[caller]}"} | headers
        body = row.body and {name: filled(value, names) for name, value in row.body.items()}
        sent = {name: value for name, value in sent.items() if value}
        path = path.format_map(names)
        async with self.http.stream(
            method, path, json=body, content=row.file, headers=sent
        ) as answer:
            if "text/event-stream" not in answer.headers.get("content-type", ""):
                await answer.aread()
        return answer


def filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        # Chat messages contain objects without placeholders.
        return [filled(item, names) for item in value]
    return value.format_map(names) if isinstance(value, str) else value


_numbers = itertools.count(1)


@asynccontextmanager
async def new_world(site: Server, password_hash: str) -> AsyncIterator[World]:
    """Return fresh data, because a call may have changed the previous data."""
    database = Database(f"sqlite:///{site.data_dir}/daypass.db")
    # `verify` avoids reading certificates from disk each time.
    http = httpx.AsyncClient(base_url=site.url, timeout=30, verify=False)
    world, number, now = World(http), next(_numbers), 1_800_000_000
    emails = {caller: f"{caller}{number}@example.org" for caller in CALLERS[1:]}
    owned: dict[str, dict[str, str]] = {}
    signer = Signer((SECRET_KEY,), time.time)
    async with database.write(START_S) as session:
        plan_id = f"stored-{number}"
        columns = {"name": "Stored", "description": "", "terms": {"requests_per_day": 5}}
        await usage_plans.create(session, plan_id, columns, now)
        await site_settings.change(session, {"site_requests_per_day": None}, now)
        await site_logo.replace(session, LOGO)
        invitation, token = await invitations.create(session, "", now, 10**9)
        await outbox.add(session, "has-account", f"refused{number}@example.org", None, 1)
        mail = await outbox.claim(session, 1)
        assert mail is not None
        mail.created_at = int(time.time())  # Old ones are removed whenever a mail is sent.
        await outbox.give_up(session, mail, "no such mailbox")
        await session.execute(delete(StoredUpstream))
        terms = UpstreamTerms(name=f"mine-{number}", base_url="http://127.0.0.1:1/v1")
        upstream = await upstreams.create(session, terms, None, KeySealer((SECRET_KEY,)), now)
        for caller, email in emails.items():
            account = await accounts.create(session, email, password_hash, now, confirmed=True)
            account.role = accounts.OPERATOR if caller == "operator" else accounts.MEMBER
            account.disabled_at = now if caller == "disabled" else None
            minted = mint()
            key = await api_keys.create(
                session, account.id, minted, name="k", usage_plan_id="30RequestPerDay",
                max_keys=3, now=now,
            )  # fmt: skip
            claimed = await accounts.create(session, f"unproven-{email}", password_hash, now)
            claimed.disabled_at = account.disabled_at
            reset = [account.id, digest(password_hash)]
            owned[caller] = {
                "account_id": account.id,
                "api_key_id": key.id,
                "secret": minted.secret,
                "confirmation": signer.sign("address", [claimed.id, claimed.email], 60),
                "password_reset": signer.sign("password reset", reset, 60),
            }
            world.keys[caller] = minted.secret
            world.sessions[caller] = await accounts.open_session(session, account.id, now, 10**9)
        token_id = ""
        for scope in SCOPES:
            made, secret = await admin_tokens.create(
                session, owned["operator"]["account_id"], name="t", scopes=[scope], now=now,
                expires_at=now + 10**9,
            )  # fmt: skip
            world.tokens[f"token {scope}"], token_id = secret, made.id
    for caller in (*CALLERS, *world.tokens):
        world.names[caller] = owned["disabled" if caller == "disabled" else "account"] | {
            "email": emails.get(caller, emails["account"]),
            "number": str(number),
            "plan_id": plan_id,
            "invitation_id": invitation.id,
            "invitation": token,
            "mail_id": mail.id,
            "upstream_id": upstream.id,
            "token_id": token_id,
        }
    async with http:
        yield world
    await database.close()


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.call or row.route}" for row in ROWS])
async def test_each_caller_gets_the_status_in_the_table(
    site: Server, password_hash: str, row: Row
) -> None:
    got = {}
    for caller in CALLERS:
        async with new_world(site, password_hash) as world:
            got[caller] = (await world.call(row, caller)).status_code
    assert got == dict(zip(CALLERS, row.statuses, strict=True))


OPERATOR_ROWS = [row for row in ROWS if " /api/operator/" in row.route]
NOT_OPERATOR_ROWS = [
    row for row in ROWS if 401 in row.statuses and row not in OPERATOR_ROWS and not row.with_key
]


def scope_of(row: Row) -> str | None:
    """The scope that a token needs for a call. None: none suffices."""
    if row.route.startswith("GET "):
        return "read"
    return WRITE_SCOPES[row.route.split("/")[3]]


async def test_each_admin_token_is_limited_to_its_scopes(site: Server, password_hash: str) -> None:
    async with new_world(site, password_hash) as world:
        for row, scope in itertools.product(OPERATOR_ROWS, SCOPES):
            if scope != scope_of(row):
                refused = await world.call(row, f"token {scope}")
                assert refused.status_code == 403, (row, scope)
                wanted = f"scope '{scope_of(row)}'" if scope_of(row) else "Sign in as an operator"
                assert wanted in refused.json()["detail"], (row, scope)
        # Only operators' routes know tokens.
        for row in NOT_OPERATOR_ROWS:
            assert (await world.call(row, "token read")).status_code in (401, 403), row
    for row in OPERATOR_ROWS:
        if needed := scope_of(row):
            async with new_world(site, password_hash) as world:
                answer = await world.call(row, f"token {needed}")
                assert answer.status_code == row.statuses[3], (row, answer.text)


def test_the_admin_api_page_lists_the_scope_of_every_noun() -> None:
    """A route that no scope covers is listed too, so that this is a decision."""
    page = (Path(__file__).parents[2] / "docs" / "admin-api.md").read_text()
    listed = {
        noun: None if scope == "signed-in operator" else scope.strip("`")
        for noun, scope in re.findall(r"^\| `([a-z-]+)` \| (\S.*?) \|", page, re.MULTILINE)
    }
    changed = {row.route.split("/")[3] for row in OPERATOR_ROWS if row.route[:4] != "GET "}
    assert listed == WRITE_SCOPES
    assert changed == set(WRITE_SCOPES)


async def test_cross_site_requests_change_nothing(site: Server, password_hash: str) -> None:
    """Cross-site request forgery: OWASP's Origin and Fetch Metadata checks."""
    changing = [
        row for row in ROWS if " /api/" in row.route and not row.route.startswith(("GET ", "* "))
    ]
    assert len(changing) > 15
    forged = [{"origin": "https://evil.example"}, {"origin": "null"}]
    # A call with neither header is not from a browser, unless it has a cookie.
    unsaid = [{"origin": ""}, {"origin": "", "sec-fetch-site": "cross-site"}]
    async with new_world(site, password_hash) as world:
        for row in changing:
            for caller in CALLERS:
                for headers in forged + (unsaid if caller != "nobody" else unsaid[1:]):
                    answer = await world.call(row, caller, **headers)
                    assert answer.status_code == 403, (row.route, caller, headers)
                    assert "did not come from this site" in answer.json()["detail"]
        # None of the calls had an effect.
        keys = await world.call(Row("GET /api/api-keys", ()), "account")
        assert [key["name"] for key in keys.json()] == ["k"]
        assert (await world.call(Row("GET /api/session", ()), "other")).status_code == 200


@pytest.fixture
def without_audit_log(site: Server) -> Iterator[sqlite3.Connection]:
    """The site's database, with an audit log that accepts no more entries."""
    path = site.data_dir / "daypass.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON audit_entry "
            "BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
        yield connection
        connection.execute("DROP TRIGGER full")


CHANGE_NOTHING = ("POST /api/operator/upstreams/test",)
"""Routes with a body that only look."""

CHANGED_BY_OPERATORS = (
    "account", "admin_token", "api_key", "api_key_secret", "invitation", "mail", "session",
    "site_logo", "site_setting", "usage_plan",
)  # fmt: skip


async def test_an_operator_action_without_its_audit_entry_is_rolled_back(
    site: Server, password_hash: str, without_audit_log: sqlite3.Connection
) -> None:
    changing = [
        row
        for row in ROWS
        if "/operator/" in row.route and not row.route.startswith(("GET ", *CHANGE_NOTHING))
    ]
    changing.append(Row("PATCH /api/operator/people/{account_id}", (), {"role": "operator"}))
    assert {row.route for row in changing} == {
        route
        for route in live_routes()
        if "/operator/" in route and not route.startswith(("GET ", *CHANGE_NOTHING))
    }

    def kept() -> list[list[object]]:
        return [
            without_audit_log.execute(f"SELECT * FROM {table}").fetchall()
            for table in CHANGED_BY_OPERATORS
        ]

    async with new_world(site, password_hash) as world:
        before = kept()
        for row in changing:
            answer = await world.call(row, "operator")
            assert answer.status_code >= 500, row
            assert kept() == before, row

"""Single sign-on with a real provider that validates requests."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from daypass.portal.identity.github import GitHub
from daypass.portal.identity.provider import Handshake, Identity, IdentityError
from daypass.portal.identity.registration import Registration
from tests.conftest import PASSWORD, Server, daypass, start_public
from tests.support.mailbox import Mailbox, token_of
from tests.support.oidc import CLIENT_ID, CLIENT_SECRET, OidcProvider, parameters
from tests.support.portal import problem

Start = Callable[..., Server]


@pytest.fixture
def start_with(oidc: OidcProvider, tmp_path: Path) -> Any:
    """A function that starts a server with single sign-on by `oidc`."""
    servers: list[Server] = []

    def starter(**settings: str) -> Server:
        server = start_public(tmp_path, **oidc.settings | settings)
        oidc.redirect_uri = f"{server.url}/api/session/oidc/callback"
        servers.append(server)
        return server

    yield starter
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def site(oidc_server: OidcProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with single sign-on by `oidc` and an operator."""
    server = start_public(tmp_path_factory.mktemp("identity"), **oidc_server.settings)
    server.sign_up()
    yield server
    server.stop()


def depart(http: httpx.Client, **departure: str) -> str:
    """Start sign-in at the provider; return the address to which it redirects the browser."""
    left = http.post("/api/session/oidc", json=departure)
    assert left.status_code == 200, left.text
    return httpx.get(left.json()["url"]).headers["location"]


def arrive(http: httpx.Client, address: str) -> str:
    """Return to the site. Returns the final page."""
    response = http.get(address)
    assert response.status_code == 303
    location: str = response.headers["location"]
    return location


def sign_in(http: httpx.Client, **departure: str) -> str:
    return arrive(http, depart(http, **departure))


def refused(reason: str) -> str:
    return f"/sign-in/?problem={reason}"


def test_a_new_user_gets_an_account_and_can_return_to_it(oidc: OidcProvider, site: Server) -> None:
    answered = site.client().get("/api/site").json()
    assert (answered["sign_in_with"], answered["mail"]) == ("Lighthouse", False)
    browser = site.client()
    assert sign_in(browser, next="/chat/") == "/chat/"
    account = browser.get("/api/session").json()
    assert (account["email"], account["role"]) == (oidc.email, "member")
    assert (account["email_confirmed"], account["has_password"]) == (True, False)
    oidc.email = "renamed@example.org"
    other = site.client()
    assert sign_in(other) == "/keys/"
    assert other.get("/api/session").json()["id"] == account["id"]
    # An account without a password accepts no password, not even an empty one.
    body = {"email": account["email"], "password": " "}
    assert problem(site.client().post("/api/session", json=body)) == 401
    assert "daypass_oidc" not in dict(browser.cookies)


def test_the_authorization_request_has_pkce_state_and_nonce(site: Server) -> None:
    asked = [
        parameters(site.client().post("/api/session/oidc", json={}).json()["url"]) for _ in range(2)
    ]
    assert asked[0]["redirect_uri"] == f"{site.url}/api/session/oidc/callback"
    assert asked[0]["scope"] == "openid email"
    assert asked[0]["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[0][name]) >= 43
        assert asked[0][name] != asked[1][name]


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"nonce": "another"}, "token"),
        ({"nonce": None}, "token"),
        ({"aud": "another-client"}, "token"),
        ({"aud": ["another-client", "a-third"]}, "token"),
        ({"azp": "another-client"}, "token"),
        ({"iss": "https://evil.example"}, "token"),
        ({"exp": int(time.time()) - 3600}, "token"),
        ({"exp": None}, "token"),
        ({"iat": int(time.time()) + 3600}, "token"),
        ({"sub": None}, "token"),
        ({"sub": "x" * 256}, "token"),
        ({"email_verified": False}, "unverified"),
        ({"email_verified": "true"}, "unverified"),
        ({"email_verified": None}, "unverified"),
    ],
)
def test_an_invalid_id_token_is_rejected(
    oidc: OidcProvider, site: Server, claims: dict[str, Any], reason: str
) -> None:
    oidc.claims = claims
    browser = site.client()
    assert sign_in(browser) == refused(reason)
    assert browser.get("/api/session").status_code == 401


def test_an_address_from_userinfo_requires_the_same_subject(
    oidc: OidcProvider, site: Server
) -> None:
    oidc.claims = {"email": None, "email_verified": None}
    oidc.userinfo = {"sub": "somebody-else", "email": oidc.email, "email_verified": True}
    assert sign_in(site.client()) == refused("token")
    oidc.userinfo["sub"] = oidc.subject
    browser = site.client()
    assert sign_in(browser) == "/keys/"
    assert browser.get("/api/session").json()["email"] == oidc.email


@pytest.mark.parametrize("email", ["no address", "a@b.org\nx: y", "x" * 400 + "@example.org"])
def test_an_invalid_address_does_not_create_an_account(
    oidc: OidcProvider, site: Server, email: str
) -> None:
    oidc.email = email
    assert sign_in(site.client()) == refused("unverified")


def test_a_forged_signature_is_rejected(oidc: OidcProvider, site: Server) -> None:
    oidc.forged = True
    assert sign_in(site.client()) == refused("token")


def test_sign_in_completes_once_and_only_in_the_browser_that_started_it(
    oidc: OidcProvider, site: Server
) -> None:
    browser, other = site.client(), site.client()
    address = depart(browser)
    assert arrive(site.client(), address) == refused("state")
    depart(other)
    assert arrive(other, address) == refused("state")
    state = parameters(address)["state"]
    depart(browser)
    assert arrive(browser, address) == refused("state")
    assert state not in site.log()
    again = depart(browser)
    kept = dict(browser.cookies)
    assert arrive(browser, again) == "/keys/"
    # The provider accepts a code only once, in case it has leaked.
    assert arrive(site.client(cookies=kept), again) == refused("provider")
    no_code = depart(browser).partition("&code=")[0]
    assert arrive(browser, no_code) == refused("provider")


def test_a_provider_error_is_shown(oidc: OidcProvider, site: Server) -> None:
    oidc.error = "access_denied"
    assert sign_in(site.client()) == refused("cancelled")
    oidc.error = "server_error"
    assert sign_in(site.client()) == refused("provider")
    oidc.error = ""
    browser = site.client()
    address = depart(browser)
    oidc.down = True
    assert arrive(browser, address) == refused("provider")
    assert problem(site.client().post("/api/session/oidc", json={})) == 502
    found = daypass("doctor", **site.settings)
    assert "FAIL sign-in with Lighthouse" in found.stdout


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example/", "/\\evil.example", "x"]
)
def test_the_return_address_must_be_on_this_site(site: Server, path: str) -> None:
    answer = site.client().post("/api/session/oidc", json={"next": path})
    assert problem(answer, "next") == 422


def test_an_unconfirmed_account_is_not_handed_over(oidc: OidcProvider, site: Server) -> None:
    squatter = site.client()
    body = {"email": oidc.email, "password": PASSWORD}
    assert squatter.post("/api/accounts", json=body).status_code == 201
    assert sign_in(site.client()) == refused("email_taken")
    # The owner proves both: the password in this browser, the address at the provider.
    assert sign_in(squatter, next="/account/") == "/account/"
    assert squatter.get("/api/session").json()["email_confirmed"] is True
    elsewhere = site.client()
    assert sign_in(elsewhere) == "/keys/"
    assert elsewhere.get("/api/session").json()["has_password"] is True


def test_a_confirmed_account_is_linked(
    oidc: OidcProvider, start_with: Start, mailbox: Mailbox
) -> None:
    server = start_with(**mailbox.settings)
    first = server.client()
    body = {"email": oidc.email, "password": PASSWORD}
    assert first.post("/api/accounts", json=body).status_code == 202
    link = {"token": token_of(mailbox.take(oidc.email)), "password": PASSWORD}
    assert first.put("/api/confirmations", json=link).status_code == 200
    account = first.get("/api/session").json()
    browser = server.client()
    assert sign_in(browser) == "/keys/"
    assert browser.get("/api/session").json()["id"] == account["id"]


def test_sign_up_rules_apply_to_provider_accounts(oidc: OidcProvider, start_with: Start) -> None:
    server = start_with(DAYPASS_SIGN_UP="invite", DAYPASS_ALLOWED_EMAIL_DOMAINS="example.org")
    assert sign_in(server.client()) == refused("not_invited")  # even as the first account
    operator = server.set_up().http
    token = operator.post("/api/operator/invitations", json={}).json()["token"]
    oidc.reset()
    for invitation in ("", "x"):
        assert sign_in(server.client(), invitation=invitation) == refused("not_invited")
    oidc.email = "somebody@elsewhere.example"
    assert sign_in(server.client(), invitation=token) == refused("domain")
    oidc.reset()
    assert sign_in(server.client(), invitation=token) == "/keys/"
    oidc.reset()
    assert sign_in(server.client(), invitation=token) == refused("not_invited")
    server.stop()
    fresh = start_with(DAYPASS_SIGN_UP="closed", DAYPASS_DATA_DIR=f"{server.data_dir}-new")
    assert sign_in(fresh.client()) == refused("closed")
    fresh.stop()
    closed = start_with(DAYPASS_SIGN_UP="closed")
    assert sign_in(closed.client()) == refused("closed")


def test_a_disabled_account_cannot_sign_in_with_a_provider(
    oidc: OidcProvider, site: Server
) -> None:
    assert sign_in(site.client()) == "/keys/"
    assert daypass("accounts", "disable", oidc.email, **site.settings).returncode == 0
    assert sign_in(site.client()) == refused("disabled")


def test_an_account_without_a_password_is_deleted_right_after_signing_in(
    start_with: Start,
) -> None:
    server = start_with()
    server.sign_up()
    browser = server.client()
    sign_in(browser)
    kept = dict(browser.cookies)
    server.stop()
    later = start_with(DAYPASS_TESTING="1", DAYPASS_CLOCK_OFFSET_S="601")
    old = later.client(cookies=kept)
    assert problem(old.post("/api/account/deletion", json={})) == 403
    fresh = later.client()
    sign_in(fresh)
    assert fresh.post("/api/account/deletion", json={}).status_code == 204


def test_doctor_checks_mail_and_the_provider(
    oidc: OidcProvider, mailbox: Mailbox, tmp_path: Path
) -> None:
    settings = {"DAYPASS_PUBLIC_URL": "https://keys.example.org", "DAYPASS_DATA_DIR": str(tmp_path)}
    found = daypass("doctor", **settings, **oidc.settings, **mailbox.settings).stdout
    assert f"ok   sign-in with Lighthouse: {oidc.url}" in found
    assert "ok   mail: 127.0.0.1 takes mail" in found
    assert "DAYPASS_TRUSTED_PROXIES" in found


def test_without_a_provider_its_routes_are_disabled(demo: Server) -> None:
    assert problem(demo.client().post("/api/session/oidc", json={})) == 409
    assert demo.client().get("/api/site").json()["sign_in_with"] is None
    back = demo.client().get("/api/session/oidc/callback?state=x&code=y")
    assert back.headers["location"] == refused("state")


async def come_back_from_github(oidc: OidcProvider) -> Identity:
    registration = Registration(CLIENT_ID, CLIENT_SECRET, "http://127.0.0.1/callback")
    github = GitHub(registration, site=oidc.url, api=f"{oidc.url}/api")
    handshake = Handshake.new()
    there = await github.address(handshake)
    assert parameters(there)["scope"] == "read:user user:email"
    back = parameters(httpx.get(there).headers["location"])
    assert back["state"] == handshake.state
    return await github.identify(back["code"], handshake)


async def test_the_primary_github_address_is_used_if_verified(oidc: OidcProvider) -> None:
    second = {"email": "second@example.org", "primary": False, "verified": True}
    oidc.emails = [second, {"email": "first@example.org", "primary": True, "verified": True}]
    assert await come_back_from_github(oidc) == Identity(oidc.url, "583231", "first@example.org")
    oidc.emails = [second, {"email": "first@example.org", "primary": True, "verified": False}]
    assert (await come_back_from_github(oidc)).email is None


async def test_github_checks_pkce(oidc: OidcProvider) -> None:
    registration = Registration(CLIENT_ID, CLIENT_SECRET, "http://127.0.0.1/callback")
    github = GitHub(registration, site=oidc.url, api=f"{oidc.url}/api")
    handshake = Handshake.new()
    back = parameters(httpx.get(await github.address(handshake)).headers["location"])
    with pytest.raises(IdentityError):
        await github.identify(back["code"], Handshake.new())

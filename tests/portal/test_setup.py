"""The operator of a new site is whoever has the set-up link, not the first to sign up."""

import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx2 as httpx
import pytest

from tests.conftest import PASSWORD, Person, Server, StartServer, daypass
from tests.support.portal import problem
from tests.support.postgres import Postgres
from tests.support.upstream import FakeUpstream

LINK = re.compile(r"(http://\S+)/setup/#(\w{32,})$", re.MULTILINE)
USED = "already has an operator"


def set_up(site: Server, token: str, email: str = "ada@example.org") -> httpx.Response:
    new = {"token": token, "email": email, "password": PASSWORD}
    return site.client().post("/api/setup", json=new)


def sign_up(site: Server, **headers: str) -> httpx.Response:
    email = f"{uuid4().hex}@example.org"
    body = {"email": email, "password": PASSWORD}
    return site.client(headers=headers).post("/api/accounts", json=body)


@pytest.fixture
def site(start: StartServer, upstream: FakeUpstream) -> Server:
    """A new site with an upstream."""
    return start(DAYPASS_UPSTREAM_BASE_URL=upstream.base_url)


def test_the_setup_link_creates_one_signed_in_operator(site: Server) -> None:
    address, token = LINK.findall(site.log())[0]
    assert address == site.url
    assert site.log().count("/setup/#") == 1
    assert site.client().get("/api/site").json()["has_operator"] is False
    assert problem(set_up(site, "made-up")) == 403
    http = site.client()
    easy = {"token": token, "email": "ada@example.org", "password": "password1234"}
    assert problem(http.post("/api/setup", json=easy), "password") == 422
    response = http.post("/api/setup", json=easy | {"password": PASSWORD})
    assert response.status_code == 201
    assert response.json()["role"] == http.get("/api/session").json()["role"] == "operator"
    assert http.get("/api/operator/people").json()["total"] == 1
    assert http.get("/api/operator/audit-log").json()[0]["action"] == "site set up"
    assert site.client().get("/api/site").json()["has_operator"] is True
    again = set_up(site, token, "eve@example.org")
    assert problem(again) == 403
    assert USED in again.json()["detail"]


@pytest.mark.parametrize("mode", [{}, {"DAYPASS_SIGN_UP": "closed"}, {"DAYPASS_SIGN_UP": "invite"}])
def test_the_first_sign_up_is_a_member_if_sign_up_is_open(
    start: StartServer, upstream: FakeUpstream, mode: dict[str, str]
) -> None:
    site = start(DAYPASS_UPSTREAM_BASE_URL=upstream.base_url, **mode)
    response = sign_up(site)
    if mode:
        assert problem(response) == 403
    else:
        assert (response.status_code, response.json()["role"]) == (201, "member")
    assert site.client().get("/api/site").json()["has_operator"] is False
    assert set_up(site, site.setup_token()).json()["role"] == "operator"


def test_allowed_domains_apply_to_the_first_account(
    start: StartServer, upstream: FakeUpstream
) -> None:
    site = start(
        DAYPASS_UPSTREAM_BASE_URL=upstream.base_url, DAYPASS_ALLOWED_EMAIL_DOMAINS="school.example"
    )
    assert problem(sign_up(site), "email") == 403
    # Does not apply to the operator, who has the link.
    assert set_up(site, site.setup_token()).status_code == 201


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(
    request: pytest.FixtureRequest, start: StartServer, upstream: FakeUpstream
) -> Iterator[Server]:
    """A new site with two workers, on each database."""
    settings = {"DAYPASS_UPSTREAM_BASE_URL": upstream.base_url}
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres_server")
        settings["DAYPASS_DATABASE_URL"] = postgres.create_database(f"test_{uuid4().hex}")
    yield start("--workers", "2", **settings)


def operators_of(site: Server) -> int:
    return daypass("accounts", "list", "--json", **site.settings).stdout.count('"operator"')


def race(site: Server, tokens: dict[str, str]) -> None:
    """Use many set-up tokens at once, each for an address, and check that one operator results."""
    with ThreadPoolExecutor(len(tokens)) as pool:
        answers = list(pool.map(lambda email: set_up(site, tokens[email], email), tokens))
    statuses = [answer.status_code for answer in answers]
    # A busy machine's database may not answer in time.
    assert set(statuses) <= {201, 403, 503}
    assert statuses.count(201) <= 1
    assert operators_of(site) == 1


def test_a_setup_link_used_concurrently_creates_one_operator(shared: Server) -> None:
    token = shared.setup_token()
    race(shared, {f"person{number}@example.org": token for number in range(6)})


def test_two_setup_links_used_concurrently_create_one_operator(shared: Server) -> None:
    made = daypass("setup-link", **shared.settings)
    ((_, second),) = LINK.findall(made.stdout)
    race(shared, {"ada@example.org": shared.setup_token(), "eve@example.org": second})


def test_two_operators_cannot_both_delete_their_accounts(shared: Server) -> None:
    first, second = shared.set_up(), shared.sign_up()
    assert daypass("accounts", "promote", second.email, **shared.settings).returncode == 0
    credentials = {"email": second.email, "password": PASSWORD}
    assert second.http.post("/api/session", json=credentials).json()["role"] == "operator"

    def leave(person: Person) -> int:
        answer = person.http.post("/api/account/deletion", json={"password": PASSWORD})
        return int(answer.status_code)

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(leave, (first, second))) <= {204, 409, 503}
    assert operators_of(shared) >= 1


def test_the_command_prints_a_link_until_there_is_an_operator(site: Server) -> None:
    ended = daypass("setup-link", "--port", "1234", **site.settings)
    ((address, token),) = LINK.findall(ended.stdout)
    assert address == "http://127.0.0.1:1234"
    as_json = daypass("setup-link", "--json", **site.settings)
    assert LINK.fullmatch(json.loads(as_json.stdout)["url"])
    assert set_up(site, token).status_code == 201
    # The link that the server printed is invalid too.
    assert USED in set_up(site, site.setup_token(), "eve@example.org").json()["detail"]
    refused = daypass("setup-link", **site.settings)
    assert refused.returncode == 2
    assert refused.stderr.startswith("daypass: there is an operator already")
    assert refused.stderr.count("\n") == 1


def test_a_promotion_invalidates_the_setup_link(site: Server) -> None:
    token = site.setup_token()
    person = site.sign_up()
    assert daypass("accounts", "promote", person.email, **site.settings).returncode == 0
    assert problem(set_up(site, token)) == 403
    # Permanently, even after the operator is deleted.
    assert daypass("accounts", "disable", person.email, **site.settings).returncode == 0
    assert "is not valid" in set_up(site, token).json()["detail"]


def test_a_site_with_a_disabled_operator_gets_a_link_only_by_command(
    site: Server, start: StartServer
) -> None:
    operator = site.set_up()
    assert daypass("accounts", "disable", operator.email, **site.settings).returncode == 0
    site.stop()
    later = start(**site.settings)
    assert "/setup/#" not in later.log()
    assert sign_up(later).json()["role"] == "member"
    ((_, token),) = LINK.findall(daypass("setup-link", **site.settings).stdout)
    assert set_up(later, token).status_code == 201


def test_set_up_with_a_taken_address_names_the_promote_command(site: Server) -> None:
    person = site.sign_up()
    # The holder of the link is not throttled.
    for _ in range(12):
        taken = set_up(site, site.setup_token(), person.email)
        assert problem(taken, "email") == 409
    assert f"daypass accounts promote {person.email}" in taken.json()["detail"]


def test_setup_token_guesses_are_throttled(site: Server) -> None:
    statuses = [set_up(site, f"made-up-{number}").status_code for number in range(12)]
    assert statuses == [403] * 10 + [429] * 2
    # Strangers behind the same proxy cannot keep the operator out.
    assert set_up(site, site.setup_token()).status_code == 201


def test_the_first_local_account_of_a_demo_is_the_operator(
    start: StartServer,
) -> None:
    site = start()
    assert site.client().get("/api/site").json()["first_sign_up_operates"] is True
    # Requests through a proxy or with another host name are not local.
    for name, value in (
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("via", "1.1 proxy"),
        ("x-real-ip", "127.0.0.1"),
        ("cf-connecting-ip", "203.0.113.1"),
    ):
        described = site.client(headers={name: value}).get("/api/site").json()
        assert described["first_sign_up_operates"] is False, name
    rebound = site.client(headers={"host": "evil.example"}).get("/api/site").json()
    assert rebound["first_sign_up_operates"] is False
    assert sign_up(site).json()["role"] == "operator"
    assert sign_up(site).json()["role"] == "member"
    assert site.client().get("/api/site").json()["first_sign_up_operates"] is False
    assert USED in set_up(site, site.setup_token()).json()["detail"]


def test_the_first_account_of_a_demo_behind_a_proxy_is_a_member(
    start: StartServer,
) -> None:
    site = start()
    assert sign_up(site, **{"x-forwarded-for": "203.0.113.7"}).json()["role"] == "member"
    assert sign_up(site).json()["role"] == "member"


def test_the_first_account_of_a_demo_on_a_public_address_is_a_member(start: StartServer) -> None:
    """With the demo model, a connection to an address other than loopback is not local."""
    site = start("--host", "0.0.0.0")
    # The link names an address that browsers open.
    assert f" at {site.url}/setup/#" in site.log()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # Sends nothing: finds this machine's own address.
        own: str = probe.getsockname()[0]
    if own.startswith("127."):
        pytest.fail("this machine has no address but loopback")
    port = site.url.rpartition(":")[2]
    elsewhere = f"http://{own}:{port}"
    for host in (site.url, elsewhere):  # The client chooses the Host header.
        body = {"email": f"{uuid4().hex}@example.org", "password": PASSWORD}
        headers = {"origin": host, "host": host.removeprefix("http://")}
        described = httpx.get(f"{elsewhere}/api/site", headers=headers).json()
        assert described["first_sign_up_operates"] is False
        answer = httpx.post(f"{elsewhere}/api/accounts", json=body, headers=headers)
        assert answer.json()["role"] == "member"

"""A person's page for operators, and reset links by operators."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import pytest

from daypass.portal.password_resets import LINK_LIFETIME_S, _read, link_to_hand_over
from daypass.portal.problems import ProblemError
from daypass.portal.signer import Signer
from daypass.records.tables import Account
from tests.conftest import PASSWORD, Person, Server, start_server
from tests.support.outputs import OUTPUTS
from tests.support.portal import CHAT, problem
from tests.support.postgres import Postgres
from tests.support.waiting import until

NEW = "planted-password of another day"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A site of two processes that sends no mail, with each database."""
    settings = {}
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres_server")
        settings["DAYPASS_DATABASE_URL"] = postgres.create_database(f"test_{uuid4().hex}")
    server = start_server(tmp_path_factory.mktemp("person"), "--workers", "2", **settings)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def operator(site: Server) -> Person:
    return site.set_up()


def path_of(operator: Person, person: Person) -> str:
    people = operator.http.get("/api/operator/people", params={"search": person.email})
    (found,) = people.json()["people"]
    return f"/api/operator/people/{found['id']}"


def create_link(operator: Person, path: str) -> str:
    """Create a reset link, and return its token."""
    created = operator.http.post(f"{path}/password-reset")
    assert created.status_code == 201, created.text
    site = str(operator.http.base_url).rstrip("/")
    (token,) = re.findall(rf"^{site}/reset-password/#token=(.+)$", created.json()["url"])
    OUTPUTS.plant(token)
    return str(token)


def choose(site: Server, token: str, password: str = NEW) -> httpx.Response:
    body = {"token": token, "password": password}
    return site.client().put("/api/password-resets", json=body)


def sign_in(person: Person, password: str = PASSWORD) -> int:
    body = {"email": person.email, "password": password}
    return person.http.post("/api/session", json=body).status_code


def test_the_page_shows_all_that_belongs_to_a_person(site: Server, operator: Person) -> None:
    person = site.sign_up()
    key, deleted = person.create_key(name="laptop"), person.create_key(name="old")
    for each in (key, deleted):
        answer = site.gateway(each["key"]).post("/v1/chat/completions", json=CHAT)
        assert answer.status_code == 200
    operator.http.patch(
        f"/api/operator/api-keys/{key['id']}", json={"usage_plan_id": "20RequestPerDay"}
    )
    operator.http.delete(f"/api/operator/api-keys/{deleted['id']}")
    path = path_of(operator, person)
    # Each process writes its usage within a second.
    until(lambda: len(operator.http.get(path).json()["requests"]) == 2)
    shown: dict[str, Any] = operator.http.get(path).json()
    assert (shown["email"], shown["role"], shown["disabled_at"]) == (person.email, "member", None)
    assert shown["sessions"]["browsers"] == 1
    assert shown["sessions"]["last_opened_at"] >= shown["created_at"]
    (shown_key,) = shown["keys"]
    assert (shown_key["name"], shown_key["usage_plan_id"]) == ("laptop", "20RequestPerDay")
    assert f"{shown_key['prefix']}…{shown_key['last4']}" == f"{key['prefix']}…{key['last4']}"
    assert shown_key["last_used_at"]
    own = {(x["subject"], x["window"]): x["used"] for x in shown_key["limits"]}
    assert own == {("key", "day"): 1, ("account", "day"): 2}
    assert [(x["subject"], x["limit"], x["used"]) for x in shown["limits"]] == [("account", 30, 2)]
    assert (shown["usage_today"]["requests"], shown["usage_today"]["refused"]) == (2, 0)
    assert shown["usage_today"]["tokens"] > 0
    assert {x["api_key_name"] for x in shown["requests"]} == {"old", "laptop"}
    assert [x["action"] for x in shown["audit_log"]] == ["key revoked", "key moved"]
    # The lists name the person, so that they can link to this page.
    log = operator.http.get("/api/operator/audit-log", params={"search": key["id"]}).json()
    assert [x["account_id"] for x in log] == [shown["id"]]
    active = operator.http.get("/api/operator/usage").json()["most_active"]
    assert (shown["id"], person.email) in {(x["account_id"], x["email"]) for x in active}


def test_a_person_without_keys_is_shown_with_ceilings(site: Server, operator: Person) -> None:
    shown = operator.http.get(path_of(operator, site.sign_up())).json()
    assert (shown["keys"], shown["requests"], shown["audit_log"]) == ([], [], [])
    assert [(x["subject"], x["limit"], x["used"]) for x in shown["limits"]] == [("account", 30, 0)]
    for answer in (
        operator.http.get("/api/operator/people/acc_1"),
        operator.http.post("/api/operator/people/acc_1/password-reset"),
        operator.http.post("/api/operator/people/acc_1/sign-out"),
    ):
        assert problem(answer) == 404


def test_a_reset_link_by_an_operator_works_once(site: Server, operator: Person) -> None:
    person = site.sign_up()
    key = person.create_key()["key"]
    path = path_of(operator, person)
    token, other = create_link(operator, path), create_link(operator, path)
    assert problem(choose(site, token, "password1234"), "password") == 422
    assert choose(site, token).status_code == 204
    assert person.http.get("/api/session").status_code == 401
    assert sign_in(person) == 401
    assert sign_in(person, NEW) == 200
    for used in (token, other):
        assert problem(choose(site, used, f"{NEW}, again")) == 403
    # It does not prove access to the mailbox, and revokes nothing.
    shown = operator.http.get(path).json()
    assert shown["email_confirmed"] is False
    assert site.gateway(key).get("/v1/key").status_code == 200
    assert [x["action"] for x in shown["audit_log"]] == ["password reset link created"] * 2
    assert {x["actor_email"] for x in shown["audit_log"]} == {operator.email}


def test_a_reset_link_is_invalid_after_a_password_change(site: Server, operator: Person) -> None:
    person = site.sign_up()
    token = create_link(operator, path_of(operator, person))
    change = {"current_password": PASSWORD, "new_password": NEW}
    assert person.http.put("/api/account/password", json=change).status_code == 204
    assert problem(choose(site, token)) == 403


def test_a_reset_link_by_an_operator_expires_after_a_day() -> None:
    now = 1_800_000_000.0
    signer = Signer(("k" * 40,), lambda: now)
    account = Account(id="acc_1", password_hash="hash")
    url = link_to_hand_over("https://example.org", signer, account, None)
    token = url.partition("#token=")[2]
    now += LINK_LIFETIME_S - 1
    assert _read(token, signer).was_mailed is False
    now += 1
    with pytest.raises(ProblemError):
        _read(token, signer)
    # Mailed links and links by operators are not interchangeable.
    assert signer.read("password reset", token) is None
    assert LINK_LIFETIME_S == 86_400


def test_operators_do_not_take_over_each_others_accounts(site: Server, operator: Person) -> None:
    person, other = site.sign_up(), site.sign_up()
    path, others_path = path_of(operator, person), path_of(operator, other)
    assert operator.http.patch(others_path, json={"role": "operator"}).status_code == 204
    assert sign_in(other) == 200
    refused = operator.http.post(f"{others_path}/password-reset")
    assert problem(refused) == 409
    assert f"daypass accounts reset-password {other.email}" in refused.json()["detail"]
    # Nor with a link from before this person became an operator.
    token = create_link(other, path)
    assert operator.http.patch(path, json={"role": "operator"}).status_code == 204
    assert problem(choose(site, token)) == 403
    assert operator.http.patch(path, json={"role": "member"}).status_code == 204
    # A link does not outlive the rights of the operator who created it.
    assert operator.http.patch(others_path, json={"disabled": True}).status_code == 204
    assert problem(choose(site, token)) == 403
    assert operator.http.patch(others_path, json={"disabled": False}).status_code == 204
    assert choose(site, token).status_code == 204
    # One's own password can be reset too, and this is in the audit log.
    own = create_link(operator, path_of(operator, operator))
    assert choose(site, own, PASSWORD).status_code == 204
    assert sign_in(operator) == 200
    # A disabled person cannot sign in with it.
    assert operator.http.patch(path, json={"disabled": True}).status_code == 204
    assert problem(operator.http.post(f"{path}/password-reset")) == 409


def test_a_person_is_signed_out(site: Server, operator: Person) -> None:
    person = site.sign_up()
    key = person.create_key()["key"]
    path = path_of(operator, person)
    assert sign_in(Person(site.client(), person.email)) == 200
    assert operator.http.get(path).json()["sessions"]["browsers"] == 2
    assert operator.http.post(f"{path}/sign-out").status_code == 204
    assert person.http.get("/api/session").status_code == 401
    shown = operator.http.get(path).json()
    assert shown["sessions"] == {"browsers": 0, "last_opened_at": None}
    assert shown["audit_log"][0]["action"] == "account signed out"
    assert site.gateway(key).get("/v1/key").status_code == 200

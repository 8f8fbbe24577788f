"""Terms: new accounts accept them, and every account accepts a new version."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import pytest

from tests.conftest import PASSWORD, Person, Server, start_public
from tests.portal.test_identity import sign_in
from tests.support.mailbox import Mailbox, token_of
from tests.support.oidc import OidcProvider
from tests.support.outputs import OUTPUTS
from tests.support.portal import problem

FIRST = {"text": "Be kind.", "version": "2026-11"}
SECOND = {"text": "Be kind and brief.", "version": "2026-12"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_public(tmp_path_factory.mktemp("terms"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def operator(site: Server) -> Person:
    return site.set_up()


@pytest.fixture(autouse=True)
def without_terms(operator: Person) -> Iterator[None]:
    yield
    set_terms(operator, None)


def set_terms(operator: Person, terms: dict[str, str] | None) -> None:
    changed = operator.http.patch("/api/operator/settings", json={"terms": terms})
    assert changed.status_code == 200, changed.text


def sign_up(site: Server, **more: Any) -> httpx.Response:
    body = {"email": f"{uuid4().hex}@example.org", "password": PASSWORD}
    made = site.client().post("/api/accounts", json=body | more)
    OUTPUTS.plant(*made.cookies.values())
    return made


def signed_up(site: Server, **more: Any) -> Person:
    made = sign_up(site, **more)
    assert made.status_code == 201, made.text
    return Person(site.client(cookies=dict(made.cookies)), made.json()["email"])


def stored(site: Server, person: Person) -> tuple[Any, ...]:
    with closing(sqlite3.connect(site.data_dir / "daypass.db")) as connection:
        found: tuple[Any, ...] = connection.execute(
            "SELECT accepted_terms, terms_accepted_at FROM account WHERE email = ?", (person.email,)
        ).fetchone()
    return found


def test_sign_up_requires_the_current_version_of_the_terms(site: Server, operator: Person) -> None:
    set_terms(operator, FIRST)
    assert site.client().get("/api/site").json()["terms"] == FIRST
    for accepted in ({}, {"accepted_terms": None}, {"accepted_terms": "2026-10"}):
        refused = sign_up(site, **accepted)
        assert problem(refused, "accepted_terms") == 422
        assert "version 2026-11" in refused.json()["detail"]
        assert not refused.cookies
    person = signed_up(site, accepted_terms="2026-11")
    version, at = stored(site, person)
    assert version == "2026-11"
    assert at == pytest.approx(time.time(), abs=60)
    assert person.http.get("/api/session").json()["accepted_terms"] == "2026-11"
    assert person.create_key()


def test_without_terms_nothing_is_recorded(site: Server) -> None:
    assert stored(site, signed_up(site, accepted_terms="made up")) == (None, None)


def test_a_new_version_of_the_terms_blocks_pages_but_not_keys(
    site: Server, operator: Person
) -> None:
    person = signed_up(site)
    key = person.create_key()["key"]
    set_terms(operator, FIRST)
    for path in ("/api/api-keys", "/api/usage", "/api/usage/today", "/api/requests", "/api/models"):
        refused = person.http.get(path)
        assert problem(refused) == 403
        assert "accept them" in refused.json()["detail"]
    made = person.http.post("/api/api-keys", json={"name": "x", "usage_plan_id": "10RequestPerDay"})
    assert problem(made) == 403
    with site.gateway(key) as api:
        assert api.get("/v1/key").status_code == 200
    # What people need to accept, or to leave.
    assert person.http.get("/api/session").json()["accepted_terms"] is None
    assert problem(accept(person, "2026-10"), "accepted_terms") == 422
    assert accept(person, "2026-11").status_code == 204
    assert len(person.keys()) == 1
    set_terms(operator, SECOND)
    assert problem(person.http.get("/api/api-keys")) == 403
    assert accept(person, "2026-12").status_code == 204
    assert stored(site, person)[0] == "2026-12"
    assert len(person.keys()) == 1


def accept(person: Person, version: str) -> httpx.Response:
    return person.http.post("/api/account/terms", json={"accepted_terms": version})


def test_people_may_refuse_the_terms_and_operators_need_not_accept(
    site: Server, operator: Person
) -> None:
    person = signed_up(site)
    set_terms(operator, FIRST)
    assert operator.http.get("/api/api-keys").status_code == 200
    assert operator.http.get("/api/operator/people").status_code == 200
    left = person.http.post("/api/account/deletion", json={"password": PASSWORD})
    assert left.status_code == 204


@pytest.fixture(scope="module")
def mail_site(
    mailbox_server: Mailbox, oidc_server: OidcProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Person]]:
    """A site with a name and terms that sends mails, and has another way to sign in."""
    server = start_public(
        tmp_path_factory.mktemp("mail-terms"),
        DAYPASS_SITE_NAME="Physics lab",
        **mailbox_server.settings,
        **oidc_server.settings,
    )
    operator = server.set_up()
    set_terms(operator, FIRST)
    yield server, operator
    server.stop()


def test_the_mailbox_owner_accepts_the_terms_at_sign_up_by_mail(
    mail_site: tuple[Server, Person], mailbox: Mailbox
) -> None:
    site, _ = mail_site
    email = f"{uuid4().hex}@example.org"
    http = site.client()
    asked = http.post("/api/accounts", json={"email": email, "accepted_terms": "2026-11"})
    assert asked.status_code == 202
    mail = mailbox.take(email)
    assert str(mail["From"]) == "Physics lab <daypass@site.example>"
    assert mail["Subject"] == "Confirm your address (Physics lab)"
    link = {"token": token_of(mail), "password": PASSWORD}
    assert problem(http.put("/api/confirmations", json=link), "accepted_terms") == 422
    confirmed = http.put("/api/confirmations", json=link | {"accepted_terms": "2026-11"})
    assert confirmed.status_code == 200, confirmed.text
    OUTPUTS.plant(*http.cookies.values())
    assert http.get("/api/session").json()["accepted_terms"] == "2026-11"


def test_accounts_from_single_sign_on_accept_the_terms_too(
    mail_site: tuple[Server, Person], oidc: OidcProvider
) -> None:
    site, _ = mail_site
    oidc.redirect_uri = f"{site.url}/api/session/oidc/callback"
    http = site.client()
    for version in ({}, {"accepted_terms": "2026-10"}):
        assert sign_in(http, **version) == "/sign-in/?problem=terms"
        assert http.get("/api/session").status_code == 401
    assert sign_in(http, accepted_terms="2026-11") == "/keys/"
    assert http.get("/api/session").json()["accepted_terms"] == "2026-11"
    # People with an account sign in without accepting the terms again.
    assert sign_in(site.client()) == "/keys/"

"""Signing in and out, and what a session protects."""

import sqlite3

import httpx2 as httpx
import pytest

from tests.conftest import PASSWORD, Person, Server
from tests.support.portal import problem
from tests.support.waiting import BUSY_S, until


def test_sign_up_sign_in_and_sign_out(site: Server, person: Person) -> None:
    assert person.http.get("/api/session").json()["email"] == person.email
    cookie = next(iter(person.http.cookies.jar))
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "lax"

    browser = site.client()
    assert problem(browser.get("/api/session")) == 401
    wrong = {"email": person.email, "password": "not the password"}
    unknown = {"email": "nobody@example.org", "password": PASSWORD}
    refused = [browser.post("/api/session", json=x) for x in (wrong, unknown)]
    assert [problem(x) for x in refused] == [401, 401]
    assert refused[0].json() == refused[1].json()

    right = {"email": person.email.upper(), "password": PASSWORD}
    assert browser.post("/api/session", json=right).json()["email"] == person.email
    stolen = dict(browser.cookies)
    assert browser.delete("/api/session").status_code == 204
    assert browser.get("/api/session").status_code == 401
    assert site.client(cookies=stolen).get("/api/session").status_code == 401
    assert person.http.get("/api/session").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/session"),
        ("GET", "/api/api-keys"),
        ("POST", "/api/api-keys"),
        ("PATCH", "/api/api-keys/key_1"),
        ("POST", "/api/api-keys/key_1/rotate"),
        ("DELETE", "/api/api-keys/key_1"),
        ("GET", "/api/usage"),
        ("GET", "/api/usage/today"),
        ("GET", "/api/models"),
        ("POST", "/api/chat/completions"),
    ],
)
def test_calls_without_a_session_are_401(site: Server, method: str, path: str) -> None:
    body = {"name": "x", "usage_plan_id": "10RequestPerDay"} if method != "GET" else None
    assert problem(site.client().request(method, path, json=body)) == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "", "sec-fetch-site": "cross-site"},
        {"origin": "", "sec-fetch-site": "same-site"},
        {"origin": ""},
    ],
)
def test_another_site_cannot_act_for_a_signed_in_browser(
    site: Server, person: Person, headers: dict[str, str]
) -> None:
    browser = httpx.Client(base_url=site.url, cookies=dict(person.http.cookies))
    sent = {name: value for name, value in headers.items() if value}
    body = {"name": "x", "usage_plan_id": "10RequestPerDay"}
    assert problem(browser.post("/api/api-keys", json=body, headers=sent)) == 403
    assert problem(browser.delete("/api/session", headers=sent)) == 403
    fetched = browser.post("/api/api-keys", json=body, headers={"sec-fetch-site": "same-origin"})
    assert fetched.status_code == 201


def test_a_disabled_account_is_refused(site: Server) -> None:
    person = site.sign_up()
    key = person.create_key()["key"]
    with sqlite3.connect(site.data_dir / "daypass.db") as connection:
        connection.execute("UPDATE account SET disabled_at = 1 WHERE email = ?", (person.email,))
    assert problem(person.http.get("/api/api-keys")) == 403
    sign_in = {"email": person.email, "password": PASSWORD}
    assert problem(site.client().post("/api/session", json=sign_in)) == 403
    # The gateway may cache the key for a second. API Gateway counts these calls: ten a day.
    api = site.gateway(key)
    until(lambda: api.get("/v1/key").status_code == 403, 1 + BUSY_S, every_s=0.75)
    refused = api.get("/v1/key")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "account_disabled")

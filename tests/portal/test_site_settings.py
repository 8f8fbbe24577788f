"""Settings that operators change on the site, on both databases and in two processes."""

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import pytest

from tests.conftest import PASSWORD, Person, Server, daypass, start_server
from tests.support.portal import problem
from tests.support.postgres import Postgres
from tests.support.waiting import BUSY_S
from tests.support.workers import known_after, look

PATH = "/api/operator/settings"
IN_FILE = "# A school.\naccount_tokens_per_month = 5000\n"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Two workers. The environment and daypass.toml set one ceiling each."""
    directory = tmp_path_factory.mktemp("settings")
    (directory / "daypass.toml").write_text(IN_FILE)
    settings = {"DAYPASS_SITE_COST_PER_MONTH": "250", "DAYPASS_UNKNOWN_PRICE": "free"}
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres_server")
        settings["DAYPASS_DATABASE_URL"] = postgres.create_database(f"test_{uuid4().hex}")
    server = start_server(directory, "--workers", "2", **settings)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def operator(site: Server) -> Person:
    return site.sign_up()


@pytest.fixture(autouse=True)
def defaults(operator: Person) -> Iterator[None]:
    """Restore every default afterwards."""
    yield
    changed = [x["name"] for x in listed(operator).values() if x["source"] == "site"]
    assert change(operator, **dict.fromkeys(changed)).status_code == 200


def listed(operator: Person) -> dict[str, Any]:
    response = operator.http.get(PATH)
    assert response.status_code == 200, response.text
    return {x["name"]: x for x in response.json()["settings"]}


def change(operator: Person, **values: Any) -> httpx.Response:
    return operator.http.patch(PATH, json=values)


def changes(operator: Person, name: str) -> list[str]:
    log = operator.http.get("/api/operator/audit-log", params={"search": name}).json()
    return [x["detail"] for x in log if x["action"] == "setting changed"]


def sign_up(site: Server, domain: str = "example.org") -> httpx.Response:
    body = {"email": f"{uuid4().hex}@{domain}", "password": PASSWORD}
    with site.client() as http:
        return http.post("/api/accounts", json=body)


def test_each_setting_has_its_value_default_source_and_place(operator: Person) -> None:
    assert change(operator, site_requests_per_day=1000).status_code == 200
    found = listed(operator)
    assert found["sign_up"] == {
        "name": "sign_up",
        "value": "open",
        "default": "open",
        "source": "default",
        "place": None,
        "unavailable": None,
    }
    ceiling = found["site_requests_per_day"]
    assert (ceiling["value"], ceiling["default"], ceiling["source"]) == (1000, None, "site")
    cost = found["site_cost_per_month"]
    assert (cost["value"], cost["source"]) == (250_000_000, "settings")
    assert cost["place"] == "DAYPASS_SITE_COST_PER_MONTH"
    assert found["account_tokens_per_month"]["place"] == "daypass.toml line 2"


def test_sign_up_closes_and_opens_in_every_process(site: Server, operator: Person) -> None:
    def mode() -> Any:
        with site.client() as http:
            return http.get("/api/site").json()["sign_up"]

    assert change(operator, sign_up="closed").json()["settings"]
    assert {mode() for _ in range(20)} == {"closed"}
    assert problem(sign_up(site)) == 403
    assert change(operator, sign_up="invite").status_code == 200
    assert operator.http.post("/api/operator/invitations", json={}).status_code == 201
    assert operator.http.get("/api/operator/sign-up").json()["sign_up"] == "invite"
    assert problem(sign_up(site)) == 403
    assert change(operator, sign_up=None).status_code == 200
    assert {mode() for _ in range(20)} == {"open"}
    assert sign_up(site).status_code == 201
    assert changes(operator, "sign_up") == [
        "invite → default",
        "closed → invite",
        "default → closed",
    ]


def test_addresses_of_the_domains_may_sign_up(site: Server, operator: Person) -> None:
    assert change(operator, allowed_email_domains=["School.example"]).status_code == 200
    assert listed(operator)["allowed_email_domains"]["value"] == ["school.example"]
    assert problem(sign_up(site), "email") == 403
    assert sign_up(site, "school.example").status_code == 201


def test_a_lowered_ceiling_refuses_in_every_process_within_a_second(
    site: Server, operator: Person
) -> None:
    with site.client() as http:
        email = f"{uuid4().hex}@example.org"
        body = {"email": email, "password": PASSWORD}
        assert http.post("/api/accounts", json=body).status_code == 201
        key = Person(http, email).create_key()["key"]

    def is_refused_by(subject: str) -> bool:
        with site.gateway(key) as api:
            response = api.post("/v1/embeddings", json={"input": "x"})
        return response.status_code == 429 and response.json()["error"]["subject"] == subject

    assert change(operator, account_requests_per_day=0).status_code == 200
    assert known_after(partial(is_refused_by, "account")) < 1 + BUSY_S
    lowered = {"account_requests_per_day": None, "site_tokens_per_day": 0}
    assert change(operator, **lowered).status_code == 200
    assert known_after(partial(is_refused_by, "site")) < 1 + BUSY_S
    assert change(operator, account_requests_per_day=25, site_cost_per_day=7).status_code == 200
    ceilings = operator.http.get("/api/operator/usage").json()["ceilings"]
    limits = {x["setting"]: x["limit"] for x in ceilings}
    assert (limits["account_requests_per_day"], limits["site_cost_per_day"]) == (25, 7)
    assert site.client().get("/api/site").json()["account_requests_per_day"] == 25
    assert known_after(lambda: 25 in [x["limit"] for x in look(site, key).json()["limits"]]) < 30


def test_the_key_limit_setting_takes_effect(site: Server, operator: Person) -> None:
    with site.client() as http:
        body = {"email": f"{uuid4().hex}@example.org", "password": PASSWORD}
        assert http.post("/api/accounts", json=body).status_code == 201
        person = Person(http, body["email"])
        new = {"name": "x", "usage_plan_id": "10RequestPerDay"}
        assert change(operator, max_keys_per_account=1).status_code == 200
        person.create_key()
        refused = http.post("/api/api-keys", json=new)
        assert problem(refused) == 409
        assert "You have 1 API key," in refused.json()["detail"]
        assert http.get("/api/site").json()["max_keys_per_account"] == 1
        assert change(operator, max_keys_per_account=2).status_code == 200
        person.create_key()
        assert problem(http.post("/api/api-keys", json=new)) == 409
        failed = daypass(
            "keys", "create", "--plan", "10RequestPerDay", person.email, **site.settings
        )
        assert failed.returncode == 2
        assert "has 2 API keys" in failed.stderr


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("site_cost_per_month", 5, "DAYPASS_SITE_COST_PER_MONTH"),
        ("site_cost_per_month", None, "DAYPASS_SITE_COST_PER_MONTH"),
        ("account_tokens_per_month", 5, "daypass.toml line 2"),
    ],
)
def test_settings_set_elsewhere_cannot_be_changed_on_the_site(
    operator: Person, name: str, value: Any, place: str
) -> None:
    refused = operator.http.patch(PATH, json={"sign_up": "closed", name: value})
    assert problem(refused, name) == 409
    assert place in refused.json()["detail"]
    assert listed(operator)["sign_up"]["value"] == "open"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sign_up", "by post"),
        ("sign_up", 1),
        ("allowed_email_domains", "school.example"),
        ("allowed_email_domains/0", ["not a domain"]),
        ("allowed_email_domains", ["school.example"] * 101),
        ("max_keys_per_account", 0),
        ("max_keys_per_account", True),
        ("site_requests_per_day", -1),
        ("site_requests_per_day", "5"),
        ("site_cost_per_day", 0.5),
        ("account_tokens_per_day", 10**13),
        ("port", 80),
    ],
)
def test_a_bad_value_changes_nothing(operator: Person, name: str, value: Any) -> None:
    member = name.partition("/")[0]
    body = {"account_tokens_per_day": 9, member: value}
    assert problem(operator.http.patch(PATH, json=body), name) == 422
    assert listed(operator)["account_tokens_per_day"]["source"] == "default"


def test_each_change_is_in_the_audit_log_once(operator: Person) -> None:
    name = "account_cost_per_day"
    for value in (2_500_000, 2_500_000, 1_000_000, None, None):
        assert change(operator, **{name: value}, account_tokens_per_day=7).status_code == 200
    assert changes(operator, name)[:3] == ["$1.00 → default", "$2.50 → $1.00", "default → $2.50"]
    assert changes(operator, "account_tokens_per_day")[0] == "default → 7"

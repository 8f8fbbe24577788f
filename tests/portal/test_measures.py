"""Tokens and cost in the portal's API: plans, limits, usage, receipts, ceilings and CSV."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.responses import JSONResponse

from tests.conftest import PASSWORD, Person, Server
from tests.portal.test_operator import get
from tests.support.relaying import relaying_to
from tests.support.upstream import FakeUpstream
from tests.support.waiting import until

PRICES = """
[[prices]]
model = "*own"
input = 2
cached_input = 1
output = 10
"""
PLAN = {
    "id": "measured",
    "name": "Measured",
    "tokens_per_day": 10_000,
    "cost_per_month": 500_000,
    "requests_per_total": 7,
    "max_output_tokens": 100,
    "max_concurrent_requests": 4,
    "max_key_days": 30,
}
LIMITS = [
    {"measure": "requests", "amount": 7, "window": "total"},
    {"measure": "tokens", "amount": 10_000, "window": "day"},
    {"measure": "cost", "amount": 500_000, "window": "month"},
]
EXTRAS = {"max_output_tokens": 100, "max_concurrent_requests": 4, "max_key_days": 30}
FORMULA = "=HYPERLINK(1)own"
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "prompt_tokens_details": {"cached_tokens": 40, "audio_tokens": 10},
    "completion_tokens_details": {"reasoning_tokens": 20, "audio_tokens": 5},
}
# 60 at 2, 40 cached at 1, and 50 at 10 micro-dollars.
COST = 660


@dataclass
class Site:
    server: Server
    operator: Person
    member: Person
    """A member with one served request, and one whose response reported no usage."""


@pytest.fixture(scope="module")
def site(
    upstream_process: FakeUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    with relaying_to(
        upstream_process,
        tmp_path_factory.mktemp("measures"),
        PRICES,
        DAYPASS_SITE_TOKENS_PER_DAY="90000",
        DAYPASS_ACCOUNT_COST_PER_MONTH="3.5",
    ) as server:
        yield use_it(server, upstream_process)


def use_it(server: Server, upstream: FakeUpstream) -> Site:
    """Set up a site with a member who has made two requests."""
    operator = server.set_up()
    assert operator.http.post("/api/operator/usage-plans", json=PLAN).status_code == 201
    # An address can be a formula too.
    http = server.client()
    body = {"email": "+person@example.org", "password": PASSWORD}
    assert http.post("/api/accounts", json=body).status_code == 201
    member = Person(http, body["email"])
    default = upstream.reply
    answers: Iterator[dict[str, Any]] = iter([{"usage": USAGE}, {}])
    upstream.reply = lambda _seen: JSONResponse(next(answers))
    messages = [{"role": "user", "content": "Hello."}]
    with server.gateway(member.create_key("measured")["key"]) as api:
        for _ in range(2):
            chat = {"model": FORMULA, "messages": messages}
            assert api.post("/v1/chat/completions", json=chat).status_code == 200
    upstream.reply = default
    until(lambda: len(member.http.get("/api/requests").json()) == 2)
    return Site(server, operator, member)


def reserved_by(site: Site) -> dict[str, int]:
    """Return the amounts reserved by the request without reported usage."""
    receipt = site.member.http.get("/api/requests").json()[0]
    return {name: receipt["reserved"][name] for name in ("tokens", "cost")}


def test_plans_show_every_limit(site: Site) -> None:
    offered = {x["id"]: x for x in site.server.client().get("/api/usage-plans").json()}
    managed = {x["id"]: x for x in get(site.operator, "usage-plans")["plans"]}
    plan = offered["measured"]
    assert plan["limits"] == LIMITS
    assert {name: plan[name] for name in EXTRAS} == EXTRAS
    assert not EXTRAS.keys() & offered["10RequestPerDay"].keys()
    plan = managed["measured"]
    assert [{name: x[name] for name in LIMITS[0]} for x in plan["limits"]] == LIMITS
    assert {name: plan[name] for name in EXTRAS} == EXTRAS


def test_keys_show_the_remaining_quota_in_each_measure(site: Site) -> None:
    (key,) = site.member.keys()
    reserved = reserved_by(site)
    limits = {(x["subject"], x["measure"], x["window"]): x for x in key["limits"]}
    assert limits["key", "requests", "total"]["resets_at"] is None
    assert limits["key", "requests", "total"]["remaining"] == 5
    assert limits["key", "tokens", "day"]["used"] == 150 + reserved["tokens"]
    assert limits["key", "cost", "month"]["used"] == COST + reserved["cost"]
    assert limits["account", "cost", "month"]["limit"] == 3_500_000
    assert limits["site", "tokens", "day"]["limit"] == 90_000
    # The summary is about requests.
    assert (key["used"], key["limit"], key["window"]) == (2, 7, "total")
    today = site.member.http.get("/api/usage/today").json()
    assert today["keys"][0]["limits"] == key["limits"]
    assert key["concurrent_requests"] == {"limit": 4, "used": 0}


def test_todays_usage_sums_limited_tokens_and_cost(site: Site) -> None:
    reserved = reserved_by(site)
    today = site.member.http.get("/api/usage/today").json()
    used = {"tokens": 150 + reserved["tokens"], "cost": COST + reserved["cost"]}
    for of in (today["account"], *today["keys"]):
        assert {name: of[name] for name in used} == used
    limits = {(x["measure"], x["window"]): x for x in today["account"]["limits"]}
    # The ceiling of the settings, and the limit that the keys share.
    assert limits["cost", "month"]["limit"] == 3_500_000
    assert limits["tokens", "day"]["limit"] == 10_000
    assert {x["subject"] for x in limits.values()} == {"account"}
    assert limits["cost", "month"]["used"] == used["cost"]
    assert limits["tokens", "day"]["used"] == used["tokens"]


def test_usage_has_tokens_by_kind_cost_and_reserved_amounts(site: Site) -> None:
    expected = {
        "requests": 2,
        "input_tokens": 100,
        "cached_tokens": 40,
        "output_tokens": 50,
        "reasoning_tokens": 20,
        "audio_tokens": 15,
        "cost": COST,
        "price": {
            "input": 2,
            "cached_input": 1,
            "output": 10,
            "per_request": None,
            "per_image": None,
            "per_minute": None,
            "per_million_characters": None,
        },
        "reserved": reserved_by(site),
    }
    (own,) = site.member.http.get("/api/usage").json()
    (all_,) = get(site.operator, "usage")["days"]
    for row in (own, all_):
        assert {name: row[name] for name in expected} == expected


def test_receipts_show_reserved_and_settled_amounts(site: Site) -> None:
    without, served = site.member.http.get("/api/requests").json()
    assert served["settled"] == {"requests": 1, "tokens": 150, "cost": COST}
    assert served["reserved"]["tokens"] > 150
    assert served["reserved"]["cost"] > COST
    assert without["settled"] is None
    assert without["reserved"] == served["reserved"]


def test_operators_see_spend_by_person(site: Site) -> None:
    (spent,) = get(site.operator, "usage")["most_active"]
    account = site.member.http.get("/api/session").json()
    assert spent == {
        "account_id": account["id"],
        "email": site.member.email,
        "requests": 2,
        "refused": 0,
        "tokens": 150,
        "cost": COST,
    }


def test_operators_see_every_ceiling_and_the_sites_usage(site: Site) -> None:
    ceilings = {x["setting"]: x for x in get(site.operator, "usage")["ceilings"]}
    measures = ("requests", "tokens", "cost")
    assert set(ceilings) == {
        f"{subject}_{measure}_per_{window}"
        for subject in ("account", "site")
        for measure in measures
        for window in ("day", "month")
    }
    reserved = reserved_by(site)

    def shown(setting: str) -> tuple[Any, ...]:
        return ceilings[setting]["limit"], ceilings[setting]["used"]

    assert shown("site_tokens_per_day") == (90_000, 150 + reserved["tokens"])
    assert shown("site_cost_per_month") == (None, COST + reserved["cost"])
    assert shown("site_requests_per_day") == (None, 2)
    assert shown("account_cost_per_month") == (3_500_000, None)
    # Without a setting it follows the largest plan, and this plan has no daily limit.
    assert shown("account_requests_per_day") == (None, None)


def test_the_csv_export_has_every_row_and_no_formulas(site: Site) -> None:
    answer = site.operator.http.get("/api/operator/usage.csv?days=2")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment;")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["email"], row["model"]) == (f"'{site.member.email}", f"'{FORMULA}")
    assert (row["requests"], row["input_tokens"], row["audio_tokens"]) == ("2", "100", "15")
    assert row["cost_usd"] == "0.000660"
    assert row["price"] == "input=2 cached_input=1 output=10"
    assert int(row["reserved_tokens"]) == reserved_by(site)["tokens"]
    assert site.member.http.get("/api/operator/usage.csv").status_code == 403

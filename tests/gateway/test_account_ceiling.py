"""An account's default daily ceiling: the limit of the largest plan of its keys."""

from collections.abc import Iterator

import httpx2 as httpx
import pytest

from tests.conftest import Person, Server, StartServer
from tests.support.postgres import Postgres
from tests.support.redis import Redis
from tests.support.waiting import until
from tests.support.workers import look, warm

GIVEN = {"id": "given", "name": "Given", "requests_per_day": 60, "self_service": False}


@pytest.fixture(params=["sqlite", "redis"])
def site(request: pytest.FixtureRequest, start: StartServer) -> Iterator[Server]:
    """A site with two workers, on one SQLite file, and with Redis and PostgreSQL."""
    settings = {}
    if request.param == "redis":
        redis: Redis = request.getfixturevalue("redis_server")
        redis.empty()
        settings["DAYPASS_REDIS_URL"] = redis.url
        postgres: Postgres = request.getfixturevalue("postgres_server")
        settings["DAYPASS_DATABASE_URL"] = postgres.create_database("test_account_ceiling")
    yield start("--workers", "2", **settings)


def call(api: httpx.Client) -> httpx.Response:
    body = {"model": "daypass-demo", "input": "x"}
    return api.post("/v1/embeddings", json=body)


def ceiling(server: Server, key: str) -> int:
    limits = look(server, key).json()["limits"]
    (account,) = [x["limit"] for x in limits if x["subject"] == "account"]
    return int(account)


def wait_for_ceiling(server: Server, key: str, limit: int) -> None:
    """Wait until every worker knows the key; each call uses a new connection."""
    until(lambda: all(ceiling(server, key) == limit for _ in range(8)))


def test_an_operator_assigned_plan_is_not_reduced_by_the_account_ceiling(
    site: Server,
) -> None:
    operator: Person = site.sign_up()
    person = site.sign_up()
    chosen = person.create_key("30RequestPerDay")
    given = person.create_key("10RequestPerDay")
    for key in (chosen, given):
        warm(site, key["key"])
        assert ceiling(site, key["key"]) == 30
    assert operator.http.post("/api/operator/usage-plans", json=GIVEN).status_code == 201
    path = f"/api/operator/api-keys/{given['id']}"
    assert operator.http.patch(path, json={"usage_plan_id": "given"}).status_code == 204
    for key in (chosen, given):
        wait_for_ceiling(site, key["key"], 60)
    with site.gateway(given["key"]) as first, site.gateway(chosen["key"]) as second:
        assert [call(first).status_code for _ in range(40)] == [200] * 40
        assert [call(second).status_code for _ in range(5)] == [200] * 5
        statuses = [call(first).status_code for _ in range(17)]
        assert statuses == [200] * 15 + [429] * 2
        refused = call(second).json()["error"]
        assert (refused["subject"], refused["limit"]) == ("account", 60)
    assert person.http.get("/api/usage/today").json()["account"]["limit"] == 60
    assert [key["remaining"] for key in person.http.get("/api/api-keys").json()] == [0, 0]
    assert operator.http.delete(path).status_code == 204
    wait_for_ceiling(site, chosen["key"], 30)
    # The built-in plans' own limits count: they can be edited.
    edited = {"name": "Edited", "requests_per_day": 45}
    plans = "/api/operator/usage-plans"
    assert operator.http.put(f"{plans}/10RequestPerDay", json=edited).status_code == 204
    wait_for_ceiling(site, chosen["key"], 45)
    for plan in operator.http.get(plans).json()["plans"]:
        retired = {"name": "Retired", "requests_per_day": 30, "retired": True}
        assert operator.http.put(f"{plans}/{plan['id']}", json=retired).status_code == 204
    # No plan is on offer, and the account's keys still share their largest one.
    wait_for_ceiling(site, chosen["key"], 30)

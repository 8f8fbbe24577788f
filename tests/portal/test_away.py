"""The portal's responses while the ledger is unavailable."""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import PASSWORD, Server, start_server
from tests.support.portal import problem
from tests.support.redis import Redis

CHANGED = ("account", "api_key", "api_key_secret", "audit_entry", "invitation", "usage_plan")


@pytest.fixture
def redis_of_its_own() -> Iterator[Redis]:
    redis = Redis()
    redis.start()
    yield redis
    redis.remove()


@pytest.fixture
def site(redis_of_its_own: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_server(
        tmp_path_factory.mktemp("away"),
        DAYPASS_REDIS_URL=redis_of_its_own.url,
        DAYPASS_SIGN_UP="invite",
    )
    yield server
    server.stop()


def test_a_request_answered_with_503_changes_nothing(site: Server, redis_of_its_own: Redis) -> None:
    operator = site.set_up()
    key_id = operator.create_key()["id"]
    path, by_operator = f"/api/api-keys/{key_id}", f"/api/operator/api-keys/{key_id}"
    (person,) = operator.http.get("/api/operator/people").json()["people"]
    password = {"current_password": PASSWORD, "new_password": PASSWORD}
    plan = {"id": "lab", "name": "Lab", "requests_per_day": 5}
    calls: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
        ("PATCH", path, {"name": "desk"}),
        ("PATCH", path, {"usage_plan_id": "20RequestPerDay"}),
        ("POST", f"{path}/rotate", {}),
        ("POST", "/api/api-keys", {"name": "phone", "usage_plan_id": "10RequestPerDay"}),
        ("PATCH", by_operator, {"usage_plan_id": "30RequestPerDay"}),
        ("PATCH", f"/api/operator/people/{person['id']}", {"disabled": False}),
        ("POST", "/api/operator/usage-plans", plan),
        ("PUT", "/api/operator/usage-plans/lab", {"name": "Laboratory", "requests_per_day": 6}),
        ("POST", "/api/operator/invitations", {}),
        ("PUT", "/api/account/password", password),
        ("DELETE", by_operator, None),
        ("POST", "/api/session", {"email": operator.email, "password": PASSWORD}),
    )
    redis_of_its_own.kill()
    with contextlib.closing(sqlite3.connect(site.data_dir / "daypass.db")) as connection:

        def kept() -> list[list[object]]:
            return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in CHANGED]

        unavailable = []
        for method, where, body in calls:
            before = kept()
            answer = operator.http.request(method, where, json=body)
            if answer.status_code == 503:
                assert problem(answer) == 503
                assert kept() == before, where
                unavailable.append((method, where))
            else:
                assert answer.is_success, answer.text
        # Only routes that read the counters.
        assert set(unavailable) == {("PATCH", path)}

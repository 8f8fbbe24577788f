"""Each store unavailable in turn: 503 in time, nothing relayed, recovery without a restart."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx2 as httpx
import pytest

from daypass.portal.readiness import FRESH_S
from tests.conftest import Server, StartServer
from tests.support.postgres import Postgres
from tests.support.redis import Redis
from tests.support.upstream import FakeUpstream
from tests.support.waiting import BUSY_S, until
from tests.support.workers import refused_after


def call(api: httpx.Client) -> tuple[int, str, float]:
    began = time.monotonic()
    response = api.post("/v1/embeddings", json={})
    code = response.json()["error"]["code"] if response.status_code != 200 else ""
    return response.status_code, code, time.monotonic() - began


def used(api: httpx.Client) -> int:
    count: int = api.get("/v1/key").json()["limits"][0]["used"]
    return count


def is_ready(server: Server) -> bool:
    """Return whether `/readyz` says so. A positive result is cached for FRESH_S."""
    return server.client().get("/readyz").status_code == 200


@contextlib.contextmanager
def locked(server: Server) -> Iterator[None]:
    """Another program holds the write lock of the SQLite file."""
    blocker = sqlite3.connect(server.data_dir / "daypass.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        blocker.execute("ROLLBACK")
        blocker.close()


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def redis() -> Iterator[Redis]:
    server = Redis()
    server.start()
    yield server
    server.remove()


def test_two_machines_share_limits_sessions_and_revocations(
    start: StartServer, upstream: FakeUpstream, postgres_server: Postgres, redis_server: Redis
) -> None:
    redis_server.empty()
    database = postgres_server.create_database(f"test_{uuid4().hex}")
    machines = [
        start(
            DAYPASS_UPSTREAM_BASE_URL=upstream.base_url,
            DAYPASS_DATABASE_URL=database,
            DAYPASS_REDIS_URL=redis_server.url,
            DAYPASS_SITE_REQUESTS_PER_DAY="45",
            DAYPASS_DATA_DIR=f"data-{number}",
        )
        for number in range(2)
    ]
    person, other = machines[0].sign_up(), machines[1].sign_up()
    created = person.create_key("30RequestPerDay")
    cookies = dict(person.http.cookies)
    assert machines[1].client(cookies=cookies).get("/api/api-keys").json()[0]["used"] == 0

    def race(key: str) -> list[int]:
        def one(number: int) -> int:
            with machines[number % 2].gateway(key) as api:
                return call(api)[0]

        with ThreadPoolExecutor(64) as pool:
            return sorted(pool.map(one, range(64)))

    assert race(created["key"]) == [200] * 30 + [429] * 34
    # The site has 15 left: its ceiling holds over both machines.
    assert race(other.create_key("30RequestPerDay")["key"]).count(200) == 15
    assert len(upstream.seen) == 45
    assert person.http.delete(f"/api/api-keys/{created['id']}").status_code == 204
    assert refused_after(machines[1], created["key"]) < 1 + BUSY_S


def test_requests_are_served_again_after_redis_is_killed_and_restarted(
    start: StartServer, upstream: FakeUpstream, redis: Redis
) -> None:
    server = start(DAYPASS_UPSTREAM_BASE_URL=upstream.base_url, DAYPASS_REDIS_URL=redis.url)
    api = server.gateway(server.sign_up().create_key()["key"])
    assert call(api)[0] == 200
    redis.kill()
    for _ in range(3):
        status, code, seconds = call(api)
        assert (status, code) == (503, "quota_unavailable")
        assert seconds < 2 + BUSY_S
    until(lambda: not is_ready(server), within_s=FRESH_S + BUSY_S)
    assert len(upstream.seen) == 1
    redis.start()
    assert call(api)[0] == 200
    assert used(api) == 2


def test_sign_up_keys_and_limits_work_on_postgresql(
    start: StartServer, upstream: FakeUpstream, postgres_server: Postgres
) -> None:
    server = start(
        "--workers",
        "2",
        DAYPASS_UPSTREAM_BASE_URL=upstream.base_url,
        DAYPASS_DATABASE_URL=postgres_server.create_database(f"test_{uuid4().hex}"),
    )
    person = server.sign_up()
    created = person.create_key()
    api = server.gateway(created["key"])
    assert [call(api)[0] for _ in range(11)] == [200] * 10 + [429]
    assert person.keys()[0]["used"] == 10
    until(lambda: len(person.http.get("/api/requests").json()) == 11)
    (row,) = person.http.get("/api/usage").json()
    assert (row["requests"], row["refused"]) == (10, 1)
    assert person.http.delete(f"/api/api-keys/{created['id']}").status_code == 204


def test_requests_are_served_again_after_postgresql_is_killed_and_restarted(
    start: StartServer, upstream: FakeUpstream, postgres: Postgres
) -> None:
    server = start(DAYPASS_UPSTREAM_BASE_URL=upstream.base_url, DAYPASS_DATABASE_URL=postgres.url())
    person = server.sign_up()
    api = server.gateway(person.create_key()["key"])
    assert call(api)[0] == 200
    postgres.kill()
    until(lambda: api.get("/v1/key").status_code == 503)
    seen = len(upstream.seen)
    for _ in range(3):
        status, code, seconds = call(api)
        assert (status, code) == (503, "quota_unavailable")
        assert seconds < 2 + BUSY_S
    began = time.monotonic()
    response = person.http.get("/api/api-keys")
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    until(lambda: not is_ready(server), within_s=FRESH_S + BUSY_S)
    assert time.monotonic() - began < 4 + BUSY_S
    assert len(upstream.seen) == seen
    postgres.start()
    assert call(api)[0] == 200
    assert used(api) == 2
    assert person.http.get("/api/api-keys").status_code == 200
    assert "daypass@" not in server.log()
    assert "Traceback" not in server.log()


def test_a_locked_ledger_refuses_within_the_deadline_and_recovers(
    start: StartServer, upstream: FakeUpstream
) -> None:
    server = start(DAYPASS_UPSTREAM_BASE_URL=upstream.base_url)
    api = server.gateway(server.sign_up().create_key()["key"])
    assert call(api)[0] == 200
    with locked(server):
        status, code, seconds = call(api)
        assert (status, code) == (503, "quota_unavailable")
        assert seconds < 2 + BUSY_S
        assert len(upstream.seen) == 1
    assert call(api)[0] == 200
    assert used(api) == 2


def test_fail_open_relays_and_logs_each_uncounted_request(
    start: StartServer, upstream: FakeUpstream
) -> None:
    server = start(DAYPASS_UPSTREAM_BASE_URL=upstream.base_url, DAYPASS_FAIL_OPEN="1")
    api = server.gateway(server.sign_up().create_key()["key"])
    assert call(api)[0] == 200
    with locked(server):
        for _ in range(2):
            assert call(api)[0] == 200
    assert len(upstream.seen) == 3
    assert server.log().count("relayed_uncounted") == 2
    assert used(api) == 1


def test_a_corrupt_database_is_reported_at_startup(
    start: StartServer, upstream: FakeUpstream
) -> None:
    server = start(DAYPASS_UPSTREAM_BASE_URL=upstream.base_url)
    api = server.gateway(server.sign_up().create_key()["key"])
    assert call(api)[0] == 200
    server.stop()
    path = server.data_dir / "daypass.db"
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 4000 + path.read_bytes()[4100:])
    with pytest.raises(AssertionError, match=r"cannot open .*malformed"):
        start(DAYPASS_UPSTREAM_BASE_URL=upstream.base_url)

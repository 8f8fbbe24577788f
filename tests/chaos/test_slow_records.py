"""Usage that PostgreSQL writes slowly or not yet, while Redis loses its counters."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
import redis

from tests.conftest import Server, serve_on, start_server
from tests.faults.wire import FaultyWire
from tests.support.ports import free_port
from tests.support.postgres import Postgres
from tests.support.redis import Redis
from tests.support.upstream import FakeUpstream
from tests.support.waiting import until

PLANS = """
[[plans]]
id = "hundred"
name = "A hundred"
requests_per_day = 100

[[plans]]
id = "plenty"
name = "Plenty"
requests_per_day = 1000000
"""
ROUND_TRIP_S = 0.3
IMPATIENT = """
from daypass.cli.commands import main
from daypass.records import recorder
recorder.MAX_BEHIND_S = 1
main()
"""
"""Run the command with a backlog bound of one second instead of a minute."""


@dataclass
class Machines:
    """Two servers on one Redis, and on one PostgreSQL behind a faulty wire."""

    servers: list[Server]
    wire: FaultyWire
    database: str
    redis: Redis

    def call(self, key: str, number: int) -> int:
        with self.servers[number % 2].gateway(key) as api:
            return api.post("/v1/embeddings", json={"model": "m"}).status_code

    def call_often(self, key: str, times: int) -> list[int]:
        with ThreadPoolExecutor(10) as pool:
            return list(pool.map(lambda number: self.call(key, number), range(times)))

    def lose_counters(self) -> None:
        with redis.Redis.from_url(self.redis.url) as client:
            client.flushall()

    def backlog(self) -> float:
        with self.servers[0].client() as client:
            lines = client.get("/metrics").text.splitlines()
        name = "daypass_usage_backlog_seconds "
        return float(next(line for line in lines if line.startswith(name)).removeprefix(name))


@pytest.fixture
def machines(
    postgres_server: Postgres,
    redis_server: Redis,
    upstream: FakeUpstream,
    tmp_path: Path,
) -> Iterator[Machines]:
    redis_server.empty()
    url = postgres_server.create_database(f"test_{uuid4().hex}")
    port = urlsplit(url).port
    wire = FaultyWire(port or 0)
    wire.start()
    (tmp_path / "daypass.toml").write_text(PLANS)
    settings = {
        "DAYPASS_UPSTREAM_BASE_URL": upstream.base_url,
        "DAYPASS_DATABASE_URL": url.replace(f":{port}/", f":{wire.port}/"),
        "DAYPASS_REDIS_URL": redis_server.url,
        "DAYPASS_ACCOUNT_REQUESTS_PER_DAY": "1000",
    }
    servers = [
        start_server(tmp_path, DAYPASS_DATA_DIR=f"data-{number}", **settings) for number in range(2)
    ]
    yield Machines(servers, wire, url, redis_server)
    wire.fault = None
    for server in servers:
        server.stop()
    wire.stop()


@pytest.mark.soak
def test_limits_hold_with_a_distant_database_and_lost_counters(
    machines: Machines, upstream: FakeUpstream
) -> None:
    """The next test proves the same for writes that are delayed longer."""
    key = machines.servers[0].sign_up().create_key("hundred")["key"]
    assert machines.call_often(key, 2) == [200, 200]
    machines.wire.delay_s = ROUND_TRIP_S
    machines.wire.fault = "delay"
    served = machines.call_often(key, 60).count(200)
    machines.lose_counters()
    statuses: list[int] = []
    while 429 not in statuses:
        statuses = machines.call_often(key, 20)
        served += statuses.count(200)
    assert served <= 98
    assert len(upstream.seen) == served + 2
    # All of it is written in the end, and only once.
    until(lambda: recorded(machines.database) == len(upstream.seen), within_s=60)


def test_limits_hold_while_an_index_is_created_and_counters_are_lost(
    machines: Machines, upstream: FakeUpstream
) -> None:
    key = machines.servers[0].sign_up().create_key("hundred")["key"]
    with psycopg.connect(machines.database) as connection:
        # As with CREATE INDEX, the table can be read but not written.
        connection.execute("LOCK TABLE usage_day IN SHARE MODE")
        assert machines.call_often(key, 70) == [200] * 70
        until(lambda: machines.backlog() > 1.5)
        machines.lose_counters()
        assert set(machines.call_often(key, 10)) == {503}
    # Once it is written, the counters start from it.
    until(lambda: machines.call(key, 0) == 200)
    statuses = machines.call_often(key, 60)
    assert statuses.count(200) == 29
    assert set(statuses) == {200, 429}
    assert len(upstream.seen) == 100
    until(lambda: machines.backlog() == 0 and recorded(machines.database) == 100)


def test_requests_are_refused_until_a_long_usage_backlog_is_written(
    postgres_server: Postgres, upstream: FakeUpstream, tmp_path: Path
) -> None:
    database = postgres_server.create_database(f"test_{uuid4().hex}")
    settings = {
        "DAYPASS_UPSTREAM_BASE_URL": upstream.base_url,
        "DAYPASS_DATABASE_URL": database,
    }
    (tmp_path / "daypass.toml").write_text(PLANS)
    server = serve_on(free_port(), tmp_path, (), settings, (sys.executable, "-c", IMPATIENT))
    try:
        key = server.sign_up().create_key("plenty")["key"]
        with server.gateway(key) as api, psycopg.connect(database) as connection:
            connection.execute("LOCK TABLE usage_day IN SHARE MODE")
            until(lambda: api.post("/v1/embeddings", json={"model": "m"}).status_code == 503)
            seen = len(upstream.seen)
            refused = api.post("/v1/embeddings", json={"model": "m"})
            assert refused.json()["error"]["code"] == "quota_unavailable"
            assert len(upstream.seen) == seen
            connection.rollback()
            until(lambda: api.post("/v1/embeddings", json={"model": "m"}).status_code == 200)
    finally:
        server.stop()


def recorded(database: str) -> int:
    with psycopg.connect(database) as connection:
        (found,) = connection.execute("SELECT sum(requests) FROM usage_day").fetchone() or (0,)
    return int(found or 0)

"""Failing stores, or networks to them: requests are refused in time and counted correctly.

tests/quota tests ledgers on their own; tests/chaos kills and restarts stores.
"""

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
import redis
from starlette.responses import Response

from tests.conftest import Person, Server, StartServer, start_server
from tests.faults.wire import Fault, FaultyWire
from tests.support import programs
from tests.support.disk import small_file_system
from tests.support.postgres import Postgres
from tests.support.redis import Redis
from tests.support.upstream import FakeUpstream, Seen
from tests.support.waiting import BUSY_S, until

IN_TIME_S = 2 + BUSY_S
FAULTS: tuple[Fault, ...] = ("refuse", "reset", "truncate", "corrupt", "half-close", "stall")


def call(key: str, server: Server) -> tuple[int, str]:
    """Return status and code of a call, which must complete within the deadline."""
    began = time.monotonic()
    with server.gateway(key) as api:
        response = api.post("/v1/embeddings", json={"model": "m"})
    assert time.monotonic() - began < IN_TIME_S
    return response.status_code, response.json().get("error", {}).get("code", "")


def served_again(key: str, server: Server) -> None:
    """Call until the store is available again."""
    until(lambda: call(key, server)[0] == 200)


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


def wire_to(url: str) -> FaultyWire:
    wire = FaultyWire(port_of(url))
    wire.start()
    return wire


@pytest.fixture(autouse=True)
def healed(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    for name in ("on_redis", "on_postgres"):
        if name in request.fixturenames:
            request.getfixturevalue(name).wire.fault = None


class Site:
    """A server that reaches its store over a faulty wire, and an API key for it."""

    def __init__(self, server: Server, wire: FaultyWire) -> None:
        self.server = server
        self.wire = wire
        self.person: Person = server.sign_up()
        self.key: str = self.person.create_key("30RequestPerDay")["key"]


@pytest.fixture(scope="module")
def on_redis(
    redis_server: Redis, upstream_process: FakeUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    wire = wire_to(redis_server.url)
    server = start_server(
        tmp_path_factory.mktemp("redis"),
        DAYPASS_UPSTREAM_BASE_URL=upstream_process.base_url,
        DAYPASS_REDIS_URL=f"redis://127.0.0.1:{wire.port}/0",
    )
    yield Site(server, wire)
    server.stop()
    wire.stop()


@pytest.fixture(scope="module")
def on_postgres(
    postgres_server: Postgres,
    upstream_process: FakeUpstream,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    url = postgres_server.create_database(f"test_{uuid4().hex}")
    wire = wire_to(url)
    server = start_server(
        tmp_path_factory.mktemp("postgres"),
        DAYPASS_UPSTREAM_BASE_URL=upstream_process.base_url,
        DAYPASS_DATABASE_URL=url.replace(f":{port_of(url)}/", f":{wire.port}/"),
    )
    yield Site(server, wire)
    server.stop()
    wire.stop()


@pytest.mark.parametrize("fault", FAULTS)
def test_an_unreachable_redis_refuses_in_time_and_counts_served_requests(
    on_redis: Site, upstream: FakeUpstream, fault: Fault
) -> None:
    server, wire, key = on_redis.server, on_redis.wire, on_redis.key
    served_again(key, server)
    before = server.used(key)
    upstream.seen.clear()
    wire.fault = fault
    for _ in range(2):
        assert call(key, server) == (503, "quota_unavailable")
    assert upstream.seen == []
    wire.fault = None
    served_again(key, server)
    assert server.used(key) == before + 1
    assert len(upstream.seen) == 1
    assert wire.open_connections <= 3  # decisions, subscription to changes, announcements


def test_requests_are_served_over_a_slow_redis_connection(
    on_redis: Site, upstream: FakeUpstream
) -> None:
    before = on_redis.server.used(on_redis.key)
    on_redis.wire.fault = "delay"
    assert call(on_redis.key, on_redis.server) == (200, "")
    on_redis.wire.fault = None
    assert on_redis.server.used(on_redis.key) == before + 1


def test_requests_during_a_redis_hang_are_refused_and_not_counted(
    on_redis: Site, redis_server: Redis, upstream: FakeUpstream
) -> None:
    before = on_redis.server.used(on_redis.key)
    os.kill(redis_server.process.pid, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: call(on_redis.key, on_redis.server), range(8)))
    finally:
        os.kill(redis_server.process.pid, signal.SIGCONT)
    assert answers == [(503, "quota_unavailable")] * 8
    assert upstream.seen == []
    served_again(on_redis.key, on_redis.server)
    assert on_redis.server.used(on_redis.key) == before + 1


def test_a_give_back_while_redis_hangs_is_owed_and_the_error_says_so(
    on_redis: Site, redis_server: Redis, upstream: FakeUpstream
) -> None:
    before = on_redis.server.used(on_redis.key)

    def refuse_and_hang(_seen: Seen) -> Response:
        os.kill(redis_server.process.pid, signal.SIGSTOP)
        return Response(status_code=401)

    upstream.reply = refuse_and_hang
    try:
        with on_redis.server.gateway(on_redis.key) as api:
            answer = api.post("/v1/chat/completions", json={"model": "m"})
    finally:
        os.kill(redis_server.process.pid, signal.SIGCONT)
    message = answer.json()["error"]["message"]
    assert message.endswith("This request counts until Daypass can reach its counters again.")
    until(lambda: on_redis.server.used(on_redis.key) == before)


@pytest.mark.parametrize("loss", ["flushed", "evicted"])
def test_limits_hold_after_redis_loses_its_counters(
    on_redis: Site, redis_server: Redis, upstream: FakeUpstream, loss: str
) -> None:
    """Lost counters are rebuilt from the usage records, even in mid-burst."""
    person = on_redis.server.sign_up()
    keys = [person.create_key()["key"] for _ in range(2)]
    with redis.Redis.from_url(redis_server.url) as client:
        others = set(client.scan_iter(_type="hash"))
        assert [call(keys[0], on_redis.server)[0] for _ in range(7)] == [200] * 7
        if loss == "flushed":
            client.flushall()
        else:
            (of_account,) = set(client.scan_iter(_type="hash")) - others
            client.delete(of_account)
    with ThreadPoolExecutor(8) as pool:
        statuses = [x for x, _ in pool.map(lambda _: call(keys[0], on_redis.server), range(16))]
    assert sorted(statuses) == [200] * 3 + [429] * 13
    assert on_redis.server.used(keys[0]) == 10
    assert call(keys[1], on_redis.server)[0] == 200
    assert on_redis.server.used(keys[1]) == 1
    assert len(upstream.seen) == 11
    assert "counters_lost" in on_redis.server.log()


@pytest.mark.parametrize("fault", FAULTS)
def test_an_unreachable_postgresql_refuses_in_time_and_recovers(
    on_postgres: Site, upstream: FakeUpstream, fault: Fault
) -> None:
    server, wire = on_postgres.server, on_postgres.wire
    served_again(on_postgres.key, server)
    upstream.seen.clear()
    before = server.used(on_postgres.key)
    wire.fault = fault
    try:
        until(lambda: on_postgres.server.gateway(on_postgres.key).get("/v1/key").status_code == 503)
        assert call(on_postgres.key, server) == (503, "quota_unavailable")
        began = time.monotonic()
        response = on_postgres.person.http.get("/api/api-keys")
        assert response.status_code == 503
        assert time.monotonic() - began < IN_TIME_S
    finally:
        wire.fault = None
    assert upstream.seen == []
    served_again(on_postgres.key, server)
    assert server.used(on_postgres.key) == before + 1
    assert "Traceback" not in server.log()
    assert "daypass@" not in server.log()


def test_an_exhausted_connection_pool_refuses_in_time_and_recovers(
    on_postgres: Site, upstream: FakeUpstream, postgres_server: Postgres
) -> None:
    def look(_number: int) -> tuple[int, float]:
        began = time.monotonic()
        cookies = dict(on_postgres.person.http.cookies)
        with on_postgres.server.client(cookies=cookies) as client:
            return client.get("/api/api-keys").status_code, time.monotonic() - began

    on_postgres.wire.fault = "stall"
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(look, range(40)))
    assert {status for status, _ in answers} == {503}
    assert max(seconds for _, seconds in answers) < 2 * IN_TIME_S  # of 40 at once
    on_postgres.wire.fault = None
    served_again(on_postgres.key, on_postgres.server)
    with ThreadPoolExecutor(8) as pool:
        assert {status for status, _ in pool.map(look, range(40))} == {200}
    with psycopg.connect(postgres_server.url()) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'daypass'"
        (open_now,) = connection.execute(query).fetchone() or (0,)
    assert open_now <= 20


def test_a_model_name_with_a_nul_does_not_stop_usage_recording(
    on_postgres: Site, upstream: FakeUpstream
) -> None:
    """PostgreSQL cannot store a NUL: one request would keep all others from being written."""
    logged = len(on_postgres.server.log())
    with on_postgres.server.gateway(on_postgres.key) as api:
        assert api.post("/v1/embeddings", json={"model": "a\0b"}).status_code == 400
        assert api.post("/v1/embeddings", json={"model": "after it"}).status_code == 200
    listed = on_postgres.person.http.get("/api/requests").json()
    assert "after it" in {row["model"] for row in listed}
    assert "usage_not_written" not in on_postgres.server.log()[logged:]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    with small_file_system(place, "8m"):
        yield place


def test_a_full_or_read_only_disk_refuses_and_recovers(
    start: StartServer, upstream: FakeUpstream, small_disk: Path
) -> None:
    server = start(
        DAYPASS_UPSTREAM_BASE_URL=upstream.base_url, DAYPASS_DATA_DIR=str(small_disk / "data")
    )
    person = server.sign_up()
    key = person.create_key("30RequestPerDay")["key"]
    assert call(key, server) == (200, "")
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(b"x" * 4096)
    deadline = time.monotonic() + 20
    refused = (200, "")
    while refused[0] == 200 and time.monotonic() < deadline:  # until the journal has no room left
        refused = call(key, server)
        if refused[0] == 429:
            pytest.fail("the journal has room for a day's requests")
    assert refused == (503, "quota_unavailable")
    served = len(upstream.seen)
    assert call(key, server) == (503, "quota_unavailable")
    assert len(upstream.seen) == served
    filler.unlink()
    served_again(key, server)
    assert server.used(key) == len(upstream.seen) == served + 1
    assert "Traceback" not in server.log()
    server.stop()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(AssertionError, match=r"the server ended:\ndaypass: .*\n$"):
        start(DAYPASS_DATA_DIR=str(small_disk / "data"))


def test_a_file_corrupted_in_use_refuses_until_the_backup_is_restored(
    start: StartServer, upstream: FakeUpstream
) -> None:
    server = start(DAYPASS_UPSTREAM_BASE_URL=upstream.base_url)
    person = server.sign_up()
    key = person.create_key("30RequestPerDay")["key"]
    assert call(key, server) == (200, "")
    time.sleep(1.5)  # until the usage is written
    path = server.data_dir / "daypass.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    good = path.read_bytes()
    with path.open("r+b") as file:  # Written in place, because the server has the file open.
        file.write(b"\xff" * len(good))
    until(lambda: server.gateway(key).get("/v1/key").status_code == 503)
    for _ in range(2):
        assert call(key, server) == (503, "quota_unavailable")
    assert person.http.get("/api/api-keys").status_code == 503
    until(lambda: server.client().get("/readyz").status_code == 503, within_s=1 + BUSY_S)
    assert len(upstream.seen) == 1
    with path.open("r+b") as file:
        file.write(good)
    served_again(key, server)
    assert server.used(key) == len(upstream.seen) == 2
    assert "Traceback" not in server.log()


@pytest.fixture
def ext4(tmp_path: Path) -> Iterator[Path]:
    """A separate file system whose disk can be made to fail."""
    image, place = tmp_path / "image", tmp_path / "disk"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(32 * 2**20)
    subprocess.run([programs.mkfs_ext4(), "-q", str(image)], check=True)
    mount = ["mount", "-o", "loop", str(image), str(place)]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("this machine has no loop devices")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_turns_read_only_in_use_refuses_and_recovers(
    start: StartServer, upstream: FakeUpstream, ext4: Path
) -> None:
    data = {"DAYPASS_UPSTREAM_BASE_URL": upstream.base_url, "DAYPASS_DATA_DIR": str(ext4 / "data")}
    server = start(**data)
    person = server.sign_up()
    key = person.create_key("30RequestPerDay")["key"]
    assert call(key, server) == (200, "")
    # As the kernel does when a disk returns errors (ext4(5), errors=remount-ro).
    subprocess.run(["mount", "-o", "remount,abort", str(ext4)], check=True)
    for _ in range(2):
        assert call(key, server) == (503, "quota_unavailable")
    response = person.http.post(
        "/api/api-keys", json={"name": "x", "usage_plan_id": "10RequestPerDay"}
    )
    assert response.status_code == 503
    assert server.client().get("/metrics").status_code == 200
    assert len(upstream.seen) == 1
    server.stop()
    assert "Traceback" not in server.log()
    subprocess.run(["umount", str(ext4)], check=True)
    image = str(ext4.parent / "image")
    repair = subprocess.run(["e2fsck", "-fy", image], check=False, capture_output=True)
    assert repair.returncode == 1, repair.stdout  # errors corrected
    subprocess.run(["mount", "-o", "loop", image, str(ext4)], check=True)
    server = start(**data)
    assert call(key, server) == (200, "")
    assert server.used(key) == len(upstream.seen) == 2

"""GET /readyz says whether the stores can be written, not only whether they answer."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from tests.conftest import Server, StartServer, serve_on
from tests.faults.wire import FaultyWire
from tests.support.disk import small_file_system
from tests.support.ports import free_port
from tests.support.postgres import NOBODY, Postgres
from tests.support.redis import Redis
from tests.support.upstream import FakeUpstream
from tests.support.waiting import until

CHECKING_EACH_TIME = """
from daypass.cli.commands import main
from daypass.portal import readiness
readiness.FRESH_S = 0
main()
"""
"""Run the command without caching a positive result for a second."""


def is_ready(server: Server) -> bool:
    with server.client() as client:
        response = client.get("/readyz")
    assert response.status_code in (200, 503)
    return response.status_code == 200


@pytest.fixture
def disk() -> Iterator[Path]:
    """A file system of 96 MiB that may be filled, and that PostgreSQL's user can access."""
    place = Path(tempfile.mkdtemp(prefix="daypass-disk-"))
    with small_file_system(place, "96m"):
        place.chmod(0o755)
        yield place
    place.rmdir()


def fill(disk: Path) -> Path:
    """Fill a disk and return the file that fills it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(4096))
    return filler


def test_a_standby_is_not_ready_until_it_is_promoted(start: StartServer) -> None:
    primary = Postgres()
    primary.start()
    standby = Postgres(standby_of=primary)
    standby.start()
    wire = FaultyWire(primary.port)
    wire.start()
    try:
        url = primary.url().replace(f":{primary.port}/", f":{wire.port}/")
        server = start(DAYPASS_DATABASE_URL=url)
        assert is_ready(server)
        until(lambda: has_tables(standby))
        wire.server_port = standby.port
        primary.kill()
        until(lambda: not is_ready(server))
        # It still answers reads.
        until(lambda: server.client().get("/api/usage-plans").status_code == 200)
        assert not is_ready(server)
        standby.promote()
        until(lambda: is_ready(server))
    finally:
        wire.stop()
        standby.remove()
        primary.remove()


def has_tables(server: Postgres) -> bool:
    import psycopg

    with psycopg.connect(server.url()) as connection:
        found = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
    return found is not None and found[0] is not None


def test_postgresql_with_a_full_disk_is_not_ready_until_space_is_freed(
    start: StartServer, disk: Path
) -> None:
    directory = disk / "postgres"
    directory.mkdir()
    if os.geteuid() == 0:
        shutil.chown(directory, NOBODY)
    postgres = Postgres(directory)
    try:
        postgres.start()
        server = start(DAYPASS_DATABASE_URL=postgres.url())
        assert is_ready(server)
        filler = fill(disk)
        until(lambda: not is_ready(server))
        filler.unlink()
        until(lambda: is_ready(server))
    finally:
        postgres.remove()


def test_a_full_data_directory_is_not_ready_until_space_is_freed(
    start: StartServer, disk: Path
) -> None:
    server = start(DAYPASS_DATA_DIR=str(disk / "data"))
    with server.client() as client:
        assert client.head("/readyz").status_code == client.head("/healthz").status_code == 200
    filler = fill(disk)
    until(lambda: not is_ready(server))
    filler.unlink()
    until(lambda: is_ready(server))
    assert "Traceback" not in server.log()


@pytest.fixture
def redis_with_replica() -> Iterator[tuple[Redis, Redis]]:
    """A server and its replica, which is in sync."""
    master, replica = Redis(), Redis(appendonly=False)
    try:
        for server in (master, replica):
            server.start()
        follow(replica, master)
        yield master, replica
    finally:
        for server in (master, replica):
            server.remove()


def follow(replica: Redis, master: Redis) -> None:
    """Make one server the replica of another one, and wait until writes are confirmed."""
    with replica.client() as client:
        client.replicaof("127.0.0.1", master.port)
    with master.client() as client:
        until(lambda: bool(client.set("x", 1, ex=1)) and client.wait(1, 100) == 1)


Break = Callable[[redis.Redis], object]
OF_THE_MASTER: list[tuple[str, Break, Break]] = [
    (
        "out of memory",
        lambda client: client.config_set("maxmemory", 1),
        lambda client: client.config_set("maxmemory", 0),
    ),
    (
        "too few replicas (min-replicas-to-write)",
        lambda client: client.config_set("min-replicas-to-write", 2),
        lambda client: client.config_set("min-replicas-to-write", 0),
    ),
    (
        "read-only: this server is a replica",
        lambda client: client.replicaof("127.0.0.1", 1),
        lambda client: client.replicaof("NO", "ONE"),
    ),
]


def test_a_redis_that_is_not_writable_is_not_ready_until_it_is(
    redis_with_replica: tuple[Redis, Redis], upstream: FakeUpstream, tmp_path: Path
) -> None:
    master, replica = redis_with_replica
    settings = {
        "DAYPASS_UPSTREAM_BASE_URL": upstream.base_url,
        "DAYPASS_REDIS_URL": master.url,
        "DAYPASS_REDIS_WAIT_REPLICAS": "1",
    }
    command = (sys.executable, "-c", CHECKING_EACH_TIME)
    server = serve_on(free_port(), tmp_path, (), settings, command)
    try:
        key = server.sign_up().create_key("30RequestPerDay")["key"]
        with server.gateway(key) as api, master.client() as client:

            def status() -> int:
                return api.post("/v1/embeddings", json={}).status_code

            def until_ready() -> None:
                until(lambda: is_ready(server))
                until(lambda: status() == 200)

            def check_is_refused(reason: str) -> None:
                seen = len(upstream.seen)
                answer = api.get(f"{server.url}/readyz")
                assert answer.status_code == 503
                assert reason in answer.json()["detail"]
                assert str(master.port) not in answer.text
                assert status() == 503
                assert len(upstream.seen) == seen

            until_ready()
            for reason, break_it, mend_it in OF_THE_MASTER:
                break_it(client)
                check_is_refused(reason)
                mend_it(client)
                until_ready()
            replica.kill()
            check_is_refused("too few Redis replicas confirm")
            replica.start()
            follow(replica, master)
            until_ready()
            assert api.get("/v1/key").json()["limits"][0]["used"] == len(upstream.seen)
        assert "Traceback" not in server.log()
    finally:
        server.stop()

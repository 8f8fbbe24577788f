"""Two machines on PostgreSQL and Redis whose master fails over under continuous load."""

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conftest import Server, StartServer
from tests.support.postgres import Postgres
from tests.support.sentinels import Sentinels
from tests.support.upstream import FakeUpstream
from tests.support.waiting import until

LIMIT = 100
PLAN = f"""
[[plans]]
id = "hundred"
name = "Hundred"
requests_per_day = {LIMIT}
"""


@pytest.fixture
def machines(
    start: StartServer,
    upstream: FakeUpstream,
    postgres_server: Postgres,
    sentinels: Sentinels,
    tmp_path: Path,
) -> Callable[..., list[Server]]:
    config = tmp_path / "plans.toml"
    config.write_text(PLAN)
    database = postgres_server.create_database(f"test_{uuid4().hex}")

    def started(**settings: str) -> list[Server]:
        return [
            start(
                "--workers",
                str(2 - number),  # One of the machines has two workers.
                DAYPASS_UPSTREAM_BASE_URL=upstream.base_url,
                DAYPASS_DATABASE_URL=database,
                DAYPASS_REDIS_URL=sentinels.url,
                DAYPASS_CONFIG=str(config),
                DAYPASS_DATA_DIR=f"data-{number}",
                **settings,
            )
            for number in range(2)
        ]

    return started


class Callers:
    """One client for each machine and key; they count the responses."""

    def __init__(self, machines: list[Server], keys: list[str]) -> None:
        self.answers: Counter[int] = Counter()
        self._latest: dict[int, int] = {}
        self._over = threading.Event()
        pairs = [(machine, key) for machine in machines for key in keys]
        self._threads = [
            threading.Thread(target=self._call, args=(number, *pair))
            for number, pair in enumerate(pairs)
        ]
        for thread in self._threads:
            thread.start()

    def all_are_refused(self) -> bool:
        """Return whether each client's latest response is that its limit is reached."""
        return len(self._latest) == len(self._threads) and set(self._latest.values()) == {429}

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _call(self, number: int, machine: Server, key: str) -> None:
        with machine.gateway(key) as api:
            while not self._over.wait(0.1):
                status = api.post("/v1/embeddings", json={}).status_code
                self._latest[number] = status
                self.answers[status] += 1


@pytest.mark.serial
@pytest.mark.parametrize(
    ("how", "limited"),
    [
        ("planned", "key"),
        ("killed", "site"),
        pytest.param("planned", "site", marks=pytest.mark.soak),
        pytest.param("killed", "key", marks=pytest.mark.soak),
    ],
)
def test_no_key_exceeds_its_limit_during_a_redis_fail_over(
    machines: Callable[..., list[Server]],
    sentinels: Sentinels,
    upstream: FakeUpstream,
    how: str,
    limited: str,
) -> None:
    is_site = limited == "site"
    servers = machines(**({"DAYPASS_SITE_REQUESTS_PER_DAY": str(LIMIT)} if is_site else {}))
    people = [servers[0].sign_up() for _ in range(3 if is_site else 1)]
    keys = [person.create_key("hundred")["key"] for person in people]
    callers = Callers(servers, keys * (1 if is_site else 3))
    try:
        until(lambda: len(upstream.seen) >= 20)
        old = sentinels.master
        if how == "planned":
            sentinels.fail_over()
        else:
            sentinels.let_the_replica_lag()
            until(lambda: len(upstream.seen) >= 60)
            old.kill()
            sentinels.await_another_than(old.port)
        until(callers.all_are_refused, within_s=60)
        # One line for each process and fail-over: two workers, and the other machine.
        for server, processes in zip(servers, (2, 1), strict=True):
            lines = server.log().count("redis_master_changed")
            assert processes <= lines <= processes * sentinels.fail_overs
    finally:
        callers.stop()
    assert len(upstream.seen) == callers.answers[200]
    if is_site:
        assert len(upstream.seen) <= LIMIT
    else:
        assert len(upstream.seen) == LIMIT
